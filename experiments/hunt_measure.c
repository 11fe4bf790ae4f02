/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a bound is worth on one quadratic (THEORY 7, 12).
 *
 * Glossary   b_j  quadratic.linear    centre (nodes, d) weighted mean of the b_j below a node    beta_u^2  divergence_sq
 *            gamma  step_size    L  smoothness    Delta  delta */
#include "experiments/hunt_private.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/exact_moments.h"
#include "bounds/verdict.h"

/* Where rounding may be a larger part of a ratio than this, the ratio says nothing. */
static const double MOST_ROUNDING = 1e-6;

/* Rounding errors of one step, in units of DBL_EPSILON and of the numbers that are added in it. */
static const double ROUNDING_OF_A_STEP = 64;

/* The bounds' own sums forgive as much as verdicts do. */
bool hsgd_hunted_violates(const hsgd_hunted *hunted)
{
    return hunted->ratio > 1 + hunted->rounding;
}

/* ---- one problem ---- */

hsgd_status hsgd_hunt_case_init(hsgd_hunt_case *out, size_t dim, size_t num_workers, hsgd_error *err)
{
    double *zeros = calloc(dim * (num_workers + 1), sizeof *zeros);
    *out = (hsgd_hunt_case){.initial = calloc(dim, sizeof *out->initial), .step_size = NAN};
    hsgd_status status = zeros && out->initial
                             ? hsgd_quadratic_init(&out->quadratic, zeros, zeros, dim, num_workers, 0, err)
                             : hsgd_fail_memory(err, "a problem of the hunt");
    free(zeros);
    if (status)
        hsgd_hunt_case_free(out);
    return status;
}

void hsgd_hunt_case_free(hsgd_hunt_case *c)
{
    hsgd_quadratic_free(&c->quadratic);
    free(c->initial);
    *c = (hsgd_hunt_case){0};
}

/* ---- the setting ---- */

hsgd_status hsgd_hunt_setting_init(hsgd_hunt_setting *out, const hsgd_config *config, const hsgd_problem *problem,
                                   hsgd_error *err)
{
    bool by_level = config->is_uniform && config->weighting == HSGD_WEIGHTS_EQUAL;
    hsgd_hierarchy canonical;
    *out = (hsgd_hunt_setting){.tree = &problem->hierarchy,
                               .bound_tree = by_level ? &config->hierarchy : &problem->hierarchy,
                               .steps = config->steps};
    hsgd_status status = hsgd_hierarchy_canonical(&canonical, &config->hierarchy, NULL, NULL, err);
    if (status)
        return status;
    out->period[0] = out->period[2] = hsgd_hierarchy_global_period(&canonical);
    out->period[1] = hsgd_hierarchy_local_period(&canonical);
    hsgd_hierarchy_free(&canonical);
    for (size_t i = 0; i < 2 && !status; i++)
        status = hsgd_hierarchy_local(&out->local[i], out->tree->num_workers, out->period[i + 1], out->tree, err);
    if (status)
        hsgd_hunt_setting_free(out);
    return status;
}

void hsgd_hunt_setting_free(hsgd_hunt_setting *setting)
{
    hsgd_hierarchy_free(&setting->local[0]);
    hsgd_hierarchy_free(&setting->local[1]);
}

size_t hsgd_hunt_steps(const hsgd_hunt_setting *setting, const hsgd_quarry *quarry)
{
    size_t period = hsgd_hierarchy_global_period(setting->tree);
    return quarry->bound || period > setting->steps ? setting->steps : period;
}

/* ---- constants ---- */

static double worker_weight(const hsgd_hierarchy *h, size_t j)
{
    return h->worker_weight ? h->worker_weight[j] : 1 / (double)h->num_workers;
}

static double distance_sq(const double *x, const double *y, size_t dim)
{
    double sum = 0;
    for (size_t i = 0; i < dim; i++)
        sum += (x[i] - y[i]) * (x[i] - y[i]);
    return sum;
}

/* Weighted mean of the b_j below every node. */
static void find_centres(double *centre, const hsgd_hierarchy *h, const hsgd_quadratic *q)
{
    for (size_t u = 0; u < h->num_nodes; u++) {
        const hsgd_node *node = &h->node[u];
        const double *first = q->linear + node->first_worker * q->stride;
        memcpy(centre + u * q->dim, first, q->dim * sizeof *centre);
        for (size_t j = node->first_worker + 1; j < node->first_worker + node->num_workers; j++)
            for (size_t i = 0; i < q->dim; i++)
                centre[u * q->dim + i] +=
                    worker_weight(h, j) / node->weight * (q->linear[j * q->stride + i] - first[i]);
    }
}

/* Where the constants of nodes are collected. */
typedef struct collected {
    hsgd_hunt_constants *out;
    double *divergence_sq, *deviation_max_sq; /* (bound_tree->num_nodes) */
    double worker_max_sq;
    bool by_level; /* entry k of the bounds' tree stands for all nodes of depth k */
} collected;

/* A child of node u, of this weight, lies so far from it. */
static void collect(collected *c, const hsgd_hierarchy *h, size_t u, double weight, double apart_sq)
{
    const hsgd_node *node = &h->node[u];
    size_t entry = c->by_level ? node->depth : u;
    c->out->level_divergence_sq[node->depth] += weight * apart_sq;
    c->divergence_sq[entry] += (c->by_level ? weight : weight / node->weight) * apart_sq;
    c->deviation_max_sq[entry] = fmax(c->deviation_max_sq[entry], apart_sq);
}

static void collect_all(collected *c, const hsgd_hierarchy *h, const hsgd_quadratic *q, const double *centre)
{
    for (size_t u = 0; u < h->num_nodes; u++) {
        const hsgd_node *node = &h->node[u];
        if (u > 0)
            collect(c, h, node->parent, node->weight,
                    distance_sq(centre + u * q->dim, centre + node->parent * q->dim, q->dim));
        if (!hsgd_node_is_lowest(h, u))
            continue;
        for (size_t j = node->first_worker; j < node->first_worker + node->num_workers; j++) {
            const double *b = q->linear + j * q->stride;
            collect(c, h, u, worker_weight(h, j), distance_sq(b, centre + u * q->dim, q->dim));
            c->worker_max_sq = fmax(c->worker_max_sq, distance_sq(b, centre, q->dim));
        }
    }
}

static hsgd_status find_divergences(collected *c, const hsgd_hunt_setting *setting, const hsgd_quadratic *q,
                                    hsgd_error *err)
{
    double *centre = malloc(setting->tree->num_nodes * q->dim * sizeof *centre);
    if (!centre)
        return hsgd_fail_memory(err, "a problem of the hunt");
    memset(c->divergence_sq, 0, setting->bound_tree->num_nodes * sizeof *c->divergence_sq);
    memset(c->deviation_max_sq, 0, setting->bound_tree->num_nodes * sizeof *c->deviation_max_sq);
    find_centres(centre, setting->tree, q);
    collect_all(c, setting->tree, q, centre);
    free(centre);
    return HSGD_OK;
}

/* L, sigma^2, f* and Delta as `hsgd run` has them. */
static hsgd_status find_scalars(hsgd_hunt_constants *out, const hsgd_hunt_setting *setting, const hsgd_hunt_case *c,
                                hsgd_error *err)
{
    hsgd_objective objective;
    hsgd_constants constants;
    hsgd_exact start;
    hsgd_status status = hsgd_quadratic_objective(&objective, &c->quadratic, setting->tree->worker_weight, err);
    if (status)
        return status;
    status = objective.type->constants(&objective, 0, &constants, err);
    hsgd_objective_free(&objective);
    if (!status)
        status = hsgd_exact_moments(&start, &c->quadratic, setting->tree, c->initial, c->step_size, 1, err);
    if (status)
        return status;
    out->smoothness = constants.smoothness.value;
    out->noise_sq = constants.noise_sq.value;
    out->minimum = constants.minimum.value;
    out->delta = fmax(0, start.loss[0] - out->minimum);
    hsgd_exact_free(&start);
    return HSGD_OK;
}

hsgd_status hsgd_hunt_find_constants(hsgd_hunt_constants *out, double *divergence_sq, double *deviation_max_sq,
                                     double *worker_max_sq, const hsgd_hunt_setting *setting, const hsgd_hunt_case *c,
                                     hsgd_error *err)
{
    size_t entries = setting->bound_tree->num_nodes;
    double *own = malloc(2 * (entries + 1) * sizeof *own);
    *out = (hsgd_hunt_constants){
        .step_size = c->step_size, .num_levels = setting->tree->num_levels, .steps = setting->steps};
    if (!own)
        return hsgd_fail_memory(err, "a problem of the hunt");
    collected sums = {.out = out,
                      .divergence_sq = divergence_sq ? divergence_sq : own,
                      .deviation_max_sq = deviation_max_sq ? deviation_max_sq : own + entries,
                      .by_level = setting->bound_tree != setting->tree};
    hsgd_status status = find_divergences(&sums, setting, &c->quadratic, err);
    if (!status)
        status = find_scalars(out, setting, c, err);
    if (worker_max_sq)
        *worker_max_sq = sums.worker_max_sq;
    free(own);
    return status;
}

/* ---- a bound on S, S_round or S_min ---- */

/* Constants as the bounds see them: weakened. */
typedef struct weakened {
    hsgd_hunt_constants constants;
    double *divergence_sq, *deviation_max_sq; /* (bound_tree->num_nodes) owned */
    double worker_max_sq;
} weakened;

static void weakened_free(weakened *w)
{
    free(w->divergence_sq);
    free(w->deviation_max_sq);
}

static hsgd_status weakened_init(weakened *w, const hsgd_hunt_setting *setting, const hsgd_hunt_case *c,
                                 const hsgd_hunt_spec *weaken, hsgd_error *err)
{
    size_t entries = setting->bound_tree->num_nodes;
    *w = (weakened){.divergence_sq = malloc((entries + 1) * sizeof(double)),
                    .deviation_max_sq = malloc((entries + 1) * sizeof(double))};
    hsgd_status status = w->divergence_sq && w->deviation_max_sq
                             ? hsgd_hunt_find_constants(&w->constants, w->divergence_sq, w->deviation_max_sq,
                                                        &w->worker_max_sq, setting, c, err)
                             : hsgd_fail_memory(err, "a problem of the hunt");
    if (status) {
        weakened_free(w);
        return status;
    }
    for (size_t u = 0; weaken && u < entries; u++) {
        w->divergence_sq[u] *= weaken->weaken_divergence;
        w->deviation_max_sq[u] *= weaken->weaken_divergence;
    }
    w->worker_max_sq *= weaken ? weaken->weaken_divergence : 1;
    w->constants.delta *= weaken ? weaken->weaken_initial_gap : 1;
    w->constants.noise_sq *= weaken ? weaken->weaken_noise : 1;
    return HSGD_OK;
}

static hsgd_status make_params(hsgd_bound_params *out, const weakened *w, const hsgd_hunt_setting *setting,
                               hsgd_error *err)
{
    hsgd_status status = hsgd_bound_params_init(out, setting->bound_tree, w->divergence_sq, w->deviation_max_sq, err);
    if (status)
        return status;
    out->worker_deviation_max_sq = w->worker_max_sq;
    out->step_size = w->constants.step_size;
    out->steps = setting->steps;
    out->smoothness = w->constants.smoothness;
    out->noise_sq = w->constants.noise_sq;
    out->delta = w->constants.delta;
    status = hsgd_bound_params_check(out, err);
    if (status)
        hsgd_bound_params_free(out);
    return status;
}

/* The run that an algorithm is about: 0 H-SGD, 1 and 2 local SGD with periods I and G. */
static size_t run_of(hsgd_algorithm algorithm)
{
    return algorithm == HSGD_ALGORITHM_LOCAL_INNER ? 1 : algorithm == HSGD_ALGORITHM_LOCAL_OUTER ? 2 : 0;
}

/* S, or the mean or the smallest of the values right after global averaging, before step R P. */
static double target_of(const hsgd_exact *exact, hsgd_target target, size_t period)
{
    double sum = 0, least = INFINITY;
    size_t rounds = exact->steps / period;
    for (size_t r = 0; r < rounds; r++) {
        sum += exact->grad_norm_sq[r * period];
        least = fmin(least, exact->grad_norm_sq[r * period]);
    }
    return target == HSGD_TARGET_S ? exact->S : target == HSGD_TARGET_S_ROUND ? sum / (double)rounds : least;
}

/* Relative errors: of Delta, a difference of sums of terms that may be much larger; and of the gradients, likewise. */
static double rounding_of_bound(const hsgd_hunt_case *c, double bound, double measured, size_t steps)
{
    double terms = 0, gradient_sq = 0;
    const hsgd_quadratic *q = &c->quadratic;
    for (size_t i = 0; i < q->dim; i++) {
        double largest = 0, h = fabs(q->curvature[i]), x = fabs(c->initial[i]);
        for (size_t j = 0; j < q->num_workers; j++)
            largest = fmax(largest, fabs(q->linear[j * q->stride + i]));
        terms += h * x * x + largest * x + (h > 0 ? largest * DBL_EPSILON * largest / h : 0);
        gradient_sq += (h * x + largest) * (h * x + largest);
    }
    double step = ROUNDING_OF_A_STEP * DBL_EPSILON;
    return HSGD_VERDICT_ROUNDING + step * terms / (c->step_size * (double)steps) / bound +
           2 * step * sqrt(gradient_sq / measured);
}

static hsgd_status measure_bound(hsgd_hunted *out, const hsgd_hunt_setting *setting, const hsgd_hunt_case *c,
                                 const hsgd_bound *bound, const weakened *w, hsgd_error *err)
{
    hsgd_bound_params params;
    hsgd_bound_value value;
    hsgd_exact exact;
    size_t run = run_of(bound->algorithm);
    hsgd_status status = make_params(&params, w, setting, err);
    if (status)
        return status;
    hsgd_bound_eval(bound, &params, &value);
    hsgd_bound_params_free(&params);
    out->bound = value.value;
    snprintf(out->reason, sizeof out->reason, "%s", value.reason);
    status = hsgd_exact_moments(&exact, &c->quadratic, run ? &setting->local[run - 1] : setting->tree, c->initial,
                                c->step_size, setting->steps, err);
    if (status)
        return status;
    out->measured = exact.steps < setting->period[run] && bound->target != HSGD_TARGET_S
                        ? NAN
                        : target_of(&exact, bound->target, setting->period[run]);
    hsgd_exact_free(&exact);
    if (!value.applicable || !isfinite(value.value))
        return HSGD_OK;
    out->rounding = rounding_of_bound(c, out->bound, out->measured, setting->steps);
    if (out->bound > 0 && out->measured >= 0 && isfinite(out->measured) && out->rounding < MOST_ROUNDING)
        out->ratio = out->measured / out->bound;
    else
        snprintf(out->reason, sizeof out->reason, "measured value and bound are 0, or lost in rounding");
    return HSGD_OK;
}

/* ---- the bound on the dispersion ---- */

/* The largest numbers that models are made of until step t: from the start and from the b_j, as far as they may grow. */
static double size_of_models(const hsgd_hunt_case *c, size_t t)
{
    const hsgd_quadratic *q = &c->quadratic;
    double start = 0, linear = 0, steepest = 0;
    for (size_t i = 0; i < q->dim; i++) {
        start = fmax(start, fabs(c->initial[i]));
        steepest = fmax(steepest, -q->curvature[i]);
        for (size_t j = 0; j < q->num_workers; j++)
            linear = fmax(linear, fabs(q->linear[j * q->stride + i]));
    }
    return (start + c->step_size * (double)t * linear) * pow(1 + c->step_size * steepest, (double)t);
}

static void compare_cell(hsgd_hunted *out, double measured, double bound, double rounding, size_t t, size_t k)
{
    if (!(bound > 0) || !isfinite(bound) || !isfinite(measured) || !(rounding < MOST_ROUNDING) ||
        measured / bound <= out->ratio)
        return;
    *out = (hsgd_hunted){measured / bound, measured, bound, rounding, t, k + 1, ""};
}

static double rounding_of_dispersion(const hsgd_hunt_case *c, double bound, size_t t)
{
    return HSGD_VERDICT_ROUNDING + 2 * ROUNDING_OF_A_STEP * DBL_EPSILON * size_of_models(c, t) / sqrt(bound);
}

/* B_k^t against b_k(t)^2 where that is worst; or the sums over all steps and levels. */
static void compare_dispersion(hsgd_hunted *out, const hsgd_exact *exact, const double *bound, const hsgd_hunt_case *c,
                               bool mean)
{
    double measured_sum = 0, bound_sum = 0;
    for (size_t t = 0; t < exact->steps; t++)
        for (size_t k = 0; k < exact->num_levels; k++) {
            size_t cell = t * exact->num_levels + k;
            measured_sum += exact->dispersion[cell];
            bound_sum += bound[cell];
            if (!mean && t > 0)
                compare_cell(out, exact->dispersion[cell], bound[cell], rounding_of_dispersion(c, bound[cell], t), t,
                             k);
        }
    double steps = (double)exact->steps;
    if (mean)
        compare_cell(out, measured_sum / steps, bound_sum / steps,
                     rounding_of_dispersion(c, bound_sum / steps, exact->steps), 0, 0);
    out->level = mean ? 0 : out->level;
    if (out->ratio == 0)
        snprintf(out->reason, sizeof out->reason, "nothing disperses, or it is lost in rounding");
}

static hsgd_status measure_dispersion(hsgd_hunted *out, const hsgd_hunt_setting *setting, const hsgd_hunt_case *c,
                                      const hsgd_quarry *quarry, const weakened *w, hsgd_error *err)
{
    size_t steps = hsgd_hunt_steps(setting, quarry), levels = setting->tree->num_levels;
    hsgd_exact exact;
    double *bound = calloc(steps * levels, sizeof *bound);
    hsgd_status status = bound ? hsgd_dispersion_bound(bound, setting->bound_tree, w->divergence_sq, c->step_size,
                                                       w->constants.smoothness, w->constants.noise_sq, steps, err)
                               : hsgd_fail_memory(err, "the dispersion bound");
    if (!status)
        status = hsgd_exact_moments(&exact, &c->quadratic, setting->tree, c->initial, c->step_size, steps, err);
    if (!status) {
        compare_dispersion(out, &exact, bound, c, quarry->mean);
        hsgd_exact_free(&exact);
    }
    free(bound);
    return status;
}

hsgd_status hsgd_hunt_measure(hsgd_hunted *out, const hsgd_hunt_setting *setting, const hsgd_hunt_case *c,
                              const hsgd_quarry *quarry, const hsgd_hunt_spec *weaken, hsgd_error *err)
{
    weakened w;
    *out = (hsgd_hunted){.measured = NAN, .bound = NAN};
    hsgd_status status = weakened_init(&w, setting, c, weaken, err);
    if (status)
        return status;
    status = quarry->bound ? measure_bound(out, setting, c, quarry->bound, &w, err)
                           : measure_dispersion(out, setting, c, quarry, &w, err);
    weakened_free(&w);
    return status;
}

/* ---- step sizes ---- */

/* Bounds know their limit whatever the other constants are. */
hsgd_status hsgd_hunt_max_step_size(double *out, const hsgd_hunt_setting *setting, const hsgd_quarry *quarry,
                                    double smoothness, hsgd_error *err)
{
    hsgd_bound_params params;
    hsgd_bound_value value = {.max_step_size = INFINITY};
    double *zeros = calloc(setting->bound_tree->num_nodes + 1, sizeof *zeros);
    if (!zeros)
        return hsgd_fail_memory(err, "a problem of the hunt");
    hsgd_status status = hsgd_bound_params_init(&params, setting->bound_tree, zeros, zeros, err);
    free(zeros);
    if (status)
        return status;
    params.worker_deviation_max_sq = params.noise_sq = params.delta = 0;
    params.step_size = 1e-9 / smoothness;
    params.steps = setting->steps;
    params.smoothness = smoothness;
    if (quarry->bound)
        hsgd_bound_eval(quarry->bound, &params, &value);
    hsgd_bound_params_free(&params);
    *out = isfinite(value.max_step_size) ? value.max_step_size : 2 / smoothness;
    return HSGD_OK;
}
