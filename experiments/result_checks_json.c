/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The checks in result.json: proof ladder, audit of the assumptions, random grouping. */
#include "experiments/result_json_private.h"

#include <math.h>

#include "experiments/bound_json_private.h"

cJSON *hsgd_constant_to_json(double value, hsgd_constant_kind kind)
{
    cJSON *object = cJSON_CreateObject();
    cJSON_AddNumberToObject(object, "value", value);
    cJSON_AddStringToObject(object, "kind", hsgd_constant_kind_name(kind));
    return object;
}

cJSON *hsgd_interval_to_json(const hsgd_interval *interval)
{
    if (interval->estimate.count == 0)
        return cJSON_CreateNull();
    cJSON *object = cJSON_CreateObject();
    cJSON_AddNumberToObject(object, "mean", interval->estimate.mean);
    cJSON_AddNumberToObject(object, "se", interval->estimate.se);
    cJSON_AddItemToObject(object, "ci", hsgd_numbers_to_json((const double[]){interval->low, interval->high}, 2));
    cJSON_AddItemToObject(object, "ci_joint",
                          hsgd_numbers_to_json((const double[]){interval->low_joint, interval->high_joint}, 2));
    cJSON_AddNumberToObject(object, "seeds", (double)interval->estimate.count);
    return object;
}

static cJSON *step_to_json(const hsgd_rung *rung, const hsgd_rung_result *result)
{
    cJSON *object = hsgd_interval_to_json(&result->step);
    cJSON_AddStringToObject(object, "uses", rung->uses);
    cJSON_AddNumberToObject(object, "share", result->share);
    cJSON_AddBoolToObject(object, "applies", result->applies);
    cJSON_AddStringToObject(object, "verdict", hsgd_verdict_name(result->verdict));
    cJSON_AddStringToObject(object, "reason", result->reason);
    return object;
}

/* The rungs of THEORY 4.5. */
cJSON *hsgd_ladder_to_json(const hsgd_ladder *ladder)
{
    cJSON *array = cJSON_CreateArray();
    for (size_t k = 0; k < HSGD_NUM_RUNGS; k++) {
        const hsgd_rung_result *result = &ladder->rung[k];
        cJSON *object = cJSON_CreateObject();
        cJSON_AddStringToObject(object, "rung", hsgd_rungs[k].rung);
        cJSON_AddStringToObject(object, "name", hsgd_rungs[k].name);
        cJSON_AddNumberToObject(object, "value", result->value.estimate.mean);
        cJSON_AddNumberToObject(object, "se", result->value.estimate.se);
        cJSON_AddItemToObject(object, "ci",
                              hsgd_numbers_to_json((const double[]){result->value.low, result->value.high}, 2));
        cJSON_AddStringToObject(object, "constants", hsgd_constant_kind_name(result->kind));
        if (k > 0)
            cJSON_AddItemToObject(object, "step", step_to_json(&hsgd_rungs[k], result));
        cJSON_AddItemToArray(array, object);
    }
    return array;
}

/* ---- audit ---- */

cJSON *hsgd_audit_to_json(const hsgd_audit *audit)
{
    cJSON *array = cJSON_CreateArray();
    for (size_t i = 0; i < audit->num_items; i++) {
        const hsgd_audit_item *item = &audit->item[i];
        cJSON *object = cJSON_CreateObject();
        cJSON_AddStringToObject(object, "assumption", item->assumption);
        cJSON_AddStringToObject(object, "name", item->name);
        cJSON_AddStringToObject(object, "statement", item->statement);
        cJSON_AddStringToObject(object, "how", item->how);
        cJSON_AddItemToObject(object, "limit", hsgd_constant_to_json(item->limit.value, item->limit.kind));
        cJSON_AddNumberToObject(object, "proved", item->proved);
        cJSON_AddStringToObject(object, "relation", hsgd_audit_relation_symbol(item->relation));
        cJSON_AddItemToObject(object, "seen", hsgd_interval_to_json(&item->seen));
        cJSON_AddNumberToObject(object, "margin", item->margin);
        cJSON_AddStringToObject(object, "where", item->where);
        cJSON_AddStringToObject(object, "verdict", hsgd_verdict_name(item->verdict));
        cJSON_AddStringToObject(object, "reason", item->reason);
        cJSON_AddItemToArray(array, object);
    }
    return array;
}

/* ---- random grouping ---- */

static cJSON *lemma_to_json(hsgd_estimate mean, double half_width, double theory, hsgd_verdict verdict)
{
    cJSON *object = cJSON_CreateObject();
    cJSON_AddNumberToObject(object, "mean", mean.mean);
    cJSON_AddNumberToObject(object, "se", mean.se);
    cJSON_AddItemToObject(object, "ci",
                          hsgd_numbers_to_json((const double[]){mean.mean - half_width, mean.mean + half_width}, 2));
    cJSON_AddNumberToObject(object, "theory", theory);
    cJSON_AddStringToObject(object, "verdict", hsgd_verdict_name(verdict));
    return object;
}

static cJSON *point_to_json(const hsgd_grouping_point *point)
{
    const hsgd_grouping_moments *m = &point->moments;
    cJSON *object = cJSON_CreateObject();
    cJSON_AddStringToObject(object, "point", point->point);
    cJSON_AddStringToObject(object, "method", m->exact ? "enumeration" : "Monte Carlo");
    cJSON_AddNumberToObject(object, "groupings", m->num_groupings);
    cJSON_AddNumberToObject(object, "visited", (double)m->num_visited);
    cJSON_AddNumberToObject(object, "divergence_global", m->divergence);
    cJSON *levels = cJSON_AddArrayToObject(object, "levels");
    for (size_t k = 0; k < m->num_levels; k++) {
        cJSON *level = cJSON_CreateObject();
        cJSON_AddNumberToObject(level, "level", (double)(k + 1));
        cJSON_AddItemToObject(level, "upward",
                              lemma_to_json(m->upward[k], point->half_width[k], m->upward_theory[k], point->upward[k]));
        cJSON_AddItemToObject(
            level, "downward",
            lemma_to_json(m->downward[k], point->half_width[k], m->downward_theory[k], point->downward[k]));
        cJSON_AddItemToArray(levels, level);
    }
    return object;
}

static cJSON *ratios_to_json(const hsgd_grouping_check *check)
{
    cJSON *array = cJSON_CreateArray();
    for (size_t k = 0; check->ratio && k + 1 < check->num_levels; k++) {
        const hsgd_grouping_ratio *ratio = &check->ratio[k];
        cJSON *object = cJSON_CreateObject();
        cJSON_AddNumberToObject(object, "level", (double)(k + 1));
        cJSON_AddItemToObject(object, "ratio", hsgd_interval_to_json(&ratio->mean));
        cJSON_AddNumberToObject(object, "farthest_from_1", ratio->largest);
        cJSON_AddNumberToObject(object, "farthest_step", (double)ratio->largest_step);
        cJSON_AddItemToArray(array, object);
    }
    return array;
}

cJSON *hsgd_grouping_check_to_json(const hsgd_experiment *e)
{
    const hsgd_grouping_check *check = &e->grouping;
    cJSON *object = cJSON_CreateObject();
    cJSON *points = cJSON_AddArrayToObject(object, "points");
    for (size_t i = 0; i < check->num_points; i++)
        cJSON_AddItemToArray(points, point_to_json(&check->point[i]));
    cJSON_AddStringToObject(object, "reason", check->reason);
    cJSON_AddItemToObject(object, "trajectory", ratios_to_json(check));
    cJSON_AddNumberToObject(object, "S_variance_between_groupings", check->variance_between);
    cJSON_AddNumberToObject(object, "S_variance_within_groupings", check->variance_within);
    return object;
}
