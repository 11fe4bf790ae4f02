/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Computing times of steps as communication.h models them, compute_s + X with a delay X >= 0, fitted by maximum likelihood.
 *
 *     none         compute_s = the mean: what adds up to the same seconds; no distribution
 *     exponential  compute_s = least - scale_s/n,  scale_s = n/(n - 1) (mean - least): the maximum (least, mean - least) without
 *                  its bias (a shifted exponential's least is too large by scale/n)
 *     lognormal    compute_s = 0, log scale_s = mean of the logarithms, shape = their standard deviation
 *     pareto       compute_s = 0, scale_s = least, shape = 1/mean of log(t/least)
 * A lognormal with a shift has no maximum of the likelihood (it grows without limit as the shift nears the least value), so
 * these two have none. All three have two parameters, so that the likelihoods themselves say which is nearest. */
#ifndef HSGD_ANALYSIS_DELAY_FIT_H
#define HSGD_ANALYSIS_DELAY_FIT_H

#include <stddef.h>

#include "analysis/communication.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct hsgd_delay_fit {
    double compute_s;
    hsgd_straggler straggler;
    double compute_se, scale_se, shape_se; /* from the information of n independent values; 0 for what is not fitted */
    double log_likelihood;                 /* NAN for none */
    double
        distance; /* Kolmogorov's: the largest difference between the shares of the values and of the distribution below a
                        time; NAN for none */
} hsgd_delay_fit;

/* Fit one distribution to time_s (count >= 2), each > 0. Values that are all equal fit none only. */
hsgd_status hsgd_delay_fit_make(hsgd_delay_fit *out, hsgd_straggler_type type, const double *time_s, size_t count,
                                hsgd_error *err);

/* The distribution with the largest likelihood; none where all values are equal. */
hsgd_status hsgd_delay_fit_best(hsgd_delay_fit *out, const double *time_s, size_t count, hsgd_error *err);

#ifdef __cplusplus
}
#endif

#endif
