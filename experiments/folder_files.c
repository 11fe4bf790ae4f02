/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The folder itself: making, locking and sweeping it. */
#include "experiments/folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "analysis/stream.h"
#include "experiments/provenance_private.h"
#include "plots/output.h"

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
    if (!status && access(path, W_OK | X_OK) != 0)
        status = hsgd_fail(err, HSGD_ERROR_ENVIRONMENT, "%s: the output folder cannot be written to: %s", path,
                           strerror(errno));
    free(copy);
    return status;
}

hsgd_status hsgd_folder_make_inside(const char *path, hsgd_error *err)
{
    struct stat info;
    if (lstat(path, &info) == 0 && S_ISLNK(info.st_mode))
        return hsgd_fail(err, HSGD_ERROR_ENVIRONMENT, "%s: is a symbolic link; expected a folder of hsgd's own", path);
    return hsgd_folder_make(path, err);
}

hsgd_status hsgd_folder_lock(int *lock, const char *dir, hsgd_error *err)
{
    *lock = hsgd_open_again(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC,
                            0); /* the folder itself is the lock: no file is left behind */
    int failed = *lock >= 0 ? flock(*lock, LOCK_EX | LOCK_NB) : 0;
    while (failed && errno == EINTR)
        failed = flock(*lock, LOCK_EX | LOCK_NB);
    if (failed && errno == EWOULDBLOCK) {
        hsgd_folder_unlock(*lock);
        *lock = -1;
        return hsgd_fail(err, HSGD_ERROR_ENVIRONMENT, "%s: another hsgd is writing to this folder", dir);
    }
    return HSGD_OK;
}

void hsgd_folder_unlock(int lock)
{
    if (lock >= 0)
        close(lock);
}

static bool is_hidden(const char *name)
{
    return strncmp(name, HSGD_RENDER_PREFIX, strlen(HSGD_RENDER_PREFIX)) == 0;
}

/* Remove a hidden folder with all in it; what cannot be removed stays. */
static void remove_hidden(int dir, const char *name)
{
    int inside;
    do
        inside = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    while (inside < 0 && errno == EINTR);
    DIR *entries = inside >= 0 ? fdopendir(inside) : NULL;
    if (!entries) {
        if (inside >= 0)
            close(inside);
        return;
    }
    for (const struct dirent *entry; (entry = readdir(entries));)
        if (unlinkat(inside, entry->d_name, 0) != 0 && is_hidden(entry->d_name))
            remove_hidden(inside, entry->d_name);
    closedir(entries);
    unlinkat(dir, name, AT_REMOVEDIR);
}

void hsgd_folder_remove_hidden(const char *path)
{
    remove_hidden(AT_FDCWD, path);
}

/* A temporary file whose process is gone: others than the one who holds the lock may write pages to this folder. */
static bool is_left(int dir, const char *name)
{
    struct stat info;
    long process;
    return hsgd_output_is_temporary(name, &process) && fstatat(dir, name, &info, AT_SYMLINK_NOFOLLOW) == 0 &&
           S_ISREG(info.st_mode) && kill((pid_t)process, 0) != 0 && errno == ESRCH;
}

void hsgd_folder_sweep(const char *dir)
{
    DIR *entries = opendir(dir);
    if (!entries)
        return;
    for (const struct dirent *entry; (entry = readdir(entries));)
        if (is_hidden(entry->d_name))
            remove_hidden(dirfd(entries), entry->d_name);
        else if (is_left(dirfd(entries), entry->d_name))
            unlinkat(dirfd(entries), entry->d_name, 0);
    closedir(entries);
}

/* ---- whose results ---- */

static const struct {
    const char *file, *content;
} kinds[HSGD_NUM_FOLDER_KINDS] = {
    [HSGD_FOLDER_RUN] = {"result.json", "the results of a single run"},
    [HSGD_FOLDER_SWEEP] = {"sweep.json", "a sweep"},
    [HSGD_FOLDER_PHASE] = {"phase.json", "a phase diagram"},
    [HSGD_FOLDER_RATE] = {"rate.json", "a rate of convergence"},
    [HSGD_FOLDER_HUNT] = {"hunt.json", "a hunt"},
    [HSGD_FOLDER_PLAN] = {"plan.json", "a plan"},
    [HSGD_FOLDER_TRAIN] = {"train.json", "a training"},
    [HSGD_FOLDER_PEP] = {"pep.json", "worst cases over step sizes"},
};

/* No memory is needed: nothing may look as if it were not there. */
static bool has_file(const char *dir, const char *file)
{
    int folder = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
    bool found = folder >= 0 && faccessat(folder, file, F_OK, 0) == 0;
    if (folder >= 0)
        close(folder);
    return found;
}

hsgd_folder_kind hsgd_folder_kind_of(const char *dir)
{
    for (size_t k = HSGD_NUM_FOLDER_KINDS; k-- > 0;)
        if (has_file(dir, kinds[k].file))
            return (hsgd_folder_kind)k;
    return HSGD_NUM_FOLDER_KINDS;
}

const char *hsgd_folder_file(hsgd_folder_kind kind)
{
    return kinds[kind].file;
}

const char *hsgd_folder_content(hsgd_folder_kind kind)
{
    return kinds[kind].content;
}

hsgd_status hsgd_folder_open(int *lock, const char *dir, hsgd_folder_kind kind, hsgd_error *err)
{
    for (int k = 0; k < HSGD_NUM_FOLDER_KINDS; k++)
        if (k != (int)kind && has_file(dir, kinds[k].file))
            return hsgd_fail(err, HSGD_ERROR_INPUT, "--output: \"%s\" holds %s (%s); expected another folder", dir,
                             kinds[k].content, kinds[k].file);
    hsgd_status status = hsgd_provenance_check_date(err);
    if (!status)
        status = hsgd_folder_make(dir, err);
    if (!status)
        status = hsgd_folder_lock(lock, dir, err);
    if (!status)
        hsgd_folder_sweep(dir);
    return status;
}
