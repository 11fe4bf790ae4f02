/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Shapes and parameters of networks against numbers from the literature and counts by hand; what does not fit is refused
 * with its place; the initial point has the scale of He et al. */
#include "tests/test.h"

#include "analysis/architecture.h"
#include "analysis/random.h"

static hsgd_error err;

static size_t find(const char *name)
{
    for (size_t i = 0; hsgd_architecture_name(i); i++)
        if (strcmp(hsgd_architecture_name(i), name) == 0)
            return i;
    fail_msg("no architecture %s", name);
    return 0;
}

static hsgd_architecture make_named(const char *name, hsgd_shape shape, size_t classes)
{
    size_t count;
    const hsgd_layer *layer = hsgd_architecture_layers(find(name), &count);
    hsgd_architecture a;
    assert_ok(hsgd_architecture_make(&a, layer, count, shape, classes, &err), err);
    return a;
}

/* 1,663,370: McMahan et al. (2017), section 3. 61,706: 5x5x6+6 + 6x5x5x16+16 + 400x120+120 + 120x84+84 + 84x10+10, as
 * everywhere for LeNet-5. 9,225,610: VGG-11 for CIFAR-10, published as 9,231,114 with 5,504 of batch normalisation, two for
 * each of its 64 + 128 + 2 x 256 + 4 x 512 channels, which are not there here. 578,410: summed by a program of its own. */
static void published_numbers_of_parameters(void **state)
{
    (void)state;
    const hsgd_shape mnist = {1, 28, 28}, cifar = {3, 32, 32};
    const struct {
        const char *name;
        hsgd_shape shape;
        size_t dim;
    } known[] = {{"lenet", mnist, 1663370},
                 {"lenet-5", mnist, 61706},
                 {"vgg-11", cifar, 9231114 - 2 * (64 + 128 + 2 * 256 + 4 * 512)},
                 {"vgg-small", cifar, 578410}};
    for (size_t k = 0; k < sizeof known / sizeof *known; k++) {
        hsgd_architecture a = make_named(known[k].name, known[k].shape, 10);
        assert_int_equal(a.dim, known[k].dim);
        hsgd_architecture_free(&a);
    }
    assert_null(hsgd_architecture_name(4));
}

/* By hand: (11 + 2 - 3)/2 + 1 = 6 rows, (8 + 2 - 3)/2 + 1 = 4 columns; then (6 - 3)/2 + 1 = 2 and (4 - 3)/2 + 1 = 1. */
static void shapes_and_places(void **state)
{
    (void)state;
    const hsgd_layer layer[] = {{HSGD_LAYER_CONV, 7, 3, 2, 1},
                                {.kind = HSGD_LAYER_TANH},
                                {HSGD_LAYER_MAXPOOL, 0, 3, 2, 0},
                                {HSGD_LAYER_DENSE, 9, 0, 0, 0}};
    const hsgd_shape shape[] = {{3, 11, 8}, {7, 6, 4}, {7, 6, 4}, {7, 2, 1}, {9, 1, 1}, {5, 1, 1}};
    const size_t first[] = {0, 7 * 28, 196, 196, 196 + 9 * 15, 331 + 5 * 10};
    hsgd_architecture a;
    assert_ok(hsgd_architecture_make(&a, layer, 4, shape[0], 5, &err), err);
    assert_int_equal(a.num_layers, 5);
    for (size_t i = 0; i <= a.num_layers; i++) {
        assert_memory_equal(&a.shape[i], &shape[i], sizeof *shape);
        assert_int_equal(a.first[i], first[i]);
    }
    assert_int_equal(a.dim, 381);
    assert_int_equal(hsgd_architecture_fan_in(&a, 0), 27);
    assert_int_equal(hsgd_architecture_fan_in(&a, 4), 9);
    hsgd_architecture_free(&a);
    hsgd_architecture_free(NULL);
}

static void square_images(void **state)
{
    (void)state;
    hsgd_shape s;
    assert_true(hsgd_shape_of_square(&s, 784) && s.channels == 1 && s.rows == 28 && s.columns == 28);
    assert_true(hsgd_shape_of_square(&s, 3072) && s.channels == 3 && s.rows == 32 && s.columns == 32);
    assert_true(hsgd_shape_of_square(&s, 3) && s.channels == 3 && s.rows == 1);
    assert_false(hsgd_shape_of_square(&s, 785));
    assert_false(hsgd_shape_of_square(&s, 2));
}

static void refused(const hsgd_layer *layer, size_t count, const char *message)
{
    hsgd_architecture a;
    assert_fails(hsgd_architecture_make(&a, layer, count, (hsgd_shape){2, 6, 5}, 3, &err), HSGD_ERROR_INPUT, message,
                 err);
}

static void what_does_not_fit(void **state)
{
    (void)state;
    const hsgd_layer relu = {.kind = HSGD_LAYER_RELU}, dense = {HSGD_LAYER_DENSE, 4, 0, 0, 0};
    refused((hsgd_layer[]){relu, {HSGD_LAYER_CONV, 3, 7, 1, 0}}, 2,
            "architecture[1]: a window of 7 x 7 is larger than the 6 x 5 numbers it meets");
    refused((hsgd_layer[]){{HSGD_LAYER_MAXPOOL, 0, 6, 1, 0}}, 1, "architecture[0]: a window of 6 x 6");
    refused((hsgd_layer[]){dense, {HSGD_LAYER_MAXPOOL, 0, 1, 1, 0}}, 2, "architecture[1]: stands after a dense layer");
    refused((hsgd_layer[]){dense, relu, {HSGD_LAYER_CONV, 1, 1, 1, 0}}, 3, "architecture[2]: stands after a dense");
    refused((hsgd_layer[]){{HSGD_LAYER_CONV, 3, 3, 1, 3}}, 1, "architecture[0]: padding 3 is not below the kernel 3");
    refused((hsgd_layer[]){{HSGD_LAYER_CONV, 3, 3, 0, 0}}, 1, "architecture[0]: kernel 3, stride 0");
    refused((hsgd_layer[]){{HSGD_LAYER_DENSE, 0, 0, 0, 0}}, 1, "architecture[0]: 0 outputs");
    refused((hsgd_layer[]){{HSGD_LAYER_DENSE, 1 << 20, 0, 0, 0}, {HSGD_LAYER_DENSE, 1 << 20, 0, 0, 0}}, 2,
            "architecture[1]: 1099511627776 weights");
    const hsgd_layer wide = {HSGD_LAYER_DENSE, 30000, 0, 0, 0}; /* 9e8 weights between two of them */
    refused((hsgd_layer[]){wide, wide, wide}, 3, "architecture[2]: more than 1073741824 parameters");
    refused(NULL, 1001, "1001 layers; at most 1000");
    hsgd_architecture a;
    assert_fails(hsgd_architecture_make(&a, NULL, 0, (hsgd_shape){3, 1 << 20, 1 << 20}, 3, &err), HSGD_ERROR_INPUT,
                 "shape: images of more than", err);
}

/* Weights of a layer with fan-in k: mean square scale^2 2/k, within five standard deviations of sqrt(2/count). Biases are 0. */
static void initial_points(void **state)
{
    (void)state;
    hsgd_architecture a = make_named("lenet-5", (hsgd_shape){1, 28, 28}, 10);
    double *w = malloc(a.dim * sizeof *w), *other = malloc(a.dim * sizeof *other);
    hsgd_architecture_initial(&a, 5, 1.7, w);
    hsgd_architecture_initial(&a, 6, 1.7, other);
    for (size_t i = 0; i < a.num_layers; i++) {
        size_t all = a.first[i + 1] - a.first[i], biases = all ? a.layer[i].outputs : 0, count = all - biases;
        double sum_sq = 0;
        for (size_t k = 0; k < count; k++)
            sum_sq += w[a.first[i] + k] * w[a.first[i] + k];
        if (count)
            assert_near(sum_sq / (double)count * (double)hsgd_architecture_fan_in(&a, i) / (2 * 1.7 * 1.7), 1,
                        5 * sqrt(2 / (double)count));
        for (size_t k = count; k < all; k++)
            assert_true(w[a.first[i] + k] == 0);
    }
    assert_true(w[0] != other[0] && w[0] != w[a.first[3]]);
    free(w);
    free(other);
    hsgd_architecture_free(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(published_numbers_of_parameters),
        cmocka_unit_test(shapes_and_places),
        cmocka_unit_test(square_images),
        cmocka_unit_test(what_does_not_fit),
        cmocka_unit_test(initial_points),
    };
    return cmocka_run_group_tests_name("architecture", tests, NULL, NULL);
}
