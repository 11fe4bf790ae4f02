/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What earlier calls left in the folder of a sweep: files of children that were killed, which go, and folders of values that the
 * grid does not have any more, which stay. */
#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "experiments/sweep_private.h"

hsgd_status hsgd_sweep_check_points(const hsgd_sweep *sweep, const char *dir, hsgd_error *err)
{
    struct stat info;
    hsgd_status status = HSGD_OK;
    for (size_t i = 0; i < sweep->num_points && !status; i++) {
        char *folder = hsgd_sweep_point_path(dir, &sweep->point[i]);
        if (!folder)
            status = hsgd_fail_memory(err, "a path");
        else if (lstat(folder, &info) == 0 && !S_ISDIR(info.st_mode))
            status = hsgd_fail(err, HSGD_ERROR_ENVIRONMENT, "%s: is no folder, but a %s", folder,
                               S_ISLNK(info.st_mode) ? "symbolic link" : "file");
        free(folder);
    }
    return status;
}

void hsgd_sweep_clean_points(const hsgd_sweep *sweep, const char *dir)
{
    for (size_t i = 0; i < sweep->num_points; i++) {
        char *folder = hsgd_sweep_point_path(dir, &sweep->point[i]);
        int lock;
        if (folder && access(folder, F_OK) == 0 && hsgd_folder_lock(&lock, folder, NULL) == HSGD_OK) {
            hsgd_folder_sweep(folder);
            hsgd_folder_unlock(lock);
        }
        free(folder);
    }
}

static bool is_part(const hsgd_sweep *sweep, const char *name)
{
    for (size_t i = 0; i < sweep->num_points; i++)
        if (strcmp(sweep->point[i].folder, name) == 0)
            return true;
    return false;
}

static bool is_folder(int dir, const char *name)
{
    struct stat info;
    return *name != '.' && fstatat(dir, name, &info, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(info.st_mode);
}

/* On a terminal control characters could do harm. */
static void print_name(const char *name)
{
    for (; *name; name++)
        fputc((unsigned char)*name < 0x20 || *name == 0x7f ? '?' : *name, stderr);
}

/* The number of folders that are not part of the sweep, and the name of the first in the order of names; free it. */
static size_t find_others(char **first, const hsgd_sweep *sweep, DIR *entries)
{
    size_t found = 0;
    *first = NULL;
    for (const struct dirent *entry; (entry = readdir(entries));) {
        if (!is_folder(dirfd(entries), entry->d_name) || is_part(sweep, entry->d_name))
            continue;
        found++;
        if (!*first || strcmp(entry->d_name, *first) < 0) {
            free(*first);
            *first = strdup(entry->d_name);
        }
    }
    return found;
}

void hsgd_sweep_tell_others(const hsgd_sweep *sweep, const char *dir)
{
    char *path = NULL, *first = NULL;
    DIR *entries = asprintf(&path, "%s/points", dir) < 0 ? NULL : opendir(path);
    size_t found = entries ? find_others(&first, sweep, entries) : 0;
    if (found) {
        fprintf(stderr, "hsgd: note: in %s/points %zu folder%s not part of this sweep and left alone: ", dir, found,
                found == 1 ? " is" : "s are");
        print_name(first ? first : "?");
        fputs(found > 1 ? ", ...\n" : "\n", stderr);
    }
    if (entries)
        closedir(entries);
    free(first);
    free(path);
}
