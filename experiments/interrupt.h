/* SPDX-License-Identifier: GPL-3.0-or-later */
/* When the user, the system or a budget of time wants a command to end: SIGINT, SIGTERM, SIGHUP, --time-budget. */
#ifndef HSGD_EXPERIMENTS_INTERRUPT_H
#define HSGD_EXPERIMENTS_INTERRUPT_H

#include "analysis/stop.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct hsgd_interrupt {
    double deadline_s; /* of hsgd_now_s; INFINITY: none */
    hsgd_stop stop;    /* to be asked; points to this struct, which must stay where it is */
} hsgd_interrupt;

/* From now on the first of these signals is only remembered, for the whole process; the second one ends it as usual. budget_s:
 * seconds from now; INFINITY: none. */
void hsgd_interrupt_watch(hsgd_interrupt *out, double budget_s);

/* From now on signals end the process as usual. */
void hsgd_interrupt_end(void);

/* What has asked to stop: "SIGINT", "SIGTERM", "SIGHUP", "the time budget"; NULL: nothing has. */
const char *hsgd_interrupt_reason(const hsgd_interrupt *interrupt);

#ifdef __cplusplus
}
#endif

#endif
