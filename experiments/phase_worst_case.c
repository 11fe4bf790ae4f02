/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A point of a phase diagram of worst cases: that of H-SGD next to those of local SGD with period I and with period G, by
 * performance estimation (bounds/pep.h).
 *
 * Local SGD has no groups, so what it shares with H-SGD is a choice (THEORY 11):
 *     "worst-case"         local SGD over one level whose divergence at wbar^t is at most D_1 + ... + D_M, as in THEORY 6;
 *     "worst-case-levels"  the same problems for all three: also local SGD has D_k bounded at the averages of the groups of
 *                          depth k - 1, though it never takes them. Only the schedule differs. */
#include <math.h>
#include <string.h>

#include "bounds/worst_case.h"
#include "experiments/pep_private.h"
#include "experiments/phase_private.h"

bool hsgd_phase_is_worst_case(hsgd_phase_quantity quantity)
{
    return quantity == HSGD_PHASE_WORST_CASE || quantity == HSGD_PHASE_WORST_CASE_LEVELS;
}

/* ---- the three questions ---- */

static hsgd_status ask(hsgd_pep_problem *out, hsgd_phase_work *w, hsgd_error *err)
{
    hsgd_bound_params params;
    hsgd_status status = hsgd_pep_params_of(&params, &w->experiment, err);
    if (!status) {
        status = hsgd_pep_problem_from_params(out, &params, err);
        hsgd_bound_params_free(&params);
    }
    if (status == HSGD_ERROR_INPUT)
        hsgd_error_prefix(err, "%s: ", w->file);
    return status;
}

hsgd_pep_problem hsgd_phase_local_problem(const hsgd_pep_problem *hsgd, size_t period, bool levels)
{
    hsgd_pep_problem out = *hsgd;
    for (size_t k = 0; k < out.num_levels; k++)
        out.periods[k] = period;
    if (levels || !out.num_levels)
        return out;
    for (size_t k = 1; k < out.num_levels; k++)
        out.level_divergence_sq[0] += out.level_divergence_sq[k];
    out.num_levels = 1;
    return out;
}

/* ---- the point ---- */

/* Both ends of what is proved; *unsolved: there is no certificate for one of them. */
static hsgd_status solve(double *value, double *width, bool *unsolved, const hsgd_pep_problem *problem, hsgd_error *err)
{
    hsgd_pep_result result;
    hsgd_status status = hsgd_pep_solve(&result, problem, err);
    *value = NAN;
    *width = 0;
    if (status == HSGD_ERROR_NUMERIC) {
        *unsolved = true;
        return HSGD_OK;
    }
    if (status)
        return status;
    *value = result.upper;
    *width = result.unbounded ? 0 : result.upper - result.lower;
    hsgd_pep_result_free(&result);
    return HSGD_OK;
}

hsgd_status hsgd_phase_find_worst_case(hsgd_phase_point *out, hsgd_phase_work *w, hsgd_error *err)
{
    bool levels = w->settings->quantity == HSGD_PHASE_WORST_CASE_LEVELS;
    hsgd_pep_problem problem[HSGD_NUM_PHASE_RUNS];
    double width[HSGD_NUM_PHASE_RUNS];
    hsgd_status status = ask(&problem[HSGD_PHASE_MIDDLE], w, err);
    if (status)
        return status;
    problem[HSGD_PHASE_INNER] = hsgd_phase_local_problem(&problem[HSGD_PHASE_MIDDLE], out->local_period, levels);
    problem[HSGD_PHASE_OUTER] = hsgd_phase_local_problem(&problem[HSGD_PHASE_MIDDLE], out->global_period, levels);
    for (size_t i = 0; i < HSGD_NUM_PHASE_RUNS && !status; i++)
        status = solve(&out->value[i], &width[i], &out->unsolved, &problem[i], err);
    if (status)
        return status;
    const double *value = out->value;
    out->lower = (hsgd_estimate){value[HSGD_PHASE_MIDDLE] - value[HSGD_PHASE_INNER], 0, 1};
    out->upper = (hsgd_estimate){value[HSGD_PHASE_OUTER] - value[HSGD_PHASE_MIDDLE], 0, 1};
    out->rounding[0] = fmax(width[HSGD_PHASE_MIDDLE], width[HSGD_PHASE_INNER]);
    out->rounding[1] = fmax(width[HSGD_PHASE_OUTER], width[HSGD_PHASE_MIDDLE]);
    return HSGD_OK;
}

/* ---- time ---- */

double hsgd_phase_worst_case_seconds(const hsgd_config *config)
{
    hsgd_hierarchy canonical;
    if (hsgd_hierarchy_canonical(&canonical, &config->hierarchy, NULL, NULL, NULL))
        return 0;
    double seconds = hsgd_worst_case_seconds(&canonical, config->steps);
    hsgd_hierarchy_free(&canonical);
    return HSGD_NUM_PHASE_RUNS * seconds; /* local SGD has fewer points, or as many */
}
