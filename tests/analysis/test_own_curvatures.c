/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Quadratics whose workers have Hessians of their own. Gradients against finite differences, prescribed spreads and
 * divergences by brute force over the tree, L, mu and f* by hand. Exact moments against hand calculation, against the
 * expectation over every sequence of signs as noise, against THEORY 7 where the Hessians are equal, and against the
 * simulator (test_exact_moments.c: against the plain covariance matrix). */
#include "tests/analysis/trees.h"

#include <gsl/gsl_deriv.h>
#include <gsl/gsl_errno.h>

#include "analysis/ensemble.h"
#include "analysis/exact_moments.h"
#include "analysis/quadratic.h"

static hsgd_error err;

enum { DIM = 3, WORKERS = 4 };
static const double curvature[WORKERS * DIM] = {2.385, 0.71, -0.4, 0.6, 1.9, 1.3, -0.55, 0.2, 3.1, 1.45, 0.05, 0.8};
static const double linear[WORKERS * DIM] = {0.4, -1.1, 0.9, 0.23, 1.7, 0.2, -0.35, 1.19, -2.6, 0.8, 0.05, -0.77};

static hsgd_quadratic small(double noise_sq)
{
    hsgd_quadratic q;
    assert_ok(hsgd_quadratic_init_own(&q, curvature, linear, DIM, WORKERS, noise_sq, &err), err);
    return q;
}

static double weight_of(const hsgd_hierarchy *h, size_t j)
{
    return h->worker_weight ? h->worker_weight[j] : 1.0 / (double)h->num_workers;
}

/* ---- the objective ---- */

typedef struct along {
    const hsgd_objective *f;
    size_t worker, coordinate;
    double point[DIM];
} along;

static double loss_along(double x, void *context)
{
    along a = *(along *)context;
    double loss, grad[DIM], scratch[HSGD_ROWS_AT_ONCE * DIM];
    a.point[a.coordinate] = x;
    a.f->type->full(a.f, a.point, &a.worker, 1, &loss, grad, scratch);
    return loss;
}

/* Values from the definition, gradients from finite differences of them. */
static void gradients_are_derivatives(void **state)
{
    (void)state;
    hsgd_quadratic q = small(0.7);
    hsgd_objective f;
    assert_ok(hsgd_quadratic_objective(&f, &q, NULL, &err), err);
    for (size_t trial = 0; trial < 20; trial++) {
        along a = {.f = &f, .worker = trial % WORKERS};
        double loss, grad[DIM], scratch[HSGD_ROWS_AT_ONCE * DIM], derivative, error, value = 0;
        hsgd_normals(&(hsgd_stream){3, HSGD_PURPOSE_USER, 0, trial}, 1.9, a.point, DIM);
        f.type->full(&f, a.point, &a.worker, 1, &loss, grad, scratch);
        for (a.coordinate = 0; a.coordinate < DIM; a.coordinate++) {
            double w = a.point[a.coordinate];
            gsl_function g = {loss_along, &a};
            assert_int_equal(gsl_deriv_central(&g, w, 1e-2, &derivative, &error), 0);
            assert_near(grad[a.coordinate], derivative, 1e-9);
            value += curvature[a.worker * DIM + a.coordinate] * w * w / 2 - linear[a.worker * DIM + a.coordinate] * w;
        }
        assert_near(loss, value, 1e-14);
    }
    hsgd_objective_free(&f);
    hsgd_quadratic_free(&q);
}

/* L = max |h_ji| = 3.1, mu = min h_ji = -0.55. With weights p the minimiser is bbar/hbar, coordinate by coordinate. */
static void constants_by_hand(void **state)
{
    (void)state;
    const double weight[WORKERS] = {0.1, 0.4, 0.2, 0.3};
    hsgd_quadratic q = small(0.7);
    hsgd_objective f;
    hsgd_constants c;
    double minimum = 0, point[DIM], loss[WORKERS], grad[WORKERS * DIM], scratch[HSGD_ROWS_AT_ONCE * DIM];
    assert_ok(hsgd_quadratic_objective(&f, &q, weight, &err), err);
    assert_ok(f.type->constants(&f, 0, &c, &err), err);
    assert_true(c.smoothness.value == 3.1 && c.convexity == -0.55 && c.noise_sq.value == 0.7);
    /* means in the third coordinate, the largest: -0.04 + 0.52 + 0.62 + 0.24, and 4.8/4 */
    assert_close(hsgd_quadratic_mean_smoothness(&q, weight), 1.34, 1e-14);
    assert_close(hsgd_quadratic_mean_smoothness(&q, NULL), 1.2, 1e-14);
    assert_true(c.smoothness.kind == HSGD_EXACT && c.noise_sq.kind == HSGD_EXACT && c.minimum.kind == HSGD_EXACT);
    for (size_t i = 0; i < DIM; i++) {
        double h = 0, b = 0;
        for (size_t j = 0; j < WORKERS; j++) {
            h += weight[j] * curvature[j * DIM + i];
            b += weight[j] * linear[j * DIM + i];
        }
        point[i] = b / h;
    }
    f.type->full(&f, point, (size_t[]){0, 1, 2, 3}, WORKERS, loss, grad, scratch);
    for (size_t j = 0; j < WORKERS; j++)
        minimum += weight[j] * loss[j];
    assert_close(c.minimum.value, minimum, 1e-13);
    hsgd_objective_free(&f);
    hsgd_quadratic_free(&q);
}

/* Curvatures that cancel leave f linear, without a minimum, whatever the rounding of their mean. */
static void cancelling_curvatures_have_no_minimum(void **state)
{
    (void)state;
    const double cancel[] = {0.1, 0.2, -0.3}, nothing[] = {0, 0, 0}, slope[] = {1, 0, 0};
    for (int sloped = 0; sloped < 2; sloped++) {
        hsgd_quadratic q;
        hsgd_objective f;
        hsgd_constants c;
        double mean;
        assert_ok(hsgd_quadratic_init_own(&q, cancel, sloped ? slope : nothing, 1, 3, 0, &err), err);
        hsgd_quadratic_mean_curvature(&q, NULL, &mean);
        assert_true(mean == 0);
        assert_ok(hsgd_quadratic_objective(&f, &q, NULL, &err), err);
        assert_ok(f.type->constants(&f, 0, &c, &err), err);
        assert_true(c.minimum.value == (sloped ? -INFINITY : 0));
        hsgd_objective_free(&f);
        hsgd_quadratic_free(&q);
    }
}

static void permuted_workers_keep_both_terms(void **state)
{
    (void)state;
    const size_t place[WORKERS] = {2, 0, 3, 1};
    hsgd_quadratic q = small(0);
    assert_ok(hsgd_quadratic_permute(&q, place, &err), err);
    for (size_t j = 0; j < WORKERS; j++) {
        assert_memory_equal(q.linear + j * DIM, linear + place[j] * DIM, DIM * sizeof *linear);
        assert_memory_equal(hsgd_quadratic_curvature(&q, j), curvature + place[j] * DIM, DIM * sizeof *curvature);
    }
    hsgd_quadratic_free(&q);
}

static void bad_numbers_are_refused(void **state)
{
    (void)state;
    hsgd_quadratic q;
    double bad[WORKERS * DIM];
    memcpy(bad, curvature, sizeof bad);
    bad[7] = NAN;
    assert_fails(hsgd_quadratic_init_own(&q, bad, linear, DIM, WORKERS, 0, &err), HSGD_ERROR_INPUT,
                 "curvature: entry 7", err);
    hsgd_hierarchy chain = uniform((size_t[]){1, 3}, (size_t[]){6, 2}, 2),
                   one = uniform((size_t[]){1}, (size_t[]){2}, 1);
    const double level[] = {0, 0}, spread[] = {0.5, 0.1}, negative[] = {0, -0.1};
    hsgd_quadratic_spec spec = {3, 0.1, 1.2, level, 0.3, 9};
    assert_fails(hsgd_quadratic_generate_spread(&q, &chain, &spec, &(hsgd_curvature_spread){0, spread}, &err),
                 HSGD_ERROR_INPUT, "level_curvature_spread[0]: 0.5 cannot be reached", err);
    assert_fails(hsgd_quadratic_generate_spread(&q, &chain, &spec, &(hsgd_curvature_spread){0, negative}, &err),
                 HSGD_ERROR_INPUT, "level_curvature_spread[1]: -0.1", err);
    assert_fails(hsgd_quadratic_generate_spread(&q, &chain, &spec, &(hsgd_curvature_spread){NAN, NULL}, &err),
                 HSGD_ERROR_INPUT, "curvature_spread: nan", err);
    assert_fails(hsgd_quadratic_generate_spread(&q, &one, &spec, &(hsgd_curvature_spread){0.2, NULL}, &err),
                 HSGD_ERROR_INPUT, "curvature_spread: 0.2 cannot be reached", err);
    const double far[] = {1e6, 0};
    hsgd_quadratic_spec large = {3, 1e304, 1e304, level, 0.3, 9};
    hsgd_hierarchy pair = uniform((size_t[]){2, 2}, (size_t[]){6, 2}, 2);
    assert_fails(hsgd_quadratic_generate_spread(&q, &pair, &large, &(hsgd_curvature_spread){0, far}, &err),
                 HSGD_ERROR_INPUT, "curvature_range: curvatures of 1e+304", err);
    hsgd_hierarchy_free(&pair);
    hsgd_hierarchy_free(&chain);
    hsgd_hierarchy_free(&one);
}

/* ---- generated problems ---- */

/* Weighted mean over workers [first, first + count) of what follows every `stride` numbers. */
static double mean_over(const hsgd_hierarchy *h, const double *value, size_t stride, size_t first, size_t count)
{
    double sum = 0, weight = 0;
    for (size_t j = first; j < first + count; j++) {
        sum += weight_of(h, j) * value[j * stride];
        weight += weight_of(h, j);
    }
    return sum / weight;
}

static double weight_over(const hsgd_hierarchy *h, size_t first, size_t count)
{
    double weight = 0;
    for (size_t j = first; j < first + count; j++)
        weight += weight_of(h, j);
    return weight;
}

/* sum_v (p_v/p_u) (x_v - x_u)^2 over the children of u. */
static double node_variance(const hsgd_hierarchy *h, const double *value, size_t stride, size_t u)
{
    const hsgd_node *n = &h->node[u];
    double centre = mean_over(h, value, stride, n->first_worker, n->num_workers), sum = 0;
    for (size_t v = u + 1; v < h->num_nodes; v++)
        if (h->node[v].parent == u) {
            const hsgd_node *c = &h->node[v];
            double deviation = mean_over(h, value, stride, c->first_worker, c->num_workers) - centre;
            sum += weight_over(h, c->first_worker, c->num_workers) * deviation * deviation;
        }
    if (n->end == u + 1)
        for (size_t j = n->first_worker; j < n->first_worker + n->num_workers; j++)
            sum += weight_of(h, j) * (value[j * stride] - centre) * (value[j * stride] - centre);
    return sum / weight_over(h, n->first_worker, n->num_workers);
}

/* level[k] += sum over the nodes of depth k of p_u times the variance between its children. */
static void add_variances(const hsgd_hierarchy *h, const double *value, size_t stride, double *level)
{
    for (size_t u = 0; u < h->num_nodes; u++)
        level[h->node[u].depth] +=
            weight_over(h, h->node[u].first_worker, h->node[u].num_workers) * node_variance(h, value, stride, u);
}

/* Every coordinate of the Hessians has its spread at every level, their mean is the common Hessian, and the divergences
 * are hit at the minimiser of f, which is that of the problem with one Hessian. */
static void check_generated(const hsgd_hierarchy *h, const double *spread)
{
    enum { D = 5 };
    const double level_sq[] = {1.83, 0.41, 2.7};
    hsgd_quadratic_spec spec = {D, 0.07, 1.3, level_sq, 0.4, 11};
    hsgd_quadratic q, common;
    double minimiser[D], mean_curvature[D], mean_linear[D], divergence[3] = {0}, gradient[32];
    assert_ok(hsgd_quadratic_generate(&common, h, &spec, &err), err);
    assert_ok(hsgd_quadratic_generate_spread(&q, h, &spec, &(hsgd_curvature_spread){0, spread}, &err), err);
    assert_true(!q.curvature && q.worker_curvature);
    hsgd_quadratic_mean_curvature(&q, h->worker_weight, mean_curvature);
    hsgd_quadratic_mean_linear(&common, h->worker_weight, mean_linear);
    for (size_t i = 0; i < D; i++) {
        double found[3] = {0};
        assert_close(mean_curvature[i], common.curvature[i], 1e-13);
        add_variances(h, q.worker_curvature + i, q.stride, found);
        for (size_t k = 0; k < h->num_levels; k++)
            assert_near(sqrt(found[k]) / common.curvature[i], spread[k], 1e-12);
        minimiser[i] = mean_linear[i] / common.curvature[i];
        for (size_t j = 0; j < h->num_workers; j++)
            gradient[j] = q.worker_curvature[j * q.stride + i] * minimiser[i] - q.linear[j * q.stride + i];
        assert_near(mean_over(h, gradient, 1, 0, h->num_workers), 0, 1e-13);
        add_variances(h, gradient, 1, divergence);
    }
    for (size_t k = 0; k < h->num_levels; k++)
        assert_close(divergence[k], level_sq[k], 1e-12);
    hsgd_quadratic_free(&q);
    hsgd_quadratic_free(&common);
}

static void spreads_and_divergences_are_hit(void **state)
{
    (void)state;
    hsgd_hierarchy tree[] = {uniform((size_t[]){7}, (size_t[]){3}, 1), uniform((size_t[]){3, 4}, (size_t[]){6, 2}, 2),
                             uniform((size_t[]){2, 3, 2}, (size_t[]){8, 4, 2}, 3), more_crooked(), more_crooked()};
    const double weight[] = {1, 2, 0.5, 3, 1, 1.5, 2, 0.7, 0.9, 1.1, 0.3, 4};
    assert_ok(hsgd_hierarchy_set_weights(&tree[4], weight, &err), err);
    for (size_t i = 0; i < sizeof tree / sizeof *tree; i++) {
        check_generated(&tree[i], (double[]){0.35, 0.62, 0.17});
        check_generated(&tree[i], (double[]){i ? 0 : 1.4, 0.62, 0});
        hsgd_hierarchy_free(&tree[i]);
    }
}

/* curvature_spread does not look at the groups: the same Hessians whatever the tree; none at all is one Hessian. */
static void spread_over_workers_does_not_know_groups(void **state)
{
    (void)state;
    const double level_sq[] = {0, 0}, none[] = {0, 0};
    hsgd_quadratic_spec spec = {4, 0.07, 1.3, level_sq, 0.4, 11};
    hsgd_hierarchy a = uniform((size_t[]){3, 4}, (size_t[]){6, 2}, 2), b = uniform((size_t[]){12}, (size_t[]){6}, 1);
    hsgd_quadratic q, other;
    assert_ok(hsgd_quadratic_generate_spread(&q, &a, &spec, &(hsgd_curvature_spread){0.8, none}, &err), err);
    assert_ok(hsgd_quadratic_generate_spread(&other, &b, &spec, &(hsgd_curvature_spread){0.8, NULL}, &err), err);
    assert_memory_equal(q.worker_curvature, other.worker_curvature, 12 * q.stride * sizeof(double));
    for (size_t i = 0; i < 4; i++) {
        double variance = 0, mean = mean_over(&b, q.worker_curvature + i, q.stride, 0, 12);
        add_variances(&b, q.worker_curvature + i, q.stride, &variance);
        assert_close(sqrt(variance) / mean, 0.8, 1e-12);
    }
    hsgd_quadratic_free(&q);
    hsgd_quadratic_free(&other);
    assert_ok(hsgd_quadratic_generate_spread(&q, &a, &spec, &(hsgd_curvature_spread){0, none}, &err), err);
    assert_true(q.curvature && !q.worker_curvature);
    hsgd_quadratic_free(&q);
    hsgd_hierarchy_free(&a);
    hsgd_hierarchy_free(&b);
}

/* ---- exact moments ---- */

static hsgd_exact exact_of(const hsgd_hierarchy *h, const hsgd_quadratic *q, const double *initial, double step_size,
                           size_t steps)
{
    hsgd_exact e;
    assert_ok(hsgd_exact_moments(&e, q, h, initial, step_size, steps, &err), err);
    return e;
}

/* Two workers, one dimension, h = 1 and 1/2, b = 3 and 1, gamma = 1/2, noise variance 4, w^0 = 2, period 2. Then
 * a = 1/2 and 3/4, hbar = 3/4, bbar = 2, and a step adds gamma^2 sigma^2 = 1 to the variance of each worker.
 *   t = 0: w = 2, 2. gradient 3/4 * 2 - 2 = -1/2, squared 1/4. f = 3/8 * 4 - 4 = -5/2.
 *   t = 1: w = 1 + 3/2 = 5/2 and 3/2 + 1/2 = 2, variances 1, 1: average 9/4, variance 1/2. gradient -5/16: 25/256 +
 * 9/16 * 1/2 = 97/256. f = 3/8 (81/16 + 1/2) - 9/2 = -309/128. dispersion 1/16 + 1/2 = 9/16.
 *   t = 2: averaged. w = 5/4 + 3/2 = 11/4 and 3/2 + 1/2 = 2, variances 1/4 + 1 and 9/16 + 1: average 19/8, variance
 * (5/4 + 25/16)/4 = 45/64. gradient -7/32: 49/1024 + 9/16 * 45/64 = 454/1024. f = 3/8 (361/64 + 45/64) - 19/4 = -607/256.
 *   t = 3: w = 19/16 + 3/2 = 43/16 and 57/32 + 1/2 = 73/32, average 159/64; the common noise of variance 45/64 is
 * halved in one and multiplied by 3/4 in the other: 25/64 * 45/64 + 1/2 = 3173/4096. f = 3/8 (25281 + 3173)/4096 -
 * 159/32 = -77454/32768. */
static void three_steps_by_hand(void **state)
{
    (void)state;
    hsgd_quadratic q;
    hsgd_hierarchy h = uniform((size_t[]){2}, (size_t[]){2}, 1);
    assert_ok(hsgd_quadratic_init_own(&q, (double[]){1, 0.5}, (double[]){3, 1}, 1, 2, 4, &err), err);
    hsgd_exact e = exact_of(&h, &q, (double[]){2}, 0.5, 3);
    assert_close(e.grad_norm_sq[0], 0.25, 1e-15);
    assert_close(e.grad_norm_sq[1], 97.0 / 256, 1e-15);
    assert_close(e.grad_norm_sq[2], 454.0 / 1024, 1e-15);
    assert_close(e.loss[0], -2.5, 1e-15);
    assert_close(e.loss[1], -309.0 / 128, 1e-15);
    assert_close(e.loss[2], -607.0 / 256, 1e-15);
    assert_close(e.final_loss, -77454.0 / 32768, 1e-15);
    assert_near(e.dispersion[0], 0, 0);
    assert_close(e.dispersion[1], 9.0 / 16, 1e-15);
    assert_near(e.dispersion[2], 0, 0);
    hsgd_exact_free(&e);
    hsgd_quadratic_free(&q);
    hsgd_hierarchy_free(&h);
}

/* H-SGD on one coordinate with noise +-deviation: every sequence of signs is followed, and its numbers are added with
 * their probability. */
enum { MAX_WORKERS = 4, MAX_STEPS = 6, MAX_NODES = 3 };

typedef struct enumeration {
    const hsgd_hierarchy *h;
    const double *curvature, *linear;
    double step_size, deviation;
    size_t steps;
    double grad_norm_sq[MAX_STEPS + 1], loss[MAX_STEPS + 1], dispersion[MAX_STEPS + 1][HSGD_MAX_LEVELS];
    double divergence[MAX_STEPS + 1][MAX_NODES], at_root[MAX_STEPS + 1][MAX_NODES], global[MAX_STEPS + 1];
} enumeration;

static void average_due(const hsgd_hierarchy *h, double *w, size_t updates)
{
    for (size_t u = h->num_nodes; u-- > 0;) {
        const hsgd_node *n = &h->node[u];
        double mean = mean_over(h, w, 1, n->first_worker, n->num_workers);
        for (size_t j = n->first_worker; j < n->first_worker + n->num_workers && updates % n->period == 0; j++)
            w[j] = mean;
    }
}

/* Divergences of all nodes at their own average and at that of the root. */
static void add_divergences(enumeration *e, size_t t, const double *w, double probability)
{
    double own[MAX_WORKERS], root[MAX_WORKERS], all = mean_over(e->h, w, 1, 0, e->h->num_workers), level[8] = {0};
    for (size_t u = 0; u < e->h->num_nodes; u++) {
        double mean = mean_over(e->h, w, 1, e->h->node[u].first_worker, e->h->node[u].num_workers);
        for (size_t j = 0; j < e->h->num_workers; j++) {
            own[j] = e->curvature[j] * mean - e->linear[j];
            root[j] = e->curvature[j] * all - e->linear[j];
        }
        e->divergence[t][u] += probability * node_variance(e->h, own, 1, u);
        e->at_root[t][u] += probability * node_variance(e->h, root, 1, u);
    }
    add_variances(e->h, root, 1, level);
    for (size_t k = 0; k < e->h->num_levels; k++)
        e->global[t] += probability * level[k];
}

static void follow(enumeration *e, size_t t, const double *w, double probability)
{
    size_t n = e->h->num_workers;
    double level[HSGD_MAX_LEVELS] = {0}, mean = mean_over(e->h, w, 1, 0, n), h = mean_over(e->h, e->curvature, 1, 0, n);
    double b = mean_over(e->h, e->linear, 1, 0, n);
    e->grad_norm_sq[t] += probability * (h * mean - b) * (h * mean - b);
    e->loss[t] += probability * (h * mean * mean / 2 - b * mean);
    add_variances(e->h, w, 1, level);
    for (size_t k = 0; k < e->h->num_levels; k++)
        e->dispersion[t][k] += probability * level[k];
    add_divergences(e, t, w, probability);
    for (size_t signs = 0; t < e->steps && signs < (size_t)1 << n; signs++) {
        double next[MAX_WORKERS];
        for (size_t j = 0; j < n; j++) {
            double noise = signs >> j & 1 ? e->deviation : -e->deviation;
            next[j] = w[j] - e->step_size * (e->curvature[j] * w[j] - e->linear[j] + noise);
        }
        average_due(e->h, next, t + 1);
        follow(e, t + 1, next, probability / (double)((size_t)1 << n));
    }
}

static void compare_with_enumeration(const hsgd_hierarchy *h, size_t steps)
{
    const double curve[] = {1.7, -0.4, 0.9, 2.6}, slope[] = {0.8, -1.1, 2.3, 0.4}, initial[] = {1.9, 1.9, 1.9, 1.9};
    const double step_size = 0.33, noise_sq = 1.21;
    enumeration all = {h, curve, slope, step_size, sqrt(noise_sq), steps, {0}, {0}, {{0}}, {{0}}, {{0}}, {0}};
    hsgd_quadratic q;
    assert_ok(hsgd_quadratic_init_own(&q, curve, slope, 1, h->num_workers, noise_sq, &err), err);
    hsgd_exact e = exact_of(h, &q, initial, step_size, steps);
    follow(&all, 0, initial, 1);
    for (size_t t = 0; t < steps; t++) {
        assert_close(e.grad_norm_sq[t], all.grad_norm_sq[t], 1e-11);
        assert_close(e.loss[t], all.loss[t], 1e-11);
        for (size_t k = 0; k < h->num_levels; k++)
            assert_near(e.dispersion[t * h->num_levels + k], all.dispersion[t][k], 1e-12);
        assert_close(e.global_divergence[t], all.global[t], 1e-11);
        for (size_t u = 0; u < h->num_nodes; u++) {
            bool merged = u > 0 && h->node[u].period == h->node[0].period;
            assert_near(e.node_divergence[t * h->num_nodes + u],
                        fmax(all.divergence[t][u], merged ? all.at_root[t][u] : 0), 1e-11);
        }
    }
    assert_close(e.final_loss, all.loss[steps], 1e-11);
    hsgd_exact_free(&e);
    hsgd_quadratic_free(&q);
}

static void agrees_with_all_signs(void **state)
{
    (void)state;
    hsgd_hierarchy uneven, pair = uniform((size_t[]){2, 2}, (size_t[]){2, 1}, 2);
    hsgd_hierarchy merged = uniform((size_t[]){2, 2}, (size_t[]){3, 3}, 2); /* local SGD */
    const hsgd_node_spec spec[] = {{HSGD_NO_NODE, 4, 0}, {0, 2, 2}, {0, 4, 1}};
    const double weight[] = {1, 2.5, 0.7, 1.3};
    assert_ok(hsgd_hierarchy_tree(&uneven, spec, 3, &err), err);
    for (int weighted = 0; weighted < 2; weighted++) {
        compare_with_enumeration(&uneven, 5); /* 2^15 sequences, the root averages in between */
        compare_with_enumeration(&pair, 4);
        compare_with_enumeration(&merged, 4);
        assert_ok(hsgd_hierarchy_set_weights(&uneven, weight, &err), err);
        assert_ok(hsgd_hierarchy_set_weights(&pair, weight, &err), err);
        assert_ok(hsgd_hierarchy_set_weights(&merged, weight, &err), err);
    }
    hsgd_hierarchy_free(&uneven);
    hsgd_hierarchy_free(&pair);
    hsgd_hierarchy_free(&merged);
}

/* Rows that are all the same: the two ways of computing, and the two types of objective, agree. */
static void equal_hessians_are_one_hessian(void **state)
{
    (void)state;
    enum { STEPS = 40, N = 12 };
    const double level_sq[] = {0.8, 0.3, 0.6}, weight[] = {1, 2, 0.5, 3, 1, 1.5, 2, 0.7, 0.9, 1.1, 0.3, 4};
    const double initial[DIM] = {1.2, -0.7, 0.4};
    hsgd_hierarchy h = more_crooked();
    assert_ok(hsgd_hierarchy_set_weights(&h, weight, &err), err);
    hsgd_quadratic one, own;
    double rows[N * DIM], terms[N * DIM];
    hsgd_quadratic_spec spec = {DIM, 0.2, 1.7, level_sq, 1.9, 5};
    assert_ok(hsgd_quadratic_generate(&one, &h, &spec, &err), err);
    for (size_t j = 0; j < N; j++) {
        memcpy(rows + j * DIM, one.curvature, DIM * sizeof *rows);
        memcpy(terms + j * DIM, one.linear + j * one.stride, DIM * sizeof *terms);
    }
    assert_ok(hsgd_quadratic_init_own(&own, rows, terms, DIM, N, 1.9, &err), err);
    hsgd_exact a = exact_of(&h, &one, initial, 0.3, STEPS), b = exact_of(&h, &own, initial, 0.3, STEPS);
    for (size_t t = 0; t < STEPS; t++) {
        assert_close(b.grad_norm_sq[t], a.grad_norm_sq[t], 1e-12);
        assert_close(b.loss[t], a.loss[t], 1e-12);
        for (size_t k = 0; k < h.num_levels; k++)
            assert_near(b.dispersion[t * h.num_levels + k], a.dispersion[t * h.num_levels + k], 1e-13);
    }
    assert_close(b.S, a.S, 1e-12);
    hsgd_exact_free(&a);
    hsgd_exact_free(&b);
    hsgd_trace trace[2];
    for (int i = 0; i < 2; i++) {
        hsgd_objective f;
        assert_ok(hsgd_quadratic_objective(&f, i ? &own : &one, h.worker_weight, &err), err);
        hsgd_simulation s = {.objective = &f,
                             .hierarchy = &h,
                             .initial = initial,
                             .step_size = 0.3,
                             .steps = STEPS,
                             .measure_every = 1,
                             .measure_proof = true,
                             .seed = 3,
                             .threads = 2};
        assert_ok(hsgd_simulate(&trace[i], &s, &err), err);
        hsgd_objective_free(&f);
    }
    for (size_t t = 0; t < STEPS; t++) {
        assert_close(trace[1].grad_norm_sq[t], trace[0].grad_norm_sq[t], 1e-12);
        for (size_t k = 0; k < h.num_levels; k++)
            assert_near(trace[1].divergence[t * h.num_levels + k], trace[0].divergence[t * h.num_levels + k], 1e-12);
    }
    hsgd_trace_free(&trace[0]);
    hsgd_trace_free(&trace[1]);
    hsgd_quadratic_free(&one);
    hsgd_quadratic_free(&own);
    hsgd_hierarchy_free(&h);
}

/* ---- the simulator ---- */

static hsgd_quadratic drawn(const hsgd_hierarchy *h, size_t dim, double noise_sq)
{
    hsgd_quadratic q;
    const double level_sq[] = {0.8, 0.3, 0.6}, spread[] = {0.5, 0.4, 0.3};
    hsgd_quadratic_spec spec = {dim, 0.2, 1.7, level_sq, noise_sq, 5};
    assert_ok(hsgd_quadratic_generate_spread(&q, h, &spec, &(hsgd_curvature_spread){0, spread}, &err), err);
    return q;
}

/* Without noise to rounding; with noise within intervals of 400 fixed seeds: false alarm 1e-6 for each tree. */
static void compare_with_simulator(const hsgd_hierarchy *h, double noise_sq)
{
    enum { STEPS = 25, D = 4 };
    const double initial[D] = {1.2, -0.7, 0.4, 2.1};
    size_t seeds = noise_sq > 0 ? 400 : 1, levels = h->num_levels;
    hsgd_quadratic q = drawn(h, D, noise_sq);
    hsgd_objective f;
    hsgd_ensemble ensemble;
    hsgd_summary s;
    assert_ok(hsgd_quadratic_objective(&f, &q, h->worker_weight, &err), err);
    hsgd_simulation run = {.objective = &f,
                           .hierarchy = h,
                           .initial = initial,
                           .step_size = 0.2,
                           .steps = STEPS,
                           .measure_every = 1,
                           .measure_at_nodes = true};
    assert_ok(hsgd_ensemble_run(&ensemble, &run, seeds, 100, NULL, 2, &err), err);
    assert_ok(hsgd_summarize(&s, &ensemble, STEPS, h->node[0].period, noise_sq == 0, &err), err);
    hsgd_exact e = exact_of(h, &q, initial, run.step_size, STEPS);
    double checks = STEPS * (2 + 2 * (double)levels) + 2, rounding = 1e-12;
#define AGREES(estimate, exact)                                                                                        \
    assert_at_most(fabs((estimate).mean - (exact)), hsgd_half_width(estimate, 1 - 1e-6, checks) + rounding, 0)
    AGREES(s.S, e.S);
    AGREES(s.final_loss, e.final_loss);
    for (size_t t = 0; t < STEPS; t++) {
        AGREES(s.grad_norm_sq[t], e.grad_norm_sq[t]);
        AGREES(s.loss[t], e.loss[t]);
        double divergence[3] = {0};
        for (size_t u = 0; u < h->num_nodes; u++)
            divergence[h->node[u].depth] += h->node[u].weight * e.node_divergence[t * h->num_nodes + u];
        for (size_t k = 0; k < levels; k++) {
            AGREES(s.dispersion[t * levels + k], e.dispersion[t * levels + k]);
            AGREES(s.divergence_at_nodes[t * levels + k], divergence[k]);
        }
    }
    hsgd_exact_free(&e);
    hsgd_summary_free(&s);
    hsgd_ensemble_free(&ensemble);
    hsgd_objective_free(&f);
    hsgd_quadratic_free(&q);
}

static void simulator_agrees_with_exact_moments(void **state)
{
    (void)state;
    hsgd_hierarchy tree[] = {uniform((size_t[]){3, 3}, (size_t[]){6, 3}, 2), crooked(), crooked()};
    const double weight[] = {1, 2, 0.5, 3, 1, 1.5, 2, 0.7, 0.9, 1.1};
    assert_ok(hsgd_hierarchy_set_weights(&tree[2], weight, &err), err);
    for (size_t i = 0; i < sizeof tree / sizeof *tree; i++) {
        compare_with_simulator(&tree[i], 0);
        compare_with_simulator(&tree[i], 2.3);
        hsgd_hierarchy_free(&tree[i]);
    }
}

/* ---- what the schedule does ---- */

static double S_of(const hsgd_quadratic *q, size_t outer, size_t inner, size_t steps)
{
    hsgd_hierarchy h = uniform((size_t[]){2, 2}, (size_t[]){outer, inner}, 2);
    hsgd_exact e = exact_of(&h, q, (double[]){0}, 0.05, steps);
    double S = e.S;
    hsgd_exact_free(&e);
    hsgd_hierarchy_free(&h);
    return S;
}

/* f has its minimum at 0, where all runs begin, and there is no noise: S is what drifting apart does. To first order the
 * average is pushed by the covariance of the curvatures and the linear terms, of the workers in a group for I - 1 steps
 * and of the groups for G - 1. In the first problem both are 1/4, and S lies between the local SGDs; in the second they are
 * 1/4 and -1/4 and cancel where all workers average at once, so that H-SGD is worse than either: no sandwich. */
static void schedules_matter_and_need_no_sandwich(void **state)
{
    (void)state;
    hsgd_quadratic q;
    assert_ok(hsgd_quadratic_init_own(&q, (double[]){2, 1, 1, 0}, (double[]){1, 0, 0, -1}, 1, 4, 0, &err), err);
    double inner = S_of(&q, 2, 2, 2000), between = S_of(&q, 20, 2, 2000), outer = S_of(&q, 20, 20, 2000);
    assert_true(inner < 0.1 * between && between < 0.5 * outer);
    hsgd_quadratic_free(&q);
    assert_ok(hsgd_quadratic_init_own(&q, (double[]){2, 1, 1, 0}, (double[]){0, -1, 1, 0}, 1, 4, 0, &err), err);
    inner = S_of(&q, 2, 2, 2000), between = S_of(&q, 20, 2, 2000), outer = S_of(&q, 20, 20, 2000);
    assert_true(between > 2 * outer && between > 2 * inner);
    hsgd_quadratic_free(&q);
}

/* Beyond the range of a double everything is infinite, and nothing is not a number; S of what comes before is not touched. */
static void overflow_is_infinite(void **state)
{
    (void)state;
    enum { STEPS = 1000 };
    hsgd_hierarchy h = uniform((size_t[]){2, 2}, (size_t[]){4, 2}, 2);
    hsgd_quadratic q[2];
    q[0] = small(0.3);
    assert_ok(hsgd_quadratic_init(&q[1], curvature, linear, DIM, WORKERS, 0.3, &err), err);
    for (int i = 0; i < 2; i++) {
        hsgd_exact e = exact_of(&h, &q[i], (double[DIM]){1, 1, 1}, 30, STEPS);
        size_t t = 0;
        for (; isfinite(e.loss[t]); t++)
            assert_true(isfinite(e.grad_norm_sq[t]) && isfinite(e.dispersion[2 * t]) &&
                        isfinite(e.dispersion[2 * t + 1]));
        assert_true(t > 50 && t < STEPS);
        for (; t < STEPS; t++) {
            assert_true(e.loss[t] == INFINITY && e.grad_norm_sq[t] == INFINITY);
            assert_true(e.dispersion[2 * t] == INFINITY && e.dispersion[2 * t + 1] == INFINITY);
            assert_true(i == 1 || e.global_divergence[t] == INFINITY);
        }
        assert_true(e.S == INFINITY && e.final_loss == INFINITY);
        hsgd_exact_free(&e);
        e = exact_of(&h, &q[i], (double[DIM]){1, 1, 1}, 30, 40);
        assert_true(isfinite(e.S) && isfinite(e.final_loss));
        hsgd_exact_free(&e);
        hsgd_quadratic_free(&q[i]);
    }
    hsgd_hierarchy_free(&h);
}

static void tables_that_cannot_fit_are_refused(void **state)
{
    (void)state;
    hsgd_quadratic q = small(0.3);
    hsgd_hierarchy h = uniform((size_t[]){2, 2}, (size_t[]){4, 2}, 2);
    hsgd_exact e;
    assert_fails(hsgd_exact_moments(&e, &q, &h, (double[DIM]){0}, 0.1,
                                    sizeof(size_t) > 4 ? (size_t)(UINT64_C(1) << 50) : SIZE_MAX, &err),
                 HSGD_ERROR_MEMORY, "fewer steps", err);
    assert_null(e.loss);
    hsgd_quadratic_free(&q);
    hsgd_hierarchy_free(&h);
}

int main(void)
{
    gsl_set_error_handler_off();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gradients_are_derivatives),
        cmocka_unit_test(constants_by_hand),
        cmocka_unit_test(cancelling_curvatures_have_no_minimum),
        cmocka_unit_test(permuted_workers_keep_both_terms),
        cmocka_unit_test(bad_numbers_are_refused),
        cmocka_unit_test(spreads_and_divergences_are_hit),
        cmocka_unit_test(spread_over_workers_does_not_know_groups),
        cmocka_unit_test(three_steps_by_hand),
        cmocka_unit_test(agrees_with_all_signs),
        cmocka_unit_test(equal_hessians_are_one_hessian),
        cmocka_unit_test(simulator_agrees_with_exact_moments),
        cmocka_unit_test(schedules_matter_and_need_no_sandwich),
        cmocka_unit_test(overflow_is_infinite),
        cmocka_unit_test(tables_that_cannot_fit_are_refused),
    };
    return cmocka_run_group_tests_name("own_curvatures", tests, NULL, NULL);
}
