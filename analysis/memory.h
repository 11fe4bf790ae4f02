/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Refusing what cannot fit before it starts. */
#ifndef HSGD_ANALYSIS_MEMORY_H
#define HSGD_ANALYSIS_MEMORY_H

#include <stddef.h>

#include "analysis/error.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The machine's memory in bytes; INFINITY where the system does not say. */
double hsgd_memory_of_machine(void);

/* How much of it could be had now, in bytes; INFINITY where the system does not say. */
double hsgd_memory_available(void);

/* HSGD_ERROR_MEMORY if that many bytes exceed the machine's memory; what says what needs them, advice what would help.
 */
hsgd_status hsgd_memory_check(double bytes, const char *what, const char *advice, hsgd_error *err);

/* Lines of the cache: what different threads write should lie in different ones. */
enum { HSGD_LINE_BYTES = 64 };

/* Zeroed memory for count elements that begins a line, for arrays that are swept again and again: large ones lie in large
 * pages where the system has them. NULL when there is none. Free with free. */
void *hsgd_alloc_array(size_t count, size_t size);

#ifdef __cplusplus
}
#endif

#endif
