/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Columns of series.csv that are written in files of their own. */
#ifndef HSGD_EXPERIMENTS_RESULT_CSV_PRIVATE_H
#define HSGD_EXPERIMENTS_RESULT_CSV_PRIVATE_H

#include <stdbool.h>
#include <stdio.h>

#include "experiments/experiment.h"

/* Names and values of a row are written by the same walk, so they cannot part. */
typedef struct hsgd_series_writer {
    FILE *stream;
    bool header;
    size_t written; /* columns of this row so far */
} hsgd_series_writer;

/* One column: its name in the header row, its value elsewhere. level 0: no level in the name. */
void hsgd_series_put(hsgd_series_writer *w, const char *prefix, size_t level, const char *suffix, double value);

/* result_metrics.c: losses and accuracies, seconds and bytes; nothing where none of them was asked for. */
void hsgd_series_put_metrics(hsgd_series_writer *w, const hsgd_experiment *experiment, size_t row);

/* result_scatter.c: how far the seeds lie apart; nothing where there is one. */
void hsgd_series_put_scatter(hsgd_series_writer *w, const hsgd_experiment *experiment, size_t row);

#endif
