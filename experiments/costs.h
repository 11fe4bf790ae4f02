/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Seconds and bytes of a run at its measured steps, under the configured communication model (analysis/communication.h). */
#ifndef HSGD_EXPERIMENTS_COSTS_H
#define HSGD_EXPERIMENTS_COSTS_H

#include <stddef.h>
#include <stdint.h>

#include "analysis/communication.h"
#include "analysis/error.h"
#include "analysis/hierarchy.h"
#include "analysis/statistics.h"
#include "analysis/stop.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct hsgd_run_costs {
    size_t num_rows;       /* measured steps and T; 0: there is no communication model */
    size_t num_levels;     /* of the network */
    size_t num_seeds;      /* 1 where no worker is late and none is drawn: then all seeds are the same */
    double *seed_time_s;   /* (num_seeds, num_rows) owned, like all */
    hsgd_estimate *time_s; /* (num_rows) over the seeds */
    double *seed_bytes;    /* (num_seeds, num_rows, num_levels) sent until then, both ways */
    double *bytes;         /* (num_rows, num_levels) their means over the seeds */
} hsgd_run_costs;

/* What to follow. Borrowed pointers. */
typedef struct hsgd_costs_input {
    const hsgd_communication *communication;
    const hsgd_hierarchy *tree;   /* expanded; its periods are those of the run */
    const hsgd_hierarchy *groups; /* expanded; whose lowest nodes draw participants */
    const hsgd_variant *variant;  /* NULL: plain H-SGD */
    size_t dim;                   /* of a message */
    const size_t *step;           /* (num_rows) */
    size_t num_rows;
    size_t num_seeds;
    uint64_t first_seed;
    const size_t *placement; /* (num_seeds, num_workers); NULL: in order */
    int threads;
    const hsgd_stop *stop; /* NULL: nobody asks to stop */
} hsgd_costs_input;

/* Free the result with hsgd_run_costs_free. */
hsgd_status hsgd_run_costs_find(hsgd_run_costs *out, const hsgd_costs_input *input, hsgd_error *err);
void hsgd_run_costs_free(hsgd_run_costs *costs);

#ifdef __cplusplus
}
#endif

#endif
