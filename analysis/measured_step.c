/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Gradients at the workers' own models and at the averages of the nodes above them, in one pass over each worker's data,
 * and the local step, which comes of the same pass where the proof terms record its noise. */
#include "analysis/engine_private.h"

#include <string.h>

/* Points where the gradients of some workers are wanted: each is evaluated once, however often it occurs. */
enum { MAX_POINTS = HSGD_MAX_LEVELS + 1 };

typedef struct points {
    const double *at[MAX_POINTS]; /* where they differ; NULL: each worker's own model */
    size_t num;
    size_t mean[MAX_POINTS]; /* which of them is the average of the nodes, from the unit's node downwards */
    size_t num_means;
    size_t own; /* which of them is the own model; num: not wanted */
} points;

typedef struct step {
    hsgd_engine *engine;
    hsgd_thread_space *space;
    size_t unit, t, row; /* of the window */
} step;

/* ---- which points ---- */

/* The index of a point among those there are, where it is put if it is new. */
static size_t find_or_add(points *p, const double *at, size_t dim)
{
    for (size_t i = 0; i < p->num; i++)
        if (memcmp(p->at[i], at, dim * sizeof *at) == 0)
            return i;
    p->at[p->num] = at;
    return p->num++;
}

static void add_means(points *p, const step *s, size_t node)
{
    const hsgd_hierarchy *h = s->engine->hierarchy;
    size_t top = s->engine->unit[s->unit].node, depth = h->node[top].depth, dim = s->engine->dim;
    const double *mean[HSGD_MAX_LEVELS];
    p->num_means = h->node[node].depth - depth + 1;
    for (size_t r = p->num_means, v = node; r-- > 0; v = h->node[v].parent)
        mean[r] = s->space->node_mean + (v - top) * dim;
    for (size_t r = 0; r < p->num_means; r++)
        p->mean[r] = find_or_add(p, mean[r], dim);
}

/* Right after an average the models are the lowest mean. */
static bool are_at_mean(const step *s, const points *p, size_t first, size_t count)
{
    size_t dim = s->engine->dim;
    const double *model = hsgd_model_at(s->engine, &s->engine->unit[s->unit], s->space, first);
    if (p->num_means == 0)
        return false;
    for (size_t j = 0; j < count; j++)
        if (memcmp(model + j * dim, p->at[p->mean[p->num_means - 1]], dim * sizeof *model) != 0)
            return false;
    return true;
}

static void add_own(points *p, const step *s, size_t first, size_t count)
{
    if (are_at_mean(s, p, first, count)) {
        p->own = p->mean[p->num_means - 1];
        return;
    }
    p->own = p->num;
    p->at[p->num++] = NULL;
}

/* ---- their gradients ---- */

/* The gradients go into the space's memory, HSGD_POINTS_AT_ONCE points in a block (count, points of the block, dim). */
static size_t block_points(const points *p, size_t point)
{
    size_t left = p->num - point / HSGD_POINTS_AT_ONCE * HSGD_POINTS_AT_ONCE;
    return left < HSGD_POINTS_AT_ONCE ? left : HSGD_POINTS_AT_ONCE;
}

/* Where the gradient of the first worker at a point lies; the next worker's follows after block_points(point) dim. */
static double *gradient_at(const step *s, const points *p, size_t point, size_t count)
{
    size_t block = point / HSGD_POINTS_AT_ONCE * HSGD_POINTS_AT_ONCE;
    (void)p;
    return s->space->grad + (count * block + (point - block)) * s->engine->dim;
}

static void evaluate(const step *s, const points *p, size_t first, size_t count)
{
    const hsgd_engine *engine = s->engine;
    const double *model = hsgd_model_at(engine, &engine->unit[s->unit], s->space, first);
    const double *at[HSGD_ROWS_AT_ONCE * HSGD_POINTS_AT_ONCE];
    for (size_t block = 0; block < p->num; block += HSGD_POINTS_AT_ONCE) {
        size_t num = block_points(p, block);
        for (size_t j = 0; j < count; j++)
            for (size_t i = 0; i < num; i++)
                at[j * num + i] = p->at[block + i] ? p->at[block + i] : model + j * engine->dim;
        hsgd_objective_full_at(engine->simulation->objective, at, num, engine->placement + first, count, NULL,
                               gradient_at(s, p, block, count), s->space->scratch);
    }
}

/* ---- what they are for ---- */

static void see_smoothness(const step *s, const points *p, size_t first, size_t count)
{
    hsgd_engine *engine = s->engine;
    size_t dim = engine->dim;
    for (size_t j = 0; j < count; j++) {
        const double *model = hsgd_model_at(engine, &engine->unit[s->unit], s->space, first + j);
        hsgd_proof_see(engine, first + j, s->t, model,
                       gradient_at(s, p, p->own, count) + j * block_points(p, p->own) * dim);
        for (size_t i = 0; i < p->num; i++)
            if (p->at[i])
                hsgd_proof_compare(engine, first + j, s->t, p->at[i],
                                   gradient_at(s, p, i, count) + j * block_points(p, i) * dim);
    }
}

/* A source of rows: the gradients at the averages. The steps happen on the way. */
static void gradient_rows(void *source, size_t node, size_t first, size_t count, hsgd_rows *out)
{
    const step *s = source;
    const hsgd_simulation *simulation = s->engine->simulation;
    size_t dim = s->engine->dim;
    points p = {.num = 0};
    if (node != HSGD_NO_NODE)
        add_means(&p, s, node);
    if (simulation->measure_proof)
        add_own(&p, s, first, count);
    evaluate(s, &p, first, count);
    for (size_t r = 0; r < p.num_means; r++) {
        out->at[r] = gradient_at(s, &p, p.mean[r], count);
        out->stride[r] = block_points(&p, p.mean[r]) * dim;
    }
    if (!simulation->measure_proof)
        return;
    if (s->engine->measured_gradient)
        see_smoothness(s, &p, first, count);
    hsgd_proof_steps(s->engine, s->unit, s->row, s->t, first, count, gradient_at(s, &p, p.own, count),
                     block_points(&p, p.own) * dim, s->space);
}

/* beta_u^2 at wbar_u: the point where the proof of THEORY 4.2 uses assumption A3'. Where u's parts are nodes of their
 * own, the proof on the canonical tree meets their beta_v^2 at wbar_u, the one on the tree as given at wbar_v: the
 * larger of the two serves both. */
static void keep_divergence(void *source, size_t node, size_t point, const double *mean)
{
    const step *s = source;
    hsgd_engine *engine = s->engine;
    const hsgd_hierarchy *h = engine->hierarchy;
    const double *divergence_sq = s->space->node_dispersion + point * h->num_nodes;
    double *at_node = engine->window.node_divergence_at_node + s->row * h->num_nodes;
    (void)mean;
    if (point != h->node[node].depth - h->node[engine->unit[s->unit].node].depth)
        return;
    at_node[node] = divergence_sq[node];
    hsgd_raise_merged(at_node, h, node, divergence_sq);
}

static void walk_nodes(step *s)
{
    const hsgd_engine *engine = s->engine;
    size_t top = engine->unit[s->unit].node;
    hsgd_walk walk = {.hierarchy = engine->hierarchy,
                      .dim = engine->dim,
                      .nested = true,
                      .top_depth = engine->hierarchy->node[top].depth,
                      .rows_at_once = engine->rows_at_once,
                      .rows = gradient_rows,
                      .source = s,
                      .level = s->space->level,
                      .node_dispersion = s->space->node_dispersion,
                      .node_done = keep_divergence};
    hsgd_walk_node(&walk, top);
}

/* Where no averages are needed first: the gradients and steps of workers whose models were just measured. */
static void visit_workers(void *context, size_t first, size_t count)
{
    hsgd_rows unused;
    gradient_rows(context, HSGD_NO_NODE, first, count, &unused);
}

bool hsgd_measured_step(hsgd_engine *engine, size_t unit, size_t t, size_t row, hsgd_thread_space *space)
{
    const hsgd_simulation *simulation = engine->simulation;
    bool at_nodes = simulation->measure_at_nodes && engine->unit[unit].node != HSGD_NO_NODE;
    step s = {engine, space, unit, t, row};
    const hsgd_visitor visitor = {visit_workers, &s};
    hsgd_measure_unit(engine, unit, row, simulation->measure_proof && !at_nodes ? &visitor : NULL, space);
    if (at_nodes)
        walk_nodes(&s);
    return simulation->measure_proof;
}
