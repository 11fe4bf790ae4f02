/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Expected numbers: by hand, from the definitions of THEORY 1, on trees small enough to draw. */
#include "tests/test.h"

#include "analysis/hierarchy.h"

static void uniform_tree_has_one_entry_per_level(void **state)
{
    (void)state;
    hsgd_error err;
    hsgd_hierarchy h;
    assert_ok(hsgd_hierarchy_uniform(&h, (size_t[]){3, 2, 5}, (size_t[]){30, 10, 2}, 3, &err), err);
    assert_int_equal(h.num_workers, 30);
    assert_int_equal(h.num_nodes, 3);
    assert_int_equal(h.node[2].copies, 6);
    assert_int_equal(h.node[2].num_workers, 5);
    assert_close(h.node[1].noise_share, 1.0 / 10, 1e-15);
    assert_int_equal(hsgd_hierarchy_global_period(&h), 30);
    assert_int_equal(hsgd_hierarchy_local_period(&h), 2);
    hsgd_hierarchy_free(&h);
}

static void expansion_numbers_workers_from_left_to_right(void **state)
{
    (void)state;
    hsgd_error err;
    hsgd_hierarchy h, e;
    assert_ok(hsgd_hierarchy_uniform(&h, (size_t[]){2, 3}, (size_t[]){6, 2}, 2, &err), err);
    assert_ok(hsgd_hierarchy_expand(&e, &h, &err), err);
    assert_int_equal(e.num_nodes, 3);
    assert_int_equal(e.node[0].end, 3);
    assert_int_equal(e.node[2].first_worker, 3);
    assert_int_equal(e.node[2].parent, 0);
    assert_close(e.node[1].weight, 0.5, 1e-15);
    assert_close(e.node[1].noise_share, 2.0 / 3, 1e-15);
    hsgd_hierarchy_free(&e);
    hsgd_hierarchy_free(&h);
}

/* Two groups, periods 6 (root), 2 and 3 (groups): who acts after each update, by hand. */
static void only_the_topmost_due_node_acts(void **state)
{
    (void)state;
    hsgd_error err;
    hsgd_hierarchy h;
    const hsgd_node_spec spec[] = {{HSGD_NO_NODE, 6, 0}, {0, 2, 2}, {0, 3, 4}};
    assert_ok(hsgd_hierarchy_tree(&h, spec, 3, &err), err);
    const char *expected[] = {"---", "---", "-a-", "--b", "-a-", "---", "r--",
                              "---", "-a-", "--b", "-a-", "---", "r--"};
    for (size_t t = 0; t < 13; t++)
        for (size_t u = 0; u < 3; u++)
            assert_int_equal(hsgd_node_acts(&h, u, t), expected[t][u] != '-');
    hsgd_hierarchy_free(&h);
}

static void unequal_groups_and_depths(void **state)
{
    (void)state;
    hsgd_error err;
    hsgd_hierarchy h;
    /* root(12): [ a(4): [ b(2): 3 workers, c(4): 1 worker ], d(3): 2 workers ] */
    const hsgd_node_spec spec[] = {{HSGD_NO_NODE, 12, 0}, {0, 4, 0}, {1, 2, 3}, {1, 4, 1}, {0, 3, 2}};
    assert_ok(hsgd_hierarchy_tree(&h, spec, 5, &err), err);
    assert_int_equal(h.num_workers, 6);
    assert_int_equal(h.num_levels, 3);
    assert_int_equal(h.node[1].num_workers, 4);
    assert_int_equal(h.node[1].end, 4);
    assert_int_equal(h.node[4].first_worker, 4);
    assert_close(h.node[1].noise_share, 1.0 / 4, 1e-15);
    hsgd_hierarchy_free(&h);
}

/* The tree of the test above: c has a single worker and disappears, so a has the children b and that worker. */
static void canonical_form_drops_single_children_and_merges_equal_periods(void **state)
{
    (void)state;
    hsgd_error err;
    hsgd_hierarchy h, c;
    const hsgd_node_spec spec[] = {{HSGD_NO_NODE, 12, 0}, {0, 12, 0}, {1, 2, 3}, {1, 4, 1}, {0, 3, 2}};
    const double divergence_sq[] = {0.7, 1.3, 0.4, 0, 0.9};
    double canonical_sq[5];
    assert_ok(hsgd_hierarchy_tree(&h, spec, 5, &err), err);
    assert_ok(hsgd_hierarchy_canonical(&c, &h, divergence_sq, canonical_sq, &err), err);
    /* the root takes in a (period 12 too, 4 of 6 workers): children b, the worker of c, and d */
    assert_int_equal(c.num_nodes, 3);
    assert_int_equal(c.num_levels, 2);
    assert_int_equal(c.node[0].num_children, 3);
    assert_close(canonical_sq[0], 0.7 + 4.0 / 6 * 1.3, 1e-15);
    assert_close(canonical_sq[1], 0.4, 1e-15);
    assert_close(canonical_sq[2], 0.9, 1e-15);
    assert_close(c.node[0].noise_share, 2.0 / 6, 1e-15); /* (c_u - 1)/|u| of the merged node */
    assert_int_equal(c.node[1].parent, 0);
    assert_int_equal(c.node[2].parent, 0);
    assert_int_equal(c.node[0].end, 3);
    hsgd_hierarchy_free(&c);
    hsgd_hierarchy_free(&h);
}

static void canonical_form_of_uniform_trees(void **state)
{
    (void)state;
    hsgd_error err;
    hsgd_hierarchy h, c;
    /* fanout 1 on top, equal periods in the middle: [1,4,3,5] at [60,20,20,4] is [12,5] at [20,4] */
    assert_ok(hsgd_hierarchy_uniform(&h, (size_t[]){1, 4, 3, 5}, (size_t[]){60, 20, 20, 4}, 4, &err), err);
    double d[4];
    assert_ok(hsgd_hierarchy_canonical(&c, &h, (double[]){0, 0.5, 0.25, 2}, d, &err), err);
    assert_int_equal(c.num_nodes, 2);
    assert_int_equal(c.node[0].num_children, 12);
    assert_int_equal(c.node[0].period, 20);
    assert_int_equal(c.node[1].copies, 12);
    assert_int_equal(c.node[1].num_children, 5);
    assert_close(d[0], 0.75, 1e-15);
    assert_close(d[1], 2, 1e-15);
    hsgd_hierarchy_free(&c);
    hsgd_hierarchy_free(&h);
    /* a single worker has no inner node left */
    assert_ok(hsgd_hierarchy_uniform(&h, (size_t[]){1, 1}, (size_t[]){6, 2}, 2, &err), err);
    assert_ok(hsgd_hierarchy_canonical(&c, &h, NULL, NULL, &err), err);
    assert_int_equal(c.num_nodes, 0);
    assert_int_equal(c.num_levels, 0);
    assert_int_equal(hsgd_hierarchy_global_period(&c), 1);
    hsgd_hierarchy_free(&c);
    hsgd_hierarchy_free(&h);
}

/* THEORY 4.3 on two groups of two with weights 1, 2, 3, 4 (tenths). */
static void weighted_noise_shares(void **state)
{
    (void)state;
    hsgd_error err;
    hsgd_hierarchy h, e;
    assert_ok(hsgd_hierarchy_uniform(&h, (size_t[]){2, 2}, (size_t[]){4, 2}, 2, &err), err);
    assert_fails(hsgd_hierarchy_set_weights(&h, (double[]){1, 2, 3, 4}, &err), HSGD_ERROR_INPUT, "one entry", err);
    assert_ok(hsgd_hierarchy_expand(&e, &h, &err), err);
    assert_ok(hsgd_hierarchy_set_weights(&e, (double[]){1, 2, 3, 4}, &err), err);
    double group_a = (1.0 + 4) / 9, group_b = (9.0 + 16) / 49, all = (1.0 + 4 + 9 + 16) / 100;
    assert_close(e.noise_share, all, 1e-14);
    assert_close(e.node[0].noise_share, 0.3 * group_a + 0.7 * group_b - all, 1e-14);
    assert_close(e.node[1].noise_share, 1 - group_a, 1e-14);
    assert_close(e.node[2].weight, 0.7, 1e-14);
    /* equal weights give back the counts */
    assert_ok(hsgd_hierarchy_set_weights(&e, (double[]){5, 5, 5, 5}, &err), err);
    assert_close(e.node[0].noise_share, 1.0 / 4, 1e-14);
    assert_close(e.node[2].noise_share, 1.0 / 2, 1e-14);
    assert_fails(hsgd_hierarchy_set_weights(&e, (double[]){1, 0, 1, 1}, &err), HSGD_ERROR_INPUT, "weights[1]", err);
    assert_fails(hsgd_hierarchy_set_weights(&e, (double[]){1, 1, NAN, 1}, &err), HSGD_ERROR_INPUT, "weights[2]", err);
    hsgd_hierarchy_free(&e);
    hsgd_hierarchy_free(&h);
}

static void bad_trees_are_refused_with_the_place(void **state)
{
    (void)state;
    hsgd_error err;
    hsgd_hierarchy h;
    assert_fails(hsgd_hierarchy_uniform(&h, (size_t[]){4, 2}, (size_t[]){20, 7}, 2, &err), HSGD_ERROR_INPUT,
                 "periods[1]", err);
    assert_fails(hsgd_hierarchy_uniform(&h, (size_t[]){4, 2}, (size_t[]){5, 20}, 2, &err), HSGD_ERROR_INPUT,
                 "periods[1]", err);
    assert_fails(hsgd_hierarchy_uniform(&h, (size_t[]){4, 0}, (size_t[]){20, 5}, 2, &err), HSGD_ERROR_INPUT,
                 "fanout[1]", err);
    assert_fails(hsgd_hierarchy_uniform(&h, (size_t[]){4}, (size_t[]){0}, 1, &err), HSGD_ERROR_INPUT, "periods[0]",
                 err);
    assert_fails(hsgd_hierarchy_uniform(&h, (size_t[]){1000000000}, (size_t[]){5}, 1, &err), HSGD_ERROR_INPUT,
                 "1000000000", err);
    assert_fails(hsgd_hierarchy_uniform(&h, (size_t[]){1u << 20, SIZE_MAX / 16 + 1}, (size_t[]){5, 5}, 2, &err),
                 HSGD_ERROR_INPUT, "fanout[1]", err);
    const hsgd_node_spec empty[] = {{HSGD_NO_NODE, 4, 0}, {0, 2, 0}};
    assert_fails(hsgd_hierarchy_tree(&h, empty, 2, &err), HSGD_ERROR_INPUT, "node[1]: has no worker", err);
    const hsgd_node_spec mixed[] = {{HSGD_NO_NODE, 4, 3}, {0, 2, 2}};
    assert_fails(hsgd_hierarchy_tree(&h, mixed, 2, &err), HSGD_ERROR_INPUT, "only one kind", err);
    const hsgd_node_spec order[] = {{HSGD_NO_NODE, 4, 0}, {0, 4, 0}, {0, 2, 2}, {1, 2, 2}};
    assert_fails(hsgd_hierarchy_tree(&h, order, 4, &err), HSGD_ERROR_INPUT, "pre-order", err);
    const hsgd_node_spec period[] = {{HSGD_NO_NODE, 4, 0}, {0, 3, 2}};
    assert_fails(hsgd_hierarchy_tree(&h, period, 2, &err), HSGD_ERROR_INPUT, "node[1]", err);
    const hsgd_node_spec two_roots[] = {{HSGD_NO_NODE, 4, 0}, {HSGD_NO_NODE, 2, 2}};
    assert_fails(hsgd_hierarchy_tree(&h, two_roots, 2, &err), HSGD_ERROR_INPUT, "node[1]: only the first node", err);
    const hsgd_node_spec child_first[] = {{1, 4, 2}, {HSGD_NO_NODE, 4, 0}};
    assert_fails(hsgd_hierarchy_tree(&h, child_first, 2, &err), HSGD_ERROR_INPUT, "node[0]: only the first node", err);
    const hsgd_node_spec own_parent[] = {{HSGD_NO_NODE, 4, 0}, {1, 2, 2}};
    assert_fails(hsgd_hierarchy_tree(&h, own_parent, 2, &err), HSGD_ERROR_INPUT, "parents come first", err);
    assert_fails(hsgd_hierarchy_tree(&h, NULL, 0, &err), HSGD_ERROR_INPUT, "no node", err);
}

/* One more than is legal: of levels, of workers in a group, and of workers in groups that are legal one by one. */
static void trees_that_are_too_large_are_refused(void **state)
{
    (void)state;
    hsgd_error err;
    hsgd_hierarchy h;
    enum { LEVELS = HSGD_MAX_LEVELS + 1 };
    size_t ones[LEVELS];
    hsgd_node_spec chain[LEVELS];
    for (size_t k = 0; k < LEVELS; k++) {
        ones[k] = 1;
        chain[k] = (hsgd_node_spec){k ? k - 1 : HSGD_NO_NODE, 1, k + 1 == LEVELS};
    }
    assert_fails(hsgd_hierarchy_uniform(&h, ones, ones, LEVELS, &err), HSGD_ERROR_INPUT, "fanout: 33 levels", err);
    assert_fails(hsgd_hierarchy_uniform(&h, ones, ones, 0, &err), HSGD_ERROR_INPUT, "fanout: 0 levels", err);
    assert_fails(hsgd_hierarchy_tree(&h, chain, LEVELS, &err), HSGD_ERROR_INPUT, "node[32]: more than 32 levels", err);
    chain[LEVELS - 2].num_workers = 1;
    assert_ok(hsgd_hierarchy_tree(&h, chain, LEVELS - 1, &err), err);
    assert_int_equal(h.num_levels, HSGD_MAX_LEVELS);
    hsgd_hierarchy_free(&h);
    const hsgd_node_spec crowd[] = {{HSGD_NO_NODE, 4, 0}, {0, 2, HSGD_MAX_WORKERS + 1}};
    assert_fails(hsgd_hierarchy_tree(&h, crowd, 2, &err), HSGD_ERROR_INPUT, "node[1]: ", err);
    const hsgd_node_spec halves[] = {{HSGD_NO_NODE, 4, 0}, {0, 2, HSGD_MAX_WORKERS}, {0, 2, 1}};
    assert_fails(hsgd_hierarchy_tree(&h, halves, 3, &err), HSGD_ERROR_INPUT, "node[0]: ", err);
}

static void weights_whose_sum_overflows_are_refused(void **state)
{
    (void)state;
    hsgd_error err;
    hsgd_hierarchy h;
    assert_ok(hsgd_hierarchy_uniform(&h, (size_t[]){2}, (size_t[]){3}, 1, &err), err);
    assert_fails(hsgd_hierarchy_set_weights(&h, (double[]){1.7e308, 1.7e308}, &err), HSGD_ERROR_INPUT, "sum", err);
    hsgd_hierarchy_free(&h);
}

/* Weights 1 and 3: 1/16 + 9/16 of the noise survives averaging over both, in local SGD as in the tree it is taken from. */
static void local_sgd_takes_the_weights(void **state)
{
    (void)state;
    hsgd_error err;
    hsgd_hierarchy h, local;
    assert_ok(hsgd_hierarchy_uniform(&h, (size_t[]){2}, (size_t[]){6}, 1, &err), err);
    assert_ok(hsgd_hierarchy_set_weights(&h, (double[]){1, 3}, &err), err);
    assert_ok(hsgd_hierarchy_local(&local, 2, 5, &h, &err), err);
    assert_close(local.noise_share, 10.0 / 16, 1e-15);
    assert_close(local.worker_weight[1], 0.75, 1e-15);
    assert_int_equal(hsgd_hierarchy_global_period(&local), 5);
    hsgd_hierarchy_free(&local);
    hsgd_hierarchy_free(&h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(uniform_tree_has_one_entry_per_level),
        cmocka_unit_test(expansion_numbers_workers_from_left_to_right),
        cmocka_unit_test(only_the_topmost_due_node_acts),
        cmocka_unit_test(unequal_groups_and_depths),
        cmocka_unit_test(canonical_form_drops_single_children_and_merges_equal_periods),
        cmocka_unit_test(canonical_form_of_uniform_trees),
        cmocka_unit_test(weighted_noise_shares),
        cmocka_unit_test(bad_trees_are_refused_with_the_place),
        cmocka_unit_test(trees_that_are_too_large_are_refused),
        cmocka_unit_test(weights_whose_sum_overflows_are_refused),
        cmocka_unit_test(local_sgd_takes_the_weights),
    };
    return cmocka_run_group_tests_name("hierarchy", tests, NULL, NULL);
}
