/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "analysis/gzip_file.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <zlib.h>

#include "analysis/open_file.h"

struct hsgd_gzip_file {
    gzFile stream;
    double size; /* on the disk; INFINITY for what is no regular file */
    double expanded;
};

hsgd_status hsgd_gzip_open(hsgd_gzip_file **out, const char *path, hsgd_error *err)
{
    int file;
    struct stat info;
    *out = NULL;
    hsgd_status status = hsgd_open_file(&file, path, err);
    if (status)
        return status;
    hsgd_gzip_file *opened = calloc(1, sizeof *opened);
    if (opened)
        opened->stream = gzdopen(file, "rb");
    if (!opened || !opened->stream) {
        close(file);
        free(opened);
        return hsgd_fail_memory(err, path);
    }
    opened->size = fstat(file, &info) == 0 && S_ISREG(info.st_mode) ? (double)info.st_size : INFINITY;
    *out = opened;
    return HSGD_OK;
}

void hsgd_gzip_close(hsgd_gzip_file *file)
{
    if (!file)
        return;
    gzclose_r(file->stream);
    free(file);
}

static hsgd_status fail_read(hsgd_gzip_file *file, int system_code, hsgd_error *err)
{
    int code;
    gzerror(file->stream, &code);
    if (code == Z_MEM_ERROR)
        return hsgd_fail_memory(err, "a compressed file");
    if (code == Z_ERRNO)
        return hsgd_fail(err, HSGD_ERROR_INPUT, "cannot be read: %s", strerror(system_code));
    if (code == Z_BUF_ERROR)
        return hsgd_fail(err, HSGD_ERROR_INPUT, "the gzip data end too early; the file is truncated");
    return hsgd_fail(err, HSGD_ERROR_INPUT, "the gzip data are damaged");
}

static hsgd_status check_expansion(const hsgd_gzip_file *file, hsgd_error *err)
{
    if (file->expanded <= fmax(HSGD_EXPANSION_FREE_BYTES, HSGD_MAX_EXPANSION * file->size))
        return HSGD_OK;
    return hsgd_fail(err, HSGD_ERROR_INPUT,
                     "the gzip data, %.0f bytes, expand to more than %.0f; at most %d times their size is read",
                     file->size, file->expanded, HSGD_MAX_EXPANSION);
}

hsgd_status hsgd_gzip_read(void *out, size_t *got, hsgd_gzip_file *file, size_t most, hsgd_error *err)
{
    errno = 0;
    *got = 0;
    int count = gzread(file->stream, out, (unsigned)most), system_code = errno, code;
    if (count < 0)
        return fail_read(file, system_code, err);
    if (count == 0) {
        gzerror(file->stream, &code); /* a truncated stream ends like a complete one, but leaves this mark */
        return code == Z_OK || code == Z_STREAM_END ? HSGD_OK : fail_read(file, system_code, err);
    }
    *got = (size_t)count;
    file->expanded += count;
    return check_expansion(file, err);
}
