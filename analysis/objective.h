/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The one interface between the engine and a problem: n local objectives F_j on R^d.
 *
 * A new problem is a const record of functions and a constructor that fills an hsgd_objective (see quadratic.c). The
 * functions are called from several threads at once, so they may only read the state and write to their outputs and to
 * the scratch memory they are handed. They do not allocate. */
#ifndef HSGD_ANALYSIS_OBJECTIVE_H
#define HSGD_ANALYSIS_OBJECTIVE_H

#include <stddef.h>

#include "analysis/constants.h"
#include "analysis/dataset.h"
#include "analysis/error.h"
#include "analysis/hierarchy.h"
#include "analysis/moments.h"
#include "analysis/random.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What the engine asks for in one call of full_at or stochastic_rows, at most: enough to share work between workers and
 * points, few enough to stay in cache. */
enum { HSGD_ROWS_AT_ONCE = 16, HSGD_POINTS_AT_ONCE = 4 };

/* Where some workers' true gradients and noise (what their stochastic gradients are beyond them) are summed up. */
typedef struct hsgd_step_record {
    double *gradient, *noise; /* (dim) sums over the workers, each times its weight */
    double *noise_sq;         /* (count) ||xi_j||^2 of each worker of a call; not summed */
} hsgd_step_record;

/* Steps of the same size that a worker makes one after the other: those that draw the numbers of step first, first + 1, ... */
typedef struct hsgd_steps {
    uint64_t seed, first;
    size_t count; /* >= 1 */
    size_t batch_size;
    double step_size;
} hsgd_steps;

typedef struct hsgd_objective hsgd_objective;

typedef struct hsgd_objective_type {
    const char *name;

    /* Doubles of scratch memory that one call of any function below needs. */
    size_t (*scratch_size)(const hsgd_objective *objective, size_t batch_size);

    /* F_j and grad F_j at one point (dim) for the workers worker[0..count), in one pass over their data:
     * loss (count), grad (count, dim). */
    void (*full)(const hsgd_objective *objective, const double *point, const size_t *worker, size_t count, double *loss,
                 double *grad, double *scratch);

    /* grad (dim): a stochastic gradient of F_worker at the point, unbiased (A2), drawn from the numbers of
     * (seed, worker, step) under the purposes NOISE and BATCH. batch_size 0: the full gradient (plus the noise a problem
     * has by definition). */
    void (*stochastic)(const hsgd_objective *objective, const double *point, size_t worker, size_t batch_size,
                       uint64_t seed, uint64_t step, double *grad, double *scratch);

    /* Optional (NULL: full is called for every worker and point). F_j and grad F_j for count <= HSGD_ROWS_AT_ONCE workers
     * at num_points <= HSGD_POINTS_AT_ONCE points each, in one pass over a worker's data. point (count, num_points): where
     * each point (dim) lies; points that several workers share have the same address. loss (count, num_points), NULL: not
     * wanted; grad (count, num_points, dim). */
    void (*full_at)(const hsgd_objective *objective, const double *const *point, size_t num_points,
                    const size_t *worker, size_t count, double *loss, double *grad, double *scratch);

    /* Optional (NULL: made from the results of full_at). Add the gradients of count <= HSGD_ROWS_AT_ONCE workers at one point
     * to the moments, each with weight 1, their losses to *loss and their squared norms to *norm_sq. */
    void (*add_moments)(const hsgd_objective *objective, const double *point, const size_t *worker, size_t count,
                        hsgd_moments *moments, double *loss, double *norm_sq);

    /* Optional (NULL: stochastic is called for every worker). Stochastic gradients of count <= HSGD_ROWS_AT_ONCE workers,
     * each at a point (dim) of its own, one every `stride` numbers; grad (count, dim). The same numbers as from stochastic,
     * to the bit. */
    void (*stochastic_rows)(const hsgd_objective *objective, const double *point, size_t stride, const size_t *worker,
                            size_t count, size_t batch_size, uint64_t seed, uint64_t step, double *grad,
                            double *scratch);

    /* Optional (NULL: made from stochastic_rows). Steps of count <= HSGD_ROWS_AT_ONCE workers: each w (dim), one every
     * `stride` numbers, -= step_size times what stochastic gives, steps->count times. They begin at from (dim); NULL: each at
     * its w. What is added to w may be summed in another order than by stochastic; but the numbers are the same, to the bit,
     * whichever workers and however many of the steps a call has. */
    void (*step_rows)(const hsgd_objective *objective, const double *from, double *w, size_t stride,
                      const size_t *worker, size_t count, const hsgd_steps *steps, double *scratch);

    /* Optional (NULL: made from full_at and stochastic_rows). One step, in place, and what the steps were made of is added to
     * record, each worker with weight 1. */
    void (*recorded_step_rows)(const hsgd_objective *objective, double *w, size_t stride, const size_t *worker,
                               size_t count, size_t batch_size, uint64_t seed, uint64_t step, double step_size,
                               const hsgd_step_record *record, double *scratch);

    /* L, sigma^2 for this batch size, and f*, with their kinds (THEORY 8). */
    hsgd_status (*constants)(const hsgd_objective *objective, size_t batch_size, hsgd_constants *out, hsgd_error *err);

    /* Free the state; called once by hsgd_objective_free. May be NULL. */
    void (*free)(void *state);

    /* Certified bounds on the divergences that hold at every w, rounding included (THEORY 8): node_sq (h->num_nodes) on
     * beta_u^2(w) for the expanded tree h with its weights, *global_sq on E(w). placement (num_workers): the objective's
     * worker at each place of the tree, NULL: in order. May allocate. NULL: none are known for this problem. */
    hsgd_status (*divergences)(double *node_sq, double *global_sq, const hsgd_objective *objective,
                               const hsgd_hierarchy *h, const size_t *placement, hsgd_error *err);

    /* Optional (NULL: there are no labels). Over samples [first, first + count) of data with features like the training data's,
     * kept as bytes only if those are:
     * *loss_sum the sum of the losses without regulariser at the point (dim), *num_right how many labels are predicted. */
    void (*evaluate)(const hsgd_objective *objective, const double *point, const hsgd_dataset *data, size_t first,
                     size_t count, double *loss_sum, size_t *num_right, double *scratch);
} hsgd_objective_type;

struct hsgd_objective {
    const hsgd_objective_type *type;
    void *state;        /* belongs to the type; owned, freed through type->free */
    size_t dim;         /* d */
    size_t num_workers; /* n */
};

void hsgd_objective_free(hsgd_objective *objective);

/* What step_rows begins with: w (dim), one every `stride` numbers, take the value of from (dim), unless that is NULL. */
void hsgd_objective_begin_rows(const hsgd_objective *objective, const double *from, double *w, size_t stride,
                               size_t count);

/* full_at and stochastic_rows of any objective: in one call, or one by one where its type has no such functions. */
void hsgd_objective_full_at(const hsgd_objective *objective, const double *const *point, size_t num_points,
                            const size_t *worker, size_t count, double *loss, double *grad, double *scratch);
void hsgd_objective_stochastic_rows(const hsgd_objective *objective, const double *point, size_t stride,
                                    const size_t *worker, size_t count, size_t batch_size, uint64_t seed, uint64_t step,
                                    double *grad, double *scratch);

#ifdef __cplusplus
}
#endif

#endif
