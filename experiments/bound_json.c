/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "experiments/bound_json_private.h"

#include <math.h>

cJSON *hsgd_numbers_to_json(const double *value, size_t count)
{
    cJSON *array = cJSON_CreateArray();
    for (size_t i = 0; i < count; i++)
        cJSON_AddItemToArray(array, isfinite(value[i]) ? cJSON_CreateNumber(value[i]) : cJSON_CreateNull());
    return array;
}

cJSON *hsgd_bound_to_json(const hsgd_bound *bound, const hsgd_bound_value *value)
{
    cJSON *object = cJSON_CreateObject();
    cJSON_AddStringToObject(object, "id", bound->id);
    cJSON_AddStringToObject(object, "title", bound->title);
    cJSON_AddStringToObject(object, "citation", bound->citation);
    cJSON_AddStringToObject(object, "of", hsgd_target_name(bound->target));
    cJSON_AddStringToObject(object, "algorithm", hsgd_algorithm_name(bound->algorithm));
    cJSON_AddBoolToObject(object, "applicable", value->applicable);
    cJSON_AddStringToObject(object, "reason", value->reason);
    cJSON_AddNumberToObject(object, "value", value->value);
    cJSON_AddNumberToObject(object, "max_step_size", value->max_step_size);
    cJSON *terms = cJSON_AddArrayToObject(object, "terms");
    for (size_t i = 0; i < value->num_terms; i++) {
        cJSON *term = cJSON_CreateObject();
        cJSON_AddStringToObject(term, "name", value->term[i].name);
        cJSON_AddNumberToObject(term, "value", value->term[i].value);
        cJSON_AddItemToArray(terms, term);
    }
    return object;
}

static cJSON *side_to_json(const hsgd_sandwich_side *side)
{
    cJSON *array = cJSON_CreateArray();
    for (int i = 0; i < 3; i++)
        cJSON_AddItemToArray(array, cJSON_CreateString(side->text[i]));
    return array;
}

cJSON *hsgd_sandwich_to_json(const hsgd_sandwich *sandwich)
{
    cJSON *object = cJSON_CreateObject();
    cJSON_AddItemToObject(object, "noise", side_to_json(&sandwich->noise));
    cJSON_AddItemToObject(object, "divergence", side_to_json(&sandwich->divergence));
    cJSON_AddBoolToObject(object, "holds", sandwich->holds);
    return object;
}
