/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A command that mpirun or srun started several times: its processes find each other, the first one speaks and writes, and all
 * end with the same exit code. Where nothing but the user started it, all this is nothing. */
#ifndef HSGD_EXPERIMENTS_RANKS_H
#define HSGD_EXPERIMENTS_RANKS_H

#include <stdbool.h>

#include "analysis/stop.h"
#include "analysis/team.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Processes of this command, by what mpirun and srun put into the environment; 1: nothing says so. */
int hsgd_ranks_started(void);

/* Is this process the one that speaks? */
bool hsgd_ranks_speak(void);

typedef struct hsgd_ranks {
    hsgd_team all, host; /* of size 1 where there is one process */
    hsgd_stop stop;      /* has any process been told to stop? Points to this struct, which must stay where it is */
    bool many;
} hsgd_ranks;

/* stop: has this process? Borrowed. HSGD_ERROR_INPUT where they cannot find each other. On failure nothing needs an end. */
hsgd_status hsgd_ranks_begin(hsgd_ranks *out, const hsgd_stop *stop, hsgd_error *err);

/* NULL for one process. */
const hsgd_team *hsgd_ranks_team(const hsgd_ranks *ranks);

/* Threads of this process where nobody says how many: its cores, of which those that other processes of its host may use as
 * well count in part. The environment's OMP_NUM_THREADS says it. */
int hsgd_ranks_threads(const hsgd_ranks *ranks, hsgd_error *err);

/* Cores of this host. */
int hsgd_ranks_cores(void);

/* HSGD_ERROR_INPUT where the text differs from that of the first process; `what` says what it describes. */
hsgd_status hsgd_ranks_compare(const hsgd_ranks *ranks, const char *text, const char *what, hsgd_error *err);

/* Has a process died? Then no more messages can be sent. */
bool hsgd_ranks_are_broken(const hsgd_ranks *ranks);

/* The exit code of the first process for all; returns it. */
int hsgd_ranks_end(hsgd_ranks *ranks, int code);

#ifdef __cplusplus
}
#endif

#endif
