/* SPDX-License-Identifier: GPL-3.0-or-later */
/* hsgd run: the main job. */
#include "experiments/cli_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "analysis/threads.h"
#include "experiments/config.h"
#include "experiments/embedded_private.h"
#include "experiments/experiment.h"
#include "experiments/folder.h"
#include "experiments/problem.h"
#include "experiments/result.h"

enum { OPTION_OUTPUT, OPTION_THREADS, OPTION_SEEDS, OPTION_QUIET, NUM_OPTIONS };

static const hsgd_option options[NUM_OPTIONS] = {
    [OPTION_OUTPUT] = {"output", "DIR", "folder for results and figures (default: results/NAME)"},
    [OPTION_THREADS] = {"threads", "K", "threads to use (default: all cores); the numbers do not depend on it"},
    [OPTION_SEEDS] = {"seeds", "R", "number of seeds, instead of the configuration's"},
    [OPTION_QUIET] = {"quiet", NULL, "print nothing but errors"},
};

/* ---- settings ---- */

static hsgd_status read_config(hsgd_config *config, const char **file, const hsgd_arguments *arguments, hsgd_error *err)
{
    *file = arguments->positional ? arguments->positional : "the built-in demo";
    hsgd_status status = arguments->positional
                             ? hsgd_config_read(config, *file, err)
                             : hsgd_config_parse(config, hsgd_embedded_demo, strlen(hsgd_embedded_demo), *file, err);
    if (!status && arguments->option[OPTION_SEEDS]) {
        status = hsgd_cli_count(arguments->option[OPTION_SEEDS], "seeds", 1, 1000000, &config->seeds, err);
        if (status)
            hsgd_config_free(config);
    }
    return status;
}

/* results/NAME, with everything replaced that is not plain in a file name. */
static void default_folder(char *out, size_t size, const char *name)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.";
    size_t length = (size_t)snprintf(out, size, "results/");
    for (; *name && length < 80 && length + 1 < size; name++, length++)
        out[length] = strchr(plain, *name) && (out[length - 1] != '/' || *name != '.') ? *name : '_';
    snprintf(out + length, size - length, "%s", out[length - 1] == '/' ? "experiment" : "");
}

/* ---- progress ---- */

/* A bar on a terminal; the last width printed is remembered, so that it is redrawn only when it grows. */
static void draw_progress(void *context, double fraction)
{
    enum { WIDTH = 40 };
    int *drawn = context, width = (int)(fraction * WIDTH);
    if (width <= *drawn)
        return;
    *drawn = width;
    fprintf(stderr, "\r[%-*.*s] %3.0f %%", WIDTH, width, "########################################", 100 * fraction);
    if (width >= WIDTH)
        fputs("\r\033[K", stderr);
}

/* ---- results ---- */

static hsgd_status write_json(const hsgd_experiment *experiment, const char *dir, const hsgd_figure_report *report,
                              hsgd_error *err)
{
    const char *file[3 + HSGD_MAX_FIGURE_FILES] = {"result.json", "series.csv", "nodes.csv"};
    size_t num_files = 3;
    for (size_t i = 0; i < report->num_files; i++)
        file[num_files++] = report->file[i];
    return hsgd_result_write_json(experiment, dir, file, num_files, err);
}

/* Numbers first, so that they are safe whatever becomes of the figures. */
static hsgd_status write_all(const hsgd_experiment *experiment, const char *dir, hsgd_figure_report *report,
                             hsgd_error *err)
{
    report->num_files = report->num_notes = 0;
    hsgd_status status = hsgd_folder_clear(dir, err);
    if (!status)
        status = hsgd_result_write_series(experiment, dir, err);
    if (!status)
        status = hsgd_result_write_nodes(experiment, dir, err);
    if (!status)
        status = write_json(experiment, dir, report, err);
    if (status)
        return status;
    status = hsgd_folder_plot(dir, HSGD_FIGURE_PDF, report, err);
    /* what gnuplot could not draw has its script and data there all the same */
    hsgd_status listed = write_json(experiment, dir, report, status ? NULL : err);
    return status ? status : listed;
}

/* report: NULL where the files could not be written. */
static void print_all(const hsgd_experiment *experiment, const char *dir, const hsgd_figure_report *report)
{
    hsgd_result_print(experiment, stdout);
    if (!report)
        return;
    for (size_t i = 0; i < report->num_notes; i++)
        printf("  %s\n", report->note[i]);
    printf("\n  in %s: result.json, series.csv, nodes.csv", dir);
    for (size_t i = 0; i < report->num_files; i++)
        if (strstr(report->file[i], ".pdf"))
            printf(", %s", report->file[i]);
    puts("");
}

static int exit_code(const hsgd_experiment *experiment)
{
    switch (experiment->overall) {
    case HSGD_VERDICT_VIOLATED:
        return HSGD_EXIT_VIOLATED;
    case HSGD_VERDICT_INCONCLUSIVE:
        return HSGD_EXIT_INCONCLUSIVE;
    case HSGD_VERDICT_HOLDS:
    case HSGD_VERDICT_NOT_APPLICABLE:
        break;
    }
    return HSGD_EXIT_OK;
}

/* ---- the command ---- */

static void warn_about_unused(const hsgd_config *config, const hsgd_problem *problem)
{
    if (problem->is_quadratic && config->batch_size > 0)
        fputs("hsgd: note: batch_size has no meaning for a quadratic, whose noise is noise_variance\n", stderr);
}

static int run_and_report(const hsgd_config *config, const hsgd_problem *problem, const char *file,
                          const hsgd_arguments *arguments, size_t threads, const char *dir)
{
    hsgd_error err;
    hsgd_experiment experiment;
    hsgd_figure_report report;
    bool quiet = arguments->option[OPTION_QUIET] != NULL, existed = access(dir, F_OK) == 0;
    int drawn = 0, lock;
    hsgd_experiment_options how = {(int)threads, !quiet && isatty(STDERR_FILENO) ? draw_progress : NULL, &drawn};
    if (hsgd_folder_make(dir, &err) || hsgd_folder_lock(&lock, dir, &err))
        return hsgd_cli_fail(&err);
    if (hsgd_experiment_run(&experiment, config, problem, &how, &err)) {
        hsgd_folder_unlock(lock);
        if (!existed)
            rmdir(dir); /* succeeds only while it is empty */
        if (err.status == HSGD_ERROR_INPUT)
            hsgd_error_prefix(&err, "%s: ", file);
        return hsgd_cli_fail(&err);
    }
    hsgd_status status = write_all(&experiment, dir, &report, &err);
    hsgd_folder_unlock(lock);
    int code = status ? hsgd_cli_fail(&err) : exit_code(&experiment);
    if (!quiet)
        print_all(&experiment, dir, status ? NULL : &report);
    hsgd_experiment_free(&experiment);
    return hsgd_cli_finish(code);
}

static int run(const hsgd_arguments *arguments)
{
    hsgd_error err;
    hsgd_config config;
    hsgd_problem problem;
    const char *file;
    char folder[128];
    size_t threads = (size_t)hsgd_default_threads();
    if (arguments->option[OPTION_THREADS] &&
        hsgd_cli_count(arguments->option[OPTION_THREADS], "threads", 1, 1024, &threads, &err))
        return hsgd_cli_fail(&err);
    if (arguments->option[OPTION_OUTPUT] && !*arguments->option[OPTION_OUTPUT]) {
        hsgd_fail(&err, HSGD_ERROR_INPUT, "--output: \"\" is not the name of a folder");
        return hsgd_cli_fail(&err);
    }
    if (read_config(&config, &file, arguments, &err))
        return hsgd_cli_fail(&err);
    int code;
    if (hsgd_problem_build(&problem, &config, file, &err))
        code = hsgd_cli_fail(&err);
    else {
        default_folder(folder, sizeof folder, config.name);
        if (!arguments->option[OPTION_QUIET])
            warn_about_unused(&config, &problem);
        code = run_and_report(&config, &problem, file, arguments, threads,
                              arguments->option[OPTION_OUTPUT] ? arguments->option[OPTION_OUTPUT] : folder);
        hsgd_problem_free(&problem);
    }
    hsgd_config_free(&config);
    return code;
}

const hsgd_command hsgd_command_run = {
    .name = "run",
    .positional = "[CONFIG.json]",
    .summary = "simulate, measure, compare with every bound; write results and figures",
    .details = "Without a configuration the built-in demo runs. \"-\" reads standard input.",
    .option = options,
    .num_options = NUM_OPTIONS,
    .run = run,
};
