/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Progress of a sweep on standard error: one live line on a terminal, else a line for every point. */
#ifndef HSGD_EXPERIMENTS_SWEEP_PROGRESS_PRIVATE_H
#define HSGD_EXPERIMENTS_SWEEP_PROGRESS_PRIVATE_H

#include "experiments/sweep_private.h"

typedef struct hsgd_sweep_progress {
    const hsgd_sweep *sweep;   /* borrowed */
    const hsgd_sweep_row *row; /* (num_points) borrowed */
    size_t jobs;
    double begin_s;
    bool live;  /* one line that changes */
    bool lines; /* one line for every point */
} hsgd_sweep_progress;

void hsgd_sweep_progress_init(hsgd_sweep_progress *out, const hsgd_sweep *sweep, const hsgd_sweep_row *row, size_t jobs,
                              bool quiet);

/* As hsgd_sweep_jobs.tell. */
void hsgd_sweep_progress_tell(hsgd_sweep_progress *progress, const size_t *finished);

/* Take the live line away. */
void hsgd_sweep_progress_end(hsgd_sweep_progress *progress);

/* "12 s", "3 min", "1.5 h". */
void hsgd_duration_text(char *out, size_t size, double time_s);

#endif
