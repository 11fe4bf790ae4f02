/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Latency and bandwidth of every level from measured averages, in the sense of communication.h: what that model then says
 * about an average is as close to the measured seconds as it can be.
 *
 * The model. An average at node u of depth k, of messages of b bytes, begun by all workers at once, takes
 *     HSGD_ROUTE_DIRECT: 2 (latency(k) + b/bandwidth(k)): up to the server of u and down again;
 *     HSGD_ROUTE_TREE:   2 sum over the levels m = k .. deepest below u of (latency(m) + b/bandwidth(m)),
 * with a link of its own for every child (not shared). An implementation of Allreduce sends no such messages: its algorithm
 * is hidden in the fitted numbers, which are those of a model with the same seconds.
 * The fit. Seconds are linear in x = (latency(m), 1/bandwidth(m)) >= 0. Minimise the sum of w_i ((t_i - f_i)/f_i)^2 with
 * f_i = a_i x, the unit f_i of a residual taken from the fit before, again and again until it stays: relative residuals, for
 * small and large messages are to be predicted equally well, and relative to the fit, for relative to the times slow ones
 * would hardly count. With direct routes each level is a fit of its own. Standard errors are those of least squares from the
 * scatter of the residuals; of a bandwidth by the delta method. */
#ifndef HSGD_ANALYSIS_LINK_FIT_H
#define HSGD_ANALYSIS_LINK_FIT_H

#include <stddef.h>

#include "analysis/communication.h"
#include "analysis/statistics.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Where no limit of the bandwidth is seen, because the best 1/bandwidth is 0. */
#define HSGD_NO_BANDWIDTH_LIMIT 1e15

typedef struct hsgd_timed_average {
    size_t node;   /* entry of the hierarchy */
    double bytes;  /* of a message, >= 0 */
    double time_s; /* > 0, from when all its workers are there until all have the average */
    double weight; /* > 0: of its squared residual; as many measurements as time_s is the median of */
} hsgd_timed_average;

typedef struct hsgd_fitted_level {
    double latency_s, latency_se;
    double bandwidth_bytes_per_s, bandwidth_se; /* HSGD_NO_BANDWIDTH_LIMIT and 0: none is seen */
    size_t count;                               /* measured averages of nodes of this depth */
    double rms_residual, largest_residual;      /* relative, (t - fit)/fit; the former weighted */
} hsgd_fitted_level;

typedef struct hsgd_link_fit {
    size_t num_levels;
    hsgd_route route;
    hsgd_fitted_level level[HSGD_MAX_LEVELS]; /* (num_levels) */
} hsgd_link_fit;

/* Fit to count averages of nodes of the expanded tree h. Every level needs averages of at least two sizes. Numbers that
 * are not legal are HSGD_ERROR_INPUT. */
hsgd_status hsgd_link_fit_make(hsgd_link_fit *out, const hsgd_hierarchy *h, hsgd_route route,
                               const hsgd_timed_average *average, size_t count, hsgd_error *err);

/* The model's seconds for an average at this node, all clocks being equal before. */
double hsgd_link_fit_seconds(const hsgd_link_fit *fit, const hsgd_hierarchy *h, size_t node, double bytes);

#ifdef __cplusplus
}
#endif

#endif
