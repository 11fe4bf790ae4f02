/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How the bounds compare with each other (THEORY 4.2, 4.4, 6), over thousands of random trees and parameters. None of
 * these checks needs an expected number: they are theorems. */
#include "tests/bounds/cases.h"

enum { CASES = 3000 };
static const double rounding = 1e-12;

static void recursive_below_sharpened_below_published(void **state)
{
    (void)state;
    gsl_rng *rng = test_rng(31);
    for (int i = 0; i < CASES; i++) {
        hsgd_bound_params p;
        random_params(&p, rng, uniform_between(rng, 0.01, 0.999999));
        assert_at_most(value_of("hsgd-fixed-recursive", &p), value_of("hsgd-fixed-sharp", &p), rounding);
        assert_at_most(value_of("hsgd-fixed-sharp", &p), value_of("hsgd-fixed", &p), rounding);
        assert_at_most(value_of("hsgd-random-recursive", &p), value_of("hsgd-random-sharp", &p), rounding);
        assert_at_most(value_of("hsgd-random-sharp", &p), value_of("hsgd-random", &p), rounding);
        assert_at_most(value_of("local-sgd-inner-sharp", &p), value_of("local-sgd-inner", &p), rounding);
        assert_at_most(value_of("local-sgd-outer-sharp", &p), value_of("local-sgd-outer", &p), rounding);
        p.step_size *= 2; /* between 4.4 and 4.2 the published condition plays no part */
        assert_at_most(value_of("hsgd-fixed-recursive", &p), value_of("hsgd-fixed-sharp", &p), rounding);
        hsgd_bound_params_free(&p);
    }
    gsl_rng_free(rng);
}

/* One divergence at a time, so that every coefficient is seen alone. */
static void sharpened_coefficients_are_22_times_smaller(void **state)
{
    (void)state;
    gsl_rng *rng = test_rng(32);
    for (int i = 0; i < CASES; i++) {
        hsgd_bound_params p;
        random_params(&p, rng, uniform_between(rng, 0.01, 0.999999));
        for (size_t u = 0; u < p.tree.num_nodes; u++)
            p.divergence_sq[u] = 0;
        size_t only = p.tree.num_nodes ? gsl_rng_uniform_int(rng, p.tree.num_nodes) : 0;
        if (p.tree.num_nodes)
            p.divergence_sq[only] = 1.7;
        hsgd_bound_value published = evaluate("hsgd-fixed", &p), sharp = evaluate("hsgd-fixed-sharp", &p);
        assert_int_equal(published.num_terms, sharp.num_terms);
        for (size_t k = 0; k < published.num_terms; k++) {
            assert_string_equal(published.term[k].name, sharp.term[k].name);
            if (k >= 2)
                assert_at_most(22 * sharp.term[k].value, published.term[k].value, 0);
            else
                assert_true(sharp.term[k].value == published.term[k].value);
        }
        hsgd_bound_params_free(&p);
    }
    gsl_rng_free(rng);
}

/* inner <= middle <= outer; strictly, if the canonical tree has several levels and anything depends on the period. */
static void check_sandwiched(const hsgd_bound_params *p, const char *inner, const char *middle, const char *outer)
{
    double low = value_of(inner, p), value = value_of(middle, p), high = value_of(outer, p);
    assert_at_most(low, value, rounding);
    assert_at_most(value, high, rounding);
    if (p->tree.num_levels <= 1) {
        assert_close(value, low, rounding);
        assert_close(value, high, rounding);
    }
}

static void sandwich(void **state)
{
    (void)state;
    gsl_rng *rng = test_rng(33);
    for (int i = 0; i < CASES; i++) {
        hsgd_bound_params p;
        random_params(&p, rng, uniform_between(rng, 0.01, 0.999999));
        /* fixed groups: eps~^2 = D_1 + ... + D_M is the default */
        check_sandwiched(&p, "local-sgd-inner", "hsgd-fixed", "local-sgd-outer");
        check_sandwiched(&p, "local-sgd-inner-sharp", "hsgd-fixed-sharp", "local-sgd-outer-sharp");
        p.global_divergence_sq = uniform_between(rng, 0, 3);
        check_sandwiched(&p, "local-sgd-inner", "hsgd-random", "local-sgd-outer");
        check_sandwiched(&p, "local-sgd-inner-sharp", "hsgd-random-sharp", "local-sgd-outer-sharp");
        p.delta = 0; /* the base terms cannot hide a difference of rounding size now */
        p.noise_sq = 0;
        if (p.tree.num_levels > 1 && p.global_divergence_sq > 0.01) {
            assert_true(value_of("local-sgd-inner", &p) < value_of("hsgd-random", &p));
            assert_true(value_of("hsgd-random", &p) < value_of("local-sgd-outer", &p));
        }
        hsgd_bound_params_free(&p);
    }
    gsl_rng_free(rng);
}

/* The random-grouping bounds of a uniform tree at a step size that all trees with root period <= 60 admit. */
static void random_values(double value[2], const size_t *fanout, const size_t *periods, size_t num_levels)
{
    hsgd_bound_params p;
    uniform_params(&p, fanout, periods, num_levels, NULL);
    set_scalars(&p, 0.0031, 71, 1.07, 0.83, 0.29);
    p.global_divergence_sq = 1.9;
    value[0] = value_of("hsgd-random", &p);
    value[1] = value_of("hsgd-random-sharp", &p);
    hsgd_bound_params_free(&p);
}

/* Groups of a*b workers with period I, split into a subgroups with period P'. */
static void an_extra_level_lies_between(void **state)
{
    (void)state;
    gsl_rng *rng = test_rng(34);
    for (int i = 0; i < 500; i++) {
        size_t groups = 2 + gsl_rng_uniform_int(rng, 5), a = 1 + gsl_rng_uniform_int(rng, 5);
        size_t b = 1 + gsl_rng_uniform_int(rng, 5), inner = random_divisor(rng, 60), extra = random_divisor(rng, inner);
        double without[2], with[2], throughout[2];
        random_values(without, (size_t[]){groups, a * b}, (size_t[]){60, inner}, 2);
        random_values(with, (size_t[]){groups, a, b}, (size_t[]){60, inner, extra}, 3);
        random_values(throughout, (size_t[]){groups, a * b}, (size_t[]){60, extra}, 2);
        for (int kind = 0; kind < 2; kind++) {
            assert_at_most(throughout[kind], with[kind], rounding);
            assert_at_most(with[kind], without[kind], rounding);
        }
    }
    gsl_rng_free(rng);
}

static void more_groups_cost_more(void **state)
{
    (void)state;
    static const size_t groups[] = {1, 2, 3, 4, 6, 8, 12, 24};
    for (size_t i = 0; i + 1 < 8; i++) {
        double fewer[2], more[2];
        random_values(fewer, (size_t[]){groups[i], 24 / groups[i]}, (size_t[]){60, 5}, 2);
        random_values(more, (size_t[]){groups[i + 1], 24 / groups[i + 1]}, (size_t[]){60, 5}, 2);
        assert_true(fewer[0] < more[0]);
        assert_true(fewer[1] < more[1]);
    }
    /* the ends are local SGD with the two periods */
    double value[2], local[2];
    random_values(value, (size_t[]){24, 1}, (size_t[]){60, 5}, 2);
    random_values(local, (size_t[]){24}, (size_t[]){60}, 1);
    assert_close(value[0], local[0], rounding);
    random_values(value, (size_t[]){1, 24}, (size_t[]){60, 5}, 2);
    random_values(local, (size_t[]){24}, (size_t[]){5}, 1);
    assert_close(value[0], local[0], rounding);
}

/* Fanout 1 and equal periods: all bounds are those of the merged tree, to the last digit but rounding. */
static void the_canonical_form_changes_nothing(void **state)
{
    (void)state;
    hsgd_bound_params p, q;
    uniform_params(&p, (size_t[]){1, 4, 3, 5, 1}, (size_t[]){60, 20, 20, 4, 2}, 5,
                   (double[]){0, 0.5, 0.25, 2, 0}); /* one child: no divergence at that level */
    uniform_params(&q, (size_t[]){12, 5}, (size_t[]){20, 4}, 2, (double[]){0.75, 2});
    set_scalars(&p, 0.0031, 71, 1.07, 0.83, 0.29);
    set_scalars(&q, 0.0031, 71, 1.07, 0.83, 0.29);
    size_t compared = 0;
    for (size_t i = 0; i < hsgd_num_bounds; i++) {
        if (strncmp(hsgd_bounds[i]->id, "hsgd", 4) && strncmp(hsgd_bounds[i]->id, "local", 5))
            continue;
        compared++;
        assert_close(value_of(hsgd_bounds[i]->id, &p), value_of(hsgd_bounds[i]->id, &q), rounding);
    }
    assert_int_equal(compared, 10);
    hsgd_bound_params_free(&p);
    hsgd_bound_params_free(&q);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(recursive_below_sharpened_below_published),
        cmocka_unit_test(sharpened_coefficients_are_22_times_smaller),
        cmocka_unit_test(sandwich),
        cmocka_unit_test(an_extra_level_lies_between),
        cmocka_unit_test(more_groups_cost_more),
        cmocka_unit_test(the_canonical_form_changes_nothing),
    };
    return cmocka_run_group_tests_name("order of the bounds", tests, NULL, NULL);
}
