/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "analysis/stream.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

typedef struct file {
    int descriptor;
    int reason; /* of the first write that failed; 0: none did */
} file;

int hsgd_open_again(const char *path, int flags, unsigned mode)
{
    int descriptor;
    do
        descriptor = open(path, flags, (mode_t)mode);
    while (descriptor < 0 && errno == EINTR);
    return descriptor;
}

static ssize_t read_some(void *cookie, char *bytes, size_t size)
{
    const file *f = cookie;
    ssize_t got;
    do
        got = read(f->descriptor, bytes, size);
    while (got < 0 && errno == EINTR);
    return got;
}

static ssize_t write_all(void *cookie, const char *bytes, size_t size)
{
    file *f = cookie;
    size_t done = 0;
    while (!f->reason && done < size) {
        ssize_t written = write(f->descriptor, bytes + done, size - done);
        if (written >= 0)
            done += (size_t)written;
        else if (errno != EINTR)
            f->reason = errno;
    }
    if (f->reason)
        errno = f->reason;
    return (ssize_t)done;
}

static int seek(void *cookie, off64_t *offset, int whence)
{
    const file *f = cookie;
    off64_t place = lseek64(f->descriptor, *offset, whence);
    if (place < 0)
        return -1;
    *offset = place;
    return 0;
}

static int end(void *cookie)
{
    file *f = cookie;
    int reason = f->reason;
    if (close(f->descriptor) != 0 && !reason && errno != EINTR) /* it is closed then, and must not be closed again */
        reason = errno;
    free(f);
    if (reason)
        errno = reason;
    return reason ? -1 : 0;
}

FILE *hsgd_stream_of(int descriptor, const char *mode)
{
    const cookie_io_functions_t functions = {.read = read_some, .write = write_all, .seek = seek, .close = end};
    file *f = malloc(sizeof *f);
    if (!f)
        return NULL;
    *f = (file){.descriptor = descriptor};
    FILE *stream = fopencookie(f, mode, functions);
    if (!stream)
        free(f);
    return stream;
}

FILE *hsgd_stream_open(const char *path)
{
    int descriptor = hsgd_open_again(path, O_RDONLY | O_CLOEXEC, 0);
    FILE *stream = descriptor < 0 ? NULL : hsgd_stream_of(descriptor, "r");
    if (descriptor >= 0 && !stream)
        close(descriptor);
    return stream;
}
