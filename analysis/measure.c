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
    size_t row; /* of the window; where beta_u^2(wbar_u) goes */
} model_source;

typedef struct gradient_source {
    hsgd_engine *engine;
    hsgd_thread_space *space;
    const double *point;
    hsgd_root_row *keep; /* where all gradients are to be kept; NULL: nowhere */
    bool at_node; /* the point is an average wbar_u: its pairs with the models below u count as seen smoothness */
    size_t step;  /* then t */
    double loss;  /* out: sum over the workers of weight * F_j(point) */
} gradient_source;

static const double *model_rows(void *source, size_t first, size_t count)
{
    const hsgd_engine *engine = ((model_source *)source)->engine;
    (void)count;
    return engine->model + first * engine->dim;
}

/* Right after an average below u its models are wbar_u, and their gradients have just been made for the proof terms. */
static const double *known_gradients(const gradient_source *g, size_t first, size_t count)
{
    size_t dim = g->engine->dim;
    if (!g->at_node || !g->engine->measured_gradient)
        return NULL;
    for (size_t j = first; j < first + count; j++)
        if (memcmp(g->engine->measured_model + j * dim, g->point, dim * sizeof *g->point) != 0)
            return NULL;
    return g->engine->measured_gradient + first * dim;
}

static const double *gradient_rows(void *source, size_t first, size_t count)
{
    gradient_source *g = source;
    const hsgd_objective *objective = g->engine->simulation->objective;
    const double *known = known_gradients(g, first, count);
    if (known) /* nobody asks for the loss there */
        return known;
    double *grad = g->keep ? g->keep->all_gradients + first * g->engine->dim : g->space->grad;
    objective->type->full(objective, g->point, g->engine->placement + first, count, g->space->loss, grad,
                          g->space->scratch);
    for (size_t j = 0; j < count; j++)
        g->loss += hsgd_place_weight(g->engine->hierarchy, first + j) * g->space->loss[j];
    for (size_t j = 0; g->at_node && g->engine->measured_gradient && j < count; j++)
        hsgd_proof_compare(g->engine, first + j, g->step, g->point, grad + j * g->engine->dim);
    return grad;
}

static void keep_node_gradient(void *source, size_t node, const double *mean)
{
    const gradient_source *g = source;
    memcpy(g->keep->node_gradient + node * g->engine->dim, mean, g->engine->dim * sizeof *mean);
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

/* The step of a measured row of the window. */
static size_t step_of_row(const hsgd_engine *engine, size_t row)
{
    size_t every = engine->simulation->measure_every, first = (engine->window.begin + every - 1) / every * every;
    return first + row * every;
}

/* beta_u^2 at wbar_u: the point where the proof of THEORY 4.2 uses assumption A3'. Where u's parts are nodes of their
 * own, the proof on the canonical tree meets their beta_v^2 at wbar_u, the one on the tree as given at wbar_v: the
 * larger of the two serves both. */
static void measure_at_node(void *source, size_t node, const double *mean)
{
    const model_source *m = source;
    hsgd_engine *engine = m->engine;
    gradient_source gradients = {
        .engine = engine, .space = m->space, .point = mean, .at_node = true, .step = step_of_row(engine, m->row)};
    hsgd_walk walk = gradient_walk(&gradients, m->space->unused_dispersion);
    double *at_node = engine->window.node_divergence_at_node + m->row * engine->hierarchy->num_nodes;
    hsgd_walk_node(&walk, node);
    at_node[node] = m->space->unused_dispersion[node];
    raise_merged(at_node, engine->hierarchy, node, m->space->unused_dispersion);
}

/* Walk over the workers of a unit and keep their mean. */
static void walk_unit(hsgd_walk *walk, const hsgd_unit *unit, hsgd_part *out)
{
    hsgd_moments_reset(&out->moments);
    if (unit->node == HSGD_NO_NODE)
        hsgd_walk_workers(walk, &out->moments, unit->first, unit->count);
    else {
        hsgd_walk_node(walk, unit->node);
        const hsgd_moments *node = &walk->level[walk->hierarchy->node[unit->node].depth];
        hsgd_moments_add(&out->moments, node->weight, node->mean, 0, walk->dim);
    }
    out->norm_sq = walk->norm_sq;
}

void hsgd_measure_unit(hsgd_engine *engine, size_t unit, size_t row, hsgd_thread_space *space)
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
    walk_unit(&walk, &engine->unit[unit], &engine->window.unit_part[unit * (engine->max_rows + 1) + row]);
}

void hsgd_merge_parts(hsgd_part *out, const hsgd_part *part, size_t stride, size_t num_units, size_t dim)
{
    hsgd_moments_reset(&out->moments);
    out->norm_sq = out->loss = 0;
    for (size_t i = 0; i < num_units; i++, part += stride) {
        hsgd_moments_add(&out->moments, part->moments.weight, part->moments.mean, part->moments.spread, dim);
        out->norm_sq += part->norm_sq;
        out->loss += part->loss;
    }
}

/* ---- everything at wbar ---- */

static void gradients_of_unit(hsgd_engine *engine, size_t unit, const double *point, hsgd_root_row *out,
                              hsgd_thread_space *space)
{
    gradient_source source = {
        .engine = engine, .space = space, .point = point, .keep = out->all_gradients ? out : NULL};
    hsgd_walk walk = gradient_walk(&source, out->node_divergence);
    walk_unit(&walk, &engine->unit[unit], &out->unit_part[unit]);
    out->unit_part[unit].loss = source.loss;
}

/* Largest deviation of a child of u from u, and of a worker below u from the root, among the kept gradients. */
static double child_deviation_max_sq(const hsgd_engine *engine, const hsgd_root_row *row, size_t u,
                                     double *worker_max_sq)
{
    const hsgd_hierarchy *h = engine->hierarchy;
    const hsgd_node *node = &h->node[u];
    size_t dim = engine->dim;
    const double *centre = row->node_gradient + u * dim;
    double largest = 0;
    if (hsgd_node_is_lowest(h, u))
        for (size_t j = node->first_worker; j < node->first_worker + node->num_workers; j++) {
            const double *grad = row->all_gradients + j * dim;
            largest = fmax(largest, hsgd_distance_sq(grad, centre, dim));
            *worker_max_sq = fmax(*worker_max_sq, hsgd_distance_sq(grad, row->whole.moments.mean, dim));
        }
    else
        for (size_t v = u + 1; v < node->end; v = h->node[v].end)
            largest = fmax(largest, hsgd_distance_sq(row->node_gradient + v * dim, centre, dim));
    return largest;
}

/* From the parts of the units to the whole. */
static void finish_root_row(const hsgd_engine *engine, hsgd_root_row *row)
{
    hsgd_part *whole = &row->whole;
    hsgd_merge_parts(whole, row->unit_part, 1, engine->num_units, engine->dim);
    whole->norm_sq /= whole->moments.weight;
    whole->loss /= whole->moments.weight;
    row->node_divergence[0] = hsgd_moments_dispersion(&whole->moments);
    if (!row->all_gradients)
        return;
    memcpy(row->node_gradient, whole->moments.mean, engine->dim * sizeof *row->node_gradient);
    row->worker_deviation_max_sq = 0;
    for (size_t u = 0; u < engine->hierarchy->num_nodes; u++)
        row->node_deviation_max_sq[u] = child_deviation_max_sq(engine, row, u, &row->worker_deviation_max_sq);
}

void hsgd_measure_root(hsgd_engine *engine, size_t row, size_t count)
{
#pragma omp parallel for collapse(2) schedule(dynamic, 1) num_threads(engine->threads)
    for (size_t i = 0; i < count; i++)
        for (size_t unit = 0; unit < engine->num_units; unit++)
            gradients_of_unit(engine, unit, engine->window.root[row + i].moments.mean, &engine->root_row[i],
                              &engine->space[hsgd_thread_number()]);
#pragma omp parallel for schedule(dynamic, 1) num_threads(engine->threads)
    for (size_t i = 0; i < count; i++)
        finish_root_row(engine, &engine->root_row[i]);
}

/* ---- into the trace ---- */

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

static void record_gradients(hsgd_engine *engine, const hsgd_root_row *row, size_t trace_row)
{
    hsgd_trace *trace = engine->trace;
    size_t levels = trace->num_levels, nodes = trace->num_nodes;
    double *level = trace->divergence + trace_row * levels;
    trace->loss[trace_row] = row->whole.loss;
    trace->grad_norm_sq[trace_row] = hsgd_norm_sq(row->whole.moments.mean, engine->dim);
    sum_levels(engine->hierarchy, row->node_divergence, level);
    double error = identity_error(level, levels, row->whole.norm_sq, trace->grad_norm_sq[trace_row]);
    trace->gradient_identity_error = fmax(trace->gradient_identity_error, error);
    if (trace_row == trace->num_measured) /* step T belongs to no mean over t < T */
        return;
    update_mean(trace->node_divergence_mean, row->node_divergence, nodes, (double)(trace_row + 1));
    update_max(trace->node_divergence_max, row->node_divergence, nodes);
    if (!row->all_gradients)
        return;
    update_max(trace->node_deviation_max_sq, row->node_deviation_max_sq, nodes);
    trace->worker_deviation_max_sq = fmax(trace->worker_deviation_max_sq, row->worker_deviation_max_sq);
}

static void record_models(hsgd_engine *engine, const hsgd_root_row *root_row, size_t row, size_t trace_row)
{
    hsgd_trace *trace = engine->trace;
    hsgd_window *window = &engine->window;
    size_t nodes = trace->num_nodes, levels = trace->num_levels;
    double *dispersion = window->node_dispersion + row * nodes, *level = trace->dispersion + trace_row * levels;
    const hsgd_part *root = &window->root[row];
    dispersion[0] = hsgd_moments_dispersion(&root->moments);
    sum_levels(engine->hierarchy, dispersion, level);
    update_mean(trace->node_dispersion_mean, dispersion, nodes, (double)(trace_row + 1));
    double error = identity_error(level, levels, root->norm_sq / root->moments.weight,
                                  hsgd_norm_sq(root->moments.mean, engine->dim));
    trace->parameter_identity_error = fmax(trace->parameter_identity_error, error);
    if (!trace->divergence_at_nodes)
        return;
    double *at_node = window->node_divergence_at_node + row * nodes;
    at_node[0] = root_row->node_divergence[0]; /* the root's own point is wbar */
    raise_merged(at_node, engine->hierarchy, 0, root_row->node_divergence);
    sum_levels(engine->hierarchy, at_node, trace->divergence_at_nodes + trace_row * levels);
    update_max(trace->node_divergence_at_node_max, at_node, nodes);
}

bool hsgd_record_row(hsgd_engine *engine, size_t slot, size_t row, size_t trace_row)
{
    record_gradients(engine, &engine->root_row[slot], trace_row);
    if (row < engine->window.num_rows)
        record_models(engine, &engine->root_row[slot], row, trace_row);
    if (engine->simulation->measure_proof)
        hsgd_proof_record(engine, &engine->root_row[slot], row, trace_row);
    return isfinite(engine->trace->loss[trace_row]) && isfinite(engine->trace->grad_norm_sq[trace_row]);
}
