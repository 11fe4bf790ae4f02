/* SPDX-License-Identifier: GPL-3.0-or-later */
/* From a measured mean with its interval and a bound to a verdict (THEORY 9). */
#ifndef HSGD_BOUNDS_VERDICT_H
#define HSGD_BOUNDS_VERDICT_H

#ifdef __cplusplus
extern "C" {
#endif

typedef enum hsgd_verdict {
    HSGD_VERDICT_HOLDS,         /* upper end of the interval <= bound */
    HSGD_VERDICT_VIOLATED,      /* lower end > bound */
    HSGD_VERDICT_INCONCLUSIVE,  /* otherwise, and where there is no interval */
    HSGD_VERDICT_NOT_APPLICABLE /* a condition of the bound fails, or what it bounds was not measured */
} hsgd_verdict;

/* "holds", "violated", "inconclusive", "not applicable". */
const char *hsgd_verdict_name(hsgd_verdict verdict);

/* Some bounds are attained (the dispersion after one noiseless step), so comparisons forgive this relative rounding. */
#define HSGD_VERDICT_ROUNDING 1e-9

/* low and high are the ends of the interval, both the mean itself for pathwise results, NAN where there is none. */
hsgd_verdict hsgd_verdict_decide(double low, double high, double bound);

/* The more serious of two: violated, then inconclusive, then holds; not applicable gives way to all. */
hsgd_verdict hsgd_verdict_worse(hsgd_verdict a, hsgd_verdict b);

#ifdef __cplusplus
}
#endif

#endif
