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

double hsgd_hunted_score(const hsgd_hunted *hunted)
{
    return hunted->ratio / (1 + hunted->rounding);
}

/* ---- one problem ---- */

hsgd_status hsgd_hunt_case_init(hsgd_hunt_case *out, size_t dim, size_t num_workers, bool own, hsgd_error *err)
{
    double *zeros = calloc(dim * (num_workers + 1), sizeof *zeros);
    *out = (hsgd_hunt_case){.initial = calloc(dim, sizeof *out->initial), .step_size = NAN};
    hsgd_status status = HSGD_OK;
    if (!zeros || !out->initial)
        status = hsgd_fail_memory(err, "a problem of the hunt");
    else if (own)
        status = hsgd_quadratic_init_own(&out->quadratic, zeros, zeros, dim, num_workers, 0, err);
    else
        status = hsgd_quadratic_init(&out->quadratic, zeros, zeros, dim, num_workers, 0, err);
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

/* With one Hessian deviations start afresh at every average of the root, whatever the point is. */
size_t hsgd_hunt_steps(const hsgd_hunt_setting *setting, const hsgd_quarry *quarry, const hsgd_quadratic *quadratic)
{
    size_t period = hsgd_hierarchy_global_period(setting->tree);
    bool repeats = !quarry->bound && !quadratic->worker_curvature;
    return repeats && period < setting->steps ? period : setting->steps;
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

/* NAN stays. */
static void raise_to(double *largest, double value)
{
    if (isnan(value) || value > *largest)
        *largest = value;
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

/* The divergences of a problem, as they are collected. */
typedef struct divergences {
    double level_sq[HSGD_MAX_LEVELS];
    double *entry_sq, *entry_max_sq; /* (bound_tree->num_nodes) beta_u^2, and max_v ||grad f_v - grad f_u||^2; owned */
    double worker_max_sq, global_sq; /* NAN: not known */
    bool by_level;                   /* entry k of the bounds' tree stands for all nodes of depth k */
    bool has_maxima;
} divergences;

static void divergences_free(divergences *d)
{
    free(d->entry_sq);
    free(d->entry_max_sq);
}

static hsgd_status divergences_init(divergences *d, const hsgd_hunt_setting *setting, hsgd_error *err)
{
    size_t room = setting->bound_tree->num_nodes + 1;
    *d = (divergences){.entry_sq = calloc(room, sizeof *d->entry_sq),
                       .entry_max_sq = calloc(room, sizeof *d->entry_max_sq),
                       .global_sq = NAN,
                       .by_level = setting->bound_tree != setting->tree,
                       .has_maxima = true};
    if (d->entry_sq && d->entry_max_sq)
        return HSGD_OK;
    divergences_free(d);
    return hsgd_fail_memory(err, "a problem of the hunt");
}

/* A child of node u, of this weight, lies so far from it. */
static void collect(divergences *d, const hsgd_node *node, size_t u, double weight, double apart_sq)
{
    size_t entry = d->by_level ? node->depth : u;
    d->level_sq[node->depth] += weight * apart_sq;
    d->entry_sq[entry] += (d->by_level ? weight : weight / node->weight) * apart_sq;
    d->entry_max_sq[entry] = fmax(d->entry_max_sq[entry], apart_sq);
}

static void collect_all(divergences *d, const hsgd_hierarchy *h, const hsgd_quadratic *q, const double *centre)
{
    for (size_t u = 0; u < h->num_nodes; u++) {
        const hsgd_node *node = &h->node[u];
        if (u > 0)
            collect(d, &h->node[node->parent], node->parent, node->weight,
                    distance_sq(centre + u * q->dim, centre + node->parent * q->dim, q->dim));
        if (!hsgd_node_is_lowest(h, u))
            continue;
        for (size_t j = node->first_worker; j < node->first_worker + node->num_workers; j++) {
            const double *b = q->linear + j * q->stride;
            collect(d, node, u, worker_weight(h, j), distance_sq(b, centre + u * q->dim, q->dim));
            d->worker_max_sq = fmax(d->worker_max_sq, distance_sq(b, centre, q->dim));
        }
    }
}

/* One Hessian: gradients differ by the b_j, everywhere. */
static hsgd_status find_constant(divergences *d, const hsgd_hunt_setting *setting, const hsgd_quadratic *q,
                                 hsgd_error *err)
{
    double *centre = malloc(setting->tree->num_nodes * q->dim * sizeof *centre);
    if (!centre)
        return hsgd_fail_memory(err, "a problem of the hunt");
    find_centres(centre, setting->tree, q);
    collect_all(d, setting->tree, q, centre);
    free(centre);
    return HSGD_OK;
}

/* The levels and nodes of H-SGD at one step. */
static void raise_nodes(divergences *d, const hsgd_hierarchy *h, const double *node_sq)
{
    double level_sq[HSGD_MAX_LEVELS] = {0};
    for (size_t u = 0; u < h->num_nodes; u++) {
        level_sq[h->node[u].depth] += h->node[u].weight * node_sq[u];
        if (!d->by_level)
            raise_to(&d->entry_sq[u], node_sq[u]);
    }
    for (size_t k = 0; k < h->num_levels; k++) {
        raise_to(&d->level_sq[k], level_sq[k]);
        if (d->by_level)
            raise_to(&d->entry_sq[k], level_sq[k]);
    }
}

/* Hessians of their own: the largest expectations along the run, which is what the proofs need (THEORY 3). Bounds on local SGD
 * need no more than the global one. */
static void find_largest(divergences *d, const hsgd_hunt_setting *setting, const hsgd_hierarchy *tree,
                         const hsgd_exact *exact)
{
    d->has_maxima = false;
    d->worker_max_sq = NAN;
    d->global_sq = 0;
    for (size_t t = 0; t < exact->steps; t++) {
        raise_to(&d->global_sq, exact->global_divergence[t]);
        if (tree == setting->tree)
            raise_nodes(d, tree, exact->node_divergence + t * exact->num_nodes);
    }
}

/* tree, exact: of the run that the bound is about. */
static hsgd_status find_divergences(divergences *d, const hsgd_hunt_setting *setting, const hsgd_hierarchy *tree,
                                    const hsgd_quadratic *q, const hsgd_exact *exact, hsgd_error *err)
{
    if (!q->worker_curvature)
        return find_constant(d, setting, q, err);
    find_largest(d, setting, tree, exact);
    return HSGD_OK;
}

/* L, sigma^2, f* and Delta as `hsgd run` has them. */
static hsgd_status find_scalars(hsgd_hunt_constants *out, const hsgd_hunt_setting *setting, const hsgd_hunt_case *c,
                                double initial_loss, hsgd_error *err)
{
    hsgd_objective objective;
    hsgd_constants constants;
    hsgd_status status = hsgd_quadratic_objective(&objective, &c->quadratic, setting->tree->worker_weight, err);
    if (status)
        return status;
    status = objective.type->constants(&objective, 0, &constants, err);
    hsgd_objective_free(&objective);
    *out = (hsgd_hunt_constants){.step_size = c->step_size,
                                 .smoothness = constants.smoothness.value,
                                 .noise_sq = constants.noise_sq.value,
                                 .minimum = constants.minimum.value,
                                 .delta = fmax(0, initial_loss - constants.minimum.value),
                                 .num_levels = setting->tree->num_levels,
                                 .steps = setting->steps};
    return status;
}

hsgd_status hsgd_hunt_find_constants(hsgd_hunt_constants *out, const hsgd_hunt_setting *setting,
                                     const hsgd_hunt_case *c, size_t steps, hsgd_error *err)
{
    hsgd_exact exact;
    divergences d;
    hsgd_status status = divergences_init(&d, setting, err);
    if (status)
        return status;
    status = hsgd_exact_moments(&exact, &c->quadratic, setting->tree, c->initial, c->step_size, steps, err);
    if (!status) {
        status = find_scalars(out, setting, c, exact.loss[0], err);
        if (!status)
            status = find_divergences(&d, setting, setting->tree, &c->quadratic, &exact, err);
        memcpy(out->level_divergence_sq, d.level_sq, sizeof d.level_sq);
        hsgd_exact_free(&exact);
    }
    divergences_free(&d);
    return status;
}

/* ---- a bound on S, S_round or S_min ---- */

/* Everything about a problem that a comparison needs; what the bounds see is weakened. */
typedef struct known {
    const hsgd_hunt_setting *setting;
    const hsgd_hunt_case *problem;
    hsgd_hunt_constants constants;
    divergences divergence;
    hsgd_exact exact; /* of the run that the bound is about */
} known;

static void weaken_by(known *k, const hsgd_hunt_spec *weaken)
{
    for (size_t u = 0; u < k->setting->bound_tree->num_nodes; u++) {
        k->divergence.entry_sq[u] *= weaken->weaken_divergence;
        k->divergence.entry_max_sq[u] *= weaken->weaken_divergence;
    }
    k->divergence.worker_max_sq *= weaken->weaken_divergence;
    k->divergence.global_sq *= weaken->weaken_divergence;
    k->constants.delta *= weaken->weaken_initial_gap;
    k->constants.noise_sq *= weaken->weaken_noise;
}

static hsgd_status make_params(hsgd_bound_params *out, const known *k, hsgd_error *err)
{
    const divergences *d = &k->divergence;
    hsgd_status status =
        hsgd_bound_params_init(out, k->setting->bound_tree, d->entry_sq, d->has_maxima ? d->entry_max_sq : NULL, err);
    if (status)
        return status;
    if (!isnan(d->global_sq))
        out->global_divergence_sq = d->global_sq;
    out->worker_deviation_max_sq = d->worker_max_sq;
    out->step_size = k->constants.step_size;
    out->steps = k->setting->steps;
    out->smoothness = k->constants.smoothness;
    out->noise_sq = k->constants.noise_sq;
    out->delta = k->constants.delta;
    return HSGD_OK;
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

/* The largest |h_ji| and |b_ji| of the workers in one coordinate. */
static void find_largest_terms(double *curvature, double *linear, const hsgd_quadratic *q, size_t i)
{
    *curvature = *linear = 0;
    for (size_t j = 0; j < q->num_workers; j++) {
        *curvature = fmax(*curvature, fabs(hsgd_quadratic_curvature(q, j)[i]));
        *linear = fmax(*linear, fabs(q->linear[j * q->stride + i]));
    }
}

/* Relative errors: of Delta, a difference of sums of terms that may be much larger; and of the gradients, likewise. */
static double rounding_of_bound(const known *k, double bound, double measured)
{
    double terms = fabs(k->constants.minimum), gradient_sq = 0;
    const hsgd_quadratic *q = &k->problem->quadratic;
    for (size_t i = 0; i < q->dim; i++) {
        double h, b, x = fabs(k->problem->initial[i]);
        find_largest_terms(&h, &b, q, i);
        terms += h * x * x + b * x;
        gradient_sq += (h * x + b) * (h * x + b);
    }
    double step = ROUNDING_OF_A_STEP * DBL_EPSILON, gamma = k->constants.step_size;
    return HSGD_VERDICT_ROUNDING + step * terms / (gamma * (double)k->setting->steps) / bound +
           2 * step * sqrt(gradient_sq / measured);
}

static bool is_number(double value)
{
    return isfinite(value) && value >= 0;
}

/* Divergences along a run that overflows are no constants. */
static bool constants_are_finite(const known *k)
{
    bool finite = is_number(k->constants.smoothness) && is_number(k->constants.noise_sq);
    for (size_t u = 0; u < k->setting->bound_tree->num_nodes; u++)
        finite = finite && is_number(k->divergence.entry_sq[u]);
    return finite && !isinf(k->divergence.global_sq);
}

static hsgd_status measure_bound(hsgd_hunted *out, const known *k, const hsgd_bound *bound, hsgd_error *err)
{
    hsgd_bound_params params;
    hsgd_bound_value value;
    size_t period = k->setting->period[run_of(bound->algorithm)];
    bool has_rounds = bound->target == HSGD_TARGET_S || k->exact.steps >= period;
    hsgd_status status = make_params(&params, k, err);
    if (status)
        return status;
    hsgd_bound_eval(bound, &params, &value);
    hsgd_bound_params_free(&params);
    out->bound = value.value;
    out->measured = has_rounds ? target_of(&k->exact, bound->target, period) : NAN;
    snprintf(out->reason, sizeof out->reason, "%s", value.reason);
    if (!value.applicable || !isfinite(value.value))
        return HSGD_OK;
    out->rounding = rounding_of_bound(k, out->bound, out->measured);
    if (out->bound > 0 && is_number(out->measured) && out->rounding < MOST_ROUNDING)
        out->ratio = out->measured / out->bound;
    else
        snprintf(out->reason, sizeof out->reason, "measured value and bound are 0, or lost in rounding");
    return HSGD_OK;
}

/* ---- the bound on the dispersion ---- */

/* How large the numbers are that models are made of. */
typedef struct sizes {
    double start, slope; /* of w^0, and of the b_j */
    double growth;       /* of a model in a local step: |1 - gamma h_ji| or 1 */
    double minimum;      /* of w* */
    double flattest;     /* smallest curvature of f */
    double step_size;
    size_t period; /* of the root */
} sizes;

static sizes find_sizes(const known *k)
{
    const hsgd_quadratic *q = &k->problem->quadratic;
    const hsgd_hierarchy *h = k->setting->tree;
    sizes out = {.growth = 1,
                 .flattest = INFINITY,
                 .step_size = k->problem->step_size,
                 .period = hsgd_hierarchy_global_period(h)};
    for (size_t i = 0; i < q->dim; i++) {
        double curvature = 0, linear = 0;
        out.start = fmax(out.start, fabs(k->problem->initial[i]));
        for (size_t j = 0; j < q->num_workers; j++) {
            double h_ji = hsgd_quadratic_curvature(q, j)[i], b_ji = q->linear[j * q->stride + i];
            out.growth = fmax(out.growth, fabs(1 - out.step_size * h_ji));
            out.slope = fmax(out.slope, fabs(b_ji));
            curvature += worker_weight(h, j) * h_ji;
            linear += worker_weight(h, j) * b_ji;
        }
        out.flattest = fmin(out.flattest, curvature);
        out.minimum = fmax(out.minimum, fabs(linear / curvature));
    }
    return out;
}

/* Of all models at step t: as far as they may have grown since the root averaged, which left them at wbar. There
 * |wbar_i - w*_i| <= ||grad f(wbar)||/hbar_i; infinite where some hbar_i is not positive. */
static double size_at(const sizes *x, const hsgd_exact *exact, size_t t)
{
    size_t s = t % x->period, averaged = t - s;
    double base = x->start;
    if (averaged > 0)
        base = x->flattest > 0 ? x->minimum + sqrt(exact->grad_norm_sq[averaged]) / x->flattest : INFINITY;
    return (base + x->step_size * (double)s * x->slope) * pow(x->growth, (double)s);
}

static void compare_cell(hsgd_hunted *out, double measured, double bound, double rounding, size_t t, size_t k)
{
    const hsgd_hunted here = {measured / bound, measured, bound, rounding, t, k + 1, ""};
    if (bound > 0 && isfinite(bound) && isfinite(measured) && rounding < MOST_ROUNDING &&
        hsgd_hunted_score(&here) > hsgd_hunted_score(out))
        *out = here;
}

static double rounding_of_dispersion(double size, double bound)
{
    return HSGD_VERDICT_ROUNDING + 2 * ROUNDING_OF_A_STEP * DBL_EPSILON * size / sqrt(bound);
}

/* B_k^t against b_k(t)^2 where that is worst; or the sums over all steps and levels. */
static void compare_dispersion(hsgd_hunted *out, const known *k, const double *bound, bool mean)
{
    const hsgd_exact *exact = &k->exact;
    const sizes x = find_sizes(k);
    double measured_sum = 0, bound_sum = 0, largest = 0;
    for (size_t t = 0; t < exact->steps; t++) {
        double size = size_at(&x, exact, t);
        largest = fmax(largest, size);
        for (size_t level = 0; level < exact->num_levels; level++) {
            size_t cell = t * exact->num_levels + level;
            measured_sum += exact->dispersion[cell];
            bound_sum += bound[cell];
            if (!mean && t > 0)
                compare_cell(out, exact->dispersion[cell], bound[cell], rounding_of_dispersion(size, bound[cell]), t,
                             level);
        }
    }
    double steps = (double)exact->steps;
    if (mean)
        compare_cell(out, measured_sum / steps, bound_sum / steps, rounding_of_dispersion(largest, bound_sum / steps),
                     0, 0);
    out->level = mean ? 0 : out->level;
    if (out->ratio == 0)
        snprintf(out->reason, sizeof out->reason, "nothing disperses, or it is lost in rounding");
}

static hsgd_status measure_dispersion(hsgd_hunted *out, const known *k, bool mean, hsgd_error *err)
{
    size_t steps = k->exact.steps, levels = k->exact.num_levels;
    double *bound = calloc(steps * levels, sizeof *bound);
    hsgd_status status =
        bound ? hsgd_dispersion_bound(bound, k->setting->bound_tree, k->divergence.entry_sq, k->constants.step_size,
                                      k->constants.smoothness, k->constants.noise_sq, steps, err)
              : hsgd_fail_memory(err, "the dispersion bound");
    if (!status)
        compare_dispersion(out, k, bound, mean);
    free(bound);
    return status;
}

/* ---- any quarry ---- */

static hsgd_status compare(hsgd_hunted *out, known *k, const hsgd_hierarchy *tree, const hsgd_quarry *quarry,
                           const hsgd_hunt_spec *weaken, hsgd_error *err)
{
    const hsgd_quadratic *q = &k->problem->quadratic;
    hsgd_status status = find_scalars(&k->constants, k->setting, k->problem, k->exact.loss[0], err);
    if (!status)
        status = find_divergences(&k->divergence, k->setting, tree, q, &k->exact, err);
    if (status)
        return status;
    if (weaken)
        weaken_by(k, weaken);
    if (!constants_are_finite(k)) {
        snprintf(out->reason, sizeof out->reason, "the run leaves the range of floating-point numbers");
        return HSGD_OK;
    }
    return quarry->bound ? measure_bound(out, k, quarry->bound, err) : measure_dispersion(out, k, quarry->mean, err);
}

hsgd_status hsgd_hunt_measure(hsgd_hunted *out, const hsgd_hunt_setting *setting, const hsgd_hunt_case *c,
                              const hsgd_quarry *quarry, const hsgd_hunt_spec *weaken, hsgd_error *err)
{
    known k = {.setting = setting, .problem = c};
    size_t run = quarry->bound ? run_of(quarry->bound->algorithm) : 0;
    const hsgd_hierarchy *tree = run ? &setting->local[run - 1] : setting->tree;
    *out = (hsgd_hunted){.measured = NAN, .bound = NAN};
    hsgd_status status = divergences_init(&k.divergence, setting, err);
    if (status)
        return status;
    status = hsgd_exact_moments(&k.exact, &c->quadratic, tree, c->initial, c->step_size,
                                hsgd_hunt_steps(setting, quarry, &c->quadratic), err);
    if (!status) {
        status = compare(out, &k, tree, quarry, weaken, err);
        hsgd_exact_free(&k.exact);
    }
    divergences_free(&k.divergence);
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
