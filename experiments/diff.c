/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "experiments/diff_private.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- numbers ---- */

hsgd_gap hsgd_gap_begin(void)
{
    return (hsgd_gap){.agrees = true};
}

bool hsgd_gap_add(hsgd_gap *gap, double a, double b, double tolerance, double scale, const char *at)
{
    bool same = a == b || (isnan(a) && isnan(b));
    double size = fmax(fmax(fabs(a), fabs(b)), scale);
    double absolute = same ? 0 : fabs(a - b), relative = same ? 0 : absolute / size;
    gap->count++;
    gap->same += same;
    if (same)
        return true;
    if (!isfinite(absolute)) /* one of them is not known, or not finite */
        relative = absolute = INFINITY;
    if (relative > gap->relative) {
        gap->relative = relative;
        snprintf(gap->relative_at, sizeof gap->relative_at, "%s", at);
    }
    if (absolute > gap->absolute) {
        gap->absolute = absolute;
        snprintf(gap->absolute_at, sizeof gap->absolute_at, "%s", at);
    }
    bool agrees = absolute <= tolerance * size && isfinite(absolute);
    gap->agrees = gap->agrees && agrees;
    return agrees;
}

void hsgd_gap_describe(char *out, size_t size, const hsgd_gap *gap, const char *relative)
{
    bool together = strcmp(gap->relative_at, gap->absolute_at) == 0;
    char first[HSGD_JSON_PATH_SIZE + 4] = "";
    if (gap->same == gap->count) {
        snprintf(out, size, "%zu number%s, the same to the bit", gap->count, gap->count == 1 ? "" : "s");
        return;
    }
    if (!together)
        snprintf(first, sizeof first, " (%.80s)", gap->relative_at);
    snprintf(out, size, "%zu of %zu numbers differ, most by %.3g %s%s, %.3g absolute (%.80s)", gap->count - gap->same,
             gap->count, gap->relative, relative, first, gap->absolute, gap->absolute_at);
}

/* ---- folders ---- */

void hsgd_diff_say(hsgd_diff *diff, hsgd_diff_outcome outcome, const char *name, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    hsgd_findings_add(&diff->findings, (int)outcome, name, format, arguments);
    va_end(arguments);
}

static hsgd_status read_document(cJSON **out, const char *dir, hsgd_folder_kind kind, hsgd_error *err)
{
    char *path;
    if (kind == HSGD_NUM_FOLDER_KINDS)
        return hsgd_fail(err, HSGD_ERROR_INPUT, "%s: holds no results: there is neither %s nor another command's file",
                         dir, hsgd_folder_file(HSGD_FOLDER_RUN));
    if (asprintf(&path, "%s/%s", dir, hsgd_folder_file(kind)) < 0)
        return hsgd_fail_memory(err, "a path");
    hsgd_status status = hsgd_json_read_file(out, path, err);
    if (!status && !cJSON_IsObject(*out))
        status = hsgd_fail(err, HSGD_ERROR_INPUT, "%s: expected an object", path);
    free(path);
    return status;
}

static hsgd_status read_folders(hsgd_diff *d, hsgd_error *err)
{
    hsgd_folder_kind other = hsgd_folder_kind_of(d->dir[1]);
    d->kind = hsgd_folder_kind_of(d->dir[0]);
    hsgd_status status = read_document(&d->document[0], d->dir[0], d->kind, err);
    if (!status)
        status = read_document(&d->document[1], d->dir[1], other, err);
    if (!status && d->kind != other)
        status = hsgd_fail(err, HSGD_ERROR_INPUT, "%s holds %s, %s %s: nothing in them can be compared", d->dir[0],
                           hsgd_folder_content(d->kind), d->dir[1], hsgd_folder_content(other));
    return status;
}

hsgd_status hsgd_diff_folders(hsgd_diff *out, const char *dir1, const char *dir2, double tolerance, hsgd_error *err)
{
    *out = (hsgd_diff){.dir = {dir1, dir2}, .tolerance = tolerance};
    hsgd_status status = read_folders(out, err);
    if (status)
        return status;
    out->by_chance = hsgd_diff_seeds_differ(out);
    hsgd_diff_documents(out);
    status = hsgd_diff_tables(out, err);
    if (!status && out->by_chance)
        hsgd_diff_chance(out);
    return !status && out->findings.incomplete ? hsgd_fail_memory(err, "the table of differences") : status;
}

void hsgd_diff_free(hsgd_diff *diff)
{
    for (int i = 0; i < 2; i++)
        cJSON_Delete(diff->document[i]);
    hsgd_findings_free(&diff->findings);
    *diff = (hsgd_diff){0};
}
