/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Multilayer perceptrons: classifiers with hidden layers, a non-convex objective.
 *
 *     a_0 = x,   a_l = phi(W_l a_{l-1} + b_l) for the hidden layers l < N,   z = W_N a_{N-1} + b_N
 *     F_j(w) = mean over worker j's samples (x, y) of  -log( exp(z_y) / sum_c exp(z_c) )  +  regulariser(w)
 *
 * w is W_1 (row-major), b_1, W_2, b_2, ..., W_N, b_N; W_l is (width of layer l, width of layer l - 1). Layer 0 are the
 * p features, layer N the C classes, so d = sum_l width_l (width_{l-1} + 1). The regulariser takes all of w. */
#ifndef HSGD_ANALYSIS_MLP_H
#define HSGD_ANALYSIS_MLP_H

#include <stddef.h>
#include <stdint.h>

#include "analysis/dataset.h"
#include "analysis/error.h"
#include "analysis/objective.h"
#include "analysis/regularizer.h"

#ifdef __cplusplus
extern "C" {
#endif

/* phi: max(x, 0), whose derivative at 0 is taken to be 0; or tanh x. */
typedef enum hsgd_activation { HSGD_ACTIVATION_RELU, HSGD_ACTIVATION_TANH } hsgd_activation;

/* What the matrix products are computed in. Losses, the gradient's sums over blocks of samples, the models and all moments
 * are doubles either way. SINGLE leaves relative errors of about 1e-6 in gradients, more than some checks allow for, and is
 * for runs where time counts more. */
typedef enum hsgd_precision { HSGD_PRECISION_DOUBLE, HSGD_PRECISION_SINGLE } hsgd_precision;

/* "relu", "tanh"; "double", "single". */
const char *hsgd_activation_name(hsgd_activation activation);
const char *hsgd_precision_name(hsgd_precision precision);

enum { HSGD_MLP_MAX_HIDDEN = 32, HSGD_MLP_MAX_WIDTH = 1000000 };

typedef struct hsgd_mlp_spec {
    size_t num_hidden;                  /* 0: softmax regression with intercepts */
    size_t hidden[HSGD_MLP_MAX_HIDDEN]; /* widths of the hidden layers, 1 to HSGD_MLP_MAX_WIDTH each */
    hsgd_activation activation;
    hsgd_precision precision;
} hsgd_mlp_spec;

/* The objective of num_workers workers; worker j holds the samples start[j] .. start[j + 1] - 1 of data, at least one.
 * data (in any storage) and start are borrowed and must outlive it. Mini-batches are those of linear models. The same bits
 * come from one BLAS and CPU whatever else happens in the program.
 *
 * Constants: f* >= 0 certified (losses and regularisers are not negative); nothing is known about convexity; L and sigma^2
 * are estimates (estimate.h) around the point of hsgd_mlp_set_start, the origin without it. ReLU networks have no L: their
 * gradients jump where a unit begins to act, and the estimate says how fast they change at the scale it looks at. */
hsgd_status hsgd_mlp_objective(hsgd_objective *out, const hsgd_mlp_spec *spec, const hsgd_dataset *data,
                               const size_t *start, size_t num_workers, hsgd_regularizer regularizer, hsgd_error *err);

/* Where runs begin, around which the constants are estimated: point (dim) is copied. */
void hsgd_mlp_set_start(hsgd_objective *objective, const double *point);

/* point (dim): a starting point, which must not be the origin: there hidden units are alike and, with more than one hidden
 * layer, nothing but the output biases has a gradient. Biases are 0, weights normal with standard deviation
 * scale * sqrt(2/fan_in) (ReLU; He et al. 2015) or scale * sqrt(2/(fan_in + fan_out)) (tanh; Glorot and Bengio 2010),
 * layer l from the stream (seed, INITIAL, worker 0, step l), l = 0 for W_1. */
void hsgd_mlp_draw(const hsgd_objective *objective, double scale, uint64_t seed, double *point);

#ifdef __cplusplus
}
#endif

#endif
