/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A worst problem in coordinates: gradients, models and function values of n workers that attain the worst case
 * (THEORY 11.5), from the blocks of the Gram matrix, and a check of them that knows only the algorithm of THEORY 1.
 *
 * With H_k = U_k U_k', worker j's gradient at point a is sum_k phi_k(j) U_k[a], in coordinates of its own for each k:
 * phi_0 = 1, and phi_k(j) is a unit vector that depends on which child of its parent the node of depth k above j is, such
 * that all children of a node add up to 0: +1 and -1 in turns for an even fanout, the corners of a regular polygon for an
 * odd one. So every worker has the Gram matrix H_0 + ... + H_M, and every node the same divergence. */
#ifndef HSGD_BOUNDS_WORST_PROBLEM_H
#define HSGD_BOUNDS_WORST_PROBLEM_H

#include "bounds/pep.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Largest error of the checks below, relative to what is bounded. */
#define HSGD_WORST_PROBLEM_TOLERANCE 1e-6

/* Numbers of all points, workers and coordinates; more are refused. */
enum { HSGD_WORST_PROBLEM_MAX_NUMBERS = 5000000 };

typedef struct hsgd_worst_problem {
    hsgd_pep_problem problem;
    size_t fanout[HSGD_MAX_LEVELS]; /* (M) N_1..N_M, each at least 2 */
    size_t num_workers;             /* n = N_1 ... N_M; 1 for M = 0 */
    size_t dim;
    size_t rank[HSGD_MAX_LEVELS + 1]; /* (M + 1) of the blocks, small eigenvalues dropped */
    size_t num_points;
    hsgd_pep_point *point; /* (num_points) by step, then by depth; owned */
    /* Coordinates: the first two are the leading directions of all models. w^0 is the origin. */
    double *position;       /* (num_points, n, dim) wbar_v^t, v above the worker; owned */
    double *gradient;       /* (num_points, n, dim) grad F_j there; owned */
    double *function_value; /* (num_points) F_j there, the same for all workers; F_j(w^0) = 0; owned */
    /* ---- the check, from the vectors alone ---- */
    double criterion;               /* what is maximised, from grad f(wbar^t) */
    double criterion_error;         /* relative to the value that the blocks attain */
    double interpolation_violation; /* of the worst pair and worker; unit: largest of Delta and D_k/L */
    double divergence_violation;    /* excess over D_k at the worst node; unit: largest of L Delta and D_k */
    double gap_violation;           /* excess over Delta; unit: largest of Delta and D_k/L */
    double model_error;             /* largest distance of models that must be equal, relative to the largest model */
    bool holds;                     /* all five within HSGD_WORST_PROBLEM_TOLERANCE */
} hsgd_worst_problem;

/* Build and check. fanout (M). HSGD_ERROR_INPUT for a fanout below 2 or too many workers; HSGD_ERROR_NUMERIC when there is
 * no finite worst case. Whether the check holds is in the result. Free with hsgd_worst_problem_free. */
hsgd_status hsgd_worst_problem_build(hsgd_worst_problem *out, const hsgd_pep_result *result, const size_t *fanout,
                                     hsgd_error *err);
void hsgd_worst_problem_free(hsgd_worst_problem *problem);

#ifdef __cplusplus
}
#endif

#endif
