/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef HSGD_EXPERIMENTS_EXPERIMENT_PRIVATE_H
#define HSGD_EXPERIMENTS_EXPERIMENT_PRIVATE_H

#include "experiments/experiment.h"
#include "plots/figure.h"

/* judge.c: does a selected bound need the largest single deviations? */
bool hsgd_experiment_needs_maxima(const hsgd_config *config);

/* judge.c: bounds, intervals and verdicts, once runs and constants are there. */
hsgd_status hsgd_experiment_judge(hsgd_experiment *experiment, hsgd_error *err);

#endif
