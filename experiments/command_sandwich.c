/* SPDX-License-Identifier: GPL-3.0-or-later */
/* hsgd sandwich: the sandwich inequality in rational arithmetic. */
#include "experiments/cli_private.h"

#include <stdio.h>

#include "experiments/bound_json_private.h"
#include "experiments/json_private.h"

enum { OPTION_FANOUT, OPTION_PERIODS, OPTION_JSON, NUM_OPTIONS };

static const hsgd_option options[NUM_OPTIONS] = {
    [OPTION_FANOUT] = {"fanout", "N_1,..,N_M", "children of the nodes of each level"},
    [OPTION_PERIODS] = {"periods", "P_1,..,P_M", "aggregation periods in steps, each dividing the one before"},
    [OPTION_JSON] = {"json", NULL, "print JSON instead of text"},
};

static hsgd_status read_hierarchy(hsgd_hierarchy *out, const hsgd_arguments *arguments, hsgd_error *err)
{
    size_t fanout[HSGD_MAX_LEVELS], periods[HSGD_MAX_LEVELS], levels, num_periods;
    const char *fanout_text = arguments->option[OPTION_FANOUT], *periods_text = arguments->option[OPTION_PERIODS];
    if (!fanout_text || !periods_text)
        return hsgd_fail(err, HSGD_ERROR_INPUT, "sandwich: --%s is missing; see hsgd sandwich --help",
                         fanout_text ? "periods" : "fanout");
    hsgd_status status =
        hsgd_cli_counts(fanout_text, "fanout", 1, HSGD_MAX_WORKERS, fanout, HSGD_MAX_LEVELS, &levels, err);
    if (!status)
        status =
            hsgd_cli_counts(periods_text, "periods", 1, HSGD_MAX_PERIOD, periods, HSGD_MAX_LEVELS, &num_periods, err);
    if (!status && num_periods != levels)
        status = hsgd_fail(err, HSGD_ERROR_INPUT, "--periods: \"%s\" has %zu numbers for %zu levels of --fanout",
                           periods_text, num_periods, levels);
    if (status)
        return status;
    status = hsgd_hierarchy_uniform(out, fanout, periods, levels, err);
    if (status)
        hsgd_error_prefix(err, "--");
    return status;
}

static void print_side(const char *name, const hsgd_sandwich_side *side)
{
    printf("%-11s %s %s %s %s %s   (%.6g, %.6g, %.6g)\n", name, side->text[0], side->strict ? "<" : "<=", side->text[1],
           side->strict ? "<" : "<=", side->text[2], side->value[0], side->value[1], side->value[2]);
}

static void print_text(const hsgd_sandwich *sandwich)
{
    print_side("noise", &sandwich->noise);
    print_side("divergence", &sandwich->divergence);
    puts(sandwich->holds ? "the sandwich holds (exact)" : "the sandwich is violated (exact)");
}

static int run(const hsgd_arguments *arguments)
{
    hsgd_error err;
    hsgd_hierarchy h;
    hsgd_sandwich sandwich;
    if (read_hierarchy(&h, arguments, &err))
        return hsgd_cli_fail(&err);
    hsgd_status status = hsgd_sandwich_decide(&sandwich, &h, &err);
    hsgd_hierarchy_free(&h);
    if (status)
        return hsgd_cli_fail(&err);
    if (arguments->option[OPTION_JSON])
        status = hsgd_json_put(hsgd_sandwich_to_json(&sandwich), &err);
    else
        print_text(&sandwich);
    int code = sandwich.holds ? HSGD_EXIT_OK : HSGD_EXIT_VIOLATED;
    hsgd_sandwich_free(&sandwich);
    return status ? hsgd_cli_fail(&err) : hsgd_cli_finish(code);
}

const hsgd_command hsgd_command_sandwich = {
    .name = "sandwich",
    .summary = "check exactly that H-SGD's bound lies between those of two local SGDs",
    .details = "Prints I <= sum lambda_k P_k <= G for the noise part and I^2 <= sum lambda_k P_k^2 <= G^2 for the\n"
               "divergence part, in rational arithmetic.",
    .option = options,
    .num_options = NUM_OPTIONS,
    .run = run,
};
