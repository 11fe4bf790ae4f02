/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Trees that several test programs of this folder run on; free them with hsgd_hierarchy_free. */
#ifndef HSGD_TESTS_ANALYSIS_TREES_H
#define HSGD_TESTS_ANALYSIS_TREES_H

#include "tests/test.h"

#include "analysis/hierarchy.h"

/* A uniform tree with one entry per node. */
static inline hsgd_hierarchy uniform(const size_t *fanout, const size_t *periods, size_t levels)
{
    hsgd_error err;
    hsgd_hierarchy h, e;
    assert_ok(hsgd_hierarchy_uniform(&h, fanout, periods, levels, &err), err);
    assert_ok(hsgd_hierarchy_expand(&e, &h, &err), err);
    hsgd_hierarchy_free(&h);
    return e;
}

/* The same where the periods do not matter: each is half of the one above. */
static inline void make_uniform(hsgd_hierarchy *out, const size_t *fanout, size_t levels)
{
    size_t periods[HSGD_MAX_LEVELS];
    for (size_t k = 0; k < levels; k++)
        periods[k] = (size_t)1 << (levels - k);
    *out = uniform(fanout, periods, levels);
}

/* root(12): [ a(6): [ b(2): 3, c(3): 2 ], d(4): 4, e(12): 1 ]: unequal sizes, depths and periods. */
static inline hsgd_hierarchy crooked(void)
{
    hsgd_error err;
    hsgd_hierarchy h;
    const hsgd_node_spec spec[] = {{HSGD_NO_NODE, 12, 0}, {0, 6, 0}, {1, 2, 3}, {1, 3, 2}, {0, 4, 4}, {0, 12, 1}};
    assert_ok(hsgd_hierarchy_tree(&h, spec, 6, &err), err);
    return h;
}

/* The same with one more child of the root: a group of one inside a group, g(6): [ h(6): 2 ]. */
static inline hsgd_hierarchy more_crooked(void)
{
    hsgd_error err;
    hsgd_hierarchy h;
    const hsgd_node_spec spec[] = {
        {HSGD_NO_NODE, 12, 0}, {0, 6, 0}, {1, 2, 3}, {1, 3, 2}, {0, 4, 4}, {0, 12, 1}, {0, 6, 0}, {6, 6, 2}};
    assert_ok(hsgd_hierarchy_tree(&h, spec, 8, &err), err);
    return h;
}

/* root(12): [ a(6): [ (2): 20, (2): 30, (2): 9 ], b(6): [ c(3): [ (3): 5, (1): 8 ], d(2): 70 ], e(12): 5 ] */
static inline hsgd_hierarchy deep_and_crooked(void)
{
    hsgd_error err;
    hsgd_hierarchy h;
    const hsgd_node_spec spec[] = {{HSGD_NO_NODE, 12, 0},
                                   {0, 6, 0},
                                   {1, 2, 20},
                                   {1, 2, 30},
                                   {1, 2, 9},
                                   {0, 6, 0},
                                   {5, 3, 0},
                                   {6, 3, 5},
                                   {6, 1, 8},
                                   {5, 2, 70},
                                   {0, 12, 5}};
    assert_ok(hsgd_hierarchy_tree(&h, spec, 11, &err), err);
    return h;
}

/* Trees whose root has few children, which the engine divides in their turn for problems of DEEP_DIM parameters: on three and
 * four levels, inside lowest groups, with levels that act together, and with periods that do not fit each other. */
enum { NUM_DEEP_TREES = 5, DEEP_DIM = 128 };
static inline void make_deep_trees(hsgd_hierarchy tree[NUM_DEEP_TREES])
{
    tree[0] = uniform((size_t[]){2, 7, 10}, (size_t[]){12, 6, 2}, 3);
    tree[1] = uniform((size_t[]){2, 2, 3, 12}, (size_t[]){8, 4, 2, 1}, 4);
    tree[2] = uniform((size_t[]){3, 70}, (size_t[]){10, 5}, 2);
    tree[3] = uniform((size_t[]){2, 2, 8, 5}, (size_t[]){8, 4, 4, 4}, 4);
    tree[4] = deep_and_crooked();
}

#endif
