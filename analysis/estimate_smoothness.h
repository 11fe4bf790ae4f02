/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Constants of problems of which nothing is proved, such as neural networks: found by looking, near one point. */
#ifndef HSGD_ANALYSIS_ESTIMATE_SMOOTHNESS_H
#define HSGD_ANALYSIS_ESTIMATE_SMOOTHNESS_H

#include <stddef.h>

#include "analysis/error.h"
#include "analysis/objective.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Workers that are looked at, spread evenly; differences of gradients for each; stochastic gradients for each. Together about
 * as much work as two full gradients of 64 workers. */
enum { HSGD_ESTIMATE_WORKERS = 8, HSGD_ESTIMATE_DIFFERENCES = 12, HSGD_ESTIMATE_DRAWS = 32 };

/* L and sigma^2 of an objective with losses >= 0, as seen at the point (dim), both of kind estimate:
 *     L        the largest ||grad F_j(point + v) - grad F_j(point)|| / ||v||, v small; each v points where the last difference
 *              did (power iteration on the Hessian), the first along the gradient. Never above the true L, which may be much
 *              larger elsewhere: on networks it grows while they learn
 *     sigma^2  the largest mean of ||g_j - grad F_j(point)||^2 over draws of mini-batches; 0, exact, for full gradients
 * f* >= 0 is certified, and nothing is known of the convexity. The same bits for any number of threads. Values that are not
 * finite fail with HSGD_ERROR_NUMERIC. */
hsgd_status hsgd_estimate_constants(hsgd_constants *out, const hsgd_objective *objective, const double *point,
                                    size_t batch_size, hsgd_error *err);

#ifdef __cplusplus
}
#endif

#endif
