/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a variant of H-SGD (variant.h) does inside a run: where its steps and averages differ from plain ones. */
#include "analysis/engine_private.h"

#include <string.h>

#include "analysis/moments_private.h"

bool hsgd_variant_keeps_more(const hsgd_variant *variant)
{
    return variant && (variant->momentum > 0 || variant->group_step_size != 1 || hsgd_variant_samples_workers(variant));
}

/* ---- rounds ---- */

static void draw_participants(const hsgd_engine *engine, size_t node, size_t t)
{
    const hsgd_hierarchy *h = engine->hierarchy;
    const hsgd_variant_memory *m = &engine->variant;
    const hsgd_simulation *s = engine->simulation;
    size_t first = h->node[node].first_worker, size = h->node[node].num_workers;
    double *weight = m->weight + first, of_group = h->node[node].weight * (double)h->num_workers;
    hsgd_variant_draw(weight, s->variant, h->worker_weight ? h->worker_weight + first : NULL, first, size, s->seed, t,
                      m->order + first, m->cumulative + first);
    for (size_t j = 0; j < size; j++)
        weight[j] *= of_group;
}

void hsgd_variant_open_step(const hsgd_engine *engine, const hsgd_unit *unit, size_t t)
{
    const hsgd_hierarchy *h = engine->hierarchy;
    for (size_t u = unit->node; engine->variant.weight && u < unit->end; u++)
        if (hsgd_node_is_lowest(h, u) && t % h->node[u].period == 0)
            draw_participants(engine, u, t);
}

/* Where every process has its places, velocities that differ go with their workers. */
static void regroup(hsgd_engine *engine, size_t t)
{
    const hsgd_variant *variant = engine->simulation->variant;
    size_t n = engine->hierarchy->num_workers, *before = engine->variant.before;
    if (before)
        memcpy(before, engine->placement, n * sizeof *before);
    hsgd_variant_regroup(engine->placement, n, engine->simulation->seed, t);
    if (before && t > 0 && variant->momentum_rule == HSGD_MOMENTUM_KEPT)
        hsgd_share_velocities(engine, before);
}

void hsgd_variant_open_window(hsgd_engine *engine, size_t t)
{
    const hsgd_variant *variant = engine->simulation->variant;
    if (!variant || t % hsgd_hierarchy_global_period(engine->hierarchy) != 0)
        return;
    if (variant->regroup)
        regroup(engine, t);
    if (engine->variant.weight && hsgd_node_is_lowest(engine->hierarchy, 0))
        draw_participants(engine, 0, t);
}

/* ---- steps ---- */

/* Of workers that all take part. */
static void heavy_ball_steps(const hsgd_engine *engine, double *w, size_t first, size_t count, size_t t,
                             double step_size, hsgd_thread_space *space)
{
    const hsgd_simulation *s = engine->simulation;
    const hsgd_moments_kernels *kernels = HSGD_PICK_PATH(hsgd_moments_kernels);
    size_t dim = engine->dim;
    hsgd_objective_stochastic_rows(s->objective, w, engine->stride, engine->placement + first, count, s->batch_size,
                                   s->seed, t, space->drawn, space->scratch);
    for (size_t j = 0; j < count; j++, w += engine->stride) {
        double *velocity = hsgd_velocity_at(engine, first + j);
        kernels->step(velocity, space->drawn + j * dim, velocity, -s->variant->momentum, dim);
        kernels->step(w, w, velocity, step_size, dim);
    }
}

static bool takes_part(const hsgd_engine *engine, size_t place)
{
    return !engine->variant.weight || engine->variant.weight[place] > 0;
}

void hsgd_variant_steps(const hsgd_engine *engine, double *w, size_t first, size_t count, size_t t,
                        hsgd_thread_space *space)
{
    const hsgd_simulation *s = engine->simulation;
    double step_size = s->step_size * hsgd_variant_step_factor(s->variant, t, s->steps);
    for (size_t j = 0, end; j < count; j = end) {
        for (end = j; end < count && takes_part(engine, first + end);)
            end++;
        double *model = w + j * engine->stride;
        if (end > j && engine->variant.velocity)
            heavy_ball_steps(engine, model, first + j, end - j, t, step_size, space);
        else if (end > j)
            hsgd_plain_steps(engine, NULL, model, first + j, end - j, t, t + 1, step_size, space);
        end += end == j;
    }
}

/* ---- averages ---- */

static void move_from(double *mean, const double *anchor, double step_size, size_t dim)
{
    for (size_t i = 0; i < dim; i++)
        mean[i] = anchor[i] + step_size * (mean[i] - anchor[i]);
}

/* Of a node of this process. */
static double *anchor_of(const hsgd_engine *engine, size_t u)
{
    return engine->variant.anchor + (u - engine->own.first_node) * engine->dim;
}

/* All below node u have taken this model. */
static void keep_anchors(const hsgd_engine *engine, size_t first, size_t end, const double *model)
{
    size_t dim = engine->dim;
    for (size_t v = first; engine->variant.anchor && v < end; v++)
        memcpy(anchor_of(engine, v), model, dim * sizeof *model);
}

static void reset_velocities(const hsgd_engine *engine, size_t first, size_t count)
{
    size_t dim = engine->dim;
    bool resets = engine->variant.velocity && engine->simulation->variant->momentum_rule == HSGD_MOMENTUM_RESET;
    for (size_t place = first; resets && place < first + count; place++)
        memset(hsgd_velocity_at(engine, place), 0, dim * sizeof(double));
}

/* p_j, or what was drawn for this round, times any factor. */
static double weight_in_average(const hsgd_engine *engine, size_t place)
{
    const double *drawn = engine->variant.weight, *given = engine->hierarchy->worker_weight;
    return drawn ? drawn[place] : given ? given[place] : 1;
}

static bool averages_velocities(const hsgd_engine *engine)
{
    return engine->variant.velocity && engine->simulation->variant->momentum_rule == HSGD_MOMENTUM_AVERAGED;
}

/* Add the velocities at these places, of this process, to their mean, which begins as the first's. */
static void add_velocities(const hsgd_engine *engine, double *mean, size_t first, size_t count, double total)
{
    for (size_t place = first; place < first + count; place++)
        HSGD_PICK_PATH(hsgd_moments_kernels)
            ->step(mean, mean, hsgd_velocity_at(engine, place), -weight_in_average(engine, place) / total, engine->dim);
}

static void begin_mean(const hsgd_engine *engine, double *mean, size_t first, double total)
{
    const double *velocity = hsgd_velocity_at(engine, first);
    for (size_t i = 0; i < engine->dim; i++)
        mean[i] = velocity[i] * (weight_in_average(engine, first) / total);
}

static void take_velocity(const hsgd_engine *engine, const double *mean, size_t first, size_t count)
{
    for (size_t place = first; place < first + count; place++)
        if (hsgd_velocity_at(engine, place) != mean)
            memcpy(hsgd_velocity_at(engine, place), mean, engine->dim * sizeof *mean);
}

static double total_weight(const hsgd_engine *engine, size_t first, size_t count)
{
    double total = 0;
    for (size_t place = first; place < first + count; place++)
        total += weight_in_average(engine, place);
    return total;
}

/* The workers at these places take the mean of their velocities, as they take that of their models. The sum is made in the
 * first one's memory and in the order of the places, so that it is the same for all threads. */
static void average_velocities(const hsgd_engine *engine, size_t first, size_t count)
{
    if (!averages_velocities(engine))
        return;
    double total = total_weight(engine, first, count), *mean = hsgd_velocity_at(engine, first);
    begin_mean(engine, mean, first, total);
    add_velocities(engine, mean, first + 1, count - 1, total);
    take_velocity(engine, mean, first, count);
}

void hsgd_variant_average(const hsgd_engine *engine, size_t u, double *mean)
{
    const hsgd_node *node = &engine->hierarchy->node[u];
    if (engine->variant.anchor)
        move_from(mean, anchor_of(engine, u), engine->simulation->variant->group_step_size, engine->dim);
    keep_anchors(engine, u, node->end, mean);
    reset_velocities(engine, node->first_worker, node->num_workers);
    average_velocities(engine, node->first_worker, node->num_workers);
}

void hsgd_variant_open_unit(const hsgd_engine *engine, const hsgd_unit *unit)
{
    keep_anchors(engine, unit->node, unit->end, engine->start);
    reset_velocities(engine, unit->first, unit->count);
}

/* What this process adds to the mean of all velocities. */
static void add_own_velocities(hsgd_engine *engine, double *mean)
{
    size_t first = engine->own.first_place, end = engine->own.end_place;
    double total = total_weight(engine, 0, engine->hierarchy->num_workers);
    if (first == 0)
        begin_mean(engine, mean, first++, total);
    add_velocities(engine, mean, first, end - first, total);
}

/* The same sum in the same order, from process to process. */
static void average_all_velocities(hsgd_engine *engine)
{
    const hsgd_own *own = &engine->own;
    if (!averages_velocities(engine))
        return;
    hsgd_share_weights(engine);
    hsgd_relay(engine, engine->variant.carried, add_own_velocities);
    take_velocity(engine, engine->variant.carried, own->first_place, own->end_place - own->first_place);
}

void hsgd_variant_average_root(hsgd_engine *engine, double *mean)
{
    const hsgd_variant *variant = engine->simulation->variant;
    if (variant && variant->global_step_size != 1)
        move_from(mean, engine->start, variant->global_step_size, engine->dim);
    average_all_velocities(engine);
}
