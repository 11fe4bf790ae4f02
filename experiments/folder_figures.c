/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What folders of runs and of sweeps do alike about figures: removing old ones, rendering, and reporting the files. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "experiments/folder_private.h"
#include "plots/output.h"

bool hsgd_folder_is_listed(const cJSON *figures, const char *name)
{
    const cJSON *item;
    cJSON_ArrayForEach(item, figures) if (cJSON_IsString(item) && strcmp(item->valuestring, name) == 0) return true;
    return false;
}

/* ---- old files ---- */

static hsgd_status remove_file(const char *dir, const char *name, const char *ending, hsgd_error *err)
{
    char *path;
    hsgd_status status = HSGD_OK;
    if (asprintf(&path, "%s/%s%s", dir, name, ending) < 0)
        return hsgd_fail_memory(err, "a path");
    if (unlink(path) != 0 && errno != ENOENT)
        status = hsgd_fail(err, HSGD_ERROR_ENVIRONMENT, "%s: cannot be removed: %s", path, strerror(errno));
    free(path);
    return status;
}

hsgd_status hsgd_folder_remove_figure(const char *dir, const char *name, hsgd_error *err)
{
    static const char *const endings[] = {".gp", ".dat", ".caption.tex", ".pdf", ".svg", ".png", ".tex"};
    hsgd_status status = HSGD_OK;
    for (size_t i = 0; i < sizeof endings / sizeof *endings && !status; i++)
        status = remove_file(dir, name, endings[i], err);
    return status;
}

hsgd_status hsgd_folder_remove_drawing(const char *dir, const char *name, const hsgd_figure_style *style,
                                       hsgd_error *err)
{
    char ending[16];
    snprintf(ending, sizeof ending, ".%s", hsgd_figure_format_extension(style->format));
    return style->scripts_only ? HSGD_OK : remove_file(dir, name, ending, err);
}

hsgd_status hsgd_folder_unfinish(const char *dir, hsgd_folder_kind kind, hsgd_error *err)
{
    hsgd_status status = remove_file(dir, hsgd_folder_file(kind), "", err);
    hsgd_output_sync_folder(dir);
    return status;
}

hsgd_status hsgd_folder_clear(const char *dir, hsgd_error *err)
{
    hsgd_status status = HSGD_OK;
    hsgd_folder_sweep(dir);
    status = hsgd_folder_unfinish(dir, HSGD_FOLDER_RUN, err);
    for (size_t i = 0; i < hsgd_num_figures && !status; i++)
        status = hsgd_folder_remove_figure(dir, hsgd_figures[i]->name, err);
    for (size_t i = 0; i < HSGD_NUM_TIKZ_FILES && !status; i++)
        status = remove_file(dir, hsgd_tikz_files[i], "", err);
    if (!status)
        status = remove_file(dir, "report", ".html", err);
    return status;
}

/* ---- rendering, and the report ---- */

static void list_file(hsgd_figure_report *report, const char *stem, const char *ending)
{
    if (report->num_files < HSGD_MAX_FIGURE_FILES)
        snprintf(report->file[report->num_files++], HSGD_FILE_NAME_SIZE, "%s%s", stem, ending);
}

void hsgd_folder_list_script(hsgd_figure_report *report, const char *name)
{
    list_file(report, name, ".gp");
    list_file(report, name, ".dat");
    list_file(report, name, ".caption.tex");
}

void hsgd_folder_list_shared(hsgd_figure_report *report, hsgd_figure_format format)
{
    for (size_t i = 0; i < HSGD_NUM_TIKZ_FILES && format == HSGD_FIGURE_TIKZ; i++)
        list_file(report, hsgd_tikz_files[i], "");
}

void hsgd_folder_note_missing(hsgd_figure_report *report, const char *name, const char *reason)
{
    if (report->num_notes < HSGD_MAX_FIGURE_FILES)
        snprintf(report->note[report->num_notes++], HSGD_NOTE_SIZE, "no figure %s: %s", name, reason);
}

hsgd_status hsgd_folder_render(const char *dir, const char *name, const hsgd_figure_style *style,
                               hsgd_figure_report *report, hsgd_error *err)
{
    char ending[16];
    hsgd_status status = style->scripts_only ? HSGD_OK : hsgd_figure_render(dir, name, err);
    if (status || style->scripts_only)
        return status;
    snprintf(ending, sizeof ending, ".%s", hsgd_figure_format_extension(style->format));
    list_file(report, name, ending);
    if (style->format == HSGD_FIGURE_TEX) /* text in the one, lines in the other */
        list_file(report, name, ".pdf");
    return HSGD_OK;
}

/* ---- for a page ---- */

hsgd_status hsgd_drawings_add(hsgd_drawings *drawings, const char *name, char *caption, hsgd_error *err)
{
    if (!caption)
        return hsgd_fail_memory(err, name);
    drawings->item[drawings->count++] = (hsgd_drawing){name, caption};
    return HSGD_OK;
}

void hsgd_drawings_free(hsgd_drawings *drawings)
{
    for (size_t i = 0; i < drawings->count; i++)
        free(drawings->item[i].caption);
    free(drawings->item);
    *drawings = (hsgd_drawings){0};
}
