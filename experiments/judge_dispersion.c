/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The dispersion of every level at every measured step against its recursive bound (THEORY 4.4). */
#include "experiments/experiment_private.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "experiments/report_private.h"
#include "experiments/rounding_private.h"

/* A diverged run has no finite constants. */
static bool is_known(const double *divergence_sq, size_t count)
{
    for (size_t u = 0; u < count; u++)
        if (!isfinite(divergence_sq[u]))
            return false;
    return true;
}

/* The bound has the period of the root, so that one period says all. */
static hsgd_status evaluate(hsgd_experiment *e, hsgd_error *err)
{
    const hsgd_summary *s = &e->run[HSGD_RUN_MAIN].summary;
    const hsgd_hierarchy *tree = hsgd_experiment_bound_tree(e);
    const double *divergence_sq = hsgd_experiment_divergence_sq(e);
    size_t period = hsgd_hierarchy_global_period(tree), levels = s->num_levels;
    size_t length = period < e->config->steps ? period : e->config->steps;
    bool known = !e->variant && is_known(divergence_sq, tree->num_nodes);
    double *one_period = malloc(length * levels * sizeof *one_period);
    e->dispersion_bound = malloc(s->num_rows * levels * sizeof *e->dispersion_bound);
    hsgd_status status = HSGD_OK;
    if (!one_period || !e->dispersion_bound)
        status = hsgd_fail_memory(err, "the dispersion bound");
    if (!status && known)
        status = hsgd_dispersion_bound(one_period, tree, divergence_sq, e->step_size, e->constants.smoothness.value,
                                       e->constants.noise_sq.value, length, err);
    for (size_t row = 0; row < s->num_rows && !status; row++)
        for (size_t k = 0; k < levels; k++)
            e->dispersion_bound[row * levels + k] = known ? one_period[s->step[row] % period * levels + k] : NAN;
    free(one_period);
    return status;
}

static void judge_level(hsgd_experiment *e, size_t level)
{
    const hsgd_summary *s = &e->run[HSGD_RUN_MAIN].summary;
    hsgd_dispersion_check *check = &e->dispersion[level];
    double checks = (double)s->num_rows * (double)s->num_levels;
    hsgd_magnitude magnitude = {0, 0, 0};
    *check = (hsgd_dispersion_check){.verdict = HSGD_VERDICT_NOT_APPLICABLE};
    for (size_t row = 0; row < s->num_rows; row++) {
        size_t cell = row * s->num_levels + level;
        hsgd_interval measured = hsgd_interval_of(s->dispersion[cell], e->config->confidence, checks);
        double bound = e->dispersion_bound[cell];
        hsgd_magnitude_extend(&magnitude, e, s, row);
        if (isnan(bound))
            continue;
        double rounding_sq = hsgd_rounding_of_models_sq(e, &magnitude);
        check->verdict = hsgd_verdict_worse(
            check->verdict, hsgd_verdict_decide(measured.low_joint, measured.high_joint, bound + rounding_sq));
        if (bound > rounding_sq && isfinite(measured.estimate.mean) &&
            measured.estimate.mean / bound > check->max_ratio) {
            check->max_ratio = measured.estimate.mean / bound;
            check->max_ratio_step = s->step[row];
        }
    }
}

/* Why a level has no verdict; "" where it has one. */
static void explain(hsgd_dispersion_check *check, const hsgd_experiment *e)
{
    const hsgd_run *run = &e->run[HSGD_RUN_MAIN];
    check->reason[0] = '\0';
    if (check->verdict == HSGD_VERDICT_VIOLATED && !hsgd_experiment_may_convict(e)) {
        check->verdict = HSGD_VERDICT_INCONCLUSIVE;
        snprintf(check->reason, sizeof check->reason, "above the bound, whose constants are of every %zuth step only",
                 e->config->measure_every);
    } else if (hsgd_experiment_is_unfounded(check->verdict, hsgd_report_kind_of_dispersion(e))) {
        check->verdict = HSGD_VERDICT_INCONCLUSIVE;
        snprintf(check->reason, sizeof check->reason, "above the bound, but L or sigma^2 is an estimate");
    } else if (check->verdict == HSGD_VERDICT_INCONCLUSIVE && run->summary.num_diverged)
        snprintf(check->reason, sizeof check->reason, "the run diverged at step %zu", run->summary.diverged_at);
    else if (check->verdict == HSGD_VERDICT_INCONCLUSIVE)
        snprintf(check->reason, sizeof check->reason, "too few %s (%zu) for %zu intervals that hold together",
                 e->config->groupings ? "groupings" : "seeds", run->num_seeds / run->summary.runs_per_value,
                 run->summary.num_rows * run->summary.num_levels);
    else if (e->variant)
        snprintf(check->reason, sizeof check->reason, "%s is not part of the theory", e->variant);
    else if (check->verdict == HSGD_VERDICT_NOT_APPLICABLE)
        snprintf(check->reason, sizeof check->reason, "the run diverged, so that the divergences are not known");
}

hsgd_status hsgd_experiment_judge_dispersion(hsgd_experiment *e, hsgd_error *err)
{
    size_t levels = e->run[HSGD_RUN_MAIN].summary.num_levels;
    e->dispersion = calloc(levels + 1, sizeof *e->dispersion);
    if (!e->dispersion)
        return hsgd_fail_memory(err, "the dispersion checks");
    hsgd_status status = evaluate(e, err);
    for (size_t k = 0; k < levels && !status; k++) {
        judge_level(e, k);
        explain(&e->dispersion[k], e);
    }
    return status;
}
