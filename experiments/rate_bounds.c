/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The bounds at a point of hsgd rate: those of the registry on what is measured, and on dispersions the recursive bound of
 * THEORY 4.4. */
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "experiments/experiment_private.h"
#include "experiments/rate_private.h"

#define DISPERSION_ID "dispersion-recursive"

/* ---- rows ---- */

/* The row of a bound, a new one where it has none yet; NULL when memory is out. This is the one place that looks a bound
 * up. */
static hsgd_rate_bound *find_row(hsgd_rate *rate, const char *id)
{
    for (size_t b = 0; b < rate->num_bounds; b++)
        if (strcmp(rate->bound[b].id, id) == 0)
            return &rate->bound[b];
    hsgd_rate_bound *grown = realloc(rate->bound, (rate->num_bounds + 1) * sizeof *grown);
    if (!grown)
        return NULL;
    rate->bound = grown;
    hsgd_rate_bound *out = &grown[rate->num_bounds];
    *out = (hsgd_rate_bound){.value = malloc(rate->num_points * sizeof *out->value),
                             .verdict = malloc(rate->num_points * sizeof *out->verdict)};
    rate->num_bounds++;
    snprintf(out->id, sizeof out->id, "%s", id);
    for (size_t i = 0; out->value && out->verdict && i < rate->num_points; i++) {
        out->value[i] = NAN;
        out->verdict[i] = HSGD_VERDICT_NOT_APPLICABLE;
    }
    return out->value && out->verdict ? out : NULL;
}

/* ---- bounds of the registry ---- */

/* Is the bound about the quantity, and about the run? (Of local SGDs none is selected.) */
static bool is_about(const hsgd_bound *bound, const hsgd_config *config, hsgd_rate_quantity quantity)
{
    static const hsgd_target target[] = {[HSGD_RATE_S] = HSGD_TARGET_S,
                                         [HSGD_RATE_S_ROUND] = HSGD_TARGET_S_ROUND,
                                         [HSGD_RATE_S_MIN] = HSGD_TARGET_S_MIN};
    bool random = config->grouping == HSGD_GROUPING_RANDOM;
    if (quantity > HSGD_RATE_S_MIN || bound->target != target[quantity])
        return false;
    return bound->algorithm == HSGD_ALGORITHM_HSGD || (random && bound->algorithm == HSGD_ALGORITHM_HSGD_RANDOM);
}

/* What rounding leaves of a gradient that is 0, squared: where workers are equal and the run starts at the minimum, a bound
 * is 0. */
static double rounding_sq(const hsgd_problem *problem)
{
    const hsgd_quadratic *q = &problem->quadratic;
    const double *curvature = hsgd_quadratic_curvature(q, 0);
    double size_sq = 0, unit = 64 * DBL_EPSILON;
    for (size_t i = 0; i < q->dim; i++)
        size_sq +=
            curvature[i] * curvature[i] * problem->initial[i] * problem->initial[i] + q->linear[i] * q->linear[i];
    return unit * unit * size_sq;
}

/* Without sampling the comparison is one of two numbers. */
static hsgd_verdict decide(const hsgd_comparison *c, const hsgd_rate_point *p, const hsgd_experiment *e, bool exact)
{
    if (!exact)
        return c->verdict;
    return hsgd_verdict_decide(p->value.mean, p->value.mean, c->value.value + rounding_sq(e->problem));
}

static hsgd_status take_registered(hsgd_rate *rate, size_t i, const hsgd_experiment *e, hsgd_error *err)
{
    const hsgd_rate_plan *plan = rate->plan;
    for (size_t b = 0; b < e->num_comparisons; b++) {
        const hsgd_comparison *c = &e->comparison[b];
        if (!is_about(c->bound, e->config, plan->quantity))
            continue;
        hsgd_rate_bound *row = find_row(rate, c->bound->id);
        if (!row)
            return hsgd_fail_memory(err, "the bounds");
        if (!c->value.applicable || (!plan->exact && c->verdict == HSGD_VERDICT_NOT_APPLICABLE))
            continue;
        row->value[i] = c->value.value;
        row->verdict[i] = decide(c, &rate->point[i], e, plan->exact);
    }
    return HSGD_OK;
}

/* ---- dispersions ---- */

/* Mean over the measured steps of the bound on the sum of all levels. It begins anew after every global average. */
static hsgd_status mean_dispersion_bound(double *out, const hsgd_experiment *e, size_t every, hsgd_error *err)
{
    const hsgd_hierarchy *tree = hsgd_experiment_bound_tree(e);
    size_t period = hsgd_hierarchy_global_period(tree), levels = tree->num_levels, rows = 0;
    size_t length = period < e->config->steps ? period : e->config->steps;
    double *bound = calloc(length * levels, sizeof *bound);
    if (!bound)
        return hsgd_fail_memory(err, "the dispersion bound");
    hsgd_status status = hsgd_dispersion_bound(bound, tree, hsgd_experiment_divergence_sq(e), e->step_size,
                                               e->constants.smoothness.value, e->constants.noise_sq.value, length, err);
    *out = 0;
    for (size_t t = 0; t < e->config->steps && !status; t += every, rows++)
        for (size_t k = 0; k < levels; k++)
            *out += bound[t % period * levels + k];
    *out /= (double)rows;
    free(bound);
    return status;
}

/* The interval of the mean against the bound, together with those of all points. */
static hsgd_verdict judge_dispersion(const hsgd_rate_point *p, const hsgd_experiment *e, double bound, bool exact)
{
    double half_width = exact ? 0 : hsgd_half_width(p->value, e->config->confidence, 1);
    double rounding = exact ? rounding_sq(e->problem) * e->step_size * e->step_size : 0;
    hsgd_verdict verdict =
        hsgd_verdict_decide(p->value.mean - half_width, p->value.mean + half_width, bound + rounding);
    bool may_convict = exact || hsgd_experiment_may_convict(e);
    return verdict == HSGD_VERDICT_VIOLATED && (!may_convict || hsgd_experiment_is_unfounded(verdict, p->kind))
               ? HSGD_VERDICT_INCONCLUSIVE
               : verdict;
}

static hsgd_status take_dispersion(hsgd_rate *rate, size_t i, const hsgd_experiment *e, hsgd_error *err)
{
    hsgd_rate_bound *row = find_row(rate, DISPERSION_ID);
    double bound = NAN;
    if (!row)
        return hsgd_fail_memory(err, "the bounds");
    if (e->variant || !isfinite(e->global_divergence_sq.value)) /* a run that diverged has no divergences */
        return HSGD_OK;
    hsgd_status status = mean_dispersion_bound(&bound, e, rate->plan->exact ? 1 : e->config->measure_every, err);
    if (status || !isfinite(bound))
        return status;
    row->value[i] = bound;
    row->verdict[i] = judge_dispersion(&rate->point[i], e, bound, rate->plan->exact);
    return HSGD_OK;
}

hsgd_status hsgd_rate_take_bounds(hsgd_rate *rate, size_t i, const hsgd_experiment *e, hsgd_error *err)
{
    return rate->plan->quantity == HSGD_RATE_DISPERSION ? take_dispersion(rate, i, e, err)
                                                        : take_registered(rate, i, e, err);
}
