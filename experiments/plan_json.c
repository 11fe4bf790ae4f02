/* SPDX-License-Identifier: GPL-3.0-or-later */
/* plan.json: the setting, the best plans for every budget, fronts, curves, and what they rest on. */
#include <math.h>

#include "experiments/bound_json_private.h"
#include "experiments/config_private.h"
#include "experiments/plan_private.h"

static cJSON *counts_to_json(const size_t *value, size_t count)
{
    cJSON *array = cJSON_CreateArray();
    for (size_t i = 0; i < count; i++)
        cJSON_AddItemToArray(array, cJSON_CreateNumber((double)value[i]));
    return array;
}

static void add_number(cJSON *object, const char *key, double value)
{
    cJSON_AddItemToObject(object, key, isfinite(value) ? cJSON_CreateNumber(value) : cJSON_CreateNull());
}

/* For each level of the tree the level of the network whose links it uses, from 1. */
static cJSON *links_to_json(const hsgd_plan_setting *setting, const hsgd_plan_fanout *fanout)
{
    cJSON *array = cJSON_CreateArray();
    size_t workers = setting->num_workers;
    for (size_t k = 0; k < fanout->num_levels; k++) {
        cJSON_AddItemToArray(array, cJSON_CreateNumber((double)hsgd_plan_link_of(setting, workers) + 1));
        workers /= fanout->fanout[k];
    }
    return array;
}

/* null where there is no plan. */
static cJSON *plan_to_json(const hsgd_plan_setting *setting, const hsgd_plan *plan)
{
    if (!plan->found)
        return cJSON_CreateNull();
    const hsgd_plan_fanout *fanout = &setting->fanout[plan->tree.fanout];
    cJSON *object = cJSON_CreateObject();
    cJSON_AddItemToObject(object, "fanout", counts_to_json(fanout->fanout, fanout->num_levels));
    cJSON_AddItemToObject(object, "periods", counts_to_json(plan->tree.period, fanout->num_levels));
    cJSON_AddItemToObject(object, "links", links_to_json(setting, fanout));
    cJSON_AddNumberToObject(object, "step_size", plan->step_size);
    add_number(object, "max_step_size", plan->max_step_size);
    cJSON_AddBoolToObject(object, "at_step_size_limit", plan->at_limit);
    cJSON_AddNumberToObject(object, "steps", (double)plan->steps);
    cJSON_AddNumberToObject(object, "seconds", plan->seconds);
    cJSON_AddNumberToObject(object, "bound", plan->bound);
    cJSON_AddItemToObject(object, "bytes_level", hsgd_numbers_to_json(plan->bytes, setting->num_links));
    return object;
}

/* ---- the setting ---- */

static cJSON *constants_to_json(const hsgd_plan_setting *setting)
{
    static const char *const key[] = {[HSGD_PLAN_L] = "L",
                                      [HSGD_PLAN_SIGMA_SQ] = "sigma_sq",
                                      [HSGD_PLAN_DELTA] = "delta",
                                      [HSGD_PLAN_DIVERGENCE] = "global_divergence_sq"};
    cJSON *object = cJSON_CreateObject();
    for (size_t i = 0; i < HSGD_NUM_PLAN_CONSTANTS; i++) {
        cJSON *constant = cJSON_AddObjectToObject(object, key[i]);
        cJSON_AddNumberToObject(constant, "value", setting->constant[i].value);
        cJSON_AddStringToObject(constant, "kind", setting->constant[i].kind);
    }
    return object;
}

static void add_setting(cJSON *root, const hsgd_plan_setting *setting)
{
    cJSON_AddStringToObject(root, "name", setting->name);
    cJSON_AddStringToObject(root, "version", HSGD_VERSION);
    cJSON_AddStringToObject(root, "bound", setting->bound->id);
    cJSON_AddStringToObject(root, "of", hsgd_target_name(setting->bound->target));
    cJSON_AddNumberToObject(root, "workers", (double)setting->num_workers);
    cJSON_AddItemToObject(root, "network", counts_to_json(setting->network, setting->num_links));
    cJSON_AddItemToObject(root, "communication",
                          hsgd_communication_to_json(&setting->communication, setting->num_links));
    cJSON_AddNumberToObject(root, "message_bytes", (double)setting->dim * setting->communication.bytes_per_parameter);
    cJSON_AddItemToObject(root, "constants", constants_to_json(setting));
    if (setting->constants_from)
        cJSON_AddStringToObject(root, "constants_from", setting->constants_from);
    if (setting->figure_style)
        cJSON_AddItemToObject(root, "figure_style", cJSON_Duplicate(setting->figure_style, true));
}

static void add_search(cJSON *root, const hsgd_plan_analysis *a)
{
    cJSON *search = cJSON_AddObjectToObject(root, "search");
    cJSON_AddNumberToObject(search, "plans", (double)a->trees[HSGD_PLAN_ALL].count);
    cJSON_AddNumberToObject(search, "fanouts", (double)a->setting->num_fanouts);
    cJSON_AddNumberToObject(search, "max_period", (double)a->setting->max_period);
    cJSON_AddBoolToObject(search, "relays", a->setting->relays);
    cJSON_AddBoolToObject(search, "complete", hsgd_plan_bound_is_convex(a->setting->bound));
}

/* ---- answers ---- */

static cJSON *gain_to_json(const hsgd_plan_answer *answer, hsgd_plan_family family)
{
    const hsgd_plan *best = &answer->result[HSGD_PLAN_ALL].best, *other = &answer->result[family].best;
    cJSON *object = cJSON_CreateObject();
    add_number(object, "bound_ratio", other->found ? other->bound / best->bound : NAN);
    add_number(object, "seconds_for_best_bound", answer->family_time_s[family]);
    add_number(object, "seconds_of_best_for_its_bound", answer->best_time_s[family]);
    return object;
}

static cJSON *answer_to_json(const hsgd_plan_analysis *a, const hsgd_plan_answer *answer)
{
    const hsgd_plan_result *result = answer->result;
    cJSON *object = cJSON_CreateObject();
    cJSON_AddNumberToObject(object, "budget_s", answer->budget_s);
    cJSON_AddItemToObject(object, "best", plan_to_json(a->setting, &result[HSGD_PLAN_ALL].best));
    if (!result[HSGD_PLAN_ALL].best.found) {
        cJSON_AddStringToObject(object, "reason", result[HSGD_PLAN_ALL].reason);
        return object;
    }
    for (int f = HSGD_PLAN_LOCAL; f < HSGD_NUM_PLAN_FAMILIES; f++)
        cJSON_AddItemToObject(object, hsgd_plan_family_name((hsgd_plan_family)f),
                              plan_to_json(a->setting, &result[f].best));
    cJSON *gain = cJSON_AddObjectToObject(object, "gain");
    for (int f = HSGD_PLAN_LOCAL; f < HSGD_NUM_PLAN_FAMILIES; f++)
        cJSON_AddItemToObject(gain, hsgd_plan_family_name((hsgd_plan_family)f),
                              gain_to_json(answer, (hsgd_plan_family)f));
    cJSON *front = cJSON_AddArrayToObject(object, "front");
    for (size_t i = 0; i < result[HSGD_PLAN_ALL].num_front; i++)
        cJSON_AddItemToArray(front, plan_to_json(a->setting, &result[HSGD_PLAN_ALL].front[i]));
    return object;
}

static cJSON *curves_to_json(const hsgd_plan_analysis *a)
{
    cJSON *object = cJSON_CreateObject();
    cJSON_AddItemToObject(object, "budget_s", hsgd_numbers_to_json(a->curve_s, HSGD_PLAN_CURVE_POINTS));
    for (int f = 0; f < HSGD_NUM_PLAN_FAMILIES; f++) {
        cJSON *array = cJSON_AddArrayToObject(object, hsgd_plan_family_name((hsgd_plan_family)f));
        for (size_t i = 0; i < HSGD_PLAN_CURVE_POINTS; i++)
            cJSON_AddItemToArray(array, plan_to_json(a->setting, &a->curve[f][i]));
    }
    return object;
}

/* ---- sensitivity ---- */

static cJSON *regret_to_json(const hsgd_plan_setting *setting, const hsgd_plan_regret *regret)
{
    cJSON *object = cJSON_CreateObject();
    cJSON_AddItemToObject(object, "best", plan_to_json(setting, &regret->best));
    add_number(object, "regret", regret->kept_all);
    add_number(object, "regret_new_step_size", regret->kept_tree);
    return object;
}

static cJSON *sensitivities_to_json(const hsgd_plan_analysis *a)
{
    cJSON *array = cJSON_CreateArray();
    for (size_t i = 0; i < a->num_sensitivities; i++) {
        const hsgd_plan_sensitivity *s = &a->sensitivity[i];
        cJSON *object = cJSON_CreateObject();
        cJSON_AddStringToObject(object, "constant", s->name);
        add_number(object, "value", s->value);
        add_number(object, "elasticity", s->elasticity);
        add_number(object, "elasticity_step_size_kept", s->elasticity_kept);
        if (s->has_regret) {
            cJSON_AddItemToObject(object, "half", regret_to_json(a->setting, &s->half));
            cJSON_AddItemToObject(object, "twice", regret_to_json(a->setting, &s->twice));
        }
        cJSON_AddItemToArray(array, object);
    }
    return array;
}

cJSON *hsgd_plan_to_json(const hsgd_plan_analysis *a)
{
    cJSON *root = cJSON_CreateObject();
    add_setting(root, a->setting);
    add_search(root, a);
    cJSON *budgets = cJSON_AddArrayToObject(root, "budgets");
    for (size_t i = 0; i < a->setting->num_budgets; i++)
        cJSON_AddItemToArray(budgets, answer_to_json(a, &a->answer[i]));
    if (!hsgd_plan_last(a)->result[HSGD_PLAN_ALL].best.found)
        return root;
    cJSON_AddItemToObject(root, "curves", curves_to_json(a));
    cJSON_AddItemToObject(root, "sensitivity", sensitivities_to_json(a));
    return root;
}
