/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Seconds and bytes of a schedule in closed form: the model of communication.h where every step of every worker takes the
 * same time and nodes of one depth are alike, so that all clocks always agree (THEORY 13).
 *
 * After T steps the nodes of depth k - 1 have acted A_k(T) = floor(T/P_k) - floor(T/P_{k-1}) times (P_0 infinite), for a
 * node whose parent is due, too, does not act. With the cost C_k of one such average
 *     seconds(T) = T compute_s + sum_k A_k(T) C_k.
 * HSGD_ROUTE_TREE:   C_k = sum_{m >= k} 2 hop(m),  and 2 n_m b bytes at every level m >= k, n_m links of level m.
 * HSGD_ROUTE_DIRECT: C_k = 2 hop(k) with |u| messages over a shared link, and 2 n b bytes at level k. */
#ifndef HSGD_ANALYSIS_COMMUNICATION_UNIFORM_H
#define HSGD_ANALYSIS_COMMUNICATION_UNIFORM_H

#include "analysis/communication.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What is needed of one schedule; levels count from 0, the root's first. */
typedef struct hsgd_schedule_costs {
    size_t num_levels;
    hsgd_route route;
    size_t period[HSGD_MAX_LEVELS]; /* P_k in steps */
    double act_s[HSGD_MAX_LEVELS];  /* C_k */
    double act_bytes
        [HSGD_MAX_LEVELS]; /* sent at this level by one average that reaches it, all nodes of a depth together */
    double compute_s;      /* of a step */
} hsgd_schedule_costs;

/* h: a uniform tree as hsgd_hierarchy_uniform makes it (one entry per level), dim parameters of a model. Fails where the
 * tree is another one, where there are stragglers, and where numbers are out of range. */
hsgd_status hsgd_schedule_costs_init(hsgd_schedule_costs *out, const hsgd_communication *communication,
                                     const hsgd_hierarchy *h, size_t dim, hsgd_error *err);

/* The time of step T = steps, as hsgd_communication_run has it up to rounding. Never falls with steps. */
double hsgd_schedule_seconds(const hsgd_schedule_costs *costs, size_t steps);

/* bytes (num_levels): sent per level until then. */
void hsgd_schedule_bytes(double *bytes, const hsgd_schedule_costs *costs, size_t steps);

/* The most steps, up to `most`, whose seconds are within the budget >= 0. */
size_t hsgd_schedule_steps_within(const hsgd_schedule_costs *costs, double budget_s, size_t most);

#ifdef __cplusplus
}
#endif

#endif
