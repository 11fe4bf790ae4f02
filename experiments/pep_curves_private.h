/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The worst case as a function of the step size (key "pep"; README, The exact worst case): it needs no condition on gamma,
 * so it says what lies beyond those of the theorems, and which step size is best. One curve for each value of an axis. */
#ifndef HSGD_EXPERIMENTS_PEP_CURVES_PRIVATE_H
#define HSGD_EXPERIMENTS_PEP_CURVES_PRIVATE_H

#include <stdbool.h>
#include <stdio.h>

#include <cjson/cJSON.h>

#include "bounds/bound.h"
#include "bounds/pep.h"
#include "experiments/folder.h"
#include "experiments/sweep.h"

enum { HSGD_MAX_PEP_CURVES = 6, HSGD_MAX_PEP_STEP_SIZES = 1000 };

/* The bounds beside the worst case: recursive 4.4, sharpened 4.2, published 4.1. */
enum { HSGD_PEP_RECURSIVE, HSGD_PEP_SHARPENED, HSGD_PEP_PUBLISHED, HSGD_NUM_PEP_BOUNDS };

/* What a step size stands for. */
typedef enum hsgd_pep_mark {
    HSGD_PEP_PLAIN,
    HSGD_PEP_AT_PUBLISHED, /* the limit of 4.1 */
    HSGD_PEP_AT_SHARPENED, /* the limit of 4.2 */
    HSGD_PEP_AT_INVERSE_L, /* 1/L: the limit of 4.4 */
    HSGD_PEP_AT_BEST,      /* the smallest worst case found */
    HSGD_NUM_PEP_MARKS
} hsgd_pep_mark;

/* "", "published limit", "sharpened limit", "1/L", "best"; NULL beyond them. */
const char *hsgd_pep_mark_name(size_t mark);

/* One step size. */
typedef struct hsgd_pep_step {
    double step_size;
    double upper, lower; /* proved and attained worst case; NAN: no certificate; INFINITY: there is none */
    double bound[HSGD_NUM_PEP_BOUNDS]; /* NAN where it does not apply */
    hsgd_pep_mark mark;
} hsgd_pep_step;

typedef struct hsgd_pep_curve {
    hsgd_bound_params params;                  /* owned; its step size changes */
    double max_step_size[HSGD_NUM_PEP_BOUNDS]; /* limits of the bounds */
    hsgd_pep_step *step;                       /* (num_steps) by rising step size; owned */
    size_t num_steps, capacity;
    size_t best; /* its step; num_steps: nothing is known */
    double best_low,
        best_high;    /* a step size with the smallest worst case lies between them, where there is one minimum
                                   between the neighbours on the grid */
    bool best_inside; /* false: the best step size is an end of the range */
    double bound_best_step_size[HSGD_NUM_PEP_BOUNDS], bound_best[HSGD_NUM_PEP_BOUNDS]; /* NAN: applies nowhere */
    size_t unsolved; /* step sizes without a certificate */
    double wall_time_s;
} hsgd_pep_curve;

typedef struct hsgd_pep_curves {
    double from, to;       /* of gamma L, 0 < from < to < 2 */
    size_t points;         /* on a logarithmic grid, ends included */
    hsgd_sweep grid;       /* of one axis; owned */
    hsgd_pep_curve *curve; /* (grid.num_points) owned */
    const char *file;      /* for messages; borrowed */
} hsgd_pep_curves;

/* ---- config_pep.c ---- */

/* Has this file the key "pep"? Standard input, which can be read only once, is taken to have none. */
hsgd_status hsgd_pep_curves_wanted(bool *wanted, const char *path, hsgd_error *err);

/* Read a configuration with that key, and the constants of every curve. Free with hsgd_pep_curves_free. */
hsgd_status hsgd_pep_curves_read(hsgd_pep_curves *out, const char *path, hsgd_error *err);
hsgd_status hsgd_pep_curves_parse(hsgd_pep_curves *out, const char *text, size_t length, const char *file,
                                  hsgd_error *err);
void hsgd_pep_curves_free(hsgd_pep_curves *curves);

/* ---- pep_curves.c ---- */

/* Best step sizes are known to this, relative; the worst case at them to its square and HSGD_PEP_TOLERANCE. */
#define HSGD_PEP_STEP_SIZE_TOLERANCE 2e-3

/* Solve at every step size of the grid, at the limits of the bounds, and around the best one. progress may be NULL. */
hsgd_status hsgd_pep_curves_run(hsgd_pep_curves *curves, void (*progress)(void *context, double fraction),
                                void *progress_context, hsgd_error *err);

/* The step with this mark, NULL where there is none. */
const hsgd_pep_step *hsgd_pep_curve_find(const hsgd_pep_curve *curve, hsgd_pep_mark mark);

/* ---- pep_curves_files.c, pep_curves_figure.c ---- */

cJSON *hsgd_pep_curves_to_json(const hsgd_pep_curves *curves);
void hsgd_pep_curves_print(const hsgd_pep_curves *curves, FILE *out);

/* Write DIR/pep.json and DIR/pep.csv. */
hsgd_status hsgd_pep_curves_write(const hsgd_pep_curves *curves, const char *dir, hsgd_error *err);

/* Make the figure of DIR/pep.json, as hsgd_folder_plot. */
hsgd_status hsgd_pep_plot(const char *dir, const hsgd_style_change *change, hsgd_figure_report *report,
                          hsgd_error *err);

/* ---- command_pep_curves.c ---- */

/* `hsgd pep` for such a file; returns the exit code. output NULL: results/NAME. */
int hsgd_pep_curves_command(const char *path, const char *output, bool json, bool quiet);

#endif
