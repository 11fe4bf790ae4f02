/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "experiments/folder.h"

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/statistics.h"
#include "bounds/verdict.h"
#include "experiments/folder_private.h"
#include "experiments/json_private.h"
#include "experiments/series_private.h"
#include "experiments/style_private.h"
#include "plots/caption.h"

/* The terms that one bound of the figures borrows. */
typedef struct terms {
    const char **name; /* the texts belong to the document */
    double *value;
} terms;

enum { MAX_ARRAYS = 24 };

/* Everything read from a folder, and the arrays that the figures borrow. */
typedef struct folder {
    const char *dir;
    char *result_path;
    cJSON *document;
    hsgd_series series;
    hsgd_figure_style style;
    hsgd_bands bands;
    hsgd_setting_memory setting;
    hsgd_figure_input input;
    hsgd_figure_bound *bound; /* (input.num_bounds) */
    terms *terms;             /* (input.num_bounds) */
    hsgd_figure_rung *rung;   /* (input.num_rungs) */
    double *memory[MAX_ARRAYS];
    double *metrics; /* what input.progress borrows */
    size_t num_memory;
} folder;

static void folder_free(folder *f)
{
    for (size_t i = 0; f->terms && i < f->input.num_bounds; i++) {
        free(f->terms[i].name);
        free(f->terms[i].value);
    }
    free(f->terms);
    free(f->bound);
    free(f->rung);
    for (size_t i = 0; i < f->num_memory; i++)
        free(f->memory[i]);
    free(f->metrics);
    hsgd_setting_memory_free(&f->setting);
    hsgd_series_free(&f->series);
    cJSON_Delete(f->document);
    free(f->result_path);
}

/* ---- result.json ---- */

static hsgd_status read_settings(folder *f, const hsgd_json *root, hsgd_error *err)
{
    hsgd_json hierarchy = hsgd_json_member(root, "hierarchy"), config = hsgd_json_member(root, "config");
    hsgd_json name = hsgd_json_member(root, "name"), seeds = hsgd_json_member(root, "seeds");
    hsgd_json steps = hsgd_json_member(root, "steps");
    hsgd_json workers = hsgd_json_member(&hierarchy, "workers"), levels = hsgd_json_member(&hierarchy, "levels");
    hsgd_json inner = hsgd_json_member(&hierarchy, "local_period"),
              outer = hsgd_json_member(&hierarchy, "global_period");
    hsgd_json step_size = hsgd_json_member(root, "step_size"), confidence = hsgd_json_member(&config, "confidence");
    hsgd_figure_input *in = &f->input;
    hsgd_status status = hsgd_json_text(&name, &in->name, err);
    if (!status)
        status = hsgd_json_count(&workers, 1, SIZE_MAX, &in->num_workers, err);
    if (!status)
        status = hsgd_json_count(&levels, 1, 64, &in->num_levels, err);
    if (!status)
        status = hsgd_json_count(&inner, 1, SIZE_MAX, &in->local_period, err);
    if (!status)
        status = hsgd_json_count(&outer, 1, SIZE_MAX, &in->global_period, err);
    if (!status)
        status = hsgd_json_count(&seeds, 1, SIZE_MAX, &in->seeds, err);
    if (!status)
        status = hsgd_json_count(&steps, 1, SIZE_MAX, &in->steps, err);
    if (!status)
        status = hsgd_json_positive(&step_size, &in->step_size, err);
    return status ? status : hsgd_json_number(&confidence, 0, 1, &in->confidence, err);
}

static hsgd_status read_terms(hsgd_figure_bound *bound, terms *own, const hsgd_json *at, hsgd_error *err)
{
    hsgd_status status = hsgd_json_array(at, 0, &bound->num_terms, err);
    if (status)
        return status;
    bound->term_name = own->name = calloc(bound->num_terms + 1, sizeof *own->name);
    bound->term_value = own->value = calloc(bound->num_terms + 1, sizeof *own->value);
    if (!own->name || !own->value)
        return hsgd_fail_memory(err, "the bounds");
    const cJSON *item = at->value->child;
    for (size_t i = 0; i < bound->num_terms && !status; i++) {
        hsgd_json term = hsgd_json_next(at, &item, i), text = hsgd_json_member(&term, "name");
        status = hsgd_json_text(&text, &own->name[i], err);
        own->value[i] = number_or_nan(hsgd_json_member(&term, "value").value);
    }
    return status;
}

static hsgd_status read_bound(hsgd_figure_bound *bound, terms *own, const hsgd_json *at, hsgd_error *err)
{
    hsgd_json id = hsgd_json_member(at, "id"), title = hsgd_json_member(at, "title"), of = hsgd_json_member(at, "of");
    hsgd_json algorithm = hsgd_json_member(at, "algorithm"), applicable = hsgd_json_member(at, "applicable");
    hsgd_json term_list = hsgd_json_member(at, "terms"), verdict = hsgd_json_member(at, "verdict");
    const char *judged = "";
    hsgd_status status = hsgd_json_text(&id, &bound->id, err);
    if (!status)
        status = hsgd_json_text(&title, &bound->title, err);
    if (!status)
        status = hsgd_json_text(&of, &bound->target, err);
    if (!status)
        status = hsgd_json_text(&algorithm, &bound->algorithm, err);
    if (!status)
        status = hsgd_json_bool(&applicable, &bound->applicable, err);
    if (!status)
        status = hsgd_json_text(&verdict, &judged, err);
    bound->judged = strcmp(judged, hsgd_verdict_name(HSGD_VERDICT_NOT_APPLICABLE)) != 0;
    bound->value = number_or_nan(hsgd_json_member(at, "value").value);
    return status ? status : read_terms(bound, own, &term_list, err);
}

static hsgd_status read_bounds(folder *f, const hsgd_json *root, hsgd_error *err)
{
    hsgd_json bounds = hsgd_json_member(root, "bounds");
    size_t count;
    hsgd_status status = hsgd_json_array(&bounds, 0, &count, err);
    if (status)
        return status;
    f->bound = calloc(count + 1, sizeof *f->bound);
    f->terms = calloc(count + 1, sizeof *f->terms);
    if (!f->bound || !f->terms)
        return hsgd_fail_memory(err, "the bounds");
    f->input.bound = f->bound;
    f->input.num_bounds = count;
    f->input.constants_proved = true;
    const cJSON *item = bounds.value->child;
    for (size_t i = 0; i < count && !status; i++) {
        hsgd_json at = hsgd_json_next(&bounds, &item, i);
        const cJSON *kind = hsgd_json_member(&at, "constants").value;
        if (hsgd_folder_is_unproved(kind))
            f->input.constants_proved = false;
        status = read_bound(&f->bound[i], &f->terms[i], &at, err);
    }
    return status;
}

static hsgd_status read_ladder(folder *f, const hsgd_json *root, hsgd_error *err)
{
    hsgd_status status = hsgd_folder_ladder(&f->rung, &f->input.num_rungs, root, err);
    f->input.rung = f->rung;
    f->input.constants_estimated = hsgd_folder_has_estimates(root);
    if (!status && !hsgd_folder_ladder_proved(f->rung, f->input.num_rungs, root))
        f->input.constants_proved = false;
    return status;
}

/* "measured" of one run: S with its interval; absent for a run that was not made. */
static void read_S(hsgd_figure_curve *curve, const hsgd_json *measured)
{
    hsgd_json S = hsgd_json_member(measured, "S"), ci = hsgd_json_member(&S, "ci");
    curve->S = number_or_nan(hsgd_json_member(&S, "mean").value);
    curve->S_low = number_or_nan(cJSON_GetArrayItem(ci.value, 0));
    curve->S_high = number_or_nan(cJSON_GetArrayItem(ci.value, 1));
}

static void read_measured(folder *f, const hsgd_json *root)
{
    hsgd_json measured = hsgd_json_member(root, "measured"), others = hsgd_json_member(root, "measured_references");
    hsgd_json inner = hsgd_json_member(&others, "local-sgd-inner"),
              outer = hsgd_json_member(&others, "local-sgd-outer");
    read_S(&f->input.hsgd, &measured);
    read_S(&f->input.local_inner, &inner);
    read_S(&f->input.local_outer, &outer);
}

/* The configuration's style, changed as the command line says; and with it which bands there are. */
static hsgd_status read_style(folder *f, const hsgd_json *root, const hsgd_style_change *change, hsgd_error *err)
{
    hsgd_json config = hsgd_json_member(root, "config"), style = hsgd_json_member(&config, "figure_style");
    hsgd_json runs = hsgd_json_member(root, "runs");
    f->style = hsgd_figure_default_style();
    f->input.runs = f->input.seeds;
    hsgd_status status = hsgd_folder_setting(&f->input.setting, &f->setting, root->value, f->input.num_levels, err);
    if (!status)
        status = hsgd_style_read(&f->style, &style, err);
    if (!status && change)
        status = hsgd_style_apply(&f->style, change, err);
    if (!status && runs.value)
        status = hsgd_json_count(&runs, 1, SIZE_MAX, &f->input.runs, err);
    f->input.band = f->style.band;
    f->bands = (hsgd_bands){f->dir, &f->series, f->style.band, f->input.seeds, f->input.runs, f->input.confidence};
    return status;
}

/* ---- series.csv ---- */

/* An array that lives as long as the folder; NULL when memory is out. */
static double *take(folder *f, size_t count)
{
    if (f->num_memory == MAX_ARRAYS)
        return NULL;
    return f->memory[f->num_memory++] = calloc(count ? count : 1, sizeof(double));
}

/* level 0: no number in the name (a zero printed with precision 0 has no digits). */
static const double *column(const folder *f, const char *prefix, size_t level, const char *suffix)
{
    char name[64];
    snprintf(name, sizeof name, "%s%.0zu%s", prefix, level, suffix);
    return hsgd_series_column(&f->series, name);
}

static hsgd_status missing(const folder *f, const char *name, hsgd_error *err)
{
    return hsgd_fail(err, HSGD_ERROR_INPUT, "%s/series.csv: the column %s is missing", f->dir, name);
}

/* out (num_rows, levels): the columns prefix1suffix, prefix2suffix, ... side by side. */
static hsgd_status gather(folder *f, const double **out, const char *prefix, const char *suffix, size_t levels,
                          hsgd_error *err)
{
    double *memory = take(f, f->series.num_rows * levels);
    if (!memory)
        return hsgd_fail_memory(err, "the series");
    *out = memory;
    for (size_t k = 0; k < levels; k++) {
        const double *values = column(f, prefix, k + 1, suffix);
        if (!values)
            return hsgd_fail(err, HSGD_ERROR_INPUT, "%s/series.csv: the column %s%zu%s is missing", f->dir, prefix,
                             k + 1, suffix);
        for (size_t row = 0; row < f->series.num_rows; row++)
            memory[row * levels + k] = values[row];
    }
    return HSGD_OK;
}

static hsgd_status read_curve(folder *f, hsgd_figure_curve *curve, const char *name, hsgd_error *err)
{
    size_t rows = f->series.num_rows;
    curve->grad_norm_sq = hsgd_series_column(&f->series, name);
    if (!curve->grad_norm_sq || !column(f, name, 0, "_se")) {
        curve->grad_norm_sq = NULL;
        return HSGD_OK;
    }
    double *memory = take(f, 2 * rows);
    if (!memory)
        return hsgd_fail_memory(err, "the series");
    curve->grad_norm_sq_half_width = memory;
    curve->grad_norm_sq_above = f->bands.kind == HSGD_BAND_RANGE ? memory + rows : NULL;
    return hsgd_folder_band(&f->bands, &(hsgd_band_place){memory, memory + rows, 1}, name, err);
}

static hsgd_status read_curves(folder *f, hsgd_error *err)
{
    hsgd_status status = read_curve(f, &f->input.hsgd, "grad_norm_sq", err);
    if (!status && !f->input.hsgd.grad_norm_sq)
        status = missing(f, "grad_norm_sq", err);
    if (!status)
        status = read_curve(f, &f->input.local_inner, "grad_norm_sq_inner", err);
    return status ? status : read_curve(f, &f->input.local_outer, "grad_norm_sq_outer", err);
}

static hsgd_status read_dispersion_bands(folder *f, hsgd_error *err)
{
    size_t levels = f->input.num_levels, cells = f->series.num_rows * levels;
    double *memory = take(f, 2 * cells);
    hsgd_status status = memory ? HSGD_OK : hsgd_fail_memory(err, "the series");
    for (size_t k = 0; k < levels && !status; k++) {
        char name[48];
        snprintf(name, sizeof name, "dispersion_level_%zu", k + 1);
        status = hsgd_folder_band(&f->bands, &(hsgd_band_place){memory + k, memory + cells + k, levels}, name, err);
    }
    f->input.dispersion_half_width = memory;
    f->input.dispersion_above = memory && f->bands.kind == HSGD_BAND_RANGE ? memory + cells : NULL;
    return status;
}

static hsgd_status read_series(folder *f, hsgd_error *err)
{
    hsgd_figure_input *in = &f->input;
    size_t levels = in->num_levels;
    char path[4096];
    snprintf(path, sizeof path, "%s/series.csv", f->dir);
    hsgd_status status = hsgd_series_read(&f->series, path, err);
    if (status)
        return status;
    in->num_rows = f->series.num_rows;
    in->step = hsgd_series_column(&f->series, "step");
    in->divergence_global = hsgd_series_column(&f->series, "divergence_global");
    if (!in->step || !in->divergence_global)
        return missing(f, in->step ? "divergence_global" : "step", err);
    status = read_curves(f, err);
    if (!status)
        status = hsgd_folder_metrics(in, &f->metrics, &f->bands, err);
    if (!status)
        status = gather(f, &in->divergence_up, "divergence_up_", "", levels - 1, err);
    if (!status)
        status = gather(f, &in->divergence_down, "divergence_down_", "", levels - 1, err);
    if (!status)
        status = gather(f, &in->dispersion, "dispersion_level_", "", levels, err);
    if (!status)
        status = gather(f, &in->dispersion_bound, "dispersion_level_", "_bound", levels, err);
    return status ? status : read_dispersion_bands(f, err);
}

/* result: the text of result.json; NULL: it is read from the folder. */
static hsgd_status read_folder(folder *f, const char *dir, const char *result, const hsgd_style_change *change,
                               hsgd_error *err)
{
    *f = (folder){.dir = dir};
    if (asprintf(&f->result_path, "%s/result.json", dir) < 0) {
        f->result_path = NULL;
        return hsgd_fail_memory(err, "a path");
    }
    hsgd_status status = result ? hsgd_json_parse(&f->document, result, strlen(result), f->result_path, err)
                                : hsgd_json_read_file(&f->document, f->result_path, err);
    hsgd_json root = hsgd_json_root(f->result_path, f->document);
    if (!status)
        status = read_settings(f, &root, err);
    if (!status)
        status = read_style(f, &root, change, err);
    if (!status)
        status = read_bounds(f, &root, err);
    if (!status)
        status = read_ladder(f, &root, err);
    if (status)
        return status;
    read_measured(f, &root);
    return read_series(f, err);
}

/* ---- making the figures ---- */

/* The configuration's choice; all where it is not written down. */
static bool is_wanted(const folder *f, const char *name)
{
    const cJSON *config = cJSON_GetObjectItemCaseSensitive(f->document, "config");
    const cJSON *figures = cJSON_GetObjectItemCaseSensitive(config, "figures");
    return !cJSON_IsArray(figures) || hsgd_folder_is_listed(figures, name);
}

static hsgd_status plot_one(const folder *f, const hsgd_figure *figure, hsgd_figure_report *report, hsgd_error *err)
{
    char reason[HSGD_NOTE_SIZE / 2] = "not asked for";
    bool wanted = is_wanted(f, figure->name);
    if (!wanted || !figure->possible(&f->input, reason, sizeof reason)) {
        if (wanted)
            hsgd_folder_note_missing(report, figure->name, reason);
        return hsgd_folder_remove_figure(f->dir, figure->name, err);
    }
    hsgd_status status = figure->write(&f->input, f->dir, &f->style, err);
    if (!status)
        status = hsgd_figure_write_caption(&f->input, figure, f->dir, err);
    if (!status)
        hsgd_folder_list_script(report, figure->name);
    return status ? status : hsgd_folder_remove_drawing(f->dir, figure->name, &f->style, err);
}

static hsgd_status render_one(const folder *f, const hsgd_figure *figure, hsgd_figure_report *report, hsgd_error *err)
{
    char reason[HSGD_NOTE_SIZE];
    if (!is_wanted(f, figure->name) || !figure->possible(&f->input, reason, sizeof reason))
        return HSGD_OK;
    return hsgd_folder_render(f->dir, figure->name, &f->style, report, err);
}

static hsgd_status plot(const char *dir, const char *result, const hsgd_style_change *change,
                        hsgd_figure_report *report, hsgd_error *err)
{
    folder f;
    hsgd_figure_report unused;
    if (!report)
        report = &unused;
    report->num_files = report->num_notes = 0;
    hsgd_status status = read_folder(&f, dir, result, change, err);
    for (size_t i = 0; i < hsgd_num_figures && !status; i++)
        status = plot_one(&f, hsgd_figures[i], report, err);
    size_t scripts = report->num_files;
    for (size_t i = 0; i < hsgd_num_figures && !status; i++)
        status = render_one(&f, hsgd_figures[i], report, err);
    if (!status && report->num_files > scripts)
        hsgd_folder_list_shared(report, f.style.format);
    folder_free(&f);
    return status;
}

hsgd_status hsgd_folder_plot(const char *dir, const hsgd_style_change *change, hsgd_figure_report *report,
                             hsgd_error *err)
{
    return plot(dir, NULL, change, report, err);
}

hsgd_status hsgd_folder_plot_result(const char *dir, const char *result, hsgd_figure_report *report, hsgd_error *err)
{
    return plot(dir, result, NULL, report, err);
}

/* The last of its files that is written. */
static bool is_listed_as_drawn(const folder *f, const hsgd_figure *figure)
{
    char name[HSGD_FILE_NAME_SIZE];
    const cJSON *files = cJSON_GetObjectItemCaseSensitive(f->document, "files");
    snprintf(name, sizeof name, "%s.%s", figure->name,
             f->style.scripts_only ? "caption.tex" : hsgd_figure_format_extension(f->style.format));
    return hsgd_folder_is_listed(files, name);
}

bool hsgd_folder_is_drawn(const char *dir)
{
    folder f;
    char reason[HSGD_NOTE_SIZE];
    bool drawn = read_folder(&f, dir, NULL, NULL, NULL) == HSGD_OK;
    for (size_t i = 0; i < hsgd_num_figures && drawn; i++)
        drawn = !is_wanted(&f, hsgd_figures[i]->name) || !hsgd_figures[i]->possible(&f.input, reason, sizeof reason) ||
                is_listed_as_drawn(&f, hsgd_figures[i]);
    folder_free(&f);
    return drawn;
}

/* ---- for a page ---- */

static hsgd_status add_drawing(hsgd_drawings *out, const folder *f, const hsgd_figure *figure, hsgd_error *err)
{
    char reason[HSGD_NOTE_SIZE];
    if (!is_wanted(f, figure->name) || !figure->possible(&f->input, reason, sizeof reason))
        return HSGD_OK;
    return hsgd_drawings_add(out, figure->name, hsgd_figure_caption(&f->input, figure, HSGD_CAPTION_PLAIN), err);
}

hsgd_status hsgd_folder_draw(hsgd_drawings *out, const char *dir, const char *into, const hsgd_style_change *change,
                             hsgd_error *err)
{
    folder f;
    *out = (hsgd_drawings){.item = calloc(hsgd_num_figures, sizeof *out->item)};
    hsgd_status status = read_folder(&f, dir, NULL, change, err);
    if (!status && !out->item)
        status = hsgd_fail_memory(err, "the figures");
    f.dir = into; /* all is read; from here on files are written */
    for (size_t i = 0; i < hsgd_num_figures && !status; i++)
        status = plot_one(&f, hsgd_figures[i], &out->report, err);
    for (size_t i = 0; i < hsgd_num_figures && !status; i++)
        status = render_one(&f, hsgd_figures[i], &out->report, err);
    for (size_t i = 0; i < hsgd_num_figures && !status; i++)
        status = add_drawing(out, &f, hsgd_figures[i], err);
    folder_free(&f);
    return status;
}
