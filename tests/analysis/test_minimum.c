/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Minima against closed forms, Newton's method and long gradient descent; lower bounds against f at points of the ball,
 * and against parabolas that attain them.
 *
 * Changes to minimum.c that at least one test must notice (each was tried):
 *   the bound    sign of mu; mu for mu/2; radius ignored for mu > 0 or capped; either rounding error left out or 0; mu
 *                rounded upwards; mu = 0 where nothing is known
 *   f            weights ignored or those of other workers; workers of a chunk repeated; a split that depends on the
 *                number of threads; non-finite values handed to GSL; non-finite gradients accepted; gradient not scaled
 *   the search   no restart; no scale; a stall reported as an error; budget off by one, or ignored inside a line
 *                search; the last point kept, or the lowest however steep, or the flattest however high */
#include "tests/test.h"

#include <gsl/gsl_errno.h>
#include <gsl/gsl_linalg.h>

#include "analysis/linear_model.h"
#include "analysis/minimum.h"
#include "analysis/quadratic.h"

static hsgd_error err;

/* f and its gradient at a point, summed in long double, worker by worker. grad (dim) may be NULL. */
static double whole(const hsgd_objective *f, const double *weight, const double *point, double *grad)
{
    size_t dim = f->dim, n = f->num_workers;
    long double value = 0, *sum = calloc(dim, sizeof *sum);
    double loss, *g = malloc(dim * sizeof *g), *scratch = malloc((f->type->scratch_size(f, 0) + 1) * sizeof *scratch);
    for (size_t j = 0; j < n; j++) {
        long double p = weight ? (long double)weight[j] : 1 / (long double)n;
        f->type->full(f, point, &j, 1, &loss, g, scratch);
        value += p * (long double)loss;
        for (size_t i = 0; i < dim; i++)
            sum[i] += p * (long double)g[i];
    }
    for (size_t i = 0; grad && i < dim; i++)
        grad[i] = (double)sum[i];
    free(scratch);
    free(g);
    free(sum);
    return (double)value;
}

static double norm(const double *x, size_t dim)
{
    double sum = 0;
    for (size_t i = 0; i < dim; i++)
        sum += x[i] * x[i];
    return sqrt(sum);
}

/* A poisoned result is overwritten as a whole; the fields agree with each other and with f. */
static hsgd_minimum minimize(const hsgd_objective *f, const double *weight, const double *start, double tolerance,
                             size_t max_evaluations)
{
    hsgd_minimum m;
    double at_start[64], at_end[64];
    memset(&m, 0xa5, sizeof m);
    assert_ok(hsgd_minimize(&m, f, weight, start, tolerance, max_evaluations, 1, &err), err);
    assert_true(f->dim <= 64);
    assert_int_equal(m.dim, f->dim);
    whole(f, weight, start, at_start);
    assert_close(m.value, whole(f, weight, m.point, at_end), 1e-13 + m.value_error / fabs(m.value));
    assert_close(m.grad_norm, norm(at_end, f->dim), 1e-13 + m.grad_error / m.grad_norm);
    assert_int_equal(m.converged, m.grad_norm <= tolerance * norm(at_start, f->dim) * (1 + 1e-14));
    assert_true(m.evaluations >= 1 && m.evaluations <= max_evaluations);
    assert_true(m.iterations < 1000000);
    assert_true(m.value_error >= 0 && m.value_error < 1 && m.grad_error >= 0 && m.grad_error < 1);
    return m;
}

/* ---- quadratics ---- */

enum { DIM = 4, WORKERS = 3 };
static const double linear[WORKERS * DIM] = {0.4, -1.1, 0.9, 0.23, 1.7, 0.2, -0.35, 1.19, -2.6, 0.8, 0.05, -0.77};
static const double uneven[WORKERS] = {0.2, 0.7, 0.1};
static const double away[DIM] = {3.1, -2.2, 0.7, 5.9};

typedef struct bowl {
    hsgd_quadratic q;
    hsgd_objective f;
    hsgd_constants known;
} bowl;

static void open_bowl(bowl *b, const double *curvature, const double *weight)
{
    assert_ok(hsgd_quadratic_init(&b->q, curvature, linear, DIM, WORKERS, 0, &err), err);
    assert_ok(hsgd_quadratic_objective(&b->f, &b->q, weight, &err), err);
    assert_ok(b->f.type->constants(&b->f, 0, &b->known, &err), err);
}

static void free_bowl(bowl *b)
{
    hsgd_objective_free(&b->f);
    hsgd_quadratic_free(&b->q);
}

static void minimum_of_quadratics(void **state)
{
    (void)state;
    const double round[DIM] = {2.385, 0.71, 0.13, 1.9}, narrow[DIM] = {200, 0.71, 0.02, 1.9};
    for (int i = 0; i < 4; i++) {
        const double *weight = i % 2 ? uneven : NULL, *h = i / 2 ? narrow : round;
        double mean[DIM];
        bowl b;
        open_bowl(&b, h, weight);
        hsgd_quadratic_mean_linear(&b.q, weight, mean);
        hsgd_minimum m = minimize(&b.f, weight, away, 1e-9, 1000);
        assert_true(m.converged);
        assert_close(m.value, b.known.minimum.value, 1e-9);
        for (size_t k = 0; k < DIM; k++)
            assert_near(h[k] * m.point[k], mean[k], 1e-4);
        assert_close(m.convexity, i / 2 ? 0.02 : 0.13, 1e-10);
        assert_true(m.convexity < (i / 2 ? 0.02 : 0.13));
        double bound = hsgd_minimum_lower_bound(&m, INFINITY);
        assert_at_most(bound, b.known.minimum.value, 0);
        assert_near(bound, b.known.minimum.value, 1e-7);
        hsgd_minimum_free(&m);
        assert_true(m.point == NULL && m.dim == 0);
        free_bowl(&b);
    }
}

/* The first point is the minimiser, or a saddle: nothing to do. */
static void stationary_starts(void **state)
{
    (void)state;
    hsgd_quadratic q;
    hsgd_objective f;
    const double zero[2] = {0, 0};
    for (int saddle = 0; saddle < 2; saddle++) {
        assert_ok(hsgd_quadratic_init(&q, (double[]){1.3, saddle ? -0.4 : 0.4}, zero, 2, 1, 0, &err), err);
        assert_ok(hsgd_quadratic_objective(&f, &q, NULL, &err), err);
        hsgd_minimum m;
        assert_ok(hsgd_minimize(&m, &f, NULL, zero, 1e-6, 100, 2, &err), err);
        assert_true(m.converged && m.evaluations == 1 && m.iterations == 0 && m.value == 0 && m.grad_norm == 0);
        assert_near(hsgd_minimum_lower_bound(&m, 2), saddle ? -0.8 : 0, 1e-10);
        assert_true(hsgd_minimum_lower_bound(&m, INFINITY) == (saddle ? -INFINITY : 0));
        hsgd_minimum_free(&m);
        hsgd_objective_free(&f);
        hsgd_quadratic_free(&q);
    }
}

static void unbounded_quadratics_have_no_minimum(void **state)
{
    (void)state;
    const double down[DIM] = {2.385, 0.71, -1.3, 0.4}, line[DIM] = {2.385, 0.71, 0, 1.9};
    for (int i = 0; i < 2; i++) {
        bowl b;
        open_bowl(&b, i ? line : down, NULL);
        assert_true(b.known.minimum.value == -INFINITY);
        for (size_t budget = 1; budget <= 1000; budget *= 10) {
            hsgd_minimum m;
            assert_ok(hsgd_minimize(&m, &b.f, NULL, away, 1e-6, budget, 1, &err), err);
            assert_true(isfinite(m.value) && isfinite(m.grad_norm));
            assert_false(m.converged);
            assert_true(m.evaluations <= budget);
            assert_true(hsgd_minimum_lower_bound(&m, INFINITY) == -INFINITY);
            double to_start = 0; /* the bound knows of the points that were met on the way */
            for (size_t k = 0; k < DIM; k++)
                to_start = hypot(to_start, m.point[k] - away[k]);
            assert_at_most(hsgd_minimum_lower_bound(&m, to_start * (1 + 1e-14)), whole(&b.f, NULL, away, NULL), 0);
            hsgd_minimum_free(&m);
        }
        free_bowl(&b);
    }
}

/* ---- linear models: three workers with 5, 20 and 35 samples ---- */

enum { FEATURES = 4, CLASSES = 3, SAMPLES = 60 };
static const size_t first_sample[WORKERS + 1] = {0, 5, 25, SAMPLES};

typedef struct problem {
    hsgd_dataset data;
    hsgd_objective f;
    double start[FEATURES * CLASSES];
} problem;

static void open_problem(problem *p, hsgd_link link, hsgd_regularizer_type type, double weight)
{
    uint32_t classes = link == HSGD_LINK_SOFTMAX ? CLASSES : 2;
    p->data = (hsgd_dataset){.num_samples = SAMPLES, .num_features = FEATURES, .num_classes = classes};
    p->data.dense = malloc(SAMPLES * FEATURES * sizeof *p->data.dense);
    p->data.label = malloc(SAMPLES * sizeof *p->data.label);
    hsgd_normals(&(hsgd_stream){5, HSGD_PURPOSE_USER, 0, 0}, 1.3, p->data.dense, SAMPLES * FEATURES);
    for (size_t s = 0; s < SAMPLES; s++)
        p->data.label[s] = (uint32_t)((s * s + s / 3) % classes);
    assert_ok(hsgd_linear_model_objective(&p->f, link, &p->data, first_sample, WORKERS,
                                          (hsgd_regularizer){type, weight}, &err),
              err);
    hsgd_normals(&(hsgd_stream){6, HSGD_PURPOSE_USER, 0, 0}, 1, p->start, FEATURES * CLASSES);
}

static void free_problem(problem *p)
{
    hsgd_objective_free(&p->f);
    hsgd_dataset_free(&p->data);
}

static double smoothness_of(const hsgd_objective *f)
{
    hsgd_constants c;
    assert_ok(f->type->constants(f, 0, &c, &err), err);
    return c.smoothness.value;
}

/* Newton's method for l2-regularised logistic regression from its definition; no code of the library. */
static double newton_minimum(const problem *p, const double *weight, double lambda)
{
    double w[FEATURES] = {0}, value = 0;
    gsl_matrix *hessian = gsl_matrix_alloc(FEATURES, FEATURES);
    gsl_vector *grad = gsl_vector_alloc(FEATURES);
    for (int sweep = 0; sweep < 30; sweep++) {
        value = 0;
        for (size_t i = 0; i < FEATURES; i++) {
            value += lambda / 2 * w[i] * w[i];
            gsl_vector_set(grad, i, lambda * w[i]);
            for (size_t k = 0; k < FEATURES; k++)
                gsl_matrix_set(hessian, i, k, i == k ? lambda : 0);
        }
        for (size_t s = 0, j = 0; s < SAMPLES; s++) {
            j += s == first_sample[j + 1];
            const double *x = p->data.dense + s * FEATURES, y = p->data.label[s] ? 1 : -1;
            double share = (weight ? weight[j] : 1.0 / WORKERS) / (double)(first_sample[j + 1] - first_sample[j]);
            double margin = 0;
            for (size_t i = 0; i < FEATURES; i++)
                margin += y * w[i] * x[i];
            double wrong = 1 / (1 + exp(margin));
            value += share * log1p(exp(-margin));
            for (size_t i = 0; i < FEATURES; i++) {
                *gsl_vector_ptr(grad, i) -= share * wrong * y * x[i];
                for (size_t k = 0; k < FEATURES; k++)
                    *gsl_matrix_ptr(hessian, i, k) += share * wrong * (1 - wrong) * x[i] * x[k];
            }
        }
        gsl_linalg_cholesky_decomp1(hessian);
        gsl_linalg_cholesky_svx(hessian, grad);
        for (size_t i = 0; i < FEATURES; i++)
            w[i] -= gsl_vector_get(grad, i);
    }
    gsl_vector_free(grad);
    gsl_matrix_free(hessian);
    return value;
}

static double descent_minimum(const hsgd_objective *f, const double *weight, const double *start)
{
    double w[FEATURES * CLASSES], grad[FEATURES * CLASSES], step = 1 / smoothness_of(f);
    memcpy(w, start, f->dim * sizeof *w);
    for (int t = 0; t < 20000; t++) {
        whole(f, weight, w, grad);
        for (size_t i = 0; i < f->dim; i++)
            w[i] -= step * grad[i];
    }
    return whole(f, weight, w, NULL);
}

/* The value found and the bound enclose f*, closer for a smaller tolerance: ||g||^2/(2 mu) apart. */
static void logistic_minimum_is_that_of_newton(void **state)
{
    (void)state;
    for (int weighted = 0; weighted < 2; weighted++)
        for (double tolerance = 1; tolerance > 1e-9; tolerance /= 100) {
            problem p;
            const double *weight = weighted ? uneven : NULL;
            open_problem(&p, HSGD_LINK_LOGISTIC, HSGD_REGULARIZER_L2, 0.03);
            double least = newton_minimum(&p, weight, 0.03);
            hsgd_minimum m = minimize(&p.f, weight, p.start, tolerance, 1000);
            double bound = hsgd_minimum_lower_bound(&m, INFINITY);
            assert_true(m.converged);
            assert_at_most(least, m.value, 1e-14);
            assert_at_most(bound, least, 1e-15);
            assert_at_most(m.value - bound, m.grad_norm * m.grad_norm / 0.06, 1e-6 + 1e-8 / m.grad_norm / m.grad_norm);
            if (tolerance < 1e-7)
                assert_near(bound, least, 1e-11);
            hsgd_minimum_free(&m);
            free_problem(&p);
        }
}

static void minima_are_those_of_gradient_descent(void **state)
{
    (void)state;
    for (int i = 0; i < 12; i++) {
        problem p;
        const double *weight = i / 6 ? uneven : NULL;
        open_problem(&p, i % 2 ? HSGD_LINK_SOFTMAX : HSGD_LINK_LOGISTIC, (hsgd_regularizer_type)(i / 2 % 3), 0.04);
        hsgd_minimum m = minimize(&p.f, weight, p.start, 1e-7, 1000);
        assert_true(m.converged);
        assert_near(m.value, descent_minimum(&p.f, weight, p.start), 1e-9);
        hsgd_minimum_free(&m);
        free_problem(&p);
    }
}

/* ---- the bound ---- */

/* f at distance t from w^, in random direction number `trial` or in that of steepest descent. */
static double value_nearby(const hsgd_objective *f, const double *weight, const hsgd_minimum *m, size_t trial,
                           bool descent, double t)
{
    double v[64], grad[64];
    whole(f, weight, m->point, grad);
    hsgd_normals(&(hsgd_stream){9, HSGD_PURPOSE_USER, 0, trial}, 1, v, f->dim);
    for (size_t i = 0; i < f->dim && descent; i++)
        v[i] = -grad[i];
    double scale = t / norm(v, f->dim);
    for (size_t i = 0; i < f->dim; i++)
        v[i] = m->point[i] + scale * v[i];
    return whole(f, weight, v, NULL);
}

/* Regularisers of weight 0.5, so that mu is 0, 0.5 or -0.25 and matters; searches that stop early, so that g does. */
static void bound_holds_in_the_ball(void **state)
{
    (void)state;
    const size_t budgets[] = {1, 3, 8, 500};
    for (int i = 0; i < 24; i++) {
        problem p;
        open_problem(&p, i % 2 ? HSGD_LINK_SOFTMAX : HSGD_LINK_LOGISTIC, (hsgd_regularizer_type)(i / 2 % 3), 0.5);
        hsgd_minimum m = minimize(&p.f, uneven, p.start, 1e-7, budgets[i / 6]);
        for (double radius = 1e-3; radius < 200; radius *= 10) {
            double bound = hsgd_minimum_lower_bound(&m, radius);
            for (size_t trial = 0; trial < 40; trial++)
                assert_at_most(bound, value_nearby(&p.f, uneven, &m, trial, trial % 2, radius * (double)trial / 39), 0);
        }
        assert_int_equal(isfinite(hsgd_minimum_lower_bound(&m, INFINITY)), m.convexity > 0);
        hsgd_minimum_free(&m);
        free_problem(&p);
    }
}

/* f with one curvature in all directions is the parabola of the proof: f at distance t along -g is the bound. */
static void bound_is_attained_by_parabolas(void **state)
{
    (void)state;
    const double curvature[] = {0.7, 0, -0.7};
    for (int i = 0; i < 3; i++) {
        double h = curvature[i], all[DIM] = {h, h, h, h};
        bowl b;
        open_bowl(&b, all, uneven);
        hsgd_minimum m = minimize(&b.f, uneven, away, 1e-7, 1);
        assert_close(m.convexity, h, 1e-10);
        assert_true(m.convexity <= h);
        for (double radius = 0.01; radius < 1000; radius *= 10) {
            double t = h > 0 ? fmin(radius, m.grad_norm / h) : radius;
            double bound = hsgd_minimum_lower_bound(&m, radius);
            assert_close(bound, value_nearby(&b.f, uneven, &m, 0, true, t), 1e-9);
            assert_at_most(bound, value_nearby(&b.f, uneven, &m, 0, true, t), 0);
        }
        assert_true(h > 0 || hsgd_minimum_lower_bound(&m, INFINITY) == -INFINITY);
        hsgd_minimum_free(&m);
        free_bowl(&b);
    }
}

static void bound_at_its_limits(void **state)
{
    (void)state;
    hsgd_minimum m = {.value = 3.2, .grad_norm = 0.6, .convexity = 0.4, .value_error = 0.01, .grad_error = 0.1};
    assert_close(hsgd_minimum_lower_bound(&m, INFINITY), 3.2 - 0.01 - 0.49 / 0.8, 1e-14);
    assert_close(hsgd_minimum_lower_bound(&m, 1.75), 3.2 - 0.01 - 0.49 / 0.8, 1e-14);
    assert_close(hsgd_minimum_lower_bound(&m, 1), 3.2 - 0.01 - 0.7 + 0.2, 1e-14);
    assert_close(hsgd_minimum_lower_bound(&m, 0), 3.2 - 0.01, 1e-14);
    m.convexity = 1e-320; /* the vertex is beyond all numbers */
    assert_true(hsgd_minimum_lower_bound(&m, INFINITY) == -INFINITY);
    m.convexity = 0;
    assert_close(hsgd_minimum_lower_bound(&m, 2), 3.2 - 0.01 - 1.4, 1e-14);
    assert_true(hsgd_minimum_lower_bound(&m, INFINITY) == -INFINITY);
    m.convexity = -0.4;
    assert_close(hsgd_minimum_lower_bound(&m, 2), 3.2 - 0.01 - 1.4 - 0.8, 1e-14);
    assert_true(hsgd_minimum_lower_bound(&m, INFINITY) == -INFINITY);
    m.convexity = -INFINITY;
    assert_true(hsgd_minimum_lower_bound(&m, 1e-300) == -INFINITY);
    assert_close(hsgd_minimum_lower_bound(&m, 0), 3.2 - 0.01, 1e-14);
    assert_true(hsgd_minimum_lower_bound(&m, -1) == -INFINITY);
    assert_true(hsgd_minimum_lower_bound(&m, NAN) == -INFINITY);
    m.grad_norm = m.grad_error = m.convexity = 0; /* stationary and convex: a minimiser */
    assert_close(hsgd_minimum_lower_bound(&m, INFINITY), 3.2 - 0.01, 1e-14);
    m.value_error = NAN;
    assert_true(hsgd_minimum_lower_bound(&m, 1) == -INFINITY);
}

/* What is reported at the first point against long double; the terms of the sums are far larger than the sums. */
static void rounding_is_inside_its_allowance(void **state)
{
    (void)state;
    enum { LARGE = 500, MANY = 100 };
    static double h[LARGE], b[MANY * LARGE], w[LARGE];
    hsgd_normals(&(hsgd_stream){1, HSGD_PURPOSE_USER, 0, 0}, 40, b, MANY * LARGE);
    hsgd_normals(&(hsgd_stream){1, HSGD_PURPOSE_USER, 0, 1}, 40, w, LARGE);
    hsgd_normals(&(hsgd_stream){1, HSGD_PURPOSE_USER, 0, 2}, 1, h, LARGE);
    hsgd_quadratic q;
    hsgd_objective f;
    hsgd_minimum m;
    assert_ok(hsgd_quadratic_init(&q, h, b, LARGE, MANY, 0, &err), err);
    assert_ok(hsgd_quadratic_objective(&f, &q, NULL, &err), err);
    assert_ok(hsgd_minimize(&m, &f, NULL, w, 0, 1, 1, &err), err);
    long double value = 0, norm_sq = 0;
    for (size_t i = 0; i < LARGE; i++) {
        long double mean = 0;
        for (size_t j = 0; j < MANY; j++)
            mean += (long double)b[j * LARGE + i] / MANY;
        value += (0.5L * h[i] * w[i] - mean) * w[i];
        norm_sq += (h[i] * (long double)w[i] - mean) * (h[i] * (long double)w[i] - mean);
    }
    assert_at_most(fabs((double)(value - m.value)), m.value_error, 0);
    assert_at_most(fabs((double)(sqrtl(norm_sq) - m.grad_norm)), m.grad_error, 0);
    assert_at_most(m.value_error, 1e-4, 0);
    assert_at_most(m.grad_error, 1e-6, 0);
    hsgd_minimum_free(&m);
    hsgd_objective_free(&f);
    hsgd_quadratic_free(&q);
}

/* ---- threads, budget, bad points ---- */

static void threads_leave_no_trace(void **state)
{
    (void)state;
    enum { MANY = 1037, LARGE = 11 }; /* more than 64 chunks of 8 */
    hsgd_constants known;
    static double b[MANY * LARGE], h[LARGE], w[LARGE];
    hsgd_quadratic q;
    hsgd_objective f;
    hsgd_minimum one, m;
    hsgd_normals(&(hsgd_stream){2, HSGD_PURPOSE_USER, 0, 0}, 1, b, MANY * LARGE);
    hsgd_normals(&(hsgd_stream){2, HSGD_PURPOSE_USER, 0, 1}, 3, w, LARGE);
    for (size_t i = 0; i < LARGE; i++)
        h[i] = pow(3, (double)i - 5);
    assert_ok(hsgd_quadratic_init(&q, h, b, LARGE, MANY, 0, &err), err);
    assert_ok(hsgd_quadratic_objective(&f, &q, NULL, &err), err);
    assert_ok(hsgd_minimize(&one, &f, NULL, w, 1e-6, 2000, 1, &err), err);
    assert_ok(f.type->constants(&f, 0, &known, &err), err);
    assert_true(one.converged);
    /* strongly convex with the smallest curvature: 0 <= f - f* <= ||grad||^2/(2 h) */
    assert_at_most(known.minimum.value - one.value, one.value_error, 0);
    assert_at_most(one.value - known.minimum.value, one.grad_norm * one.grad_norm / (2 * h[0]) + one.value_error, 0);
    for (int threads = 2; threads <= 3; threads++) {
        assert_ok(hsgd_minimize(&m, &f, NULL, w, 1e-6, 2000, threads, &err), err);
        assert_memory_equal(m.point, one.point, sizeof w);
        assert_true(m.value == one.value && m.grad_norm == one.grad_norm && m.value_error == one.value_error);
        assert_true(m.iterations == one.iterations && m.evaluations == one.evaluations);
        hsgd_minimum_free(&m);
    }
    hsgd_minimum_free(&one);
    hsgd_objective_free(&f);
    hsgd_quadratic_free(&q);
}

/* One worker and one coordinate on (0, 1): F = -log w - log(1 - w), least at 1/2. Beyond, what `outside` says. Or, with
 * `plateau`, F = w^2/(1 + w^2). The type keeps what it was asked, and claims an L that is far too small, so that the
 * first steps lead far out. */
enum { MAX_CALLS = 500 };
typedef struct barrier {
    bool plateau;
    double outside, outside_slope, smoothness;
    size_t calls;
    double value[MAX_CALLS], slope[MAX_CALLS];
} barrier;

static size_t barrier_scratch(const hsgd_objective *objective, size_t batch_size)
{
    (void)batch_size;
    return ((const barrier *)objective->state)->smoothness < 0 ? SIZE_MAX / 9 : 0;
}

static void barrier_full(const hsgd_objective *objective, const double *point, const size_t *worker, size_t count,
                         double *loss, double *grad, double *scratch)
{
    (void)worker;
    (void)scratch;
    barrier *b = objective->state;
    double w = *point;
    bool inside = w > 0 && w < 1;
    assert_int_equal(count, 1);
    assert_true(b->calls < MAX_CALLS);
    *loss = inside ? -log(w) - log1p(-w) : b->outside;
    *grad = inside ? 1 / (1 - w) - 1 / w : b->outside_slope;
    if (b->plateau) {
        *loss = w * w / (1 + w * w);
        *grad = 2 * w / (1 + w * w) / (1 + w * w);
    }
    b->value[b->calls] = *loss;
    b->slope[b->calls++] = *grad;
}

static hsgd_status barrier_constants(const hsgd_objective *objective, size_t batch_size, hsgd_constants *out,
                                     hsgd_error *error)
{
    (void)batch_size;
    const barrier *b = objective->state;
    if (b->smoothness == 0)
        return hsgd_fail(error, HSGD_ERROR_NUMERIC, "no constants");
    out->smoothness = (hsgd_constant){b->smoothness, HSGD_CERTIFIED}; /* the convexity stays unsaid */
    return HSGD_OK;
}

static const hsgd_objective_type barrier_type = {
    .name = "barrier", .scratch_size = barrier_scratch, .full = barrier_full, .constants = barrier_constants};

static void points_without_a_value_are_failed_steps(void **state)
{
    (void)state;
    const double outside[][2] = {{NAN, NAN}, {INFINITY, 1}, {-INFINITY, 1}, {-1e9, NAN}, {-1e9, INFINITY}, {NAN, 0}};
    for (size_t i = 0; i < sizeof outside / sizeof *outside; i++)
        for (double start = 0.01; start < 1; start += 0.14) {
            barrier b = {.outside = outside[i][0], .outside_slope = outside[i][1], .smoothness = 0.1};
            hsgd_objective f = {&barrier_type, &b, 1, 1};
            hsgd_minimum m;
            assert_ok(hsgd_minimize(&m, &f, NULL, &start, 1e-6, 300, 1, &err), err);
            assert_true(m.converged);
            assert_near(m.point[0], 0.5, 1e-4);
            assert_near(m.value, 2 * log(2), 1e-8);
            assert_true(m.convexity == -INFINITY); /* nothing is known unless the objective says so */
            assert_true(hsgd_minimum_lower_bound(&m, 0.1) == -INFINITY);
            hsgd_minimum_free(&m);
        }
}

/* Every evaluation is counted and none exceeds the budget; w^ is the flattest of the lowest points met. */
static void budget_is_kept_and_the_best_point_reported(void **state)
{
    (void)state;
    const double start = 0.013;
    for (size_t budget = 1; budget <= 40; budget++) {
        barrier b = {.outside = NAN, .outside_slope = NAN, .smoothness = 3};
        hsgd_objective f = {&barrier_type, &b, 1, 1};
        hsgd_minimum m;
        double smallest = INFINITY;
        assert_ok(hsgd_minimize(&m, &f, NULL, &start, 0, budget, 1, &err), err);
        assert_true(m.evaluations == b.calls && b.calls <= budget);
        assert_true(budget > 10 || b.calls == budget);
        assert_int_equal(m.converged, m.grad_norm == 0);
        for (size_t i = 0; i < b.calls; i++)
            smallest = fmin(smallest, b.value[i]);
        assert_at_most(m.value, smallest, 8 * 2.3e-16);
        for (size_t i = 0; i < b.calls; i++)
            assert_true(!(b.value[i] <= smallest) || m.grad_norm <= fabs(b.slope[i]));
        hsgd_minimum_free(&m);
    }
}

/* The first step ends where f is flat and high. That is neither a reason to stop nor the best point. */
static void flat_points_that_are_high_do_not_count(void **state)
{
    (void)state;
    const double start = 0.5;
    for (size_t budget = 1; budget <= 40; budget++) {
        barrier b = {.plateau = true, .smoothness = 0.01};
        hsgd_objective f = {&barrier_type, &b, 1, 1};
        hsgd_minimum m;
        assert_ok(hsgd_minimize(&m, &f, NULL, &start, 1e-3, budget, 1, &err), err);
        assert_true(budget == 1 || (b.value[1] > 0.99 && b.slope[1] < 1e-3 * b.slope[0]));
        assert_at_most(m.value, 0.2, 0);
        assert_int_equal(m.converged, fabs(m.point[0]) < 1e-3);
        assert_true(budget < 40 || m.converged);
        hsgd_minimum_free(&m);
    }
}

/* ---- refusals ---- */

static void refuse(const hsgd_objective *f, const double *weight, const double *start, double tolerance, size_t budget,
                   int threads, hsgd_status status, const char *text)
{
    hsgd_minimum m, zero = {0};
    memset(&m, 0xa5, sizeof m);
    assert_fails(hsgd_minimize(&m, f, weight, start, tolerance, budget, threads, &err), status, text, err);
    assert_true(m.point == NULL && m.dim == 0 && m.value == 0 && m.evaluations == zero.evaluations && !m.converged);
}

static void impossible_searches_are_refused(void **state)
{
    (void)state;
    const double h[DIM] = {1, 2, 3, 4}, lost[DIM] = {0, 0, NAN, 0}, far[DIM] = {1e200, 0, 0, 0};
    const double heavy[WORKERS] = {0.2, 0.7, 0.1001}, negative[WORKERS] = {0.5, 0.7, -0.2}, nan[WORKERS] = {NAN, 1, 0};
    bowl b;
    open_bowl(&b, h, NULL);
    refuse(&b.f, heavy, away, 1e-6, 9, 1, HSGD_ERROR_INPUT, "weight: the sum is 1.0001");
    refuse(&b.f, negative, away, 1e-6, 9, 1, HSGD_ERROR_INPUT, "weight: entry 2 is -0.2");
    refuse(&b.f, nan, away, 1e-6, 9, 1, HSGD_ERROR_INPUT, "weight: entry 0");
    refuse(&b.f, NULL, lost, 1e-6, 9, 1, HSGD_ERROR_INPUT, "start: entry 2 is nan");
    refuse(&b.f, NULL, far, 1e-6, 9, 1, HSGD_ERROR_INPUT, "start: f or its gradient is not finite");
    refuse(&b.f, NULL, away, -1e-6, 9, 1, HSGD_ERROR_INPUT, "tolerance: -1e-06");
    refuse(&b.f, NULL, away, NAN, 9, 1, HSGD_ERROR_INPUT, "tolerance");
    refuse(&b.f, NULL, away, 1e-6, 0, 1, HSGD_ERROR_INPUT, "at least one evaluation");
    refuse(&b.f, NULL, away, 1e-6, 9, 0, HSGD_ERROR_INPUT, "at least one evaluation and one thread");
    free_bowl(&b);
    barrier unknown = {.smoothness = 0}, huge = {.smoothness = -1};
    refuse(&(hsgd_objective){&barrier_type, &unknown, 1, 1}, NULL, away, 1e-6, 9, 1, HSGD_ERROR_NUMERIC,
           "no constants");
    refuse(&(hsgd_objective){&barrier_type, &huge, 1, 1}, NULL, away, 1e-6, 9, 1, HSGD_ERROR_MEMORY, "the search");
    hsgd_minimum_free(NULL);
}

/* ---- real data ---- */

static void real_data(void **state)
{
    (void)state;
    enum { PARTS = 16 };
    char path[1000];
    hsgd_dataset data;
    hsgd_objective f;
    hsgd_minimum m;
    size_t first[PARTS + 1];
    data_file("a9a.t", path, sizeof path);
    assert_ok(hsgd_dataset_read_libsvm(&data, path, &err), err);
    for (size_t j = 0; j <= PARTS; j++)
        first[j] = j * data.num_samples / PARTS;
    hsgd_regularizer l2 = {HSGD_REGULARIZER_L2, 1e-3};
    assert_ok(hsgd_linear_model_objective(&f, HSGD_LINK_LOGISTIC, &data, first, PARTS, l2, &err), err);
    double *start = calloc(f.dim, sizeof *start);
    assert_ok(hsgd_minimize(&m, &f, NULL, start, HSGD_MINIMUM_TOLERANCE, HSGD_MINIMUM_EVALUATIONS, 2, &err), err);
    assert_true(m.converged);
    assert_at_most((double)m.evaluations, 400, 0);
    assert_at_most(m.value - hsgd_minimum_lower_bound(&m, INFINITY), 1e-8, 0); /* f* to nine digits */
    free(start);
    hsgd_minimum_free(&m);
    hsgd_objective_free(&f);
    hsgd_dataset_free(&data);
}

int main(void)
{
    gsl_set_error_handler_off();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(minimum_of_quadratics),
        cmocka_unit_test(stationary_starts),
        cmocka_unit_test(unbounded_quadratics_have_no_minimum),
        cmocka_unit_test(logistic_minimum_is_that_of_newton),
        cmocka_unit_test(minima_are_those_of_gradient_descent),
        cmocka_unit_test(bound_holds_in_the_ball),
        cmocka_unit_test(bound_is_attained_by_parabolas),
        cmocka_unit_test(bound_at_its_limits),
        cmocka_unit_test(rounding_is_inside_its_allowance),
        cmocka_unit_test(threads_leave_no_trace),
        cmocka_unit_test(points_without_a_value_are_failed_steps),
        cmocka_unit_test(budget_is_kept_and_the_best_point_reported),
        cmocka_unit_test(flat_points_that_are_high_do_not_count),
        cmocka_unit_test(impossible_searches_are_refused),
        cmocka_unit_test(real_data),
    };
    return cmocka_run_group_tests_name("minimum", tests, NULL, NULL);
}
