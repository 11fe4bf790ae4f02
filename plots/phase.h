/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Figure "phase": where H-SGD itself lies between its two local SGDs. A map with one colour per verdict; as for the other figures
 * the input is plain data, the figure is DIR/phase.dat and DIR/phase.gp, and hsgd_figure_render draws it. */
#ifndef HSGD_PLOTS_PHASE_H
#define HSGD_PLOTS_PHASE_H

#include <stdbool.h>
#include <stddef.h>

#include "analysis/error.h"
#include "plots/caption.h"
#include "plots/figure.h"
#include "plots/sweep.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The verdict that a cell shows; meanings are those of analysis/between.h, whose names these are. */
typedef enum hsgd_phase_cell {
    HSGD_CELL_HOLDS,
    HSGD_CELL_EQUAL,
    HSGD_CELL_BELOW,
    HSGD_CELL_ABOVE,
    HSGD_CELL_REVERSED,
    HSGD_CELL_INCONCLUSIVE,
    HSGD_CELL_DIVERGED,
    HSGD_CELL_ILLEGAL, /* blank */
    HSGD_NUM_CELLS
} hsgd_phase_cell;

/* "holds", "equal", "fails below", "fails above", "reversed", "inconclusive", "diverged", "illegal". The parser returns 0 on
 * success, -1 for an unknown name. */
const char *hsgd_phase_cell_name(hsgd_phase_cell cell);
int hsgd_phase_cell_parse(const char *name, hsgd_phase_cell *cell);

/* What one point of the grid shows. */
typedef struct hsgd_phase_figure_point {
    hsgd_phase_cell verdict;
    double ratio; /* (H-SGD - inner)/(outer - inner); NAN: not known */
} hsgd_phase_figure_point;

/* Of all legal points, from the smallest to the largest. */
typedef struct hsgd_phase_range {
    double low, high;
} hsgd_phase_range;

/* Borrowed pointers. */
typedef struct hsgd_phase_figure_input {
    const char *name;     /* any text */
    const char *quantity; /* "S", "dispersion", "loss", "worst-case" or "worst-case-levels" */
    hsgd_sweep_figure_axis axis[HSGD_SWEEP_FIGURE_AXES];
    size_t num_axes;                      /* 1 to 3: columns, rows, panels */
    const hsgd_phase_figure_point *point; /* (num_points) the last axis runs fastest */
    size_t num_points;
    hsgd_phase_range workers, steps, step_size;
    hsgd_phase_range values; /* independent values behind a point; 0: exact moments */
    double confidence;       /* of all verdicts together, where values are drawn */
} hsgd_phase_figure_input;

/* Is its quantity "worst-case" or "worst-case-levels"? */
bool hsgd_phase_figure_is_worst_case(const hsgd_phase_figure_input *input);

/* The colour of a verdict's cells, "#rrggbb"; those that look alike to some readers differ in their symbols. */
const char *hsgd_phase_colour(hsgd_phase_cell verdict);

/* gnuplot's number of the symbol in such a cell; 0: none, -1: the cell is hatched. */
int hsgd_phase_symbol(hsgd_phase_cell verdict);

/* Write DIR/phase.dat, DIR/phase.gp and DIR/phase.caption.tex. */
hsgd_status hsgd_phase_figure_write(const hsgd_phase_figure_input *input, const char *dir,
                                    const hsgd_figure_style *style, hsgd_error *err);

/* The caption: what is shown, what is the same for all points, how verdicts were found. Free it; NULL when memory is out. */
char *hsgd_phase_figure_caption(const hsgd_phase_figure_input *input, hsgd_caption_syntax syntax);

#ifdef __cplusplus
}
#endif

#endif
