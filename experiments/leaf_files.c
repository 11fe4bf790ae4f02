/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which files a path of LEAF data stands for. */
#include "experiments/leaf.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static int ends_with(const char *name, const char *end)
{
    size_t length = strlen(name), wanted = strlen(end);
    return length > wanted && strcmp(name + length - wanted, end) == 0;
}

static int is_data(const struct dirent *entry)
{
    return ends_with(entry->d_name, ".json") || ends_with(entry->d_name, ".json.gz");
}

/* By bytes, whatever the locale: the order of the files is the order of the users. */
static int by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

void hsgd_leaf_files_free(char **file, size_t num_files)
{
    for (size_t i = 0; file && i < num_files; i++)
        free(file[i]);
    free(file);
}

static hsgd_status join_names(char ***file, size_t *num_files, const char *folder, struct dirent **entry, size_t count,
                              hsgd_error *err)
{
    *file = calloc(count, sizeof **file);
    if (!*file)
        return hsgd_fail_memory(err, folder);
    for (*num_files = 0; *num_files < count; ++*num_files)
        if (asprintf(&(*file)[*num_files], "%s/%s", folder, entry[*num_files]->d_name) < 0) {
            hsgd_leaf_files_free(*file, *num_files);
            *file = NULL;
            return hsgd_fail_memory(err, folder);
        }
    return HSGD_OK;
}

static hsgd_status list_folder(char ***file, size_t *num_files, const char *folder, hsgd_error *err)
{
    struct dirent **entry;
    int count = scandir(folder, &entry, is_data, by_name);
    if (count < 0)
        return hsgd_fail(err, HSGD_ERROR_INPUT, "%s: cannot be listed: %s", folder, strerror(errno));
    hsgd_status status =
        count ? join_names(file, num_files, folder, entry, (size_t)count, err)
              : hsgd_fail(err, HSGD_ERROR_INPUT, "%s: the folder has no file *.json or *.json.gz", folder);
    for (int i = 0; i < count; i++)
        free(entry[i]);
    free(entry);
    return status;
}

hsgd_status hsgd_leaf_files(char ***file, size_t *num_files, const char *path, hsgd_error *err)
{
    struct stat info;
    *file = NULL;
    *num_files = 0;
    if (stat(path, &info) == 0 && S_ISDIR(info.st_mode))
        return list_folder(file, num_files, path, err);
    *file = calloc(1, sizeof **file);
    char *copy = strdup(path);
    if (!*file || !copy) {
        free(*file);
        free(copy);
        *file = NULL;
        return hsgd_fail_memory(err, path);
    }
    (*file)[0] = copy;
    *num_files = 1;
    return HSGD_OK;
}
