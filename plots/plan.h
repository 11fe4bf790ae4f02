/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Figure "plan": the smallest bound that a time budget allows, for H-SGD, local SGD and synchronous SGD, and the Pareto
 * front of bound and bytes at one budget. As for other figures, the input is plain data, the figure is DIR/plan.dat and
 * DIR/plan.gp, and hsgd_figure_render draws it. */
#ifndef HSGD_PLOTS_PLAN_H
#define HSGD_PLOTS_PLAN_H

#include <stddef.h>

#include "analysis/error.h"
#include "plots/caption.h"
#include "plots/figure.h"

#ifdef __cplusplus
extern "C" {
#endif

/* H-SGD (all plans), local SGD, synchronous SGD. */
enum { HSGD_NUM_PLAN_CURVES = 3 };

/* Borrowed pointers. */
typedef struct hsgd_plan_figure_input {
    const char *name;                          /* any text */
    const char *bound;                         /* id of the bound: any text */
    size_t num_workers, num_plans;             /* the latter: of which the best is shown; 0: not known */
    size_t num_budgets;                        /* points of the curves */
    const double *budget_s;                    /* (num_budgets) ascending */
    const double *value[HSGD_NUM_PLAN_CURVES]; /* (num_budgets) smallest bound; NAN: no plan is feasible */
    size_t num_best;
    const double *best_s;                           /* (num_best) the budgets that were asked for */
    const double *best_value[HSGD_NUM_PLAN_CURVES]; /* (num_best) and the smallest bounds there */
    double front_budget_s;                          /* of the front: seconds */
    size_t num_front;
    const double *front_bytes, *front_value;  /* (num_front) by descending bytes */
    double bytes[HSGD_NUM_PLAN_CURVES];       /* of the best plans of each kind at that budget; NAN: there is none */
    double bytes_value[HSGD_NUM_PLAN_CURVES]; /* and their bounds */
} hsgd_plan_figure_input;

#define HSGD_PLAN_FIGURE "plan"

/* Write DIR/plan.dat, DIR/plan.gp and DIR/plan.caption.tex. */
hsgd_status hsgd_plan_figure_write(const hsgd_plan_figure_input *input, const char *dir, const hsgd_figure_style *style,
                                   hsgd_error *err);

/* One or two sentences about the figure; free it. NULL when memory is out. */
char *hsgd_plan_figure_caption(const hsgd_plan_figure_input *input, hsgd_caption_syntax syntax);

#ifdef __cplusplus
}
#endif

#endif
