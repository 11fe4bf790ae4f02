/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The combined figures of a sweep's folder, from its sweep.json and the series.csv of its points. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/statistics.h"
#include "experiments/folder_private.h"
#include "experiments/style_private.h"
#include "experiments/sweep_private.h"
#include "plots/sweep.h"

/* What the figures show of one point, and what they borrow. */
typedef struct source {
    hsgd_series series;
    double *band;  /* (NUM_BANDS, 2, num_rows) distances to the lower and the upper edge */
    double *bytes; /* (num_rows) */
} source;

typedef struct folder {
    const char *dir;
    hsgd_folder_document from;
    hsgd_sweep_figure_input input;
    hsgd_sweep_kinds kinds; /* of bounds; texts of document */
    hsgd_axes axes;
    hsgd_sweep_figure_point *point; /* (input.num_points) */
    source *source;                 /* (input.num_points) */
} folder;

enum { BAND_TRAIN, BAND_TEST, NUM_BANDS };

static void folder_free(folder *f)
{
    for (size_t i = 0; f->source && i < f->input.num_points; i++) {
        hsgd_series_free(&f->source[i].series);
        free(f->source[i].band);
        free(f->source[i].bytes);
    }
    hsgd_axes_free(&f->axes);
    free(f->source);
    free(f->point);
    hsgd_folder_document_free(&f->from);
}

/* ---- sweep.json ---- */

/* The error bar of S as the style wants it. Results of earlier versions say nothing of single runs. */
static hsgd_status read_bar(hsgd_sweep_figure_point *p, const hsgd_json *measured, const folder *f, hsgd_error *err)
{
    hsgd_json S = hsgd_json_member(measured, "S"), ci = hsgd_json_member(&S, "ci");
    hsgd_json runs = hsgd_json_member(measured, "S_runs");
    hsgd_figure_band band = f->from.style.band;
    bool of_runs = band == HSGD_BAND_SD || band == HSGD_BAND_RANGE;
    double reach =
        number_or_nan(band == HSGD_BAND_SD ? hsgd_json_member(&runs, "sd").value : hsgd_json_member(&S, "se").value);
    if (of_runs && !runs.value)
        return hsgd_json_fail(measured, err, "S_runs is missing; run the sweep again, or take the band ci, se or none");
    if (band == HSGD_BAND_NONE || (of_runs && p->num_runs < 2))
        return HSGD_OK;
    p->S_low = p->S - reach;
    p->S_high = p->S + reach;
    if (band == HSGD_BAND_RANGE) {
        p->S_low = number_or_nan(hsgd_json_member(&runs, "min").value);
        p->S_high = number_or_nan(hsgd_json_member(&runs, "max").value);
    } else if (band == HSGD_BAND_CI) {
        p->S_low = number_or_nan(cJSON_GetArrayItem(ci.value, 0));
        p->S_high = number_or_nan(cJSON_GetArrayItem(ci.value, 1));
    }
    return HSGD_OK;
}

static hsgd_status read_results(hsgd_sweep_figure_point *p, const hsgd_json *at, const folder *f, hsgd_error *err)
{
    hsgd_json measured = hsgd_json_member(at, "measured"), S = hsgd_json_member(&measured, "S");
    hsgd_json bounds = hsgd_json_member(at, "bounds");
    p->S = number_or_nan(hsgd_json_member(&S, "mean").value);
    p->constants_proved = true;
    for (size_t k = 0; k < hsgd_sweep_num_kinds(&f->kinds); k++) {
        const cJSON *bound = hsgd_sweep_find_bound(&f->kinds, bounds.value, k);
        p->bound[k] = number_or_nan(cJSON_GetObjectItemCaseSensitive(bound, "value"));
        const cJSON *kind = cJSON_GetObjectItemCaseSensitive(bound, "constants");
        if (bound && hsgd_folder_is_unproved(kind)) {
            p->constants_proved = false;
            p->constants_estimated |= strcmp(kind->valuestring, hsgd_constant_kind_name(HSGD_ESTIMATE)) == 0;
        }
    }
    return read_bar(p, &measured, f, err);
}

static hsgd_status read_setting(hsgd_sweep_figure_point *p, const hsgd_json *at, hsgd_error *err)
{
    hsgd_json hierarchy = hsgd_json_member(at, "hierarchy"), workers = hsgd_json_member(&hierarchy, "workers");
    hsgd_json steps = hsgd_json_member(at, "steps"), seeds = hsgd_json_member(at, "seeds");
    hsgd_json step_size = hsgd_json_member(at, "step_size"), runs = hsgd_json_member(at, "runs");
    hsgd_status status = hsgd_json_count(&workers, 1, SIZE_MAX, &p->num_workers, err);
    if (!status)
        status = hsgd_json_count(&steps, 1, SIZE_MAX, &p->steps, err);
    if (!status)
        status = hsgd_json_count(&seeds, 1, SIZE_MAX, &p->seeds, err);
    if (!status)
        status = hsgd_json_count(&runs, 1, SIZE_MAX, &p->num_runs, err);
    return status ? status : hsgd_json_positive(&step_size, &p->step_size, err);
}

/* ---- series.csv ---- */

/* The band around a column as the style wants it, as distances from the mean; NULL where there is no such column. */
static hsgd_status read_band(const double **below, const double **above, const hsgd_bands *bands, const source *s,
                             size_t which, const char *name, hsgd_error *err)
{
    size_t rows = s->series.num_rows;
    const hsgd_band_place place = {s->band + 2 * which * rows, s->band + (2 * which + 1) * rows, 1};
    if (!hsgd_series_column(&s->series, name))
        return HSGD_OK;
    *below = place.below;
    *above = bands->kind == HSGD_BAND_RANGE ? place.above : place.below;
    return hsgd_folder_band(bands, &place, name, err);
}

static hsgd_status read_bands(const folder *f, hsgd_sweep_figure_point *p, const source *s, hsgd_error *err)
{
    const hsgd_bands bands = {f->dir, &s->series, f->from.style.band, p->seeds, p->num_runs, f->input.confidence};
    hsgd_status status = read_band(&p->train_below, &p->train_above, &bands, s, BAND_TRAIN, "train_accuracy", err);
    return status ? status : read_band(&p->test_below, &p->test_above, &bands, s, BAND_TEST, "test_accuracy", err);
}

/* All levels together; NULL where nothing was modelled. */
static const double *sum_bytes(source *s)
{
    size_t rows = s->series.num_rows;
    for (size_t k = 1;; k++) {
        char name[48];
        snprintf(name, sizeof name, "bytes_level_%zu", k);
        const double *level = hsgd_series_column(&s->series, name);
        if (!level)
            return k > 1 ? s->bytes : NULL;
        for (size_t row = 0; row < rows; row++)
            s->bytes[row] += level[row];
    }
}

static hsgd_status read_series(folder *f, hsgd_sweep_figure_point *p, source *s, const hsgd_json *at, hsgd_error *err)
{
    hsgd_json folder_name = hsgd_json_member(at, "folder");
    const char *name;
    char path[4096];
    hsgd_status status = hsgd_json_text(&folder_name, &name, err);
    if (status)
        return status;
    snprintf(path, sizeof path, "%s/%s/series.csv", f->dir, name);
    status = hsgd_series_read(&s->series, path, err);
    if (status)
        return status;
    size_t rows = p->num_rows = s->series.num_rows;
    s->band = calloc(2 * rows * NUM_BANDS + 1, sizeof *s->band);
    s->bytes = calloc(rows + 1, sizeof *s->bytes);
    if (!s->band || !s->bytes)
        return hsgd_fail_memory(err, "the series");
    p->step = hsgd_series_column(&s->series, "step");
    p->grad_norm_sq = hsgd_series_column(&s->series, "grad_norm_sq");
    p->loss = hsgd_series_column(&s->series, "loss");
    p->train_accuracy = hsgd_series_column(&s->series, "train_accuracy");
    p->test_accuracy = hsgd_series_column(&s->series, "test_accuracy");
    p->time_s = hsgd_series_column(&s->series, "time_s");
    p->bytes_all = sum_bytes(s);
    if (!p->step || !p->grad_norm_sq || !p->loss)
        status = hsgd_fail(err, HSGD_ERROR_INPUT, "%s: the column %s is missing", path,
                           !p->step           ? "step"
                           : !p->grad_norm_sq ? "grad_norm_sq"
                                              : "loss");
    return status ? status : read_bands(f, p, s, err);
}

static hsgd_status read_point(folder *f, size_t i, const hsgd_json *at, hsgd_error *err)
{
    hsgd_sweep_figure_point *p = &f->point[i];
    hsgd_json title = hsgd_json_member(at, "title"), state = hsgd_json_member(at, "state");
    const char *reached;
    *p = (hsgd_sweep_figure_point){.S = NAN, .S_low = NAN, .S_high = NAN};
    for (size_t k = 0; k < HSGD_MAX_SWEEP_BOUNDS; k++)
        p->bound[k] = NAN;
    for (size_t a = f->input.num_axes, rest = i; a-- > 0; rest /= f->input.axis[a].num_values)
        p->value[a] = rest % f->input.axis[a].num_values;
    hsgd_status status = hsgd_json_text(&title, &p->title, err);
    if (!status)
        status = hsgd_json_text(&state, &reached, err);
    if (status || strcmp(reached, "done") != 0)
        return status;
    p->done = true;
    status = read_setting(p, at, err);
    if (status)
        return status;
    status = read_results(p, at, f, err);
    return status ? status : read_series(f, p, &f->source[i], at, err);
}

/* The user's own bounds of all points. */
static void find_own_bounds(folder *f, const cJSON *points)
{
    const cJSON *point;
    cJSON_ArrayForEach(point, points)
        hsgd_sweep_add_kinds(&f->kinds, cJSON_GetObjectItemCaseSensitive(point, "bounds"));
    f->input.num_own_bounds = f->kinds.num_own;
    for (size_t i = 0; i < f->kinds.num_own; i++)
        f->input.own_bound[i] = f->kinds.title[i];
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
    if (status)
        return status;
    f->point = calloc(count, sizeof *f->point);
    f->source = calloc(count, sizeof *f->source);
    if (!f->point || !f->source)
        return hsgd_fail_memory(err, "the points");
    f->input.point = f->point;
    f->input.num_points = count;
    find_own_bounds(f, points.value);
    const cJSON *item = points.value->child;
    for (size_t i = 0; item && !status; i++) {
        hsgd_json at = hsgd_json_next(&points, &item, i);
        status = read_point(f, i, &at, err);
    }
    return status;
}

static hsgd_status read_folder(folder *f, const char *dir, const hsgd_style_change *change, hsgd_error *err)
{
    *f = (folder){.dir = dir};
    hsgd_json root;
    hsgd_status status = hsgd_folder_read_document(&f->from, &root, dir, HSGD_FOLDER_SWEEP, change, err);
    if (status)
        return status;
    hsgd_json name = hsgd_json_member(&root, "name");
    status = hsgd_json_text(&name, &f->input.name, err);
    f->input.confidence = number_or_nan(hsgd_json_member(&root, "confidence").value);
    if (!status)
        status = hsgd_axes_read(&f->axes, &root, err);
    memcpy(f->input.axis, f->axes.axis, sizeof f->input.axis);
    f->input.num_axes = f->axes.count;
    return status ? status : read_points(f, &root, err);
}

/* ---- making the figures ---- */

static hsgd_status write_one(const folder *f, const hsgd_sweep_figure *figure, bool *made, hsgd_figure_report *report,
                             hsgd_error *err)
{
    char reason[HSGD_NOTE_SIZE];
    *made = false;
    if (!hsgd_folder_is_listed(cJSON_GetObjectItemCaseSensitive(f->from.json, "figures"), figure->name))
        return hsgd_folder_remove_figure(f->dir, figure->name, err);
    if (!figure->possible(&f->input, reason, sizeof reason)) {
        hsgd_folder_note_missing(report, figure->name, reason);
        return hsgd_folder_remove_figure(f->dir, figure->name, err);
    }
    hsgd_status status = figure->write(&f->input, f->dir, &f->from.style, err);
    *made = !status;
    if (!status)
        hsgd_folder_list_script(report, figure->name);
    return status ? status : hsgd_folder_remove_drawing(f->dir, figure->name, &f->from.style, err);
}

hsgd_status hsgd_sweep_plot(const char *dir, const hsgd_style_change *change, hsgd_figure_report *report,
                            hsgd_error *err)
{
    folder f;
    bool made[HSGD_MAX_SWEEP_FIGURES] = {false};
    report->num_files = report->num_notes = 0;
    hsgd_status status = read_folder(&f, dir, change, err);
    for (size_t i = 0; i < hsgd_num_sweep_figures && !status; i++)
        status = write_one(&f, hsgd_sweep_figures[i], &made[i], report, err);
    for (size_t i = 0; i < hsgd_num_sweep_figures && !status; i++)
        if (made[i])
            status = hsgd_folder_render(dir, hsgd_sweep_figures[i]->name, &f.from.style, report, err);
    if (!status)
        hsgd_folder_list_shared(report, f.from.style.format);
    folder_free(&f);
    return status;
}

/* ---- for a page ---- */

static hsgd_status draw_one(hsgd_drawings *out, const folder *f, const hsgd_sweep_figure *figure, hsgd_error *err)
{
    bool made;
    hsgd_status status = write_one(f, figure, &made, &out->report, err);
    if (!status && made)
        status = hsgd_drawings_add(out, figure->name,
                                   hsgd_sweep_figure_caption(&f->input, figure, f->from.style.band, HSGD_CAPTION_PLAIN),
                                   err);
    if (!status && made)
        status = hsgd_folder_render(f->dir, figure->name, &f->from.style, &out->report, err);
    return status;
}

hsgd_status hsgd_sweep_draw(hsgd_drawings *out, const char *dir, const char *into, const hsgd_style_change *change,
                            hsgd_error *err)
{
    folder f;
    *out = (hsgd_drawings){.item = calloc(hsgd_num_sweep_figures, sizeof *out->item)};
    hsgd_status status = read_folder(&f, dir, change, err);
    if (!status && !out->item)
        status = hsgd_fail_memory(err, "the figures");
    f.dir = into; /* all is read; from here on files are written */
    for (size_t i = 0; i < hsgd_num_sweep_figures && !status; i++)
        status = draw_one(out, &f, hsgd_sweep_figures[i], err);
    folder_free(&f);
    return status;
}
