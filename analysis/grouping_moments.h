/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Divergences averaged over random groupings, by visiting groupings, next to their closed form (THEORY 5).
 *
 * A grouping says which workers share which nodes of a tree; two placements that differ by exchanging the workers of a
 * group, or equal siblings with all that is below them, are the same grouping. */
#ifndef HSGD_ANALYSIS_GROUPING_MOMENTS_H
#define HSGD_ANALYSIS_GROUPING_MOMENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "analysis/error.h"
#include "analysis/hierarchy.h"
#include "analysis/statistics.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Above this many workers groupings are drawn, however few there are. */
enum { HSGD_MAX_ENUMERATED_WORKERS = 1024 };

/* Entry k - 1 of every array belongs to level k. Where a level is the same for all groupings (its nodes hold all workers
 * or one each), its three estimates equal the closed form to the last bit. Elsewhere estimates carry rounding errors of
 * about 1e-14 divergence, which intervals do not include: where all groupings happen to give the same value (gradients
 * at the corners of a simplex), se is of that size, or 0. */
typedef struct hsgd_grouping_moments {
    bool exact;              /* every distinct grouping was visited once; otherwise random placements were */
    double num_groupings;    /* distinct groupings of the tree; INFINITY if that exceeds the range of a double */
    size_t num_visited;      /* groupings visited; drawn ones may coincide */
    size_t num_levels;       /* M */
    double divergence;       /* E(w), the same for every grouping */
    hsgd_estimate *level;    /* (num_levels) mean over groupings of D_k(w), owned; se is 0 where exact */
    hsgd_estimate *upward;   /* (num_levels) of Up_k(w), owned */
    hsgd_estimate *downward; /* (num_levels) of Down_k(w), owned */
    double *level_theory;    /* (num_levels) (m_k - m_{k-1})/(n - 1) E(w), owned; 0 for n = 1 */
    double *upward_theory;   /* (num_levels) (m_k - 1)/(n - 1) E(w), owned */
    double *downward_theory; /* (num_levels) (n - m_k)/(n - 1) E(w), owned */
} hsgd_grouping_moments;

/* vectors (h->num_workers, dim), row-major, are the workers' gradients at one point. h has one entry per node, is not in
 * canonical form and has equal weights; the workers' order and the periods do not matter. All distinct groupings are
 * visited where there are at most max_enumerated of them and at most HSGD_MAX_ENUMERATED_WORKERS workers; else
 * num_random >= 2 placements of hsgd_grouping_place with the seeds seed, seed + 1, ..., and the standard errors are those
 * of independent draws (hsgd_half_width gives the interval). Free the result with hsgd_grouping_moments_free.
 *
 * Memory for n dim numbers, n^2 up to HSGD_MAX_ENUMERATED_WORKERS workers, and num_levels num_random where drawn. */
hsgd_status hsgd_grouping_moments_find(hsgd_grouping_moments *out, const hsgd_hierarchy *h, const double *vectors,
                                       size_t dim, size_t max_enumerated, size_t num_random, uint64_t seed,
                                       hsgd_error *err);

/* Free what it owns and zero it; NULL and zeroed structures are fine. */
void hsgd_grouping_moments_free(hsgd_grouping_moments *moments);

#ifdef __cplusplus
}
#endif

#endif
