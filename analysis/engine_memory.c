/* SPDX-License-Identifier: GPL-3.0-or-later */
/* All memory of a run is taken here, before the first step; the loop allocates nothing. */
#include "analysis/engine_private.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* The window's means take at most about this much per thread: longer windows cost memory, shorter ones synchronise more
 * often. */
static const double WINDOW_BYTES = 32e6;

/* Workers of one unit where the root has no child nodes: fixed, because the order of sums depends on it. */
enum { RUN_OF_WORKERS = 64 };

static size_t window_rows(const hsgd_simulation *s)
{
    size_t period = hsgd_hierarchy_global_period(s->hierarchy), length = period < s->steps ? period : s->steps;
    size_t wanted = (length - 1) / s->measure_every + 1;
    double row_bytes = 8.0 * ((double)s->objective->dim + 2 * (double)s->hierarchy->num_nodes);
    double fit = floor(WINDOW_BYTES / row_bytes);
    return fit >= (double)wanted ? wanted : fit >= 1 ? (size_t)fit : 1;
}

static double space_doubles(const hsgd_simulation *s)
{
    double dim = (double)s->objective->dim, levels = (double)s->hierarchy->num_levels;
    double scratch = (double)s->objective->type->scratch_size(s->objective, s->batch_size);
    double vectors = (double)window_rows(s) + 1 + 2 * levels + 1 + HSGD_ROWS_AT_ONCE;
    return vectors * dim + (double)window_rows(s) + 1 + HSGD_ROWS_AT_ONCE + scratch + (double)s->hierarchy->num_nodes;
}

double hsgd_trace_bytes(const hsgd_simulation *s)
{
    double rows = (double)s->steps / (double)s->measure_every + 2, levels = (double)s->hierarchy->num_levels;
    return 8 * (rows * (3 + 3 * levels) + 6 * (double)s->hierarchy->num_nodes + (double)s->objective->dim);
}

double hsgd_simulation_bytes(const hsgd_simulation *s)
{
    double dim = (double)s->objective->dim, n = (double)s->hierarchy->num_workers;
    double nodes = (double)s->hierarchy->num_nodes, rows = (double)window_rows(s) + 1;
    double maxima = s->measure_maxima ? (n + nodes) * dim : 0;
    return 8 * (n * dim + 2 * n + rows * (dim + 3 + 2 * nodes) + nodes + dim + maxima +
                (double)s->threads * space_doubles(s)) +
           hsgd_trace_bytes(s);
}

/* ---- small allocators that remember a failure ---- */

static void *take(size_t count, size_t size, bool *complete)
{
    void *memory = calloc(count ? count : 1, size);
    *complete = *complete && memory;
    return memory;
}

/* count accumulators whose means are consecutive rows from *memory on. */
static hsgd_moments *take_moments(size_t count, size_t dim, double **memory, bool *complete)
{
    hsgd_moments *moments = take(count, sizeof *moments, complete);
    for (size_t i = 0; moments && i < count; i++, *memory += dim)
        moments[i].mean = *memory;
    return moments;
}

static void alloc_space(hsgd_thread_space *space, const hsgd_engine *engine, bool *complete)
{
    const hsgd_simulation *s = engine->simulation;
    size_t rows = engine->max_rows + 1, levels = engine->hierarchy->num_levels, dim = engine->dim;
    double *next = space->memory = take((size_t)space_doubles(s), sizeof *next, complete);
    if (!next)
        return;
    space->scratch = next; /* first, because mini-batch indices share it and want the alignment of malloc */
    next += s->objective->type->scratch_size(s->objective, s->batch_size);
    space->unit_row = take_moments(rows, dim, &next, complete);
    space->parameter_level = take_moments(levels, dim, &next, complete);
    space->gradient_level = take_moments(levels, dim, &next, complete);
    space->unit_gradient.mean = next;
    space->grad = next + dim;
    space->loss = space->grad + HSGD_ROWS_AT_ONCE * dim;
    space->unit_norm_sq = space->loss + HSGD_ROWS_AT_ONCE;
    space->unused_dispersion = space->unit_norm_sq + rows;
}

static void alloc_window(hsgd_window *window, const hsgd_engine *engine, bool *complete)
{
    size_t rows = engine->max_rows + 1, nodes = engine->hierarchy->num_nodes;
    double *means = take(rows * engine->dim, sizeof *means, complete);
    if (!means)
        return;
    window->root = take_moments(rows, engine->dim, &means, complete);
    if (!window->root)
        free(means);
    window->root_norm_sq = take(rows, sizeof(double), complete);
    window->node_dispersion = take(engine->max_rows * nodes, sizeof(double), complete);
    window->node_divergence_at_node = take(engine->max_rows * nodes, sizeof(double), complete);
}

/* One unit per child node of the root, or runs of workers where the root has no child nodes. */
static void make_units(hsgd_engine *engine, bool *complete)
{
    const hsgd_hierarchy *h = engine->hierarchy;
    bool runs = hsgd_node_is_lowest(h, 0);
    size_t count = runs ? (h->num_workers - 1) / RUN_OF_WORKERS + 1 : h->node[0].num_children;
    engine->unit = take(count, sizeof *engine->unit, complete);
    if (!engine->unit)
        return;
    engine->num_units = count;
    for (size_t i = 0, v = 1; i < count; i++) {
        size_t first = i * RUN_OF_WORKERS, left = h->num_workers - (runs ? first : 0);
        engine->unit[i] = (hsgd_unit){HSGD_NO_NODE, first, left < RUN_OF_WORKERS ? left : RUN_OF_WORKERS};
        if (!runs) {
            engine->unit[i] = (hsgd_unit){v, h->node[v].first_worker, h->node[v].num_workers};
            v = h->node[v].end;
        }
    }
}

hsgd_status hsgd_engine_alloc(hsgd_engine *out, const hsgd_simulation *simulation, hsgd_trace *trace, hsgd_error *err)
{
    const hsgd_hierarchy *h = simulation->hierarchy;
    size_t dim = simulation->objective->dim, n = h->num_workers;
    bool complete = true;
    *out = (hsgd_engine){.simulation = simulation, .hierarchy = h, .dim = dim, .trace = trace};
    out->max_rows = window_rows(simulation);
    out->model = take(n * dim, sizeof *out->model, &complete);
    out->placement = take(n, sizeof *out->placement, &complete);
    out->node_divergence = take(h->num_nodes, sizeof *out->node_divergence, &complete);
    out->gradient.mean = take(dim, sizeof(double), &complete);
    make_units(out, &complete);
    alloc_window(&out->window, out, &complete);
    if (simulation->measure_maxima) {
        out->all_gradients = take(n * dim, sizeof *out->all_gradients, &complete);
        out->node_gradient = take(h->num_nodes * dim, sizeof *out->node_gradient, &complete);
    }
    out->space = take((size_t)simulation->threads, sizeof *out->space, &complete);
    for (int i = 0; out->space && i < simulation->threads; i++)
        alloc_space(&out->space[i], out, &complete);
    if (!complete) {
        hsgd_engine_free(out);
        return hsgd_fail(err, HSGD_ERROR_MEMORY,
                         "out of memory: a run of %zu workers with %zu parameters needs about %.3g MB", n, dim,
                         hsgd_simulation_bytes(simulation) / 1e6);
    }
    return HSGD_OK;
}

void hsgd_engine_free(hsgd_engine *engine)
{
    for (int i = 0; engine->space && i < engine->simulation->threads; i++) {
        free(engine->space[i].unit_row);
        free(engine->space[i].parameter_level);
        free(engine->space[i].gradient_level);
        free(engine->space[i].memory);
    }
    free(engine->space);
    if (engine->window.root)
        free(engine->window.root[0].mean);
    free(engine->window.root);
    free(engine->window.root_norm_sq);
    free(engine->window.node_dispersion);
    free(engine->window.node_divergence_at_node);
    free(engine->model);
    free(engine->placement);
    free(engine->unit);
    free(engine->node_divergence);
    free(engine->gradient.mean);
    free(engine->all_gradients);
    free(engine->node_gradient);
    memset(engine, 0, sizeof *engine);
}
