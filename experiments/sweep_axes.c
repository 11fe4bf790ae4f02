/* SPDX-License-Identifier: GPL-3.0-or-later */
/* "axes" of sweep.json and of other grids: written and read back for the figures. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "experiments/sweep_private.h"

/* ---- writing ---- */

static cJSON *axis_to_json(const hsgd_sweep_axis *axis)
{
    cJSON *object = cJSON_CreateObject();
    cJSON_AddStringToObject(object, "name", axis->name);
    cJSON *labels = cJSON_AddArrayToObject(object, "labels"), *titles = cJSON_AddArrayToObject(object, "titles");
    for (size_t i = 0; i < axis->num_values; i++) {
        char title[256];
        cJSON_AddItemToArray(labels, cJSON_CreateString(axis->label[i]));
        cJSON_AddItemToArray(titles, cJSON_CreateString(hsgd_sweep_title(title, sizeof title, axis, i)));
    }
    cJSON_AddItemToObject(object, "at",
                          axis->at ? cJSON_CreateDoubleArray(axis->at, (int)axis->num_values) : cJSON_CreateNull());
    return object;
}

void hsgd_axes_to_json(cJSON *root, const hsgd_sweep *sweep)
{
    cJSON *axes = cJSON_AddArrayToObject(root, "axes");
    for (size_t a = 0; a < sweep->num_axes; a++)
        cJSON_AddItemToArray(axes, axis_to_json(&sweep->axis[a]));
}

/* ---- reading ---- */

/* An array of texts; *out is to be freed, the texts belong to the document. */
static hsgd_status read_texts(const char ***out, size_t *length, const hsgd_json *at, hsgd_error *err)
{
    hsgd_status status = hsgd_json_array(at, 1, length, err);
    if (!status && !(*out = calloc(*length, sizeof **out)))
        status = hsgd_fail_memory(err, "the labels");
    const cJSON *item = status ? NULL : at->value->child;
    for (size_t i = 0; item && !status; i++) {
        hsgd_json text = hsgd_json_next(at, &item, i);
        status = hsgd_json_text(&text, &(*out)[i], err);
    }
    return status;
}

static hsgd_status read_axis(hsgd_axes *f, size_t a, const hsgd_json *at, hsgd_error *err)
{
    hsgd_sweep_figure_axis *axis = &f->axis[a];
    hsgd_json name = hsgd_json_member(at, "name"), labels = hsgd_json_member(at, "labels");
    hsgd_json places = hsgd_json_member(at, "at"), titles = hsgd_json_member(at, "titles");
    size_t length;
    hsgd_status status = hsgd_json_text(&name, &axis->name, err);
    if (!status)
        status = read_texts(&f->label[a], &axis->num_values, &labels, err);
    if (!status)
        status = read_texts(&f->title[a], &length, &titles, err);
    if (!status && length != axis->num_values)
        status = hsgd_json_fail(&titles, err, "%zu titles for %zu labels", length, axis->num_values);
    if (!status && cJSON_IsArray(places.value)) {
        status = hsgd_json_numbers(&places, -INFINITY, INFINITY, &f->at[a], &length, err);
        if (!status && length != axis->num_values)
            status = hsgd_json_fail(&places, err, "%zu numbers for %zu labels", length, axis->num_values);
    }
    axis->label = f->label[a];
    axis->title = f->title[a];
    axis->at = f->at[a];
    return status;
}

hsgd_status hsgd_axes_read(hsgd_axes *f, const hsgd_json *root, hsgd_error *err)
{
    hsgd_json axes = hsgd_json_member(root, "axes");
    *f = (hsgd_axes){.count = 0};
    hsgd_status status = hsgd_json_array(&axes, 1, &f->count, err);
    if (!status && f->count > HSGD_SWEEP_FIGURE_AXES)
        status = hsgd_json_fail(&axes, err, "at most %d axes are known", HSGD_SWEEP_FIGURE_AXES);
    for (size_t a = 0; !status && a < f->count; a++) {
        hsgd_json axis = hsgd_json_item(&axes, a);
        status = read_axis(f, a, &axis, err);
    }
    return status;
}

void hsgd_axes_free(hsgd_axes *axes)
{
    for (size_t a = 0; a < HSGD_SWEEP_FIGURE_AXES; a++) {
        free(axes->label[a]);
        free(axes->title[a]);
        free(axes->at[a]);
    }
    memset(axes, 0, sizeof *axes);
}
