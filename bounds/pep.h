/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The exact worst case of noiseless H-SGD, by performance estimation (THEORY 11; Drori and Teboulle 2014, Taylor,
 * Hendrickx and Glineur 2017).
 *
 *     largest S = (1/T) sum_{t<T} ||grad f(wbar^t)||^2  over all problems that satisfy A1, D_k at the averages wbar_u^t,
 *     and the initial gap                              = the optimum of a semidefinite program in the blocks of pep_model.h
 *
 * The optimum is exact for problems whose divergences are bounded at the averaged iterates, t < T. "Bounded for all w"
 * is a smaller class, so for the theorems' own assumption it is an upper bound.
 *
 * A number is only returned with both proofs recomputed here from the model, not taken from the solver: multipliers
 * (>= 0, slack matrices positive definite) that no problem exceeds `upper`, and a Gram matrix with function values
 * (all interpolation inequalities hold) that attains `lower`. They agree to HSGD_PEP_TOLERANCE.
 *
 * Units: L = 1 and max(L Delta, D_k) = 1 inside; everything below is in the units of the problem. */
#ifndef HSGD_BOUNDS_PEP_H
#define HSGD_BOUNDS_PEP_H

#include <stdbool.h>
#include <stdio.h>

#include "bounds/pep_model.h"

#ifdef __cplusplus
extern "C" {
#endif

/* (upper - lower)/upper is at most this; mostly it is 1e-6 and less. */
#define HSGD_PEP_TOLERANCE 1e-4

/* The constraint that a multiplier belongs to. All multipliers are >= 0. */
typedef enum hsgd_pep_kind {
    HSGD_PEP_INTERPOLATION, /* sum_k <Q_k, H_k> - F_a + F_b <= 0, a = first, b = second (hsgd_pep_interpolation_form) */
    HSGD_PEP_DIVERGENCE,    /* H_k(a,a) <= D_k, k = level, a = first = the point of wbar_u^step, u of depth k - 1 */
    HSGD_PEP_INITIAL_GAP,   /* descent: F_0 - F_a <= Delta, a = first = wbar^T;
                             * lower bound: F_0 - F_a + H_0(a,a)/(2L) <= Delta, a = first = wbar^step, any step <= T */
    HSGD_PEP_CRITERION /* the weight of H_0(a,a), a = first = wbar^step, in the objective: 1/T for the mean; for the
                             * minimum any weights with sum 1 */
} hsgd_pep_kind;

typedef struct hsgd_pep_multiplier {
    hsgd_pep_kind kind;
    size_t first, second; /* points of the model; second: HSGD_PEP_NONE unless interpolation */
    size_t level;         /* k = 1..M for a divergence, else 0 */
    size_t step;          /* for a divergence, gap and criterion; else 0 */
    double value;
} hsgd_pep_multiplier;

/* The answer. With the multipliers lambda, for all Delta and D_k at this gamma, L, tree and T (but D_k that are 0 in the
 * question are 0 by assumption: their coordinates are left out):
 *     S = sum_a nu_a H_0(a,a) <= a Delta + sum_k c_k D_k - sum_k <slack_k, H_k>,
 *     slack_k = sum_i lambda_i A_i,k - [k = 0] diag(nu)  positive definite,
 *     and for every point a but w^0:  lambda going in (second = a)  =  lambda going out (first = a) + its gap multipliers. */
typedef struct hsgd_pep_result {
    bool unbounded; /* no finite worst case: S can be any number (shown for the descent gap at gamma L >= 2). Then lower
                     * and upper are INFINITY and nothing else is set */
    double value;   /* = upper: what to print */
    double lower;   /* attained by the Gram matrix below */
    double upper;   /* proved by the multipliers below: a Delta + sum_k c_k D_k */
    double delta_coefficient;                       /* a, the sum of the gap multipliers */
    double divergence_coefficient[HSGD_MAX_LEVELS]; /* (M) c_1..c_M, sums of divergence multipliers */
    hsgd_pep_model model;                           /* owned */
    hsgd_pep_multiplier *multiplier;                /* (num_multipliers) those that are not 0; owned */
    size_t num_multipliers;
    double *gram[HSGD_MAX_LEVELS + 1];  /* H_k (K_k, K_k), row-major, k = 0..M; owned; NULL where K_k = 0 */
    double *function_value;             /* (K) F_a, F_0 = 0; owned */
    double *slack[HSGD_MAX_LEVELS + 1]; /* slack_k (K_k, K_k), as recomputed from the multipliers; owned */
    size_t num_constraints;             /* constraints in the last program */
    size_t num_pairs;                   /* interpolation inequalities, which all hold at the answer: K (K - 1) */
    size_t rounds;                      /* programs solved until no inequality was violated */
    double wall_time_s;
} hsgd_pep_result;

/* Solve. HSGD_ERROR_INPUT: a number is not legal; HSGD_ERROR_NUMERIC: no certified answer was found, the message says
 * what failed. Calls in several threads are safe, but run one after another: the solver behind it keeps static data.
 * Free with hsgd_pep_result_free. */
hsgd_status hsgd_pep_solve(hsgd_pep_result *out, const hsgd_pep_problem *problem, hsgd_error *err);
void hsgd_pep_result_free(hsgd_pep_result *result);

/* Write the whole program, all pairs, in SDPA sparse format: minimise the bound over the multipliers, in the scaled units.
 * Its optimum times *scale is the worst case; scale may be NULL. */
hsgd_status hsgd_pep_write_sdpa(FILE *stream, double *scale, const hsgd_pep_problem *problem, hsgd_error *err);

#ifdef __cplusplus
}
#endif

#endif
