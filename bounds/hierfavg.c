/* SPDX-License-Identifier: GPL-3.0-or-later */
/* L. Liu, J. Zhang, S. H. Song and K. B. Letaief (HierFAVG), ICC 2020, Lemma 3 (THEORY 10): the distance between the
 * global model and centralised gradient descent restarted at the last global aggregation, at the end of a round.
 * Deterministic gradients, norms and not squares.
 *
 * Glossary    gamma  step_size    L  smoothness    k1  I    k2  G/I    up, down  the paper's mean norms
 *             ||grad f_i - grad f|| and ||grad F_j - grad f_i||
 *
 *     ||w - u|| <= h(k1 k2, up) + k1 k2 ((1 + gamma L)^{k1 k2} - 1)/((1 + gamma L)^{k1} - 1) h(k1, down) + h(k1, down),
 *     h(x, d) = (d/L) ((1 + gamma L)^x - 1 - gamma L x)
 *
 * Departure: up = sqrt(D_1) and down = sqrt(D_2). A mean of norms is at most the root of the mean square, and the bound
 * grows with both, so it stays true. */
#include "bounds/bound_private.h"

#include <math.h>

/* (1 + a)^x - 1 - a x for a >= 0 and a whole number x >= 1. For small a x the difference cancels, so the binomial
 * series sum_{k>=2} C(x,k) a^k is added up instead; its terms shrink by a x/3 or more. */
static double growth_beyond_linear(double a, double x)
{
    if (a * x >= 0.5)
        return expm1(x * log1p(a)) - a * x;
    double sum = 0, term = a * x * (a * (x - 1)) / 2;
    for (double k = 2; sum + term > sum; k++) {
        sum += term;
        term *= a * (x - k) / (k + 1);
    }
    return sum;
}

static double h(double x, double deviation, double gamma, double smoothness)
{
    return smoothness > 0 ? deviation / smoothness * growth_beyond_linear(gamma * smoothness, x) : 0;
}

/* ((1 + a)^G - 1)/((1 + a)^I - 1), and its limit at a = 0 */
static double growth_ratio(double a, double outer, double inner)
{
    return a > 0 ? expm1(outer * log1p(a)) / expm1(inner * log1p(a)) : outer / inner;
}

static void add_terms(hsgd_bound_value *out, const hsgd_bound_params *params)
{
    const hsgd_hierarchy *tree = &params->tree;
    double outer = (double)tree->node[0].period, inner = (double)hsgd_hierarchy_local_period(tree);
    double gamma = params->step_size, smoothness = params->smoothness;
    double up_sq = params->divergence_sq[0], down_sq = 0;
    for (size_t u = 1; u < tree->num_nodes; u++)
        down_sq += tree->node[u].weight * params->divergence_sq[u];
    double last = h(inner, sqrt(down_sq), gamma, smoothness);
    double ratio = growth_ratio(gamma * smoothness, outer, inner);
    hsgd_value_add(out, h(outer, sqrt(up_sq), gamma, smoothness), "divergence, level 1");
    hsgd_value_add(out, outer * ratio * last, "divergence, level 2, earlier intervals");
    hsgd_value_add(out, last, "divergence, level 2, last interval");
}

static void eval(const hsgd_bound *bound, const hsgd_bound_params *params, hsgd_bound_value *out)
{
    (void)bound;
    hsgd_value_start(out, INFINITY);
    if (hsgd_refuse_weights(out, params) || hsgd_refuse_unless_two_levels(out, params) ||
        hsgd_refuse_unless_one_group_period(out, params))
        return;
    if (params->noise_sq > 0) {
        hsgd_refuse(out, "published for exact gradients, but sigma_sq is %.6g", params->noise_sq);
        return;
    }
    if (!hsgd_all_known(params->divergence_sq, params->tree.num_nodes)) {
        hsgd_refuse_missing(out, "level_divergence_sq");
        return;
    }
    if (hsgd_refuse_without_round(out, params))
        return;
    add_terms(out, params);
    hsgd_value_finish(out);
}

const hsgd_bound hsgd_bound_hierfavg = {
    .id = "hierfavg-2020",
    .title = "HierFAVG 2020",
    .citation = "Liu, Zhang, Song and Letaief, ICC 2020, Lemma 3",
    .target = HSGD_TARGET_DISTANCE,
    .algorithm = HSGD_ALGORITHM_HSGD,
    .eval = eval,
};
