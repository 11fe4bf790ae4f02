/* SPDX-License-Identifier: GPL-3.0-or-later */
/* sweep.json and sweep.csv: all points side by side. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "bounds/bound.h"
#include "experiments/document_private.h"
#include "experiments/folder_private.h"
#include "experiments/provenance_private.h"
#include "experiments/style_private.h"
#include "experiments/sweep_private.h"
#include "plots/output.h"
#include "plots/sweep.h"

static const char *const state_names[] = {[HSGD_SWEEP_WAITING] = "waiting",
                                          [HSGD_SWEEP_RUNNING] = "waiting", /* files speak of what is there */
                                          [HSGD_SWEEP_DONE] = "done",
                                          [HSGD_SWEEP_FAILED] = "failed"};

/* ---- sweep.json ---- */

static cJSON *point_to_json(const hsgd_sweep *sweep, const hsgd_sweep_point *point, const hsgd_sweep_row *row)
{
    cJSON *object = cJSON_CreateObject(), *labels = cJSON_AddObjectToObject(object, "labels");
    char folder[512];
    snprintf(folder, sizeof folder, "points/%s", point->folder);
    for (size_t a = 0; a < sweep->num_axes; a++)
        cJSON_AddStringToObject(labels, sweep->axis[a].name, sweep->axis[a].label[point->value[a]]);
    cJSON_AddStringToObject(object, "title", point->title);
    cJSON_AddStringToObject(object, "folder", folder);
    cJSON_AddStringToObject(object, "state", state_names[row->state]);
    if (row->state == HSGD_SWEEP_FAILED)
        cJSON_AddStringToObject(object, "reason", row->reason ? row->reason : "");
    const cJSON *member;
    if (row->state == HSGD_SWEEP_DONE)
        cJSON_ArrayForEach(member, row->summary)
            cJSON_AddItemToObject(object, member->string, cJSON_Duplicate(member, true));
    return object;
}

static cJSON *sweep_to_json(const hsgd_sweep *sweep, const hsgd_sweep_row *row)
{
    cJSON *root = cJSON_CreateObject();
    cJSON_AddStringToObject(root, "name", sweep->name);
    cJSON_AddStringToObject(root, "version", HSGD_VERSION);
    cJSON_AddItemToObject(root, "confidence",
                          isnan(sweep->confidence) ? cJSON_CreateNull() : cJSON_CreateNumber(sweep->confidence));
    hsgd_axes_to_json(root, sweep);
    cJSON *points = cJSON_AddArrayToObject(root, "points");
    for (size_t i = 0; i < sweep->num_points; i++)
        cJSON_AddItemToArray(points, point_to_json(sweep, &sweep->point[i], &row[i]));
    hsgd_style_to_json(root, &sweep->style);
    cJSON *figures = cJSON_AddArrayToObject(root, "figures");
    for (size_t f = 0; f < hsgd_num_sweep_figures; f++)
        if (sweep->use_figure[f])
            cJSON_AddItemToArray(figures, cJSON_CreateString(hsgd_sweep_figures[f]->name));
    return root;
}

static hsgd_status write_json(const hsgd_sweep *sweep, const hsgd_sweep_row *row, const char *dir, hsgd_error *err)
{
    static const char *const outputs[] = {"sweep.csv", NULL};
    cJSON *provenance;
    hsgd_status status = hsgd_provenance_of_grid(&provenance, "sweep", sweep, err);
    return status ? status
                  : hsgd_document_write(dir, HSGD_FOLDER_SWEEP, sweep_to_json(sweep, row), provenance, outputs, err);
}

/* ---- sweep.csv: names and values of a row are written by the same walk, so they cannot part ---- */

typedef struct writer {
    FILE *stream;
    const hsgd_sweep *sweep;
    const hsgd_sweep_row *row; /* all of them */
    const hsgd_sweep_row *own; /* the one that is written; NULL: the names */
    size_t written;
} writer;

/* A text as CSV has it: in quotes where it needs them. */
static void put_text(writer *w, const char *text)
{
    fputs(w->written++ ? "," : "", w->stream);
    if (!strpbrk(text, ",\"\r\n")) {
        fputs(text, w->stream);
        return;
    }
    fputc('"', w->stream);
    for (; *text; text++)
        fprintf(w->stream, *text == '"' ? "\"\"" : "%c", *text);
    fputc('"', w->stream);
}

/* A column of texts; NULL: empty. */
static void text_column(writer *w, const char *name, const char *text)
{
    put_text(w, !w->own ? name : text ? text : "");
}

/* A column of numbers; what is not known is empty. */
static void column(writer *w, const char *name, const char *suffix, double value)
{
    char text[160];
    if (!w->own)
        snprintf(text, sizeof text, "%s%s", name, suffix);
    else if (isfinite(value))
        snprintf(text, sizeof text, "%.17g", value);
    else
        *text = '\0';
    put_text(w, text);
}

/* A member of the summary of the row that is written; NULL where there is none. */
static const cJSON *of_row(const writer *w, const char *key)
{
    return w->own && w->own->state == HSGD_SWEEP_DONE ? cJSON_GetObjectItemCaseSensitive(w->own->summary, key) : NULL;
}

static double number_of(const cJSON *object, const char *key)
{
    return number_or_nan(cJSON_GetObjectItemCaseSensitive(object, key));
}

static const char *text_of(const cJSON *object, const char *key)
{
    return cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, key));
}

/* "mean", "se" and "ci" of a measured quantity. */
static void interval_columns(writer *w, const char *name, const cJSON *quantity)
{
    const cJSON *ci = cJSON_GetObjectItemCaseSensitive(quantity, "ci");
    column(w, name, "", number_of(quantity, "mean"));
    column(w, name, "_se", number_of(quantity, "se"));
    column(w, name, "_low", number_or_nan(cJSON_GetArrayItem(ci, 0)));
    column(w, name, "_high", number_or_nan(cJSON_GetArrayItem(ci, 1)));
}

static void measured_columns(writer *w)
{
    static const char *const shape[] = {"workers", "levels", "local_period", "global_period"};
    static const char *const setting[] = {"step_size", "steps", "seeds"};
    static const char *const quantity[] = {"S", "S_round", "S_min"};
    const cJSON *hierarchy = of_row(w, "hierarchy"), *measured = of_row(w, "measured");
    for (size_t i = 0; i < sizeof shape / sizeof *shape; i++)
        column(w, shape[i], "", number_of(hierarchy, shape[i]));
    for (size_t i = 0; i < sizeof setting / sizeof *setting; i++)
        column(w, setting[i], "", number_or_nan(of_row(w, setting[i])));
    for (size_t i = 0; i < sizeof quantity / sizeof *quantity; i++)
        interval_columns(w, quantity[i], cJSON_GetObjectItemCaseSensitive(measured, quantity[i]));
    const cJSON *loss = cJSON_GetObjectItemCaseSensitive(measured, "final_loss");
    column(w, "final_loss", "", number_of(loss, "mean"));
    column(w, "final_loss", "_se", number_of(loss, "se"));
    column(w, "diverged_seeds", "", number_of(measured, "diverged_seeds"));
}

/* The first row that is done has the names of what all rows have. */
static const cJSON *example_of(const writer *w, const char *key)
{
    for (size_t i = 0; i < w->sweep->num_points; i++)
        if (w->row[i].state == HSGD_SWEEP_DONE && cJSON_HasObjectItem(w->row[i].summary, key))
            return cJSON_GetObjectItemCaseSensitive(w->row[i].summary, key);
    return NULL;
}

/* The bound of this id in an array of bounds. */
static const cJSON *find_bound(const cJSON *bounds, const char *id)
{
    const cJSON *bound;
    cJSON_ArrayForEach(bound, bounds) if (strcmp(text_of(bound, "id"), id) == 0) return bound;
    return NULL;
}

/* Whether any row has this bound. */
static bool has_bound(const writer *w, const char *id)
{
    for (size_t i = 0; i < w->sweep->num_points; i++)
        if (w->row[i].state == HSGD_SWEEP_DONE &&
            find_bound(cJSON_GetObjectItemCaseSensitive(w->row[i].summary, "bounds"), id))
            return true;
    return false;
}

static void columns_of_bound(writer *w, const char *id)
{
    char name[80];
    if (!has_bound(w, id))
        return;
    const cJSON *bound = find_bound(of_row(w, "bounds"), id);
    column(w, id, "", number_of(bound, "value"));
    column(w, id, "_ratio", number_of(bound, "ratio"));
    snprintf(name, sizeof name, "%s_verdict", id);
    text_column(w, name, text_of(bound, "verdict"));
}

static void bound_columns(writer *w)
{
    for (size_t b = 0; b < hsgd_num_bounds; b++)
        columns_of_bound(w, hsgd_bounds[b]->id);
    for (size_t b = 0; b < w->sweep->num_own_bounds; b++)
        columns_of_bound(w, w->sweep->own_bound[b]);
}

/* Losses and accuracies of H-SGD at the end. */
static void metric_columns(writer *w)
{
    const cJSON *all = cJSON_GetObjectItemCaseSensitive(example_of(w, "metrics"), "hsgd"), *metric;
    const cJSON *own = cJSON_GetObjectItemCaseSensitive(of_row(w, "metrics"), "hsgd");
    cJSON_ArrayForEach(metric, cJSON_GetObjectItemCaseSensitive(all, "final"))
    {
        char name[64];
        const cJSON *last = cJSON_GetObjectItemCaseSensitive(own, "final");
        const cJSON *best = cJSON_GetObjectItemCaseSensitive(own, "best");
        snprintf(name, sizeof name, "final_%s", metric->string);
        interval_columns(w, name, cJSON_GetObjectItemCaseSensitive(last, metric->string));
        snprintf(name, sizeof name, "best_%s", metric->string);
        column(w, name, "", number_of(cJSON_GetObjectItemCaseSensitive(best, metric->string), "mean"));
    }
}

/* When H-SGD reached its targets: which share of the runs did, and the means over those that did. */
static void target_columns(writer *w)
{
    const cJSON *all = example_of(w, "targets"), *own = of_row(w, "targets");
    for (int k = 0; k < cJSON_GetArraySize(all); k++) {
        const cJSON *target = cJSON_GetObjectItemCaseSensitive(cJSON_GetArrayItem(own, k), "hsgd");
        const cJSON *example = cJSON_GetObjectItemCaseSensitive(cJSON_GetArrayItem(all, k), "hsgd");
        char name[64];
        snprintf(name, sizeof name, "target_%d", k + 1);
        column(w, name, "_reached", number_of(target, "reached") / number_of(target, "runs"));
        column(w, name, "_step", number_of(cJSON_GetObjectItemCaseSensitive(target, "step"), "mean"));
        column(w, name, "_round", number_of(cJSON_GetObjectItemCaseSensitive(target, "round"), "mean"));
        if (cJSON_HasObjectItem(example, "time_s"))
            column(w, name, "_time_s", number_of(cJSON_GetObjectItemCaseSensitive(target, "time_s"), "mean"));
    }
}

/* What the whole run of H-SGD took by the model of communication. */
static void communication_columns(writer *w)
{
    const cJSON *own = cJSON_GetObjectItemCaseSensitive(of_row(w, "communication"), "hsgd");
    const cJSON *bytes = cJSON_GetObjectItemCaseSensitive(own, "bytes_level"), *level;
    double sum = own ? 0 : NAN;
    if (!example_of(w, "communication"))
        return;
    cJSON_ArrayForEach(level, bytes) sum += level->valuedouble;
    column(w, "time_s", "", number_of(cJSON_GetObjectItemCaseSensitive(own, "time_s"), "mean"));
    column(w, "bytes_level_1", "", number_or_nan(cJSON_GetArrayItem(bytes, 0)));
    column(w, "bytes", "", sum);
}

static bool has_ending(const char *text, const char *ending)
{
    size_t length = strlen(text), end = strlen(ending);
    return length >= end && strcmp(text + length - end, ending) == 0;
}

/* Whether another column may have this name; some come with the configuration. */
static bool is_taken(const hsgd_sweep *sweep, const char *name)
{
    static const char *const others[] = {"folder",        "state",     "verdict", "workers", "levels", "local_period",
                                         "global_period", "step_size", "steps",   "seeds",   "S",      "diverged_seeds",
                                         "time_s",        "bytes",     NULL};
    static const char *const beginnings[] = {"S_",           "final_", "best_",  "target_",
                                             "bytes_level_", "axis_",  "label_", NULL};
    bool taken = has_ending(name, "_at");
    for (size_t i = 0; others[i]; i++)
        taken |= strcmp(name, others[i]) == 0;
    for (size_t i = 0; beginnings[i]; i++)
        taken |= strncmp(name, beginnings[i], strlen(beginnings[i])) == 0;
    for (size_t b = 0; b < hsgd_num_bounds; b++)
        taken |= strncmp(name, hsgd_bounds[b]->id, strlen(hsgd_bounds[b]->id)) == 0;
    for (size_t b = 0; b < sweep->num_own_bounds; b++) {
        size_t length = strlen(sweep->own_bound[b]);
        taken |= strncmp(name, sweep->own_bound[b], length) == 0 &&
                 (!name[length] || strcmp(name + length, "_ratio") == 0 || strcmp(name + length, "_verdict") == 0);
    }
    return taken;
}

/* An axis may have the name of another column. NAME_at is where a value of the axis NAME stands, and "axis_NAME_at" where
 * that of a renamed one does; so that an axis of such a name becomes something else. */
static void axis_name(char *out, size_t size, const hsgd_sweep *sweep, const char *name)
{
    const char *prefix = !is_taken(sweep, name) ? "" : has_ending(name, "_at") ? "label_" : "axis_";
    snprintf(out, size, "%s%s", prefix, name);
}

static void axis_columns(writer *w, const hsgd_sweep_point *point)
{
    char name[128];
    for (size_t a = 0; a < w->sweep->num_axes; a++) {
        axis_name(name, sizeof name, w->sweep, w->sweep->axis[a].name);
        text_column(w, name, w->sweep->axis[a].label[point->value[a]]);
    }
    for (size_t a = 0; a < w->sweep->num_axes; a++)
        if (w->sweep->axis[a].at) {
            axis_name(name, sizeof name, w->sweep, w->sweep->axis[a].name);
            column(w, name, "_at", w->sweep->axis[a].at[point->value[a]]);
        }
}

static void csv_line(writer *w, const hsgd_sweep_point *point)
{
    char folder[512];
    snprintf(folder, sizeof folder, "points/%s", point->folder);
    w->written = 0;
    axis_columns(w, point);
    text_column(w, "folder", folder);
    text_column(w, "state", w->own ? state_names[w->own->state] : NULL);
    text_column(w, "verdict", cJSON_GetStringValue(of_row(w, "verdict")));
    measured_columns(w);
    bound_columns(w);
    metric_columns(w);
    target_columns(w);
    communication_columns(w);
    fputc('\n', w->stream);
}

static hsgd_status write_csv(const hsgd_sweep *sweep, const hsgd_sweep_row *row, const char *dir, hsgd_error *err)
{
    hsgd_output out;
    hsgd_status status = hsgd_output_open(&out, dir, "sweep", "csv", err);
    if (status)
        return status;
    writer w = {.stream = out.stream, .sweep = sweep, .row = row};
    csv_line(&w, &sweep->point[0]);
    for (size_t i = 0; i < sweep->num_points; i++) {
        w.own = &row[i];
        csv_line(&w, &sweep->point[i]);
    }
    return hsgd_output_close(&out, err);
}

hsgd_status hsgd_sweep_write(const hsgd_sweep *sweep, const hsgd_sweep_row *row, const char *dir, hsgd_error *err)
{
    hsgd_status status = write_csv(sweep, row, dir, err);
    return status ? status : write_json(sweep, row, dir, err);
}
