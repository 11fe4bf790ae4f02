/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Reading a section with axes, such as "sweep", and the configuration of every point of their product. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "experiments/config.h"
#include "experiments/json_patch_private.h"
#include "experiments/style_private.h"
#include "experiments/sweep_private.h"
#include "plots/sweep.h"

/* Of names and labels, in bytes: titles, columns and what is written about them are made for no more. */
enum { LONGEST_TEXT = 100 };

/* Places on an axis go no further, so that figures can compute with them. */
static const double FARTHEST_PLACE = 1e100;

/* What is needed while reading. */
typedef struct reader {
    hsgd_sweep *sweep;
    const hsgd_grid_section *section;
    const char *file;
    cJSON *base;    /* the configuration without the section and "figures"; owned */
    cJSON *grid;    /* the section; owned */
    cJSON *figures; /* what "figures" names of every point; owned */
    hsgd_json axis[HSGD_MAX_SWEEP_AXES];
    size_t seeds;                 /* instead of the configuration's; 0: as there */
    bool evaluated, communicated; /* some point has accuracies, a model of communication */
} reader;

void hsgd_sweep_free(hsgd_sweep *sweep)
{
    if (!sweep)
        return;
    for (size_t a = 0; a < sweep->num_axes; a++) {
        hsgd_sweep_axis *axis = &sweep->axis[a];
        for (size_t i = 0; i < axis->num_values; i++) {
            free(axis->label ? axis->label[i] : NULL);
            free(axis->part ? axis->part[i] : NULL);
        }
        free(axis->label);
        free(axis->part);
        free(axis->name);
        free(axis->at);
    }
    for (size_t i = 0; sweep->point && i < sweep->num_points; i++) {
        free(sweep->point[i].folder);
        free(sweep->point[i].title);
        free(sweep->point[i].config);
        free(sweep->point[i].illegal);
    }
    for (size_t i = 0; i < sweep->num_own_bounds; i++)
        free(sweep->own_bound[i]);
    free(sweep->own_bound);
    free(sweep->point);
    free(sweep->name);
    *sweep = (hsgd_sweep){.confidence = NAN};
}

/* ---- axes ---- */

/* No two elements are the same. */
static hsgd_status check_distinct(const hsgd_json *array, hsgd_error *err)
{
    const cJSON *item = array->value->child;
    for (size_t i = 0; item; i++) {
        hsgd_json place = hsgd_json_next(array, &item, i);
        for (const cJSON *other = array->value->child; other != place.value; other = other->next)
            if (cJSON_Compare(other, place.value, true))
                return hsgd_json_fail(&place, err, "stands twice");
    }
    return HSGD_OK;
}

/* One element for each value, all different. */
static hsgd_status check_beside_values(const hsgd_json *at, size_t num_values, hsgd_error *err)
{
    size_t length;
    hsgd_status status = hsgd_json_array(at, 1, &length, err);
    if (!status && length != num_values)
        status = hsgd_json_fail(at, err, "%zu of them for %zu values", length, num_values);
    return status ? status : check_distinct(at, err);
}

/* A text that is shown: neither empty nor endless. */
static hsgd_status check_shown(const hsgd_json *at, const char *text, hsgd_error *err)
{
    size_t length = strlen(text);
    if (length == 0)
        return hsgd_json_fail(at, err, "must not be empty");
    return length <= LONGEST_TEXT
               ? HSGD_OK
               : hsgd_json_fail(at, err, "has %zu bytes; at most %d are legal", length, LONGEST_TEXT);
}

static hsgd_status check_labels(const hsgd_json *at, size_t num_values, hsgd_error *err)
{
    const char *text;
    hsgd_status status = check_beside_values(at, num_values, err);
    const cJSON *item = status ? NULL : at->value->child;
    for (size_t i = 0; item && !status; i++) {
        hsgd_json place = hsgd_json_next(at, &item, i);
        status = hsgd_json_text(&place, &text, err);
        if (!status)
            status = check_shown(&place, text, err);
    }
    return status;
}

/* Where the values stand on an axis: "at", or the values themselves if all of them are numbers. */
static hsgd_status read_places(hsgd_sweep_axis *axis, const hsgd_json *values, const hsgd_json *at, hsgd_error *err)
{
    size_t length;
    if (at->value) {
        hsgd_status status = check_beside_values(at, axis->num_values, err);
        return status ? status : hsgd_json_numbers(at, -FARTHEST_PLACE, FARTHEST_PLACE, &axis->at, &length, err);
    }
    for (const cJSON *item = values->value->child; item; item = item->next)
        if (!cJSON_IsNumber(item))
            return HSGD_OK;
    return hsgd_json_numbers(values, -FARTHEST_PLACE, FARTHEST_PLACE, &axis->at, &length, err);
}

/* Without "key" each value is a merge patch, which the rest of the configuration has to survive. */
static hsgd_status check_patches(const reader *r, const hsgd_json *values, hsgd_error *err)
{
    const cJSON *item = values->value->child;
    for (size_t i = 0; item; i++) {
        hsgd_json place = hsgd_json_next(values, &item, i);
        if (!cJSON_IsObject(place.value))
            return hsgd_json_fail(&place, err, "expected an object of changed keys, for the axis has no \"key\"");
        hsgd_json figures = hsgd_json_member(&place, "figures"), own = hsgd_json_member(&place, r->section->name);
        if (figures.value || own.value)
            return hsgd_json_fail(figures.value ? &figures : &own, err, "cannot be changed by an axis");
    }
    return HSGD_OK;
}

static hsgd_status check_key(const reader *r, const hsgd_json *key, hsgd_error *err)
{
    const char *text, *own = r->section->name;
    hsgd_status status = hsgd_json_text(key, &text, err);
    if (!status && (strncmp(text, "figures", 7) == 0 || strncmp(text, own, strlen(own)) == 0))
        status = hsgd_json_fail(key, err, "cannot be changed by an axis");
    return status;
}

static hsgd_status read_axis_name(hsgd_sweep *sweep, hsgd_sweep_axis *axis, const hsgd_json *at, hsgd_error *err)
{
    hsgd_json name = hsgd_json_member(at, "name");
    hsgd_status status = hsgd_json_copy_text(&name, &axis->name, err);
    if (!status)
        status = check_shown(&name, axis->name, err);
    for (const hsgd_sweep_axis *other = sweep->axis; other < axis && !status; other++)
        if (strcmp(other->name, axis->name) == 0)
            status = hsgd_json_fail(&name, err, "is the name of another axis, too");
    return status;
}

static hsgd_status read_axis(reader *r, const hsgd_json *at, hsgd_error *err)
{
    static const char *const keys[] = {"name", "key", "values", "labels", "at", NULL};
    hsgd_sweep_axis *axis = &r->sweep->axis[r->sweep->num_axes];
    hsgd_json key = hsgd_json_member(at, "key"), values = hsgd_json_member(at, "values");
    hsgd_json labels = hsgd_json_member(at, "labels"), places = hsgd_json_member(at, "at");
    r->axis[r->sweep->num_axes++] = *at;
    hsgd_status status = hsgd_json_object(at, keys, err);
    if (!status)
        status = read_axis_name(r->sweep, axis, at, err);
    if (!status)
        status = hsgd_json_array(&values, 1, &axis->num_values, err);
    if (!status && axis->num_values > r->section->max_points)
        status =
            hsgd_json_fail(&values, err, "%zu values; at most %zu are run", axis->num_values, r->section->max_points);
    if (!status)
        status = check_distinct(&values, err);
    if (!status)
        status = key.value ? check_key(r, &key, err) : check_patches(r, &values, err);
    if (!status && labels.value)
        status = check_labels(&labels, axis->num_values, err);
    if (!status)
        status = read_places(axis, &values, &places, err);
    return status ? status : hsgd_sweep_name_axis(axis, values.value, labels.value, err);
}

static hsgd_status read_axes(reader *r, const hsgd_json *at, hsgd_error *err)
{
    hsgd_json axes = hsgd_json_member(at, "axes");
    size_t count;
    hsgd_status status = hsgd_json_object(at, r->section->keys, err);
    if (!status && r->section->read)
        status = r->section->read(r->section->context, at, err);
    if (!status)
        status = hsgd_json_array(&axes, 1, &count, err);
    if (!status && count > HSGD_MAX_SWEEP_AXES)
        status = hsgd_json_fail(&axes, err, "%zu axes; at most %d are legal", count, HSGD_MAX_SWEEP_AXES);
    const cJSON *item = status ? NULL : axes.value->child;
    for (size_t a = 0; item && !status; a++) {
        hsgd_json axis = hsgd_json_next(&axes, &item, a);
        status = read_axis(r, &axis, err);
    }
    r->sweep->num_points = 1;
    for (size_t a = 0; a < r->sweep->num_axes && !status; a++) {
        r->sweep->num_points *= r->sweep->axis[a].num_values;
        if (r->sweep->num_points > r->section->max_points)
            status = hsgd_fail(err, HSGD_ERROR_INPUT, "%s: %s: more than %zu points in the product of the axes",
                               r->file, axes.path, r->section->max_points);
    }
    return status;
}

/* ---- figures ---- */

static const char *sweep_figure_name(size_t i)
{
    return hsgd_sweep_figures[i]->name;
}

/* Of a section that has figures of its own: "all", or their names. */
static hsgd_status read_own_figures(reader *r, const hsgd_json *at, hsgd_error *err)
{
    const char *names[HSGD_MAX_SWEEP_FIGURES + 2] = {"all"};
    size_t length = 0, count = 0, choice;
    for (; r->section->figures[count]; count++) {
        names[count + 1] = r->section->figures[count];
        r->sweep->use_figure[count] = !at->value;
    }
    hsgd_status status = at->value ? hsgd_json_array(at, 0, &length, err) : HSGD_OK;
    const cJSON *item = length ? at->value->child : NULL;
    for (size_t i = 0; item && !status; i++) {
        hsgd_json place = hsgd_json_next(at, &item, i);
        status = hsgd_json_choice(&place, names, &choice, err);
        for (size_t f = 0; f < count && !status; f++)
            r->sweep->use_figure[f] |= choice == 0 || choice == f + 1;
    }
    return status;
}

/* "figures": those of the sweep are noted, those of one experiment go to every point. Without it: all of the sweep. */
static hsgd_status read_figures(reader *r, const hsgd_json *at, hsgd_error *err)
{
    size_t length = 0;
    r->figures = cJSON_CreateArray();
    if (r->section->figures)
        return read_own_figures(r, at, err);
    hsgd_status status = at->value ? hsgd_json_array(at, 0, &length, err) : HSGD_OK;
    const cJSON *item = length ? at->value->child : NULL;
    for (size_t i = 0; !at->value && i < hsgd_num_sweep_figures; i++)
        r->sweep->use_figure[i] = true;
    for (size_t i = 0; item && !status; i++) {
        hsgd_json place = hsgd_json_next(at, &item, i);
        const char *names[HSGD_MAX_SWEEP_FIGURES + 64] = {"all"}, *text = "";
        size_t count = 1, choice;
        for (size_t f = 0; f < hsgd_num_sweep_figures; f++)
            names[count++] = sweep_figure_name(f);
        for (size_t f = 0; f < hsgd_num_figures; f++)
            names[count++] = hsgd_figures[f]->name;
        status = hsgd_json_text(&place, &text, err);
        if (!status)
            status = hsgd_json_choice(&place, names, &choice, err);
        for (size_t f = 0; f < hsgd_num_sweep_figures && !status; f++)
            r->sweep->use_figure[f] |= choice == 0 || choice == f + 1;
        if (!status && choice > hsgd_num_sweep_figures)
            cJSON_AddItemToArray(r->figures, cJSON_CreateString(text));
    }
    return status;
}

/* What a figure of the sweep needs, as "evaluate_every"; NULL: it is there. */
static const char *figure_lacks(const reader *r, const char *name)
{
    const hsgd_sweep *s = r->sweep;
    if (strcmp(name, "sweep-map") == 0 && (s->num_axes < 2 || !s->axis[0].at || !s->axis[1].at))
        return "two axes of numbers";
    if (strncmp(name, "sweep-accuracy", 14) == 0 && !r->evaluated)
        return "\"evaluate_every\"";
    return hsgd_config_figure_costs(name) && !r->communicated ? "\"communication\"" : NULL;
}

/* Figures that were named must have something to show, as those of one experiment. */
static hsgd_status check_figures(reader *r, const hsgd_json *at, hsgd_error *err)
{
    const cJSON *item = at->value ? at->value->child : NULL;
    for (size_t i = 0; item; i++) {
        hsgd_json place = hsgd_json_next(at, &item, i);
        for (size_t f = 0; f < hsgd_num_sweep_figures; f++)
            if (strcmp(place.value->valuestring, sweep_figure_name(f)) == 0 && figure_lacks(r, sweep_figure_name(f)))
                return hsgd_json_fail(&place, err, "there is nothing to show; needs %s",
                                      figure_lacks(r, sweep_figure_name(f)));
    }
    for (size_t f = 0; f < hsgd_num_sweep_figures; f++)
        if (figure_lacks(r, sweep_figure_name(f)))
            r->sweep->use_figure[f] = false; /* it came with "all" */
    return HSGD_OK;
}

/* ---- points ---- */

/* The configuration of a point as a document of its own; NULL on failure. */
static cJSON *make_document(const reader *r, const hsgd_sweep_point *point, hsgd_error *err)
{
    cJSON *document = cJSON_Duplicate(r->base, true);
    for (size_t a = 0; a < r->sweep->num_axes; a++) {
        hsgd_json key = hsgd_json_member(&r->axis[a], "key"), values = hsgd_json_member(&r->axis[a], "values");
        const cJSON *value = cJSON_GetArrayItem(values.value, (int)point->value[a]);
        if (!key.value)
            document = hsgd_json_merge(document, value);
        else if (hsgd_json_put_at(document, &key, value, err)) {
            cJSON_Delete(document);
            return NULL;
        }
    }
    cJSON_AddItemToObject(document, "figures", cJSON_Duplicate(r->figures, true));
    if (r->seeds) {
        cJSON_DeleteItemFromObjectCaseSensitive(document, "seeds");
        cJSON_AddNumberToObject(document, "seeds", (double)r->seeds);
    }
    return document;
}

/* "FILE: text" becomes "FILE: sweep: POINT: text". */
static void name_point_in(hsgd_error *err, const reader *r, const hsgd_sweep_point *point)
{
    char text[HSGD_MESSAGE_SIZE];
    const char *file = r->file;
    size_t length = strlen(file);
    if (!err)
        return;
    bool named = strncmp(err->message, file, length) == 0 && strncmp(err->message + length, ": ", 2) == 0;
    snprintf(text, sizeof text, "%s", err->message + (named ? length + 2 : 0));
    hsgd_fail(err, err->status, "%s: %s: %s: %s", r->file, r->section->name, point->title, text);
}

static hsgd_status note_bound(hsgd_sweep *s, const char *id, hsgd_error *err)
{
    for (size_t i = 0; i < s->num_own_bounds; i++)
        if (strcmp(s->own_bound[i], id) == 0)
            return HSGD_OK;
    char **grown = realloc(s->own_bound, (s->num_own_bounds + 1) * sizeof *grown);
    char *copy = grown ? strdup(id) : NULL;
    if (grown)
        s->own_bound = grown;
    if (!copy)
        return hsgd_fail_memory(err, "a bound");
    s->own_bound[s->num_own_bounds++] = copy;
    return HSGD_OK;
}

/* Note down what all points together are to be known for. */
static hsgd_status note_config(reader *r, const hsgd_config *config, bool first, hsgd_error *err)
{
    hsgd_status status = HSGD_OK;
    for (size_t i = hsgd_num_bounds; i < config->bounds.count && !status; i++)
        status = note_bound(r->sweep, config->bounds.bound[i]->id, err);
    r->evaluated |= config->evaluate_every > 0;
    r->communicated |= config->has_communication;
    if (first)
        r->sweep->confidence = config->confidence;
    else if (config->confidence != r->sweep->confidence)
        r->sweep->confidence = NAN;
    return status;
}

/* The point has no configuration, and says why. */
static hsgd_status skip_point(const reader *r, hsgd_sweep_point *point, hsgd_error *err)
{
    size_t length = strlen(r->file);
    bool named = strncmp(err->message, r->file, length) == 0 && strncmp(err->message + length, ": ", 2) == 0;
    point->illegal = strdup(err->message + (named ? length + 2 : 0));
    if (!point->illegal)
        return hsgd_fail_memory(err, "a point");
    return HSGD_OK;
}

/* Read the configuration of a point as any other, and keep it with all defaults. */
static hsgd_status read_config(reader *r, hsgd_sweep_point *point, hsgd_error *err)
{
    hsgd_config config;
    cJSON *document = make_document(r, point, err);
    if (!document)
        return err ? err->status : HSGD_ERROR_INPUT;
    char *text = hsgd_json_print(document);
    cJSON_Delete(document);
    if (!text)
        return hsgd_fail_memory(err, "a point of the sweep");
    hsgd_status status = hsgd_config_parse(&config, text, strlen(text), r->file, err);
    cJSON_free(text);
    if (status == HSGD_ERROR_INPUT && err && r->section->skip_illegal && *r->section->skip_illegal)
        return skip_point(r, point, err);
    if (status) {
        name_point_in(err, r, point);
        return status;
    }
    status = note_config(r, &config, !r->sweep->name, err);
    if (!r->sweep->name)
        r->sweep->name = strdup(config.name);
    point->config = hsgd_config_to_json(&config);
    hsgd_config_free(&config);
    if (status)
        return status;
    return point->config && r->sweep->name ? HSGD_OK : hsgd_fail_memory(err, "a point of the sweep");
}

static int compare_configs(const void *a, const void *b)
{
    const hsgd_sweep_point *const *left = a, *const *right = b;
    return strcmp((*left)->config, (*right)->config);
}

/* An axis that does not change anything, or is overruled by another, is a mistake. */
static hsgd_status check_points_differ(const reader *r, hsgd_error *err)
{
    const hsgd_sweep *s = r->sweep;
    const hsgd_sweep_point **sorted = calloc(s->num_points, sizeof *sorted);
    size_t legal = 0;
    hsgd_status status = HSGD_OK;
    if (!sorted)
        return hsgd_fail_memory(err, "the points of the sweep");
    for (size_t i = 0; i < s->num_points; i++)
        if (s->point[i].config)
            sorted[legal++] = &s->point[i];
    qsort(sorted, legal, sizeof *sorted, compare_configs);
    for (size_t i = 1; i < legal && !status; i++)
        if (compare_configs(&sorted[i - 1], &sorted[i]) == 0)
            status = hsgd_fail(err, HSGD_ERROR_INPUT,
                               "%s: %s: the points \"%s\" and \"%s\" are one and the same configuration", r->file,
                               r->section->name, sorted[i - 1]->title, sorted[i]->title);
    if (!status && legal == 0)
        status = hsgd_fail(err, HSGD_ERROR_INPUT, "%s: %s: no point is legal; \"%s\": %s", r->file, r->section->name,
                           s->point[0].title, s->point[0].illegal);
    free(sorted);
    return status;
}

static hsgd_status read_points(reader *r, hsgd_error *err)
{
    hsgd_sweep *s = r->sweep;
    hsgd_status status = HSGD_OK;
    s->point = calloc(s->num_points, sizeof *s->point);
    if (!s->point)
        return hsgd_fail_memory(err, "the points of the sweep");
    for (size_t i = 0; i < s->num_points && !status; i++) {
        size_t rest = i;
        for (size_t a = s->num_axes; a-- > 0; rest /= s->axis[a].num_values)
            s->point[i].value[a] = rest % s->axis[a].num_values;
        status = hsgd_sweep_name_point(&s->point[i], s, err);
        if (!status)
            status = read_config(r, &s->point[i], err);
    }
    return status ? status : check_points_differ(r, err);
}

/* ---- the document ---- */

static hsgd_status read_parts(reader *r, cJSON *document, hsgd_error *err)
{
    hsgd_json root = hsgd_json_root(r->file, document);
    const char *own = r->section->name;
    hsgd_json grid = hsgd_json_member(&root, own), figures = hsgd_json_member(&root, "figures");
    hsgd_json style = hsgd_json_member(&root, "figure_style");
    if (!cJSON_IsObject(document))
        return hsgd_json_fail(&root, err, "expected an object with the keys of a configuration, and \"%s\"", own);
    if (!grid.value)
        return hsgd_json_fail(&grid, err, "expected { \"axes\": [...] }; hsgd run is for a single configuration");
    hsgd_status status = read_axes(r, &grid, err);
    if (!status)
        status = read_figures(r, &figures, err);
    r->sweep->style = hsgd_figure_default_style();
    if (!status)
        status = hsgd_style_read(&r->sweep->style, &style, err);
    if (status)
        return status;
    r->grid = cJSON_DetachItemFromObjectCaseSensitive(document, own);
    cJSON *list = cJSON_DetachItemFromObjectCaseSensitive(document, "figures");
    if (!cJSON_GetArraySize(r->figures)) /* the style of figures that are not made is no reason to run a point again */
        cJSON_DeleteItemFromObjectCaseSensitive(document, "figure_style");
    r->base = document;
    status = read_points(r, err);
    if (!status && !r->section->figures) {
        figures.value = list;
        status = check_figures(r, &figures, err);
    }
    cJSON_Delete(list);
    return status;
}

static hsgd_status read_document(hsgd_sweep *out, const hsgd_grid_section *section, const char *file, cJSON *document,
                                 size_t seeds, hsgd_error *err)
{
    hsgd_error own;
    reader r = {.sweep = out, .section = section, .file = file, .seeds = seeds};
    hsgd_status status = read_parts(&r, document, err ? err : &own);
    cJSON_Delete(r.grid);
    cJSON_Delete(r.figures);
    cJSON_Delete(document);
    if (status)
        hsgd_sweep_free(out);
    return status;
}

hsgd_status hsgd_grid_read(hsgd_sweep *out, const hsgd_grid_section *section, const char *path, size_t seeds,
                           hsgd_error *err)
{
    cJSON *document;
    *out = (hsgd_sweep){.confidence = NAN};
    hsgd_status status = hsgd_json_read_file(&document, path, err);
    return status ? status : read_document(out, section, path, document, seeds, err);
}

hsgd_status hsgd_grid_parse(hsgd_sweep *out, const hsgd_grid_section *section, const char *text, size_t length,
                            const char *file, size_t seeds, hsgd_error *err)
{
    cJSON *document;
    *out = (hsgd_sweep){.confidence = NAN};
    hsgd_status status = hsgd_json_parse(&document, text, length, file, err);
    return status ? status : read_document(out, section, file, document, seeds, err);
}

static const char *const sweep_keys[] = {"axes", NULL};
static const hsgd_grid_section sweep_section = {
    .name = "sweep", .keys = sweep_keys, .max_points = HSGD_MAX_SWEEP_POINTS};

hsgd_status hsgd_sweep_read(hsgd_sweep *out, const char *path, size_t seeds, hsgd_error *err)
{
    return hsgd_grid_read(out, &sweep_section, path, seeds, err);
}

hsgd_status hsgd_sweep_parse(hsgd_sweep *out, const char *text, size_t length, const char *file, size_t seeds,
                             hsgd_error *err)
{
    return hsgd_grid_parse(out, &sweep_section, text, length, file, seeds, err);
}
