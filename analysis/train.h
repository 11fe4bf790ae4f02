/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Real distributed training by H-SGD: every rank is one worker, holds one model, and its nodes average by a sum over their
 * ranks. It is timed while it runs.
 *
 * The algorithm is the engine's (engine.h, plain H-SGD) with the same random numbers; sums are made in another order, so that
 * models agree with its to rounding.
 *
 * Times. A step is timed from before to after the stochastic gradient step. Before an average, the ranks of the node
 * meet at a barrier (wait_s), so that the sum over them (sum_s) is timed apart from the waiting for the latest. The barrier
 * itself is a part of wait_s, and makes the run longer than one without; train_probe.h measures by how much.
 * Measuring f at wbar would make all ranks wait for each other. So a rank only keeps a copy of its model at a measured step;
 * what was kept is evaluated together when the memory for it is full, and at the end, while all clocks stand still. */
#ifndef HSGD_ANALYSIS_TRAIN_H
#define HSGD_ANALYSIS_TRAIN_H

#include <stddef.h>
#include <stdint.h>

#include "analysis/engine.h"
#include "analysis/objective.h"
#include "analysis/tree_groups.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The same on all ranks. Borrowed pointers. */
typedef struct hsgd_training {
    const hsgd_objective *objective; /* of which a rank asks for its own worker only */
    const hsgd_hierarchy *hierarchy; /* expanded */
    const double *initial;           /* (dim) w^0 */
    const size_t *placement;         /* (num_workers) the objective's worker at each place; NULL: in order */
    double step_size;                /* gamma > 0 */
    size_t steps;                    /* T >= 1 */
    size_t batch_size;               /* 0: full gradients */
    size_t measure_every;            /* f at wbar^t for t = 0, m, 2m, ... and T; >= 1 */
    size_t kept_bytes;               /* for copies of models; at least one is kept */
    uint64_t seed;
    /* steps_done so far; NULL: not wanted. Called between steps, at most once in a hundredth of them */
    void (*progress)(void *context, size_t steps_done);
    void *progress_context;
} hsgd_training;

/* One average, as one rank saw it. */
typedef struct hsgd_average_time {
    size_t step;   /* the update after which it was due, 1, 2, ... */
    size_t depth;  /* of its node */
    double wait_s; /* from this rank's arrival until all of the node's were there */
    double sum_s;  /* from then until this rank has the average */
} hsgd_average_time;

/* What one rank has afterwards. Arrays are owned. */
typedef struct hsgd_training_record {
    size_t dim, steps;
    /* the same on all ranks */
    size_t num_measured;  /* measured steps t < T; one more row holds step T */
    size_t *step;         /* (num_measured + 1) */
    double *loss;         /* (num_measured + 1) f(wbar^t) */
    double *grad_norm_sq; /* (num_measured + 1) ||grad f(wbar^t)||^2 */
    double *final_point;  /* (dim) wbar^T */
    size_t
        diverged_at; /* first measured step with a loss or gradient that is not finite, from which on all are INFINITY;
                           HSGD_NOT_DIVERGED otherwise */
    /* of this rank */
    double *compute_s; /* (steps) */
    size_t num_averages;
    hsgd_average_time *average; /* (num_averages) in time order */
    double total_s;             /* from the common start until its last step and average; pauses are left out */
    size_t pauses;              /* evaluations before the end, for want of memory */
} hsgd_training_record;

/* Train; every rank calls it. On failure nothing needs freeing. */
hsgd_status hsgd_train(hsgd_training_record *out, const hsgd_training *training, const hsgd_tree_groups *groups,
                       hsgd_error *err);
void hsgd_training_record_free(hsgd_training_record *record);

/* Averages that the worker at this place takes part in, in so many steps. */
size_t hsgd_training_averages(const hsgd_hierarchy *h, size_t place, size_t steps);

#ifdef __cplusplus
}
#endif

#endif
