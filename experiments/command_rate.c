/* SPDX-License-Identifier: GPL-3.0-or-later */
/* hsgd rate: how fast does S fall with T, n or another number, and is that the theory's rate? */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "analysis/threads.h"
#include "experiments/points_keep_private.h"
#include "experiments/rate_private.h"
#include "experiments/run_private.h"

enum {
    OPTION_OUTPUT,
    OPTION_THREADS,
    OPTION_SEEDS,
    OPTION_JSON,
    OPTION_DRY_RUN,
    OPTION_QUIET,
    OPTION_RESUME,
    OPTION_TIME_BUDGET,
    NUM_OPTIONS
};

static const hsgd_option options[NUM_OPTIONS] = {
    [OPTION_OUTPUT] = {"output", "DIR", "folder for the table and the figure (default: results/NAME)"},
    [OPTION_THREADS] = {"threads", "K", "threads to use (default: all cores); the numbers do not depend on it"},
    [OPTION_SEEDS] = {"seeds", "R", "number of seeds for each point, instead of the configuration's"},
    [OPTION_JSON] = {"json", NULL, "print rate.json instead of the table"},
    [OPTION_DRY_RUN] = {"dry-run", NULL, "predict time and memory, and do nothing else"},
    [OPTION_QUIET] = {"quiet", NULL, "print nothing but errors"},
    [OPTION_RESUME] = {"resume", NULL, "go on from the checkpoint in the folder, if there is one"},
    [OPTION_TIME_BUDGET] = {"time-budget", "SECONDS", HSGD_TIME_BUDGET_HELP},
};

/* One call of the command. */
typedef struct call {
    hsgd_rate_plan plan;
    hsgd_rate rate;
    const char *file, *dir;
    size_t threads, seeds;
    bool quiet, json;
    hsgd_figure_report report;
    hsgd_points_keep keep;
} call;

static hsgd_status read_arguments(call *c, const hsgd_arguments *arguments, hsgd_error *err)
{
    static const struct {
        size_t option, high;
    } count[] = {{OPTION_THREADS, 1024}, {OPTION_SEEDS, 1000000}};
    size_t *const out[] = {&c->threads, &c->seeds};
    for (size_t i = 0; i < sizeof count / sizeof *count; i++) {
        const char *text = arguments->option[count[i].option];
        hsgd_status status =
            text ? hsgd_cli_count(text, options[count[i].option].name, 1, count[i].high, out[i], err) : HSGD_OK;
        if (status)
            return status;
    }
    if (arguments->option[OPTION_OUTPUT] && !*arguments->option[OPTION_OUTPUT])
        return hsgd_fail(err, HSGD_ERROR_INPUT, "--output: \"\" is not the name of a folder");
    c->file = arguments->positional;
    c->quiet = arguments->option[OPTION_QUIET] != NULL;
    c->json = arguments->option[OPTION_JSON] != NULL;
    return hsgd_rate_read(&c->plan, c->file, c->seeds, err);
}

/* What a checkpoint of it belongs to; changes no configuration, as running the points does. */
static hsgd_status open_checkpoint(call *c, hsgd_error *err)
{
    hsgd_status status = HSGD_OK;
    for (size_t i = 0; i < c->plan.num_points && !status; i++)
        status = hsgd_points_keep_add(&c->keep, &c->plan.config[i], err);
    return status ? status : hsgd_points_keep_open(&c->keep, c->dir, err);
}

/* Numbers first, so that they are safe whatever becomes of the figure. */
static hsgd_status write_all(call *c, hsgd_error *err)
{
    hsgd_status status = hsgd_rate_write(&c->rate, c->dir, &c->report, err);
    if (status)
        return status;
    status = hsgd_rate_plot(c->dir, NULL, &c->report, err);
    hsgd_status listed = hsgd_rate_write(&c->rate, c->dir, &c->report, status ? NULL : err);
    return status ? status : listed;
}

/* A slope is no violation, unless its exponent was asked for. */
static int exit_code(const hsgd_rate *rate)
{
    if (rate->violated || (rate->plan->asked && rate->verdict == HSGD_RATE_SLOWER))
        return HSGD_EXIT_VIOLATED;
    return rate->verdict == HSGD_RATE_INCONCLUSIVE ? HSGD_EXIT_INCONCLUSIVE : HSGD_EXIT_OK;
}

static int conclude(call *c)
{
    hsgd_error err, print_err;
    hsgd_status status = write_all(c, &err), printed = HSGD_OK;
    if (!status)
        hsgd_points_keep_finish(&c->keep);
    if (c->json)
        printed = hsgd_json_put(hsgd_rate_to_json(&c->rate, &c->report), &print_err);
    else if (!c->quiet) {
        hsgd_rate_print(&c->rate, stdout);
        hsgd_cli_print_files(c->dir, "rate.json, rate.csv", &c->report, "");
    }
    if (printed)
        return hsgd_cli_fail(&print_err);
    return hsgd_cli_finish(status ? hsgd_cli_fail(&err) : exit_code(&c->rate));
}

static int run_in_folder(call *c)
{
    hsgd_error err;
    bool existed = access(c->dir, F_OK) == 0;
    int lock, drawn = 0;
    hsgd_rate_options how = {.threads = (int)c->threads,
                             .progress = !c->quiet && isatty(STDERR_FILENO) ? hsgd_run_draw_progress : NULL,
                             .progress_context = &drawn};
    if (hsgd_folder_open(&lock, c->dir, HSGD_FOLDER_RATE, &err))
        return hsgd_cli_fail(&err);
    hsgd_status status = open_checkpoint(c, &err);
    how.checkpoint = c->keep.checkpoint;
    how.stop = &c->keep.interrupt.stop;
    if (!status)
        status = hsgd_rate_run(&c->rate, &c->plan, c->file, &how, &err);
    if (drawn && status)
        fputs("\r\033[K", stderr);
    int code = status == HSGD_STOPPED ? hsgd_points_keep_stop(&c->keep, &err)
               : status               ? hsgd_cli_fail(&err)
                                      : conclude(c);
    hsgd_folder_unlock(lock);
    if (status && !existed)
        rmdir(c->dir); /* succeeds only while it is empty */
    hsgd_rate_free(&c->rate);
    return code;
}

static int predict(call *c)
{
    hsgd_error err;
    double time_s = 0, bytes = 0;
    for (size_t i = 0; i < c->plan.num_points; i++) {
        hsgd_prediction p;
        if (hsgd_rate_predict(&p, &c->plan, i, c->file, (int)c->threads, &err))
            return hsgd_cli_fail(&err);
        printf("%s = %.10g: about %.2g s and %.3g MB\n", hsgd_rate_symbol(c->plan.over), c->plan.value[i], p.time_s,
               p.memory_bytes / 1e6);
        time_s += p.time_s;
        bytes = p.memory_bytes > bytes ? p.memory_bytes : bytes;
    }
    size_t at_once = c->plan.exact ? c->threads : 1; /* exact moments: one thread for each point */
    printf("all: about %.2g s and %.3g MB, %zu point%s at once\n", time_s / (double)at_once,
           bytes * (double)at_once / 1e6, at_once, at_once == 1 ? "" : "s");
    return hsgd_cli_finish(HSGD_EXIT_OK);
}

static int run(const hsgd_arguments *arguments)
{
    hsgd_error err;
    char folder[128];
    call c = {.threads = (size_t)hsgd_default_threads()};
    if (hsgd_points_keep_begin(&c.keep, arguments, OPTION_RESUME, OPTION_TIME_BUDGET, &err) ||
        read_arguments(&c, arguments, &err))
        return hsgd_cli_fail(&err);
    c.keep.quiet = c.quiet;
    hsgd_threads_limit((int)c.threads);
    hsgd_run_default_folder(folder, sizeof folder, c.plan.name);
    c.dir = arguments->option[OPTION_OUTPUT] ? arguments->option[OPTION_OUTPUT] : folder;
    int code = arguments->option[OPTION_DRY_RUN] ? predict(&c) : run_in_folder(&c);
    hsgd_rate_plan_free(&c.plan);
    hsgd_points_keep_free(&c.keep);
    return code;
}

const hsgd_command hsgd_command_rate = {
    .name = "rate",
    .positional = "CONFIG.json",
    .summary = "the rate of convergence over T, n or another number, next to the theory's",
    .details =
        "CONFIG.json has the key \"rate\": what is swept, its values, and the rule for the step size. A power law is\n"
        "fitted to S at these values; its exponent, with a confidence interval, is compared with those of the bounds "
        "at\n"
        "the same values, and with the one that was asked for. Exit code 1: a bound is violated at a point, or the "
        "rate\n"
        "is slower than what was asked for. A slope alone contradicts no upper bound.",
    .option = options,
    .num_options = NUM_OPTIONS,
    .run = run,
};
