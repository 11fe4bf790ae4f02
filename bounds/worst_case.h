/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The exact worst case of noiseless H-SGD (bounds/pep.h, THEORY 11) as a bound among the others, so that tables, verdicts and
 * figures have it next to them:   measured <= worst case <= recursive 4.4 <= sharpened 4.2 <= published 4.1.
 *
 * It is not in the registry, because it costs a semidefinite program: a configuration asks for it ("worst_case": true).
 * Its terms are those of the certificate, S <= a Delta + sum_k c_k D_k: "initial gap" and "divergence, level k".
 *
 * Not applicable: trees that are not uniform, weights, unknown constants, L = 0, gamma L >= 2 where there is no finite
 * worst case, and programs of more than HSGD_WORST_CASE_MAX_POINTS points. With noise the value is that of exact
 * gradients plus the noise terms of 4.2, and not applicable either: no theorem adds them, because noise moves the points
 * at which the gradients are related to each other. */
#ifndef HSGD_BOUNDS_WORST_CASE_H
#define HSGD_BOUNDS_WORST_CASE_H

#include "bounds/bound.h"
#include "bounds/pep.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The id is "worst-case". Evaluating it allocates and takes the time of hsgd_worst_case_seconds. */
extern const hsgd_bound hsgd_bound_worst_case;

/* Beyond, programs take more than minutes: with periods 4 and 2 this is T = 64. */
enum { HSGD_WORST_CASE_MAX_POINTS = 150 };

/* The question of performance estimation for these parameters, as if sigma^2 were 0: descent gap, mean criterion. False with
 * a reason (HSGD_REASON_SIZE bytes) where there is none. */
bool hsgd_worst_case_problem(hsgd_pep_problem *out, char *reason, const hsgd_bound_params *params);

/* Points of the program for so many steps over this canonical, uniform tree. */
size_t hsgd_worst_case_points(const hsgd_hierarchy *tree, size_t steps);

/* About how long a program with so many steps takes, over this canonical tree: 0 where it has too many points. A rule of thumb from measured times (worst_case.c), good to a factor of some three. */
double hsgd_worst_case_seconds(const hsgd_hierarchy *tree, size_t steps);

#ifdef __cplusplus
}
#endif

#endif
