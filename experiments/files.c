/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "experiments/files.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static hsgd_status make_one(const char *path, hsgd_error *err)
{
    struct stat info;
    if (mkdir(path, 0777) == 0)
        return HSGD_OK;
    int reason = errno;
    if (reason == EEXIST && stat(path, &info) == 0) {
        if (S_ISDIR(info.st_mode))
            return HSGD_OK;
        reason = ENOTDIR;
    }
    return hsgd_fail(err, HSGD_ERROR_ENVIRONMENT, "%s: the output folder cannot be made: %s", path, strerror(reason));
}

hsgd_status hsgd_folder_make(const char *path, hsgd_error *err)
{
    char *copy = strdup(path);
    if (!copy)
        return hsgd_fail_memory(err, "a path");
    hsgd_status status = HSGD_OK;
    for (char *slash = copy + 1; *copy && !status && (slash = strchr(slash, '/')); slash++) {
        *slash = '\0';
        status = make_one(copy, err);
        *slash = '/';
    }
    if (!status)
        status = make_one(copy, err);
    free(copy);
    return status;
}

static void forget(hsgd_output *out)
{
    free(out->path);
    free(out->temporary_path);
    memset(out, 0, sizeof *out);
}

hsgd_status hsgd_output_open(hsgd_output *out, const char *dir, const char *name, hsgd_error *err)
{
    memset(out, 0, sizeof *out);
    if (asprintf(&out->path, "%s/%s", dir, name) < 0)
        out->path = NULL;
    if (asprintf(&out->temporary_path, "%s/.%s.partial", dir, name) < 0)
        out->temporary_path = NULL;
    hsgd_status status = out->path && out->temporary_path ? HSGD_OK : hsgd_fail_memory(err, "a path");
    if (!status && !(out->stream = fopen(out->temporary_path, "w")))
        status = hsgd_fail(err, HSGD_ERROR_ENVIRONMENT, "%s: cannot be written: %s", out->path, strerror(errno));
    if (status)
        forget(out);
    return status;
}

hsgd_status hsgd_output_commit(hsgd_output *out, hsgd_error *err)
{
    errno = 0;
    int failed = fflush(out->stream) != 0 || ferror(out->stream) || fsync(fileno(out->stream)) != 0;
    int reason = errno;
    failed = fclose(out->stream) != 0 || failed;
    if (!failed && rename(out->temporary_path, out->path) != 0) {
        failed = 1;
        reason = errno;
    }
    hsgd_status status = HSGD_OK;
    if (failed) {
        unlink(out->temporary_path);
        status = hsgd_fail(err, HSGD_ERROR_ENVIRONMENT, "%s: cannot be written: %s", out->path,
                           strerror(reason ? reason : EIO));
    }
    forget(out);
    return status;
}

hsgd_status hsgd_output_text(const char *dir, const char *name, const char *text, hsgd_error *err)
{
    hsgd_output out;
    hsgd_status status = hsgd_output_open(&out, dir, name, err);
    if (status)
        return status;
    fputs(text, out.stream);
    return hsgd_output_commit(&out, err);
}
