/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "analysis/dataset_private.h"

#include <stdlib.h>
#include <string.h>

#include "analysis/gzip_file.h"
#include "analysis/memory.h"

/* Bytes asked for at a time; larger saves calls, smaller saves memory on tiny files. */
enum { CHUNK = 1 << 16 };

/* Room for another chunk and the final zero byte, but not much beyond the limit. */
static hsgd_status reserve(hsgd_file_bytes *bytes, size_t *capacity, size_t limit, hsgd_error *err)
{
    if (*capacity - bytes->size > CHUNK)
        return HSGD_OK;
    size_t wanted = *capacity ? 2 * *capacity : 2 * (size_t)CHUNK, most = limit + 2 * (size_t)CHUNK;
    wanted = wanted < most ? wanted : most;
    hsgd_status status = hsgd_memory_check((double)wanted, "the file", "a smaller one", err);
    unsigned char *larger = status ? NULL : realloc(bytes->data, wanted);
    if (!larger)
        return status ? status : hsgd_fail_memory(err, "the file");
    bytes->data = larger;
    *capacity = wanted;
    return HSGD_OK;
}

static hsgd_status read_all(hsgd_file_bytes *bytes, hsgd_gzip_file *file, size_t limit, hsgd_error *err)
{
    size_t capacity = 0, got;
    do {
        hsgd_status status = reserve(bytes, &capacity, limit, err);
        if (!status)
            status = hsgd_gzip_read(bytes->data + bytes->size, &got, file, CHUNK, err);
        if (status)
            return status;
        bytes->size += got;
        if (bytes->size > limit)
            return hsgd_fail(err, HSGD_ERROR_INPUT, "more than %zu bytes (after expansion), the most that is read",
                             limit);
    } while (got > 0);
    bytes->data[bytes->size] = 0;
    return HSGD_OK;
}

hsgd_status hsgd_read_file(hsgd_file_bytes *out, const char *path, size_t limit, hsgd_error *err)
{
    hsgd_gzip_file *file;
    memset(out, 0, sizeof *out);
    hsgd_status status = hsgd_gzip_open(&file, path, err);
    if (status)
        return status;
    status = read_all(out, file, limit, err);
    hsgd_gzip_close(file);
    if (status) {
        hsgd_error_prefix(err, "%s: ", path);
        free(out->data);
        memset(out, 0, sizeof *out);
    }
    return status;
}
