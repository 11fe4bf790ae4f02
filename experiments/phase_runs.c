/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A point of a phase diagram by runs. The three algorithms share their seeds: the same worker draws the same samples or noise
 * at the same step, so that their differences vary much less than they do. */
#include <math.h>
#include <stdlib.h>

#include "bounds/verdict.h"
#include "experiments/phase_private.h"

/* What one run makes of the quantity; INFINITY where it diverged. */
static double value_of(hsgd_phase_quantity quantity, const hsgd_trace *trace)
{
    double mean = 0;
    if (trace->diverged_at != HSGD_NOT_DIVERGED)
        return INFINITY;
    for (size_t row = 0; row < trace->num_measured; row++) {
        double value = 0;
        for (size_t k = 0; quantity == HSGD_PHASE_DISPERSION && k < trace->num_levels; k++)
            value += trace->dispersion[row * trace->num_levels + k];
        if (quantity == HSGD_PHASE_S)
            value = trace->grad_norm_sq[row];
        if (quantity == HSGD_PHASE_LOSS)
            value = trace->loss[row];
        mean += (value - mean) / (double)(row + 1);
    }
    return mean;
}

static hsgd_pause ask_to_stop(void *context, uint64_t seed, size_t step)
{
    const hsgd_phase_work *w = context;
    (void)seed;
    (void)step;
    return hsgd_stop_asked(w->stop) ? HSGD_STOP : HSGD_GO_ON;
}

/* value (runs): those of one algorithm. */
static hsgd_status run_one(double *value, hsgd_phase_work *w, hsgd_run_index index, size_t runs, hsgd_error *err)
{
    hsgd_ensemble ensemble;
    hsgd_status status = hsgd_experiment_make_hierarchy(&w->experiment, index, err);
    if (status)
        return status;
    hsgd_simulation simulation = hsgd_experiment_describe(&w->experiment, index);
    simulation.measure_at_nodes = simulation.measure_proof = simulation.measure_smoothness = false;
    simulation.measure_maxima = false;
    simulation.evaluate_every = 0;
    const hsgd_keeper keeper = {.context = w, .ask = ask_to_stop, .window_s = HSGD_PROMPT_WINDOW_S};
    simulation.keeper = &keeper;
    status =
        hsgd_ensemble_run(&ensemble, &simulation, runs, w->config.first_seed, w->problem.placement, w->threads, err);
    if (status)
        return status;
    for (size_t r = 0; r < runs; r++)
        value[r] = value_of(w->settings->quantity, &ensemble.trace[r]);
    hsgd_ensemble_free(&ensemble);
    return HSGD_OK;
}

/* Of the differences run by run; runs that share a grouping count as one value. */
static hsgd_estimate difference(const double *more, const double *less, double *room, size_t runs, size_t per_value)
{
    for (size_t r = 0; r < runs; r++)
        room[r] = more[r] - less[r];
    return hsgd_estimate_mean_of_groups(room, runs, per_value);
}

static double mean_of(const double *value, size_t runs)
{
    return hsgd_estimate_mean(value, 1, runs).mean;
}

static void fill(hsgd_phase_point *out, const hsgd_phase_work *w, double *value[HSGD_NUM_PHASE_RUNS], double *room,
                 size_t runs)
{
    size_t per_value = w->config.groupings ? w->config.seeds : 1;
    double size = 0;
    for (size_t i = 0; i < HSGD_NUM_PHASE_RUNS; i++) {
        out->value[i] = mean_of(value[i], runs);
        size = fmax(size, fabs(out->value[i]));
    }
    out->lower = difference(value[HSGD_PHASE_MIDDLE], value[HSGD_PHASE_INNER], room, runs, per_value);
    out->upper = difference(value[HSGD_PHASE_OUTER], value[HSGD_PHASE_MIDDLE], room, runs, per_value);
    out->values = runs / per_value;
    out->rounding[0] = out->rounding[1] = HSGD_VERDICT_ROUNDING * size;
    if (w->experiment.deterministic) { /* one run says all */
        out->lower.se = out->upper.se = 0;
        out->values = 0;
    }
}

hsgd_status hsgd_phase_find_runs(hsgd_phase_point *out, hsgd_phase_work *w, hsgd_error *err)
{
    static const hsgd_run_index index[HSGD_NUM_PHASE_RUNS] = {HSGD_RUN_INNER, HSGD_RUN_MAIN, HSGD_RUN_OUTER};
    size_t runs = w->experiment.deterministic ? 1 : hsgd_config_runs(&w->config);
    double *memory = calloc(runs * (HSGD_NUM_PHASE_RUNS + 1), sizeof *memory), *value[HSGD_NUM_PHASE_RUNS];
    hsgd_status status = memory ? HSGD_OK : hsgd_fail_memory(err, "the values of the runs");
    for (size_t i = 0; i < HSGD_NUM_PHASE_RUNS && !status; i++) {
        value[i] = memory + i * runs;
        status = run_one(value[i], w, index[i], runs, err);
    }
    if (!status)
        fill(out, w, value, memory + HSGD_NUM_PHASE_RUNS * runs, runs);
    free(memory);
    return status;
}
