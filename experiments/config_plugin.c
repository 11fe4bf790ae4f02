/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A problem of type "plugin". Reading it neither looks for the shared object nor loads it: figures and pages of results
 * need the configuration only. */
#include "experiments/config_private.h"

#include <errno.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* PATH itself if absolute, else next to the configuration; without links where it is there. Never in HSGD_DATA_DIR: code
 * is not data. */
static hsgd_status read_path(char **out, const hsgd_json *at, hsgd_error *err)
{
    const char *path, *slash = strrchr(at->file, '/');
    char *beside = NULL;
    hsgd_status status = hsgd_json_text(at, &path, err);
    if (!status && !*path)
        status = hsgd_json_fail(at, err, "expected the name of a shared object");
    if (status)
        return status;
    if (*path == '/' || !slash)
        beside = strdup(path);
    else if (asprintf(&beside, "%.*s/%s", (int)(slash - at->file), at->file, path) < 0)
        beside = NULL;
    *out = beside ? realpath(beside, NULL) : NULL;
    if (!*out && beside && errno != ENOMEM)
        *out = beside; /* its absence is reported where it is loaded */
    else
        free(beside);
    return *out ? HSGD_OK : hsgd_fail_memory(err, "a path");
}

/* Any object; its text is kept. */
static hsgd_status read_parameters(char **out, const hsgd_json *at, hsgd_error *err)
{
    if (at->value && !cJSON_IsObject(at->value))
        return hsgd_json_fail(at, err, "expected an object");
    cJSON *copy = at->value ? cJSON_Duplicate(at->value, true) : cJSON_CreateObject();
    char *text = copy ? hsgd_json_print(copy) : NULL;
    *out = text ? strdup(text) : NULL;
    cJSON_free(text);
    cJSON_Delete(copy);
    return *out ? HSGD_OK : hsgd_fail_memory(err, "the plug-in's parameters");
}

hsgd_status hsgd_config_read_plugin(hsgd_config *config, const hsgd_json *at, hsgd_error *err)
{
    static const char *const keys[] = {"type", "path", "parameters", "seed", NULL};
    hsgd_json path = hsgd_json_member(at, "path"), parameters = hsgd_json_member(at, "parameters");
    hsgd_json seed = hsgd_json_member(at, "seed");
    config->problem = HSGD_PROBLEM_PLUGIN;
    config->initial_scale = NAN; /* where the plug-in begins; "initial" is read later */
    hsgd_status status = hsgd_json_object(at, keys, err);
    if (!status)
        status = read_path(&config->plugin_path, &path, err);
    if (!status)
        status = read_parameters(&config->plugin_parameters, &parameters, err);
    return status ? status : hsgd_json_seed(&seed, &config->problem_seed, err);
}

cJSON *hsgd_config_plugin_to_json(const hsgd_config *config)
{
    cJSON *problem = cJSON_CreateObject();
    cJSON_AddStringToObject(problem, "type", "plugin");
    cJSON_AddStringToObject(problem, "path", config->plugin_path);
    cJSON_AddItemToObject(problem, "parameters", cJSON_Parse(config->plugin_parameters));
    cJSON_AddNumberToObject(problem, "seed", (double)config->problem_seed);
    return problem;
}

hsgd_status hsgd_config_check_plugin(const hsgd_config *config, const hsgd_json *root, hsgd_error *err)
{
    hsgd_json grouping = hsgd_json_member(root, "grouping"), hierarchy = hsgd_json_member(root, "hierarchy");
    hsgd_json weights = hsgd_json_member(&hierarchy, "weights"), constants = hsgd_json_member(root, "constants");
    hsgd_json divergence = hsgd_json_member(&constants, "divergence"), every = hsgd_json_member(root, "evaluate_every");
    if (config->problem != HSGD_PROBLEM_PLUGIN)
        return HSGD_OK;
    if (config->grouping == HSGD_GROUPING_GROUP_IID || config->grouping == HSGD_GROUPING_GROUP_NONIID)
        return hsgd_json_fail(&grouping, err, "a plug-in has no labels to group by; legal here: given, random");
    if (config->weighting == HSGD_WEIGHTS_DATA_SIZE)
        return hsgd_json_fail(&weights, err, "a plug-in has no data sizes; give numbers or \"equal\"");
    if (config->certified_divergence)
        return hsgd_json_fail(&divergence, err, "no bounds are proved for plug-ins; only \"trajectory\" is legal here");
    if (config->evaluate_every)
        return hsgd_json_fail(&every, err, "a plug-in has no labels to predict; 0, or leave it out");
    return HSGD_OK;
}
