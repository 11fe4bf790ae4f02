/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Means by hand; t quantiles from the printed table NIST/SEMATECH e-Handbook of Statistical Methods, 1.3.6.7.2.
 * Seen to fail for means of groups: division by the number of groups in the variance, by the runs in the standard error,
 * groups of every k-th run, groups ignored, runs counted for groups. */
#include "tests/test.h"

#include <gsl/gsl_cdf.h>
#include <gsl/gsl_errno.h>

#include "analysis/random.h"
#include "analysis/statistics.h"

/* 2.5, 7.25, -1, 4.75: mean 27/8; deviations -7/8, 31/8, -35/8, 11/8; squares sum to (49 + 961 + 1225 + 121)/64 =
 * 2356/64; variance 2356/192; se = sqrt(2356/192/4). */
static void mean_and_standard_error_by_hand(void **state)
{
    (void)state;
    const double value[] = {2.5, 99, 7.25, 99, -1, 99, 4.75, 99};
    hsgd_estimate e = hsgd_estimate_mean(value, 2, 4);
    assert_close(e.mean, 3.375, 1e-15);
    assert_close(e.se, sqrt(2356.0 / 192 / 4), 1e-15);
    assert_int_equal(e.count, 4);
    e = hsgd_estimate_mean(value, 1, 4); /* stride 1 sees the others: mean (2.5 + 99 + 7.25 + 99)/4 */
    assert_close(e.mean, 51.9375, 1e-15);
}

/* The same four numbers on 10^9: the difference of second moments would be off by 10^2. */
static void a_large_common_part_does_not_hurt(void **state)
{
    (void)state;
    const double value[] = {1e9 + 2.5, 1e9 + 7.25, 1e9 - 1, 1e9 + 4.75};
    hsgd_estimate e = hsgd_estimate_mean(value, 1, 4);
    assert_close(e.mean - 1e9, 3.375, 1e-7);
    assert_close(e.se, sqrt(2356.0 / 192 / 4), 1e-12);
}

static void one_value_and_no_spread(void **state)
{
    (void)state;
    const double value[] = {0.1, 0.1, 0.1};
    hsgd_estimate one = hsgd_estimate_mean(value, 1, 1), same = hsgd_estimate_mean(value, 1, 3);
    assert_close(one.mean, 0.1, 0);
    assert_true(isnan(one.se));
    assert_true(isnan(hsgd_half_width(one, 0.99, 1)));
    assert_true(same.se == 0);
    assert_true(hsgd_half_width(same, 0.99, 12) == 0);
    one.se = 0; /* nothing random */
    assert_true(hsgd_half_width(one, 0.99, 1) == 0);
}

static void half_widths_are_those_of_the_table(void **state)
{
    (void)state;
    const struct {
        size_t count;
        double confidence, t;
    } table[] = {{2, 0.9, 6.314},   {2, 0.99, 63.657}, {3, 0.95, 4.303},  {6, 0.95, 2.571},  {11, 0.99, 3.169},
                 {21, 0.98, 2.528}, {31, 0.8, 1.310},  {32, 0.99, 2.744}, {61, 0.99, 2.660}, {101, 0.998, 3.174}};
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        hsgd_estimate e = {-7.1, 0.43, table[i].count};
        assert_near(hsgd_half_width(e, table[i].confidence, 1) / 0.43, table[i].t, 0.0005);
    }
}

/* Bonferroni: m intervals at level c are one at level 1 - (1 - c)/m. */
static void checks_share_the_error(void **state)
{
    (void)state;
    hsgd_estimate e = {1.9, 0.31, 11};
    assert_near(hsgd_half_width(e, 0.95, 5), hsgd_half_width(e, 0.99, 1), 1e-12);
    assert_near(hsgd_half_width(e, 0.90, 10) / 0.31, 3.169, 0.0005);
    assert_true(hsgd_half_width(e, 0.99, 7) > hsgd_half_width(e, 0.99, 6));
}

/* Far tails with few seeds: the quantile put back into the distribution function gives the probability. */
static void far_tails_are_quantiles(void **state)
{
    (void)state;
    const size_t counts[] = {2, 3, 4, 5, 6, 8, 11, 17, 33, 101, 1001, 100001};
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++)
        for (double checks = 1; checks < 1e7; checks *= 7.3) {
            double t = hsgd_half_width((hsgd_estimate){0, 1, counts[i]}, 0.99, checks);
            assert_close(gsl_cdf_tdist_Q(t, (double)(counts[i] - 1)), 0.005 / checks, 1e-6);
        }
}

/* 20000 samples of 5 normals: the 90 % interval misses the mean with probability 1/10, with Bonferroni over four 1/40;
 * the numbers of misses are binomial. Two two-sided checks at 1e-9: false alarm 2e-9; the seed is fixed. A normal quantile
 * instead of Student's would miss 17 %. */
static void coverage_is_what_it_says(void **state)
{
    (void)state;
    enum { SAMPLES = 20000, SIZE = 5 };
    unsigned missed = 0, missed_together = 0;
    for (uint32_t r = 0; r < SAMPLES; r++) {
        double x[SIZE];
        hsgd_normals(&(hsgd_stream){404, HSGD_PURPOSE_USER, r, 0}, 2.7, x, SIZE);
        hsgd_estimate e = hsgd_estimate_mean(x, 1, SIZE);
        missed += fabs(e.mean) > hsgd_half_width(e, 0.9, 1);
        missed_together += fabs(e.mean) > hsgd_half_width(e, 0.9, 4);
    }
    assert_true(gsl_cdf_binomial_P(missed, 0.1, SAMPLES) > 5e-10 && gsl_cdf_binomial_Q(missed, 0.1, SAMPLES) > 5e-10);
    assert_true(gsl_cdf_binomial_P(missed_together, 0.025, SAMPLES) > 5e-10);
    assert_true(gsl_cdf_binomial_Q(missed_together, 0.025, SAMPLES) > 5e-10);
}

/* Runs 2.5, 7.5 | -1, 4 | 3.25, 0.75: means 5, 1.5, 2 about 17/6; deviations 13/6, -8/6, -5/6; variance 258/36/2; se =
 * sqrt(129/36/3). Threes: 3 and 8/3, each 1/6 off: variance 2/36, se = 1/6. One group says nothing about the spread. */
static void mean_of_groups_by_hand(void **state)
{
    (void)state;
    const double value[] = {2.5, 7.5, -1, 4, 3.25, 0.75};
    hsgd_estimate twos = hsgd_estimate_mean_of_groups(value, 6, 2), threes = hsgd_estimate_mean_of_groups(value, 6, 3);
    hsgd_estimate one = hsgd_estimate_mean_of_groups(value, 6, 6);
    assert_close(twos.mean, 17.0 / 6, 1e-15);
    assert_close(twos.se, sqrt(129.0 / 36 / 3), 1e-15);
    assert_int_equal(twos.count, 3);
    assert_close(threes.mean, 17.0 / 6, 1e-15);
    assert_close(threes.se, 1.0 / 6, 1e-14);
    assert_int_equal(threes.count, 2);
    assert_close(one.mean, 17.0 / 6, 1e-15);
    assert_true(isnan(one.se) && one.count == 1);
}

/* Groups of one run are the runs, to the bit; a run repeated is the run once; no spread is none. */
static void groups_of_one_are_single_values(void **state)
{
    (void)state;
    double value[8], twice[16];
    const double same[] = {0.1, 0.1, 0.1, 0.1, 0.1, 0.1};
    hsgd_normals(&(hsgd_stream){3, HSGD_PURPOSE_USER, 0, 0}, 2.7, value, 8);
    for (size_t i = 0; i < 16; i++)
        twice[i] = value[i / 2];
    for (size_t count = 1; count <= 8; count++) {
        hsgd_estimate mean = hsgd_estimate_mean(value, 1, count);
        hsgd_estimate ones = hsgd_estimate_mean_of_groups(value, count, 1);
        hsgd_estimate twos = hsgd_estimate_mean_of_groups(twice, 2 * count, 2);
        assert_true(ones.mean == mean.mean && ones.count == count && twos.count == count);
        assert_near(twos.mean, mean.mean, 1e-15);
        if (count == 1) {
            assert_true(isnan(ones.se) && isnan(twos.se));
            continue;
        }
        assert_true(ones.se == mean.se);
        assert_near(twos.se, mean.se, 1e-14);
    }
    assert_true(hsgd_estimate_mean_of_groups(same, 6, 2).se == 0);
}

/* 20000 samples of 6 groups of 4 runs, whose normal values share a normal part of the group. Group means are independent
 * normals, so the 90 % interval over groups misses with probability 1/10: the misses are binomial, inside the limits
 * except with probability 1e-9. The interval that takes the 24 runs for independent is less than half as wide as it
 * should be and misses more than a third of the time. */
static void groups_have_the_coverage_that_single_runs_lack(void **state)
{
    (void)state;
    enum { SAMPLES = 20000, GROUPS = 6, RUNS = 4 };
    unsigned missed = 0, missed_naively = 0;
    for (uint32_t r = 0; r < SAMPLES; r++) {
        double shared[GROUPS], x[GROUPS * RUNS];
        hsgd_normals(&(hsgd_stream){405, HSGD_PURPOSE_USER, r, 0}, 1.9, shared, GROUPS);
        hsgd_normals(&(hsgd_stream){405, HSGD_PURPOSE_USER, r, 1}, 0.8, x, GROUPS * RUNS);
        for (size_t i = 0; i < GROUPS * RUNS; i++)
            x[i] += shared[i / RUNS];
        hsgd_estimate e = hsgd_estimate_mean_of_groups(x, GROUPS * RUNS, RUNS);
        hsgd_estimate naive = hsgd_estimate_mean(x, 1, GROUPS * RUNS);
        missed += fabs(e.mean) > hsgd_half_width(e, 0.9, 1);
        missed_naively += fabs(naive.mean) > hsgd_half_width(naive, 0.9, 1);
    }
    assert_true(gsl_cdf_binomial_P(missed, 0.1, SAMPLES) > 5e-10 && gsl_cdf_binomial_Q(missed, 0.1, SAMPLES) > 5e-10);
    assert_true(missed_naively > SAMPLES / 3);
}

int main(void)
{
    gsl_set_error_handler_off();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mean_and_standard_error_by_hand),
        cmocka_unit_test(a_large_common_part_does_not_hurt),
        cmocka_unit_test(one_value_and_no_spread),
        cmocka_unit_test(half_widths_are_those_of_the_table),
        cmocka_unit_test(checks_share_the_error),
        cmocka_unit_test(far_tails_are_quantiles),
        cmocka_unit_test(coverage_is_what_it_says),
        cmocka_unit_test(mean_of_groups_by_hand),
        cmocka_unit_test(groups_of_one_are_single_values),
        cmocka_unit_test(groups_have_the_coverage_that_single_runs_lack),
    };
    return cmocka_run_group_tests_name("statistics", tests, NULL, NULL);
}
