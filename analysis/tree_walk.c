/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "analysis/tree_walk_private.h"

double hsgd_place_weight(const hsgd_hierarchy *h, size_t place)
{
    return h->worker_weight ? h->worker_weight[place] * (double)h->num_workers : 1;
}

/* Equal ones take no call each: this happens at every step of every few workers. */
double hsgd_place_weights(const hsgd_hierarchy *h, size_t first, size_t count, double *weight, double sum)
{
    if (!h->worker_weight) {
        for (size_t j = 0; j < count; j++)
            weight[j] = 1;
        return sum + (double)count;
    }
    for (size_t j = 0; j < count; j++)
        sum += weight[j] = hsgd_place_weight(h, first + j);
    return sum;
}

hsgd_moments *hsgd_walk_level(const hsgd_walk *walk, size_t point, size_t depth)
{
    return &walk->level[point * walk->hierarchy->num_levels + depth];
}

/* Has a node of this depth to do with the point? */
static bool is_open(const hsgd_walk *walk, size_t point, size_t depth)
{
    return walk->nested == 0 || walk->top_depth + point % walk->nested <= depth;
}

double hsgd_add_workers(const hsgd_hierarchy *h, const double *weight, hsgd_moments *into, const double *row,
                        size_t stride, size_t first, size_t count, size_t dim)
{
    double norm_sq = 0;
    if (!weight && !h->worker_weight)
        return hsgd_moments_add_rows(into, row, stride, count, dim);
    for (size_t j = 0; j < count; j++) {
        double own = weight ? weight[first + j] : hsgd_place_weight(h, first + j);
        if (own > 0)
            norm_sq += own * hsgd_moments_add_row(into, own, row + j * stride, 0, dim);
    }
    return norm_sq;
}

static void add_some(hsgd_walk *walk, size_t node, size_t depth, size_t first, size_t count)
{
    hsgd_rows rows;
    if (walk->add) {
        walk->add(walk, depth, first, count);
        return;
    }
    walk->rows(walk->source, node, first, count, &rows);
    for (size_t r = 0; r < walk->num_points; r++)
        if (is_open(walk, r, depth))
            walk->norm_sq[r] += hsgd_add_workers(walk->hierarchy, walk->weight, hsgd_walk_level(walk, r, depth),
                                                 rows.at[r], rows.stride[r], first, count, walk->dim);
}

static void add_workers(hsgd_walk *walk, size_t node, size_t depth, size_t first, size_t count)
{
    for (size_t done = 0; done < count; done += walk->rows_at_once) {
        size_t now = count - done < walk->rows_at_once ? count - done : walk->rows_at_once;
        add_some(walk, node, depth, first + done, now);
    }
}

static void reset_levels(hsgd_walk *walk, size_t depth)
{
    for (size_t r = 0; r < walk->num_points; r++)
        hsgd_moments_reset(hsgd_walk_level(walk, r, depth));
}

static void add_child(hsgd_walk *walk, size_t depth)
{
    for (size_t r = 0; r < walk->num_points; r++) {
        const hsgd_moments *child = hsgd_walk_level(walk, r, depth + 1);
        if (is_open(walk, r, depth))
            hsgd_moments_add(hsgd_walk_level(walk, r, depth), child->weight, child->mean, 0, walk->dim);
    }
}

static void close_node(hsgd_walk *walk, size_t node, size_t depth)
{
    for (size_t r = 0; r < walk->num_points; r++) {
        const hsgd_moments *own = hsgd_walk_level(walk, r, depth);
        if (!is_open(walk, r, depth))
            continue;
        walk->node_dispersion[r * walk->hierarchy->num_nodes + node] = hsgd_moments_dispersion(own);
        if (walk->node_done)
            walk->node_done(walk->source, node, r, own->mean);
    }
}

/* Nodes [first, end): children of a node of this depth, and all below them. */
static void walk_children(hsgd_walk *walk, size_t depth, size_t first, size_t end)
{
    for (size_t v = first; v < end; v = walk->hierarchy->node[v].end) {
        hsgd_walk_node(walk, v);
        add_child(walk, depth);
    }
}

void hsgd_walk_node(hsgd_walk *walk, size_t node)
{
    const hsgd_node *u = &walk->hierarchy->node[node];
    reset_levels(walk, u->depth);
    if (hsgd_node_is_lowest(walk->hierarchy, node))
        add_workers(walk, node, u->depth, u->first_worker, u->num_workers);
    else
        walk_children(walk, u->depth, node + 1, u->end);
    close_node(walk, node, u->depth);
}

void hsgd_walk_workers(hsgd_walk *walk, size_t depth, size_t first, size_t count)
{
    reset_levels(walk, depth);
    add_workers(walk, HSGD_NO_NODE, depth, first, count);
}

void hsgd_walk_children(hsgd_walk *walk, size_t depth, size_t first, size_t end)
{
    reset_levels(walk, depth);
    walk_children(walk, depth, first, end);
}
