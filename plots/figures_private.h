/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The records behind the table in figure.c, one file each, and what several of them need. */
#ifndef HSGD_PLOTS_FIGURES_PRIVATE_H
#define HSGD_PLOTS_FIGURES_PRIVATE_H

#include "plots/figure.h"

extern const hsgd_figure hsgd_figure_convergence, hsgd_figure_divergence, hsgd_figure_dispersion, hsgd_figure_sandwich,
    hsgd_figure_terms, hsgd_figure_ladder, hsgd_figure_accuracy, hsgd_figure_loss_time, hsgd_figure_accuracy_time,
    hsgd_figure_gradient_bytes, hsgd_figure_S_time, hsgd_figure_S_bytes, hsgd_figure_accuracy_bytes;

/* Write reason (size bytes) and return false: the last line of a `possible` function. */
bool hsgd_figure_lacks(char *reason, size_t size, const char *what);

/* The failure of a `write` whose figure is not possible, or HSGD_OK. */
hsgd_status hsgd_figure_require(const hsgd_figure *figure, const hsgd_figure_input *input, hsgd_error *err);

/* True where at least one of data[i * stride], i < count, is finite. NULL has none. */
bool hsgd_any_finite(const double *data, size_t count, size_t stride);

/* Evaluated, finite, and its conditions hold. */
bool hsgd_figure_bound_drawn(const hsgd_figure_bound *bound);

/* Is it one of the horizontal lines of the figure "convergence": about the run itself, and a bound on some S? */
bool hsgd_figure_bound_in_convergence(const hsgd_figure_bound *bound);

/* Does the figure "sandwich" show bounds? */
bool hsgd_figure_sandwich_bounds(const hsgd_figure_input *input);

#endif
