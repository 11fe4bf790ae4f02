/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "analysis/open_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "analysis/stream.h"

#ifdef __linux__
#include <linux/magic.h>
#include <sys/vfs.h>
#endif

/* A pipe without a name in any folder: its writer is there, or has been. */
static bool is_shell_pipe(int file, const struct stat *info)
{
#ifdef __linux__
    struct statfs system;
    return S_ISFIFO(info->st_mode) && fstatfs(file, &system) == 0 && system.f_type == PIPEFS_MAGIC;
#else
    (void)file;
    return S_ISFIFO(info->st_mode);
#endif
}

static bool is_standard_input(const struct stat *info)
{
    struct stat input;
    return fstat(STDIN_FILENO, &input) == 0 && input.st_dev == info->st_dev && input.st_ino == info->st_ino;
}

static const char *kind_of(mode_t mode)
{
    return S_ISDIR(mode) ? "a folder" : S_ISFIFO(mode) ? "a named pipe" : S_ISSOCK(mode) ? "a socket" : "a device";
}

hsgd_status hsgd_open_file(int *file, const char *path, hsgd_error *err)
{
    struct stat info;
    int opened = hsgd_open_again(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY,
                                 0); /* a named pipe opens at once, to be refused */
    if (opened < 0)
        return hsgd_fail(err, HSGD_ERROR_INPUT, "%s: cannot be opened: %s", path, strerror(errno));
    bool known = fstat(opened, &info) == 0;
    if (known && (S_ISREG(info.st_mode) || is_shell_pipe(opened, &info) || is_standard_input(&info))) {
        fcntl(opened, F_SETFL, 0);
        *file = opened;
        return HSGD_OK;
    }
    hsgd_status status =
        known ? hsgd_fail(err, HSGD_ERROR_INPUT, "%s: is %s; expected a file", path, kind_of(info.st_mode))
              : hsgd_fail(err, HSGD_ERROR_INPUT, "%s: cannot be read: %s", path, strerror(errno));
    close(opened);
    return status;
}

hsgd_status hsgd_open_stream(FILE **stream, const char *path, hsgd_error *err)
{
    int file;
    hsgd_status status = hsgd_open_file(&file, path, err);
    if (status)
        return status;
    *stream = hsgd_stream_of(file, "r");
    if (*stream)
        return HSGD_OK;
    close(file);
    return hsgd_fail_memory(err, path);
}
