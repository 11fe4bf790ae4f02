/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Data kept as bytes give the same bits as the doubles that the bytes stand for: every function of every problem type that
 * reads data, on every vector path, and everything that is done to data sets: scaling, intercepts, splits, new orders. The
 * doubles are made here, number by number, from the table. */
#include "tests/test.h"

#include <gsl/gsl_errno.h>

#include "analysis/convnet.h"
#include "analysis/dataset.h"
#include "analysis/dataset_private.h"
#include "analysis/engine_private.h"
#include "analysis/linear_model.h"
#include "analysis/linear_rows_private.h"
#include "analysis/mlp.h"
#include "analysis/random.h"
#include "analysis/smoothness.h"
#include "tests/analysis/paths.h"
#include "tests/analysis/trees.h"

static hsgd_error err;

/* ---- images, as bytes and as doubles ---- */

/* 6 x 6 pixels of 3 colours; workers with 5, 1, 230 and 34 samples, of which one fills several blocks. */
enum { FEATURES = 108, WORKERS = 4, SAMPLES = 270 };
static const size_t start[WORKERS + 1] = {0, 5, 6, 236, SAMPLES};
static const hsgd_shape shape = {3, 6, 6};

typedef enum table { PIXELS, SIGNED, NUM_TABLES } table;                  /* what a byte stands for */
typedef enum filling { FULL, FEW, BLACK_OR_WHITE, NUM_FILLINGS } filling; /* which bytes there are */

static uint8_t fill_byte(filling what, uint32_t random)
{
    if (what == FEW && random >> 8 & 3)
        return 0;
    return what == BLACK_OR_WHITE ? random >> 8 & 3 ? 0 : 255 : (uint8_t)random;
}

/* Signed bytes stand for numbers of both signs that no short fraction gives; 0, 77, 154 and 231 for 0. */
static void make_bytes(hsgd_dataset *d, table values, filling what, size_t samples, size_t classes)
{
    *d = (hsgd_dataset){.num_samples = samples, .num_features = FEATURES, .num_classes = classes};
    d->byte = malloc(samples * FEATURES);
    d->label = malloc(samples * sizeof *d->label);
    d->class_value = calloc(classes, sizeof *d->class_value);
    hsgd_dataset_set_pixels(d);
    for (size_t b = 0; b < HSGD_BYTE_VALUES && values == SIGNED; b++)
        d->byte_value[b] = b % 77 == 0 ? 0 : sin(1.7 * (double)b);
    uint32_t random = 2385 + (uint32_t)what;
    for (size_t i = 0; i < samples * FEATURES; i++) {
        random = random * 1664525 + 1013904223;
        d->byte[i] = fill_byte(what, random >> 8);
    }
    for (size_t s = 0; s < samples; s++)
        d->label[s] = (uint32_t)((s * s + s / 3) % classes);
    for (size_t c = 0; c < classes; c++)
        d->class_value[c] = (double)c;
}

static void copy_as_doubles(hsgd_dataset *to, const hsgd_dataset *from)
{
    size_t m = from->num_samples, p = from->num_features;
    *to = (hsgd_dataset){.num_samples = m, .num_features = p, .num_classes = from->num_classes};
    to->dense = malloc(m * p * sizeof *to->dense);
    to->label = malloc(m * sizeof *to->label);
    to->class_value = malloc(from->num_classes * sizeof *to->class_value);
    for (size_t i = 0; i < m * p; i++)
        to->dense[i] = from->byte_value[from->byte[i]];
    memcpy(to->label, from->label, m * sizeof *to->label);
    memcpy(to->class_value, from->class_value, from->num_classes * sizeof *to->class_value);
}

/* Two data sets, the second one of doubles, have the same rows to the bit, and the same labels. */
static void check_alike(const hsgd_dataset *a, const hsgd_dataset *doubles)
{
    size_t m = doubles->num_samples, p = doubles->num_features;
    assert_true(a->num_samples == m && a->num_features == p && a->num_classes == doubles->num_classes);
    assert_true(!!a->dense + !!a->byte + !!a->value == 1 && doubles->dense);
    double *room = malloc(p * sizeof *room);
    for (size_t s = 0; s < m; s++) {
        assert_memory_equal(hsgd_dataset_rows(a, s, 1, room), doubles->dense + s * p, p * sizeof *room);
        assert_true(hsgd_dataset_row_norm_sq(a, s) == hsgd_dataset_row_norm_sq(doubles, s));
    }
    free(room);
    assert_memory_equal(a->label, doubles->label, m * sizeof *a->label);
    assert_memory_equal(a->class_value, doubles->class_value, a->num_classes * sizeof *a->class_value);
}

static void open_both(hsgd_dataset *bytes, hsgd_dataset *doubles, table values, filling what, size_t classes)
{
    make_bytes(bytes, values, what, SAMPLES, classes);
    copy_as_doubles(doubles, bytes);
    check_alike(bytes, doubles);
}

/* ---- every problem type ---- */

typedef enum kind { LOGISTIC, SOFTMAX, MLP_DOUBLE, MLP_SINGLE, CNN, NUM_KINDS } kind;
static const char *const kind_name[] = {"logistic", "softmax", "mlp double", "mlp single", "cnn"};

/* A network with the parameters at which it is judged. */
typedef struct side {
    hsgd_objective f;
    hsgd_architecture architecture;
    double *initial; /* (dim) networks only: borrowed by f */
    double *point;   /* (POINTS, dim) */
    double *scratch;
} side;

enum { POINTS = 3, BATCH = 70, NUM_CLASSES = 5 }; /* a batch is more than one block */

static void make_objective(side *x, kind k, const hsgd_dataset *data)
{
    const hsgd_regularizer r = {HSGD_REGULARIZER_NONE, 0};
    const hsgd_layer layer[] = {{HSGD_LAYER_CONV, 4, 3, 1, 1}, {HSGD_LAYER_RELU, 0, 0, 0, 0}};
    hsgd_mlp_spec spec = {
        1, {9}, HSGD_ACTIVATION_TANH, k == MLP_SINGLE ? HSGD_PRECISION_SINGLE : HSGD_PRECISION_DOUBLE};
    if (k == LOGISTIC || k == SOFTMAX) {
        hsgd_link link = k == SOFTMAX ? HSGD_LINK_SOFTMAX : HSGD_LINK_LOGISTIC;
        assert_ok(hsgd_linear_model_objective(&x->f, link, data, start, WORKERS, r, &err), err);
    } else if (k == CNN) {
        assert_ok(hsgd_architecture_make(&x->architecture, layer, 2, shape, data->num_classes, &err), err);
        x->initial = malloc(x->architecture.dim * sizeof *x->initial);
        hsgd_architecture_initial(&x->architecture, 7, 1, x->initial);
        assert_ok(hsgd_convnet_objective(&x->f, &x->architecture, data, start, WORKERS, r, x->initial, &err), err);
    } else
        assert_ok(hsgd_mlp_objective(&x->f, &spec, data, start, WORKERS, r, &err), err);
}

static void open_side(side *x, kind k, const hsgd_dataset *data)
{
    *x = (side){.point = NULL};
    make_objective(x, k, data);
    size_t with = x->f.type->scratch_size(&x->f, BATCH), without = x->f.type->scratch_size(&x->f, 0);
    x->scratch = malloc((with > without ? with : without) * sizeof *x->scratch);
    x->point = malloc(POINTS * x->f.dim * sizeof *x->point);
    hsgd_normals(&(hsgd_stream){8, HSGD_PURPOSE_USER, 1, k}, 0.2, x->point, POINTS * x->f.dim);
    if (k == MLP_DOUBLE || k == MLP_SINGLE)
        hsgd_mlp_set_start(&x->f, x->point);
}

static void close_side(side *x)
{
    hsgd_objective_free(&x->f);
    hsgd_architecture_free(&x->architecture);
    free(x->initial);
    free(x->point);
    free(x->scratch);
}

/* All that a problem type says about the data, one number after the other; returned: how many. */
enum { MOST_NUMBERS = 40000 };

static size_t gradients(const side *x, double *out)
{
    const hsgd_objective *f = &x->f;
    const size_t worker[WORKERS] = {2, 0, 3, 1};
    const double *point[2 * POINTS];
    size_t dim = f->dim, used = 0;
    f->type->full(f, x->point, worker, WORKERS, out, out + WORKERS, x->scratch);
    used += WORKERS * (dim + 1);
    for (size_t i = 0; i < 2 * POINTS; i++)
        point[i] = x->point + i % POINTS * dim;
    hsgd_objective_full_at(f, point, POINTS, worker, 2, out + used, out + used + 2 * POINTS, x->scratch);
    used += 2 * POINTS * (dim + 1);
    for (size_t batch = 3; batch <= BATCH; batch += BATCH - 3) { /* each worker at a point of its own */
        hsgd_objective_stochastic_rows(f, x->point, dim, worker, POINTS, batch, 11, 4, out + used, x->scratch);
        used += POINTS * dim;
    }
    f->type->stochastic(f, x->point, 2, 0, 11, 4, out + used, x->scratch);
    return used + dim;
}

static size_t steps(const side *x, double *out)
{
    const size_t worker[POINTS] = {3, 1, 2};
    const hsgd_steps three = {.seed = 5, .first = 2, .count = 3, .batch_size = 9, .step_size = 0.07};
    if (!x->f.type->step_rows)
        return 0;
    memcpy(out, x->point, POINTS * x->f.dim * sizeof *out);
    x->f.type->step_rows(&x->f, NULL, out, x->f.dim, worker, POINTS, &three, x->scratch);
    return POINTS * x->f.dim;
}

static size_t labels(const side *x, const hsgd_dataset *data, double *out)
{
    size_t right;
    x->f.type->evaluate(&x->f, x->point, data, 3, 200, out, &right, x->scratch);
    out[1] = (double)right;
    return 2;
}

static size_t constants(const side *x, double *out)
{
    hsgd_constants c;
    assert_ok(x->f.type->constants(&x->f, 16, &c, &err), err);
    out[0] = c.smoothness.value;
    out[1] = c.noise_sq.value;
    assert_true(isfinite(out[0]) && isfinite(out[1]));
    return 2;
}

static size_t divergences(const side *x, double *out)
{
    hsgd_hierarchy h;
    size_t nodes;
    if (!x->f.type->divergences)
        return 0;
    make_uniform(&h, (const size_t[]){2, 2}, 2);
    nodes = h.num_nodes;
    assert_ok(x->f.type->divergences(out, out + nodes, &x->f, &h, NULL, &err), err);
    hsgd_hierarchy_free(&h);
    return nodes + 1;
}

static size_t all_numbers(const side *x, const hsgd_dataset *data, double *out)
{
    size_t used = gradients(x, out);
    used += steps(x, out + used);
    used += labels(x, data, out + used);
    used += constants(x, out + used);
    used += divergences(x, out + used);
    assert_true(used <= MOST_NUMBERS);
    return used;
}

static void check_kind(kind k, table values, filling what)
{
    hsgd_dataset bytes, doubles;
    side a, b;
    double *got = calloc(MOST_NUMBERS, sizeof *got), *want = calloc(MOST_NUMBERS, sizeof *want);
    open_both(&bytes, &doubles, values, what, k == LOGISTIC ? 2 : NUM_CLASSES);
    open_side(&a, k, &bytes);
    open_side(&b, k, &doubles);
    for_each_path(path)
    {
        size_t count = all_numbers(&b, &doubles, want);
        assert_int_equal(all_numbers(&a, &bytes, got), count);
        for (size_t i = 0; i < count; i++)
            if (memcmp(&got[i], &want[i], sizeof *got) != 0)
                fail_msg("%s, table %d, filling %d, path %d: number %zu is %.17g from bytes, %.17g from doubles",
                         kind_name[k], values, what, path, i, got[i], want[i]);
    }
    assert_true(bytes.byte && !bytes.dense); /* nobody turned them into doubles for good */
    close_side(&a);
    close_side(&b);
    hsgd_dataset_free(&bytes);
    hsgd_dataset_free(&doubles);
    free(got);
    free(want);
}

static void every_problem_type_gives_the_same_bits(void **state)
{
    (void)state;
    for (kind k = 0; k < NUM_KINDS; k++)
        for (table values = 0; values < NUM_TABLES; values++)
            for (filling what = 0; what < NUM_FILLINGS; what++)
                if (k != CNN || hsgd_convnet_is_there())
                    check_kind(k, values, what);
}

/* Lists of bytes are the entries of lists of doubles, in the same narrow form: no code where every value is 1. */
static void lists_are_the_same(void **state)
{
    (void)state;
    for (filling what = FEW; what <= BLACK_OR_WHITE; what++)
        for (size_t width = 1; width <= 8; width += 7) {
            hsgd_dataset bytes, doubles;
            hsgd_linear_rows a, b;
            open_both(&bytes, &doubles, PIXELS, what, 2);
            assert_true(hsgd_linear_rows_pay(&bytes, SAMPLES) && hsgd_linear_rows_pay(&doubles, SAMPLES));
            assert_ok(hsgd_linear_rows_make(&a, &bytes, start, WORKERS, width, &err), err);
            assert_ok(hsgd_linear_rows_make(&b, &doubles, start, WORKERS, width, &err), err);
            size_t count = b.by_row.start[SAMPLES * b.by_row.parts];
            assert_int_equal(a.by_row.start[SAMPLES * a.by_row.parts], count);
            assert_memory_equal(a.by_row.near, b.by_row.near, count * sizeof *a.by_row.near);
            assert_true(!a.by_row.code == !b.by_row.code && !a.by_row.value);
            for (size_t e = 0; e < count && a.by_row.code; e++)
                assert_true(a.by_row.dictionary[a.by_row.code[e]] == b.by_row.dictionary[b.by_row.code[e]]);
            hsgd_linear_rows_free(&a);
            hsgd_linear_rows_free(&b);
            hsgd_dataset_free(&bytes);
            hsgd_dataset_free(&doubles);
        }
}

/* Test data kept as bytes would need memory that models of doubles do not have: the engine refuses them. */
static void tests_fit_the_training_data(void **state)
{
    (void)state;
    hsgd_dataset bytes, doubles;
    side x;
    open_both(&bytes, &doubles, PIXELS, FULL, 2);
    open_side(&x, LOGISTIC, &doubles);
    hsgd_simulation s = {.objective = &x.f, .evaluate_every = 1, .train = &doubles, .test = &bytes};
    assert_fails(hsgd_evaluation_check(&s, &err), HSGD_ERROR_INPUT, "the test data are kept as bytes", err);
    assert_ok(hsgd_dataset_match(&bytes, &doubles, &err), err);
    assert_true(bytes.dense && !bytes.byte);
    check_alike(&bytes, &doubles);
    assert_ok(hsgd_evaluation_check(&s, &err), err);
    close_side(&x);
    hsgd_dataset_free(&bytes);
    hsgd_dataset_free(&doubles);
}

/* ---- what is done to data sets ---- */

/* Bytes stay where no number changes: no scaling, or a largest value of 1 in every feature that is not 0. */
static void scaling(void **state)
{
    (void)state;
    for (table values = 0; values < NUM_TABLES; values++)
        for (filling what = 0; what < NUM_FILLINGS; what++)
            for (hsgd_scaling scale = HSGD_SCALING_NONE; scale <= HSGD_SCALING_STANDARD; scale++) {
                hsgd_dataset bytes, doubles, test, test_doubles;
                open_both(&bytes, &doubles, values, what, 3);
                open_both(&test, &test_doubles, values, FULL, 3);
                assert_ok(hsgd_dataset_scale(&bytes, &test, scale, &err), err);
                assert_ok(hsgd_dataset_scale(&doubles, &test_doubles, scale, &err), err);
                check_alike(&bytes, &doubles);
                check_alike(&test, &test_doubles);
                bool ones = scale == HSGD_SCALING_MAX_ABS && values == PIXELS && what == BLACK_OR_WHITE;
                assert_int_equal(!!bytes.byte, scale == HSGD_SCALING_NONE || ones);
                assert_int_equal(!!test.byte, !!bytes.byte);
                hsgd_dataset_free(&bytes);
                hsgd_dataset_free(&doubles);
                hsgd_dataset_free(&test);
                hsgd_dataset_free(&test_doubles);
            }
}

/* Pixels have a byte that stands for 1; sines do not. Two intercepts in a row, as the second finds what the first made. */
static void intercepts(void **state)
{
    (void)state;
    for (table values = 0; values < NUM_TABLES; values++) {
        hsgd_dataset bytes, doubles;
        open_both(&bytes, &doubles, values, FULL, 2);
        for (int i = 0; i < 2; i++) {
            assert_ok(hsgd_dataset_add_intercept(&bytes, &err), err);
            assert_ok(hsgd_dataset_add_intercept(&doubles, &err), err);
            check_alike(&bytes, &doubles);
            assert_true(doubles.dense[2 * (FEATURES + 1) - 1] == 1 || i > 0);
        }
        assert_int_equal(!!bytes.byte, values == PIXELS);
        hsgd_dataset_free(&bytes);
        hsgd_dataset_free(&doubles);
    }
}

static void splits(void **state)
{
    (void)state;
    hsgd_dataset bytes, doubles, test, test_doubles;
    open_both(&bytes, &doubles, SIGNED, FULL, 3);
    assert_ok(hsgd_dataset_split(&test, &bytes, 0.3, 7, &err), err);
    assert_ok(hsgd_dataset_split(&test_doubles, &doubles, 0.3, 7, &err), err);
    assert_true(test.num_samples == 81 && bytes.byte && test.byte);
    check_alike(&bytes, &doubles);
    check_alike(&test, &test_doubles);
    hsgd_dataset_free(&bytes);
    hsgd_dataset_free(&doubles);
    hsgd_dataset_free(&test);
    hsgd_dataset_free(&test_doubles);
}

/* order[s] = a s + c mod m is a permutation where a and m have no common factor: cycles of many lengths, fixed points and,
 * for a = 1, one or more long ones. Rows change places in memory; here they are copied one by one. */
static void check_order(size_t samples, size_t factor, size_t shift)
{
    hsgd_dataset bytes, doubles, want;
    size_t *order = malloc(samples * sizeof *order);
    make_bytes(&bytes, SIGNED, FULL, samples, 3);
    copy_as_doubles(&doubles, &bytes);
    copy_as_doubles(&want, &bytes);
    for (size_t s = 0; s < samples; s++) {
        order[s] = (factor * s + shift) % samples;
        memcpy(want.dense + s * FEATURES, doubles.dense + order[s] * FEATURES, FEATURES * sizeof *want.dense);
        want.label[s] = doubles.label[order[s]];
    }
    bytes.feature_names = calloc(1, 1);
    bytes.user_start = calloc(2, sizeof *bytes.user_start);
    bytes.num_users = 1;
    assert_ok(hsgd_dataset_reorder(&bytes, order, &err), err);
    assert_ok(hsgd_dataset_reorder(&doubles, order, &err), err);
    assert_true(bytes.byte && !bytes.feature_names && !bytes.user_start && bytes.num_users == 0);
    check_alike(&bytes, &want);
    check_alike(&doubles, &want);
    hsgd_dataset_free(&bytes);
    hsgd_dataset_free(&doubles);
    hsgd_dataset_free(&want);
    free(order);
}

static void new_orders(void **state)
{
    (void)state;
    for (size_t samples = 1; samples <= 12; samples++)
        for (size_t shift = 0; shift < samples; shift++)
            check_order(samples, 1, shift);
    check_order(SAMPLES, SAMPLES - 1, 0); /* backwards: 0, m - 1, m - 2, ...: pairs */
    check_order(SAMPLES, 7, 11);
    check_order(SAMPLES, 77, 4);
    hsgd_dataset bytes;
    make_bytes(&bytes, PIXELS, FULL, 3, 1);
    assert_fails(hsgd_dataset_reorder(&bytes, (size_t[]){0, 2, 2}, &err), HSGD_ERROR_INPUT, "not a permutation", err);
    hsgd_dataset_free(&bytes);
}

/* A second call changes nothing, nor does one for doubles. */
static void becoming_doubles(void **state)
{
    (void)state;
    hsgd_dataset bytes, doubles;
    open_both(&bytes, &doubles, SIGNED, FEW, 2);
    for (int i = 0; i < 2; i++) {
        assert_ok(hsgd_dataset_to_doubles(&bytes, &err), err);
        assert_true(bytes.dense && !bytes.byte);
        check_alike(&bytes, &doubles);
    }
    assert_true(hsgd_dataset_rows(&bytes, 3, 2, NULL) == bytes.dense + 3 * FEATURES); /* no copy */
    hsgd_dataset_free(&bytes);
    hsgd_dataset_free(&doubles);
}

int main(void)
{
    gsl_set_error_handler_off();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_problem_type_gives_the_same_bits),
        cmocka_unit_test(lists_are_the_same),
        cmocka_unit_test(tests_fit_the_training_data),
        cmocka_unit_test(scaling),
        cmocka_unit_test(intercepts),
        cmocka_unit_test(splits),
        cmocka_unit_test(new_orders),
        cmocka_unit_test(becoming_doubles),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
