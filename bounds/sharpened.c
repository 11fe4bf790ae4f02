/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The sharpened closed forms (THEORY 4.2, with weights 4.3).
 *
 * Glossary    gamma  step_size    L  smoothness    sigma^2  noise_sq    P_u  node.period
 *             p_u  node.weight, total of the copies    beta_u^2  hsgd_view_divergence_sq
 *
 *     q_u = 2 gamma^2 L^2 P_u (P_u - 1)
 *     A_u = gamma^2 (P_u - 1) noise_share_u sigma^2 + (2/3) gamma^2 (P_u - 1)(2 P_u - 1) beta_u^2
 *     W_u = (A_u + sum_v (p_v/p_u) W_v)/(1 - q_u),   S <= base + L^2 W_root,   if gamma <= 1/L and every q_u < 1.
 *
 * W_root is linear in the A_u. From the top, W_root = sum_u p_u f_u A_u with f_u = f_parent/(1 - q_u), so every A_u has
 * a term of its own to go to. */
#include "bounds/bound_private.h"

#include <math.h>

/* sqrt(2 P (P - 1)): q_u < 1 means gamma L sqrt(2 P_u (P_u - 1)) < 1. The root's is the largest. */
static double step_factor(size_t period)
{
    return sqrt(2 * (double)period * ((double)period - 1));
}

static double max_step_size(double smoothness, size_t period)
{
    double limit = hsgd_inverse_smoothness(smoothness);
    return period > 1 ? limit / step_factor(period) : limit;
}

/* q_u < 1 is decided as it is used below: at the limit itself, rounding could make q_u at least 1 while the step size is still
 * below the limit, and the value negative. */
static bool refuse_step_size(hsgd_bound_value *out, const hsgd_bound_params *params, const hsgd_view *view)
{
    if (hsgd_refuse_above_inverse_smoothness(out, params))
        return true;
    const char *p = view->period_name;
    double gamma_l = params->step_size * params->smoothness, period = (double)view->period;
    return view->period > 1 && !(2 * (gamma_l * gamma_l) * period * (period - 1) < 1) &&
           hsgd_refuse(out, "step size %.6g is not below %.6g = 1/(L sqrt(2 %s (%s - 1)))", params->step_size,
                       out->max_step_size, p, p);
}

static void sum_levels(hsgd_level_sums *sums, const hsgd_view *view, const hsgd_bound_params *params)
{
    double gamma_l_sq = params->step_size * params->smoothness * (params->step_size * params->smoothness);
    double factor[HSGD_MAX_LEVELS]; /* f of the open entry at each depth; pre-order keeps the ancestors in place */
    for (size_t u = 0; u < view->num_nodes; u++) {
        const hsgd_node *node = &view->node[u];
        double period = (double)node->period, above = node->depth ? factor[node->depth - 1] : 1;
        factor[node->depth] = above / (1 - 2 * gamma_l_sq * period * (period - 1));
        double scale = gamma_l_sq * node->weight * factor[node->depth] * (period - 1);
        sums->noise[node->depth] += scale * node->noise_share * params->noise_sq;
        sums->divergence[node->depth] += scale * 2 / 3 * (2 * period - 1) * hsgd_view_divergence_sq(view, u);
    }
}

static void eval(const hsgd_bound *bound, const hsgd_bound_params *params, hsgd_bound_value *out)
{
    hsgd_view view;
    hsgd_view_init(&view, params, bound->algorithm);
    hsgd_value_start(out, max_step_size(params->smoothness, view.period));
    if ((bound->algorithm == HSGD_ALGORITHM_HSGD_RANDOM && hsgd_refuse_weights(out, params)) ||
        hsgd_refuse_missing(out, view.missing) || hsgd_refuse_delta(out, params) ||
        refuse_step_size(out, params, &view))
        return;
    hsgd_level_sums sums = {{0}, {0}};
    sum_levels(&sums, &view, params);
    hsgd_value_add_base(out, params);
    hsgd_value_add_levels(out, &sums, view.num_levels);
    hsgd_value_finish(out);
}

const hsgd_bound hsgd_bound_local_inner_sharp = {
    .id = "local-sgd-inner-sharp",
    .title = "Local SGD, period I, sharpened",
    .citation = "THEORY 4.2 with one level",
    .target = HSGD_TARGET_S,
    .algorithm = HSGD_ALGORITHM_LOCAL_INNER,
    .eval = eval,
};

const hsgd_bound hsgd_bound_local_outer_sharp = {
    .id = "local-sgd-outer-sharp",
    .title = "Local SGD, period G, sharpened",
    .citation = "THEORY 4.2 with one level",
    .target = HSGD_TARGET_S,
    .algorithm = HSGD_ALGORITHM_LOCAL_OUTER,
    .eval = eval,
};

const hsgd_bound hsgd_bound_fixed_sharp = {
    .id = "hsgd-fixed-sharp",
    .title = "H-SGD, fixed groups, sharpened",
    .citation = "THEORY 4.2",
    .target = HSGD_TARGET_S,
    .algorithm = HSGD_ALGORITHM_HSGD,
    .eval = eval,
};

const hsgd_bound hsgd_bound_random_sharp = {
    .id = "hsgd-random-sharp",
    .title = "H-SGD, random groups, sharpened",
    .citation = "THEORY 4.2 and 5",
    .target = HSGD_TARGET_S,
    .algorithm = HSGD_ALGORITHM_HSGD_RANDOM,
    .eval = eval,
};
