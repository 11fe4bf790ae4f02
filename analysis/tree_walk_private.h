/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Means and between-children dispersions for every node of a subtree in one pass, of one vector per worker (its model) or
 * of several (its gradients at some points). */
#ifndef HSGD_ANALYSIS_TREE_WALK_PRIVATE_H
#define HSGD_ANALYSIS_TREE_WALK_PRIVATE_H

#include <stddef.h>

#include "analysis/hierarchy.h"
#include "analysis/moments.h"
#include "analysis/objective.h"

/* The vectors of some workers: those of worker j at point r begin at at[r] + j * stride[r]. */
typedef struct hsgd_rows {
    const double *at[HSGD_MAX_LEVELS];
    size_t stride[HSGD_MAX_LEVELS];
} hsgd_rows;

/* Fill out with the vectors (dim) of the workers at places first .. first + count - 1, all below the lowest node `node`
 * (HSGD_NO_NODE: direct workers of the node that the walk is below); valid until the next call. */
typedef void (*hsgd_rows_source)(void *source, size_t node, size_t first, size_t count, hsgd_rows *out);

/* Points: all num_points of them at every node, or, where `nested` > 0, point r only at the nodes of depth
 * top_depth + r % nested and below: it belongs to the one that is open at that depth. */
typedef struct hsgd_walk hsgd_walk;

struct hsgd_walk {
    const hsgd_hierarchy *hierarchy; /* expanded */
    size_t dim, num_points;          /* at most HSGD_MAX_LEVELS points */
    size_t nested;                   /* depths of the subtree; 0: every node has all points */
    size_t top_depth;                /* of the subtree */
    size_t rows_at_once;             /* workers asked for at once, at most */
    const double *weight;            /* (num_workers) >= 0, instead of p_j n; NULL: those */
    hsgd_rows_source rows;
    /* Instead of rows (NULL: not): add the vectors of these workers to the levels of this depth, and to norm_sq. */
    void (*add)(hsgd_walk *walk, size_t depth, size_t first, size_t count);
    void *source;        /* handed to the other functions */
    hsgd_moments *level; /* (num_points, num_levels) the open node of each depth */
    double *
        node_dispersion; /* (num_points, num_nodes) out: weighted mean squared distance of u's children to their mean */
    void (*node_done)(void *source, size_t node, size_t point, const double *mean); /* NULL: not wanted */
    double norm_sq[HSGD_MAX_LEVELS]; /* (num_points) out: sum over the workers of weight * ||x||^2, from 0 on */
};

/* Weight of one worker in the sums: p_j n, exactly 1 for equal weights. */
double hsgd_place_weight(const hsgd_hierarchy *h, size_t place);

/* The same of the places [first, first + count); returns sum with them added, one after the other. */
double hsgd_place_weights(const hsgd_hierarchy *h, size_t first, size_t count, double *weight, double sum);

/* Add vectors of the workers at places first .. first + count - 1 with their weights, or with weight[place] >= 0 if that is
 * not NULL, one vector every `stride` numbers;
 * returns the sum of weight * ||x||^2. */
double hsgd_add_workers(const hsgd_hierarchy *h, const double *weight, hsgd_moments *into, const double *row,
                        size_t stride, size_t first, size_t count, size_t dim);

/* The accumulator of a point at a depth. */
hsgd_moments *hsgd_walk_level(const hsgd_walk *walk, size_t point, size_t depth);

/* Walk over the subtree of a node; its mean and total weight are then in the level of its depth. */
void hsgd_walk_node(hsgd_walk *walk, size_t node);

/* Walk over nodes [first, end), children of a node of this depth and all below them, into the levels of the depth. */
void hsgd_walk_children(hsgd_walk *walk, size_t depth, size_t first, size_t end);

/* Walk over direct workers of such a node, at places first .. first + count - 1. */
void hsgd_walk_workers(hsgd_walk *walk, size_t depth, size_t first, size_t count);

#endif
