/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Against closed forms worked out by hand, and against the plain propagation of the workers' mean vector and full
 * covariance matrix, which knows nothing of noise components. */
#include "tests/analysis/trees.h"

#include <gsl/gsl_errno.h>

#include "analysis/exact_moments.h"

static hsgd_error err;

static hsgd_exact exact_of(const hsgd_hierarchy *h, const hsgd_quadratic *q, const double *initial, double step_size,
                           size_t steps)
{
    hsgd_exact e;
    assert_ok(hsgd_exact_moments(&e, q, h, initial, step_size, steps, &err), err);
    return e;
}

/* ---- by hand ---- */

/* Two workers, one dimension, h = 1/2, b = 3 and 1, gamma = 1/2, noise variance 4, w^0 = 2, period 2. a = 3/4, and one
 * step adds gamma^2 sigma^2 = 1 to the variance of each worker, 1/2 to that of the average and 1/2 to the dispersion.
 *   t = 0: w = 2, 2. gradient of f: 1/2 * 2 - 2 = -1, squared 1. f = 1/4 * 4 - 2 * 2 = -3.
 *   t = 1: w = 3/2 + 3/2 = 3 and 3/2 + 1/2 = 2: average 5/2, S_0 = 1/2. squared gradient (5/4 - 2)^2 + 1/4 * 1/2 =
 * 11/16. f = 1/4 (25/4 + 1/2) - 5 = -53/16. dispersion 1/4 + 1/2 = 3/4. t = 2: averaged: w = 3/4 * 5/2 + 1 = 23/8, S_0
 * = 9/16 * 1/2 + 1/2 = 25/32. (23/16 - 2)^2 + 25/128 = 131/256. f = 1/4 (529/64 + 50/64) - 23/4 = -893/256. dispersion
 * 0. t = 3: w = 69/32 + 3/2 and 69/32 + 1/2: average 101/32, S_0 = 9/16 * 25/32 + 1/2 = 481/512. f = 1/4 (10201/1024 +
 * 962/1024) - 101/16 = -14693/4096. */
static void three_steps_by_hand(void **state)
{
    (void)state;
    hsgd_quadratic q;
    hsgd_hierarchy h = uniform((size_t[]){2}, (size_t[]){2}, 1);
    assert_ok(hsgd_quadratic_init(&q, (double[]){0.5}, (double[]){3, 1}, 1, 2, 4, &err), err);
    hsgd_exact e = exact_of(&h, &q, (double[]){2}, 0.5, 3);
    assert_close(e.grad_norm_sq[0], 1, 1e-15);
    assert_close(e.grad_norm_sq[1], 11.0 / 16, 1e-15);
    assert_close(e.grad_norm_sq[2], 131.0 / 256, 1e-15);
    assert_close(e.loss[0], -3, 1e-15);
    assert_close(e.loss[1], -53.0 / 16, 1e-15);
    assert_close(e.loss[2], -893.0 / 256, 1e-15);
    assert_close(e.final_loss, -14693.0 / 4096, 1e-15);
    assert_near(e.dispersion[0], 0, 1e-15);
    assert_close(e.dispersion[1], 0.75, 1e-15);
    assert_near(e.dispersion[2], 0, 1e-15);
    assert_close(e.S, (1 + 11.0 / 16 + 131.0 / 256) / 3, 1e-15);
    hsgd_exact_free(&e);
    hsgd_quadratic_free(&q);
    hsgd_hierarchy_free(&h);
}

/* Two workers, period P, t = r P + s: everything is a geometric series. The average is that of plain gradient descent,
 *     wbar = a^t w^0 + (1 - a^t) bbar/h,   S_0 = gamma^2 sigma^2/2 (1 - a^(2t))/(1 - a^2),
 * and the two workers differ by delta = gamma (b_1 - b_2) (1 - a^s)/(1 - a), so
 *     E B = delta^2/4 + gamma^2 sigma^2/2 (1 - a^(2s))/(1 - a^2). */
static void geometric_series_of_two_workers(void **state)
{
    (void)state;
    enum { STEPS = 23, PERIOD = 5 };
    const double curve = 0.83, gamma = 0.271, noise_sq = 1.9, b[] = {1.37, -0.44}, w0 = 2.385;
    double a = 1 - gamma * curve, bbar = (b[0] + b[1]) / 2, S = 0;
    hsgd_quadratic q;
    hsgd_hierarchy h = uniform((size_t[]){2}, (size_t[]){PERIOD}, 1);
    assert_ok(hsgd_quadratic_init(&q, &curve, b, 1, 2, noise_sq, &err), err);
    hsgd_exact e = exact_of(&h, &q, &w0, gamma, STEPS);
    for (int t = 0; t <= STEPS; t++) {
        double mean = pow(a, t) * w0 + (1 - pow(a, t)) * bbar / curve, series = 1 - a * a;
        double variance = gamma * gamma * noise_sq / 2 * (1 - pow(a, 2 * t)) / series;
        double loss = 0.5 * curve * (mean * mean + variance) - bbar * mean, grad = curve * mean - bbar;
        assert_close(t < STEPS ? e.loss[t] : e.final_loss, loss, 1e-13);
        if (t == STEPS)
            break;
        int s = t % PERIOD;
        double delta = gamma * (b[0] - b[1]) * (1 - pow(a, s)) / (1 - a);
        assert_near(e.dispersion[t], delta * delta / 4 + gamma * gamma * noise_sq / 2 * (1 - pow(a, 2 * s)) / series,
                    1e-14);
        assert_close(e.grad_norm_sq[t], grad * grad + curve * curve * variance, 1e-13);
        S += (grad * grad + curve * curve * variance) / STEPS;
    }
    assert_close(e.S, S, 1e-13);
    hsgd_exact_free(&e);
    hsgd_quadratic_free(&q);
    hsgd_hierarchy_free(&h);
}

/* ---- mean vector and covariance matrix ---- */

enum { MAX_WORKERS = 16 };

/* One coordinate: mean m, covariance C of the workers' models. */
typedef struct plain {
    size_t n;
    double m[MAX_WORKERS], C[MAX_WORKERS][MAX_WORKERS], p[MAX_WORKERS];
} plain;

/* x <- A x, with A replacing workers [first, end) by their weighted mean; on the mean, then on both sides of C. */
static void average_vector(const plain *x, double *value, size_t stride, size_t first, size_t end)
{
    double mean = 0, weight = 0;
    for (size_t j = first; j < end; j++) {
        mean += x->p[j] * value[j * stride];
        weight += x->p[j];
    }
    for (size_t j = first; j < end; j++)
        value[j * stride] = mean / weight;
}

static void average(plain *x, size_t first, size_t end)
{
    average_vector(x, x->m, 1, first, end);
    for (size_t j = 0; j < x->n; j++)
        average_vector(x, x->C[j], 1, first, end);
    for (size_t j = 0; j < x->n; j++)
        average_vector(x, &x->C[0][j], MAX_WORKERS, first, end);
}

/* E (c'w)^2 for the linear form c. */
static double second_moment(const plain *x, const double *c)
{
    double mean = 0, variance = 0;
    for (size_t j = 0; j < x->n; j++) {
        mean += c[j] * x->m[j];
        for (size_t k = 0; k < x->n; k++)
            variance += c[j] * c[k] * x->C[j][k];
    }
    return mean * mean + variance;
}

/* E (mean over [a, b) - mean over [c, d))^2, times the weight of [a, b). */
static double between(const plain *x, size_t a, size_t b, size_t c, size_t d)
{
    double form[MAX_WORKERS] = {0}, inner = 0, outer = 0;
    for (size_t j = a; j < b; j++)
        inner += x->p[j];
    for (size_t j = c; j < d; j++)
        outer += x->p[j];
    for (size_t j = a; j < b; j++)
        form[j] += x->p[j] / inner;
    for (size_t j = c; j < d; j++)
        form[j] -= x->p[j] / outer;
    return inner * second_moment(x, form);
}

static void add_dispersions(const plain *x, const hsgd_hierarchy *h, double *level, double *total)
{
    for (size_t u = 0; u < h->num_nodes; u++) {
        const hsgd_node *n = &h->node[u];
        size_t end = n->first_worker + n->num_workers;
        for (size_t v = u + 1; v < h->num_nodes; v++)
            if (h->node[v].parent == u)
                level[n->depth] += between(x, h->node[v].first_worker, h->node[v].first_worker + h->node[v].num_workers,
                                           n->first_worker, end);
        if (n->end == u + 1)
            for (size_t j = n->first_worker; j < end; j++)
                level[n->depth] += between(x, j, j + 1, n->first_worker, end);
    }
    for (size_t j = 0; j < x->n; j++)
        *total += between(x, j, j + 1, 0, x->n);
}

/* curvature and b: those of worker 0, the others' follow every curvature_stride and stride numbers. */
static void plain_step(plain *x, const hsgd_hierarchy *h, double gamma, const double *curvature,
                       size_t curvature_stride, const double *b, size_t stride, double noise_var, size_t updates)
{
    for (size_t j = 0; j < x->n; j++) {
        x->m[j] = (1 - gamma * curvature[j * curvature_stride]) * x->m[j] + gamma * b[j * stride];
        for (size_t k = 0; k < x->n; k++)
            x->C[j][k] *= (1 - gamma * curvature[j * curvature_stride]) * (1 - gamma * curvature[k * curvature_stride]);
        x->C[j][j] += gamma * gamma * noise_var;
    }
    /* every due node, bottom up: averages of averages, so that the topmost one has the last word */
    for (size_t u = h->num_nodes; u-- > 0;)
        if (updates % h->node[u].period == 0)
            average(x, h->node[u].first_worker, h->node[u].first_worker + h->node[u].num_workers);
}

/* own: every worker has curvatures of its own, some negative. */
static void compare_with_plain(const hsgd_hierarchy *h, bool own)
{
    enum { DIM = 3, STEPS = 29 };
    const double common[DIM] = {1.7, -0.21, 0}, initial[DIM] = {0.9, -1.3, 0.2}, gamma = 0.31, noise_sq = 2.385;
    size_t n = h->num_workers, levels = h->num_levels, stride = own ? DIM : 0;
    double linear[MAX_WORKERS * DIM], drawn[MAX_WORKERS * DIM], S = 0;
    const double *curvature = own ? drawn : common;
    plain x[DIM] = {{.n = n}, {.n = n}, {.n = n}};
    hsgd_quadratic q;
    hsgd_normals(&(hsgd_stream){4, HSGD_PURPOSE_USER, 0, n}, 1.6, linear, n * DIM);
    hsgd_normals(&(hsgd_stream){5, HSGD_PURPOSE_USER, 0, n}, 0.7, drawn, n * DIM);
    if (own)
        assert_ok(hsgd_quadratic_init_own(&q, drawn, linear, DIM, n, noise_sq, &err), err);
    else
        assert_ok(hsgd_quadratic_init(&q, common, linear, DIM, n, noise_sq, &err), err);
    hsgd_exact e = exact_of(h, &q, initial, gamma, STEPS);
    assert_int_equal(e.num_levels, levels);
    for (size_t i = 0; i < DIM; i++)
        for (size_t j = 0; j < n; j++) {
            x[i].m[j] = initial[i];
            x[i].p[j] = h->worker_weight ? h->worker_weight[j] : 1.0 / (double)n;
        }
    for (size_t t = 0; t <= STEPS; t++) {
        double grad_norm_sq = 0, loss = 0, level[8] = {0}, total = 0, sum = 0, size_sq = 1;
        for (size_t i = 0; i < DIM; i++) {
            double b = 0, mean = 0, curve = 0;
            for (size_t j = 0; j < n; j++) {
                curve += x[i].p[j] * curvature[j * stride + i];
                b += x[i].p[j] * linear[j * DIM + i];
                mean += x[i].p[j] * x[i].m[j];
            }
            double variance = second_moment(&x[i], x[i].p) - mean * mean, grad = curve * mean - b;
            for (size_t j = 0; j < n; j++)
                size_sq =
                    fmax(size_sq, x[i].m[j] * x[i].m[j] + x[i].C[j][j]); /* what the plain way takes differences of */
            grad_norm_sq += grad * grad + curve * curve * variance;
            loss += curve / 2 * (mean * mean + variance) - b * mean;
            add_dispersions(&x[i], h, level, &total);
            plain_step(&x[i], h, gamma, curvature + i, stride, linear + i, DIM, noise_sq / DIM, t + 1);
        }
        assert_near(t < STEPS ? e.loss[t] : e.final_loss, loss, 1e-12 * size_sq);
        if (t == STEPS)
            break;
        S += grad_norm_sq / STEPS;
        assert_near(e.grad_norm_sq[t], grad_norm_sq, 1e-12 * size_sq);
        for (size_t k = 0; k < levels; k++) {
            assert_near(e.dispersion[t * levels + k], level[k], 1e-12 * size_sq);
            sum += e.dispersion[t * levels + k];
        }
        assert_near(sum, total, 1e-12 * size_sq); /* the levels add up to the whole dispersion */
    }
    assert_close(e.S, S, 1e-12);
    hsgd_exact_free(&e);
    hsgd_quadratic_free(&q);
}

static void agrees_with_the_covariance_matrix(void **state)
{
    (void)state;
    hsgd_hierarchy tree[] = {uniform((size_t[]){5}, (size_t[]){4}, 1),
                             uniform((size_t[]){3, 2}, (size_t[]){6, 3}, 2),
                             uniform((size_t[]){2, 3, 2}, (size_t[]){8, 4, 2}, 3),
                             uniform((size_t[]){2, 1, 3}, (size_t[]){8, 8, 2}, 3),
                             uniform((size_t[]){1}, (size_t[]){1}, 1),
                             more_crooked()};
    const double weight[] = {1, 2, 0.5, 3, 1, 1.5, 2, 0.7, 0.9, 1.1, 0.3, 4};
    for (size_t i = 0; i < sizeof tree / sizeof *tree; i++) {
        compare_with_plain(&tree[i], false);
        compare_with_plain(&tree[i], true);
        assert_ok(hsgd_hierarchy_set_weights(&tree[i], weight, &err), err);
        compare_with_plain(&tree[i], false);
        compare_with_plain(&tree[i], true);
        hsgd_hierarchy_free(&tree[i]);
    }
}

/* After an aggregation the levels below hold nothing, the levels above keep what they have. Equal b: the means agree,
 * so what is left is noise alone, and must be 0 exactly where it was averaged away. */
static void levels_are_reset_by_their_aggregations(void **state)
{
    (void)state;
    hsgd_hierarchy h = uniform((size_t[]){2, 2, 2}, (size_t[]){12, 6, 2}, 3);
    hsgd_quadratic q;
    assert_ok(hsgd_quadratic_init(&q, (double[]){0.5}, (double[8]){0}, 1, 8, 1.3, &err), err);
    hsgd_exact e = exact_of(&h, &q, (double[]){0}, 0.25, 30);
    for (size_t t = 0; t < 30; t++) {
        const double *level = e.dispersion + 3 * t;
        assert_int_equal(level[2] == 0, t % 2 == 0);
        assert_int_equal(level[1] == 0, t % 6 == 0);
        assert_int_equal(level[0] == 0, t % 12 == 0);
    }
    hsgd_exact_free(&e);
    hsgd_quadratic_free(&q);
    hsgd_hierarchy_free(&h);
}

/* f = w^2/2 and gamma = 257: w^t = (-256)^t, whose square 2^(16 t) overflows at t = 64; from there on all is infinite, also
 * what would be a difference of infinite numbers. With one Hessian, and with Hessians of their own. */
static void overflow_is_infinite_from_its_step_on(void **state)
{
    (void)state;
    hsgd_hierarchy h = uniform((size_t[]){2, 2}, (size_t[]){4, 2}, 2);
    for (int own = 0; own < 2; own++) {
        hsgd_quadratic q;
        const double curvature[] = {1, 1, 1, 1}, linear[] = {0, 0, 0, 0};
        assert_ok(own ? hsgd_quadratic_init_own(&q, curvature, linear, 1, 4, 0, &err)
                      : hsgd_quadratic_init(&q, curvature, linear, 1, 4, 0, &err),
                  err);
        hsgd_exact e = exact_of(&h, &q, (double[]){1}, 257, 70);
        for (size_t t = 0; t < 70; t++) {
            assert_true(e.grad_norm_sq[t] == (t < 64 ? ldexp(1, (int)(16 * t)) : INFINITY));
            assert_true(e.loss[t] == (t < 64 ? ldexp(1, (int)(16 * t) - 1) : INFINITY));
            for (size_t k = 0; k < 2; k++)
                assert_true(e.dispersion[2 * t + k] == (t < 64 ? 0 : INFINITY));
        }
        assert_true(e.S == INFINITY && e.final_loss == INFINITY);
        hsgd_exact_free(&e);
        hsgd_quadratic_free(&q);
    }
    hsgd_hierarchy_free(&h);
}

int main(void)
{
    gsl_set_error_handler_off();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(three_steps_by_hand),
        cmocka_unit_test(geometric_series_of_two_workers),
        cmocka_unit_test(agrees_with_the_covariance_matrix),
        cmocka_unit_test(levels_are_reset_by_their_aggregations),
        cmocka_unit_test(overflow_is_infinite_from_its_step_on),
    };
    return cmocka_run_group_tests_name("exact_moments", tests, NULL, NULL);
}
