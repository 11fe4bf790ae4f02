/* SPDX-License-Identifier: GPL-3.0-or-later */
/* X. Jiang and H. Zhu, UAI 2024, Theorem 1, for plain H-SGD: both server rates 1 (THEORY 10).
 *
 * Glossary    eta  step_size    L  smoothness    sigma^2  noise_sq    R  rounds, floor(T/G)    n_i/n  weight of group i
 *             n  num_workers    N  num_children of the root    eps^2, eps_i^2  child_deviation_max_sq of root and group
 *             I2  mean_period_sq = sum_i (n_i/n) I_i^2
 *
 *     S_min <= Delta/(c eta G R) + (1/c) [ 9 G eta^2 L^2 (N/n) sigma^2 + 8 eta^2 L^2 sum (n_i/n) I_i sigma^2
 *              + 40 G^2 eta^2 L^2 eps^2 + 100 eta^2 L^2 I2 eps^2 + 75 eta^2 L^2 sum (n_i/n) I_i^2 eps_i^2
 *              + L eta sigma^2/(2n) ],    c = 1/2 - h,  h = 40 G^2 eta^2 L^2 + 100 eta^2 L^2 I2 < 1/2,
 *     if eta <= 1/(10 G L); I_i <= G makes the paper's condition eta <= 1/(10 I_max L) follow.
 *
 * Departures: c is the limit of the admissible values, which are smaller. */
#include "bounds/bound_private.h"

#include <math.h>

typedef struct group_sums {
    double mean_period;          /* sum (n_i/n) I_i */
    double mean_period_sq;       /* sum (n_i/n) I_i^2 */
    double period_sq_divergence; /* sum (n_i/n) I_i^2 eps_i^2 */
} group_sums;

/* A worker directly below the root is a group of one: I_i = 1, eps_i = 0. deviation_sq (entries) may be NULL. */
static group_sums sum_groups(const hsgd_hierarchy *tree, const double *deviation_sq)
{
    group_sums sums = {0, 0, 0};
    double single = (double)tree->node[0].num_children;
    for (size_t u = 1; u < tree->num_nodes; u++) {
        double period = (double)tree->node[u].period, weight = tree->node[u].weight;
        single -= (double)tree->node[u].copies;
        sums.mean_period += weight * period;
        sums.mean_period_sq += weight * period * period;
        sums.period_sq_divergence += deviation_sq ? weight * period * period * deviation_sq[u] : 0;
    }
    sums.mean_period += single / (double)tree->num_workers;
    sums.mean_period_sq += single / (double)tree->num_workers;
    return sums;
}

/* h/(eta L)^2 */
static double h_factor(const hsgd_hierarchy *tree)
{
    double period = (double)tree->node[0].period;
    return 40 * period * period + 100 * sum_groups(tree, NULL).mean_period_sq;
}

static double max_step_size(const hsgd_bound_params *params)
{
    if (params->tree.num_levels != 2)
        return NAN;
    double by_period = 10 * (double)params->tree.node[0].period, by_h = sqrt(2 * h_factor(&params->tree));
    return params->smoothness > 0 ? 1 / (fmax(by_period, by_h) * params->smoothness) : INFINITY;
}

static bool refuse_step_size(hsgd_bound_value *out, const hsgd_bound_params *params)
{
    double eta_l = params->step_size * params->smoothness, h = eta_l * eta_l * h_factor(&params->tree);
    double by_period = hsgd_inverse_smoothness(params->smoothness) / (10 * (double)params->tree.node[0].period);
    if (params->step_size > by_period)
        return hsgd_refuse(out, "step size %.6g is above %.6g = 1/(10 L G)", params->step_size, by_period);
    return !(h < 0.5) && hsgd_refuse(out, "h = 40 G^2 eta^2 L^2 + 100 eta^2 L^2 mean I_i^2 = %.6g is not below 1/2", h);
}

/* The maxima, or the mean divergences in their place; NULL and a refusal when neither is known. */
static const double *deviations(hsgd_bound_value *out, const hsgd_bound_params *params)
{
    if (hsgd_all_known(params->child_deviation_max_sq, params->tree.num_nodes))
        return params->child_deviation_max_sq;
    if (!hsgd_all_known(params->divergence_sq, params->tree.num_nodes)) {
        hsgd_refuse_missing(out, "level_deviation_max_sq");
        return NULL;
    }
    hsgd_value_doubt(out,
                     "level_deviation_max_sq is not known; evaluated with the mean divergences level_divergence_sq "
                     "in the place of the maxima that the theorem assumes");
    return params->divergence_sq;
}

static void add_terms(hsgd_bound_value *out, const hsgd_bound_params *params, const double *deviation_sq)
{
    const hsgd_hierarchy *tree = &params->tree;
    group_sums sums = sum_groups(tree, deviation_sq);
    double eta = params->step_size, eta_l = eta * params->smoothness, eta_l_sq = eta_l * eta_l;
    double period = (double)tree->node[0].period, n = (double)tree->num_workers, sigma_sq = params->noise_sq;
    double c = 0.5 - eta_l_sq * h_factor(tree);
    double groups_in_n = (double)tree->node[0].num_children / n;
    double level_1_sq = (40 * period * period + 100 * sums.mean_period_sq) * deviation_sq[0];
    hsgd_value_add(out, params->delta / (c * eta * period * (double)hsgd_num_rounds(params)), "initial gap");
    hsgd_value_add(out, eta_l * sigma_sq / (2 * n) / c, "gradient noise");
    hsgd_value_add(out, 9 * period * eta_l_sq * groups_in_n * sigma_sq / c, "noise drift, level 1");
    hsgd_value_add(out, eta_l_sq * level_1_sq / c, "divergence, level 1");
    hsgd_value_add(out, 8 * eta_l_sq * sums.mean_period * sigma_sq / c, "noise drift, level 2");
    hsgd_value_add(out, 75 * eta_l_sq * sums.period_sq_divergence / c, "divergence, level 2");
}

static void eval(const hsgd_bound *bound, const hsgd_bound_params *params, hsgd_bound_value *out)
{
    (void)bound;
    hsgd_value_start(out, max_step_size(params));
    if (hsgd_refuse_weights(out, params) || hsgd_refuse_unless_two_levels(out, params))
        return;
    const double *deviation_sq = deviations(out, params);
    if (!deviation_sq || hsgd_refuse_delta(out, params) || hsgd_refuse_without_round(out, params) ||
        refuse_step_size(out, params))
        return;
    add_terms(out, params, deviation_sq);
    hsgd_value_finish(out);
}

const hsgd_bound hsgd_bound_jiang_zhu = {
    .id = "jiang-zhu-2024",
    .title = "Jiang and Zhu 2024",
    .citation = "Jiang and Zhu, UAI 2024, Theorem 1",
    .target = HSGD_TARGET_S_MIN,
    .algorithm = HSGD_ALGORITHM_HSGD,
    .needs_maxima = true,
    .eval = eval,
};
