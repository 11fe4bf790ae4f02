/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How large the rounding errors of a run are, for bounds that are 0: with equal workers, or from the minimum, theory
 * and exact arithmetic give 0 where a run shows some 1e-32. */
#ifndef HSGD_EXPERIMENTS_ROUNDING_PRIVATE_H
#define HSGD_EXPERIMENTS_ROUNDING_PRIVATE_H

#include "experiments/experiment.h"

/* Numbers of a run up to some row; start with zeros. */
typedef struct hsgd_magnitude {
    double travelled; /* length of the way of wbar, at most; with ||w^0|| the size of the models */
    double gradient;  /* largest ||grad f(wbar)|| */
    double loss;      /* largest |f(wbar)| */
} hsgd_magnitude;

/* Take in one more row. */
void hsgd_magnitude_extend(hsgd_magnitude *magnitude, const hsgd_experiment *e, const hsgd_summary *s, size_t row);

/* Rounding of squared distances between models. */
double hsgd_rounding_of_models_sq(const hsgd_experiment *e, const hsgd_magnitude *magnitude);

/* Rounding of S, S_round and S_min, and of Delta = f(w^0) - f* in the bound. */
double hsgd_rounding_of_gradients_sq(const hsgd_experiment *e, const hsgd_run *run);

/* Rounding of one worker's gradient: noise below it cannot be told from none. */
double hsgd_rounding_of_worker_gradients(const hsgd_experiment *e);

#endif
