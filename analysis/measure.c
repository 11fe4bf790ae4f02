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

/* ---- the tree ---- */

/* The node that v is a part of in the canonical tree: up while the parent averages at the same steps. */
static size_t canonical_node(const hsgd_hierarchy *h, size_t v)
{
    while (h->node[v].parent != HSGD_NO_NODE && h->node[v].period == h->node[h->node[v].parent].period)
        v = h->node[v].parent;
    return v;
}

void hsgd_raise_merged(double *at_node, const hsgd_hierarchy *h, size_t u, size_t first, size_t end,
                       const double *divergence_sq)
{
    for (size_t v = first; v < end; v++)
        if (canonical_node(h, v) == u)
            at_node[v] = fmax(at_node[v], divergence_sq[v - first]);
}

void hsgd_walk_unit(hsgd_walk *walk, const hsgd_unit *unit, hsgd_part *const *out)
{
    if (hsgd_unit_has_nodes(unit))
        hsgd_walk_children(walk, unit->depth, unit->node, unit->end);
    else
        hsgd_walk_workers(walk, unit->depth, unit->first, unit->count);
    for (size_t r = 0; r < walk->num_points; r++) {
        const hsgd_moments *all = hsgd_walk_level(walk, r, unit->depth);
        hsgd_moments_reset(&out[r]->moments);
        hsgd_moments_add(&out[r]->moments, all->weight, all->mean, all->spread, walk->dim);
        out[r]->norm_sq = walk->norm_sq[r];
    }
}

/* ---- the models of one unit ---- */

typedef struct model_source {
    const hsgd_engine *engine;
    const hsgd_unit *unit;
    hsgd_thread_space *space;
} model_source;

static void model_rows(void *source, size_t node, size_t first, size_t count, hsgd_rows *out)
{
    const model_source *m = source;
    (void)node;
    (void)count;
    out->at[0] = hsgd_model_at(m->engine, m->space, first);
    out->stride[0] = m->engine->stride;
}

static void keep_node_mean(void *source, size_t node, size_t point, const double *mean)
{
    const model_source *m = source;
    size_t dim = m->engine->dim;
    (void)point;
    memcpy(m->space->past[m->space->num_past - 1].node_mean + (node - m->unit->node) * dim, mean, dim * sizeof *mean);
}

void hsgd_measure_unit(hsgd_engine *engine, size_t unit, size_t row, hsgd_thread_space *space)
{
    bool at_end = row == engine->window.num_rows;
    model_source source = {engine, &engine->unit[unit], space};
    hsgd_part *out = &engine->window.slot[row * engine->num_slots + engine->unit[unit].slot];
    hsgd_walk walk = {.hierarchy = engine->hierarchy,
                      .dim = engine->dim,
                      .num_points = 1,
                      .rows_at_once = HSGD_ROWS_AT_ONCE,
                      .weight = engine->variant.weight,
                      .rows = model_rows,
                      .source = &source,
                      .level = space->level,
                      .node_dispersion = space->node_dispersion};
    if (!at_end) {
        walk.node_dispersion = engine->window.node_dispersion + row * engine->hierarchy->num_nodes;
        walk.node_done = engine->simulation->measure_at_nodes && space->num_past > 0 ? keep_node_mean : NULL;
    }
    hsgd_walk_unit(&walk, &engine->unit[unit], &out);
}

void hsgd_merge_parts(hsgd_part *out, const hsgd_part *part, size_t num_parts, size_t dim)
{
    hsgd_moments_reset(&out->moments);
    out->norm_sq = out->loss = 0;
    for (size_t i = 0; i < num_parts; i++, part++) {
        if (i + HSGD_UNITS_AHEAD < num_parts)
            hsgd_ask_for(part[HSGD_UNITS_AHEAD].moments.mean, dim);
        hsgd_moments_add(&out->moments, part->moments.weight, part->moments.mean, part->moments.spread, dim);
        out->norm_sq += part->norm_sq;
        out->loss += part->loss;
    }
}

/* ---- everything at wbar ---- */

/* Rows of the window whose gradients are made together. */
typedef struct root_source {
    hsgd_engine *engine;
    hsgd_thread_space *space;
    hsgd_root_row *row; /* (num_points) */
    size_t num_points;
    const double *point[HSGD_POINTS_AT_ONCE]; /* wbar */
    double loss[HSGD_POINTS_AT_ONCE];         /* out: sum over the workers of weight * F_j(wbar) */
} root_source;

static void gradient_rows(void *source, size_t node, size_t first, size_t count, hsgd_rows *out)
{
    root_source *s = source;
    const hsgd_engine *engine = s->engine;
    const double *point[HSGD_ROWS_AT_ONCE * HSGD_POINTS_AT_ONCE] = {NULL};
    size_t num = s->num_points, dim = engine->dim;
    (void)node;
    for (size_t j = 0; j < count; j++)
        memcpy(point + j * num, s->point, num * sizeof *point);
    hsgd_objective_full_at(engine->simulation->objective, point, num, engine->placement + first, count, s->space->loss,
                           s->space->grad, s->space->scratch);
    for (size_t j = 0; j < count; j++) {
        double weight = hsgd_place_weight(engine->hierarchy, first + j);
        for (size_t r = 0; r < num; r++)
            s->loss[r] += weight * s->space->loss[j * num + r];
    }
    for (size_t r = 0; r < num; r++) {
        out->at[r] = s->space->grad + r * dim;
        out->stride[r] = num * dim;
        if (s->row[r].all_gradients)
            for (size_t j = 0; j < count; j++)
                memcpy(s->row[r].all_gradients + (hsgd_own_place(engine, first) + j) * dim, out->at[r] + j * num * dim,
                       dim * sizeof(double));
    }
}

/* The same where the objective does the sums itself. */
static void add_gradients(hsgd_walk *walk, size_t depth, size_t first, size_t count)
{
    root_source *s = walk->source;
    const hsgd_objective *objective = s->engine->simulation->objective;
    for (size_t r = 0; r < walk->num_points; r++)
        objective->type->add_moments(objective, s->point[r], s->engine->placement + first, count,
                                     hsgd_walk_level(walk, r, depth), &s->loss[r], &walk->norm_sq[r]);
}

static void keep_node_gradient(void *source, size_t node, size_t point, const double *mean)
{
    const root_source *s = source;
    memcpy(hsgd_node_gradient(s->engine, &s->row[point], node), mean, s->engine->dim * sizeof *mean);
}

/* Single gradients are wanted for maxima, and for sums with weights. */
static bool sums_are_enough(const hsgd_engine *engine)
{
    return engine->simulation->objective->type->add_moments && !engine->hierarchy->worker_weight &&
           !engine->simulation->measure_maxima;
}

/* Into root_row[slot .. slot + count), from as many rows of the window beginning with `row`. */
static void gradients_of_unit(hsgd_engine *engine, size_t unit, size_t slot, size_t row, size_t count,
                              hsgd_thread_space *space)
{
    root_source source = {.engine = engine, .space = space, .row = &engine->root_row[slot], .num_points = count};
    hsgd_part *out[HSGD_POINTS_AT_ONCE] = {NULL};
    hsgd_walk walk = {.hierarchy = engine->hierarchy,
                      .dim = engine->dim,
                      .num_points = count,
                      .rows_at_once = engine->rows_at_once,
                      .rows = gradient_rows,
                      .add = sums_are_enough(engine) ? add_gradients : NULL,
                      .source = &source,
                      .level = space->level,
                      .node_dispersion = source.row->node_divergence,
                      .node_done = source.row->all_gradients ? keep_node_gradient : NULL};
    for (size_t r = 0; r < count; r++) {
        source.point[r] = engine->window.root[row + r].moments.mean;
        out[r] = &source.row[r].slot[engine->unit[unit].slot];
    }
    hsgd_walk_unit(&walk, &engine->unit[unit], out);
    for (size_t r = 0; r < count; r++)
        out[r]->loss = source.loss[r];
}

/* Largest deviation of the own workers among those at places [first, end), whose group has the mean centre, from it, and
 * from the root. */
static double worker_deviation_max_sq(const hsgd_engine *engine, const hsgd_root_row *row, size_t first, size_t end,
                                      const double *centre, double *from_root_max_sq)
{
    const hsgd_own *own = &engine->own;
    size_t dim = engine->dim;
    double largest = 0;
    for (size_t j = first > own->first_place ? first : own->first_place; j < end && j < own->end_place; j++) {
        const double *grad = row->all_gradients + hsgd_own_place(engine, j) * dim;
        largest = fmax(largest, hsgd_distance_sq(grad, centre, dim));
        *from_root_max_sq = fmax(*from_root_max_sq, hsgd_distance_sq(grad, row->whole.moments.mean, dim));
    }
    return largest;
}

/* The same of a child of u, a node in a unit, among the kept gradients. */
static double child_deviation_max_sq(const hsgd_engine *engine, const hsgd_root_row *row, size_t u,
                                     double *worker_max_sq)
{
    const hsgd_hierarchy *h = engine->hierarchy;
    const hsgd_node *node = &h->node[u];
    const double *centre = hsgd_node_gradient(engine, row, u);
    double largest = 0;
    if (hsgd_node_is_lowest(h, u))
        return worker_deviation_max_sq(engine, row, node->first_worker, node->first_worker + node->num_workers, centre,
                                       worker_max_sq);
    for (size_t v = u + 1; v < node->end; v = h->node[v].end)
        largest = fmax(largest, hsgd_distance_sq(hsgd_node_gradient(engine, row, v), centre, engine->dim));
    return largest;
}

/* The same of what an own unit has directly below the divided node u, whose gradient is centre. */
static double unit_deviation_max_sq(const hsgd_engine *engine, const hsgd_root_row *row, const hsgd_unit *unit,
                                    const double *centre, double *worker_max_sq)
{
    double largest = 0;
    if (!hsgd_unit_has_nodes(unit))
        return worker_deviation_max_sq(engine, row, unit->first, unit->first + unit->count, centre, worker_max_sq);
    for (size_t v = unit->node; v < unit->end; v = engine->hierarchy->node[v].end)
        largest = fmax(largest, hsgd_distance_sq(hsgd_node_gradient(engine, row, v), centre, engine->dim));
    return largest;
}

/* And of divided node i, as far as this process can see. */
static double split_deviation_max_sq(const hsgd_engine *engine, const hsgd_root_row *row, size_t i,
                                     double *worker_max_sq)
{
    const hsgd_split *split = &engine->split[i];
    const double *centre = i ? row->slot[split->slot].moments.mean : row->whole.moments.mean;
    double largest = 0;
    for (size_t v = i + 1; v < engine->num_splits; v++)
        if (engine->split[v].parent == i)
            largest =
                fmax(largest, hsgd_distance_sq(row->slot[engine->split[v].slot].moments.mean, centre, engine->dim));
    for (size_t u = engine->own.first_unit; u < engine->own.end_unit; u++)
        if (engine->unit[u].split == i)
            largest = fmax(largest, unit_deviation_max_sq(engine, row, &engine->unit[u], centre, worker_max_sq));
    return largest;
}

/* What this process has of the largest deviations. */
static void find_deviations(const hsgd_engine *engine, hsgd_root_row *row)
{
    double *worker_max_sq = &row->worker_deviation_max_sq;
    *worker_max_sq = 0;
    for (size_t i = engine->own.first_unit; i < engine->own.end_unit; i++)
        for (size_t u = engine->unit[i].node; u < engine->unit[i].end; u++)
            row->node_deviation_max_sq[u] = child_deviation_max_sq(engine, row, u, worker_max_sq);
    for (size_t i = 0; i < engine->num_splits; i++)
        row->node_deviation_max_sq[engine->split[i].node] =
            engine->split[i].is_own ? split_deviation_max_sq(engine, row, i, worker_max_sq) : 0;
}

/* From what hangs below the root to the whole. */
static void finish_root_row(const hsgd_engine *engine, hsgd_root_row *row)
{
    hsgd_part *whole = &row->whole;
    hsgd_merge_root(engine, whole, row->slot);
    whole->norm_sq /= whole->moments.weight;
    whole->loss /= whole->moments.weight;
    row->node_divergence[0] = hsgd_moments_dispersion(&whole->moments);
    if (row->all_gradients)
        find_deviations(engine, row);
}

/* Units that are enough for all threads are taken whole, so that what they share between points stays in cache. */
enum { UNITS_PER_THREAD = 8 };

/* Task `task` of gradients at `count` points, HSGD_POINTS_AT_ONCE at a time: a unit, or a unit at points of one time. */
static void gradients_of_task(hsgd_engine *engine, size_t task, bool is_unit, size_t row, size_t count)
{
    const size_t most = HSGD_POINTS_AT_ONCE, times = (count + most - 1) / most;
    const size_t unit = engine->order[is_unit ? task : task / times];
    const size_t first = is_unit ? 0 : task % times, end = is_unit ? times : first + 1;
    for (size_t slot = first * most; slot < end * most && slot < count; slot += most)
        gradients_of_unit(engine, unit, slot, row + slot, count - slot < most ? count - slot : most,
                          &engine->space[hsgd_thread_number()]);
}

void hsgd_measure_root(hsgd_engine *engine, size_t row, size_t count)
{
    const size_t units = engine->own.end_unit - engine->own.first_unit;
    const size_t times = (count + HSGD_POINTS_AT_ONCE - 1) / HSGD_POINTS_AT_ONCE;
    const bool is_unit = units >= UNITS_PER_THREAD * (size_t)engine->threads;
    hsgd_tasks_open(engine, is_unit ? units : units * times);
#pragma omp parallel num_threads(engine->threads)
    for (size_t task; hsgd_tasks_next(engine, &task);)
        gradients_of_task(engine, task, is_unit, row, count);
    hsgd_merge_levels(engine, engine->root_row[0].slot, count, engine->root_row[0].node_divergence, count);
    hsgd_share_gradients(engine, count);
#pragma omp parallel for schedule(dynamic, 1) num_threads(engine->threads)
    for (size_t i = 0; i < count; i++)
        finish_root_row(engine, &engine->root_row[i]);
    hsgd_share_deviations(engine, count);
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
    hsgd_raise_merged(at_node, engine->hierarchy, 0, 1, nodes, root_row->node_divergence + 1);
    sum_levels(engine->hierarchy, at_node, trace->divergence_at_nodes + trace_row * levels);
    update_max(trace->node_divergence_at_node_max, at_node, nodes);
}

/* Models may leave the range of squares while the gradients at them do not. */
static bool is_finite(const hsgd_engine *engine, const hsgd_root_row *gradients, size_t row, size_t trace_row)
{
    bool models = row == engine->window.num_rows || isfinite(engine->window.root[row].norm_sq);
    return isfinite(engine->trace->loss[trace_row]) && isfinite(engine->trace->grad_norm_sq[trace_row]) &&
           isfinite(gradients->whole.norm_sq) && models;
}

bool hsgd_record_row(hsgd_engine *engine, size_t slot, size_t row, size_t trace_row)
{
    record_gradients(engine, &engine->root_row[slot], trace_row);
    if (row < engine->window.num_rows)
        record_models(engine, &engine->root_row[slot], row, trace_row);
    if (engine->simulation->measure_proof)
        hsgd_proof_record(engine, &engine->root_row[slot], row, trace_row);
    return is_finite(engine, &engine->root_row[slot], row, trace_row);
}
