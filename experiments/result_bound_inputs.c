/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What hsgd check evaluates the bounds from once more: divergences of the entries of their tree, which are levels where all nodes
 * of a level are alike, else nodes. */
#include "experiments/result_json_private.h"

#include <math.h>
#include <stdlib.h>

#include "experiments/bound_json_private.h"
#include "experiments/experiment_private.h"

static cJSON *numbers_or_null(const double *value, size_t count)
{
    return value ? hsgd_numbers_to_json(value, count) : cJSON_CreateNull();
}

static bool has_certified(const hsgd_experiment *e)
{
    for (size_t i = 0; i < e->num_comparisons; i++)
        if (isfinite(e->comparison[i].certified_value))
            return true;
    return false;
}

static cJSON *certified_to_json(const hsgd_experiment *e, bool by_level, size_t entries)
{
    bool other_minimum = e->constants.minimum.kind == HSGD_TRAJECTORY;
    double more = other_minimum ? e->constants.minimum.value - e->known_minimum.value : 0;
    if (!has_certified(e))
        return cJSON_CreateNull();
    cJSON *object = cJSON_CreateObject();
    cJSON_AddNumberToObject(object, "delta", e->delta.value + more);
    cJSON_AddNumberToObject(object, "global_divergence_sq", e->certified_global_sq);
    cJSON_AddItemToObject(object, "divergence_sq",
                          numbers_or_null(by_level ? e->certified_level_sq : e->certified_node_sq, entries));
    return object;
}

cJSON *hsgd_bound_inputs_to_json(const hsgd_experiment *e)
{
    const hsgd_hierarchy *tree = hsgd_experiment_bound_tree(e);
    bool by_level = tree == &e->config->hierarchy;
    double *deviation_max_sq = hsgd_experiment_deviation_max_sq(e);
    if (!deviation_max_sq && e->node_deviation_max_sq)
        return NULL;
    cJSON *object = cJSON_CreateObject();
    cJSON_AddStringToObject(object, "entries", by_level ? "levels" : "nodes");
    cJSON_AddItemToObject(object, "divergence_sq", numbers_or_null(hsgd_experiment_divergence_sq(e), tree->num_nodes));
    cJSON_AddItemToObject(object, "deviation_max_sq", numbers_or_null(deviation_max_sq, tree->num_nodes));
    cJSON_AddNumberToObject(object, "worker_deviation_max_sq", e->worker_deviation_max_sq);
    cJSON_AddItemToObject(object, "certified", certified_to_json(e, by_level, tree->num_nodes));
    free(deviation_max_sq);
    return object;
}
