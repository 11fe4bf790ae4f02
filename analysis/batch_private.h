/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Mini-batches of models on data: which samples a worker's stochastic gradient of a step is the mean over. */
#ifndef HSGD_ANALYSIS_BATCH_PRIVATE_H
#define HSGD_ANALYSIS_BATCH_PRIVATE_H

#include <stddef.h>
#include <stdint.h>

#include "analysis/random.h"

/* Whose mini-batch of which step. */
typedef struct hsgd_draw {
    size_t worker, batch_size;
    uint64_t seed, step;
} hsgd_draw;

/* The samples first, first + 1, ... of a mini-batch, `most` at most, drawn with replacement from those of the worker, which
 * are start[worker] .. start[worker + 1] - 1. Returned: how many. first is even. */
static inline size_t hsgd_draw_samples(hsgd_draw d, const size_t *start, size_t first, size_t most, size_t *row)
{
    size_t own = start[d.worker], m = start[d.worker + 1] - own, left = d.batch_size - first,
           count = left < most ? left : most;
    hsgd_stream stream = {d.seed, HSGD_PURPOSE_BATCH, (uint32_t)d.worker, d.step};
    hsgd_uniform_indices(&stream, first, m, row, count);
    for (size_t i = 0; i < count; i++)
        row[i] += own;
    return count;
}

#endif
