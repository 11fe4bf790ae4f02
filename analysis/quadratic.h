/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Quadratics (THEORY 7):  F_j(w) = 1/2 w' diag(h_j) w - b_j' w,  gradient noise N(0, (sigma^2/d) I).
 *
 * All moments of H-SGD on them are known exactly (exact_moments.h), which makes them the reference problem of the toolkit.
 * With one Hessian, h_j = h, divergences do not depend on w, every assumption holds with equality, and wbar^t is the same
 * under every averaging schedule. With Hessians of their own the schedule matters: how far workers drift apart decides
 * where the average goes. Divergences then grow with w. */
#ifndef HSGD_ANALYSIS_QUADRATIC_H
#define HSGD_ANALYSIS_QUADRATIC_H

#include <stddef.h>
#include <stdint.h>

#include "analysis/error.h"
#include "analysis/hierarchy.h"
#include "analysis/objective.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct hsgd_quadratic {
    size_t dim;         /* d >= 1 */
    size_t num_workers; /* n >= 1 */
    double noise_sq;    /* sigma^2 = E||g_j - grad F_j||^2 >= 0 */
    double *curvature;  /* (dim) h of all workers, finite; negative entries make f non-convex and unbounded below. NULL
                           where workers have their own. Owned */
    size_t stride;      /* from one worker's linear term to the next: dim, or up to whole cache lines */
    double *linear;     /* (num_workers, stride) row-major b_j, finite, then zeros. Owned */
    double *worker_curvature; /* (num_workers, stride) row-major h_j, finite, then zeros; NULL: one Hessian. Owned */
} hsgd_quadratic;

/* (dim) h_j, whichever kind the quadratic is. */
static inline const double *hsgd_quadratic_curvature(const hsgd_quadratic *quadratic, size_t worker)
{
    return quadratic->worker_curvature ? quadratic->worker_curvature + worker * quadratic->stride
                                       : quadratic->curvature;
}

/* Copies of the given arrays: curvature (dim) of all workers, linear (num_workers, dim). */
hsgd_status hsgd_quadratic_init(hsgd_quadratic *out, const double *curvature, const double *linear, size_t dim,
                                size_t num_workers, double noise_sq, hsgd_error *err);

/* The same with worker_curvature (num_workers, dim), a row h_j for every worker. */
hsgd_status hsgd_quadratic_init_own(hsgd_quadratic *out, const double *worker_curvature, const double *linear,
                                    size_t dim, size_t num_workers, double noise_sq, hsgd_error *err);

/* What hsgd_quadratic_generate aims at. */
typedef struct hsgd_quadratic_spec {
    size_t dim;
    double curvature_min, curvature_max; /* 0 < min <= max: h is spaced geometrically from min to max */
    const double *level_divergence_sq;   /* (num_levels) D_k >= 0, hit exactly */
    double noise_sq;
    uint64_t seed;
} hsgd_quadratic_spec;

/* A random quadratic with prescribed level divergences for an expanded hierarchy: every node of depth k - 1 that has
 * more than one child gets the same between-children divergence, so that the level's weighted sum is exactly D_k. The
 * minimiser of f is standard normal. Fails where D_k > 0 and no node of that level has two children. */
hsgd_status hsgd_quadratic_generate(hsgd_quadratic *out, const hsgd_hierarchy *h, const hsgd_quadratic_spec *spec,
                                    hsgd_error *err);

/* How far the Hessians of a generated quadratic differ: standard deviations of h_ji as shares of the common h_i, the same in every
 * coordinate i, hit exactly. */
typedef struct hsgd_curvature_spread {
    double workers; /* >= 0: between all workers, drawn without regard to the groups */
    const double
        *level; /* (num_levels) >= 0: between the children of every node of depth k - 1, shared between nodes as
                            level divergences are; NULL: none */
} hsgd_curvature_spread;

/* The same with Hessians that differ. Their weighted mean is diag(h), so f and its minimiser w* are those of one Hessian;
 * level divergences are hit at w* and grow with the distance from it. Single curvatures may become negative. No spread at
 * all (NULL, zeros) gives one Hessian. Fails where a spread > 0 has no two children to lie between. */
hsgd_status hsgd_quadratic_generate_spread(hsgd_quadratic *out, const hsgd_hierarchy *h,
                                           const hsgd_quadratic_spec *spec, const hsgd_curvature_spread *spread,
                                           hsgd_error *err);

/* Let worker j be what worker place[j] was; place (num_workers) is a permutation. */
hsgd_status hsgd_quadratic_permute(hsgd_quadratic *quadratic, const size_t *place, hsgd_error *err);

void hsgd_quadratic_free(hsgd_quadratic *quadratic);

/* The objective of a quadratic, which is borrowed and must outlive it. weight (num_workers): p_j summing to 1, NULL for
 * equal weights; only f* depends on it. Constants are exact: L = max |h_ji|, mu = min h_ji; f* is -INFINITY where f is
 * not bounded below. */
hsgd_status hsgd_quadratic_objective(hsgd_objective *out, const hsgd_quadratic *quadratic, const double *weight,
                                     hsgd_error *err);

/* mean (dim) = sum_j p_j b_j, and sum_j p_j h_j, which is 0 where curvatures cancel up to rounding; weight as above. */
void hsgd_quadratic_mean_linear(const hsgd_quadratic *quadratic, const double *weight, double *mean);
void hsgd_quadratic_mean_curvature(const hsgd_quadratic *quadratic, const double *weight, double *mean);

/* The L of f alone, max |sum_j p_j h_ji| over i: at most that of the F_j, and equal to it with one Hessian. */
double hsgd_quadratic_mean_smoothness(const hsgd_quadratic *quadratic, const double *weight);

#ifdef __cplusplus
}
#endif

#endif
