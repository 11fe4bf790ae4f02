/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Memory for the semidefinite solver, which goes on with what it did not get.
 *
 * The build puts malloc, calloc and free of DSDP's static library in place by these (Makefile). Where it has only the shared
 * library they are not called, and what happens for want of memory is up to the solver. One thread at a time. */
#ifndef HSGD_BOUNDS_SDP_MEMORY_PRIVATE_H
#define HSGD_BOUNDS_SDP_MEMORY_PRIVATE_H

#include <stdbool.h>
#include <stddef.h>

/* Do the work, which calls the solver. False: an allocation of the solver's failed, and the work ended there and then. What the
 * solver allocated in it is freed afterwards in either case, so nothing of it may be used any more. */
bool hsgd_sdp_try(void (*work)(void *context), void *context);

void *hsgd_sdp_malloc(size_t size);
void *hsgd_sdp_calloc(size_t count, size_t size);
void hsgd_sdp_release(void *memory);

#endif
