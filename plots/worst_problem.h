/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The figure "worst-problem": how the models move on a problem that attains the worst case, and the squared gradients that
 * they meet. As for the other figures, the input is plain data, the figure is DIR/worst-problem.dat and .gp with its caption
 * DIR/worst-problem.caption.tex, and hsgd_figure_render draws it. */
#ifndef HSGD_PLOTS_WORST_PROBLEM_H
#define HSGD_PLOTS_WORST_PROBLEM_H

#include <stdbool.h>
#include <stddef.h>

#include "analysis/error.h"
#include "plots/figure.h"

#ifdef __cplusplus
extern "C" {
#endif

/* More workers than this are not drawn: their paths lie on each other. */
enum { HSGD_WORST_PROBLEM_FIGURE_WORKERS = 32 };

/* Borrowed pointers. */
typedef struct hsgd_worst_problem_figure_input {
    size_t num_workers;         /* n */
    size_t num_groups;          /* children of the root, all with equally many workers; 1 for a single worker */
    size_t num_levels;          /* M */
    const size_t *periods;      /* (M) P_1..P_M */
    size_t steps;               /* T */
    double step_size;           /* gamma */
    double smoothness;          /* L */
    bool minimum;               /* the criterion is the minimum over the steps, not the mean */
    bool lower_bound;           /* the gap is the one below which f cannot fall, not the descent */
    double value;               /* of the criterion */
    const double *model;        /* (T + 1, n, 2) of every worker, along the leading directions; NAN: not known */
    const double *mean;         /* (T + 1, 2) wbar^t */
    const double *grad_norm_sq; /* (T + 1) ||grad f(wbar^t)||^2 */
} hsgd_worst_problem_figure_input;

/* The name of the figure: "worst-problem". */
extern const char hsgd_worst_problem_figure_name[];

hsgd_status hsgd_worst_problem_figure_write(const hsgd_worst_problem_figure_input *input, const char *dir,
                                            const hsgd_figure_style *style, hsgd_error *err);

#ifdef __cplusplus
}
#endif

#endif
