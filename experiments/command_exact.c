/* SPDX-License-Identifier: GPL-3.0-or-later */
/* hsgd exact: exact moments of H-SGD on a quadratic (THEORY 7). */
#include "experiments/cli_private.h"

#include <stdio.h>

#include "analysis/exact_moments.h"
#include "experiments/bound_json_private.h"
#include "experiments/json_private.h"
#include "experiments/config.h"
#include "experiments/problem.h"
#include "experiments/range_check.h"

enum { OPTION_JSON, NUM_OPTIONS };

static const hsgd_option options[NUM_OPTIONS] = {[OPTION_JSON] = {"json", NULL, "print JSON instead of a table"}};

/* gamma as `hsgd run` resolves it. */
static hsgd_status find_step_size(double *out, const hsgd_config *config, const hsgd_problem *problem, hsgd_error *err)
{
    hsgd_constants constants;
    hsgd_status status = problem->objective.type->constants(&problem->objective, 0, &constants, err);
    if (!status)
        status = hsgd_config_step_size(out, config, constants.smoothness.value, err);
    return status ? status : hsgd_range_check_start(problem, &constants, 0, *out, err);
}

static hsgd_status print_json(const hsgd_exact *exact, hsgd_error *err)
{
    cJSON *root = cJSON_CreateObject();
    cJSON_AddNumberToObject(root, "S", exact->S);
    cJSON_AddItemToObject(root, "grad_norm_sq", hsgd_numbers_to_json(exact->grad_norm_sq, exact->steps));
    cJSON_AddItemToObject(root, "loss", hsgd_numbers_to_json(exact->loss, exact->steps));
    cJSON *rows = cJSON_AddArrayToObject(root, "dispersion_level");
    for (size_t t = 0; t < exact->steps; t++)
        cJSON_AddItemToArray(rows, hsgd_numbers_to_json(exact->dispersion + t * exact->num_levels, exact->num_levels));
    return hsgd_json_put(root, err);
}

static void print_table(const hsgd_exact *exact, double step_size)
{
    printf("step size %.17g\nS = %.17g (mean of E||grad f(wbar)||^2 over %zu steps)\n\n%8s %14s %14s", step_size,
           exact->S, exact->steps, "step", "grad_norm_sq", "loss");
    for (size_t k = 0; k < exact->num_levels; k++)
        printf("   dispersion_%zu", k + 1);
    puts("");
    size_t every = (exact->steps - 1) / 20 + 1; /* about twenty lines */
    for (size_t t = 0; t < exact->steps; t += every) {
        printf("%8zu %14.6g %14.6g", t, exact->grad_norm_sq[t], exact->loss[t]);
        for (size_t k = 0; k < exact->num_levels; k++)
            printf(" %14.6g", exact->dispersion[t * exact->num_levels + k]);
        puts("");
    }
}

static hsgd_status compute(const hsgd_config *config, const char *file, bool json, hsgd_error *err)
{
    hsgd_problem problem;
    hsgd_exact exact;
    double step_size;
    if (config->problem != HSGD_PROBLEM_QUADRATIC && config->problem != HSGD_PROBLEM_QUADRATIC_GENERATED)
        return hsgd_fail(err, HSGD_ERROR_INPUT, "%s: problem.type: exact moments are known for \"quadratic\" only",
                         file);
    hsgd_status status = hsgd_problem_build(&problem, config, file, err);
    if (status)
        return status;
    status = find_step_size(&step_size, config, &problem, err);
    if (!status && config->grouping == HSGD_GROUPING_RANDOM) /* the places of the first seed */
        status = hsgd_quadratic_permute(&problem.quadratic, problem.place, err);
    if (!status)
        status = hsgd_exact_moments(&exact, &problem.quadratic, &problem.hierarchy, problem.initial, step_size,
                                    config->steps, err);
    if (!status) {
        if (json)
            status = print_json(&exact, err);
        else
            print_table(&exact, step_size);
        hsgd_exact_free(&exact);
    }
    if (status == HSGD_ERROR_INPUT)
        hsgd_error_prefix(err, "%s: ", file);
    hsgd_problem_free(&problem);
    return status;
}

static int run(const hsgd_arguments *arguments)
{
    hsgd_error err;
    hsgd_config config;
    if (hsgd_config_read(&config, arguments->positional, &err))
        return hsgd_cli_fail(&err);
    hsgd_status status = compute(&config, arguments->positional, arguments->option[OPTION_JSON] != NULL, &err);
    hsgd_config_free(&config);
    return status ? hsgd_cli_fail(&err) : hsgd_cli_finish(HSGD_EXIT_OK);
}

const hsgd_command hsgd_command_exact = {
    .name = "exact",
    .positional = "CONFIG.json",
    .summary = "exact moments of H-SGD on a quadratic, without sampling",
    .details = "Under \"grouping\": \"random\" the places of the first seed are taken.",
    .option = options,
    .num_options = NUM_OPTIONS,
    .run = run,
};
