/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Captions of the figures of a sweep, each expected sentence written by hand, and the contrast of numbers in the cells of
 * sweep-map. */
#include "tests/test.h"

#include <math.h>
#include <string.h>

#include "plots/sweep_private.h"

/* Two by two points with three seeds each; the numbers are those that captions speak of. */
typedef struct fixture {
    hsgd_sweep_figure_input in;
    hsgd_sweep_figure_point point[4];
    double accuracy[2];
} fixture;

static const double at[] = {2, 6}, step[] = {0, 5};
static const char *const label[] = {"2", "6"}, *const title[] = {"G_1 = 2", "G_1 = 6"};

static void setup(fixture *f)
{
    *f = (fixture){.accuracy = {0.5, 0.75}};
    f->in =
        (hsgd_sweep_figure_input){.name = "s", .confidence = 0.99, .num_axes = 2, .point = f->point, .num_points = 4};
    f->in.axis[0] = (hsgd_sweep_figure_axis){"G_1", 2, label, title, at};
    f->in.axis[1] = (hsgd_sweep_figure_axis){"N", 2, label, title, at};
    for (size_t i = 0; i < 4; i++)
        f->point[i] = (hsgd_sweep_figure_point){.value = {i / 2, i % 2},
                                                .title = "t",
                                                .done = true,
                                                .S = 1,
                                                .bound = {NAN, NAN, 2},
                                                .num_workers = 12,
                                                .steps = 60,
                                                .seeds = 3,
                                                .num_runs = 3,
                                                .step_size = i ? 0.02 : 1.5e-7,
                                                .constants_proved = true,
                                                .num_rows = 2,
                                                .step = step,
                                                .grad_norm_sq = step,
                                                .loss = step,
                                                .train_accuracy = f->accuracy};
}

static void check(const fixture *f, const char *name, hsgd_figure_band band, hsgd_caption_syntax syntax,
                  const char *want)
{
    for (size_t i = 0; i < hsgd_num_sweep_figures; i++)
        if (strcmp(hsgd_sweep_figures[i]->name, name) == 0) {
            char *text = hsgd_sweep_figure_caption(&f->in, hsgd_sweep_figures[i], band, syntax);
            assert_non_null(text);
            assert_string_equal(text, want);
            free(text);
            return;
        }
    fail_msg("no figure %s", name);
}

static void captions_in_both_syntaxes(void **state)
{
    (void)state;
    fixture f;
    setup(&f);
    check(&f, "sweep", HSGD_BAND_CI, HSGD_CAPTION_PLAIN,
          "Measured S, the mean squared gradient norm over the steps, over G_1 for each N, next to the recursive bound "
          "(dashed); bars: 99 % confidence intervals. n = 12, T = 60, γ = 1.5×10⁻⁷ to 0.02, 3 seeds.");
    check(&f, "sweep", HSGD_BAND_CI, HSGD_CAPTION_TEX,
          "Measured $S$, the mean squared gradient norm over the steps, over G\\_1 for each N, next to the recursive "
          "bound "
          "(dashed); bars: 99\\,\\% confidence intervals. $n$~=~$12$, $T$~=~$60$, $\\gamma$~=~$1.5{\\times}10^{-7}$ to "
          "$0.02$, 3 seeds.");
    check(&f, "sweep-map", HSGD_BAND_CI, HSGD_CAPTION_PLAIN,
          "Measured S, the mean squared gradient norm over the steps, and its share of the bound, over G_1 and N. n = "
          "12, "
          "T = 60, γ = 1.5×10⁻⁷ to 0.02, 3 seeds.");
    check(&f, "sweep-convergence", HSGD_BAND_CI, HSGD_CAPTION_PLAIN,
          "Squared gradient norm ‖∇f(w̄ᵗ)‖² at the average model for each G_1 and N. n = 12, T = 60, γ = 1.5×10⁻⁷ to "
          "0.02, 3 seeds.");
}

/* Bars and bands are called what they are; curves of losses have none. Notes say what is missing. */
static void captions_name_bands_and_what_is_missing(void **state)
{
    (void)state;
    fixture f;
    setup(&f);
    f.in.num_axes = 1;
    f.in.num_points = 2;
    for (size_t i = 0; i < 2; i++)
        f.point[i].bound[2] = NAN;
    check(&f, "sweep", HSGD_BAND_RANGE, HSGD_CAPTION_PLAIN,
          "Measured S, the mean squared gradient norm over the steps, over G_1; bars: from the smallest to the largest "
          "run. n = 12, T = 60, γ = 1.5×10⁻⁷ to 0.02, 3 seeds.");
    check(&f, "sweep-accuracy", HSGD_BAND_SD, HSGD_CAPTION_PLAIN,
          "Accuracy of the average model for each G_1; bands: ± one standard deviation over runs. n = 12, T = 60, γ = "
          "1.5×10⁻⁷ to 0.02, 3 seeds.");
    check(&f, "sweep-loss", HSGD_BAND_SE, HSGD_CAPTION_PLAIN,
          "Loss f(w̄ᵗ) of the average model for each G_1. n = 12, T = 60, γ = 1.5×10⁻⁷ to 0.02, 3 seeds.");
    check(
        &f, "sweep", HSGD_BAND_NONE, HSGD_CAPTION_PLAIN,
        "Measured S, the mean squared gradient norm over the steps, over G_1. n = 12, T = 60, γ = 1.5×10⁻⁷ to 0.02, 3 "
        "seeds.");
    f.point[0] = (hsgd_sweep_figure_point){.title = "t", .S = NAN, .bound = {NAN, NAN, NAN}};
    f.point[1].seeds = f.point[1].num_runs = 1;
    check(
        &f, "sweep", HSGD_BAND_SE, HSGD_CAPTION_PLAIN,
        "Measured S, the mean squared gradient norm over the steps, over G_1. n = 12, T = 60, γ = 0.02, 1 seed; 1 of 2 "
        "points.");
}

/* ---- contrast ---- */

static double luminance(const double *rgb)
{
    double light[3];
    for (int c = 0; c < 3; c++)
        light[c] = rgb[c] / 255 > 0.03928 ? pow((rgb[c] / 255 + 0.055) / 1.055, 2.4) : rgb[c] / 255 / 12.92;
    return 0.2126 * light[0] + 0.7152 * light[1] + 0.0722 * light[2];
}

/* WCAG 2.1: at least 4.5, on every colour that a cell may have. */
static void numbers_in_cells_can_be_read(void **state)
{
    (void)state;
    enum { STEPS = 1000 };
    for (int i = 0; i + 1 < HSGD_NUM_MAP_COLOURS; i++)
        for (int k = 0; k <= STEPS; k++) {
            unsigned low[3], high[3];
            double rgb[3], place = ((double)i + (double)k / STEPS) / (HSGD_NUM_MAP_COLOURS - 1);
            assert_int_equal(sscanf(hsgd_sweep_map_colour[i], "#%2x%2x%2x", low, low + 1, low + 2), 3);
            assert_int_equal(sscanf(hsgd_sweep_map_colour[i + 1], "#%2x%2x%2x", high, high + 1, high + 2), 3);
            for (int c = 0; c < 3; c++)
                rgb[c] = round(low[c] + (double)k / STEPS * ((double)high[c] - low[c]));
            bool white = place < hsgd_sweep_map_dark_below();
            double cell = luminance(rgb), text = white ? 1 : 0;
            double contrast = (fmax(cell, text) + 0.05) / (fmin(cell, text) + 0.05);
            if (contrast < 4.5)
                fail_msg("%s text at %g of the palette: contrast %.3f", white ? "white" : "black", place, contrast);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(captions_in_both_syntaxes),
        cmocka_unit_test(captions_name_bands_and_what_is_missing),
        cmocka_unit_test(numbers_in_cells_can_be_read),
    };
    return cmocka_run_group_tests_name("sweep_figures", tests, NULL, NULL);
}
