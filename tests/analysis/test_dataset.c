/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Expected numbers: by hand, on matrices small enough to write down; the sparse results are compared with the dense
 * ones, which go another way through the code. */
#include "tests/test.h"

#include "analysis/dataset.h"
#include "analysis/dataset_private.h"

#define ROWS 4
#define COLUMNS 3

/* Feature 1 is constant and feature 2 has zeros; row 2 is 0 but for the constant. */
static const double table[ROWS * COLUMNS] = {3, 2.5, -4, -1.5, 2.5, 0, 0, 2.5, 0, 6, 2.5, 8};
static const double raw_labels[ROWS] = {7, -1, 7, 0.5};

static void make_dense(hsgd_dataset *data, const double *values)
{
    hsgd_error err;
    *data = (hsgd_dataset){.num_samples = ROWS, .num_features = COLUMNS};
    data->dense = malloc(ROWS * COLUMNS * sizeof *data->dense);
    assert_non_null(data->dense);
    memcpy(data->dense, values, ROWS * COLUMNS * sizeof *data->dense);
    assert_ok(hsgd_dataset_set_classes(data, raw_labels, &err), err);
}

static void make_sparse(hsgd_dataset *data, const double *values)
{
    hsgd_error err;
    *data = (hsgd_dataset){.num_samples = ROWS, .num_features = COLUMNS};
    data->row_start = calloc(ROWS + 1, sizeof *data->row_start);
    data->column = calloc(ROWS * COLUMNS, sizeof *data->column);
    data->value = calloc(ROWS * COLUMNS, sizeof *data->value);
    assert_true(data->row_start && data->column && data->value);
    size_t entries = 0;
    for (size_t i = 0; i < ROWS * COLUMNS; i++) {
        if (values[i] != 0) {
            data->column[entries] = (uint32_t)(i % COLUMNS);
            data->value[entries++] = values[i];
        }
        if (i % COLUMNS == COLUMNS - 1)
            data->row_start[i / COLUMNS + 1] = entries;
    }
    assert_ok(hsgd_dataset_set_classes(data, raw_labels, &err), err);
}

/* One number of a data set in either storage. */
static double at(const hsgd_dataset *data, size_t row, size_t column)
{
    if (data->dense)
        return data->dense[row * data->num_features + column];
    for (size_t i = data->row_start[row]; i < data->row_start[row + 1]; i++)
        if (data->column[i] == column)
            return data->value[i];
    return 0;
}

static void check_table(const hsgd_dataset *data, const double *expected)
{
    for (size_t s = 0; s < data->num_samples; s++)
        for (size_t k = 0; k < data->num_features; k++)
            assert_near(at(data, s, k), expected[s * data->num_features + k], 1e-15);
}

static void classes_are_the_distinct_labels_in_order(void **state)
{
    (void)state;
    hsgd_dataset data;
    make_dense(&data, table);
    assert_int_equal(data.num_classes, 3);
    const double values[] = {-1, 0.5, 7};
    const uint32_t labels[] = {2, 0, 2, 1};
    for (size_t c = 0; c < 3; c++)
        assert_close(data.class_value[c], values[c], 0);
    for (size_t s = 0; s < ROWS; s++)
        assert_int_equal(data.label[s], labels[s]);
    hsgd_dataset_free(&data);
}

static void minus_zero_is_the_label_zero(void **state)
{
    (void)state;
    hsgd_error err;
    hsgd_dataset data = {.num_samples = 3};
    assert_ok(hsgd_dataset_set_classes(&data, (double[]){-0.0, 0.0, -2}, &err), err);
    assert_int_equal(data.num_classes, 2);
    assert_int_equal(data.label[0], 1);
    assert_int_equal(data.label[1], 1);
    assert_false(signbit(data.class_value[1]));
    hsgd_dataset_free(&data);
}

static void max_abs_scaling(void **state)
{
    (void)state;
    hsgd_error err;
    const double expected[] = {0.5, 1, -0.5, -0.25, 1, 0, 0, 1, 0, 1, 1, 1};
    hsgd_dataset data;
    make_dense(&data, table);
    assert_ok(hsgd_dataset_scale(&data, NULL, HSGD_SCALING_MAX_ABS, &err), err);
    check_table(&data, expected);
    hsgd_dataset_free(&data);
    make_sparse(&data, table);
    assert_ok(hsgd_dataset_scale(&data, NULL, HSGD_SCALING_MAX_ABS, &err), err);
    check_table(&data, expected);
    hsgd_dataset_free(&data);
}

static void features_that_are_zero_stay_zero(void **state)
{
    (void)state;
    hsgd_error err;
    const double zeros[ROWS * COLUMNS] = {0, 2, 0, 0, -4, 0, 0, 1, 0, 0, 0, 0};
    const hsgd_scaling scalings[] = {HSGD_SCALING_MAX_ABS, HSGD_SCALING_UNIT_NORM, HSGD_SCALING_STANDARD};
    for (size_t i = 0; i < 3; i++) {
        hsgd_dataset data;
        make_dense(&data, zeros);
        assert_ok(hsgd_dataset_scale(&data, NULL, scalings[i], &err), err);
        for (size_t s = 0; s < ROWS; s++) {
            assert_close(at(&data, s, 0), 0, 0);
            assert_close(at(&data, s, 2), 0, 0);
            assert_true(isfinite(at(&data, s, 1)));
        }
        if (scalings[i] == HSGD_SCALING_MAX_ABS) /* the largest one is negative */
            assert_close(at(&data, 0, 1), 0.5, 1e-15);
        hsgd_dataset_free(&data);
    }
}

/* Every sample gets norm 1, also where the squares of its entries would overflow or vanish. */
static void unit_norm_scaling(void **state)
{
    (void)state;
    hsgd_error err;
    const double extreme[] = {3e200, 0, -4e200, 3e-200, 4e-200, 0, 0, 0, 0, 1.5, 2, 0};
    const double expected[] = {0.6, 0, -0.8, 0.6, 0.8, 0, 0, 0, 0, 0.6, 0.8, 0};
    for (int sparse = 0; sparse < 2; sparse++) {
        hsgd_dataset data;
        if (sparse)
            make_sparse(&data, extreme);
        else
            make_dense(&data, extreme);
        assert_ok(hsgd_dataset_scale(&data, NULL, HSGD_SCALING_UNIT_NORM, &err), err);
        check_table(&data, expected);
        assert_close(hsgd_dataset_row_norm_sq(&data, 0), 1, 1e-15);
        assert_close(hsgd_dataset_row_norm_sq(&data, 2), 0, 0);
        hsgd_dataset_free(&data);
    }
}

/* Feature 0: 3, -1.5, 0, 6 has mean 15/8 and mean squared deviation 8.296875 (= 531/64); checked as identities too. */
static void standard_scaling(void **state)
{
    (void)state;
    hsgd_error err;
    hsgd_dataset data;
    make_dense(&data, table);
    assert_ok(hsgd_dataset_scale(&data, NULL, HSGD_SCALING_STANDARD, &err), err);
    assert_near(at(&data, 1, 0), (-1.5 - 1.875) / sqrt(531.0 / 64), 1e-15);
    for (size_t k = 0; k < COLUMNS; k++) {
        double sum = 0, sum_sq = 0;
        for (size_t s = 0; s < ROWS; s++) {
            sum += at(&data, s, k);
            sum_sq += at(&data, s, k) * at(&data, s, k);
        }
        assert_near(sum, 0, 1e-14);
        assert_near(sum_sq / ROWS, k == 1 ? 0 : 1, 1e-14);
    }
    hsgd_dataset_free(&data);
}

static void standard_scaling_refuses_what_it_cannot_do(void **state)
{
    (void)state;
    hsgd_error err;
    hsgd_dataset data;
    make_sparse(&data, table);
    assert_fails(hsgd_dataset_scale(&data, NULL, HSGD_SCALING_STANDARD, &err), HSGD_ERROR_INPUT, "max-abs", err);
    check_table(&data, table);
    assert_fails(hsgd_dataset_scale(&data, NULL, (hsgd_scaling)17, &err), HSGD_ERROR_INPUT, "17", err);
    hsgd_dataset_free(&data);
    const double huge[] = {1, 1e300, 0, 1, -1e300, 0, 1, 1e300, 0, 1, 0, 0};
    make_dense(&data, huge);
    assert_fails(hsgd_dataset_scale(&data, NULL, HSGD_SCALING_STANDARD, &err), HSGD_ERROR_NUMERIC, "feature 1", err);
    check_table(&data, huge);
    hsgd_dataset_free(&data);
}

static void scaling_names_round_trip(void **state)
{
    (void)state;
    for (int i = HSGD_SCALING_NONE; i <= HSGD_SCALING_STANDARD; i++) {
        hsgd_scaling parsed = (hsgd_scaling)99;
        assert_int_equal(hsgd_scaling_parse(hsgd_scaling_name((hsgd_scaling)i), &parsed), 0);
        assert_int_equal(parsed, i);
    }
    hsgd_scaling parsed;
    assert_int_equal(hsgd_scaling_parse("Standard", &parsed), -1);
    assert_string_equal(hsgd_scaling_name((hsgd_scaling)99), "unknown");
}

static void intercept_in_both_storages(void **state)
{
    (void)state;
    hsgd_error err;
    const double expected[] = {3, 2.5, -4, 1, -1.5, 2.5, 0, 1, 0, 2.5, 0, 1, 6, 2.5, 8, 1};
    for (int sparse = 0; sparse < 2; sparse++) {
        hsgd_dataset data;
        if (sparse)
            make_sparse(&data, table);
        else
            make_dense(&data, table);
        assert_ok(hsgd_dataset_add_intercept(&data, &err), err);
        assert_int_equal(data.num_features, COLUMNS + 1);
        check_table(&data, expected);
        assert_close(hsgd_dataset_row_norm_sq(&data, 0), 9 + 6.25 + 16 + 1, 1e-15);
        if (sparse)
            assert_int_equal(data.row_start[ROWS], 9 + ROWS);
        hsgd_dataset_free(&data);
    }
}

static void intercept_needs_a_column_number(void **state)
{
    (void)state;
    hsgd_error err;
    hsgd_dataset data;
    make_sparse(&data, table);
    data.num_features = UINT32_MAX;
    assert_fails(hsgd_dataset_add_intercept(&data, &err), HSGD_ERROR_INPUT, "4294967295", err);
    hsgd_dataset_free(&data);
}

static void reorder_moves_rows_with_their_labels(void **state)
{
    (void)state;
    hsgd_error err;
    const size_t order[] = {2, 0, 3, 1};
    const uint32_t labels[] = {2, 2, 1, 0};
    double expected[ROWS * COLUMNS];
    for (size_t i = 0; i < ROWS * COLUMNS; i++)
        expected[i] = table[order[i / COLUMNS] * COLUMNS + i % COLUMNS];
    for (int sparse = 0; sparse < 2; sparse++) {
        hsgd_dataset data;
        if (sparse)
            make_sparse(&data, table);
        else
            make_dense(&data, table);
        assert_ok(hsgd_dataset_reorder(&data, order, &err), err);
        check_table(&data, expected);
        for (size_t s = 0; s < ROWS; s++)
            assert_int_equal(data.label[s], labels[s]);
        assert_int_equal(data.num_classes, 3);
        assert_close(data.class_value[2], 7, 0);
        hsgd_dataset_free(&data);
    }
}

static void reorder_refuses_what_is_no_permutation(void **state)
{
    (void)state;
    hsgd_error err;
    hsgd_dataset data;
    make_dense(&data, table);
    assert_fails(hsgd_dataset_reorder(&data, (size_t[]){0, 1, 1, 3}, &err), HSGD_ERROR_INPUT, "order[2] = 1", err);
    assert_fails(hsgd_dataset_reorder(&data, (size_t[]){0, 1, 4, 3}, &err), HSGD_ERROR_INPUT, "order[2] = 4", err);
    check_table(&data, table);
    hsgd_dataset_free(&data);
}

static void free_takes_null_and_half_built_data(void **state)
{
    (void)state;
    hsgd_dataset_free(NULL);
    hsgd_dataset data = {.num_samples = 3, .label = calloc(3, sizeof(uint32_t))};
    hsgd_dataset_free(&data);
    assert_null(data.label);
    hsgd_dataset_free(&data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(classes_are_the_distinct_labels_in_order),
        cmocka_unit_test(minus_zero_is_the_label_zero),
        cmocka_unit_test(max_abs_scaling),
        cmocka_unit_test(features_that_are_zero_stay_zero),
        cmocka_unit_test(unit_norm_scaling),
        cmocka_unit_test(standard_scaling),
        cmocka_unit_test(standard_scaling_refuses_what_it_cannot_do),
        cmocka_unit_test(scaling_names_round_trip),
        cmocka_unit_test(intercept_in_both_storages),
        cmocka_unit_test(intercept_needs_a_column_number),
        cmocka_unit_test(reorder_moves_rows_with_their_labels),
        cmocka_unit_test(reorder_refuses_what_is_no_permutation),
        cmocka_unit_test(free_takes_null_and_half_built_data),
    };
    return cmocka_run_group_tests_name("dataset", tests, NULL, NULL);
}
