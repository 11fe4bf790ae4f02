/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The worst case and the bounds for the same constants. */
#include "experiments/pep.h"

#include <math.h>
#include <string.h>

const char *const hsgd_worst_case_note = "The worst case is exact for problems whose divergences are bounded at the "
                                         "averaged iterates. The theorems assume the "
                                         "bound everywhere, which is a smaller class: for them it is an upper bound, "
                                         "and nearly tight. Gradients are exact in "
                                         "it; noise is outside of the model.";

static const char *const bound_ids[HSGD_WORST_CASE_BOUNDS] = {"hsgd-fixed-recursive", "hsgd-fixed-sharp", "hsgd-fixed"};
enum { SHARPENED = 1 }; /* index in bound_ids */

static double noise_terms(const hsgd_bound_value *value)
{
    double sum = 0;
    for (size_t i = 0; i < value->num_terms; i++)
        if (strstr(value->term[i].name, "noise"))
            sum += value->term[i].value;
    return value->applicable ? sum : NAN;
}

static void evaluate_bounds(hsgd_worst_case *out, hsgd_bound_params *noiseless, double noise_sq)
{
    hsgd_bound_value noisy;
    noiseless->noise_sq = noise_sq;
    hsgd_bound_eval(hsgd_bound_find(bound_ids[SHARPENED]), noiseless, &noisy);
    out->noise_terms = noise_terms(&noisy);
    noiseless->noise_sq = 0;
    for (size_t i = 0; i < HSGD_WORST_CASE_BOUNDS; i++) {
        out->bound[i] = hsgd_bound_find(bound_ids[i]);
        hsgd_bound_eval(out->bound[i], noiseless, &out->value[i]);
    }
}

static hsgd_status solve(hsgd_worst_case *out, hsgd_error *err)
{
    hsgd_status status = HSGD_OK;
    for (int gap = HSGD_PEP_DESCENT; !status && gap <= HSGD_PEP_LOWER_BOUND; gap++) {
        if (!out->wish.wants[gap])
            continue;
        out->problem.gap = (hsgd_pep_gap)gap;
        status = hsgd_pep_solve(&out->result[gap], &out->problem, err);
    }
    out->problem.gap = out->wish.wants[HSGD_PEP_DESCENT] ? HSGD_PEP_DESCENT : HSGD_PEP_LOWER_BOUND;
    return status;
}

/* A proved bound cannot be exceeded by an instance that exists; the minimum over the steps is at most the mean. */
static bool contradicts(const hsgd_worst_case *worst)
{
    for (size_t i = 0; worst->wish.wants[HSGD_PEP_DESCENT] && i < HSGD_WORST_CASE_BOUNDS; i++)
        if (worst->value[i].applicable && worst->result[HSGD_PEP_DESCENT].lower > worst->value[i].value * (1 + 1e-9))
            return true;
    return false;
}

hsgd_status hsgd_worst_case_find(hsgd_worst_case *out, const hsgd_bound_params *params,
                                 const hsgd_worst_case_wish *wish, hsgd_error *err)
{
    hsgd_bound_params noiseless = *params; /* borrows the tree */
    noiseless.noise_sq = 0;
    *out = (hsgd_worst_case){.wish = *wish, .noise_sq = params->noise_sq};
    hsgd_status status = hsgd_pep_problem_from_params(&out->problem, &noiseless, err);
    if (status)
        return status;
    out->problem.criterion = wish->criterion;
    out->max_step_size = hsgd_published_max_step_size(params->smoothness, hsgd_hierarchy_global_period(&params->tree));
    evaluate_bounds(out, &noiseless, params->noise_sq);
    status = solve(out, err);
    if (status)
        hsgd_worst_case_free(out);
    else
        out->contradicts = contradicts(out);
    return status;
}

void hsgd_worst_case_free(hsgd_worst_case *worst)
{
    hsgd_pep_result_free(&worst->result[HSGD_PEP_DESCENT]);
    hsgd_pep_result_free(&worst->result[HSGD_PEP_LOWER_BOUND]);
}

double hsgd_worst_case_ratio(const hsgd_worst_case *worst, size_t bound)
{
    const hsgd_bound_value *value = &worst->value[bound];
    bool same = worst->wish.criterion == HSGD_PEP_MEAN && worst->wish.wants[HSGD_PEP_DESCENT];
    return same && value->applicable ? worst->result[HSGD_PEP_DESCENT].value / value->value : NAN;
}
