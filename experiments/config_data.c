/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The "data" object of a configuration. */
#include "experiments/config_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *const format_names[] = {[HSGD_DATA_LIBSVM] = "libsvm", [HSGD_DATA_IDX] = "idx", NULL};
enum { NUM_SCALINGS = HSGD_SCALING_STANDARD + 1 };

static const char *scaling_name(size_t i)
{
    return hsgd_scaling_name((hsgd_scaling)i);
}

/* PATH itself if absolute; else next to the configuration; else in HSGD_DATA_DIR. The first that exists, or the one
 * next to the configuration, whose absence the reader of the data will report. */
static char *search(const char *config_file, const char *path)
{
    char *found = NULL;
    const char *slash = strrchr(config_file, '/'), *data_dir = getenv("HSGD_DATA_DIR");
    if (*path == '/' || !slash)
        found = strdup(path);
    else if (asprintf(&found, "%.*s/%s", (int)(slash - config_file), config_file, path) < 0)
        found = NULL;
    if (!found || access(found, F_OK) == 0 || *path == '/' || !data_dir || !*data_dir)
        return found;
    char *elsewhere = NULL;
    if (asprintf(&elsewhere, "%s/%s", data_dir, path) >= 0 && access(elsewhere, F_OK) == 0) {
        free(found);
        return elsewhere;
    }
    free(elsewhere);
    return found;
}

static hsgd_status read_path(char **out, const hsgd_json *at, hsgd_error *err)
{
    const char *path;
    hsgd_status status = hsgd_json_text(at, &path, err);
    if (status)
        return status;
    char *found = search(at->file, path);
    *out = found ? realpath(found, NULL) : NULL;
    if (*out)
        free(found);
    else /* its absence is reported by the reader of the data */
        *out = found;
    return *out ? HSGD_OK : hsgd_fail_memory(err, "a path");
}

hsgd_status hsgd_config_read_data(hsgd_config *config, const hsgd_json *at, hsgd_error *err)
{
    static const char *const libsvm_keys[] = {"format", "path", "scaling", "intercept", NULL};
    static const char *const idx_keys[] = {"format", "images", "labels", "scaling", "intercept", NULL};
    hsgd_json format = hsgd_json_member(at, "format"), scaling = hsgd_json_member(at, "scaling");
    hsgd_json intercept = hsgd_json_member(at, "intercept");
    size_t choice = 0;
    hsgd_status status = cJSON_IsObject(at->value) ? hsgd_json_choice(&format, format_names, &choice, err)
                                                   : hsgd_json_fail(at, err, "expected an object with a \"format\"");
    config->format = (hsgd_data_format)choice;
    bool idx = config->format == HSGD_DATA_IDX;
    if (!status)
        status = hsgd_json_object(at, idx ? idx_keys : libsvm_keys, err);
    hsgd_json data = hsgd_json_member(at, idx ? "images" : "path"), labels = hsgd_json_member(at, "labels");
    if (!status)
        status = read_path(&config->data_path, &data, err);
    if (!status && idx)
        status = read_path(&config->labels_path, &labels, err);
    if (!status && scaling.value && !(status = hsgd_json_choice_of(&scaling, scaling_name, NUM_SCALINGS, &choice, err)))
        config->scaling = (hsgd_scaling)choice;
    if (!status && intercept.value)
        status = hsgd_json_bool(&intercept, &config->intercept, err);
    return status;
}

/* ---- writing ---- */

cJSON *hsgd_config_data_to_json(const hsgd_config *config)
{
    cJSON *data = cJSON_CreateObject();
    cJSON_AddStringToObject(data, "format", format_names[config->format]);
    cJSON_AddStringToObject(data, config->format == HSGD_DATA_IDX ? "images" : "path", config->data_path);
    if (config->format == HSGD_DATA_IDX)
        cJSON_AddStringToObject(data, "labels", config->labels_path);
    cJSON_AddStringToObject(data, "scaling", scaling_name(config->scaling));
    cJSON_AddBoolToObject(data, "intercept", config->intercept);
    return data;
}
