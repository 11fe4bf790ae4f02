/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A semidefinite program's memory, and the SDPA sparse format (its own terms: F(y) = sum y_i F_i - F_0). */
#include "bounds/sdp_private.h"

#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

hsgd_status hsgd_sdp_init(hsgd_sdp *out, size_t num_variables, const size_t *block_size, size_t num_blocks,
                          size_t num_rows, hsgd_error *err)
{
    *out = (hsgd_sdp){.num_variables = num_variables, .num_blocks = num_blocks, .num_rows = num_rows};
    out->cost = calloc(num_variables + 1, sizeof *out->cost);
    out->block_size = calloc(num_blocks + 1, sizeof *out->block_size);
    out->block = calloc(num_blocks + 1, sizeof *out->block);
    out->row.start = calloc(num_variables + 2, sizeof *out->row.start);
    bool complete = out->cost && out->block_size && out->block && out->row.start;
    for (size_t k = 0; complete && k < num_blocks; k++) {
        out->block_size[k] = block_size[k];
        out->block[k].start = calloc(num_variables + 2, sizeof *out->block[k].start);
        complete = out->block[k].start;
    }
    return complete ? HSGD_OK : hsgd_fail_memory(err, "the semidefinite program");
}

static void free_columns(hsgd_sdp_columns *columns)
{
    free(columns->start);
    free(columns->index);
    free(columns->value);
}

void hsgd_sdp_free(hsgd_sdp *sdp)
{
    if (!sdp)
        return;
    for (size_t k = 0; sdp->block && k < sdp->num_blocks; k++)
        free_columns(&sdp->block[k]);
    free_columns(&sdp->row);
    free(sdp->cost);
    free(sdp->block_size);
    free(sdp->block);
    memset(sdp, 0, sizeof *sdp);
}

static hsgd_status grow(hsgd_sdp_columns *columns, hsgd_error *err)
{
    size_t capacity = columns->capacity ? 2 * columns->capacity : 256;
    if (capacity > INT_MAX)
        return hsgd_fail(err, HSGD_ERROR_MEMORY, "the semidefinite program has more than %d entries", INT_MAX);
    int *index = realloc(columns->index, capacity * sizeof *index);
    if (index)
        columns->index = index;
    double *value = realloc(columns->value, capacity * sizeof *value);
    if (value)
        columns->value = value;
    if (!index || !value)
        return hsgd_fail_memory(err, "the semidefinite program");
    columns->capacity = capacity;
    return HSGD_OK;
}

hsgd_status hsgd_sdp_add(hsgd_sdp_columns *columns, size_t index, double value, hsgd_error *err)
{
    hsgd_status status = columns->count == columns->capacity ? grow(columns, err) : HSGD_OK;
    if (status)
        return status;
    columns->index[columns->count] = (int)index;
    columns->value[columns->count++] = value;
    return HSGD_OK;
}

void hsgd_sdp_end_column(hsgd_sdp_columns *columns, size_t column)
{
    columns->start[column + 1] = (int)columns->count;
}

/* ---- SDPA sparse format ---- */

/* Matrix number, block number, row, column, value; all counted from 1, upper triangle. F_0 is -C. */
static void write_column(FILE *stream, const hsgd_sdp_columns *columns, size_t column, size_t block, bool diagonal)
{
    for (int e = columns->start[column]; e < columns->start[column + 1]; e++) {
        size_t index = (size_t)columns->index[e], i = index, j = index;
        if (!diagonal) {
            for (i = 0; (i + 1) * (i + 2) / 2 <= index;)
                i++;
            j = index - i * (i + 1) / 2;
        }
        fprintf(stream, "%zu %zu %zu %zu %.17g\n", column, block, j + 1, i + 1,
                column ? columns->value[e] : -columns->value[e]);
    }
}

hsgd_status hsgd_sdp_write(FILE *stream, const hsgd_sdp *sdp, const char *title, hsgd_error *err)
{
    fprintf(stream, "\"%s\"\n%zu\n%zu\n", title, sdp->num_variables, sdp->num_blocks + 1);
    for (size_t k = 0; k < sdp->num_blocks; k++)
        fprintf(stream, "%zu ", sdp->block_size[k]);
    fprintf(stream, "-%zu\n", sdp->num_rows);
    for (size_t i = 0; i < sdp->num_variables; i++)
        fprintf(stream, "%.17g%c", sdp->cost[i], i + 1 < sdp->num_variables ? ' ' : '\n');
    for (size_t column = 0; column <= sdp->num_variables; column++) {
        for (size_t k = 0; k < sdp->num_blocks; k++)
            write_column(stream, &sdp->block[k], column, k + 1, false);
        write_column(stream, &sdp->row, column, sdp->num_blocks + 1, true);
    }
    return ferror(stream) ? hsgd_fail(err, HSGD_ERROR_ENVIRONMENT, "the SDPA file cannot be written") : HSGD_OK;
}
