/* SPDX-License-Identifier: GPL-3.0-or-later */
/* From the arguments of a command to a result folder and an exit code. */
#include "experiments/run_private.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "analysis/threads.h"
#include "experiments/config.h"
#include "experiments/embedded_private.h"
#include "experiments/folder.h"
#include "experiments/problem.h"
#include "experiments/provenance.h"
#include "experiments/result.h"

/* ---- settings ---- */

static hsgd_status read_config(hsgd_config *config, const char **file, const hsgd_arguments *arguments, hsgd_error *err)
{
    *file = arguments->positional ? arguments->positional : "the built-in demo";
    hsgd_status status = arguments->positional
                             ? hsgd_config_read(config, *file, err)
                             : hsgd_config_parse(config, hsgd_embedded_demo, strlen(hsgd_embedded_demo), *file, err);
    if (!status && arguments->option[HSGD_RUN_OPTION_SEEDS]) {
        status = hsgd_cli_count(arguments->option[HSGD_RUN_OPTION_SEEDS], "seeds", 1, 1000000, &config->seeds, err);
        if (status)
            hsgd_config_free(config);
    }
    return status;
}

void hsgd_run_default_folder(char *out, size_t size, const char *name)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.";
    size_t length = (size_t)snprintf(out, size, "results/");
    for (; *name && length < 80 && length + 1 < size; name++, length++)
        out[length] = strchr(plain, *name) && (out[length - 1] != '/' || *name != '.') ? *name : '_';
    snprintf(out + length, size - length, "%s", out[length - 1] == '/' ? "experiment" : "");
}

/* ---- progress ---- */

void hsgd_run_draw_progress(void *context, double fraction)
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
    status = hsgd_folder_plot(dir, NULL, report, err);
    /* what gnuplot could not draw has its script and data there all the same */
    hsgd_status listed = write_json(experiment, dir, report, status ? NULL : err);
    return status ? status : listed;
}

/* report: NULL where the files could not be written. */
static void print_all(const hsgd_experiment *experiment, const hsgd_run_manner *manner, const char *dir,
                      const hsgd_figure_report *report)
{
    manner->print(experiment, stdout);
    if (!report || manner->plain_output)
        return;
    for (size_t i = 0; i < report->num_notes; i++)
        printf("  %s\n", report->note[i]);
    printf("\n  in %s: result.json, series.csv, nodes.csv", dir);
    for (size_t i = 0; i < report->num_files; i++)
        if (strstr(report->file[i], ".pdf"))
            printf(", %s", report->file[i]);
    puts("");
}

static int exit_code(hsgd_verdict verdict)
{
    switch (verdict) {
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
                          const hsgd_arguments *arguments, const hsgd_run_manner *manner, size_t threads,
                          const char *dir, const hsgd_provenance *provenance)
{
    hsgd_error err;
    hsgd_experiment experiment;
    hsgd_figure_report report;
    bool quiet = arguments->option[HSGD_RUN_OPTION_QUIET] != NULL, existed = access(dir, F_OK) == 0;
    int drawn = 0, lock;
    hsgd_experiment_options how = {.threads = (int)threads,
                                   .every_check = manner->every_check,
                                   .progress = !quiet && isatty(STDERR_FILENO) ? hsgd_run_draw_progress : NULL,
                                   .progress_context = &drawn,
                                   .provenance = provenance};
    if (hsgd_folder_open(&lock, dir, HSGD_FOLDER_RUN, &err))
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
    int code = status ? hsgd_cli_fail(&err) : exit_code(manner->every_check ? experiment.worst : experiment.overall);
    if (!quiet)
        print_all(&experiment, manner, dir, status ? NULL : &report);
    hsgd_experiment_free(&experiment);
    return hsgd_cli_finish(code);
}

/* The same, with what is to be said about where the result comes from. */
static int run_and_tell(const hsgd_config *config, const hsgd_problem *problem, const char *file,
                        const hsgd_arguments *arguments, const hsgd_run_manner *manner, size_t threads, const char *dir)
{
    hsgd_error err;
    hsgd_provenance provenance;
    int code = hsgd_provenance_find(&provenance, config, manner->command, threads, &err)
                   ? hsgd_cli_fail(&err)
                   : run_and_report(config, problem, file, arguments, manner, threads, dir, &provenance);
    hsgd_provenance_free(&provenance);
    return code;
}

static int predict(const hsgd_config *config, const hsgd_problem *problem, const char *file, size_t threads)
{
    hsgd_error err;
    hsgd_prediction p;
    const hsgd_experiment_options how = {.threads = (int)threads};
    if (hsgd_experiment_predict(&p, config, problem, &how, &err)) {
        if (err.status == HSGD_ERROR_INPUT)
            hsgd_error_prefix(&err, "%s: ", file);
        return hsgd_cli_fail(&err);
    }
    char *data = !problem->has_data ? NULL : hsgd_data_describe(&problem->read, &config->data);
    if (data)
        printf("data: %s\n", data);
    free(data);
    printf(
        "about %.2g s and %.3g MB: %zu simulation%s, %zu run%s of %zu steps each, on %zu thread%s (tried for %.2g s)\n",
        p.time_s, p.memory_bytes / 1e6, p.num_runs, p.num_runs == 1 ? "" : "s", p.num_seeds,
        p.num_seeds == 1 ? "" : "s", config->steps, threads, threads == 1 ? "" : "s", p.trial_time_s);
    return hsgd_cli_finish(HSGD_EXIT_OK);
}

int hsgd_run_main(const hsgd_arguments *arguments, const hsgd_run_manner *manner)
{
    hsgd_error err;
    hsgd_config config;
    hsgd_problem problem;
    const char *file, *output = arguments->option[HSGD_RUN_OPTION_OUTPUT];
    const char *wanted_threads = arguments->option[HSGD_RUN_OPTION_THREADS];
    char folder[128];
    size_t threads = (size_t)hsgd_default_threads();
    if (wanted_threads && hsgd_cli_count(wanted_threads, "threads", 1, 1024, &threads, &err))
        return hsgd_cli_fail(&err);
    hsgd_threads_limit((int)threads);
    if (output && !*output) {
        hsgd_fail(&err, HSGD_ERROR_INPUT, "--output: \"\" is not the name of a folder");
        return hsgd_cli_fail(&err);
    }
    if (read_config(&config, &file, arguments, &err))
        return hsgd_cli_fail(&err);
    int code;
    if (hsgd_problem_build(&problem, &config, file, &err))
        code = hsgd_cli_fail(&err);
    else {
        hsgd_run_default_folder(folder, sizeof folder, config.name);
        if (!arguments->option[HSGD_RUN_OPTION_QUIET])
            warn_about_unused(&config, &problem);
        code = arguments->option[HSGD_RUN_OPTION_DRY_RUN]
                   ? predict(&config, &problem, file, threads)
                   : run_and_tell(&config, &problem, file, arguments, manner, threads, output ? output : folder);
        hsgd_problem_free(&problem);
    }
    hsgd_config_free(&config);
    return code;
}
