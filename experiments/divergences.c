/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The divergences that bounds are evaluated with: constants of a quadratic with one Hessian, exact expectations where its
 * workers have Hessians of their own, suprema along the trajectories otherwise. */
#include "experiments/experiment_private.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/exact_moments.h"

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

/* ---- exact expectations ---- */

/* The largest expectations over the steps, so far. */
typedef struct expected {
    double *level, *node, global; /* (num_levels), (num_nodes); their own memory */
    double *step_level;           /* (num_levels) scratch memory */
} expected;

static void raise_to(expected *most, const hsgd_exact *exact, const hsgd_hierarchy *h, bool is_main)
{
    for (size_t t = 0; t < exact->steps; t++) {
        const double *node = exact->node_divergence + t * exact->num_nodes;
        most->global = fmax(most->global, exact->global_divergence[t]);
        memset(most->step_level, 0, h->num_levels * sizeof *most->step_level);
        for (size_t u = 0; is_main && u < h->num_nodes; u++) {
            most->node[u] = fmax(most->node[u], node[u]);
            most->step_level[h->node[u].depth] += node[u] * h->node[u].weight;
        }
        for (size_t k = 0; is_main && k < h->num_levels; k++)
            most->level[k] = fmax(most->level[k], most->step_level[k]);
    }
}

static hsgd_status find_expected(expected *most, const hsgd_experiment *e, hsgd_error *err)
{
    const hsgd_problem *problem = e->problem;
    const hsgd_hierarchy *h = &problem->hierarchy;
    *most = (expected){.level = calloc(h->num_levels + 1, sizeof(double)),
                       .node = calloc(h->num_nodes + 1, sizeof(double)),
                       .step_level = calloc(h->num_levels + 1, sizeof(double))};
    hsgd_status status = HSGD_OK;
    if (!most->level || !most->node || !most->step_level)
        status = hsgd_fail_memory(err, "the divergences");
    for (int i = 0; i < HSGD_NUM_RUNS && !status; i++) {
        hsgd_exact exact = {0};
        if (!e->run[i].made)
            continue;
        status = hsgd_exact_moments(&exact, &problem->quadratic, &e->run[i].hierarchy, problem->initial, e->step_size,
                                    e->config->steps, err);
        if (!status)
            raise_to(most, &exact, h, i == HSGD_RUN_MAIN);
        hsgd_exact_free(&exact);
    }
    return status;
}

static bool has_expected(const hsgd_experiment *e)
{
    const hsgd_problem *problem = e->problem;
    return problem->is_quadratic && problem->quadratic.worker_curvature && !problem->placement && !e->variant &&
           isfinite(e->global_divergence_sq.value);
}

static void exchange(double **a, double **b)
{
    double *old = *a;
    *a = *b;
    *b = old;
}

/* Where workers have Hessians of their own, the expectations that A3' speaks of (THEORY 3) are known without the runs,
 * whose suprema they replace. Where the table of them does not fit into memory, those remain. */
static hsgd_status use_expected(hsgd_experiment *e, hsgd_error *err)
{
    expected most;
    hsgd_status status = find_expected(&most, e, err);
    if (!status) {
        exchange(&e->level_divergence_sq, &most.level);
        exchange(&e->node_divergence_sq, &most.node);
        e->global_divergence_sq = (hsgd_constant){most.global, HSGD_EXACT};
        e->divergence_kind = HSGD_EXACT;
        e->expected_divergence = true;
    }
    free(most.level);
    free(most.node);
    free(most.step_level);
    return status == HSGD_ERROR_MEMORY ? HSGD_OK : status;
}

/* ---- proved bounds ---- */

/* Raise the certified divergences to those of one placement; node (num_nodes) is scratch memory. */
static hsgd_status certify_placement(hsgd_experiment *e, const size_t *placement, double *node, hsgd_error *err)
{
    const hsgd_objective *objective = &e->problem->objective;
    const hsgd_hierarchy *h = &e->problem->hierarchy;
    double global, level[HSGD_MAX_LEVELS] = {0};
    hsgd_status status = objective->type->divergences(node, &global, objective, h, placement, err);
    if (status)
        return status;
    for (size_t u = 0; u < h->num_nodes; u++) {
        e->certified_node_sq[u] = fmax(e->certified_node_sq[u], node[u]);
        level[h->node[u].depth] += h->node[u].weight * node[u];
    }
    for (size_t k = 0; k < h->num_levels; k++)
        e->certified_level_sq[k] = fmax(e->certified_level_sq[k], fmin(level[k], global));
    e->certified_global_sq = fmax(e->certified_global_sq, global);
    return HSGD_OK;
}

/* Under random grouping the largest over the placements of all runs. */
static hsgd_status certify(hsgd_experiment *e, hsgd_error *err)
{
    const hsgd_hierarchy *h = &e->problem->hierarchy;
    const size_t *placement = e->problem->placement;
    size_t step = e->config->groupings ? e->config->seeds : 1, runs = placement ? hsgd_config_runs(e->config) : 1;
    double *node = calloc(h->num_nodes + 1, sizeof *node);
    e->certified_node_sq = calloc(h->num_nodes + 1, sizeof *e->certified_node_sq);
    e->certified_level_sq = calloc(h->num_levels + 1, sizeof *e->certified_level_sq);
    e->certified_global_sq = 0;
    hsgd_status status = HSGD_OK;
    if (!node || !e->certified_node_sq || !e->certified_level_sq)
        status = hsgd_fail_memory(err, "the certified divergences");
    for (size_t r = 0; r < runs && !status; r += step)
        status = certify_placement(e, placement ? placement + r * h->num_workers : NULL, node, err);
    free(node);
    return status;
}

/* The bounds are evaluated with what is proved instead of what was met. */
static void use_certified(hsgd_experiment *e)
{
    e->divergence_kind = HSGD_CERTIFIED;
    memcpy(e->level_divergence_sq, e->certified_level_sq,
           e->problem->hierarchy.num_levels * sizeof *e->level_divergence_sq);
    memcpy(e->node_divergence_sq, e->certified_node_sq,
           e->problem->hierarchy.num_nodes * sizeof *e->node_divergence_sq);
    e->global_divergence_sq = (hsgd_constant){e->certified_global_sq, HSGD_CERTIFIED};
}

hsgd_status hsgd_experiment_find_divergences(hsgd_experiment *e, hsgd_error *err)
{
    bool constant = hsgd_problem_has_constant_divergence(e->problem);
    bool can_certify = e->problem->objective.type->divergences != NULL;
    e->divergence_kind = constant ? HSGD_EXACT : HSGD_TRAJECTORY;
    e->certified_global_sq = NAN;
    hsgd_status status = constant ? find_exact(e, err) : find_suprema(e, err);
    if (!status && has_expected(e))
        status = use_expected(e, err);
    if (!status && can_certify && (e->config->certified_divergence || e->every_check)) /* passes over all data */
        status = certify(e, err);
    if (!status && e->config->certified_divergence && e->certified_level_sq)
        use_certified(e);
    return status;
}
