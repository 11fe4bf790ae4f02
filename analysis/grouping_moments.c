/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Glossary    y      x (n, dim)          centred vectors, scaled by 2^-exponent so that no square overflows
 *             K_ij   gram (n, n)         <y_i, y_j>
 *             S_v    sum of the y_j below v; ||S_v||^2 = sum_{i,j in v} K_ij
 *             m_k    num_groups[k]       nodes of depth k, and workers above that depth
 *             Up_k = sum_{v of depth k} ||S_v||^2/(n |v|)
 *
 * Down_k = E - Up_k and D_k = Up_k - Up_{k-1} for every single grouping (THEORY 2), so visiting finds Up_k only. */
#include "analysis/grouping_moments.h"

#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <gsl/gsl_cblas.h>

#include "analysis/grouping.h"
#include "analysis/grouping_moments_private.h"
#include "analysis/memory.h"
#include "analysis/moments.h"
#include "analysis/threads.h"
#include "analysis/tree_walk_private.h"

typedef struct visit {
    const hsgd_hierarchy *h;
    size_t n, dim, num_levels;
    double *x;
    int exponent;
    double divergence; /* of the scaled vectors, as all values before scale_back */
    size_t num_groups[HSGD_MAX_LEVELS + 1];
    size_t *place; /* (n) */
    /* with the Gram matrix: workers are added one by one */
    double *gram;
    size_t *lowest; /* (n) the lowest group of each place */
    size_t *member; /* (num_levels, n): row k holds the workers of the nodes of depth k, from their first places on */
    size_t *filled; /* (num_nodes) workers so far */
    double *upward; /* (n + 1, num_levels): row i is Up_k of what the first i workers contribute */
    size_t num_put;
    double *sum, *rest; /* (num_levels) compensated sums of Up_k over groupings */
    size_t num_done;
    /* without: walks over the tree */
    double *row;             /* (HSGD_ROWS_AT_ONCE, dim) */
    double *mean;            /* (num_levels, dim) */
    double *node_divergence; /* (num_nodes) */
} visit;

/* ---- centred vectors ---- */

static void subtract_mean(visit *v)
{
    double *mean = v->row;
    memset(mean, 0, v->dim * sizeof *mean);
    for (size_t j = 0; j < v->n; j++)
        for (size_t i = 0; i < v->dim; i++)
            mean[i] += v->x[j * v->dim + i] / (double)v->n;
    for (size_t j = 0; j < v->n; j++)
        for (size_t i = 0; i < v->dim; i++)
            v->x[j * v->dim + i] -= mean[i];
}

/* Deviations from the first vector come first: they are exact zeros for equal vectors, and what all have in common
 * costs neither digits nor range. Powers of two scale without rounding. */
static void centre(visit *v, const double *vectors)
{
    size_t count = v->n * v->dim;
    double largest = 0;
    for (size_t j = 0; j < v->n; j++)
        for (size_t i = 0; i < v->dim; i++) {
            v->x[j * v->dim + i] = vectors[j * v->dim + i] - vectors[i];
            largest = fmax(largest, fabs(v->x[j * v->dim + i]));
        }
    if (isfinite(largest)) /* else the divergence is not finite, which is found out next */
        frexp(largest, &v->exponent);
    for (size_t i = 0; i < count; i++)
        v->x[i] = ldexp(v->x[i], -v->exponent);
    subtract_mean(v);
    for (size_t j = 0; j < v->n; j++)
        v->divergence += hsgd_norm_sq(v->x + j * v->dim, v->dim) / (double)v->n;
}

static void find_gram(visit *v)
{
    int n = (int)v->n, dim = (int)v->dim;
    cblas_dsyrk(CblasRowMajor, CblasUpper, CblasNoTrans, n, dim, 1, v->x, dim, 0, v->gram, n);
    for (size_t i = 0; i < v->n; i++)
        for (size_t j = 0; j < i; j++)
            v->gram[i * v->n + j] = v->gram[j * v->n + i];
}

/* ---- one grouping, worker by worker ---- */

/* How much ||S_u||^2 grows when the worker joins u. */
static double join(visit *v, size_t u, size_t worker)
{
    const hsgd_node *node = &v->h->node[u];
    const double *gram = v->gram + worker * v->n;
    size_t *member = v->member + node->depth * v->n + node->first_worker;
    double sum = 0;
    for (size_t i = 0; i < v->filled[u]; i++)
        sum += gram[member[i]];
    member[v->filled[u]++] = worker;
    return gram[worker] + 2 * sum;
}

/* A worker in a lowest group of depth d adds to the node above it for the depths 1..d, and as a node of its own below.
 * The root's S is 0. */
static void put(void *source, size_t worker, size_t place)
{
    visit *v = source;
    const double *before = v->upward + v->num_put++ * v->num_levels;
    double *upward = v->upward + v->num_put * v->num_levels, n = (double)v->n;
    size_t u = v->lowest[place];
    for (size_t k = v->h->node[u].depth; k < v->num_levels; k++)
        upward[k] = before[k] + v->gram[worker * v->n + worker] / n;
    for (; v->h->node[u].depth > 0; u = v->h->node[u].parent) {
        size_t k = v->h->node[u].depth - 1;
        upward[k] = before[k] + join(v, u, worker) / (n * (double)v->h->node[u].num_workers);
    }
}

static void take(void *source, size_t worker, size_t place)
{
    visit *v = source;
    (void)worker;
    v->num_put--;
    for (size_t u = v->lowest[place]; v->h->node[u].depth > 0; u = v->h->node[u].parent)
        v->filled[u]--;
}

/* Kahan's summation: the mean of 10^9 values is as accurate as one of them. */
static void done(void *source)
{
    visit *v = source;
    const double *upward = v->upward + v->n * v->num_levels;
    v->num_done++;
    for (size_t k = 0; k < v->num_levels; k++) {
        double value = upward[k] - v->rest[k], sum = v->sum[k] + value;
        v->rest[k] = (sum - v->sum[k]) - value;
        v->sum[k] = sum;
    }
}

static void upward_by_gram(visit *v, double *upward)
{
    for (size_t i = 0; i < v->n; i++)
        put(v, v->place[i], i);
    memcpy(upward, v->upward + v->n * v->num_levels, v->num_levels * sizeof *upward);
    for (size_t i = v->n; i-- > 0;)
        take(v, v->place[i], i);
}

/* ---- one grouping, by a walk over the tree ---- */

static void placed_rows(void *source, size_t node, size_t first, size_t count, hsgd_rows *out)
{
    (void)node;
    visit *v = source;
    for (size_t i = 0; i < count; i++)
        memcpy(v->row + i * v->dim, v->x + v->place[first + i] * v->dim, v->dim * sizeof *v->row);
    out->at[0] = v->row;
    out->stride[0] = v->dim;
}

/* Up_k = D_1 + ... + D_k. */
static void upward_by_walk(visit *v, double *upward)
{
    hsgd_moments level[HSGD_MAX_LEVELS];
    hsgd_walk walk = {.hierarchy = v->h,
                      .dim = v->dim,
                      .num_points = 1,
                      .rows_at_once = HSGD_ROWS_AT_ONCE,
                      .rows = placed_rows,
                      .source = v,
                      .level = level,
                      .node_dispersion = v->node_divergence};
    for (size_t k = 0; k < v->num_levels; k++)
        level[k] = (hsgd_moments){0, 0, v->mean + k * v->dim};
    hsgd_walk_node(&walk, 0);
    memset(upward, 0, v->num_levels * sizeof *upward);
    for (size_t u = 0; u < v->h->num_nodes; u++)
        upward[v->h->node[u].depth] += v->h->node[u].weight * v->node_divergence[u];
    for (size_t k = 1; k < v->num_levels; k++)
        upward[k] += upward[k - 1];
}

/* Adding workers one by one takes |v|^2/2 steps per node, reading a matrix that fits into cache; the walk n dim, reading
 * rows in random order. */
static bool gram_is_faster(const visit *v)
{
    double pairs = 0;
    for (size_t u = 1; u < v->h->num_nodes; u++)
        pairs += 0.5 * (double)v->h->node[u].num_workers * (double)v->h->node[u].num_workers;
    return v->n <= HSGD_MAX_ENUMERATED_WORKERS && pairs <= (double)v->n * (double)v->dim;
}

/* ---- levels that do not vary ---- */

static void count_groups(visit *v)
{
    for (size_t u = 0; u < v->h->num_nodes; u++) {
        const hsgd_node *node = &v->h->node[u];
        v->num_groups[node->depth]++;
        for (size_t k = node->depth + 1; k <= v->num_levels && hsgd_node_is_lowest(v->h, u); k++)
            v->num_groups[k] += node->num_workers;
    }
}

/* Where all workers share a node, or none do, Up_k is known without rounding. */
static void fix_levels(const visit *v, double *upward)
{
    for (size_t k = 0; k < v->num_levels; k++) {
        if (v->num_groups[k + 1] == 1)
            upward[k] = 0;
        if (v->num_groups[k + 1] == v->n)
            upward[k] = v->divergence;
    }
}

/* ---- means over groupings ---- */

static hsgd_status visit_all(hsgd_grouping_moments *out, visit *v, const hsgd_groupings *groupings, hsgd_error *err)
{
    const hsgd_grouping_visitor visitor = {v, put, take, done};
    hsgd_status status = hsgd_groupings_visit(groupings, &visitor, err);
    if (status)
        return status;
    out->num_visited = v->num_done;
    for (size_t k = 0; k < v->num_levels; k++)
        v->sum[k] /= (double)v->num_done;
    fix_levels(v, v->sum);
    for (size_t k = 0; k < v->num_levels; k++) {
        double above = k > 0 ? v->sum[k - 1] : 0;
        out->upward[k] = (hsgd_estimate){v->sum[k], 0, v->num_done};
        out->downward[k] = (hsgd_estimate){v->divergence - v->sum[k], 0, v->num_done};
        out->level[k] = (hsgd_estimate){v->sum[k] - above, 0, v->num_done};
    }
    return HSGD_OK;
}

/* value (count, num_levels) holds Up_k of each draw, and is used up: it becomes Down_k, and then D_k. */
static void estimate(hsgd_grouping_moments *out, double *value, size_t count)
{
    size_t levels = out->num_levels;
    for (size_t k = 0; k < levels; k++)
        out->upward[k] = hsgd_estimate_mean(value + k, levels, count);
    for (size_t i = 0; i < count * levels; i++)
        value[i] = out->divergence - value[i];
    for (size_t k = 0; k < levels; k++)
        out->downward[k] = hsgd_estimate_mean(value + k, levels, count);
    for (size_t i = count * levels; i-- > 0;)
        value[i] = (i % levels > 0 ? value[i - 1] : out->divergence) - value[i];
    for (size_t k = 0; k < levels; k++)
        out->level[k] = hsgd_estimate_mean(value + k, levels, count);
}

static hsgd_status visit_drawn(hsgd_grouping_moments *out, visit *v, size_t num_random, hsgd_draw draw, void *source,
                               hsgd_error *err)
{
    hsgd_status status = hsgd_memory_check(8 * (double)num_random * (double)v->num_levels, "the random groupings",
                                           "fewer random groupings", err);
    if (status)
        return status;
    double *value = calloc(num_random, v->num_levels * sizeof *value);
    if (!value)
        return hsgd_fail_memory(err, "the random groupings");
    bool by_gram = gram_is_faster(v);
    for (size_t r = 0; r < num_random && !status; r++) {
        double *upward = value + r * v->num_levels;
        status = draw(v->place, r, source, err);
        if (!status && by_gram)
            upward_by_gram(v, upward);
        else if (!status)
            upward_by_walk(v, upward);
        fix_levels(v, upward);
    }
    out->num_visited = num_random;
    if (!status)
        estimate(out, value, num_random);
    free(value);
    return status;
}

static void find_theory(hsgd_grouping_moments *out, const visit *v)
{
    double unit = v->n > 1 ? v->divergence / (double)(v->n - 1) : 0;
    for (size_t k = 0; k < v->num_levels; k++) {
        size_t above = v->num_groups[k], groups = v->num_groups[k + 1];
        out->level_theory[k] = (double)(groups - above) * unit;
        out->upward_theory[k] = (double)(groups - 1) * unit;
        out->downward_theory[k] = (double)(v->n - groups) * unit;
    }
}

static void scale_estimate(hsgd_estimate *estimate, int exponent)
{
    estimate->mean = ldexp(estimate->mean, exponent);
    estimate->se = ldexp(estimate->se, exponent);
}

static void scale_back(hsgd_grouping_moments *out, int exponent)
{
    out->divergence = ldexp(out->divergence, exponent);
    for (size_t k = 0; k < out->num_levels; k++) {
        scale_estimate(&out->level[k], exponent);
        scale_estimate(&out->upward[k], exponent);
        scale_estimate(&out->downward[k], exponent);
        out->level_theory[k] = ldexp(out->level_theory[k], exponent);
        out->upward_theory[k] = ldexp(out->upward_theory[k], exponent);
        out->downward_theory[k] = ldexp(out->downward_theory[k], exponent);
    }
}

/* ---- memory and checks ---- */

static hsgd_status check_input(const hsgd_hierarchy *h, const double *vectors, size_t dim, hsgd_error *err)
{
    if (h->worker_weight)
        return hsgd_fail(err, HSGD_ERROR_INPUT, "means over groupings need workers of equal weight");
    if (dim < 1 || dim > INT_MAX)
        return hsgd_fail(err, HSGD_ERROR_INPUT, "the dimension %zu is not in 1..%d", dim, INT_MAX);
    for (size_t i = 0; i < h->num_workers * dim; i++)
        if (!isfinite(vectors[i]))
            return hsgd_fail(err, HSGD_ERROR_INPUT, "entry %zu of the vector of worker %zu is %g; it must be finite",
                             i % dim, i / dim, vectors[i]);
    return HSGD_OK;
}

static hsgd_status allocate_gram(visit *v, hsgd_error *err)
{
    size_t n = v->n, levels = v->num_levels;
    v->gram = calloc(n * n, sizeof *v->gram);
    v->lowest = calloc(n, sizeof *v->lowest);
    v->member = calloc(n * levels, sizeof *v->member);
    v->filled = calloc(v->h->num_nodes, sizeof *v->filled);
    v->upward = calloc((n + 1) * levels, sizeof *v->upward);
    v->sum = calloc(levels, sizeof *v->sum);
    v->rest = calloc(levels, sizeof *v->rest);
    if (!v->gram || !v->lowest || !v->member || !v->filled || !v->upward || !v->sum || !v->rest)
        return hsgd_fail_memory(err, "the Gram matrix of the vectors");
    for (size_t u = 0; u < v->h->num_nodes; u++) /* deeper nodes come later and overwrite */
        for (size_t i = 0; i < v->h->node[u].num_workers; i++)
            v->lowest[v->h->node[u].first_worker + i] = u;
    return HSGD_OK;
}

static hsgd_status allocate(visit *v, hsgd_error *err)
{
    double n = (double)v->n, matrix = v->n <= HSGD_MAX_ENUMERATED_WORKERS ? n * n : 0;
    hsgd_status status = hsgd_memory_check(8 * (n * (double)v->dim + matrix), "averaging over groupings",
                                           "fewer workers or a smaller dimension", err);
    if (status)
        return status;
    v->x = calloc(v->n, v->dim * sizeof *v->x);
    v->place = calloc(v->n, sizeof *v->place);
    v->row = calloc(HSGD_ROWS_AT_ONCE, v->dim * sizeof *v->row);
    v->mean = calloc(v->num_levels, v->dim * sizeof *v->mean);
    v->node_divergence = calloc(v->h->num_nodes, sizeof *v->node_divergence);
    if (!v->x || !v->place || !v->row || !v->mean || !v->node_divergence)
        return hsgd_fail_memory(err, "averaging over groupings");
    return v->n <= HSGD_MAX_ENUMERATED_WORKERS ? allocate_gram(v, err) : HSGD_OK;
}

static void free_visit(visit *v)
{
    double *const numbers[] = {v->x, v->gram, v->upward, v->sum, v->rest, v->row, v->mean, v->node_divergence};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        free(numbers[i]);
    free(v->place);
    free(v->lowest);
    free(v->member);
    free(v->filled);
}

static hsgd_status allocate_result(hsgd_grouping_moments *out, size_t num_levels, hsgd_error *err)
{
    out->num_levels = num_levels;
    out->level = calloc(num_levels, sizeof *out->level);
    out->upward = calloc(num_levels, sizeof *out->upward);
    out->downward = calloc(num_levels, sizeof *out->downward);
    out->level_theory = calloc(num_levels, sizeof *out->level_theory);
    out->upward_theory = calloc(num_levels, sizeof *out->upward_theory);
    out->downward_theory = calloc(num_levels, sizeof *out->downward_theory);
    bool complete =
        out->level && out->upward && out->downward && out->level_theory && out->upward_theory && out->downward_theory;
    return complete ? HSGD_OK : hsgd_fail_memory(err, "the means over groupings");
}

void hsgd_grouping_moments_free(hsgd_grouping_moments *moments)
{
    if (!moments)
        return;
    free(moments->level);
    free(moments->upward);
    free(moments->downward);
    free(moments->level_theory);
    free(moments->upward_theory);
    free(moments->downward_theory);
    memset(moments, 0, sizeof *moments);
}

static hsgd_status find(hsgd_grouping_moments *out, visit *v, const hsgd_groupings *groupings, size_t num_random,
                        hsgd_draw draw, void *source, hsgd_error *err)
{
    hsgd_status status =
        out->exact ? visit_all(out, v, groupings, err) : visit_drawn(out, v, num_random, draw, source, err);
    if (status)
        return status;
    find_theory(out, v);
    scale_back(out, 2 * v->exponent);
    return HSGD_OK;
}

static hsgd_status prepare(hsgd_grouping_moments *out, visit *v, const double *vectors, hsgd_error *err)
{
    hsgd_status status = check_input(v->h, vectors, v->dim, err);
    if (!status)
        status = allocate_result(out, v->num_levels, err);
    if (!status)
        status = allocate(v, err);
    if (status)
        return status;
    hsgd_threads_setup();
    count_groups(v);
    centre(v, vectors);
    if (!isfinite(ldexp(v->divergence, 2 * v->exponent)))
        return hsgd_fail(err, HSGD_ERROR_INPUT, "the divergence of the vectors exceeds the range of a double");
    if (v->gram)
        find_gram(v);
    out->divergence = v->divergence;
    return HSGD_OK;
}

hsgd_status hsgd_grouping_moments_drawn(hsgd_grouping_moments *out, const hsgd_hierarchy *h, const double *vectors,
                                        size_t dim, size_t max_enumerated, size_t num_random, hsgd_draw draw,
                                        void *source, hsgd_error *err)
{
    visit v = {.h = h, .n = h->num_workers, .dim = dim, .num_levels = h->num_levels};
    hsgd_groupings groupings;
    *out = (hsgd_grouping_moments){0};
    hsgd_status status = hsgd_groupings_init(&groupings, h, err);
    if (!status) {
        out->num_groupings = groupings.count;
        out->exact = groupings.count <= (double)max_enumerated && v.n <= HSGD_MAX_ENUMERATED_WORKERS;
        if (!out->exact && num_random < 2)
            status = hsgd_fail(err, HSGD_ERROR_INPUT,
                               "%g groupings are too many to visit them all; give at least 2 random ones, not %zu",
                               groupings.count, num_random);
    }
    if (!status)
        status = prepare(out, &v, vectors, err);
    if (!status)
        status = find(out, &v, &groupings, num_random, draw, source, err);
    if (status)
        hsgd_grouping_moments_free(out);
    hsgd_groupings_free(&groupings);
    free_visit(&v);
    return status;
}

/* ---- random placements ---- */

typedef struct shuffles {
    const hsgd_hierarchy *h;
    uint64_t first_seed;
} shuffles;

static hsgd_status draw_shuffle(size_t *place, size_t draw, void *source, hsgd_error *err)
{
    const shuffles *s = source;
    return hsgd_grouping_place(place, HSGD_GROUPING_RANDOM, s->h, NULL, 0, s->first_seed + draw, err);
}

hsgd_status hsgd_grouping_moments_find(hsgd_grouping_moments *out, const hsgd_hierarchy *h, const double *vectors,
                                       size_t dim, size_t max_enumerated, size_t num_random, uint64_t seed,
                                       hsgd_error *err)
{
    shuffles s = {h, seed};
    return hsgd_grouping_moments_drawn(out, h, vectors, dim, max_enumerated, num_random, draw_shuffle, &s, err);
}
