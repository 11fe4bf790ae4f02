/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The data files of the figures over seconds and bytes, from a configuration to the numbers that gnuplot gets: S of the first t
 * steps against sums over single runs that were measured at every step, its bands against Student's table, seconds and bytes
 * against closed forms. Also with measure_every > 1, where S is the mean over the measured steps. */
#include "tests/experiments/whole_experiment.h"

#include <unistd.h>

#include "experiments/folder.h"
#include "experiments/result.h"

enum { STEPS = 30, SEEDS = 3, MOST_ROWS = STEPS, DIM = 4 };

static const char *const run_name[HSGD_NUM_RUNS] = {"hsgd", "local_inner", "local_outer"};

static void prepare_costs(whole *x, size_t every)
{
    char text[2048];
    snprintf(
        text, sizeof text,
        "{\"hierarchy\": {\"fanout\": [2, 3], \"periods\": [6, 2]}, \"problem\": {\"type\": \"quadratic\", "
        "\"dimension\": 4, \"curvature_range\": [0.11, 1.3], \"level_divergence\": [0.83, 0.41], "
        "\"noise_variance\": 0.7}, \"initial\": {\"scale\": 1.4}, \"optimizer\": {\"step_size\": 0.2, \"steps\": 30},"
        "\"seeds\": 3, \"first_seed\": 11, \"measure_every\": %zu, \"bounds\": [], \"figures\": [\"S-time\", "
        "\"S-bytes\"], \"communication\": {\"levels\": [{\"latency_s\": 0.5, \"bandwidth_bytes_per_s\": 64}, "
        "{\"latency_s\": 0.01, \"bandwidth_bytes_per_s\": 1600}], \"compute_s_per_step\": 0.1}}",
        every);
    *x = (whole){.e = {0}};
    prepare(x, text);
    run_prepared(x, false);
}

/* Draws the figures of a finished experiment into a new folder. */
static void draw(const whole *x, char dir[64])
{
    hsgd_figure_report report;
    hsgd_style_change change = {.format = "svg"};
    make_folder(dir, 64);
    assert_ok(hsgd_result_write_series(&x->e, dir, &err), err);
    assert_ok(hsgd_result_write_json(&x->e, dir, NULL, 0, &err), err);
    assert_ok(hsgd_folder_plot(dir, &change, &report, &err), err);
    assert_int_equal(report.num_notes, 0);
    assert_int_equal(report.num_files, 2 * 4); /* nothing but what was asked for */
}

static void remove_folder(const char *dir)
{
    static const char *const name[] = {"series.csv",  "result.json",        "S-time.gp",           "S-time.dat",
                                       "S-time.svg",  "S-time.caption.tex", "S-bytes.caption.tex", "S-bytes.gp",
                                       "S-bytes.dat", "S-bytes.svg"};
    for (size_t i = 0; i < sizeof name / sizeof *name; i++) {
        char path[128];
        snprintf(path, sizeof path, "%s/%s", dir, name[i]);
        assert_int_equal(unlink(path), 0);
    }
    assert_int_equal(rmdir(dir), 0);
}

/* The column of DIR/FIGURE.dat for one run; returns the number of rows. */
static size_t read_column(double out[MOST_ROWS], const char *dir, const char *figure, const char *pattern, int run)
{
    char path[128], wanted[64], line[4096], *rest, *field;
    size_t rows = 0, column = 0, c;
    snprintf(path, sizeof path, "%s/%s.dat", dir, figure);
    snprintf(wanted, sizeof wanted, pattern, run_name[run]);
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    assert_non_null(fgets(line, sizeof line, file));
    for (rest = line; (field = strsep(&rest, " \n")) && strcmp(field, wanted) != 0;)
        column++;
    if (!field)
        fail_msg("%s has no column %s", path, wanted);
    for (; fgets(line, sizeof line, file); rows++)
        for (rest = line, c = 0; (field = strsep(&rest, " \n")); c++)
            if (c == column && rows < MOST_ROWS)
                out[rows] = strtod(field, NULL);
    fclose(file);
    return rows;
}

/* grad_norm_sq (SEEDS, STEPS) of single runs that are measured at every step. */
static void measure_every_step(double grad_norm_sq[SEEDS][STEPS], const whole *x, int run)
{
    for (size_t r = 0; r < SEEDS; r++) {
        hsgd_trace trace;
        const hsgd_simulation s = {.objective = &x->problem.objective,
                                   .hierarchy = &x->e.run[run].hierarchy,
                                   .initial = x->problem.initial,
                                   .step_size = 0.2,
                                   .steps = STEPS,
                                   .measure_every = 1,
                                   .seed = 11 + r,
                                   .threads = 1};
        assert_ok(hsgd_simulate(&trace, &s, &err), err);
        memcpy(grad_norm_sq[r], trace.grad_norm_sq, sizeof grad_norm_sq[r]);
        hsgd_trace_free(&trace);
    }
}

/* Over s = 0, m, 2m, .. < t. */
static double mean_before(const double grad_norm_sq[STEPS], size_t t, size_t every)
{
    long double sum = 0;
    size_t count = 0;
    for (size_t s = 0; s < t; s += every, count++)
        sum += grad_norm_sq[s];
    return (double)(sum / (long double)count);
}

static void check_S(const whole *x, const char *dir, const char *figure, size_t every, int run)
{
    double single[SEEDS][STEPS], S[MOST_ROWS], half_width[MOST_ROWS];
    measure_every_step(single, x, run);
    assert_int_equal(read_column(S, dir, figure, "S_%s", run), (STEPS + every - 1) / every);
    read_column(half_width, dir, figure, "S_%s_half_width", run);
    assert_true(isnan(S[0]) && isnan(half_width[0])); /* no step before the first */
    for (size_t row = 1; row * every < STEPS; row++) {
        double own[SEEDS], mean = 0, square = 0;
        for (size_t r = 0; r < SEEDS; r++) {
            own[r] = mean_before(single[r], row * every, every);
            mean += own[r] / SEEDS;
        }
        for (size_t r = 0; r < SEEDS; r++)
            square += (own[r] - mean) * (own[r] - mean);
        assert_close(S[row], mean, 1e-11);
        /* Student's t of 2 degrees, 99.5 %; at t = 1 all seeds still stand at one point */
        assert_near(half_width[row], 9.92484320091807 * sqrt(square / (SEEDS * (SEEDS - 1))), 1e-9 * mean);
    }
}

/* Models are 4 numbers, 16 bytes: hops of 0.75 s and 0.02 s. Averages of the run before step t, of the root and of nodes that
 * workers talk to: */
static void check_costs(const char *dir, size_t every, int run)
{
    double time_s[MOST_ROWS], top[MOST_ROWS], low[MOST_ROWS];
    read_column(time_s, dir, "S-time", "time_s_%s", run);
    read_column(top, dir, "S-bytes", "bytes_level_1_%s", run);
    read_column(low, dir, "S-bytes", "bytes_level_2_%s", run);
    for (size_t row = 0; row * every < STEPS; row++) {
        size_t t = row * every, root = run == HSGD_RUN_INNER ? t / 2 : t / 6;
        size_t lowest = run == HSGD_RUN_OUTER ? t / 6 : t / 2;
        assert_near(time_s[row], 0.1 * (double)t + 2 * 0.75 * (double)root + 2 * 0.02 * (double)lowest, 1e-12);
        assert_true(top[row] == (double)(root * 2 * 2 * 4 * DIM) && low[row] == (double)(lowest * 6 * 2 * 4 * DIM));
    }
}

static void figures_over_costs(void **state)
{
    (void)state;
    const size_t every[] = {1, 4};
    for (size_t i = 0; i < 2; i++) {
        whole x;
        char dir[64];
        prepare_costs(&x, every[i]);
        draw(&x, dir);
        for (int run = 0; run < HSGD_NUM_RUNS; run++) {
            assert_true(x.e.run[run].made); /* these figures ask for all three */
            check_S(&x, dir, "S-time", every[i], run);
            check_S(&x, dir, "S-bytes", every[i], run);
            check_costs(dir, every[i], run);
        }
        remove_folder(dir);
        release(&x);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(figures_over_costs)};
    return cmocka_run_group_tests_name("cost_figures", tests, NULL, NULL);
}
