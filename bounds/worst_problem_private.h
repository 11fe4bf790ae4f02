/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef HSGD_BOUNDS_WORST_PROBLEM_PRIVATE_H
#define HSGD_BOUNDS_WORST_PROBLEM_PRIVATE_H

#include "bounds/worst_problem.h"

/* Workers below one node of this depth. */
size_t hsgd_worst_problem_below(const hsgd_worst_problem *problem, size_t depth);

/* Vectors of one worker at one point. */
double *hsgd_worst_problem_at(const hsgd_worst_problem *problem, double *vectors, size_t point, size_t worker);

/* Replace vectors (n, dim) by the means over the nodes of this depth. */
void hsgd_worst_problem_average(double *vectors, const hsgd_worst_problem *problem, size_t depth);

/* Run the algorithm of THEORY 1 on the gradients: sets position and model_error. models, mean: (n, dim) each. */
void hsgd_worst_problem_run(hsgd_worst_problem *problem, double *models, double *mean);

/* Turn all vectors so that the models lie along the first coordinates. */
hsgd_status hsgd_worst_problem_rotate(hsgd_worst_problem *problem, hsgd_error *err);

/* Everything that a worst problem must satisfy, from the vectors alone. attained: the criterion of the blocks. work:
 * (2, n, dim). */
void hsgd_worst_problem_check(hsgd_worst_problem *problem, double attained, double *work);

#endif
