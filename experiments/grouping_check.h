/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Random grouping (THEORY 5): the lemma at fixed points, and how far the trajectory departs from it. */
#ifndef HSGD_EXPERIMENTS_GROUPING_CHECK_H
#define HSGD_EXPERIMENTS_GROUPING_CHECK_H

#include <stdbool.h>
#include <stddef.h>

#include "analysis/grouping_moments.h"
#include "bounds/bound.h"
#include "bounds/verdict.h"
#include "experiments/interval.h"

#ifdef __cplusplus
extern "C" {
#endif

/* E_g Up_k and E_g Down_k at one fixed w, over all groupings or over random ones. */
typedef struct hsgd_grouping_point {
    const char *point;             /* "w^0" or "wbar^T" (of the first run) */
    hsgd_grouping_moments moments; /* owned */
    double *half_width;            /* (num_levels) how far E_g Up_k and E_g Down_k may be from the closed form, owned */
    hsgd_verdict *upward;          /* (num_levels) against the closed form, owned */
    hsgd_verdict *downward;        /* (num_levels) owned */
} hsgd_grouping_point;

/* Along the runs of different groupings: E_g[Up_k(wbar^t)] / ((m_k - 1)/(n - 1) E_g[E(wbar^t)]), 1 where the gradients'
 * differences do not depend on w. An observation, not a check. */
typedef struct hsgd_grouping_ratio {
    hsgd_interval mean; /* of the means over the measured steps; intervals by linearisation */
    double largest;     /* the step whose ratio is farthest from 1 */
    size_t largest_step;
    hsgd_estimate *at; /* (num_rows) at each measured step, owned */
} hsgd_grouping_ratio;

enum { HSGD_GROUPING_POINTS = 2 };

typedef struct hsgd_grouping_check {
    hsgd_grouping_point point[HSGD_GROUPING_POINTS];
    size_t num_points; /* 0: not made */
    size_t num_levels;
    char reason[HSGD_REASON_SIZE]; /* why there is no point; "" where there is */
    hsgd_grouping_ratio *ratio;    /* (num_levels - 1) levels 1 .. M - 1; NULL: the places are fixed. Owned */
    double variance_between; /* of S: variance of the groupings' means beyond what noise explains; NAN: not known */
    double variance_within;  /* of S: variance between runs of one grouping; NAN: not known */
} hsgd_grouping_check;

void hsgd_grouping_check_free(hsgd_grouping_check *check);

#ifdef __cplusplus
}
#endif

#endif
