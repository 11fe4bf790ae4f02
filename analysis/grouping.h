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
    HSGD_GROUPING_GIVEN,      /* worker i at place i */
    HSGD_GROUPING_RANDOM,     /* uniform over all permutations (THEORY 5) */
    HSGD_GROUPING_GROUP_IID,  /* every group gets a cross-section of all workers: small upward divergence */
    HSGD_GROUPING_GROUP_NONIID /* similar workers share a group: large upward divergence */
} hsgd_grouping;

/* "given", "random", "group-iid", "group-noniid". The parser returns 0 on success, -1 for an unknown name. */
const char *hsgd_grouping_name(hsgd_grouping grouping);
int hsgd_grouping_parse(const char *name, hsgd_grouping *grouping);

/* place (h->num_workers) receives a permutation of the workers. trait (num_workers, num_traits), row-major, describes
 * each worker (label shares, or the linear term of a quadratic) and decides similarity for the two group schemes: workers
 * are sorted by their largest trait, then by its size; group-noniid fills the tree from left to right in that order,
 * group-iid deals it out so that every node gets an evenly spaced sample. seed matters for "random" only. h is expanded. */
hsgd_status hsgd_grouping_place(size_t *place, hsgd_grouping grouping, const hsgd_hierarchy *h, const double *trait,
                                size_t num_traits, uint64_t seed, hsgd_error *err);

#ifdef __cplusplus
}
#endif

#endif
