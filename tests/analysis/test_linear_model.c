/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Losses from their formulas in long double, gradients against finite differences, mini-batches sample by sample, and
 * the constants against what they promise, also where they are attained. */
#include "tests/test.h"

#include <gsl/gsl_cdf.h>
#include <gsl/gsl_deriv.h>
#include <gsl/gsl_errno.h>

#include "analysis/linear_model.h"
#include "analysis/statistics.h"
#include "tests/analysis/class_data.h"

static hsgd_error err;

/* ---- data: five workers with 5, 70, 130, 1 and 64 samples; the full gradient works in blocks of 64 ---- */

enum { FEATURES = 6, WORKERS = 5, SAMPLES = 270, MAX_CLASSES = 4, MAX_DIM = FEATURES * MAX_CLASSES };
static const size_t start[WORKERS + 1] = {0, 5, 75, 205, 206, SAMPLES};

static hsgd_objective objective(hsgd_link link, const hsgd_dataset *data, const size_t *first, size_t workers,
                                hsgd_regularizer_type type, double weight)
{
    hsgd_objective f;
    hsgd_regularizer r = {type, weight};
    assert_ok(hsgd_linear_model_objective(&f, link, data, first, workers, r, &err), err);
    return f;
}

/* Every combination that the tests below go through. */
typedef struct variant {
    hsgd_link link;
    hsgd_regularizer_type regularizer;
    bool sparse;
} variant;

enum { VARIANTS = 12 };

static variant variant_of(size_t i)
{
    return (variant){i % 2 ? HSGD_LINK_SOFTMAX : HSGD_LINK_LOGISTIC, (hsgd_regularizer_type)(i / 2 % 3), i / 6};
}

typedef struct problem {
    hsgd_dataset dense, sparse;
    hsgd_objective f;
    double *scratch;
} problem;

static void free_problem(problem *p)
{
    hsgd_objective_free(&p->f);
    hsgd_dataset_free(&p->dense);
    hsgd_dataset_free(&p->sparse);
    free(p->scratch);
}

static void open_problem(problem *p, variant v, size_t batch_size)
{
    p->dense = class_data(SAMPLES, FEATURES, v.link == HSGD_LINK_SOFTMAX ? MAX_CLASSES : 2, 1.3);
    p->sparse = sparse_copy(&p->dense);
    p->f = objective(v.link, v.sparse ? &p->sparse : &p->dense, start, WORKERS, v.regularizer, 0.37);
    p->scratch = malloc(p->f.type->scratch_size(&p->f, batch_size) * sizeof *p->scratch);
}

static double loss_of(const problem *p, const double *point, size_t worker, double *grad)
{
    double loss;
    p->f.type->full(&p->f, point, &worker, 1, &loss, grad, p->scratch);
    return loss;
}

static void draw_point(double *point, size_t trial, double scale)
{
    hsgd_normals(&(hsgd_stream){8, HSGD_PURPOSE_USER, 1, trial}, scale, point, MAX_DIM);
}

/* ---- losses ---- */

static long double score(const hsgd_dataset *d, const double *point, size_t sample, size_t output)
{
    long double sum = 0;
    for (size_t i = 0; i < d->num_features; i++)
        sum += (long double)point[output * d->num_features + i] * d->dense[sample * d->num_features + i];
    return sum;
}

/* The definitions at the head of linear_model.h and regularizer.h. */
static double loss_by_definition(const problem *p, variant v, const double *point, size_t worker)
{
    long double sum = 0, penalty = 0;
    for (size_t s = start[worker]; s < start[worker + 1]; s++) {
        if (v.link == HSGD_LINK_LOGISTIC)
            sum += log1pl(expl((p->dense.label[s] ? -1 : 1) * score(&p->dense, point, s, 0)));
        else {
            long double others = 0, own = score(&p->dense, point, s, p->dense.label[s]);
            for (size_t c = 0; c < MAX_CLASSES; c++)
                others += c == p->dense.label[s] ? 0 : expl(score(&p->dense, point, s, c) - own);
            sum += log1pl(others);
        }
    }
    for (size_t i = 0; i < p->f.dim; i++) {
        long double w = point[i], square = w * w;
        penalty += v.regularizer == HSGD_REGULARIZER_L2 ? square / 2 : v.regularizer ? square / (1 + square) : 0;
    }
    return (double)(sum / (start[worker + 1] - start[worker]) + 0.37 * penalty);
}

static void losses_are_those_of_the_definition(void **state)
{
    (void)state;
    for (size_t i = 0; i < VARIANTS; i++) {
        problem p;
        double point[MAX_DIM], grad[MAX_DIM];
        open_problem(&p, variant_of(i), 0);
        assert_int_equal(p.f.dim, i % 2 ? MAX_DIM : FEATURES);
        assert_int_equal(p.f.num_workers, WORKERS);
        for (size_t trial = 0; trial < 10; trial++) {
            draw_point(point, trial, 0.8);
            for (size_t j = 0; j < WORKERS; j++)
                assert_close(loss_of(&p, point, j, grad), loss_by_definition(&p, variant_of(i), point, j), 1e-13);
        }
        free_problem(&p);
    }
}

/* One sample x = 1 per worker and W = the scores: losses and residuals can be written down. */
static void extreme_scores(void **state)
{
    (void)state;
    double one[3] = {1, 1, 1}, scratch[2000], loss, grad[3];
    uint32_t label[3] = {0, 1, 2};
    const size_t each[] = {0, 1, 2, 3};
    hsgd_dataset two = {.num_samples = 2, .num_features = 1, .num_classes = 2, .dense = one, .label = label};
    hsgd_dataset three = {.num_samples = 3, .num_features = 1, .num_classes = 3, .dense = one, .label = label};
    hsgd_objective f = objective(HSGD_LINK_LOGISTIC, &two, each, 2, HSGD_REGULARIZER_NONE, 0);
    hsgd_objective g = objective(HSGD_LINK_SOFTMAX, &three, each, 3, HSGD_REGULARIZER_NONE, 0);
    for (double z = 1; z <= 1e300; z *= z < 800 ? 1.37 : 1e12)
        for (size_t j = 0; j < 2; j++) {
            double w = j ? z : -z; /* label j is right with margin z */
            f.type->full(&f, &w, &j, 1, &loss, grad, scratch);
            assert_close(loss, log1p(exp(-z)), 1e-15);
            assert_close(grad[0], (j ? -1 : 1) * exp(-z) / (1 + exp(-z)), 2e-15);
            w = -w;
            f.type->full(&f, &w, &j, 1, &loss, grad, scratch);
            assert_close(loss, z + log1p(exp(-z)), 1e-15);
            assert_close(grad[0], (j ? -1 : 1) / (1 + exp(-z)), 1e-15);
        }
    for (double z = 1; z <= 1e300; z *= z < 800 ? 1.37 : 1e12)
        for (size_t j = 0; j < 3; j++) {
            double w[3] = {0.3, 0.3, 0.3}, small = exp(0.3 - z); /* the others are z - 0.3 below */
            w[j] = z;
            g.type->full(&g, w, &j, 1, &loss, grad, scratch);
            assert_close(loss, log1p(2 * small), 1e-13);
            assert_close(grad[j], -2 * small / (1 + 2 * small), 1e-13); /* not 1/(1 + 2 small) - 1 */
            assert_close(grad[(j + 1) % 3], small / (1 + 2 * small), 1e-13);
            w[j] = -z;
            g.type->full(&g, w, &j, 1, &loss, grad, scratch);
            assert_close(loss, z + 0.3 + log(2) + log1p(exp(-z - 0.3) / 2), 1e-15);
            assert_close(grad[(j + 1) % 3], 1 / (2 + exp(-z - 0.3)), 1e-15);
        }
    hsgd_objective_free(&f);
    hsgd_objective_free(&g);
}

/* Margins of +-800 in a worker with many samples, next to ordinary ones. */
static void full_losses_far_out_are_finite(void **state)
{
    (void)state;
    for (size_t i = 0; i < VARIANTS; i++) {
        problem p;
        double point[MAX_DIM], grad[MAX_DIM];
        open_problem(&p, variant_of(i), 0);
        for (size_t trial = 0; trial < 5; trial++) {
            draw_point(point, trial, 300);
            for (size_t j = 0; j < WORKERS; j++) {
                assert_close(loss_of(&p, point, j, grad), loss_by_definition(&p, variant_of(i), point, j), 1e-12);
                for (size_t k = 0; k < p.f.dim; k++)
                    assert_true(isfinite(grad[k]));
            }
        }
        free_problem(&p);
    }
}

/* ---- gradients ---- */

typedef struct along {
    const problem *p;
    size_t worker, coordinate;
    double point[MAX_DIM];
} along;

static double loss_along(double x, void *context)
{
    along a = *(along *)context;
    double grad[MAX_DIM];
    a.point[a.coordinate] = x;
    return loss_of(a.p, a.point, a.worker, grad);
}

/* Largest difference between a claimed gradient and the central differences of the loss. */
static double gradient_error(along *a, const double *claimed)
{
    double worst = 0, derivative, error;
    for (a->coordinate = 0; a->coordinate < a->p->f.dim; a->coordinate++) {
        gsl_function g = {loss_along, a};
        gsl_deriv_central(&g, a->point[a->coordinate], 1e-3, &derivative, &error);
        worst = fmax(worst, fabs(derivative - claimed[a->coordinate]));
    }
    return worst;
}

static void gradients_are_derivatives(void **state)
{
    (void)state;
    for (size_t i = 0; i < VARIANTS; i++) {
        problem p;
        open_problem(&p, variant_of(i), 0);
        for (size_t trial = 0; trial < 10; trial++) {
            along a = {.p = &p, .worker = trial % WORKERS};
            double grad[MAX_DIM];
            draw_point(a.point, trial, trial % 2 ? 0.5 : 2);
            loss_of(&p, a.point, a.worker, grad);
            assert_at_most(gradient_error(&a, grad), 1e-8, 0);
            /* and the comparison notices one wrong coordinate, a wrong factor, and a missing regulariser */
            grad[trial % p.f.dim] += 1e-6;
            assert_true(gradient_error(&a, grad) > 1e-7);
            loss_of(&p, a.point, a.worker, grad);
            for (size_t k = 0; k < p.f.dim; k++)
                grad[k] *= 1.001;
            assert_true(gradient_error(&a, grad) > 1e-7);
            loss_of(&p, a.point, a.worker, grad);
            hsgd_regularizer_add(&(hsgd_regularizer){variant_of(i).regularizer, -0.37}, a.point, grad, p.f.dim);
            assert_true(!variant_of(i).regularizer || gradient_error(&a, grad) > 1e-7);
        }
        free_problem(&p);
    }
}

static void dense_and_sparse_give_the_same_numbers(void **state)
{
    (void)state;
    for (size_t i = 0; i < VARIANTS / 2; i++)
        for (size_t batch = 0; batch <= 150; batch += 75) {
            problem d, s;
            double point[MAX_DIM], dense[MAX_DIM], sparse[MAX_DIM];
            open_problem(&d, variant_of(i), batch);
            open_problem(&s, variant_of(i + VARIANTS / 2), batch);
            assert_non_null(s.sparse.value);
            for (size_t trial = 0; trial < 10; trial++) {
                size_t j = trial % WORKERS;
                draw_point(point, trial, 1.1);
                assert_close(loss_of(&d, point, j, dense), loss_of(&s, point, j, sparse), 1e-14);
                for (size_t k = 0; k < d.f.dim; k++)
                    assert_near(dense[k], sparse[k], 1e-14);
                d.f.type->stochastic(&d.f, point, j, batch, 5, trial, dense, d.scratch);
                s.f.type->stochastic(&s.f, point, j, batch, 5, trial, sparse, s.scratch);
                for (size_t k = 0; k < d.f.dim; k++)
                    assert_near(dense[k], sparse[k], 1e-14);
            }
            hsgd_constants c, e;
            assert_ok(d.f.type->constants(&d.f, batch, &c, &err), err);
            assert_ok(s.f.type->constants(&s.f, batch, &e, &err), err);
            assert_close(c.smoothness.value, e.smoothness.value, 1e-12);
            assert_close(c.noise_sq.value, e.noise_sq.value, 1e-13);
            free_problem(&d);
            free_problem(&s);
        }
}

static void many_workers_in_one_call(void **state)
{
    (void)state;
    const size_t order[] = {3, 1, 4, 0, 2, 1};
    for (size_t i = 0; i < VARIANTS; i++) {
        problem p;
        double point[MAX_DIM], loss[6], all[6 * MAX_DIM], one[MAX_DIM];
        open_problem(&p, variant_of(i), 0);
        draw_point(point, 77, 1);
        p.f.type->full(&p.f, point, order, 6, loss, all, p.scratch);
        for (size_t j = 0; j < 6; j++) {
            assert_true(loss_of(&p, point, order[j], one) == loss[j]);
            assert_memory_equal(one, all + j * p.f.dim, p.f.dim * sizeof *one);
        }
        free_problem(&p);
    }
}

/* The penalty of every point is its own, with and without losses. */
static void many_points_in_one_call(void **state)
{
    (void)state;
    const size_t order[] = {3, 1, 4, 0, 2, 1};
    for (size_t i = 0; i < VARIANTS; i++)
        for (size_t count = 1; count <= HSGD_POINTS_AT_ONCE; count++) {
            problem p;
            double point[6][MAX_DIM], loss[24], one_loss, all[24 * MAX_DIM], again[24 * MAX_DIM], one[MAX_DIM];
            const double *at[24];
            open_problem(&p, variant_of(i), 0);
            for (size_t k = 0; k < 6; k++)
                draw_point(point[k], k, 1);
            for (size_t k = 0; k < 6 * count; k++) /* one of its own and shared ones */
                at[k] = k % count ? point[k % count] : point[(k / count * 5) % 6];
            p.f.type->full_at(&p.f, at, count, order, 6, loss, all, p.scratch);
            p.f.type->full_at(&p.f, at, count, order, 6, NULL, again, p.scratch);
            assert_memory_equal(again, all, 6 * count * p.f.dim * sizeof *all);
            for (size_t k = 0; k < 6 * count; k++) {
                p.f.type->full(&p.f, at[k], order + k / count, 1, &one_loss, one, p.scratch);
                assert_true(one_loss == loss[k]);
                assert_memory_equal(one, all + k * p.f.dim, p.f.dim * sizeof *one);
            }
            free_problem(&p);
        }
}

/* ---- mini-batches ---- */

/* The gradient of each single sample: the objective in which every sample is a worker. samples (count, dim). */
static double *sample_gradients(variant v, const problem *p, size_t *dim)
{
    size_t each[SAMPLES + 1];
    for (size_t s = 0; s <= SAMPLES; s++)
        each[s] = s;
    hsgd_objective f = objective(v.link, &p->dense, each, SAMPLES, v.regularizer, 0.37);
    double *grad = malloc(SAMPLES * f.dim * sizeof *grad),
           *scratch = malloc(f.type->scratch_size(&f, 0) * sizeof *scratch);
    double point[MAX_DIM], loss;
    draw_point(point, 123, 0.9);
    for (size_t s = 0; s < SAMPLES; s++)
        f.type->full(&f, point, &s, 1, &loss, grad + s * f.dim, scratch);
    *dim = f.dim;
    free(scratch);
    hsgd_objective_free(&f);
    return grad;
}

/* A batch is the mean of the gradients of the samples that its stream names; batches of 1 that hit every sample once
 * average to the full gradient. */
static void batches_are_means_of_sample_gradients(void **state)
{
    (void)state;
    const size_t batches[] = {1, 2, 63, 64, 65, 150};
    for (size_t i = 0; i < VARIANTS; i++)
        for (size_t b = 0; b < 6; b++) {
            problem p;
            double point[MAX_DIM], grad[MAX_DIM], again[MAX_DIM];
            size_t dim, index[150], batch = batches[b];
            open_problem(&p, variant_of(i), batch);
            draw_point(point, 123, 0.9);
            double *sample = sample_gradients(variant_of(i), &p, &dim);
            for (size_t step = 0; step < 12; step++) {
                size_t j = step % WORKERS;
                double mean[MAX_DIM] = {0};
                p.f.type->stochastic(&p.f, point, j, batch, 31, step, grad, p.scratch);
                hsgd_stream stream = {31, HSGD_PURPOSE_BATCH, (uint32_t)j, step};
                hsgd_uniform_indices(&stream, 0, start[j + 1] - start[j], index, batch);
                for (size_t k = 0; k < batch; k++)
                    for (size_t c = 0; c < dim; c++)
                        mean[c] += sample[(start[j] + index[k]) * dim + c] / (double)batch;
                for (size_t c = 0; c < dim; c++)
                    assert_near(grad[c], mean[c], 1e-13);
                memset(p.scratch, 0x7f, p.f.type->scratch_size(&p.f, batch) * sizeof *p.scratch);
                p.f.type->stochastic(&p.f, point, j, batch, 31, step, again, p.scratch);
                assert_memory_equal(grad, again, dim * sizeof *grad);
            }
            free(sample);
            free_problem(&p);
        }
}

static void enumerated_batches_average_to_the_full_gradient(void **state)
{
    (void)state;
    for (size_t i = 0; i < VARIANTS; i++) {
        problem p;
        double point[MAX_DIM], full[MAX_DIM], grad[MAX_DIM];
        open_problem(&p, variant_of(i), 1);
        draw_point(point, 6, 0.9);
        for (size_t j = 0; j < WORKERS; j++) {
            size_t m = start[j + 1] - start[j], seen = 0, index;
            bool hit[SAMPLES] = {false};
            double mean[MAX_DIM] = {0};
            for (size_t step = 0; seen < m; step++) {
                hsgd_uniform_indices(&(hsgd_stream){9, HSGD_PURPOSE_BATCH, (uint32_t)j, step}, 0, m, &index, 1);
                if (hit[index])
                    continue;
                hit[index] = true;
                seen++;
                p.f.type->stochastic(&p.f, point, j, 1, 9, step, grad, p.scratch);
                for (size_t c = 0; c < p.f.dim; c++)
                    mean[c] += grad[c] / (double)m;
            }
            loss_of(&p, point, j, full);
            for (size_t c = 0; c < p.f.dim; c++)
                assert_near(mean[c], full[c], 1e-13);
        }
        free_problem(&p);
    }
}

/* 4000 batches of 3: every coordinate's mean within its interval, and the mean squared deviation within that of
 * (mean ||g_i||^2 - ||grad F||^2)/3 over the samples. Student t, two-sided, Bonferroni over the 6 (6 + 1) + 6 (24 + 1)
 * = 192 checks: false alarm 1e-9; the seed is fixed. */
static void random_batches_are_unbiased_with_the_right_variance(void **state)
{
    (void)state;
    enum { DRAWS = 4000, BATCH = 3, WORKER = 1 };
    for (size_t i = 0; i < VARIANTS; i++) {
        problem p;
        size_t dim, m = start[WORKER + 1] - start[WORKER];
        double point[MAX_DIM], full[MAX_DIM], variance = 0, *deviation_sq = calloc(DRAWS, sizeof(double));
        open_problem(&p, variant_of(i), BATCH);
        draw_point(point, 123, 0.9);
        double *sample = sample_gradients(variant_of(i), &p, &dim), *grad = malloc(DRAWS * dim * sizeof *grad);
        loss_of(&p, point, WORKER, full);
        for (size_t r = 0; r < DRAWS; r++) {
            p.f.type->stochastic(&p.f, point, WORKER, BATCH, 555, r, grad + r * dim, p.scratch);
            for (size_t c = 0; c < dim; c++)
                deviation_sq[r] += pow(grad[r * dim + c] - full[c], 2);
        }
        for (size_t c = 0; c < dim; c++) {
            hsgd_estimate e = hsgd_estimate_mean(grad + c, dim, DRAWS);
            assert_at_most(fabs(e.mean - full[c]), hsgd_half_width(e, 1 - 1e-9, 192), 0);
            for (size_t s = start[WORKER]; s < start[WORKER + 1]; s++)
                variance += pow(sample[s * dim + c] - full[c], 2) / (double)m;
        }
        hsgd_estimate e = hsgd_estimate_mean(deviation_sq, 1, DRAWS);
        assert_at_most(fabs(e.mean - variance / BATCH), hsgd_half_width(e, 1 - 1e-9, 192), 0);
        free(sample);
        free(grad);
        free(deviation_sq);
        free_problem(&p);
    }
}

/* ---- constants ---- */

static double distance(const double *x, const double *y, size_t dim)
{
    double sum = 0;
    for (size_t i = 0; i < dim; i++)
        sum += (x[i] - y[i]) * (x[i] - y[i]);
    return sqrt(sum);
}

/* ||grad F_j(a) - grad F_j(b)|| <= L ||a - b|| and (grad F_j(a) - grad F_j(b))'(a - b) >= mu ||a - b||^2 for every worker
 * and 2000 pairs, near and far, around the origin (where the curvature is largest) and away from it. Both hold for all
 * pairs, so that no draw of them raises a false alarm; the seed is fixed. */
static void gradients_are_lipschitz(void **state)
{
    (void)state;
    for (size_t i = 0; i < VARIANTS; i++) {
        problem p;
        hsgd_constants c;
        open_problem(&p, variant_of(i), 0);
        assert_ok(p.f.type->constants(&p.f, 0, &c, &err), err);
        for (size_t trial = 0; trial < 2000; trial++) {
            double a[MAX_DIM], b[MAX_DIM], at_a[MAX_DIM], at_b[MAX_DIM];
            draw_point(a, 2 * trial, pow(10, (double)(trial % 5) - 3));
            draw_point(b, 2 * trial + 1, pow(10, (double)(trial / 5 % 4) - 3));
            for (size_t k = 0; k < p.f.dim && trial % 2; k++)
                b[k] += a[k];
            for (size_t j = 0; j < WORKERS; j++) {
                loss_of(&p, a, j, at_a);
                loss_of(&p, b, j, at_b);
                double apart = distance(a, b, p.f.dim), growth = 0;
                assert_at_most(distance(at_a, at_b, p.f.dim), c.smoothness.value * apart, 1e-12);
                for (size_t k = 0; k < p.f.dim; k++)
                    growth += (at_a[k] - at_b[k]) * (a[k] - b[k]);
                assert_true(growth >= c.convexity * apart * apart - 1e-12 * c.smoothness.value * apart * apart);
            }
        }
        free_problem(&p);
    }
}

/* <grad F_j(a) - grad F_j(b), a - b> >= mu ||a - b||^2 for the same kind of pairs. */
static void gradients_are_monotone_up_to_mu(void **state)
{
    (void)state;
    const double mu[] = {0, 0.37, -0.185};
    for (size_t i = 0; i < VARIANTS; i++) {
        problem p;
        hsgd_constants c;
        open_problem(&p, variant_of(i), 0);
        assert_ok(p.f.type->constants(&p.f, 0, &c, &err), err);
        assert_close(c.convexity, mu[variant_of(i).regularizer], 0);
        for (size_t trial = 0; trial < 500; trial++) {
            double a[MAX_DIM], b[MAX_DIM], at_a[MAX_DIM], at_b[MAX_DIM], inner = 0;
            draw_point(a, 2 * trial, pow(10, (double)(trial % 5) - 3));
            draw_point(b, 2 * trial + 1, pow(10, (double)(trial / 5 % 4) - 3));
            loss_of(&p, a, trial % WORKERS, at_a);
            loss_of(&p, b, trial % WORKERS, at_b);
            for (size_t k = 0; k < p.f.dim; k++)
                inner += (at_a[k] - at_b[k]) * (a[k] - b[k]);
            double apart = distance(a, b, p.f.dim);
            assert_true(inner >= c.convexity * apart * apart - 1e-13 * apart * (apart + 1));
        }
        free_problem(&p);
    }
}

/* Along a feature that is 0 in all samples F_j is the regulariser: the smallest curvature is attained, at w = 1 for the
 * non-convex one. */
static void convexity_is_attained(void **state)
{
    (void)state;
    double x[] = {1.7, 0, -0.6, 0}, scratch[2000], loss, plus[4], minus[4];
    uint32_t label[] = {0, 1};
    const size_t both[] = {0, 2}, worker = 0;
    hsgd_dataset d = {.num_samples = 2, .num_features = 2, .num_classes = 2, .dense = x, .label = label};
    for (int i = 0; i < 6; i++) {
        hsgd_constants c;
        hsgd_objective f = objective(i % 2 ? HSGD_LINK_SOFTMAX : HSGD_LINK_LOGISTIC, &d, both, 1,
                                     (hsgd_regularizer_type)(i / 2), 0.83);
        assert_ok(f.type->constants(&f, 3, &c, &err), err);
        f.type->full(&f, (double[]){0.4, 1 + 1e-4, 0.2, 0.9}, &worker, 1, &loss, plus, scratch);
        f.type->full(&f, (double[]){0.4, 1 - 1e-4, 0.2, 0.9}, &worker, 1, &loss, minus, scratch);
        assert_near((plus[1] - minus[1]) / 2e-4, c.convexity, 1e-7);
        hsgd_objective_free(&f);
    }
}

/* At the origin all samples have curvature 1/4 (logistic) or 1/2 (softmax of two classes, along w_0 = -w_1), and both
 * regularisers have their largest: along the first eigenvector of the worst worker's X'X the constant is attained. */
static void smoothness_is_attained(void **state)
{
    (void)state;
    for (int softmax = 0; softmax < 2; softmax++)
        for (int type = HSGD_REGULARIZER_NONE; type <= HSGD_REGULARIZER_NONCONVEX; type++) {
            hsgd_dataset d = class_data(SAMPLES, FEATURES, 2, 1.3);
            hsgd_objective f = objective(softmax ? HSGD_LINK_SOFTMAX : HSGD_LINK_LOGISTIC, &d, start, WORKERS,
                                         (hsgd_regularizer_type)type, 0.37);
            double *scratch = malloc(f.type->scratch_size(&f, 0) * sizeof *scratch), best = 0;
            hsgd_constants c;
            assert_ok(f.type->constants(&f, 0, &c, &err), err);
            for (size_t j = 0; j < WORKERS; j++) {
                double v[2 * FEATURES] = {1, 0.5, -0.3, 0.8, 0.2, -0.9}, plus[2 * FEATURES], minus[2 * FEATURES], loss;
                /* power iteration with the Hessian at 0 itself, by differences of gradients */
                for (int sweep = 0; sweep < 3000; sweep++) {
                    double norm = 0;
                    for (size_t k = 0; k < FEATURES && softmax; k++)
                        v[FEATURES + k] = -v[k];
                    for (size_t k = 0; k < f.dim; k++)
                        norm += v[k] * v[k];
                    for (size_t k = 0; k < f.dim; k++)
                        v[k] *= 1e-5 / sqrt(norm);
                    f.type->full(&f, v, &j, 1, &loss, plus, scratch);
                    for (size_t k = 0; k < f.dim; k++)
                        v[k] = -v[k];
                    f.type->full(&f, v, &j, 1, &loss, minus, scratch);
                    best = fmax(best, distance(plus, minus, f.dim) / 2e-5);
                    for (size_t k = 0; k < f.dim; k++)
                        v[k] = plus[k] - minus[k];
                }
            }
            assert_close(best, c.smoothness.value, 1e-6);
            assert_int_equal(c.smoothness.kind, HSGD_CERTIFIED);
            free(scratch);
            hsgd_objective_free(&f);
            hsgd_dataset_free(&d);
        }
}

/* The exact mini-batch variance of every worker, at points from the origin to far out, stays below sigma^2: everywhere,
 * so that no draw of the points raises a false alarm; the seed is fixed. */
static void noise_constant_bounds_the_variance(void **state)
{
    (void)state;
    for (size_t i = 0; i < VARIANTS; i++)
        for (size_t trial = 0; trial < 40; trial++) {
            problem p;
            size_t each[SAMPLES + 1];
            double point[MAX_DIM], grad[MAX_DIM], full[MAX_DIM], loss;
            hsgd_constants c;
            open_problem(&p, variant_of(i), 7);
            for (size_t s = 0; s <= SAMPLES; s++)
                each[s] = s;
            hsgd_objective single =
                objective(variant_of(i).link, &p.dense, each, SAMPLES, variant_of(i).regularizer, 0.37);
            assert_ok(p.f.type->constants(&p.f, 7, &c, &err), err);
            draw_point(point, trial, pow(10, (double)(trial % 5) - 2));
            for (size_t j = 0; j < WORKERS; j++) {
                double variance = 0;
                loss_of(&p, point, j, full);
                for (size_t s = start[j]; s < start[j + 1]; s++) {
                    single.type->full(&single, point, &s, 1, &loss, grad, p.scratch);
                    variance += pow(distance(grad, full, p.f.dim), 2) / (double)(start[j + 1] - start[j]);
                }
                assert_at_most(variance / 7, c.noise_sq.value, 0);
            }
            hsgd_objective_free(&single);
            free_problem(&p);
        }
}

/* x = (1, 30) and (1, -30), both of class 0 and both classified wrongly with certainty: the gradients are x times the
 * residual, 1 or (-1, 1), so the variance is 900 or 1800 and the bound 901 or 1802, over b. */
static void noise_constant_is_nearly_attained(void **state)
{
    (void)state;
    double x[] = {1, 30, 1, -30}, loss, grad[4], full[4], scratch[2000];
    uint32_t label[] = {0, 0};
    const size_t both[] = {0, 2}, each[] = {0, 1, 2};
    hsgd_dataset d = {.num_samples = 2, .num_features = 2, .num_classes = 2, .dense = x, .label = label};
    for (int softmax = 0; softmax < 2; softmax++) {
        hsgd_link link = softmax ? HSGD_LINK_SOFTMAX : HSGD_LINK_LOGISTIC;
        hsgd_objective f = objective(link, &d, both, 1, HSGD_REGULARIZER_NONE, 0);
        hsgd_objective single = objective(link, &d, each, 2, HSGD_REGULARIZER_NONE, 0);
        const double point[] = {softmax ? -500 : 500, 0, 500, 0};
        hsgd_constants c;
        double variance = 0;
        assert_ok(f.type->constants(&f, 4, &c, &err), err);
        assert_close(c.noise_sq.value, (softmax ? 1802.0 : 901.0) / 4, 1e-13);
        f.type->full(&f, point, (size_t[]){0}, 1, &loss, full, scratch);
        for (size_t s = 0; s < 2; s++) {
            single.type->full(&single, point, &s, 1, &loss, grad, scratch);
            variance += pow(distance(grad, full, f.dim), 2) / 2;
        }
        assert_close(variance / 4, (softmax ? 1800.0 : 900.0) / 4, 1e-13);
        hsgd_objective_free(&f);
        hsgd_objective_free(&single);
    }
}

static void kinds_and_scaling(void **state)
{
    (void)state;
    problem p;
    hsgd_constants none, one, ten;
    open_problem(&p, variant_of(4), 0);
    assert_ok(p.f.type->constants(&p.f, 0, &none, &err), err);
    assert_ok(p.f.type->constants(&p.f, 1, &one, &err), err);
    assert_ok(p.f.type->constants(&p.f, 10, &ten, &err), err);
    assert_true(none.noise_sq.value == 0);
    assert_int_equal(none.noise_sq.kind, HSGD_EXACT);
    assert_int_equal(ten.noise_sq.kind, HSGD_CERTIFIED);
    assert_close(one.noise_sq.value, 10 * ten.noise_sq.value, 1e-15);
    assert_true(one.minimum.value == 0);
    assert_int_equal(one.minimum.kind, HSGD_CERTIFIED);
    assert_close(one.convexity, -0.37 / 2, 0); /* variant 4 has the non-convex regulariser */
    assert_string_equal(hsgd_constant_kind_name(HSGD_EXACT), "exact");
    assert_string_equal(hsgd_constant_kind_name(HSGD_CERTIFIED), "certified");
    assert_string_equal(hsgd_constant_kind_name(HSGD_TRAJECTORY), "trajectory");
    free_problem(&p);
}

static void impossible_models_are_refused(void **state)
{
    (void)state;
    hsgd_dataset d = class_data(SAMPLES, FEATURES, 3, 1.3);
    hsgd_objective f;
    hsgd_regularizer none = {HSGD_REGULARIZER_NONE, 0};
    assert_fails(hsgd_linear_model_objective(&f, HSGD_LINK_LOGISTIC, &d, start, WORKERS, none, &err), HSGD_ERROR_INPUT,
                 "two classes; the data have 3", err);
    const size_t hole[] = {0, 5, 5, SAMPLES}, beyond[] = {0, 5, SAMPLES + 1};
    assert_fails(hsgd_linear_model_objective(&f, HSGD_LINK_SOFTMAX, &d, hole, 3, none, &err), HSGD_ERROR_INPUT,
                 "worker 1 has no sample", err);
    assert_fails(hsgd_linear_model_objective(&f, HSGD_LINK_SOFTMAX, &d, beyond, 2, none, &err), HSGD_ERROR_INPUT,
                 "the workers hold", err);
    const double bad[] = {-0.1, NAN, INFINITY};
    for (size_t i = 0; i < 3; i++) {
        hsgd_regularizer r = {HSGD_REGULARIZER_L2, bad[i]};
        assert_fails(hsgd_linear_model_objective(&f, HSGD_LINK_SOFTMAX, &d, start, WORKERS, r, &err), HSGD_ERROR_INPUT,
                     "weight", err);
    }
    hsgd_dataset_free(&d);
}

int main(void)
{
    gsl_set_error_handler_off();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(losses_are_those_of_the_definition),
        cmocka_unit_test(extreme_scores),
        cmocka_unit_test(full_losses_far_out_are_finite),
        cmocka_unit_test(gradients_are_derivatives),
        cmocka_unit_test(dense_and_sparse_give_the_same_numbers),
        cmocka_unit_test(many_workers_in_one_call),
        cmocka_unit_test(many_points_in_one_call),
        cmocka_unit_test(batches_are_means_of_sample_gradients),
        cmocka_unit_test(enumerated_batches_average_to_the_full_gradient),
        cmocka_unit_test(random_batches_are_unbiased_with_the_right_variance),
        cmocka_unit_test(gradients_are_lipschitz),
        cmocka_unit_test(gradients_are_monotone_up_to_mu),
        cmocka_unit_test(convexity_is_attained),
        cmocka_unit_test(smoothness_is_attained),
        cmocka_unit_test(noise_constant_bounds_the_variance),
        cmocka_unit_test(noise_constant_is_nearly_attained),
        cmocka_unit_test(kinds_and_scaling),
        cmocka_unit_test(impossible_models_are_refused),
    };
    return cmocka_run_group_tests_name("linear_model", tests, NULL, NULL);
}
