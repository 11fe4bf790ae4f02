/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The loops over the coordinates of a model, on every instruction set with the same bits (vector_private.h). */
#ifndef HSGD_ANALYSIS_MOMENTS_PRIVATE_H
#define HSGD_ANALYSIS_MOMENTS_PRIVATE_H

#include "analysis/vector_private.h"

/* Sums of one pass over two vectors and their gradients. */
typedef struct hsgd_pair_sums {
    double distance_sq, change_sq; /* ||a - b||^2, ||grad_a - grad_b||^2 */
    double size_sq, grad_size_sq;  /* ||a||^2, ||grad_a||^2 */
} hsgd_pair_sums;

typedef struct hsgd_moments_kernels {
    /* step = vector - mean; mean += share * step; returns ||step||^2, and ||vector||^2 in *norm_sq */
    double (*merge)(double *mean, const double *vector, double share, double *norm_sq, size_t dim);
    double (*norm_sq)(const double *x, size_t dim);
    double (*dot)(const double *x, const double *y, size_t dim);
    double (*distance_sq)(const double *x, const double *y, size_t dim);
    /* w -= scale * x */
    void (*subtract)(double *w, const double *x, double scale, size_t dim);
    /* out = x - y */
    void (*difference)(double *out, const double *x, const double *y, size_t dim);
    /* sum += weight * x */
    void (*add)(double *sum, const double *x, double weight, size_t dim);
    hsgd_pair_sums (*pair)(const double *a, const double *grad_a, const double *b, const double *grad_b, size_t dim);
} hsgd_moments_kernels;

HSGD_DECLARE_PATHS(hsgd_moments_kernels);

#endif
