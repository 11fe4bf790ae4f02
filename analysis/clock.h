/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How long something takes. */
#ifndef HSGD_ANALYSIS_CLOCK_H
#define HSGD_ANALYSIS_CLOCK_H

#ifdef __cplusplus
extern "C" {
#endif

/* Seconds since some fixed moment, by a clock that is never set back. */
double hsgd_now_s(void);

#ifdef __cplusplus
}
#endif

#endif
