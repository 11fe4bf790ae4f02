/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The question of performance estimation: names, checks, and where it comes from. */
#include "bounds/pep_model.h"

#include <math.h>

const char *hsgd_pep_gap_name(hsgd_pep_gap gap)
{
    return gap == HSGD_PEP_DESCENT ? "descent" : "lower-bound";
}

const char *hsgd_pep_criterion_name(hsgd_pep_criterion criterion)
{
    return criterion == HSGD_PEP_MEAN ? "mean" : "min";
}

static hsgd_status check_periods(const hsgd_pep_problem *problem, hsgd_error *err)
{
    if (problem->num_levels > HSGD_MAX_LEVELS)
        return hsgd_fail(err, HSGD_ERROR_INPUT, "periods: %zu levels, where 0 to %d are legal", problem->num_levels,
                         HSGD_MAX_LEVELS);
    for (size_t k = 0; k < problem->num_levels; k++) {
        size_t period = problem->periods[k];
        if (period < 1 || period > HSGD_MAX_PERIOD)
            return hsgd_fail(err, HSGD_ERROR_INPUT, "periods[%zu]: %zu is not a whole number from 1 to %zu", k, period,
                             HSGD_MAX_PERIOD);
        if (k > 0 && problem->periods[k - 1] % period)
            return hsgd_fail(err, HSGD_ERROR_INPUT, "periods[%zu]: %zu is not a divisor of the %zu before it", k,
                             period, problem->periods[k - 1]);
    }
    return HSGD_OK;
}

static hsgd_status check_positive(double value, const char *name, hsgd_error *err)
{
    return value > 0 && isfinite(value)
               ? HSGD_OK
               : hsgd_fail(err, HSGD_ERROR_INPUT, "%s: %g is not a finite number above 0", name, value);
}

static hsgd_status check_squares(const hsgd_pep_problem *problem, hsgd_error *err)
{
    double largest = problem->delta;
    if (!(problem->delta >= 0) || !isfinite(problem->delta))
        return hsgd_fail(err, HSGD_ERROR_INPUT, "delta: %g is not a finite number of at least 0", problem->delta);
    for (size_t k = 0; k < problem->num_levels; k++) {
        double square = problem->level_divergence_sq[k];
        if (!(square >= 0) || !isfinite(square))
            return hsgd_fail(err, HSGD_ERROR_INPUT, "level_divergence_sq[%zu]: %g is not a finite number of at least 0",
                             k, square);
        largest = fmax(largest, square);
    }
    return largest > 0 ? HSGD_OK
                       : hsgd_fail(err, HSGD_ERROR_INPUT, "delta: 0, with all divergences 0, has the worst case 0");
}

hsgd_status hsgd_pep_problem_check(const hsgd_pep_problem *problem, hsgd_error *err)
{
    hsgd_status status = check_periods(problem, err);
    if (!status && (problem->steps < 1 || problem->steps > HSGD_PEP_MAX_STEPS))
        status = hsgd_fail(err, HSGD_ERROR_INPUT, "steps: %zu is not a whole number from 1 to %d", problem->steps,
                           HSGD_PEP_MAX_STEPS);
    status = status ? status : check_positive(problem->step_size, "step_size", err);
    status = status ? status : check_positive(problem->smoothness, "L", err);
    return status ? status : check_squares(problem, err);
}

/* ---- from the parameters of the bounds ---- */

static hsgd_status refuse_tree(size_t depth, hsgd_error *err)
{
    return hsgd_fail(err, HSGD_ERROR_INPUT,
                     "hierarchy: the groups of level %zu differ, and worst cases are for uniform trees", depth + 1);
}

/* Levels of the canonical tree. In a uniform one all entries of a depth agree, and together they hold all workers. */
static hsgd_status take_tree(hsgd_pep_problem *out, const hsgd_hierarchy *tree, hsgd_error *err)
{
    size_t size[HSGD_MAX_LEVELS] = {0}, workers[HSGD_MAX_LEVELS] = {0};
    out->num_levels = tree->num_levels;
    for (size_t u = 0; u < tree->num_nodes; u++) {
        const hsgd_node *node = &tree->node[u];
        size_t k = node->depth;
        if (size[k] && (size[k] != node->num_workers || out->periods[k] != node->period))
            return refuse_tree(k, err);
        size[k] = node->num_workers;
        out->periods[k] = node->period;
        workers[k] += node->copies * node->num_workers;
    }
    for (size_t k = 0; k < tree->num_levels; k++)
        if (workers[k] != tree->num_workers)
            return refuse_tree(k, err);
    return HSGD_OK;
}

/* D_k is the mean of beta_u^2 over the nodes of a depth. */
static hsgd_status take_divergences(hsgd_pep_problem *out, const hsgd_bound_params *params, hsgd_error *err)
{
    if (!params->divergence_sq && params->tree.num_levels)
        return hsgd_fail(err, HSGD_ERROR_INPUT, "level_divergence_sq: not known");
    for (size_t u = 0; u < params->tree.num_nodes; u++)
        out->level_divergence_sq[params->tree.node[u].depth] += params->tree.node[u].weight * params->divergence_sq[u];
    return HSGD_OK;
}

hsgd_status hsgd_pep_problem_from_params(hsgd_pep_problem *out, const hsgd_bound_params *params, hsgd_error *err)
{
    *out = (hsgd_pep_problem){.steps = params->steps,
                              .step_size = params->step_size,
                              .smoothness = params->smoothness,
                              .delta = params->delta,
                              .gap = HSGD_PEP_DESCENT,
                              .criterion = HSGD_PEP_MEAN};
    if (params->tree.worker_weight)
        return hsgd_fail(err, HSGD_ERROR_INPUT, "hierarchy: worst cases are for workers of equal weight");
    if (params->participants)
        return hsgd_fail(err, HSGD_ERROR_INPUT, "participants: worst cases are for all workers taking part");
    if (!(params->noise_sq == 0))
        return hsgd_fail(err, HSGD_ERROR_INPUT,
                         "sigma_sq: %g is not 0; worst cases are for exact gradients, noise is outside of the model",
                         params->noise_sq);
    hsgd_status status = take_tree(out, &params->tree, err);
    status = status ? status : take_divergences(out, params, err);
    return status ? status : hsgd_pep_problem_check(out, err);
}
