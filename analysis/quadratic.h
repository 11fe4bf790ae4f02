/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Quadratics with one Hessian (THEORY 7):  F_j(w) = 1/2 w' diag(h) w - b_j' w,  gradient noise N(0, (sigma^2/d) I).
 *
 * Their divergences do not depend on w, every assumption holds with equality, and all moments of H-SGD are known exactly
 * (exact_moments.h), which makes them the reference problem of the toolkit. */
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
    double *curvature;  /* (dim) h, finite; negative entries make f non-convex and unbounded below. Owned */
    size_t stride;      /* from one worker's linear term to the next: dim, or up to whole cache lines */
    double *linear;     /* (num_workers, stride) row-major b_j, finite, then zeros. Owned */
} hsgd_quadratic;

/* Copies of the given arrays. */
hsgd_status hsgd_quadratic_init(hsgd_quadratic *out, const double *curvature, const double *linear, size_t dim,
                                size_t num_workers, double noise_sq, hsgd_error *err);

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

/* Let worker j be what worker place[j] was; place (num_workers) is a permutation. */
hsgd_status hsgd_quadratic_permute(hsgd_quadratic *quadratic, const size_t *place, hsgd_error *err);

void hsgd_quadratic_free(hsgd_quadratic *quadratic);

/* The objective of a quadratic, which is borrowed and must outlive it. weight (num_workers): p_j summing to 1, NULL for
 * equal weights; only f* depends on it. Constants are exact; f* is -INFINITY where f is not bounded below. */
hsgd_status hsgd_quadratic_objective(hsgd_objective *out, const hsgd_quadratic *quadratic, const double *weight,
                                     hsgd_error *err);

/* mean (dim) = sum_j p_j b_j; weight as above. */
void hsgd_quadratic_mean_linear(const hsgd_quadratic *quadratic, const double *weight, double *mean);

#ifdef __cplusplus
}
#endif

#endif
