/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The hierarchy's nodes as groups of ranks: rank r is the worker at place r, and belongs to one node of every depth from the
 * root down to its lowest group. */
#ifndef HSGD_ANALYSIS_TREE_GROUPS_H
#define HSGD_ANALYSIS_TREE_GROUPS_H

#include "analysis/collectives.h"
#include "analysis/hierarchy.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct hsgd_tree_groups {
    const hsgd_collectives *collectives; /* borrowed */
    size_t depths;                       /* nodes above this rank */
    size_t node[HSGD_MAX_LEVELS];        /* (depths) entry of the one of each depth, the root first */
    void *group[HSGD_MAX_LEVELS];        /* (depths) its ranks */
} hsgd_tree_groups;

/* The nodes above a place of an expanded tree, the root first; returns how many. */
size_t hsgd_nodes_above(size_t node[HSGD_MAX_LEVELS], const hsgd_hierarchy *h, size_t place);

/* Split the ranks along the expanded tree h, which has as many workers as there are ranks. Every rank calls it. Free out with
 * hsgd_tree_groups_free, on success only. */
hsgd_status hsgd_tree_groups_make(hsgd_tree_groups *out, const hsgd_collectives *collectives, const hsgd_hierarchy *h,
                                  hsgd_error *err);
void hsgd_tree_groups_free(hsgd_tree_groups *groups);

/* Depth of the node above this place that averages after update number `updates`; `depths` where none does. node
 * (depths): the nodes above it. */
size_t hsgd_acting_depth(const hsgd_hierarchy *h, const size_t *node, size_t depths, size_t updates);

#ifdef __cplusplus
}
#endif

#endif
