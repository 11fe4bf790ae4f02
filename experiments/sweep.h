/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A sweep: one configuration and a grid of changes to it (key "sweep"; README, Sweeps). */
#ifndef HSGD_EXPERIMENTS_SWEEP_H
#define HSGD_EXPERIMENTS_SWEEP_H

#include <stdbool.h>
#include <stddef.h>

#include "analysis/error.h"
#include "plots/figure.h"

#ifdef __cplusplus
extern "C" {
#endif

enum {
    HSGD_MAX_SWEEP_AXES = 3,
    HSGD_MAX_SWEEP_POINTS = 1000, /* each is a process and a folder */
    HSGD_MAX_SWEEP_FIGURES = 16
};

/* All pointers are owned. */
typedef struct hsgd_sweep_axis {
    char *name;
    size_t num_values;
    char **label;  /* (num_values) as given, or the values as text */
    bool labelled; /* the labels were given and stand for themselves; else "name = label" is what people should read */
    double *at;    /* (num_values) where the values stand on an axis; NULL: they are no numbers */
    char **part;   /* (num_values) what the names of folders have of them */
} hsgd_sweep_axis;

typedef struct hsgd_sweep_point {
    size_t value[HSGD_MAX_SWEEP_AXES]; /* which value of each axis */
    char *folder;                      /* its name, plain and unlike that of every other point; owned */
    char *title;                       /* "N = 2, algorithm = local SGD"; owned */
    char *config;  /* the configuration with all defaults, as hsgd_config_to_json writes it; NULL: illegal. Owned */
    char *illegal; /* why it is no legal configuration; only where the section skips such points. Owned */
} hsgd_sweep_point;

typedef struct hsgd_sweep {
    char *name; /* that of the configuration; owned */
    hsgd_sweep_axis axis[HSGD_MAX_SWEEP_AXES];
    size_t num_axes;
    hsgd_sweep_point *point; /* (num_points), the last axis runs fastest; owned */
    size_t num_points;
    char **own_bound; /* (num_own_bounds) ids of the bounds that points have beside the built-in ones; owned */
    size_t num_own_bounds;
    double confidence;                       /* of the intervals, where all points have the same; else NAN */
    bool use_figure[HSGD_MAX_SWEEP_FIGURES]; /* by index of hsgd_sweep_figures */
    hsgd_figure_style style;                 /* of these figures */
} hsgd_sweep;

/* Read a configuration with the key "sweep" ("-": standard input), and every point of its grid. seeds: instead of the
 * configuration's; 0: as there. Free the result with hsgd_sweep_free. */
hsgd_status hsgd_sweep_read(hsgd_sweep *out, const char *path, size_t seeds, hsgd_error *err);

/* The same from a text; file is the name used in messages and its folder the base of relative paths. */
hsgd_status hsgd_sweep_parse(hsgd_sweep *out, const char *text, size_t length, const char *file, size_t seeds,
                             hsgd_error *err);

/* What people should read for one value of an axis: its label, with the axis' name where the label lacks it. Returns
 * out. */
const char *hsgd_sweep_title(char *out, size_t size, const hsgd_sweep_axis *axis, size_t value);

/* order (num_points): the points from coarse to fine. The ends of every axis come first, then the middles between them, then
 * the middles between those, so that the grid is filled evenly however far it got. */
hsgd_status hsgd_sweep_order(const hsgd_sweep *sweep, size_t *order, hsgd_error *err);

void hsgd_sweep_free(hsgd_sweep *sweep);

#ifdef __cplusplus
}
#endif

#endif
