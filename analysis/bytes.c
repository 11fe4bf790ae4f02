/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "analysis/bytes.h"

#include <stdlib.h>
#include <string.h>

void hsgd_bytes_free(hsgd_bytes *bytes)
{
    if (!bytes)
        return;
    free(bytes->data);
    *bytes = (hsgd_bytes){0};
}

void hsgd_bytes_reserve(hsgd_bytes *out, size_t size)
{
    unsigned char *data = size > out->room && !out->failed ? realloc(out->data, size) : NULL;
    if (!data) {
        out->failed = out->failed || size > out->room;
        return;
    }
    out->data = data;
    out->room = size;
}

/* Room for so many more? */
static bool grow(hsgd_bytes *out, size_t size)
{
    enum { LEAST = 256 };
    if (size > SIZE_MAX / 4 - out->size)
        return false;
    if (size > out->room - out->size)
        hsgd_bytes_reserve(out, 2 * (out->size + size) > LEAST ? 2 * (out->size + size) : LEAST);
    return !out->failed;
}

void hsgd_bytes_put(hsgd_bytes *out, const void *data, size_t size)
{
    if (!grow(out, size)) {
        out->failed = true;
        return;
    }
    if (size)
        memcpy(out->data + out->size, data, size);
    out->size += size;
}

void hsgd_bytes_put_number(hsgd_bytes *out, uint64_t value)
{
    hsgd_bytes_put(out, &value, sizeof value);
}

void hsgd_bytes_put_count(hsgd_bytes *out, size_t value)
{
    hsgd_bytes_put_number(out, value);
}

void hsgd_bytes_put_counts(hsgd_bytes *out, const size_t *value, size_t count)
{
    for (size_t i = 0; i < count; i++)
        hsgd_bytes_put_count(out, value[i]);
}

void hsgd_bytes_put_doubles(hsgd_bytes *out, const double *value, size_t count)
{
    if (count > SIZE_MAX / sizeof *value)
        out->failed = true;
    else
        hsgd_bytes_put(out, value, count * sizeof *value);
}

hsgd_bytes_reader hsgd_bytes_read(const void *data, size_t size)
{
    return (hsgd_bytes_reader){.next = data, .left = size};
}

void hsgd_bytes_take(hsgd_bytes_reader *in, void *data, size_t size)
{
    if (size > in->left)
        in->failed = true;
    if (!size)
        return;
    if (in->failed) {
        memset(data, 0, size);
        return;
    }
    memcpy(data, in->next, size);
    in->next += size;
    in->left -= size;
}

void hsgd_bytes_skip(hsgd_bytes_reader *in, size_t size)
{
    in->failed = in->failed || size > in->left;
    if (in->failed || !size)
        return;
    in->next += size;
    in->left -= size;
}

uint64_t hsgd_bytes_take_number(hsgd_bytes_reader *in)
{
    uint64_t number;
    hsgd_bytes_take(in, &number, sizeof number);
    return number;
}

size_t hsgd_bytes_take_count(hsgd_bytes_reader *in)
{
    uint64_t number = hsgd_bytes_take_number(in);
    if (number > SIZE_MAX) {
        in->failed = true;
        return 0;
    }
    return (size_t)number;
}

void hsgd_bytes_take_counts(hsgd_bytes_reader *in, size_t *value, size_t count)
{
    for (size_t i = 0; i < count; i++)
        value[i] = hsgd_bytes_take_count(in);
}

void hsgd_bytes_take_doubles(hsgd_bytes_reader *in, double *value, size_t count)
{
    if (count > SIZE_MAX / sizeof *value)
        in->failed = true;
    else
        hsgd_bytes_take(in, value, count * sizeof *value);
}
