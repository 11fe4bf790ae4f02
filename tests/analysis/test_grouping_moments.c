/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Means over groupings: visiting against the closed form, and both against definitions evaluated here over all n!
 * permutations.
 *
 * What must be rejected, and is tried below, by exact means and by drawn ones: the closed form with n instead of n - 1,
 * with m_k instead of m_k - 1, with Up and Down exchanged, and with an m_k that leaves out workers above depth k; by
 * drawn ones: placements that are rotations only, those of the naive shuffle (each place swapped with any place), and
 * those of Sattolo's (each place swapped with an earlier one, never itself) where groups differ in size. An enumeration
 * that skips or repeats a grouping, or takes equal siblings for different ones, fails against the permutations.
 *
 * Verdicts: exact means agree with a formula if they do to TOLERANCE relative; drawn ones if all 3 M intervals contain
 * it. The intervals hold together with probability CONFIDENCE (Student t, Bonferroni): per call, a right formula is
 * rejected for about one choice of seeds in 1000. The seeds are fixed, so a test that passes always does. */
#include "tests/analysis/trees.h"

#include <gsl/gsl_errno.h>
#include <gsl/gsl_randist.h>

#include "analysis/grouping.h"
#include "analysis/grouping_moments.h"
#include "analysis/grouping_moments_private.h"
#include "analysis/random.h"

#define TOLERANCE 1e-12
#define CONFIDENCE 0.999
enum { MAX_SIZE = 128, MAX_DIM = 12, MAX_LABEL = 64, MAX_PERMUTATIONS = 5040 };

static hsgd_error err;

/* ---- trees and vectors ---- */

typedef struct tree {
    const char *name;
    size_t num_specs;
    hsgd_node_spec spec[12];
    double groupings; /* n!/|Aut|, by hand; 0: not stated */
} tree;

#define R HSGD_NO_NODE
/* Periods play no part: equal siblings have different ones here. */
static const tree small_trees[] = {
    {"one level", 1, {{R, 4, 5}}, 1},
    {"one worker", 1, {{R, 4, 1}}, 1},
    {"chain above one worker", 3, {{R, 4, 0}, {0, 2, 0}, {1, 1, 1}}, 1},
    {"chain above a group", 3, {{R, 4, 0}, {0, 2, 0}, {1, 1, 6}}, 1},
    {"one each", 5, {{R, 4, 0}, {0, 4, 1}, {0, 2, 1}, {0, 1, 1}, {0, 4, 1}}, 1},
    {"2 + 2", 3, {{R, 4, 0}, {0, 4, 2}, {0, 2, 2}}, 3},
    {"2 x 3", 3, {{R, 4, 0}, {0, 4, 3}, {0, 2, 3}}, 10},
    {"3 x 2", 4, {{R, 4, 0}, {0, 4, 2}, {0, 2, 2}, {0, 1, 2}}, 15},
    {"2 + 1", 3, {{R, 4, 0}, {0, 4, 2}, {0, 2, 1}}, 3},
    /* 7!/(3! 2! 2! 2!), also with the equal ones apart */
    {"3 + 2 + 2", 4, {{R, 4, 0}, {0, 4, 3}, {0, 2, 2}, {0, 1, 2}}, 105},
    {"2 + 3 + 2", 4, {{R, 4, 0}, {0, 4, 2}, {0, 2, 3}, {0, 1, 2}}, 105},
    {"1 + 2 + 3", 4, {{R, 4, 0}, {0, 4, 1}, {0, 2, 2}, {0, 1, 3}}, 60},
    /* [2 2] [2 1]: 7!/(2!^2 2! 2!) */
    {"3 levels", 7, {{R, 8, 0}, {0, 4, 0}, {1, 4, 2}, {1, 2, 2}, {0, 4, 0}, {4, 2, 2}, {4, 1, 1}}, 315},
    /* [2 1] [1 2], equal up to the order of their children: 6!/(2!^2 2) */
    {"mirrored", 7, {{R, 8, 0}, {0, 4, 0}, {1, 4, 2}, {1, 2, 1}, {0, 4, 0}, {4, 2, 1}, {4, 1, 2}}, 90},
    /* [2] [1 1] [2], the middle one with a node for each worker: 6!/(2!^2 2! 2!) */
    {"depths", 6, {{R, 8, 0}, {0, 4, 2}, {0, 4, 0}, {2, 2, 1}, {2, 1, 1}, {0, 4, 2}}, 45},
    /* [2] beside [2 1] one level further down: 5!/(2! 2!) */
    {"very different depths", 5, {{R, 8, 0}, {0, 4, 2}, {0, 4, 0}, {2, 2, 2}, {2, 1, 1}}, 30},
    /* a group of 3 over a single child and a plain one of 3 are different: 6!/(3! 3!) */
    {"chain beside a group", 4, {{R, 8, 0}, {0, 4, 0}, {1, 4, 3}, {0, 4, 3}}, 20},
    /* [[2] 1] [[1] 2] [1]: 7!/(2! 2!) */
    {"single children",
     10,
     {{R, 8, 0}, {0, 4, 0}, {1, 4, 0}, {2, 4, 2}, {1, 4, 1}, {0, 4, 0}, {5, 4, 0}, {6, 4, 1}, {5, 2, 2}, {0, 4, 1}},
     1260},
};
#undef R
enum { NUM_SMALL = sizeof small_trees / sizeof *small_trees };

static void make_tree(hsgd_hierarchy *h, const tree *t)
{
    assert_ok(hsgd_hierarchy_tree(h, t->spec, t->num_specs, &err), err);
}

/* root: [groups of 3, 11 and 5, and a subtree of groups of 2, 7 and 2]. */
static void make_unequal(hsgd_hierarchy *h)
{
    const hsgd_node_spec spec[] = {
        {HSGD_NO_NODE, 24, 0}, {0, 12, 3}, {0, 6, 11}, {0, 8, 5}, {0, 12, 0}, {4, 4, 2}, {4, 6, 7}, {4, 2, 2}};
    assert_ok(hsgd_hierarchy_tree(h, spec, sizeof spec / sizeof *spec, &err), err);
}

typedef struct cloud {
    size_t count, dim;
    double x[MAX_SIZE * MAX_DIM];
} cloud;

/* Normals with different spreads, around a point that is not the origin. */
static cloud make_cloud(size_t count, size_t dim, uint64_t seed)
{
    cloud c = {.count = count, .dim = dim};
    assert_true(count <= MAX_SIZE && dim <= MAX_DIM);
    hsgd_normals(&(hsgd_stream){.seed = seed, .purpose = HSGD_PURPOSE_USER}, 1.3, c.x, count * dim);
    for (size_t i = 0; i < count * dim; i++)
        c.x[i] = c.x[i] * (1 + (double)(i / dim % 3)) + 2.385 + (double)(i % dim);
    return c;
}

/* ---- definitions of THEORY 2, evaluated directly ---- */

/* Mean of the workers place[first .. first + count). */
static void mean_of(long double *mean, const cloud *c, const size_t *place, size_t first, size_t count)
{
    for (size_t i = 0; i < c->dim; i++) {
        mean[i] = 0;
        for (size_t j = first; j < first + count; j++)
            mean[i] += c->x[place[j] * c->dim + i] / (long double)count;
    }
}

/* Adds what the node with these workers contributes to Up and Down, each times n. */
static void add_group(long double *up, long double *down, const cloud *c, const size_t *place, size_t first,
                      size_t count)
{
    long double all[MAX_DIM], own[MAX_DIM];
    mean_of(all, c, place, 0, c->count);
    mean_of(own, c, place, first, count);
    for (size_t i = 0; i < c->dim; i++) {
        *up += (long double)count * (own[i] - all[i]) * (own[i] - all[i]);
        for (size_t j = first; j < first + count; j++) {
            long double step = c->x[place[j] * c->dim + i] - own[i];
            *down += step * step;
        }
    }
}

/* Up_depth and Down_depth of one placement; workers above the depth are nodes of their own. */
static void divide(long double *up, long double *down, const hsgd_hierarchy *h, const cloud *c, const size_t *place,
                   size_t depth)
{
    *up = *down = 0;
    for (size_t u = 0; u < h->num_nodes; u++) {
        const hsgd_node *node = &h->node[u];
        if (node->depth == depth)
            add_group(up, down, c, place, node->first_worker, node->num_workers);
        for (size_t i = 0; node->depth < depth && hsgd_node_is_lowest(h, u) && i < node->num_workers; i++)
            add_group(up, down, c, place, node->first_worker + i, 1);
    }
    *up /= (long double)c->count;
    *down /= (long double)c->count;
}

/* m_depth, with a worker above the depth as a node of its own. */
static size_t groups_at(const hsgd_hierarchy *h, size_t depth)
{
    size_t groups = 0;
    for (size_t u = 0; u < h->num_nodes; u++) {
        groups += h->node[u].depth == depth;
        if (h->node[u].depth < depth && hsgd_node_is_lowest(h, u))
            groups += h->node[u].num_workers;
    }
    return groups;
}

/* ---- verdicts on formulas ---- */

typedef enum formula { RIGHT, N, GROUPS, EXCHANGED, NO_WORKERS_ABOVE } formula;

/* (m_k - 1)/(n - 1), or a wrong version of it. */
static double share_up(const hsgd_hierarchy *h, size_t depth, formula f)
{
    double n = (double)h->num_workers, m = (double)groups_at(h, depth), nodes = 0;
    for (size_t u = 0; u < h->num_nodes; u++)
        nodes += h->node[u].depth == depth;
    double right = n > 1 ? (m - 1) / (n - 1) : 0;
    switch (f) {
    case RIGHT:
        return right;
    case N:
        return (m - 1) / n;
    case GROUPS:
        return m / (n - 1);
    case EXCHANGED:
        return 1 - right;
    case NO_WORKERS_ABOVE:
        return (nodes - 1) / (n - 1);
    }
    return NAN;
}

/* One estimate, exact or drawn; `total` is the scale of rounding errors. */
static bool contains(hsgd_estimate e, double value, double total, double checks)
{
    double allowed = hsgd_half_width(e, CONFIDENCE, checks) + TOLERANCE * (e.se > 0 ? total : fabs(value));
    return fabs(e.mean - value) <= allowed;
}

static bool agrees(const hsgd_grouping_moments *m, const hsgd_hierarchy *h, formula f)
{
    bool all = true;
    double checks = 3 * (double)m->num_levels, above = 0, total = m->divergence;
    for (size_t k = 0; k < m->num_levels; k++) {
        double share = share_up(h, k + 1, f), unit = h->num_workers > 1 ? total : 0;
        double down = (1 - share) * unit;
        if (f == RIGHT) /* 1 - share cancels */
            down = (double)(h->num_workers - groups_at(h, k + 1)) / fmax(1, (double)h->num_workers - 1) * unit;
        all = all && contains(m->upward[k], share * unit, total, checks);
        all = all && contains(m->downward[k], down, total, checks);
        all = all && contains(m->level[k], (share - above) * unit, total, checks);
        above = share;
    }
    return all;
}

static void assert_theory(const hsgd_grouping_moments *m, const hsgd_hierarchy *h)
{
    double above = 0;
    for (size_t k = 0; k < h->num_levels; k++) {
        double up = share_up(h, k + 1, RIGHT) * m->divergence, rest = h->num_workers > 1 ? m->divergence : 0;
        assert_close(m->upward_theory[k], up, 1e-14);
        check_close(m->downward_theory[k], rest - up, 1e-14, rest, "downward_theory", __FILE__, __LINE__);
        check_close(m->level_theory[k], up - above, 1e-14, rest, "level_theory", __FILE__, __LINE__);
        above = up;
    }
}

/* The cloud over all groupings, with the checks that every call must pass. */
static hsgd_grouping_moments find_exact(const hsgd_hierarchy *h, const cloud *c)
{
    hsgd_grouping_moments m;
    assert_ok(hsgd_grouping_moments_find(&m, h, c->x, c->dim, 10000000, 0, 0, &err), err);
    assert_true(m.exact);
    assert_true((double)m.num_visited == m.num_groupings); /* the hook formula against the enumeration */
    assert_int_equal(m.num_levels, h->num_levels);
    for (size_t k = 0; k < m.num_levels; k++) {
        assert_true(m.level[k].se == 0 && m.upward[k].se == 0 && m.downward[k].se == 0);
        assert_int_equal(m.level[k].count, m.num_visited);
    }
    assert_theory(&m, h);
    return m;
}

/* ---- all permutations ---- */

static int compare_labels(const void *a, const void *b)
{
    return strcmp(a, b);
}

/* The grouping as nested sets, each written in sorted order: equal for equal groupings and only for them. */
static void write_label(char *label, const hsgd_hierarchy *h, const size_t *place, size_t u)
{
    char part[8][MAX_LABEL];
    size_t count = 0;
    if (hsgd_node_is_lowest(h, u))
        for (size_t i = 0; i < h->node[u].num_workers; i++)
            snprintf(part[count++], MAX_LABEL, "%zu", place[h->node[u].first_worker + i]);
    for (size_t v = u + 1; v < h->node[u].end; v = h->node[v].end)
        write_label(part[count++], h, place, v);
    qsort(part, count, MAX_LABEL, compare_labels);
    strcpy(label, "(");
    for (size_t i = 0; i < count; i++)
        strcat(label, part[i]);
    strcat(label, ")");
}

typedef struct labels {
    const hsgd_hierarchy *h;
    size_t place[8], count, num_put;
    char label[MAX_PERMUTATIONS][MAX_LABEL];
} labels;

static void put_label(void *source, size_t worker, size_t place)
{
    labels *l = source;
    assert_int_equal(worker, l->num_put++);
    assert_true(l->place[place] == HSGD_NO_PLACE);
    l->place[place] = worker;
}

static void take_label(void *source, size_t worker, size_t place)
{
    labels *l = source;
    assert_int_equal(worker, --l->num_put);
    assert_int_equal(l->place[place], worker);
    l->place[place] = HSGD_NO_PLACE;
}

static void keep_label(void *source)
{
    labels *l = source;
    assert_true(l->count < MAX_PERMUTATIONS);
    assert_int_equal(l->num_put, l->h->num_workers);
    write_label(l->label[l->count++], l->h, l->place, 0);
}

static void permute(labels *l, size_t from, void (*done)(void *))
{
    if (from == l->h->num_workers)
        done(l);
    for (size_t i = from; i < l->h->num_workers; i++) {
        size_t swap = l->place[from];
        l->place[from] = l->place[i];
        l->place[i] = swap;
        permute(l, from + 1, done);
        l->place[i] = l->place[from];
        l->place[from] = swap;
    }
}

/* Groupings visited are those that permutations give, each once; and each comes from the same number of permutations,
 * which is what makes them equally likely. */
static void every_grouping_is_visited_once(void **state)
{
    (void)state;
    static labels all, visited;
    for (size_t t = 0; t < NUM_SMALL; t++) {
        hsgd_hierarchy h;
        hsgd_groupings groupings;
        const hsgd_grouping_visitor visitor = {&visited, put_label, take_label, keep_label};
        make_tree(&h, &small_trees[t]);
        all.h = visited.h = &h;
        all.count = visited.count = visited.num_put = 0;
        all.num_put = h.num_workers;
        for (size_t i = 0; i < h.num_workers; i++) {
            all.place[i] = i;
            visited.place[i] = HSGD_NO_PLACE;
        }
        permute(&all, 0, keep_label);
        assert_ok(hsgd_groupings_init(&groupings, &h, &err), err);
        assert_ok(hsgd_groupings_visit(&groupings, &visitor, &err), err);
        qsort(all.label, all.count, MAX_LABEL, compare_labels);
        qsort(visited.label, visited.count, MAX_LABEL, compare_labels);
        if (all.count % visited.count != 0 || groupings.count != (double)visited.count)
            fail_msg("%s: %zu visited, %g counted", small_trees[t].name, visited.count, groupings.count);
        for (size_t i = 0; i < all.count; i++)
            assert_string_equal(all.label[i], visited.label[i / (all.count / visited.count)]);
        hsgd_groupings_free(&groupings);
        hsgd_hierarchy_free(&h);
    }
}

typedef struct averages {
    labels base; /* first, so that permute works on it */
    const cloud *c;
    long double up[4], down[4];
    size_t count;
} averages;

static void add_permutation(void *source)
{
    averages *a = source;
    a->count++;
    for (size_t k = 0; k < a->base.h->num_levels; k++) {
        long double up, down;
        divide(&up, &down, a->base.h, a->c, a->base.place, k + 1);
        a->up[k] += up;
        a->down[k] += down;
    }
}

/* Means over all n! permutations of Up and Down from their definitions. */
static void means_are_those_over_all_permutations(void **state)
{
    (void)state;
    static averages a;
    for (size_t t = 0; t < NUM_SMALL; t++) {
        hsgd_hierarchy h;
        make_tree(&h, &small_trees[t]);
        cloud c = make_cloud(h.num_workers, 2 + t % 4, t);
        memset(&a, 0, sizeof a);
        a.base.h = &h;
        a.c = &c;
        for (size_t i = 0; i < h.num_workers; i++)
            a.base.place[i] = i;
        permute(&a.base, 0, add_permutation);
        hsgd_grouping_moments m = find_exact(&h, &c);
        double total = (double)((a.up[0] + a.down[0]) / (long double)a.count), above = 0;
        check_close(m.divergence, total, 1e-13, 0, small_trees[t].name, __FILE__, __LINE__);
        for (size_t k = 0; k < h.num_levels; k++) {
            double up = (double)(a.up[k] / (long double)a.count), down = (double)(a.down[k] / (long double)a.count);
            check_close(m.upward[k].mean, up, TOLERANCE, 1e-15 * total, small_trees[t].name, __FILE__, __LINE__);
            check_close(m.downward[k].mean, down, TOLERANCE, 1e-15 * total, small_trees[t].name, __FILE__, __LINE__);
            check_close(m.level[k].mean, up - above, TOLERANCE, total, small_trees[t].name, __FILE__, __LINE__);
            above = up;
        }
        hsgd_grouping_moments_free(&m);
        hsgd_hierarchy_free(&h);
    }
}

/* ---- counts ---- */

static double count_of(const hsgd_hierarchy *h)
{
    hsgd_groupings groupings;
    assert_ok(hsgd_groupings_init(&groupings, h, &err), err);
    double count = groupings.count;
    hsgd_groupings_free(&groupings);
    return count;
}

/* n!/|Aut| by hand. 4 x 2: 8!/(2!^4 4!); 2 x 2 x 2: 8!/2^7; 3 x 3: 9!/(3!^3 3!); 3 x 4: 12!/(4!^3 3!);
 * 2 x 3 x 2: 12!/(2!^6 3!^2 2!). */
static void counts_are_the_known_ones(void **state)
{
    (void)state;
    const struct {
        size_t fanout[3], num_levels;
        double count;
    } uniform[] = {{{4, 2}, 2, 105},   {{2, 4}, 2, 35},        {{2, 2, 2}, 3, 315}, {{3, 3}, 2, 280}, {{2, 3}, 2, 10},
                   {{3, 4}, 2, 5775},  {{2, 3, 2}, 3, 103950}, {{5, 2}, 2, 945},    {{7}, 1, 1},      {{1, 5, 1}, 3, 1},
                   {{1, 3, 2}, 3, 15}, {{9, 1}, 2, 1},         {{2, 8}, 2, 6435},   {{2, 6}, 2, 462}, {{2, 7}, 2, 1716},
                   {{1, 1, 1}, 3, 1},  {{2, 1, 2}, 3, 3}};
    hsgd_hierarchy h;
    for (size_t i = 0; i < sizeof uniform / sizeof *uniform; i++) {
        make_uniform(&h, uniform[i].fanout, uniform[i].num_levels);
        assert_true(count_of(&h) == uniform[i].count);
        hsgd_hierarchy_free(&h);
    }
    for (size_t t = 0; t < NUM_SMALL; t++) {
        make_tree(&h, &small_trees[t]);
        assert_true(count_of(&h) == small_trees[t].groupings);
        hsgd_hierarchy_free(&h);
    }
    make_uniform(&h, (size_t[]){10, 10}, 2);
    assert_close(log(count_of(&h)), lgamma(101) - 11 * lgamma(11), 1e-14);
    hsgd_hierarchy_free(&h);
    make_unequal(&h); /* 30!/(3! 11! 5! 2! 7! 2! 2!) */
    assert_close(log(count_of(&h)), lgamma(31) - log(6 * 39916800.0 * 120 * 2 * 5040 * 2 * 2), 1e-14);
    hsgd_hierarchy_free(&h);
    make_uniform(&h, (size_t[]){100, 1000}, 2);
    assert_true(isinf(count_of(&h)));
    hsgd_hierarchy_free(&h);
}

/* ---- the closed form, exactly ---- */

static void uniform_trees_have_the_closed_form(void **state)
{
    (void)state;
    const size_t fanouts[][3] = {{2, 2}, {3, 2},    {2, 3},    {4, 2},    {2, 4},    {3, 3},    {5, 2},    {2, 5},
                                 {1, 7}, {2, 2, 2}, {2, 2, 1}, {3, 1, 3}, {1, 4, 2}, {2, 1, 4}, {5, 1, 1}, {2, 5, 1}};
    for (size_t i = 0; i < sizeof fanouts / sizeof *fanouts; i++) {
        hsgd_hierarchy h;
        make_uniform(&h, fanouts[i], fanouts[i][2] ? 3 : 2);
        cloud c = make_cloud(h.num_workers, 1 + i % 5, 40 + i);
        hsgd_grouping_moments m = find_exact(&h, &c);
        assert_true(agrees(&m, &h, RIGHT));
        hsgd_grouping_moments_free(&m);
        hsgd_hierarchy_free(&h);
    }
}

static void other_trees_have_the_closed_form(void **state)
{
    (void)state;
    for (size_t t = 0; t < NUM_SMALL; t++) {
        hsgd_hierarchy h;
        make_tree(&h, &small_trees[t]);
        cloud c = make_cloud(h.num_workers, 1 + t % 4, 60 + t);
        hsgd_grouping_moments m = find_exact(&h, &c);
        if (!agrees(&m, &h, RIGHT))
            fail_msg("%s", small_trees[t].name);
        hsgd_grouping_moments_free(&m);
        hsgd_hierarchy_free(&h);
    }
}

/* 2 x 3 x 2 has 103950 groupings, 4 + 5 + 4 has 13!/(4!^2 5! 2!) = 45045, 4 x 4 has 16!/(4!^4 4!) = 2627625. Adding
 * that many values one after the other would lose three digits more. */
static void many_groupings_lose_no_digits(void **state)
{
    (void)state;
    const hsgd_node_spec spec[] = {{HSGD_NO_NODE, 24, 0}, {0, 12, 4}, {0, 6, 5}, {0, 8, 4}};
    const size_t groupings[] = {103950, 45045, 2627625};
    hsgd_hierarchy h[3];
    make_uniform(&h[0], (size_t[]){2, 3, 2}, 3);
    assert_ok(hsgd_hierarchy_tree(&h[1], spec, 4, &err), err);
    make_uniform(&h[2], (size_t[]){4, 4}, 2);
    for (size_t i = 0; i < 3; i++) {
        cloud c = make_cloud(h[i].num_workers, 3, 80 + i);
        hsgd_grouping_moments m = find_exact(&h[i], &c);
        assert_int_equal(m.num_visited, groupings[i]);
        assert_true(agrees(&m, &h[i], RIGHT));
        assert_close(m.upward[0].mean, m.upward_theory[0], 4e-15);
        hsgd_grouping_moments_free(&m);
        hsgd_hierarchy_free(&h[i]);
    }
}

static void exact_means_reject_wrong_formulas(void **state)
{
    (void)state;
    const size_t tried[] = {5, 6, 7, 8, 9, 11, 12, 13, 14, 15};
    for (size_t i = 0; i < sizeof tried / sizeof *tried; i++) {
        hsgd_hierarchy h;
        make_tree(&h, &small_trees[tried[i]]);
        cloud c = make_cloud(h.num_workers, 3, 90 + i);
        hsgd_grouping_moments m = find_exact(&h, &c);
        assert_true(agrees(&m, &h, RIGHT));
        assert_false(agrees(&m, &h, N));
        assert_false(agrees(&m, &h, GROUPS));
        assert_false(agrees(&m, &h, EXCHANGED));
        if (tried[i] >= 14) /* the trees with workers at different depths */
            assert_false(agrees(&m, &h, NO_WORKERS_ABOVE));
        hsgd_grouping_moments_free(&m);
        hsgd_hierarchy_free(&h);
    }
}

/* ---- random placements ---- */

static hsgd_grouping_moments find_drawn(const hsgd_hierarchy *h, const cloud *c, size_t draws, uint64_t seed)
{
    hsgd_grouping_moments m;
    assert_ok(hsgd_grouping_moments_find(&m, h, c->x, c->dim, 0, draws, seed, &err), err);
    assert_false(m.exact);
    assert_int_equal(m.num_visited, draws);
    assert_theory(&m, h);
    return m;
}

/* dim 1 makes walks over the tree the faster way, dim 12 the Gram matrix. */
static void intervals_contain_the_closed_form(void **state)
{
    (void)state;
    hsgd_hierarchy h[4];
    make_uniform(&h[0], (size_t[]){3, 2, 4}, 3);
    make_unequal(&h[1]);
    make_uniform(&h[2], (size_t[]){8, 8}, 2);
    make_tree(&h[3], &small_trees[13]);
    for (size_t i = 0; i < 4; i++) {
        for (size_t dim = 1; dim <= 12; dim += 11) {
            cloud c = make_cloud(h[i].num_workers, dim, 100 + i);
            hsgd_grouping_moments m = find_drawn(&h[i], &c, 4000, 1000 * i);
            assert_true(agrees(&m, &h[i], RIGHT));
            assert_true(m.upward[0].se > 0 && m.upward[0].se < 0.02 * m.divergence);
            hsgd_grouping_moments_free(&m);
        }
        hsgd_hierarchy_free(&h[i]);
    }
}

/* n instead of n - 1 changes Up by 1/n: with the 14 workers here the interval must be a few times narrower. */
static void intervals_reject_wrong_formulas(void **state)
{
    (void)state;
    const hsgd_node_spec spec[] = {{HSGD_NO_NODE, 24, 0}, {0, 12, 3}, {0, 8, 5}, {0, 12, 0}, {3, 4, 4}, {3, 2, 2}};
    hsgd_hierarchy h;
    assert_ok(hsgd_hierarchy_tree(&h, spec, sizeof spec / sizeof *spec, &err), err);
    cloud c = make_cloud(h.num_workers, 5, 7);
    hsgd_grouping_moments m = find_drawn(&h, &c, 40000, 1);
    assert_true(agrees(&m, &h, RIGHT));
    assert_false(agrees(&m, &h, N));
    assert_false(agrees(&m, &h, GROUPS));
    assert_false(agrees(&m, &h, EXCHANGED));
    assert_false(agrees(&m, &h, NO_WORKERS_ABOVE));
    hsgd_grouping_moments_free(&m);
    hsgd_hierarchy_free(&h);
}

typedef enum shuffle { FAIR, ROTATION, NAIVE, SATTOLO } shuffle;

typedef struct shuffler {
    gsl_rng *rng;
    size_t count;
    shuffle kind;
} shuffler;

static hsgd_status draw_place(size_t *place, size_t draw, void *source, hsgd_error *unused)
{
    const shuffler *s = source;
    size_t n = s->count, shift = gsl_rng_uniform_int(s->rng, n);
    (void)draw;
    (void)unused;
    for (size_t i = 0; i < n; i++)
        place[i] = s->kind == ROTATION ? (i + shift) % n : i;
    for (size_t i = n; i-- > 0 && s->kind != ROTATION;) {
        size_t choices = s->kind == NAIVE ? n : s->kind == FAIR ? i + 1 : i;
        size_t j = choices ? gsl_rng_uniform_int(s->rng, choices) : 0, swap = place[i];
        place[i] = place[j];
        place[j] = swap;
    }
    return HSGD_OK;
}

/* Does the check accept this shuffle of six workers? */
static bool accepts(shuffle kind, const hsgd_node_spec *spec, size_t num_specs)
{
    hsgd_hierarchy h;
    hsgd_grouping_moments m;
    const double x[] = {1.7, 1.9, 0.2, -1.1, -1.3, -0.4};
    const hsgd_stream stream = {.seed = 11, .purpose = HSGD_PURPOSE_USER, .worker = (uint32_t)kind};
    shuffler s = {hsgd_stream_rng(&stream), 6, kind};
    assert_non_null(s.rng);
    assert_ok(hsgd_hierarchy_tree(&h, spec, num_specs, &err), err);
    assert_ok(hsgd_grouping_moments_drawn(&m, &h, x, 1, 0, 600000, draw_place, &s, &err), err);
    bool agreed = agrees(&m, &h, RIGHT);
    gsl_rng_free(s.rng);
    hsgd_grouping_moments_free(&m);
    hsgd_hierarchy_free(&h);
    return agreed;
}

/* The naive shuffle puts workers 0
 * and 1 into one of two groups of 3 with probability 0.4067 instead of 2/5 (all 6^6 outcomes counted): 11 standard
 * errors of the mean here.
 *
 * A limit of every check of means of Up: it sees how often pairs meet, and nothing else. Sattolo's shuffle lets pairs
 * meet at the right rate where all groups have one size (the numbers of cyclic permutations with two given arcs are
 * all (n-3)!), so there it must pass; groups of 1, 2 and 3 give it away. */
static void biased_shuffles_are_rejected(void **state)
{
    (void)state;
    const hsgd_node_spec even[] = {{HSGD_NO_NODE, 4, 0}, {0, 2, 3}, {0, 2, 3}};
    const hsgd_node_spec uneven[] = {{HSGD_NO_NODE, 4, 0}, {0, 2, 1}, {0, 2, 2}, {0, 2, 3}};
    assert_true(accepts(FAIR, even, 3));
    assert_true(accepts(FAIR, uneven, 4));
    assert_false(accepts(ROTATION, even, 3));
    assert_false(accepts(NAIVE, even, 3));
    assert_true(accepts(SATTOLO, even, 3));
    assert_false(accepts(SATTOLO, uneven, 4));
}

/* ---- both ways, and the edges ---- */

/* Coordinates that are 0 for everyone change nothing but the way of evaluation: same draws, same values. */
static void both_evaluations_agree(void **state)
{
    (void)state;
    hsgd_hierarchy h;
    make_unequal(&h);
    cloud thin = make_cloud(h.num_workers, 2, 3), wide = {.count = h.num_workers, .dim = 12};
    for (size_t i = 0; i < h.num_workers; i++)
        memcpy(wide.x + i * 12, thin.x + i * 2, 2 * sizeof *wide.x);
    hsgd_grouping_moments a = find_drawn(&h, &thin, 50, 9), b = find_drawn(&h, &wide, 50, 9);
    for (size_t k = 0; k < h.num_levels; k++) {
        check_close(a.upward[k].mean, b.upward[k].mean, 1e-13, a.divergence, "upward", __FILE__, __LINE__);
        check_close(a.downward[k].mean, b.downward[k].mean, 1e-13, a.divergence, "downward", __FILE__, __LINE__);
        check_close(a.level[k].mean, b.level[k].mean, 1e-13, a.divergence, "level", __FILE__, __LINE__);
        check_close(a.level[k].se, b.level[k].se, 1e-13, a.divergence, "se", __FILE__, __LINE__);
    }
    hsgd_grouping_moments_free(&a);
    hsgd_grouping_moments_free(&b);
    hsgd_hierarchy_free(&h);
}

/* Mean and standard error over the product's own shuffles, from the definitions. */
static void drawn_means_are_those_of_the_placements(void **state)
{
    (void)state;
    enum { DRAWS = 20, SEED = 31 };
    hsgd_hierarchy h;
    make_unequal(&h);
    cloud c = make_cloud(h.num_workers, 4, 5);
    hsgd_grouping_moments m = find_drawn(&h, &c, DRAWS, SEED);
    for (size_t k = 0; k < h.num_levels; k++) {
        double up[DRAWS], down[DRAWS], level[DRAWS];
        for (size_t r = 0; r < DRAWS; r++) {
            size_t place[MAX_SIZE];
            long double x, y, above, rest;
            assert_ok(hsgd_grouping_place(place, HSGD_GROUPING_RANDOM, &h, NULL, 0, SEED + r, &err), err);
            divide(&x, &y, &h, &c, place, k + 1);
            divide(&above, &rest, &h, &c, place, k);
            up[r] = (double)x;
            down[r] = (double)y;
            level[r] = (double)(x - above);
        }
        const hsgd_estimate want[] = {hsgd_estimate_mean(up, 1, DRAWS), hsgd_estimate_mean(down, 1, DRAWS),
                                      hsgd_estimate_mean(level, 1, DRAWS)};
        const hsgd_estimate got[] = {m.upward[k], m.downward[k], m.level[k]};
        for (size_t i = 0; i < 3; i++) {
            check_close(got[i].mean, want[i].mean, 1e-13, m.divergence, "mean", __FILE__, __LINE__);
            check_close(got[i].se, want[i].se, 1e-13, m.divergence, "se", __FILE__, __LINE__);
            assert_int_equal(got[i].count, DRAWS);
        }
    }
    hsgd_grouping_moments_free(&m);
    hsgd_hierarchy_free(&h);
}

/* Levels that are the same for every grouping have no rounding at all, drawn or not. */
static void levels_that_do_not_vary_are_exact(void **state)
{
    (void)state;
    const size_t tried[] = {0, 1, 2, 3, 4};
    for (size_t i = 0; i < 5; i++)
        for (size_t draws = 0; draws <= 7; draws += 7) {
            hsgd_hierarchy h;
            hsgd_grouping_moments m;
            make_tree(&h, &small_trees[tried[i]]);
            cloud c = make_cloud(h.num_workers, 3, i);
            assert_ok(hsgd_grouping_moments_find(&m, &h, c.x, 3, draws ? 0 : 1, draws, 2, &err), err);
            assert_true(m.exact == (draws == 0));
            for (size_t k = 0; k < m.num_levels; k++) {
                assert_true(m.upward[k].mean == m.upward_theory[k] && m.upward[k].se == 0);
                assert_true(m.downward[k].mean == m.downward_theory[k] && m.downward[k].se == 0);
                assert_true(m.level[k].mean == m.level_theory[k] && m.level[k].se == 0);
            }
            assert_true(h.num_workers > 1 ? m.divergence > 0 : m.divergence == 0);
            hsgd_grouping_moments_free(&m);
            hsgd_hierarchy_free(&h);
        }
}

static void equal_vectors_have_no_divergence(void **state)
{
    (void)state;
    hsgd_hierarchy h;
    hsgd_grouping_moments m;
    make_tree(&h, &small_trees[11]);
    cloud c = {.count = h.num_workers, .dim = 2};
    for (int huge = 0; huge < 2; huge++)
        for (size_t max = 0; max <= 1000; max += 1000) {
            for (size_t i = 0; i < c.count * 2; i++)
                c.x[i] = huge ? 1.3e308 : 0.1;
            assert_ok(hsgd_grouping_moments_find(&m, &h, c.x, 2, max, 5, 1, &err), err);
            assert_true(m.divergence == 0);
            for (size_t k = 0; k < m.num_levels; k++)
                assert_true(m.upward[k].mean == 0 && m.downward[k].mean == 0 && m.level[k].mean == 0 &&
                            m.upward_theory[k] == 0 && m.upward[k].se == 0);
            hsgd_grouping_moments_free(&m);
        }
    hsgd_hierarchy_free(&h);
}

/* Powers of two are exact, up to where the divergence itself leaves the range of doubles. */
static void scale_does_not_matter(void **state)
{
    (void)state;
    hsgd_hierarchy h;
    make_tree(&h, &small_trees[11]);
    cloud c = make_cloud(h.num_workers, 3, 12), scaled = c;
    hsgd_grouping_moments m = find_exact(&h, &c);
    for (int exponent = -508; exponent <= 508; exponent += 1016) {
        for (size_t i = 0; i < c.count * c.dim; i++)
            scaled.x[i] = ldexp(c.x[i], exponent);
        hsgd_grouping_moments s = find_exact(&h, &scaled);
        for (size_t k = 0; k < m.num_levels; k++)
            assert_true(s.upward[k].mean == ldexp(m.upward[k].mean, 2 * exponent));
        assert_true(s.divergence == ldexp(m.divergence, 2 * exponent));
        hsgd_grouping_moments_free(&s);
    }
    hsgd_grouping_moments_free(&m);
    hsgd_hierarchy_free(&h);
}

/* A common part of 10^7 leaves the vectors 9 digits of what they differ by, and the closed form holds for what is left
 * as well as before. One huge coordinate in common is no reason for overflow. */
static void the_origin_does_not_matter(void **state)
{
    (void)state;
    hsgd_hierarchy h;
    make_tree(&h, &small_trees[11]);
    cloud c = make_cloud(h.num_workers, 3, 12), moved = c;
    hsgd_grouping_moments m = find_exact(&h, &c);
    for (size_t i = 0; i < c.count * c.dim; i++)
        moved.x[i] = c.x[i] + 1e7;
    hsgd_grouping_moments far = find_exact(&h, &moved);
    assert_close(far.divergence, m.divergence, 1e-8);
    assert_true(agrees(&far, &h, RIGHT));
    hsgd_grouping_moments_free(&far);
    for (size_t i = 0; i < c.count * c.dim; i++)
        moved.x[i] = i % 3 == 1 ? 1e300 : c.x[i];
    far = find_exact(&h, &moved);
    assert_true(far.divergence > 0.1 * m.divergence && far.divergence < m.divergence);
    assert_true(agrees(&far, &h, RIGHT));
    hsgd_grouping_moments_free(&far);
    hsgd_grouping_moments_free(&m);
    hsgd_hierarchy_free(&h);
}

/* 10^5 workers, which rules out the Gram matrix (80 GB), and one group more than HSGD_MAX_ENUMERATED_WORKERS. */
static void many_workers_are_drawn(void **state)
{
    (void)state;
    const size_t fanouts[][2] = {{100, 1000}, {5, 205}};
    for (size_t i = 0; i < 2; i++) {
        hsgd_hierarchy h;
        hsgd_grouping_moments m;
        make_uniform(&h, fanouts[i], 2);
        size_t count = h.num_workers * 3;
        double *x = malloc(count * sizeof *x);
        assert_non_null(x);
        hsgd_normals(&(hsgd_stream){.seed = 8, .purpose = HSGD_PURPOSE_USER}, 1, x, count);
        assert_ok(hsgd_grouping_moments_find(&m, &h, x, 3, SIZE_MAX, 12, 4, &err), err);
        assert_false(m.exact);
        assert_true(isinf(m.num_groupings) && m.num_visited == 12);
        assert_true(agrees(&m, &h, RIGHT) && !agrees(&m, &h, EXCHANGED));
        free(x);
        hsgd_grouping_moments_free(&m);
        hsgd_hierarchy_free(&h);
    }
}

static void the_limit_decides(void **state)
{
    (void)state;
    hsgd_hierarchy h;
    hsgd_grouping_moments m;
    make_uniform(&h, (size_t[]){4, 2}, 2);
    cloud c = make_cloud(8, 2, 1);
    for (size_t max = 104; max <= 105; max++) {
        assert_ok(hsgd_grouping_moments_find(&m, &h, c.x, 2, max, 2, 1, &err), err);
        assert_true(m.exact == (max == 105));
        assert_int_equal(m.num_visited, max == 105 ? 105 : 2);
        assert_true(m.num_groupings == 105);
        hsgd_grouping_moments_free(&m);
    }
    hsgd_grouping_moments_free(&m);
    hsgd_grouping_moments_free(NULL);
    hsgd_hierarchy_free(&h);
}

static hsgd_status fail_third(size_t *place, size_t draw, void *source, hsgd_error *e)
{
    const hsgd_hierarchy *h = source;
    for (size_t i = 0; i < h->num_workers; i++)
        place[i] = i;
    return draw < 2 ? HSGD_OK : hsgd_fail(e, HSGD_ERROR_ENVIRONMENT, "no third draw");
}

static void illegal_input_is_named(void **state)
{
    (void)state;
    hsgd_hierarchy compact, h, canonical;
    hsgd_grouping_moments m;
    cloud c = make_cloud(8, 2, 1);
    const double weight[] = {1, 2, 1, 1, 1, 1, 1, 1};
    assert_ok(hsgd_hierarchy_uniform(&compact, (size_t[]){4, 2}, (size_t[]){4, 2}, 2, &err), err);
    assert_ok(hsgd_hierarchy_expand(&h, &compact, &err), err);
    assert_fails(hsgd_grouping_moments_find(&m, &compact, c.x, 2, 999, 9, 1, &err), HSGD_ERROR_INPUT,
                 "one entry per node", err);
    assert_fails(hsgd_grouping_moments_find(&m, &h, c.x, 2, 104, 1, 1, &err), HSGD_ERROR_INPUT,
                 "105 groupings are too many", err);
    assert_fails(hsgd_grouping_moments_find(&m, &h, c.x, 0, 999, 9, 1, &err), HSGD_ERROR_INPUT, "dimension 0", err);
    assert_fails(hsgd_grouping_moments_drawn(&m, &h, c.x, 2, 0, 9, fail_third, &h, &err), HSGD_ERROR_ENVIRONMENT,
                 "no third draw", err);
    assert_true(m.level == NULL && m.upward_theory == NULL);
    c.x[7] = INFINITY;
    assert_fails(hsgd_grouping_moments_find(&m, &h, c.x, 2, 999, 9, 1, &err), HSGD_ERROR_INPUT,
                 "entry 1 of the vector of worker 3 is inf", err);
    c.x[7] = 1e160;
    assert_fails(hsgd_grouping_moments_find(&m, &h, c.x, 2, 999, 9, 1, &err), HSGD_ERROR_INPUT, "range of a double",
                 err);
    c.x[7] = 1.7e308; /* even the difference of the two overflows */
    c.x[1] = -1.7e308;
    assert_fails(hsgd_grouping_moments_find(&m, &h, c.x, 2, 999, 9, 1, &err), HSGD_ERROR_INPUT, "range of a double",
                 err);
    assert_ok(hsgd_hierarchy_set_weights(&h, weight, &err), err);
    assert_fails(hsgd_grouping_moments_find(&m, &h, c.x, 2, 999, 9, 1, &err), HSGD_ERROR_INPUT, "equal weight", err);
    hsgd_hierarchy_free(&h);
    /* the group of one gives way to its worker, which then hangs beside a group */
    assert_ok(hsgd_hierarchy_tree(&h, (hsgd_node_spec[]){{HSGD_NO_NODE, 4, 0}, {0, 2, 2}, {0, 2, 1}}, 3, &err), err);
    assert_ok(hsgd_hierarchy_canonical(&canonical, &h, NULL, NULL, &err), err);
    assert_fails(hsgd_grouping_moments_find(&m, &canonical, c.x, 2, 999, 9, 1, &err), HSGD_ERROR_INPUT,
                 "canonical form", err);
    hsgd_hierarchy_free(&canonical);
    hsgd_hierarchy_free(&h);
    hsgd_hierarchy_free(&compact);
}

int main(void)
{
    gsl_set_error_handler_off();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_grouping_is_visited_once),
        cmocka_unit_test(means_are_those_over_all_permutations),
        cmocka_unit_test(counts_are_the_known_ones),
        cmocka_unit_test(uniform_trees_have_the_closed_form),
        cmocka_unit_test(other_trees_have_the_closed_form),
        cmocka_unit_test(many_groupings_lose_no_digits),
        cmocka_unit_test(exact_means_reject_wrong_formulas),
        cmocka_unit_test(intervals_contain_the_closed_form),
        cmocka_unit_test(intervals_reject_wrong_formulas),
        cmocka_unit_test(biased_shuffles_are_rejected),
        cmocka_unit_test(both_evaluations_agree),
        cmocka_unit_test(drawn_means_are_those_of_the_placements),
        cmocka_unit_test(levels_that_do_not_vary_are_exact),
        cmocka_unit_test(equal_vectors_have_no_divergence),
        cmocka_unit_test(scale_does_not_matter),
        cmocka_unit_test(the_origin_does_not_matter),
        cmocka_unit_test(many_workers_are_drawn),
        cmocka_unit_test(the_limit_decides),
        cmocka_unit_test(illegal_input_is_named),
    };
    return cmocka_run_group_tests_name("grouping_moments", tests, NULL, NULL);
}
