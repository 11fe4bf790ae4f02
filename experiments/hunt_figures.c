/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The figure of a hunt, from hunt.json alone. */
#include "experiments/hunt.h"

#include <math.h>
#include <stdlib.h>

#include "experiments/folder_private.h"
#include "experiments/style_private.h"
#include "plots/hunt.h"

/* What the figure borrows. */
typedef struct folder {
    hsgd_folder_document from;
    hsgd_hunt_figure_start *start; /* (input.num_starts) whose arrays are owned, too */
    hsgd_hunt_figure_bound *bound;
    hsgd_hunt_figure_input input;
} folder;

static void folder_free(folder *f)
{
    for (size_t i = 0; f->start && i < f->input.num_starts; i++) {
        free((double *)f->start[i].evaluation);
        free((double *)f->start[i].best_ratio);
    }
    free(f->start);
    free(f->bound);
    hsgd_folder_document_free(&f->from);
}

/* An array of numbers, of which null is one that is not known. */
static hsgd_status read_numbers(const double **out, size_t *length, const hsgd_json *at, hsgd_error *err)
{
    hsgd_status status = hsgd_json_array(at, 0, length, err);
    double *value = status ? NULL : malloc((*length + 1) * sizeof *value);
    if (!status && !value)
        status = hsgd_fail_memory(err, "the starts of the hunt");
    const cJSON *item = status ? NULL : at->value->child;
    for (size_t i = 0; item; item = item->next)
        value[i++] = number_or_nan(item);
    *out = value;
    return status;
}

static hsgd_status read_start(hsgd_hunt_figure_start *out, const hsgd_json *at, hsgd_error *err)
{
    hsgd_json first = hsgd_json_member(at, "first_evaluation");
    hsgd_json evaluation = hsgd_json_member(at, "evaluation"), ratio = hsgd_json_member(at, "best_ratio");
    size_t length;
    hsgd_status status = hsgd_json_number(&first, 0, INFINITY, &out->first_evaluation, err);
    if (!status)
        status = read_numbers(&out->evaluation, &out->num_points, &evaluation, err);
    if (!status)
        status = read_numbers(&out->best_ratio, &length, &ratio, err);
    if (!status && length != out->num_points)
        status = hsgd_json_fail(&ratio, err, "%zu ratios for %zu evaluations", length, out->num_points);
    return status;
}

static hsgd_status read_starts(folder *f, const hsgd_json *at, hsgd_error *err)
{
    hsgd_status status = hsgd_json_array(at, 1, &f->input.num_starts, err);
    if (!status && !(f->start = calloc(f->input.num_starts, sizeof *f->start)))
        status = hsgd_fail_memory(err, "the starts of the hunt");
    const cJSON *item = status ? NULL : at->value->child;
    for (size_t i = 0; item && !status; i++) {
        hsgd_json place = hsgd_json_next(at, &item, i);
        status = read_start(&f->start[i], &place, err);
    }
    f->input.start = f->start;
    return status;
}

static hsgd_status read_bounds(folder *f, const hsgd_json *at, hsgd_error *err)
{
    hsgd_status status = hsgd_json_array(at, 0, &f->input.num_bounds, err);
    if (!status && !(f->bound = calloc(f->input.num_bounds + 1, sizeof *f->bound)))
        status = hsgd_fail_memory(err, "the bounds");
    const cJSON *item = status ? NULL : at->value->child;
    for (size_t i = 0; item && !status; i++) {
        hsgd_json place = hsgd_json_next(at, &item, i), title = hsgd_json_member(&place, "title");
        f->bound[i].ratio = number_or_nan(hsgd_json_member(&place, "ratio").value);
        status = hsgd_json_text(&title, &f->bound[i].title, err);
    }
    f->input.bound = f->bound;
    return status;
}

static hsgd_status read_setting(folder *f, const hsgd_json *root, hsgd_error *err)
{
    const struct {
        const char *key;
        size_t *out;
    } count[] = {{"workers", &f->input.num_workers},
                 {"levels", &f->input.num_levels},
                 {"steps", &f->input.steps},
                 {"dimension", &f->input.dimension},
                 {"parameters", &f->input.num_parameters}};
    hsgd_json name = hsgd_json_member(root, "name"), title = hsgd_json_member(root, "title");
    hsgd_json weakened = hsgd_json_member(root, "weakened");
    hsgd_status status = hsgd_json_text(&name, &f->input.name, err);
    if (!status)
        status = hsgd_json_text(&title, &f->input.title, err);
    if (!status)
        status = hsgd_json_bool(&weakened, &f->input.weakened, err);
    for (size_t i = 0; i < sizeof count / sizeof *count && !status; i++) {
        hsgd_json at = hsgd_json_member(root, count[i].key);
        status = hsgd_json_count(&at, 0, SIZE_MAX, count[i].out, err);
    }
    return status;
}

static hsgd_status read_folder(folder *f, const char *dir, const hsgd_style_change *change, hsgd_error *err)
{
    *f = (folder){0};
    hsgd_json root;
    hsgd_status status = hsgd_folder_read_document(&f->from, &root, dir, HSGD_FOLDER_HUNT, change, err);
    if (status)
        return status;
    hsgd_json starts = hsgd_json_member(&root, "starts"), bounds = hsgd_json_member(&root, "bounds");
    status = read_setting(f, &root, err);
    if (!status)
        status = read_starts(f, &starts, err);
    return status ? status : read_bounds(f, &bounds, err);
}

static bool has_ratio(const hsgd_hunt_figure_input *in)
{
    for (size_t i = 0; i < in->num_starts; i++)
        for (size_t p = 0; p < in->start[i].num_points; p++)
            if (in->start[i].best_ratio[p] > 0)
                return true;
    return false;
}

hsgd_status hsgd_hunt_plot(const char *dir, const hsgd_style_change *change, hsgd_figure_report *report,
                           hsgd_error *err)
{
    folder f;
    report->num_files = report->num_notes = 0;
    hsgd_status status = read_folder(&f, dir, change, err);
    if (!status && !has_ratio(&f.input)) {
        hsgd_folder_note_missing(report, hsgd_hunt_figure_name, "no problem was found that the bound applies to");
        status = hsgd_folder_remove_figure(dir, hsgd_hunt_figure_name, err);
        folder_free(&f);
        return status;
    }
    if (!status)
        status = hsgd_hunt_figure_write(&f.input, dir, &f.from.style, err);
    if (!status) {
        hsgd_folder_list_script(report, hsgd_hunt_figure_name);
        status = hsgd_folder_render(dir, hsgd_hunt_figure_name, &f.from.style, report, err);
    }
    if (!status)
        hsgd_folder_list_shared(report, f.from.style.format);
    folder_free(&f);
    return status;
}
