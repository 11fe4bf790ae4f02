/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Means and Student-t intervals over independent seeds (THEORY 9). */
#ifndef HSGD_ANALYSIS_STATISTICS_H
#define HSGD_ANALYSIS_STATISTICS_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct hsgd_estimate {
    double mean;
    double se;    /* standard error of the mean; NAN for one value that is random, 0 where nothing is random */
    size_t count; /* independent values */
} hsgd_estimate;

/* Of count >= 1 values, stride doubles apart; running updates, never mean square minus squared mean. */
hsgd_estimate hsgd_estimate_mean(const double *value, size_t stride, size_t count);

/* Of runs whose consecutive runs_per_value (a divisor of count) are not independent: their means count as one value. */
hsgd_estimate hsgd_estimate_mean_of_groups(const double *value, size_t count, size_t runs_per_value);

/* How far single values lie apart, whatever their mean is known to. */
typedef struct hsgd_scatter {
    double sd;        /* standard deviation, with count - 1; NAN for one value, 0 where nothing is random */
    double low, high; /* the smallest and the largest value */
} hsgd_scatter;

/* Of count >= 1 values; all NAN where one of them is not finite. */
hsgd_scatter hsgd_scatter_of(const double *value, size_t count);

/* Half width of the two-sided Student-t interval with this confidence (0 < confidence < 1) when `checks` intervals are to
 * hold together (Bonferroni; 1: just this one). 0 where se is 0, NAN for one value. */
double hsgd_half_width(hsgd_estimate estimate, double confidence, double checks);

#ifdef __cplusplus
}
#endif

#endif
