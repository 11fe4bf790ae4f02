/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Losses and every entry of the gradients of convolutional networks against loops in double precision (naive_network.h),
 * which are themselves checked by finite differences; against softmax regression where both express the same function;
 * mini-batches sample by sample; and the same bits for any number of threads. */
#include "tests/test.h"

#include "analysis/convnet.h"
#include "analysis/engine.h"
#include "analysis/linear_model.h"
#include "analysis/memory.h"
#include "analysis/random.h"
#include "tests/analysis/naive_network.h"
#include "tests/analysis/paths.h"

static hsgd_error err;

/* ---- networks ---- */

#define CONV(channels, size, step, zeros)                                                                              \
    {                                                                                                                  \
        HSGD_LAYER_CONV, channels, size, step, zeros                                                                   \
    }
#define POOL(size, step)                                                                                               \
    {                                                                                                                  \
        HSGD_LAYER_MAXPOOL, 0, size, step, 0                                                                           \
    }
#define DENSE(numbers)                                                                                                 \
    {                                                                                                                  \
        HSGD_LAYER_DENSE, numbers, 0, 0, 0                                                                             \
    }
#define RELU                                                                                                           \
    {                                                                                                                  \
        HSGD_LAYER_RELU, 0, 0, 0, 0                                                                                    \
    }
#define TANH                                                                                                           \
    {                                                                                                                  \
        HSGD_LAYER_TANH, 0, 0, 0, 0                                                                                    \
    }

typedef struct design {
    const char *what;
    hsgd_shape shape;
    size_t classes, num_layers;
    hsgd_layer layer[10];
} design;

/* Images that are not square, strides and windows that do not fit, numbers of channels beside those that registers hold,
 * activations in every place where they may or may not overwrite their input. */
static const design designs[] = {
    {"nothing but the last layer", {2, 3, 5}, 4, 0, {RELU}},
    {"lenet in small",
     {1, 12, 12},
     3,
     8,
     {CONV(4, 5, 1, 2), RELU, POOL(2, 2), CONV(8, 5, 1, 2), RELU, POOL(2, 2), DENSE(16), RELU}},
    {"nothing fits", {3, 11, 8}, 5, 7, {CONV(7, 3, 2, 1), TANH, POOL(3, 2), CONV(5, 2, 1, 1), RELU, DENSE(9), TANH}},
    {"many channels", {3, 6, 6}, 10, 6, {CONV(16, 3, 1, 1), RELU, CONV(33, 3, 1, 1), RELU, POOL(2, 2), RELU}},
    {"wide strides", {2, 9, 10}, 3, 2, {CONV(3, 3, 3, 2), TANH}},
    {"activations first and in a row", {2, 5, 5}, 3, 6, {RELU, TANH, CONV(4, 2, 1, 0), TANH, RELU, TANH}},
    {"maxpool first", {2, 7, 6}, 3, 3, {POOL(2, 2), CONV(3, 2, 1, 1), RELU}},
    {"dense layers on 1 x 1 images", {17, 1, 1}, 6, 4, {DENSE(13), TANH, DENSE(8), RELU}},
};
enum { NUM_DESIGNS = sizeof designs / sizeof *designs };

/* ---- data: workers with 1, 5, 40 and 18 samples, so that blocks of all sizes are met, whole ones and others ---- */

enum { WORKERS = 4, SAMPLES = 64 };
static const size_t start[WORKERS + 1] = {0, 1, 6, 46, SAMPLES};

static hsgd_dataset make_data(size_t features, size_t classes)
{
    hsgd_dataset d = {.num_samples = SAMPLES, .num_features = features, .num_classes = classes};
    d.dense = malloc(SAMPLES * features * sizeof *d.dense);
    d.label = malloc(SAMPLES * sizeof *d.label);
    hsgd_normals(&(hsgd_stream){3, HSGD_PURPOSE_USER, 0, 0}, 0.9, d.dense, SAMPLES * features);
    for (size_t i = 0; i < SAMPLES * features; i++)
        d.dense[i] = i % 7 < 2 ? 0 : (double)(float)d.dense[i]; /* single precision costs nothing here */
    for (size_t s = 0; s < SAMPLES; s++)
        d.label[s] = (uint32_t)((s * s + s / 3) % classes);
    return d;
}

typedef struct fixture {
    hsgd_architecture architecture;
    hsgd_dataset data;
    hsgd_objective f;
    double *point; /* in single precision, with biases that are not 0 */
    double *scratch;
} fixture;

static void open_design(fixture *x, const design *d, hsgd_regularizer regularizer)
{
    assert_ok(hsgd_architecture_make(&x->architecture, d->layer, d->num_layers, d->shape, d->classes, &err), err);
    x->data = make_data(volume(d->shape), d->classes);
    size_t dim = x->architecture.dim;
    x->point = malloc(dim * sizeof *x->point);
    double *more = malloc(dim * sizeof *more);
    hsgd_architecture_initial(&x->architecture, 7, 1, x->point);
    hsgd_normals(&(hsgd_stream){8, HSGD_PURPOSE_USER, 0, 0}, 0.1, more, dim);
    for (size_t i = 0; i < dim; i++)
        x->point[i] = (double)(float)(x->point[i] + more[i]);
    free(more);
    assert_ok(hsgd_convnet_objective(&x->f, &x->architecture, &x->data, start, WORKERS, regularizer, x->point, &err),
              err);
    assert_int_equal(x->f.dim, dim);
    x->scratch = hsgd_alloc_array(x->f.type->scratch_size(&x->f, 20), sizeof(double));
    assert_non_null(x->scratch);
}

static void close_design(fixture *x)
{
    hsgd_objective_free(&x->f);
    hsgd_architecture_free(&x->architecture);
    hsgd_dataset_free(&x->data);
    free(x->point);
    free(x->scratch);
}

static const hsgd_regularizer none = {HSGD_REGULARIZER_NONE, 0};

/* Single precision has 6e-8 for each of the operations. A number goes through at most some hundred of them here, whose errors
 * mostly cancel; what is left is compared with the largest entry of the gradient, as entries are sums of larger terms. */
static const double SINGLE = 3e-6;

static void check_gradient(const double *got, const double *want, const hsgd_architecture *a, const char *what)
{
    double largest = 0;
    for (size_t i = 0; i < a->dim; i++)
        largest = fmax(largest, fabs(want[i]));
    for (size_t i = 0; i < a->dim; i++)
        if (!(fabs(got[i] - want[i]) <= SINGLE * largest))
            fail_msg("%s: entry %zu of the gradient is %.9g, expected %.9g", what, i, got[i], want[i]);
}

/* ---- the loops themselves ---- */

/* Central differences with step h of a function of size 1 err by about 1e-16/h from rounding and by h^2 from the third
 * derivative: 1e-10 for h = 1e-6 and 1e-5. Maxima and kinks of relu within h of the point are far from likely. */
static void the_loops_differentiate(void **state)
{
    (void)state;
    const double h = 1e-6;
    for (size_t k = 0; k < NUM_DESIGNS; k++) {
        fixture x;
        open_design(&x, &designs[k], none);
        double *grad = calloc(x.architecture.dim, sizeof *grad);
        naive_loss(&x.architecture, x.point, x.data.dense, x.data.label[0], grad);
        for (size_t i = 0; i < x.architecture.dim; i += 1 + x.architecture.dim / 200) {
            double middle = x.point[i], side[2];
            for (int s = 0; s < 2; s++) {
                x.point[i] = middle + (s ? -h : h);
                side[s] = naive_loss(&x.architecture, x.point, x.data.dense, x.data.label[0], NULL);
            }
            x.point[i] = middle;
            check_close((side[0] - side[1]) / (2 * h), grad[i], 1e-6, 1e-2, designs[k].what, __FILE__, __LINE__);
        }
        free(grad);
        close_design(&x);
    }
}

/* ---- against the loops ---- */

static double naive_mean(const fixture *x, const size_t *row, size_t count, double *grad)
{
    double loss = 0;
    memset(grad, 0, x->architecture.dim * sizeof *grad);
    for (size_t i = 0; i < count; i++)
        loss += naive_loss(&x->architecture, x->point, x->data.dense + row[i] * x->data.num_features,
                           x->data.label[row[i]], grad) /
                (double)count;
    for (size_t i = 0; i < x->architecture.dim; i++)
        grad[i] /= (double)count;
    return loss;
}

static void full_gradients(void **state)
{
    (void)state;
    const size_t all[WORKERS] = {0, 1, 2, 3};
    for (size_t k = 0; k < NUM_DESIGNS; k++) {
        fixture x;
        open_design(&x, &designs[k], none);
        size_t dim = x.architecture.dim, row[SAMPLES];
        double *got = malloc(WORKERS * dim * sizeof *got), *want = malloc(dim * sizeof *want), loss[WORKERS];
        x.f.type->full(&x.f, x.point, all, WORKERS, loss, got, x.scratch);
        for (size_t j = 0; j < WORKERS; j++) {
            for (size_t s = start[j]; s < start[j + 1]; s++)
                row[s - start[j]] = s;
            double expected = naive_mean(&x, row, start[j + 1] - start[j], want);
            check_close(loss[j], expected, SINGLE, 1, designs[k].what, __FILE__, __LINE__);
            check_gradient(got + j * dim, want, &x.architecture, designs[k].what);
        }
        free(got);
        free(want);
        close_design(&x);
    }
}

/* The samples are those that the rule for all problems draws; every size of a mini-batch is cut into blocks of its own. */
static void stochastic_gradients(void **state)
{
    (void)state;
    fixture x;
    open_design(&x, &designs[2], none);
    size_t dim = x.architecture.dim, row[64];
    double *got = malloc(dim * sizeof *got), *want = malloc(dim * sizeof *want);
    for (size_t size = 1; size <= 50; size++) {
        hsgd_stream stream = {9, HSGD_PURPOSE_BATCH, 2, 31};
        hsgd_uniform_indices(&stream, 0, start[3] - start[2], row, size);
        for (size_t i = 0; i < size; i++)
            row[i] += start[2];
        naive_mean(&x, row, size, want);
        x.f.type->stochastic(&x.f, x.point, 2, size, 9, 31, got, x.scratch);
        check_gradient(got, want, &x.architecture, "mini-batch");
    }
    x.f.type->stochastic(&x.f, x.point, 2, 0, 9, 31, got, x.scratch); /* 0: all samples, each once */
    for (size_t i = 0; i < 40; i++)
        row[i] = start[2] + i;
    naive_mean(&x, row, 40, want);
    check_gradient(got, want, &x.architecture, "batch size 0");
    free(got);
    free(want);
    close_design(&x);
}

static void regularizers_are_added(void **state)
{
    (void)state;
    fixture x, plain;
    open_design(&x, &designs[1], (hsgd_regularizer){HSGD_REGULARIZER_L2, 0.37});
    open_design(&plain, &designs[1], none);
    size_t dim = x.architecture.dim, worker = 1;
    double *with = malloc(dim * sizeof *with), *without = malloc(dim * sizeof *without), loss[2], norm_sq = 0;
    x.f.type->full(&x.f, x.point, &worker, 1, &loss[0], with, x.scratch);
    plain.f.type->full(&plain.f, x.point, &worker, 1, &loss[1], without, plain.scratch);
    for (size_t i = 0; i < dim; i++) {
        norm_sq += x.point[i] * x.point[i];
        assert_near(with[i] - without[i], 0.37 * x.point[i], 1e-13);
    }
    assert_close(loss[0] - loss[1], 0.37 / 2 * norm_sq, 1e-12);
    free(with);
    free(without);
    close_design(&x);
    close_design(&plain);
}

/* A network of the last layer only is softmax regression with an intercept, whose data come as listed rows. */
static void softmax_regression_is_a_network(void **state)
{
    (void)state;
    fixture x;
    open_design(&x, &designs[0], none);
    size_t p = x.data.num_features, classes = x.data.num_classes, dim = x.architecture.dim, worker = 2;
    hsgd_dataset data = make_data(p, classes);
    assert_ok(hsgd_dataset_add_intercept(&data, &err), err);
    hsgd_objective linear;
    assert_ok(hsgd_linear_model_objective(&linear, HSGD_LINK_SOFTMAX, &data, start, WORKERS, none, &err), err);
    double *w = malloc(dim * sizeof *w), *got = malloc(dim * sizeof *got), *want = malloc(dim * sizeof *want), loss[2];
    double *scratch = malloc(linear.type->scratch_size(&linear, 0) * sizeof *scratch);
    for (size_t c = 0; c < classes; c++) {
        memcpy(w + c * (p + 1), x.point + c * p, p * sizeof *w);
        w[c * (p + 1) + p] = x.point[classes * p + c];
    }
    x.f.type->full(&x.f, x.point, &worker, 1, &loss[0], got, x.scratch);
    linear.type->full(&linear, w, &worker, 1, &loss[1], want, scratch);
    assert_close(loss[0], loss[1], SINGLE);
    for (size_t c = 0; c < classes; c++) {
        for (size_t i = 0; i < p; i++)
            assert_near(got[c * p + i], want[c * (p + 1) + i], SINGLE);
        assert_near(got[classes * p + c], want[c * (p + 1) + p], SINGLE);
    }
    free(w);
    free(got);
    free(want);
    free(scratch);
    hsgd_objective_free(&linear);
    hsgd_dataset_free(&data);
    close_design(&x);
}

/* Sparse samples are the dense ones without their zeros. */
static void sparse_data_are_the_same(void **state)
{
    (void)state;
    fixture x;
    open_design(&x, &designs[2], none);
    size_t p = x.data.num_features, dim = x.architecture.dim, used = 0, worker = 2;
    hsgd_dataset sparse = {.num_samples = SAMPLES, .num_features = p, .num_classes = x.data.num_classes};
    sparse.row_start = calloc(SAMPLES + 1, sizeof *sparse.row_start);
    sparse.column = calloc(SAMPLES * p, sizeof *sparse.column);
    sparse.value = calloc(SAMPLES * p, sizeof *sparse.value);
    sparse.label = x.data.label;
    for (size_t i = 0; i < SAMPLES * p; i++) {
        if (x.data.dense[i] != 0) {
            sparse.column[used] = (uint32_t)(i % p);
            sparse.value[used++] = x.data.dense[i];
        }
        sparse.row_start[i / p + 1] = used;
    }
    hsgd_objective f;
    assert_ok(hsgd_convnet_objective(&f, &x.architecture, &sparse, start, WORKERS, none, x.point, &err), err);
    double *a = malloc(dim * sizeof *a), *b = malloc(dim * sizeof *b), loss[2];
    x.f.type->full(&x.f, x.point, &worker, 1, &loss[0], a, x.scratch);
    f.type->full(&f, x.point, &worker, 1, &loss[1], b, x.scratch);
    assert_memory_equal(a, b, dim * sizeof *a);
    assert_true(loss[0] == loss[1]);
    sparse.label = NULL;
    hsgd_dataset_free(&sparse);
    hsgd_objective_free(&f);
    free(a);
    free(b);
    close_design(&x);
}

/* Images of one colour make every window a tie, in corners and middles alike: the gradient must go to the first number, as
 * the loops have it. With zeros around, the rows of the first convolution differ, so another choice shows. */
static void ties_go_to_the_first(void **state)
{
    (void)state;
    const design d = {"ties", {1, 8, 8}, 3, 4, {CONV(5, 3, 1, 0), POOL(2, 2), CONV(4, 2, 1, 0), POOL(2, 1)}};
    fixture x;
    open_design(&x, &d, none);
    for (size_t i = 0; i < SAMPLES * 64; i++) /* vertical stripes: ties in columns, none in rows; and plain images */
        x.data.dense[i] = i / 64 % 2 ? 0.5 : (double)(i % 8 / 3) * 0.25;
    size_t dim = x.architecture.dim, row[5] = {1, 2, 3, 4, 5}, worker = 1;
    double *got = malloc(dim * sizeof *got), *want = malloc(dim * sizeof *want), loss;
    x.f.type->full(&x.f, x.point, &worker, 1, &loss, got, x.scratch);
    assert_close(loss, naive_mean(&x, row, 5, want), SINGLE);
    check_gradient(got, want, &x.architecture, "ties");
    free(got);
    free(want);
    close_design(&x);
}

/* ---- labels ---- */

static void labels_are_predicted(void **state)
{
    (void)state;
    fixture x;
    open_design(&x, &designs[3], none);
    double loss, want = 0, sum = 0, z[10];
    size_t right, expected = 0;
    x.f.type->evaluate(&x.f, x.point, &x.data, 3, 50, &loss, &right, x.scratch);
    for (size_t s = 3; s < 53; s++) {
        size_t best = 0;
        for (size_t c = 0; c < 10; c++) { /* the most likely class is the one with the smallest loss */
            z[c] = naive_loss(&x.architecture, x.point, x.data.dense + s * x.data.num_features, c, NULL);
            best = z[c] < z[best] ? c : best;
        }
        want += z[x.data.label[s]];
        expected += best == x.data.label[s];
    }
    assert_close(loss, want, SINGLE);
    assert_int_equal(right, expected);
    assert_true(expected > 0 && expected < 50);
    right = 0;
    for (size_t s = 3; s < 53; s++) { /* sample by sample: the same losses, in another order of sums */
        size_t one;
        x.f.type->evaluate(&x.f, x.point, &x.data, s, 1, &loss, &one, x.scratch);
        sum += loss;
        right += one;
    }
    assert_close(sum, want, SINGLE);
    assert_int_equal(right, expected);
    close_design(&x);
}

/* ---- bits ---- */

/* A whole run, once with one thread and once with each other number: models, gradients and losses have the same bits, and so
 * they have on every path of our own kernels. More threads than ever before take part, and passes go from one to another. */
static void any_number_of_threads(void **state)
{
    (void)state;
    size_t fanout[] = {2, 2}, period[] = {4, 2};
    fixture x;
    open_design(&x, &designs[1], none);
    hsgd_hierarchy uniform, h;
    assert_ok(hsgd_hierarchy_uniform(&uniform, fanout, period, 2, &err), err);
    assert_ok(hsgd_hierarchy_expand(&h, &uniform, &err), err);
    double first_loss = 0, *first_point = malloc(x.f.dim * sizeof *first_point);
    for (int threads = 1; threads <= 5; threads++)
        for_each_path(path)
        {
            hsgd_simulation s = {.objective = &x.f,
                                 .hierarchy = &h,
                                 .initial = x.point,
                                 .step_size = 0.05,
                                 .steps = 9,
                                 .batch_size = 11,
                                 .measure_every = 1,
                                 .measure_proof = true,
                                 .seed = 4,
                                 .threads = threads,
                                 .eager_threads = true};
            hsgd_trace trace;
            assert_ok(hsgd_simulate(&trace, &s, &err), err);
            if (threads == 1 && path == HSGD_PATH_PORTABLE) {
                first_loss = trace.loss[9];
                memcpy(first_point, trace.final_point, x.f.dim * sizeof *first_point);
            }
            assert_true(isfinite(first_loss) && trace.loss[9] == first_loss);
            assert_memory_equal(trace.final_point, first_point, x.f.dim * sizeof *first_point);
            hsgd_trace_free(&trace);
        }
    free(first_point);
    hsgd_hierarchy_free(&uniform);
    hsgd_hierarchy_free(&h);
    close_design(&x);
}

/* A gradient does not depend on what the scratch memory held, on who was handled before, or on the point of the call before. */
static void nothing_is_left_behind(void **state)
{
    (void)state;
    fixture x;
    open_design(&x, &designs[3], none);
    size_t dim = x.architecture.dim, size = x.f.type->scratch_size(&x.f, 20), worker[] = {2, 3, 0, 1};
    double *a = malloc(4 * dim * sizeof *a), *b = malloc(dim * sizeof *b), *other = calloc(dim, sizeof *other), loss[5];
    x.f.type->full(&x.f, x.point, worker, 4, loss, a, x.scratch);
    for (size_t j = 4; j-- > 0;) {
        x.f.type->full(&x.f, other, worker, 1, &loss[4], b, x.scratch);
        for (size_t i = 0; i < size; i++)
            x.scratch[i] = NAN;
        x.f.type->full(&x.f, x.point, &worker[j], 1, &loss[4], b, x.scratch);
        assert_true(loss[4] == loss[j]);
        assert_memory_equal(a + j * dim, b, dim * sizeof *b);
    }
    free(a);
    free(b);
    free(other);
    close_design(&x);
}

/* ---- what is refused ---- */

static void wrong_input(void **state)
{
    (void)state;
    fixture x;
    open_design(&x, &designs[1], none);
    hsgd_objective f;
    hsgd_dataset data = x.data;
    data.num_features = 143;
    assert_fails(hsgd_convnet_objective(&f, &x.architecture, &data, start, WORKERS, none, x.point, &err),
                 HSGD_ERROR_INPUT, "shape: 1 x 12 x 12 for samples of 143 features", err);
    data = x.data;
    data.num_classes = 7;
    assert_fails(hsgd_convnet_objective(&f, &x.architecture, &data, start, WORKERS, none, x.point, &err),
                 HSGD_ERROR_INPUT, "architecture: 3 outputs for data of 7 classes", err);
    const size_t empty[] = {0, 3, 3};
    assert_fails(hsgd_convnet_objective(&f, &x.architecture, &x.data, empty, 2, none, x.point, &err), HSGD_ERROR_INPUT,
                 "worker 1 has no sample", err);
    const hsgd_regularizer wrong[] = {{HSGD_REGULARIZER_L2, -0.1}, {HSGD_REGULARIZER_L2, INFINITY}};
    for (size_t i = 0; i < 2; i++)
        assert_fails(hsgd_convnet_objective(&f, &x.architecture, &x.data, start, WORKERS, wrong[i], x.point, &err),
                     HSGD_ERROR_INPUT, "not a finite number >= 0", err);
    close_design(&x);
}

int main(void)
{
    if (!hsgd_convnet_is_there()) {
        print_message("skipped: this build has no oneDNN (libdnnl-dev)\n");
        return 0;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_loops_differentiate),
        cmocka_unit_test(full_gradients),
        cmocka_unit_test(stochastic_gradients),
        cmocka_unit_test(regularizers_are_added),
        cmocka_unit_test(softmax_regression_is_a_network),
        cmocka_unit_test(sparse_data_are_the_same),
        cmocka_unit_test(ties_go_to_the_first),
        cmocka_unit_test(labels_are_predicted),
        cmocka_unit_test(any_number_of_threads),
        cmocka_unit_test(nothing_is_left_behind),
        cmocka_unit_test(wrong_input),
    };
    return cmocka_run_group_tests_name("convnet", tests, NULL, NULL);
}
