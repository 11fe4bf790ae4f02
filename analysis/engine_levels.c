/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The divided nodes: who shares them, and what goes up from the units through them, and down again.
 *
 * What hangs below such a node is merged in the tree's order by every process that has units there, after it has travelled in
 * the team of these processes. What is above travels on: the slot of a divided node is that of the process with its first
 * unit. */
#include "analysis/engine_private.h"

#include <string.h>

/* ---- teams ---- */

static const hsgd_team *team_of(const hsgd_engine *engine, size_t i)
{
    return i ? &engine->split[i].team : engine->team;
}

/* All processes of the node above call it. */
static hsgd_status open_team(hsgd_engine *engine, size_t i, hsgd_error *err)
{
    hsgd_split *split = &engine->split[i];
    hsgd_status status = hsgd_team_split(&split->team, team_of(engine, split->parent), split->is_own, err);
    if (!split->is_own)
        hsgd_team_release(&split->team);
    return status;
}

hsgd_status hsgd_levels_open(hsgd_engine *engine, hsgd_error *err)
{
    hsgd_status status = HSGD_OK;
    for (size_t i = 1; i < engine->num_splits && !status; i++)
        if (engine->split[i].is_shared && engine->split[engine->split[i].parent].is_own)
            status = open_team(engine, i, err);
    return status;
}

void hsgd_levels_close(hsgd_engine *engine)
{
    for (size_t i = 1; engine->split && i < engine->num_splits; i++)
        hsgd_team_release(&engine->split[i].team);
}

/* ---- up ---- */

static size_t depth_of(const hsgd_engine *engine, const hsgd_split *split)
{
    return engine->hierarchy->node[split->node].depth;
}

void hsgd_merge_root(const hsgd_engine *engine, hsgd_part *out, const hsgd_part *slot)
{
    hsgd_merge_parts(out, slot, engine->split[0].end_slot, engine->dim);
}

/* Returns the dispersion of what hangs directly below the node, which is not one of what hangs below its parent. */
static double merge_split(const hsgd_engine *engine, const hsgd_split *split, hsgd_part *slot)
{
    hsgd_part *own = &slot[split->slot];
    hsgd_merge_parts(own, slot + split->first_slot, split->end_slot - split->first_slot, engine->dim);
    double dispersion = hsgd_moments_dispersion(&own->moments);
    own->moments.spread = 0;
    return dispersion;
}

/* The own divided nodes of a depth in one row. */
static void merge_depth(const hsgd_engine *engine, size_t depth, hsgd_part *slot, double *node_value)
{
    for (size_t i = 1; i < engine->num_splits; i++) {
        const hsgd_split *split = &engine->split[i];
        if (!split->is_own || depth_of(engine, split) != depth)
            continue;
        double dispersion = merge_split(engine, split, slot);
        if (node_value)
            node_value[split->node] = dispersion;
    }
}

void hsgd_merge_levels(hsgd_engine *engine, hsgd_part *slot, size_t rows, double *node_value, size_t node_rows)
{
    size_t nodes = engine->hierarchy->num_nodes, slots = engine->num_slots;
    for (size_t depth = engine->split_depth; depth > 0; depth--) {
        for (size_t i = 1; i < engine->num_splits; i++)
            if (engine->split[i].is_own && depth_of(engine, &engine->split[i]) == depth)
                hsgd_share_slots(engine, &engine->split[i], slot, rows);
#pragma omp parallel for schedule(dynamic, 1) num_threads(engine->threads)
        for (size_t row = 0; row < rows; row++)
            merge_depth(engine, depth, slot + row * slots, row < node_rows ? node_value + row * nodes : NULL);
    }
    hsgd_share_slots(engine, &engine->split[0], slot, rows);
}

/* ---- and down ---- */

size_t hsgd_next_average(const hsgd_engine *engine, size_t t)
{
    size_t next = SIZE_MAX;
    for (size_t i = 0; i < engine->num_splits; i++) {
        size_t period = engine->hierarchy->node[engine->split[i].node].period, due = (t / period + 1) * period;
        next = due < next ? due : next;
    }
    return next;
}

static bool is_due(const hsgd_engine *engine, const hsgd_split *split, size_t t)
{
    return split->is_own && t % engine->hierarchy->node[split->node].period == 0;
}

/* One row of the divided nodes that are due after step t - 1, all for t = 0. Below a node that is due all are: in the tree's
 * order they follow it. */
static void merge_due(hsgd_engine *engine, hsgd_part *slot, size_t t)
{
    for (size_t i = engine->num_splits; i-- > 1;)
        if (is_due(engine, &engine->split[i], t)) {
            hsgd_share_slots(engine, &engine->split[i], slot, 1);
            merge_split(engine, &engine->split[i], slot);
        }
}

void hsgd_average_splits(hsgd_engine *engine, size_t t)
{
    hsgd_part *slot = engine->window.slot + engine->window.num_rows * engine->num_slots;
    merge_due(engine, slot, t);
    for (size_t i = 1; i < engine->num_splits; i++) {
        hsgd_split *split = &engine->split[i];
        if (is_due(engine, split, t))
            split->from = hsgd_node_acts(engine->hierarchy, split->node, t) ? slot[split->slot].moments.mean
                                                                            : engine->split[split->parent].from;
    }
}

static void keep_average(hsgd_engine *engine, const hsgd_split *split, const double *mean)
{
    const hsgd_node *node = &engine->hierarchy->node[split->node];
    size_t first = node->first_worker, end = first + node->num_workers, dim = engine->dim;
    first = first > engine->own.first_place ? first : engine->own.first_place;
    end = end < engine->own.end_place ? end : engine->own.end_place;
    for (size_t place = first; place < end; place++)
        memcpy(engine->model + hsgd_own_place(engine, place) * engine->stride, mean, dim * sizeof *mean);
}

void hsgd_keep_averages(hsgd_engine *engine, size_t t)
{
    const hsgd_part *slot = engine->window.slot + engine->window.num_rows * engine->num_slots;
    for (size_t i = 1; engine->model && i < engine->num_splits; i++) {
        const hsgd_split *split = &engine->split[i];
        if (is_due(engine, split, t) && hsgd_node_acts(engine->hierarchy, split->node, t))
            keep_average(engine, split, slot[split->slot].moments.mean);
    }
}

/* ---- across ---- */

void hsgd_find_means(hsgd_engine *engine, size_t row)
{
    merge_due(engine, engine->window.slot + row * engine->num_slots, 0);
}

/* beta_u^2 of divided node i at the average of the divided node of a depth above it, or its own. */
static void keep_divergence(const hsgd_engine *engine, size_t i, size_t depth, double divergence_sq, double *at_node)
{
    const hsgd_split *split = &engine->split[i];
    size_t above = i;
    while (depth_of(engine, &engine->split[above]) > depth)
        above = engine->split[above].parent;
    if (above == i)
        at_node[split->node] = divergence_sq;
    else
        hsgd_raise_merged(at_node, engine->hierarchy, engine->split[above].node, split->node, split->node + 1,
                          &divergence_sq);
}

void hsgd_merge_at_means(hsgd_engine *engine, size_t row)
{
    double *at_node = engine->window.node_divergence_at_node + row * engine->hierarchy->num_nodes;
    for (size_t i = engine->num_splits; i-- > 1;) {
        const hsgd_split *split = &engine->split[i];
        for (size_t depth = depth_of(engine, split); depth > 0 && split->is_own; depth--) {
            hsgd_part *slot = hsgd_slots_at_mean(engine, depth);
            hsgd_share_slots(engine, split, slot, 1);
            keep_divergence(engine, i, depth, merge_split(engine, split, slot), at_node);
        }
    }
}
