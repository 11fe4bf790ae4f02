/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Figures of a sweep: what many experiments show together. As for the figures of one experiment (plots/figure.h), the input
 * is plain data, a figure is DIR/NAME.dat and DIR/NAME.gp, and hsgd_figure_render draws it. */
#ifndef HSGD_PLOTS_SWEEP_H
#define HSGD_PLOTS_SWEEP_H

#include <stdbool.h>
#include <stddef.h>

#include "analysis/error.h"
#include "plots/caption.h"
#include "plots/figure.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { HSGD_SWEEP_FIGURE_AXES = 3 };

/* The bounds on S of H-SGD: published, sharpened and recursive, whichever of fixed and random groups was run, and then those
 * that the user added. */
enum { HSGD_NUM_SWEEP_BOUNDS = 3, HSGD_MAX_OWN_SWEEP_BOUNDS = 32 };
enum { HSGD_MAX_SWEEP_BOUNDS = HSGD_NUM_SWEEP_BOUNDS + HSGD_MAX_OWN_SWEEP_BOUNDS };

/* Borrowed pointers. */
typedef struct hsgd_sweep_figure_axis {
    const char *name; /* any text */
    size_t num_values;
    const char *const *label; /* (num_values) any texts, for the axis of a figure */
    const char *const *title; /* (num_values) the same with what it is, for legends: "N = 2" */
    const double *at;         /* (num_values) NULL: they are no numbers */
} hsgd_sweep_figure_axis;

/* One point of the grid: an experiment. Borrowed pointers; arrays over its measured steps have num_rows entries and are NULL
 * where there is no such thing. Bands are distances from the mean to their edges (0: pathwise, NAN: one seed only), error bars
 * their edges, both as the style wants them; NAN where it wants none. */
typedef struct hsgd_sweep_figure_point {
    size_t value[HSGD_SWEEP_FIGURE_AXES]; /* which value of each axis */
    const char *title;                    /* names all of its values; any text */
    bool done;                            /* false: nothing else here is known */
    double S, S_low, S_high;              /* NAN: not known */
    double bound[HSGD_MAX_SWEEP_BOUNDS];  /* NAN: not evaluated, or its conditions fail */
    size_t num_workers, steps, seeds;
    size_t num_runs; /* more than seeds where several share a grouping */
    double step_size;
    bool constants_proved;    /* false: the bounds rest on constants that prove nothing, and captions say so */
    bool constants_estimated; /* with the one before false: on estimates of L or sigma^2 */
    size_t num_rows;
    const double *step;
    const double *grad_norm_sq;
    const double *loss;                                       /* f(wbar^t) */
    const double *train_accuracy, *train_below, *train_above; /* NAN at rows where they were not evaluated */
    const double *test_accuracy, *test_below, *test_above;
    const double *time_s;    /* modelled seconds until step t */
    const double *bytes_all; /* sent until then at all levels */
} hsgd_sweep_figure_point;

typedef struct hsgd_sweep_figure_input {
    const char *name;  /* the sweep's name: any text */
    double confidence; /* of the intervals; NAN: not the same for all points */
    hsgd_sweep_figure_axis axis[HSGD_SWEEP_FIGURE_AXES];
    size_t num_axes;
    const hsgd_sweep_figure_point *point; /* (num_points) in the order of the grid, the last axis runs fastest */
    size_t num_points;
    const char *own_bound
        [HSGD_MAX_OWN_SWEEP_BOUNDS]; /* (num_own_bounds) titles of bound[HSGD_NUM_SWEEP_BOUNDS + i]: any texts */
    size_t num_own_bounds;
} hsgd_sweep_figure_input;

/* What depends on the figure and on what is there, and what a reader has to know. */
enum { HSGD_SWEEP_NOTE_SIZE = 200 };
typedef struct hsgd_sweep_remark {
    char note[HSGD_SWEEP_NOTE_SIZE]; /* "7 of 8 points; bounds use trajectory constants"; may be empty */
    bool bars, bands;                /* error bars or bands are drawn if the style wants any */
} hsgd_sweep_remark;

/* As hsgd_figure; beside the figure it writes DIR/NAME.caption.tex, for \caption{\protect\input{NAME.caption}}: what is shown,
 * what is the same for all points and what is not. */
typedef struct hsgd_sweep_figure {
    const char *name; /* file stem, and the name used in a configuration's "figures" */
    bool (*possible)(const hsgd_sweep_figure_input *input, char *reason, size_t size);
    hsgd_sweep_remark (*remark)(const hsgd_sweep_figure_input *input);
    hsgd_status (*write)(const hsgd_sweep_figure_input *input, const char *dir, const hsgd_figure_style *style,
                         hsgd_error *err);
} hsgd_sweep_figure;

/* The caption of a figure that is possible for this input, as hsgd_figure_caption: what is shown, what is the same for all points
 * and what is not, which bands or error bars there are. Free it; NULL when memory is out. */
char *hsgd_sweep_figure_caption(const hsgd_sweep_figure_input *input, const hsgd_sweep_figure *figure,
                                hsgd_figure_band band, hsgd_caption_syntax syntax);

/* sweep, sweep-map, sweep-convergence, sweep-loss, sweep-accuracy, sweep-accuracy-time, sweep-accuracy-bytes. */
extern const hsgd_sweep_figure *const hsgd_sweep_figures[];
extern const size_t hsgd_num_sweep_figures;

#ifdef __cplusplus
}
#endif

#endif
