/* SPDX-License-Identifier: GPL-3.0-or-later */
/* synthetic(alpha, beta) against its definition: the moments of every quantity over many users and samples, and the labels
 * by applying the models to the samples once more. Statistical checks use fixed seeds; each bound is at least 5 standard
 * errors wide, so that one would fail by chance in less than one of a million new seeds. */
#include "tests/test.h"

#include <gsl/gsl_cdf.h>

#include "analysis/synthetic.h"

static hsgd_error err;

static hsgd_synthetic_options options_for(double alpha, double beta, size_t users, uint64_t seed)
{
    hsgd_synthetic_options o;
    hsgd_synthetic_defaults(&o);
    o.alpha = alpha;
    o.beta = beta;
    o.num_users = users;
    o.seed = seed;
    return o;
}

static void defaults_of_the_paper(void **state)
{
    (void)state;
    hsgd_synthetic_options o;
    memset(&o, 0xa5, sizeof o);
    hsgd_synthetic_defaults(&o);
    assert_true(o.alpha == 1 && o.beta == 1 && !o.iid && o.features == 60 && o.classes == 10 && o.seed == 1);
}

/* In long double and the other order of summation: the label has the largest score. */
static void labels_are_those_of_the_models(void **state)
{
    (void)state;
    hsgd_synthetic_options o = options_for(0.7, 1.3, 5, 3);
    double weight[600], bias[10];
    hsgd_dataset data;
    o.max_samples = 400;
    assert_ok(hsgd_synthetic_generate(&data, &o, &err), err);
    for (size_t k = 0; k < 5; k++) {
        hsgd_synthetic_model(weight, bias, &o, k);
        for (size_t s = data.user_start[k]; s < data.user_start[k + 1]; s++) {
            long double score[10], best = -INFINITY;
            for (size_t c = 0; c < 10; c++) {
                score[c] = bias[c];
                for (size_t j = 60; j-- > 0;)
                    score[c] += (long double)data.dense[60 * s + j] * weight[10 * j + c];
                best = score[c] > best ? score[c] : best;
            }
            assert_true(score[data.label[s]] >= best - 1e-12L);
        }
    }
    assert_int_equal(data.num_classes, 10);
    for (size_t c = 0; c < 10; c++)
        assert_true(data.class_value[c] == (double)c);
    hsgd_dataset_free(&data);
}

/* 50 + floor(exp(4 + 2 z)) is at least 50 + c if z > (log c - 4) / 2. */
static void sample_counts_are_log_normal(void **state)
{
    (void)state;
    enum { USERS = 4000 };
    hsgd_synthetic_options o = options_for(1, 1, USERS, 11);
    o.features = 1;
    o.classes = 2;
    hsgd_dataset data;
    assert_ok(hsgd_synthetic_generate(&data, &o, &err), err);
    const size_t level[] = {1, 7, 54, 403, 3000};
    for (size_t i = 0; i < 5; i++) {
        double share = 0, p = gsl_cdf_ugaussian_Q((log((double)level[i]) - 4) / 2);
        for (size_t k = 0; k < USERS; k++)
            share += (data.user_start[k + 1] - data.user_start[k] >= 50 + level[i]) / (double)USERS;
        assert_true(fabs(share - p) < 5 * sqrt(p * (1 - p) / USERS));
    }
    for (size_t k = 0; k < USERS; k++)
        assert_true(data.user_start[k + 1] - data.user_start[k] >= 50);
    hsgd_dataset_free(&data);
    o.max_samples = 60;
    o.num_users = 50;
    assert_ok(hsgd_synthetic_generate(&data, &o, &err), err);
    for (size_t k = 0; k < 50; k++)
        assert_true(data.user_start[k + 1] - data.user_start[k] <= 60);
    hsgd_dataset_free(&data);
}

/* Inside a user: variance j^-1.2 of feature j, no correlation. Samples of all users pooled, about their own means. */
static void features_inside_a_user(void **state)
{
    (void)state;
    hsgd_synthetic_options o = options_for(1, 1, 200, 5);
    o.features = 8;
    o.max_samples = 2000;
    hsgd_dataset data;
    assert_ok(hsgd_synthetic_generate(&data, &o, &err), err);
    double sum[8][8] = {{0}};
    for (size_t k = 0; k < 200; k++) {
        size_t begin = data.user_start[k], end = data.user_start[k + 1];
        double mean[8] = {0};
        for (size_t s = begin; s < end; s++)
            for (size_t j = 0; j < 8; j++)
                mean[j] += data.dense[8 * s + j] / (double)(end - begin);
        for (size_t s = begin; s < end; s++)
            for (size_t i = 0; i < 8; i++)
                for (size_t j = 0; j < 8; j++)
                    sum[i][j] += (data.dense[8 * s + i] - mean[i]) * (data.dense[8 * s + j] - mean[j]);
    }
    double freedom = (double)data.num_samples - 200, error = 5 * sqrt(2 / freedom);
    for (size_t i = 0; i < 8; i++)
        for (size_t j = 0; j < 8; j++) {
            double scale = pow((double)(i + 1) * (double)(j + 1), -0.6);
            assert_true(fabs(sum[i][j] / freedom / scale - (i == j)) < error);
        }
    hsgd_dataset_free(&data);
}

/* Means and covariances over users of four values that share a common part: with the common part's variance c, each has
 * variance 1 + c, any two covariance c. Errors of a covariance are at most (1 + c) sqrt(2 / users). */
static void check_shared_part(double (*value)[4], size_t users, double common)
{
    double error = 5 * (1 + common) * sqrt(2.0 / (double)users);
    for (int i = 0; i < 4; i++) {
        double mean = 0;
        for (size_t k = 0; k < users; k++)
            mean += value[k][i] / (double)users;
        assert_true(fabs(mean) < 5 * sqrt((1 + common) / (double)users));
        for (int j = 0; j < 4; j++) {
            double product = 0;
            for (size_t k = 0; k < users; k++)
                product += value[k][i] * value[k][j] / (double)users;
            assert_true(fabs(product - (common + (i == j))) < error);
        }
    }
}

/* u_k is common to W_k and b_k: variance alpha^2. */
static void models_of_the_users(void **state)
{
    (void)state;
    enum { USERS = 5000 };
    static double value[USERS][4];
    const double alphas[] = {0, 0.5, 2};
    for (int a = 0; a < 3; a++) {
        hsgd_synthetic_options o = options_for(alphas[a], 1, USERS, 21);
        double weight[600], bias[10];
        for (size_t k = 0; k < USERS; k++) {
            hsgd_synthetic_model(weight, bias, &o, k);
            const double picked[] = {weight[0], weight[599], weight[17], bias[3]};
            memcpy(value[k], picked, sizeof picked);
        }
        check_shared_part(value, USERS, alphas[a] * alphas[a]);
    }
}

/* B_k is common to v_k's entries: variance beta^2. One sample of each user: the last of many features are close to v_k,
 * their own variance is 1000^-1.2 = 2.5e-4. */
static void features_of_the_users(void **state)
{
    (void)state;
    enum { USERS = 4000, FEATURES = 1003 };
    static double value[USERS][4];
    hsgd_synthetic_options o = options_for(0, 1.5, USERS, 8);
    o.features = FEATURES;
    o.classes = 2;
    o.max_samples = 1;
    hsgd_dataset data;
    assert_ok(hsgd_synthetic_generate(&data, &o, &err), err);
    for (size_t k = 0; k < USERS; k++)
        for (size_t i = 0; i < 4; i++)
            value[k][i] = data.dense[FEATURES * k + FEATURES - 4 + i];
    check_shared_part(value, USERS, 2.25);
    hsgd_dataset_free(&data);
}

static void iid_users_do_not_differ(void **state)
{
    (void)state;
    hsgd_synthetic_options o = options_for(0, 0, 300, 4);
    double weight[2][600], bias[2][10];
    hsgd_dataset data;
    o.iid = true;
    o.max_samples = 300;
    hsgd_synthetic_model(weight[0], bias[0], &o, 0);
    hsgd_synthetic_model(weight[1], bias[1], &o, 299);
    assert_memory_equal(weight[0], weight[1], sizeof weight[0]);
    assert_memory_equal(bias[0], bias[1], sizeof bias[0]);
    assert_ok(hsgd_synthetic_generate(&data, &o, &err), err);
    double m = (double)data.num_samples;
    for (size_t j = 0; j < 60; j++) {
        double mean = 0, square = 0, variance = pow((double)(j + 1), -1.2);
        for (size_t s = 0; s < data.num_samples; s++) {
            mean += data.dense[60 * s + j] / m;
            square += data.dense[60 * s + j] * data.dense[60 * s + j] / m;
        }
        assert_true(fabs(mean) < 5 * sqrt(variance / m) && fabs(square / variance - 1) < 5 * sqrt(2 / m));
    }
    hsgd_dataset_free(&data);
}

/* More users, other data for them, but the same for those that were there; another seed, other data for all. */
static void a_user_does_not_depend_on_the_others(void **state)
{
    (void)state;
    hsgd_synthetic_options o = options_for(1, 1, 3, 9);
    hsgd_dataset few, many;
    o.max_samples = 200;
    assert_ok(hsgd_synthetic_generate(&few, &o, &err), err);
    o.num_users = 7;
    assert_ok(hsgd_synthetic_generate(&many, &o, &err), err);
    assert_memory_equal(few.dense, many.dense, few.num_samples * 60 * sizeof(double));
    assert_memory_equal(few.label, many.label, few.num_samples * sizeof *few.label);
    hsgd_dataset_free(&many);
    o.seed = 10;
    assert_ok(hsgd_synthetic_generate(&many, &o, &err), err);
    assert_true(many.dense[0] != few.dense[0]);
    hsgd_dataset_free(&few);
    hsgd_dataset_free(&many);
}

static void options_out_of_range(void **state)
{
    (void)state;
    hsgd_dataset data;
    hsgd_synthetic_options o = options_for(-1, 1, 3, 1);
    assert_fails(hsgd_synthetic_generate(&data, &o, &err), HSGD_ERROR_INPUT, "alpha: -1", err);
    o = options_for(1, NAN, 3, 1);
    assert_fails(hsgd_synthetic_generate(&data, &o, &err), HSGD_ERROR_INPUT, "beta: ", err);
    o = options_for(1, 1, 0, 1);
    assert_fails(hsgd_synthetic_generate(&data, &o, &err), HSGD_ERROR_INPUT, "users: 0", err);
    o = options_for(1, 0, 3, 1);
    o.iid = true;
    assert_fails(hsgd_synthetic_generate(&data, &o, &err), HSGD_ERROR_INPUT, "both must be 0", err);
    o = options_for(1, 1, 3, 1);
    o.classes = 1;
    assert_fails(hsgd_synthetic_generate(&data, &o, &err), HSGD_ERROR_INPUT, "1 classes", err);
    o = options_for(1, 1, 1000000, 1);
    o.features = 10000000;
    assert_fails(hsgd_synthetic_generate(&data, &o, &err), HSGD_ERROR_MEMORY, "fewer users", err);
    assert_null(data.dense);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults_of_the_paper),        cmocka_unit_test(labels_are_those_of_the_models),
        cmocka_unit_test(sample_counts_are_log_normal), cmocka_unit_test(features_inside_a_user),
        cmocka_unit_test(models_of_the_users),          cmocka_unit_test(features_of_the_users),
        cmocka_unit_test(iid_users_do_not_differ),      cmocka_unit_test(a_user_does_not_depend_on_the_others),
        cmocka_unit_test(options_out_of_range),
    };
    return cmocka_run_group_tests_name("synthetic", tests, NULL, NULL);
}
