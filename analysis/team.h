/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Processes that work on the same run.
 *
 * All of a team call the same functions in the same order; each call ends when those have come whose data it needs. Numbers
 * are only carried, never added up on the way, so that results do not depend on how many processes there are. A team of NULL
 * is the calling process alone: nothing is carried, nothing fails. How messages travel is a record of functions
 * (hsgd_team_type): MPI in experiments/team_mpi.c, threads in tests/analysis/thread_team.h. */
#ifndef HSGD_ANALYSIS_TEAM_H
#define HSGD_ANALYSIS_TEAM_H

#include <stdbool.h>
#include <stddef.h>

#include "analysis/error.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { HSGD_HOST_SIZE = 64 };

/* What carries messages. Groups are the record's own; all functions return HSGD_ERROR_ENVIRONMENT where a message could not
 * be carried. Ranks count from 0. */
typedef struct hsgd_team_type {
    /* matrix (rows, columns, width) doubles: this process has filled the columns [first[rank], first[rank + 1]) of every row
     * and gets those of the others. first (size + 1) does not fall, and is the same for all; columns before first[0] and from
     * first[size] on stay as they are. */
    hsgd_status (*share)(void *group, double *matrix, size_t rows, size_t columns, size_t width, const size_t *first,
                         hsgd_error *err);
    hsgd_status (*broadcast)(void *group, int from, void *data, size_t bytes, hsgd_error *err);
    /* One message of this length from one process to another; messages between two of them keep their order. */
    hsgd_status (*send)(void *group, int to, const void *data, size_t bytes, hsgd_error *err);
    hsgd_status (*receive)(void *group, int from, void *data, size_t bytes, hsgd_error *err);
    /* The processes with the same number become a group of their own, in the order of their ranks. */
    hsgd_status (*split)(void *group, int number, void **out, int *rank, int *size, hsgd_error *err);
    void (*release)(void *group);
} hsgd_team_type;

typedef struct hsgd_team {
    const hsgd_team_type *type; /* borrowed */
    void *group;                /* of the type */
    int rank, size;
    int on_host;               /* processes of the whole program on this host, this one included */
    char host[HSGD_HOST_SIZE]; /* of this process */
} hsgd_team;

/* 0 and 1 for NULL. */
int hsgd_team_rank(const hsgd_team *team);
int hsgd_team_size(const hsgd_team *team);

/* As in hsgd_team_type. */
hsgd_status hsgd_team_share(const hsgd_team *team, double *matrix, size_t rows, size_t columns, size_t width,
                            const size_t *first, hsgd_error *err);
hsgd_status hsgd_team_broadcast(const hsgd_team *team, int from, void *data, size_t bytes, hsgd_error *err);
hsgd_status hsgd_team_send(const hsgd_team *team, int to, const void *data, size_t bytes, hsgd_error *err);
hsgd_status hsgd_team_receive(const hsgd_team *team, int from, void *data, size_t bytes, hsgd_error *err);

/* own (width) of every process, into all (size, width), in the order of ranks. */
hsgd_status hsgd_team_collect(const hsgd_team *team, const double *own, size_t width, double *all, hsgd_error *err);

/* *value becomes the largest there is; a small whole number. */
hsgd_status hsgd_team_largest(const hsgd_team *team, int *value, hsgd_error *err);

/* Every process says how it fared, its message in err: HSGD_OK if all did well. Otherwise all get the status and the message
 * of the first that did not, which then names its rank and host, unless all failed, in which case the place is not the
 * reason. Those that were only stopped (HSGD_STOPPED) come last. err may not be NULL. */
hsgd_status hsgd_team_agree(const hsgd_team *team, hsgd_status status, hsgd_error *err);

/* The processes with the same number become a team of their own. Free with hsgd_team_release, also on failure. A team of NULL
 * becomes one of size 1. */
hsgd_status hsgd_team_split(hsgd_team *out, const hsgd_team *team, int number, hsgd_error *err);
void hsgd_team_release(hsgd_team *team);

#ifdef __cplusplus
}
#endif

#endif
