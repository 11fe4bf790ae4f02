/* SPDX-License-Identifier: GPL-3.0-or-later */
/* From the arguments of a command to a result folder and an exit code. */
#include "experiments/run_private.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cjson/cJSON.h>

#include "analysis/threads.h"
#include "experiments/config.h"
#include "experiments/embedded_private.h"
#include "experiments/folder.h"
#include "experiments/problem.h"
#include "experiments/provenance.h"
#include "experiments/result.h"
#include "experiments/run_keep_private.h"

/* ---- settings ---- */

/* Standard input belongs to the first process, which hands the configuration on, as it would write it. */
static hsgd_status share_input(hsgd_config *config, const char *file, const hsgd_team *team, hsgd_error *err)
{
    char *text = NULL;
    bool first = hsgd_team_rank(team) == 0;
    size_t length = 0;
    hsgd_status status = first ? hsgd_config_read(config, file, err) : HSGD_OK;
    bool read = first && !status;
    if (read && !(text = hsgd_config_to_json(config)))
        status = hsgd_fail_memory(err, "the configuration");
    length = text ? strlen(text) : 0;
    status = hsgd_team_agree(team, status, err);
    if (!status)
        status = hsgd_team_broadcast(team, 0, &length, sizeof length, err);
    if (!status && !first && !(text = cJSON_malloc(length + 1)))
        status = hsgd_fail_memory(err, "the configuration");
    if (!status)
        status = hsgd_team_broadcast(team, 0, text, length, err);
    if (!status && !first)
        status = hsgd_config_parse(config, text, length, file, err);
    if (status && read)
        hsgd_config_free(config);
    cJSON_free(text);
    return status;
}

static hsgd_status read_file(hsgd_config *config, const char *file, const hsgd_ranks *ranks, hsgd_error *err)
{
    return ranks->many && strcmp(file, "-") == 0 ? share_input(config, file, hsgd_ranks_team(ranks), err)
                                                 : hsgd_config_read(config, file, err);
}

static hsgd_status read_config(hsgd_config *config, const char **file, const hsgd_arguments *arguments,
                               const hsgd_ranks *ranks, hsgd_error *err)
{
    *file = arguments->positional ? arguments->positional : "the built-in demo";
    hsgd_status status = arguments->positional
                             ? read_file(config, *file, ranks, err)
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
        out[length] = (char)(strchr(plain, *name) && (out[length - 1] != '/' || *name != '.') ? *name : '_');
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

static hsgd_status plot(const hsgd_experiment *experiment, const char *dir, hsgd_figure_report *report, hsgd_error *err)
{
    char *result = hsgd_result_to_json(experiment, NULL, 0);
    hsgd_status status =
        result ? hsgd_folder_plot_result(dir, result, report, err) : hsgd_fail_memory(err, "result.json");
    cJSON_free(result);
    return status;
}

/* result.json comes last: a folder that has one is whole. */
static hsgd_status write_all(const hsgd_experiment *experiment, const char *dir, hsgd_figure_report *report,
                             hsgd_error *err)
{
    report->num_files = report->num_notes = 0;
    hsgd_status status = hsgd_folder_clear(dir, err);
    if (!status)
        status = hsgd_result_write_series(experiment, dir, err);
    if (!status)
        status = hsgd_result_write_nodes(experiment, dir, err);
    if (status)
        return status;
    status = plot(experiment, dir, report, err);
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

/* What to run, and who runs it. */
typedef struct job {
    const hsgd_config *config;
    const hsgd_problem *problem;
    const char *file;
    hsgd_run_keep *keep;
    const hsgd_run_manner *manner;
    size_t threads;
    char folder[128]; /* where nothing is said about one */
    hsgd_provenance provenance;
    char *identity;
} job;

static const hsgd_team *team_of(const job *j)
{
    return hsgd_ranks_team(&j->keep->ranks);
}

/* The run failed, or was stopped. */
static int give_up(const job *j, hsgd_error *err, int drawn)
{
    if (drawn)
        fputs("\r\033[K", stderr);
    if (hsgd_ranks_are_broken(&j->keep->ranks))
        return hsgd_run_keep_died(j->keep, err);
    if (err->status == HSGD_STOPPED)
        return hsgd_run_keep_stop(j->keep, err);
    if (err->status == HSGD_ERROR_INPUT)
        hsgd_error_prefix(err, "%s: ", j->file);
    return hsgd_cli_fail(err);
}

static hsgd_experiment_options options_of(const job *j)
{
    return (hsgd_experiment_options){.threads = (int)j->threads,
                                     .every_check = j->manner->every_check,
                                     .stop = &j->keep->ranks.stop,
                                     .team = team_of(j),
                                     .provenance = &j->provenance};
}

/* With the folder open; existed: it was there before. */
static int run_in_folder(const job *j, int lock, bool existed)
{
    hsgd_error err;
    hsgd_experiment experiment;
    hsgd_figure_report report;
    bool quiet = j->keep->quiet;
    int drawn = 0, code;
    hsgd_experiment_options how = options_of(j);
    how.progress = !quiet && isatty(STDERR_FILENO) ? hsgd_run_draw_progress : NULL;
    how.progress_context = &drawn;
    hsgd_status status = hsgd_run_keep_open(j->keep, j->identity, &err);
    how.checkpoint = j->keep->checkpoint;
    if (status || hsgd_experiment_run(&experiment, j->config, j->problem, &how, &err)) {
        code = status ? hsgd_cli_fail(&err) : give_up(j, &err, drawn);
        hsgd_folder_unlock(lock);
        if (!existed)
            rmdir(j->keep->dir); /* succeeds only while it is empty */
        return code;
    }
    status = write_all(&experiment, j->keep->dir, &report, &err);
    if (!status)
        hsgd_run_keep_finish(j->keep);
    else
        hsgd_checkpoint_flush(j->keep->checkpoint, NULL); /* so that --resume need only write */
    hsgd_folder_unlock(lock);
    code = status ? hsgd_cli_fail(&err) : exit_code(j->manner->every_check ? experiment.worst : experiment.overall);
    if (!quiet)
        print_all(&experiment, j->manner, j->keep->dir, status ? NULL : &report);
    hsgd_experiment_free(&experiment);
    return hsgd_cli_finish(code);
}

/* The first process says whether there is anything to run. */
static hsgd_status tell_whether_to_run(const job *j, hsgd_status opened, int *runs, hsgd_error *err)
{
    hsgd_status status = hsgd_team_agree(team_of(j), opened, err);
    return status ? status : hsgd_team_broadcast(team_of(j), 0, runs, sizeof *runs, err);
}

static int run_and_report(const job *j)
{
    hsgd_run_keep *keep = j->keep;
    hsgd_error err;
    bool existed = access(keep->dir, F_OK) == 0;
    int lock, code = HSGD_EXIT_OK, runs = 1;
    hsgd_status status = hsgd_folder_open(&lock, keep->dir, HSGD_FOLDER_RUN, &err);
    if (!status)
        runs = !hsgd_run_keep_is_complete(keep, j->identity, j->manner->every_check, &code);
    bool locked = !status;
    status = tell_whether_to_run(j, status, &runs, &err);
    if (!status && runs)
        return run_in_folder(j, lock, existed);
    if (!status)
        hsgd_run_keep_finish(keep);
    if (locked)
        hsgd_folder_unlock(lock);
    return status ? hsgd_cli_fail(&err) : code;
}

/* What the other processes do meanwhile. */
static int serve(const job *j)
{
    hsgd_error err;
    int runs = 1;
    hsgd_experiment_options how = options_of(j);
    hsgd_status status = tell_whether_to_run(j, HSGD_OK, &runs, &err);
    if (!status && runs)
        status = hsgd_run_keep_open(j->keep, j->identity, &err);
    how.checkpoint = j->keep->checkpoint;
    if (!status && runs)
        status = hsgd_experiment_serve(j->config, j->problem, &how, &err);
    return status ? give_up(j, &err, 0) : HSGD_EXIT_OK;
}

/* The same, with what is to be said about where the result comes from, which is the same for all processes. */
static int run_and_tell(job *j)
{
    hsgd_error err;
    hsgd_status status = hsgd_provenance_find(&j->provenance, j->config, j->manner->command, j->threads,
                                              hsgd_ranks_team(&j->keep->ranks), &err);
    if (!status && !(j->identity = hsgd_checkpoint_identity(&j->provenance, j->problem)))
        status = hsgd_fail_memory(&err, "the checkpoint");
    status = hsgd_team_agree(team_of(j), status, &err);
    if (!status)
        status = hsgd_ranks_compare(&j->keep->ranks, j->identity, "the program, the configuration or the data", &err);
    if (!status && !j->problem->is_quadratic)
        hsgd_run_compare_arithmetic(j->keep);
    int code = status ? hsgd_cli_fail(&err) : hsgd_team_rank(team_of(j)) == 0 ? run_and_report(j) : serve(j);
    free(j->identity);
    hsgd_provenance_free(&j->provenance);
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
    if (p.worst_case_s > 0)
        printf("and %s%.2g s for the worst case, on one thread\n", p.worst_case_s < 0.1 ? "less than " : "some ",
               fmax(0.1, p.worst_case_s));
    return hsgd_cli_finish(HSGD_EXIT_OK);
}

/* Threads as wanted, or all there are for this process. */
static hsgd_status choose_threads(size_t *threads, const hsgd_arguments *arguments, const hsgd_ranks *ranks,
                                  hsgd_error *err)
{
    const char *wanted = arguments->option[HSGD_RUN_OPTION_THREADS];
    *threads = (size_t)hsgd_ranks_threads(ranks, err);
    hsgd_status status = wanted ? hsgd_cli_count(wanted, "threads", 1, 1024, threads, err) : HSGD_OK;
    if (!status)
        hsgd_threads_limit((int)*threads);
    return status;
}

static hsgd_status check_options(const hsgd_arguments *arguments, const hsgd_ranks *ranks, hsgd_error *err)
{
    const char *output = arguments->option[HSGD_RUN_OPTION_OUTPUT];
    if (output && !*output)
        return hsgd_fail(err, HSGD_ERROR_INPUT, "--output: \"\" is not the name of a folder");
    if (ranks->many && arguments->option[HSGD_RUN_OPTION_DRY_RUN])
        return hsgd_fail(err, HSGD_ERROR_INPUT, "--dry-run: predicts what one process would do; start one");
    return HSGD_OK;
}

/* More processes than the seeds and the groups can use. */
static void tell_idle(const job *j)
{
    const hsgd_team *team = team_of(j);
    size_t idle = team ? hsgd_experiment_idle(j->config, j->problem, team) : 0;
    if (idle > 0)
        fprintf(stderr,
                "hsgd: note: %zu of %d processes %s nothing to do: there are no more seeds, and no more groups of "
                "workers that pay\n",
                idle, team->size, idle == 1 ? "has" : "have");
}

/* More threads than cores: those that wait are in the way of the others, unless OpenMP is told. */
static void tell_crowded(const job *j)
{
    const hsgd_team *team = team_of(j);
    size_t cores = (size_t)hsgd_ranks_cores();
    if (team && !getenv("OMP_WAIT_POLICY") && j->threads > 1 && j->threads * (size_t)team->on_host > cores)
        fprintf(stderr,
                "hsgd: note: %d processes with %zu threads each share %zu cores of %s; OMP_WAIT_POLICY=passive makes "
                "threads wait without a core\n",
                team->on_host, j->threads, cores, team->host);
}

/* Once there is a problem. */
static int run_problem(job *j)
{
    const char *output = j->keep->arguments->option[HSGD_RUN_OPTION_OUTPUT];
    bool speaks = !j->keep->quiet && hsgd_ranks_speak();
    hsgd_run_default_folder(j->folder, sizeof j->folder, j->config->name);
    j->keep->dir = output ? output : j->folder;
    if (speaks) {
        warn_about_unused(j->config, j->problem);
        tell_idle(j);
        tell_crowded(j);
    }
    return j->keep->arguments->option[HSGD_RUN_OPTION_DRY_RUN] ? predict(j->config, j->problem, j->file, j->threads)
                                                               : run_and_tell(j);
}

/* All processes of the command, of which there may be several. */
static int run_all(hsgd_run_keep *keep, const hsgd_run_manner *manner)
{
    hsgd_error err;
    hsgd_config config;
    hsgd_problem problem;
    job j = {.config = &config, .problem = &problem, .keep = keep, .manner = manner};
    if (choose_threads(&j.threads, keep->arguments, &keep->ranks, &err) ||
        check_options(keep->arguments, &keep->ranks, &err))
        return hsgd_cli_fail(&err);
    hsgd_status read = read_config(&config, &j.file, keep->arguments, &keep->ranks, &err), built = read;
    if (!read)
        built = hsgd_problem_build(&problem, &config, j.file, &err);
    hsgd_status status = hsgd_team_agree(team_of(&j), built, &err);
    int code = status ? hsgd_cli_fail(&err) : run_problem(&j);
    if (!built)
        hsgd_problem_free(&problem);
    if (!read)
        hsgd_config_free(&config);
    return code;
}

int hsgd_run_main(const hsgd_arguments *arguments, const hsgd_run_manner *manner)
{
    hsgd_error err;
    hsgd_run_keep keep;
    if (hsgd_run_keep_begin(&keep, arguments, &err))
        return hsgd_cli_fail(&err);
    return hsgd_run_keep_end(&keep, run_all(&keep, manner));
}
