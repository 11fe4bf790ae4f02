/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Refusing what cannot fit before it starts. */
#ifndef HSGD_ANALYSIS_MEMORY_H
#define HSGD_ANALYSIS_MEMORY_H

#include "analysis/error.h"

#ifdef __cplusplus
extern "C" {
#endif

/* HSGD_ERROR_MEMORY if that many bytes exceed the machine's memory; what says what needs them, advice what would help.
 */
hsgd_status hsgd_memory_check(double bytes, const char *what, const char *advice, hsgd_error *err);

#ifdef __cplusplus
}
#endif

#endif
