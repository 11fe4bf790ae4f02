/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "plots/output.h"

#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "analysis/stream.h"

/* Leftovers of killed processes may hold a few of the names. */
enum { MAX_TEMPORARY_NAMES = 100 };

#define TEMPORARY_MARK ".tmp-"

/* Those that are open, so that a program that ends in the middle can remove what it leaves. */
static hsgd_output *first_open;
static pthread_mutex_t open_lock = PTHREAD_MUTEX_INITIALIZER;

static void enlist(hsgd_output *out)
{
    pthread_mutex_lock(&open_lock);
    out->next = first_open;
    first_open = out;
    pthread_mutex_unlock(&open_lock);
}

static void strike_off(const hsgd_output *out)
{
    pthread_mutex_lock(&open_lock);
    for (hsgd_output **link = &first_open; *link; link = &(*link)->next)
        if (*link == out) {
            *link = out->next;
            break;
        }
    pthread_mutex_unlock(&open_lock);
}

void hsgd_output_abandon_all(void)
{
    pthread_mutex_lock(&open_lock);
    for (; first_open; first_open = first_open->next)
        unlink(first_open->temporary);
    pthread_mutex_unlock(&open_lock);
}

static void release(hsgd_output *out)
{
    strike_off(out);
    free(out->path);
    free(out->temporary);
    if (out->numbers) {
        uselocale(out->previous);
        freelocale(out->numbers);
    }
    *out = (hsgd_output){0};
}

/* A descriptor of a new file beside out->path, or -1 with errno set. O_EXCL: never through somebody's symbolic link. */
static int create_temporary(hsgd_output *out)
{
    for (int i = 0; i < MAX_TEMPORARY_NAMES; i++) {
        if (asprintf(&out->temporary, "%s" TEMPORARY_MARK "%ld-%d", out->path, (long)getpid(), i) < 0) {
            out->temporary = NULL;
            errno = ENOMEM;
            return -1;
        }
        int descriptor = hsgd_open_again(out->temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
        if (descriptor >= 0 || errno != EEXIST)
            return descriptor;
        free(out->temporary);
        out->temporary = NULL;
    }
    errno = EEXIST;
    return -1;
}

/* Open what out->path says. */
static hsgd_status open_stream(hsgd_output *out, hsgd_error *err)
{
    int descriptor = create_temporary(out);
    if (descriptor >= 0)
        out->numbers = newlocale(LC_NUMERIC_MASK, "C", (locale_t)0);
    if (out->numbers)
        out->stream = hsgd_stream_of(descriptor, "w");
    if (!out->stream) {
        hsgd_status status = hsgd_fail(err, HSGD_ERROR_ENVIRONMENT, "cannot write %s: %s", out->path, strerror(errno));
        if (descriptor >= 0) {
            close(descriptor);
            unlink(out->temporary);
        }
        if (out->numbers)
            freelocale(out->numbers);
        out->numbers = (locale_t)0;
        release(out);
        return status;
    }
    out->descriptor = descriptor;
    out->previous = uselocale(out->numbers);
    enlist(out);
    return HSGD_OK;
}

/* Some file systems, and files like pipes, have nothing to sync. */
static bool syncs(int descriptor)
{
    int failed;
    do
        failed = fsync(descriptor);
    while (failed && errno == EINTR);
    return !failed || errno == EINVAL || errno == EROFS || errno == ENOTSUP;
}

void hsgd_output_sync_folder(const char *dir)
{
    int descriptor = hsgd_open_again(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
    if (descriptor < 0)
        return;
    (void)syncs(descriptor);
    close(descriptor);
}

/* The folder of a file. */
static void sync_folder_of(char *path)
{
    char *slash = strrchr(path, '/');
    if (slash && slash > path)
        *slash = '\0';
    hsgd_output_sync_folder(!slash ? "." : slash > path ? path : "/");
    if (slash)
        *slash = '/';
}

hsgd_status hsgd_output_open(hsgd_output *out, const char *dir, const char *name, const char *suffix, hsgd_error *err)
{
    *out = (hsgd_output){0};
    if (asprintf(&out->path, "%s/%s.%s", dir, name, suffix) < 0) {
        out->path = NULL;
        return hsgd_fail_memory(err, "a file name");
    }
    return open_stream(out, err);
}

hsgd_status hsgd_output_open_path(hsgd_output *out, const char *path, hsgd_error *err)
{
    struct stat existing;
    *out = (hsgd_output){0};
    /* Renaming would put a file in the place of a device or a folder. */
    if (stat(path, &existing) == 0 && !S_ISREG(existing.st_mode))
        return hsgd_fail(err, HSGD_ERROR_INPUT, "%s: exists and is not a file", path);
    out->path = strdup(path);
    return out->path ? open_stream(out, err) : hsgd_fail_memory(err, "a file name");
}

int hsgd_output_rename(const char *from, const char *to)
{
    char *copy = strdup(to);
    int descriptor = copy ? hsgd_open_again(from, O_RDONLY | O_CLOEXEC, 0) : -1;
    bool moved = descriptor >= 0 && syncs(descriptor) && rename(from, to) == 0;
    int reason = errno;
    if (descriptor >= 0)
        close(descriptor);
    if (moved)
        sync_folder_of(copy);
    free(copy);
    errno = reason;
    return moved ? 0 : -1;
}

hsgd_status hsgd_output_close(hsgd_output *out, hsgd_error *err)
{
    bool failed = fflush(out->stream) != 0 || ferror(out->stream);
    int reason = 0;
    /* Before the name: else a machine that loses its power may keep the name and not the bytes. */
    if (!failed && !syncs(out->descriptor))
        reason = errno;
    if (fclose(out->stream) != 0 && !reason) /* it knows why a write failed */
        reason = errno;
    if (failed && !reason) /* nothing was written */
        reason = ENOMEM;
    if (!reason && rename(out->temporary, out->path) != 0)
        reason = errno;
    hsgd_status status = HSGD_OK;
    if (reason) {
        status = hsgd_fail(err, HSGD_ERROR_ENVIRONMENT, "cannot write %s: %s", out->path, strerror(reason));
        unlink(out->temporary);
    } else
        sync_folder_of(out->path);
    release(out);
    return status;
}

void hsgd_output_drop(hsgd_output *out)
{
    fclose(out->stream);
    unlink(out->temporary);
    release(out);
}

/* The last place of the mark; NULL: none. */
static const char *find_mark(const char *name)
{
    const char *found = NULL;
    for (const char *next = name; (next = strstr(next, TEMPORARY_MARK)); next++)
        found = next;
    return found;
}

bool hsgd_output_is_temporary(const char *name, long *process)
{
    const char *mark = find_mark(name), *number = mark ? mark + strlen(TEMPORARY_MARK) : NULL;
    size_t digits = number ? strspn(number, "0123456789") : 0, more;
    if (!digits || digits > 18 || number[digits] != '-' || mark == name)
        return false;
    more = strspn(number + digits + 1, "0123456789");
    *process = strtol(number, NULL, 10);
    return more && !number[digits + 1 + more];
}
