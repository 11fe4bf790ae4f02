/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Distributions of computing times: parameters of times that GSL drew are recovered within their errors, the right kind is
 * picked, likelihoods are those of GSL's densities and fall off on all sides, and Kolmogorov's distance is that of its
 * definition. */
#include "tests/test.h"

#include <gsl/gsl_cdf.h>
#include <gsl/gsl_randist.h>
#include <gsl/gsl_rng.h>

#include "analysis/delay_fit.h"

static hsgd_error err;

enum { COUNT = 2000 };

static const double shift_s = 0.0031, scale_s = 0.0042, lognormal_scale_s = 0.0071, sigma = 0.63, pareto_shape = 3.4;

/* time_s (COUNT) of a kind. */
static void draw(double *time_s, hsgd_straggler_type type, unsigned long seed)
{
    gsl_rng *rng = gsl_rng_alloc(gsl_rng_mt19937);
    gsl_rng_set(rng, seed);
    for (size_t i = 0; i < COUNT; i++)
        time_s[i] = type == HSGD_STRAGGLER_EXPONENTIAL ? shift_s + gsl_ran_exponential(rng, scale_s)
                    : type == HSGD_STRAGGLER_LOGNORMAL ? gsl_ran_lognormal(rng, log(lognormal_scale_s), sigma)
                                                       : gsl_ran_pareto(rng, pareto_shape, scale_s);
    gsl_rng_free(rng);
}

static double log_density(const hsgd_delay_fit *fit, double t)
{
    const hsgd_straggler *x = &fit->straggler;
    double delay = t - fit->compute_s;
    switch (x->type) {
    case HSGD_STRAGGLER_EXPONENTIAL:
        return log(gsl_ran_exponential_pdf(delay, x->scale_s));
    case HSGD_STRAGGLER_LOGNORMAL:
        return log(gsl_ran_lognormal_pdf(delay, log(x->scale_s), x->shape));
    case HSGD_STRAGGLER_PARETO:
        return log(gsl_ran_pareto_pdf(delay, x->shape, x->scale_s));
    case HSGD_STRAGGLER_NONE:
        break;
    }
    return NAN;
}

static double log_likelihood(const hsgd_delay_fit *fit, const double *time_s)
{
    double sum = 0;
    for (size_t i = 0; i < COUNT; i++)
        sum += log_density(fit, time_s[i]);
    return sum;
}

static double below(const hsgd_delay_fit *fit, double t)
{
    const hsgd_straggler *x = &fit->straggler;
    return x->type == HSGD_STRAGGLER_EXPONENTIAL ? gsl_cdf_exponential_P(t - fit->compute_s, x->scale_s)
           : x->type == HSGD_STRAGGLER_LOGNORMAL ? gsl_cdf_lognormal_P(t, log(x->scale_s), x->shape)
                                                 : gsl_cdf_pareto_P(t, x->shape, x->scale_s);
}

static void parameters_are_recovered_and_the_kind_is_picked(void **state)
{
    (void)state;
    static double time_s[COUNT];
    for (int type = HSGD_STRAGGLER_EXPONENTIAL; type <= HSGD_STRAGGLER_PARETO; type++) {
        double off_sq[3] = {0};
        for (unsigned long seed = 1; seed <= 20; seed++) {
            hsgd_delay_fit fit;
            draw(time_s, (hsgd_straggler_type)type, seed);
            assert_ok(hsgd_delay_fit_best(&fit, time_s, COUNT, &err), err);
            assert_int_equal(fit.straggler.type, type);
            double true_scale_s = type == HSGD_STRAGGLER_LOGNORMAL ? lognormal_scale_s : scale_s;
            double true_shape = type == HSGD_STRAGGLER_LOGNORMAL ? sigma : pareto_shape;
            off_sq[0] += pow((fit.straggler.scale_s - true_scale_s) / fit.scale_se, 2) / 20;
            if (type == HSGD_STRAGGLER_EXPONENTIAL)
                off_sq[1] += pow((fit.compute_s - shift_s) / fit.compute_se, 2) / 20;
            else
                off_sq[2] += pow((fit.straggler.shape - true_shape) / fit.shape_se, 2) / 20;
            assert_true(fit.distance < 1.95 / sqrt(COUNT)); /* one in a thousand is larger, for known parameters */
        }
        /* means of 20 squares with mean about 1; the least of a Pareto's values is above its scale, by an exponential amount */
        assert_true(off_sq[0] > 0.3 && off_sq[0] < 4);
        assert_true(type == HSGD_STRAGGLER_EXPONENTIAL ? off_sq[1] > 0.3 && off_sq[1] < 3
                                                       : off_sq[2] > 0.3 && off_sq[2] < 2.2);
    }
}

/* At the maximum itself; the exponential's is beside its estimate without bias. */
static void likelihoods_are_those_of_the_densities_and_at_their_maximum(void **state)
{
    (void)state;
    static double time_s[COUNT];
    for (int type = HSGD_STRAGGLER_EXPONENTIAL; type <= HSGD_STRAGGLER_PARETO; type++) {
        hsgd_delay_fit fit;
        draw(time_s, (hsgd_straggler_type)type, 77);
        assert_ok(hsgd_delay_fit_make(&fit, (hsgd_straggler_type)type, time_s, COUNT, &err), err);
        if (type == HSGD_STRAGGLER_EXPONENTIAL) {
            double n = COUNT, mean_excess_s = fit.straggler.scale_s * (n - 1) / n;
            fit.compute_s += fit.straggler.scale_s / n; /* the least time, but for rounding */
            fit.compute_s -= 1e-12;
            fit.straggler.scale_s = mean_excess_s;
        }
        double best = log_likelihood(&fit, time_s);
        assert_close(fit.log_likelihood, best, 1e-8);
        for (int sign = -1; sign <= 1; sign += 2) {
            hsgd_delay_fit other = fit;
            other.straggler.scale_s *= 1 + 0.01 * sign; /* above its scale a Pareto's likelihood is 0 */
            assert_true(log_likelihood(&other, time_s) < best);
            other = fit;
            other.straggler.shape *= 1 + 0.01 * sign;
            assert_true(type == HSGD_STRAGGLER_EXPONENTIAL || log_likelihood(&other, time_s) < best);
        }
    }
}

static void the_distance_is_the_largest_difference_of_shares(void **state)
{
    (void)state;
    static double time_s[COUNT];
    for (int drawn = HSGD_STRAGGLER_EXPONENTIAL; drawn <= HSGD_STRAGGLER_PARETO; drawn++)
        for (int type = HSGD_STRAGGLER_EXPONENTIAL; type <= HSGD_STRAGGLER_PARETO; type++) {
            hsgd_delay_fit fit;
            double largest = 0;
            draw(time_s, (hsgd_straggler_type)drawn, 5);
            assert_ok(hsgd_delay_fit_make(&fit, (hsgd_straggler_type)type, time_s, COUNT, &err), err);
            for (size_t i = 0; i < COUNT; i++) { /* just before and at a value */
                size_t before = 0;
                for (size_t j = 0; j < COUNT; j++)
                    before += time_s[j] < time_s[i];
                double share = below(&fit, time_s[i]);
                largest = fmax(largest,
                               fmax(fabs(share - (double)before / COUNT), fabs((double)(before + 1) / COUNT - share)));
            }
            check_close(fit.distance, largest, 1e-10, 0, "distance", __FILE__, __LINE__);
        }
}

static void equal_times_have_no_distribution_and_others_are_refused(void **state)
{
    (void)state;
    hsgd_delay_fit fit;
    const double same[] = {0.5, 0.5, 0.5}, two[] = {1, 3}, bad[] = {1, 0};
    assert_ok(hsgd_delay_fit_best(&fit, same, 3, &err), err);
    assert_true(fit.straggler.type == HSGD_STRAGGLER_NONE && fit.compute_s == 0.5 && isnan(fit.distance));
    assert_fails(hsgd_delay_fit_make(&fit, HSGD_STRAGGLER_PARETO, same, 3, &err), HSGD_ERROR_INPUT,
                 "all times are 0.5 s", err);
    assert_ok(hsgd_delay_fit_make(&fit, HSGD_STRAGGLER_EXPONENTIAL, two, 2, &err), err);
    assert_close(fit.straggler.scale_s, 2, 1e-14); /* 2/(2 - 1) (2 - 1) */
    assert_true(fit.compute_s == 0);               /* 1 - 2/2 */
    assert_ok(hsgd_delay_fit_make(&fit, HSGD_STRAGGLER_NONE, two, 2, &err), err);
    assert_true(fit.compute_s == 2);
    assert_fails(hsgd_delay_fit_make(&fit, HSGD_STRAGGLER_NONE, bad, 2, &err), HSGD_ERROR_INPUT, "time 1: 0 s", err);
    assert_fails(hsgd_delay_fit_best(&fit, two, 1, &err), HSGD_ERROR_INPUT, "at least two", err);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parameters_are_recovered_and_the_kind_is_picked),
        cmocka_unit_test(likelihoods_are_those_of_the_densities_and_at_their_maximum),
        cmocka_unit_test(the_distance_is_the_largest_difference_of_shares),
        cmocka_unit_test(equal_times_have_no_distribution_and_others_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
