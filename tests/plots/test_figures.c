/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Every figure in every format, with plausible and with awkward data. What a figure looks like is judged by eye; what
 * is checked here is that gnuplot draws it without a word, and that the data files hold the input. */
#include "tests/plots/figure_input.h"

#include "plots/table_private.h"

/* All figures that are possible for this input, in svg, the format with the fewest moving parts. */
static void check_all_draw(const fixture *f)
{
    char reason[200];
    for (size_t i = 0; i < hsgd_num_figures; i++)
        if (hsgd_figures[i]->possible(&f->in, reason, sizeof reason))
            check_draws(f, hsgd_figures[i]->name, HSGD_FIGURE_SVG);
}

static void every_figure_renders_in_every_format(void **state)
{
    (void)state;
    fixture f;
    setup(&f, 2, 150);
    for (size_t i = 0; i < hsgd_num_figures; i++)
        for (int format = HSGD_FIGURE_PDF; format <= HSGD_FIGURE_TEX; format++) {
            check_draws(&f, hsgd_figures[i]->name, (hsgd_figure_format)format);
            char *text = file_text(f.dir, hsgd_figures[i]->name, hsgd_figure_format_name((hsgd_figure_format)format));
            const char *const start[] = {"%PDF", "<?xml", "\x89PNG", "% GNUPLOT"};
            if (format != HSGD_FIGURE_TEX)
                assert_memory_equal(text, start[format], strlen(start[format]));
            else
                assert_non_null(strstr(text, "\\begin{picture}"));
            free(text);
        }
    teardown(&f);
}

static void one_to_five_levels(void **state)
{
    (void)state;
    hsgd_error err;
    for (size_t levels = 1; levels <= 5; levels++) {
        fixture f;
        setup(&f, levels, 110);
        check_all_draw(&f);
        char reason[200];
        assert_int_equal(hsgd_figure_find("sandwich")->possible(&f.in, reason, sizeof reason), levels > 1);
        if (levels == 1) {
            assert_non_null(strstr(reason, "one level"));
            assert_fails(hsgd_figure_find("sandwich")->write(&f.in, f.dir, in_format(HSGD_FIGURE_PDF), &err),
                         HSGD_ERROR_INPUT, "one level", err);
        }
        teardown(&f);
    }
}

static void figures_say_what_they_lack(void **state)
{
    (void)state;
    fixture f;
    char reason[200];
    setup(&f, 2, 10);
    hsgd_figure_input in = f.in;
    in.local_outer.grad_norm_sq = NULL;
    assert_false(hsgd_figure_find("sandwich")->possible(&in, reason, sizeof reason));
    assert_non_null(strstr(reason, "were not made"));
    in.num_bounds = 0;
    assert_false(hsgd_figure_find("terms")->possible(&in, reason, sizeof reason));
    assert_non_null(strstr(reason, "no bound"));
    in.num_rungs = 1;
    assert_false(hsgd_figure_find("ladder")->possible(&in, reason, sizeof reason));
    assert_non_null(strstr(reason, "fewer than two rungs"));
    in.progress[0].time_s = NULL;
    assert_false(hsgd_figure_find("loss-time")->possible(&in, reason, sizeof reason));
    assert_non_null(strstr(reason, "communication"));
    assert_false(hsgd_figure_find("accuracy-time")->possible(&in, reason, sizeof reason));
    assert_false(hsgd_figure_find("gradient-bytes")->possible(&in, reason, sizeof reason));
    assert_false(hsgd_figure_find("S-time")->possible(&in, reason, sizeof reason));
    assert_true(hsgd_figure_find("S-bytes")->possible(&in, reason, sizeof reason));
    in.progress[0].S = NULL;
    assert_false(hsgd_figure_find("S-bytes")->possible(&in, reason, sizeof reason));
    assert_non_null(strstr(reason, "two measured steps"));
    assert_true(hsgd_figure_find("accuracy-bytes")->possible(&in, reason, sizeof reason));
    in.progress[0].bytes_all = NULL;
    assert_false(hsgd_figure_find("accuracy-bytes")->possible(&in, reason, sizeof reason));
    assert_non_null(strstr(reason, "communication"));
    assert_true(hsgd_figure_find("accuracy")->possible(&in, reason, sizeof reason));
    in.progress[0].train_accuracy = NULL;
    assert_false(hsgd_figure_find("accuracy")->possible(&in, reason, sizeof reason));
    assert_non_null(strstr(reason, "not evaluated"));
    in.num_rows = 0;
    assert_false(hsgd_figure_find("convergence")->possible(&in, reason, sizeof reason));
    assert_false(hsgd_figure_find("dispersion")->possible(&in, NULL, 0));
    assert_false(hsgd_figure_find("divergence")->possible(&in, reason, sizeof reason));
    assert_null(hsgd_figure_find("no such figure"));
    assert_null(hsgd_figure_find(NULL));
    teardown(&f);
}

/* The fixture's own arrays, to spoil them; the input borrows them as const. */
static void fill(fixture *f, double value)
{
    size_t rows = f->in.num_rows, levels = f->in.num_levels;
    for (size_t i = rows; i < rows * (8 + 5 * levels) - 2 * rows; i++) /* all but the steps */
        f->data[i] = value;
    for (size_t i = 0; i < rows * NUM_REACHED; i++)
        f->reached[i] = value;
}

static void constant_and_extreme_values(void **state)
{
    (void)state;
    const double value[] = {0, 0.37, 1, 1e300, 1e-300, 5e-324, 1.7e308, 1e-20};
    for (size_t i = 0; i < sizeof value / sizeof value[0]; i++) {
        fixture f;
        setup(&f, 2, 120);
        fill(&f, value[i]);
        hsgd_figure_curve *curve[] = {&f.in.hsgd, &f.in.local_inner, &f.in.local_outer};
        for (size_t c = 0; c < 3; c++)
            curve[c]->S = curve[c]->S_low = curve[c]->S_high = value[i];
        check_all_draw(&f);
        teardown(&f);
    }
}

static void values_of_all_sizes_in_one_figure(void **state)
{
    (void)state;
    fixture f;
    setup(&f, 3, 130);
    size_t count = f.in.num_rows * (8 + 5 * 3) - 2 * f.in.num_rows;
    const double odd[] = {1e300, 1e-300, 0, NAN, INFINITY, 0.5, -1e-3};
    for (size_t i = f.in.num_rows; i < count; i++)
        f.data[i] = odd[(i * 7919) % 7];
    for (size_t i = 0; i < f.in.num_rows * NUM_REACHED; i++)
        f.reached[i] = odd[(i * 7919 + i / f.in.num_rows) % 7];
    f.bound[0].value = 1e300;
    f.term[0][0] = 1e300;
    f.bound[1].value = f.term[1][0] = 1e-300;
    f.term[1][1] = f.term[1][2] = 0;
    f.bound[2].value = NAN;
    check_all_draw(&f);
    teardown(&f);
}

static void missing_numbers(void **state)
{
    (void)state;
    fixture f;
    setup(&f, 2, 100);
    f.in.hsgd.S_low = f.in.hsgd.S_high = NAN; /* one seed: no interval */
    f.in.local_inner.S = NAN;
    f.in.hsgd.grad_norm_sq_half_width = NULL;
    f.in.dispersion_half_width = NULL;
    f.in.dispersion_bound = NULL;
    f.in.confidence = NAN;
    f.in.seeds = 1;
    f.in.num_bounds = 0;
    check_all_draw(&f);
    f.in.divergence_up = f.in.divergence_down = NULL;
    f.in.hsgd.S = f.in.local_outer.S = NAN;
    check_all_draw(&f);
    teardown(&f);

    setup(&f, 2, 100);
    fill(&f, NAN); /* a run that was nothing but rubbish has no figures over t */
    char reason[200];
    for (size_t i = 0; i < hsgd_num_figures; i++)
        if (hsgd_figures[i] != hsgd_figure_find("terms") && hsgd_figures[i] != hsgd_figure_find("ladder"))
            assert_false(hsgd_figures[i]->possible(&f.in, reason, sizeof reason));
    teardown(&f);
}

/* The step-by-step panel of the dispersion then has nothing to draw. */
static void a_run_that_diverged(void **state)
{
    (void)state;
    fixture f;
    setup(&f, 2, 200);
    for (size_t i = 0; i < 200 * (8 + 5 * 2) - 2 * 200; i++)
        if (i >= 200 && i % 200 >= 60)
            f.data[i] = NAN;
    for (size_t k = 2; k < 6; k++) /* arrays of two levels are twice as long */
        for (size_t i = 120; i < 400; i++)
            f.data[200 * 2 * k + i] = NAN;
    for (size_t i = 0; i < 200 * NUM_REACHED; i++) /* seconds and bytes go on */
        if (i % 200 >= 60 && (i / 200 % NUM_PER_RUN < 4 || i / 200 % NUM_PER_RUN == 7))
            f.reached[i] = NAN;
    check_all_draw(&f);
    teardown(&f);
}

/* Whether the x axes of the figure are logarithmic, one character each: 'l' or '-'. */
static void check_x_axes(const fixture *f, const char *figure, const char *want)
{
    hsgd_error err;
    char got[8] = "", *text;
    assert_ok(hsgd_figure_find(figure)->write(&f->in, f->dir, in_format(HSGD_FIGURE_SVG), &err), err);
    text = file_text(f->dir, figure, "gp");
    for (const char *at = text; *at && strlen(got) < 7; at++) {
        if (strncmp(at, "unset logscale x", 16) == 0)
            strcat(got, "-");
        if (strncmp(at, "\nset logscale x", 15) == 0)
            strcat(got, "l");
    }
    assert_string_equal(got, want);
    free(text);
}

/* Where one run sends more than eight times as much as another; one that sends nothing at all cannot be shown there. */
static void bytes_that_differ_much_get_a_log_axis(void **state)
{
    (void)state;
    fixture f;
    setup(&f, 2, 200);
    check_x_axes(&f, "gradient-bytes", "---");
    for (size_t i = 0; i < 200; i++)
        f.reached[(NUM_PER_RUN + 5) * 200 + i] *= 3;
    check_x_axes(&f, "gradient-bytes", "-l-");
    check_draws(&f, "gradient-bytes", HSGD_FIGURE_SVG);
    for (size_t i = 0; i < 200; i++)
        f.reached[(2 * NUM_PER_RUN + 5) * 200 + i] = 0;
    check_draws(&f, "gradient-bytes", HSGD_FIGURE_SVG);
    teardown(&f);
}

static bool script_says(const fixture *f, const char *figure, const char *words)
{
    hsgd_error err;
    assert_ok(hsgd_figure_find(figure)->write(&f->in, f->dir, in_format(HSGD_FIGURE_SVG), &err), err);
    char *text = file_text(f->dir, figure, "gp");
    bool found = strstr(text, words) != NULL;
    free(text);
    return found;
}

/* One panel for each level, of which the lower ones of a deep tree share the last; each says what it is. */
static void panels_of_levels(void **state)
{
    (void)state;
    static const char *const last[] = {"'sent in MB'", "level 2 (workers) in", "level 3 (workers) in",
                                       "level 4 (workers) in", "levels 4 to 5 in"};
    static const char *const axes[] = {"-", "--", "---", "----", "----"};
    for (size_t levels = 1; levels <= 5; levels++) {
        fixture f;
        setup(&f, levels, 200);
        check_x_axes(&f, "S-bytes", axes[levels - 1]);
        check_x_axes(&f, "accuracy-bytes", axes[levels - 1]);
        assert_true(script_says(&f, "S-bytes", last[levels - 1]));
        assert_true(script_says(&f, "S-bytes", "level 1 (root) in") == (levels > 1));
        teardown(&f);
    }
}

/* Local SGD over direct routes sends nothing below the root's level: it has no place on the log axis of that panel, and
 * must not be called missing, for it is in the other. Bands have no point at 0 there. */
static void runs_that_send_nothing_at_a_level(void **state)
{
    (void)state;
    fixture f;
    setup(&f, 2, 200);
    assert_false(script_says(&f, "S-bytes", "? x : NaN"));
    for (size_t i = 0; i < 200; i++) {
        f.reached[(NUM_PER_RUN + 8 + 1) * 200 + i] *= 30;
        f.reached[(2 * NUM_PER_RUN + 8 + 1) * 200 + i] = 0;
    }
    check_x_axes(&f, "S-bytes", "-l");
    assert_true(script_says(&f, "S-bytes", "place(x) = x > 0 ? x : NaN\n"));
    assert_true(script_says(&f, "S-bytes", "keyentry"));
    assert_false(script_says(&f, "S-bytes", "(none)"));
    check_draws(&f, "S-bytes", HSGD_FIGURE_SVG);
    for (size_t i = 0; i < 200; i++)
        f.reached[(2 * NUM_PER_RUN + 8) * 200 + i] = NAN;
    assert_true(script_says(&f, "S-bytes", "(none)"));
    teardown(&f);
}

/* The second run has numbers, but no seconds for them; the third seconds, but no numbers. */
static void runs_that_lack_one_of_two_numbers(void **state)
{
    (void)state;
    fixture f;
    setup(&f, 2, 90);
    for (size_t i = 0; i < 90; i++) {
        f.reached[(NUM_PER_RUN + 4) * 90 + i] = NAN;
        for (size_t k = 0; k < 3; k++)
            f.reached[(2 * NUM_PER_RUN + k) * 90 + i] = NAN;
    }
    check_all_draw(&f);
    teardown(&f);
}

static void one_and_two_rows(void **state)
{
    (void)state;
    for (size_t rows = 1; rows <= 2; rows++) {
        fixture f;
        setup(&f, 2, rows);
        check_all_draw(&f);
        teardown(&f);
    }
}

static void many_bounds_and_terms(void **state)
{
    (void)state;
    enum { MANY = 30, TERMS = 25 };
    fixture f;
    setup(&f, 2, 50);
    hsgd_figure_bound bound[MANY];
    char name[TERMS][16];
    const char *term_name[TERMS];
    double value[TERMS];
    for (size_t i = 0; i < TERMS; i++) {
        snprintf(name[i], sizeof name[i], "term %zu", i);
        term_name[i] = name[i];
        value[i] = 1 + (double)i;
    }
    for (size_t b = 0; b < MANY; b++)
        bound[b] =
            (hsgd_figure_bound){"x", "a bound", "S", "hsgd", 325.0 + (double)b, true, true, TERMS, term_name, value};
    f.in.bound = bound;
    f.in.num_bounds = MANY;
    check_all_draw(&f);
    teardown(&f);
}

/* ---- data files ---- */

/* The column called name as numbers, in the order of the rows; NaN where the file says so. Returns their count. */
static size_t read_column(const char *dir, const char *figure, const char *name, double *out, size_t capacity)
{
    char *text = file_text(dir, figure, "dat"), *lines = NULL, *fields = NULL;
    size_t wanted = SIZE_MAX, row = 0;
    for (char *line = strtok_r(text, "\n", &lines); line; line = strtok_r(NULL, "\n", &lines)) {
        size_t column = 0;
        for (char *field = strtok_r(line, " ", &fields); field; field = strtok_r(NULL, " ", &fields), column++) {
            if (wanted == SIZE_MAX && strcmp(field, name) == 0)
                wanted = column;
            else if (row > 0 && column == wanted && row <= capacity)
                out[row - 1] = strtod(field, NULL);
        }
        row++;
    }
    free(text);
    if (wanted == SIZE_MAX) {
        print_error("%s.dat has no column %s\n", figure, name);
        fail();
    }
    return row - 1;
}

static void check_column(const fixture *f, const char *figure, const char *name, const double *data, size_t stride)
{
    double got[200];
    size_t rows = read_column(f->dir, figure, name, got, 200);
    assert_int_equal(rows, f->in.num_rows);
    for (size_t r = 0; r < rows; r++) {
        double want = data[r * stride];
        if (isfinite(want) ? got[r] != want : !isnan(got[r])) {
            print_error("%s.dat, %s, row %zu: %.17g, not %.17g\n", figure, name, r, got[r], want);
            fail();
        }
    }
}

static void data_files_hold_the_input_exactly(void **state)
{
    (void)state;
    hsgd_error err;
    fixture f;
    setup(&f, 3, 173);
    f.data[3 * f.in.num_rows + 5] = 0.1 + 0.2; /* needs 17 digits */
    f.data[3 * f.in.num_rows + 7] = NAN;
    f.data[3 * f.in.num_rows + 8] = INFINITY;
    for (size_t i = 0; i < hsgd_num_figures; i++)
        assert_ok(hsgd_figures[i]->write(&f.in, f.dir, in_format(HSGD_FIGURE_PDF), &err), err);
    check_column(&f, "convergence", "step", f.in.step, 1);
    check_column(&f, "convergence", "grad_norm_sq", f.in.hsgd.grad_norm_sq, 1);
    check_column(&f, "convergence", "half_width", f.in.hsgd.grad_norm_sq_half_width, 1);
    check_column(&f, "divergence", "global", f.in.divergence_global, 1);
    check_column(&f, "divergence", "up_1", f.in.divergence_up, 2);
    check_column(&f, "divergence", "up_2", f.in.divergence_up + 1, 2);
    check_column(&f, "divergence", "down_1", f.in.divergence_down, 2);
    check_column(&f, "divergence", "down_2", f.in.divergence_down + 1, 2);
    check_column(&f, "dispersion", "B_1", f.in.dispersion, 3);
    check_column(&f, "dispersion", "B_3", f.in.dispersion + 2, 3);
    check_column(&f, "dispersion", "B_2_half_width", f.in.dispersion_half_width + 1, 3);
    check_column(&f, "dispersion", "B_2_bound", f.in.dispersion_bound + 1, 3);
    check_column(&f, "sandwich", "grad_norm_sq_local_inner", f.in.local_inner.grad_norm_sq, 1);
    check_column(&f, "sandwich", "grad_norm_sq_hsgd", f.in.hsgd.grad_norm_sq, 1);
    check_column(&f, "sandwich", "grad_norm_sq_local_outer", f.in.local_outer.grad_norm_sq, 1);
    check_column(&f, "loss-time", "time_s_local_inner", f.in.progress[1].time_s, 1);
    check_column(&f, "loss-time", "loss_local_outer", f.in.progress[2].loss, 1);
    check_column(&f, "loss-time", "loss_hsgd_half_width", f.in.progress[0].loss_half_width, 1);
    check_column(&f, "gradient-bytes", "bytes_top_hsgd", f.in.progress[0].bytes_top, 1);
    check_column(&f, "gradient-bytes", "bytes_all_local_inner", f.in.progress[1].bytes_all, 1);
    check_column(&f, "gradient-bytes", "grad_norm_sq_local_outer", f.in.local_outer.grad_norm_sq, 1);
    check_column(&f, "S-time", "time_s_local_outer", f.in.progress[2].time_s, 1);
    check_column(&f, "S-time", "S_hsgd", f.in.progress[0].S, 1);
    check_column(&f, "S-bytes", "bytes_level_1_hsgd", f.in.progress[0].bytes_level[0], 1);
    check_column(&f, "S-bytes", "bytes_level_3_local_inner", f.in.progress[1].bytes_level[2], 1);
    check_column(&f, "S-bytes", "S_local_outer_half_width", f.in.progress[2].S_half_width, 1);
    teardown(&f);
}

/* Every third row was evaluated; lines would be interrupted at the others. */
static void accuracies_where_they_were_evaluated(void **state)
{
    (void)state;
    hsgd_error err;
    fixture f;
    double step[60], test[60], time_s[60];
    setup(&f, 2, 100);
    assert_ok(hsgd_figure_find("accuracy")->write(&f.in, f.dir, in_format(HSGD_FIGURE_PDF), &err), err);
    assert_ok(hsgd_figure_find("accuracy-time")->write(&f.in, f.dir, in_format(HSGD_FIGURE_PDF), &err), err);
    assert_int_equal(read_column(f.dir, "accuracy", "step", step, 60), 34);
    assert_int_equal(read_column(f.dir, "accuracy", "test_accuracy_local_inner", test, 60), 34);
    assert_int_equal(read_column(f.dir, "accuracy-time", "time_s_local_outer", time_s, 60), 34);
    for (size_t i = 0; i < 34; i++) {
        assert_true(step[i] == 3 * (double)i);
        assert_true(test[i] == f.in.progress[1].test_accuracy[3 * i]);
        assert_true(time_s[i] == f.in.progress[2].time_s[3 * i]);
    }
    teardown(&f);
}

/* Running means against the definition, peaks against a search; both by direct loops. */
static void derived_columns(void **state)
{
    (void)state;
    hsgd_error err;
    fixture f;
    setup(&f, 2, 170);
    assert_ok(hsgd_figure_find("sandwich")->write(&f.in, f.dir, in_format(HSGD_FIGURE_PDF), &err), err);
    assert_ok(hsgd_figure_find("dispersion")->write(&f.in, f.dir, in_format(HSGD_FIGURE_PDF), &err), err);
    double got[200], sum = 0;
    read_column(f.dir, "sandwich", "S_t_local_outer", got, 200);
    for (size_t r = 0; r < f.in.num_rows; r++) {
        sum += f.in.local_outer.grad_norm_sq[r];
        assert_close(got[r], sum / (double)(r + 1), 1e-13);
    }
    read_column(f.dir, "dispersion", "B_2_peak", got, 200);
    for (size_t r = 0; r < f.in.num_rows; r++) {
        bool largest = r < 160; /* the period that the run does not complete has no peak */
        for (size_t q = r / 20 * 20; q < r / 20 * 20 + 20 && q < f.in.num_rows; q++)
            largest = largest && f.in.dispersion[2 * q + 1] <= f.in.dispersion[2 * r + 1];
        assert_int_equal(!isnan(got[r]), largest);
        assert_true(isnan(got[r]) || got[r] == f.in.dispersion[2 * r + 1]);
    }
    teardown(&f);
}

/* By hand: two bounds share a term; the third has none that could be a share. */
static void terms_are_gathered_by_name(void **state)
{
    (void)state;
    hsgd_error err;
    fixture f;
    setup(&f, 2, 10);
    const char *const first[] = {"gap", "noise"}, *const second[] = {"noise", "drift"};
    const double a[] = {0.3, 0.7}, b[] = {2.5, 4.5}, c[] = {-1, 2};
    const hsgd_figure_bound bound[] = {{"a", "A", "S", "hsgd", 1, true, true, 2, first, a},
                                       {"c", "C", "S", "hsgd", 1, true, true, 2, first, c},
                                       {"b", "B", "S", "hsgd", 7, false, true, 2, second, b}};
    f.in.bound = bound;
    f.in.num_bounds = 3;
    assert_ok(hsgd_figure_find("terms")->write(&f.in, f.dir, in_format(HSGD_FIGURE_PDF), &err), err);
    char *text = file_text(f.dir, "terms", "dat");
    assert_string_equal(text, "row value sum term_1 term_2 term_3\n1 1 1 0.29999999999999999 0.69999999999999996 0\n"
                              "2 7 7 0 2.5 4.5\n");
    free(text);
    text = file_text(f.dir, "terms", "gp");
    assert_non_null(strstr(text, "'7 †'")); /* its conditions fail */
    assert_null(strstr(text, "'1 †'"));
    free(text);
    teardown(&f);
}

/* Which lines the convergence figure has: those about this run that apply. */
static void only_bounds_of_this_run_that_apply_are_drawn(void **state)
{
    (void)state;
    hsgd_error err;
    fixture f;
    setup(&f, 2, 60);
    assert_ok(hsgd_figure_find("convergence")->write(&f.in, f.dir, in_format(HSGD_FIGURE_PDF), &err), err);
    char *text = file_text(f.dir, "convergence", "gp");
    assert_non_null(strstr(text, "H-SGD, fixed grouping"));
    assert_null(strstr(text, "local SGD, inner"));
    assert_null(strstr(text, "Jiang")); /* not applicable */
    assert_null(strstr(text, "Liu"));   /* a distance */
    assert_non_null(strstr(text, "trajectory constants"));
    free(text);
    f.in.constants_estimated = true;
    assert_ok(hsgd_figure_find("convergence")->write(&f.in, f.dir, in_format(HSGD_FIGURE_PDF), &err), err);
    text = file_text(f.dir, "convergence", "gp");
    assert_non_null(strstr(text, "estimated constants"));
    free(text);
    f.bound[3].applicable = true;
    f.in.constants_proved = true;
    assert_ok(hsgd_figure_find("convergence")->write(&f.in, f.dir, in_format(HSGD_FIGURE_PDF), &err), err);
    text = file_text(f.dir, "convergence", "gp");
    assert_non_null(strstr(text, "Jiang and Zhu 2024 (on S_min)"));
    assert_null(strstr(text, "trajectory constants"));
    free(text);
    f.bound[3].target = "S";
    f.bound[3].value = f.bound[1].value; /* a second line in one place */
    assert_ok(hsgd_figure_find("convergence")->write(&f.in, f.dir, in_format(HSGD_FIGURE_PDF), &err), err);
    text = file_text(f.dir, "convergence", "gp");
    assert_null(strstr(text, "Jiang"));
    free(text);
    f.bound[3].value *= 1.01;
    f.bound[3].judged = false; /* about a run that was not made */
    assert_ok(hsgd_figure_find("convergence")->write(&f.in, f.dir, in_format(HSGD_FIGURE_PDF), &err), err);
    text = file_text(f.dir, "convergence", "gp");
    assert_null(strstr(text, "Jiang"));
    free(text);
    teardown(&f);
}

/* Terms that no built-in bound has are told apart, too: ten names, ten colours, none of them nearly white. */
static void terms_of_any_name_have_colours(void **state)
{
    (void)state;
    enum { NAMES = 10 };
    static const char *const name[NAMES] = {"expression", "a", "b", "c", "bias", "d", "initial gap", "noise", "e", "f"};
    const double value[NAMES] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10};
    const hsgd_figure_bound own = {"own", "Own", "S", "hsgd", 55, true, true, NAMES, name, value};
    hsgd_error err;
    fixture f;
    unsigned colour[NAMES], count = 0;
    setup(&f, 2, 60);
    f.in.bound = &own;
    f.in.num_bounds = 1;
    assert_ok(hsgd_figure_find("terms")->write(&f.in, f.dir, in_format(HSGD_FIGURE_PDF), &err), err);
    char *text = file_text(f.dir, "terms", "gp");
    for (const char *c = text; (c = strstr(c, "lw 0.4 lc rgb '#")); count++) {
        c += strlen("lw 0.4 lc rgb '#");
        assert_true(count < NAMES);
        assert_int_equal(sscanf(c, "%6x", &colour[count]), 1);
        assert_true((colour[count] & 0xff) < 0xe0 || (colour[count] >> 8 & 0xff) < 0xe0 || colour[count] >> 16 < 0xe0);
        for (unsigned i = 0; i < count; i++)
            assert_int_not_equal(colour[i], colour[count]);
    }
    assert_int_equal(count, NAMES);
    free(text);
    f.in.bound = f.bound;
    teardown(&f);
}

/* X, X-inner and X-outer, if they are about these algorithms and on S; else what is built in. */
static void sandwich_takes_own_bounds_first(void **state)
{
    (void)state;
    hsgd_error err;
    fixture f;
    setup(&f, 2, 60);
    const hsgd_figure *figure = hsgd_figure_find("sandwich");
    hsgd_figure_bound bound[NUM_BOUNDS + 3];
    memcpy(bound, f.bound, sizeof f.bound);
    memcpy(bound + NUM_BOUNDS, f.bound, 3 * sizeof *bound); /* the published three under other names */
    bound[NUM_BOUNDS].id = "x-inner";
    bound[NUM_BOUNDS + 1].id = "x";
    bound[NUM_BOUNDS + 2].id = "x-outer";
    for (size_t i = 0; i < 3; i++)
        bound[NUM_BOUNDS + i].value += 7;
    f.in.bound = bound;
    for (int step = 0; step < 3; step++) {
        f.in.num_bounds = NUM_BOUNDS + (step == 1 ? 2 : 3);
        bound[NUM_BOUNDS].algorithm = step == 2 ? "hsgd" : f.bound[0].algorithm;
        assert_ok(figure->write(&f.in, f.dir, in_format(HSGD_FIGURE_PDF), &err), err);
        char *text = file_text(f.dir, "sandwich", "gp");
        assert_true(!strstr(text, "title 'x-inner'") == (step > 0) && !strstr(text, "title 'x'") == (step > 0));
        assert_true(!strstr(text, "title 'published bound'") == (step == 0));
        free(text);
    }
    f.in.bound = f.bound;
    teardown(&f);
}

/* The published family, else the sharpened one, never a mixture; random grouping before fixed. */
static void sandwich_takes_one_family_of_bounds(void **state)
{
    (void)state;
    hsgd_error err;
    fixture f;
    setup(&f, 2, 60);
    const hsgd_figure *figure = hsgd_figure_find("sandwich");
    assert_ok(figure->write(&f.in, f.dir, in_format(HSGD_FIGURE_PDF), &err), err);
    char *text = file_text(f.dir, "sandwich", "gp"), value[128];
    /* the gap of the bound at T = 60 grows as 60/(t + 1) towards earlier steps */
    snprintf(value, sizeof value, "%.17g/(x + 1) + %.17g with lines lc rgb '#000000'", 60 * f.term[1][0],
             f.bound[1].value - f.term[1][0]);
    assert_non_null(strstr(text, value));
    free(text);
    f.bound[3].id = "hsgd-random";
    f.bound[3].applicable = true;
    assert_ok(figure->write(&f.in, f.dir, in_format(HSGD_FIGURE_PDF), &err), err);
    text = file_text(f.dir, "sandwich", "gp");
    assert_null(strstr(text, value));
    free(text);
    f.bound[0].id = "local-sgd-inner-sharp";
    assert_ok(figure->write(&f.in, f.dir, in_format(HSGD_FIGURE_PDF), &err), err);
    text = file_text(f.dir, "sandwich", "gp");
    assert_null(strstr(text, " bound'"));
    free(text);
    f.bound[1].id = "hsgd-fixed-sharp";
    f.bound[2].id = "local-sgd-outer-sharp";
    assert_ok(figure->write(&f.in, f.dir, in_format(HSGD_FIGURE_PDF), &err), err);
    text = file_text(f.dir, "sandwich", "gp");
    assert_non_null(strstr(text, "'sharpened bound'"));
    free(text);
    teardown(&f);
}

/* ---- long runs ---- */

static void long_runs_are_thinned_and_keep_their_spikes(void **state)
{
    (void)state;
    enum { ROWS = 100000 };
    fixture f;
    setup(&f, 2, ROWS);
    double *norm = f.data + (size_t)ROWS * (2 + 2 + 3 * 2) + ROWS; /* of the hsgd run */
    assert_ptr_equal(norm, f.in.hsgd.grad_norm_sq);
    norm[31415] = 777;
    norm[92653] = 1e-9;
    check_all_draw(&f);
    static double got[ROWS];
    size_t rows = read_column(f.dir, "convergence", "grad_norm_sq", got, ROWS);
    assert_true(rows <= HSGD_TABLE_MAX_ROWS && rows > HSGD_TABLE_MAX_ROWS / 3);
    size_t spikes = 0;
    for (size_t r = 0; r < rows; r++)
        spikes += got[r] == 777 || got[r] == 1e-9;
    assert_int_equal(spikes, 2);
    read_column(f.dir, "convergence", "step", got, ROWS);
    assert_true(got[0] == 0 && got[rows - 1] == ROWS - 1);
    for (size_t r = 1; r < rows; r++)
        assert_true(got[r] > got[r - 1]);
    char *text = file_text(f.dir, "convergence", "gp");
    assert_non_null(strstr(text, "thinned"));
    free(text);
    /* The last global periods of the dispersion stay whole. */
    rows = read_column(f.dir, "dispersion", "step", got, ROWS);
    assert_true(rows <= HSGD_TABLE_MAX_ROWS);
    for (size_t back = 0; back < 40; back++)
        assert_true(got[rows - 1 - back] == (double)(ROWS - 1 - back));
    teardown(&f);
}

static void scripts_are_short_and_plain(void **state)
{
    (void)state;
    hsgd_error err;
    fixture f;
    setup(&f, 3, 150);
    for (size_t i = 0; i < hsgd_num_figures; i++) {
        assert_ok(hsgd_figures[i]->write(&f.in, f.dir, in_format(HSGD_FIGURE_PDF), &err), err);
        char *text = file_text(f.dir, hsgd_figures[i]->name, "gp"), other[64];
        size_t lines = 0;
        for (const char *c = text; *c; c++)
            lines += *c == '\n';
        assert_true(lines < 80);
        assert_null(strstr(text, f.dir)); /* the folder can be moved */
        snprintf(other, sizeof other, "\nset output '%s.pdf'\n", hsgd_figures[i]->name);
        assert_non_null(strstr(text, other));
        free(text);
    }
    teardown(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_figure_renders_in_every_format),
        cmocka_unit_test(one_to_five_levels),
        cmocka_unit_test(figures_say_what_they_lack),
        cmocka_unit_test(constant_and_extreme_values),
        cmocka_unit_test(values_of_all_sizes_in_one_figure),
        cmocka_unit_test(missing_numbers),
        cmocka_unit_test(a_run_that_diverged),
        cmocka_unit_test(panels_of_levels),
        cmocka_unit_test(runs_that_send_nothing_at_a_level),
        cmocka_unit_test(runs_that_lack_one_of_two_numbers),
        cmocka_unit_test(bytes_that_differ_much_get_a_log_axis),
        cmocka_unit_test(one_and_two_rows),
        cmocka_unit_test(many_bounds_and_terms),
        cmocka_unit_test(data_files_hold_the_input_exactly),
        cmocka_unit_test(accuracies_where_they_were_evaluated),
        cmocka_unit_test(derived_columns),
        cmocka_unit_test(terms_are_gathered_by_name),
        cmocka_unit_test(only_bounds_of_this_run_that_apply_are_drawn),
        cmocka_unit_test(terms_of_any_name_have_colours),
        cmocka_unit_test(sandwich_takes_own_bounds_first),
        cmocka_unit_test(sandwich_takes_one_family_of_bounds),
        cmocka_unit_test(long_runs_are_thinned_and_keep_their_spikes),
        cmocka_unit_test(scripts_are_short_and_plain),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
