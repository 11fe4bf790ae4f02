/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The parameters of the bounds: built over the canonical tree, and checked.
 *
 * Glossary    beta_u^2  divergence_sq (entries)    max_v ||grad f_v - grad f_u||^2  child_deviation_max_sq (entries)
 *             D_1 + ... + D_M = sum_u p_u beta_u^2 <= eps~^2  global_divergence_sq */
#include "bounds/bound_private.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- carrying maxima over to the canonical tree ---- */

static void keep_larger(double *largest, double value)
{
    if (isnan(value) || value > *largest)
        *largest = value;
}

/* Follows the two rules of hsgd_hierarchy_canonical, which keeps the order of the entries: heir[u] is the canonical
 * entry that took the place of u, offset[u] bounds ||grad f_u - grad f_heir||. A child of u is then at most
 * offset[u] + sqrt(max_sq[u]) away from the heir. */
static void carry_maxima(double *canonical_max_sq, const hsgd_hierarchy *canonical, const hsgd_hierarchy *h,
                         const double *max_sq, size_t *heir, double *offset)
{
    size_t next = 0;
    for (size_t u = 0; u < h->num_nodes; u++) {
        const hsgd_node *node = &h->node[u];
        size_t above = HSGD_NO_NODE;
        heir[u] = HSGD_NO_NODE;
        if (node->parent != HSGD_NO_NODE) {
            size_t p = node->parent;
            above = heir[u] = heir[p];
            offset[u] = offset[p] + (h->node[p].num_children == 1 ? 0 : sqrt(max_sq[p]));
        }
        if (node->num_children == 1)
            continue;
        if (above == HSGD_NO_NODE || node->period != canonical->node[above].period) {
            heir[u] = next++;
            offset[u] = 0;
        }
        double reach = offset[u] + sqrt(max_sq[u]);
        keep_larger(&canonical_max_sq[heir[u]], offset[u] == 0 ? max_sq[u] : reach * reach);
    }
}

static hsgd_status set_maxima(hsgd_bound_params *out, const hsgd_hierarchy *h, const double *max_sq, hsgd_error *err)
{
    size_t *heir = calloc(h->num_nodes + 1, sizeof *heir);
    double *offset = calloc(h->num_nodes + 1, sizeof *offset);
    out->child_deviation_max_sq = calloc(out->tree.num_nodes + 1, sizeof *out->child_deviation_max_sq);
    bool complete = heir && offset && out->child_deviation_max_sq;
    if (complete)
        carry_maxima(out->child_deviation_max_sq, &out->tree, h, max_sq, heir, offset);
    free(heir);
    free(offset);
    return complete ? HSGD_OK : hsgd_fail_memory(err, "the parameters of the bounds");
}

/* ---- life cycle ---- */

static double sum_of_divergences(const hsgd_bound_params *params)
{
    double sum = 0;
    for (size_t u = 0; u < params->tree.num_nodes; u++)
        sum += params->tree.node[u].weight * params->divergence_sq[u];
    return sum;
}

hsgd_status hsgd_bound_params_init(hsgd_bound_params *out, const hsgd_hierarchy *h, const double *divergence_sq,
                                   const double *child_deviation_max_sq, hsgd_error *err)
{
    *out = (hsgd_bound_params){.global_divergence_sq = NAN,
                               .worker_deviation_max_sq = NAN,
                               .step_size = NAN,
                               .smoothness = NAN,
                               .noise_sq = NAN,
                               .delta = NAN};
    if (divergence_sq && !(out->divergence_sq = calloc(h->num_nodes + 1, sizeof *out->divergence_sq)))
        return hsgd_fail_memory(err, "the parameters of the bounds");
    hsgd_status status = hsgd_hierarchy_canonical(&out->tree, h, divergence_sq, out->divergence_sq, err);
    if (!status && !(out->workspace = malloc(hsgd_recursion_bytes(out->tree.num_nodes))))
        status = hsgd_fail_memory(err, "the parameters of the bounds");
    if (!status && child_deviation_max_sq)
        status = set_maxima(out, h, child_deviation_max_sq, err);
    if (status) {
        hsgd_bound_params_free(out);
        return status;
    }
    if (divergence_sq)
        out->global_divergence_sq = sum_of_divergences(out);
    return HSGD_OK;
}

void hsgd_bound_params_free(hsgd_bound_params *params)
{
    if (!params)
        return;
    hsgd_hierarchy_free(&params->tree);
    free(params->divergence_sq);
    free(params->child_deviation_max_sq);
    free(params->workspace);
    memset(params, 0, sizeof *params);
}

/* ---- checks ---- */

static hsgd_status check_not_negative(double value, bool may_be_unknown, const char *field, hsgd_error *err)
{
    if ((may_be_unknown && isnan(value)) || (value >= 0 && isfinite(value)))
        return HSGD_OK;
    return hsgd_fail(err, HSGD_ERROR_INPUT, "%s: %g is not a finite number of at least 0", field, value);
}

static hsgd_status check_entries(const double *value, size_t count, const char *field, hsgd_error *err)
{
    hsgd_status status = HSGD_OK;
    for (size_t u = 0; value && !status && u < count; u++)
        status = check_not_negative(value[u], true, field, err);
    return status;
}

hsgd_status hsgd_bound_params_check(const hsgd_bound_params *params, hsgd_error *err)
{
    if (!(params->step_size > 0) || !isfinite(params->step_size))
        return hsgd_fail(err, HSGD_ERROR_INPUT, "step_size: %g is not a positive finite number", params->step_size);
    if (params->steps < 1)
        return hsgd_fail(err, HSGD_ERROR_INPUT, "steps: %zu is not at least 1", params->steps);
    if (params->participants > params->tree.num_workers)
        return hsgd_fail(err, HSGD_ERROR_INPUT, "participants: %zu is more than the %zu workers", params->participants,
                         params->tree.num_workers);
    if (!(params->delta >= 0))
        return hsgd_fail(err, HSGD_ERROR_INPUT, "delta: %g is not at least 0", params->delta);
    hsgd_status status = check_not_negative(params->smoothness, false, "L", err);
    if (!status)
        status = check_not_negative(params->noise_sq, false, "sigma_sq", err);
    if (!status)
        status = check_not_negative(params->global_divergence_sq, true, "global_divergence_sq", err);
    if (!status)
        status = check_not_negative(params->worker_deviation_max_sq, true, "worker_deviation_max_sq", err);
    if (!status)
        status = check_entries(params->divergence_sq, params->tree.num_nodes, "level_divergence_sq", err);
    if (!status)
        status = check_entries(params->child_deviation_max_sq, params->tree.num_nodes, "level_deviation_max_sq", err);
    return status;
}
