/* SPDX-License-Identifier: GPL-3.0-or-later */
/* mpirun kills its processes one second after it has told them to end, be they in the middle of a long window or not. Shortly
 * before, a thread that has nothing else to do says what is to be said. */
#ifndef HSGD_EXPERIMENTS_LAST_WORDS_H
#define HSGD_EXPERIMENTS_LAST_WORDS_H

#include <pthread.h>
#include <stdbool.h>

#include "analysis/error.h"
#include "analysis/stop.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct hsgd_last_words {
    const hsgd_stop *stop;      /* borrowed */
    void (*say)(void *context); /* once, from another thread */
    void *context;
    bool begun, over, said;
    pthread_mutex_t lock;
    pthread_cond_t ends;
    pthread_t thread;
} hsgd_last_words;

/* From now on: if stop asks for the end and the end does not come in time, say. {0} in *out before. */
hsgd_status hsgd_last_words_begin(hsgd_last_words *out, const hsgd_stop *stop, void (*say)(void *context),
                                  void *context, hsgd_error *err);

/* The end has come. Returns whether they were said. Once for every begin; without one nothing happens. */
bool hsgd_last_words_end(hsgd_last_words *words);

#ifdef __cplusplus
}
#endif

#endif
