/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The folder DIR/checkpoint: what an experiment has simulated so far, so that one that was stopped or killed goes on to the
 * same numbers.
 *
 *   RUN-seed-S.state   the seed S of the run RUN ("main", "inner", "outer") between two windows; replaced again and again
 *   done-K.state       the measurements of seeds that were done at the K-th checkpoint; never touched again
 *
 * Every file says what it belongs to (program, command, configuration, data) and ends with a checksum: other files, and
 * damaged ones, are refused. Files appear whole or not at all (plots/output.h). */
#ifndef HSGD_EXPERIMENTS_CHECKPOINT_H
#define HSGD_EXPERIMENTS_CHECKPOINT_H

#include <stdbool.h>
#include <stddef.h>

#include "analysis/engine.h"
#include "analysis/error.h"
#include "analysis/stop.h"
#include "analysis/team.h"
#include "experiments/experiment.h"
#include "experiments/problem.h"
#include "experiments/provenance.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct hsgd_checkpoint hsgd_checkpoint;

typedef struct hsgd_checkpoint_options {
    const char *dir; /* the result folder; borrowed */
    /* What was done longer ago than so many seconds (>= 0) is on the disk, as long as writing takes no more than a quarter of
     * them; 0: a checkpoint at every window. */
    double every_s;
    bool resume;           /* begin with what is there; otherwise it is replaced by the first checkpoint of this run */
    const hsgd_stop *stop; /* borrowed; NULL: nobody asks */
    /* Processes that simulate together: each writes the seeds that it is the first one for, into the same folder. All open it,
     * and none begins before all have. What is there is then replaced at once. NULL: this one alone. Borrowed. */
    const hsgd_team *team;
    /* A checkpoint that could not be written, while the run goes on; from any thread. NULL: not wanted */
    void (*warn)(const char *message);
} hsgd_checkpoint_options;

/* What a checkpoint belongs to, one line for each part; to be freed. NULL when memory is out. */
char *hsgd_checkpoint_identity(const hsgd_provenance *provenance, const hsgd_problem *problem);

/* Read what is there, if it is to be resumed. identity: copied. HSGD_ERROR_INPUT: a file is damaged or belongs to something
 * else; the message names it and what differs. On failure nothing needs freeing. */
hsgd_status hsgd_checkpoint_open(hsgd_checkpoint **out, const char *identity, const hsgd_checkpoint_options *options,
                                 hsgd_error *err);
void hsgd_checkpoint_free(hsgd_checkpoint *checkpoint);

/* Was there anything to go on from? */
bool hsgd_checkpoint_found(const hsgd_checkpoint *checkpoint);

/* Steps that were found and that nobody has asked for yet, of runs of so many steps. */
double hsgd_checkpoint_steps_left(const hsgd_checkpoint *checkpoint, size_t steps);

/* Before the simulations of a run with these seeds: who keeps them. Borrowed until the next call. */
hsgd_status hsgd_checkpoint_begin_run(hsgd_checkpoint *checkpoint, const hsgd_keeper **keeper, hsgd_run_index run,
                                      uint64_t first_seed, size_t num_seeds, hsgd_error *err);

/* Other work than runs, which has no seeds but numbers: keep what it gave, or get it; nothing is put where nothing is kept. A
 * record that cannot be kept is worked out again. From any thread. */
void hsgd_checkpoint_keep(hsgd_checkpoint *checkpoint, size_t number, const hsgd_bytes *record);
hsgd_status hsgd_checkpoint_get(hsgd_checkpoint *checkpoint, size_t number, hsgd_bytes *out, hsgd_error *err);

/* Write what is still only in memory, because the experiment stops here. */
hsgd_status hsgd_checkpoint_flush(hsgd_checkpoint *checkpoint, hsgd_error *err);

/* Does a result folder hold a checkpoint, whosever it is? */
bool hsgd_checkpoint_exists(const char *dir);

/* Remove it; what cannot be removed stays. */
void hsgd_checkpoint_remove(const char *dir);

#ifdef __cplusplus
}
#endif

#endif
