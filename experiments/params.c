/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "experiments/params.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "experiments/hierarchy_json_private.h"
#include "experiments/json_private.h"
#include "experiments/user_bounds_private.h"

/* Divergences of all nodes: those that the nodes carry, or one number per level for all nodes of it. */
static hsgd_status read_levels(double **out, const hsgd_hierarchy *h, const hsgd_json *at, const double *carried,
                               hsgd_error *err)
{
    double *level = NULL;
    size_t length = 0;
    *out = NULL;
    if (!at->value)
        return HSGD_OK;
    if (carried)
        return hsgd_json_fail(at, err, "the nodes of the tree carry such numbers too; give them once");
    hsgd_status status = hsgd_json_numbers(at, 0, INFINITY, &level, &length, err);
    if (!status && length != h->num_levels)
        status = hsgd_json_fail(at, err, "%zu numbers for %zu levels of the hierarchy", length, h->num_levels);
    if (!status && !(*out = malloc(h->num_nodes * sizeof **out)))
        status = hsgd_fail_memory(err, at->path);
    for (size_t u = 0; u < h->num_nodes && !status; u++)
        (*out)[u] = level[h->node[u].depth];
    free(level);
    return status;
}

/* The tree with its weights: one entry per node if there are any. */
static hsgd_status read_hierarchy(hsgd_hierarchy *out, hsgd_node_values *values, const hsgd_json *at, hsgd_error *err)
{
    bool is_uniform;
    hsgd_json weights = hsgd_json_member(at, "weights");
    hsgd_hierarchy compact;
    double *weight = NULL;
    hsgd_status status = hsgd_hierarchy_read(&compact, &is_uniform, values, at, err);
    if (status || !weights.value) {
        *out = compact;
        return status;
    }
    memset(out, 0, sizeof *out);
    status = hsgd_weights_read(&weight, compact.num_workers, &weights, err);
    if (!status)
        status = hsgd_hierarchy_expand(out, &compact, err);
    if (!status)
        status = hsgd_hierarchy_set_weights(out, weight, err);
    hsgd_hierarchy_free(&compact);
    free(weight);
    return status;
}

static hsgd_status read_optional(const hsgd_json *root, const char *key, double *out, hsgd_error *err)
{
    hsgd_json at = hsgd_json_member(root, key);
    return at.value ? hsgd_json_number(&at, 0, INFINITY, out, err) : HSGD_OK;
}

static hsgd_status read_numbers(hsgd_bound_params *out, const hsgd_json *root, hsgd_error *err)
{
    hsgd_json step_size = hsgd_json_member(root, "step_size"), steps = hsgd_json_member(root, "steps");
    hsgd_json smoothness = hsgd_json_member(root, "L"), noise = hsgd_json_member(root, "sigma_sq");
    hsgd_json delta = hsgd_json_member(root, "delta"), participants = hsgd_json_member(root, "participants");
    hsgd_status status = hsgd_json_positive(&step_size, &out->step_size, err);
    if (!status)
        status = hsgd_json_count(&steps, 1, SIZE_MAX, &out->steps, err);
    if (!status)
        status = hsgd_json_number(&smoothness, 0, INFINITY, &out->smoothness, err);
    if (!status)
        status = hsgd_json_number(&noise, 0, INFINITY, &out->noise_sq, err);
    if (!status)
        status = hsgd_json_number(&delta, 0, INFINITY, &out->delta, err);
    if (!status && participants.value)
        status = hsgd_json_count(&participants, 1, out->tree.num_workers, &out->participants, err);
    if (!status)
        status = read_optional(root, "global_divergence_sq", &out->global_divergence_sq, err);
    return status ? status : read_optional(root, "worker_deviation_max_sq", &out->worker_deviation_max_sq, err);
}

/* *num_levels: of the hierarchy as given. */
static hsgd_status read_params(hsgd_bound_params *out, size_t *num_levels, const hsgd_json *root, hsgd_error *err)
{
    static const char *const keys[] = {"hierarchy",
                                       "step_size",
                                       "steps",
                                       "L",
                                       "sigma_sq",
                                       "delta",
                                       "level_divergence_sq",
                                       "global_divergence_sq",
                                       "level_deviation_max_sq",
                                       "worker_deviation_max_sq",
                                       "participants",
                                       "user_bounds",
                                       NULL};
    hsgd_json hierarchy = hsgd_json_member(root, "hierarchy");
    hsgd_json divergence = hsgd_json_member(root, "level_divergence_sq");
    hsgd_json deviation = hsgd_json_member(root, "level_deviation_max_sq");
    hsgd_hierarchy h = {0};
    hsgd_node_values carried = {0};
    double *divergence_sq = NULL, *deviation_max_sq = NULL;
    hsgd_status status = hsgd_json_object(root, keys, err);
    if (!status)
        status = read_hierarchy(&h, &carried, &hierarchy, err);
    if (!status)
        status = read_levels(&divergence_sq, &h, &divergence, carried.divergence_sq, err);
    if (!status)
        status = read_levels(&deviation_max_sq, &h, &deviation, carried.deviation_max_sq, err);
    if (!status)
        status = hsgd_bound_params_init(out, &h, divergence_sq ? divergence_sq : carried.divergence_sq,
                                        deviation_max_sq ? deviation_max_sq : carried.deviation_max_sq, err);
    if (!status)
        status = read_numbers(out, root, err);
    free(divergence_sq);
    free(deviation_max_sq);
    free(carried.divergence_sq);
    free(carried.deviation_max_sq);
    *num_levels = h.num_levels;
    hsgd_hierarchy_free(&h);
    return status;
}

static hsgd_status read_bounds(hsgd_bound_list *out, size_t num_levels, const hsgd_json *root, hsgd_error *err)
{
    hsgd_json at = hsgd_json_member(root, "user_bounds");
    hsgd_status status = hsgd_bound_list_init(out, err);
    return status ? status : hsgd_user_bounds_read(&at, num_levels, hsgd_user_bounds_to_list, out, err);
}

hsgd_status hsgd_params_read_bounds(hsgd_bound_params *out, hsgd_bound_list *bounds, const char *path, hsgd_error *err)
{
    cJSON *document;
    memset(out, 0, sizeof *out);
    memset(bounds, 0, sizeof *bounds);
    hsgd_status status = hsgd_json_read_file(&document, path, err);
    if (status)
        return status;
    hsgd_json root = hsgd_json_root(path, document);
    size_t num_levels;
    status = read_params(out, &num_levels, &root, err);
    if (!status && (status = hsgd_bound_params_check(out, err)))
        hsgd_error_prefix(err, "%s: ", path);
    if (!status)
        status = read_bounds(bounds, num_levels, &root, err);
    if (status) {
        hsgd_bound_params_free(out);
        hsgd_bound_list_free(bounds);
    }
    cJSON_Delete(document);
    return status;
}

hsgd_status hsgd_params_read(hsgd_bound_params *out, const char *path, hsgd_error *err)
{
    hsgd_bound_list bounds;
    hsgd_status status = hsgd_params_read_bounds(out, &bounds, path, err);
    if (!status)
        hsgd_bound_list_free(&bounds);
    return status;
}
