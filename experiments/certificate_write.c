/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "experiments/certificate_private.h"

#include <stdlib.h>
#include <string.h>

#include "experiments/json_private.h"
#include "plots/output.h"

static cJSON *point_to_json(hsgd_certificate_point point)
{
    cJSON *array = cJSON_CreateArray();
    cJSON_AddItemToArray(array, cJSON_CreateNumber((double)point.step));
    cJSON_AddItemToArray(array, cJSON_CreateNumber((double)point.depth));
    return array;
}

static void add_pairs(cJSON *object, const hsgd_certificate *certificate)
{
    cJSON *array = cJSON_AddArrayToObject(object, "interpolation");
    for (size_t i = 0; i < certificate->num_pairs; i++) {
        const hsgd_certificate_pair *pair = &certificate->pair[i];
        cJSON *item = cJSON_CreateObject();
        cJSON_AddItemToObject(item, "higher", point_to_json(pair->higher));
        cJSON_AddItemToObject(item, "lower", point_to_json(pair->lower));
        cJSON_AddStringToObject(item, "value", pair->value);
        cJSON_AddItemToArray(array, item);
    }
}

static void add_divergences(cJSON *object, const hsgd_certificate *certificate)
{
    cJSON *array = cJSON_AddArrayToObject(object, "divergence");
    for (size_t i = 0; i < certificate->num_divergences; i++) {
        cJSON *item = cJSON_CreateObject();
        cJSON_AddNumberToObject(item, "level", (double)certificate->divergence[i].level);
        cJSON_AddNumberToObject(item, "step", (double)certificate->divergence[i].step);
        cJSON_AddStringToObject(item, "value", certificate->divergence[i].value);
        cJSON_AddItemToArray(array, item);
    }
}

static void add_steps(cJSON *object, const char *key, const hsgd_certificate_step *step, size_t count)
{
    cJSON *array = cJSON_AddArrayToObject(object, key);
    for (size_t i = 0; i < count; i++) {
        cJSON *item = cJSON_CreateObject();
        cJSON_AddNumberToObject(item, "step", (double)step[i].step);
        cJSON_AddStringToObject(item, "value", step[i].value);
        cJSON_AddItemToArray(array, item);
    }
}

static void add_statement(cJSON *object, const hsgd_certificate *certificate)
{
    cJSON_AddStringToObject(object, "certificate", "hsgd-pep-1");
    cJSON *periods = cJSON_AddArrayToObject(object, "periods");
    cJSON *zero = cJSON_AddArrayToObject(object, "zero_levels");
    for (size_t k = 0; k < certificate->num_levels; k++) {
        cJSON_AddItemToArray(periods, cJSON_CreateNumber((double)certificate->periods[k]));
        if (certificate->zero_level[k])
            cJSON_AddItemToArray(zero, cJSON_CreateNumber((double)k + 1));
    }
    cJSON_AddNumberToObject(object, "steps", (double)certificate->steps);
    cJSON_AddStringToObject(object, "step_size", certificate->step_size);
    cJSON_AddStringToObject(object, "smoothness", certificate->smoothness);
    cJSON_AddStringToObject(object, "criterion", hsgd_certificate_criterion_name(certificate->criterion));
    cJSON_AddStringToObject(object, "gap", hsgd_certificate_gap_name(certificate->gap));
    cJSON_AddStringToObject(object, "delta_coefficient", certificate->delta_coefficient);
    cJSON *coefficients = cJSON_AddArrayToObject(object, "divergence_coefficients");
    for (size_t k = 0; k < certificate->num_levels; k++)
        cJSON_AddItemToArray(coefficients, certificate->zero_level[k]
                                               ? cJSON_CreateNull()
                                               : cJSON_CreateString(certificate->divergence_coefficient[k]));
}

cJSON *hsgd_certificate_to_json(const hsgd_certificate *certificate)
{
    cJSON *object = cJSON_CreateObject();
    add_statement(object, certificate);
    add_steps(object, "gap_multipliers", certificate->gap_multiplier, certificate->num_gap_multipliers);
    if (certificate->criterion == HSGD_CERTIFICATE_MIN)
        add_steps(object, "weights", certificate->weight, certificate->num_weights);
    add_divergences(object, certificate);
    add_pairs(object, certificate);
    return object;
}

hsgd_status hsgd_certificate_write(const hsgd_certificate *certificate, const char *path, hsgd_error *err)
{
    hsgd_output out;
    cJSON *document = hsgd_certificate_to_json(certificate);
    char *text = hsgd_json_print(document);
    cJSON_Delete(document);
    if (!text)
        return hsgd_fail_memory(err, "the certificate");
    hsgd_status status = hsgd_output_open_path(&out, path, err);
    if (!status) {
        fprintf(out.stream, "%s\n", text);
        status = hsgd_output_close(&out, err);
    }
    cJSON_free(text);
    return status;
}
