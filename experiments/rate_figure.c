/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The figure of a folder of hsgd rate, from its rate.json alone. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "experiments/folder_private.h"
#include "experiments/rate_private.h"
#include "experiments/style_private.h"
#include "plots/rate.h"

/* What the figure borrows. */
typedef struct folder {
    const char *dir;
    hsgd_folder_document from;
    hsgd_rate_figure_input input;
    double *number;                /* (4 + num_bounds, num_points) owned */
    bool *fitted;                  /* (num_points) owned */
    hsgd_rate_figure_bound *bound; /* (num_bounds) owned */
} folder;

static void folder_free(folder *f)
{
    free(f->number);
    free(f->fitted);
    free(f->bound);
    hsgd_folder_document_free(&f->from);
}

static const cJSON *member(const cJSON *object, const char *key)
{
    return cJSON_GetObjectItemCaseSensitive(object, key);
}

/* A count that was not swept over; 0 where it was, or is not there. */
static size_t fixed_count(const cJSON *point, const char *key, bool swept)
{
    double value = number_or_nan(member(point, key));
    return !swept && value >= 1 && value < 1e15 ? (size_t)value : 0;
}

static void read_setting(folder *f, const cJSON *root, const cJSON *first)
{
    const char *symbol = f->input.symbol, *method = cJSON_GetStringValue(member(member(root, "rate"), "method"));
    const char *kind = cJSON_GetStringValue(member(first, "constants"));
    f->input.workers = fixed_count(first, "num_workers", strcmp(symbol, "n") == 0);
    f->input.steps = fixed_count(first, "steps", strcmp(symbol, "T") == 0);
    f->input.global_period = fixed_count(first, "global_period", strcmp(symbol, "G") == 0);
    f->input.local_period = fixed_count(first, "local_period", strcmp(symbol, "I") == 0);
    f->input.seeds = fixed_count(first, "seeds", false);
    f->input.exact = method && strcmp(method, "exact") == 0;
    f->input.confidence = number_or_nan(member(root, "confidence"));
    f->input.constants_proved = kind && (strcmp(kind, "exact") == 0 || strcmp(kind, "certified") == 0);
}

/* Bounds that apply nowhere are not drawn. */
static void read_bounds(folder *f, const cJSON *root, const cJSON *points, size_t count)
{
    const cJSON *theory = member(root, "theory"), *names = member(points->child, "bounds"), *name, *point, *item;
    double *value = f->number + 4 * count;
    size_t b = 0;
    cJSON_ArrayForEach(name, names)
    {
        const char *id = cJSON_GetStringValue(member(name, "id"));
        size_t i = 0, known = 0;
        cJSON_ArrayForEach(point, points)
        {
            value[i] = number_or_nan(member(cJSON_GetArrayItem(member(point, "bounds"), (int)b), "value"));
            known += isfinite(value[i++]);
        }
        b++;
        if (!id || !known)
            continue;
        hsgd_rate_figure_bound *bound = &f->bound[f->input.num_bounds++];
        *bound = (hsgd_rate_figure_bound){id, value, NAN};
        value += count;
        cJSON_ArrayForEach(item, theory)
        {
            const char *with = cJSON_GetStringValue(member(item, "with"));
            if (with && strcmp(with, id) == 0)
                bound->exponent = number_or_nan(member(item, "exponent"));
        }
    }
}

static void read_points(folder *f, const cJSON *points, size_t count)
{
    double *at = f->number, *value = at + count, *low = value + count, *high = low + count;
    const cJSON *point;
    size_t i = 0;
    cJSON_ArrayForEach(point, points)
    {
        at[i] = number_or_nan(member(point, "at"));
        value[i] = number_or_nan(member(point, "value"));
        low[i] = number_or_nan(cJSON_GetArrayItem(member(point, "ci"), 0));
        high[i] = number_or_nan(cJSON_GetArrayItem(member(point, "ci"), 1));
        f->fitted[i++] = cJSON_IsTrue(member(point, "fitted"));
    }
    f->input.at = at;
    f->input.value = value;
    f->input.low = low;
    f->input.high = high;
    f->input.fitted = f->fitted;
}

/* The guide has the exponent that was expected; where there is none, that of the tightest bound. */
static void read_fit(folder *f, const cJSON *root)
{
    const cJSON *fit = member(root, "fit"), *ci = member(fit, "ci"), *item, *theory = member(root, "theory");
    const char *tightest = cJSON_GetStringValue(member(root, "tightest_bound"));
    f->input.has_fit = cJSON_IsObject(fit);
    f->input.exponent = number_or_nan(member(fit, "exponent"));
    f->input.log_constant = number_or_nan(member(fit, "log_constant"));
    f->input.half_width = number_or_nan(cJSON_GetArrayItem(ci, 1)) - f->input.exponent;
    f->input.guide = NAN;
    cJSON_ArrayForEach(item, theory)
    {
        const char *with = cJSON_GetStringValue(member(item, "with"));
        if (with && (strcmp(with, "expected") == 0 || strcmp(with, "asymptotic") == 0 ||
                     (isnan(f->input.guide) && tightest && strcmp(with, tightest) == 0)))
            f->input.guide = number_or_nan(member(item, "exponent"));
    }
}

static hsgd_status read_input(folder *f, const hsgd_json *root, hsgd_error *err)
{
    hsgd_json points = hsgd_json_member(root, "points"), symbol = hsgd_json_member(root, "symbol");
    hsgd_json rate = hsgd_json_member(root, "rate"), of = hsgd_json_member(&rate, "of");
    size_t count;
    hsgd_status status = hsgd_json_array(&points, 1, &count, err);
    if (!status)
        status = hsgd_json_text(&symbol, &f->input.symbol, err);
    if (!status)
        status = hsgd_json_text(&of, &f->input.quantity, err);
    if (status)
        return status;
    size_t bounds = (size_t)cJSON_GetArraySize(member(points.value->child, "bounds"));
    f->number = calloc((4 + bounds) * count, sizeof *f->number);
    f->fitted = calloc(count, sizeof *f->fitted);
    f->bound = calloc(bounds + 1, sizeof *f->bound);
    if (!f->number || !f->fitted || !f->bound)
        return hsgd_fail_memory(err, "the points");
    f->input.num_points = count;
    f->input.bound = f->bound;
    read_setting(f, root->value, points.value->child);
    read_points(f, points.value, count);
    read_bounds(f, root->value, points.value, count);
    read_fit(f, root->value);
    return HSGD_OK;
}

static hsgd_status read_folder(folder *f, const char *dir, const hsgd_style_change *change, hsgd_error *err)
{
    *f = (folder){.dir = dir};
    hsgd_json root;
    hsgd_status status = hsgd_folder_read_document(&f->from, &root, dir, HSGD_FOLDER_RATE, change, err);
    if (status)
        return status;
    hsgd_json name = hsgd_json_member(&root, "name");
    status = hsgd_json_text(&name, &f->input.name, err);
    return status ? status : read_input(f, &root, err);
}

static hsgd_status draw(const folder *f, hsgd_figure_report *report, hsgd_error *err)
{
    char reason[HSGD_NOTE_SIZE];
    hsgd_status status = hsgd_folder_remove_figure(f->dir, "rate", err);
    if (status)
        return status;
    if (!hsgd_rate_figure_possible(&f->input, reason, sizeof reason)) {
        hsgd_folder_note_missing(report, "rate", reason);
        return HSGD_OK;
    }
    status = hsgd_rate_figure_write(&f->input, f->dir, &f->from.style, err);
    if (status)
        return status;
    hsgd_folder_list_script(report, "rate");
    status = hsgd_folder_render(f->dir, "rate", &f->from.style, report, err);
    if (!status)
        hsgd_folder_list_shared(report, f->from.style.format);
    return status;
}

hsgd_status hsgd_rate_plot(const char *dir, const hsgd_style_change *change, hsgd_figure_report *report,
                           hsgd_error *err)
{
    folder f;
    report->num_files = report->num_notes = 0;
    hsgd_status status = read_folder(&f, dir, change, err);
    if (!status)
        status = draw(&f, report, err);
    folder_free(&f);
    return status;
}
