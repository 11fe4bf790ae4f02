/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Time and memory of a run before it is made: memory from its sizes, time from short trials of its simulations. */
#include <math.h>
#include <sys/resource.h>

#include "analysis/clock.h"
#include "analysis/memory.h"
#include "experiments/experiment_private.h"

/* A trial is made longer until it takes this time, or is the whole run. */
static const double TRIAL_S = 0.1;

/* As many seeds as run at once, for more and more steps; the first trial warms up. */
static hsgd_status try_run(hsgd_prediction *out, const hsgd_simulation *whole, size_t seeds, const size_t *placement,
                           int threads, hsgd_error *err)
{
    size_t at_once = (size_t)threads < seeds ? (size_t)threads : seeds, steps = 1;
    double begin_s, trial_s;
    do {
        hsgd_simulation part = *whole;
        hsgd_ensemble ensemble;
        part.steps = steps = steps < whole->steps / 4 ? 4 * steps : whole->steps;
        begin_s = hsgd_now_s();
        hsgd_status status = hsgd_ensemble_run(&ensemble, &part, at_once, 1, placement, threads, err);
        if (status)
            return status;
        trial_s = hsgd_now_s() - begin_s;
        hsgd_ensemble_free(&ensemble);
        out->trial_time_s += trial_s;
    } while (trial_s < TRIAL_S && steps < whole->steps);
    double rounds = ceil((double)seeds / (double)at_once);
    out->time_s += trial_s * (double)whole->steps / (double)steps * rounds;
    return HSGD_OK;
}

static hsgd_status predict_run(hsgd_prediction *out, hsgd_experiment *e, hsgd_run_index index, int threads,
                               hsgd_error *err)
{
    size_t seeds = e->deterministic ? 1 : hsgd_config_runs(e->config);
    out->num_seeds = seeds;
    hsgd_status status = hsgd_experiment_make_hierarchy(e, index, err);
    if (status)
        return status;
    hsgd_simulation whole = hsgd_experiment_describe(e, index);
    double bytes = hsgd_ensemble_bytes(&whole, seeds, threads);
    out->memory_bytes = fmax(out->memory_bytes, bytes);
    status = hsgd_memory_check(bytes, "this run", "fewer workers, fewer parameters, fewer seeds or fewer threads", err);
    return status ? status : try_run(out, &whole, seeds, e->problem->placement, threads, err);
}

hsgd_status hsgd_experiment_predict(hsgd_prediction *out, const hsgd_config *config, const hsgd_problem *problem,
                                    const hsgd_experiment_options *options, hsgd_error *err)
{
    struct rusage usage;
    hsgd_experiment e = {.config = config, .problem = problem, .constants.convexity = -INFINITY};
    *out = (hsgd_prediction){0};
    hsgd_status status = hsgd_experiment_prepare(&e, err);
    double present_bytes = getrusage(RUSAGE_SELF, &usage) == 0 ? 1024.0 * (double)usage.ru_maxrss : 0;
    out->num_runs = status ? 0 : (size_t)hsgd_experiment_count_runs(&e);
    for (size_t i = 0; i < out->num_runs && !status; i++)
        status = predict_run(out, &e, (hsgd_run_index)i, options->threads, err);
    out->memory_bytes += present_bytes;
    hsgd_experiment_free(&e);
    return status;
}
