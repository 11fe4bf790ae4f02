/* SPDX-License-Identifier: GPL-3.0-or-later */
/* hsgd train: every worker is a process. */
#include "experiments/cli_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "analysis/threads.h"
#include "experiments/checksum.h"
#include "experiments/json_private.h"
#include "experiments/problem_private.h"
#include "experiments/run_private.h"
#include "experiments/train_private.h"

enum { OPTION_MPI, OPTION_OUTPUT, OPTION_ROUTE, OPTION_PROBES, OPTION_JSON, OPTION_QUIET, NUM_OPTIONS };

static const hsgd_option options[NUM_OPTIONS] = {
    [OPTION_MPI] = {"mpi", NULL, "every rank of MPI is a worker; mpirun starts as many as there are workers"},
    [OPTION_OUTPUT] = {"output", "DIR", "folder for times, model and figure (default: results/NAME)"},
    [OPTION_ROUTE] = {"route", "direct|tree", "how the fitted model sends averages (default: direct)"},
    [OPTION_PROBES] = {"probes", "R", "Allreduces of each size at each level, for the fit (default: 30)"},
    [OPTION_JSON] = {"json", NULL, "print train.json instead of the tables"},
    [OPTION_QUIET] = {"quiet", NULL, "print nothing but errors"},
};

enum { DEFAULT_PROBES = 30, MOST_PROBES = 100000 };

/* One call of the command, of one rank. */
typedef struct call {
    const hsgd_arguments *arguments;
    const char *file, *dir;
    char library[HSGD_MPI_NAME_SIZE], folder[128];
    hsgd_collectives ranks;
    hsgd_train_options options;
    hsgd_config config;
    hsgd_problem problem;
    hsgd_train_result result;
    int lock, drawn;
    bool has_config, has_problem;
} call;

/* ---- failing together ---- */

static int code_of(hsgd_status status)
{
    return status == HSGD_OK ? HSGD_EXIT_OK : status == HSGD_ERROR_INPUT ? HSGD_EXIT_USAGE : HSGD_EXIT_ENVIRONMENT;
}

/* Any rank may be the one that speaks. */
static void say(const call *c, const hsgd_error *err, bool with_place)
{
    char host[HSGD_HOST_NAME_SIZE] = "";
    gethostname(host, sizeof host - 1);
    if (with_place)
        fprintf(stderr, "hsgd: rank %zu on %s: %s\n", c->ranks.rank, host, err->message);
    else
        fprintf(stderr, "hsgd: %s\n", err->message);
    fflush(stderr);
}

/* A rank that fails while the others wait for it ends all. */
static void end_all(const call *c, const hsgd_error *err)
{
    say(c, err, true);
    hsgd_mpi_abort(&c->ranks, code_of(err->status));
}

/* Every rank puts in a number and sees those of all; free *all. */
static hsgd_status see_all(double **all, const call *c, double own, hsgd_error *err)
{
    const hsgd_collectives *ranks = &c->ranks;
    *all = calloc(ranks->size, sizeof **all);
    if (!*all)
        return hsgd_fail_memory(err, "the ranks");
    (*all)[ranks->rank] = own;
    return ranks->sum(ranks->context, ranks->all, *all, ranks->size, err);
}

/* Every rank says how it fared. Returns the exit code of the first that did not do well, which says why in one line, with its
 * place where that may be the reason. */
static int agree(const call *c, hsgd_status status, const hsgd_error *err)
{
    double *code;
    hsgd_error broken;
    if (see_all(&code, c, code_of(status), &broken))
        end_all(c, &broken);
    size_t first = 0, failed = 0;
    for (size_t i = c->ranks.size; i-- > 0;)
        if (code[i] > 0) {
            first = i;
            failed++;
        }
    int out = failed ? (int)code[first] : HSGD_EXIT_OK;
    free(code);
    if (failed && first == c->ranks.rank)
        say(c, err, failed < c->ranks.size);
    return out;
}

/* ---- before the training ---- */

static hsgd_status check_config(const call *c, hsgd_error *err)
{
    const char *what;
    size_t workers = c->config.hierarchy.num_workers, ranks = c->ranks.size;
    if (hsgd_variant_differs(&c->config.variant, &what))
        return hsgd_fail(err, HSGD_ERROR_INPUT, "%s: variant: hsgd train is plain H-SGD, without %s", c->file, what);
    if (workers != ranks)
        return hsgd_fail(err, HSGD_ERROR_INPUT,
                         "%s: hierarchy: %zu workers need %zu ranks, not %zu: mpirun -n %zu hsgd train --mpi %s",
                         c->file, workers, workers, ranks, workers, c->file);
    return HSGD_OK;
}

/* gamma; only a fraction of the published maximum needs L. */
static hsgd_status find_step_size(call *c, hsgd_error *err)
{
    const hsgd_objective *objective = &c->problem.objective;
    hsgd_constants constants = {.smoothness.value = 1};
    hsgd_status status = HSGD_OK;
    if (!(c->config.step_size > 0))
        status = objective->type->constants(objective, c->config.batch_size, &constants, err);
    if (!status)
        status = hsgd_config_step_size(&c->options.step_size, &c->config, constants.smoothness.value, err);
    if (status == HSGD_ERROR_INPUT)
        hsgd_error_prefix(err, "%s: ", c->file);
    return status;
}

static hsgd_status prepare(call *c, hsgd_error *err)
{
    hsgd_status status = hsgd_config_read(&c->config, c->file, err);
    c->has_config = !status;
    if (!status)
        status = check_config(c, err);
    if (!status)
        status = hsgd_problem_build(&c->problem, &c->config, c->file, err);
    c->has_problem = c->has_config && !status;
    return status ? status : find_step_size(c, err);
}

/* What models depend on, in 48 bits: configuration, data and start. */
static hsgd_status digest(double *out, const call *c, hsgd_error *err)
{
    const hsgd_dataset *data = &c->problem.data;
    char *config = hsgd_config_to_json(&c->config), hex[HSGD_CHECKSUM_SIZE];
    hsgd_checksum *sum = hsgd_checksum_alloc();
    hsgd_status status = config && sum ? HSGD_OK : hsgd_fail_memory(err, "a checksum");
    if (!status) {
        size_t cells = data->num_samples * data->num_features;
        hsgd_checksum_add(sum, config, strlen(config));
        hsgd_checksum_add(sum, c->problem.initial, c->problem.objective.dim * sizeof *c->problem.initial);
        if (data->label)
            hsgd_checksum_add(sum, data->label, data->num_samples * sizeof *data->label);
        if (data->byte)
            hsgd_checksum_add(sum, data->byte, cells);
        if (data->dense)
            hsgd_checksum_add(sum, data->dense, cells * sizeof *data->dense);
        if (data->value)
            hsgd_checksum_add(sum, data->value, data->row_start[data->num_samples] * sizeof *data->value);
        hsgd_checksum_finish(sum, hex);
        hex[12] = '\0';
        *out = (double)strtoull(hex, NULL, 16);
    }
    hsgd_checksum_free(sum);
    cJSON_free(config);
    return status;
}

/* Ranks on other hosts read other files. */
static hsgd_status compare(const call *c, double own, hsgd_error *err)
{
    double *all;
    hsgd_status status = see_all(&all, c, own, err);
    if (!status && all[0] != own)
        status =
            hsgd_fail(err, HSGD_ERROR_INPUT, "%s: this configuration, or its data, are not those of rank 0", c->file);
    free(all);
    return status;
}

/* Only rank 0 writes. */
static hsgd_status open_folder(call *c, hsgd_error *err)
{
    hsgd_run_default_folder(c->folder, sizeof c->folder, c->config.name);
    c->dir = c->arguments->option[OPTION_OUTPUT] ? c->arguments->option[OPTION_OUTPUT] : c->folder;
    return c->ranks.rank == 0 ? hsgd_folder_open(&c->lock, c->dir, HSGD_FOLDER_TRAIN, err) : HSGD_OK;
}

/* ---- after it ---- */

/* Numbers first, so that they are safe whatever becomes of the figure. */
static int conclude(call *c)
{
    hsgd_error err;
    hsgd_figure_report report = {.num_files = 0};
    bool quiet = c->arguments->option[OPTION_QUIET], json = c->arguments->option[OPTION_JSON];
    hsgd_status status = hsgd_train_write(&c->result, c->dir, &err);
    if (!status)
        status = hsgd_train_plot(c->dir, NULL, &report, &err);
    hsgd_status printed = json ? hsgd_json_put(hsgd_train_to_json(&c->result), status ? NULL : &err) : HSGD_OK;
    status = status ? status : printed;
    if (!quiet && !json) {
        hsgd_train_print(&c->result, stdout);
        hsgd_cli_print_files(c->dir, hsgd_train_files, &report, "");
    }
    fflush(stdout);
    return status ? hsgd_cli_fail(&err) : hsgd_cli_finish(HSGD_EXIT_OK);
}

static int train(call *c)
{
    hsgd_error err;
    bool quiet = c->arguments->option[OPTION_QUIET] || c->ranks.rank > 0;
    c->options.progress = !quiet && isatty(STDERR_FILENO) ? hsgd_run_draw_progress : NULL;
    c->options.progress_context = &c->drawn;
    int code = agree(c, open_folder(c, &err), &err);
    if (code)
        return code;
    if (hsgd_train_run(&c->result, &c->config, &c->problem, &c->ranks, &c->options, &err))
        end_all(c, &err);
    code = c->ranks.rank == 0 ? conclude(c) : HSGD_EXIT_OK;
    hsgd_train_result_free(&c->result);
    return code;
}

static hsgd_status read_arguments(call *c, hsgd_error *err)
{
    const char *probes = c->arguments->option[OPTION_PROBES], *route = c->arguments->option[OPTION_ROUTE];
    const char *output = c->arguments->option[OPTION_OUTPUT];
    c->options.repeats = DEFAULT_PROBES;
    c->options.route = route && strcmp(route, "tree") == 0 ? HSGD_ROUTE_TREE : HSGD_ROUTE_DIRECT;
    if (output && !*output)
        return hsgd_fail(err, HSGD_ERROR_INPUT, "--output: \"\" is not the name of a folder");
    return probes ? hsgd_cli_count(probes, "probes", 3, MOST_PROBES, &c->options.repeats, err) : HSGD_OK;
}

static hsgd_status keep_share(call *c, hsgd_error *err)
{
    size_t place = c->ranks.rank, worker = c->problem.placement ? c->problem.placement[place] : place;
    return hsgd_problem_keep_share(&c->problem, &c->config, worker, err);
}

static int prepare_together(call *c)
{
    hsgd_error err;
    double own = 0;
    hsgd_status status = read_arguments(c, &err);
    if (!status)
        status = prepare(c, &err);
    if (!status)
        status = digest(&own, c, &err);
    int code = agree(c, status, &err);
    if (!code)
        code = agree(c, compare(c, own, &err), &err);
    return code ? code : agree(c, keep_share(c, &err), &err);
}

static int run_ranks(call *c)
{
    int code = prepare_together(c);
    if (!code)
        code = train(c);
    if (c->has_problem)
        hsgd_problem_free(&c->problem);
    if (c->has_config)
        hsgd_config_free(&c->config);
    return code;
}

static int run(const hsgd_arguments *arguments)
{
    hsgd_error err;
    call c = {.arguments = arguments, .file = arguments->positional, .lock = -1};
    if (!arguments->option[OPTION_MPI]) {
        hsgd_fail(&err, HSGD_ERROR_INPUT,
                  "train: needs --mpi, each rank a worker: mpirun -n WORKERS hsgd train --mpi %s", c.file);
        return hsgd_cli_fail(&err);
    }
    hsgd_threads_limit(1);                        /* a worker is one core */
    if (hsgd_mpi_open(&c.ranks, c.library, &err)) /* the others have nobody to speak to, either */
        return hsgd_cli_fail(&err);
    c.options.library = c.library;
    int code = run_ranks(&c);
    hsgd_mpi_close(&c.ranks);
    hsgd_folder_unlock(c.lock);
    return code;
}

const hsgd_command hsgd_command_train = {
    .name = "train",
    .positional = "CONFIG.json",
    .summary = "train on real processes over MPI; measure computing and communication, fit their model",
    .details =
        "mpirun -n K hsgd train --mpi CONFIG.json, with K the number of workers: each rank is one, and averages are\n"
        "Allreduces over the ranks of a node. Times of each level, and latencies and bandwidths fitted to them as\n"
        "\"communication\" for hsgd run and hsgd plan. One run, with the first seed.",
    .option = options,
    .num_options = NUM_OPTIONS,
    .run = run,
    .shares = true,
};
