/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The smallest value of f = sum_j p_j F_j, searched for by quasi-Newton steps, and a lower bound of f proved from what
 * was found (THEORY 8). The search may stop anywhere: the bound holds at every point, it is only better at some. */
#ifndef HSGD_ANALYSIS_MINIMUM_H
#define HSGD_ANALYSIS_MINIMUM_H

#include <stdbool.h>
#include <stddef.h>

#include "analysis/error.h"
#include "analysis/objective.h"
#include "analysis/stop.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct hsgd_minimum {
    size_t dim;         /* d */
    double *point;      /* (dim) w^, the best point seen, owned: the smallest value; among values that differ from it by
                           no more than rounding, the smallest gradient, which then decides how good the bound is */
    double value;       /* f(w^): f* is at most value + value_error */
    double grad_norm;   /* ||grad f(w^)|| */
    double convexity;   /* mu of the objective (constants.h), rounded towards the safe side */
    double value_error; /* what rounding may have done to value, THEORY 8 */
    double grad_error;  /* and to the gradient, in norm */
    size_t iterations;  /* line searches */
    size_t evaluations; /* of f and its gradient at all workers, the first point included */
    bool converged;     /* grad_norm <= tolerance * ||grad f(w^0)||; a saddle can satisfy this where mu < 0 */
} hsgd_minimum;

/* Defaults, from the test sets of MNIST (softmax) and a9a (logistic) on 64 workers, started at the origin. With a
 * regulariser of weight 0.001 the tolerance took 190 to 500 evaluations and left 2e-10 (a9a) and 9e-8 (MNIST) between
 * value and lower bound where mu > 0. Values are compared, which hides gradients below about 1e-8 of the first, so a
 * much smaller tolerance may never be met. Without a regulariser the budget ends the search: f still falls, but by less
 * than the bound is wide. */
#define HSGD_MINIMUM_TOLERANCE 1e-6
#define HSGD_MINIMUM_EVALUATIONS ((size_t)1000)

/* Search from start (dim) for the minimum of f. weight (num_workers): p_j >= 0 of the objective's workers with sum 1,
 * NULL for equal weights. The search ends when the gradient is tolerance >= 0 times as large as at the start, when
 * nothing improves any more, or after max_evaluations >= 1; which of them is an outcome (`converged`), not an error.
 * Points where f or its gradient is not finite count as failed steps; start must not be one. The result has the same
 * bits for any number of threads >= 1. HSGD_STOPPED: stop (NULL: nobody) asked for it. */
hsgd_status hsgd_minimize_until(hsgd_minimum *out, const hsgd_objective *objective, const double *weight,
                                const double *start, double tolerance, size_t max_evaluations, int threads,
                                const hsgd_stop *stop, hsgd_error *err);

/* The same where nobody asks to stop. */
hsgd_status hsgd_minimize(hsgd_minimum *out, const hsgd_objective *objective, const double *weight, const double *start,
                          double tolerance, size_t max_evaluations, int threads, hsgd_error *err);

/* Proved, with the allowance for rounding in THEORY 8: f(v) >= this for every v with ||v - w^|| <= radius, INFINITY for
 * all v. -INFINITY where the ball is too large for what is known, and for a radius that is negative or not a number. */
double hsgd_minimum_lower_bound(const hsgd_minimum *minimum, double radius);

void hsgd_minimum_free(hsgd_minimum *minimum);

#ifdef __cplusplus
}
#endif

#endif
