/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Where a document about many configurations comes from. */
#include "experiments/provenance_private.h"

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

hsgd_status hsgd_provenance_of_grid(cJSON **out, const char *command, const hsgd_sweep *grid, hsgd_error *err)
{
    char hash[HSGD_CHECKSUM_SIZE];
    size_t count;
    hsgd_status status = hsgd_provenance_of_program(out, command, err);
    if (!status)
        status = hash_all(hash, &count, grid, err);
    if (status) {
        cJSON_Delete(*out);
        *out = NULL;
        return status;
    }
    cJSON_AddNumberToObject(*out, "configs", (double)count);
    cJSON_AddStringToObject(*out, "configs_sha256", hash);
    return HSGD_OK;
}
