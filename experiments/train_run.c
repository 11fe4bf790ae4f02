/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The training itself, and the probes after it. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/memory.h"
#include "experiments/train_private.h"

/* Copies of models at measured steps: f is evaluated in a pause when they are more than that. */
static const size_t KEPT_BYTES = (size_t)64 << 20;

typedef struct watcher {
    const hsgd_train_options *options;
    size_t steps;
} watcher;

static void tell(void *context, size_t steps_done)
{
    const watcher *w = context;
    w->options->progress(w->options->progress_context, (double)steps_done / (double)w->steps);
}

static hsgd_status train(hsgd_train_result *out, const hsgd_tree_groups *groups, const hsgd_train_options *options,
                         hsgd_error *err)
{
    const hsgd_config *config = out->config;
    const hsgd_problem *problem = out->problem;
    watcher w = {options, config->steps};
    hsgd_training training = {.objective = &problem->objective,
                              .hierarchy = out->hierarchy,
                              .initial = problem->initial,
                              .placement = problem->placement, /* of the first seed */
                              .step_size = out->step_size,
                              .steps = config->steps,
                              .batch_size = config->batch_size,
                              .measure_every = config->measure_every,
                              .kept_bytes = KEPT_BYTES,
                              .seed = config->first_seed,
                              .progress = options->progress ? tell : NULL,
                              .progress_context = &w};
    return hsgd_train(&out->record, &training, groups, err);
}

/* What a worker does between two averages: steps from the final model, of which nothing is kept. */
typedef struct worker {
    const hsgd_objective *objective;
    size_t index, batch_size, steps; /* the latter: before each sum */
    uint64_t seed, step;
    const double *model;
    double *gradient, *scratch;
} worker;

static void work(void *context, double *data, size_t size)
{
    worker *w = context;
    for (size_t i = 0; i < w->steps; i++)
        w->objective->type->stochastic(w->objective, w->model, w->index, w->batch_size, w->seed, w->step++, w->gradient,
                                       w->scratch);
    for (size_t i = 0; i < size; i++)
        data[i] = w->gradient[i % w->objective->dim];
}

/* As many as between two averages of the lowest group, but not longer than that in all. */
static const double LEAST_WORK_S = 2;

static size_t steps_between(const hsgd_train_result *r, const hsgd_tree_groups *groups, size_t probes)
{
    double longest_s = fmax(LEAST_WORK_S, r->record.total_s), step_s = 1e-9;
    for (size_t t = 0; t < r->record.steps; t++)
        step_s += r->record.compute_s[t] / (double)r->record.steps;
    double most = floor(longest_s / (step_s * (double)probes));
    size_t period = r->hierarchy->node[groups->node[groups->depths - 1]].period;
    return most < 1 ? 1 : most < (double)period ? (size_t)most : period;
}

static hsgd_status worker_init(worker *out, const hsgd_train_result *r, size_t place, hsgd_error *err)
{
    const hsgd_objective *objective = &r->problem->objective;
    size_t room = (objective->dim / 8 + 2) * 8;
    *out = (worker){.objective = objective,
                    .index = r->problem->placement ? r->problem->placement[place] : place,
                    .batch_size = r->config->batch_size,
                    .seed = r->config->first_seed,
                    .model = r->record.final_point};
    out->gradient = hsgd_alloc_array(room + objective->type->scratch_size(objective, out->batch_size), sizeof(double));
    out->scratch = out->gradient ? out->gradient + room : NULL;
    return out->gradient ? HSGD_OK : hsgd_fail_memory(err, "the probes");
}

static hsgd_status probe_and_gather(hsgd_train_result *out, const hsgd_tree_groups *groups, hsgd_error *err)
{
    const hsgd_hierarchy *h = out->hierarchy;
    worker w;
    hsgd_probing probing = {.repeats = out->repeats, .seed = out->config->first_seed, .work = work, .work_context = &w};
    hsgd_probing_sizes(&probing, out->record.dim);
    hsgd_status status = worker_init(&w, out, groups->collectives->rank, err);
    w.steps = steps_between(out, groups, groups->depths * probing.num_sizes * probing.repeats);
    double *time_s = malloc(h->num_levels * probing.num_sizes * probing.repeats * sizeof *time_s);
    if (!status && !time_s)
        status = hsgd_fail_memory(err, "the probes");
    if (!status)
        status = hsgd_probe(time_s, &probing, h->num_levels, groups, err);
    if (!status)
        status = hsgd_train_gather(out, groups->collectives, &probing, time_s, err);
    free(time_s);
    free(w.gradient);
    return status;
}

hsgd_status hsgd_train_run(hsgd_train_result *out, const hsgd_config *config, const hsgd_problem *problem,
                           const hsgd_collectives *ranks, const hsgd_train_options *options, hsgd_error *err)
{
    hsgd_tree_groups groups;
    *out = (hsgd_train_result){.config = config,
                               .problem = problem,
                               .hierarchy = &problem->hierarchy,
                               .library = options->library,
                               .step_size = options->step_size,
                               .repeats = options->repeats,
                               .clock_s = hsgd_clock_cost_s(),
                               .links.route = options->route};
    hsgd_status status = hsgd_tree_groups_make(&groups, ranks, out->hierarchy, err);
    if (status)
        return status;
    status = train(out, &groups, options, err);
    if (!status)
        status = probe_and_gather(out, &groups, err);
    hsgd_tree_groups_free(&groups);
    return status;
}

void hsgd_train_result_free(hsgd_train_result *result)
{
    hsgd_training_record_free(&result->record);
    free(result->host);
    free(result->average);
    free(result->rank_compute_s);
    free(result->level);
    free(result->probe);
    memset(result, 0, sizeof *result);
}
