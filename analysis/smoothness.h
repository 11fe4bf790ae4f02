/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A certified upper bound on the largest eigenvalue of X'X/m for the rows of one worker (THEORY 8). */
#ifndef HSGD_ANALYSIS_SMOOTHNESS_H
#define HSGD_ANALYSIS_SMOOTHNESS_H

#include <stddef.h>

#include "analysis/dataset.h"
#include "analysis/error.h"

#ifdef __cplusplus
extern "C" {
#endif

/* *bound >= lambda_max(X'X/m), X the m = count rows of data from `first` on, rounding included.
 *
 * Where X has no negative entry, A = X'X/m has none either, and for every positive x (Collatz 1942, Wielandt 1950)
 *     lambda_max(A) <= max_i (A x)_i / x_i,
 * with equality in the limit of the power iteration: matrix-free, and safe wherever the iteration stops. Otherwise the
 * smaller of X'X and XX' is formed and decomposed (GSL), plus the backward error of that; where even the smaller one has
 * more than HSGD_MAX_GRAM rows, the first method is applied to |X|, whose eigenvalue is no smaller. */
hsgd_status hsgd_gram_eigenvalue_bound(double *bound, const hsgd_dataset *data, size_t first, size_t count,
                                       hsgd_error *err);

enum { HSGD_MAX_GRAM = 1024 };

#ifdef __cplusplus
}
#endif

#endif
