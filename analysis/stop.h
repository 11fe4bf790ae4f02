/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Does somebody want long work to end before it is done? Asked now and then by whoever does the work, which then fails with
 * HSGD_STOPPED. */
#ifndef HSGD_ANALYSIS_STOP_H
#define HSGD_ANALYSIS_STOP_H

#include <stdbool.h>
#include <stddef.h>

#include "analysis/error.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct hsgd_stop {
    bool (*asked)(const void *context); /* from any thread; once it has said yes, it goes on saying so */
    const void *context;
} hsgd_stop;

/* stop NULL: never. */
static inline bool hsgd_stop_asked(const hsgd_stop *stop)
{
    return stop && stop->asked(stop->context);
}

/* HSGD_STOPPED if it is asked for. */
static inline hsgd_status hsgd_stop_check(const hsgd_stop *stop, hsgd_error *err)
{
    return hsgd_stop_asked(stop) ? hsgd_fail(err, HSGD_STOPPED, "stopped") : HSGD_OK;
}

#ifdef __cplusplus
}
#endif

#endif
