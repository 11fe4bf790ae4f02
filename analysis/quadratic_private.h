/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Values and gradients of quadratics on every instruction set (vector_private.h). All vectors have dim numbers. */
#ifndef HSGD_ANALYSIS_QUADRATIC_PRIVATE_H
#define HSGD_ANALYSIS_QUADRATIC_PRIVATE_H

#include <stdbool.h>

#include "analysis/vector_private.h"

/* Gradients grad_j = h w_j - b_j + noise_j of up to HSGD_ROWS_AT_ONCE workers, each at one point. */
typedef struct hsgd_quadratic_rows {
    size_t count, dim;
    const double *curvature;    /* h */
    const double *linear;       /* (., dim) b of all workers, */
    const size_t *worker;       /* (count) of which these take part */
    const double *const *point; /* w_j is at point[j * point_stride] */
    size_t point_stride;
    bool same_point;     /* all w_j are point[0] */
    const double *noise; /* (count, dim); NULL: none */
    double *grad;        /* grad_j is at grad + j * grad_stride */
    size_t grad_stride;
    double *loss; /* w'(h w)/2 - b'w at loss[j * loss_stride]; NULL: not wanted, and never together with noise */
    size_t loss_stride;
} hsgd_quadratic_rows;

typedef struct hsgd_quadratic_kernels {
    void (*gradients)(const hsgd_quadratic_rows *rows);
} hsgd_quadratic_kernels;

HSGD_DECLARE_PATHS(hsgd_quadratic_kernels);

#endif
