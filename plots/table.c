/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "plots/table_private.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "plots/output.h"

void hsgd_table_init(hsgd_table *table, size_t num_rows)
{
    *table = (hsgd_table){.num_rows = num_rows, .keep_from = num_rows};
}

void hsgd_table_free(hsgd_table *table)
{
    free(table->column);
    *table = (hsgd_table){0};
}

void hsgd_table_add(hsgd_table *table, const double *data, size_t stride, bool curve, const char *format, ...)
{
    if (!data)
        return;
    hsgd_column *grown = realloc(table->column, (table->num_columns + 1) * sizeof *grown);
    if (!grown) {
        table->failed = true;
        return;
    }
    table->column = grown;
    hsgd_column *added = &grown[table->num_columns++];
    *added = (hsgd_column){.data = data, .stride = stride, .curve = curve};
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(added->name, sizeof added->name, format, arguments);
    va_end(arguments);
}

/* Keep the rows of begin..end-1 where the column is smallest and largest; a bin without numbers keeps none. */
static void keep_extremes(const hsgd_column *column, size_t begin, size_t end, bool *keep)
{
    size_t low = end, high = end;
    for (size_t r = begin; r < end; r++) {
        double value = column->data[r * column->stride];
        if (isnan(value))
            continue;
        if (low == end || value < column->data[low * column->stride])
            low = r;
        if (high == end || value > column->data[high * column->stride])
            high = r;
    }
    if (low < end)
        keep[low] = keep[high] = true;
}

static size_t keep_with_bins(const hsgd_table *table, size_t bins, bool *keep)
{
    size_t rows = table->num_rows;
    for (size_t r = 0; r < rows; r++)
        keep[r] = r == 0 || r == rows - 1 || r >= table->keep_from;
    for (size_t c = 0; c < table->num_columns; c++)
        for (size_t b = 0; b < bins && table->column[c].curve; b++)
            /* b * rows cannot overflow: bins is at most HSGD_TABLE_MAX_ROWS and rows are in memory. */
            keep_extremes(&table->column[c], b * rows / bins, (b + 1) * rows / bins, keep);
    size_t kept = 0;
    for (size_t r = 0; r < rows; r++)
        kept += keep[r];
    return kept;
}

size_t hsgd_table_thin(const hsgd_table *table, bool *keep)
{
    size_t rows = table->num_rows;
    if (rows <= HSGD_TABLE_MAX_ROWS) {
        for (size_t r = 0; r < rows; r++)
            keep[r] = true;
        return rows;
    }
    /* The extremes of different curves often share rows, so the number of bins is found by trying: finest first. */
    size_t kept = rows;
    for (size_t bins = HSGD_TABLE_MAX_ROWS / 2; bins >= 1 && kept > HSGD_TABLE_MAX_ROWS; bins /= 2)
        kept = keep_with_bins(table, bins, keep);
    return kept;
}

static void write_row(const hsgd_table *table, size_t row, FILE *file)
{
    for (size_t c = 0; c < table->num_columns; c++) {
        double value = table->column[c].data[row * table->column[c].stride];
        if (c > 0)
            fputc(' ', file);
        /* An infinity cannot be drawn either; the result file keeps the difference. */
        if (isfinite(value))
            fprintf(file, "%.17g", value);
        else
            fputs("NaN", file);
    }
    fputc('\n', file);
}

hsgd_status hsgd_table_write(const hsgd_table *table, const char *dir, const char *name, hsgd_error *err)
{
    bool *keep = malloc(table->num_rows ? table->num_rows * sizeof *keep : 1);
    if (table->failed || !keep) {
        free(keep);
        return hsgd_fail_memory(err, "the data of a figure");
    }
    hsgd_output out;
    hsgd_status status = hsgd_output_open(&out, dir, name, "dat", err);
    if (status != HSGD_OK) {
        free(keep);
        return status;
    }
    hsgd_table_thin(table, keep);
    for (size_t c = 0; c < table->num_columns; c++)
        fprintf(out.stream, "%s%s", c ? " " : "", table->column[c].name);
    fputc('\n', out.stream);
    for (size_t r = 0; r < table->num_rows; r++)
        if (keep[r] && (!table->only_where || isfinite(table->only_where[r])))
            write_row(table, r, out.stream);
    free(keep);
    return hsgd_output_close(&out, err);
}
