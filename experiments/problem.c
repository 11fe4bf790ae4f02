/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "experiments/problem_private.h"

#include <stdlib.h>
#include <string.h>

#include "analysis/linear_model.h"
#include "analysis/memory.h"
#include "analysis/random.h"

void hsgd_problem_free(hsgd_problem *problem)
{
    if (!problem)
        return;
    hsgd_objective_free(&problem->objective);
    hsgd_hierarchy_free(&problem->hierarchy);
    hsgd_quadratic_free(&problem->quadratic);
    hsgd_dataset_free(&problem->data);
    hsgd_dataset_free(&problem->test);
    hsgd_partition_free(&problem->partition);
    hsgd_architecture_free(&problem->architecture);
    hsgd_plugin_unload(&problem->plugin);
    free(problem->initial);
    free(problem->place);
    free(problem->placement);
    memset(problem, 0, sizeof *problem);
}

/* Messages about bad input begin with the place in the configuration. */
static hsgd_status in_problem(const char *place, hsgd_status status, hsgd_error *err)
{
    if (status == HSGD_ERROR_INPUT)
        hsgd_error_prefix(err, "%s", place);
    return status;
}

/* ---- the workers, in the order in which the problem makes them ---- */

static hsgd_status make_quadratic(hsgd_problem *problem, const hsgd_config *config, hsgd_error *err)
{
    problem->is_quadratic = true;
    if (config->problem == HSGD_PROBLEM_QUADRATIC && config->worker_curvature)
        return hsgd_quadratic_init_own(&problem->quadratic, config->worker_curvature, config->linear, config->dim,
                                       config->hierarchy.num_workers, config->noise_sq, err);
    if (config->problem == HSGD_PROBLEM_QUADRATIC)
        return hsgd_quadratic_init(&problem->quadratic, config->curvature, config->linear, config->dim,
                                   config->hierarchy.num_workers, config->noise_sq, err);
    hsgd_quadratic_spec spec = {.dim = config->dim,
                                .curvature_min = config->curvature_range[0],
                                .curvature_max = config->curvature_range[1],
                                .level_divergence_sq = config->level_divergence_sq,
                                .noise_sq = config->noise_sq,
                                .seed = config->problem_seed};
    hsgd_curvature_spread spread = {config->curvature_spread, config->level_curvature_spread};
    return in_problem(
        "problem.", hsgd_quadratic_generate_spread(&problem->quadratic, &problem->hierarchy, &spec, &spread, err), err);
}

static hsgd_status make_data(hsgd_problem *problem, const hsgd_config *config, hsgd_error *err)
{
    problem->has_data = true;
    hsgd_status status = hsgd_data_read(&problem->data, &problem->test, &problem->read, &config->data,
                                        config->hierarchy.num_workers, err);
    problem->has_test = !status && problem->test.num_samples > 0;
    if (!status)
        status = in_problem("problem.partition: ",
                            hsgd_partition_build(&problem->partition, &problem->data, config->hierarchy.num_workers,
                                                 &config->partition, err),
                            err);
    return status;
}

/* ---- their places in the tree ---- */

/* b_j, then h_j, of every worker. */
static double *both_terms(const hsgd_quadratic *q)
{
    size_t row_bytes = q->stride * sizeof(double);
    double *trait = malloc(2 * q->num_workers * row_bytes);
    for (size_t j = 0; trait && j < q->num_workers; j++) {
        memcpy(trait + 2 * j * q->stride, q->linear + j * q->stride, row_bytes);
        memcpy(trait + (2 * j + 1) * q->stride, q->worker_curvature + j * q->stride, row_bytes);
    }
    return trait;
}

/* What decides whether two workers are alike: the linear term, with the Hessian where that is their own, or the shares of
 * the labels; nothing in plug-ins, which stand in the order given or drawn. *owned is to be freed. */
static const double *worker_traits(const hsgd_problem *problem, double **owned, size_t *num_traits)
{
    *owned = NULL;
    if (problem->is_quadratic) {
        *num_traits = problem->quadratic.stride; /* the zeros at the end of every row tell no one apart */
        if (!problem->quadratic.worker_curvature)
            return problem->quadratic.linear;
        *num_traits *= 2;
        return *owned = both_terms(&problem->quadratic);
    }
    const hsgd_partition *p = &problem->partition;
    *num_traits = p->num_classes;
    if (!problem->has_data)
        return NULL;
    double *share = *owned = malloc(p->num_workers * p->num_classes * sizeof *share);
    for (size_t j = 0; share && j < p->num_workers; j++)
        for (size_t c = 0; c < p->num_classes; c++)
            share[j * p->num_classes + c] =
                (double)p->histogram[j * p->num_classes + c] / (double)(p->start[j + 1] - p->start[j]);
    return share;
}

static hsgd_status find_places(hsgd_problem *problem, const hsgd_config *config, hsgd_error *err)
{
    size_t n = problem->hierarchy.num_workers, num_traits;
    double *owned;
    const double *trait = worker_traits(problem, &owned, &num_traits);
    bool complete = trait || num_traits == 0;
    problem->place = malloc(n * sizeof *problem->place);
    hsgd_status status = complete && problem->place ? HSGD_OK : hsgd_fail_memory(err, "the places of the workers");
    if (!status)
        status = hsgd_grouping_place(problem->place, config->grouping, &problem->hierarchy, trait, num_traits,
                                     config->first_seed, err);
    free(owned);
    return status;
}

/* Under random grouping every seed has its own places, so that means over seeds are means over groupings as well; or
 * several seeds in a row share one of the groupings that are counted. */
static hsgd_status find_places_of_seeds(hsgd_problem *problem, const hsgd_config *config, hsgd_error *err)
{
    size_t n = problem->hierarchy.num_workers, runs = hsgd_config_runs(config);
    size_t runs_per_grouping = config->groupings ? config->seeds : 1;
    hsgd_status fits = hsgd_memory_check((double)sizeof(size_t) * (double)runs * (double)n, "the places of all runs",
                                         "fewer seeds or fewer groupings", err);
    if (fits)
        return fits;
    problem->placement = malloc(runs * n * sizeof *problem->placement);
    if (!problem->placement)
        return hsgd_fail_memory(err, "the places of the workers");
    hsgd_status status = HSGD_OK;
    for (size_t r = 0; r < runs && !status; r++)
        status = hsgd_grouping_place(problem->placement + r * n, HSGD_GROUPING_RANDOM, &problem->hierarchy, NULL, 0,
                                     config->first_seed + r / runs_per_grouping, err);
    return status;
}

/* Fixed places: sort the workers themselves, so that the engine meets them, and their data, in order. */
static hsgd_status sort_workers(hsgd_problem *problem, hsgd_error *err)
{
    if (problem->is_quadratic)
        return hsgd_quadratic_permute(&problem->quadratic, problem->place, err);
    if (!problem->has_data) /* a plug-in's stay as given */
        return HSGD_OK;
    return hsgd_partition_permute(&problem->partition, problem->place, err);
}

static hsgd_status place_workers(hsgd_problem *problem, const hsgd_config *config, hsgd_error *err)
{
    hsgd_status status = find_places(problem, config, err);
    if (!status)
        status = config->grouping == HSGD_GROUPING_RANDOM ? find_places_of_seeds(problem, config, err)
                                                          : sort_workers(problem, err);
    if (!status && problem->has_data)
        status = hsgd_dataset_reorder(&problem->data, problem->partition.order, err);
    return status;
}

/* ---- weights, objective, initial point ---- */

/* The weight of the worker at each place: given ones move with their workers, data sizes are already sorted. */
static hsgd_status set_weights(hsgd_problem *problem, const hsgd_config *config, hsgd_error *err)
{
    size_t n = problem->hierarchy.num_workers;
    if (config->weighting == HSGD_WEIGHTS_EQUAL)
        return HSGD_OK;
    double *weight = malloc(n * sizeof *weight);
    if (!weight)
        return hsgd_fail_memory(err, "the weights");
    for (size_t i = 0; i < n; i++)
        weight[i] = config->weighting == HSGD_WEIGHTS_GIVEN
                        ? config->weight[problem->place[i]]
                        : (double)(problem->partition.start[i + 1] - problem->partition.start[i]);
    hsgd_status status = hsgd_hierarchy_set_weights(&problem->hierarchy, weight, err);
    free(weight);
    return status;
}

hsgd_status hsgd_problem_make_objective(hsgd_problem *problem, const hsgd_config *config, hsgd_error *err)
{
    if (problem->is_quadratic)
        return hsgd_quadratic_objective(&problem->objective, &problem->quadratic, problem->hierarchy.worker_weight,
                                        err);
    if (config->problem == HSGD_PROBLEM_PLUGIN) /* which made it along with its workers */
        return HSGD_OK;
    if (config->problem == HSGD_PROBLEM_CNN)
        return in_problem("problem.", hsgd_problem_make_cnn(problem, config, err), err);
    if (config->problem == HSGD_PROBLEM_MLP)
        return in_problem("problem.",
                          hsgd_mlp_objective(&problem->objective, &config->mlp, &problem->data,
                                             problem->partition.start, problem->hierarchy.num_workers,
                                             config->regularizer, err),
                          err);
    hsgd_link link = config->problem == HSGD_PROBLEM_LOGISTIC ? HSGD_LINK_LOGISTIC : HSGD_LINK_SOFTMAX;
    return in_problem("problem.type: ",
                      hsgd_linear_model_objective(&problem->objective, link, &problem->data, problem->partition.start,
                                                  problem->hierarchy.num_workers, config->regularizer, err),
                      err);
}

/* One point for all seeds, so that Delta is one number. */
static hsgd_status make_initial(hsgd_problem *problem, const hsgd_config *config, hsgd_error *err)
{
    size_t dim = problem->objective.dim;
    if (config->initial_point && config->initial_dim != dim)
        return hsgd_fail(err, HSGD_ERROR_INPUT, "initial.point: %zu numbers for a problem of dimension %zu",
                         config->initial_dim, dim);
    if (problem->initial)
        return HSGD_OK; /* it was needed before */
    problem->initial = calloc(dim, sizeof *problem->initial);
    if (!problem->initial)
        return hsgd_fail_memory(err, "the initial point");
    if (config->initial_point)
        memcpy(problem->initial, config->initial_point, dim * sizeof *problem->initial);
    else if (config->problem == HSGD_PROBLEM_MLP)
        hsgd_mlp_draw(&problem->objective, config->initial_scale, config->first_seed, problem->initial);
    else if (config->initial_scale > 0) {
        hsgd_stream stream = {config->first_seed, HSGD_PURPOSE_INITIAL, 0, 0};
        hsgd_normals(&stream, config->initial_scale, problem->initial, dim);
    }
    if (config->problem == HSGD_PROBLEM_MLP)
        hsgd_mlp_set_start(&problem->objective, problem->initial);
    return config->problem == HSGD_PROBLEM_PLUGIN ? hsgd_problem_start_plugin(problem, config, err) : HSGD_OK;
}

hsgd_status hsgd_problem_build(hsgd_problem *out, const hsgd_config *config, const char *file, hsgd_error *err)
{
    bool quadratic = config->problem == HSGD_PROBLEM_QUADRATIC || config->problem == HSGD_PROBLEM_QUADRATIC_GENERATED;
    memset(out, 0, sizeof *out);
    hsgd_status status = hsgd_problem_check_cnn(config, err);
    if (!status)
        status = hsgd_hierarchy_expand(&out->hierarchy, &config->hierarchy, err);
    if (!status && config->weighting == HSGD_WEIGHTS_GIVEN) /* level divergences are generated for these weights */
        status = hsgd_hierarchy_set_weights(&out->hierarchy, config->weight, err);
    if (!status)
        status = quadratic                                ? make_quadratic(out, config, err)
                 : config->problem == HSGD_PROBLEM_PLUGIN ? hsgd_problem_make_plugin(out, config, err)
                                                          : make_data(out, config, err);
    if (!status)
        status = place_workers(out, config, err);
    if (!status)
        status = set_weights(out, config, err);
    if (!status)
        status = hsgd_problem_make_objective(out, config, err);
    if (!status)
        status = make_initial(out, config, err);
    if (status) {
        hsgd_error_prefix(err, "%s: ", file);
        hsgd_problem_free(out);
    }
    return status;
}
