/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Training and test data: no sample is lost or changed by the cut, users keep their share, and test data of their own are
 * scaled and numbered as the training data are. */
#include "tests/test.h"

#include "analysis/dataset.h"
#include "analysis/partition.h"

static hsgd_error err;

/* Sample i is (i, i^2, 1), in class i mod 3; sparse data leave out the zeros of sample 0. */
static void make(hsgd_dataset *data, size_t samples, bool sparse)
{
    *data = (hsgd_dataset){.num_samples = samples, .num_features = 3};
    double *raw = calloc(samples, sizeof *raw), *x = calloc(samples * 3, sizeof *x);
    assert_true(raw && x);
    for (size_t i = 0; i < samples; i++) {
        raw[i] = (double)(i % 3) - 1;
        x[3 * i] = (double)i;
        x[3 * i + 1] = (double)(i * i);
        x[3 * i + 2] = 1;
    }
    assert_ok(hsgd_dataset_set_classes(data, raw, &err), err);
    free(raw);
    if (!sparse) {
        data->dense = x;
        return;
    }
    data->row_start = calloc(samples + 1, sizeof *data->row_start);
    data->column = calloc(samples * 3, sizeof *data->column);
    data->value = calloc(samples * 3, sizeof *data->value);
    for (size_t i = 0, entries = 0; i < 3 * samples; i++) {
        if (x[i] != 0) {
            data->column[entries] = (uint32_t)(i % 3);
            data->value[entries++] = x[i];
        }
        data->row_start[i / 3 + 1] = entries;
    }
    free(x);
}

/* Users of the given sizes. */
static void give_users(hsgd_dataset *data, const size_t *size, size_t count)
{
    data->num_users = count;
    data->user_start = calloc(count + 1, sizeof *data->user_start);
    for (size_t k = 0; k < count; k++)
        data->user_start[k + 1] = data->user_start[k] + size[k];
    assert_int_equal(data->user_start[count], data->num_samples);
}

/* The number i of a sample, checked against all it consists of. */
static size_t identify(const hsgd_dataset *data, size_t sample)
{
    double x[3] = {0, 0, 0};
    if (data->dense)
        memcpy(x, data->dense + 3 * sample, sizeof x);
    else
        for (size_t e = data->row_start[sample]; e < data->row_start[sample + 1]; e++)
            x[data->column[e]] = data->value[e];
    assert_true(x[1] == x[0] * x[0] && x[2] == 1);
    assert_true(data->class_value[data->label[sample]] == (double)((size_t)x[0] % 3) - 1);
    return (size_t)x[0];
}

static void check_halves(const hsgd_dataset *train, const hsgd_dataset *test, size_t samples)
{
    bool *seen = calloc(samples, sizeof *seen);
    assert_int_equal(train->num_samples + test->num_samples, samples);
    for (size_t i = 0; i < samples; i++) {
        bool from_test = i < test->num_samples;
        size_t number = from_test ? identify(test, i) : identify(train, i - test->num_samples);
        assert_true(number < samples && !seen[number]);
        seen[number] = true;
    }
    free(seen);
    assert_true(test->num_classes == 3 && train->num_classes == 3 && test->num_features == 3);
}

static void every_sample_lands_on_one_side(void **state)
{
    (void)state;
    for (int sparse = 0; sparse < 2; sparse++) {
        hsgd_dataset train, test, again, other;
        make(&train, 101, sparse);
        assert_ok(hsgd_dataset_split(&test, &train, 0.2, 5, &err), err);
        assert_int_equal(test.num_samples, 20);
        check_halves(&train, &test, 101);
        /* the seed decides, and nothing else */
        make(&again, 101, sparse);
        assert_ok(hsgd_dataset_split(&other, &again, 0.2, 5, &err), err);
        for (size_t i = 0; i < 20; i++)
            assert_int_equal(identify(&other, i), identify(&test, i));
        hsgd_dataset_free(&again);
        hsgd_dataset_free(&other);
        make(&again, 101, sparse);
        assert_ok(hsgd_dataset_split(&other, &again, 0.2, 6, &err), err);
        size_t equal = 0;
        for (size_t i = 0; i < 20; i++)
            equal += identify(&other, i) == identify(&test, i);
        assert_true(equal < 10);
        hsgd_dataset_free(&again);
        hsgd_dataset_free(&other);
        hsgd_dataset_free(&train);
        hsgd_dataset_free(&test);
    }
}

/* Each sample is as likely as any other to be a test sample: counts over 400 seeds of a binomial(400, 1/4), 100 +- 8.7.
 * Beyond 6 deviations for any of 40 samples: about 1e-7 by chance. */
static void the_draw_is_fair(void **state)
{
    (void)state;
    size_t chosen[40] = {0};
    for (uint64_t seed = 0; seed < 400; seed++) {
        hsgd_dataset train, test;
        make(&train, 40, false);
        assert_ok(hsgd_dataset_split(&test, &train, 0.25, seed, &err), err);
        for (size_t i = 0; i < test.num_samples; i++)
            chosen[identify(&test, i)]++;
        hsgd_dataset_free(&train);
        hsgd_dataset_free(&test);
    }
    for (size_t i = 0; i < 40; i++)
        assert_true(chosen[i] > 48 && chosen[i] < 152);
}

/* A fifth of every user up to rounding, of all together exactly, and never a user's last sample. */
static void users_keep_their_share(void **state)
{
    (void)state;
    const size_t size[] = {50, 3, 1, 1, 1, 20, 24}, begin[] = {0, 50, 53, 54, 55, 56, 76, 100};
    hsgd_dataset train, test;
    make(&train, 100, true);
    give_users(&train, size, 7);
    assert_ok(hsgd_dataset_split(&test, &train, 0.2, 1, &err), err);
    check_halves(&train, &test, 100);
    assert_true(test.num_users == 0 && !test.user_start && train.num_users == 7);
    assert_int_equal(train.user_start[7], train.num_samples);
    for (size_t k = 0; k < 7; k++) {
        size_t kept = train.user_start[k + 1] - train.user_start[k];
        assert_true(kept >= 1 && fabs((double)(size[k] - kept) - 0.2 * (double)size[k]) < 1);
        for (size_t s = train.user_start[k]; s < train.user_start[k + 1]; s++)
            assert_true(identify(&train, s) >= begin[k] && identify(&train, s) < begin[k + 1]);
    }
    assert_true(train.num_samples == 80 || train.num_samples == 81);
    hsgd_dataset_free(&train);
    hsgd_dataset_free(&test);
}

static void splits_that_leave_nothing(void **state)
{
    (void)state;
    const size_t ones[] = {1, 1, 1};
    hsgd_dataset train, test;
    make(&train, 3, false);
    assert_fails(hsgd_dataset_split(&test, &train, 0.1, 1, &err), HSGD_ERROR_INPUT, "leaves 0 for testing", err);
    assert_fails(hsgd_dataset_split(&test, &train, 0.9, 1, &err), HSGD_ERROR_INPUT, "0 for training", err);
    assert_fails(hsgd_dataset_split(&test, &train, 1, 1, &err), HSGD_ERROR_INPUT, "between 0 and 1", err);
    assert_fails(hsgd_dataset_split(&test, &train, NAN, 1, &err), HSGD_ERROR_INPUT, "between 0 and 1", err);
    give_users(&train, ones, 3);
    assert_fails(hsgd_dataset_split(&test, &train, 0.5, 1, &err), HSGD_ERROR_INPUT, "leaves 0 for testing", err);
    assert_true(train.num_samples == 3 && train.dense && !test.dense);
    hsgd_dataset_free(&train);
}

/* ---- test data of their own ---- */

static void labels_are_numbered_as_in_training(void **state)
{
    (void)state;
    hsgd_dataset model, data;
    make(&model, 9, false);
    make(&data, 3, false);
    free(data.label);
    free(data.class_value);
    assert_ok(hsgd_dataset_set_classes(&data, (const double[]){1, -1, 1}, &err), err);
    assert_int_equal(data.label[0], 1); /* the second of two */
    assert_ok(hsgd_dataset_match(&data, &model, &err), err);
    const uint32_t labels[] = {2, 0, 2}; /* of three */
    assert_memory_equal(data.label, labels, sizeof labels);
    assert_true(data.num_classes == 3 && data.class_value[1] == 0);
    hsgd_dataset_free(&data);
    make(&data, 3, false);
    free(data.label);
    free(data.class_value);
    assert_ok(hsgd_dataset_set_classes(&data, (const double[]){1, 5.5, 1}, &err), err);
    assert_fails(hsgd_dataset_match(&data, &model, &err), HSGD_ERROR_INPUT, "the label 5.5 is not one of the 3", err);
    hsgd_dataset_free(&data);
    hsgd_dataset_free(&model);
}

/* A LIBSVM file says nothing about features that are 0 in all of it, so it may have fewer; a table may not. */
static void features_are_those_of_training(void **state)
{
    (void)state;
    for (int sparse = 0; sparse < 2; sparse++) {
        hsgd_dataset model, data;
        make(&model, 9, sparse);
        make(&data, 9, sparse);
        model.num_features = 5;
        if (sparse) {
            assert_ok(hsgd_dataset_match(&data, &model, &err), err);
            assert_int_equal(data.num_features, 5);
        } else
            assert_fails(hsgd_dataset_match(&data, &model, &err), HSGD_ERROR_INPUT,
                         "3 features, but the training data have 5", err);
        data.num_features = 6;
        assert_fails(hsgd_dataset_match(&data, &model, &err), HSGD_ERROR_INPUT, "6 features", err);
        hsgd_dataset_free(&data);
        hsgd_dataset_free(&model);
    }
}

/* Numbers by hand: train has columns (0, 4), (0, 0), (3, 3); test (1, 8), (5, -5), (2, 9). */
static void scaled_with_the_training_data(void **state)
{
    (void)state;
    static const double train_x[] = {0, 0, 3, 4, 0, 3}, test_x[] = {1, 5, 2, 8, -5, 9};
    static const struct {
        hsgd_scaling scaling;
        double expected[6];
    } cases[] = {{HSGD_SCALING_NONE, {1, 5, 2, 8, -5, 9}},
                 {HSGD_SCALING_MAX_ABS, {0.25, 5, 2.0 / 3, 2, -5, 3}},
                 {HSGD_SCALING_STANDARD, {-0.5, 0, 0, 3, 0, 0}}};
    for (size_t c = 0; c < 3; c++) {
        hsgd_dataset train, test;
        make(&train, 2, false);
        make(&test, 2, false);
        memcpy(train.dense, train_x, sizeof train_x);
        memcpy(test.dense, test_x, sizeof test_x);
        assert_ok(hsgd_dataset_scale(&train, &test, cases[c].scaling, &err), err);
        for (size_t i = 0; i < 6; i++)
            assert_near(test.dense[i], cases[c].expected[i], 1e-15);
        hsgd_dataset_free(&train);
        hsgd_dataset_free(&test);
    }
}

static void unit_norm_and_overflow(void **state)
{
    (void)state;
    hsgd_dataset train, test;
    make(&train, 3, true);
    make(&test, 5, true);
    assert_ok(hsgd_dataset_scale(&train, &test, HSGD_SCALING_UNIT_NORM, &err), err);
    for (size_t s = 0; s < 5; s++)
        assert_close(hsgd_dataset_row_norm_sq(&test, s), 1, 1e-14);
    hsgd_dataset_free(&train);
    hsgd_dataset_free(&test);
    make(&train, 2, false);
    make(&test, 2, false);
    train.dense[0] = train.dense[3] = 1e-200;
    test.dense[3] = 1e200;
    assert_fails(hsgd_dataset_scale(&train, &test, HSGD_SCALING_MAX_ABS, &err), HSGD_ERROR_NUMERIC,
                 "test sample 1: feature 0 is too large", err);
    hsgd_dataset_free(&train);
    hsgd_dataset_free(&test);
}

/* ---- users and workers ---- */

/* Every worker gets whole users, as equally many as possible, each user goes to one worker, and a seed other than the
 * first deals them otherwise. */
static void natural_partition_keeps_users_whole(void **state)
{
    (void)state;
    const size_t size[] = {5, 1, 7, 2, 4, 9, 3};
    hsgd_dataset data;
    hsgd_partition_options options;
    hsgd_partition p, q;
    make(&data, 31, false);
    give_users(&data, size, 7);
    hsgd_partition_defaults(&options);
    options.scheme = HSGD_PARTITION_NATURAL;
    assert_ok(hsgd_partition_build(&p, &data, 3, &options, &err), err);
    size_t users_of[3] = {0}, total = 0;
    for (size_t j = 0; j < 3; j++) {
        for (size_t i = p.start[j]; i < p.start[j + 1];) {
            size_t k = 0;
            while (data.user_start[k] != p.order[i])
                assert_true(++k < 7); /* a user begins here */
            for (size_t s = data.user_start[k]; s < data.user_start[k + 1]; s++)
                assert_int_equal(p.order[i++], s);
            assert_true(i <= p.start[j + 1]);
            users_of[j]++;
            total++;
        }
        for (size_t c = 0; c < 3; c++) {
            size_t recount = 0;
            for (size_t i = p.start[j]; i < p.start[j + 1]; i++)
                recount += data.label[p.order[i]] == c;
            assert_int_equal(p.histogram[3 * j + c], recount);
        }
    }
    assert_true(total == 7 && users_of[0] == 3 && users_of[1] == 2 && users_of[2] == 2);
    options.seed = 2;
    assert_ok(hsgd_partition_build(&q, &data, 3, &options, &err), err);
    assert_memory_not_equal(p.order, q.order, 31 * sizeof *p.order);
    hsgd_partition_free(&q);
    options.users_in_order = true;
    assert_ok(hsgd_partition_build(&q, &data, 7, &options, &err), err);
    for (size_t i = 0; i < 31; i++)
        assert_int_equal(q.order[i], i);
    assert_memory_equal(q.start, data.user_start, 8 * sizeof *q.start);
    hsgd_partition_free(&p);
    hsgd_partition_free(&q);
    hsgd_dataset_free(&data);
}

static void too_few_users(void **state)
{
    (void)state;
    const size_t size[] = {5, 1};
    hsgd_dataset data;
    hsgd_partition_options options;
    hsgd_partition p;
    make(&data, 6, false);
    hsgd_partition_defaults(&options);
    options.scheme = HSGD_PARTITION_NATURAL;
    assert_fails(hsgd_partition_build(&p, &data, 3, &options, &err), HSGD_ERROR_INPUT, "needs data with users", err);
    give_users(&data, size, 2);
    assert_fails(hsgd_partition_build(&p, &data, 3, &options, &err), HSGD_ERROR_INPUT,
                 "2 users are too few for 3 workers", err);
    options.min_samples = 2;
    assert_fails(hsgd_partition_build(&p, &data, 2, &options, &err), HSGD_ERROR_INPUT, "min_samples = 2", err);
    hsgd_dataset_free(&data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_sample_lands_on_one_side),
        cmocka_unit_test(the_draw_is_fair),
        cmocka_unit_test(users_keep_their_share),
        cmocka_unit_test(splits_that_leave_nothing),
        cmocka_unit_test(labels_are_numbered_as_in_training),
        cmocka_unit_test(features_are_those_of_training),
        cmocka_unit_test(scaled_with_the_training_data),
        cmocka_unit_test(unit_norm_and_overflow),
        cmocka_unit_test(natural_partition_keeps_users_whole),
        cmocka_unit_test(too_few_users),
    };
    return cmocka_run_group_tests_name("dataset_split", tests, NULL, NULL);
}
