/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The figures made again: in a folder of links to the results, without gnuplot, then compared byte by byte. Renderings follow from
 * scripts; of those in SVG and PNG the bytes are compared, too, where gnuplot is there. */
#include "experiments/check_private.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "analysis/open_file.h"
#include "experiments/plot_kind_private.h"

/* ---- the other folder ---- */

static bool has_ending(const char *name, const char *ending)
{
    size_t length = strlen(name), end = strlen(ending);
    return length > end && strcmp(name + length - end, ending) == 0;
}

/* What figures are made from. */
static bool is_source(const char *name)
{
    return has_ending(name, ".json") || has_ending(name, ".csv") || strcmp(name, "points") == 0;
}

static hsgd_status link_one(const char *from, const char *name, const char *into, hsgd_error *err)
{
    char *target = NULL, *path = NULL;
    hsgd_status status = HSGD_OK;
    if (asprintf(&target, "%s/%s", from, name) < 0 || asprintf(&path, "%s/%s", into, name) < 0)
        status = hsgd_fail_memory(err, "a path");
    else if (symlink(target, path) != 0)
        status = hsgd_fail(err, HSGD_ERROR_ENVIRONMENT, "cannot write %s: %s", path, strerror(errno));
    free(target);
    free(path);
    return status;
}

static hsgd_status link_sources(const char *dir, const char *into, hsgd_error *err)
{
    char *from = realpath(dir, NULL);
    DIR *entries = from ? opendir(from) : NULL;
    hsgd_status status = entries ? HSGD_OK
                                 : hsgd_fail(err, errno == ENOMEM ? HSGD_ERROR_MEMORY : HSGD_ERROR_INPUT,
                                             "%s: cannot be read: %s", dir, strerror(errno));
    for (const struct dirent *entry; !status && (errno = 0, entry = readdir(entries));)
        if (is_source(entry->d_name))
            status = link_one(from, entry->d_name, into, err);
    if (!status && errno)
        status = hsgd_fail(err, HSGD_ERROR_ENVIRONMENT, "%s: cannot be read: %s", dir, strerror(errno));
    if (entries)
        closedir(entries);
    free(from);
    return status;
}

/* In the folder for temporary files; to be freed and removed. */
static hsgd_status open_workshop(char **out, hsgd_error *err)
{
    const char *place = getenv("TMPDIR");
    if (asprintf(out, "%s/hsgd-check-XXXXXX", place && *place ? place : "/tmp") < 0) {
        *out = NULL;
        return hsgd_fail_memory(err, "a path");
    }
    if (mkdtemp(*out))
        return HSGD_OK;
    hsgd_status status =
        hsgd_fail(err, HSGD_ERROR_ENVIRONMENT, "cannot make a folder like %s: %s", *out, strerror(errno));
    free(*out);
    *out = NULL;
    return status;
}

/* ---- comparing ---- */

/* Is the file in the two folders the same to the byte? missing: the result folder does not have it. */
static hsgd_status compare_bytes(bool *same, bool *missing, const char *dir, const char *made, const char *name,
                                 hsgd_error *err)
{
    char *paths[2] = {NULL, NULL};
    FILE *file[2] = {NULL, NULL};
    hsgd_status status = HSGD_OK;
    *same = *missing = false;
    if (asprintf(&paths[0], "%s/%s", dir, name) < 0 || asprintf(&paths[1], "%s/%s", made, name) < 0)
        status = hsgd_fail_memory(err, "a path");
    for (int i = 0; i < 2 && !status; i++)
        if (i == 1 || access(paths[i], F_OK) == 0)
            status = hsgd_open_stream(&file[i], paths[i], err);
    *missing = !status && !file[0];
    if (!status && file[0]) {
        int a, b;
        do {
            a = getc(file[0]);
            b = getc(file[1]);
        } while (a == b && a != EOF);
        *same = a == b;
        for (int i = 0; i < 2 && !status; i++)
            if (ferror(file[i]))
                status = hsgd_fail(err, HSGD_ERROR_ENVIRONMENT, "%s: cannot be read: %s", paths[i], strerror(errno));
    }
    for (int i = 0; i < 2; i++) {
        if (file[i])
            fclose(file[i]);
        free(paths[i]);
    }
    return status;
}

/* What the comparison of one figure found. */
typedef struct found {
    char changed[HSGD_FILE_NAME_SIZE + 8], absent[HSGD_FILE_NAME_SIZE + 8]; /* the first such file; "": none */
    size_t same, num_absent;
} found;

static hsgd_status compare_one(found *f, const hsgd_check *c, const char *made, const char *stem, const char *ending,
                               hsgd_error *err)
{
    char name[HSGD_FILE_NAME_SIZE + 8];
    bool same, missing;
    snprintf(name, sizeof name, "%s%s", stem, ending);
    hsgd_status status = compare_bytes(&same, &missing, c->dir, made, name, err);
    if (status)
        return status;
    f->same += same;
    f->num_absent += missing;
    if (missing && !*f->absent)
        snprintf(f->absent, sizeof f->absent, "%s", name);
    if (!missing && !same && !*f->changed)
        snprintf(f->changed, sizeof f->changed, "%s", name);
    return HSGD_OK;
}

static bool is_there(const char *dir, const char *stem, const char *ending)
{
    char path[PATH_MAX];
    int length = snprintf(path, sizeof path, "%s/%s%s", dir, stem, ending);
    return length > 0 && (size_t)length < sizeof path && access(path, F_OK) == 0;
}

/* Renderings whose bytes depend on nothing but gnuplot and its fonts. PDF says when it was made. */
static hsgd_status compare_rendering(found *f, const hsgd_check *c, const char *made, const char *stem, hsgd_error *err)
{
    static const char *const endings[] = {".svg", ".png"};
    hsgd_status status = HSGD_OK;
    for (size_t i = 0; i < sizeof endings / sizeof *endings && !status; i++)
        if (is_there(c->dir, stem, endings[i]) && hsgd_figure_render(made, stem, NULL) == HSGD_OK &&
            is_there(made, stem, endings[i]))
            status = compare_one(f, c, made, stem, endings[i], err);
    return status;
}

static void say(hsgd_check *c, const char *stem, const found *f)
{
    char name[HSGD_FILE_NAME_SIZE + 16];
    snprintf(name, sizeof name, "figure %s", stem);
    if (*f->changed)
        hsgd_check_say(c, HSGD_CHECK_FAILS, name,
                       "%s is not what these results give in this style (options as for hsgd plot)", f->changed);
    else if (f->num_absent && !f->same)
        hsgd_check_say(c, HSGD_CHECK_NOT_CHECKED, name, "is not in the folder; hsgd plot makes it");
    else if (*f->absent)
        hsgd_check_say(c, HSGD_CHECK_FAILS, name, "%s is not there", f->absent);
    else
        hsgd_check_say(c, HSGD_CHECK_HOLDS, name, "%zu files made again are the same to the byte", f->same);
}

/* Every figure that the results give. */
static hsgd_status compare_figures(hsgd_check *c, const char *made, const hsgd_figure_report *report, hsgd_error *err)
{
    hsgd_status status = HSGD_OK;
    for (size_t i = 0; i < report->num_files && !status; i++) {
        static const char *const endings[] = {".gp", ".dat", ".caption.tex"};
        char stem[HSGD_FILE_NAME_SIZE];
        found f = {.same = 0};
        if (!has_ending(report->file[i], ".gp"))
            continue;
        snprintf(stem, sizeof stem, "%.*s", (int)strlen(report->file[i]) - 3, report->file[i]);
        for (size_t k = 0; k < sizeof endings / sizeof *endings && !status; k++)
            if (is_there(made, stem, endings[k]))
                status = compare_one(&f, c, made, stem, endings[k], err);
        if (!status && !*f.changed)
            status = compare_rendering(&f, c, made, stem, err);
        if (!status)
            say(c, stem, &f);
    }
    return status;
}

/* A script that these results do not give is of something else. */
static hsgd_status find_strangers(hsgd_check *c, const char *made, hsgd_error *err)
{
    DIR *entries = opendir(c->dir);
    if (!entries)
        return hsgd_fail(err, errno == ENOMEM ? HSGD_ERROR_MEMORY : HSGD_ERROR_INPUT, "%s: cannot be read: %s", c->dir,
                         strerror(errno));
    for (const struct dirent *entry; (errno = 0, entry = readdir(entries));)
        if (has_ending(entry->d_name, ".gp") && !is_there(made, entry->d_name, ""))
            hsgd_check_say(c, HSGD_CHECK_FAILS, entry->d_name, "is no figure of these results");
    int reason = errno;
    closedir(entries);
    return reason ? hsgd_fail(err, HSGD_ERROR_ENVIRONMENT, "%s: cannot be read: %s", c->dir, strerror(reason))
                  : HSGD_OK;
}

static hsgd_status check_in(hsgd_check *c, const char *made, hsgd_error *err)
{
    hsgd_figure_report report = {.num_files = 0};
    hsgd_error reason;
    hsgd_style_change change = c->change ? *c->change : (hsgd_style_change){0};
    change.scripts_only = true;
    hsgd_status status = link_sources(c->dir, made, err);
    if (status)
        return status;
    status = hsgd_plot_kind(made, c->kind, &change, &report, &reason);
    if (status == HSGD_ERROR_INPUT) {
        hsgd_check_say(c, HSGD_CHECK_FAILS, "figures", "cannot be made: %s", reason.message);
        return HSGD_OK;
    }
    if (status)
        return hsgd_fail(err, status, "%s", reason.message);
    status = compare_figures(c, made, &report, err);
    return status ? status : find_strangers(c, made, err);
}

hsgd_status hsgd_check_figures(hsgd_check *check, hsgd_error *err)
{
    char *made;
    hsgd_status status = open_workshop(&made, err);
    if (status)
        return status;
    status = check_in(check, made, err);
    hsgd_folder_remove_hidden(made);
    free(made);
    return status;
}
