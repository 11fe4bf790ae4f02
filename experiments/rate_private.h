/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The parts of hsgd rate: files, table, figure. */
#ifndef HSGD_EXPERIMENTS_RATE_PRIVATE_H
#define HSGD_EXPERIMENTS_RATE_PRIVATE_H

#include <stdio.h>

#include "experiments/experiment.h"
#include "experiments/folder.h"
#include "experiments/json_private.h"
#include "experiments/rate.h"

/* config_rate.c: "FILE: text" becomes "FILE: rate: T = 100: text". */
void hsgd_rate_name_point(hsgd_error *err, const hsgd_rate_plan *plan, size_t i, const char *file);

/* ---- dry run (rate_points.c) ---- */

/* What point i will need: seconds on so many threads (exact moments: on one) and bytes. Changes the point's configuration
 * as hsgd_rate_run does. */
hsgd_status hsgd_rate_predict(hsgd_prediction *out, hsgd_rate_plan *plan, size_t i, const char *file, int threads,
                              hsgd_error *err);

/* ---- bounds (rate_bounds.c) ---- */

/* Put down the bounds on the quantity at point i, whose value, interval and kind are there, from its experiment, whose
 * bounds have been evaluated. */
hsgd_status hsgd_rate_take_bounds(hsgd_rate *rate, size_t i, const hsgd_experiment *experiment, hsgd_error *err);

/* ---- files (rate_files.c) ---- */

/* The document of rate.json, with the files of the report in its list. Delete it with cJSON_Delete. */
cJSON *hsgd_rate_to_json(const hsgd_rate *rate, const hsgd_figure_report *report);

/* Write DIR/rate.json and DIR/rate.csv. */
hsgd_status hsgd_rate_write(const hsgd_rate *rate, const char *dir, const hsgd_figure_report *report, hsgd_error *err);

/* ---- the table (rate_table.c) ---- */

void hsgd_rate_print(const hsgd_rate *rate, FILE *stream);

/* ---- the figure (rate_figure.c) ---- */

/* Make the figure from DIR/rate.json, as hsgd_folder_plot does for one experiment. */
hsgd_status hsgd_rate_plot(const char *dir, const hsgd_style_change *change, hsgd_figure_report *report,
                           hsgd_error *err);

#endif
