/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The figure of a folder of hsgd pep, from its pep.json alone. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "experiments/folder_private.h"
#include "experiments/pep_curves_private.h"
#include "experiments/style_private.h"
#include "plots/pep.h"

/* What the figure borrows. */
typedef struct folder {
    const char *dir;
    hsgd_folder_document from;
    hsgd_pep_figure_input input;
    double *memory[HSGD_MAX_PEP_FIGURE_CURVES]; /* columns of the curves; owned */
} folder;

static void folder_free(folder *f)
{
    for (size_t c = 0; c < HSGD_MAX_PEP_FIGURE_CURVES; c++)
        free(f->memory[c]);
    hsgd_folder_document_free(&f->from);
}

static const cJSON *member(const cJSON *object, const char *key)
{
    return cJSON_GetObjectItemCaseSensitive(object, key);
}

static void read_points(hsgd_pep_figure_curve *curve, double *memory, const cJSON *points, size_t count)
{
    static const hsgd_pep_mark mark[HSGD_NUM_PEP_FIGURE_MARKS] = {HSGD_PEP_AT_PUBLISHED, HSGD_PEP_AT_SHARPENED,
                                                                  HSGD_PEP_AT_BEST};
    double *at = memory, *worst = at + count, *recursive = worst + count, *marked = recursive + count;
    const cJSON *point;
    size_t i = 0;
    cJSON_ArrayForEach(point, points)
    {
        const char *name = cJSON_GetStringValue(member(point, "mark"));
        at[i] = number_or_nan(member(point, "gamma_L"));
        worst[i] = number_or_nan(member(point, "worst_case"));
        recursive[i] = number_or_nan(member(point, "recursive"));
        for (size_t m = 0; m < HSGD_NUM_PEP_FIGURE_MARKS; m++)
            marked[m * count + i] = name && strcmp(name, hsgd_pep_mark_name(mark[m])) == 0 ? worst[i] : NAN;
        i++;
    }
    curve->num_points = count;
    curve->at = at;
    curve->worst = worst;
    curve->recursive = recursive;
    for (size_t m = 0; m < HSGD_NUM_PEP_FIGURE_MARKS; m++)
        curve->mark[m] = marked + m * count;
}

static hsgd_status read_curve(folder *f, size_t c, const hsgd_json *at, hsgd_error *err)
{
    hsgd_json title = hsgd_json_member(at, "title"), points = hsgd_json_member(at, "points");
    size_t count;
    hsgd_status status = hsgd_json_text(&title, &f->input.curve[c].title, err);
    status = status ? status : hsgd_json_array(&points, 1, &count, err);
    if (status)
        return status;
    f->memory[c] = calloc((3 + HSGD_NUM_PEP_FIGURE_MARKS) * count, sizeof *f->memory[c]);
    if (!f->memory[c])
        return hsgd_fail_memory(err, "the curves");
    read_points(&f->input.curve[c], f->memory[c], points.value, count);
    return HSGD_OK;
}

static hsgd_status read_folder(folder *f, const char *dir, const hsgd_style_change *change, hsgd_error *err)
{
    hsgd_json root;
    size_t count;
    *f = (folder){.dir = dir};
    hsgd_status status = hsgd_folder_read_document(&f->from, &root, dir, HSGD_FOLDER_PEP, change, err);
    if (status)
        return status;
    hsgd_json name = hsgd_json_member(&root, "name"), curves = hsgd_json_member(&root, "curves");
    status = hsgd_json_text(&name, &f->input.name, err);
    status = status ? status : hsgd_json_array(&curves, 1, &count, err);
    if (!status && count > HSGD_MAX_PEP_FIGURE_CURVES)
        status = hsgd_json_fail(&curves, err, "%zu curves; at most %d are drawn", count, HSGD_MAX_PEP_FIGURE_CURVES);
    const cJSON *item = status ? NULL : curves.value->child;
    for (size_t c = 0; item && !status; c++) {
        hsgd_json at = hsgd_json_next(&curves, &item, c);
        status = read_curve(f, c, &at, err);
        f->input.num_curves = c + 1;
    }
    return status;
}

static hsgd_status draw(const folder *f, hsgd_figure_report *report, hsgd_error *err)
{
    char reason[HSGD_NOTE_SIZE];
    hsgd_status status = hsgd_folder_remove_figure(f->dir, "pep", err);
    if (status || !hsgd_folder_is_listed(member(f->from.json, "figures"), "pep"))
        return status;
    if (!hsgd_pep_figure_possible(&f->input, reason, sizeof reason)) {
        hsgd_folder_note_missing(report, "pep", reason);
        return HSGD_OK;
    }
    status = hsgd_pep_figure_write(&f->input, f->dir, &f->from.style, err);
    if (status)
        return status;
    hsgd_folder_list_script(report, "pep");
    status = hsgd_folder_render(f->dir, "pep", &f->from.style, report, err);
    if (!status)
        hsgd_folder_list_shared(report, f->from.style.format);
    return status;
}

hsgd_status hsgd_pep_plot(const char *dir, const hsgd_style_change *change, hsgd_figure_report *report, hsgd_error *err)
{
    folder f;
    report->num_files = report->num_notes = 0;
    hsgd_status status = read_folder(&f, dir, change, err);
    status = status ? status : draw(&f, report, err);
    folder_free(&f);
    return status;
}
