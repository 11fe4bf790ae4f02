/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A CSV file of numbers with named columns, as hsgd writes it. */
#ifndef HSGD_EXPERIMENTS_SERIES_PRIVATE_H
#define HSGD_EXPERIMENTS_SERIES_PRIVATE_H

#include <stddef.h>

#include "analysis/error.h"

typedef struct hsgd_series {
    size_t num_columns, num_rows;
    char **name;   /* (num_columns), owned */
    double *value; /* (num_columns, num_rows): a column is contiguous, owned */
} hsgd_series;

/* Read a file. Every row must have as many numbers as the first line has names. */
hsgd_status hsgd_series_read(hsgd_series *out, const char *path, hsgd_error *err);
void hsgd_series_free(hsgd_series *series);

/* The column of this name (num_rows), or NULL. */
const double *hsgd_series_column(const hsgd_series *series, const char *name);

#endif
