/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The proof ladder of a run (THEORY 4.5): its rungs with intervals, and a verdict on every step between them. */
#ifndef HSGD_EXPERIMENTS_LADDER_H
#define HSGD_EXPERIMENTS_LADDER_H

#include <stdbool.h>

#include "analysis/constants.h"
#include "bounds/bound.h"
#include "bounds/ladder.h"
#include "bounds/verdict.h"
#include "experiments/interval.h"

#ifdef __cplusplus
extern "C" {
#endif

/* One rung, and the step to it from the rung before. */
typedef struct hsgd_rung_result {
    hsgd_interval value; /* R_k; constants have low = mean = high, NAN where it could not be evaluated */
    hsgd_interval step;  /* what the step adds, at least 0 in expectation; see hsgd_ladder_measured. NAN for R0 */
    double
        lowest_step; /* the smallest of any run: what decides on the steps that hold path by path; NAN for the others */
    double share;    /* of the sum of all steps that are known; NAN for R0 and unknown steps */
    hsgd_constant_kind kind;       /* the weakest constant that R_k rests on; exact for R0, which needs none */
    bool applies;                  /* the conditions of the step hold */
    hsgd_verdict verdict;          /* is the rung at least the one before? R0: not applicable */
    char reason[HSGD_REASON_SIZE]; /* why the verdict is not "holds"; "" otherwise */
} hsgd_rung_result;

typedef struct hsgd_ladder {
    hsgd_rung_result rung[HSGD_NUM_RUNGS];
    /* sqrt(E||grad f(wbar) - Gbar||^2 / E V): what L could be in the step to R3; NAN: no drift */
    double drift_smoothness;
} hsgd_ladder;

#ifdef __cplusplus
}
#endif

#endif
