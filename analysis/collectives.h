/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What training needs of several processes that each are one worker ("ranks"): splitting them into groups, sums and
 * barriers within a group. A record of functions: MPI's are in experiments/train_mpi.c, those of threads, for tests, in
 * tests/analysis/thread_collectives.h.
 *
 * All members of a group have to call the same function of it, with the same sizes, in the same order. */
#ifndef HSGD_ANALYSIS_COLLECTIVES_H
#define HSGD_ANALYSIS_COLLECTIVES_H

#include <stddef.h>

#include "analysis/error.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct hsgd_collectives {
    void *context;     /* handed to all functions */
    size_t rank, size; /* this process among all: 0 <= rank < size */
    void *all;         /* the group of all ranks, in their order */

    /* *part: those members of the group that give the same colour, in the same order. Free it with free_group. */
    hsgd_status (*split)(void *context, void *group, size_t colour, void **part, hsgd_error *err);
    void (*free_group)(void *context, void *part);

    /* Returns when all members of the group have called it. */
    hsgd_status (*barrier)(void *context, void *group, hsgd_error *err);

    /* data (count): becomes the sum over the members, in an order of the implementation's choice but the same bits for all. */
    hsgd_status (*sum)(void *context, void *group, double *data, size_t count, hsgd_error *err);

    /* everything (size, count) on rank 0: the numbers own (count) of all ranks. NULL on other ranks. */
    hsgd_status (*gather)(void *context, double *everything, const double *own, size_t count, hsgd_error *err);
} hsgd_collectives;

#ifdef __cplusplus
}
#endif

#endif
