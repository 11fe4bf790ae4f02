/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The data file of a figure: named columns in the first line, one row per line, NaN for what is missing. */
#ifndef HSGD_PLOTS_TABLE_PRIVATE_H
#define HSGD_PLOTS_TABLE_PRIVATE_H

#include <stdbool.h>
#include <stddef.h>

#include "analysis/error.h"

/* More rows than this are thinned: a column of print resolves no more, and scripts stay quick. */
enum { HSGD_TABLE_MAX_ROWS = 2000 };

typedef struct hsgd_column {
    char name[48];
    const double *data; /* entry of row r: data[r * stride]; borrowed */
    size_t stride;
    bool curve; /* thinning keeps its extremes; false for what only accompanies a curve */
} hsgd_column;

typedef struct hsgd_table {
    hsgd_column *column; /* owned */
    size_t num_columns, num_rows;
    const double *only_where; /* (num_rows) rows where this is not finite are left out; NULL: none; borrowed */
    size_t keep_from;         /* rows from here on are never thinned; num_rows: none */
    bool failed;              /* out of memory; reported by write */
} hsgd_table;

void hsgd_table_init(hsgd_table *table, size_t num_rows);
void hsgd_table_free(hsgd_table *table);

/* Add a column, in the order of the file. Names come from format. A NULL data adds nothing. */
void hsgd_table_add(hsgd_table *table, const double *data, size_t stride, bool curve, const char *format, ...)
    HSGD_PRINTF(5, 6);

/* Write DIR/NAME.dat. */
hsgd_status hsgd_table_write(const hsgd_table *table, const char *dir, const char *name, hsgd_error *err);

/* keep[r] (num_rows) = row r is drawn; returns how many are. Rows are cut into equal bins, and every bin keeps the rows
 * where a curve is smallest or largest, so no spike is lost; the first and last row stay too. Everything is kept up to
 * HSGD_TABLE_MAX_ROWS rows. */
size_t hsgd_table_thin(const hsgd_table *table, bool *keep);

#endif
