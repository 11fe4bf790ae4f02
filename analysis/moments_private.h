/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The loops over the coordinates of a model, on every instruction set with the same bits (vector_private.h). */
#ifndef HSGD_ANALYSIS_MOMENTS_PRIVATE_H
#define HSGD_ANALYSIS_MOMENTS_PRIVATE_H

#include <stdbool.h>

#include "analysis/moments.h"
#include "analysis/objective.h"
#include "analysis/vector_private.h"

/* Sums of one pass over two vectors and their gradients. */
typedef struct hsgd_pair_sums {
    double distance_sq, change_sq; /* ||a - b||^2, ||grad_a - grad_b||^2 */
    double size_sq, grad_size_sq;  /* ||a||^2, ||grad_a||^2 */
} hsgd_pair_sums;

/* Sums of one pass over some rows and a centre: of ||x - c||^2 and of ||x||^2 over the rows x, and the squared norm of the
 * sum of x - c. */
typedef struct hsgd_rows_sums {
    double deviation_sq, shift_sq, norm_sq;
} hsgd_rows_sums;

typedef struct hsgd_moments_kernels {
    /* step = vector - mean; mean += share * step; returns ||step||^2, and ||vector||^2 in *norm_sq */
    double (*merge)(double *mean, const double *vector, double share, double *norm_sq, size_t dim);
    /* The same for `count` rows, one every `stride` numbers: the sum of x - mean is added to the mean times share. */
    hsgd_rows_sums (*merge_rows)(double *mean, const double *row, size_t stride, size_t count, double share,
                                 size_t dim);
    double (*norm_sq)(const double *x, size_t dim);
    double (*dot)(const double *x, const double *y, size_t dim);
    double (*distance_sq)(const double *x, const double *y, size_t dim);
    /* out = w - scale * x; out may be w */
    void (*step)(double *out, const double *w, const double *x, double scale, size_t dim);
    /* sum += weight * x */
    void (*add)(double *sum, const double *x, double weight, size_t dim);
    /* Steps of `count` workers along stochastic gradients g (count, dim): w, one every w_stride numbers, -= step_size * g.
     * exact: the true gradients, one row every `stride` numbers. weight (count); NULL: all 1. w NULL: no steps, only the
     * sums. */
    void (*descend)(double *w, size_t w_stride, const double *g, const double *exact, size_t stride, size_t count,
                    const double *weight, double step_size, const hsgd_step_record *sums, size_t dim);
    hsgd_pair_sums (*pair)(const double *a, const double *grad_a, const double *b, const double *grad_b, size_t dim);
} hsgd_moments_kernels;

HSGD_DECLARE_PATHS(hsgd_moments_kernels);

/* Of count rows around the mean, which was moved with share = hsgd_moments_share(moments, count), the sums. */
double hsgd_moments_share(const hsgd_moments *moments, size_t count);
void hsgd_moments_add_sums(hsgd_moments *moments, const hsgd_rows_sums *sums, size_t count);

#endif
