/* SPDX-License-Identifier: GPL-3.0-or-later */
/* hsgd hunt: looking for a counterexample. */
#include "experiments/run_private.h"

#include <math.h>
#include <string.h>
#include <unistd.h>

#include "analysis/threads.h"
#include "experiments/hunt.h"
#include "experiments/interrupt.h"

enum { OPTION_OUTPUT, OPTION_THREADS, OPTION_QUIET, NUM_OPTIONS };

static const hsgd_option options[NUM_OPTIONS] = {
    [OPTION_OUTPUT] = {"output", "DIR", "folder for results and figures (default: results/NAME)"},
    [OPTION_THREADS] = {"threads", "K",
                        "threads to use (default: all cores); with a budget in evaluations the result does not depend "
                        "on it"},
    [OPTION_QUIET] = {"quiet", NULL, "print nothing but errors"},
};

/* A violation of a weakened bound is what its author wants. */
static int exit_code(const hsgd_hunt *hunt)
{
    if (hunt->violated && !hunt->weakened)
        return HSGD_EXIT_VIOLATED;
    return hunt->found.ratio > 0 && hunt->confirmed ? HSGD_EXIT_OK : HSGD_EXIT_INCONCLUSIVE;
}

/* The numbers first, so that they are there whatever becomes of the figure. */
static int write_all(const hsgd_hunt *hunt, const char *dir, bool quiet)
{
    hsgd_error err;
    hsgd_figure_report report = {.num_files = 0};
    hsgd_status status = hsgd_hunt_write(hunt, dir, &err);
    if (!status)
        status = hsgd_hunt_plot(dir, NULL, &report, &err);
    if (!quiet) {
        hsgd_hunt_print(hunt, stdout);
        hsgd_cli_print_files(dir, "worst.json (for hsgd run and hsgd exact), hunt.json, hunt.csv", &report, "");
    }
    return hsgd_cli_finish(status ? hsgd_cli_fail(&err) : exit_code(hunt));
}

/* One line on a terminal, written again and again. */
static void tell_progress(const hsgd_hunt *hunt, double ratio)
{
    fprintf(stderr, "\r\033[K%zu evaluations, best ratio %.6g", hunt->evaluations, ratio);
}

static int run_in_folder(const hsgd_config *config, const hsgd_problem *problem, const char *file, const char *dir,
                         int threads, bool quiet)
{
    hsgd_error err;
    hsgd_hunt hunt;
    int lock;
    bool existed = access(dir, F_OK) == 0, terminal = !quiet && isatty(STDERR_FILENO);
    hsgd_interrupt interrupt;
    const hsgd_hunt_options how = {threads, terminal ? tell_progress : NULL, &interrupt.stop};
    hsgd_interrupt_watch(&interrupt, INFINITY);
    if (hsgd_folder_open(&lock, dir, HSGD_FOLDER_HUNT, &err))
        return hsgd_cli_fail(&err);
    hsgd_status status = hsgd_hunt_run(&hunt, config, problem, &how, &err);
    fputs(terminal ? "\r\033[K" : "", stderr);
    if (status) {
        hsgd_folder_unlock(lock);
        if (!existed)
            rmdir(dir); /* succeeds only while it is empty */
        if (err.status == HSGD_ERROR_INPUT)
            hsgd_error_prefix(&err, "%s: ", file);
        return hsgd_cli_fail(&err);
    }
    int code = write_all(&hunt, dir, quiet);
    hsgd_folder_unlock(lock);
    hsgd_hunt_free(&hunt);
    return code;
}

static hsgd_status read_all(hsgd_config *config, size_t *threads, const hsgd_arguments *arguments, hsgd_error *err)
{
    const char *wanted = arguments->option[OPTION_THREADS], *output = arguments->option[OPTION_OUTPUT];
    *threads = (size_t)hsgd_default_threads();
    if (output && !*output)
        return hsgd_fail(err, HSGD_ERROR_INPUT, "--output: \"\" is not the name of a folder");
    hsgd_status status = wanted ? hsgd_cli_count(wanted, "threads", 1, 1024, threads, err) : HSGD_OK;
    if (!status)
        status = hsgd_config_read(config, arguments->positional, err);
    if (status || config->has_hunt)
        return status;
    hsgd_config_free(config);
    return hsgd_fail(err, HSGD_ERROR_INPUT, "%s: hunt: is missing; it says what to look for and what is free",
                     arguments->positional);
}

static int run(const hsgd_arguments *arguments)
{
    hsgd_error err;
    hsgd_config config;
    hsgd_problem problem;
    char folder[128];
    size_t threads;
    int code;
    if (read_all(&config, &threads, arguments, &err))
        return hsgd_cli_fail(&err);
    hsgd_run_default_folder(folder, sizeof folder, config.name);
    if (hsgd_problem_build(&problem, &config, arguments->positional, &err))
        code = hsgd_cli_fail(&err);
    else {
        code = run_in_folder(&config, &problem, arguments->positional,
                             arguments->option[OPTION_OUTPUT] ? arguments->option[OPTION_OUTPUT] : folder, (int)threads,
                             arguments->option[OPTION_QUIET] != NULL);
        hsgd_problem_free(&problem);
    }
    hsgd_config_free(&config);
    return code;
}

const hsgd_command hsgd_command_hunt = {
    .name = "hunt",
    .positional = "CONFIG.json",
    .summary = "look for a quadratic that violates a bound; show the worst",
    .details = "The key \"hunt\" of the configuration says which bound, what may change, and for how long. Nothing is\n"
               "sampled. The worst problem is left as worst.json, for hsgd run and hsgd exact.",
    .option = options,
    .num_options = NUM_OPTIONS,
    .run = run,
};
