/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The published closed forms (THEORY 4.1 and 5; H-SGD paper, arXiv 2010.12998, Theorems 1 and 2).
 *
 * Glossary    gamma  step_size    L  smoothness    sigma^2  noise_sq    P_u  node.period    C = 40 L^2/3
 *             p_u  node.weight, total of the copies    beta_u^2  hsgd_view_divergence_sq
 *
 *     S <= 2 Delta/(gamma T) + gamma L sigma^2/n
 *          + sum_u [ 2 C gamma^2 P_u p_u noise_share_u sigma^2 + 3 C gamma^2 P_u^2 p_u beta_u^2 ],
 *     if gamma < 1/(2 sqrt(6) L P_1),
 *
 * with p_u noise_share_u = copies (c_u - 1)/n. The paper states it for one level, for two levels with groups of any
 * sizes and periods, and for uniform trees; one sum over the entries gives all of them. For other trees it follows
 * from THEORY 4.2, whose terms are smaller one by one. */
#include "bounds/bound_private.h"

#include <math.h>

double hsgd_published_max_step_size(double smoothness, size_t global_period)
{
    return smoothness > 0 ? 1 / (2 * sqrt(6) * smoothness * (double)global_period) : INFINITY;
}

static bool refuse_step_size(hsgd_bound_value *out, const hsgd_bound_params *params, const char *period_name)
{
    return !(params->step_size < out->max_step_size) &&
           hsgd_refuse(out, "step size %.6g is not below %.6g = 1/(2 sqrt(6) L %s)", params->step_size,
                       out->max_step_size, period_name);
}

static void sum_levels(hsgd_level_sums *sums, const hsgd_view *view, const hsgd_bound_params *params)
{
    double gamma = params->step_size, smoothness = params->smoothness;
    double c_gamma_sq = 40.0 / 3 * (gamma * smoothness) * (gamma * smoothness);
    for (size_t u = 0; u < view->num_nodes; u++) {
        const hsgd_node *node = &view->node[u];
        double period = (double)node->period;
        sums->noise[node->depth] += 2 * c_gamma_sq * period * node->weight * node->noise_share * params->noise_sq;
        sums->divergence[node->depth] +=
            3 * c_gamma_sq * period * period * node->weight * hsgd_view_divergence_sq(view, u);
    }
}

static void eval(const hsgd_bound *bound, const hsgd_bound_params *params, hsgd_bound_value *out)
{
    hsgd_view view;
    hsgd_view_init(&view, params, bound->algorithm);
    hsgd_value_start(out, hsgd_published_max_step_size(params->smoothness, view.period));
    if (hsgd_refuse_weights(out, params) || hsgd_refuse_missing(out, view.missing) || hsgd_refuse_delta(out, params) ||
        refuse_step_size(out, params, view.period_name))
        return;
    hsgd_level_sums sums = {{0}, {0}};
    sum_levels(&sums, &view, params);
    hsgd_value_add_base(out, params);
    hsgd_value_add_levels(out, &sums, view.num_levels);
    hsgd_value_finish(out);
}

const hsgd_bound hsgd_bound_local_inner = {
    .id = "local-sgd-inner",
    .title = "Local SGD, period I, published",
    .citation = "H-SGD paper (arXiv 2010.12998), Theorem 1 with one level",
    .target = HSGD_TARGET_S,
    .algorithm = HSGD_ALGORITHM_LOCAL_INNER,
    .eval = eval,
};

const hsgd_bound hsgd_bound_local_outer = {
    .id = "local-sgd-outer",
    .title = "Local SGD, period G, published",
    .citation = "H-SGD paper (arXiv 2010.12998), Theorem 1 with one level",
    .target = HSGD_TARGET_S,
    .algorithm = HSGD_ALGORITHM_LOCAL_OUTER,
    .eval = eval,
};

const hsgd_bound hsgd_bound_fixed = {
    .id = "hsgd-fixed",
    .title = "H-SGD, fixed groups, published",
    .citation = "H-SGD paper (arXiv 2010.12998), Theorem 1",
    .target = HSGD_TARGET_S,
    .algorithm = HSGD_ALGORITHM_HSGD,
    .eval = eval,
};

const hsgd_bound hsgd_bound_random = {
    .id = "hsgd-random",
    .title = "H-SGD, random groups, published",
    .citation = "H-SGD paper (arXiv 2010.12998), Theorem 2",
    .target = HSGD_TARGET_S,
    .algorithm = HSGD_ALGORITHM_HSGD_RANDOM,
    .eval = eval,
};
