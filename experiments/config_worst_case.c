/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The key "worst_case": one more bound to compare with, which is not in the registry because it takes time. */
#include "bounds/worst_case.h"
#include "experiments/config_private.h"

hsgd_status hsgd_config_read_worst_case(hsgd_config *config, const hsgd_json *root, hsgd_error *err)
{
    hsgd_json at = hsgd_json_member(root, "worst_case");
    hsgd_status status = at.value ? hsgd_json_bool(&at, &config->worst_case, err) : HSGD_OK;
    return status || !config->worst_case ? status : hsgd_config_add_bound(config, &hsgd_bound_worst_case, NULL, err);
}

void hsgd_config_select_worst_case(hsgd_config *config)
{
    for (size_t i = 0; i < config->bounds.count; i++)
        config->use_bound[i] = config->use_bound[i] || config->bounds.bound[i] == &hsgd_bound_worst_case;
}

void hsgd_config_add_worst_case(cJSON *root, const hsgd_config *config)
{
    if (config->worst_case)
        cJSON_AddBoolToObject(root, "worst_case", true);
}
