/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef HSGD_ANALYSIS_ENSEMBLE_PRIVATE_H
#define HSGD_ANALYSIS_ENSEMBLE_PRIVATE_H

#include "analysis/ensemble.h"

/* What all seeds have in common. */
typedef struct hsgd_ensemble_plan {
    const hsgd_simulation *simulation; /* without its seed */
    uint64_t first_seed;
    const size_t *placement; /* (num_seeds, num_workers) NULL: that of the simulation */
    int threads;             /* for all seeds at hand */
} hsgd_ensemble_plan;

/* ensemble.c: seeds [first, end) into their traces, with the processes of this team (NULL: alone); the first failure (in the
 * order of seeds) is the one reported. */
hsgd_status hsgd_ensemble_run_seeds(hsgd_ensemble *out, const hsgd_ensemble_plan *plan, const hsgd_team *team,
                                    size_t first, size_t end, hsgd_error *err);

/* ensemble_team.c: all seeds, with the processes of the simulation's team; traces are then with its first process. */
hsgd_status hsgd_ensemble_run_team(hsgd_ensemble *out, const hsgd_ensemble_plan *plan, hsgd_error *err);

#endif
