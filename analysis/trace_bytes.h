/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A trace as bytes: what a run that was stopped had measured, and what a process sends to another one. */
#ifndef HSGD_ANALYSIS_TRACE_BYTES_H
#define HSGD_ANALYSIS_TRACE_BYTES_H

#include <stddef.h>

#include "analysis/bytes.h"
#include "analysis/engine.h"
#include "analysis/error.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Put the trace of a finished run. */
void hsgd_trace_pack(hsgd_bytes *out, const hsgd_trace *trace);

/* The same of a run that has filled its first num_rows <= num_measured + 1 rows; the others are left out. */
void hsgd_trace_pack_rows(hsgd_bytes *out, const hsgd_trace *trace, size_t num_rows);

/* Take a trace; rows that were left out are 0, their metrics NAN. HSGD_ERROR_INPUT where the bytes are not one; on failure
 * nothing needs freeing. */
hsgd_status hsgd_trace_unpack(hsgd_trace *out, hsgd_bytes_reader *in, hsgd_error *err);

/* The same into a trace of hsgd_trace_alloc that is still empty. HSGD_ERROR_INPUT names what differs if the bytes belong to a
 * trace of another shape. *num_rows: how many were there. */
hsgd_status hsgd_trace_unpack_into(hsgd_trace *trace, size_t *num_rows, hsgd_bytes_reader *in, hsgd_error *err);

/* What a run saw of a smoothness constant. */
void hsgd_bytes_put_seen(hsgd_bytes *out, const hsgd_seen_smoothness *seen);
void hsgd_bytes_take_seen(hsgd_bytes_reader *in, hsgd_seen_smoothness *seen);

#ifdef __cplusplus
}
#endif

#endif
