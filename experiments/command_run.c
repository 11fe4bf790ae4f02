/* SPDX-License-Identifier: GPL-3.0-or-later */
/* hsgd run: the main job. */
#include "experiments/run_private.h"

#include "experiments/result.h"

static const hsgd_option options[HSGD_NUM_RUN_OPTIONS] = {HSGD_RUN_OPTIONS};

static int run(const hsgd_arguments *arguments)
{
    return hsgd_run_main(arguments, &(hsgd_run_manner){.command = "run", .print = hsgd_result_print});
}

const hsgd_command hsgd_command_run = {
    .name = "run",
    .positional = "[CONFIG.json]",
    .summary = "simulate, measure, compare with every bound; write results and figures",
    .details = "Without a configuration the built-in demo runs. \"-\" reads standard input.",
    .option = options,
    .num_options = HSGD_NUM_RUN_OPTIONS,
    .run = run,
    .shares = true,
};
