/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The figure of hsgd rate: captions written by hand, the guide and the columns, where the legend stands at every width, and
 * that gnuplot draws every format and whatever may be missing without a word, all in one run. */
#include "tests/test.h"

#include <ftw.h>
#include <sys/stat.h>

#include "plots/rate.h"

enum { POINTS = 4 };

static const double at[POINTS] = {100, 200, 400, 1600}, value[POINTS] = {0.8, 0.4, 0.2828, 0.1414};
static const double low[POINTS] = {0.7, 0.35, 0.27, 0.14}, high[POINTS] = {0.9, 0.45, 0.29, 0.15};
static const double loose[POINTS] = {NAN, 5, 4, 3}, nothing[POINTS] = {NAN, NAN, NAN, NAN};
static const bool fitted[POINTS] = {false, true, true, true}, none[POINTS] = {false};
static const hsgd_rate_figure_bound bounds[] = {{"hsgd-fixed_sharp $x$", loose, -0.2468}, {"own", nothing, NAN}};

/* Sampled values over T with a fit that gives 0.5 at 128. */
static hsgd_rate_figure_input sampled(void)
{
    return (hsgd_rate_figure_input){.name = "a % <b> \\frac 'c'",
                                    .symbol = "T",
                                    .quantity = "S",
                                    .workers = 12,
                                    .global_period = 8,
                                    .local_period = 2,
                                    .seeds = 20,
                                    .confidence = 0.99,
                                    .constants_proved = true,
                                    .num_points = POINTS,
                                    .at = at,
                                    .value = value,
                                    .low = low,
                                    .high = high,
                                    .fitted = fitted,
                                    .has_fit = true,
                                    .exponent = -0.50024,
                                    .half_width = 0.0213,
                                    .log_constant = log(0.5) + 0.50024 * log(128),
                                    .guide = -0.5,
                                    .bound = bounds,
                                    .num_bounds = 2};
}

static void check_caption(const hsgd_rate_figure_input *in, bool bars, hsgd_caption_syntax syntax, const char *want)
{
    char *text = hsgd_rate_figure_caption(in, bars, syntax);
    assert_non_null(text);
    assert_string_equal(text, want);
    free(text);
}

static void captions_say_what_is_shown(void **state)
{
    (void)state;
    hsgd_rate_figure_input in = sampled();
    check_caption(
        &in, true, HSGD_CAPTION_PLAIN,
        "Mean squared gradient norm S against the number of steps, and the power law fitted to 3 of the 4 points, "
        "with exponent −0.500 ± 0.021 (99 %); dashed: the exponent −0.5 of the theory; the other lines are bounds; "
        "bars: 99 % confidence intervals. n = 12, G = 8, I = 2, 20 seeds for each point.");
    check_caption(
        &in, false, HSGD_CAPTION_TEX,
        "Mean squared gradient norm $S$ against the number of steps, and the power law fitted to 3 of the 4 "
        "points, with exponent $-$0.500 $\\pm$ 0.021 (99\\,\\%); dashed: the exponent $-$0.5 of the theory; the "
        "other lines are bounds. $n$~=~12, $G$~=~8, $I$~=~2, 20 seeds for each point.");
    in.exact = true;
    in.symbol = "n";
    in.quantity = "loss_gap";
    in.workers = 0;
    in.steps = 600;
    in.guide = -0.4628;
    in.constants_proved = false;
    check_caption(
        &in, false, HSGD_CAPTION_PLAIN,
        "Loss gap f(w̄ᵀ) − f* at the end against the number of workers, and the power law fitted to 3 of the 4 "
        "points, with exponent −0.500 ± 0.021 (99 %, from the curvature); dashed: the exponent −0.463 of the "
        "theory; the other lines are bounds (with constants that prove nothing elsewhere). T = 600, G = 8, I = 2, "
        "exact moments, nothing is sampled.");
    in.has_fit = false;
    in.num_bounds = 0;
    check_caption(&in, false, HSGD_CAPTION_PLAIN,
                  "Loss gap f(w̄ᵀ) − f* at the end against the number of workers. T = 600, G = 8, I = 2, exact moments, "
                  "nothing is sampled.");
}

/* ---- files ---- */

static int remove_entry(const char *path, const struct stat *info, int type, struct FTW *where)
{
    (void)info, (void)type, (void)where;
    return remove(path);
}

static char *read_file(const char *dir, const char *name)
{
    char path[512];
    static char text[20000];
    snprintf(path, sizeof path, "%s/%s", dir, name);
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    text[fread(text, 1, sizeof text - 1, file)] = '\0';
    fclose(file);
    return text;
}

/* A folder below dir with the figure in it. */
static void write_in(const char *dir, const char *name, const hsgd_rate_figure_input *in, hsgd_figure_style style)
{
    char folder[512];
    hsgd_error err;
    snprintf(folder, sizeof folder, "%s/%s", dir, name);
    assert_int_equal(mkdir(folder, 0777), 0);
    assert_ok(hsgd_rate_figure_write(in, folder, &style, &err), err);
}

/* The number after a text. */
static double number_after(const char *script, const char *text)
{
    const char *found = strstr(script, text);
    assert_non_null(found);
    return strtod(found + strlen(text), NULL);
}

/* The legend below the axis label, all its rows above the lower edge. */
static void check_layout(const char *folder)
{
    const char *script = read_file(folder, "rate.gp");
    double width_in, height_in;
    assert_int_equal(sscanf(strstr(script, " size "), " size %lfin,%lfin", &width_in, &height_in), 2);
    double bottom = number_after(script, "set bmargin at screen "),
           top = number_after(script, "set tmargin at screen ");
    double legend = number_after(script, "set key at screen 0.5,screen "), rows = number_after(script, "maxrows ");
    assert_true(top < 1 && (top - bottom) * height_in > 1.2);
    assert_true((bottom - legend) * height_in > 0.33);
    assert_true(legend * height_in >= 0.125 * rows);
}

/* Six folders with formats, widths and inputs of all kinds, drawn by one gnuplot that has nothing to say. */
static void every_format_is_drawn_without_a_word(void **state)
{
    (void)state;
    static const char *const drawn[] = {"pdf", "svg", "png", "tex", "tex"};
    static const double widths[] = {HSGD_WIDTH_IEEE_COLUMN_IN, HSGD_WIDTH_NEURIPS_IN, HSGD_MIN_WIDTH_IN,
                                    HSGD_WIDTH_IEEE_PAGE_IN, HSGD_MAX_WIDTH_IN};
    char dir[256], command[1024], folder[512], name[32];
    hsgd_figure_style style = hsgd_figure_default_style();
    hsgd_rate_figure_input in = sampled();
    make_folder(dir, sizeof dir);
    int length = snprintf(command, sizeof command, "cd %s && LC_ALL=C.UTF-8 gnuplot -e \"", dir);
    for (size_t f = 0; f < 5; f++) {
        style.format = (hsgd_figure_format)f;
        style.width_in = widths[f];
        style.title = f != 2;
        snprintf(name, sizeof name, "f%zu", f);
        write_in(dir, name, &in, style);
        length += snprintf(command + length, sizeof command - (size_t)length,
                           "cd 'f%zu'; load 'rate.gp'; reset; cd '..'; ", f);
    }
    for (size_t w = 0; w < 5; w++) { /* layouts are those of the format pdf, in inches */
        style = hsgd_figure_default_style();
        style.width_in = widths[w];
        style.title = w != 2;
        snprintf(name, sizeof name, "w%zu", w);
        write_in(dir, name, &in, style);
        snprintf(folder, sizeof folder, "%s/%s", dir, name);
        check_layout(folder);
    }
    in.has_fit = false; /* nothing but one point and a bound that applies nowhere */
    in.fitted = none;
    in.num_points = 1;
    write_in(dir, "bare", &in, style);
    snprintf(command + length, sizeof command - (size_t)length, "cd 'bare'; load 'rate.gp'\" > said 2>&1");
    assert_int_equal(system(command), 0);
    assert_string_equal(read_file(dir, "said"), "");
    for (size_t f = 0; f < 5; f++) {
        struct stat info;
        snprintf(folder, sizeof folder, "%s/f%zu/rate.%s", dir, f, drawn[f]);
        assert_int_equal(stat(folder, &info), 0);
        assert_true(info.st_size > 500);
    }
    assert_int_equal(nftw(dir, remove_entry, 16, FTW_DEPTH | FTW_PHYS), 0);
}

/* No bars where nothing is sampled or the style wants none; nothing at all without a positive value. */
static void bars_and_figures_that_are_not_there(void **state)
{
    (void)state;
    char dir[256], folder[512], reason[100];
    hsgd_figure_style style = hsgd_figure_default_style();
    hsgd_rate_figure_input in = sampled();
    make_folder(dir, sizeof dir);
    for (int i = 0; i < 3; i++) {
        char name[16];
        snprintf(name, sizeof name, "b%d", i);
        in.exact = i == 1;
        style.band = i == 2 ? HSGD_BAND_NONE : HSGD_BAND_SD;
        write_in(dir, name, &in, style);
        snprintf(folder, sizeof folder, "%s/%s", dir, name);
        assert_int_equal(strstr(read_file(folder, "rate.gp"), "yerrorbars") != NULL, i == 0);
        assert_int_equal(strstr(read_file(folder, "rate.caption.tex"), "bars:") != NULL, i == 0);
    }
    assert_true(hsgd_rate_figure_possible(&in, reason, sizeof reason));
    in.value = nothing;
    assert_false(hsgd_rate_figure_possible(&in, reason, sizeof reason));
    assert_string_equal(reason, "no value is finite and positive");
    assert_int_equal(nftw(dir, remove_entry, 16, FTW_DEPTH | FTW_PHYS), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(captions_say_what_is_shown),
        cmocka_unit_test(every_format_is_drawn_without_a_word),
        cmocka_unit_test(bars_and_figures_that_are_not_there),
    };
    return cmocka_run_group_tests_name("rate_figure", tests, NULL, NULL);
}
