/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Time and memory of a run before it is made: memory from its sizes, time from short trials of its simulations. */
#include <math.h>
#include <sys/resource.h>

#include "analysis/clock.h"
#include "analysis/memory.h"
#include "bounds/worst_case.h"
#include "experiments/experiment_private.h"
#include "experiments/predict_private.h"

/* Trials are made longer until the next takes this much more time than the one before, so that clocks and caches matter
 * little; but no longer where all trials together have taken so much. */
static const double DIFFERENCE_S = 0.05, ENOUGH_S = 1;

/* A run of T steps takes once + T step + R row + E evaluation seconds, R its measured steps, E how often w̄ is evaluated.
 * Each trial has numbers of its own, and these are what differences between trials are divided by: a short trial of a run that
 * is rarely measured is measured as often as a long one, so its seconds say nothing until they are taken apart. */
typedef struct rates {
    double once_s, step_s, row_s, evaluation_s; /* for as many seeds as run at once */
} rates;

typedef struct trials {
    const hsgd_simulation *whole;
    const size_t *placement;
    size_t at_once;
    int threads;
    double (*now_s)(void);
    double spent_s;
} trials;

static size_t rows_of(size_t steps, size_t every)
{
    return (steps + every - 1) / every;
}

/* One trial: so many steps, measured as often as said, evaluated at the first and after the last of them or not at all. */
static hsgd_status try_steps(double *out_s, trials *t, size_t steps, size_t every, bool evaluated, hsgd_error *err)
{
    hsgd_simulation part = *t->whole;
    hsgd_ensemble ensemble;
    part.steps = steps;
    part.measure_every = every;
    part.evaluate_every = evaluated ? steps : 0;
    double begin_s = t->now_s();
    hsgd_status status = hsgd_ensemble_run(&ensemble, &part, t->at_once, 1, t->placement, t->threads, err);
    if (status)
        return status;
    *out_s = t->now_s() - begin_s;
    t->spent_s += *out_s;
    hsgd_ensemble_free(&ensemble);
    return HSGD_OK;
}

/* Two trials with different numbers of steps and rows. */
typedef struct trial_pair {
    size_t steps[2], rows[2];
    double time_s[2];
} trial_pair;

/* Fourfold numbers of steps, from unit on, measured every `every` steps; 0: only once. The last two. */
static hsgd_status grow(trial_pair *out, trials *t, size_t unit, size_t every, hsgd_error *err)
{
    size_t most = t->whole->steps;
    *out = (trial_pair){.time_s = {NAN, NAN}};
    for (size_t steps = unit < most ? unit : most;; steps = steps < most / 4 ? 4 * steps : most) {
        size_t each = every ? every : steps;
        out->steps[0] = out->steps[1], out->rows[0] = out->rows[1], out->time_s[0] = out->time_s[1];
        out->steps[1] = steps, out->rows[1] = rows_of(steps, each);
        hsgd_status status = try_steps(&out->time_s[1], t, steps, each, false, err);
        if (status || steps == most || out->time_s[1] - out->time_s[0] >= DIFFERENCE_S)
            return status;
        if (t->spent_s > ENOUGH_S && out->steps[0])
            return HSGD_OK;
    }
}

/* Of the step alone, from trials that are measured once. */
static hsgd_status find_step(rates *r, trials *t, hsgd_error *err)
{
    trial_pair p;
    hsgd_status status = grow(&p, t, 1, 0, err);
    if (status)
        return status;
    size_t more = p.steps[1] - p.steps[0];
    r->step_s = p.steps[0] ? fmax(0, (p.time_s[1] - p.time_s[0]) / (double)more) : 0;
    r->once_s = fmax(0, p.time_s[1] - (double)p.steps[1] * r->step_s); /* with one row */
    return HSGD_OK;
}

/* Rows between the same averages share their passes over the data, so they are tried as far apart as they will be, or once for
 * every average of the root. Where one row already takes long, it counts as half of what is measured in a trial, at its
 * first step and at its end. */
static hsgd_status find_row(rates *r, trials *t, hsgd_error *err)
{
    size_t period = hsgd_hierarchy_global_period(t->whole->hierarchy), every = t->whole->measure_every;
    size_t unit = every < period ? every : period;
    trial_pair p;
    r->row_s = r->once_s / 2;
    if (unit >= t->whole->steps || r->once_s + (double)unit * r->step_s > ENOUGH_S) {
        r->once_s -= r->row_s;
        return HSGD_OK;
    }
    hsgd_status status = grow(&p, t, unit, unit, err);
    if (status)
        return status;
    if (p.rows[1] > p.rows[0] && p.rows[0] > 0) {
        double difference_s = p.time_s[1] - p.time_s[0] - (double)(p.steps[1] - p.steps[0]) * r->step_s;
        r->row_s = fmax(0, difference_s / (double)(p.rows[1] - p.rows[0]));
    }
    r->once_s = fmax(0, r->once_s - r->row_s);
    return HSGD_OK;
}

static hsgd_status find_evaluation(rates *r, trials *t, hsgd_error *err)
{
    double trial_s;
    if (!t->whole->evaluate_every)
        return HSGD_OK;
    hsgd_status status = try_steps(&trial_s, t, 1, 1, true, err);
    if (!status)
        r->evaluation_s = fmax(0, trial_s - r->once_s - r->step_s - r->row_s) / 2; /* at 0 and at the end */
    return status;
}

hsgd_status hsgd_predict_simulation(hsgd_prediction *out, const hsgd_simulation *whole, size_t seeds,
                                    const size_t *placement, int threads, double (*now_s)(void), hsgd_error *err)
{
    size_t at_once = (size_t)threads < seeds ? (size_t)threads : seeds;
    trials t = {whole, placement, at_once, threads, now_s, 0};
    rates r = {0, 0, 0, 0};
    hsgd_status status = find_step(&r, &t, err);
    if (!status)
        status = find_row(&r, &t, err);
    if (!status)
        status = find_evaluation(&r, &t, err);
    if (status)
        return status;
    size_t rows = rows_of(whole->steps, whole->measure_every);
    size_t evaluations = whole->evaluate_every ? rows_of(rows, whole->evaluate_every) + 1 : 0;
    double round_s =
        r.once_s + (double)whole->steps * r.step_s + (double)rows * r.row_s + (double)evaluations * r.evaluation_s;
    out->time_s += round_s * ceil((double)seeds / (double)at_once);
    out->trial_time_s += t.spent_s;
    return HSGD_OK;
}

static hsgd_status predict_run(hsgd_prediction *out, hsgd_experiment *e, hsgd_run_index index, int threads, bool timed,
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
    return status || !timed
               ? status
               : hsgd_predict_simulation(out, &whole, seeds, e->problem->placement, threads, hsgd_now_s, err);
}

static hsgd_status predict_worst_case(hsgd_prediction *out, const hsgd_experiment *e, hsgd_error *err)
{
    hsgd_hierarchy canonical;
    if (!e->config->worst_case)
        return HSGD_OK;
    hsgd_status status = hsgd_hierarchy_canonical(&canonical, hsgd_experiment_bound_tree(e), NULL, NULL, err);
    if (status)
        return status;
    out->worst_case_s = hsgd_worst_case_seconds(&canonical, e->config->steps);
    hsgd_hierarchy_free(&canonical);
    return HSGD_OK;
}

static hsgd_status predict(hsgd_prediction *out, const hsgd_config *config, const hsgd_problem *problem,
                           const hsgd_experiment_options *options, bool timed, hsgd_error *err)
{
    struct rusage usage;
    hsgd_experiment e = {.config = config, .problem = problem, .constants.convexity = -INFINITY};
    *out = (hsgd_prediction){0};
    hsgd_status status = hsgd_experiment_prepare(&e, err);
    double present_bytes = getrusage(RUSAGE_SELF, &usage) == 0 ? 1024.0 * (double)usage.ru_maxrss : 0;
    out->num_runs = status ? 0 : (size_t)hsgd_experiment_count_runs(&e);
    for (size_t i = 0; i < out->num_runs && !status; i++)
        status = predict_run(out, &e, (hsgd_run_index)i, options->threads, timed, err);
    status = status ? status : predict_worst_case(out, &e, err);
    out->memory_bytes += present_bytes;
    hsgd_experiment_free(&e);
    return status;
}

hsgd_status hsgd_experiment_predict(hsgd_prediction *out, const hsgd_config *config, const hsgd_problem *problem,
                                    const hsgd_experiment_options *options, hsgd_error *err)
{
    return predict(out, config, problem, options, true, err);
}

hsgd_status hsgd_experiment_predict_memory(hsgd_prediction *out, const hsgd_config *config, const hsgd_problem *problem,
                                           const hsgd_experiment_options *options, hsgd_error *err)
{
    return predict(out, config, problem, options, false, err);
}
