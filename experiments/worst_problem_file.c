/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A worst problem as CSV or JSON, for plots and for people who want to see it. */
#include "experiments/pep_written.h"

#include <string.h>

#include <cjson/cJSON.h>

#include "experiments/bound_json_private.h"
#include "experiments/json_private.h"
#include "plots/output.h"

static const double *row_of(const hsgd_worst_problem *p, const double *vectors, size_t point, size_t worker)
{
    return vectors + (point * p->num_workers + worker) * p->dim;
}

/* ---- CSV ---- */

static void write_columns(FILE *stream, const char *name, size_t count)
{
    for (size_t i = 1; i <= count; i++)
        fprintf(stream, ",%s_%zu", name, i);
}

static void write_row(FILE *stream, const double *x, size_t count)
{
    for (size_t i = 0; i < count; i++)
        fprintf(stream, ",%.17g", x[i]);
}

/* One row per point and worker. */
static void write_csv(FILE *stream, const hsgd_worst_problem *p)
{
    fputs("step,depth,worker,function_value", stream);
    write_columns(stream, "x", p->dim);
    write_columns(stream, "grad", p->dim);
    for (size_t a = 0; a < p->num_points; a++)
        for (size_t j = 0; j < p->num_workers; j++) {
            fprintf(stream, "\n%zu,%zu,%zu,%.17g", p->point[a].step, p->point[a].depth, j, p->function_value[a]);
            write_row(stream, row_of(p, p->position, a, j), p->dim);
            write_row(stream, row_of(p, p->gradient, a, j), p->dim);
        }
    fputs("\n", stream);
}

/* ---- JSON ---- */

static void add_counts(cJSON *object, const char *key, const size_t *values, size_t count)
{
    cJSON *array = cJSON_AddArrayToObject(object, key);
    for (size_t k = 0; k < count; k++)
        cJSON_AddItemToArray(array, cJSON_CreateNumber((double)values[k]));
}

static void add_problem(cJSON *root, const hsgd_worst_problem *p)
{
    const hsgd_pep_problem *question = &p->problem;
    add_counts(root, "periods", question->periods, question->num_levels);
    add_counts(root, "fanout", p->fanout, question->num_levels);
    cJSON_AddNumberToObject(root, "steps", (double)question->steps);
    cJSON_AddNumberToObject(root, "step_size", question->step_size);
    cJSON_AddNumberToObject(root, "L", question->smoothness);
    cJSON_AddNumberToObject(root, "delta", question->delta);
    cJSON_AddItemToObject(root, "level_divergence_sq",
                          hsgd_numbers_to_json(question->level_divergence_sq, question->num_levels));
    cJSON_AddStringToObject(root, "criterion", hsgd_pep_criterion_name(question->criterion));
    cJSON_AddStringToObject(root, "gap", hsgd_pep_gap_name(question->gap));
    cJSON_AddNumberToObject(root, "value", p->criterion);
    cJSON_AddNumberToObject(root, "dimension", (double)p->dim);
    add_counts(root, "rank", p->rank, question->num_levels + 1);
}

static void add_errors(cJSON *root, const hsgd_worst_problem *p)
{
    cJSON *errors = cJSON_AddObjectToObject(root, "errors");
    cJSON_AddNumberToObject(errors, "criterion", p->criterion_error);
    cJSON_AddNumberToObject(errors, "interpolation", p->interpolation_violation);
    cJSON_AddNumberToObject(errors, "divergence", p->divergence_violation);
    cJSON_AddNumberToObject(errors, "gap", p->gap_violation);
    cJSON_AddNumberToObject(errors, "models", p->model_error);
}

static cJSON *worker_to_json(const hsgd_worst_problem *p, size_t point, size_t worker)
{
    cJSON *object = cJSON_CreateObject();
    cJSON_AddItemToObject(object, "x", hsgd_numbers_to_json(row_of(p, p->position, point, worker), p->dim));
    cJSON_AddItemToObject(object, "grad", hsgd_numbers_to_json(row_of(p, p->gradient, point, worker), p->dim));
    return object;
}

static hsgd_status write_json(FILE *stream, const hsgd_worst_problem *p, hsgd_error *err)
{
    cJSON *root = cJSON_CreateObject();
    add_problem(root, p);
    add_errors(root, p);
    cJSON *points = cJSON_AddArrayToObject(root, "points");
    for (size_t a = 0; a < p->num_points; a++) {
        cJSON *object = cJSON_CreateObject(), *workers = cJSON_CreateArray();
        cJSON_AddNumberToObject(object, "step", (double)p->point[a].step);
        cJSON_AddNumberToObject(object, "depth", (double)p->point[a].depth);
        cJSON_AddNumberToObject(object, "function_value", p->function_value[a]);
        for (size_t j = 0; j < p->num_workers; j++)
            cJSON_AddItemToArray(workers, worker_to_json(p, a, j));
        cJSON_AddItemToObject(object, "workers", workers);
        cJSON_AddItemToArray(points, object);
    }
    char *text = hsgd_json_print(root);
    cJSON_Delete(root);
    if (!text)
        return hsgd_fail_memory(err, "the worst problem");
    fprintf(stream, "%s\n", text);
    cJSON_free(text);
    return HSGD_OK;
}

/* ---- either ---- */

static bool ends_in(const char *path, const char *ending)
{
    size_t length = strlen(path), extra = strlen(ending);
    return length > extra && strcmp(path + length - extra, ending) == 0;
}

hsgd_status hsgd_worst_problem_check_name(const char *path, hsgd_error *err)
{
    if (ends_in(path, ".csv") || ends_in(path, ".json"))
        return HSGD_OK;
    return hsgd_fail(err, HSGD_ERROR_INPUT, "%s: expected a name that ends in .csv or .json", path);
}

hsgd_status hsgd_worst_problem_write(const hsgd_worst_problem *problem, const char *path, hsgd_error *err)
{
    hsgd_output out;
    hsgd_status status = hsgd_worst_problem_check_name(path, err);
    if (!status)
        status = hsgd_output_open_path(&out, path, err);
    if (status)
        return status;
    if (ends_in(path, ".csv"))
        write_csv(out.stream, problem);
    else
        status = write_json(out.stream, problem, err);
    if (!status)
        return hsgd_output_close(&out, err);
    hsgd_output_drop(&out);
    return status;
}
