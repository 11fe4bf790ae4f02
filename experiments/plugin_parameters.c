/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "experiments/plugin_parameters_private.h"

#include <stdlib.h>
#include <string.h>

/* The member, which is now asked for; NULL: it is not there. */
static const cJSON *find(const hsgd_plugin_parameters *parameters, const char *key)
{
    hsgd_parameter_reader *reader = parameters->data;
    const cJSON *member;
    size_t index = 0;
    cJSON_ArrayForEach(member, reader->object)
    {
        if (key && strcmp(member->string, key) == 0) {
            reader->asked[index] = true;
            return member;
        }
        index++;
    }
    return NULL;
}

/* The first complaint is kept. */
static void complain(const hsgd_plugin_parameters *parameters, const cJSON *member, const char *wanted)
{
    hsgd_parameter_reader *reader = parameters->data;
    if (reader->complaint.status != HSGD_OK)
        return;
    char *value = cJSON_PrintUnformatted(member);
    hsgd_fail(&reader->complaint, HSGD_ERROR_INPUT, "problem.parameters.%.64s: %.60s: the plug-in wants %s here",
              member->string, value ? value : "", wanted);
    cJSON_free(value);
}

static int number(const hsgd_plugin_parameters *parameters, const char *key, double *out)
{
    const cJSON *member = find(parameters, key);
    if (!member)
        return 0;
    if (!cJSON_IsNumber(member)) {
        complain(parameters, member, "a number");
        return -1;
    }
    *out = member->valuedouble;
    return 1;
}

/* Numbers below an item, in order; those that fit are written. false: there is something else. */
static bool collect(const cJSON *item, double *out, size_t capacity, size_t *count)
{
    if (cJSON_IsNumber(item)) {
        if (*count < capacity)
            out[*count] = item->valuedouble;
        ++*count;
        return true;
    }
    bool good = cJSON_IsArray(item);
    const cJSON *child = good ? item->child : NULL;
    for (; child && good; child = child->next)
        good = collect(child, out, capacity, count);
    return good;
}

static size_t numbers(const hsgd_plugin_parameters *parameters, const char *key, double *out, size_t capacity)
{
    const cJSON *member = find(parameters, key);
    size_t count = 0;
    if (!member)
        return 0;
    if (cJSON_IsArray(member) && collect(member, out, out ? capacity : 0, &count))
        return count;
    complain(parameters, member, "an array of numbers");
    return 0;
}

static const char *text(const hsgd_plugin_parameters *parameters, const char *key)
{
    const cJSON *member = find(parameters, key);
    if (!member)
        return NULL;
    if (cJSON_IsString(member))
        return member->valuestring;
    complain(parameters, member, "a text");
    return NULL;
}

static const char *json(const hsgd_plugin_parameters *parameters)
{
    hsgd_parameter_reader *reader = parameters->data;
    int count = cJSON_GetArraySize(reader->object);
    for (int i = 0; i < count; i++)
        reader->asked[i] = true;
    return reader->text;
}

hsgd_status hsgd_plugin_parameters_open(hsgd_parameter_reader *out, const char *json_text, hsgd_error *err)
{
    *out = (hsgd_parameter_reader){.text = json_text, .object = cJSON_Parse(json_text)};
    out->asked = calloc((size_t)cJSON_GetArraySize(out->object) + 1, sizeof *out->asked);
    out->interface = (hsgd_plugin_parameters){out, number, numbers, text, json};
    return out->object && out->asked ? HSGD_OK : hsgd_fail_memory(err, "the plug-in's parameters");
}

void hsgd_plugin_parameters_free(hsgd_parameter_reader *reader)
{
    cJSON_Delete(reader->object);
    free(reader->asked);
    memset(reader, 0, sizeof *reader);
}

hsgd_status hsgd_plugin_parameters_check_types(const hsgd_parameter_reader *reader, hsgd_error *err)
{
    return reader->complaint.status ? hsgd_fail(err, reader->complaint.status, "%s", reader->complaint.message)
                                    : HSGD_OK;
}

hsgd_status hsgd_plugin_parameters_check_asked(const hsgd_parameter_reader *reader, hsgd_error *err)
{
    const cJSON *member;
    size_t index = 0;
    cJSON_ArrayForEach(member, reader->object) if (!reader->asked[index++]) return hsgd_fail(
        err, HSGD_ERROR_INPUT, "problem.parameters.%.64s: unknown key: the plug-in never asked for it", member->string);
    return HSGD_OK;
}
