/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What is said of a process that is gone without a word: killed, or ended by MPI, which does that where it has something to
 * send to a process that died. A process of its own says it, which outlives this one by that line. */
#ifndef HSGD_EXPERIMENTS_WITNESS_H
#define HSGD_EXPERIMENTS_WITNESS_H

#include <pthread.h>
#include <stdbool.h>
#include <sys/types.h>

#include "analysis/error.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct hsgd_witness {
    pid_t process;
    int line; /* to it: open as long as this process is there */
    bool begun;
    pthread_mutex_t lock;
} hsgd_witness;

/* From now on: if this process ends, the line `kept` (without a newline) goes to standard error, or `nothing` if the folder is
 * empty or not there at that time. */
hsgd_status hsgd_witness_begin(hsgd_witness *out, const char *kept, const char *nothing, const char *folder,
                               hsgd_error *err);

/* This process speaks for itself, or has nothing to say. From any thread; nothing happens the second time, or without a
 * begin (zeros). */
void hsgd_witness_end(hsgd_witness *witness);

#ifdef __cplusplus
}
#endif

#endif
