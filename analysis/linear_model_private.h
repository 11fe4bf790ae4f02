/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the files of the linear models share. */
#ifndef HSGD_ANALYSIS_LINEAR_MODEL_PRIVATE_H
#define HSGD_ANALYSIS_LINEAR_MODEL_PRIVATE_H

#include "analysis/linear_model.h"

/* Rows per block: with some thousand features the block stays in a second-level cache; larger only costs memory. */
enum { HSGD_LINEAR_BLOCK_ROWS = 64 };

typedef struct linear_model {
    hsgd_link link;
    const hsgd_dataset *data;
    const size_t *start;
    size_t outputs; /* rows of W: 1 for logistic, the number of classes for softmax */
    hsgd_regularizer regularizer;
} linear_model;

/* linear_model.c: the scores z (count, outputs) = X W' of the samples first .. first + count - 1 at W = point. */
void hsgd_linear_model_scores(const linear_model *model, size_t first, size_t count, const double *point, double *z);

/* linear_divergence.c: hsgd_objective_type.divergences of both links. */
hsgd_status hsgd_linear_model_divergences(double *node_sq, double *global_sq, const hsgd_objective *objective,
                                          const hsgd_hierarchy *h, const size_t *placement, hsgd_error *err);

#endif
