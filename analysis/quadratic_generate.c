/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Quadratics with prescribed divergences between the nodes of a tree, of their linear terms and of their Hessians. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/quadratic_private.h"
#include "analysis/random.h"

static hsgd_status check_spread(const hsgd_hierarchy *h, const hsgd_curvature_spread *spread, hsgd_error *err)
{
    if (!(spread->workers >= 0) || !isfinite(spread->workers))
        return hsgd_fail(err, HSGD_ERROR_INPUT, "curvature_spread: %g is not a finite number >= 0", spread->workers);
    if (spread->workers > 0 && h->num_workers < 2)
        return hsgd_fail(err, HSGD_ERROR_INPUT, "curvature_spread: %g cannot be reached with one worker; use 0",
                         spread->workers);
    for (size_t k = 0; spread->level && k < h->num_levels; k++)
        if (!(spread->level[k] >= 0) || !isfinite(spread->level[k]))
            return hsgd_fail(err, HSGD_ERROR_INPUT, "level_curvature_spread[%zu]: %g is not a finite number >= 0", k,
                             spread->level[k]);
    return HSGD_OK;
}

static bool is_spread(const hsgd_hierarchy *h, const hsgd_curvature_spread *spread)
{
    bool any = spread->workers > 0;
    for (size_t k = 0; spread->level && k < h->num_levels; k++)
        any = any || spread->level[k] > 0;
    return any;
}

static hsgd_status check_spec(const hsgd_hierarchy *h, const hsgd_quadratic_spec *spec, hsgd_error *err)
{
    double low = spec->curvature_min, high = spec->curvature_max;
    if (!(low > 0) || !(high >= low) || !isfinite(high / low))
        return hsgd_fail(err, HSGD_ERROR_INPUT, "curvature_range: [%g, %g] is not a range 0 < low <= high", low, high);
    for (size_t k = 0; k < h->num_levels; k++)
        if (!(spec->level_divergence_sq[k] >= 0) || !isfinite(spec->level_divergence_sq[k]))
            return hsgd_fail(err, HSGD_ERROR_INPUT, "level_divergence[%zu]: %g is not a finite number >= 0", k,
                             spec->level_divergence_sq[k]);
    return HSGD_OK;
}

static void set_curvature(double *curvature, size_t dim, double low, double high)
{
    for (size_t i = 0; i < dim; i++)
        curvature[i] = dim > 1 ? low * pow(high / low, (double)i / (double)(dim - 1)) : high;
    curvature[dim - 1] = high; /* L exactly, whatever pow rounds to */
}

/* What every node of depth `depth` with two children or more must show so that the level sums to level_sq; a message says
 * that key[depth] asks for it with `given`. */
static hsgd_status node_target(double *target_sq, const hsgd_hierarchy *h, size_t depth, double level_sq,
                               const char *key, double given, hsgd_error *err)
{
    double weight = 0;
    for (size_t u = 0; u < h->num_nodes; u++)
        if (h->node[u].depth == depth && h->node[u].num_children > 1)
            weight += h->node[u].weight;
    if (weight == 0 && level_sq > 0)
        return hsgd_fail(err, HSGD_ERROR_INPUT,
                         "%s[%zu]: %g cannot be reached, no node of this level has two children; use 0", key, depth,
                         given);
    *target_sq = weight > 0 ? level_sq / weight : 0;
    return HSGD_OK;
}

/* One child of a node: an inner node or a single worker. */
typedef struct child {
    size_t first_worker, num_workers;
    double share; /* p_v / p_u */
} child;

/* The children of u, from left to right. */
static void list_children(child *out, const hsgd_hierarchy *h, size_t u)
{
    size_t place = h->node[u].first_worker, v = u + 1;
    for (size_t c = 0; c < h->node[u].num_children; c++) {
        double weight = h->worker_weight ? h->worker_weight[place] : 1 / (double)h->num_workers;
        out[c] = (child){place, 1, weight / h->node[u].weight};
        if (!hsgd_node_is_lowest(h, u)) {
            out[c] = (child){place, h->node[v].num_workers, h->node[v].weight / h->node[u].weight};
            v = h->node[v].end;
        }
        place += out[c].num_workers;
    }
}

/* Which numbers are drawn for what: linear terms of depth k from number LINEAR_NUMBERS + k, and so on. */
enum {
    MINIMISER_NUMBERS = 0,
    LINEAR_NUMBERS = 1,
    CURVATURE_NUMBERS = LINEAR_NUMBERS + HSGD_MAX_LEVELS,
    WORKER_CURVATURE_NUMBERS = CURVATURE_NUMBERS + HSGD_MAX_LEVELS
};

/* Memory for one node's children: deviation (count, dim), mean (dim), mean_sq (dim), children (count). */
typedef struct spread_work {
    child *children;
    double *deviation, *mean, *mean_sq;
} spread_work;

/* Normal deviations of the children of u with weighted mean 0; returns their weighted mean square. */
static double draw_deviations(const spread_work *work, size_t count, size_t dim, size_t number, uint64_t seed)
{
    memset(work->mean, 0, dim * sizeof *work->mean);
    for (size_t c = 0; c < count; c++) {
        hsgd_stream stream = {seed, HSGD_PURPOSE_PROBLEM, (uint32_t)work->children[c].first_worker, number};
        hsgd_normals(&stream, 1, work->deviation + c * dim, dim);
        for (size_t i = 0; i < dim; i++)
            work->mean[i] += work->children[c].share * work->deviation[c * dim + i];
    }
    double mean_sq = 0;
    for (size_t c = 0; c < count; c++)
        for (size_t i = 0; i < dim; i++) {
            double *deviation = &work->deviation[c * dim + i];
            *deviation -= work->mean[i];
            mean_sq += work->children[c].share * *deviation * *deviation;
        }
    return mean_sq;
}

/* Add to every worker below u the deviation of its child of u, scaled so that beta_u^2 = target_sq. */
static void spread_children(hsgd_quadratic *q, const hsgd_hierarchy *h, size_t u, double target_sq, uint64_t seed,
                            const spread_work *work)
{
    size_t count = h->node[u].num_children;
    list_children(work->children, h, u);
    double scale = sqrt(target_sq / draw_deviations(work, count, q->dim, LINEAR_NUMBERS + h->node[u].depth, seed));
    for (size_t c = 0; c < count; c++) {
        const child *v = &work->children[c];
        for (size_t j = v->first_worker; j < v->first_worker + v->num_workers; j++)
            for (size_t i = 0; i < q->dim; i++)
                q->linear[j * q->stride + i] += scale * work->deviation[c * q->dim + i];
    }
}

/* Add to the rows of all workers below each child its deviation, scaled coordinate by coordinate to mean square
 * target_sq. */
static void spread_curvatures(hsgd_quadratic *q, size_t count, double target_sq, size_t number, uint64_t seed,
                              const spread_work *work)
{
    size_t dim = q->dim;
    draw_deviations(work, count, dim, number, seed);
    memset(work->mean_sq, 0, dim * sizeof *work->mean_sq);
    for (size_t c = 0; c < count; c++)
        for (size_t i = 0; i < dim; i++)
            work->mean_sq[i] += work->children[c].share * work->deviation[c * dim + i] * work->deviation[c * dim + i];
    for (size_t c = 0; c < count; c++) {
        const child *v = &work->children[c];
        for (size_t j = v->first_worker; j < v->first_worker + v->num_workers; j++)
            for (size_t i = 0; i < dim; i++)
                q->worker_curvature[j * q->stride + i] +=
                    sqrt(target_sq / work->mean_sq[i]) * work->deviation[c * dim + i];
    }
}

/* All workers as children of one node. */
static void list_workers(child *out, const hsgd_hierarchy *h)
{
    for (size_t j = 0; j < h->num_workers; j++)
        out[j] = (child){j, 1, h->worker_weight ? h->worker_weight[j] : 1 / (double)h->num_workers};
}

/* h_j = h (1 + what was drawn for worker j), where the rows hold the latter; curvature: h. */
static hsgd_status finish_curvatures(hsgd_quadratic *q, const double *curvature, hsgd_error *err)
{
    for (size_t j = 0; j < q->num_workers; j++)
        for (size_t i = 0; i < q->dim; i++) {
            double *h = &q->worker_curvature[j * q->stride + i];
            *h = curvature[i] * (1 + *h);
            if (!isfinite(*h))
                return hsgd_fail(err, HSGD_ERROR_INPUT,
                                 "curvature_range: curvatures of %g leave the range of a double with this spread",
                                 curvature[i]);
        }
    return HSGD_OK;
}

static hsgd_status set_worker_curvatures(hsgd_quadratic *q, const hsgd_hierarchy *h,
                                         const hsgd_curvature_spread *spread, uint64_t seed, const double *curvature,
                                         const spread_work *work, hsgd_error *err)
{
    hsgd_status status = HSGD_OK;
    if (spread->workers > 0) {
        list_workers(work->children, h);
        spread_curvatures(q, h->num_workers, spread->workers * spread->workers, WORKER_CURVATURE_NUMBERS, seed, work);
    }
    for (size_t depth = 0; spread->level && depth < h->num_levels && !status; depth++) {
        double target_sq = 0, given = spread->level[depth];
        status = node_target(&target_sq, h, depth, given * given, "level_curvature_spread", given, err);
        for (size_t u = 0; u < h->num_nodes && !status && target_sq > 0; u++)
            if (h->node[u].depth == depth && h->node[u].num_children > 1) {
                list_children(work->children, h, u);
                spread_curvatures(q, h->node[u].num_children, target_sq, CURVATURE_NUMBERS + depth, seed, work);
            }
    }
    return status ? status : finish_curvatures(q, curvature, err);
}

/* b_j = H_j w* for every worker, w* standard normal: all have the minimiser w*. */
static void set_mean_linear(hsgd_quadratic *q, uint64_t seed, double *minimiser)
{
    hsgd_stream stream = {seed, HSGD_PURPOSE_PROBLEM, 0, MINIMISER_NUMBERS};
    hsgd_normals(&stream, 1, minimiser, q->dim);
    for (size_t j = 0; j < q->num_workers; j++)
        for (size_t i = 0; i < q->dim; i++)
            q->linear[j * q->stride + i] = minimiser[i] * hsgd_quadratic_curvature(q, j)[i];
}

static hsgd_status spread_levels(hsgd_quadratic *q, const hsgd_hierarchy *h, const hsgd_quadratic_spec *spec,
                                 const spread_work *work, hsgd_error *err)
{
    hsgd_status status = HSGD_OK;
    for (size_t depth = 0; depth < h->num_levels && !status; depth++) {
        double target_sq = 0, given = spec->level_divergence_sq[depth];
        status = node_target(&target_sq, h, depth, given, "level_divergence", given, err);
        for (size_t u = 0; u < h->num_nodes && !status && target_sq > 0; u++)
            if (h->node[u].depth == depth && h->node[u].num_children > 1)
                spread_children(q, h, u, target_sq, spec->seed, work);
    }
    return status;
}

/* ---- the whole ---- */

static hsgd_status allocate_work(spread_work *work, const hsgd_hierarchy *h, size_t dim, bool all_workers,
                                 hsgd_error *err)
{
    size_t most = all_workers ? h->num_workers : 1;
    for (size_t u = 0; u < h->num_nodes; u++)
        if (h->node[u].num_children > most)
            most = h->node[u].num_children;
    *work = (spread_work){malloc(most * sizeof *work->children), malloc(most * dim * sizeof *work->deviation),
                          malloc(dim * sizeof *work->mean), malloc(dim * sizeof *work->mean_sq)};
    bool complete = work->children && work->deviation && work->mean && work->mean_sq;
    return complete ? HSGD_OK : hsgd_fail_memory(err, "the quadratic problem");
}

static void free_work(spread_work *work)
{
    free(work->children);
    free(work->deviation);
    free(work->mean);
    free(work->mean_sq);
}

/* Into an allocated quadratic; common (dim) is scratch memory. */
static hsgd_status draw(hsgd_quadratic *q, const hsgd_hierarchy *h, const hsgd_quadratic_spec *spec,
                        const hsgd_curvature_spread *spread, double *common, hsgd_error *err)
{
    spread_work work = {0};
    hsgd_status status = allocate_work(&work, h, q->dim, spread->workers > 0, err);
    set_curvature(q->worker_curvature ? common : q->curvature, q->dim, spec->curvature_min, spec->curvature_max);
    if (!status && q->worker_curvature)
        status = set_worker_curvatures(q, h, spread, spec->seed, common, &work, err);
    if (!status) {
        set_mean_linear(q, spec->seed, common);
        status = spread_levels(q, h, spec, &work, err);
    }
    free_work(&work);
    return status;
}

hsgd_status hsgd_quadratic_generate_spread(hsgd_quadratic *out, const hsgd_hierarchy *h,
                                           const hsgd_quadratic_spec *spec, const hsgd_curvature_spread *spread,
                                           hsgd_error *err)
{
    const hsgd_curvature_spread none = {0};
    if (!spread)
        spread = &none;
    memset(out, 0, sizeof *out);
    hsgd_status status = check_spec(h, spec, err);
    if (!status)
        status = check_spread(h, spread, err);
    if (!status)
        status = hsgd_quadratic_allocate(out, spec->dim, h->num_workers, spec->noise_sq, is_spread(h, spread), err);
    double *common = status ? NULL : malloc(spec->dim * sizeof *common);
    if (!status && !common)
        status = hsgd_fail_memory(err, "the quadratic problem");
    if (!status)
        status = draw(out, h, spec, spread, common, err);
    free(common);
    if (status)
        hsgd_quadratic_free(out);
    return status;
}

hsgd_status hsgd_quadratic_generate(hsgd_quadratic *out, const hsgd_hierarchy *h, const hsgd_quadratic_spec *spec,
                                    hsgd_error *err)
{
    return hsgd_quadratic_generate_spread(out, h, spec, NULL, err);
}
