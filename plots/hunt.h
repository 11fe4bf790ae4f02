/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The figure "hunt": how close the search for a counterexample came to the bound, and what other bounds are worth on the
 * worst problem. As for the other figures, the input is plain data, the figure is DIR/hunt.dat and DIR/hunt.gp with its
 * caption DIR/hunt.caption.tex, and hsgd_figure_render draws it. */
#ifndef HSGD_PLOTS_HUNT_H
#define HSGD_PLOTS_HUNT_H

#include <stdbool.h>
#include <stddef.h>

#include "analysis/error.h"
#include "plots/figure.h"

#ifdef __cplusplus
extern "C" {
#endif

/* One start of a searcher. Borrowed pointers. */
typedef struct hsgd_hunt_figure_start {
    size_t num_points;
    const double *evaluation; /* (num_points) its own, from 1 */
    const double *best_ratio; /* (num_points) so far */
    double first_evaluation;  /* evaluations of all starts before it */
} hsgd_hunt_figure_start;

/* A bound on the worst problem. Borrowed pointers. */
typedef struct hsgd_hunt_figure_bound {
    const char *title; /* any text */
    double ratio;      /* measured / bound; NAN: the bound does not apply, and is left out */
} hsgd_hunt_figure_bound;

/* Borrowed pointers. */
typedef struct hsgd_hunt_figure_input {
    const char *name;  /* of the experiment: any text */
    const char *title; /* of the bound that was hunted: any text */
    bool weakened;     /* a weakened form of it was hunted, as a test of the hunter */
    size_t num_workers, num_levels, steps, dimension, num_parameters;
    const hsgd_hunt_figure_start *start; /* (num_starts) in the order of their evaluations */
    size_t num_starts;
    const hsgd_hunt_figure_bound *bound; /* (num_bounds) */
    size_t num_bounds;
} hsgd_hunt_figure_input;

/* The name of the figure: "hunt". */
extern const char hsgd_hunt_figure_name[];

/* Fails with HSGD_ERROR_INPUT where there is not a single start with a ratio. */
hsgd_status hsgd_hunt_figure_write(const hsgd_hunt_figure_input *input, const char *dir, const hsgd_figure_style *style,
                                   hsgd_error *err);

#ifdef __cplusplus
}
#endif

#endif
