/* SPDX-License-Identifier: GPL-3.0-or-later */
/* THEORY 6 in exact arithmetic. Expected rationals: by hand. */
#include "tests/bounds/cases.h"

#include "bounds/sandwich.h"

static void check_side(const hsgd_sandwich_side *side, const char *inner, const char *middle, const char *outer)
{
    assert_string_equal(side->text[0], inner);
    assert_string_equal(side->text[1], middle);
    assert_string_equal(side->text[2], outer);
    assert_true(side->holds);
}

static void decide_uniform(hsgd_sandwich *s, const size_t *fanout, const size_t *periods, size_t num_levels)
{
    hsgd_error err;
    hsgd_hierarchy h;
    assert_ok(hsgd_hierarchy_uniform(&h, fanout, periods, num_levels, &err), err);
    assert_ok(hsgd_sandwich_decide(s, &h, &err), err);
    assert_true(s->holds);
    hsgd_hierarchy_free(&h);
}

static void two_levels(void **state)
{
    (void)state;
    hsgd_sandwich s;
    decide_uniform(&s, (size_t[]){8, 8}, (size_t[]){20, 5}, 2);
    /* lambda = 7/63, 56/63: 20/9 + 40/9 = 20/3, 400/9 + 200/9 = 200/3 */
    check_side(&s.noise, "5", "20/3", "20");
    check_side(&s.divergence, "25", "200/3", "400");
    assert_close(s.noise.value[1], 20.0 / 3, 1e-15);
    assert_close(s.divergence.value[2], 400, 0);
    assert_true(s.noise.strict && s.divergence.strict);
    hsgd_sandwich_free(&s);
    assert_null(s.noise.text[0]);
    hsgd_sandwich_free(&s);
    hsgd_sandwich_free(NULL);
}

static void one_level_is_an_equality(void **state)
{
    (void)state;
    hsgd_sandwich s;
    decide_uniform(&s, (size_t[]){6}, (size_t[]){7}, 1);
    check_side(&s.noise, "7", "7", "7");
    check_side(&s.divergence, "49", "49", "49");
    assert_false(s.noise.strict || s.divergence.strict);
    hsgd_sandwich_free(&s);
    decide_uniform(&s, (size_t[]){1, 4, 3, 1}, (size_t[]){28, 7, 7, 1}, 4); /* canonical: one level */
    check_side(&s.noise, "7", "7", "7");
    assert_false(s.noise.strict);
    hsgd_sandwich_free(&s);
    decide_uniform(&s, (size_t[]){1, 1}, (size_t[]){20, 5}, 2); /* one worker: its period counts as 1 */
    check_side(&s.noise, "1", "1", "1");
    check_side(&s.divergence, "1", "1", "1");
    hsgd_sandwich_free(&s);
}

/* n = 9: lambda = 2/8 (period 12), 2/8 (4), 1/8 (6), 3/8 (2); weights are refused. */
static void unequal_groups_and_weights(void **state)
{
    (void)state;
    hsgd_error err;
    hsgd_hierarchy h;
    hsgd_sandwich s;
    const hsgd_node_spec spec[] = {{HSGD_NO_NODE, 12, 0}, {0, 4, 3}, {0, 6, 2}, {0, 2, 4}};
    assert_ok(hsgd_hierarchy_tree(&h, spec, 4, &err), err);
    assert_ok(hsgd_sandwich_decide(&s, &h, &err), err);
    check_side(&s.noise, "2", "11/2", "12");     /* (24 + 8 + 6 + 6)/8 */
    check_side(&s.divergence, "4", "46", "144"); /* (288 + 32 + 36 + 12)/8 */
    hsgd_sandwich_free(&s);
    assert_ok(hsgd_hierarchy_set_weights(&h, (double[]){1, 2, 1, 1, 1, 1, 1, 1, 1}, &err), err);
    assert_fails(hsgd_sandwich_decide(&s, &h, &err), HSGD_ERROR_INPUT, "equal weights", err);
    hsgd_sandwich_free(&s);
    hsgd_hierarchy_free(&h);
}

/* The sandwich is a theorem, so only trees that cannot be built break it: groups that average less often than the root,
 * and groups missing from the sum. By hand: lambda = 7/63 and 7 copies/63. */
static void trees_that_break_the_rules(void **state)
{
    (void)state;
    hsgd_error err;
    hsgd_hierarchy h;
    hsgd_sandwich s;
    assert_ok(hsgd_hierarchy_uniform(&h, (size_t[]){8, 8}, (size_t[]){20, 5}, 2, &err), err);
    h.node[1].period = 100; /* 20/9 + 800/9 > 20 */
    assert_ok(hsgd_sandwich_decide(&s, &h, &err), err);
    assert_string_equal(s.noise.text[1], "820/9");
    assert_false(s.holds || s.noise.holds || s.noise.strict || s.divergence.holds || s.divergence.strict);
    hsgd_sandwich_free(&s);
    h.node[1].period = 5;
    h.node[1].copies = 2; /* 20/9 + 10/9 < 5, and 400/9 + 50/9 > 25 */
    assert_ok(hsgd_sandwich_decide(&s, &h, &err), err);
    assert_string_equal(s.noise.text[1], "10/3");
    assert_false(s.holds || s.noise.holds || s.noise.strict);
    assert_true(s.divergence.holds && s.divergence.strict);
    hsgd_sandwich_free(&s);
    h.node[1].copies = 7; /* both inside, but the lambda do not add up to 1 */
    assert_ok(hsgd_sandwich_decide(&s, &h, &err), err);
    assert_true(s.noise.holds && s.divergence.holds);
    assert_false(s.holds);
    hsgd_sandwich_free(&s);
    hsgd_hierarchy_free(&h);
}

/* Numbers beyond 2^64: only exact arithmetic tells them apart. n = 1e8, P = 1e9 and 5e8. */
static void the_largest_tree(void **state)
{
    (void)state;
    hsgd_sandwich s;
    decide_uniform(&s, (size_t[]){50000000, 2}, (size_t[]){1000000000, 500000000}, 2);
    /* (49999999 * 1e18 + 5e7 * 2.5e17)/99999999 */
    check_side(&s.divergence, "250000000000000000", "20833333000000000000000000/33333333", "1000000000000000000");
    assert_true(s.divergence.strict);
    hsgd_sandwich_free(&s);
}

/* The exact decision agrees with the published bounds, and strictness with the number of canonical levels. */
static void random_trees(void **state)
{
    (void)state;
    gsl_rng *rng = test_rng(41);
    hsgd_error err;
    for (int i = 0; i < 3000; i++) {
        hsgd_hierarchy h;
        hsgd_sandwich s;
        hsgd_bound_params p;
        random_tree(&h, rng);
        assert_ok(hsgd_sandwich_decide(&s, &h, &err), err);
        assert_ok(hsgd_bound_params_init(&p, &h, NULL, NULL, &err), err);
        assert_true(s.holds && s.noise.holds && s.divergence.holds);
        assert_int_equal(s.noise.strict, p.tree.num_levels > 1);
        assert_int_equal(s.divergence.strict, p.tree.num_levels > 1);
        /* Delta = sigma = 0: the bounds are in the same ratio as the rationals */
        set_scalars(&p, 1e-3 * hsgd_published_max_step_size(1.3, 36), 10, 1.3, 0, 0);
        p.global_divergence_sq = 0.77;
        if (p.tree.num_nodes) {
            double ratio = value_of("hsgd-random", &p) / value_of("local-sgd-outer", &p);
            assert_close(ratio, s.divergence.value[1] / s.divergence.value[2], 1e-12);
        }
        hsgd_sandwich_free(&s);
        hsgd_bound_params_free(&p);
        hsgd_hierarchy_free(&h);
    }
    gsl_rng_free(rng);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_levels),
        cmocka_unit_test(one_level_is_an_equality),
        cmocka_unit_test(unequal_groups_and_weights),
        cmocka_unit_test(trees_that_break_the_rules),
        cmocka_unit_test(the_largest_tree),
        cmocka_unit_test(random_trees),
    };
    return cmocka_run_group_tests_name("sandwich", tests, NULL, NULL);
}
