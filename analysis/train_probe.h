/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a sum over the ranks of a node takes, by its size: short experiments beside the training, for the fit of link_fit.h.
 *
 * At each depth all nodes make the same sums at the same time, as they do in a training whose nodes of a depth have one period.
 * Before each, a rank works as it does between two averages, and writes the numbers that are to be summed: after an idle loop
 * of sums alone, caches and the scheduler of the system would be in another state than in a training, and so would the times.
 * Sizes come in a random order that is the same on all ranks, so that a disturbance of the machine does not meet
 * one size only; before each sum the ranks of a node meet at a barrier. */
#ifndef HSGD_ANALYSIS_TRAIN_PROBE_H
#define HSGD_ANALYSIS_TRAIN_PROBE_H

#include <stddef.h>
#include <stdint.h>

#include "analysis/tree_groups.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { HSGD_PROBE_MAX_SIZES = 16 };

/* The same on all ranks. */
typedef struct hsgd_probing {
    size_t num_sizes;
    size_t size
        [HSGD_PROBE_MAX_SIZES]; /* (num_sizes) numbers in a sum, ascending; 0: a second barrier in the sum's place */
    size_t repeats;             /* of each size at each depth, >= 1 */
    uint64_t seed;              /* of the order */
    /* A rank's work before a sum: also writes data (size). NULL: none. */
    void (*work)(void *context, double *data, size_t size);
    void *work_context;
} hsgd_probing;

/* Sizes for models of `dim` parameters: none (the barrier), the model's own, half and double, and around it in factors of 4 from
 * 1/64 to four times the model; small models also have sizes up to 8192 numbers, without which they say nothing about the
 * bandwidth. */
void hsgd_probing_sizes(hsgd_probing *out, size_t dim);

/* Make all sums; every rank calls it. time_s (max_depths, num_sizes, repeats): what this rank saw, from the end of the
 * barrier to the end of the sum; NAN at depths at which it has no node. max_depths >= groups->depths, the same on all
 * ranks. */
hsgd_status hsgd_probe(double *time_s, const hsgd_probing *probing, size_t max_depths, const hsgd_tree_groups *groups,
                       hsgd_error *err);

/* Seconds that reading the clock takes, from many readings. */
double hsgd_clock_cost_s(void);

#ifdef __cplusplus
}
#endif

#endif
