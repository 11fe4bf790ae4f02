/* SPDX-License-Identifier: GPL-3.0-or-later */
/* T. Castiglia, A. Das and S. Patterson (MLL-SGD), ICLR 2021, Theorem 1, for one root server (zeta = 0) and workers
 * that are always active (THEORY 10). IID data only.
 *
 * Glossary    eta  step_size    L  smoothness    sigma^2  noise_sq    tau  I, the period of the groups    q  G/I
 *
 *     S <= 2 Delta/(eta T) + sigma^2 eta L/n + 4 L^2 eta^2 sigma^2 q^3 tau^3 (1/(q tau) - 1/T)
 *          + 8 L^2 eta^2 sigma^2 ( tau^2 (q - 1)(2q + 1)/6 + (tau - 1)(2 tau + 1)/6 )
 *
 * Known weakness: the step-size condition of the theorem could not be transcribed reliably, so the bound is evaluated
 * and never called applicable. */
#include "bounds/bound_private.h"

#include <math.h>

/* IID data: no worker's gradient differs from the mean. */
static bool refuse_unless_iid(hsgd_bound_value *out, const hsgd_bound_params *params)
{
    bool levels_known = hsgd_all_known(params->divergence_sq, params->tree.num_nodes);
    if (!levels_known && isnan(params->global_divergence_sq))
        return hsgd_refuse_missing(out, "level_divergence_sq");
    double largest = isnan(params->global_divergence_sq) ? 0 : params->global_divergence_sq;
    for (size_t u = 0; levels_known && u < params->tree.num_nodes; u++)
        largest = fmax(largest, params->divergence_sq[u]);
    return largest > 0 && hsgd_refuse(out, "published for IID data only, but a divergence is %.6g", largest);
}

static void add_terms(hsgd_bound_value *out, const hsgd_bound_params *params)
{
    double period = (double)params->tree.node[0].period, tau = (double)hsgd_hierarchy_local_period(&params->tree);
    double q = period / tau, steps = (double)params->steps;
    double eta_l = params->step_size * params->smoothness, scale = eta_l * eta_l * params->noise_sq;
    /* q^3 tau^3 (1/(q tau) - 1/T) = G^2 (T - G)/T, without the difference of reciprocals */
    double earlier = 4 * period * period * ((steps - period) / steps);
    double within = 8 * (tau * tau * (q - 1) * (2 * q + 1) / 6 + (tau - 1) * (2 * tau + 1) / 6);
    hsgd_value_add_base(out, params);
    hsgd_value_add(out, scale * earlier, "noise drift, earlier rounds");
    hsgd_value_add(out, scale * within, "noise drift, within a round");
}

static void eval(const hsgd_bound *bound, const hsgd_bound_params *params, hsgd_bound_value *out)
{
    (void)bound;
    hsgd_value_start(out, NAN);
    if (hsgd_refuse_weights(out, params) || hsgd_refuse_unless_two_levels(out, params) ||
        hsgd_refuse_unless_one_group_period(out, params) || refuse_unless_iid(out, params) ||
        hsgd_refuse_delta(out, params) || hsgd_refuse_without_round(out, params))
        return;
    hsgd_value_doubt(out, "unconfirmed: the theorem's condition on the step size is not checked");
    add_terms(out, params);
    hsgd_value_finish(out);
}

const hsgd_bound hsgd_bound_mll_sgd = {
    .id = "mll-sgd-2021",
    .title = "MLL-SGD 2021",
    .citation = "Castiglia, Das and Patterson, ICLR 2021, Theorem 1",
    .target = HSGD_TARGET_S,
    .algorithm = HSGD_ALGORITHM_HSGD,
    .eval = eval,
};
