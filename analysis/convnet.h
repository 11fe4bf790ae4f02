/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Convolutional networks for images, on oneDNN:
 *
 *     F_j(w) = mean over worker j's images (x, y) of  -log( exp(z_y) / sum_c exp(z_c) )  +  regulariser(w),   z = net(w, x)
 *
 * The passes are in single precision: w is rounded to it, scores and gradients of a block of images come back, and from there
 * on (losses, sums over blocks, regulariser) everything is in double precision. Gradients are those of the exact function to
 * about 1e-6 of their size. Results are the same to the bit for any number of threads, but other processors may round
 * differently: the library has other code for each generation. */
#ifndef HSGD_ANALYSIS_CONVNET_H
#define HSGD_ANALYSIS_CONVNET_H

#include <stdbool.h>
#include <stddef.h>

#include "analysis/architecture.h"
#include "analysis/dataset.h"
#include "analysis/error.h"
#include "analysis/objective.h"
#include "analysis/regularizer.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Was hsgd built with oneDNN? Without it hsgd_convnet_objective fails with HSGD_ERROR_ENVIRONMENT, and nothing else. */
bool hsgd_convnet_is_there(void);

/* The objective of num_workers workers; worker j holds the samples start[j] .. start[j + 1] - 1 of data, at least one, whose
 * features are (channels, rows, columns). The layout of w is that of architecture.h, whose last layer has as many outputs as
 * there are classes. architecture, data, start and estimate_at are borrowed and must outlive it.
 *
 * Constants: L and sigma^2 are estimates from the point estimate_at (dim), best the initial point (estimate_smoothness.h);
 * f* >= 0 certified. With relu no L exists strictly, but the runs seldom meet a kink. */
hsgd_status hsgd_convnet_objective(hsgd_objective *out, const hsgd_architecture *architecture, const hsgd_dataset *data,
                                   const size_t *start, size_t num_workers, hsgd_regularizer regularizer,
                                   const double *estimate_at, hsgd_error *err);

#ifdef __cplusplus
}
#endif

#endif
