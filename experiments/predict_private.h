/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The prediction of one simulation, by any clock: tests count work instead of seconds. */
#ifndef HSGD_EXPERIMENTS_PREDICT_PRIVATE_H
#define HSGD_EXPERIMENTS_PREDICT_PRIVATE_H

#include "experiments/experiment.h"

/* Add to out->time_s what `seeds` runs of the simulation will take on so many threads, and to out->trial_time_s what the
 * trials took, both in seconds of now_s. placement as for hsgd_ensemble_run. */
hsgd_status hsgd_predict_simulation(hsgd_prediction *out, const hsgd_simulation *whole, size_t seeds,
                                    const size_t *placement, int threads, double (*now_s)(void), hsgd_error *err);

#endif
