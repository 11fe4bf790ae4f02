/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The rungs of the proof ladder on the main run (THEORY 4.5). */
#include "experiments/experiment_private.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "experiments/rounding_private.h"

/* ---- values ---- */

static hsgd_ladder_terms terms_of(const hsgd_experiment *e, const hsgd_path *path)
{
    const hsgd_proof_terms *p = &path->proof;
    return (hsgd_ladder_terms){.S = path->S,
                               .loss_drop = path->initial_loss - path->final_loss,
                               .loss_left = path->final_loss - e->constants.minimum.value,
                               .mean_noise_sq = p->mean_noise_sq,
                               .mean_gradient_sq = p->mean_gradient_sq,
                               .drift_error_sq = p->drift_error_sq,
                               .gradient_dot_noise = p->gradient_dot_noise,
                               .mean_gradient_dot_noise = p->mean_gradient_dot_noise,
                               .dispersion = path->dispersion,
                               .step_size = e->step_size,
                               .steps = (double)e->config->steps,
                               .smoothness = e->constants.smoothness.value,
                               .noise_sq = e->constants.noise_sq.value,
                               .noise_share = e->problem->hierarchy.noise_share};
}

/* A mean over runs, INFINITY if one of them diverged. */
static hsgd_estimate mean_over_runs(const hsgd_experiment *e, const double *value)
{
    const hsgd_summary *s = &e->run[HSGD_RUN_MAIN].summary;
    hsgd_estimate out = hsgd_estimate_mean_of_groups(value, s->num_seeds, s->runs_per_value);
    if (e->deterministic)
        out.se = 0;
    return out;
}

/* value and step (HSGD_NUM_MEASURED_RUNGS, runs): the measured rungs of every run. */
static void evaluate_runs(const hsgd_experiment *e, double *value, double *step)
{
    const hsgd_summary *s = &e->run[HSGD_RUN_MAIN].summary;
    for (size_t r = 0; r < s->num_seeds; r++) {
        double rung[HSGD_NUM_MEASURED_RUNGS], added[HSGD_NUM_MEASURED_RUNGS];
        hsgd_ladder_terms terms = terms_of(e, &s->path[r]);
        hsgd_ladder_measured(rung, added, &terms);
        for (size_t k = 0; k < HSGD_NUM_MEASURED_RUNGS; k++) {
            value[k * s->num_seeds + r] = rung[k];
            step[k * s->num_seeds + r] = added[k];
        }
    }
}

static hsgd_estimate constant(double value)
{
    return (hsgd_estimate){value, 0, 1};
}

static hsgd_estimate minus(double value, hsgd_estimate measured)
{
    return (hsgd_estimate){value - measured.mean, measured.se, measured.count};
}

/* ---- conditions ---- */

static bool refuse(hsgd_rung_result *rung, const char *reason)
{
    snprintf(rung->reason, sizeof rung->reason, "%s", reason);
    return false;
}

/* Do the conditions of the step to rung k hold? rung->reason says which does not. */
static bool step_applies(hsgd_rung_result *rung, size_t k, const hsgd_experiment *e, const hsgd_bound_value *bound)
{
    const hsgd_summary *s = &e->run[HSGD_RUN_MAIN].summary;
    if (s->num_diverged)
        return refuse(rung, "the run diverged");
    if ((k == 1 || k == 5) && e->config->measure_every > 1)
        return refuse(rung, "compares sums over all steps; needs \"measure_every\": 1");
    if (k == 2 && e->step_size * e->constants.smoothness.value > 1)
        return refuse(rung, "the step size is above 1/L");
    if (k >= 4 && !isfinite(e->constants.minimum.value))
        return refuse(rung, hsgd_experiment_knows_minimum(e) ? "f is not bounded below" : "f* is not known");
    if (k >= HSGD_NUM_MEASURED_RUNGS && !bound->applicable)
        return refuse(rung, bound->reason);
    return true;
}

/* ---- verdicts ---- */

/* Is the step nonnegative? Compared as "rung before <= rung", so that rounding is relative to the rung. */
static void judge_step(hsgd_rung_result *rung, const hsgd_experiment *e)
{
    const hsgd_run *run = &e->run[HSGD_RUN_MAIN];
    double value = rung->value.estimate.mean, scale = fmax(value, run->S.estimate.mean);
    double low = rung->step.low_joint, high = rung->step.high_joint;
    if (!rung->applies)
        return;
    if (!isnan(rung->lowest_step)) /* certain, without an interval */
        low = high = rung->lowest_step;
    rung->verdict = hsgd_verdict_decide(scale - high, scale - low, scale + hsgd_rounding_of_gradients_sq(e, run));
    if (rung->verdict == HSGD_VERDICT_INCONCLUSIVE)
        hsgd_experiment_say_undecided(rung->reason, e, low, "the interval of the step contains 0");
    else if (hsgd_experiment_is_unfounded(rung->verdict, rung->kind)) {
        rung->verdict = HSGD_VERDICT_INCONCLUSIVE;
        snprintf(rung->reason, sizeof rung->reason, "below the one before, but a constant is an estimate");
    } else if (rung->verdict == HSGD_VERDICT_VIOLATED)
        snprintf(rung->reason, sizeof rung->reason, "the rung lies below the one before%s",
                 isnan(rung->lowest_step) ? "" : ", in at least one run");
}

/* Steps whose conditions fail compare what cannot be compared, and have no share. */
static void share_out(hsgd_ladder *ladder)
{
    double total = 0;
    for (size_t k = 1; k < HSGD_NUM_RUNGS; k++)
        if (ladder->rung[k].applies && isfinite(ladder->rung[k].step.estimate.mean))
            total += ladder->rung[k].step.estimate.mean;
    ladder->rung[0].share = NAN;
    for (size_t k = 1; k < HSGD_NUM_RUNGS; k++) {
        double step = ladder->rung[k].step.estimate.mean;
        ladder->rung[k].share = ladder->rung[k].applies && isfinite(step) && total > 0 ? step / total : NAN;
    }
}

static void measured_rungs(hsgd_ladder *ladder, const hsgd_experiment *e, const double *value, const double *step)
{
    size_t runs = e->run[HSGD_RUN_MAIN].summary.num_seeds;
    for (size_t k = 0; k < HSGD_NUM_MEASURED_RUNGS; k++) {
        hsgd_rung_result *rung = &ladder->rung[k];
        rung->value.estimate = mean_over_runs(e, value + k * runs);
        rung->step.estimate = k > 0 ? mean_over_runs(e, step + k * runs) : constant(NAN);
        rung->applies = k > 0 && step_applies(rung, k, e, NULL);
        rung->lowest_step = k > 0 && k <= HSGD_NUM_PATHWISE_STEPS ? INFINITY : NAN;
        for (size_t r = 0; r < runs && !isnan(rung->lowest_step); r++)
            rung->lowest_step = fmin(rung->lowest_step, step[k * runs + r]);
    }
}

/* R5 to R7, whether the configuration selected these bounds or not. */
static void bound_rungs(hsgd_ladder *ladder, const hsgd_experiment *e, const hsgd_bound_params *params)
{
    for (size_t k = HSGD_NUM_MEASURED_RUNGS; k < HSGD_NUM_RUNGS; k++) {
        hsgd_rung_result *rung = &ladder->rung[k];
        const hsgd_rung_result *before = rung - 1;
        hsgd_bound_value bound;
        hsgd_bound_eval(hsgd_bound_find(hsgd_rungs[k].bound_id), params, &bound);
        rung->value.estimate = constant(bound.value);
        rung->step.estimate = k == HSGD_NUM_MEASURED_RUNGS ? minus(bound.value, before->value.estimate)
                                                           : constant(bound.value - before->value.estimate.mean);
        rung->lowest_step = NAN;
        rung->applies = step_applies(rung, k, e, &bound);
        if (rung->applies && !isfinite(before->value.estimate.mean)) /* its value counts, not the step to it */
            rung->applies = refuse(rung, "the rung before is not known");
    }
}

static double drift_smoothness(const hsgd_summary *s)
{
    double error = 0, dispersion = 0;
    for (size_t r = 0; r < s->num_seeds; r++) {
        error += s->path[r].proof.drift_error_sq;
        dispersion += s->path[r].dispersion;
    }
    return dispersion > 0 ? sqrt(error / dispersion) : NAN;
}

/* The weakest of the constants that rung k contains. */
static hsgd_constant_kind weakest_kind(const hsgd_experiment *e, size_t k)
{
    hsgd_constant_kind kind = HSGD_EXACT;
    const struct {
        size_t from; /* the first rung with this constant */
        hsgd_constant_kind kind;
    } constants[] = {{1, e->constants.smoothness.kind},
                     {4, e->constants.minimum.kind},
                     {4, e->constants.noise_sq.kind},
                     {5, e->divergence_kind}};
    for (size_t i = 0; i < sizeof constants / sizeof *constants; i++)
        if (k >= constants[i].from && constants[i].kind > kind)
            kind = constants[i].kind;
    return kind;
}

static void judge(hsgd_ladder *ladder, const hsgd_experiment *e)
{
    double judged = 0;
    for (size_t k = 1; k < HSGD_NUM_RUNGS; k++)
        judged +=
            ladder->rung[k].applies && isnan(ladder->rung[k].lowest_step) && ladder->rung[k].step.estimate.se != 0;
    for (size_t k = 0; k < HSGD_NUM_RUNGS; k++) {
        hsgd_rung_result *rung = &ladder->rung[k];
        rung->verdict = HSGD_VERDICT_NOT_APPLICABLE;
        rung->kind = weakest_kind(e, k);
        rung->value = hsgd_interval_of(rung->value.estimate, e->config->confidence, 1);
        rung->step = hsgd_interval_of(rung->step.estimate, e->config->confidence, fmax(1, judged));
        judge_step(rung, e);
    }
    share_out(ladder);
    ladder->drift_smoothness = drift_smoothness(&e->run[HSGD_RUN_MAIN].summary);
}

/* The proof is about plain H-SGD. */
static void refuse_all(hsgd_ladder *ladder, const hsgd_experiment *e)
{
    for (size_t k = 0; k < HSGD_NUM_RUNGS; k++) {
        hsgd_rung_result *rung = &ladder->rung[k];
        *rung = (hsgd_rung_result){.verdict = HSGD_VERDICT_NOT_APPLICABLE, .lowest_step = NAN, .share = NAN};
        rung->kind = weakest_kind(e, k);
        rung->value = rung->step = hsgd_interval_of(constant(NAN), e->config->confidence, 1);
        snprintf(rung->reason, sizeof rung->reason, "%s is not part of the theory", e->variant);
    }
    ladder->drift_smoothness = NAN;
}

hsgd_status hsgd_experiment_judge_ladder(hsgd_experiment *e, const hsgd_bound_params *params, hsgd_error *err)
{
    size_t runs = e->run[HSGD_RUN_MAIN].summary.num_seeds;
    if (e->variant) {
        refuse_all(&e->ladder, e);
        return HSGD_OK;
    }
    double *value = malloc(2 * runs * HSGD_NUM_MEASURED_RUNGS * sizeof *value);
    if (!value)
        return hsgd_fail_memory(err, "the proof ladder");
    double *step = value + HSGD_NUM_MEASURED_RUNGS * runs;
    memset(&e->ladder, 0, sizeof e->ladder);
    evaluate_runs(e, value, step);
    measured_rungs(&e->ladder, e, value, step);
    bound_rungs(&e->ladder, e, params);
    judge(&e->ladder, e);
    free(value);
    return HSGD_OK;
}
