/* SPDX-License-Identifier: GPL-3.0-or-later */
/* All memory of a run is taken here, before the first step; the loop allocates nothing but, once, the models of all workers
 * when a round is first cut. */
#include "analysis/engine_private.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <gsl/gsl_randist.h>

#include "analysis/random.h"

/* The slots of a window, and those of the gradients at wbar, take at most about this much each (one row at least): more
 * rows cost memory, fewer synchronise the threads more often. */
static const double SLOT_BYTES = 48e6;

/* Gradients that a thread holds at the same time take at most about this much (those of one worker at least), so that
 * they stay in a second-level cache. */
static const double GRADIENT_BYTES = 1e6;

/* ---- sizes ---- */

/* From one vector to the next where each begins a line. */
static size_t whole_lines(size_t dim)
{
    const size_t line = HSGD_LINE_BYTES / sizeof(double);
    return (dim + line - 1) / line * line;
}

/* As many rows as are wanted and fit. */
static size_t fit_rows(double row_bytes, size_t wanted)
{
    double fit = floor(SLOT_BYTES / row_bytes);
    return fit >= (double)wanted ? wanted : fit >= 1 ? (size_t)fit : 1;
}

/* Means of all slots and of the root, for the proof terms two more of each unit; two numbers per node. */
static double window_row_bytes(const hsgd_simulation *s)
{
    hsgd_cut cut = hsgd_cut_find(s);
    double units = (double)cut.num_units, slots = units + (double)cut.num_splits,
           dim = (double)whole_lines(s->objective->dim);
    double proof = s->measure_proof ? (units + 1) * (16 * dim + (double)sizeof(hsgd_proof_part)) : 0;
    return slots * (8 * dim + (double)sizeof(hsgd_part)) + proof + 16 * (double)s->hierarchy->num_nodes;
}

static double root_row_bytes(const hsgd_simulation *s)
{
    double vectors = s->measure_maxima ? (double)s->hierarchy->num_workers + (double)s->hierarchy->num_nodes : 0;
    return window_row_bytes(s) + 8 * vectors * (double)s->objective->dim;
}

static size_t window_rows(const hsgd_simulation *s)
{
    size_t period = hsgd_hierarchy_global_period(s->hierarchy), length = period < s->steps ? period : s->steps;
    return fit_rows(window_row_bytes(s), (length - 1) / s->measure_every + 1);
}

static size_t root_rows(const hsgd_simulation *s)
{
    return fit_rows(root_row_bytes(s), window_rows(s) + 1);
}

/* Points below the root at which a worker's gradients are wanted at the same time, its own model included; at wbar,
 * HSGD_POINTS_AT_ONCE. */
static size_t points_at_once(const hsgd_simulation *s)
{
    size_t levels = s->hierarchy->num_levels; /* of which the root's takes part at wbar only */
    return levels > HSGD_POINTS_AT_ONCE ? levels : HSGD_POINTS_AT_ONCE;
}

static size_t workers_at_once(const hsgd_simulation *s)
{
    double fit = floor(GRADIENT_BYTES / (8 * (double)points_at_once(s) * (double)s->objective->dim));
    return fit >= HSGD_ROWS_AT_ONCE ? HSGD_ROWS_AT_ONCE : fit >= 1 ? (size_t)fit : 1;
}

/* Does every leg begin at an average of the nodes above the units, and is there memory for all that is measured in a round?
 * Then windows can be whole, and models need not outlive their legs. */
static bool windows_are_whole(const hsgd_simulation *s)
{
    if (!hsgd_cut_find(s).whole_legs)
        return false;
    size_t period = hsgd_hierarchy_global_period(s->hierarchy), length = period < s->steps ? period : s->steps;
    return window_rows(s) == (length - 1) / s->measure_every + 1;
}

/* Models and stochastic gradients that wait for true gradients take at most about this much of a thread's memory, so that
 * they stay in a second-level cache. */
static const double PAST_BYTES = 4e6;

/* May the objective make measured steps itself? It sums with equal weights, and single gradients are not kept. */
static bool steps_itself(const hsgd_simulation *s)
{
    return s->objective->type->recorded_step_rows && s->measure_proof && !s->measure_smoothness &&
           !s->exact_gradients && !s->measure_at_nodes && !s->hierarchy->worker_weight;
}

/* As many measured steps as fill the points of one call, where their noise is wanted and comes with a gradient. */
static size_t steps_at_once(const hsgd_simulation *s)
{
    size_t points = (s->measure_at_nodes ? s->hierarchy->num_levels - 1 : 0) + 1; /* of a worker at one step */
    const hsgd_objective_type *type = s->objective->type;
    if (!s->measure_proof || s->exact_gradients || !windows_are_whole(s) || !type->full_at || steps_itself(s) ||
        points >= HSGD_POINTS_AT_ONCE)
        return 1;
    double step_bytes = 16 * (double)hsgd_cut_find(s).most_workers * (double)s->objective->dim;
    size_t steps = HSGD_POINTS_AT_ONCE / points;
    return (double)steps * step_bytes <= PAST_BYTES ? steps : 1;
}

/* Accumulators of subtrees that go ahead of others take at most about this much: their models are to stay in the nearest
 * cache beside those of a step. */
static const double PASSAGE_BYTES = 64e3;

/* Measured steps of a leg, at most. */
static size_t leg_rows(const hsgd_simulation *s)
{
    hsgd_cut cut = hsgd_cut_find(s);
    size_t rows = (cut.leg - 1) / s->measure_every + 1, most = window_rows(s);
    return rows < most ? rows : most;
}

static size_t passage_rows(const hsgd_simulation *s)
{
    double row_bytes = 8 * (double)s->hierarchy->num_levels * (double)whole_lines(s->objective->dim);
    double fit = floor(PASSAGE_BYTES / row_bytes), rows = (double)leg_rows(s);
    return fit < 1 ? 1 : (size_t)(fit < rows ? fit : rows);
}

/* Groups of a few workers leave too little for one call: then all workers of a unit take a step together. */
static bool has_small_groups(const hsgd_hierarchy *h)
{
    size_t groups = 0;
    for (size_t u = 0; u < h->num_nodes; u++)
        groups += hsgd_node_is_lowest(h, u);
    return h->num_workers < groups * HSGD_ROWS_AT_ONCE / 2;
}

static bool by_steps(const hsgd_simulation *s)
{
    bool has_nodes = !hsgd_node_is_lowest(s->hierarchy, 0);
    return hsgd_variant_keeps_more(s->variant) ||
           (has_nodes && (s->measure_at_nodes || has_small_groups(s->hierarchy))) || steps_at_once(s) > 1;
}

/* Is every stretch of a lowest group between two averages, at which models become the same? */
static bool models_may_pass(const hsgd_simulation *s)
{
    return windows_are_whole(s) && !by_steps(s) && passage_rows(s) == leg_rows(s);
}

/* From one model to the next: few models can afford whole cache lines. */
static size_t stride_of(const hsgd_simulation *s)
{
    return models_may_pass(s) ? whole_lines(s->objective->dim) : s->objective->dim;
}

/* Workers whose models a thread has in memory of its own. */
static size_t own_models(const hsgd_simulation *s)
{
    return models_may_pass(s) ? workers_at_once(s) : windows_are_whole(s) ? hsgd_cut_find(s).most_workers : 0;
}

/* Doubles of every part of a thread's memory. */
typedef struct space_sizes {
    size_t model, past, node_mean, level, dispersion, grad, drawn, loss, scratch;
} space_sizes;

static space_sizes sizes_of_space(const hsgd_simulation *s)
{
    size_t dim = s->objective->dim, stride = stride_of(s), points = points_at_once(s), rows = workers_at_once(s),
           steps = steps_at_once(s);
    size_t accumulators = passage_rows(s) + 2 > points ? passage_rows(s) + 2 : points;
    hsgd_cut cut = hsgd_cut_find(s);
    return (space_sizes){.model = own_models(s) * stride,
                         .past = steps > 1 ? cut.most_workers * stride : 0,
                         .node_mean = s->measure_at_nodes ? cut.most_nodes * dim : 0,
                         .level = accumulators * s->hierarchy->num_levels,
                         .dispersion = points * s->hierarchy->num_nodes,
                         .grad = rows * points * dim,
                         .drawn = rows * dim,
                         .loss = rows * points,
                         .scratch = s->objective->type->scratch_size(s->objective, s->batch_size)};
}

static double space_bytes(const hsgd_simulation *s)
{
    space_sizes z = sizes_of_space(s);
    double level = (double)z.level * (double)whole_lines(s->objective->dim);
    double past = (double)steps_at_once(s) * (2 * (double)z.past + (double)z.node_mean);
    return 8 * (level + past + (double)z.model + (double)z.dispersion + (double)z.grad + (double)z.drawn +
                (double)z.loss + (double)z.scratch);
}

double hsgd_trace_bytes(const hsgd_simulation *s)
{
    double rows = (double)s->steps / (double)s->measure_every + 2, levels = (double)s->hierarchy->num_levels;
    double proof = s->measure_proof ? 7 * rows + (double)s->hierarchy->num_workers : 0;
    double metrics = s->evaluate_every ? HSGD_NUM_METRICS * rows : 0;
    return 8 * (rows * (3 + 3 * levels) + proof + metrics + 6 * (double)s->hierarchy->num_nodes +
                (double)s->objective->dim);
}

/* A process has at most about its share of the workers or nodes, and one unit more. */
static double own_share(const hsgd_simulation *s, size_t all, size_t of_unit)
{
    double share = (double)all / hsgd_team_size(s->team) + (double)of_unit;
    return hsgd_team_size(s->team) > 1 && share < (double)all ? share : (double)all;
}

/* Velocities go with their workers to other processes. */
static bool moves_velocities(const hsgd_simulation *s)
{
    return hsgd_team_size(s->team) > 1 && s->variant->momentum > 0 && s->variant->regroup &&
           s->variant->momentum_rule == HSGD_MOMENTUM_KEPT;
}

static double variant_bytes(const hsgd_simulation *s)
{
    hsgd_cut cut = hsgd_cut_find(s);
    double n = (double)s->hierarchy->num_workers, dim = (double)s->objective->dim, vectors = 0, numbers = 0;
    if (!s->variant)
        return 0;
    if (s->variant->momentum > 0)
        vectors += own_share(s, s->hierarchy->num_workers, cut.most_workers) * (moves_velocities(s) ? 2 : 1);
    if (s->variant->group_step_size != 1)
        vectors += own_share(s, s->hierarchy->num_nodes, cut.most_nodes);
    if (hsgd_variant_samples_workers(s->variant))
        numbers += 3 * n;
    return 8 * (vectors * dim + numbers + (moves_velocities(s) ? 2 * n : 0));
}

double hsgd_simulation_bytes(const hsgd_simulation *s)
{
    double dim = (double)s->objective->dim, n = (double)s->hierarchy->num_workers;
    double own = own_share(s, s->hierarchy->num_workers, hsgd_cut_find(s).most_workers);
    double kept = windows_are_whole(s) ? 0 : dim, seen = s->measure_proof && s->measure_smoothness ? 2 * dim + 3 : 0;
    hsgd_cut cut = hsgd_cut_find(s);
    double at_mean = cut.looks_up ? (double)cut.depth * (double)(cut.num_units + cut.num_splits) * dim : 0;
    double gradients = s->measure_maxima ? (double)root_rows(s) * (n - own) * dim : 0; /* that others have */
    return 8 * (2 * n + own * (kept + seen) + at_mean - gradients) + (double)s->threads * space_bytes(s) +
           ((double)window_rows(s) + 1) * window_row_bytes(s) + (double)root_rows(s) * root_row_bytes(s) +
           hsgd_trace_bytes(s) + variant_bytes(s);
}

/* ---- allocation: every block is remembered by the engine, and so is a failure ---- */

/* More than are taken: for the engine, and for each thread. */
enum { ENGINE_BLOCKS = 40, SPACE_BLOCKS = 12 + 3 * HSGD_POINTS_AT_ONCE };

static size_t own_workers(const hsgd_engine *engine)
{
    return engine->own.end_place - engine->own.first_place;
}

static size_t own_nodes(const hsgd_engine *engine)
{
    return engine->own.end_node - engine->own.first_node;
}

/* Zeroed. */
static void *take(hsgd_engine *engine, size_t count, size_t size)
{
    void *block = engine->num_blocks < engine->max_blocks ? hsgd_alloc_array(count, size) : NULL;
    if (block)
        engine->block[engine->num_blocks++] = block;
    else
        engine->incomplete = true;
    return block;
}

/* Give count parts consecutive rows of memory for their means. */
static hsgd_part *take_parts(hsgd_engine *engine, size_t count)
{
    size_t stride = whole_lines(engine->dim);
    hsgd_part *part = take(engine, count, sizeof *part);
    double *mean = take(engine, count * stride, sizeof *mean);
    for (size_t i = 0; part && mean && i < count; i++)
        part[i].moments.mean = mean + i * stride;
    return part;
}

static hsgd_moments *take_moments(hsgd_engine *engine, size_t count)
{
    size_t stride = whole_lines(engine->dim);
    hsgd_moments *moments = take(engine, count, sizeof *moments);
    double *mean = take(engine, count * stride, sizeof *mean);
    for (size_t i = 0; moments && mean && i < count; i++)
        moments[i].mean = mean + i * stride;
    return moments;
}

static void take_space(hsgd_engine *engine, hsgd_thread_space *out)
{
    space_sizes size = sizes_of_space(engine->simulation);
    *out = (hsgd_thread_space){.own_model = size.model ? take(engine, size.model, sizeof(double)) : NULL,
                               .level = take_moments(engine, size.level),
                               .node_dispersion = take(engine, size.dispersion, sizeof(double)),
                               .grad = take(engine, size.grad, sizeof(double)),
                               .drawn = take(engine, size.drawn, sizeof(double)),
                               .loss = take(engine, size.loss, sizeof(double)),
                               .scratch = take(engine, size.scratch, sizeof(double))};
    out->unit_model = out->own_model;
    for (size_t k = 0; k < engine->steps_at_once; k++) {
        out->past[k].model = size.past ? take(engine, size.past, sizeof(double)) : NULL;
        out->past[k].drawn = size.past ? take(engine, size.past, sizeof(double)) : NULL;
        out->past[k].node_mean = size.node_mean ? take(engine, size.node_mean, sizeof(double)) : NULL;
    }
}

static void take_spaces(hsgd_engine *engine)
{
    size_t threads = (size_t)engine->simulation->threads;
    engine->space = take(engine, threads, sizeof *engine->space);
    for (size_t i = 0; engine->space && i < threads; i++)
        take_space(engine, &engine->space[i]);
}

static void take_window(hsgd_engine *engine)
{
    hsgd_window *window = &engine->window;
    size_t rows = engine->max_rows, nodes = engine->hierarchy->num_nodes;
    window->slot = take_parts(engine, engine->num_slots * (rows + 1));
    window->root = take_parts(engine, rows + 1);
    if (engine->looks_up)
        engine->at_mean = take_parts(engine, engine->split_depth * engine->num_slots);
    window->node_dispersion = take(engine, rows * nodes, sizeof(double));
    window->node_divergence_at_node = take(engine, rows * nodes, sizeof(double));
}

/* Count slots with rows of memory for their two vectors. */
static hsgd_proof_part *take_proof_parts(hsgd_engine *engine, size_t count)
{
    size_t stride = whole_lines(engine->dim);
    hsgd_proof_part *part = take(engine, count, sizeof *part);
    double *sum = take(engine, 2 * count * stride, sizeof *sum);
    for (size_t i = 0; part && sum && i < count; i++) {
        part[i].gradient = sum + 2 * i * stride;
        part[i].noise = sum + (2 * i + 1) * stride;
    }
    return part;
}

static void take_proof(hsgd_engine *engine)
{
    size_t n = own_workers(engine), dim = engine->dim;
    if (!engine->simulation->measure_proof)
        return;
    engine->window.unit_proof = take_proof_parts(engine, engine->num_units * engine->max_rows);
    engine->window.root_proof = take_proof_parts(engine, engine->max_rows);
    if (!engine->simulation->measure_smoothness)
        return;
    engine->measured_model = take(engine, n * dim, sizeof *engine->measured_model);
    engine->measured_gradient = take(engine, n * dim, sizeof *engine->measured_gradient);
    engine->smoothness = take(engine, n, sizeof *engine->smoothness);
    engine->measured_mean = take(engine, 2 * dim, sizeof *engine->measured_mean);
}

static void take_variant(hsgd_engine *engine)
{
    const hsgd_variant *variant = engine->simulation->variant;
    hsgd_variant_memory *m = &engine->variant;
    size_t n = engine->hierarchy->num_workers, dim = engine->dim;
    if (!variant)
        return;
    if (hsgd_variant_samples_workers(variant)) {
        m->weight = take(engine, n, sizeof *m->weight);
        m->cumulative = take(engine, n, sizeof *m->cumulative);
        m->order = take(engine, n, sizeof *m->order);
    }
    if (variant->momentum > 0) {
        m->velocity = take(engine, own_workers(engine) * dim, sizeof *m->velocity);
        m->carried = take(engine, dim, sizeof *m->carried);
    }
    if (variant->group_step_size != 1)
        m->anchor = take(engine, own_nodes(engine) * dim, sizeof *m->anchor);
    if (!moves_velocities(engine->simulation))
        return;
    m->before = take(engine, n, sizeof *m->before);
    m->now = take(engine, n, sizeof *m->now);
    m->moved = take(engine, own_workers(engine) * dim, sizeof *m->moved);
}

static void take_root_rows(hsgd_engine *engine)
{
    size_t rows = engine->max_root_rows, nodes = engine->hierarchy->num_nodes, dim = engine->dim;
    bool maxima = engine->simulation->measure_maxima;
    size_t n = maxima ? own_workers(engine) : 0, own = maxima ? own_nodes(engine) : 0;
    hsgd_part *slot = take_parts(engine, rows * engine->num_slots), *whole = take_parts(engine, rows);
    double *divergence = take(engine, rows * nodes, sizeof *divergence);
    double *gradients = take(engine, rows * n * dim, sizeof *gradients);
    double *node_gradients = take(engine, rows * own * dim, sizeof *node_gradients);
    double *deviations = take(engine, rows * nodes, sizeof *deviations);
    engine->root_row = take(engine, rows, sizeof *engine->root_row);
    for (size_t i = 0; !engine->incomplete && i < rows; i++)
        engine->root_row[i] = (hsgd_root_row){.slot = slot + i * engine->num_slots,
                                              .whole = whole[i],
                                              .node_divergence = divergence + i * nodes,
                                              .all_gradients = maxima ? gradients + i * n * dim : NULL,
                                              .node_gradient = maxima ? node_gradients + i * own * dim : NULL,
                                              .node_deviation_max_sq = maxima ? deviations + i * nodes : NULL};
}

static void take_units(hsgd_engine *engine, const hsgd_cut *cut)
{
    size_t processes = (size_t)hsgd_team_size(engine->team);
    engine->num_units = cut->num_units;
    engine->num_splits = cut->num_splits;
    engine->num_slots = cut->num_units + cut->num_splits - 1;
    engine->split_depth = cut->depth;
    engine->looks_up = cut->looks_up;
    engine->unit = take(engine, engine->num_units, sizeof *engine->unit);
    engine->split = take(engine, engine->num_splits, sizeof *engine->split);
    size_t *owners = take(engine, hsgd_owners_length(engine->simulation), sizeof *owners);
    size_t *kids = take(engine, engine->num_splits * (processes + 1), sizeof *kids);
    if (engine->unit && engine->split && owners && kids) {
        hsgd_cut_make(engine, cut);
        hsgd_share_units(engine, owners, kids);
    }
    if (hsgd_is_shared(engine))
        engine->parcel = take(engine, hsgd_parcel_length(engine), sizeof *engine->parcel);
}

static void choose_order(hsgd_engine *engine)
{
    const hsgd_stream stream = {engine->simulation->shuffle, HSGD_PURPOSE_USER, 0, 0};
    gsl_rng *rng = engine->simulation->shuffle ? hsgd_stream_rng(&stream) : NULL;
    size_t own = engine->own.end_unit - engine->own.first_unit;
    engine->order = take(engine, own, sizeof *engine->order);
    for (size_t i = 0; engine->order && i < own; i++)
        engine->order[i] = engine->own.first_unit + i;
    if (engine->order && rng && own > 0) /* of 0 things GSL shuffles for ever */
        gsl_ran_shuffle(rng, engine->order, own, sizeof *engine->order);
    if (rng)
        gsl_rng_free(rng);
}

hsgd_status hsgd_engine_alloc(hsgd_engine *out, const hsgd_simulation *simulation, hsgd_trace *trace, hsgd_error *err)
{
    const hsgd_hierarchy *h = simulation->hierarchy;
    hsgd_cut cut = hsgd_cut_find(simulation);
    size_t dim = simulation->objective->dim, n = h->num_workers;
    *out = (hsgd_engine){
        .simulation = simulation, .hierarchy = h, .dim = dim, .trace = trace, .threads = simulation->threads};
    out->team = simulation->team;
    out->max_blocks = ENGINE_BLOCKS + SPACE_BLOCKS * (size_t)simulation->threads;
    out->block = calloc(out->max_blocks, sizeof *out->block);
    if (!out->block)
        return hsgd_fail_memory(err, "the run");
    out->max_rows = window_rows(simulation);
    out->max_root_rows = root_rows(simulation);
    out->rows_at_once = workers_at_once(simulation);
    out->steps_at_once = steps_at_once(simulation);
    out->steps_itself = steps_itself(simulation);
    out->by_steps = by_steps(simulation);
    out->passage_rows = passage_rows(simulation);
    out->models_may_pass = models_may_pass(simulation);
    out->stride = stride_of(simulation);
    take_units(out, &cut);
    out->start = take(out, dim, sizeof *out->start);
    out->model = windows_are_whole(simulation) ? NULL : take(out, own_workers(out) * out->stride, sizeof *out->model);
    out->placement = take(out, n, sizeof *out->placement);
    choose_order(out);
    take_window(out);
    take_root_rows(out);
    take_spaces(out);
    take_proof(out);
    take_variant(out);
    if (simulation->evaluate_every)
        out->evaluated = take(out, hsgd_evaluation_chunks(simulation), sizeof *out->evaluated);
    if (!out->incomplete)
        return HSGD_OK;
    hsgd_engine_free(out);
    return hsgd_fail(err, HSGD_ERROR_MEMORY,
                     "out of memory: a run of %zu workers with %zu parameters needs about %.3g MB", n, dim,
                     hsgd_simulation_bytes(simulation) / 1e6);
}

bool hsgd_engine_take_models(hsgd_engine *engine)
{
    double rows = (double)own_workers(engine) + (double)engine->hierarchy->num_workers; /* here, and in a state */
    if (!engine->model && rows * (double)engine->stride * sizeof *engine->model <= hsgd_memory_available())
        engine->model = take(engine, own_workers(engine) * engine->stride, sizeof *engine->model);
    return engine->model != NULL;
}

void hsgd_engine_free(hsgd_engine *engine)
{
    for (size_t i = 0; i < engine->num_blocks; i++)
        free(engine->block[i]);
    free(engine->block);
    memset(engine, 0, sizeof *engine);
}
