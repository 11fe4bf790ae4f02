/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The figure of a plan's folder, from its plan.json alone. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "experiments/folder_private.h"
#include "experiments/plan_private.h"
#include "experiments/style_private.h"
#include "plots/plan.h"

typedef struct folder {
    hsgd_folder_document from;
    hsgd_plan_figure_input input;
    double *memory; /* what the input borrows */
} folder;

static void folder_free(folder *f)
{
    free(f->memory);
    hsgd_folder_document_free(&f->from);
}

static double member(const cJSON *object, const char *key)
{
    return number_or_nan(cJSON_GetObjectItemCaseSensitive(object, key));
}

static double bytes_of(const cJSON *plan)
{
    return number_or_nan(cJSON_GetArrayItem(cJSON_GetObjectItemCaseSensitive(plan, "bytes_level"), 0));
}

/* A member that has to be an array. */
static hsgd_status find_array(const cJSON **out, size_t *length, const hsgd_json *at, const char *key, size_t least,
                              hsgd_error *err)
{
    hsgd_json array = hsgd_json_member(at, key);
    *out = array.value;
    return hsgd_json_array(&array, least, length, err);
}

static void fill(double *out, const cJSON *array, const char *key)
{
    for (const cJSON *item = array->child; item; item = item->next)
        *out++ = key ? member(item, key) : number_or_nan(item);
}

static hsgd_status read_curves(folder *f, const hsgd_json *curves, hsgd_error *err)
{
    const cJSON *array;
    size_t count = 0, length = 0;
    hsgd_status status = find_array(&array, &count, curves, "budget_s", 1, err);
    if (status)
        return status;
    f->input.num_budgets = count;
    f->input.budget_s = f->memory;
    fill(f->memory, array, NULL);
    for (int i = 0; i < HSGD_NUM_PLAN_CURVES && !status; i++) {
        double *column = f->memory + ((size_t)i + 1) * count;
        const char *name = hsgd_plan_family_name((hsgd_plan_family)i);
        status = find_array(&array, &length, curves, name, 1, err);
        if (!status && length != count)
            status = hsgd_fail(err, HSGD_ERROR_INPUT, "%s: curves.%s: %zu plans for %zu budgets", f->from.path, name,
                               length, count);
        if (!status)
            fill(column, array, "bound");
        f->input.value[i] = column;
    }
    return status;
}

/* Where a budget has the best plan of a family. */
static const char *key_of(int family)
{
    return family == HSGD_PLAN_ALL ? "best" : hsgd_plan_family_name((hsgd_plan_family)family);
}

/* The budgets, and the front of the last of them. */
static void read_budgets(folder *f, const cJSON *budgets, double *memory)
{
    hsgd_plan_figure_input *in = &f->input;
    size_t count = (size_t)cJSON_GetArraySize(budgets);
    const cJSON *last = cJSON_GetArrayItem(budgets, (int)count - 1);
    const cJSON *front = cJSON_GetObjectItemCaseSensitive(last, "front");
    double *best_s = memory, *bytes = memory + (HSGD_NUM_PLAN_CURVES + 1) * count;
    fill(best_s, budgets, "budget_s");
    in->num_best = count;
    in->best_s = best_s;
    for (int i = 0; i < HSGD_NUM_PLAN_CURVES; i++) {
        double *value = best_s + ((size_t)i + 1) * count;
        in->best_value[i] = value;
        for (const cJSON *item = budgets->child; item; item = item->next)
            *value++ = member(cJSON_GetObjectItemCaseSensitive(item, key_of(i)), "bound");
    }
    in->front_budget_s = member(last, "budget_s");
    in->num_front = (size_t)cJSON_GetArraySize(front);
    in->front_bytes = bytes;
    in->front_value = bytes + in->num_front;
    for (size_t i = 0; i < in->num_front; i++) {
        const cJSON *plan = cJSON_GetArrayItem(front, (int)i);
        bytes[i] = bytes_of(plan);
        bytes[in->num_front + i] = member(plan, "bound");
    }
    for (int i = 0; i < HSGD_NUM_PLAN_CURVES; i++) {
        const cJSON *plan = cJSON_GetObjectItemCaseSensitive(last, key_of(i));
        in->bytes[i] = bytes_of(plan);
        in->bytes_value[i] = member(plan, "bound");
    }
}

/* How many numbers a document can hold: no more than it has items. */
static size_t count_items(const cJSON *item)
{
    size_t count = 1;
    for (const cJSON *child = item->child; child; child = child->next)
        count += count_items(child);
    return count;
}

static hsgd_status read_input(folder *f, const hsgd_json *root, hsgd_error *err)
{
    hsgd_plan_figure_input *in = &f->input;
    hsgd_json name = hsgd_json_member(root, "name"), bound = hsgd_json_member(root, "bound");
    hsgd_json curves = hsgd_json_member(root, "curves");
    const cJSON *budgets;
    size_t length;
    hsgd_status status = hsgd_json_text(&name, &in->name, err);
    if (!status)
        status = hsgd_json_text(&bound, &in->bound, err);
    hsgd_json workers = hsgd_json_member(root, "workers");
    if (!status)
        status = hsgd_json_count(&workers, 1, HSGD_MAX_WORKERS, &in->num_workers, err);
    if (!status)
        status = find_array(&budgets, &length, root, "budgets", 1, err);
    if (status)
        return status;
    if (!(f->memory = malloc((count_items(root->value) + 64) * 4 * sizeof *f->memory)))
        return hsgd_fail_memory(err, "the data of a figure");
    double plans = member(cJSON_GetObjectItemCaseSensitive(root->value, "search"), "plans");
    in->num_plans = plans > 0 && plans < 1e15 ? (size_t)plans : 0;
    status = read_curves(f, &curves, err);
    if (!status)
        read_budgets(f, budgets, f->memory + (HSGD_NUM_PLAN_CURVES + 1) * in->num_budgets);
    return status;
}

static hsgd_status read_folder(folder *f, const char *dir, const hsgd_style_change *change, hsgd_error *err)
{
    *f = (folder){0};
    hsgd_json root;
    hsgd_status status = hsgd_folder_read_document(&f->from, &root, dir, HSGD_FOLDER_PLAN, change, err);
    return status ? status : read_input(f, &root, err);
}

hsgd_status hsgd_plan_plot(const char *dir, const hsgd_style_change *change, hsgd_figure_report *report,
                           hsgd_error *err)
{
    folder f;
    report->num_files = report->num_notes = 0;
    hsgd_status status = read_folder(&f, dir, change, err);
    if (!status)
        status = hsgd_folder_remove_figure(dir, HSGD_PLAN_FIGURE, err);
    if (!status)
        status = hsgd_plan_figure_write(&f.input, dir, &f.from.style, err);
    if (!status) {
        hsgd_folder_list_script(report, HSGD_PLAN_FIGURE);
        status = hsgd_folder_render(dir, HSGD_PLAN_FIGURE, &f.from.style, report, err);
    }
    if (!status)
        hsgd_folder_list_shared(report, f.from.style.format);
    folder_free(&f);
    return status;
}
