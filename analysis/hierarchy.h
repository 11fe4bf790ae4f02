/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The tree over which H-SGD averages, and its schedule (THEORY 1).
 *
 * Glossary    n      num_workers            P_u    node.period             c_u   node.num_children
 *             M      num_levels             |u|    node.num_workers        p_u   node.weight
 *             depth 0 is the root; a node of depth k - 1 averages its children, which are "level k".
 *
 * Only inner nodes are stored, in pre-order (a parent before its children, a subtree without gaps); workers are numbered
 * from left to right. In a uniform tree all nodes of one depth are alike, and one entry stands for all of them (its
 * `copies`): the bounds then cost O(M), whatever n. hsgd_hierarchy_expand gives each node an entry of its own, which is
 * what the engine walks over. */
#ifndef HSGD_ANALYSIS_HIERARCHY_H
#define HSGD_ANALYSIS_HIERARCHY_H

#include <stdbool.h>
#include <stddef.h>

#include "analysis/error.h"

#ifdef __cplusplus
extern "C" {
#endif

#define HSGD_NO_NODE ((size_t)-1)

/* Limits that keep every product of counts exact in a double and in size_t. */
#define HSGD_MAX_WORKERS ((size_t)100000000)
#define HSGD_MAX_PERIOD ((size_t)1000000000)
enum { HSGD_MAX_LEVELS = 32 };

typedef struct hsgd_node {
    size_t parent;       /* index of the parent's entry, HSGD_NO_NODE for the root */
    size_t depth;        /* 0 for the root */
    size_t period;       /* P_u in steps: a multiple of the periods below it */
    size_t num_children; /* c_u: children of one copy, inner nodes and single workers counted together */
    size_t num_workers;  /* |u|: workers below one copy */
    size_t copies;       /* how many nodes of the tree this entry stands for; 1 when expanded */
    size_t first_worker; /* leftmost worker below it; meaningful when copies is 1 */
    size_t end;          /* one past the entry of its last descendant */
    double weight;       /* p_u, total weight of the workers below all copies; |u| copies / n for equal weights */
    double noise_share;  /* (c_u - 1)/|u|, with weights the expression of THEORY 4.3, of one copy */
} hsgd_node;

typedef struct hsgd_hierarchy {
    size_t num_workers;    /* n >= 1 */
    size_t num_levels;     /* M: one more than the largest depth; 0 only in the canonical form of a single worker */
    size_t num_nodes;      /* entries in node */
    hsgd_node *node;       /* (num_nodes), owned */
    double *worker_weight; /* (num_workers) p_j > 0 with sum 1, owned; NULL: all equal to 1/n */
    double noise_share;    /* sum_j p_j^2 = 1/n for equal weights: the noise that survives averaging over all workers */
} hsgd_hierarchy;

/* One node of a tree that is not uniform, as a configuration gives it. */
typedef struct hsgd_node_spec {
    size_t parent;      /* index in the same array, smaller than its own; HSGD_NO_NODE for the first */
    size_t period;      /* in steps */
    size_t num_workers; /* direct workers of a lowest group; 0 for a node that has child nodes */
} hsgd_node_spec;

/* The uniform tree with the fanouts N_1..N_M and periods P_1 >= ... >= P_M, P_{k+1} dividing P_k. Messages name
 * "fanout[k]" or "periods[k]" with k from 0. Free the result with hsgd_hierarchy_free. */
hsgd_status hsgd_hierarchy_uniform(hsgd_hierarchy *out, const size_t *fanout, const size_t *periods, size_t num_levels,
                                   hsgd_error *err);

/* Any tree, from num_specs >= 1 nodes in pre-order. Each lowest node has direct workers. Every node gets an entry. */
hsgd_status hsgd_hierarchy_tree(hsgd_hierarchy *out, const hsgd_node_spec *spec, size_t num_specs, hsgd_error *err);

/* Local SGD: one level, all workers average every `period` steps. Weights are taken from like (may be NULL). */
hsgd_status hsgd_hierarchy_local(hsgd_hierarchy *out, size_t num_workers, size_t period, const hsgd_hierarchy *like,
                                 hsgd_error *err);

/* Give the workers weights (num_workers), each positive and finite; they are copied and scaled to sum 1. Needs an
 * expanded hierarchy, because weights make the copies differ. */
hsgd_status hsgd_hierarchy_set_weights(hsgd_hierarchy *h, const double *weight, hsgd_error *err);

/* The same tree with one entry per node; a plain copy if it is expanded already. */
hsgd_status hsgd_hierarchy_expand(hsgd_hierarchy *out, const hsgd_hierarchy *h, hsgd_error *err);

bool hsgd_hierarchy_is_expanded(const hsgd_hierarchy *h);

/* The canonical tree (THEORY 1): a node with one child gives way to that child, and a node whose period is its
 * parent's is merged into the parent. divergence_sq holds beta_u^2 for the entries of h (NULL: none wanted);
 * canonical_divergence_sq (h->num_nodes doubles, of which out->num_nodes are set) receives those of the canonical
 * entries: merged divergences add up. An entry of the result may have inner nodes and single workers as children at
 * once, and a single worker has no entry at all. first_worker is not kept up to date. */
hsgd_status hsgd_hierarchy_canonical(hsgd_hierarchy *out, const hsgd_hierarchy *h, const double *divergence_sq,
                                     double *canonical_divergence_sq, hsgd_error *err);

/* Free what the hierarchy owns and zero it; NULL and zeroed structures are fine. */
void hsgd_hierarchy_free(hsgd_hierarchy *h);

/* P_1, the period of the root (1 if there is no inner node), and the smallest period of any node. */
size_t hsgd_hierarchy_global_period(const hsgd_hierarchy *h);
size_t hsgd_hierarchy_local_period(const hsgd_hierarchy *h);

/* True where the children of this entry are single workers; all entries with copies > 1 answer too. */
bool hsgd_node_is_lowest(const hsgd_hierarchy *h, size_t node);

/* The schedule: does this node average its workers after update number `updates` (1, 2, ...)? Only the topmost node
 * whose period divides it acts, so the answer is no while the parent's period divides it too. */
bool hsgd_node_acts(const hsgd_hierarchy *h, size_t node, size_t updates);

#ifdef __cplusplus
}
#endif

#endif
