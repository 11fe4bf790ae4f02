/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Parts of a result folder that are read in files of their own. */
#ifndef HSGD_EXPERIMENTS_FOLDER_PRIVATE_H
#define HSGD_EXPERIMENTS_FOLDER_PRIVATE_H

#include <math.h>
#include <string.h>

#include "analysis/constants.h"
#include "experiments/folder.h"
#include "experiments/json_private.h"
#include "experiments/series_private.h"
#include "plots/figure.h"

/* A number that may be null or absent (NAN then). */
static inline double number_or_nan(const cJSON *value)
{
    return cJSON_IsNumber(value) ? value->valuedouble : NAN;
}

/* The document that says what a folder holds. */
typedef struct hsgd_folder_document {
    char *path; /* for messages */
    cJSON *json;
    hsgd_figure_style style; /* "figure_style", but for what the command line changed */
} hsgd_folder_document;

/* Read that of a folder of this kind. change may be NULL. Free out, also on failure. */
hsgd_status hsgd_folder_read_document(hsgd_folder_document *out, hsgd_json *root, const char *dir,
                                      hsgd_folder_kind kind, const hsgd_style_change *change, hsgd_error *err);
void hsgd_folder_document_free(hsgd_folder_document *document);

/* "ladder" of result.json, none where it is absent. *rung (count) is to be freed, its texts belong to the document. */
hsgd_status hsgd_folder_ladder(hsgd_figure_rung **rung, size_t *count, const hsgd_json *root, hsgd_error *err);

/* Is this kind of constant one that proves nothing: "trajectory" or "estimate"? */
bool hsgd_folder_is_unproved(const cJSON *kind);

/* Is L, sigma^2 or f* of result.json of kind "estimate"? */
bool hsgd_folder_has_estimates(const hsgd_json *root);

/* False where the ladder rests on a constant of a kind that proves nothing. */
bool hsgd_folder_ladder_proved(const hsgd_figure_rung *rung, size_t count, const hsgd_json *root);

/* What bands are made of. Borrowed pointers. */
typedef struct hsgd_bands {
    const char *dir; /* for messages */
    const hsgd_series *series;
    hsgd_figure_band kind;
    size_t seeds, runs; /* independent values, and single runs: more where several share a grouping */
    double confidence;
} hsgd_bands;

/* Where a band goes: distances from the mean to its edges, row r at r * stride. above is NAN where it equals below. */
typedef struct hsgd_band_place {
    double *below, *above;
    size_t stride;
} hsgd_band_place;

/* The band around the column `name` of series.csv; NAN where there is none. */
hsgd_status hsgd_folder_band(const hsgd_bands *bands, const hsgd_band_place *out, const char *name, hsgd_error *err);

/* in->progress from the columns of series.csv that are there; num_levels has been read. *memory is to be freed, also on
 * failure. */
hsgd_status hsgd_folder_metrics(hsgd_figure_input *in, double **memory, const hsgd_bands *bands, hsgd_error *err);

/* What a setting borrows. */
typedef struct hsgd_setting_memory {
    char *data, *variant;
    size_t *fanout, *period;
} hsgd_setting_memory;

/* The setting of the run for captions. Texts belong to the document or to *memory, which is to be freed. */
hsgd_status hsgd_folder_setting(hsgd_figure_setting *out, hsgd_setting_memory *memory, const cJSON *result,
                                size_t num_levels, hsgd_error *err);
void hsgd_setting_memory_free(hsgd_setting_memory *memory);

/* ---- folder_figures.c: what folders of runs and of sweeps do alike ---- */

/* Is a name in a list of figures? False where there is no list. */
bool hsgd_folder_is_listed(const cJSON *figures, const char *name);

/* Remove what an earlier call left of a figure. */
hsgd_status hsgd_folder_remove_figure(const char *dir, const char *name, hsgd_error *err);

/* Remove an old drawing beside a new script, before the first one is drawn: gnuplot may fail at another figure, and an old
 * one must not pass for a new one. */
hsgd_status hsgd_folder_remove_drawing(const char *dir, const char *name, const hsgd_figure_style *style,
                                       hsgd_error *err);

/* Draw the figure whose script is in the folder, in the format that the script is for, and report the files made. Nothing where the
 * style says that scripts are enough. */
hsgd_status hsgd_folder_render(const char *dir, const char *name, const hsgd_figure_style *style,
                               hsgd_figure_report *report, hsgd_error *err);

/* Report the script of a figure, its data and its caption; the files that all figures of a format share; a figure that
 * cannot be shown. */
void hsgd_folder_list_script(hsgd_figure_report *report, const char *name);
void hsgd_folder_list_shared(hsgd_figure_report *report, hsgd_figure_format format);
void hsgd_folder_note_missing(hsgd_figure_report *report, const char *name, const char *reason);

/* Add a figure, for which item has room. The caption becomes the drawings' own; NULL is a failure of memory. */
hsgd_status hsgd_drawings_add(hsgd_drawings *drawings, const char *name, char *caption, hsgd_error *err);

#endif
