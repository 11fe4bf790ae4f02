/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The files of a plan: plan.json, plan.csv, and the best plan as input of hsgd bound and of hsgd run. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "experiments/config_private.h"
#include "experiments/document_private.h"
#include "experiments/json_patch_private.h"
#include "experiments/plan_private.h"
#include "experiments/provenance_private.h"
#include "plots/output.h"

static hsgd_status write_text(const char *dir, const char *name, const char *text, hsgd_error *err)
{
    hsgd_output out;
    hsgd_status status = hsgd_output_open(&out, dir, name, "json", err);
    if (status)
        return status;
    fprintf(out.stream, "%s\n", text);
    return hsgd_output_close(&out, err);
}

/* Uses the document up. */
static hsgd_status write_json(const char *dir, const char *name, cJSON *document, hsgd_error *err)
{
    char *text = hsgd_json_print(document);
    hsgd_status status = text ? write_text(dir, name, text, err) : hsgd_fail_memory(err, "the JSON output");
    cJSON_free(text);
    cJSON_Delete(document);
    return status;
}

/* ---- plan.csv ---- */

static void write_row(FILE *out, const hsgd_plan_setting *setting, const char *what, double budget_s,
                      const hsgd_plan *plan)
{
    char fanout[128], periods[128];
    if (!plan->found)
        return;
    hsgd_plan_print_fanout(fanout, sizeof fanout, setting, &plan->tree);
    hsgd_plan_print_periods(periods, sizeof periods, setting, &plan->tree);
    fprintf(out, "%s,%.17g,%s,%s,%.17g,%zu,%.17g,%.17g", what, budget_s, fanout, periods, plan->step_size, plan->steps,
            plan->seconds, plan->bound);
    for (size_t j = 0; j < setting->num_links; j++)
        fprintf(out, ",%.17g", plan->bytes[j]);
    fputc('\n', out);
}

static void write_rows(FILE *out, const hsgd_plan_analysis *a)
{
    const hsgd_plan_setting *setting = a->setting;
    fputs("what,budget_s,fanout,periods,step_size,steps,seconds,bound", out);
    for (size_t j = 0; j < setting->num_links; j++)
        fprintf(out, ",bytes_level_%zu", j + 1);
    fputc('\n', out);
    for (size_t i = 0; i < setting->num_budgets; i++) {
        const hsgd_plan_answer *answer = &a->answer[i];
        const hsgd_plan_result *all = &answer->result[HSGD_PLAN_ALL];
        write_row(out, setting, "best", answer->budget_s, &all->best);
        for (int f = HSGD_PLAN_LOCAL; f < HSGD_NUM_PLAN_FAMILIES; f++)
            write_row(out, setting, hsgd_plan_family_name((hsgd_plan_family)f), answer->budget_s,
                      &answer->result[f].best);
        for (size_t p = 0; p < all->num_front; p++)
            write_row(out, setting, "front", answer->budget_s, &all->front[p]);
    }
}

static hsgd_status write_csv(const hsgd_plan_analysis *a, const char *dir, hsgd_error *err)
{
    hsgd_output out;
    hsgd_status status = hsgd_output_open(&out, dir, "plan", "csv", err);
    if (status)
        return status;
    write_rows(out.stream, a);
    return hsgd_output_close(&out, err);
}

/* ---- the best plan as input of other commands ---- */

static cJSON *tree_to_json(const hsgd_plan_setting *setting, const hsgd_plan *plan)
{
    const hsgd_plan_fanout *fanout = &setting->fanout[plan->tree.fanout];
    cJSON *object = cJSON_CreateObject();
    cJSON *list = cJSON_AddArrayToObject(object, "fanout"), *periods = cJSON_AddArrayToObject(object, "periods");
    for (size_t k = 0; k < fanout->num_levels; k++) {
        cJSON_AddItemToArray(list, cJSON_CreateNumber((double)fanout->fanout[k]));
        cJSON_AddItemToArray(periods, cJSON_CreateNumber((double)plan->tree.period[k]));
    }
    return object;
}

/* D_k of the plan's levels. One level has all of eps~^2, whatever the route. */
static cJSON *divergences_to_json(const hsgd_plan_setting *setting, const hsgd_plan *plan)
{
    const hsgd_plan_fanout *fanout = &setting->fanout[plan->tree.fanout];
    cJSON *array = cJSON_CreateArray();
    bool local = plan->tree.period[0] == plan->tree.period[fanout->num_levels - 1];
    double sum = 0, global_sq = setting->constant[HSGD_PLAN_DIVERGENCE].value;
    for (size_t k = 0; k < fanout->num_levels; k++)
        sum += fanout->divergence_sq[k];
    for (size_t k = 0; k < fanout->num_levels; k++)
        cJSON_AddItemToArray(array, cJSON_CreateNumber(local && sum > 0 ? fanout->divergence_sq[k] * (global_sq / sum)
                                                                        : fanout->divergence_sq[k]));
    return array;
}

static cJSON *params_to_json(const hsgd_plan_setting *setting, const hsgd_plan *plan)
{
    cJSON *object = cJSON_CreateObject();
    cJSON_AddItemToObject(object, "hierarchy", tree_to_json(setting, plan));
    cJSON_AddNumberToObject(object, "step_size", plan->step_size);
    cJSON_AddNumberToObject(object, "steps", (double)plan->steps);
    cJSON_AddNumberToObject(object, "L", setting->constant[HSGD_PLAN_L].value);
    cJSON_AddNumberToObject(object, "sigma_sq", setting->constant[HSGD_PLAN_SIGMA_SQ].value);
    cJSON_AddNumberToObject(object, "delta", setting->constant[HSGD_PLAN_DELTA].value);
    cJSON_AddItemToObject(object, "level_divergence_sq", divergences_to_json(setting, plan));
    cJSON_AddNumberToObject(object, "global_divergence_sq", setting->constant[HSGD_PLAN_DIVERGENCE].value);
    return object;
}

/* The links of the tree's levels, as the experiment's model of communication has them. */
static cJSON *communication_of(const hsgd_plan_setting *setting, const hsgd_plan *plan)
{
    const hsgd_plan_fanout *fanout = &setting->fanout[plan->tree.fanout];
    hsgd_communication communication = setting->communication;
    size_t workers = setting->num_workers;
    for (size_t k = 0; k < fanout->num_levels; k++) {
        communication.level[k] = setting->communication.level[hsgd_plan_link_of(setting, workers)];
        workers /= fanout->fanout[k];
    }
    return hsgd_communication_to_json(&communication, fanout->num_levels);
}

/* What a generated quadratic prescribes per level follows the plan's levels. */
static void fit_problem(cJSON *problem, const hsgd_plan_setting *setting, const hsgd_plan *plan)
{
    if (cJSON_GetObjectItemCaseSensitive(problem, "level_divergence"))
        cJSON_ReplaceItemInObjectCaseSensitive(problem, "level_divergence", divergences_to_json(setting, plan));
}

/* The experiment without what the plan decides, whatever it was. */
static cJSON *without_tree(const hsgd_plan_setting *setting)
{
    static const char *const decided[] = {"hierarchy", "steps", "communication"};
    cJSON *root = cJSON_Duplicate(setting->experiment, true);
    for (size_t i = 0; i < sizeof decided / sizeof *decided; i++)
        cJSON_DeleteItemFromObjectCaseSensitive(root, decided[i]);
    return root;
}

/* The experiment with the plan in it. The step size stands in "optimizer" alone. */
static cJSON *experiment_to_json(const hsgd_plan_setting *setting, const hsgd_plan *plan)
{
    char name[256];
    cJSON *patch = cJSON_CreateObject();
    snprintf(name, sizeof name, "%.200s-best", setting->name);
    cJSON_AddStringToObject(patch, "name", name);
    cJSON_AddItemToObject(patch, "hierarchy", tree_to_json(setting, plan));
    cJSON *optimizer = cJSON_AddObjectToObject(patch, "optimizer");
    cJSON_AddNullToObject(optimizer, "step_size_fraction");
    cJSON_AddNumberToObject(optimizer, "step_size", plan->step_size);
    cJSON_AddNumberToObject(optimizer, "steps", (double)plan->steps);
    if (setting->bound->algorithm == HSGD_ALGORITHM_HSGD_RANDOM)
        cJSON_AddStringToObject(patch, "grouping", "random");
    if (setting->dimension_known)
        cJSON_AddItemToObject(patch, "communication", communication_of(setting, plan));
    cJSON *root = hsgd_json_merge(without_tree(setting), patch);
    fit_problem(cJSON_GetObjectItemCaseSensitive(root, "problem"), setting, plan);
    cJSON_Delete(patch);
    return root;
}

/* Only a configuration that hsgd run accepts is written; why it does not goes to note. */
static hsgd_status write_experiment(const hsgd_plan_analysis *a, const char *dir, const hsgd_plan *plan, char *note,
                                    size_t size, bool *written, hsgd_error *err)
{
    hsgd_config config;
    hsgd_error refusal;
    cJSON *document = experiment_to_json(a->setting, plan);
    char *text = hsgd_json_print(document);
    cJSON_Delete(document);
    if (!text)
        return hsgd_fail_memory(err, "the JSON output");
    hsgd_status status = HSGD_OK;
    if (hsgd_config_parse(&config, text, strlen(text), "plan-best.json", &refusal))
        snprintf(note, size, "%s", refusal.message);
    else {
        hsgd_config_free(&config);
        status = write_text(dir, "plan-best", text, err);
        *written = !status;
    }
    cJSON_free(text);
    return status;
}

/* That of an earlier plan would pass for one of this. */
static hsgd_status remove_experiment(const char *dir, hsgd_error *err)
{
    char *path;
    hsgd_status status = HSGD_OK;
    if (asprintf(&path, "%s/plan-best.json", dir) < 0)
        return hsgd_fail_memory(err, "a path");
    if (unlink(path) != 0 && errno != ENOENT)
        status = hsgd_fail(err, HSGD_ERROR_ENVIRONMENT, "%s: cannot be removed: %s", path, strerror(errno));
    free(path);
    return status;
}

static hsgd_status write_document(const hsgd_plan_analysis *a, const char *dir, bool with_config, hsgd_error *err)
{
    const char *const outputs[] = {"plan.csv", "plan-params.json", with_config ? "plan-best.json" : NULL, NULL};
    cJSON *provenance;
    hsgd_status status = hsgd_provenance_of_program(&provenance, "plan", err);
    if (status)
        return status;
    cJSON_AddStringToObject(provenance, "config_sha256", a->setting->config_sha256);
    return hsgd_document_write(dir, HSGD_FOLDER_PLAN, hsgd_plan_to_json(a), provenance, outputs, err);
}

hsgd_status hsgd_plan_write(const hsgd_plan_analysis *a, const char *dir, char *note, size_t size, bool *with_config,
                            hsgd_error *err)
{
    const hsgd_plan *best = &hsgd_plan_last(a)->result[HSGD_PLAN_ALL].best;
    *note = '\0';
    *with_config = false;
    hsgd_status status = hsgd_folder_unfinish(dir, HSGD_FOLDER_PLAN, err);
    if (!status)
        status = remove_experiment(dir, err);
    if (!status)
        status = write_csv(a, dir, err);
    if (!status)
        status = write_json(dir, "plan-params", params_to_json(a->setting, best), err);
    if (!status && a->setting->experiment)
        status = write_experiment(a, dir, best, note, size, with_config, err);
    return status ? status : write_document(a, dir, *with_config, err);
}
