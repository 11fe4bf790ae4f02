/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the files of quadratics share, and their values and gradients on every instruction set (vector_private.h). All
 * vectors have dim numbers. */
#ifndef HSGD_ANALYSIS_QUADRATIC_PRIVATE_H
#define HSGD_ANALYSIS_QUADRATIC_PRIVATE_H

#include <stdbool.h>

#include "analysis/moments_private.h"
#include "analysis/quadratic.h"

/* A quadratic of zeros, with a Hessian for each worker or one for all; free it whatever the status. */
hsgd_status hsgd_quadratic_allocate(hsgd_quadratic *q, size_t dim, size_t num_workers, double noise_sq,
                                    bool own_curvature, hsgd_error *err);

typedef struct hsgd_quadratic_kernels {
    /* In all: b + ahead, of every b, will be wanted soon; it need not be there. */

    /* grad = h w - b */
    void (*gradient)(double *grad, const double *h, const double *b, const double *w, size_t dim);
    /* The same, and w'(h w)/2 - b'w is returned. */
    double (*full)(double *grad, const double *h, const double *b, const double *w, size_t dim);
    /* grad = h w - b + noise */
    void (*noisy)(double *grad, const double *h, const double *b, const double *w, const double *noise, size_t dim);
    /* w -= step_size (h w - b + noise); noise NULL: none. */
    void (*step)(double *w, const double *h, const double *b, const double *noise, double step_size, size_t ahead,
                 size_t dim);
    /* Steps of `count` workers as by `step`, worker by worker: their w one every `stride` numbers, noise (count, dim),
     * b (count) where their linear terms lie; what they were made of is added to record. */
    void (*recorded_steps)(double *w, size_t stride, const double *h, const double *const *b, const double *noise,
                           size_t count, double step_size, const hsgd_step_record *record, size_t ahead, size_t dim);
    /* As merge_rows of moments_private.h, with the gradients at w of the `count` workers whose linear terms are named for
     * rows; *loss: the sum of w'(h w)/2 - b'w over them. */
    hsgd_rows_sums (*merge)(double *mean, const double *h, const double *const *b, size_t count, const double *w,
                            double share, double *loss, size_t ahead, size_t dim);
} hsgd_quadratic_kernels;

HSGD_DECLARE_PATHS(hsgd_quadratic_kernels);

#endif
