/* SPDX-License-Identifier: GPL-3.0-or-later */
/* D. Jhunjhunwala et al. (FedVARP), UAI 2022, the FedAvg theorem with the constants of its proof (THEORY 10): one
 * level, m of n workers drawn for every round, uniformly and each at most once, server rate 1.
 *
 * Glossary    gamma  step_size    L  smoothness    sigma^2  noise_sq    tau  G, local steps of a round    n num_workers
 *             m  participants (0: n)
 *             R  rounds, floor(T/G)    sigma_g^2  worker_deviation_max_sq
 *
 *     S_round <= 4 Delta/(gamma tau R) + 4 gamma L sigma^2/m + 8 gamma^2 L^2 (tau - 1) sigma^2
 *                + 32 gamma^2 L^2 tau (tau - 1) sigma_g^2
 *                + 12 gamma tau L (n - m)/((n - 1) m) sigma_g^2,    if gamma <= 1/(24 tau L). */
#include "bounds/bound_private.h"

#include <math.h>

/* sigma_g^2, or the mean divergence in its place; NAN and a refusal when neither is known. */
static double worker_deviation_sq(hsgd_bound_value *out, const hsgd_bound_params *params)
{
    if (params->tree.num_workers == 1)
        return 0;
    if (!isnan(params->worker_deviation_max_sq))
        return params->worker_deviation_max_sq;
    if (isnan(params->global_divergence_sq))
        hsgd_refuse_missing(out, "worker_deviation_max_sq");
    else
        hsgd_value_doubt(out, "worker_deviation_max_sq is not known; evaluated with the mean divergence "
                              "global_divergence_sq in the place of the maximum that the theorem assumes");
    return params->global_divergence_sq;
}

static void add_terms(hsgd_bound_value *out, const hsgd_bound_params *params, double sigma_g_sq)
{
    double gamma = params->step_size, gamma_l = gamma * params->smoothness, sigma_sq = params->noise_sq;
    double tau = (double)hsgd_hierarchy_global_period(&params->tree), n = (double)params->tree.num_workers;
    double m = params->participants > 0 ? (double)params->participants : n;
    hsgd_value_add(out, 4 * params->delta / (gamma * tau * (double)hsgd_num_rounds(params)), "initial gap");
    hsgd_value_add(out, 4 * gamma_l * sigma_sq / m, "gradient noise");
    hsgd_value_add(out, 8 * gamma_l * gamma_l * (tau - 1) * sigma_sq, "noise drift, level 1");
    hsgd_value_add(out, 32 * gamma_l * gamma_l * tau * (tau - 1) * sigma_g_sq, "divergence, level 1");
    if (m < n)
        hsgd_value_add(out, 12 * gamma_l * tau * (n - m) / ((n - 1) * m) * sigma_g_sq, "sampled workers");
}

static void eval(const hsgd_bound *bound, const hsgd_bound_params *params, hsgd_bound_value *out)
{
    (void)bound;
    double tau = (double)hsgd_hierarchy_global_period(&params->tree);
    hsgd_value_start(out, hsgd_inverse_smoothness(params->smoothness) / (24 * tau));
    if (hsgd_refuse_weights(out, params))
        return;
    double sigma_g_sq = worker_deviation_sq(out, params);
    if (isnan(sigma_g_sq) || hsgd_refuse_delta(out, params) || hsgd_refuse_without_round(out, params))
        return;
    if (params->step_size > out->max_step_size) {
        hsgd_refuse(out, "step size %.6g is above %.6g = 1/(24 L G)", params->step_size, out->max_step_size);
        return;
    }
    add_terms(out, params, sigma_g_sq);
    hsgd_value_finish(out);
}

const hsgd_bound hsgd_bound_fedvarp = {
    .id = "fedvarp-2022",
    .title = "FedVARP 2022, FedAvg",
    .citation = "Jhunjhunwala et al., UAI 2022, FedAvg theorem, constants of its proof",
    .target = HSGD_TARGET_S_ROUND,
    .algorithm = HSGD_ALGORITHM_LOCAL_OUTER,
    .covers_sampling = true,
    .needs_maxima = true,
    .eval = eval,
};
