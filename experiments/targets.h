/* SPDX-License-Identifier: GPL-3.0-or-later */
/* When a run reaches what it was asked for: first measured step, global round and second. */
#ifndef HSGD_EXPERIMENTS_TARGETS_H
#define HSGD_EXPERIMENTS_TARGETS_H

#include <stddef.h>

#include "analysis/engine.h"
#include "analysis/ensemble.h"
#include "analysis/error.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum hsgd_target_quantity {
    HSGD_TARGET_TEST_ACCURACY,
    HSGD_TARGET_TRAIN_ACCURACY,
    HSGD_TARGET_LOSS,         /* f(wbar), with the regulariser */
    HSGD_TARGET_GRAD_NORM_SQ, /* ||grad f(wbar)||^2 */
    HSGD_NUM_TARGET_QUANTITIES
} hsgd_target_quantity;

/* "test_accuracy", "train_accuracy", "loss", "grad_norm_sq"; NULL beyond. */
const char *hsgd_target_quantity_name(size_t quantity);

/* An accuracy is reached at or above the value, the others at or below it. */
typedef struct hsgd_wanted {
    hsgd_target_quantity quantity;
    double value;
} hsgd_wanted;

/* Mean and standard deviation (divisor count - 1) over the runs that reached a target; NAN: none, or one. */
typedef struct hsgd_spread {
    double mean, deviation;
} hsgd_spread;

typedef struct hsgd_reached {
    size_t num_runs;    /* all, also those that never reached it */
    size_t num_reached; /* these the means are over */
    double *step;       /* (num_runs) first measured step; NAN: not reached. Owned, like the next */
    double *time_s;     /* (num_runs) when; NAN: not reached, or there is no communication model */
    hsgd_spread over_steps, over_rounds, over_time_s;
    size_t period; /* of the global rounds: round = floor(step / period) of them are complete */
} hsgd_reached;

/* The first row of the trace, step T included, at which the target is reached; num_measured + 1: never. Rows where the
 * quantity was not evaluated reach nothing. */
size_t hsgd_target_first_row(const hsgd_trace *trace, hsgd_wanted wanted);

/* seed_time_s (num_time_seeds, num_measured + 1): seconds of the rows, NULL: not known. Where there are more of these than
 * traces, or fewer (but then one), run r takes what there is: the only trace, or the only times. Free with
 * hsgd_reached_free. */
hsgd_status hsgd_target_follow(hsgd_reached *out, hsgd_wanted wanted, const hsgd_ensemble *ensemble, size_t period,
                               const double *seed_time_s, size_t num_time_seeds, hsgd_error *err);
void hsgd_reached_free(hsgd_reached *reached);

#ifdef __cplusplus
}
#endif

#endif
