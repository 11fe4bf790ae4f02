/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Constants of objectives for which none are proved: what a search around the starting point finds, times a factor. */
#ifndef HSGD_ANALYSIS_ESTIMATE_H
#define HSGD_ANALYSIS_ESTIMATE_H

#include <stddef.h>

#include "analysis/error.h"
#include "analysis/objective.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Estimates are this factor times the largest value met: curvature grows while a network learns. */
#define HSGD_ESTIMATE_FACTOR 2.0

/* The points that are looked at: the start, and two on gradient descent on the mean of the F_j, with step size 1/L for the
 * L met so far. */
enum { HSGD_ESTIMATE_POINTS = 3, HSGD_ESTIMATE_STEPS_BETWEEN = 8 };

/* Workers that are looked at, at most: evenly spaced ones where there are more. */
enum { HSGD_ESTIMATE_WORKERS = 256 };

typedef struct hsgd_estimate_request {
    const hsgd_objective *objective; /* its functions full and scratch_size, for that and noise_sq, are used */
    const double *start;             /* (dim) */

    size_t max_workers, num_points; /* other limits than HSGD_ESTIMATE_WORKERS and HSGD_ESTIMATE_POINTS; 0: these */

    /* E||g - grad F_worker||^2 of the stochastic gradient of one sample, at the point. grad (dim): scratch memory. NULL:
     * noise is not estimated. */
    double (*noise_sq)(const hsgd_objective *objective, const double *point, size_t worker, double *grad,
                       double *scratch);
} hsgd_estimate_request;

typedef struct hsgd_constant_estimates {
    double smoothness; /* the factor times the largest |eigenvalue| of any F_j's Hessian at any of the points */
    double noise_sq; /* the factor times the largest noise_sq of any worker at any of the points; 0 if not asked for */
} hsgd_constant_estimates;

/* Eigenvalues are those of power iterations on differences of gradients, (grad F(w + h v) - grad F(w - h v))/(2 h): a few
 * for every worker, and more for the one with the largest result. The same bits for any number of threads; as many as OpenMP
 * gives are used. Values that are not finite (the start is one where the loss overflows) are an error. */
hsgd_status hsgd_estimate_constants(hsgd_constant_estimates *out, const hsgd_estimate_request *request,
                                    hsgd_error *err);

/* The constants of a problem with losses >= 0 of which nothing else is known, for stochastic gradients that are means over
 * batch_size samples (0: over all): L and sigma^2 of kind estimate. */
hsgd_status hsgd_estimate_all(hsgd_constants *out, const hsgd_estimate_request *request, size_t batch_size,
                              hsgd_error *err);

#ifdef __cplusplus
}
#endif

#endif
