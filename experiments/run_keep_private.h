/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How hsgd run and hsgd verify are stopped and go on: their options, their checkpoint and what is said about it. */
#ifndef HSGD_EXPERIMENTS_RUN_KEEP_PRIVATE_H
#define HSGD_EXPERIMENTS_RUN_KEEP_PRIVATE_H

#include "experiments/checkpoint.h"
#include "experiments/interrupt.h"
#include "experiments/last_words.h"
#include "experiments/ranks.h"
#include "experiments/run_private.h"
#include "experiments/witness.h"

typedef struct hsgd_run_keep {
    const hsgd_arguments *arguments; /* borrowed */
    const char *dir;                 /* the result folder; borrowed */
    bool resume, quiet;
    double every_s, budget_s;
    hsgd_interrupt interrupt;
    hsgd_stop ending;           /* is this process ended by who started it, in a second? */
    hsgd_ranks ranks;           /* whose stop counts for all */
    hsgd_last_words last_words; /* of the first of several processes, before it is killed, and */
    hsgd_witness witness;       /* after it has gone without a word */
    hsgd_checkpoint *checkpoint;
} hsgd_run_keep;

/* Read the options, watch for signals and the end of the budget from now on, and find the other processes of this command, if
 * there are any. out must stay where it is. */
hsgd_status hsgd_run_keep_begin(hsgd_run_keep *out, const hsgd_arguments *arguments, hsgd_error *err);

/* With --resume: does the folder hold all results of this very run? Then *code is the exit code they stand for. */
bool hsgd_run_keep_is_complete(const hsgd_run_keep *keep, const char *identity, bool every_check, int *code);

/* Open the checkpoint of the run that is to begin, and say where it begins. */
hsgd_status hsgd_run_keep_open(hsgd_run_keep *keep, const char *identity, hsgd_error *err);

/* The run was stopped, as err says: write what is still to be kept, say how to go on. All processes call it. Returns the exit
 * code. */
int hsgd_run_keep_stop(hsgd_run_keep *keep, hsgd_error *err);

/* The run ended because a process died: say how to go on. Returns the exit code. */
int hsgd_run_keep_died(hsgd_run_keep *keep, const hsgd_error *err);

/* Several processes whose libraries do not compute alike: the first one says so. All call it. */
void hsgd_run_compare_arithmetic(const hsgd_run_keep *keep);

/* The results are written: the checkpoint is of no more use. */
void hsgd_run_keep_finish(hsgd_run_keep *keep);

/* Returns the exit code: that of the first process, for all. */
int hsgd_run_keep_end(hsgd_run_keep *keep, int code);

#endif
