/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The "hunt" object of a configuration. */
#include "experiments/config_private.h"

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

/* Evaluations where nobody says how many: some seconds for a tree of a dozen workers. */
enum { DEFAULT_EVALUATIONS = 20000, MAX_DIMENSION = 100 };

static const char *const searchers[] = {"simplex", "evolution", "both", NULL};

static hsgd_status read_free(hsgd_hunt_spec *spec, const hsgd_json *at, hsgd_error *err)
{
    size_t length, part;
    hsgd_status status = hsgd_json_array(at, 1, &length, err);
    const cJSON *item = status ? NULL : at->value->child;
    for (size_t i = 0; item && !status; i++) {
        hsgd_json place = hsgd_json_next(at, &item, i);
        status = hsgd_json_choice_of(&place, hsgd_hunt_part_name, HSGD_NUM_HUNT_PARTS, &part, err);
        if (!status && spec->free[part])
            status = hsgd_json_fail(&place, err, "stands twice");
        if (!status)
            spec->free[part] = true;
    }
    return status;
}

static hsgd_status read_budget(hsgd_hunt_spec *spec, const hsgd_json *at, hsgd_error *err)
{
    static const char *const keys[] = {"evaluations", "seconds", NULL};
    hsgd_json evaluations = hsgd_json_member(at, "evaluations"), seconds = hsgd_json_member(at, "seconds");
    if (!at->value)
        return HSGD_OK;
    hsgd_status status = hsgd_json_object(at, keys, err);
    if (!status && !evaluations.value && !seconds.value)
        status = hsgd_json_fail(at, err, "expected \"evaluations\", \"seconds\" or both");
    spec->evaluations = 0;
    if (!status && evaluations.value)
        status = hsgd_json_count(&evaluations, 1, 1000000000, &spec->evaluations, err);
    if (!status && seconds.value)
        status = hsgd_json_positive(&seconds, &spec->seconds, err);
    return status;
}

static hsgd_status read_factor(double *out, const hsgd_json *object, const char *key, hsgd_error *err)
{
    hsgd_json at = hsgd_json_member(object, key);
    return at.value ? hsgd_json_number(&at, 0, 1, out, err) : HSGD_OK;
}

static hsgd_status read_weaken(hsgd_hunt_spec *spec, const hsgd_json *at, hsgd_error *err)
{
    static const char *const keys[] = {"divergence", "initial_gap", "noise", NULL};
    if (!at->value)
        return HSGD_OK;
    hsgd_status status = hsgd_json_object(at, keys, err);
    if (!status)
        status = read_factor(&spec->weaken_divergence, at, "divergence", err);
    if (!status)
        status = read_factor(&spec->weaken_initial_gap, at, "initial_gap", err);
    return status ? status : read_factor(&spec->weaken_noise, at, "noise", err);
}

static hsgd_status read_quarry(hsgd_hunt_spec *spec, const hsgd_bound_list *bounds, const hsgd_json *at,
                               hsgd_error *err)
{
    const char *id = NULL;
    char list[512] = "";
    hsgd_quarry quarry;
    hsgd_status status = hsgd_json_text(at, &id, err);
    if (status || hsgd_quarry_find(&quarry, bounds, id)) {
        snprintf(spec->bound, sizeof spec->bound, "%s", status ? "" : id);
        return status;
    }
    for (size_t i = 0, used = 0; i < hsgd_num_quarries(bounds) && used < sizeof list; i++)
        used +=
            (size_t)snprintf(list + used, sizeof list - used, "%s\"%s\"", i ? ", " : "", hsgd_quarry_at(bounds, i).id);
    return hsgd_json_fail(at, err, "expected one of %s", list);
}

static hsgd_status read_spec(hsgd_hunt_spec *spec, const hsgd_bound_list *bounds, const hsgd_json *at, hsgd_error *err)
{
    static const char *const keys[] = {"bound", "free", "dimension", "budget", "seed", "searcher", "weaken", NULL};
    hsgd_json bound = hsgd_json_member(at, "bound"), free = hsgd_json_member(at, "free");
    hsgd_json dimension = hsgd_json_member(at, "dimension"), budget = hsgd_json_member(at, "budget");
    hsgd_json seed = hsgd_json_member(at, "seed"), searcher = hsgd_json_member(at, "searcher");
    hsgd_json weaken = hsgd_json_member(at, "weaken");
    size_t choice;
    hsgd_status status = hsgd_json_object(at, keys, err);
    if (!status)
        status = read_quarry(spec, bounds, &bound, err);
    if (!status)
        status = read_free(spec, &free, err);
    if (!status && dimension.value)
        status = hsgd_json_count(&dimension, 1, MAX_DIMENSION, &spec->dimension, err);
    if (!status)
        status = read_budget(spec, &budget, err);
    if (!status)
        status = hsgd_json_seed(&seed, &spec->seed, err);
    if (!status && searcher.value && !(status = hsgd_json_choice(&searcher, searchers, &choice, err)))
        for (size_t m = 0; m < 2; m++)
            spec->use_method[m] = choice == 2 || choice == m;
    return status ? status : read_weaken(spec, &weaken, err);
}

/* ---- rules that join it with other sections ---- */

/* A part that is not free is that of the problem, so it has the problem's dimension. */
static hsgd_status check_dimension(const hsgd_config *config, const hsgd_json *at, hsgd_error *err)
{
    const hsgd_hunt_spec *spec = &config->hunt;
    hsgd_json dimension = hsgd_json_member(at, "dimension");
    if (!spec->dimension || spec->dimension == config->dim)
        return HSGD_OK;
    for (size_t part = HSGD_HUNT_WORKER_CURVATURE; part <= HSGD_HUNT_INITIAL; part++)
        if (!spec->free[part] && !(part == HSGD_HUNT_WORKER_CURVATURE && spec->free[HSGD_HUNT_CURVATURE]))
            return hsgd_json_fail(&dimension, err, "the problem has dimension %zu, and its \"%s\" is not free",
                                  config->dim,
                                  hsgd_hunt_part_name(part == HSGD_HUNT_WORKER_CURVATURE ? HSGD_HUNT_CURVATURE : part));
    return HSGD_OK;
}

/* The Hessians of all workers are one, or each has its own. */
static hsgd_status check_curvature(const hsgd_config *config, const hsgd_json *at, hsgd_error *err)
{
    const bool *free = config->hunt.free;
    hsgd_json list = hsgd_json_member(at, "free");
    if (free[HSGD_HUNT_CURVATURE] && free[HSGD_HUNT_WORKER_CURVATURE])
        return hsgd_json_fail(&list, err, "\"worker_curvature\" includes \"curvature\"; give one of them");
    if (free[HSGD_HUNT_CURVATURE] && hsgd_config_own_curvatures(config))
        return hsgd_json_fail(&list, err,
                              "the workers of this problem have Hessians of their own; give "
                              "\"worker_curvature\" in the place of \"curvature\"");
    return HSGD_OK;
}

static hsgd_status check_together(const hsgd_config *config, const hsgd_json *root, const hsgd_json *at,
                                  hsgd_error *err)
{
    const char *reason;
    hsgd_json problem = hsgd_json_member(root, "problem"), type = hsgd_json_member(&problem, "type");
    hsgd_json grouping = hsgd_json_member(root, "grouping"), variant = hsgd_json_member(root, "variant");
    if (config->problem != HSGD_PROBLEM_QUADRATIC && config->problem != HSGD_PROBLEM_QUADRATIC_GENERATED)
        return hsgd_json_fail(&type, err, "only quadratics can be hunted over: their moments are known exactly");
    if (config->grouping != HSGD_GROUPING_GIVEN)
        return hsgd_json_fail(&grouping, err, "a hunt looks at places as they are; only \"given\" is legal with it");
    if (hsgd_variant_differs(&config->variant, &reason))
        return hsgd_json_fail(&variant, err, "exact moments are known for plain H-SGD only");
    hsgd_status status = check_curvature(config, at, err);
    return status ? status : check_dimension(config, at, err);
}

hsgd_status hsgd_config_read_hunt(hsgd_config *config, const hsgd_json *root, hsgd_error *err)
{
    hsgd_json at = hsgd_json_member(root, "hunt");
    if (!at.value)
        return HSGD_OK;
    config->has_hunt = true;
    config->hunt = (hsgd_hunt_spec){.evaluations = DEFAULT_EVALUATIONS,
                                    .seconds = INFINITY,
                                    .seed = 1,
                                    .use_method = {true, true},
                                    .weaken_divergence = 1,
                                    .weaken_initial_gap = 1,
                                    .weaken_noise = 1};
    hsgd_status status = read_spec(&config->hunt, &config->bounds, &at, err);
    return status ? status : check_together(config, root, &at, err);
}

/* ---- writing ---- */

void hsgd_hunt_spec_to_json(cJSON *object, const hsgd_hunt_spec *spec)
{
    cJSON_AddStringToObject(object, "bound", spec->bound);
    cJSON *free = cJSON_AddArrayToObject(object, "free");
    for (size_t part = 0; part < HSGD_NUM_HUNT_PARTS; part++)
        if (spec->free[part])
            cJSON_AddItemToArray(free, cJSON_CreateString(hsgd_hunt_part_name(part)));
    if (spec->dimension)
        cJSON_AddNumberToObject(object, "dimension", (double)spec->dimension);
    cJSON *budget = cJSON_AddObjectToObject(object, "budget");
    if (spec->evaluations)
        cJSON_AddNumberToObject(budget, "evaluations", (double)spec->evaluations);
    if (isfinite(spec->seconds))
        cJSON_AddNumberToObject(budget, "seconds", spec->seconds);
    cJSON_AddNumberToObject(object, "seed", (double)spec->seed);
    cJSON_AddStringToObject(object, "searcher",
                            searchers[spec->use_method[0] && spec->use_method[1] ? 2 : spec->use_method[1]]);
    if (!hsgd_hunt_is_weakened(spec))
        return;
    cJSON *weaken = cJSON_AddObjectToObject(object, "weaken");
    cJSON_AddNumberToObject(weaken, "divergence", spec->weaken_divergence);
    cJSON_AddNumberToObject(weaken, "initial_gap", spec->weaken_initial_gap);
    cJSON_AddNumberToObject(weaken, "noise", spec->weaken_noise);
}

void hsgd_config_add_hunt(cJSON *root, const hsgd_config *config)
{
    if (config->has_hunt)
        hsgd_hunt_spec_to_json(cJSON_AddObjectToObject(root, "hunt"), &config->hunt);
}
