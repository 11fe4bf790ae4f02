/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Area averaging in whole numbers. Along one side of n source pixels and m new ones, lengths are counted in parts: the side
 * has n m of them, source pixel k covers the parts k m .. (k + 1) m - 1 and new pixel j the parts j n .. (j + 1) n - 1. The
 * parts that two pixels share are then whole, and the weights of a new pixel add up to n along this side. */
#include "analysis/resize_private.h"

#include <string.h>

#include "analysis/image.h"

/* Parts that source pixel k of n shares with new pixel j of m. */
static uint64_t shared_parts(size_t k, size_t n, size_t j, size_t m)
{
    size_t begin = k * m > j * n ? k * m : j * n;
    size_t end = (k + 1) * m < (j + 1) * n ? (k + 1) * m : (j + 1) * n;
    return end > begin ? end - begin : 0;
}

/* The first new pixel that source pixel k touches, and the one after the last. */
static size_t first_touched(size_t k, size_t n, size_t m)
{
    return k * m / n;
}

static size_t end_touched(size_t k, size_t n, size_t m)
{
    return ((k + 1) * m - 1) / n + 1;
}

static void add_columns(uint64_t *line, const unsigned char *rgb, size_t n, size_t m)
{
    memset(line, 0, HSGD_IMAGE_CHANNELS * m * sizeof *line);
    for (size_t k = 0; k < n; k++)
        for (size_t j = first_touched(k, n, m); j < end_touched(k, n, m); j++) {
            uint64_t weight = shared_parts(k, n, j, m);
            for (size_t c = 0; c < HSGD_IMAGE_CHANNELS; c++)
                line[c * m + j] += weight * rgb[HSGD_IMAGE_CHANNELS * k + c];
        }
}

void hsgd_resize_add_row(uint64_t *sum, uint64_t *line, const unsigned char *rgb, size_t row, const hsgd_resize *size)
{
    size_t n = size->from_rows, m = size->to_rows, columns = size->to_columns;
    add_columns(line, rgb, size->from_columns, columns);
    for (size_t i = first_touched(row, n, m); i < end_touched(row, n, m); i++) {
        uint64_t weight = shared_parts(row, n, i, m);
        for (size_t c = 0; c < HSGD_IMAGE_CHANNELS; c++)
            for (size_t j = 0; j < columns; j++)
                sum[(c * m + i) * columns + j] += weight * line[c * columns + j];
    }
}

/* The means lie between neighbours of 0 .. 255; halves go up. */
void hsgd_resize_finish(uint8_t *out, const uint64_t *sum, const hsgd_resize *size)
{
    uint64_t whole = (uint64_t)size->from_rows * size->from_columns;
    for (size_t i = 0; i < HSGD_IMAGE_CHANNELS * size->to_rows * size->to_columns; i++)
        out[i] = (uint8_t)((2 * sum[i] + whole) / (2 * whole));
}
