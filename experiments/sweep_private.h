/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The parts of a sweep: names, rows of results, files, children. */
#ifndef HSGD_EXPERIMENTS_SWEEP_PRIVATE_H
#define HSGD_EXPERIMENTS_SWEEP_PRIVATE_H

#include <signal.h>
#include <stdbool.h>
#include <stdio.h>

#include "experiments/json_private.h"
#include "experiments/folder.h"
#include "experiments/sweep.h"
#include "plots/sweep.h"

/* ---- reading (config_sweep.c) ---- */

/* A section of the configuration whose axes make a grid. Borrowed pointers. */
typedef struct hsgd_grid_section {
    const char *name;        /* its key */
    const char *const *keys; /* what may stand in it, "axes" among them; NULL-terminated */
    size_t max_points;       /* of the product of the axes */
    const char *const
        *figures; /* what "figures" may name, in the order of use_figure; NULL-terminated. NULL: as a sweep */
    const bool *skip_illegal; /* looked at after read: points with an illegal configuration are kept without it, as
                                   long as one is legal. NULL: they are errors */
    hsgd_status (*read)(void *context, const hsgd_json *section, hsgd_error *err); /* the other keys; NULL: none */
    void *context;                                                                 /* of read */
} hsgd_grid_section;

/* As hsgd_sweep_read and hsgd_sweep_parse, for another section; all that stands in messages is called after it. */
hsgd_status hsgd_grid_read(hsgd_sweep *out, const hsgd_grid_section *section, const char *path, size_t seeds,
                           hsgd_error *err);
hsgd_status hsgd_grid_parse(hsgd_sweep *out, const hsgd_grid_section *section, const char *text, size_t length,
                            const char *file, size_t seeds, hsgd_error *err);

/* ---- axes in files (sweep_axes.c) ---- */

/* What figures say of the axes. Texts belong to the document that was read, the arrays are owned. */
typedef struct hsgd_axes {
    hsgd_sweep_figure_axis axis[HSGD_SWEEP_FIGURE_AXES];
    size_t count;
    const char **label[HSGD_SWEEP_FIGURE_AXES], **title[HSGD_SWEEP_FIGURE_AXES];
    double *at[HSGD_SWEEP_FIGURE_AXES];
} hsgd_axes;

/* Add "axes" to a document, and read it; free what was read, also on failure. */
void hsgd_axes_to_json(cJSON *root, const hsgd_sweep *sweep);
hsgd_status hsgd_axes_read(hsgd_axes *f, const hsgd_json *root, hsgd_error *err);
void hsgd_axes_free(hsgd_axes *axes);

/* ---- names (sweep_name.c) ---- */

/* Fill label and part of an axis from its values, and from its labels where they are given (NULL: they are not). */
hsgd_status hsgd_sweep_name_axis(hsgd_sweep_axis *axis, const cJSON *values, const cJSON *labels, hsgd_error *err);

/* Fill title and folder of a point from its values. */
hsgd_status hsgd_sweep_name_point(hsgd_sweep_point *point, const hsgd_sweep *sweep, hsgd_error *err);

/* ---- results of points (sweep_rows.c) ---- */

typedef enum hsgd_sweep_state {
    HSGD_SWEEP_WAITING,
    HSGD_SWEEP_RUNNING,
    HSGD_SWEEP_DONE,
    HSGD_SWEEP_FAILED
} hsgd_sweep_state;

/* What is known of one point. */
typedef struct hsgd_sweep_row {
    hsgd_sweep_state state;
    bool earlier;   /* done by an earlier call */
    int code;       /* HSGD_SWEEP_FAILED: the exit code of its run */
    char *reason;   /* why it failed, or what went wrong although it is done; NULL: nothing. Owned */
    double time_s;  /* what its run took */
    cJSON *summary; /* HSGD_SWEEP_DONE: the part of its result.json that sweep.json repeats; owned */
} hsgd_sweep_row;

void hsgd_sweep_rows_free(hsgd_sweep_row *row, size_t count);

/* The folder of a point: DIR/points/NAME. NULL when memory is out; free it. */
char *hsgd_sweep_point_path(const char *dir, const hsgd_sweep_point *point);

/* Read what is there of a point. The row is done if result.json is that of this configuration and this version of the
 * program, else it is left as it is; only the lack of memory fails. */
hsgd_status hsgd_sweep_row_read(hsgd_sweep_row *row, const char *dir, const hsgd_sweep_point *point, hsgd_error *err);

/* The kinds of bounds on S of H-SGD that tables and figures have columns for: 0 published, 1 sharpened, 2 recursive, and from
 * there on the user's own, which are those whose ids are not built in. Texts are borrowed from the documents they were found in. */
enum {
    HSGD_NUM_SWEEP_KINDS = HSGD_NUM_SWEEP_BOUNDS,
    HSGD_MAX_OWN_SWEEP_KINDS = HSGD_MAX_OWN_SWEEP_BOUNDS,
    HSGD_MAX_SWEEP_KINDS = HSGD_MAX_SWEEP_BOUNDS
};
typedef struct hsgd_sweep_kinds {
    const char *id[HSGD_MAX_OWN_SWEEP_KINDS], *title[HSGD_MAX_OWN_SWEEP_KINDS]; /* (num_own) */
    size_t num_own;
} hsgd_sweep_kinds;

/* Add the user's own bounds of a point to the kinds; those that are there already, and any beyond the limit, are passed over. */
void hsgd_sweep_add_kinds(hsgd_sweep_kinds *kinds, const cJSON *bounds);

/* How many kinds there are, and the word for one: "published", "sharpened", "recursive" or the id. */
size_t hsgd_sweep_num_kinds(const hsgd_sweep_kinds *kinds);
const char *hsgd_sweep_kind_name(const hsgd_sweep_kinds *kinds, size_t kind);

/* The bound of one kind in an array of bounds as sweep.json has it: of the built-in ones that for random groups where these were
 * run, else that for fixed groups. NULL where no verdict was given on one. */
const cJSON *hsgd_sweep_find_bound(const hsgd_sweep_kinds *kinds, const cJSON *bounds, size_t kind);

/* ---- files (sweep_files.c) ---- */

/* Write DIR/sweep.json and DIR/sweep.csv as far as the rows (num_points) are known. */
hsgd_status hsgd_sweep_write(const hsgd_sweep *sweep, const hsgd_sweep_row *row, const char *dir, hsgd_error *err);

/* ---- the table (sweep_table.c) ---- */

void hsgd_sweep_print(const hsgd_sweep *sweep, const hsgd_sweep_row *row, FILE *stream);

/* The line about one point that has been run. */
void hsgd_sweep_print_point(const hsgd_sweep_point *point, const hsgd_sweep_row *row, FILE *stream);

/* ---- children (sweep_jobs.c) ---- */

typedef struct hsgd_sweep_jobs {
    size_t jobs;       /* so many at once */
    size_t threads;    /* each with so many threads */
    const char *file;  /* the configuration's name, for messages */
    const char *dir;   /* that of the sweep */
    bool resume;       /* points that were stopped go on from their checkpoints */
    double deadline_s; /* of hsgd_now_s, when no more time is left; INFINITY: never */
    /* Called when a point has come to an end, and about once a second (finished NULL). */
    void (*tell)(void *context, const size_t *finished);
    void *context;
} hsgd_sweep_jobs;

/* Run every waiting point, in the given order (num_points). Rows are filled in; a point that fails is a row that says so.
 * *stopped_by: what ended it before all were run: "SIGINT", "SIGTERM", "SIGHUP", "the time budget"; NULL: nothing did. Then no
 * child is left; a second signal ends the process at once, and its children with it. */
hsgd_status hsgd_sweep_run(const hsgd_sweep *sweep, hsgd_sweep_row *row, const size_t *order,
                           const hsgd_sweep_jobs *how, const char **stopped_by, hsgd_error *err);

/* In a child: end when the parent does. Does nothing in other processes. */
void hsgd_sweep_follow_parent(void);

/* ---- dry run (sweep_predict.c) ---- */

/* Predict every waiting point and print time and memory, for so many jobs with so many threads; how->jobs is lowered where they
 * do not fit into memory together. */
hsgd_status hsgd_sweep_predict(const hsgd_sweep *sweep, const hsgd_sweep_row *row, const size_t *order,
                               hsgd_sweep_jobs *how, hsgd_error *err);

/* ---- memory (sweep_memory.c) ---- */

/* Before points are run: rows of waiting points that cannot fit into memory alone become failed ones that say so, and how->jobs
 * is lowered to how many fit at once, with a line on standard error unless quiet. */
hsgd_status hsgd_sweep_fit(hsgd_sweep_jobs *how, const hsgd_sweep *sweep, hsgd_sweep_row *row, bool quiet,
                           hsgd_error *err);

/* ---- leftovers (sweep_leftovers.c) ---- */

/* Remove what processes that were killed left in the folders of the points; those that another hsgd is writing to are left
 * alone. */
void hsgd_sweep_clean_points(const hsgd_sweep *sweep, const char *dir);

/* What stands where points will be written must be folders: a symbolic link would lead out of the sweep's. */
hsgd_status hsgd_sweep_check_points(const hsgd_sweep *sweep, const char *dir, hsgd_error *err);

/* Say on standard error that folders in DIR/points are not part of the sweep, if there are any: of values that were removed. */
void hsgd_sweep_tell_others(const hsgd_sweep *sweep, const char *dir);

/* ---- figures (sweep_figures.c) ---- */

/* Make the combined figures that DIR/sweep.json asks for, from it and the series.csv of the points, as hsgd_folder_plot does
 * for one experiment. */
hsgd_status hsgd_sweep_plot(const char *dir, const hsgd_style_change *change, hsgd_figure_report *report,
                            hsgd_error *err);

/* The same figures in another folder, as hsgd_folder_draw: the folder of the sweep is only read. */
hsgd_status hsgd_sweep_draw(hsgd_drawings *out, const char *dir, const char *into, const hsgd_style_change *change,
                            hsgd_error *err);

#endif
