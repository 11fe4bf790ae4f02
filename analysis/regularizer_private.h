/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The kernels of the regularisers (regularizer_kernels.c): the value at point (dim) for the weight, with its gradient added
 * to grad (dim). Values are summed as by hsgd_sum8, those beyond the last whole eight after them. */
#ifndef HSGD_ANALYSIS_REGULARIZER_PRIVATE_H
#define HSGD_ANALYSIS_REGULARIZER_PRIVATE_H

#include "analysis/vector_private.h"

typedef struct hsgd_regularizer_kernels {
    double (*l2)(double weight, const double *point, double *grad, size_t dim);
    double (*nonconvex)(double weight, const double *point, double *grad, size_t dim);
} hsgd_regularizer_kernels;

HSGD_DECLARE_PATHS(hsgd_regularizer_kernels);

#endif
