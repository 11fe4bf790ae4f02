/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What captions say about a run, from result.json: what is not known is no error, for a caption leaves it out. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/text_stream.h"

#include "experiments/folder_private.h"

static const cJSON *get(const cJSON *object, const char *key)
{
    return cJSON_GetObjectItemCaseSensitive(object, key);
}

static size_t count_or_zero(const cJSON *value)
{
    return cJSON_IsNumber(value) && value->valuedouble >= 0 && value->valuedouble < 1e15 ? (size_t)value->valuedouble
                                                                                         : 0;
}

static const char *text_or_null(const cJSON *value)
{
    return cJSON_IsString(value) ? value->valuestring : NULL;
}

/* ---- the data ---- */

static const char *file_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash && slash[1] ? slash + 1 : path;
}

static void name_files(FILE *out, const cJSON *path)
{
    const cJSON *first = cJSON_IsArray(path) ? path->child : path;
    int more = cJSON_IsArray(path) ? cJSON_GetArraySize(path) - 1 : 0;
    if (text_or_null(first))
        fputs(file_name(first->valuestring), out);
    if (more > 0)
        fprintf(out, " and %d more", more);
}

/* The file with the samples, or what was drawn. */
static void name_data(FILE *out, const cJSON *data)
{
    const char *format = text_or_null(get(data, "format"));
    if (format && strcmp(format, "synthetic") == 0 && cJSON_IsTrue(get(data, "iid")))
        fputs("synthetic, IID", out);
    else if (format && strcmp(format, "synthetic") == 0)
        fprintf(out, "synthetic(%g, %g)", number_or_nan(get(data, "alpha")), number_or_nan(get(data, "beta")));
    else if (format && strcmp(format, "idx") == 0)
        name_files(out, get(data, "images"));
    else
        name_files(out, get(data, "path"));
}

/* Of the plug-in that the objective came from. */
static void name_plugin(FILE *out, const cJSON *plugin)
{
    const char *name = text_or_null(get(plugin, "name")), *version = text_or_null(get(plugin, "version"));
    fprintf(out, "%s%s%s", name ? name : "", version ? " " : "", version ? version : "");
}

/* ---- the variant ---- */

static void put_value(FILE *out, const cJSON *item);

/* "momentum 0.9, decay (type inverse, scale 100)" */
static void put_members(FILE *out, const cJSON *object)
{
    const cJSON *item;
    cJSON_ArrayForEach(item, object)
    {
        fputs(item == object->child ? "" : ", ", out);
        for (const char *c = item->string; c && *c; c++)
            fputc(*c == '_' ? ' ' : *c, out);
        put_value(out, item);
    }
}

static void put_value(FILE *out, const cJSON *item)
{
    if (cJSON_IsNumber(item))
        fprintf(out, " %.4g", item->valuedouble);
    else if (text_or_null(item))
        fprintf(out, " %s", item->valuestring);
    else if (cJSON_IsObject(item)) {
        fputs(" (", out);
        put_members(out, item);
        fputs(")", out);
    }
}

/* ---- all of it ---- */

/* What write says about value; NULL where that is nothing. */
static hsgd_status in_words(char **text, void (*write)(FILE *out, const cJSON *value), const cJSON *value,
                            hsgd_error *err)
{
    hsgd_text_stream memory;
    FILE *out = value ? hsgd_text_open(&memory) : NULL;
    *text = NULL;
    if (!value)
        return HSGD_OK;
    if (out)
        write(out, value);
    char *written = hsgd_text_close(&memory, out);
    if (!written)
        return hsgd_fail_memory(err, "a caption");
    if (*written)
        *text = written;
    else
        free(written);
    return HSGD_OK;
}

/* One number per level; NULL where there are others. */
static hsgd_status level_counts(size_t **out, const cJSON *array, size_t num_levels, hsgd_error *err)
{
    *out = NULL;
    if ((size_t)cJSON_GetArraySize(array) != num_levels)
        return HSGD_OK;
    *out = calloc(num_levels + 1, sizeof **out);
    for (size_t k = 0; *out && k < num_levels; k++)
        (*out)[k] = count_or_zero(cJSON_GetArrayItem(array, (int)k));
    return *out ? HSGD_OK : hsgd_fail_memory(err, "a caption");
}

static hsgd_status fill_memory(hsgd_setting_memory *memory, const cJSON *result, size_t num_levels, hsgd_error *err)
{
    const cJSON *config = get(result, "config"), *hierarchy = get(result, "hierarchy");
    const cJSON *plugin = get(get(result, "provenance"), "plugin");
    *memory = (hsgd_setting_memory){0};
    hsgd_status status = plugin ? in_words(&memory->data, name_plugin, plugin, err)
                                : in_words(&memory->data, name_data, get(get(config, "problem"), "data"), err);
    if (!status)
        status = in_words(&memory->variant, put_members, get(config, "variant"), err);
    if (!status)
        status = level_counts(&memory->fanout, get(hierarchy, "fanout"), num_levels, err);
    return status ? status : level_counts(&memory->period, get(hierarchy, "periods"), num_levels, err);
}

hsgd_status hsgd_folder_setting(hsgd_figure_setting *out, hsgd_setting_memory *memory, const cJSON *result,
                                size_t num_levels, hsgd_error *err)
{
    const cJSON *config = get(result, "config"), *problem = get(config, "problem");
    const cJSON *hierarchy = get(result, "hierarchy"), *noise = get(problem, "noise_variance");
    hsgd_status status = fill_memory(memory, result, num_levels, err);
    if (status)
        return status;
    bool uniform = memory->fanout && memory->period;
    *out = (hsgd_figure_setting){.problem = text_or_null(get(problem, "type")),
                                 .data = memory->data,
                                 .samples = count_or_zero(get(get(result, "data"), "samples")),
                                 .noise_sq = cJSON_IsNumber(noise) ? noise->valuedouble : 0,
                                 .fanout = uniform ? memory->fanout : NULL,
                                 .period = uniform ? memory->period : NULL,
                                 .grouping = text_or_null(get(config, "grouping")),
                                 .weighted = cJSON_IsTrue(get(hierarchy, "weighted")),
                                 .measure_every = count_or_zero(get(config, "measure_every")),
                                 .variant = memory->variant};
    if (get(problem, "data") || get(get(result, "provenance"), "plugin"))
        out->batch_size = count_or_zero(get(get(config, "optimizer"), "batch_size"));
    return HSGD_OK;
}

void hsgd_setting_memory_free(hsgd_setting_memory *memory)
{
    free(memory->data);
    free(memory->variant);
    free(memory->fanout);
    free(memory->period);
}
