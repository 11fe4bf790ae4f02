/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The state of a run as bytes, for those who keep it (hsgd_keeper). All arrays stand in the order of places, workers or nodes
 * of the whole tree, and nothing in them depends on threads: however a run is spread, its state is the same. */
#ifndef HSGD_ANALYSIS_ENGINE_STATE_H
#define HSGD_ANALYSIS_ENGINE_STATE_H

#include <stdint.h>

#include "analysis/bytes.h"
#include "analysis/engine.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Put the state of a run that is done: a keeper's load may put it again, and the run is not made a second time. */
void hsgd_state_pack_done(hsgd_bytes *out, uint64_t seed, const hsgd_trace *trace);

#ifdef __cplusplus
}
#endif

#endif
