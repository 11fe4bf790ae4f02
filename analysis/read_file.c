/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "analysis/dataset_private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <zlib.h>

/* Bytes asked for at a time; larger saves calls, smaller saves memory on tiny files. */
enum { CHUNK = 1 << 16 };

static hsgd_status fail_read(gzFile file, const char *path, hsgd_error *err)
{
    int code, system_code = errno;
    gzerror(file, &code);
    if (code == Z_MEM_ERROR)
        return hsgd_fail_memory(err, path);
    if (code == Z_ERRNO)
        return hsgd_fail(err, HSGD_ERROR_INPUT, "%s: cannot read: %s", path, strerror(system_code));
    if (code == Z_BUF_ERROR)
        return hsgd_fail(err, HSGD_ERROR_INPUT, "%s: the gzip data end too early; the file is truncated", path);
    return hsgd_fail(err, HSGD_ERROR_INPUT, "%s: the gzip data are damaged", path);
}

/* Room for another chunk and the final zero byte. */
static hsgd_status reserve(hsgd_file_bytes *bytes, size_t *capacity, const char *path, hsgd_error *err)
{
    if (*capacity - bytes->size > CHUNK)
        return HSGD_OK;
    size_t wanted = *capacity ? 2 * *capacity : 2 * (size_t)CHUNK;
    unsigned char *larger = realloc(bytes->data, wanted);
    if (!larger)
        return hsgd_fail_memory(err, path);
    bytes->data = larger;
    *capacity = wanted;
    return HSGD_OK;
}

static hsgd_status read_all(hsgd_file_bytes *bytes, gzFile file, const char *path, size_t limit, hsgd_error *err)
{
    size_t capacity = 0;
    for (;;) {
        hsgd_status status = reserve(bytes, &capacity, path, err);
        if (status)
            return status;
        int count = gzread(file, bytes->data + bytes->size, CHUNK);
        if (count < 0)
            return fail_read(file, path, err);
        if (count == 0)
            break;
        bytes->size += (size_t)count;
        if (bytes->size > limit)
            return hsgd_fail(err, HSGD_ERROR_INPUT, "%s: more than %zu bytes (after expansion), the most that is read",
                             path, limit);
    }
    bytes->data[bytes->size] = 0;
    int code;
    gzerror(file, &code); /* a truncated stream ends like a complete one, but leaves this mark */
    return code == Z_OK || code == Z_STREAM_END ? HSGD_OK : fail_read(file, path, err);
}

hsgd_status hsgd_read_file(hsgd_file_bytes *out, const char *path, size_t limit, hsgd_error *err)
{
    memset(out, 0, sizeof *out);
    errno = 0;
    gzFile file = gzopen(path, "rb");
    if (!file && errno == 0)
        return hsgd_fail_memory(err, path);
    if (!file)
        return hsgd_fail(err, HSGD_ERROR_INPUT, "%s: cannot open: %s", path, strerror(errno));
    hsgd_status status = read_all(out, file, path, limit, err);
    gzclose_r(file);
    if (status) {
        free(out->data);
        memset(out, 0, sizeof *out);
    }
    return status;
}
