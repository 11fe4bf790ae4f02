/* SPDX-License-Identifier: GPL-3.0-or-later */
/* An estimate with its intervals (THEORY 9). */
#ifndef HSGD_EXPERIMENTS_INTERVAL_H
#define HSGD_EXPERIMENTS_INTERVAL_H

#include "analysis/statistics.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Pathwise results have low = mean = high; one random seed has NAN ends. */
typedef struct hsgd_interval {
    hsgd_estimate estimate;       /* count 0: not measured */
    double low, high;             /* at the configured confidence, for this number alone */
    double low_joint, high_joint; /* valid together with those of the other checks of its family (Bonferroni) */
} hsgd_interval;

/* Student-t intervals of an estimate, alone and together with `checks` of them. */
hsgd_interval hsgd_interval_of(hsgd_estimate estimate, double confidence, double checks);

#ifdef __cplusplus
}
#endif

#endif
