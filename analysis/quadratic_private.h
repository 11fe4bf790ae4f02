/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Values and gradients of quadratics on every instruction set (vector_private.h). All vectors have dim numbers. */
#ifndef HSGD_ANALYSIS_QUADRATIC_PRIVATE_H
#define HSGD_ANALYSIS_QUADRATIC_PRIVATE_H

#include "analysis/vector_private.h"

typedef struct hsgd_quadratic_kernels {
    /* grad = h w - b */
    void (*gradient)(double *grad, const double *h, const double *b, const double *w, size_t dim);
    /* The same, and w'(h w)/2 - b'w is returned. */
    double (*full)(double *grad, const double *h, const double *b, const double *w, size_t dim);
    /* grad = h w - b + noise */
    void (*noisy)(double *grad, const double *h, const double *b, const double *w, const double *noise, size_t dim);
} hsgd_quadratic_kernels;

HSGD_DECLARE_PATHS(hsgd_quadratic_kernels);

#endif
