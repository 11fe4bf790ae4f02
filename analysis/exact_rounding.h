/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How far rounding can have moved the exact moments of a quadratic (exact_moments.h): a bound on the error, made before
 * anything is compared, so that two algorithms which agree in theory are not told apart by their last digits.
 *
 * u = 2^-53. Coordinate i on its own, over all workers j: rho = max |1 - gamma h_ji|, hmax = max |h_ji|, bmax = max |b_ji|.
 * Averages are convex combinations and enlarge nothing, so for every schedule
 *     |m_j| <= M,          M <- rho M + gamma bmax                   means of models, M = |w^0_i| at first
 *     |cov(j, l)| <= V,    V <- rho^2 V + gamma^2 sigma^2 / d        covariances of models, V = 0 at first.
 * A step with an average behind it takes at most k = n + 64 roundings one after the other in any order of summation over n
 * workers and 32 levels, of numbers of at most twice that size, and four of those cover products and coefficients:
 *     e <- rho e + 4 k u ((1 + rho) M + gamma bmax)                  error of means
 *     E <- rho^2 E + 8 k u ((1 + rho^2) V + gamma^2 sigma^2 / d)     error of covariances.
 * What is reported at step t inherits (g = ||grad f||, D = dispersion, M_levels <= 32):
 *     gradient    delta_i = hmax e + 4 k u (hmax M + bmax), and with Cauchy-Schwarz
 *                 2 g ||delta|| + ||delta||^2 + sum hmax^2 (E + 8 k u V) + (d + 8) u g^2
 *     dispersion  x_i = 2 e + 8 k u M:  2 sqrt(32 D) ||x|| + 32 ||x||^2 + 32 sum (4 E + 8 k u V) + (d + n) 32 u D
 *     loss        sum (hmax M + bmax) e + hmax e^2 / 2 + hmax E / 2 + (8 k + d) u (hmax (M^2 + V) / 2 + bmax M)
 * and a mean of T such numbers adds 6 T u times the mean of their sizes. First order in u; the constants are generous. */
#ifndef HSGD_ANALYSIS_EXACT_ROUNDING_H
#define HSGD_ANALYSIS_EXACT_ROUNDING_H

#include "analysis/error.h"
#include "analysis/exact_moments.h"
#include "analysis/quadratic.h"

#ifdef __cplusplus
extern "C" {
#endif

/* For one problem, start and step size, whatever the schedule. Sums over coordinates, all arrays (steps) and owned. */
typedef struct hsgd_exact_rounding {
    size_t steps, dim, num_workers;
    double *gradient_sq;      /* ||delta||^2 */
    double *gradient_noise;   /* sum hmax^2 (E + 8 k u V) */
    double *dispersion_sq;    /* ||x||^2 */
    double *dispersion_noise; /* sum (4 E + 8 k u V) */
    double *loss;             /* error of the loss */
    double *loss_size;        /* sum hmax (M^2 + V) / 2 + bmax M: no term of the loss is larger */
} hsgd_exact_rounding;

hsgd_status hsgd_exact_rounding_find(hsgd_exact_rounding *out, const hsgd_quadratic *quadratic, const double *initial,
                                     double step_size, size_t steps, hsgd_error *err);
void hsgd_exact_rounding_free(hsgd_exact_rounding *rounding);

/* Bounds on the errors of means over the steps 0, every, 2 every, ... */
typedef struct hsgd_exact_error {
    double S, dispersion, loss;
} hsgd_exact_error;

/* Of moments that were computed for the same problem; every >= 1. */
hsgd_exact_error hsgd_exact_error_of(const hsgd_exact *exact, const hsgd_exact_rounding *rounding, size_t every);

/* The means themselves over these steps: S, V = sum_k B_k, f(wbar). */
typedef struct hsgd_exact_means {
    double S, dispersion, loss;
} hsgd_exact_means;
hsgd_exact_means hsgd_exact_means_of(const hsgd_exact *exact, size_t every);

#ifdef __cplusplus
}
#endif

#endif
