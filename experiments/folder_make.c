/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "experiments/folder.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

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
