/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which worker sits at which place of the tree. Places are numbered from left to right, like the workers of a
 * hierarchy; place[i] = j says that worker j sits at place i. */
#ifndef HSGD_ANALYSIS_GROUPING_H
#define HSGD_ANALYSIS_GROUPING_H

#include <stddef.h>
#include <stdint.h>

#include "analysis/error.h"
#include "analysis/hierarchy.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum hsgd_grouping {
    HSGD_GROUPING_GIVEN,       /* worker i at place i */
    HSGD_GROUPING_RANDOM,      /* uniform over all permutations (THEORY 5) */
    HSGD_GROUPING_GROUP_IID,   /* every group gets a cross-section of all workers: small upward divergence */
    HSGD_GROUPING_GROUP_NONIID /* similar workers share a group: large upward divergence */
} hsgd_grouping;

/* "given", "random", "group-iid", "group-noniid". The parser returns 0 on success, -1 for an unknown name. */
const char *hsgd_grouping_name(hsgd_grouping grouping);
int hsgd_grouping_parse(const char *name, hsgd_grouping *grouping);

/* place (h->num_workers) receives a permutation of the workers. trait (num_workers, num_traits), row-major, describes
 * each worker (label shares, or the linear term of a quadratic) and decides similarity for the two group schemes; it
 * may be NULL for the others. seed matters for "random" only. h has one entry per node and is not in canonical form.
 *
 * Similarity: the workers are split in two along the direction in which their traits vary most, the parts are split
 * again, and so on, with the cuts where the tree has its boundaries, topmost first. Neighbours in the resulting order
 * are alike, in label shares as well as in any other vectors. Unlike for rules such as "by the largest trait", shifting
 * or rotating all traits does not matter, and the variance that is split is the quantity of interest (for quadratics
 * with one Hessian it is the divergence itself).
 *
 * group-noniid fills the tree from left to right in that order. group-iid deals it out: at every node, each child gets
 * evenly spaced workers, as many as it has places; where several children are due at once, each worker in turn goes to
 * the one that keeps the variance between children smallest. Equal traits keep the order given.
 *
 * Both group schemes take O(n num_traits log n) operations, group-iid another n num_traits times the children per node.
 */
hsgd_status hsgd_grouping_place(size_t *place, hsgd_grouping grouping, const hsgd_hierarchy *h, const double *trait,
                                size_t num_traits, uint64_t seed, hsgd_error *err);

#ifdef __cplusplus
}
#endif

#endif
