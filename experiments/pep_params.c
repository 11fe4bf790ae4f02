/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Where the constants of `hsgd pep` come from: options, PARAMS.json, or a configuration without a run. */
#include "experiments/pep.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "experiments/config.h"
#include "experiments/experiment_private.h"
#include "experiments/json_private.h"
#include "experiments/params.h"
#include "experiments/pep_private.h"
#include "experiments/problem.h"

hsgd_pep_overrides hsgd_pep_no_overrides(void)
{
    return (hsgd_pep_overrides){.step_size = NAN, .step_size_fraction = NAN, .smoothness = NAN, .delta = NAN};
}

static void replace(double *value, double given)
{
    if (!isnan(given))
        *value = given;
}

/* The step size comes last: a fraction is of a limit that depends on L. */
static hsgd_status apply(hsgd_bound_params *params, const hsgd_pep_overrides *given, hsgd_error *err)
{
    if (given->num_divergences && given->num_divergences != params->tree.num_levels)
        return hsgd_fail(err, HSGD_ERROR_INPUT, "--divergence-sq: %zu numbers for %zu levels of the canonical tree",
                         given->num_divergences, params->tree.num_levels);
    if (given->num_divergences && !params->divergence_sq &&
        !(params->divergence_sq = calloc(params->tree.num_nodes + 1, sizeof *params->divergence_sq)))
        return hsgd_fail_memory(err, "the divergences");
    for (size_t u = 0; given->num_divergences && u < params->tree.num_nodes; u++)
        params->divergence_sq[u] = given->level_divergence_sq[params->tree.node[u].depth];
    replace(&params->smoothness, given->smoothness);
    replace(&params->delta, given->delta);
    replace(&params->step_size, given->step_size);
    if (given->steps)
        params->steps = given->steps;
    if (!isnan(given->step_size_fraction))
        params->step_size =
            given->step_size_fraction *
            hsgd_published_max_step_size(params->smoothness, hsgd_hierarchy_global_period(&params->tree));
    return HSGD_OK;
}

/* ---- options alone ---- */

hsgd_status hsgd_pep_make_params(hsgd_bound_params *out, const size_t *periods, size_t num_levels,
                                 const hsgd_pep_overrides *given, hsgd_error *err)
{
    hsgd_hierarchy h;
    size_t fanout[HSGD_MAX_LEVELS];
    double divergence_sq[HSGD_MAX_LEVELS];
    hsgd_pep_overrides rest = *given;
    memset(out, 0, sizeof *out);
    if (given->num_divergences && given->num_divergences != num_levels)
        return hsgd_fail(err, HSGD_ERROR_INPUT, "--divergence-sq: %zu numbers for %zu of --periods",
                         given->num_divergences, num_levels);
    for (size_t k = 0; k < num_levels; k++) {
        fanout[k] = 2;
        divergence_sq[k] = given->num_divergences ? given->level_divergence_sq[k] : 1;
    }
    hsgd_status status = hsgd_hierarchy_uniform(&h, fanout, periods, num_levels, err);
    if (status) {
        hsgd_error_prefix(err, "--");
        return status;
    }
    status = hsgd_bound_params_init(out, &h, divergence_sq, NULL, err);
    hsgd_hierarchy_free(&h);
    if (status)
        return status;
    out->smoothness = out->delta = 1;
    out->noise_sq = 0;
    rest.num_divergences = 0;
    if (isnan(rest.step_size) && isnan(rest.step_size_fraction))
        rest.step_size_fraction = 0.99;
    status = apply(out, &rest, err);
    if (status)
        hsgd_bound_params_free(out);
    return status;
}

/* ---- a configuration ---- */

/* f(w^0), from one step of the run. */
static hsgd_status find_delta(hsgd_experiment *e, hsgd_error *err)
{
    hsgd_ensemble ensemble;
    hsgd_simulation one_step = {.objective = &e->problem->objective,
                                .hierarchy = &e->problem->hierarchy,
                                .initial = e->problem->initial,
                                .step_size = e->step_size,
                                .steps = 1,
                                .measure_every = 1,
                                .exact_gradients = true};
    hsgd_status status = hsgd_ensemble_run(&ensemble, &one_step, 1, e->config->first_seed, NULL, 1, err);
    if (status)
        return status;
    double gap = ensemble.trace[0].loss[0] - e->constants.minimum.value;
    e->delta = (hsgd_constant){fmax(0, gap), e->constants.minimum.kind};
    hsgd_ensemble_free(&ensemble);
    return HSGD_OK;
}

static hsgd_status refuse_config(const hsgd_config *config, const hsgd_experiment *e, const hsgd_pep_overrides *given,
                                 hsgd_error *err)
{
    bool constant = hsgd_problem_has_constant_divergence(e->problem);
    if (config->grouping == HSGD_GROUPING_RANDOM)
        return hsgd_fail(err, HSGD_ERROR_INPUT, "grouping: \"random\": worst cases are for workers at fixed places");
    if (e->variant)
        return hsgd_fail(err, HSGD_ERROR_INPUT, "optimizer: worst cases are for plain H-SGD, not with %s", e->variant);
    if (config->weighting != HSGD_WEIGHTS_EQUAL || !config->is_uniform)
        return hsgd_fail(err, HSGD_ERROR_INPUT,
                         "hierarchy: worst cases are for uniform trees of workers with equal weight");
    if (!constant && !given->num_divergences)
        return hsgd_fail(
            err, HSGD_ERROR_INPUT,
            "problem.type: the divergences of this problem are known from a run only; give --divergence-sq");
    if (isnan(given->delta) && !isfinite(e->constants.minimum.value))
        return hsgd_fail(err, HSGD_ERROR_INPUT, "problem: no lower bound of f is known before a run; give --delta");
    return HSGD_OK;
}

static hsgd_status fill_params(hsgd_bound_params *out, hsgd_experiment *e, const hsgd_pep_overrides *given,
                               hsgd_error *err)
{
    bool constant = hsgd_problem_has_constant_divergence(e->problem);
    hsgd_status status = refuse_config(e->config, e, given, err);
    if (!status && constant)
        status = hsgd_experiment_find_divergences(e, err);
    status = status ? status : find_delta(e, err);
    if (!status)
        status =
            hsgd_bound_params_init(out, &e->config->hierarchy, constant ? e->level_divergence_sq : NULL, NULL, err);
    if (status)
        return status;
    out->step_size = e->step_size;
    out->steps = e->config->steps;
    out->smoothness = e->constants.smoothness.value;
    out->noise_sq = e->constants.noise_sq.value;
    out->delta = e->delta.value;
    return HSGD_OK;
}

hsgd_status hsgd_pep_params_of(hsgd_bound_params *out, hsgd_experiment *prepared, hsgd_error *err)
{
    const hsgd_pep_overrides none = hsgd_pep_no_overrides();
    return fill_params(out, prepared, &none, err);
}

static hsgd_status read_config(hsgd_bound_params *out, const char *file, const hsgd_pep_overrides *given,
                               hsgd_error *err)
{
    hsgd_config config;
    hsgd_problem problem;
    hsgd_status status = hsgd_config_read(&config, file, err);
    if (status)
        return status;
    status = hsgd_problem_build(&problem, &config, file, err);
    if (!status) {
        hsgd_experiment e = {.config = &config, .problem = &problem, .constants.convexity = -INFINITY};
        status = hsgd_experiment_prepare(&e, err);
        status = status ? status : fill_params(out, &e, given, err);
        if (status == HSGD_ERROR_INPUT)
            hsgd_error_prefix(err, "%s: ", file);
        hsgd_experiment_free(&e);
        hsgd_problem_free(&problem);
    }
    hsgd_config_free(&config);
    return status;
}

/* Only a configuration has a problem. Standard input, which cannot be read twice, has parameters. */
static hsgd_status is_config(bool *out, const char *file, hsgd_error *err)
{
    cJSON *document;
    *out = false;
    if (strcmp(file, "-") == 0)
        return HSGD_OK;
    hsgd_status status = hsgd_json_read_file(&document, file, err);
    if (status)
        return status;
    *out = cJSON_GetObjectItemCaseSensitive(document, "problem") != NULL;
    cJSON_Delete(document);
    return HSGD_OK;
}

hsgd_status hsgd_pep_read_params(hsgd_bound_params *out, const char *file, const hsgd_pep_overrides *given,
                                 hsgd_error *err)
{
    bool config;
    memset(out, 0, sizeof *out);
    hsgd_status status = is_config(&config, file, err);
    if (!status)
        status = config ? read_config(out, file, given, err) : hsgd_params_read(out, file, err);
    status = status ? status : apply(out, given, err);
    if (status)
        hsgd_bound_params_free(out);
    return status;
}
