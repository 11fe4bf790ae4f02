/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The figure of hsgd rate: measured values over what was swept, both axes logarithmic, with the fitted power law, a guide
 * with the theory's exponent, and the bounds. As for the other figures the input is plain data, DIR/rate.dat and
 * DIR/rate.gp are written with the caption DIR/rate.caption.tex, and hsgd_figure_render draws it. */
#ifndef HSGD_PLOTS_RATE_H
#define HSGD_PLOTS_RATE_H

#include <stdbool.h>
#include <stddef.h>

#include "analysis/error.h"
#include "plots/caption.h"
#include "plots/figure.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Borrowed pointers. */
typedef struct hsgd_rate_figure_bound {
    const char *name;    /* its id: any text */
    const double *value; /* (num_points) NAN where it does not apply */
    double exponent;     /* of the line through them; NAN: none */
} hsgd_rate_figure_bound;

/* Borrowed pointers. */
typedef struct hsgd_rate_figure_input {
    const char *name;                                   /* the experiment's: any text */
    const char *symbol;                                 /* what was swept: "T", "n", "G", "I" or "gamma" */
    const char *quantity;                               /* "S", "S_round", "S_min", "loss_gap" or "dispersion" */
    size_t workers, steps, global_period, local_period; /* 0: swept */
    bool exact;                                         /* nothing was sampled */
    size_t seeds;                                       /* values behind a mean */
    double confidence;                                  /* of bars and of the exponent */
    bool constants_proved;                              /* false: the bounds rest on constants that prove nothing */
    size_t num_points;
    const double *at, *value, *low, *high; /* (num_points) value NAN: not known; low, high NAN: no bar */
    const bool *fitted;                    /* (num_points) */
    bool has_fit;
    double exponent, half_width, log_constant; /* value = exp(log_constant) at^exponent */
    double guide;                              /* the theory's exponent; NAN: none */
    const hsgd_rate_figure_bound *bound;       /* (num_bounds) */
    size_t num_bounds;
} hsgd_rate_figure_input;

/* False where no value is positive; reason (size bytes) says so. */
bool hsgd_rate_figure_possible(const hsgd_rate_figure_input *input, char *reason, size_t size);

/* Write DIR/rate.dat, DIR/rate.gp and DIR/rate.caption.tex. Bars are confidence intervals unless the style wants no bands. */
hsgd_status hsgd_rate_figure_write(const hsgd_rate_figure_input *input, const char *dir, const hsgd_figure_style *style,
                                   hsgd_error *err);

/* The caption; free it. NULL when memory is out. */
char *hsgd_rate_figure_caption(const hsgd_rate_figure_input *input, bool bars, hsgd_caption_syntax syntax);

#ifdef __cplusplus
}
#endif

#endif
