/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Weighted mean and dispersion of vectors in one pass, by merging (Chan, Golub and LeVeque 1983). */
#ifndef HSGD_ANALYSIS_MOMENTS_H
#define HSGD_ANALYSIS_MOMENTS_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct hsgd_moments {
    double weight; /* of everything added so far */
    double spread; /* sum of weight * squared distance to the mean */
    double *mean;  /* (dim), borrowed from the caller */
} hsgd_moments;

/* Forget everything added; the mean's memory stays. */
void hsgd_moments_reset(hsgd_moments *moments);

/* Add vectors of total weight `weight` > 0 whose mean is vector (dim) and whose own spread is `spread` (0: one vector). */
void hsgd_moments_add(hsgd_moments *moments, double weight, const double *vector, double spread, size_t dim);

/* The same in one pass with ||vector||^2, which is returned. */
double hsgd_moments_add_row(hsgd_moments *moments, double weight, const double *vector, double spread, size_t dim);

/* Add count vectors of weight 1 each, one every `stride` numbers; returns the sum of their squared norms. */
double hsgd_moments_add_rows(hsgd_moments *moments, const double *row, size_t stride, size_t count, size_t dim);

/* spread / weight: the mean squared distance to the mean. */
double hsgd_moments_dispersion(const hsgd_moments *moments);

/* ||x||^2, <x, y> and ||x - y||^2, summed in a fixed order that does not depend on the vector width of the processor. */
double hsgd_norm_sq(const double *x, size_t dim);
double hsgd_dot(const double *x, const double *y, size_t dim);
double hsgd_distance_sq(const double *x, const double *y, size_t dim);

#ifdef __cplusplus
}
#endif

#endif
