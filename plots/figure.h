/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Figures: a figure is a data file plus a gnuplot script that runs alone, rendered by gnuplot.
 *
 * The input is plain data; nothing here simulates or reads result files. Every text that comes from a user is written
 * as data, never as gnuplot code (plots/text_private.h). To add a figure, write one file with its script and add a row
 * to the table in figure.c. */
#ifndef HSGD_PLOTS_FIGURE_H
#define HSGD_PLOTS_FIGURE_H

#include <stdbool.h>
#include <stddef.h>

#include "analysis/error.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum hsgd_figure_format {
    HSGD_FIGURE_PDF,
    HSGD_FIGURE_SVG,
    HSGD_FIGURE_PNG,
    HSGD_FIGURE_TEX,
    HSGD_FIGURE_TIKZ
} hsgd_figure_format;

/* "pdf", "svg", "png", "tex" (cairolatex: a .tex with its .pdf), "tikz" (TikZ: a .tex, and the files of its LaTeX package
 * gnuplot-lua-tikz for all figures of a folder). The parsers return 0 on success, -1 otherwise. */
const char *hsgd_figure_format_name(hsgd_figure_format format);
int hsgd_figure_format_parse(const char *name, hsgd_figure_format *format);

/* How the name of a figure's file ends, without dot: both formats for LaTeX make NAME.tex. */
const char *hsgd_figure_format_extension(hsgd_figure_format format);
bool hsgd_figure_format_is_tex(hsgd_figure_format format);

/* What bands and error bars around a mean over seeds show. */
typedef enum hsgd_figure_band {
    HSGD_BAND_CI,    /* confidence interval of the mean, with the confidence of the input */
    HSGD_BAND_SE,    /* standard error of the mean */
    HSGD_BAND_SD,    /* standard deviation over seeds */
    HSGD_BAND_RANGE, /* from the smallest to the largest seed */
    HSGD_BAND_NONE
} hsgd_figure_band;

/* "ci", "se", "sd", "range", "none". */
const char *hsgd_figure_band_name(hsgd_figure_band band);
int hsgd_figure_band_parse(const char *name, hsgd_figure_band *band);

/* How all figures of a folder look. */
typedef struct hsgd_figure_style {
    hsgd_figure_format format;
    double width_in;       /* of the printed figure, whose fonts have their printed size; see HSGD_MIN_WIDTH_IN */
    hsgd_figure_band band; /* around the means over seeds */
    bool title;            /* the experiment's name and setting above the panels */
    bool scripts_only;     /* scripts, data and captions are written, and nothing is rendered */
} hsgd_figure_style;

/* Printed widths of a column and of a page of a two-column paper of the IEEE, and of NeurIPS' text; and limits. */
#define HSGD_WIDTH_IEEE_COLUMN_IN 3.5
#define HSGD_WIDTH_IEEE_PAGE_IN 7.16
#define HSGD_WIDTH_NEURIPS_IN 5.5
#define HSGD_MIN_WIDTH_IN 3.0 /* the widest legend entries and tables need this much */
#define HSGD_MAX_WIDTH_IN 12.0

/* "ieee-column", "ieee-page", "neurips", or a number of inches within the limits. The name is NULL for other widths. */
int hsgd_figure_width_parse(const char *text, double *width_in);
const char *hsgd_figure_width_name(double width_in);

/* pdf, a column of the IEEE wide, with confidence intervals and the title. */
hsgd_figure_style hsgd_figure_default_style(void);

/* One bound as it appears in figures. Borrowed pointers. */
typedef struct hsgd_figure_bound {
    const char *id;
    const char *title;
    const char *target;    /* "S", "S_round", "S_min" or "distance" */
    const char *algorithm; /* "hsgd", "hsgd-random", "local-sgd-inner" or "local-sgd-outer" */
    double value;          /* NAN: not evaluated */
    bool applicable;
    bool judged; /* a verdict was given: it speaks about a run that was made */
    size_t num_terms;
    const char *const *term_name; /* (num_terms) */
    const double *term_value;     /* (num_terms) */
} hsgd_figure_bound;

/* A measured run: means over seeds per measured step, with the half width of the band that the style asks for (0: pathwise,
 * NAN: none, as with one seed). Where a band is not symmetric, the half width is the distance to its lower edge, and an
 * array that ends in _above has those to the upper edge; NULL: symmetric. */
typedef struct hsgd_figure_curve {
    const double *grad_norm_sq;            /* (num_rows); NULL: this run was not made */
    const double *grad_norm_sq_half_width; /* (num_rows) */
    double S, S_low, S_high;               /* NAN: not known */
    const double *grad_norm_sq_above;      /* (num_rows) see below */
} hsgd_figure_curve;

/* Figures over bytes have a panel for each level, but the lower levels of a deep tree share the last. */
enum { HSGD_MAX_BYTE_PANELS = 4 };
size_t hsgd_figure_num_byte_panels(size_t num_levels);

/* What a run reached, and what that cost; arrays over the rows, NULL where it was not evaluated, not modelled or not made.
 * Half widths as above. */
typedef struct hsgd_figure_progress {
    const double *loss, *loss_half_width;                     /* f(wbar^t) */
    const double *train_accuracy, *train_accuracy_half_width; /* shares; NAN at rows where they were not evaluated */
    const double *test_accuracy, *test_accuracy_half_width;
    const double *time_s;                /* modelled seconds until step t */
    const double *bytes_top, *bytes_all; /* sent until then, both ways: at the level of the root, and at all levels */
    /* ... and at each level, the root's first; the last panel of hsgd_figure_num_byte_panels has the sum of what is left */
    const double *bytes_level[HSGD_MAX_BYTE_PANELS];
    const double *loss_above, *train_accuracy_above, *test_accuracy_above, *S_above;
    const double *S, *S_half_width; /* mean of ||grad f(wbar^s)||^2 over the measured steps s < t; NAN at t = 0 */
} hsgd_figure_progress;

/* H-SGD, local SGD with period I, local SGD with period G. */
enum { HSGD_NUM_FIGURE_RUNS = 3 };

/* One rung of the proof ladder (THEORY 4.5): an upper bound on the rung before. Borrowed pointers. */
typedef struct hsgd_figure_rung {
    const char *rung; /* "R0" .. "R7" */
    const char *name; /* a few words */
    double value;     /* NAN: not known, e.g. a bound that could not be evaluated */
    double low, high; /* its interval; both the value itself where nothing is random, NAN where there is none */
    double share; /* of the whole slack, that of the step from the rung before; NAN for R0 and where it is not known */
    const char *step;  /* what the step from the rung before uses, e.g. "descent inequality"; "" for R0 */
    bool step_applies; /* false: a condition of the step fails, so that the rung need not be above the one before */
} hsgd_figure_rung;

/* What captions say about a run beyond its curves. Borrowed pointers. All zero: not known, and captions leave it out. */
typedef struct hsgd_figure_setting {
    const char *problem;           /* "quadratic", "logistic", "softmax", "mlp" or "cnn" */
    const char *data;              /* what the data are called: any text; NULL: there are none */
    size_t samples;                /* of these data; 0: not known */
    size_t batch_size;             /* 0: full gradients */
    double noise_sq;               /* sigma^2 of noise that is added to gradients, for quadratics */
    const size_t *fanout, *period; /* (num_levels) N_k and P_k; NULL: groups or periods of a level differ */
    const char *grouping;          /* "given", "random", "group-iid" or "group-noniid" */
    bool weighted;                 /* workers have different weights */
    size_t measure_every;          /* steps from one row to the next */
    const char *variant;           /* what is changed about H-SGD, in words: any text; NULL or "": nothing */
} hsgd_figure_setting;

/* All that the figures show. Borrowed pointers; arrays over steps have num_rows entries, arrays over levels are
 * row-major (num_rows, num_levels). */
typedef struct hsgd_figure_input {
    const char *name; /* the experiment's name: any text */
    size_t num_workers, num_levels;
    size_t seeds; /* independent values behind a mean */
    size_t runs;  /* single runs: more than seeds where several share a random grouping; 0: as many */
    size_t steps; /* T; 0: not known */
    size_t local_period, global_period; /* I and G in steps */
    double step_size;
    double confidence;     /* of intervals, e.g. 0.99 */
    hsgd_figure_band band; /* what the half widths below are */
    hsgd_figure_setting setting;
    bool constants_proved;    /* false: some bound rests on trajectory constants, and captions say so */
    bool constants_estimated; /* with the one before false: L or sigma^2 is an estimate, and captions say that */
    size_t num_rows;
    const double *step;                  /* (num_rows) */
    const double *divergence_global;     /* (num_rows) E(wbar^t) */
    const double *divergence_up;         /* (num_rows, num_levels - 1) Up_k, k = 1..M-1 */
    const double *divergence_down;       /* (num_rows, num_levels - 1) Down_k */
    const double *dispersion;            /* (num_rows, num_levels) B_k^t */
    const double *dispersion_half_width; /* (num_rows, num_levels) */
    const double *dispersion_above;      /* (num_rows, num_levels) */
    const double *dispersion_bound;      /* (num_rows, num_levels) recursive bound 4.4; NAN where it does not apply */
    hsgd_figure_curve hsgd, local_inner, local_outer;
    hsgd_figure_progress progress[HSGD_NUM_FIGURE_RUNS];
    const hsgd_figure_bound *bound; /* (num_bounds) */
    size_t num_bounds;
    const hsgd_figure_rung *rung; /* (num_rungs), R0 first */
    size_t num_rungs;             /* 0: not known */
} hsgd_figure_input;

typedef struct hsgd_figure {
    const char *name; /* file stem and the name used in a configuration's "figures"; those that need its model of
                         communication end in "-time" or "-bytes" */
    /* False where the input lacks what the figure shows (one level: no upward divergence); reason (size bytes) says
     * why. */
    bool (*possible)(const hsgd_figure_input *input, char *reason, size_t size);
    /* Write DIR/name.dat and DIR/name.gp. */
    hsgd_status (*write)(const hsgd_figure_input *input, const char *dir, const hsgd_figure_style *style,
                         hsgd_error *err);
} hsgd_figure;

/* convergence, divergence, dispersion, sandwich, terms, ladder, accuracy, loss-time, accuracy-time, gradient-bytes,
 * S-time, S-bytes, accuracy-bytes. */
extern const hsgd_figure *const hsgd_figures[];
extern const size_t hsgd_num_figures;
const hsgd_figure *hsgd_figure_find(const char *name);

/* How the names of hidden folders start in which gnuplot works; one that stays was left by a killed program. */
#define HSGD_RENDER_PREFIX ".render-"

/* LaTeX needs these beside figures in the format tikz; hsgd_figure_render puts them there. gnuplot makes them itself. */
extern const char *const hsgd_tikz_files[];
enum { HSGD_NUM_TIKZ_FILES = 2 };

/* Run gnuplot on DIR/name.gp (no shell; the working directory is DIR). Fails with gnuplot's own message, or with a
 * sentence that names the package where gnuplot is not installed. */
hsgd_status hsgd_figure_render(const char *dir, const char *name, hsgd_error *err);

#ifdef __cplusplus
}
#endif

#endif
