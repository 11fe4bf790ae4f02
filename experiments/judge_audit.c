/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The audit: one function per assumption adds its rows.
 *
 * What is random has intervals, each of the groups of rows below at an equal share of the allowed false alarms: the noise
 * of the workers (Bonferroni over them), its mean, its correlation, and divergences where the constants are expectations. */
#include "experiments/experiment_private.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "experiments/rounding_private.h"

/* Ratios of gradient to model differences carry the rounding of the differences: pairs may be as close as 1e-7 of their
 * size (analysis/proof_terms.c), so about 1e-8 of the ratio. */
static const double RATIO_ROUNDING = 1e-6;

/* Families of random rows: the three of A2, and divergences where they are expectations. */
static double families(const hsgd_experiment *e)
{
    return e->expected_divergence ? 4 : 3;
}

const char *hsgd_audit_relation_symbol(hsgd_audit_relation relation)
{
    static const char *const symbol[] = {[HSGD_AUDIT_AT_MOST] = "<=",
                                         [HSGD_AUDIT_ATTAINED] = "<=",
                                         [HSGD_AUDIT_AT_LEAST] = ">=",
                                         [HSGD_AUDIT_EQUAL] = "=",
                                         [HSGD_AUDIT_CONDITION] = "<="};
    return symbol[relation];
}

/* ---- rows ---- */

static hsgd_interval pathwise(double value)
{
    return (hsgd_interval){{value, 0, 1}, value, value, value, value};
}

static hsgd_audit_item *add(hsgd_audit *audit, const char *assumption, const char *name, const char *statement,
                            const char *how, hsgd_constant limit, hsgd_audit_relation relation, hsgd_interval seen)
{
    hsgd_audit_item *item = &audit->item[audit->num_items++];
    *item = (hsgd_audit_item){.assumption = assumption,
                              .statement = statement,
                              .how = how,
                              .limit = limit,
                              .proved = NAN,
                              .relation = relation,
                              .seen = seen,
                              .margin = limit.value != 0 ? seen.estimate.mean / limit.value : NAN,
                              .verdict = HSGD_VERDICT_NOT_APPLICABLE};
    snprintf(item->name, sizeof item->name, "%s", name);
    return item;
}

static void explain(hsgd_audit_item *item, const char *reason)
{
    snprintf(item->reason, sizeof item->reason, "%s", reason);
}

/* tolerance is absolute; the relative rounding of verdicts comes on top. */
static void judge(hsgd_audit_item *item, const hsgd_experiment *e, double tolerance)
{
    double limit = item->limit.value, low = item->seen.low_joint, high = item->seen.high_joint;
    if (item->relation == HSGD_AUDIT_AT_LEAST)
        item->verdict = hsgd_verdict_decide(-high, -low, -limit + tolerance + HSGD_VERDICT_ROUNDING * fabs(limit));
    else
        item->verdict = hsgd_verdict_decide(low, high, limit + tolerance);
    if (item->relation == HSGD_AUDIT_EQUAL && !isnan(low)) {
        double rounding = tolerance + HSGD_VERDICT_ROUNDING * fabs(limit);
        bool beside = low > limit + rounding || high < limit - rounding;
        item->verdict = beside ? HSGD_VERDICT_VIOLATED : HSGD_VERDICT_HOLDS;
    }
    if (item->relation == HSGD_AUDIT_ATTAINED && item->verdict == HSGD_VERDICT_INCONCLUSIVE && !isnan(low))
        item->verdict = HSGD_VERDICT_HOLDS;
    bool unfounded = hsgd_experiment_is_unfounded(item->verdict, item->limit.kind);
    if (item->verdict == HSGD_VERDICT_VIOLATED)
        explain(item, unfounded ? "the run met more than was estimated" : "the run contradicts it");
    if (unfounded)
        item->verdict = HSGD_VERDICT_INCONCLUSIVE;
    else if (item->verdict == HSGD_VERDICT_INCONCLUSIVE)
        hsgd_experiment_say_undecided(item->reason, e, low, "the interval contains the limit");
}

/* The seed that the run with this index had. */
static unsigned long long seed_of(const hsgd_experiment *e, size_t run)
{
    return (unsigned long long)e->config->first_seed + run;
}

static void say_where(hsgd_audit_item *item, const hsgd_experiment *e, hsgd_attained at)
{
    if (e->deterministic)
        snprintf(item->where, sizeof item->where, "t = %zu", at.step);
    else
        snprintf(item->where, sizeof item->where, "t = %zu, seed %llu", at.step, seed_of(e, at.run));
}

/* ---- A1 ---- */

/* More numbers than this would have to be kept for all workers' last models and gradients. */
static const double MANY_NUMBERS = 4e6;

bool hsgd_experiment_measures_smoothness(const hsgd_experiment *e)
{
    double numbers = 2 * (double)e->problem->objective.dim * (double)e->problem->hierarchy.num_workers;
    return e->constants.smoothness.kind != HSGD_EXACT || numbers <= MANY_NUMBERS;
}

/* THEORY 4.5b: with mu-convex F_j the drift error is at most ((L - mu)/2)^2 V, which is L^2 V for mu = -L. */
static void audit_drift(hsgd_audit *audit, const hsgd_experiment *e, double drift)
{
    const hsgd_summary *s = &e->run[HSGD_RUN_MAIN].summary;
    double smoothness = e->constants.smoothness.value, convexity = fmax(e->constants.convexity, -smoothness);
    double limit = (smoothness - convexity) / 2, dispersion = 0;
    for (size_t r = 0; r < s->num_seeds; r++)
        dispersion += s->path[r].dispersion / (double)s->num_seeds;
    double rounding = hsgd_rounding_of_gradients_sq(e, &e->run[HSGD_RUN_MAIN]) / dispersion;
    bool vanishes = drift < 1e-12 * smoothness; /* its digits are those of the machine */
    hsgd_audit_item *item =
        add(audit, "A1", "L of drift", "||grad f(wbar) - Gbar||^2 <= ((L - mu)/2)^2 V",
            "root of the ratio of their means; every F_j is mu-convex",
            (hsgd_constant){limit, e->constants.smoothness.kind}, HSGD_AUDIT_AT_MOST, pathwise(vanishes ? 0 : drift));
    judge(item, e, RATIO_ROUNDING * smoothness + sqrt(rounding));
    if (vanishes)
        snprintf(item->where, sizeof item->where, "rounding only");
}

/* f may be smoother than the F_j: on quadratics with Hessians of their own it is known how much. */
static hsgd_constant smoothness_of_mean(const hsgd_experiment *e)
{
    const hsgd_problem *problem = e->problem;
    if (!problem->is_quadratic || !problem->quadratic.worker_curvature)
        return e->constants.smoothness;
    double known = hsgd_quadratic_mean_smoothness(&problem->quadratic, problem->hierarchy.worker_weight);
    return (hsgd_constant){fmin(known, e->constants.smoothness.value), HSGD_EXACT};
}

static void audit_smoothness(hsgd_audit *audit, const hsgd_experiment *e)
{
    const hsgd_summary *s = &e->run[HSGD_RUN_MAIN].summary;
    double drift = e->ladder.drift_smoothness;
    hsgd_constant limit = e->constants.smoothness;
    hsgd_audit_item *item =
        add(audit, "A1", "L", "every F_j is L-smooth", "largest ||grad F_j(a) - grad F_j(b)|| / ||a - b|| on the run",
            limit, HSGD_AUDIT_AT_MOST, pathwise(s->smoothness.ratio));
    judge(item, e, RATIO_ROUNDING * limit.value);
    if (s->smoothness.ratio > 0) {
        say_where(item, e, (hsgd_attained){s->smoothness.step, s->smoothness_run});
        size_t used = strlen(item->where);
        snprintf(item->where + used, sizeof item->where - used, ", worker %zu", s->smoothness.worker);
    } else {
        item->verdict = HSGD_VERDICT_NOT_APPLICABLE;
        explain(item, hsgd_experiment_measures_smoothness(e) ? "the models never moved apart"
                                                             : "exact by definition; too many workers to look at");
    }
    limit = smoothness_of_mean(e);
    item = add(audit, "A1", "L of f", "f is L-smooth", "the same for f between successive averages", limit,
               HSGD_AUDIT_AT_MOST, pathwise(s->path_smoothness.ratio));
    if (s->path_smoothness.ratio > 0)
        judge(item, e, RATIO_ROUNDING * limit.value);
    else
        explain(item, hsgd_experiment_measures_smoothness(e) ? "the average never moved"
                                                             : "exact by definition; too many workers to look at");
    if (!isfinite(drift))
        return;
    audit_drift(audit, e, drift);
}

/* ---- A2 ---- */

/* The mean over runs of a quantity of theirs. */
static hsgd_estimate mean_of_runs(const hsgd_experiment *e,
                                  double (*quantity)(const hsgd_experiment *, const hsgd_path *), double *memory)
{
    const hsgd_summary *s = &e->run[HSGD_RUN_MAIN].summary;
    for (size_t r = 0; r < s->num_seeds; r++)
        memory[r] = quantity(e, &s->path[r]);
    return hsgd_estimate_mean_of_groups(memory, s->num_seeds, s->runs_per_value);
}

static double noise_product(const hsgd_experiment *e, const hsgd_path *path)
{
    double gamma_l = e->step_size * e->constants.smoothness.value;
    return path->proof.gradient_dot_noise - gamma_l * path->proof.mean_gradient_dot_noise;
}

static double noise_correlation(const hsgd_experiment *e, const hsgd_path *path)
{
    (void)e;
    return path->proof.mean_noise_sq - path->proof.independent_noise_sq;
}

/* The worker that decides: the one with the worst verdict, of equals the one with the most noise. The intervals hold for
 * all workers together. */
static void audit_noise_size(hsgd_audit *audit, const hsgd_experiment *e)
{
    const hsgd_summary *s = &e->run[HSGD_RUN_MAIN].summary;
    hsgd_constant limit = e->constants.noise_sq;
    double checks = families(e) * (double)s->num_workers, rounding = hsgd_rounding_of_worker_gradients(e);
    hsgd_audit_item *item =
        add(audit, "A2", "sigma^2", "E||g_j - grad F_j||^2 <= sigma^2",
            "the worker with the most noise, or one that decides the verdict, mean over the steps", limit,
            limit.kind == HSGD_EXACT ? HSGD_AUDIT_ATTAINED : HSGD_AUDIT_AT_MOST, pathwise(NAN));
    hsgd_audit_item worst = *item;
    for (size_t j = 0; j < s->num_workers; j++) {
        hsgd_audit_item now = *item;
        now.seen = hsgd_interval_of(s->worker_noise_sq[j], e->config->confidence, checks);
        now.margin = now.seen.estimate.mean / limit.value;
        snprintf(now.where, sizeof now.where, "worker %zu", j);
        judge(&now, e, (2 * sqrt(limit.value) + rounding) * rounding);
        bool worse = hsgd_verdict_worse(worst.verdict, now.verdict) != worst.verdict;
        if (j == 0 || worse || (now.verdict == worst.verdict && now.margin > worst.margin))
            worst = now;
    }
    *item = worst;
}

static hsgd_status audit_noise(hsgd_audit *audit, const hsgd_experiment *e, hsgd_error *err)
{
    const hsgd_summary *s = &e->run[HSGD_RUN_MAIN].summary;
    const hsgd_constant zero = {0, HSGD_EXACT};
    double rounding = hsgd_rounding_of_worker_gradients(e), gradient_sq = 0;
    for (size_t row = 0; row < s->num_rows; row++)
        gradient_sq = fmax(gradient_sq, s->grad_norm_sq[row].mean);
    if (e->constants.noise_sq.value == 0) {
        hsgd_audit_item *item = add(audit, "A2", "sigma^2", "no noise", "full gradients", e->constants.noise_sq,
                                    HSGD_AUDIT_EQUAL, pathwise(0));
        item->verdict = HSGD_VERDICT_HOLDS;
        return HSGD_OK;
    }
    double *memory = malloc(s->num_seeds * sizeof *memory);
    if (!memory)
        return hsgd_fail_memory(err, "the audit");
    audit_noise_size(audit, e);
    hsgd_estimate mean = mean_of_runs(e, noise_product, memory),
                  correlation = mean_of_runs(e, noise_correlation, memory);
    free(memory);
    judge(add(audit, "A2", "noise products", "what the descent step drops has mean 0, as E xi_j = 0 implies",
              "<grad f - gamma L Gbar, xibar>, mean over the steps", zero, HSGD_AUDIT_EQUAL,
              hsgd_interval_of(mean, e->config->confidence, families(e))),
          e, sqrt(gradient_sq) * rounding);
    judge(add(audit, "A2", "correlation", "the noises of the workers are uncorrelated",
              "||xibar||^2 - sum p_j^2 ||xi_j||^2, mean over the steps", zero, HSGD_AUDIT_EQUAL,
              hsgd_interval_of(correlation, e->config->confidence, families(e))),
          e, rounding * rounding);
    return HSGD_OK;
}

/* ---- A3 ---- */

/* A supremum met by the run next to the constant of the bounds and to a proved one. */
static void audit_divergence(hsgd_audit *audit, const hsgd_experiment *e, const char *assumption, const char *name,
                             hsgd_constant used, double proved, double seen, hsgd_attained at)
{
    hsgd_audit_item *item = add(audit, assumption, name, "divergence at most this for all w",
                                "largest at the measured steps", used, HSGD_AUDIT_AT_MOST, pathwise(seen));
    item->proved = used.kind == HSGD_TRAJECTORY ? proved : NAN;
    if (used.kind == HSGD_TRAJECTORY) /* what was seen is the constant */
        item->margin = proved > 0 ? seen / proved : NAN;
    if (used.kind != HSGD_EXACT) /* exact ones are attained everywhere */
        say_where(item, e, at);
    if (used.kind != HSGD_TRAJECTORY || !isnan(proved)) {
        hsgd_constant limit = item->limit;
        item->limit.value = used.kind == HSGD_TRAJECTORY ? proved : used.value;
        judge(item, e, hsgd_rounding_of_gradients_sq(e, &e->run[HSGD_RUN_MAIN]));
        item->limit = limit;
    } else
        explain(item, "no proved bound is known; the constant is what the run met");
}

/* The mean of D_k at the nodes' averages, or of E at wbar for k = num_levels, at one measured step; the levels' errors are
 * at worst those of one another. */
static hsgd_estimate mean_divergence(const hsgd_summary *s, size_t row, size_t k)
{
    const hsgd_estimate *at_nodes = s->divergence_at_nodes ? s->divergence_at_nodes : s->divergence;
    if (k < s->num_levels)
        return at_nodes[row * s->num_levels + k];
    hsgd_estimate sum = s->divergence[row * s->num_levels];
    for (size_t m = 1; m < s->num_levels; m++) {
        sum.mean += s->divergence[row * s->num_levels + m].mean;
        sum.se += s->divergence[row * s->num_levels + m].se;
    }
    return sum;
}

/* The constant is the largest expectation over the steps: the step that decides is the one with the worst verdict, of
 * equals the one with the largest mean. The intervals hold for all steps, levels and E together. */
static void audit_expected_divergence(hsgd_audit *audit, const hsgd_experiment *e, const char *assumption,
                                      const char *name, hsgd_constant used, size_t k)
{
    const hsgd_summary *s = &e->run[HSGD_RUN_MAIN].summary;
    double checks = families(e) * (double)s->num_rows * (double)(s->num_levels + 1);
    double rounding = hsgd_rounding_of_gradients_sq(e, &e->run[HSGD_RUN_MAIN]);
    hsgd_audit_item *item =
        add(audit, assumption, name, "expected divergence at most this at every step of the run",
            "largest mean over the seeds at a measured step", used, HSGD_AUDIT_ATTAINED, pathwise(NAN));
    hsgd_audit_item worst = *item;
    for (size_t row = 0; row < s->num_rows; row++) {
        hsgd_audit_item now = *item;
        now.seen = hsgd_interval_of(mean_divergence(s, row, k), e->config->confidence, checks);
        now.margin = now.seen.estimate.mean / used.value;
        snprintf(now.where, sizeof now.where, "t = %zu", s->step[row]);
        judge(&now, e, rounding);
        bool worse = hsgd_verdict_worse(worst.verdict, now.verdict) != worst.verdict;
        if (row == 0 || worse || (now.verdict == worst.verdict && now.seen.estimate.mean > worst.seen.estimate.mean))
            worst = now;
    }
    *item = worst;
}

/* Has this level nodes that average whenever their parents do? */
static bool merges(const hsgd_hierarchy *h, size_t level)
{
    for (size_t u = 1; u < h->num_nodes; u++)
        if (h->node[u].depth == level && h->node[u].period == h->node[h->node[u].parent].period)
            return true;
    return false;
}

static void audit_expected_divergences(hsgd_audit *audit, const hsgd_experiment *e)
{
    size_t levels = e->run[HSGD_RUN_MAIN].summary.num_levels;
    for (size_t k = 0; k < levels; k++) {
        char name[HSGD_AUDIT_NAME_SIZE];
        snprintf(name, sizeof name, "D_%zu", k + 1);
        hsgd_constant used = {e->level_divergence_sq[k], HSGD_EXACT};
        if (merges(&e->problem->hierarchy, k)) /* the mean of the larger one may exceed the larger mean */
            explain(add(audit, "A3'", name, "expected divergence at most this at every step of the run",
                        "largest mean over the seeds at a measured step", used, HSGD_AUDIT_ATTAINED, pathwise(NAN)),
                    "exact; a run measures the larger of two divergences, for some groups have their parent's period");
        else
            audit_expected_divergence(audit, e, "A3'", name, used, k);
    }
    audit_expected_divergence(audit, e, "A3", "E", e->global_divergence_sq, levels);
}

static void audit_divergences(hsgd_audit *audit, const hsgd_experiment *e)
{
    const hsgd_summary *s = &e->run[HSGD_RUN_MAIN].summary;
    if (e->expected_divergence) {
        audit_expected_divergences(audit, e);
        return;
    }
    for (size_t k = 0; k < s->num_levels; k++) {
        char name[HSGD_AUDIT_NAME_SIZE];
        snprintf(name, sizeof name, "D_%zu", k + 1);
        hsgd_constant used = {e->level_divergence_sq[k], e->divergence_kind};
        audit_divergence(audit, e, "A3'", name, used, e->certified_level_sq ? e->certified_level_sq[k] : NAN,
                         s->level_divergence_sup_sq[k], s->level_divergence_at[k]);
    }
    audit_divergence(audit, e, "A3", "E", e->global_divergence_sq, e->certified_global_sq, s->global_divergence_sup_sq,
                     s->global_divergence_at);
}

/* ---- A4 ---- */

/* The lowest f(wbar) that a bound of this kind must not exceed: of all steps, or of the ends, which alone lie in the ball
 * for which a bound from a search may be proved. */
static double lowest_loss(const hsgd_summary *s, hsgd_constant_kind kind)
{
    double lowest = INFINITY;
    for (size_t r = 0; r < s->num_seeds; r++)
        lowest = fmin(lowest, kind == HSGD_TRAJECTORY ? s->path[r].final_loss : s->path[r].lowest_loss);
    return lowest;
}

/* Of a loss: of the terms it is made of, and of what wrong gradients make of a minimum, their square over L. */
static double rounding_of_loss(const hsgd_experiment *e, double lowest)
{
    double gradient = hsgd_rounding_of_worker_gradients(e), L = e->constants.smoothness.value;
    double terms = 1e-12 * (fabs(e->run[HSGD_RUN_MAIN].summary.path[0].initial_loss) + fabs(lowest));
    return terms + (L > 0 ? gradient * gradient / L : 0);
}

static void audit_minimum(hsgd_audit *audit, const hsgd_experiment *e)
{
    const hsgd_summary *s = &e->run[HSGD_RUN_MAIN].summary;
    const hsgd_constant *minimum = &e->constants.minimum;
    double lowest = lowest_loss(s, minimum->kind);
    double rounding = rounding_of_loss(e, lowest);
    hsgd_audit_item *item =
        add(audit, "A4", "f*", "f >= f*",
            minimum->kind == HSGD_TRAJECTORY ? "lowest f(wbar^T) of the run" : "lowest f(wbar) of the run", *minimum,
            HSGD_AUDIT_AT_LEAST, pathwise(lowest));
    item->margin = NAN;
    if (!isfinite(minimum->value))
        explain(item, hsgd_experiment_knows_minimum(e) ? "f is not bounded below" : "f* is not known");
    else
        judge(item, e, rounding);
    if (!e->has_solved)
        return;
    /* f at the point found is above the bound that follows from it by construction; the run may know a lower one */
    lowest = lowest_loss(s, e->solved_minimum.kind);
    item = add(audit, "A4", "f* solved", "f >= f*",
               e->solved.value <= lowest ? "L-BFGS: f at the best point found"
                                         : "lowest f of the run, below that of L-BFGS",
               e->solved_minimum, HSGD_AUDIT_AT_LEAST, pathwise(fmin(e->solved.value, lowest)));
    item->margin = NAN;
    snprintf(item->where, sizeof item->where, "||grad f|| = %.2g%s", e->solved.grad_norm,
             e->solved.converged ? "" : ", not converged");
    judge(item, e, rounding);
}

/* ---- conditions on the step size ---- */

static void audit_step_size(hsgd_audit *audit, const hsgd_experiment *e, const hsgd_bound_params *params)
{
    static const struct {
        const char *name, *id, *reason;
    } limits[] = {
        {"gamma, published", "hsgd-fixed", "above the limit: the published bounds say nothing"},
        {"gamma, sharpened", "hsgd-fixed-sharp", "above the limit: the sharpened bounds say nothing"},
        {"gamma, recursive", "hsgd-fixed-recursive", "above the limit: the recursive bounds say nothing"},
    };
    for (size_t i = 0; i < sizeof limits / sizeof *limits; i++) {
        hsgd_bound_value value;
        hsgd_bound_eval(hsgd_bound_find(limits[i].id), params, &value);
        double limit = value.max_step_size;
        if (!isfinite(limit))
            continue;
        bool may_attain = limit * params->smoothness >= 1; /* gamma <= 1/L; the other limits are strict */
        hsgd_audit_item *item =
            add(audit, "step size", limits[i].name, "gamma below the theorem's limit", "the step size of the run",
                (hsgd_constant){limit, e->constants.smoothness.kind}, HSGD_AUDIT_CONDITION, pathwise(e->step_size));
        item->verdict = HSGD_VERDICT_HOLDS;
        if (may_attain ? e->step_size > limit : e->step_size >= limit) {
            item->verdict = HSGD_VERDICT_NOT_APPLICABLE;
            explain(item, limits[i].reason);
        }
    }
}

hsgd_status hsgd_experiment_judge_audit(hsgd_experiment *e, const hsgd_bound_params *params, hsgd_error *err)
{
    hsgd_audit *audit = &e->audit;
    audit->num_items = 0;
    if (e->variant || e->run[HSGD_RUN_MAIN].summary.num_diverged) /* nothing was measured; no supremum is finite */
        return HSGD_OK;
    audit_smoothness(audit, e);
    hsgd_status status = audit_noise(audit, e, err);
    if (status)
        return status;
    audit_divergences(audit, e);
    audit_minimum(audit, e);
    audit_step_size(audit, e, params);
    return HSGD_OK;
}
