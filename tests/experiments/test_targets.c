/* SPDX-License-Identifier: GPL-3.0-or-later */
/* When targets are reached: traces filled in by hand, means and deviations by hand. */
#include "tests/test.h"

#include "experiments/targets.h"

static hsgd_error err;

/* Measured at 0, 3, 6, 9 and T = 10. */
enum { ROWS = 4, RUNS = 4 };
static size_t steps[ROWS + 1] = {0, 3, 6, 9, 10};

typedef struct fixture {
    hsgd_trace trace[RUNS];
    hsgd_ensemble ensemble;
    double loss[RUNS][ROWS + 1], grad_norm_sq[RUNS][ROWS + 1], metric[RUNS][ROWS + 1][HSGD_NUM_METRICS];
} fixture;

static void fill(fixture *x)
{
    /* Accuracies: reached 0.5 at step 3, at T only, never, and at step 6, where it falls again. NAN: not evaluated. */
    static const double test[RUNS][ROWS + 1] = {
        {0.1, 0.5, NAN, 0.9, 0.9}, {0.1, NAN, 0.3, 0.4, 0.6}, {0.1, 0.2, NAN, 0.3, 0.49999}, {0.1, 0.2, 0.7, 0.4, 0.4}};
    *x = (fixture){.ensemble = {.num_seeds = RUNS, .trace = x->trace, .runs_per_value = 1}};
    for (size_t r = 0; r < RUNS; r++) {
        for (size_t row = 0; row <= ROWS; row++) {
            x->loss[r][row] = 2.0 - 0.5 * (double)row + (double)r;
            x->grad_norm_sq[r][row] = r == 2 ? INFINITY : 8.0 / (double)(row + r + 1);
            for (int m = 0; m < HSGD_NUM_METRICS; m++)
                x->metric[r][row][m] = NAN;
            x->metric[r][row][HSGD_TEST_ACCURACY] = test[r][row];
            x->metric[r][row][HSGD_TRAIN_ACCURACY] = test[r][row] + 0.3;
        }
        x->trace[r] = (hsgd_trace){.num_measured = ROWS,
                                   .step = steps,
                                   .loss = x->loss[r],
                                   .grad_norm_sq = x->grad_norm_sq[r],
                                   .metric = x->metric[r][0]};
    }
}

static void first_rows_by_hand(void **state)
{
    (void)state;
    fixture x;
    fill(&x);
    const hsgd_wanted half = {HSGD_TARGET_TEST_ACCURACY, 0.5}, loss = {HSGD_TARGET_LOSS, 1.0},
                      flat = {HSGD_TARGET_GRAD_NORM_SQ, 2}, train = {HSGD_TARGET_TRAIN_ACCURACY, 0.4};
    const size_t accuracy_row[RUNS] = {1, 4, 5, 2}, loss_row[RUNS] = {2, 4, 5, 5}, flat_row[RUNS] = {3, 2, 5, 0};
    for (size_t r = 0; r < RUNS; r++) {
        assert_int_equal(hsgd_target_first_row(&x.trace[r], half), accuracy_row[r]);
        assert_int_equal(hsgd_target_first_row(&x.trace[r], loss), loss_row[r]);
        assert_int_equal(hsgd_target_first_row(&x.trace[r], flat), flat_row[r]);
        assert_int_equal(hsgd_target_first_row(&x.trace[r], train), 0);
    }
    x.trace[0].metric = NULL; /* nothing was evaluated */
    assert_int_equal(hsgd_target_first_row(&x.trace[0], half), 5);
}

/* Steps 3, 10 and 6 of three of four runs; rounds of 4 steps: 0, 2 and 1. */
static void means_and_deviations_by_hand(void **state)
{
    (void)state;
    fixture x;
    hsgd_reached got;
    fill(&x);
    assert_ok(hsgd_target_follow(&got, (hsgd_wanted){HSGD_TARGET_TEST_ACCURACY, 0.5}, &x.ensemble, 4, NULL, 0, &err),
              err);
    assert_true(got.num_runs == 4 && got.num_reached == 3 && got.period == 4);
    assert_true(got.step[0] == 3 && got.step[1] == 10 && isnan(got.step[2]) && got.step[3] == 6);
    assert_close(got.over_steps.mean, 19.0 / 3, 1e-15);
    assert_close(got.over_steps.deviation, sqrt((100.0 + 121.0 + 1.0) / 9 / 2), 1e-14); /* -10/3, 11/3, -1/3 */
    assert_close(got.over_rounds.mean, 1, 1e-15);
    assert_close(got.over_rounds.deviation, 1, 1e-14);
    assert_true(isnan(got.time_s[0]) && isnan(got.over_time_s.mean));
    hsgd_reached_free(&got);
    assert_ok(hsgd_target_follow(&got, (hsgd_wanted){HSGD_TARGET_LOSS, -1}, &x.ensemble, 4, NULL, 0, &err), err);
    assert_true(got.num_reached == 0 && isnan(got.over_steps.mean) && isnan(got.over_steps.deviation));
    hsgd_reached_free(&got);
    assert_ok(hsgd_target_follow(&got, (hsgd_wanted){HSGD_TARGET_LOSS, 0.5}, &x.ensemble, 4, NULL, 0, &err), err);
    assert_true(got.num_reached == 1 && got.over_steps.mean == 9 && isnan(got.over_steps.deviation));
    hsgd_reached_free(&got);
}

/* Seconds: the same for all runs, of each run, and more of them than traces, which nothing random entered. */
static void seconds_of_runs(void **state)
{
    (void)state;
    fixture x;
    hsgd_reached got;
    double time_s[RUNS][ROWS + 1];
    const hsgd_wanted half = {HSGD_TARGET_TEST_ACCURACY, 0.5};
    fill(&x);
    for (size_t r = 0; r < RUNS; r++)
        for (size_t row = 0; row <= ROWS; row++)
            time_s[r][row] = 0.25 * (double)row + 100 * (double)r;
    assert_ok(hsgd_target_follow(&got, half, &x.ensemble, 4, time_s[0], 1, &err), err);
    assert_true(got.time_s[0] == 0.25 && got.time_s[1] == 1 && isnan(got.time_s[2]) && got.time_s[3] == 0.5);
    hsgd_reached_free(&got);
    assert_ok(hsgd_target_follow(&got, half, &x.ensemble, 4, time_s[0], RUNS, &err), err);
    assert_true(got.time_s[0] == 0.25 && got.time_s[1] == 101 && isnan(got.time_s[2]) && got.time_s[3] == 300.5);
    assert_close(got.over_time_s.mean, (0.25 + 101 + 300.5) / 3, 1e-15);
    hsgd_reached_free(&got);
    x.ensemble.num_seeds = 1;
    assert_ok(hsgd_target_follow(&got, half, &x.ensemble, 4, time_s[0], RUNS, &err), err);
    assert_true(got.num_runs == RUNS && got.num_reached == RUNS && got.step[3] == 3 && got.time_s[3] == 300.25);
    hsgd_reached_free(&got);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(first_rows_by_hand),
        cmocka_unit_test(means_and_deviations_by_hand),
        cmocka_unit_test(seconds_of_runs),
    };
    return cmocka_run_group_tests_name("targets", tests, NULL, NULL);
}
