/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Problems whose objective comes from a shared object. */
#include "experiments/problem_private.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/objective_check.h"
#include "analysis/plugin_objective.h"
#include "experiments/plugin_parameters_private.h"

/* The plug-in's own words are about its parameters, and so is the message. */
static hsgd_status create(hsgd_problem *problem, const hsgd_config *config, hsgd_parameter_reader *reader,
                          hsgd_error *err)
{
    hsgd_error own;
    hsgd_status status = hsgd_plugin_objective(&problem->objective, problem->plugin.plugin, &reader->interface,
                                               config->hierarchy.num_workers, config->problem_seed, &own);
    if (hsgd_plugin_parameters_check_types(reader, err)) /* the reason, if create failed */
        return HSGD_ERROR_INPUT;
    if (status == HSGD_ERROR_INPUT)
        return hsgd_fail(err, status, "problem.parameters: %s", own.message);
    return status ? hsgd_fail(err, status, "%s", own.message) : hsgd_plugin_parameters_check_asked(reader, err);
}

hsgd_status hsgd_problem_make_plugin(hsgd_problem *problem, const hsgd_config *config, hsgd_error *err)
{
    hsgd_parameter_reader reader;
    hsgd_status status = hsgd_plugin_load(&problem->plugin, config->plugin_path, err);
    if (status == HSGD_ERROR_INPUT)
        hsgd_error_prefix(err, "problem.path: ");
    if (status)
        return status;
    status = hsgd_plugin_parameters_open(&reader, config->plugin_parameters, err);
    if (!status)
        status = create(problem, config, &reader, err);
    hsgd_plugin_parameters_free(&reader);
    return status;
}

hsgd_status hsgd_problem_start_plugin(hsgd_problem *problem, const hsgd_config *config, hsgd_error *err)
{
    if (!config->initial_point && isnan(config->initial_scale))
        hsgd_plugin_initial(&problem->objective, problem->initial);
    hsgd_plugin_set_start(&problem->objective, problem->initial);
    const hsgd_check_request request = {.objective = &problem->objective,
                                        .start = problem->initial,
                                        .batch_size = config->batch_size,
                                        .loss_rounding = hsgd_plugin_loss_rounding(&problem->objective)};
    hsgd_status status = hsgd_objective_check(&request, err);
    if (status == HSGD_ERROR_INPUT)
        hsgd_error_prefix(err, "problem.path: %s: ", config->plugin_path);
    return status;
}
