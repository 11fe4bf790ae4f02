/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Figure "pep": the worst case over the step size, a curve for each setting, with the limits of the theorems and the best step
 * size marked on it, and the recursive bound beside it. As for the other figures the input is plain data, DIR/pep.dat,
 * DIR/pep.gp and DIR/pep.caption.tex are written, and hsgd_figure_render draws the figure. */
#ifndef HSGD_PLOTS_PEP_H
#define HSGD_PLOTS_PEP_H

#include <stdbool.h>
#include <stddef.h>

#include "analysis/error.h"
#include "plots/caption.h"
#include "plots/figure.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Marks on a curve; the limit 1/L of the recursive bound is a line of the panel. */
enum { HSGD_PEP_FIGURE_PUBLISHED, HSGD_PEP_FIGURE_SHARPENED, HSGD_PEP_FIGURE_BEST, HSGD_NUM_PEP_FIGURE_MARKS };
enum { HSGD_MAX_PEP_FIGURE_CURVES = 6 };

/* Borrowed pointers. */
typedef struct hsgd_pep_figure_curve {
    const char *title; /* any text */
    size_t num_points;
    const double *at;                              /* (num_points) gamma L, rising */
    const double *worst;                           /* (num_points) NAN: not known */
    const double *recursive;                       /* (num_points) NAN: does not apply */
    const double *mark[HSGD_NUM_PEP_FIGURE_MARKS]; /* (num_points) the worst case where this is marked, else NAN */
} hsgd_pep_figure_curve;

/* Borrowed pointers. */
typedef struct hsgd_pep_figure_input {
    const char *name; /* any text */
    hsgd_pep_figure_curve curve[HSGD_MAX_PEP_FIGURE_CURVES];
    size_t num_curves;
} hsgd_pep_figure_input;

/* False where no worst case is finite; reason (size bytes) says so. */
bool hsgd_pep_figure_possible(const hsgd_pep_figure_input *input, char *reason, size_t size);

/* Write DIR/pep.dat, DIR/pep.gp and DIR/pep.caption.tex. */
hsgd_status hsgd_pep_figure_write(const hsgd_pep_figure_input *input, const char *dir, const hsgd_figure_style *style,
                                  hsgd_error *err);

/* The caption; free it. NULL when memory is out. */
char *hsgd_pep_figure_caption(const hsgd_pep_figure_input *input, hsgd_caption_syntax syntax);

#ifdef __cplusplus
}
#endif

#endif
