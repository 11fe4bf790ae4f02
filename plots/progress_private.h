/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Panels that show how far H-SGD and the local SGDs beside it came, against steps, seconds or bytes. */
#ifndef HSGD_PLOTS_PROGRESS_PRIVATE_H
#define HSGD_PLOTS_PROGRESS_PRIVATE_H

#include "plots/figure.h"
#include "plots/script_private.h"
#include "plots/table_private.h"

enum { HSGD_MAX_LINES = 2 * HSGD_NUM_FIGURE_RUNS };

/* One curve of one run. y NULL: that run was not made, or has no such numbers. */
typedef struct hsgd_line {
    size_t run;                   /* in the order of hsgd_figure_input.progress */
    const double *y, *half_width; /* (num_rows) */
    const char *column;           /* what its columns in the data file are called, before the run's name */
    bool second;                  /* the less important of two curves of a run: thin, dotted, without band */
    const double *above;          /* (num_rows) distances to the upper edge of the band; NULL: as half_width */
} hsgd_line;

typedef struct hsgd_lines {
    const char *figure; /* the stem of the data file */
    hsgd_line line[HSGD_MAX_LINES];
    size_t num_lines;
    bool log_axis;                     /* if all values are positive */
    bool late_axis;                    /* otherwise: made for what comes after the first tenth of the run */
    bool has_band;                     /* set by hsgd_lines_write: some panel has one */
    bool bands_over_bytes;             /* the curves hardly change between two averages, so bands make no walls there */
    const double *only_where;          /* (num_rows) rows where this is not finite are left out; NULL: none */
    const char *second;                /* what the second curves are, for the legend; NULL: there are none */
    const char *y_label, *y_label_tex; /* the latter for the TeX format */
} hsgd_lines;

/* What a panel has on its x axis. */
typedef enum hsgd_abscissa {
    HSGD_OVER_STEPS,
    HSGD_OVER_TIME,
    HSGD_OVER_BYTES_TOP,
    HSGD_OVER_BYTES_ALL,
    HSGD_OVER_BYTES_LEVEL, /* of the root; the levels below it follow */
    HSGD_OVER_BYTES_LAST_LEVEL = HSGD_OVER_BYTES_LEVEL + HSGD_MAX_BYTE_PANELS - 1
} hsgd_abscissa;

/* Add a line, unless y has no finite number. */
void hsgd_lines_add(hsgd_lines *lines, const hsgd_figure_input *in, hsgd_line line);

/* A figure of panels below each other, num_panels of them, with the same lines. */
hsgd_status hsgd_lines_write(const hsgd_figure_input *in, const hsgd_lines *lines, const hsgd_abscissa *x,
                             size_t num_panels, const char *dir, const hsgd_figure_style *style, const char *about,
                             hsgd_error *err);

/* The same with a panel for each level of the tree, over the bytes that it sends. */
hsgd_status hsgd_lines_write_levels(const hsgd_figure_input *in, const hsgd_lines *lines, const char *dir,
                                    const hsgd_figure_style *style, const char *about, hsgd_error *err);

#endif
