/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Means and between-children dispersions of one vector per worker, for every node of a subtree in one pass. */
#ifndef HSGD_ANALYSIS_TREE_WALK_PRIVATE_H
#define HSGD_ANALYSIS_TREE_WALK_PRIVATE_H

#include <stddef.h>

#include "analysis/hierarchy.h"
#include "analysis/moments.h"
#include "analysis/objective.h"

/* The vectors (count, dim) of the workers at places first .. first + count - 1; valid until the next call. */
typedef const double *(*hsgd_rows)(void *source, size_t first, size_t count);

typedef struct hsgd_walk {
    const hsgd_hierarchy *hierarchy; /* expanded */
    size_t dim;
    hsgd_rows rows;
    void *source;            /* handed to rows and node_done */
    hsgd_moments *level;     /* (num_levels) the open node of each depth */
    double *node_dispersion; /* (num_nodes) out: weighted mean squared distance of u's children to their mean */
    void (*node_done)(void *source, size_t node, const double *mean); /* NULL: not wanted */
    double norm_sq; /* out: sum over the workers of weight * ||x||^2; the caller sets it to 0 first */
} hsgd_walk;

/* Weight of one worker in the sums: p_j n, exactly 1 for equal weights. */
double hsgd_place_weight(const hsgd_hierarchy *h, size_t place);

/* Walk over the subtree of a node; its mean and total weight are then in level[depth of the node]. */
void hsgd_walk_node(hsgd_walk *walk, size_t node);

/* Add the workers at places first .. first + count - 1 to an accumulator. */
void hsgd_walk_workers(hsgd_walk *walk, hsgd_moments *into, size_t first, size_t count);

#endif
