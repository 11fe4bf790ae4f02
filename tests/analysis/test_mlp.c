/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Multilayer perceptrons: losses against a plain long double network written from mlp.h alone, a two-layer network by hand,
 * gradients against finite differences, depth 0 against softmax regression, mini-batches by enumeration, the noise sample by
 * sample, both precisions against each other, and the same bits whatever the threads, the order and the vector path are. */
#include "tests/test.h"

#include <gsl/gsl_errno.h>

#include "analysis/engine.h"
#include "analysis/linear_model.h"
#include "analysis/mlp.h"
#include "analysis/mlp_private.h"
#include "analysis/partition.h"
#include "analysis/threads.h"
#include "tests/analysis/class_data.h"
#include "tests/analysis/paths.h"
#include "tests/analysis/trees.h"

static hsgd_error err;

/* ---- data: four workers with 5, 1, 230 and 34 samples, of which one fills several blocks ---- */

enum { FEATURES = 7, WORKERS = 4, SAMPLES = 270, CLASSES = 5, MAX_DIM = 600 };
static const size_t start[WORKERS + 1] = {0, 5, 6, 236, SAMPLES};

/* Depths 0 to 3, both activations, dense and sparse, every regulariser. */
enum { VARIANTS = 16 };
static const hsgd_regularizer regularizer[] = {
    {HSGD_REGULARIZER_NONE, 0}, {HSGD_REGULARIZER_L2, 0.37}, {HSGD_REGULARIZER_NONCONVEX, 0.21}};

typedef struct problem {
    hsgd_dataset dense, sparse;
    hsgd_mlp_spec spec;
    hsgd_regularizer regularizer;
    hsgd_objective f;
    double *scratch, point[MAX_DIM];
} problem;

static void make(problem *p, size_t variant, hsgd_precision precision)
{
    memset(p, 0, sizeof *p);
    p->dense = class_data(SAMPLES, FEATURES, CLASSES, 1.1);
    p->sparse = sparse_copy(&p->dense);
    p->spec = (hsgd_mlp_spec){.num_hidden = variant % 4,
                              .hidden = {9, 6, 11},
                              .activation = variant / 4 % 2 ? HSGD_ACTIVATION_TANH : HSGD_ACTIVATION_RELU,
                              .precision = precision};
    p->regularizer = regularizer[variant % 3];
    const hsgd_dataset *data = variant / 8 ? &p->sparse : &p->dense;
    assert_ok(hsgd_mlp_objective(&p->f, &p->spec, data, start, WORKERS, p->regularizer, &err), err);
    assert_true(p->f.dim <= MAX_DIM);
    size_t size = p->f.type->scratch_size(&p->f, 3), in_double = hsgd_mlp_room_size(p->f.state, HSGD_PRECISION_DOUBLE);
    p->scratch = malloc((size > in_double ? size : in_double) * sizeof *p->scratch);
    hsgd_normals(&(hsgd_stream){8, HSGD_PURPOSE_USER, 1, variant}, 0.4, p->point, p->f.dim);
}

static void drop(problem *p)
{
    hsgd_objective_free(&p->f);
    hsgd_dataset_free(&p->dense);
    hsgd_dataset_free(&p->sparse);
    free(p->scratch);
}

static double loss_and_gradient(const problem *p, const double *point, size_t worker, double *grad)
{
    double loss;
    p->f.type->full(&p->f, point, &worker, 1, &loss, grad, p->scratch);
    return loss;
}

static void numbers_are_close(const double *a, const double *b, size_t count, double tolerance)
{
    double norm = sqrt(hsgd_norm_sq(b, count));
    for (size_t i = 0; i < count; i++)
        check_close(a[i], b[i], tolerance, norm, "entry", __FILE__, __LINE__);
}

/* ---- losses ---- */

/* The scores of one sample, layer by layer as at the head of mlp.h. */
static void plain_scores(const problem *p, const double *w, const double *x, long double *score)
{
    long double a[16], z[16];
    size_t in = FEATURES;
    for (size_t i = 0; i < in; i++)
        a[i] = x[i];
    for (size_t l = 0; l <= p->spec.num_hidden; l++) {
        bool last = l == p->spec.num_hidden;
        size_t out = last ? CLASSES : p->spec.hidden[l];
        for (size_t o = 0; o < out; o++) {
            z[o] = w[out * in + o];
            for (size_t i = 0; i < in; i++)
                z[o] += w[o * in + i] * a[i];
        }
        w += out * (in + 1);
        for (size_t o = 0; o < out; o++)
            a[o] = last ? z[o] : p->spec.activation == HSGD_ACTIVATION_TANH ? tanhl(z[o]) : fmaxl(z[o], 0);
        in = out;
    }
    memcpy(score, a, CLASSES * sizeof *score);
}

/* The sum of the losses of some samples, and how many have their label's score on top. */
static double plain_losses(const problem *p, const double *w, size_t first, size_t count, size_t *num_right)
{
    long double sum = 0, score[CLASSES];
    *num_right = 0;
    for (size_t s = first; s < first + count; s++) {
        long double total = 0;
        bool top = true;
        plain_scores(p, w, p->dense.dense + s * FEATURES, score);
        for (size_t c = 0; c < CLASSES; c++) {
            total += expl(score[c]);
            top = top && score[c] <= score[p->dense.label[s]];
        }
        sum += logl(total) - score[p->dense.label[s]];
        *num_right += top;
    }
    return (double)sum;
}

static double penalty(const problem *p)
{
    double sum = 0;
    for (size_t i = 0; i < p->f.dim; i++) {
        double square = p->point[i] * p->point[i];
        sum += p->regularizer.type == HSGD_REGULARIZER_L2 ? square / 2 : square / (1 + square);
    }
    return p->regularizer.weight * sum;
}

static void losses_are_those_of_a_plain_network(void **state)
{
    (void)state;
    for (size_t v = 0; v < VARIANTS; v++) {
        problem p;
        double grad[MAX_DIM];
        make(&p, v, HSGD_PRECISION_DOUBLE);
        for (size_t j = 0; j < WORKERS; j++) {
            size_t m = start[j + 1] - start[j], right;
            double want = plain_losses(&p, p.point, start[j], m, &right) / (double)m + penalty(&p);
            assert_close(loss_and_gradient(&p, p.point, j, grad), want, 1e-13);
        }
        drop(&p);
    }
}

/* Without the regulariser, over any samples of any kind of data. */
static void evaluation_counts_what_a_plain_network_predicts(void **state)
{
    (void)state;
    static const size_t first[] = {0, 3, 100, 269}, count[] = {SAMPLES, 99, 97, 1};
    for (size_t v = 0; v < VARIANTS; v++)
        for (size_t i = 0; i < 4; i++) {
            problem p;
            double loss;
            size_t right, plainly_right;
            make(&p, v, i % 2 ? HSGD_PRECISION_SINGLE : HSGD_PRECISION_DOUBLE);
            const hsgd_dataset *other = v / 8 ? &p.dense : &p.sparse; /* not the kind it was made with */
            p.f.type->evaluate(&p.f, p.point, other, first[i], count[i], &loss, &right, p.scratch);
            double want = plain_losses(&p, p.point, first[i], count[i], &plainly_right);
            assert_close(loss, want, i % 2 ? 1e-5 : 1e-13);
            assert_int_equal(right, plainly_right);
            drop(&p);
        }
}

/* Two features, two hidden units of which ReLU silences one, two classes, x = (1, -2) and y = 1: only the first unit acts, so
 * the second has no gradient. */
static void a_network_by_hand(void **state)
{
    (void)state;
    double x[2] = {1, -2}, loss, grad[12], scratch[3000];
    uint32_t label = 1;
    const size_t one[2] = {0, 1}, worker = 0;
    hsgd_dataset data = {.num_samples = 1, .num_features = 2, .num_classes = 2, .dense = x, .label = &label};
    const hsgd_mlp_spec spec = {.num_hidden = 1, .hidden = {2}};
    /* W_1 = [0.5 -0.25; 1 1], b_1 = (0.25, 0.5); W_2 = [1 3; -1 2], b_2 = (0.125, 0.375) */
    const double w[12] = {0.5, -0.25, 1, 1, 0.25, 0.5, 1, 3, -1, 2, 0.125, 0.375};
    hsgd_objective f;
    assert_ok(hsgd_mlp_objective(&f, &spec, &data, one, 1, (hsgd_regularizer){HSGD_REGULARIZER_NONE, 0}, &err), err);
    assert_int_equal(f.dim, 12);
    assert_true(f.type->scratch_size(&f, 1) <= sizeof scratch / sizeof *scratch);
    f.type->full(&f, w, &worker, 1, &loss, grad, scratch);
    /* z_1 = (0.5 + 0.5 + 0.25, 1 - 2 + 0.5) = (1.25, -0.5), a = (1.25, 0); z_2 = (1.375, -0.875): the margin is -2.25 */
    double p0 = 1 / (1 + exp(-2.25));
    assert_close(loss, log1p(exp(2.25)), 1e-15);
    /* r_2 = (p0, -p0); r_1 = W_2' r_2 on unit 1: p0 (1 - -1) = 2 p0 */
    const double want[12] = {2 * p0, -4 * p0, 0, 0, 2 * p0, 0, 1.25 * p0, 0, -1.25 * p0, 0, p0, -p0};
    for (size_t i = 0; i < 12; i++)
        assert_near(grad[i], want[i], 1e-15);
    hsgd_objective_free(&f);
}

/* ---- gradients ---- */

static void gradients_match_finite_differences(void **state)
{
    (void)state;
    for (size_t v = 0; v < VARIANTS; v++) {
        problem p;
        double grad[MAX_DIM], unused[MAX_DIM], point[MAX_DIM];
        const double h = 1e-5;
        make(&p, v, HSGD_PRECISION_DOUBLE);
        for (size_t j = 0; j < WORKERS; j++) {
            loss_and_gradient(&p, p.point, j, grad);
            memcpy(point, p.point, sizeof point);
            for (size_t i = 0; i < p.f.dim; i++) {
                point[i] = p.point[i] + h;
                double above = loss_and_gradient(&p, point, j, unused);
                point[i] = p.point[i] - h;
                double below = loss_and_gradient(&p, point, j, unused);
                point[i] = p.point[i];
                assert_near(grad[i], (above - below) / (2 * h), p.spec.activation ? 3e-9 : 2e-6); /* kinks */
            }
        }
        drop(&p);
    }
}

/* Relative to the norm: a few hundred roundings of 6e-8 each. And they do differ: single precision is in use. */
static void both_precisions_agree_to_rounding(void **state)
{
    (void)state;
    for (size_t v = 0; v < VARIANTS; v++) {
        problem p, q;
        double a[MAX_DIM], b[MAX_DIM];
        make(&p, v, HSGD_PRECISION_DOUBLE);
        make(&q, v, HSGD_PRECISION_SINGLE);
        for (size_t j = 0; j < WORKERS; j++) {
            double loss = loss_and_gradient(&p, p.point, j, a);
            assert_close(loss_and_gradient(&q, p.point, j, b), loss, 2e-6);
            numbers_are_close(b, a, p.f.dim, 2e-6);
            assert_memory_not_equal(a, b, p.f.dim * sizeof *a);
            p.f.type->stochastic(&p.f, p.point, j, 150, 3, 9, a, p.scratch);
            q.f.type->stochastic(&q.f, p.point, j, 150, 3, 9, b, q.scratch);
            numbers_are_close(b, a, p.f.dim, 2e-6);
        }
        drop(&p);
        drop(&q);
    }
}

/* W_1 and b_1 in turn are the columns of the linear model's W, whose last feature is 1. */
static void depth_0_is_softmax_regression(void **state)
{
    (void)state;
    for (int sparse = 0; sparse < 2; sparse++) {
        problem p;
        hsgd_objective f;
        double w[MAX_DIM], grad[MAX_DIM], linear[MAX_DIM], loss;
        make(&p, 1 + 3 + 8 * (size_t)sparse, HSGD_PRECISION_DOUBLE); /* depth 0, tanh */
        assert_int_equal(p.spec.num_hidden, 0);
        hsgd_dataset data = sparse ? sparse_copy(&p.dense) : class_data(SAMPLES, FEATURES, CLASSES, 1.1);
        assert_ok(hsgd_dataset_add_intercept(&data, &err), err);
        assert_ok(hsgd_linear_model_objective(&f, HSGD_LINK_SOFTMAX, &data, start, WORKERS, p.regularizer, &err), err);
        assert_int_equal(f.dim, p.f.dim);
        double *scratch = malloc(f.type->scratch_size(&f, 20) * sizeof *scratch);
        for (size_t c = 0; c < CLASSES; c++)
            for (size_t i = 0; i <= FEATURES; i++)
                w[c * (FEATURES + 1) + i] = p.point[i < FEATURES ? c * FEATURES + i : CLASSES * FEATURES + c];
        for (size_t round = 0; round < 2 * WORKERS; round++) {
            size_t j = round / 2;
            if (round % 2) {
                f.type->stochastic(&f, w, j, 20, 4, 11, linear, scratch);
                p.f.type->stochastic(&p.f, p.point, j, 20, 4, 11, grad, p.scratch);
            } else {
                f.type->full(&f, w, &j, 1, &loss, linear, scratch);
                assert_close(loss_and_gradient(&p, p.point, j, grad), loss, 1e-14);
            }
            for (size_t c = 0; c < CLASSES; c++)
                for (size_t i = 0; i <= FEATURES; i++)
                    assert_near(grad[i < FEATURES ? c * FEATURES + i : CLASSES * FEATURES + c],
                                linear[c * (FEATURES + 1) + i], 1e-14);
        }
        free(scratch);
        hsgd_objective_free(&f);
        hsgd_dataset_free(&data);
        drop(&p);
    }
}

/* All 25 mini-batches of two of a worker's five samples, each found among the steps by the draws of its stream: the mean of
 * their gradients is the full one. */
static void mini_batches_are_unbiased(void **state)
{
    (void)state;
    enum { M = 5, BATCHES = M * M };
    for (size_t v = 0; v < VARIANTS; v++) {
        problem p;
        double mean[MAX_DIM] = {0}, grad[MAX_DIM];
        bool met[BATCHES] = {false};
        size_t left = BATCHES, draw[2];
        make(&p, v, HSGD_PRECISION_DOUBLE);
        for (uint64_t t = 0; left > 0; t++) {
            assert_true(t < 2000);
            hsgd_uniform_indices(&(hsgd_stream){17, HSGD_PURPOSE_BATCH, 0, t}, 0, M, draw, 2);
            if (met[draw[0] * M + draw[1]])
                continue;
            met[draw[0] * M + draw[1]] = true;
            left--;
            p.f.type->stochastic(&p.f, p.point, 0, 2, 17, t, grad, p.scratch);
            for (size_t i = 0; i < p.f.dim; i++)
                mean[i] += grad[i] / BATCHES;
        }
        loss_and_gradient(&p, p.point, 0, grad);
        numbers_are_close(mean, grad, p.f.dim, 1e-14);
        drop(&p);
    }
}

/* Batches beyond a block: the mean of those of 2 at a time would be another draw, so sample by sample from the indices. */
static void large_batches_are_means_over_their_samples(void **state)
{
    (void)state;
    enum { BATCH = 2 * HSGD_MLP_BLOCK_ROWS + 10 };
    problem p;
    double grad[MAX_DIM], sum[MAX_DIM] = {0}, one[MAX_DIM], loss;
    static size_t row[BATCH];
    make(&p, 6, HSGD_PRECISION_DOUBLE); /* two hidden layers, tanh, no regulariser: weight 0 of the same */
    hsgd_uniform_indices(&(hsgd_stream){2, HSGD_PURPOSE_BATCH, 2, 7}, 0, 230, row, BATCH);
    p.f.type->stochastic(&p.f, p.point, 2, BATCH, 2, 7, grad, p.scratch);
    for (size_t i = 0; i < BATCH; i++) {
        const size_t alone[2] = {start[2] + row[i], start[2] + row[i] + 1}, worker = 0;
        hsgd_objective f;
        assert_ok(hsgd_mlp_objective(&f, &p.spec, &p.dense, alone, 1, p.regularizer, &err), err);
        f.type->full(&f, p.point, &worker, 1, &loss, one, p.scratch);
        for (size_t k = 0; k < f.dim; k++)
            sum[k] += one[k] / BATCH;
        hsgd_objective_free(&f);
    }
    numbers_are_close(grad, sum, p.f.dim, 1e-14);
    drop(&p);
}

/* ---- constants ---- */

/* The variance from the samples' own gradients, each from an objective with that sample alone. */
static void noise_is_that_of_single_samples(void **state)
{
    (void)state;
    for (size_t v = 0; v < VARIANTS; v++) {
        problem p;
        double mean[MAX_DIM], one[MAX_DIM], work[MAX_DIM], loss, variance = 0;
        make(&p, v, HSGD_PRECISION_SINGLE); /* computed in double even so */
        hsgd_mlp_spec spec = p.spec;
        spec.precision = HSGD_PRECISION_DOUBLE;
        const size_t worker = 0;
        for (int pass = 0; pass < 2; pass++) {
            memset(mean, 0, pass ? 0 : sizeof mean);
            for (size_t s = start[3]; s < start[4]; s++) {
                const size_t alone[2] = {s, s + 1};
                hsgd_objective f;
                assert_ok(hsgd_mlp_objective(&f, &spec, &p.dense, alone, 1, p.regularizer, &err), err);
                double *scratch = malloc(f.type->scratch_size(&f, 1) * sizeof *scratch);
                f.type->full(&f, p.point, &worker, 1, &loss, one, scratch);
                for (size_t i = 0; i < f.dim; i++)
                    if (pass)
                        variance += (one[i] - mean[i]) * (one[i] - mean[i]) / 34;
                    else
                        mean[i] += one[i] / 34;
                free(scratch);
                hsgd_objective_free(&f);
            }
        }
        assert_close(hsgd_mlp_noise_sq(&p.f, p.point, 3, work, p.scratch), variance, 1e-12);
        drop(&p);
    }
}

/* L and sigma^2 are estimates that no point met afterwards should exceed by much; the rest is proved or unknown. */
static void constants_have_their_kinds(void **state)
{
    (void)state;
    problem p;
    hsgd_constants c;
    double work[MAX_DIM];
    make(&p, 5, HSGD_PRECISION_DOUBLE);
    hsgd_mlp_set_start(&p.f, p.point);
    assert_ok(p.f.type->constants(&p.f, 4, &c, &err), err);
    assert_int_equal(c.smoothness.kind, HSGD_ESTIMATE);
    assert_int_equal(c.noise_sq.kind, HSGD_ESTIMATE);
    assert_true(c.minimum.kind == HSGD_CERTIFIED && c.minimum.value == 0);
    assert_true(c.convexity == -INFINITY);
    for (size_t j = 0; j < WORKERS; j++) /* with the factor of 2, for batches of 4 */
        assert_at_most(2 * hsgd_mlp_noise_sq(&p.f, p.point, j, work, p.scratch) / 4, c.noise_sq.value, 1e-12);
    assert_ok(p.f.type->constants(&p.f, 0, &c, &err), err);
    assert_true(c.noise_sq.value == 0 && c.noise_sq.kind == HSGD_EXACT);
    p.point[3] = INFINITY;
    hsgd_mlp_set_start(&p.f, p.point);
    assert_fails(p.f.type->constants(&p.f, 4, &c, &err), HSGD_ERROR_INPUT, "smaller scale", err);
    drop(&p);
}

/* ---- starting points ---- */

static void starting_points_have_the_stated_variance(void **state)
{
    (void)state;
    enum { IN = 300, HIDDEN = 200 };
    hsgd_dataset data = {.num_samples = 1, .num_features = IN, .num_classes = 3};
    double *x = calloc(IN, sizeof *x);
    uint32_t label = 0;
    const size_t one[2] = {0, 1};
    data.dense = x;
    data.label = &label;
    for (int tanh_too = 0; tanh_too < 2; tanh_too++) {
        hsgd_mlp_spec spec = {.num_hidden = 1, .hidden = {HIDDEN}, .activation = (hsgd_activation)tanh_too};
        hsgd_objective f;
        assert_ok(hsgd_mlp_objective(&f, &spec, &data, one, 1, regularizer[0], &err), err);
        double *w = malloc(f.dim * sizeof *w), first = tanh_too ? 2.0 / (IN + HIDDEN) : 2.0 / IN,
               second = tanh_too ? 2.0 / (HIDDEN + 3) : 2.0 / HIDDEN;
        hsgd_mlp_draw(&f, 1.5, 3, w);
        const double *b1 = w + IN * HIDDEN, *w2 = b1 + HIDDEN, *b2 = w2 + 3 * HIDDEN;
        assert_close(hsgd_norm_sq(w, IN * HIDDEN) / (IN * HIDDEN), 2.25 * first, 0.03); /* 5 deviations */
        assert_close(hsgd_norm_sq(w2, 3 * HIDDEN) / (3 * HIDDEN), 2.25 * second, 0.3);
        assert_true(hsgd_norm_sq(b1, HIDDEN) == 0 && hsgd_norm_sq(b2, 3) == 0);
        free(w);
        hsgd_objective_free(&f);
    }
    free(x);
}

/* ---- the same bits ---- */

static void paths_and_company_change_no_bit(void **state)
{
    (void)state;
    for (size_t v = 0; v < 2 * VARIANTS; v++) {
        problem p;
        double want[WORKERS * MAX_DIM], got[WORKERS * MAX_DIM], loss[WORKERS], other[WORKERS];
        const size_t backwards[WORKERS] = {3, 2, 1, 0};
        make(&p, v % VARIANTS, v < VARIANTS ? HSGD_PRECISION_DOUBLE : HSGD_PRECISION_SINGLE);
        size_t bytes = p.f.dim * sizeof *got;
        hsgd_vector_limit(HSGD_PATH_PORTABLE);
        for (size_t j = 0; j < WORKERS; j++)
            loss[j] = loss_and_gradient(&p, p.point, j, want + j * p.f.dim);
        for_each_path(path)
        {
            p.f.type->full(&p.f, p.point, backwards, WORKERS, other, got, p.scratch);
            for (size_t j = 0; j < WORKERS; j++) {
                assert_memory_equal(got + j * p.f.dim, want + (3 - j) * p.f.dim, bytes);
                assert_true(other[j] == loss[3 - j]);
            }
        }
        drop(&p);
    }
}

static void run(const problem *p, int threads, uint64_t shuffle, hsgd_trace *out)
{
    const size_t fanout[] = {2, 2}, periods[] = {4, 2};
    hsgd_hierarchy h = uniform(fanout, periods, 2);
    hsgd_simulation s = {.objective = &p->f,
                         .hierarchy = &h,
                         .initial = p->point,
                         .step_size = 0.07,
                         .steps = 13,
                         .batch_size = 3,
                         .measure_every = 3,
                         .measure_at_nodes = true,
                         .measure_maxima = true,
                         .measure_proof = true,
                         .seed = 6,
                         .threads = threads,
                         .shuffle = shuffle,
                         .eager_threads = true};
    assert_ok(hsgd_simulate(out, &s, &err), err);
    hsgd_hierarchy_free(&h);
}

static void threads_and_order_change_no_bit(void **state)
{
    (void)state;
    for (size_t v = 0; v < VARIANTS; v += 3) {
        problem p;
        hsgd_trace one, other;
        make(&p, v, v % 2 ? HSGD_PRECISION_SINGLE : HSGD_PRECISION_DOUBLE);
        run(&p, 1, 0, &one);
        for (int threads = 1; threads <= 3; threads++)
            for (uint64_t shuffle = 0; shuffle < 3; shuffle++) {
                run(&p, threads, shuffle, &other);
                assert_memory_equal(one.final_point, other.final_point, p.f.dim * sizeof(double));
                assert_memory_equal(one.loss, other.loss, (one.num_measured + 1) * sizeof(double));
                assert_memory_equal(one.divergence, other.divergence, 2 * one.num_measured * sizeof(double));
                assert_memory_equal(one.proof, other.proof, one.num_measured * sizeof *one.proof);
                hsgd_trace_free(&other);
            }
        hsgd_trace_free(&one);
        drop(&p);
    }
}

static void threads_change_no_constant(void **state)
{
    (void)state;
    int before = hsgd_default_threads();
    problem p;
    make(&p, 7, HSGD_PRECISION_DOUBLE);
    hsgd_mlp_set_start(&p.f, p.point);
    hsgd_constants one, other;
    hsgd_threads_limit(1);
    assert_ok(p.f.type->constants(&p.f, 2, &one, &err), err);
    for (int threads = 2; threads <= 3; threads++) {
        hsgd_threads_limit(threads);
        assert_ok(p.f.type->constants(&p.f, 2, &other, &err), err);
        assert_true(one.smoothness.value == other.smoothness.value && one.noise_sq.value == other.noise_sq.value);
    }
    hsgd_threads_limit(before);
    drop(&p);
}

/* ---- learning ---- */

static void mnist_is_learned(void **state)
{
    (void)state;
    char images[512], labels[512];
    hsgd_dataset data;
    hsgd_partition part;
    hsgd_partition_options options;
    assert_ok(hsgd_dataset_read_idx(&data, data_file("t10k-images-idx3-ubyte.gz", images, sizeof images),
                                    data_file("t10k-labels-idx1-ubyte.gz", labels, sizeof labels), &err),
              err);
    hsgd_partition_defaults(&options);
    assert_ok(hsgd_partition_build(&part, &data, 4, &options, &err), err);
    assert_ok(hsgd_dataset_reorder(&data, part.order, &err), err);
    for (int i = 0; i < 4; i++) {
        hsgd_mlp_spec spec = {.num_hidden = 2, .hidden = {24, 16}};
        spec.activation = (hsgd_activation)(i % 2);
        spec.precision = (hsgd_precision)(i / 2);
        hsgd_objective f;
        assert_ok(hsgd_mlp_objective(&f, &spec, &data, part.start, 4, regularizer[0], &err), err);
        const size_t fanout[] = {2, 2}, periods[] = {10, 5};
        hsgd_hierarchy h = uniform(fanout, periods, 2);
        double *w = malloc(f.dim * sizeof *w), loss, *scratch = malloc(f.type->scratch_size(&f, 16) * sizeof *scratch);
        size_t right;
        hsgd_mlp_draw(&f, 1, 5, w);
        hsgd_simulation s = {.objective = &f,
                             .hierarchy = &h,
                             .initial = w,
                             .step_size = 0.1,
                             .steps = 300,
                             .batch_size = 16,
                             .measure_every = 100,
                             .seed = 1,
                             .threads = 2};
        hsgd_trace trace;
        assert_ok(hsgd_simulate(&trace, &s, &err), err);
        assert_at_most(trace.loss[3], 0.25 * trace.loss[0], 0);
        f.type->evaluate(&f, trace.final_point, &data, 0, data.num_samples, &loss, &right, scratch);
        assert_close(loss / (double)data.num_samples, trace.loss[3], 1e-6); /* no regulariser, equal shares */
        assert_true(right > 8500);
        hsgd_trace_free(&trace);
        hsgd_hierarchy_free(&h);
        hsgd_objective_free(&f);
        free(w);
        free(scratch);
    }
    hsgd_partition_free(&part);
    hsgd_dataset_free(&data);
}

/* ---- bad input ---- */

static void bad_input_is_refused(void **state)
{
    (void)state;
    hsgd_objective f;
    hsgd_dataset data = class_data(SAMPLES, FEATURES, CLASSES, 1.1);
    hsgd_mlp_spec spec = {.num_hidden = HSGD_MLP_MAX_HIDDEN + 1};
    const size_t hole[] = {0, 5, 5}, beyond[] = {0, SAMPLES + 1};
#define REFUSED(first, workers, weight, text)                                                                          \
    assert_fails(                                                                                                      \
        hsgd_mlp_objective(&f, &spec, &data, first, workers, (hsgd_regularizer){HSGD_REGULARIZER_L2, weight}, &err),   \
        HSGD_ERROR_INPUT, text, err)
    REFUSED(start, WORKERS, 0, "hidden: 33 layers; at most 32");
    spec = (hsgd_mlp_spec){.num_hidden = 2, .hidden = {3, 0}};
    REFUSED(start, WORKERS, 0, "hidden[1]: 0 is not a width from 1 to 1000000");
    spec = (hsgd_mlp_spec){.num_hidden = 2, .hidden = {1000000, 1000000}};
    REFUSED(start, WORKERS, 0, "layer 2 makes it 1e+12 weights; at most ");
    spec = (hsgd_mlp_spec){.num_hidden = 1, .hidden = {3}};
    REFUSED(hole, 2, 0, "worker 1 has no sample");
    REFUSED(beyond, 1, 0, "the workers hold 271 samples, the data have 270");
    REFUSED(start, WORKERS, NAN, "regularizer.weight: nan");
    assert_null(f.state);
    hsgd_dataset_free(&data);
}

int main(void)
{
    gsl_set_error_handler_off();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(losses_are_those_of_a_plain_network),
        cmocka_unit_test(evaluation_counts_what_a_plain_network_predicts),
        cmocka_unit_test(a_network_by_hand),
        cmocka_unit_test(gradients_match_finite_differences),
        cmocka_unit_test(both_precisions_agree_to_rounding),
        cmocka_unit_test(depth_0_is_softmax_regression),
        cmocka_unit_test(mini_batches_are_unbiased),
        cmocka_unit_test(large_batches_are_means_over_their_samples),
        cmocka_unit_test(noise_is_that_of_single_samples),
        cmocka_unit_test(constants_have_their_kinds),
        cmocka_unit_test(starting_points_have_the_stated_variance),
        cmocka_unit_test(paths_and_company_change_no_bit),
        cmocka_unit_test(threads_and_order_change_no_bit),
        cmocka_unit_test(threads_change_no_constant),
        cmocka_unit_test(mnist_is_learned),
        cmocka_unit_test(bad_input_is_refused),
    };
    return cmocka_run_group_tests_name("mlp", tests, NULL, NULL);
}
