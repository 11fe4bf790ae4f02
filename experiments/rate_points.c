/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Running the points of hsgd rate: from exact moments where those are known, else as hsgd run does. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/clock.h"
#include "analysis/exact_moments.h"
#include "experiments/experiment_private.h"
#include "experiments/checkpoint.h"
#include "experiments/range_check.h"
#include "experiments/rate_private.h"

/* One point while it is worked on. */
typedef struct work {
    hsgd_config *config; /* borrowed */
    const char *file;    /* its name in messages; borrowed */
    hsgd_problem problem;
    hsgd_experiment experiment; /* without runs where moments are exact */
    bool built, begun;
} work;

static void work_free(work *w)
{
    if (w->begun)
        hsgd_experiment_free(&w->experiment);
    if (w->built)
        hsgd_problem_free(&w->problem);
    *w = (work){0};
}

/* ---- step size and seeds ---- */

/* gamma by the rule, for the L of this point's problem. */
static hsgd_status set_step_size(work *w, const hsgd_rate_plan *plan, hsgd_error *err)
{
    const hsgd_objective *objective = &w->problem.objective;
    double n = (double)w->config->hierarchy.num_workers, T = (double)w->config->steps;
    hsgd_constants constants;
    if (plan->rule != HSGD_RATE_RULE_SQRT_N_OVER_T && plan->rule != HSGD_RATE_RULE_INVERSE_SQRT_T)
        return HSGD_OK;
    hsgd_status status = objective->type->constants(objective, w->config->batch_size, &constants, err);
    if (status)
        return status;
    double L = constants.smoothness.value, scale = plan->rule == HSGD_RATE_RULE_SQRT_N_OVER_T ? n : 1;
    w->config->step_size = plan->constant * sqrt(scale / T) / L;
    if (isfinite(w->config->step_size) && w->config->step_size > 0)
        return HSGD_OK;
    return hsgd_fail(err, HSGD_ERROR_INPUT, "rate.step_size: the rule \"%s\" gives %g for L = %g; use another one",
                     hsgd_rate_rule_name(plan->rule), w->config->step_size, L);
}

/* Seeds that no other point has, and places for them under random grouping; the initial point was drawn before. */
static hsgd_status separate_seeds(work *w, size_t index, hsgd_error *err)
{
    hsgd_config *config = w->config;
    size_t runs = hsgd_config_runs(config), n = w->problem.hierarchy.num_workers;
    size_t per_grouping = config->groupings ? config->seeds : 1;
    hsgd_status status = HSGD_OK;
    config->first_seed += index * runs;
    for (size_t r = 0; w->problem.placement && r < runs && !status; r++)
        status = hsgd_grouping_place(w->problem.placement + r * n, HSGD_GROUPING_RANDOM, &w->problem.hierarchy, NULL, 0,
                                     config->first_seed + r / per_grouping, err);
    return status;
}

static hsgd_status build(work *w, hsgd_config *config, const hsgd_rate_plan *plan, size_t index, const char *file,
                         hsgd_error *err)
{
    *w = (work){.config = config, .file = file};
    hsgd_status status = hsgd_problem_build(&w->problem, config, file, err);
    w->built = !status;
    if (status)
        return status;
    status = set_step_size(w, plan, err);
    return status ? status : separate_seeds(w, index, err);
}

/* ---- values ---- */

/* Mean of ||grad f||^2 over the rounds t = 0, G, .., and the smallest one; NAN where there is no complete round. */
static void rounds_of(const hsgd_exact *exact, size_t period, double *mean, double *smallest)
{
    size_t rounds = exact->steps / period;
    *mean = rounds ? 0 : NAN;
    *smallest = rounds ? INFINITY : NAN;
    for (size_t r = 0; r < rounds; r++) {
        *mean += exact->grad_norm_sq[r * period] / (double)rounds;
        *smallest = fmin(*smallest, exact->grad_norm_sq[r * period]);
    }
}

static double mean_dispersion(const hsgd_exact *exact)
{
    double sum = 0;
    for (size_t i = 0; i < exact->steps * exact->num_levels; i++)
        sum += exact->dispersion[i];
    return sum / (double)exact->steps;
}

static double exact_value(const hsgd_exact *exact, const work *w, hsgd_rate_quantity quantity)
{
    double mean, smallest;
    rounds_of(exact, w->experiment.global_period, &mean, &smallest);
    switch (quantity) {
    case HSGD_RATE_S_ROUND:
        return mean;
    case HSGD_RATE_S_MIN:
        return smallest;
    case HSGD_RATE_LOSS_GAP:
        return exact->final_loss - w->experiment.constants.minimum.value;
    case HSGD_RATE_DISPERSION:
        return mean_dispersion(exact);
    default:
        return exact->S;
    }
}

/* Of the dispersion of single runs, summed over the levels. */
static hsgd_status sampled_dispersion(hsgd_estimate *out, const hsgd_experiment *e, hsgd_error *err)
{
    const hsgd_summary *s = &e->run[HSGD_RUN_MAIN].summary;
    double *value = malloc(s->num_seeds * sizeof *value);
    if (!value)
        return hsgd_fail_memory(err, "the dispersions");
    for (size_t r = 0; r < s->num_seeds; r++)
        value[r] = s->path[r].dispersion;
    *out = hsgd_estimate_mean_of_groups(value, s->num_seeds, s->runs_per_value);
    if (e->deterministic)
        out->se = 0;
    free(value);
    return HSGD_OK;
}

static hsgd_status sampled_value(hsgd_estimate *out, const hsgd_experiment *e, hsgd_rate_quantity quantity,
                                 hsgd_error *err)
{
    const hsgd_summary *s = &e->run[HSGD_RUN_MAIN].summary;
    switch (quantity) {
    case HSGD_RATE_DISPERSION:
        return sampled_dispersion(out, e, err);
    case HSGD_RATE_S_ROUND:
        *out = s->S_round;
        break;
    case HSGD_RATE_S_MIN:
        *out = s->S_min;
        break;
    case HSGD_RATE_LOSS_GAP:
        *out = s->final_loss;
        out->mean -= e->constants.minimum.value;
        break;
    default:
        *out = s->S;
    }
    if (out->count == 0) /* no complete round */
        out->mean = out->se = NAN;
    return HSGD_OK;
}

static void describe(hsgd_rate_point *p, const work *w, const hsgd_rate_plan *plan)
{
    const hsgd_experiment *e = &w->experiment;
    double half_width = p->value.se == 0 ? 0 : hsgd_half_width(p->value, plan->confidence, 1);
    hsgd_constant_kind kinds[] = {e->constants.smoothness.kind, e->constants.noise_sq.kind, e->constants.minimum.kind,
                                  e->divergence_kind};
    p->workers = w->config->hierarchy.num_workers;
    p->steps = w->config->steps;
    p->local_period = e->local_period;
    p->global_period = e->global_period;
    p->step_size = e->step_size;
    p->smoothness = e->constants.smoothness.value;
    p->low = p->value.mean - half_width;
    p->high = p->value.mean + half_width;
    p->minimum_kind = e->constants.minimum.kind;
    p->kind = HSGD_EXACT;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        p->kind = kinds[i] > p->kind ? kinds[i] : p->kind;
}

/* ---- points ---- */

/* What of progress a point has, by its steps and workers. */
typedef struct progress_state {
    const hsgd_rate_options *options;
    double done, now, total;
} progress_state;

static double work_of(const hsgd_config *config)
{
    return (double)config->steps * (double)config->hierarchy.num_workers;
}

static void tell(void *context, double fraction)
{
    const progress_state *state = context;
    state->options->progress(state->options->progress_context, (state->done + fraction * state->now) / state->total);
}

static hsgd_status stopped(const progress_state *progress, size_t count, size_t done, hsgd_error *err)
{
    return hsgd_fail(err, HSGD_STOPPED, "stopped after %zu of %zu points, %.3g %% of the work", done, count,
                     100 * progress->done / progress->total);
}

static hsgd_status run_sampled(hsgd_rate *rate, hsgd_rate_plan *plan, size_t i, const char *file,
                               progress_state *progress, hsgd_error *err)
{
    work w;
    hsgd_experiment_options how = {.threads = progress->options->threads,
                                   .progress = progress->options->progress ? tell : NULL,
                                   .progress_context = progress,
                                   .checkpoint = progress->options->checkpoint,
                                   .stop = progress->options->stop};
    hsgd_status status = build(&w, &plan->config[i], plan, i, file, err);
    progress->now = work_of(w.config);
    if (!status) {
        status = hsgd_experiment_run(&w.experiment, w.config, &w.problem, &how, err);
        w.begun = !status;
    }
    if (!status)
        status = sampled_value(&rate->point[i].value, &w.experiment, plan->quantity, err);
    if (!status) {
        describe(&rate->point[i], &w, plan);
        status = hsgd_rate_take_bounds(rate, i, &w.experiment, err);
    }
    if (status == HSGD_STOPPED)
        stopped(progress, rate->num_points, i, err);
    else if (status)
        hsgd_rate_name_point(err, plan, i, file);
    progress->done += progress->now;
    work_free(&w);
    return status;
}

/* Constants, step size, divergences: all but the moments. */
static hsgd_status begin_exact(work *w, hsgd_error *err)
{
    w->experiment = (hsgd_experiment){
        .config = w->config, .problem = &w->problem, .constants.convexity = -INFINITY, .global_divergence_sq.value = 0};
    w->begun = true;
    hsgd_status status = hsgd_experiment_prepare(&w->experiment, err);
    if (!status)
        status = hsgd_range_check_start(&w->problem, &w->experiment.constants, w->config->batch_size,
                                        w->experiment.step_size, err);
    return status ? status : hsgd_experiment_find_divergences(&w->experiment, err);
}

static hsgd_status find_moments(work *w, double *value, hsgd_rate_quantity quantity, hsgd_error *err)
{
    hsgd_exact exact;
    hsgd_experiment *e = &w->experiment;
    hsgd_status status = hsgd_exact_moments(&exact, &w->problem.quadratic, &w->problem.hierarchy, w->problem.initial,
                                            e->step_size, w->config->steps, err);
    if (status)
        return status;
    *value = exact_value(&exact, w, quantity);
    e->delta = (hsgd_constant){fmax(0, exact.loss[0] - e->constants.minimum.value), e->constants.minimum.kind};
    hsgd_exact_free(&exact);
    return HSGD_OK;
}

/* The same, unless the checkpoint has it already. */
static hsgd_status find_or_get_moments(work *w, double *value, hsgd_rate_quantity quantity, size_t index,
                                       hsgd_checkpoint *checkpoint, hsgd_error *err)
{
    hsgd_bytes record = {0};
    hsgd_experiment *e = &w->experiment;
    hsgd_status status = checkpoint ? hsgd_checkpoint_get(checkpoint, index, &record, err) : HSGD_OK;
    if (!status && record.size) {
        hsgd_bytes_reader in = hsgd_bytes_read(record.data, record.size);
        e->delta.kind = e->constants.minimum.kind;
        hsgd_bytes_take_doubles(&in, value, 1);
        hsgd_bytes_take_doubles(&in, &e->delta.value, 1);
    } else if (!status)
        status = find_moments(w, value, quantity, err);
    if (!status && checkpoint && !record.size) {
        hsgd_bytes_put_doubles(&record, value, 1);
        hsgd_bytes_put_doubles(&record, &e->delta.value, 1);
        hsgd_checkpoint_keep(checkpoint, index, &record);
    }
    hsgd_bytes_free(&record);
    return status;
}

static hsgd_status finish_exact(hsgd_rate *rate, size_t i, work *w, double value, hsgd_error *err)
{
    rate->point[i].value = (hsgd_estimate){value, 0, 1};
    hsgd_status status = hsgd_experiment_evaluate_bounds(&w->experiment, err);
    if (status)
        return status;
    describe(&rate->point[i], w, rate->plan);
    return hsgd_rate_take_bounds(rate, i, &w->experiment, err);
}

/* Some points, first to end - 1, that are worked on at once. */
typedef struct batch {
    size_t first, end;
    work *w;       /* (end - first) owned */
    double *value; /* (end - first) owned */
} batch;

static hsgd_status find_all_moments(batch *b, const hsgd_rate_plan *plan, progress_state *progress, hsgd_error *err)
{
    const hsgd_rate_options *options = progress->options;
    hsgd_status first = HSGD_OK;
#pragma omp parallel for schedule(dynamic, 1) num_threads(options->threads)
    for (size_t k = 0; k < b->end - b->first; k++) {
        hsgd_error own;
        hsgd_status status = hsgd_stop_check(options->stop, &own);
        if (!status)
            status =
                find_or_get_moments(&b->w[k], &b->value[k], plan->quantity, b->first + k, options->checkpoint, &own);
#pragma omp critical(hsgd_rate_progress)
        {
            if (status && !first) {
                first = status;
                hsgd_fail(err, status, "%s", own.message);
                if (status == HSGD_STOPPED)
                    stopped(progress, plan->num_points, b->first + k, err);
                else
                    hsgd_rate_name_point(err, plan, b->first + k, b->w[k].file);
            }
            progress->done += work_of(b->w[k].config);
            if (options->progress)
                options->progress(options->progress_context, progress->done / progress->total);
        }
    }
    return first;
}

static hsgd_status run_batch(batch *b, hsgd_rate *rate, hsgd_rate_plan *plan, const char *file,
                             progress_state *progress, hsgd_error *err)
{
    hsgd_status status = HSGD_OK;
    for (size_t i = b->first; i < b->end && !status; i++) {
        status = build(&b->w[i - b->first], &plan->config[i], plan, i, file, err);
        if (!status)
            status = begin_exact(&b->w[i - b->first], err);
        if (status)
            hsgd_rate_name_point(err, plan, i, file);
    }
    if (!status)
        status = find_all_moments(b, plan, progress, err);
    for (size_t i = b->first; i < b->end && !status; i++)
        status = finish_exact(rate, i, &b->w[i - b->first], b->value[i - b->first], err);
    for (size_t i = b->first; i < b->end; i++)
        work_free(&b->w[i - b->first]);
    return status;
}

/* As many points at once as there are threads, neighbours, which take about as long, and no more problems in memory. */
static hsgd_status run_exact(hsgd_rate *rate, hsgd_rate_plan *plan, const char *file, progress_state *progress,
                             hsgd_error *err)
{
    size_t threads = (size_t)progress->options->threads, count = plan->num_points;
    batch b = {.w = calloc(threads, sizeof *b.w), .value = calloc(threads, sizeof *b.value)};
    hsgd_status status = b.w && b.value ? HSGD_OK : hsgd_fail_memory(err, "the points");
    for (size_t first = 0; first < count && !status; first += threads) {
        b.first = first;
        b.end = first + threads < count ? first + threads : count;
        status = run_batch(&b, rate, plan, file, progress, err);
    }
    free(b.w);
    free(b.value);
    return status;
}

static hsgd_status run_points(hsgd_rate *rate, hsgd_rate_plan *plan, const char *file, const hsgd_rate_options *options,
                              hsgd_error *err)
{
    progress_state progress = {.options = options};
    hsgd_status status = HSGD_OK;
    for (size_t i = 0; i < plan->num_points; i++)
        progress.total += work_of(&plan->config[i]);
    if (plan->exact)
        return run_exact(rate, plan, file, &progress, err);
    for (size_t i = 0; i < plan->num_points && !status; i++)
        status = run_sampled(rate, plan, i, file, &progress, err);
    return status;
}

hsgd_status hsgd_rate_run(hsgd_rate *out, hsgd_rate_plan *plan, const char *file, const hsgd_rate_options *options,
                          hsgd_error *err)
{
    *out = (hsgd_rate){.plan = plan, .num_points = plan->num_points};
    out->point = calloc(plan->num_points, sizeof *out->point);
    if (!out->point)
        return hsgd_fail_memory(err, "the points");
    for (size_t i = 0; i < plan->num_points; i++)
        out->point[i].at = plan->value[i];
    hsgd_status status = run_points(out, plan, file, options, err);
    return status ? status : hsgd_rate_judge(out, err);
}

/* ---- dry run ---- */

/* Some steps are tried and scaled up; all that they need is there for T steps, too. */
static hsgd_status predict_exact(hsgd_prediction *out, work *w, hsgd_error *err)
{
    enum { TRIAL_STEPS = 200 };
    hsgd_exact exact;
    size_t steps = w->config->steps, tried = steps < TRIAL_STEPS ? steps : TRIAL_STEPS;
    const hsgd_hierarchy *h = &w->problem.hierarchy;
    double vectors = 2 * (double)h->num_workers + 2 * (double)h->num_nodes, begun_s = hsgd_now_s();
    hsgd_status status = hsgd_exact_moments(&exact, &w->problem.quadratic, h, w->problem.initial,
                                            w->config->step_size > 0 ? w->config->step_size : 1e-3, tried, err);
    hsgd_exact_free(&exact);
    out->time_s = (hsgd_now_s() - begun_s) * (double)steps / (double)tried;
    out->memory_bytes = 8 * (vectors * (double)w->problem.quadratic.dim + (double)steps * (double)(h->num_levels + 2));
    return status;
}

hsgd_status hsgd_rate_predict(hsgd_prediction *out, hsgd_rate_plan *plan, size_t i, const char *file, int threads,
                              hsgd_error *err)
{
    work w;
    const hsgd_experiment_options how = {.threads = threads};
    *out = (hsgd_prediction){0};
    hsgd_status status = build(&w, &plan->config[i], plan, i, file, err);
    if (!status)
        status =
            plan->exact ? predict_exact(out, &w, err) : hsgd_experiment_predict(out, w.config, &w.problem, &how, err);
    if (status)
        hsgd_rate_name_point(err, plan, i, file);
    work_free(&w);
    return status;
}
