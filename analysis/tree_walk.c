/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "analysis/tree_walk_private.h"

double hsgd_place_weight(const hsgd_hierarchy *h, size_t place)
{
    return h->worker_weight ? h->worker_weight[place] * (double)h->num_workers : 1;
}

void hsgd_walk_workers(hsgd_walk *walk, hsgd_moments *into, size_t first, size_t count)
{
    for (size_t done = 0; done < count; done += HSGD_ROWS_AT_ONCE) {
        size_t now = count - done < HSGD_ROWS_AT_ONCE ? count - done : HSGD_ROWS_AT_ONCE;
        const double *row = walk->rows(walk->source, first + done, now);
        for (size_t j = 0; j < now; j++, row += walk->dim) {
            double weight = hsgd_place_weight(walk->hierarchy, first + done + j);
            walk->norm_sq += weight * hsgd_moments_add_row(into, weight, row, 0, walk->dim);
        }
    }
}

void hsgd_walk_node(hsgd_walk *walk, size_t node)
{
    const hsgd_node *u = &walk->hierarchy->node[node];
    hsgd_moments *own = &walk->level[u->depth];
    hsgd_moments_reset(own);
    if (hsgd_node_is_lowest(walk->hierarchy, node))
        hsgd_walk_workers(walk, own, u->first_worker, u->num_workers);
    else
        for (size_t v = node + 1; v < u->end; v = walk->hierarchy->node[v].end) {
            hsgd_walk_node(walk, v);
            hsgd_moments_add(own, own[1].weight, own[1].mean, 0, walk->dim);
        }
    walk->node_dispersion[node] = hsgd_moments_dispersion(own);
    if (walk->node_done)
        walk->node_done(walk->source, node, own->mean);
}
