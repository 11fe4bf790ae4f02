/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The figure of a folder with a phase diagram, from its phase.json alone. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "experiments/folder_private.h"
#include "experiments/phase_private.h"
#include "experiments/style_private.h"
#include "experiments/sweep_private.h"
#include "plots/phase.h"

typedef struct folder {
    const char *dir;
    hsgd_folder_document from;
    hsgd_axes axes;
    hsgd_phase_figure_input input;
    hsgd_phase_figure_point *point; /* (input.num_points) */
} folder;

static void folder_free(folder *f)
{
    hsgd_axes_free(&f->axes);
    free(f->point);
    hsgd_folder_document_free(&f->from);
}

static void widen(hsgd_phase_range *range, const hsgd_json *point, const char *key)
{
    double value = number_or_nan(cJSON_GetObjectItemCaseSensitive(point->value, key));
    range->low = fmin(range->low, value);
    range->high = fmax(range->high, value);
}

static hsgd_status read_point(folder *f, size_t i, const hsgd_json *at, hsgd_error *err)
{
    hsgd_json verdict = hsgd_json_member(at, "verdict");
    const char *name;
    hsgd_status status = hsgd_json_text(&verdict, &name, err);
    if (!status && hsgd_phase_cell_parse(name, &f->point[i].verdict))
        status = hsgd_json_fail(&verdict, err, "is no verdict of a phase diagram");
    f->point[i].ratio = number_or_nan(hsgd_json_member(at, "ratio").value);
    widen(&f->input.workers, at, "workers");
    widen(&f->input.steps, at, "steps");
    widen(&f->input.step_size, at, "step_size");
    widen(&f->input.values, at, "values");
    return status;
}

static hsgd_status read_points(folder *f, const hsgd_json *root, hsgd_error *err)
{
    hsgd_json points = hsgd_json_member(root, "points");
    size_t count = 1, length;
    for (size_t a = 0; a < f->input.num_axes; a++)
        count *= f->input.axis[a].num_values;
    hsgd_status status = hsgd_json_array(&points, 1, &length, err);
    if (!status && length != count)
        status =
            hsgd_fail(err, HSGD_ERROR_INPUT, "%s: points: %zu of them, the axes make %zu", f->from.path, length, count);
    if (!status && !(f->point = calloc(count, sizeof *f->point)))
        status = hsgd_fail_memory(err, "the points");
    const cJSON *item = status ? NULL : points.value->child;
    for (size_t i = 0; item && !status; i++) {
        hsgd_json at = hsgd_json_next(&points, &item, i);
        status = read_point(f, i, &at, err);
    }
    f->input.point = f->point;
    f->input.num_points = count;
    return status;
}

static hsgd_status read_folder(folder *f, const char *dir, const hsgd_style_change *change, hsgd_error *err)
{
    const hsgd_phase_range none = {INFINITY, -INFINITY};
    *f = (folder){.dir = dir};
    f->input.workers = f->input.steps = f->input.step_size = f->input.values = none;
    hsgd_json root;
    hsgd_status status = hsgd_folder_read_document(&f->from, &root, dir, HSGD_FOLDER_PHASE, change, err);
    if (status)
        return status;
    hsgd_json name = hsgd_json_member(&root, "name"), quantity = hsgd_json_member(&root, "quantity");
    status = hsgd_json_text(&name, &f->input.name, err);
    if (!status)
        status = hsgd_json_text(&quantity, &f->input.quantity, err);
    if (!status)
        status = hsgd_axes_read(&f->axes, &root, err);
    f->input.confidence = number_or_nan(hsgd_json_member(&root, "confidence").value);
    memcpy(f->input.axis, f->axes.axis, sizeof f->input.axis);
    f->input.num_axes = f->axes.count;
    return status ? status : read_points(f, &root, err);
}

hsgd_status hsgd_phase_plot(const char *dir, const hsgd_style_change *change, hsgd_figure_report *report,
                            hsgd_error *err)
{
    folder f;
    report->num_files = report->num_notes = 0;
    hsgd_status status = read_folder(&f, dir, change, err);
    bool wanted = !status && hsgd_folder_is_listed(cJSON_GetObjectItemCaseSensitive(f.from.json, "figures"), "phase");
    if (!status && !wanted)
        status = hsgd_folder_remove_figure(dir, "phase", err);
    if (wanted) {
        status = hsgd_phase_figure_write(&f.input, dir, &f.from.style, err);
        if (!status)
            hsgd_folder_list_script(report, "phase");
        if (!status)
            status = hsgd_folder_render(dir, "phase", &f.from.style, report, err);
        if (!status)
            hsgd_folder_list_shared(report, f.from.style.format);
    }
    folder_free(&f);
    return status;
}
