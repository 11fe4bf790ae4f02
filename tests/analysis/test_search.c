/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Both searchers find maxima that are known, keep to their budget, survive values that are no numbers, and repeat themselves. */
#include "tests/test.h"

#include <gsl/gsl_errno.h>

#include "analysis/clock.h"
#include "analysis/random.h"
#include "analysis/search.h"

static hsgd_error err;

/* How often the function was called, besides its value. */
typedef struct counter {
    size_t calls;
    double (*value)(const double *x);
} counter;

static double count(void *context, const double *point)
{
    counter *c = context;
    c->calls++;
    return c->value(point);
}

/* 0 at (1, 1), at the end of a curved ridge (Rosenbrock 1960). */
static double curved_ridge(const double *x)
{
    double across = x[1] - x[0] * x[0], along = 1 - x[0];
    return -100 * across * across - along * along;
}

/* 7 at (0.3, -1.7, 2.4), with steepnesses that differ by 10^4, and kinks along the axes through it. */
static double kinked(const double *x)
{
    return 7 - 100 * fabs(x[0] - 0.3) - fabs(x[1] + 1.7) - 0.01 * fabs(x[2] - 2.4);
}

/* Not a number on one side, no value at all on the other; 2 at x = 0.5 between them. */
static double between_cliffs(const double *x)
{
    return x[0] > 1 ? NAN : x[0] < -1 ? -INFINITY : 2 - (x[0] - 0.5) * (x[0] - 0.5);
}

static double nowhere(const double *x)
{
    (void)x;
    return NAN;
}

static double search(double *point, size_t dim, hsgd_search_method method, double (*value)(const double *),
                     size_t evaluations, uint64_t seed)
{
    counter c = {0, value};
    const hsgd_stream stream = {seed, HSGD_PURPOSE_HUNT, 0, 0};
    hsgd_search s = {method, dim, count, &c, evaluations, 0.5, INFINITY, NULL};
    gsl_rng *rng = hsgd_stream_rng(&stream);
    double best;
    size_t used;
    assert_non_null(rng);
    assert_ok(hsgd_search_run(point, &best, &used, &s, rng, &err), err);
    gsl_rng_free(rng);
    assert_int_equal(used, c.calls);
    assert_int_equal(used, evaluations); /* the whole budget, and no more */
    return best;
}

static void known_maxima_are_found(void **state)
{
    (void)state;
    for (hsgd_search_method m = 0; m < HSGD_NUM_SEARCH_METHODS; m++) {
        double ridge[] = {-1.2, 1}, cliffs[] = {-0.9};
        assert_near(search(ridge, 2, m, curved_ridge, 20000, 5), 0, 1e-6);
        assert_near(ridge[0], 1, 2e-3);
        assert_near(ridge[1], 1, 4e-3);
        assert_close(search(cliffs, 1, m, between_cliffs, 300, 5), 2, 1e-12);
        assert_near(cliffs[0], 0.5, 1e-5);
    }
}

/* The one-fifth rule adapts to kinks where a simplex may collapse. */
static void evolution_climbs_to_a_kink(void **state)
{
    (void)state;
    double x[] = {5, 5, 5};
    assert_near(search(x, 3, HSGD_SEARCH_EVOLUTION, kinked, 20000, 2), 7, 1e-4);
}

static void without_any_value_the_start_stays(void **state)
{
    (void)state;
    for (hsgd_search_method m = 0; m < HSGD_NUM_SEARCH_METHODS; m++) {
        double x[] = {0.25, -3};
        assert_true(search(x, 2, m, nowhere, 500, 1) == -INFINITY);
        assert_true(x[0] == 0.25 && x[1] == -3);
    }
}

static void the_smallest_budgets_are_kept(void **state)
{
    (void)state;
    for (hsgd_search_method m = 0; m < HSGD_NUM_SEARCH_METHODS; m++)
        for (size_t evaluations = 1; evaluations < 9; evaluations++) {
            double x[] = {0, 0, 0};
            search(x, 3, m, kinked, evaluations, 1);
        }
}

static void the_stream_of_random_numbers_decides(void **state)
{
    (void)state;
    for (hsgd_search_method m = 0; m < HSGD_NUM_SEARCH_METHODS; m++) {
        double a[] = {5, 5, 5}, b[] = {5, 5, 5}, c[] = {5, 5, 5};
        double first = search(a, 3, m, kinked, 200, 8), second = search(b, 3, m, kinked, 200, 8);
        assert_true(first == second && memcmp(a, b, sizeof a) == 0);
        assert_true(search(c, 3, m, kinked, 200, 9) != first);
    }
}

/* A deadline that has passed leaves nothing to do. */
static void the_deadline_is_kept(void **state)
{
    (void)state;
    counter c = {0, kinked};
    const hsgd_stream stream = {1, HSGD_PURPOSE_HUNT, 0, 0};
    gsl_rng *rng = hsgd_stream_rng(&stream);
    for (hsgd_search_method m = 0; m < HSGD_NUM_SEARCH_METHODS; m++) {
        hsgd_search s = {m, 3, count, &c, 1000000000, 0.5, hsgd_now_s() - 1, NULL};
        double x[] = {0, 0, 0}, best;
        size_t used;
        assert_ok(hsgd_search_run(x, &best, &used, &s, rng, &err), err);
        assert_int_equal(used, 0);
    }
    gsl_rng_free(rng);
}

int main(void)
{
    gsl_set_error_handler_off();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_maxima_are_found),
        cmocka_unit_test(evolution_climbs_to_a_kink),
        cmocka_unit_test(without_any_value_the_start_stays),
        cmocka_unit_test(the_smallest_budgets_are_kept),
        cmocka_unit_test(the_stream_of_random_numbers_decides),
        cmocka_unit_test(the_deadline_is_kept),
    };
    return cmocka_run_group_tests_name("search", tests, NULL, NULL);
}
