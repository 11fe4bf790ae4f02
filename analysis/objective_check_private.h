/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the files behind objective_check.h share. */
#ifndef HSGD_ANALYSIS_OBJECTIVE_CHECK_PRIVATE_H
#define HSGD_ANALYSIS_OBJECTIVE_CHECK_PRIVATE_H

#include "analysis/objective_check.h"

/* One worker at one point, and the memory that all share. */
typedef struct hsgd_checker {
    const hsgd_check_request *request;
    size_t dim, worker, point_number;
    double rounding;   /* relative, of a loss */
    double loss;       /* F_worker at the point */
    double *point;     /* (dim) */
    double *gradient;  /* (dim) of F_worker at the point */
    double *direction; /* (dim) */
    double *mean;      /* (dim) */
    double *shifted;   /* (dim) */
    double *together;  /* (HSGD_CHECK_WORKERS, dim) */
    double *spare;     /* (dim + HSGD_CHECK_GUARD) a gradient, and numbers behind it that must stay */
    double *scratch;
} hsgd_checker;

enum { HSGD_CHECK_GUARD = 4 };

/* objective_check.c: "the starting point" or "a random point near the start". */
const char *hsgd_checker_place(const hsgd_checker *c);

/* gradient_check.c: the gradient against differences of the loss, in all directions. */
hsgd_status hsgd_check_gradient(hsgd_checker *c, hsgd_error *err);

/* noise_check.c: the mean of stochastic gradients against the gradient. */
hsgd_status hsgd_check_noise(hsgd_checker *c, hsgd_error *err);

/* One slope, measured and claimed, with two sources of error. For tests, too. */
typedef struct hsgd_slope {
    double residual; /* difference quotient - claimed slope, extrapolated to step 0 */
    double size;     /* the larger of both */
    double noise;    /* what rounding may have done to the residual */
    double kink;     /* |F(up) - 2 F + F(down)|/(2 h): small beside a slope where F is smooth and h small */
} hsgd_slope;

typedef enum hsgd_slope_verdict { HSGD_SLOPE_RIGHT, HSGD_SLOPE_WRONG, HSGD_SLOPE_UNKNOWN } hsgd_slope_verdict;

/* slope (count): for steps that halve from one to the next. tolerance: relative. *best: a step that shows it. */
hsgd_slope_verdict hsgd_slope_judge(const hsgd_slope *slope, size_t count, double tolerance, size_t *best);

#endif
