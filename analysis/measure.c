/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the engine measures (THEORY 2): dispersions of the models, and divergences of the gradients at the averages.
 *
 * Both are the same walk over the tree, once with the models and once with the gradients at a point as vectors. The
 * identities of THEORY 2 are checked against the raw second moment, mean ||x||^2 - ||mean x||^2, which takes another
 * path through the arithmetic; it is never used as a result. */
#include "analysis/engine_private.h"

#include <math.h>
#include <string.h>

#include "analysis/threads.h"

/* ---- vectors for the walks ---- */

typedef struct model_source {
    hsgd_engine *engine;
    hsgd_thread_space *space;
    size_t row;         /* of the window; where beta_u^2(wbar_u) goes */
    bool gradients_too; /* evaluate gradients at every finished node's mean */
} model_source;

typedef struct gradient_source {
    hsgd_engine *engine;
    hsgd_thread_space *space;
    const double *point;
    double loss; /* out: sum over the workers of weight * F_j(point) */
    bool keep;   /* into engine->all_gradients and node_gradient */
} gradient_source;

static const double *model_rows(void *source, size_t first, size_t count)
{
    const hsgd_engine *engine = ((model_source *)source)->engine;
    (void)count;
    return engine->model + first * engine->dim;
}

static const double *gradient_rows(void *source, size_t first, size_t count)
{
    gradient_source *g = source;
    const hsgd_objective *objective = g->engine->simulation->objective;
    double *grad = g->keep ? g->engine->all_gradients + first * g->engine->dim : g->space->grad;
    objective->type->full(objective, g->point, g->engine->placement + first, count, g->space->loss, grad,
                          g->space->scratch);
    for (size_t j = 0; j < count; j++)
        g->loss += hsgd_place_weight(g->engine->hierarchy, first + j) * g->space->loss[j];
    return grad;
}

static void keep_node_gradient(void *source, size_t node, const double *mean)
{
    const gradient_source *g = source;
    memcpy(g->engine->node_gradient + node * g->engine->dim, mean, g->engine->dim * sizeof *mean);
}

static hsgd_walk gradient_walk(gradient_source *source, double *node_dispersion)
{
    const hsgd_engine *engine = source->engine;
    return (hsgd_walk){.hierarchy = engine->hierarchy,
                       .dim = engine->dim,
                       .rows = gradient_rows,
                       .source = source,
                       .level = source->space->gradient_level,
                       .node_dispersion = node_dispersion,
                       .node_done = source->keep ? keep_node_gradient : NULL};
}

/* ---- the models of one unit ---- */

/* The node that v is a part of in the canonical tree: up while the parent averages at the same steps. */
static size_t canonical_node(const hsgd_hierarchy *h, size_t v)
{
    while (h->node[v].parent != HSGD_NO_NODE && h->node[v].period == h->node[h->node[v].parent].period)
        v = h->node[v].parent;
    return v;
}

/* at_node[v] becomes at least beta_v^2 at this point for every v below u that is a part of u. */
static void raise_merged(double *at_node, const hsgd_hierarchy *h, size_t u, const double *divergence_sq)
{
    for (size_t v = u + 1; v < h->node[u].end; v++)
        if (canonical_node(h, v) == u)
            at_node[v] = fmax(at_node[v], divergence_sq[v]);
}

/* beta_u^2 at wbar_u: the point where the proof of THEORY 4.2 uses assumption A3'. Where u's parts are nodes of their
 * own, the proof on the canonical tree meets their beta_v^2 at wbar_u, the one on the tree as given at wbar_v: the
 * larger of the two serves both. */
static void measure_at_node(void *source, size_t node, const double *mean)
{
    const model_source *m = source;
    hsgd_engine *engine = m->engine;
    gradient_source gradients = {.engine = engine, .space = m->space, .point = mean};
    hsgd_walk walk = gradient_walk(&gradients, m->space->unused_dispersion);
    double *at_node = engine->window.node_divergence_at_node + m->row * engine->hierarchy->num_nodes;
    hsgd_walk_node(&walk, node);
    at_node[node] = m->space->unused_dispersion[node];
    raise_merged(at_node, engine->hierarchy, node, m->space->unused_dispersion);
}

void hsgd_measure_unit(hsgd_engine *engine, const hsgd_unit *unit, size_t row, hsgd_thread_space *space)
{
    bool at_end = row == engine->window.num_rows;
    model_source source = {.engine = engine, .space = space, .row = row};
    hsgd_walk walk = {.hierarchy = engine->hierarchy,
                      .dim = engine->dim,
                      .rows = model_rows,
                      .source = &source,
                      .level = space->parameter_level,
                      .node_dispersion = space->unused_dispersion};
    if (!at_end) {
        walk.node_dispersion = engine->window.node_dispersion + row * engine->hierarchy->num_nodes;
        walk.node_done = engine->simulation->measure_at_nodes ? measure_at_node : NULL;
    }
    hsgd_moments *out = &space->unit_row[row];
    hsgd_moments_reset(out);
    if (unit->node == HSGD_NO_NODE)
        hsgd_walk_workers(&walk, out, unit->first, unit->count);
    else {
        hsgd_walk_node(&walk, unit->node);
        const hsgd_moments *node = &space->parameter_level[engine->hierarchy->node[unit->node].depth];
        hsgd_moments_add(out, node->weight, node->mean, 0, engine->dim);
    }
    space->unit_norm_sq[row] = walk.norm_sq;
}

/* ---- everything at wbar ---- */

/* Sums over units, in their order. */
typedef struct root_sums {
    double loss, norm_sq;
} root_sums;

static double gradient_of_unit(hsgd_engine *engine, const hsgd_unit *unit, gradient_source *source)
{
    hsgd_walk walk = gradient_walk(source, engine->node_divergence);
    hsgd_moments *out = &source->space->unit_gradient;
    hsgd_moments_reset(out);
    if (unit->node == HSGD_NO_NODE)
        hsgd_walk_workers(&walk, out, unit->first, unit->count);
    else {
        hsgd_walk_node(&walk, unit->node);
        const hsgd_moments *node = &source->space->gradient_level[engine->hierarchy->node[unit->node].depth];
        hsgd_moments_add(out, node->weight, node->mean, 0, engine->dim);
    }
    return walk.norm_sq;
}

static root_sums gradients_at(hsgd_engine *engine, const double *point)
{
    root_sums sums = {0, 0};
    hsgd_moments_reset(&engine->gradient);
#pragma omp parallel for ordered schedule(dynamic, 1) num_threads(engine->simulation->threads)
    for (size_t i = 0; i < engine->num_units; i++) {
        hsgd_thread_space *space = &engine->space[hsgd_thread_number()];
        gradient_source source = {
            .engine = engine, .space = space, .point = point, .keep = engine->all_gradients != NULL};
        double norm_sq = gradient_of_unit(engine, &engine->unit[i], &source);
#pragma omp ordered
        {
            const hsgd_moments *unit = &space->unit_gradient;
            hsgd_moments_add(&engine->gradient, unit->weight, unit->mean, unit->spread, engine->dim);
            sums.loss += source.loss;
            sums.norm_sq += norm_sq;
        }
    }
    sums.loss /= engine->gradient.weight;
    sums.norm_sq /= engine->gradient.weight;
    engine->node_divergence[0] = hsgd_moments_dispersion(&engine->gradient);
    return sums;
}

/* level[k] = sum over the nodes of depth k of weight * node value. */
static void sum_levels(const hsgd_hierarchy *h, const double *node_value, double *level)
{
    memset(level, 0, h->num_levels * sizeof *level);
    for (size_t u = 0; u < h->num_nodes; u++)
        level[h->node[u].depth] += h->node[u].weight * node_value[u];
}

/* |sum of the levels - (mean ||x||^2 - ||mean x||^2)| relative to mean ||x||^2, the scale of its rounding errors. */
static double identity_error(const double *level, size_t num_levels, double mean_norm_sq, double norm_sq_of_mean)
{
    double sum = 0;
    for (size_t k = 0; k < num_levels; k++)
        sum += level[k];
    return mean_norm_sq > 0 ? fabs(sum - (mean_norm_sq - norm_sq_of_mean)) / mean_norm_sq : 0;
}

/* Largest deviation of a child of u from u, and of a worker below u from the root, among the kept gradients. */
static double child_deviation_max_sq(const hsgd_engine *engine, size_t u, double *worker_max_sq)
{
    const hsgd_hierarchy *h = engine->hierarchy;
    const hsgd_node *node = &h->node[u];
    size_t dim = engine->dim;
    const double *centre = engine->node_gradient + u * dim;
    double largest = 0;
    if (hsgd_node_is_lowest(h, u))
        for (size_t j = node->first_worker; j < node->first_worker + node->num_workers; j++) {
            const double *grad = engine->all_gradients + j * dim;
            largest = fmax(largest, hsgd_distance_sq(grad, centre, dim));
            *worker_max_sq = fmax(*worker_max_sq, hsgd_distance_sq(grad, engine->gradient.mean, dim));
        }
    else
        for (size_t v = u + 1; v < node->end; v = h->node[v].end)
            largest = fmax(largest, hsgd_distance_sq(engine->node_gradient + v * dim, centre, dim));
    return largest;
}

static void record_maxima(hsgd_engine *engine)
{
    hsgd_trace *trace = engine->trace;
    double worker_max_sq = trace->worker_deviation_max_sq;
    memcpy(engine->node_gradient, engine->gradient.mean, engine->dim * sizeof *engine->node_gradient);
#pragma omp parallel for schedule(dynamic, 1) num_threads(engine->simulation->threads) reduction(max : worker_max_sq)
    for (size_t u = 0; u < engine->hierarchy->num_nodes; u++)
        trace->node_deviation_max_sq[u] =
            fmax(trace->node_deviation_max_sq[u], child_deviation_max_sq(engine, u, &worker_max_sq));
    trace->worker_deviation_max_sq = worker_max_sq;
}

/* Running mean and maximum of a node quantity; count is the number of values so far, this one included. */
static void update_mean(double *mean, const double *value, size_t num, double count)
{
    for (size_t u = 0; u < num; u++)
        mean[u] += (value[u] - mean[u]) / count;
}

static void update_max(double *largest, const double *value, size_t num)
{
    for (size_t u = 0; u < num; u++)
        largest[u] = fmax(largest[u], value[u]);
}

static void record_gradients(hsgd_engine *engine, size_t trace_row, root_sums sums)
{
    hsgd_trace *trace = engine->trace;
    size_t levels = trace->num_levels;
    double *level = trace->divergence + trace_row * levels;
    trace->loss[trace_row] = sums.loss;
    trace->grad_norm_sq[trace_row] = hsgd_norm_sq(engine->gradient.mean, engine->dim);
    sum_levels(engine->hierarchy, engine->node_divergence, level);
    double error = identity_error(level, levels, sums.norm_sq, trace->grad_norm_sq[trace_row]);
    trace->gradient_identity_error = fmax(trace->gradient_identity_error, error);
    if (trace_row == trace->num_measured) /* step T belongs to no mean over t < T */
        return;
    update_mean(trace->node_divergence_mean, engine->node_divergence, trace->num_nodes, (double)(trace_row + 1));
    update_max(trace->node_divergence_max, engine->node_divergence, trace->num_nodes);
    if (engine->all_gradients)
        record_maxima(engine);
}

static void record_models(hsgd_engine *engine, size_t row, size_t trace_row)
{
    hsgd_trace *trace = engine->trace;
    hsgd_window *window = &engine->window;
    size_t nodes = trace->num_nodes, levels = trace->num_levels;
    double *dispersion = window->node_dispersion + row * nodes, *level = trace->dispersion + trace_row * levels;
    const hsgd_moments *root = &window->root[row];
    dispersion[0] = hsgd_moments_dispersion(root);
    sum_levels(engine->hierarchy, dispersion, level);
    update_mean(trace->node_dispersion_mean, dispersion, nodes, (double)(trace_row + 1));
    double error =
        identity_error(level, levels, window->root_norm_sq[row] / root->weight, hsgd_norm_sq(root->mean, engine->dim));
    trace->parameter_identity_error = fmax(trace->parameter_identity_error, error);
    if (!trace->divergence_at_nodes)
        return;
    double *at_node = window->node_divergence_at_node + row * nodes;
    at_node[0] = engine->node_divergence[0]; /* the root's own point is wbar */
    raise_merged(at_node, engine->hierarchy, 0, engine->node_divergence);
    sum_levels(engine->hierarchy, at_node, trace->divergence_at_nodes + trace_row * levels);
    update_max(trace->node_divergence_at_node_max, at_node, nodes);
}

bool hsgd_measure_root(hsgd_engine *engine, size_t row, size_t trace_row)
{
    root_sums sums = gradients_at(engine, engine->window.root[row].mean);
    record_gradients(engine, trace_row, sums);
    if (row < engine->window.num_rows)
        record_models(engine, row, trace_row);
    return isfinite(sums.loss) && isfinite(engine->trace->grad_norm_sq[trace_row]);
}
