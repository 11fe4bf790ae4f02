/* SPDX-License-Identifier: GPL-3.0-or-later */
/* hsgd sweep: a grid of experiments. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "analysis/clock.h"
#include "analysis/threads.h"
#include "experiments/run_private.h"
#include "experiments/sweep_progress_private.h"

enum {
    OPTION_OUTPUT,
    OPTION_JOBS,
    OPTION_THREADS,
    OPTION_SEEDS,
    OPTION_DRY_RUN,
    OPTION_QUIET,
    OPTION_RESUME,
    OPTION_TIME_BUDGET,
    NUM_OPTIONS
};

static const hsgd_option options[NUM_OPTIONS] = {
    [OPTION_OUTPUT] = {"output", "DIR", "folder for results and figures (default: results/NAME)"},
    [OPTION_JOBS] = {"jobs", "J", "points that run at once (default: as many as there are processors)"},
    [OPTION_THREADS] = {"threads", "K", "threads for each of them (default: processors / J)"},
    [OPTION_SEEDS] = {"seeds", "R", "number of seeds, instead of the configuration's"},
    [OPTION_DRY_RUN] = {"dry-run", NULL, "predict time and memory, and do nothing else"},
    [OPTION_QUIET] = {"quiet", NULL, "print nothing but errors"},
    [OPTION_RESUME] = {"resume", NULL, "points that were stopped go on from their checkpoints, too"},
    [OPTION_TIME_BUDGET] = {"time-budget", "SECONDS", HSGD_TIME_BUDGET_HELP},
};

/* Figures are made again while points come in, but not more often than this, and in at most this share of the time. */
static const double REFRESH_S = 10, REFRESH_SHARE = 0.1;

/* One call of the command. */
typedef struct call {
    hsgd_sweep sweep;
    const char *file, *dir;
    hsgd_sweep_row *row; /* (sweep.num_points) */
    size_t *order;       /* (sweep.num_points) */
    size_t jobs, threads;
    double deadline_s;
    const hsgd_arguments *arguments;
    bool quiet;
    hsgd_sweep_progress progress;
    bool changed; /* points have come in since the last refresh */
    double next_refresh_s;
    hsgd_error refresh_error; /* status 0: the last refresh went well */
    hsgd_figure_report report;
} call;

/* ---- settings ---- */

static hsgd_status read_counts(call *c, size_t *seeds, const hsgd_arguments *arguments, hsgd_error *err)
{
    static const struct {
        size_t option, high;
    } count[] = {{OPTION_JOBS, 1024}, {OPTION_THREADS, 1024}, {OPTION_SEEDS, 1000000}};
    size_t *const out[] = {&c->jobs, &c->threads, seeds};
    for (size_t i = 0; i < sizeof count / sizeof *count; i++) {
        const char *text = arguments->option[count[i].option];
        hsgd_status status =
            text ? hsgd_cli_count(text, options[count[i].option].name, 1, count[i].high, out[i], err) : HSGD_OK;
        if (status)
            return status;
    }
    if (arguments->option[OPTION_OUTPUT] && !*arguments->option[OPTION_OUTPUT])
        return hsgd_fail(err, HSGD_ERROR_INPUT, "--output: \"\" is not the name of a folder");
    const char *budget = arguments->option[OPTION_TIME_BUDGET];
    double budget_s = INFINITY;
    hsgd_status status = budget ? hsgd_cli_seconds(budget, "time-budget", &budget_s, err) : HSGD_OK;
    c->deadline_s = hsgd_now_s() + budget_s;
    return status;
}

/* Jobs and threads that were not asked for share the processors; no more jobs than there is to run. */
static void share_processors(call *c)
{
    size_t processors = (size_t)hsgd_default_threads(), waiting = 0;
    for (size_t i = 0; i < c->sweep.num_points; i++)
        waiting += c->row[i].state == HSGD_SWEEP_WAITING;
    if (!c->jobs)
        c->jobs = c->threads ? (processors + c->threads - 1) / c->threads : processors;
    if (c->jobs > waiting)
        c->jobs = waiting ? waiting : 1;
    if (!c->threads)
        c->threads = processors > c->jobs ? processors / c->jobs : 1;
}

/* What is there from an earlier call. */
static hsgd_status read_rows(call *c, hsgd_error *err)
{
    hsgd_status status = HSGD_OK;
    c->row = calloc(c->sweep.num_points, sizeof *c->row);
    c->order = calloc(c->sweep.num_points, sizeof *c->order);
    if (!c->row || !c->order)
        return hsgd_fail_memory(err, "the points of the sweep");
    for (size_t i = 0; i < c->sweep.num_points && !status; i++) {
        status = hsgd_sweep_row_read(&c->row[i], c->dir, &c->sweep.point[i], err);
        c->row[i].earlier = c->row[i].state == HSGD_SWEEP_DONE;
    }
    return status ? status : hsgd_sweep_order(&c->sweep, c->order, err);
}

/* ---- files ---- */

/* The table first, so that it is there whatever becomes of the figures. */
static hsgd_status refresh(call *c, hsgd_error *err)
{
    c->report.num_files = c->report.num_notes = 0;
    hsgd_status status = hsgd_sweep_write(&c->sweep, c->row, c->dir, err);
    return status ? status : hsgd_sweep_plot(c->dir, NULL, &c->report, err);
}

/* While it runs: what fails now may succeed at the end, where it counts. */
static void tell(void *context, const size_t *finished)
{
    call *c = context;
    double now_s = hsgd_now_s();
    hsgd_sweep_progress_tell(&c->progress, finished);
    c->changed |= finished != NULL;
    if (!c->changed || now_s < c->next_refresh_s)
        return;
    refresh(c, NULL);
    double took_s = hsgd_now_s() - now_s;
    c->next_refresh_s = hsgd_now_s() + fmax(REFRESH_S, took_s / REFRESH_SHARE);
    c->changed = false;
}

/* ---- the end ---- */

static size_t count_state(const call *c, hsgd_sweep_state state)
{
    size_t found = 0;
    for (size_t i = 0; i < c->sweep.num_points; i++)
        found += c->row[i].state == state;
    return found;
}

/* What was stopped goes on from here. */
static int stop(call *c, const char *reason)
{
    hsgd_error err;
    hsgd_status status = hsgd_sweep_write(&c->sweep, c->row, c->dir, &err);
    hsgd_sweep_clean_points(&c->sweep, c->dir);
    fprintf(stderr, "hsgd: stopped (%s): %zu of %zu points are finished and kept in %s; go on with: ", reason,
            count_state(c, HSGD_SWEEP_DONE), c->sweep.num_points, c->dir);
    hsgd_cli_print_again(c->arguments, OPTION_RESUME, stderr);
    return status ? hsgd_cli_fail(&err) : HSGD_EXIT_INCONCLUSIVE;
}

/* The most serious of all points: what could not be run, then what is violated, then what remained open. */
static int worst_code(const call *c)
{
    static const int seriousness[] = {[HSGD_EXIT_OK] = 0,
                                      [HSGD_EXIT_INCONCLUSIVE] = 1,
                                      [HSGD_EXIT_VIOLATED] = 2,
                                      [HSGD_EXIT_USAGE] = 3,
                                      [HSGD_EXIT_ENVIRONMENT] = 4};
    int worst = HSGD_EXIT_OK;
    for (size_t i = 0; i < c->sweep.num_points; i++) {
        const hsgd_sweep_row *row = &c->row[i];
        const char *verdict = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(row->summary, "verdict"));
        int code = HSGD_EXIT_OK;
        if (row->state == HSGD_SWEEP_FAILED)
            code = row->code == HSGD_EXIT_USAGE ? HSGD_EXIT_USAGE : HSGD_EXIT_ENVIRONMENT;
        else if (verdict && strcmp(verdict, "violated") == 0)
            code = HSGD_EXIT_VIOLATED;
        else if (verdict && strcmp(verdict, "inconclusive") == 0)
            code = HSGD_EXIT_INCONCLUSIVE;
        if (seriousness[code] > seriousness[worst])
            worst = code;
    }
    return worst;
}

/* Points that failed are named even where nothing else is printed. */
static void print_failures(const call *c)
{
    for (size_t i = 0; i < c->sweep.num_points; i++)
        if (c->row[i].state == HSGD_SWEEP_FAILED && !c->progress.lines) {
            fputs("hsgd: ", stderr);
            hsgd_sweep_print_point(&c->sweep.point[i], &c->row[i], stderr);
        }
}

static int conclude(call *c)
{
    hsgd_error err;
    hsgd_status status = refresh(c, &err);
    hsgd_sweep_clean_points(&c->sweep, c->dir);
    if (!c->quiet) {
        hsgd_sweep_tell_others(&c->sweep, c->dir);
        hsgd_sweep_print(&c->sweep, c->row, stdout);
        hsgd_cli_print_files(c->dir, "sweep.json, sweep.csv", &c->report, "; each point in points/NAME");
    }
    fflush(stdout);
    print_failures(c);
    return hsgd_cli_finish(status ? hsgd_cli_fail(&err) : worst_code(c));
}

/* ---- the command ---- */

static int run_points(call *c)
{
    hsgd_error err;
    const char *stopped_by;
    size_t finished = count_state(c, HSGD_SWEEP_DONE);
    hsgd_sweep_jobs how = {
        .jobs = c->jobs, .threads = c->threads, .file = c->file, .dir = c->dir, .tell = tell, .context = c};
    how.resume = c->arguments->option[OPTION_RESUME] != NULL;
    how.deadline_s = c->deadline_s;
    if (finished && !c->quiet)
        fprintf(stderr, "hsgd: %zu of %zu points were finished before\n", finished, c->sweep.num_points);
    if (hsgd_sweep_fit(&how, &c->sweep, c->row, c->quiet, &err))
        return hsgd_cli_fail(&err);
    hsgd_sweep_progress_init(&c->progress, &c->sweep, c->row, how.jobs, c->quiet);
    for (size_t i = 0; i < c->sweep.num_points; i++)
        if (c->row[i].state == HSGD_SWEEP_FAILED) /* refused */
            hsgd_sweep_progress_tell(&c->progress, &i);
    c->next_refresh_s = hsgd_now_s() + REFRESH_S;
    hsgd_status status = hsgd_sweep_run(&c->sweep, c->row, c->order, &how, &stopped_by, &err);
    hsgd_sweep_progress_end(&c->progress);
    if (status)
        return hsgd_cli_fail(&err);
    return stopped_by ? stop(c, stopped_by) : conclude(c);
}

static int run_in_folder(call *c)
{
    hsgd_error err;
    int lock;
    char *points = NULL;
    if (hsgd_folder_open(&lock, c->dir, HSGD_FOLDER_SWEEP, &err))
        return hsgd_cli_fail(&err);
    hsgd_status status = asprintf(&points, "%s/points", c->dir) < 0 ? hsgd_fail_memory(&err, "a path")
                                                                    : hsgd_folder_make_inside(points, &err);
    if (!status)
        status = hsgd_sweep_check_points(&c->sweep, c->dir, &err);
    int code = status ? hsgd_cli_fail(&err) : run_points(c);
    free(points);
    hsgd_folder_unlock(lock);
    return code;
}

static int run_call(call *c, bool dry)
{
    hsgd_error err;
    if (read_rows(c, &err))
        return hsgd_cli_fail(&err);
    share_processors(c);
    if (!dry)
        return run_in_folder(c);
    hsgd_sweep_jobs how = {.jobs = c->jobs, .threads = c->threads, .file = c->file, .dir = c->dir};
    return hsgd_sweep_predict(&c->sweep, c->row, c->order, &how, &err) ? hsgd_cli_fail(&err)
                                                                       : hsgd_cli_finish(HSGD_EXIT_OK);
}

static int run(const hsgd_arguments *arguments)
{
    hsgd_error err;
    char folder[128];
    size_t seeds = 0;
    call c = {.file = arguments->positional, .arguments = arguments, .quiet = arguments->option[OPTION_QUIET] != NULL};
    if (read_counts(&c, &seeds, arguments, &err) || hsgd_sweep_read(&c.sweep, c.file, seeds, &err))
        return hsgd_cli_fail(&err);
    hsgd_run_default_folder(folder, sizeof folder, c.sweep.name);
    c.dir = arguments->option[OPTION_OUTPUT] ? arguments->option[OPTION_OUTPUT] : folder;
    int code = run_call(&c, arguments->option[OPTION_DRY_RUN] != NULL);
    hsgd_sweep_rows_free(c.row, c.sweep.num_points);
    free(c.order);
    hsgd_sweep_free(&c.sweep);
    return code;
}

const hsgd_command hsgd_command_sweep = {
    .name = "sweep",
    .positional = "CONFIG.json",
    .summary = "run a grid of experiments at once; one table and figures of all of them",
    .details =
        "CONFIG.json has the key \"sweep\" with the axes of the grid. Each point is run as hsgd run would, into\n"
        "DIR/points/NAME; points that were finished before with the same configuration are not run again, so that the\n"
        "same command goes on after an interruption. Ends first, then the middles: table and figures are written anew\n"
        "while it runs.",
    .option = options,
    .num_options = NUM_OPTIONS,
    .run = run,
};
