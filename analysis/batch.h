/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which samples a mini-batch holds: the same rule for every problem on data. */
#ifndef HSGD_ANALYSIS_BATCH_H
#define HSGD_ANALYSIS_BATCH_H

#include <stddef.h>
#include <stdint.h>

#include "analysis/random.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Whose mini-batch of which step. */
typedef struct hsgd_batch {
    size_t worker, size;
    uint64_t seed, step;
} hsgd_batch;

/* row (most): the samples first, first + 1, ... of a mini-batch drawn with replacement from the samples start ..
 * start + num_samples - 1, at most `most` of them; first is even. Returned: how many. */
static inline size_t hsgd_batch_draw(const hsgd_batch *batch, size_t start, size_t num_samples, size_t first,
                                     size_t most, size_t *row)
{
    size_t left = batch->size - first, count = left < most ? left : most;
    hsgd_stream stream = {batch->seed, HSGD_PURPOSE_BATCH, (uint32_t)batch->worker, batch->step};
    hsgd_uniform_indices(&stream, first, num_samples, row, count);
    for (size_t i = 0; i < count; i++)
        row[i] += start;
    return count;
}

#ifdef __cplusplus
}
#endif

#endif
