/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What an experiment leaves behind: result.json, series.csv and nodes.csv (the Contract's formats), and the table. */
#ifndef HSGD_EXPERIMENTS_RESULT_H
#define HSGD_EXPERIMENTS_RESULT_H

#include <stddef.h>
#include <stdio.h>

#include "analysis/error.h"
#include "experiments/experiment.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Write DIR/result.json, with checksums of series.csv and nodes.csv, which are there; file (num_files) are the names that its "files" lists. */
hsgd_status hsgd_result_write_json(const hsgd_experiment *experiment, const char *dir, const char *const *file,
                                   size_t num_files, hsgd_error *err);

/* What it would say; to be freed with cJSON_free, NULL when memory is out. */
char *hsgd_result_to_json(const hsgd_experiment *experiment, const char *const *file, size_t num_files);

/* Write DIR/series.csv: one row per measured step. */
hsgd_status hsgd_result_write_series(const hsgd_experiment *experiment, const char *dir, hsgd_error *err);

/* Write DIR/nodes.csv: one row per inner node of the tree. */
hsgd_status hsgd_result_write_nodes(const hsgd_experiment *experiment, const char *dir, hsgd_error *err);

/* The table of constants, measurements, bounds and verdicts, for people. */
void hsgd_result_print(const hsgd_experiment *experiment, FILE *stream);

#ifdef __cplusplus
}
#endif

#endif
