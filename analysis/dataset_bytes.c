/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Data kept as the bytes of their files, each of which stands for a double: byte_value. Whoever needs doubles gets them a
 * few rows at a time, the same to the bit as if all had been doubles from the start. */
#include "analysis/dataset.h"

#include <stdlib.h>
#include <string.h>

#include "analysis/dataset_private.h"
#include "analysis/memory.h"

void hsgd_dataset_set_pixels(hsgd_dataset *data)
{
    for (size_t b = 0; b < HSGD_BYTE_VALUES; b++)
        data->byte_value[b] = (double)b / 255.0;
}

const double *hsgd_dataset_rows(const hsgd_dataset *data, size_t first, size_t count, double *room)
{
    size_t p = data->num_features, entries = count * p;
    if (data->dense)
        return data->dense + first * p;
    const uint8_t *byte = data->byte + first * p;
    for (size_t i = 0; i < entries; i++)
        room[i] = data->byte_value[byte[i]];
    return room;
}

hsgd_status hsgd_dataset_to_doubles(hsgd_dataset *data, hsgd_error *err)
{
    if (!data->byte)
        return HSGD_OK;
    size_t m = data->num_samples, p = data->num_features;
    hsgd_status status = hsgd_memory_check((double)m * (double)p * sizeof(double), "the features as doubles",
                                           "scaling \"none\" or fewer samples", err);
    if (status)
        return status;
    double *dense = malloc(m * p * sizeof *dense);
    if (!dense)
        return hsgd_fail_memory(err, "the features as doubles");
    hsgd_dataset_rows(data, 0, m, dense);
    free(data->byte);
    data->byte = NULL;
    data->dense = dense;
    return HSGD_OK;
}

/* Rows move to their new places from the last to the first, so none is overwritten before it has moved. */
hsgd_status hsgd_dataset_widen_bytes(hsgd_dataset *data, uint8_t one, hsgd_error *err)
{
    size_t m = data->num_samples, p = data->num_features;
    uint8_t *byte = realloc(data->byte, m * (p + 1));
    if (!byte)
        return hsgd_fail_memory(err, "the intercept");
    data->byte = byte;
    for (size_t s = m; s-- > 0;) {
        memmove(byte + s * (p + 1), byte + s * p, p);
        byte[s * (p + 1) + p] = one;
    }
    return HSGD_OK;
}

/* Cycle after cycle: the row that a cycle begins with waits in room until its place is known. */
void hsgd_permute_rows(void *rows, size_t row_bytes, const size_t *order, size_t count, void *room, bool *done)
{
    char *row = rows;
    for (size_t s = 0; s < count; s++) {
        if (done[s] || order[s] == s)
            continue;
        memcpy(room, row + s * row_bytes, row_bytes);
        size_t to = s;
        for (; order[to] != s; to = order[to]) {
            memcpy(row + to * row_bytes, row + order[to] * row_bytes, row_bytes);
            done[to] = true;
        }
        memcpy(row + to * row_bytes, room, row_bytes);
        done[to] = true;
    }
}
