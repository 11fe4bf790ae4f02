/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Everything here is about squares, and a square below DBL_MIN has lost digits, or all of them: 0 in its place satisfies any
 * inequality. Where squares are that small, a problem is refused. (Squares that are too large make a run diverge.) */
#ifndef HSGD_EXPERIMENTS_RANGE_CHECK_H
#define HSGD_EXPERIMENTS_RANGE_CHECK_H

#include "experiments/problem.h"

#ifdef __cplusplus
extern "C" {
#endif

/* gradients_sq: mean of ||grad F_j(w^0)||^2 over the workers, as a run measured it. A problem without any gradient there, and
 * without noise, passes: it never moves. */
hsgd_status hsgd_range_check(const hsgd_problem *problem, const hsgd_constants *constants, size_t batch_size,
                             double step_size, double gradients_sq, hsgd_error *err);

/* The same where no run was made: takes the gradients of all workers. */
hsgd_status hsgd_range_check_start(const hsgd_problem *problem, const hsgd_constants *constants, size_t batch_size,
                                   double step_size, hsgd_error *err);

#ifdef __cplusplus
}
#endif

#endif
