/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Bounds next to measurements (THEORY 9). */
#include "experiments/experiment_private.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/moments.h"

bool hsgd_experiment_needs_maxima(const hsgd_config *config)
{
    /* the bounds of THEORY 10 that assume every single deviation bounded */
    for (size_t i = 0; i < hsgd_num_bounds; i++)
        if (config->use_bound[i] && hsgd_bounds[i]->needs_maxima)
            return true;
    return false;
}

/* ---- intervals ---- */

static hsgd_interval interval(hsgd_estimate estimate, double confidence, double checks)
{
    double alone = hsgd_half_width(estimate, confidence, 1), joint = hsgd_half_width(estimate, confidence, checks);
    return (hsgd_interval){estimate, estimate.mean - alone, estimate.mean + alone, estimate.mean - joint,
                           estimate.mean + joint};
}

/* S_min is the smallest of many means. The smallest upper end bounds it from above when all rounds' intervals hold
 * together, and the smallest lower end from below. */
static hsgd_interval interval_of_minimum(const hsgd_summary *s, size_t steps, size_t period, double confidence,
                                         double checks)
{
    size_t end = steps / period * period;
    hsgd_interval out = interval(s->S_min, confidence, 1);
    if (s->num_rounds == 0)
        return out;
    out.low = out.high = out.low_joint = out.high_joint = INFINITY;
    for (size_t row = 0; row < s->num_rows; row++) {
        if (s->step[row] % period != 0 || s->step[row] >= end)
            continue;
        double rounds = (double)s->num_rounds;
        hsgd_interval at = interval(s->grad_norm_sq[row], confidence, rounds);
        hsgd_interval joint = interval(s->grad_norm_sq[row], confidence, rounds * checks);
        out.low = fmin(out.low, at.low);
        out.high = fmin(out.high, at.high);
        out.low_joint = fmin(out.low_joint, joint.low_joint);
        out.high_joint = fmin(out.high_joint, joint.high_joint);
    }
    if (isnan(s->S_min.se)) /* fmin skips NAN, but one seed has no interval */
        out.low = out.high = out.low_joint = out.high_joint = NAN;
    return out;
}

static void set_intervals(hsgd_experiment *e, double checks)
{
    for (int i = 0; i < HSGD_NUM_RUNS; i++) {
        hsgd_run *run = &e->run[i];
        if (!run->made)
            continue;
        run->S = interval(run->summary.S, e->config->confidence, checks);
        run->S_round = interval(run->summary.S_round, e->config->confidence, checks);
        run->S_min = interval_of_minimum(&run->summary, e->config->steps, hsgd_hierarchy_global_period(&run->hierarchy),
                                         e->config->confidence, checks);
    }
}

/* ---- rounding ---- */

/* What is 0 in exact arithmetic comes out as about this share of the numbers it was computed from. */
static const double ROUNDING = 1e-14;

/* Numbers of a run up to some row, for the size of its rounding errors. */
typedef struct magnitude {
    double travelled; /* length of the way of wbar, at most; with ||w^0|| the size of the models */
    double gradient;  /* largest ||grad f(wbar)|| */
    double loss;      /* largest |f(wbar)| */
} magnitude;

static void extend(magnitude *m, const hsgd_experiment *e, const hsgd_summary *s, size_t row)
{
    double gradient = sqrt(s->grad_norm_sq[row].mean), dispersion = 0;
    for (size_t k = 0; k < s->num_levels; k++)
        dispersion += s->dispersion[row * s->num_levels + k].mean;
    m->travelled +=
        e->step_size * (double)e->config->measure_every * (gradient + e->constants.smoothness.value * sqrt(dispersion));
    m->gradient = fmax(m->gradient, gradient);
    m->loss = fmax(m->loss, fabs(s->loss[row].mean));
}

static double initial_norm(const hsgd_experiment *e)
{
    return sqrt(hsgd_norm_sq(e->problem->initial, e->problem->objective.dim));
}

/* 0 in place of what a diverged run makes of it. */
static double finite_or_0(double value)
{
    return isfinite(value) ? value : 0;
}

/* Rounding of S, S_round and S_min, and of Delta = f(w^0) - f* in the bound. Matters where the run starts at the
 * minimum. */
static double rounding_of_gradients(const hsgd_experiment *e, const hsgd_run *run)
{
    magnitude m = {0, 0, fabs(finite_or_0(e->constants.minimum.value))};
    for (size_t row = 0; row < run->summary.num_rows; row++)
        extend(&m, e, &run->summary, row);
    double error = ROUNDING * (e->constants.smoothness.value * (initial_norm(e) + m.travelled) + m.gradient);
    return finite_or_0(error * error + 2e-15 * m.loss / (e->step_size * (double)e->config->steps));
}

/* ---- parameters of the bounds ---- */

/* The tree that bounds are evaluated on: level by level where all nodes of a level are alike. */
static const hsgd_hierarchy *bound_tree(const hsgd_experiment *e)
{
    bool by_level = e->config->is_uniform && e->config->weighting == HSGD_WEIGHTS_EQUAL;
    return by_level ? &e->config->hierarchy : &e->problem->hierarchy;
}

/* beta_u^2 for the entries of bound_tree. Entries of a uniform tree are its levels. */
static const double *bound_divergence_sq(const hsgd_experiment *e)
{
    return bound_tree(e) == &e->config->hierarchy ? e->level_divergence_sq : e->node_divergence_sq;
}

/* Largest deviations for the entries of bound_tree; NULL if they were not measured. Free it. */
static double *bound_deviation_max_sq(const hsgd_experiment *e)
{
    const double *node = e->run[HSGD_RUN_MAIN].summary.node_deviation_sup_sq;
    const hsgd_hierarchy *tree = bound_tree(e), *expanded = &e->problem->hierarchy;
    double *out = node ? calloc(expanded->num_nodes + 1, sizeof *out) : NULL;
    if (!out)
        return NULL;
    for (size_t u = 0; u < expanded->num_nodes; u++) {
        size_t entry = tree == expanded ? u : expanded->node[u].depth;
        out[entry] = fmax(out[entry], node[u]);
    }
    return out;
}

/* A diverged run leaves no finite supremum, so that the constant is not known. */
static double known(double value)
{
    return isfinite(value) ? value : NAN;
}

static hsgd_status make_params(hsgd_bound_params *out, const hsgd_experiment *e, hsgd_error *err)
{
    double *deviation_max_sq = bound_deviation_max_sq(e);
    hsgd_status status = hsgd_bound_params_init(out, bound_tree(e), bound_divergence_sq(e), deviation_max_sq, err);
    free(deviation_max_sq);
    if (status)
        return status;
    out->global_divergence_sq = known(e->global_divergence_sq.value);
    for (size_t u = 0; out->divergence_sq && u < out->tree.num_nodes; u++)
        out->divergence_sq[u] = known(out->divergence_sq[u]);
    for (size_t u = 0; out->child_deviation_max_sq && u < out->tree.num_nodes; u++)
        out->child_deviation_max_sq[u] = known(out->child_deviation_max_sq[u]);
    out->worker_deviation_max_sq = e->run[HSGD_RUN_MAIN].summary.worker_deviation_sup_sq;
    for (int i = HSGD_RUN_INNER; i < HSGD_NUM_RUNS; i++)
        if (e->run[i].made)
            out->worker_deviation_max_sq =
                fmax(out->worker_deviation_max_sq, e->run[i].summary.worker_deviation_sup_sq);
    out->worker_deviation_max_sq = known(out->worker_deviation_max_sq);
    out->step_size = e->step_size;
    out->steps = e->config->steps;
    out->smoothness = e->constants.smoothness.value;
    out->noise_sq = e->constants.noise_sq.value;
    out->delta = e->delta.value;
    status = hsgd_bound_params_check(out, err);
    if (status)
        hsgd_bound_params_free(out);
    return status;
}

/* ---- verdicts on bounds ---- */

/* The run that a bound speaks about; NULL with a reason where it was not made. */
static const hsgd_run *find_run(const hsgd_experiment *e, const hsgd_bound *bound, const char **reason)
{
    const hsgd_run *main_run = &e->run[HSGD_RUN_MAIN];
    bool one_level = e->local_period == e->global_period, inner = bound->algorithm == HSGD_ALGORITHM_LOCAL_INNER;
    *reason = "";
    switch (bound->algorithm) {
    case HSGD_ALGORITHM_HSGD:
        return main_run;
    case HSGD_ALGORITHM_HSGD_RANDOM:
        *reason = "it averages over places, fixed here; needs \"grouping\": \"random\"";
        return e->problem->placement || one_level ? main_run : NULL;
    case HSGD_ALGORITHM_LOCAL_INNER:
    case HSGD_ALGORITHM_LOCAL_OUTER:
        return one_level ? main_run : &e->run[inner ? HSGD_RUN_INNER : HSGD_RUN_OUTER];
    }
    return NULL;
}

static hsgd_interval measured_by(const hsgd_run *run, hsgd_target target)
{
    switch (target) {
    case HSGD_TARGET_S:
        return run->S;
    case HSGD_TARGET_S_ROUND:
        return run->S_round;
    case HSGD_TARGET_S_MIN:
        return run->S_min;
    case HSGD_TARGET_DISTANCE:
        break;
    }
    return (hsgd_interval){.estimate = {NAN, NAN, 0}, .low = NAN, .high = NAN, .low_joint = NAN, .high_joint = NAN};
}

static hsgd_constant_kind weakest_kind(const hsgd_experiment *e)
{
    hsgd_constant_kind kinds[] = {e->constants.smoothness.kind, e->constants.noise_sq.kind, e->constants.minimum.kind,
                                  e->divergence_kind};
    hsgd_constant_kind weakest = HSGD_EXACT;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (kinds[i] > weakest)
            weakest = kinds[i];
    return weakest;
}

static void explain(hsgd_comparison *c, const char *reason)
{
    snprintf(c->reason, sizeof c->reason, "%s", reason);
}

/* Every step (every round) that the target averages over was measured. */
static bool is_complete(const hsgd_experiment *e, const hsgd_run *run, hsgd_target target)
{
    size_t period = hsgd_hierarchy_global_period(&run->hierarchy), steps = e->config->steps;
    return target == HSGD_TARGET_S ? run->summary.num_rows == steps : run->summary.num_rounds == steps / period;
}

static void decide(hsgd_comparison *c, const hsgd_experiment *e, const hsgd_run *run, const char *no_run)
{
    c->verdict = HSGD_VERDICT_NOT_APPLICABLE;
    if (!c->value.applicable)
        explain(c, c->value.reason);
    else if (!run)
        explain(c, no_run);
    else if (c->measured.estimate.count == 0)
        explain(c, c->bound->target == HSGD_TARGET_DISTANCE ? "this distance is not measured"
                                                            : "the run has no complete global round");
    else {
        c->verdict = hsgd_verdict_decide(c->measured.low_joint, c->measured.high_joint,
                                         c->value.value + rounding_of_gradients(e, run));
        if (c->verdict == HSGD_VERDICT_INCONCLUSIVE && run->summary.num_diverged)
            snprintf(c->reason, sizeof c->reason, "the run diverged at step %zu", run->summary.diverged_at);
        else if (c->verdict == HSGD_VERDICT_INCONCLUSIVE)
            explain(c, run->num_seeds == 1 ? "one seed gives no interval; use more seeds"
                                           : "the interval contains the bound; use more seeds");
        else if (c->verdict == HSGD_VERDICT_VIOLATED && !is_complete(e, run, c->bound->target)) {
            c->verdict = HSGD_VERDICT_INCONCLUSIVE;
            snprintf(c->reason, sizeof c->reason,
                     "above the bound, but measured at every %zuth step only; use \"measure_every\": 1",
                     e->config->measure_every);
        } else if (c->verdict == HSGD_VERDICT_VIOLATED)
            explain(c, "the whole interval lies above the bound");
    }
}

static void compare(hsgd_comparison *c, const hsgd_experiment *e)
{
    const char *no_run;
    const hsgd_run *run = find_run(e, c->bound, &no_run);
    c->kind = weakest_kind(e);
    c->measured = measured_by(run ? run : &e->run[HSGD_RUN_MAIN], run ? c->bound->target : HSGD_TARGET_DISTANCE);
    c->ratio = c->measured.estimate.count ? c->measured.estimate.mean / c->value.value : NAN;
    decide(c, e, run && run->made ? run : NULL, no_run);
}

static hsgd_status evaluate_bounds(hsgd_experiment *e, hsgd_error *err)
{
    hsgd_bound_params params;
    hsgd_status status = make_params(&params, e, err);
    if (status)
        return status;
    e->comparison = calloc(hsgd_num_bounds + 1, sizeof *e->comparison);
    if (!e->comparison)
        status = hsgd_fail_memory(err, "the bounds");
    for (size_t i = 0; i < hsgd_num_bounds && !status; i++)
        if (e->config->use_bound[i]) {
            hsgd_comparison *c = &e->comparison[e->num_comparisons++];
            c->bound = hsgd_bounds[i];
            hsgd_bound_eval(c->bound, &params, &c->value);
        }
    hsgd_bound_params_free(&params);
    return status;
}

/* How many verdicts are given together: each applicable bound is one. */
static double count_checks(const hsgd_experiment *e)
{
    double checks = 0;
    for (size_t i = 0; i < e->num_comparisons; i++)
        checks += e->comparison[i].value.applicable;
    return fmax(1, checks);
}

/* ---- the dispersion at every step, and the identities ---- */

static hsgd_status evaluate_dispersion_bound(hsgd_experiment *e, hsgd_error *err)
{
    const hsgd_summary *s = &e->run[HSGD_RUN_MAIN].summary;
    size_t steps = e->config->steps, levels = s->num_levels;
    bool applies = e->step_size * e->constants.smoothness.value <= 1;
    e->dispersion_bound = malloc(s->num_rows * levels * sizeof *e->dispersion_bound);
    double *every_step = malloc(steps * levels * sizeof *every_step);
    hsgd_status status = HSGD_OK;
    if (!e->dispersion_bound || !every_step)
        status = hsgd_fail_memory(err, "the dispersion bound");
    if (!status && applies)
        status = hsgd_dispersion_bound(every_step, bound_tree(e), bound_divergence_sq(e), e->step_size,
                                       e->constants.smoothness.value, e->constants.noise_sq.value, steps, err);
    for (size_t row = 0; row < s->num_rows && !status; row++)
        for (size_t k = 0; k < levels; k++)
            e->dispersion_bound[row * levels + k] = applies ? every_step[s->step[row] * levels + k] : NAN;
    free(every_step);
    return status;
}

static void check_dispersion(hsgd_experiment *e, size_t level)
{
    const hsgd_summary *s = &e->run[HSGD_RUN_MAIN].summary;
    hsgd_dispersion_check *check = &e->dispersion[level];
    double checks = (double)s->num_rows * (double)s->num_levels;
    magnitude m = {0, 0, 0};
    *check = (hsgd_dispersion_check){.verdict = HSGD_VERDICT_NOT_APPLICABLE};
    for (size_t row = 0; row < s->num_rows; row++) {
        size_t cell = row * s->num_levels + level;
        hsgd_interval measured = interval(s->dispersion[cell], e->config->confidence, checks);
        double bound = e->dispersion_bound[cell];
        extend(&m, e, s, row);
        double error = finite_or_0(ROUNDING * (initial_norm(e) + m.travelled)), rounding = error * error;
        if (isnan(bound))
            continue;
        check->verdict = hsgd_verdict_worse(
            check->verdict, hsgd_verdict_decide(measured.low_joint, measured.high_joint, bound + rounding));
        if (bound > rounding && measured.estimate.mean / bound > check->max_ratio) {
            check->max_ratio = measured.estimate.mean / bound;
            check->max_ratio_step = s->step[row];
        }
    }
}

static hsgd_status judge_dispersion(hsgd_experiment *e, hsgd_error *err)
{
    size_t levels = e->run[HSGD_RUN_MAIN].summary.num_levels;
    e->dispersion = calloc(levels + 1, sizeof *e->dispersion);
    if (!e->dispersion)
        return hsgd_fail_memory(err, "the dispersion checks");
    hsgd_status status = evaluate_dispersion_bound(e, err);
    for (size_t k = 0; k < levels && !status; k++)
        check_dispersion(e, k);
    return status;
}

static hsgd_verdict judge_identity(double error)
{
    return error <= HSGD_IDENTITY_TOLERANCE ? HSGD_VERDICT_HOLDS : HSGD_VERDICT_VIOLATED;
}

/* The worst verdict. An inconclusive step of the dispersion does not count: where divergences vanish the bound is
 * attained in expectation after one step, and no interval can lie below it. */
static void judge_overall(hsgd_experiment *e)
{
    for (size_t i = 0; i < e->num_comparisons; i++)
        e->overall = hsgd_verdict_worse(e->overall, e->comparison[i].verdict);
    for (size_t k = 0; k < e->run[HSGD_RUN_MAIN].summary.num_levels; k++)
        if (e->dispersion[k].verdict == HSGD_VERDICT_VIOLATED)
            e->overall = HSGD_VERDICT_VIOLATED;
    e->overall = hsgd_verdict_worse(e->overall, hsgd_verdict_worse(e->gradient_identity, e->parameter_identity));
    if (e->has_sandwich && !e->sandwich.holds)
        e->overall = HSGD_VERDICT_VIOLATED;
}

hsgd_status hsgd_experiment_judge(hsgd_experiment *e, hsgd_error *err)
{
    const hsgd_summary *s = &e->run[HSGD_RUN_MAIN].summary;
    hsgd_status status = evaluate_bounds(e, err);
    if (status)
        return status;
    set_intervals(e, count_checks(e));
    for (size_t i = 0; i < e->num_comparisons; i++)
        compare(&e->comparison[i], e);
    status = judge_dispersion(e, err);
    if (!status && !e->problem->hierarchy.worker_weight) {
        status = hsgd_sandwich_decide(&e->sandwich, &e->config->hierarchy, err);
        e->has_sandwich = !status;
    }
    if (status)
        return status;
    e->gradient_identity = judge_identity(s->gradient_identity_error);
    e->parameter_identity = judge_identity(s->parameter_identity_error);
    judge_overall(e);
    return HSGD_OK;
}
