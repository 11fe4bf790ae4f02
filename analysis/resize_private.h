/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Area averaging, row by row, so that a large picture is never in memory; not installed. */
#ifndef HSGD_ANALYSIS_RESIZE_PRIVATE_H
#define HSGD_ANALYSIS_RESIZE_PRIVATE_H

#include <stddef.h>
#include <stdint.h>

/* All sides at least 1; from_* at most 2^16, to_* at most 2^12, so that 64 bits hold every sum. */
typedef struct hsgd_resize {
    size_t from_rows, from_columns, to_rows, to_columns;
} hsgd_resize;

/* Add the source's row number `row`, rgb (from_columns, 3), to sum (3, to_rows, to_columns), which begins as zeros;
 * line (3, to_columns) is scratch. */
void hsgd_resize_add_row(uint64_t *sum, uint64_t *line, const unsigned char *rgb, size_t row, const hsgd_resize *size);

/* After all rows: out (3, to_rows, to_columns), the means, rounded to the nearest bytes and halves up. */
void hsgd_resize_finish(uint8_t *out, const uint64_t *sum, const hsgd_resize *size);

#endif
