/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Measured steps of a unit: the gradients at the workers' own models and at the averages of the nodes above them, and the
 * steps themselves, whose noise the proof terms record.
 *
 * Points share a pass over a worker's data. Where a step has few of them, its models and stochastic gradients are kept, the
 * workers go on, and the true gradients follow for several measured steps together (steps_at_once). Where there is nothing
 * to be gained, the step is made from the true gradients at once. */
#include "analysis/engine_private.h"

#include <string.h>

#include "analysis/moments_private.h"

/* Points where the gradients of some workers are wanted: each is evaluated once, however often it occurs. The indices say
 * which of them they are, step by step. */
enum { MAX_POINTS = 2 * HSGD_MAX_LEVELS };

typedef struct points {
    const double *at[MAX_POINTS]; /* NULL: each worker's own model at step step[i] */
    size_t step[MAX_POINTS];
    size_t num;
    size_t mean[MAX_POINTS]; /* (num_past, num_means) averages of the nodes, from the root's child downwards */
    size_t num_means;
    size_t own[HSGD_POINTS_AT_ONCE]; /* (num_past) the own models */
} points;

/* The pending steps of one unit. */
typedef struct pending {
    hsgd_engine *engine;
    hsgd_thread_space *space;
    const hsgd_unit *unit;
    size_t index; /* of the unit */
} pending;

/* Averages above a worker that are measured, at most; the root's is not among them. */
static size_t depths_below_root(const hsgd_engine *engine)
{
    return engine->hierarchy->num_levels - 1;
}

static bool wants_nodes(const hsgd_engine *engine, const hsgd_unit *unit)
{
    return engine->simulation->measure_at_nodes && (hsgd_unit_has_nodes(unit) || unit->depth > 0);
}

static const double *past_model(const pending *s, size_t k, size_t place)
{
    return s->space->past[k].model + (place - s->space->past[k].first) * s->engine->stride;
}

/* ---- which points ---- */

/* The index of a point among those there are, where it is put if it is new. */
static size_t find_or_add(points *p, const double *at, size_t dim)
{
    for (size_t i = 0; i < p->num; i++)
        if (p->at[i] && memcmp(p->at[i], at, dim * sizeof *at) == 0)
            return i;
    p->at[p->num] = at;
    return p->num++;
}

/* Of the divided nodes above the unit, and of those in it above a worker of the lowest node `node` (HSGD_NO_NODE: there are
 * none). */
static void add_means(points *p, const pending *s, size_t k, size_t node)
{
    const hsgd_engine *engine = s->engine;
    const hsgd_past *past = &s->space->past[k];
    const hsgd_part *slot = engine->window.slot + past->row * engine->num_slots;
    size_t dim = engine->dim, i = s->unit->split;
    const double *mean[HSGD_MAX_LEVELS];
    p->num_means = node == HSGD_NO_NODE ? s->unit->depth : engine->hierarchy->node[node].depth;
    for (size_t r = p->num_means, v = node; r-- > 0;)
        if (r >= s->unit->depth) {
            mean[r] = past->node_mean + (v - s->unit->node) * dim;
            v = engine->hierarchy->node[v].parent;
        } else {
            mean[r] = slot[engine->split[i].slot].moments.mean;
            i = engine->split[i].parent;
        }
    for (size_t r = 0; r < p->num_means; r++)
        p->mean[k * p->num_means + r] = find_or_add(p, mean[r], dim);
}

/* Right after an average the models are the lowest mean, whose index is then given. */
static bool are_at_mean(const pending *s, const points *p, size_t k, size_t first, size_t count, size_t *index)
{
    size_t dim = s->engine->dim;
    if (p->num_means == 0)
        return false;
    *index = p->mean[(k + 1) * p->num_means - 1];
    for (size_t j = 0; j < count; j++)
        if (memcmp(past_model(s, k, first + j), p->at[*index], dim * sizeof(double)) != 0)
            return false;
    return true;
}

static void add_own(points *p, const pending *s, size_t k, size_t first, size_t count)
{
    if (are_at_mean(s, p, k, first, count, &p->own[k]))
        return;
    p->own[k] = p->num;
    p->step[p->num] = k;
    p->at[p->num++] = NULL;
}

/* ---- their gradients ---- */

/* The gradients go into the space's memory, HSGD_POINTS_AT_ONCE points in a block (count, points of the block, dim). */
static size_t block_points(const points *p, size_t point)
{
    size_t left = p->num - point / HSGD_POINTS_AT_ONCE * HSGD_POINTS_AT_ONCE;
    return left < HSGD_POINTS_AT_ONCE ? left : HSGD_POINTS_AT_ONCE;
}

/* From one worker's gradient at a point to the next one's. */
static size_t stride_at(const pending *s, const points *p, size_t point)
{
    return block_points(p, point) * s->engine->dim;
}

/* Where the gradient of the first of `count` workers at a point lies. */
static double *gradient_at(const pending *s, size_t point, size_t count)
{
    size_t block = point / HSGD_POINTS_AT_ONCE * HSGD_POINTS_AT_ONCE;
    return s->space->grad + (count * block + (point - block)) * s->engine->dim;
}

static void evaluate(const pending *s, const points *p, size_t first, size_t count)
{
    const hsgd_engine *engine = s->engine;
    const double *at[HSGD_ROWS_AT_ONCE * HSGD_POINTS_AT_ONCE];
    for (size_t block = 0; block < p->num; block += HSGD_POINTS_AT_ONCE) {
        size_t num = block_points(p, block);
        for (size_t j = 0; j < count; j++)
            for (size_t i = 0; i < num; i++)
                at[j * num + i] = p->at[block + i] ? p->at[block + i] : past_model(s, p->step[block + i], first + j);
        hsgd_objective_full_at(engine->simulation->objective, at, num, engine->placement + first, count, NULL,
                               gradient_at(s, block, count), s->space->scratch);
    }
}

/* ---- what they are for ---- */

static void see_smoothness(const pending *s, const points *p, size_t k, size_t first, size_t count)
{
    hsgd_engine *engine = s->engine;
    size_t t = s->space->past[k].t;
    for (size_t j = 0; j < count; j++) {
        const double *own = gradient_at(s, p->own[k], count) + j * stride_at(s, p, p->own[k]);
        hsgd_proof_see(engine, first + j, t, past_model(s, k, first + j), own);
        for (size_t r = 0; r < p->num_means; r++) {
            size_t i = p->mean[k * p->num_means + r];
            const double *at_mean = gradient_at(s, i, count) + j * stride_at(s, p, i);
            hsgd_proof_compare(engine, first + j, t, p->at[i], at_mean);
        }
    }
}

/* A source of rows: the gradients at the averages. Steps that are still to be made happen on the way. */
static void gradient_rows(void *source, size_t node, size_t first, size_t count, hsgd_rows *out)
{
    const pending *s = source;
    size_t steps = s->space->num_past, depths = depths_below_root(s->engine);
    bool proof = s->engine->simulation->measure_proof;
    points p = {.num = 0, .num_means = 0};
    for (size_t k = 0; wants_nodes(s->engine, s->unit) && k < steps; k++)
        add_means(&p, s, k, node);
    for (size_t k = 0; proof && k < steps; k++)
        add_own(&p, s, k, first, count);
    evaluate(s, &p, first, count);
    for (size_t k = 0; k < steps; k++) {
        for (size_t r = 0; r < p.num_means; r++) {
            size_t i = p.mean[k * p.num_means + r];
            out->at[k * depths + r] = gradient_at(s, i, count);
            out->stride[k * depths + r] = stride_at(s, &p, i);
        }
        if (proof && s->engine->measured_gradient)
            see_smoothness(s, &p, k, first, count);
        if (proof)
            hsgd_proof_add(s->engine, s->index, &s->space->past[k], first, count, gradient_at(s, p.own[k], count),
                           stride_at(s, &p, p.own[k]), s->space);
    }
}

/* beta_u^2 at wbar_u: the point where the proof of THEORY 4.2 uses assumption A3'. Where u's parts are nodes of their
 * own, the proof on the canonical tree meets their beta_v^2 at wbar_u, the one on the tree as given at wbar_v: the
 * larger of the two serves both. */
static void keep_divergence(void *source, size_t node, size_t point, const double *mean)
{
    const pending *s = source;
    const hsgd_hierarchy *h = s->engine->hierarchy;
    size_t depths = depths_below_root(s->engine), row = s->space->past[point / depths].row;
    const double *divergence_sq = s->space->node_dispersion + point * h->num_nodes;
    double *at_node = s->engine->window.node_divergence_at_node + row * h->num_nodes;
    (void)mean;
    if (1 + point % depths != h->node[node].depth)
        return;
    at_node[node] = divergence_sq[node];
    hsgd_raise_merged(at_node, h, node, node + 1, h->node[node].end, divergence_sq + node + 1);
}

/* What the unit contributes to the divided nodes above it, at the average of the one of each depth. */
static void keep_at_means(const pending *s, const hsgd_walk *walk)
{
    const hsgd_engine *engine = s->engine;
    const hsgd_hierarchy *h = engine->hierarchy;
    const hsgd_unit *unit = s->unit;
    double *at_node = engine->window.node_divergence_at_node + s->space->past[0].row * h->num_nodes;
    for (size_t depth = unit->depth, i = unit->split; depth > 0; depth--, i = engine->split[i].parent) {
        hsgd_moments *out = &hsgd_slots_at_mean(engine, depth)[unit->slot].moments;
        const hsgd_moments *own = hsgd_walk_level(walk, depth - 1, unit->depth);
        hsgd_moments_reset(out);
        hsgd_moments_add(out, own->weight, own->mean, own->spread, engine->dim);
        hsgd_raise_merged(at_node, h, engine->split[i].node, unit->node, unit->end,
                          s->space->node_dispersion + (depth - 1) * h->num_nodes + unit->node);
    }
}

static void walk_nodes(pending *s)
{
    const hsgd_engine *engine = s->engine;
    size_t depths = depths_below_root(engine);
    hsgd_walk walk = {.hierarchy = engine->hierarchy,
                      .dim = engine->dim,
                      .num_points = s->space->num_past * depths,
                      .nested = depths,
                      .top_depth = 1,
                      .rows_at_once = engine->rows_at_once,
                      .rows = gradient_rows,
                      .source = s,
                      .level = s->space->level,
                      .node_dispersion = s->space->node_dispersion,
                      .node_done = keep_divergence};
    if (hsgd_unit_has_nodes(s->unit))
        hsgd_walk_children(&walk, s->unit->depth, s->unit->node, s->unit->end);
    else
        hsgd_walk_workers(&walk, s->unit->depth, s->unit->first, s->unit->count);
    keep_at_means(s, &walk);
}

/* Workers whose averages are not needed: their measured step, or the gradients of those that are pending. */
static void visit_workers(pending *s, size_t first, size_t count)
{
    const hsgd_past *step = &s->space->past[0];
    hsgd_rows unused;
    if (s->engine->steps_itself)
        hsgd_proof_steps(s->engine, s->index, step, first, count, s->space);
    else if (s->engine->simulation->measure_proof)
        gradient_rows(s, HSGD_NO_NODE, first, count, &unused);
    else
        hsgd_local_steps(s->engine, NULL, hsgd_model_at(s->engine, s->space, first), first, count, step->t, step->t + 1,
                         s->space);
}

void hsgd_finish_steps(hsgd_engine *engine, size_t unit, hsgd_thread_space *space)
{
    pending s = {engine, space, &engine->unit[unit], unit};
    if (space->num_past == 0)
        return;
    if (wants_nodes(engine, s.unit))
        walk_nodes(&s);
    else
        for (size_t done = 0; done < s.unit->count; done += engine->rows_at_once) {
            size_t left = s.unit->count - done, now = left < engine->rows_at_once ? left : engine->rows_at_once;
            visit_workers(&s, s.unit->first + done, now);
        }
    space->num_past = 0;
}

/* ---- the steps ---- */

/* Keep the models where they are, and go on in other memory. */
static void step_ahead(hsgd_engine *engine, const hsgd_unit *unit, hsgd_thread_space *space)
{
    const hsgd_simulation *s = engine->simulation;
    hsgd_past *past = &space->past[space->num_past - 1];
    const hsgd_moments_kernels *kernels = HSGD_PICK_PATH(hsgd_moments_kernels);
    size_t dim = engine->dim, stride = engine->stride;
    double *next = past->model;
    past->model = space->unit_model;
    space->unit_model = next;
    for (size_t done = 0; done < unit->count; done += engine->rows_at_once) {
        size_t left = unit->count - done, now = left < engine->rows_at_once ? left : engine->rows_at_once;
        hsgd_objective_stochastic_rows(s->objective, past->model + done * stride, stride,
                                       engine->placement + unit->first + done, now, s->batch_size, s->seed, past->t,
                                       past->drawn + done * dim, space->scratch);
    }
    for (size_t j = 0; j < unit->count; j++)
        kernels->step(next + j * stride, past->model + j * stride, past->drawn + j * dim, s->step_size, dim);
}

/* The next of the pending steps; where only one fits, its models are the current ones. */
static void open_step(const hsgd_engine *engine, hsgd_thread_space *space, size_t t, size_t row)
{
    hsgd_past *past = &space->past[space->num_past++];
    past->t = t;
    past->row = row;
    past->first = space->first;
    if (engine->steps_at_once == 1)
        past->model = space->unit_model;
}

bool hsgd_measured_step(hsgd_engine *engine, size_t unit, size_t t, size_t row, hsgd_thread_space *space)
{
    open_step(engine, space, t, row);
    hsgd_measure_unit(engine, unit, row, space);
    if (engine->steps_at_once > 1)
        step_ahead(engine, &engine->unit[unit], space);
    if (space->num_past == engine->steps_at_once)
        hsgd_finish_steps(engine, unit, space);
    return engine->simulation->measure_proof || !wants_nodes(engine, &engine->unit[unit]);
}

void hsgd_measured_steps(hsgd_engine *engine, size_t unit, size_t t, size_t row, size_t first, size_t count,
                         hsgd_thread_space *space)
{
    pending s = {engine, space, &engine->unit[unit], unit};
    open_step(engine, space, t, row);
    visit_workers(&s, first, count);
    space->num_past = 0;
}
