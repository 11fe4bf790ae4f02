/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The worst case as a bound: what is asked, what is refused, and the terms of the answer. */
#include "bounds/worst_case.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "bounds/bound_private.h"

extern const hsgd_bound hsgd_bound_fixed_sharp;

/* ---- the question ---- */

/* Per step, averages of different depths that are different vectors: at a multiple of P_k those of depth k - 1 and all below
 * are one. The period of any node of a depth will do: where they differ there is no program. */
size_t hsgd_worst_case_points(const hsgd_hierarchy *tree, size_t steps)
{
    size_t points = 1, period[HSGD_MAX_LEVELS] = {0}; /* one point is that of the last step */
    for (size_t u = 0; u < tree->num_nodes; u++)
        period[tree->node[u].depth] = tree->node[u].period;
    for (size_t t = 0; t < steps; t++) {
        size_t depth = 0;
        while (depth < tree->num_levels && t % period[depth] != 0)
            depth++;
        points += depth + 1;
    }
    return points;
}

static bool is_small(char *reason, const hsgd_hierarchy *tree, size_t steps)
{
    if (steps <= HSGD_PEP_MAX_STEPS && /* before they are walked through */
        hsgd_worst_case_points(tree, steps) <= HSGD_WORST_CASE_MAX_POINTS)
        return true;
    snprintf(reason, HSGD_REASON_SIZE,
             "T = %zu needs a program of more than %d points, which takes too long; use fewer steps", steps,
             HSGD_WORST_CASE_MAX_POINTS);
    return false;
}

bool hsgd_worst_case_problem(hsgd_pep_problem *out, char *reason, const hsgd_bound_params *params)
{
    hsgd_bound_params exact = *params; /* its pointers are borrowed */
    hsgd_error err = {0};
    exact.noise_sq = 0;
    if (!is_small(reason, &params->tree, params->steps))
        return false;
    if (!hsgd_pep_problem_from_params(out, &exact, &err))
        return true;
    snprintf(reason, HSGD_REASON_SIZE, "%.*s", HSGD_REASON_SIZE - 1, err.message);
    return false;
}

/* ---- the answer ---- */

/* False where it was refused. */
static bool add_worst_case(hsgd_bound_value *out, const hsgd_pep_problem *problem)
{
    hsgd_pep_result result = {0};
    hsgd_error err = {0};
    if (hsgd_pep_solve(&result, problem, &err))
        return !hsgd_refuse(out, "%s", err.message);
    if (result.unbounded)
        return !hsgd_refuse(out, "gamma L = %g is 2 or more: S can be any number",
                            problem->step_size * problem->smoothness);
    hsgd_value_add(out, result.delta_coefficient * problem->delta, "initial gap");
    for (size_t k = 0; k < problem->num_levels; k++)
        hsgd_value_add(out, result.divergence_coefficient[k] * problem->level_divergence_sq[k], "divergence, level %zu",
                       k + 1);
    hsgd_pep_result_free(&result);
    return true;
}

static bool is_noise(const hsgd_term *term)
{
    return strncmp(term->name, "gradient noise", strlen("gradient noise")) == 0 ||
           strncmp(term->name, "noise drift", strlen("noise drift")) == 0;
}

/* The noise terms of 4.2, and the remark that the sum is no theorem. False where 4.2 does not apply. */
static bool add_noise(hsgd_bound_value *out, const hsgd_bound_params *params)
{
    hsgd_bound_value closed;
    hsgd_bound_eval(&hsgd_bound_fixed_sharp, params, &closed);
    if (!closed.applicable)
        return !hsgd_refuse(out, "the worst case is of exact gradients, but sigma_sq is %g", params->noise_sq);
    for (size_t i = 0; i < closed.num_terms; i++)
        if (is_noise(&closed.term[i]))
            hsgd_value_add(out, closed.term[i].value, "%s", closed.term[i].name);
    hsgd_value_doubt(out,
                     "the worst case is of exact gradients, but sigma_sq is %g; its terms are those of 4.2, and no "
                     "theorem adds them",
                     params->noise_sq);
    return true;
}

static void eval(const hsgd_bound *bound, const hsgd_bound_params *params, hsgd_bound_value *out)
{
    hsgd_pep_problem problem;
    char reason[HSGD_REASON_SIZE];
    (void)bound;
    hsgd_value_start(out, params->smoothness > 0 ? 2 / params->smoothness : INFINITY);
    if (!hsgd_worst_case_problem(&problem, reason, params)) {
        hsgd_refuse(out, "%s", reason);
        return;
    }
    if (!add_worst_case(out, &problem))
        return;
    if (params->noise_sq > 0 && !add_noise(out, params))
        return;
    hsgd_value_finish(out);
}

const hsgd_bound hsgd_bound_worst_case = {
    .id = "worst-case",
    .title = "worst case, exact",
    .citation = "THEORY 11",
    .target = HSGD_TARGET_S,
    .algorithm = HSGD_ALGORITHM_HSGD,
    .eval = eval,
};

/* ---- time ---- */

/* Measured on one core with periods 4 and 2: 0.7 s for T = 16 (37 points), 4.5 s for T = 32 (73), 44 s for T = 64 (145). */
double hsgd_worst_case_seconds(const hsgd_hierarchy *tree, size_t steps)
{
    static const double SECONDS_AT_37 = 0.7, POWER = 3;
    char reason[HSGD_REASON_SIZE];
    if (!is_small(reason, tree, steps))
        return 0;
    return SECONDS_AT_37 * pow((double)hsgd_worst_case_points(tree, steps) / 37, POWER);
}
