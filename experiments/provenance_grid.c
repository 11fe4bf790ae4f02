/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Where a document about many configurations comes from. */
#include "experiments/provenance_private.h"

#include <math.h>
#include <string.h>

static hsgd_status add_hash(hsgd_checksum *all, const char *config, hsgd_error *err)
{
    char one[HSGD_CHECKSUM_SIZE];
    cJSON *document = cJSON_Parse(config);
    hsgd_status status =
        document ? hsgd_provenance_hash_document(one, document, err) : hsgd_fail_memory(err, "the configuration");
    cJSON_Delete(document);
    if (status)
        return status;
    hsgd_checksum_add(all, one, strlen(one));
    hsgd_checksum_add(all, "\n", 1);
    return HSGD_OK;
}

static hsgd_status hash_all(char out[HSGD_CHECKSUM_SIZE], size_t *count, const hsgd_sweep *grid, hsgd_error *err)
{
    hsgd_checksum *all = hsgd_checksum_alloc();
    hsgd_status status = all ? HSGD_OK : hsgd_fail_memory(err, "a checksum");
    *count = 0;
    for (size_t i = 0; i < grid->num_points && !status; i++)
        if (grid->point[i].config) {
            status = add_hash(all, grid->point[i].config, err);
            ++*count;
        }
    if (!status)
        hsgd_checksum_finish(all, out);
    hsgd_checksum_free(all);
    return status;
}

/* ---- seeds and data ---- */

typedef struct inputs {
    hsgd_provenance data;
    double first_seed, last_seed;
} inputs;

static hsgd_status add_config(inputs *in, cJSON *object, const char *text, hsgd_error *err)
{
    hsgd_config config;
    hsgd_status status = hsgd_config_parse(&config, text, strlen(text), "a point", err);
    if (status)
        return status;
    double first = (double)config.first_seed, last = first + (double)hsgd_config_runs(&config) - 1;
    in->first_seed = fmin(in->first_seed, first);
    in->last_seed = fmax(in->last_seed, last);
    status = hsgd_provenance_add_data(&in->data, &config, err);
    if (!status && config.problem == HSGD_PROBLEM_PLUGIN && !cJSON_GetObjectItem(object, "plugin"))
        status = hsgd_provenance_add_plugin(object, config.plugin_path, err);
    hsgd_config_free(&config);
    return status;
}

/* Data that went away while the numbers were worked out are no reason to lose these. */
static hsgd_status add_inputs(cJSON *object, const hsgd_sweep *grid, hsgd_error *err)
{
    inputs in = {.first_seed = INFINITY, .last_seed = -INFINITY};
    hsgd_error reason;
    hsgd_status status = HSGD_OK;
    for (size_t i = 0; i < grid->num_points && !status; i++)
        if (grid->point[i].config)
            status = add_config(&in, object, grid->point[i].config, &reason);
    bool lost = status == HSGD_ERROR_INPUT;
    if (isfinite(in.first_seed)) {
        cJSON_AddNumberToObject(object, "first_seed", in.first_seed);
        cJSON_AddNumberToObject(object, "last_seed", in.last_seed);
    }
    cJSON_AddItemToObject(object, "data_files", hsgd_provenance_files_to_json(&in.data));
    if (lost)
        cJSON_AddStringToObject(object, "data_note", reason.message);
    hsgd_provenance_free(&in.data);
    return status && !lost ? hsgd_fail(err, status, "%s", reason.message) : HSGD_OK;
}

hsgd_status hsgd_provenance_of_grid(cJSON **out, const char *command, const hsgd_sweep *grid, hsgd_error *err)
{
    char hash[HSGD_CHECKSUM_SIZE];
    size_t count;
    hsgd_status status = hsgd_provenance_of_program(out, command, err);
    if (!status)
        status = hash_all(hash, &count, grid, err);
    if (!status)
        status = add_inputs(*out, grid, err);
    if (status) {
        cJSON_Delete(*out);
        *out = NULL;
        return status;
    }
    cJSON_AddNumberToObject(*out, "configs", (double)count);
    cJSON_AddStringToObject(*out, "configs_sha256", hash);
    return HSGD_OK;
}
