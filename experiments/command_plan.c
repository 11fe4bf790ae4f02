/* SPDX-License-Identifier: GPL-3.0-or-later */
/* hsgd plan: which tree, which periods, which step size? */
#include "experiments/cli_private.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "analysis/threads.h"
#include "experiments/folder_private.h"
#include "experiments/plan_private.h"
#include "experiments/run_private.h"
#include "plots/plan.h"

enum { OPTION_OUTPUT, OPTION_THREADS, OPTION_JSON, OPTION_QUIET, NUM_OPTIONS };

static const hsgd_option options[NUM_OPTIONS] = {
    [OPTION_OUTPUT] = {"output", "DIR", "folder for the plan and its figure (default: results/NAME)"},
    [OPTION_THREADS] = {"threads", "K", "threads to use (default: all cores); the plan does not depend on it"},
    [OPTION_JSON] = {"json", NULL, "print plan.json instead of tables"},
    [OPTION_QUIET] = {"quiet", NULL, "print nothing but errors"},
};

static hsgd_status set_threads(const hsgd_arguments *arguments, hsgd_error *err)
{
    size_t threads = (size_t)hsgd_default_threads();
    const char *text = arguments->option[OPTION_THREADS];
    hsgd_status status = text ? hsgd_cli_count(text, "threads", 1, 1024, &threads, err) : HSGD_OK;
    if (!status && arguments->option[OPTION_OUTPUT] && !*arguments->option[OPTION_OUTPUT])
        status = hsgd_fail(err, HSGD_ERROR_INPUT, "--output: \"\" is not the name of a folder");
    if (!status)
        hsgd_threads_limit((int)threads);
    return status;
}

static void print_files(const char *dir, const hsgd_figure_report *report, bool with_config, const char *note)
{
    if (*note)
        printf("\n  no plan-best.json: %s\n", note);
    hsgd_cli_print_files(dir,
                         with_config ? "plan.json, plan.csv, plan-params.json, plan-best.json"
                                     : "plan.json, plan.csv, plan-params.json",
                         report, "");
}

/* Numbers first, so that they are safe whatever becomes of the figure. */
static int write_folder(const hsgd_plan_analysis *analysis, const char *dir, const hsgd_arguments *arguments)
{
    hsgd_error err;
    hsgd_figure_report report = {.num_files = 0};
    char note[HSGD_MESSAGE_SIZE];
    bool with_config, quiet = arguments->option[OPTION_QUIET] != NULL, json = arguments->option[OPTION_JSON] != NULL;
    hsgd_status status = hsgd_plan_write(analysis, dir, note, sizeof note, &with_config, &err);
    if (!status && analysis->setting->with_figure)
        status = hsgd_plan_plot(dir, NULL, &report, &err);
    else if (!status)
        status = hsgd_folder_remove_figure(dir, HSGD_PLAN_FIGURE, &err); /* that of an earlier plan */
    hsgd_status printed = json ? hsgd_json_put(hsgd_plan_to_json(analysis), status ? NULL : &err) : HSGD_OK;
    status = status ? status : printed;
    if (!quiet && !json) {
        hsgd_plan_print(analysis, stdout);
        print_files(dir, &report, with_config, note);
    }
    fflush(stdout);
    return status ? hsgd_cli_fail(&err) : hsgd_cli_finish(HSGD_EXIT_OK);
}

static int write_in(const hsgd_plan_analysis *analysis, const char *dir, const hsgd_arguments *arguments)
{
    hsgd_error err;
    int lock;
    if (hsgd_folder_open(&lock, dir, HSGD_FOLDER_PLAN, &err))
        return hsgd_cli_fail(&err);
    int code = write_folder(analysis, dir, arguments);
    hsgd_folder_unlock(lock);
    return code;
}

/* Nothing is written where there is no plan: exit code 3, and the condition that fails. */
static int conclude(const hsgd_plan_analysis *analysis, const hsgd_arguments *arguments)
{
    const hsgd_plan_setting *setting = analysis->setting;
    const hsgd_plan_result *result = &hsgd_plan_last(analysis)->result[HSGD_PLAN_ALL];
    char folder[128];
    if (!result->best.found) {
        fprintf(stderr, "hsgd: %s: no plan for %s within %g s: %s\n", arguments->positional, setting->bound->id,
                hsgd_plan_last(analysis)->budget_s, result->reason);
        return hsgd_cli_finish(HSGD_EXIT_INCONCLUSIVE);
    }
    hsgd_run_default_folder(folder, sizeof folder, setting->name);
    const char *dir = arguments->option[OPTION_OUTPUT] ? arguments->option[OPTION_OUTPUT] : folder;
    return write_in(analysis, dir, arguments);
}

/* A bar on a terminal, drawn anew when it grows; gone at the end. */
static void draw_progress(void *context, double share)
{
    enum { WIDTH = 40 };
    int *drawn = context, width = (int)(share * WIDTH);
    if (width <= *drawn)
        return;
    *drawn = width;
    fprintf(stderr, "\r[%-*.*s] %3.0f %%", WIDTH, width, "########################################", 100 * share);
    if (width >= WIDTH)
        fputs("\r\033[K", stderr);
}

static int run(const hsgd_arguments *arguments)
{
    hsgd_error err;
    int drawn = 0;
    bool quiet = arguments->option[OPTION_QUIET] != NULL;
    hsgd_plan_watcher watcher = {.tell = !quiet && isatty(STDERR_FILENO) ? draw_progress : NULL, .context = &drawn};
    hsgd_plan_setting setting;
    hsgd_plan_analysis analysis;
    if (set_threads(arguments, &err) || hsgd_plan_read(&setting, arguments->positional, &err))
        return hsgd_cli_fail(&err);
    hsgd_status status = hsgd_plan_analyse(&analysis, &setting, watcher, &err);
    if (status == HSGD_ERROR_INPUT)
        hsgd_error_prefix(&err, "%s: ", arguments->positional);
    int code = status ? hsgd_cli_fail(&err) : conclude(&analysis, arguments);
    hsgd_plan_analysis_free(&analysis);
    hsgd_plan_setting_free(&setting);
    return code;
}

const hsgd_command hsgd_command_plan = {
    .name = "plan",
    .positional = "PLAN.json",
    .summary = "find the tree, periods and step size with the smallest bound in a time budget",
    .details = "PLAN.json holds the number of workers, the network and its costs, the constants, a bound and a budget "
               "of seconds.\n"
               "The search is complete: no tree and periods within the limits asked for have a smaller bound. The exit "
               "code is 3\n"
               "where no plan is feasible.",
    .option = options,
    .num_options = NUM_OPTIONS,
    .run = run,
};
