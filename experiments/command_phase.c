/* SPDX-License-Identifier: GPL-3.0-or-later */
/* hsgd phase: where the true sandwich holds. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "analysis/threads.h"
#include "experiments/phase_private.h"
#include "experiments/points_keep_private.h"
#include "experiments/run_private.h"

enum {
    OPTION_OUTPUT,
    OPTION_THREADS,
    OPTION_SEEDS,
    OPTION_DRY_RUN,
    OPTION_JSON,
    OPTION_QUIET,
    OPTION_RESUME,
    OPTION_TIME_BUDGET,
    NUM_OPTIONS
};

static const hsgd_option options[NUM_OPTIONS] = {
    [OPTION_OUTPUT] = {"output", "DIR", "folder for results and the figure (default: results/NAME)"},
    [OPTION_THREADS] = {"threads", "K", "threads to use (default: all cores); the numbers do not depend on it"},
    [OPTION_SEEDS] = {"seeds", "R",
                      "number of seeds where runs or groupings are drawn, instead of the configuration's"},
    [OPTION_DRY_RUN] = {"dry-run", NULL, "predict the time, and do nothing else"},
    [OPTION_JSON] = {"json", NULL, "print phase.json instead of a table"},
    [OPTION_QUIET] = {"quiet", NULL, "print nothing but errors"},
    [OPTION_RESUME] = {"resume", NULL, "go on from the checkpoint in the folder, if there is one"},
    [OPTION_TIME_BUDGET] = {"time-budget", "SECONDS", HSGD_TIME_BUDGET_HELP},
};

/* One call of the command. */
typedef struct call {
    hsgd_phase phase;
    hsgd_phase_summary summary;
    hsgd_figure_report report;
    const char *dir;
    size_t threads;
    bool quiet, json;
    hsgd_points_keep keep;
} call;

/* A bar on a terminal; the last width printed is remembered. */
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

/* ---- before ---- */

static const char *method_of(const call *c, const hsgd_phase_prediction *p)
{
    return hsgd_phase_is_worst_case(c->phase.settings.quantity) ? "three worst cases each"
           : p->exact                                           ? "exact moments"
                                                                : "paired runs";
}

static void print_prediction(const call *c, const hsgd_phase_prediction *p)
{
    printf("about %.2g s: %zu points, %s, on %zu thread%s (tried for %.2g s)\n", p->time_s, p->points, method_of(c, p),
           c->threads, c->threads == 1 ? "" : "s", p->trial_time_s);
}

static hsgd_status check_budget(const call *c, const hsgd_phase_prediction *p, hsgd_error *err)
{
    double budget_s = c->phase.settings.budget_s;
    if (p->time_s <= budget_s)
        return HSGD_OK;
    return hsgd_fail(err, HSGD_ERROR_INPUT,
                     "%s: phase.budget_s: about %.2g s are predicted for %zu points, more than %g; legal is a larger "
                     "budget_s, or fewer points, steps or seeds",
                     c->phase.file, p->time_s, p->points, budget_s);
}

/* ---- after ---- */

/* A broken order is a finding unless it was expected to hold; a verdict that was asked for and is missing is told. */
static int exit_code(const call *c)
{
    const size_t *count = c->summary.count;
    size_t failed = count[HSGD_BETWEEN_BELOW] + count[HSGD_BETWEEN_ABOVE] + count[HSGD_BETWEEN_REVERSED];
    if (failed && c->phase.settings.expect_holds)
        return HSGD_EXIT_VIOLATED;
    return count[HSGD_BETWEEN_INCONCLUSIVE] + count[HSGD_BETWEEN_DIVERGED] ? HSGD_EXIT_INCONCLUSIVE : HSGD_EXIT_OK;
}

static int tell(const call *c)
{
    hsgd_error err;
    if (c->json && !c->quiet && hsgd_json_put(hsgd_phase_to_json(&c->phase, &c->summary), &err))
        return hsgd_cli_fail(&err);
    if (!c->json && !c->quiet) {
        hsgd_phase_print(&c->phase, &c->summary, stdout);
        hsgd_cli_print_files(c->dir, "phase.json, phase.csv", &c->report, "");
    }
    return hsgd_cli_finish(exit_code(c));
}

/* ---- the command ---- */

static hsgd_status work_out(call *c, hsgd_error *err)
{
    int drawn = 0;
    bool bar = !c->quiet && isatty(STDERR_FILENO);
    hsgd_status status = hsgd_phase_run_kept(&c->phase, (int)c->threads, bar ? draw_progress : NULL, &drawn,
                                             c->keep.checkpoint, &c->keep.interrupt.stop, err);
    if (drawn && status)
        fputs("\r\033[K", stderr);
    return status ? status : hsgd_phase_summarise(&c->summary, &c->phase, err);
}

/* What a checkpoint of it belongs to: every point that is a legal configuration. */
static hsgd_status open_checkpoint(call *c, hsgd_error *err)
{
    hsgd_status status = HSGD_OK;
    for (size_t i = 0; i < c->phase.grid.num_points && !status; i++) {
        const char *text = c->phase.grid.point[i].config;
        hsgd_config config;
        if (!text || hsgd_config_parse(&config, text, strlen(text), c->phase.file, NULL))
            continue;
        status = hsgd_points_keep_add(&c->keep, &config, err);
        hsgd_config_free(&config);
    }
    return status ? status : hsgd_points_keep_open(&c->keep, c->dir, err);
}

static hsgd_status write_all(call *c, hsgd_error *err)
{
    hsgd_status status = hsgd_phase_write(&c->phase, &c->summary, c->dir, err);
    if (!status)
        status = hsgd_phase_plot(c->dir, NULL, &c->report, err);
    if (!status)
        hsgd_points_keep_finish(&c->keep);
    return status;
}

static int run_in_folder(call *c)
{
    hsgd_error err;
    bool existed = access(c->dir, F_OK) == 0;
    int lock;
    if (hsgd_folder_open(&lock, c->dir, HSGD_FOLDER_PHASE, &err))
        return hsgd_cli_fail(&err);
    hsgd_status status = open_checkpoint(c, &err);
    if (!status)
        status = work_out(c, &err);
    int stopped = status == HSGD_STOPPED ? hsgd_points_keep_stop(&c->keep, &err) : 0;
    if (!status)
        status = write_all(c, &err);
    hsgd_folder_unlock(lock);
    if (status && !existed)
        rmdir(c->dir); /* succeeds only while it is empty */
    return stopped ? stopped : status ? hsgd_cli_fail(&err) : tell(c);
}

static int run_call(call *c, bool dry)
{
    hsgd_error err;
    hsgd_phase_prediction prediction;
    hsgd_status status = hsgd_phase_predict(&prediction, &c->phase, (int)c->threads, &c->keep.interrupt.stop, &err);
    if (status)
        return status == HSGD_STOPPED ? hsgd_points_keep_stop(&c->keep, &err) : hsgd_cli_fail(&err);
    if (dry) {
        print_prediction(c, &prediction);
        return hsgd_cli_finish(HSGD_EXIT_OK);
    }
    if (check_budget(c, &prediction, &err))
        return hsgd_cli_fail(&err);
    return run_in_folder(c);
}

static hsgd_status read_counts(call *c, size_t *seeds, const hsgd_arguments *arguments, hsgd_error *err)
{
    const char *threads = arguments->option[OPTION_THREADS], *given = arguments->option[OPTION_SEEDS];
    hsgd_status status = threads ? hsgd_cli_count(threads, "threads", 1, 1024, &c->threads, err) : HSGD_OK;
    if (!status && given)
        status = hsgd_cli_count(given, "seeds", 1, 1000000, seeds, err);
    if (!status && arguments->option[OPTION_OUTPUT] && !*arguments->option[OPTION_OUTPUT])
        status = hsgd_fail(err, HSGD_ERROR_INPUT, "--output: \"\" is not the name of a folder");
    return status;
}

static int run(const hsgd_arguments *arguments)
{
    hsgd_error err;
    char folder[128];
    size_t seeds = 0;
    call c = {.threads = (size_t)hsgd_default_threads(),
              .quiet = arguments->option[OPTION_QUIET] != NULL,
              .json = arguments->option[OPTION_JSON] != NULL};
    if (hsgd_points_keep_begin(&c.keep, arguments, OPTION_RESUME, OPTION_TIME_BUDGET, &err))
        return hsgd_cli_fail(&err);
    c.keep.quiet = c.quiet;
    if (read_counts(&c, &seeds, arguments, &err) || hsgd_phase_read(&c.phase, arguments->positional, seeds, &err))
        return hsgd_cli_fail(&err);
    hsgd_threads_limit((int)c.threads);
    hsgd_run_default_folder(folder, sizeof folder, c.phase.grid.name);
    c.dir = arguments->option[OPTION_OUTPUT] ? arguments->option[OPTION_OUTPUT] : folder;
    int code = run_call(&c, arguments->option[OPTION_DRY_RUN] != NULL);
    hsgd_phase_free(&c.phase);
    hsgd_points_keep_free(&c.keep);
    return code;
}

const hsgd_command hsgd_command_phase = {
    .name = "phase",
    .positional = "CONFIG.json",
    .summary = "map where H-SGD itself lies between its two local SGDs, not only its bound",
    .details = "CONFIG.json has the key \"phase\" with axes as in a sweep. At every point S (or the dispersion, or the "
               "loss) of\n"
               "local SGD with period I, of H-SGD and of local SGD with period G are compared: by exact moments for "
               "quadratics,\n"
               "by paired runs elsewhere. That the order is broken is a finding and ends with 0, unless \"expect\" is "
               "\"holds\"\n"
               "(then 1); points that remain undecided end with 3.",
    .option = options,
    .num_options = NUM_OPTIONS,
    .run = run,
};
