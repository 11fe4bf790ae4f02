/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Linear classifiers on real data: binary logistic and softmax regression.
 *
 *     F_j(w) = mean over worker j's samples (x, y) of  loss(W x, y)  +  regulariser(w)
 * logistic (one output):   loss = log(1 + exp(-s w'x)),  s = +1 for class 1 and -1 for class 0;          d = p
 * softmax (C outputs):     loss = -log( exp(W_y x) / sum_c exp(W_c x) ),  w = the rows of W in turn;      d = C p */
#ifndef HSGD_ANALYSIS_LINEAR_MODEL_H
#define HSGD_ANALYSIS_LINEAR_MODEL_H

#include <stddef.h>

#include "analysis/dataset.h"
#include "analysis/error.h"
#include "analysis/objective.h"
#include "analysis/regularizer.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum hsgd_link { HSGD_LINK_LOGISTIC, HSGD_LINK_SOFTMAX } hsgd_link;

/* The objective of num_workers workers; worker j holds the samples start[j] .. start[j + 1] - 1 of data, at least one.
 * data and start are borrowed and must outlive it. A logistic model needs data of exactly two classes. Sparse data, and
 * others of which less than half is not 0, are also kept as lists in the narrowest exact types: two copies of each
 * entry of 3 to 12 bytes. An entry that is 0 then adds 0 whatever the point, also where the point is infinite or NaN.
 *
 * Constants (THEORY 8): L certified, max_j lambda_max(X_j'X_j/m_j)/4 (logistic), /2 (softmax; Boehning 1992), plus the
 * regulariser's; sigma^2 certified for batches drawn with replacement, max_j mean||x||^2/b (logistic), twice that
 * (softmax), 0 for full gradients; f* >= 0 certified. */
hsgd_status hsgd_linear_model_objective(hsgd_objective *out, hsgd_link link, const hsgd_dataset *data,
                                        const size_t *start, size_t num_workers, hsgd_regularizer regularizer,
                                        hsgd_error *err);

#ifdef __cplusplus
}
#endif

#endif
