/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What formulas call the parameters of a bound.
 *
 * All of it is about the canonical tree (THEORY 1), as all bounds are: merged levels and nodes with one child are gone.
 *
 *     n            workers                                  T             steps
 *     N            children of the root, N_1                gamma         step size
 *     G, I         period of the root, smallest period      delta         f(w^0) - f*
 *     M            levels                                   L, sigma_sq   smoothness, variance of the gradients
 *     C            40 L^2/3                                 eps_sq        global divergence
 *     p_sq         sum_j p_j^2; 1/n for equal weights       eps_max_sq    largest ||grad F_j - grad f||^2
 *     participants workers that take part in a round
 *
 * and for the levels k = 1..M, where a node of depth k - 1 averages its children:
 *
 *     Pk, Nk, nk   period, number of children, N_1 ... N_k: where they are the same at all nodes of this level
 *     Dk           divergence of the level: sum of p_u beta_u^2 over its nodes, of any tree
 *     Kk           share of noise of the level: sum of p_u kappa_u; (N_k - 1) N_1...N_(k-1)/n in a uniform tree
 *     PKk, PPDk    sum of P_u p_u kappa_u and of P_u^2 p_u beta_u^2, for nodes with different periods
 *     Dmaxk        largest ||grad f_v - grad f_u||^2 of a child v of a node u of the level
 *
 * Formulas may speak of the levels of the tree as given. Where the canonical tree has fewer, the sums Dk, Kk, PKk and PPDk
 * over the nodes of a level that is gone are 0, and its Pk, Nk, nk and Dmaxk are not known. */
#ifndef HSGD_BOUNDS_VARIABLES_H
#define HSGD_BOUNDS_VARIABLES_H

#include "bounds/bound.h"
#include "bounds/expression.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { HSGD_NUM_SCALARS = 15, HSGD_NUM_LEVEL_FAMILIES = 8 };
enum { HSGD_NUM_VARIABLES = HSGD_NUM_SCALARS + HSGD_NUM_LEVEL_FAMILIES * HSGD_MAX_LEVELS };

/* All variables for checking a formula about a tree with so many levels: without names for levels that it does not have. known
 * receives the names for messages, "n, N, ... and for the levels k = 1 to 2: Pk, ...". */
void hsgd_variables_name(hsgd_variable variable[HSGD_NUM_VARIABLES], size_t num_levels, char *known, size_t size);

/* All variables with their values; NAN: not known. */
void hsgd_variables_set(hsgd_variable variable[HSGD_NUM_VARIABLES], const hsgd_bound_params *params);

/* Why variable i is not known; a phrase. */
void hsgd_variables_explain(char *out, size_t size, const hsgd_bound_params *params, size_t i);

/* Does this variable hold the largest single deviations (hsgd_bound.needs_maxima)? */
bool hsgd_variable_is_maximum(size_t i);

/* Is it the number of participants? */
bool hsgd_variable_is_participants(size_t i);

/* Is it the step size? */
bool hsgd_variable_is_step_size(size_t i);

#ifdef __cplusplus
}
#endif

#endif
