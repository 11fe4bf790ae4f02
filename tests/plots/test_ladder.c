/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The figure "ladder": its data, what it prints, and that gnuplot draws whatever a ladder may hold. */
#include "tests/plots/figure_input.h"

static void set_values(fixture *f, const double value[NUM_RUNGS])
{
    for (size_t r = 0; r < NUM_RUNGS; r++) {
        f->rung[r].value = value[r];
        f->rung[r].low = f->rung[r].high = NAN;
        f->rung[r].share = r > 0 ? (value[r] - value[r - 1]) / (value[NUM_RUNGS - 1] - value[0]) : NAN;
    }
}

/* The script for this input; the caller frees it. */
static char *script_of(const fixture *f)
{
    hsgd_error err;
    assert_ok(hsgd_figure_find("ladder")->write(&f->in, f->dir, in_format(HSGD_FIGURE_PDF), &err), err);
    return file_text(f->dir, "ladder", "gp");
}

static bool script_has(const fixture *f, const char *text)
{
    char *script = script_of(f);
    bool found = strstr(script, text) != NULL;
    free(script);
    return found;
}

static void check_script(const fixture *f, const char *text)
{
    if (script_has(f, text))
        return;
    print_error("ladder.gp lacks %s\n", text);
    fail();
}

/* By hand; R3 is missing, so the bar of R4 starts at R2. */
static void data_file_holds_the_rungs(void **state)
{
    (void)state;
    fixture f;
    setup(&f, 2, 10);
    set_values(&f, (const double[]){0.25, 0.5, 1, NAN, 2, 2, INFINITY, 4.25});
    f.rung[0].low = 0.125;
    f.rung[0].high = 0.375;
    f.rung[1].share = 0.0625;
    f.rung[2].share = f.rung[4].share = f.rung[7].share = NAN;
    f.rung[5].share = 0;
    f.rung[2].step_applies = false;
    free(script_of(&f));
    char *text = file_text(f.dir, "ladder", "dat");
    assert_string_equal(text, "row row_before from value low high share measured applies\n"
                              "1 0 0 0.25 0.125 0.375 NaN 1 1\n"
                              "2 1 0.25 0.5 NaN NaN 0.0625 1 1\n"
                              "3 2 0.5 1 NaN NaN NaN 1 0\n"
                              "4 3 1 NaN NaN NaN NaN 1 1\n"
                              "5 3 1 2 NaN NaN NaN 1 1\n"
                              "6 5 2 2 NaN NaN 0 0 1\n"
                              "7 6 2 NaN NaN NaN NaN 0 1\n"
                              "8 6 2 4.25 NaN NaN NaN 0 1\n");
    free(text);
    check_draws(&f, "ladder", HSGD_FIGURE_SVG);
    teardown(&f);
}

static void rows_print_titles_values_and_shares(void **state)
{
    (void)state;
    fixture f;
    setup(&f, 2, 10);
    const double share[] = {NAN, 0.0125, 0.37, 0, -0.0003, NAN, 0.0001, 1234567};
    for (size_t r = 0; r < NUM_RUNGS; r++)
        f.rung[r].share = share[r];
    f.rung[2].step = "a condition that is much too long for the row";
    f.rung[3].step = f.rung[3].name;
    f.rung[4].step = "";
    static const char *const printed[] = {
        "\"R0 measured S\"",
        "'0.334'",
        "\"R1 + descent inequality (L-smoothness of f)\"",
        "'1.2 %'",
        "\"R2 + last term dropped\"",
        "'37 %'",
        "\"R3 + dispersion for gradients\"",
        "'0 %'",
        "\"R4 gap and noise\"",
        "'-0.03 %'",
        "'–'",
        "'<0.1 %'",
        "'1.23×10^{8} %'",
    };
    for (size_t i = 0; i < sizeof printed / sizeof *printed; i++)
        check_script(&f, printed[i]);
    assert_false(script_has(&f, "set label 23 ")); /* R0 has no step and so no share */
    f.rung[1].value = NAN;
    f.rung[3].value = -INFINITY;
    check_script(&f, "'not evaluated'");
    check_script(&f, "'infinite'");
    check_draws(&f, "ladder", HSGD_FIGURE_TEX);
    teardown(&f);
}

/* At most 30 times the smallest: linear. Zero does not count, and below zero there is no log axis. */
static void wide_ladders_get_a_log_axis(void **state)
{
    (void)state;
    static const struct {
        double value[NUM_RUNGS];
        bool log;
    } each[] = {
        {{0.125, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 3.75}, false},
        {{0.125, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 3.76}, true},
        {{0.05, 0.06, 0.1, 0.2, 0.5, 1, 3, 40}, true},
        {{0, 1, 2, 3, 4, 5, 6, 29}, false},
        {{0, 1, 2, 3, 4, 5, 6, 31}, true},
        {{0.1, -0.01, 0.2, 0.3, 1, 2, 3, 40}, false},
        {{0, 0, 0, 0, 0, 0, 0, 0}, false},
    };
    for (size_t i = 0; i < sizeof each / sizeof *each; i++) {
        fixture f;
        setup(&f, 2, 10);
        set_values(&f, each[i].value);
        if (script_has(&f, "set logscale x") != each[i].log ||
            script_has(&f, "(log axis: lengths are f") != each[i].log)
            fail_msg("case %zu has the wrong axis", i);
        check_draws(&f, "ladder", HSGD_FIGURE_SVG);
        teardown(&f);
    }
}

/* The ticks are the last thing that is drawn: two points for each. */
static size_t drawn_ticks(const fixture *f)
{
    char *text = file_text(f->dir, "ladder", "svg"), *last = text, *next;
    while ((next = strstr(last + 1, "<title>gnuplot_plot_")))
        last = next;
    char *path = strstr(last, " d='M"), *end = path ? strchr(path + 4, '\'') : NULL;
    assert_true(path && end);
    size_t count = 0;
    for (char *c = path; c < end; c++)
        count += *c == 'L';
    free(text);
    return count;
}

static void equal_rungs_stay_visible(void **state)
{
    (void)state;
    fixture f;
    setup(&f, 2, 10);
    set_values(&f, (const double[]){0.5, 0.5, 0.5, 0.5, 0.7, 0.7, 0.7, 0.9});
    check_draws(&f, "ladder", HSGD_FIGURE_SVG);
    assert_int_equal(drawn_ticks(&f), 8);
    set_values(&f, (const double[]){0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5});
    check_draws(&f, "ladder", HSGD_FIGURE_SVG);
    assert_int_equal(drawn_ticks(&f), 8);
    check_script(&f, "'–'"); /* no slack to have a share of */
    set_values(&f, (const double[]){0.05, 0.05, NAN, 0.05, 9, 9, NAN, 90});
    check_draws(&f, "ladder", HSGD_FIGURE_SVG);
    assert_int_equal(drawn_ticks(&f), 6);
    teardown(&f);
}

static void steps_that_do_not_apply_are_hollow(void **state)
{
    (void)state;
    static const char *const measured = "bar(1, 0)", *const constants = "bar(0, 0)";
    fixture f;
    setup(&f, 2, 10);
    assert_false(script_has(&f, measured) || script_has(&f, constants) || script_has(&f, "†"));
    assert_true(script_has(&f, "bar(1, 1)") && script_has(&f, "bar(0, 1)"));
    f.rung[0].step_applies = false; /* R0 is no step */
    assert_false(script_has(&f, measured) || script_has(&f, "†"));
    f.rung[2].step_applies = false;
    assert_true(script_has(&f, measured) && !script_has(&f, constants));
    check_script(&f, "lc rgb '#0072b2' fs pattern 4");
    check_script(&f, "'†' at graph 0.851,first 2.74");
    check_script(&f, "(† a condition of the step fails)");
    check_draws(&f, "ladder", HSGD_FIGURE_SVG);
    f.rung[7].step_applies = false;
    f.rung[7].value = 50;
    assert_true(script_has(&f, measured) && script_has(&f, constants));
    check_script(&f, "lc rgb '#e69f00' fs pattern 4");
    check_script(&f, "lengths are factors; † a condition fails)");
    for (int format = HSGD_FIGURE_PDF; format <= HSGD_FIGURE_TEX; format++)
        check_draws(&f, "ladder", (hsgd_figure_format)format);
    f.rung[2].value = f.rung[7].value = NAN; /* what is not there needs no note */
    assert_false(script_has(&f, "†"));
    check_draws(&f, "ladder", HSGD_FIGURE_SVG);
    teardown(&f);
}

static void whiskers_where_there_is_an_interval(void **state)
{
    (void)state;
    fixture f;
    setup(&f, 2, 10);
    check_script(&f, "with xerrorbars");
    check_script(&f, "set xrange [0:2.5064]"); /* 2.41 and 4 % */
    f.rung[4].high = 1000;                     /* does not squeeze the bars */
    f.rung[4].low = -1000;
    check_script(&f, "set xrange [0:3.1089]");
    check_draws(&f, "ladder", HSGD_FIGURE_SVG);
    for (size_t r = 0; r < NUM_RUNGS; r++)
        f.rung[r].low = f.rung[r].high = r % 2 ? NAN : f.rung[r].value;
    assert_false(script_has(&f, "with xerrorbars"));
    check_draws(&f, "ladder", HSGD_FIGURE_SVG);
    teardown(&f);
}

static void possible_with_two_rungs(void **state)
{
    (void)state;
    char reason[200];
    hsgd_error err;
    fixture f;
    setup(&f, 2, 10);
    const hsgd_figure *figure = hsgd_figure_find("ladder");
    set_values(&f, (const double[]){0.3, NAN, NAN, INFINITY, NAN, NAN, NAN, NAN});
    assert_false(figure->possible(&f.in, reason, sizeof reason));
    assert_fails(figure->write(&f.in, f.dir, in_format(HSGD_FIGURE_PDF), &err), HSGD_ERROR_INPUT,
                 "fewer than two rungs", err);
    f.rung[6].value = 0.4;
    assert_true(figure->possible(&f.in, reason, sizeof reason));
    check_draws(&f, "ladder", HSGD_FIGURE_SVG);
    set_values(&f, (const double[]){NAN, NAN, NAN, NAN, NAN, 7, NAN, 9}); /* constants alone */
    check_draws(&f, "ladder", HSGD_FIGURE_SVG);
    f.in.rung = NULL;
    f.in.num_rungs = 0;
    assert_false(figure->possible(&f.in, reason, sizeof reason));
    teardown(&f);
}

static void caption_tells_trajectory_constants(void **state)
{
    (void)state;
    fixture f;
    setup(&f, 2, 10);
    check_script(&f, "trajectory constants");
    f.in.constants_proved = true;
    assert_false(script_has(&f, "trajectory constants"));
    teardown(&f);
}

static void extreme_values(void **state)
{
    (void)state;
    static const double each[][NUM_RUNGS] = {
        {5e-324, 5e-324, 5e-324, 5e-324, 5e-324, 5e-324, 5e-324, 5e-324},
        {1e-320, 1e-300, 1e-200, 1e-100, 1, 1e100, 1e200, 1.7e308},
        {1.7e308, 1.7e308, 1.7e308, 1.7e308, 1.7e308, 1.7e308, 1.7e308, 1.7e308},
        {-1.7e308, 1.7e308, 0, 1, 2, 3, 4, 5},
        {-1, -2, -3, -4, -5, -6, -7, -8},
        {1e-7, 2e-7, 3e-7, 4e-7, 1e-6, 1.1e-6, 1.2e-6, 2.9e-6},
        {12345, 23456, 34567, 45678, 56789, 67890, 78901, 89012},
        {0, 0, 0, 0, 0, 0, 0, 1e-300},
    };
    for (size_t i = 0; i < sizeof each / sizeof *each; i++) {
        fixture f;
        setup(&f, 2, 10);
        set_values(&f, each[i]);
        f.rung[0].low = 0.5 * f.rung[0].value;
        f.rung[0].high = 1.5 * f.rung[0].value;
        f.rung[3].low = -INFINITY;
        f.rung[3].high = INFINITY;
        f.rung[5].step_applies = false;
        check_draws(&f, "ladder", HSGD_FIGURE_SVG);
        check_draws(&f, "ladder", HSGD_FIGURE_PNG);
        teardown(&f);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(data_file_holds_the_rungs),
        cmocka_unit_test(rows_print_titles_values_and_shares),
        cmocka_unit_test(wide_ladders_get_a_log_axis),
        cmocka_unit_test(equal_rungs_stay_visible),
        cmocka_unit_test(steps_that_do_not_apply_are_hollow),
        cmocka_unit_test(whiskers_where_there_is_an_interval),
        cmocka_unit_test(possible_with_two_rungs),
        cmocka_unit_test(caption_tells_trajectory_constants),
        cmocka_unit_test(extreme_values),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
