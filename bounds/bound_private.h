/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the bounds share with each other: the tree that a bound looks at, and how a result is put together.
 *
 * An evaluation starts a result, asks the refusals that concern it (each returns true when it has refused), adds its
 * terms and finishes:   hsgd_value_start, hsgd_refuse_*, hsgd_value_add, hsgd_value_finish. */
#ifndef HSGD_BOUNDS_BOUND_PRIVATE_H
#define HSGD_BOUNDS_BOUND_PRIVATE_H

#include "bounds/bound.h"

/* The tree and the divergences as one bound sees them: the canonical tree for H-SGD, and one entry over all workers
 * for local SGD. Points into itself and into the parameters, so it must be neither copied nor outlive them. */
typedef struct hsgd_view {
    const hsgd_node *node; /* (num_nodes), in pre-order */
    size_t num_nodes;      /* 0 for a single worker */
    size_t num_levels;
    size_t period;               /* of the root; 1 without entries */
    const char *period_name;     /* "G" or "I", for messages */
    const double *divergence_sq; /* (num_nodes); NULL: random grouping, or not known */
    double random_scale;         /* random grouping: beta_u^2 = random_scale * noise_share; NAN otherwise */
    const char *missing;         /* field of PARAMS.json that is needed and not known; NULL: none */
    hsgd_node local;             /* the one entry of local SGD */
} hsgd_view;

void hsgd_view_init(hsgd_view *view, const hsgd_bound_params *params, hsgd_algorithm algorithm);

/* beta_u^2 of entry u. */
double hsgd_view_divergence_sq(const hsgd_view *view, size_t u);

/* What hsgd_bound_params.workspace needs for a tree of so many entries. */
size_t hsgd_recursion_bytes(size_t num_nodes);

/* True when all values are there and none is NAN. values may be NULL. */
bool hsgd_all_known(const double *values, size_t count);

/* Sums over the entries of each depth; column k - 1 is level k. */
typedef struct hsgd_level_sums {
    double noise[HSGD_MAX_LEVELS];
    double divergence[HSGD_MAX_LEVELS];
} hsgd_level_sums;

/* 1/L, the limit of everything that starts from the descent inequality; INFINITY for L = 0. */
double hsgd_inverse_smoothness(double smoothness);

/* ---- results ---- */

void hsgd_value_start(hsgd_bound_value *out, double max_step_size);
void hsgd_value_add(hsgd_bound_value *out, double value, const char *format, ...) HSGD_PRINTF(3, 4);

/* "initial gap" 2 Delta/(gamma T) and "gradient noise" gamma L sigma^2 sum_j p_j^2 (THEORY 4). */
void hsgd_value_add_base(hsgd_bound_value *out, const hsgd_bound_params *params);

/* "noise drift, level k" and "divergence, level k" for k = 1..num_levels. */
void hsgd_value_add_levels(hsgd_bound_value *out, const hsgd_level_sums *sums, size_t num_levels);

/* Sum the terms; an infinite sum is refused. */
void hsgd_value_finish(hsgd_bound_value *out);

/* Not applicable, no value. Returns true. */
bool hsgd_refuse(hsgd_bound_value *out, const char *format, ...) HSGD_PRINTF(2, 3);

/* Not applicable, but terms and value stay (or follow): for comparison only. */
void hsgd_value_doubt(hsgd_bound_value *out, const char *format, ...) HSGD_PRINTF(2, 3);

/* ---- conditions; true when refused ---- */

bool hsgd_refuse_weights(hsgd_bound_value *out, const hsgd_bound_params *params);
bool hsgd_refuse_missing(hsgd_bound_value *out, const char *field); /* refuses unless field is NULL */
bool hsgd_refuse_delta(hsgd_bound_value *out, const hsgd_bound_params *params);
bool hsgd_refuse_above_inverse_smoothness(hsgd_bound_value *out, const hsgd_bound_params *params);
bool hsgd_refuse_unless_two_levels(hsgd_bound_value *out, const hsgd_bound_params *params);
bool hsgd_refuse_unless_one_group_period(hsgd_bound_value *out, const hsgd_bound_params *params); /* two levels */

/* Rounds R = floor(T/G); bounds on whole rounds need one. */
size_t hsgd_num_rounds(const hsgd_bound_params *params);
bool hsgd_refuse_without_round(hsgd_bound_value *out, const hsgd_bound_params *params);

#endif
