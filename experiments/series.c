/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "experiments/series_private.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/open_file.h"

typedef struct series_reader {
    const char *path;
    FILE *stream;
    char *line;
    size_t line_size, line_number;
    double *row_major;
    size_t capacity; /* in numbers */
    int reason;      /* an error number: why there is no next line; 0: the file ends */
} series_reader;

/* The next line without its end; false at the end of the file, and where it cannot be read: getline gives what it has of a line
 * then. */
static bool next_line(series_reader *r)
{
    errno = 0;
    ssize_t length = getline(&r->line, &r->line_size, r->stream);
    bool failed = ferror(r->stream) || (length < 0 && !feof(r->stream));
    r->reason = failed ? (errno ? errno : EIO) : 0;
    if (length < 0 || failed)
        return false;
    r->line_number++;
    while (length > 0 && (r->line[length - 1] == '\n' || r->line[length - 1] == '\r'))
        r->line[--length] = '\0';
    for (char *zero = r->line; (zero = memchr(zero, '\0', (size_t)(r->line + length - zero)));)
        *zero = '?'; /* would hide the rest of the line */
    return true;
}

static hsgd_status read_names(hsgd_series *out, series_reader *r, hsgd_error *err)
{
    bool found = next_line(r);
    if (r->reason)
        return HSGD_OK; /* to be told below */
    if (!found || !*r->line)
        return hsgd_fail(err, HSGD_ERROR_INPUT, "%s: line 1: expected the names of the columns", r->path);
    size_t columns = 1;
    for (const char *c = r->line; *c; c++)
        columns += *c == ',';
    out->name = calloc(columns, sizeof *out->name);
    if (!out->name)
        return hsgd_fail_memory(err, r->path);
    char *rest = r->line, *name;
    while ((name = strsep(&rest, ","))) {
        out->name[out->num_columns] = strdup(name);
        if (!out->name[out->num_columns++])
            return hsgd_fail_memory(err, r->path);
    }
    return HSGD_OK;
}

static hsgd_status read_row(hsgd_series *out, series_reader *r, hsgd_error *err)
{
    size_t columns = out->num_columns, used = out->num_rows * columns;
    if (used + columns > r->capacity) {
        size_t capacity = 2 * r->capacity + 64 * columns;
        double *grown = realloc(r->row_major, capacity * sizeof *grown);
        if (!grown)
            return hsgd_fail_memory(err, r->path);
        r->row_major = grown;
        r->capacity = capacity;
    }
    char *rest = r->line, *text, *end;
    size_t c = 0;
    for (; (text = strsep(&rest, ",")); c++) {
        double value = strtod(text, &end);
        if (c >= columns || end == text || *end)
            break;
        r->row_major[used + c] = value;
    }
    if (text || c != columns)
        return hsgd_fail(err, HSGD_ERROR_INPUT, "%s: line %zu, column %zu: expected %zu numbers separated by commas",
                         r->path, r->line_number, c + 1, columns);
    out->num_rows++;
    return HSGD_OK;
}

static hsgd_status transpose(hsgd_series *out, const series_reader *r, hsgd_error *err)
{
    if (out->num_rows == 0)
        return hsgd_fail(err, HSGD_ERROR_INPUT, "%s: no row of numbers", r->path);
    out->value = malloc(out->num_rows * out->num_columns * sizeof *out->value);
    if (!out->value)
        return hsgd_fail_memory(err, r->path);
    for (size_t row = 0; row < out->num_rows; row++)
        for (size_t c = 0; c < out->num_columns; c++)
            out->value[c * out->num_rows + row] = r->row_major[row * out->num_columns + c];
    return HSGD_OK;
}

hsgd_status hsgd_series_read(hsgd_series *out, const char *path, hsgd_error *err)
{
    memset(out, 0, sizeof *out);
    series_reader r = {.path = path};
    hsgd_status status = hsgd_open_stream(&r.stream, path, err);
    if (status)
        return status;
    status = read_names(out, &r, err);
    while (!status && !r.reason && next_line(&r))
        status = read_row(out, &r, err);
    if (r.reason == ENOMEM)
        status = hsgd_fail_memory(err, path);
    else if (r.reason)
        status = hsgd_fail(err, HSGD_ERROR_ENVIRONMENT, "%s: cannot be read: %s", path, strerror(r.reason));
    if (!status)
        status = transpose(out, &r, err);
    fclose(r.stream);
    free(r.line);
    free(r.row_major);
    if (status)
        hsgd_series_free(out);
    return status;
}

void hsgd_series_free(hsgd_series *series)
{
    if (!series)
        return;
    for (size_t c = 0; series->name && c < series->num_columns; c++)
        free(series->name[c]);
    free(series->name);
    free(series->value);
    memset(series, 0, sizeof *series);
}

const double *hsgd_series_column(const hsgd_series *series, const char *name)
{
    for (size_t c = 0; c < series->num_columns; c++)
        if (strcmp(series->name[c], name) == 0)
            return series->value + c * series->num_rows;
    return NULL;
}
