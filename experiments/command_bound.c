/* SPDX-License-Identifier: GPL-3.0-or-later */
/* hsgd bound: every bound for given parameters, without a simulation. */
#include "experiments/cli_private.h"

#include <math.h>
#include <stdio.h>

#include "experiments/bound_json_private.h"
#include "experiments/json_private.h"
#include "experiments/params.h"

enum { OPTION_JSON, NUM_OPTIONS };

static const hsgd_option options[NUM_OPTIONS] = {[OPTION_JSON] = {"json", NULL, "print JSON instead of a table"}};

static hsgd_status print_json(const hsgd_bound_list *bounds, const hsgd_bound_params *params, hsgd_error *err)
{
    cJSON *root = cJSON_CreateObject(), *array = cJSON_AddArrayToObject(root, "bounds");
    for (size_t i = 0; i < bounds->count; i++) {
        hsgd_bound_value value;
        hsgd_bound_eval(bounds->bound[i], params, &value);
        cJSON_AddItemToArray(array, hsgd_bound_to_json(bounds->bound[i], &value));
    }
    return hsgd_json_put(root, err);
}

static void print_number(double value)
{
    if (isfinite(value))
        printf(" %13.6g", value);
    else
        printf(" %13s", isnan(value) ? "-" : "none");
}

static void print_table(const hsgd_bound_list *bounds, const hsgd_bound_params *params)
{
    printf("%-24s %-8s %13s %13s  %s\n", "bound", "of", "value", "max step size", "");
    for (size_t i = 0; i < bounds->count; i++) {
        hsgd_bound_value value;
        hsgd_bound_eval(bounds->bound[i], params, &value);
        printf("%-24s %-8s", bounds->bound[i]->id, hsgd_target_name(bounds->bound[i]->target));
        print_number(value.value);
        print_number(value.max_step_size);
        printf("  %s\n", value.reason);
    }
}

static int run(const hsgd_arguments *arguments)
{
    hsgd_error err;
    hsgd_bound_params params;
    hsgd_bound_list bounds;
    if (hsgd_params_read_bounds(&params, &bounds, arguments->positional, &err))
        return hsgd_cli_fail(&err);
    hsgd_status status = HSGD_OK;
    if (arguments->option[OPTION_JSON])
        status = print_json(&bounds, &params, &err);
    else
        print_table(&bounds, &params);
    hsgd_bound_params_free(&params);
    hsgd_bound_list_free(&bounds);
    return status ? hsgd_cli_fail(&err) : hsgd_cli_finish(HSGD_EXIT_OK);
}

const hsgd_command hsgd_command_bound = {
    .name = "bound",
    .positional = "PARAMS.json",
    .summary = "evaluate every bound for given parameters, no simulation",
    .details =
        "The file holds hierarchy, step_size, steps, L, sigma_sq, delta, level_divergence_sq and, optionally,\n"
        "global_divergence_sq, level_deviation_max_sq, worker_deviation_max_sq and user_bounds, formulas of your\n"
        "own. \"-\" reads standard input.",
    .option = options,
    .num_options = NUM_OPTIONS,
    .run = run,
};
