/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The divergences that bounds are evaluated with: constants of a quadratic, suprema along the trajectories otherwise. */
#include "experiments/experiment_private.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Storing all gradients for the largest deviations is worth this much memory per seed; above it the bounds that need
 * them say that they were not measured. */
static const double MAX_GRADIENT_BYTES = 256e6;

bool hsgd_experiment_measures_maxima(const hsgd_experiment *e)
{
    const hsgd_problem *problem = e->problem;
    if (8.0 * (double)problem->objective.dim * (double)problem->hierarchy.num_workers > MAX_GRADIENT_BYTES)
        return false;
    /* the bounds of THEORY 10 that assume every single deviation bounded */
    for (size_t i = 0; i < hsgd_num_bounds; i++)
        if (e->config->use_bound[i] && hsgd_bounds[i]->needs_maxima)
            return true;
    return false;
}

static double *copy(const double *value, size_t count, bool *complete)
{
    double *out = malloc((count + 1) * sizeof *out);
    if (out)
        memcpy(out, value, count * sizeof *out);
    *complete = *complete && out;
    return out;
}

/* Take over what a summary of the main hierarchy says. */
static hsgd_status take_over(hsgd_experiment *e, const hsgd_summary *s, hsgd_error *err)
{
    bool complete = true;
    e->level_divergence_sq = copy(s->level_divergence_sup_sq, s->num_levels, &complete);
    e->node_divergence_sq = copy(s->node_divergence_sup_sq, s->num_nodes, &complete);
    if (s->node_deviation_sup_sq)
        e->node_deviation_max_sq = copy(s->node_deviation_sup_sq, s->num_nodes, &complete);
    e->worker_deviation_max_sq = s->worker_deviation_sup_sq;
    e->global_divergence_sq = (hsgd_constant){s->global_divergence_sup_sq, e->divergence_kind};
    return complete ? HSGD_OK : hsgd_fail_memory(err, "the divergences");
}

/* Gradients of quadratics with one Hessian differ by the same vectors b_j everywhere. At the origin they are these vectors,
 * free of rounding, so that one step from there measures the constants; under random grouping, for the places of every
 * seed. */
static hsgd_status find_exact(hsgd_experiment *e, hsgd_error *err)
{
    hsgd_ensemble ensemble;
    hsgd_summary summary;
    double *origin = calloc(e->problem->objective.dim, sizeof *origin);
    if (!origin)
        return hsgd_fail_memory(err, "the divergences");
    hsgd_simulation one_step = {.objective = &e->problem->objective,
                                .hierarchy = &e->problem->hierarchy,
                                .initial = origin,
                                .step_size = e->step_size,
                                .steps = 1,
                                .measure_every = 1,
                                .measure_maxima = hsgd_experiment_measures_maxima(e)};
    hsgd_status status =
        hsgd_ensemble_run(&ensemble, &one_step, e->problem->placement ? hsgd_config_runs(e->config) : 1,
                          e->config->first_seed, e->problem->placement, 1, err);
    if (!status) {
        status = hsgd_summarize(&summary, &ensemble, 1, 1, true, err);
        hsgd_ensemble_free(&ensemble);
    }
    if (!status) {
        status = take_over(e, &summary, err);
        hsgd_summary_free(&summary);
    }
    free(origin);
    return status;
}

/* eps~^2 and the largest deviation of a worker serve the local SGDs too, so they are suprema over all runs. */
static hsgd_status find_suprema(hsgd_experiment *e, hsgd_error *err)
{
    hsgd_status status = take_over(e, &e->run[HSGD_RUN_MAIN].summary, err);
    for (int i = HSGD_RUN_INNER; i < HSGD_NUM_RUNS && !status; i++) {
        const hsgd_summary *s = &e->run[i].summary;
        if (!e->run[i].made)
            continue;
        e->global_divergence_sq.value = fmax(e->global_divergence_sq.value, s->global_divergence_sup_sq);
        e->worker_deviation_max_sq = fmax(e->worker_deviation_max_sq, s->worker_deviation_sup_sq);
    }
    return status;
}

hsgd_status hsgd_experiment_find_divergences(hsgd_experiment *e, hsgd_error *err)
{
    e->divergence_kind = e->problem->is_quadratic ? HSGD_EXACT : HSGD_TRAJECTORY;
    return e->problem->is_quadratic ? find_exact(e, err) : find_suprema(e, err);
}
