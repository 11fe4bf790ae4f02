/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Bounds next to measurements (THEORY 9). */
#include "experiments/experiment_private.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "experiments/rounding_private.h"
#include "experiments/result_worst_case_private.h"

/* ---- intervals ---- */

/* S_min is the smallest of many means. The smallest upper end bounds it from above when all rounds' intervals hold
 * together, and the smallest lower end from below. */
static hsgd_interval interval_of_minimum(const hsgd_summary *s, size_t steps, size_t period, double confidence,
                                         double checks)
{
    size_t end = steps / period * period;
    hsgd_interval out = hsgd_interval_of(s->S_min, confidence, 1);
    if (s->num_rounds == 0)
        return out;
    out.low = out.high = out.low_joint = out.high_joint = INFINITY;
    for (size_t row = 0; row < s->num_rows; row++) {
        if (s->step[row] % period != 0 || s->step[row] >= end)
            continue;
        double rounds = (double)s->num_rounds;
        hsgd_interval at = hsgd_interval_of(s->grad_norm_sq[row], confidence, rounds);
        hsgd_interval joint = hsgd_interval_of(s->grad_norm_sq[row], confidence, rounds * checks);
        out.low = fmin(out.low, at.low_joint);
        out.high = fmin(out.high, at.high_joint);
        out.low_joint = fmin(out.low_joint, joint.low_joint);
        out.high_joint = fmin(out.high_joint, joint.high_joint);
    }
    if (isnan(s->S_min.se) || s->num_diverged) /* fmin skips NAN, but one seed or a diverged one has no interval */
        out.low = out.high = out.low_joint = out.high_joint = NAN;
    return out;
}

static void set_intervals(hsgd_experiment *e, double checks)
{
    for (int i = 0; i < HSGD_NUM_RUNS; i++) {
        hsgd_run *run = &e->run[i];
        if (!run->made)
            continue;
        run->S = hsgd_interval_of(run->summary.S, e->config->confidence, checks);
        run->S_round = hsgd_interval_of(run->summary.S_round, e->config->confidence, checks);
        run->S_min = interval_of_minimum(&run->summary, e->config->steps, run->period, e->config->confidence, checks);
    }
}

/* ---- parameters of the bounds ---- */

const hsgd_hierarchy *hsgd_experiment_bound_tree(const hsgd_experiment *e)
{
    bool by_level = e->config->is_uniform && e->config->weighting == HSGD_WEIGHTS_EQUAL;
    return by_level ? &e->config->hierarchy : &e->problem->hierarchy;
}

const double *hsgd_experiment_divergence_sq(const hsgd_experiment *e)
{
    return hsgd_experiment_bound_tree(e) == &e->config->hierarchy ? e->level_divergence_sq : e->node_divergence_sq;
}

double *hsgd_experiment_deviation_max_sq(const hsgd_experiment *e)
{
    const double *node = e->node_deviation_max_sq;
    const hsgd_hierarchy *tree = hsgd_experiment_bound_tree(e), *expanded = &e->problem->hierarchy;
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

/* Where the divergences come from is the caller's choice: divergence_sq for the entries of the bounds' tree. */
static hsgd_status make_params(hsgd_bound_params *out, const hsgd_experiment *e, const double *divergence_sq,
                               double global_divergence_sq, hsgd_error *err)
{
    double *deviation_max_sq = hsgd_experiment_deviation_max_sq(e);
    if (!deviation_max_sq && e->node_deviation_max_sq)
        return hsgd_fail_memory(err, "the parameters of the bounds");
    hsgd_status status =
        hsgd_bound_params_init(out, hsgd_experiment_bound_tree(e), divergence_sq, deviation_max_sq, err);
    free(deviation_max_sq);
    if (status)
        return status;
    out->global_divergence_sq = known(global_divergence_sq);
    for (size_t u = 0; out->divergence_sq && u < out->tree.num_nodes; u++)
        out->divergence_sq[u] = known(out->divergence_sq[u]);
    for (size_t u = 0; out->child_deviation_max_sq && u < out->tree.num_nodes; u++)
        out->child_deviation_max_sq[u] = known(out->child_deviation_max_sq[u]);
    out->worker_deviation_max_sq = known(e->worker_deviation_max_sq);
    out->step_size = e->step_size;
    out->steps = e->config->steps;
    out->smoothness = e->constants.smoothness.value;
    out->noise_sq = e->constants.noise_sq.value;
    out->delta = e->delta.value;
    if (hsgd_variant_only_samples(&e->config->variant))
        out->participants = hsgd_variant_group_size(&e->config->variant, out->tree.num_workers);
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

/* What the run (NULL: none) measured of the target; count 0 where that is nothing. */
static hsgd_interval measured_by(const hsgd_run *run, hsgd_target target)
{
    const hsgd_interval nothing = {{NAN, NAN, 0}, NAN, NAN, NAN, NAN};
    if (!run)
        return nothing;
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
    return nothing;
}

/* Beyond quadratics with one Hessian, the largest single deviations are known from the run only, and random grouping takes
 * the lemma of THEORY 5 from a fixed point to the trajectory, which no constant proves. */
static bool rests_on_the_run(const hsgd_experiment *e, const hsgd_bound *bound)
{
    return !hsgd_problem_has_constant_divergence(e->problem) &&
           (bound->needs_maxima || bound->algorithm == HSGD_ALGORITHM_HSGD_RANDOM);
}

static hsgd_constant_kind weakest_kind(const hsgd_experiment *e, const hsgd_bound *bound)
{
    hsgd_constant_kind kinds[] = {e->constants.smoothness.kind, e->constants.noise_sq.kind, e->constants.minimum.kind,
                                  rests_on_the_run(e, bound) ? HSGD_TRAJECTORY : e->divergence_kind};
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

void hsgd_experiment_say_undecided(char reason[HSGD_REASON_SIZE], const hsgd_experiment *e, double low,
                                   const char *contains)
{
    const char *more = e->config->groupings ? "grouping" : "seed"; /* what one value of an interval comes from */
    if (isnan(low))
        snprintf(reason, HSGD_REASON_SIZE, "one %s gives no interval; use more %ss", more, more);
    else
        snprintf(reason, HSGD_REASON_SIZE, "%s; use more %ss", contains, more);
}

bool hsgd_experiment_rests_on_estimates(const hsgd_experiment *e)
{
    return e->constants.smoothness.kind == HSGD_ESTIMATE || e->constants.noise_sq.kind == HSGD_ESTIMATE ||
           e->constants.minimum.kind == HSGD_ESTIMATE;
}

bool hsgd_experiment_knows_minimum(const hsgd_experiment *e)
{
    return isfinite(e->constants.minimum.value) || e->constants.minimum.kind == HSGD_EXACT;
}

bool hsgd_experiment_is_unfounded(hsgd_verdict verdict, hsgd_constant_kind kind)
{
    return verdict == HSGD_VERDICT_VIOLATED && kind == HSGD_ESTIMATE;
}

bool hsgd_experiment_may_convict(const hsgd_experiment *e)
{
    return e->config->measure_every == 1 || e->divergence_kind != HSGD_TRAJECTORY;
}

/* Every step (every round) that the target averages over was measured, and so was all that the constants rest on. */
static bool is_complete(const hsgd_experiment *e, const hsgd_run *run, hsgd_target target)
{
    size_t steps = e->config->steps;
    bool measured =
        target == HSGD_TARGET_S ? run->summary.num_rows == steps : run->summary.num_rounds == steps / run->period;
    return measured && hsgd_experiment_may_convict(e);
}

/* The earliest step at which a run diverged. */
static size_t first_divergence(const hsgd_experiment *e)
{
    size_t first = HSGD_NOT_DIVERGED;
    for (int i = 0; i < HSGD_NUM_RUNS; i++)
        if (e->run[i].made && e->run[i].summary.diverged_at < first)
            first = e->run[i].summary.diverged_at;
    return first;
}

/* A minimum that is proved only around the end of the runs says nothing about the last global average before. */
static bool ends_elsewhere(const hsgd_experiment *e, const hsgd_run *run, hsgd_target target)
{
    return e->constants.minimum.kind == HSGD_TRAJECTORY && target != HSGD_TARGET_S &&
           e->config->steps % run->period != 0;
}

/* Is the theorem about what was run? */
static bool is_covered(const hsgd_experiment *e, const hsgd_bound *bound)
{
    return !e->variant || (bound->covers_sampling && hsgd_variant_only_samples(&e->config->variant));
}

static void decide(hsgd_comparison *c, const hsgd_experiment *e, const hsgd_run *run, const char *no_run)
{
    c->verdict = HSGD_VERDICT_NOT_APPLICABLE;
    if (run && run->summary.diverged_at == 0) {
        c->verdict = HSGD_VERDICT_INCONCLUSIVE;
        explain(c, "f or a squared gradient is no finite number at the initial point already");
    } else if (!isfinite(e->global_divergence_sq.value))
        snprintf(c->reason, sizeof c->reason, "a run diverged at step %zu, so that the divergences are not known",
                 first_divergence(e));
    else if (!is_covered(e, c->bound))
        snprintf(c->reason, sizeof c->reason, "%s is not part of the theory", e->variant);
    else if (!c->value.applicable)
        explain(c, c->value.reason);
    else if (run && ends_elsewhere(e, run, c->bound->target))
        explain(c, "f* holds where the run ends, but the last global average comes before; use a multiple of G for T");
    else if (!run)
        explain(c, no_run);
    else if (c->measured.estimate.count == 0)
        explain(c, c->bound->target == HSGD_TARGET_DISTANCE ? "this distance is not measured"
                                                            : "the run has no complete global round");
    else {
        c->verdict = hsgd_verdict_decide(c->measured.low_joint, c->measured.high_joint,
                                         c->value.value + hsgd_rounding_of_gradients_sq(e, run));
        if (c->verdict == HSGD_VERDICT_INCONCLUSIVE && run->summary.num_diverged)
            snprintf(c->reason, sizeof c->reason, "the run diverged at step %zu", run->summary.diverged_at);
        else if (c->verdict == HSGD_VERDICT_INCONCLUSIVE)
            hsgd_experiment_say_undecided(c->reason, e, c->measured.low_joint, "the interval contains the bound");
        else if (c->verdict == HSGD_VERDICT_VIOLATED && !is_complete(e, run, c->bound->target)) {
            c->verdict = HSGD_VERDICT_INCONCLUSIVE;
            snprintf(c->reason, sizeof c->reason,
                     "above the bound, but measured at every %zuth step only; use \"measure_every\": 1",
                     e->config->measure_every);
        } else if (hsgd_experiment_is_unfounded(c->verdict, c->kind)) {
            c->verdict = HSGD_VERDICT_INCONCLUSIVE;
            explain(c, "above the bound, but it rests on an estimate that may be too small");
        } else if (c->verdict == HSGD_VERDICT_VIOLATED)
            explain(c, "the whole interval lies above the bound");
    }
}

static void compare(hsgd_comparison *c, const hsgd_experiment *e)
{
    const char *no_run;
    const hsgd_run *run = find_run(e, c->bound, &no_run);
    c->kind = weakest_kind(e, c->bound);
    c->measured = measured_by(run, c->bound->target);
    c->ratio = c->measured.estimate.count ? c->measured.estimate.mean / c->value.value : NAN;
    decide(c, e, run && run->made ? run : NULL, no_run);
    if (e->expected_divergence && c->verdict == HSGD_VERDICT_NOT_APPLICABLE)
        c->kind = e->divergence_kind; /* no verdict rests on the run, and all constants are exact */
}

static hsgd_status evaluate_bounds(hsgd_experiment *e, const hsgd_bound_params *params, hsgd_error *err)
{
    e->comparison = calloc(e->config->bounds.count + 1, sizeof *e->comparison);
    if (!e->comparison)
        return hsgd_fail_memory(err, "the bounds");
    for (size_t i = 0; i < e->config->bounds.count; i++)
        if (e->config->use_bound[i]) {
            hsgd_comparison *c = &e->comparison[e->num_comparisons++];
            c->bound = e->config->bounds.bound[i];
            hsgd_bound_eval(c->bound, params, &c->value);
            c->value.applicable = c->value.applicable && is_covered(e, c->bound);
        }
    return HSGD_OK;
}

hsgd_status hsgd_experiment_evaluate_bounds(hsgd_experiment *e, hsgd_error *err)
{
    hsgd_bound_params params;
    hsgd_status status = make_params(&params, e, hsgd_experiment_divergence_sq(e), e->global_divergence_sq.value, err);
    if (status)
        return status;
    status = evaluate_bounds(e, &params, err);
    hsgd_bound_params_free(&params);
    for (size_t i = 0; i < e->num_comparisons && !status; i++)
        e->comparison[i].kind = weakest_kind(e, e->comparison[i].bound);
    return status;
}

/* The same bounds with proved constants, where the verdicts rest on others. */
static hsgd_status evaluate_certified(hsgd_experiment *e, hsgd_error *err)
{
    bool by_level = hsgd_experiment_bound_tree(e) == &e->config->hierarchy;
    hsgd_bound_params params;
    for (size_t i = 0; i < e->num_comparisons; i++)
        e->comparison[i].certified_value = NAN;
    if (!e->certified_level_sq ||
        (e->divergence_kind != HSGD_TRAJECTORY && e->constants.minimum.kind != HSGD_TRAJECTORY))
        return HSGD_OK;
    hsgd_status status =
        make_params(&params, e, by_level ? e->certified_level_sq : e->certified_node_sq, e->certified_global_sq, err);
    if (status)
        return status;
    if (e->constants.minimum.kind == HSGD_TRAJECTORY)
        params.delta += e->constants.minimum.value - e->known_minimum.value;
    for (size_t i = 0; i < e->num_comparisons; i++) {
        hsgd_bound_value value;
        hsgd_bound_eval(e->comparison[i].bound, &params, &value);
        if (!rests_on_the_run(e, e->comparison[i].bound))
            e->comparison[i].certified_value = value.value;
    }
    hsgd_bound_params_free(&params);
    return HSGD_OK;
}

/* How many verdicts are given together: each applicable bound is one. */
static double count_checks(const hsgd_experiment *e)
{
    double checks = 0;
    for (size_t i = 0; i < e->num_comparisons; i++)
        checks += e->comparison[i].value.applicable;
    return fmax(1, checks);
}

/* ---- all together ---- */

static hsgd_verdict judge_identity(double error)
{
    if (isnan(error)) /* there was nothing to compare */
        return HSGD_VERDICT_NOT_APPLICABLE;
    return error <= HSGD_IDENTITY_TOLERANCE ? HSGD_VERDICT_HOLDS : HSGD_VERDICT_VIOLATED;
}

/* One more verdict on something else than a bound: violated, it counts for everything; otherwise only among all checks. */
static void include(hsgd_experiment *e, hsgd_verdict verdict)
{
    e->worst = hsgd_verdict_worse(e->worst, verdict);
    if (verdict == HSGD_VERDICT_VIOLATED)
        e->overall = HSGD_VERDICT_VIOLATED;
}

static void include_grouping(hsgd_experiment *e)
{
    for (size_t i = 0; i < e->grouping.num_points; i++)
        for (size_t k = 0; k < e->grouping.num_levels; k++) {
            include(e, e->grouping.point[i].upward[k]);
            include(e, e->grouping.point[i].downward[k]);
        }
}

/* overall: the worst verdict on what was asked for, the bounds; the other checks count where they are violated. An
 * inconclusive dispersion does not: its many joint intervals are wide for few seeds, and where divergences vanish its
 * bound is attained in expectation, so that no interval can lie below it. worst: all of them. */
static void judge_overall(hsgd_experiment *e)
{
    for (size_t i = 0; i < e->num_comparisons; i++)
        e->worst = e->overall = hsgd_verdict_worse(e->overall, e->comparison[i].verdict);
    for (size_t k = 0; k < e->run[HSGD_RUN_MAIN].summary.num_levels; k++)
        include(e, e->dispersion[k].verdict);
    for (size_t k = 1; k < HSGD_NUM_RUNGS; k++)
        include(e, e->ladder.rung[k].verdict);
    for (size_t i = 0; i < e->audit.num_items; i++)
        include(e, e->audit.item[i].verdict);
    include_grouping(e);
    include(e, hsgd_result_worst_case_order(e));
    include(e, e->gradient_identity);
    include(e, e->parameter_identity);
    if (e->has_sandwich)
        include(e, e->sandwich.holds ? HSGD_VERDICT_HOLDS : HSGD_VERDICT_VIOLATED);
}

static hsgd_status judge_all(hsgd_experiment *e, const hsgd_bound_params *params, hsgd_error *err)
{
    hsgd_status status = evaluate_bounds(e, params, err);
    if (status)
        return status;
    set_intervals(e, count_checks(e));
    for (size_t i = 0; i < e->num_comparisons; i++)
        compare(&e->comparison[i], e);
    status = hsgd_experiment_judge_dispersion(e, err);
    if (!status)
        status = hsgd_experiment_judge_ladder(e, params, err);
    if (!status)
        status = hsgd_experiment_judge_audit(e, params, err);
    if (!status && !e->problem->hierarchy.worker_weight) {
        status = hsgd_sandwich_decide(&e->sandwich, &e->config->hierarchy, err);
        e->has_sandwich = !status;
    }
    return status;
}

hsgd_status hsgd_experiment_judge(hsgd_experiment *e, hsgd_error *err)
{
    const hsgd_summary *s = &e->run[HSGD_RUN_MAIN].summary;
    hsgd_bound_params params;
    hsgd_status status = make_params(&params, e, hsgd_experiment_divergence_sq(e), e->global_divergence_sq.value, err);
    if (status)
        return status;
    status = judge_all(e, &params, err);
    hsgd_bound_params_free(&params);
    if (!status)
        status = evaluate_certified(e, err);
    if (status)
        return status;
    e->gradient_identity = judge_identity(s->gradient_identity_error);
    e->parameter_identity = judge_identity(s->parameter_identity_error);
    judge_overall(e);
    return HSGD_OK;
}
