/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "experiments/grouping_check.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <gsl/gsl_statistics_double.h>

#include "experiments/experiment_private.h"

/* Up to so many distinct groupings are all visited; of more, so many are drawn, or fewer where each takes long: about so
 * many numbers are looked at in all. */
enum { MAX_ENUMERATED = 200000, MIN_DRAWN = 100, MAX_DRAWN = 20000 };
static const double DRAWN_NUMBERS = 2e9;

/* Rounding of means over many groupings, relative to E(w). */
static const double ROUNDING = 1e-11;

/* Storing all gradients of one point is worth this much memory. */
static const double MAX_GRADIENT_BYTES = 512e6;

void hsgd_grouping_check_free(hsgd_grouping_check *check)
{
    for (size_t i = 0; i < check->num_points; i++) {
        hsgd_grouping_moments_free(&check->point[i].moments);
        free(check->point[i].half_width);
        free(check->point[i].upward);
        free(check->point[i].downward);
    }
    for (size_t k = 0; check->ratio && k + 1 < check->num_levels; k++)
        free(check->ratio[k].at);
    free(check->ratio);
    memset(check, 0, sizeof *check);
}

/* ---- the lemma at a fixed point ---- */

/* grad F_j(w) of all workers; free it. NULL when memory is out. */
static double *all_gradients(const hsgd_objective *objective, const double *w)
{
    size_t n = objective->num_workers, dim = objective->dim;
    double *grad = malloc(n * dim * sizeof *grad), *loss = malloc(n * sizeof *loss);
    double *scratch = malloc((objective->type->scratch_size(objective, 0) + 1) * sizeof *scratch);
    size_t *worker = malloc(n * sizeof *worker);
    bool complete = grad && loss && scratch && worker;
    for (size_t j = 0; complete && j < n; j++)
        worker[j] = j;
    if (complete)
        objective->type->full(objective, w, worker, n, loss, grad, scratch);
    free(loss);
    free(scratch);
    free(worker);
    if (complete)
        return grad;
    free(grad);
    return NULL;
}

/* How far a mean may be from the closed form: rounding, where all groupings were visited (alpha 0). Drawn divergences lie
 * in [0, E(w)] and may hang on rare groupings, for which Student's interval is far too narrow; the empirical Bernstein
 * inequality (Maurer and Pontil 2009, theorem 4) holds for any distribution: each side of
 *     |mean - expectation| <= sqrt(2 var l/m) + 7 E l/(3 (m - 1)),   l = ln(2/alpha), fails with probability alpha/2. */
static double half_width(hsgd_estimate mean, double range, double alpha)
{
    double half = ROUNDING * range, l = log(4 / alpha);
    if (alpha > 0)
        half += sqrt(2 * l) * mean.se + 7 * range * l / (3 * ((double)mean.count - 1));
    return half;
}

static hsgd_verdict agrees(hsgd_estimate mean, double theory, double half)
{
    if (isnan(half))
        return HSGD_VERDICT_INCONCLUSIVE;
    return fabs(mean.mean - theory) <= half ? HSGD_VERDICT_HOLDS : HSGD_VERDICT_VIOLATED;
}

/* Where the gradients differ by the same vectors at every point, one says it all. */
static size_t num_points(const hsgd_experiment *e)
{
    return hsgd_problem_has_constant_divergence(e->problem) ? 1 : HSGD_GROUPING_POINTS;
}

static size_t num_drawn(const hsgd_experiment *e)
{
    size_t n = e->problem->hierarchy.num_workers;
    double work =
        n <= HSGD_MAX_ENUMERATED_WORKERS ? (double)n * (double)n : (double)n * (double)e->problem->objective.dim;
    return (size_t)fmax(MIN_DRAWN, fmin(MAX_DRAWN, DRAWN_NUMBERS / work));
}

static hsgd_status check_point(hsgd_grouping_point *out, const hsgd_experiment *e, const char *name, const double *w,
                               hsgd_error *err)
{
    const hsgd_hierarchy *h = &e->problem->hierarchy;
    double *gradient = all_gradients(&e->problem->objective, w);
    *out = (hsgd_grouping_point){.point = name,
                                 .half_width = calloc(h->num_levels, sizeof *out->half_width),
                                 .upward = calloc(h->num_levels, sizeof *out->upward),
                                 .downward = calloc(h->num_levels, sizeof *out->downward)};
    hsgd_status status = HSGD_OK;
    if (!gradient || !out->half_width || !out->upward || !out->downward)
        status = hsgd_fail_memory(err, "the groupings");
    if (!status)
        status =
            hsgd_grouping_moments_find(&out->moments, h, gradient, e->problem->objective.dim, MAX_ENUMERATED,
                                       num_drawn(e), ~e->config->first_seed, err); /* not the placements of the runs */
    free(gradient);
    const hsgd_grouping_moments *m = &out->moments;
    double alpha = (1 - e->config->confidence) / (2.0 * (double)num_points(e) * (double)h->num_levels);
    for (size_t k = 0; k < h->num_levels && !status; k++) {
        out->half_width[k] = half_width(m->upward[k], m->divergence, m->exact ? 0 : alpha); /* Down_k = E - Up_k */
        out->upward[k] = agrees(m->upward[k], m->upward_theory[k], out->half_width[k]);
        out->downward[k] = agrees(m->downward[k], m->downward_theory[k], out->half_width[k]);
    }
    return status;
}

/* Why the lemma cannot be checked; NULL where it can. */
static const char *obstacle(const hsgd_experiment *e)
{
    const hsgd_hierarchy *h = &e->problem->hierarchy;
    if (h->worker_weight)
        return "the lemma needs equal weights";
    if (h->num_levels < 1 || h->num_workers < 2)
        return "one worker has one grouping";
    if (8.0 * (double)h->num_workers * (double)e->problem->objective.dim > MAX_GRADIENT_BYTES)
        return "the gradients of all workers take too much memory";
    if (e->run[HSGD_RUN_MAIN].summary.num_diverged)
        return "the run diverged";
    return NULL;
}

hsgd_status hsgd_experiment_check_grouping(hsgd_experiment *e, hsgd_error *err)
{
    hsgd_grouping_check *check = &e->grouping;
    const char *reason = e->every_check ? obstacle(e) : "only hsgd verify looks at other groupings";
    check->num_levels = e->problem->hierarchy.num_levels;
    snprintf(check->reason, sizeof check->reason, "%s", reason ? reason : "");
    if (reason)
        return HSGD_OK;
    check->num_points = num_points(e);
    hsgd_status status = check_point(&check->point[0], e, "w^0", e->problem->initial, err);
    if (!status && check->num_points > 1)
        status = check_point(&check->point[1], e, "wbar^T", e->final_point, err);
    return status;
}

/* ---- along the trajectory ---- */

/* For one level: (runs) numerators Up_k and denominators E of one row. */
static void collect(const hsgd_ensemble *ensemble, size_t row, size_t level, double *up, double *all)
{
    for (size_t r = 0; r < ensemble->num_seeds; r++) {
        const double *divergence = ensemble->trace[r].divergence + row * ensemble->trace[r].num_levels;
        up[r] = all[r] = 0;
        for (size_t k = 0; k < ensemble->trace[r].num_levels; k++) {
            up[r] += k <= level ? divergence[k] : 0;
            all[r] += divergence[k];
        }
    }
}

/* Ratio of the means of up and share * all over runs. Its standard error is that of the residuals up - ratio share all,
 * relative to the denominator (linearisation); residual (runs) is scratch memory. */
static hsgd_estimate ratio_of_means(const hsgd_ensemble *ensemble, const double *up, const double *all, double share,
                                    double *residual)
{
    size_t runs = ensemble->num_seeds;
    double denominator = share * gsl_stats_mean(all, 1, runs), ratio = gsl_stats_mean(up, 1, runs) / denominator;
    for (size_t r = 0; r < runs; r++)
        residual[r] = (up[r] - ratio * share * all[r]) / denominator;
    hsgd_estimate out = hsgd_estimate_mean_of_groups(residual, runs, ensemble->runs_per_value);
    out.mean = ratio;
    return out;
}

/* (m_k - 1)/(n - 1): the nodes of depth k, a worker that hangs higher counting as its own. */
static double upward_share(const hsgd_hierarchy *h, size_t level)
{
    size_t children = 0, inner = 0;
    for (size_t u = 0; u < h->num_nodes; u++) {
        children += h->node[u].depth <= level ? h->node[u].num_children : 0;
        inner += h->node[u].depth <= level;
    }
    return (double)(children - inner) / (double)(h->num_workers - 1);
}

static void follow_level(hsgd_grouping_ratio *out, const hsgd_experiment *e, const hsgd_ensemble *ensemble,
                         size_t level, double *memory)
{
    size_t runs = ensemble->num_seeds, rows = ensemble->trace[0].num_measured;
    double *up = memory, *all = up + runs, *residual = all + runs, *up_sum = residual + runs, *all_sum = up_sum + runs;
    double share = upward_share(&e->problem->hierarchy, level);
    memset(up_sum, 0, 2 * runs * sizeof *up_sum);
    out->largest = 1;
    for (size_t row = 0; row < rows; row++) {
        collect(ensemble, row, level, up, all);
        out->at[row] = ratio_of_means(ensemble, up, all, share, residual);
        if (fabs(out->at[row].mean - 1) > fabs(out->largest - 1)) {
            out->largest = out->at[row].mean;
            out->largest_step = ensemble->trace[0].step[row];
        }
        for (size_t r = 0; r < runs; r++) {
            up_sum[r] += up[r];
            all_sum[r] += all[r];
        }
    }
    out->mean = hsgd_interval_of(ratio_of_means(ensemble, up_sum, all_sum, share, residual), e->config->confidence, 1);
}

/* One-way analysis of variance of S: groupings, and seeds inside a grouping. */
static void split_variance(hsgd_grouping_check *check, const hsgd_ensemble *ensemble)
{
    size_t per_value = ensemble->runs_per_value, groups = ensemble->num_seeds / per_value;
    check->variance_between = check->variance_within = NAN;
    if (per_value < 2 || groups < 2)
        return;
    double within = 0, overall = 0, between = 0;
    double *S = malloc(ensemble->num_seeds * sizeof *S), *mean = malloc(groups * sizeof *mean);
    for (size_t r = 0; S && mean && r < ensemble->num_seeds; r++)
        S[r] = gsl_stats_mean(ensemble->trace[r].grad_norm_sq, 1, ensemble->trace[r].num_measured);
    for (size_t g = 0; S && mean && g < groups; g++) {
        mean[g] = gsl_stats_mean(S + g * per_value, 1, per_value);
        within += gsl_stats_variance_m(S + g * per_value, 1, per_value, mean[g]) / (double)groups;
        overall += mean[g] / (double)groups;
    }
    if (S && mean)
        between = gsl_stats_variance_m(mean, 1, groups, overall) - within / (double)per_value;
    double larger = fmax(within, between); /* of fourth powers of gradients: not always a double */
    if (S && mean && isfinite(larger) && larger >= DBL_MIN) {
        check->variance_within = within;
        check->variance_between = fmax(0, between);
    }
    free(S);
    free(mean);
}

hsgd_status hsgd_experiment_follow_grouping(hsgd_experiment *e, const hsgd_ensemble *ensemble, hsgd_error *err)
{
    hsgd_grouping_check *check = &e->grouping;
    size_t levels = e->problem->hierarchy.num_levels, runs = ensemble->num_seeds;
    check->num_levels = levels;
    check->variance_between = check->variance_within = NAN;
    for (size_t r = 0; r < runs; r++)
        if (ensemble->trace[r].diverged_at != HSGD_NOT_DIVERGED)
            return HSGD_OK;
    if (!e->problem->placement || levels < 2 || e->problem->hierarchy.num_workers < 2)
        return HSGD_OK;
    double *memory = malloc(5 * runs * sizeof *memory);
    check->ratio = calloc(levels, sizeof *check->ratio);
    bool complete = memory && check->ratio;
    for (size_t k = 0; complete && k + 1 < levels; k++) {
        check->ratio[k].at = malloc(ensemble->trace[0].num_measured * sizeof *check->ratio[k].at);
        complete = check->ratio[k].at != NULL;
        if (complete)
            follow_level(&check->ratio[k], e, ensemble, k, memory);
    }
    free(memory);
    split_variance(check, ensemble);
    return complete ? HSGD_OK : hsgd_fail_memory(err, "the ratios of random grouping");
}
