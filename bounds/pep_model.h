/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The model behind `hsgd pep`: where gradients are evaluated, and how every model is a sum of them (THEORY 11).
 *
 * Noiseless H-SGD over a uniform tree with M levels. Averaged over exchangeable workers and groups, everything is said
 * by M + 1 positive semidefinite matrices, the blocks: block 0 is the Gram matrix of the global gradients grad f at the
 * points, block k >= 1 that of the deviations d_k = grad f_v - grad f_u of the nodes v of depth k from their parents u,
 * mean over v. For two points a, b,  mean_j <grad F_j(a), grad F_j(b)> = H_0(a,b) + H_1(a,b) + ... + H_M(a,b).
 * The fanouts (all at least 2) cancel, and so does n.
 *
 * Glossary    gamma  step_size    L  smoothness    T  steps    P_k  periods[k-1]    D_k  level_divergence_sq[k-1]
 *             a, b   points       H_k  block k     F_a  mean over the workers of F_j at point a, F_0 = 0 */
#ifndef HSGD_BOUNDS_PEP_MODEL_H
#define HSGD_BOUNDS_PEP_MODEL_H

#include <stddef.h>

#include "analysis/error.h"
#include "analysis/hierarchy.h"
#include "bounds/bound.h"

#ifdef __cplusplus
extern "C" {
#endif

/* How the initial gap enters. */
typedef enum hsgd_pep_gap {
    HSGD_PEP_DESCENT,    /* f(w^0) - f(wbar^T) <= Delta: all that the proof of THEORY 4.2 uses */
    HSGD_PEP_LOWER_BOUND /* f(w^0) - f(wbar^t) + ||grad f(wbar^t)||^2/(2L) <= Delta for every t <= T: f >= f* */
} hsgd_pep_gap;

/* "descent", "lower-bound". */
const char *hsgd_pep_gap_name(hsgd_pep_gap gap);

/* What is made as large as possible. */
typedef enum hsgd_pep_criterion {
    HSGD_PEP_MEAN, /* S = (1/T) sum_{t<T} ||grad f(wbar^t)||^2 */
    HSGD_PEP_MIN   /* min_{t<=T} ||grad f(wbar^t)||^2 */
} hsgd_pep_criterion;

/* "mean", "min". */
const char *hsgd_pep_criterion_name(hsgd_pep_criterion criterion);

/* The question. A uniform tree: P_1 >= P_2 >= ... >= P_M >= 1, each dividing the one before, every fanout at least 2 (its
 * value does not matter). The canonical tree of a run has no equal periods; where two are equal, the lower level never
 * averages alone, but its divergence is bounded at averages of its own. M = 0 is gradient descent, M = 1 local SGD. A plain struct, nothing owned. */
typedef struct hsgd_pep_problem {
    size_t num_levels;                           /* M */
    size_t periods[HSGD_MAX_LEVELS];             /* (M) P_1..P_M in steps */
    size_t steps;                                /* T, 1 to HSGD_PEP_MAX_STEPS */
    double step_size;                            /* gamma > 0; no condition on gamma L */
    double smoothness;                           /* L > 0 */
    double delta;                                /* Delta >= 0 */
    double level_divergence_sq[HSGD_MAX_LEVELS]; /* (M) D_1..D_M >= 0; not all of L Delta, D_k zero */
    hsgd_pep_gap gap;
    hsgd_pep_criterion criterion;
} hsgd_pep_problem;

/* A larger program would take hours and gigabytes. */
enum { HSGD_PEP_MAX_STEPS = 256 };

/* Is every number in range? Messages name periods[k], steps, step_size, L, delta, level_divergence_sq[k]. */
hsgd_status hsgd_pep_problem_check(const hsgd_pep_problem *problem, hsgd_error *err);

/* The question for the uniform tree of params, which is canonical already. HSGD_ERROR_INPUT for what the model does not
 * cover: trees that are not uniform, weights, noise_sq > 0, partial participation, unknown constants. The gap is
 * descent, the criterion the mean. */
hsgd_status hsgd_pep_problem_from_params(hsgd_pep_problem *out, const hsgd_bound_params *params, hsgd_error *err);

#define HSGD_PEP_NONE ((size_t)-1)

/* An evaluation point: wbar_v^step for the nodes v of this depth (0: the root; M: the workers). Where several averages
 * are the same vector, they are one point, named by the smallest depth. */
typedef struct hsgd_pep_point {
    size_t step, depth;
} hsgd_pep_point;

typedef struct hsgd_pep_model {
    hsgd_pep_problem problem;
    size_t num_points;     /* K; point 0 is w^0, the last one wbar^T */
    hsgd_pep_point *point; /* (K) by step, then by depth; owned */
    size_t *at; /* (T + 1, M + 1) the point that wbar_v^t, v of depth m, is; at step T only depth 0 is a point,
                            * the others are HSGD_PEP_NONE; owned */
    /* Block k has a row and column for the points where d_k need not be 0. D_k = 0 forces it to be 0 at the averages
     * wbar_u^t of depth k - 1, and makes points equal in consequence. */
    size_t num_coordinates[HSGD_MAX_LEVELS + 1]; /* K_k <= K, by k = 0..M */
    size_t *coordinate[HSGD_MAX_LEVELS + 1];     /* (K_k) the point of each row of block k, rising; owned */
    size_t *slot[HSGD_MAX_LEVELS + 1];           /* (K) the row of a point in block k, or HSGD_PEP_NONE; owned */
} hsgd_pep_model;

/* Points and coordinates of a question that passes the check. Free with hsgd_pep_model_free. */
hsgd_status hsgd_pep_model_build(hsgd_pep_model *out, const hsgd_pep_problem *problem, hsgd_error *err);
void hsgd_pep_model_free(hsgd_pep_model *model);

/* The point of wbar_v^step, v of this depth. */
size_t hsgd_pep_point_at(const hsgd_pep_model *model, size_t step, size_t depth);

/* Position of a point in block k: x = -gamma (sum of the coordinates of points at(tau, M), begin <= tau < end), relative
 * to w^0; points without a row in block k count as 0. The range is empty where the point lies above level k. */
typedef struct hsgd_pep_range {
    size_t begin, end;
} hsgd_pep_range;
hsgd_pep_range hsgd_pep_position(const hsgd_pep_model *model, size_t point, size_t block);

/* Smooth interpolation between points a and b (a != b), mean over the workers:
 *     F_a - F_b >= sum_k <Q_k, H_k>,
 *     <Q_k, H_k> = <d_k(a) + d_k(b), x_k(a) - x_k(b)>/2 + ||d_k(a) - d_k(b)||^2/(4 L) - (L/4) ||x_k(a) - x_k(b)||^2.
 * form (K_k, K_k), row-major, receives the symmetric matrix Q_k. */
void hsgd_pep_interpolation_form(double *form, const hsgd_pep_model *model, size_t a, size_t b, size_t block);

#ifdef __cplusplus
}
#endif

#endif
