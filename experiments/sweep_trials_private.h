/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Trials of the points of a sweep: what they will need. */
#ifndef HSGD_EXPERIMENTS_SWEEP_TRIALS_PRIVATE_H
#define HSGD_EXPERIMENTS_SWEEP_TRIALS_PRIVATE_H

#include "experiments/experiment.h"
#include "experiments/sweep_private.h"

typedef struct hsgd_sweep_trial {
    bool made; /* false: the child did not get to its end, or the point is not waiting */
    hsgd_status status;
    hsgd_error err; /* of status */
    hsgd_prediction prediction;
} hsgd_sweep_trial;

/* Try every waiting point as it will be run. timed: the seconds, too, which takes seconds. *out has num_points entries; free
 * it with hsgd_sweep_trials_free. */
hsgd_status hsgd_sweep_try(hsgd_sweep_trial **out, const hsgd_sweep *sweep, const hsgd_sweep_row *row,
                           const hsgd_sweep_jobs *how, bool timed, hsgd_error *err);
void hsgd_sweep_trials_free(hsgd_sweep_trial *trial, size_t count);

/* The most that `jobs` of the points (count) at once can take, in bytes. NAN when memory is out. */
double hsgd_sweep_most_bytes(const hsgd_sweep_trial *trial, size_t count, size_t jobs);

/* Lower *jobs to how many fit into so many bytes whichever of the points they are, at least 1, and say so on standard error
 * unless quiet. */
hsgd_status hsgd_sweep_lower_jobs(size_t *jobs, const hsgd_sweep_trial *trial, size_t count, double machine_bytes,
                                  bool quiet, hsgd_error *err);

#endif
