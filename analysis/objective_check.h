/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Is an objective what the theory takes it for? For objectives that others write: a wrong gradient gives numbers, too.
 *
 * Some workers are looked at, at the start and at two points around it: do functions give the same bits when called again,
 * is every gradient that of its loss, and do stochastic gradients average to it (A2)? What is refused is wrong beyond
 * rounding, truncation and chance; what these hide passes. */
#ifndef HSGD_ANALYSIS_OBJECTIVE_CHECK_H
#define HSGD_ANALYSIS_OBJECTIVE_CHECK_H

#include <stddef.h>

#include "analysis/error.h"
#include "analysis/objective.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Workers that are looked at: evenly spaced ones where there are more. Points: the start, and two at random around it. */
enum { HSGD_CHECK_WORKERS = 4, HSGD_CHECK_POINTS = 3 };

/* Directions in which a gradient is compared with differences of losses, at each point: random ones, then coordinates. */
enum { HSGD_CHECK_RANDOM_DIRECTIONS = 2, HSGD_CHECK_COORDINATES = 4 };

/* A gradient may differ from the differences by this share, beyond what rounding explains. */
#define HSGD_CHECK_TOLERANCE 1e-5

/* Of a loss, relative, where the request says nothing: that of sums of some thousand doubles. */
#define HSGD_CHECK_LOSS_ROUNDING 1e-13

/* The probability that a right objective is refused for its stochastic gradients, at any of the workers and points, where
 * means over HSGD_CHECK_BLOCK * HSGD_CHECK_AGAIN of them are normal. Of a bias along the gradient, a first round with
 * HSGD_CHECK_AGAIN times fewer draws and a lower threshold becomes suspicious above about a quarter of the noise's standard
 * deviation; the second, which decides, sees half of that. */
#define HSGD_CHECK_FALSE_ALARM 1e-6
enum { HSGD_CHECK_BLOCKS = 16, HSGD_CHECK_BLOCK = 16, HSGD_CHECK_AGAIN = 32 };

typedef struct hsgd_check_request {
    const hsgd_objective *objective; /* its functions for losses and gradients are used */
    const double *start;             /* (dim) */
    size_t batch_size;               /* of the stochastic gradients; 0: they are not looked at */
    double loss_rounding;            /* relative error of a loss from rounding; 0: HSGD_CHECK_LOSS_ROUNDING */
} hsgd_check_request;

/* HSGD_ERROR_INPUT names the worker, the coordinate or direction, and both numbers. Points where a loss is not finite are
 * passed over. Everything is drawn with a fixed seed: the same objective gets the same answer. */
hsgd_status hsgd_objective_check(const hsgd_check_request *request, hsgd_error *err);

#ifdef __cplusplus
}
#endif

#endif
