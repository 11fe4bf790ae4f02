/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Exact moments of H-SGD on quadratics, without Monte Carlo (THEORY 7). Shares no code with the engine, for which it is
 * the oracle.
 *
 * With one Hessian, per coordinate with a = 1 - gamma h: the workers' means follow the noiseless recursion, and the noise of the models
 * splits into independent components, one for the virtual average of all workers and one per inner node:
 *     S_0 <- a^2 S_0 + gamma^2 (sigma^2/d) sum_j p_j^2,     S_u <- a^2 S_u + gamma^2 (sigma^2/d) noise_share(u),
 * S_u <- 0 when u or an ancestor averages. Where every worker has a Hessian of its own, exact_moments_own.c, a step costs
 * O(n M) per coordinate instead of the O(n^2) of a covariance matrix. */
#ifndef HSGD_ANALYSIS_EXACT_MOMENTS_H
#define HSGD_ANALYSIS_EXACT_MOMENTS_H

#include <stddef.h>

#include "analysis/error.h"
#include "analysis/hierarchy.h"
#include "analysis/quadratic.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct hsgd_exact {
    size_t steps;         /* T */
    size_t num_levels;    /* M */
    double S;             /* mean of grad_norm_sq over t < T */
    double *grad_norm_sq; /* (steps) E||grad f(wbar^t)||^2, owned */
    double *loss;         /* (steps) E f(wbar^t), owned */
    double *dispersion;   /* (steps, num_levels) E B_k^t, owned */
    double final_loss;    /* E f(wbar^T) */
    /* Where workers have Hessians of their own; NULL with one Hessian, where divergences are constants. Owned */
    size_t num_nodes;
    double *
        node_divergence; /* (steps, num_nodes) E beta_u^2(wbar_u^t), which A3' speaks of (THEORY 3). For a node that the
                                  canonical tree merges into another, no less than at that one's average (THEORY 1) */
    double *global_divergence; /* (steps) E E(wbar^t) */
} hsgd_exact;

/* Moments of H-SGD on a quadratic of either kind from `initial` (dim), for an expanded hierarchy with quadratic->num_workers workers
 * (weights included), step_size > 0, steps >= 1. From the first step on at which something is beyond the range of a double,
 * all is INFINITY. Fails where memory is out. */
hsgd_status hsgd_exact_moments(hsgd_exact *out, const hsgd_quadratic *quadratic, const hsgd_hierarchy *h,
                               const double *initial, double step_size, size_t steps, hsgd_error *err);
void hsgd_exact_free(hsgd_exact *exact);

#ifdef __cplusplus
}
#endif

#endif
