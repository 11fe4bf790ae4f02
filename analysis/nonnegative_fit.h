/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Least squares with unknowns >= 0: minimise ||A x - b||^2 over x >= 0 (Lawson & Hanson, Solving Least Squares Problems, 1974,
 * chapter 23: the active-set method; the free unknowns of each set by GSL's singular-value fit). */
#ifndef HSGD_ANALYSIS_NONNEGATIVE_FIT_H
#define HSGD_ANALYSIS_NONNEGATIVE_FIT_H

#include <stddef.h>

#include "analysis/error.h"

#ifdef __cplusplus
extern "C" {
#endif

/* x (cols): the minimiser. covariance (cols, cols), may be NULL: of the unknowns that are above 0, with the variance of the
 * residuals on rows - (their number) degrees of freedom, as if the others were known to be 0; 0 elsewhere; NAN where there are no
 * degrees of freedom. *residual_sq (may be NULL): ||A x - b||^2. A (rows, cols) row-major. Unknowns whose column is 0
 * stay 0. Fails with HSGD_ERROR_INPUT for numbers that are not finite or fewer rows than 1, with HSGD_ERROR_NUMERIC where GSL
 * does not converge. */
hsgd_status hsgd_nonnegative_fit(double *x, double *covariance, double *residual_sq, const double *A, const double *b,
                                 size_t rows, size_t cols, hsgd_error *err);

#ifdef __cplusplus
}
#endif

#endif
