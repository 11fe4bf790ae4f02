/* SPDX-License-Identifier: GPL-3.0-or-later */
/* phase.json and phase.csv: every point with its three numbers, their differences and its verdict. */
#include <math.h>
#include <string.h>

#include "experiments/document_private.h"
#include "experiments/phase_private.h"
#include "experiments/provenance_private.h"
#include "experiments/style_private.h"
#include "experiments/sweep_private.h"
#include "plots/output.h"

/* ---- phase.json ---- */

static void add_number(cJSON *object, const char *key, double value)
{
    if (isfinite(value))
        cJSON_AddNumberToObject(object, key, value);
    else
        cJSON_AddNullToObject(object, key);
}

static void add_difference(cJSON *object, const char *key, hsgd_estimate difference, hsgd_difference interval)
{
    cJSON *member = cJSON_AddObjectToObject(object, key);
    add_number(member, "value", difference.mean);
    const double ends[] = {interval.low, interval.high};
    cJSON_AddItemToObject(member, "ci", cJSON_CreateDoubleArray(ends, 2));
}

static void add_numbers(cJSON *object, const hsgd_phase_point *p, bool certified)
{
    if (p->theory)
        cJSON_AddStringToObject(object, "theory", p->theory);
    cJSON_AddStringToObject(object, "method", !p->exact ? "monte-carlo" : certified ? "certified" : "exact");
    add_number(object, "inner", p->value[HSGD_PHASE_INNER]);
    add_number(object, "hsgd", p->value[HSGD_PHASE_MIDDLE]);
    add_number(object, "outer", p->value[HSGD_PHASE_OUTER]);
    add_difference(object, "hsgd_minus_inner", p->lower, p->lower_interval);
    add_difference(object, "outer_minus_hsgd", p->upper, p->upper_interval);
    add_number(object, "ratio", p->ratio);
    cJSON_AddNumberToObject(object, "violation", p->violation);
    cJSON_AddNumberToObject(object, "local_period", (double)p->local_period);
    cJSON_AddNumberToObject(object, "global_period", (double)p->global_period);
    cJSON_AddNumberToObject(object, "workers", (double)p->workers);
    cJSON_AddNumberToObject(object, "steps", (double)p->steps);
    cJSON_AddNumberToObject(object, "step_size", p->step_size);
    cJSON_AddNumberToObject(object, "values", (double)p->values);
    if (p->groupings > 0)
        cJSON_AddNumberToObject(object, "groupings", p->groupings);
}

static cJSON *point_to_json(const hsgd_phase *phase, size_t index)
{
    const hsgd_sweep_point *at = &phase->grid.point[index];
    const hsgd_phase_point *p = &phase->point[index];
    cJSON *object = cJSON_CreateObject(), *labels = cJSON_AddObjectToObject(object, "labels");
    for (size_t a = 0; a < phase->grid.num_axes; a++)
        cJSON_AddStringToObject(labels, phase->grid.axis[a].name, phase->grid.axis[a].label[at->value[a]]);
    cJSON_AddStringToObject(object, "title", at->title);
    cJSON_AddStringToObject(object, "verdict", hsgd_between_name(p->verdict));
    if (at->illegal)
        cJSON_AddStringToObject(object, "reason", at->illegal);
    else
        add_numbers(object, p, hsgd_phase_is_worst_case(phase->settings.quantity));
    return object;
}

static void add_summary(cJSON *root, const hsgd_phase *phase, const hsgd_phase_summary *summary)
{
    cJSON *counts = cJSON_AddObjectToObject(root, "counts"), *ratio = cJSON_AddObjectToObject(root, "ratio");
    for (int v = 0; v < HSGD_NUM_BETWEEN; v++)
        cJSON_AddNumberToObject(counts, hsgd_between_name((hsgd_between)v), (double)summary->count[v]);
    add_number(ratio, "low", summary->ratio_low);
    add_number(ratio, "median", summary->ratio_median);
    add_number(ratio, "high", summary->ratio_high);
    if (summary->worst == phase->grid.num_points)
        return;
    cJSON *worst = point_to_json(phase, summary->worst);
    cJSON_AddItemToObject(worst, "config", cJSON_Parse(phase->grid.point[summary->worst].config));
    cJSON_AddItemToObject(root, "largest_violation", worst);
}

cJSON *hsgd_phase_to_json(const hsgd_phase *phase, const hsgd_phase_summary *summary)
{
    const hsgd_sweep *grid = &phase->grid;
    cJSON *root = cJSON_CreateObject();
    cJSON_AddStringToObject(root, "name", grid->name);
    cJSON_AddStringToObject(root, "version", HSGD_VERSION);
    cJSON_AddStringToObject(root, "quantity", hsgd_phase_quantity_name(phase->settings.quantity));
    cJSON_AddNumberToObject(root, "confidence", grid->confidence);
    cJSON_AddNumberToObject(root, "comparisons", (double)phase->comparisons);
    add_summary(root, phase, summary);
    hsgd_axes_to_json(root, grid);
    cJSON *points = cJSON_AddArrayToObject(root, "points");
    for (size_t i = 0; i < grid->num_points; i++)
        cJSON_AddItemToArray(points, point_to_json(phase, i));
    hsgd_style_to_json(root, &grid->style);
    cJSON *figures = cJSON_AddArrayToObject(root, "figures");
    if (grid->use_figure[0])
        cJSON_AddItemToArray(figures, cJSON_CreateString("phase"));
    return root;
}

static hsgd_status write_json(const hsgd_phase *phase, const hsgd_phase_summary *summary, const char *dir,
                              hsgd_error *err)
{
    static const char *const outputs[] = {"phase.csv", NULL};
    cJSON *provenance;
    hsgd_status status = hsgd_provenance_of_grid(&provenance, "phase", &phase->grid, err);
    return status ? status
                  : hsgd_document_write(dir, HSGD_FOLDER_PHASE, hsgd_phase_to_json(phase, summary), provenance, outputs,
                                        err);
}

/* ---- phase.csv ---- */

static const char *const column[] = {"verdict",
                                     "theory",
                                     "inner",
                                     "hsgd",
                                     "outer",
                                     "hsgd_minus_inner",
                                     "hsgd_minus_inner_low",
                                     "hsgd_minus_inner_high",
                                     "outer_minus_hsgd",
                                     "outer_minus_hsgd_low",
                                     "outer_minus_hsgd_high",
                                     "ratio",
                                     "violation",
                                     "local_period",
                                     "global_period",
                                     "workers",
                                     "steps",
                                     "step_size",
                                     "values"};
enum { NUM_COLUMNS = sizeof column / sizeof *column, NUM_TEXTS = 2 };

/* In quotes where it needs them. */
static void put_text(FILE *out, const char *text)
{
    if (!strpbrk(text, ",\"\r\n")) {
        fputs(text, out);
        return;
    }
    fputc('"', out);
    for (; *text; text++)
        fprintf(out, *text == '"' ? "\"\"" : "%c", *text);
    fputc('"', out);
}

/* What is not known is empty. */
static void put_number(FILE *out, double value)
{
    fputc(',', out);
    if (isfinite(value))
        fprintf(out, "%.17g", value);
}

/* An axis may have the name of another column, or one that starts like the names given to such. */
static void put_axis_name(FILE *out, const char *name)
{
    bool taken = strncmp(name, "axis_", 5) == 0;
    for (size_t i = 0; i < NUM_COLUMNS; i++)
        taken = taken || strcmp(name, column[i]) == 0;
    fputs(taken ? "axis_" : "", out);
    put_text(out, name);
}

static void put_header(FILE *out, const hsgd_sweep *grid)
{
    for (size_t a = 0; a < grid->num_axes; a++) {
        put_axis_name(out, grid->axis[a].name);
        fputc(',', out);
    }
    for (size_t i = 0; i < NUM_COLUMNS; i++)
        fprintf(out, "%s%s", i ? "," : "", column[i]);
    fputc('\n', out);
}

static void put_point(FILE *out, const hsgd_phase *phase, size_t index)
{
    const hsgd_phase_point *p = &phase->point[index];
    const hsgd_sweep_point *at = &phase->grid.point[index];
    for (size_t a = 0; a < phase->grid.num_axes; a++) {
        put_text(out, phase->grid.axis[a].label[at->value[a]]);
        fputc(',', out);
    }
    fprintf(out, "%s,%s", hsgd_between_name(p->verdict), p->theory ? p->theory : "");
    const double number[NUM_COLUMNS - NUM_TEXTS] = {p->value[HSGD_PHASE_INNER],
                                                    p->value[HSGD_PHASE_MIDDLE],
                                                    p->value[HSGD_PHASE_OUTER],
                                                    p->lower.mean,
                                                    p->lower_interval.low,
                                                    p->lower_interval.high,
                                                    p->upper.mean,
                                                    p->upper_interval.low,
                                                    p->upper_interval.high,
                                                    p->ratio,
                                                    p->violation,
                                                    (double)p->local_period,
                                                    (double)p->global_period,
                                                    (double)p->workers,
                                                    (double)p->steps,
                                                    p->step_size,
                                                    (double)p->values};
    for (size_t i = 0; i < NUM_COLUMNS - NUM_TEXTS; i++)
        put_number(out, at->illegal ? NAN : number[i]);
    fputc('\n', out);
}

static hsgd_status write_csv(const hsgd_phase *phase, const char *dir, hsgd_error *err)
{
    hsgd_output out;
    hsgd_status status = hsgd_output_open(&out, dir, "phase", "csv", err);
    if (status)
        return status;
    put_header(out.stream, &phase->grid);
    for (size_t i = 0; i < phase->grid.num_points; i++)
        put_point(out.stream, phase, i);
    return hsgd_output_close(&out, err);
}

hsgd_status hsgd_phase_write(const hsgd_phase *phase, const hsgd_phase_summary *summary, const char *dir,
                             hsgd_error *err)
{
    hsgd_status status = hsgd_folder_unfinish(dir, HSGD_FOLDER_PHASE, err);
    if (!status)
        status = write_csv(phase, dir, err);
    return status ? status : write_json(phase, summary, dir, err);
}
