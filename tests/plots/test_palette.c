/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Can everybody tell the lines of a figure apart?
 *
 * Colours: seen by dichromats, simulated as Vienot, Brettel and Mollon (1999) do for red and green blindness and Brettel,
 * Vienot and Mollon (1997) for blue blindness, in CIE Lab. A difference of 2.3 is just noticed between large fields side by
 * side (Mahy et al. 1994); a line of a point is 3 to 4 minutes of arc wide in the hand, where thresholds for hue are some four
 * times as high: at least 10 is asked for.
 *
 * Black and white: of two lines in one panel whose lightness L* differs by less than 12, which is five just noticed steps,
 * the dashes must differ. */
#include "tests/plots/figure_input.h"

#include "plots/phase.h"
#include "plots/plan.h"
#include "plots/script_private.h"

#define LEAST_DISTANCE 10
#define LEAST_LIGHTNESS 12
enum { NUM_COLOURS = 7, MAX_LINES = 40 };

typedef struct vec {
    double v[3];
} vec;
typedef struct mat {
    double m[3][3];
} mat;

static vec times(const mat *a, vec x)
{
    vec y;
    for (size_t i = 0; i < 3; i++)
        y.v[i] = a->m[i][0] * x.v[0] + a->m[i][1] * x.v[1] + a->m[i][2] * x.v[2];
    return y;
}

/* Cramer's rule. */
static vec solve(const mat *a, vec b)
{
    double determinant[4];
    for (size_t k = 0; k < 4; k++) {
        mat c = *a;
        for (size_t i = 0; k < 3 && i < 3; i++)
            c.m[i][k] = b.v[i];
        determinant[k] = c.m[0][0] * (c.m[1][1] * c.m[2][2] - c.m[1][2] * c.m[2][1]) -
                         c.m[0][1] * (c.m[1][0] * c.m[2][2] - c.m[1][2] * c.m[2][0]) +
                         c.m[0][2] * (c.m[1][0] * c.m[2][1] - c.m[1][1] * c.m[2][0]);
    }
    return (vec){{determinant[0] / determinant[3], determinant[1] / determinant[3], determinant[2] / determinant[3]}};
}

/* ---- colours ---- */

/* "#rrggbb" to linear intensities (sRGB, IEC 61966-2-1). */
static vec linear_of(const char *colour)
{
    vec out;
    for (size_t i = 0; i < 3; i++) {
        char digits[3] = {colour[1 + 2 * i], colour[2 + 2 * i], 0};
        double value = (double)strtol(digits, NULL, 16) / 255;
        out.v[i] = value <= 0.04045 ? value / 12.92 : pow((value + 0.055) / 1.055, 2.4);
    }
    return out;
}

/* CIE 1976 L*a*b* under D65. */
static vec lab_of(vec rgb)
{
    static const mat to_xyz = {
        {{0.4124564, 0.3575761, 0.1804375}, {0.2126729, 0.7151522, 0.0721750}, {0.0193339, 0.1191920, 0.9503041}}};
    static const double white[] = {0.95047, 1, 1.08883};
    for (size_t i = 0; i < 3; i++)
        rgb.v[i] = fmin(1, fmax(0, rgb.v[i])); /* what a screen can show */
    vec f = times(&to_xyz, rgb);
    for (size_t i = 0; i < 3; i++) {
        double t = f.v[i] / white[i];
        f.v[i] = t > 216.0 / 24389 ? cbrt(t) : (24389.0 / 27 * t + 16) / 116;
    }
    return (vec){{116 * f.v[1] - 16, 500 * (f.v[0] - f.v[1]), 200 * (f.v[1] - f.v[2])}};
}

typedef enum vision { NORMAL, PROTANOPIA, DEUTERANOPIA, TRITANOPIA, NUM_VISIONS } vision;

/* Red and green blindness: the missing cone's signal follows from the others, so that white and blue stay. */
static vec without_cone(vec rgb, bool red)
{
    static const mat to_lms = {
        {{17.8824, 43.5161, 4.11935}, {3.45565, 27.1554, 3.86714}, {0.0299566, 0.184309, 1.46709}}};
    vec lms = times(&to_lms, rgb);
    if (red)
        lms.v[0] = 2.02344 * lms.v[1] - 2.52581 * lms.v[2];
    else
        lms.v[1] = 0.494207 * lms.v[0] + 1.24827 * lms.v[2];
    return solve(&to_lms, lms);
}

/* Blue blindness: colours fall onto two half planes that meet in the greys. */
static vec without_blue(vec rgb)
{
    static const mat half[2] = {
        {{{1.01277, 0.13548, -0.14826}, {-0.01243, 0.86812, 0.14431}, {0.07589, 0.80500, 0.11911}}},
        {{{0.93678, 0.18979, -0.12657}, {0.06154, 0.81526, 0.12320}, {-0.37562, 1.12767, 0.24796}}}};
    double side = 0.03901 * rgb.v[0] - 0.02788 * rgb.v[1] - 0.01113 * rgb.v[2];
    return times(&half[side < 0], rgb);
}

static vec seen_by(vision eyes, vec rgb)
{
    return eyes == NORMAL ? rgb : eyes == TRITANOPIA ? without_blue(rgb) : without_cone(rgb, eyes == PROTANOPIA);
}

static double distance(vec a, vec b)
{
    return sqrt((a.v[0] - b.v[0]) * (a.v[0] - b.v[0]) + (a.v[1] - b.v[1]) * (a.v[1] - b.v[1]) +
                (a.v[2] - b.v[2]) * (a.v[2] - b.v[2]));
}

/* What holds for every such simulation, and would not with a mistyped number: greys stay, and a colour that a dichromat sees
 * looks the same to him. */
static void simulations_are_projections(void **state)
{
    (void)state;
    for (vision eyes = PROTANOPIA; eyes < NUM_VISIONS; eyes++) {
        vec grey = seen_by(eyes, (vec){{0.4, 0.4, 0.4}});
        for (size_t i = 0; i < 3; i++)
            assert_near(grey.v[i], 0.4, 2e-3);
        for (size_t c = 0; c < NUM_COLOURS; c++) {
            vec once = seen_by(eyes, linear_of(hsgd_colour(c))), twice = seen_by(eyes, once);
            assert_true(distance(once, twice) < 1e-4);
        }
    }
    assert_near(lab_of((vec){{1, 1, 1}}).v[0], 100, 1e-6);
    assert_near(lab_of(linear_of("#777777")).v[0], 50.03, 1e-3); /* the usual middle grey */
}

static void colours_differ_for_everybody(void **state)
{
    (void)state;
    for (vision eyes = NORMAL; eyes < NUM_VISIONS; eyes++)
        for (size_t i = 0; i < NUM_COLOURS; i++)
            for (size_t j = 0; j < i; j++) {
                double d = distance(lab_of(seen_by(eyes, linear_of(hsgd_colour(i)))),
                                    lab_of(seen_by(eyes, linear_of(hsgd_colour(j)))));
                if (!(d >= LEAST_DISTANCE))
                    fail_msg("%s and %s are %g apart for vision %d", hsgd_colour(i), hsgd_colour(j), d, eyes);
            }
}

/* The cells of a phase diagram: colours that everybody can tell apart, and in black and white another symbol or hatching. */
static void verdicts_differ_for_everybody(void **state)
{
    (void)state;
    for (int i = 0; i < HSGD_CELL_ILLEGAL; i++)
        for (int j = 0; j < i; j++) {
            vec a = linear_of(hsgd_phase_colour((hsgd_phase_cell)i)),
                b = linear_of(hsgd_phase_colour((hsgd_phase_cell)j));
            for (vision eyes = NORMAL; eyes < NUM_VISIONS; eyes++) {
                double d = distance(lab_of(seen_by(eyes, a)), lab_of(seen_by(eyes, b)));
                if (!(d >= LEAST_DISTANCE))
                    fail_msg("%s and %s are %g apart for vision %d", hsgd_phase_cell_name((hsgd_phase_cell)i),
                             hsgd_phase_cell_name((hsgd_phase_cell)j), d, eyes);
            }
            bool alike = fabs(lab_of(a).v[0] - lab_of(b).v[0]) < LEAST_LIGHTNESS;
            if (alike && hsgd_phase_symbol((hsgd_phase_cell)i) == hsgd_phase_symbol((hsgd_phase_cell)j))
                fail_msg("%s and %s are alike in black and white", hsgd_phase_cell_name((hsgd_phase_cell)i),
                         hsgd_phase_cell_name((hsgd_phase_cell)j));
        }
}

/* ---- the lines of figures ---- */

typedef struct line {
    char colour[8], dash[24], symbol[8];
} line;

/* The word after the last `key` before `end`; "" for none. */
static void word_after(char *out, size_t size, const char *from, const char *end, const char *key)
{
    out[0] = '\0';
    for (const char *at = from; (at = strstr(at, key)) && at < end; at++)
        snprintf(out, size, "%.*s", (int)strcspn(at + strlen(key), " ',\n"), at + strlen(key));
}

/* Dashes hold commas. */
static void dash_of(char *out, size_t size, const char *from, const char *end)
{
    const char *at = strstr(from, " dt ");
    out[0] = '\0';
    if (at && at < end)
        snprintf(out, size, "%.*s", (int)strcspn(at + 4, " \n"), at + 4);
}

/* Its first line that does not go on. */
static const char *end_of_command(const char *plot)
{
    const char *end = plot + strcspn(plot, "\n");
    while (*end && end[-1] == '\\')
        end += 1 + strcspn(end + 1, "\n");
    return end;
}

/* Colours and dashes of the elements "with lines" of one plot command; linetypes stand before it. */
static size_t read_lines(line *out, const char *script, const char *plot)
{
    size_t count = 0;
    const char *stop = end_of_command(plot), *next;
    for (const char *at = plot; at && at < stop; at = next) {
        next = strstr(at, ", \\\n     ");
        const char *end = next && next < stop ? next : stop, *with = strstr(at, " with lines");
        if (next)
            next += 2;
        if (!with || with >= end || strncmp(at, "keyentry", 8) == 0 || strstr(at, "keyentry") == at + 3)
            continue;
        line *l = &out[count++];
        char type[8], definition[32];
        assert_true(count < MAX_LINES);
        word_after(l->colour, sizeof l->colour, with, end, "lc rgb '");
        word_after(l->symbol, sizeof l->symbol, with, end, " pt ");
        dash_of(l->dash, sizeof l->dash, with, end);
        word_after(type, sizeof type, with, end, " lt ");
        snprintf(definition, sizeof definition, "set linetype %s lc", type);
        const char *defined = *type ? strstr(script, definition) : NULL;
        if (defined && !*l->colour)
            word_after(l->colour, sizeof l->colour, defined, strchr(defined, '\n'), "lc rgb '");
        if (defined && !*l->dash)
            dash_of(l->dash, sizeof l->dash, defined, strchr(defined, '\n'));
        assert_int_equal(strlen(l->colour), 7);
        assert_true(*l->dash);
    }
    return count;
}

/* Returns the number of lines seen. */
static size_t check_panel(const char *figure, const char *script, const char *plot)
{
    line lines[MAX_LINES];
    size_t count = read_lines(lines, script, plot);
    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j < i; j++) {
            double step = lab_of(linear_of(lines[i].colour)).v[0] - lab_of(linear_of(lines[j].colour)).v[0];
            if (fabs(step) < LEAST_LIGHTNESS && strcmp(lines[i].dash, lines[j].dash) == 0)
                fail_msg("%s: two lines of %s and %s, both %s", figure, lines[i].colour, lines[j].colour,
                         lines[i].dash);
            if (*lines[i].symbol && strcmp(lines[i].symbol, lines[j].symbol) == 0)
                fail_msg("%s: two lines with symbol %s", figure, lines[i].symbol);
        }
    return count;
}

static void lines_of_similar_grey_differ_in_dash(void **state)
{
    (void)state;
    hsgd_error err;
    for (size_t levels = 2; levels <= 5; levels++) {
        fixture f;
        setup(&f, levels, 150);
        for (size_t i = 0; i < hsgd_num_figures; i++) {
            const char *name = hsgd_figures[i]->name;
            size_t seen = 0;
            assert_ok(hsgd_figures[i]->write(&f.in, f.dir, in_format(HSGD_FIGURE_PDF), &err), err);
            char *script = file_text(f.dir, name, "gp");
            for (const char *plot = script; (plot = strstr(plot, "\nplot ")); plot++)
                seen += check_panel(name, script, plot + 1);
            if (strcmp(name, "terms") != 0 && strcmp(name, "ladder") != 0)
                assert_true(seen >= 2);
            free(script);
        }
        teardown(&f);
    }
}

static void lines_of_a_plan_differ_in_dash(void **state)
{
    (void)state;
    hsgd_error err;
    fixture f;
    const double x[] = {1, 2, 3}, y[] = {9, 8, 7}, z[] = {3, 2, 1};
    const hsgd_plan_figure_input in = {.name = "plan",
                                       .bound = "a-bound",
                                       .num_workers = 4,
                                       .num_budgets = 3,
                                       .budget_s = x,
                                       .value = {y, y, y},
                                       .num_best = 1,
                                       .best_s = x,
                                       .best_value = {y, y, y},
                                       .num_front = 3,
                                       .front_bytes = z,
                                       .front_value = x,
                                       .bytes = {3, 4, 5},
                                       .bytes_value = {1, 2, 3}};
    size_t seen = 0;
    setup(&f, 2, 10);
    assert_ok(hsgd_plan_figure_write(&in, f.dir, in_format(HSGD_FIGURE_PDF), &err), err);
    char *script = file_text(f.dir, HSGD_PLAN_FIGURE, "gp");
    for (const char *plot = script; (plot = strstr(plot, "\nplot ")); plot++)
        seen += check_panel(HSGD_PLAN_FIGURE, script, plot + 1);
    assert_int_equal(seen, 4);
    free(script);
    teardown(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(simulations_are_projections),    cmocka_unit_test(colours_differ_for_everybody),
        cmocka_unit_test(verdicts_differ_for_everybody),  cmocka_unit_test(lines_of_similar_grey_differ_in_dash),
        cmocka_unit_test(lines_of_a_plan_differ_in_dash),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
