/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Estimates of L and sigma^2 where the true values are known: quadratics, whose Hessian is given, and softmax regression at a
 * point, whose Hessian is written down here and decomposed by GSL. */
#include "tests/test.h"

#include <gsl/gsl_eigen.h>

#include "analysis/estimate_smoothness.h"
#include "analysis/linear_model.h"
#include "analysis/quadratic.h"

static hsgd_error err;

/* Power iteration from the gradient finds the largest curvature in size, here the negative one; the difference of gradients of
 * a quadratic is exact up to rounding, (1.1/1.9)^(2 x 11) is 6e-6, and a lower bound stays below. Noise of variance 0.37 in
 * four coordinates: ||xi||^2 has mean 0.37 and standard deviation 0.37 sqrt(2/4), so the mean of 32 draws is within five
 * deviations 0.37 sqrt(2/4/32) of it, also the largest of six workers. */
static void quadratics(void **state)
{
    (void)state;
    const double curvature[] = {0.3, 1.1, -1.9, 0.7}, point[] = {1.2, -0.7, 0.4, 2.2};
    double linear[24];
    for (size_t i = 0; i < 24; i++)
        linear[i] = sin((double)(7 * i + 1));
    hsgd_quadratic q;
    hsgd_objective f;
    hsgd_constants c;
    assert_ok(hsgd_quadratic_init(&q, curvature, linear, 4, 6, 0.37, &err), err);
    assert_ok(hsgd_quadratic_objective(&f, &q, NULL, &err), err);
    assert_ok(hsgd_estimate_constants(&c, &f, point, 1, &err), err);
    assert_close(c.smoothness.value, 1.9, 1e-4);
    assert_at_most(c.smoothness.value, 1.9, 1e-9);
    assert_near(c.noise_sq.value, 0.37, 5 * sqrt(2.0 / 4 / 32) * 0.37);
    assert_true(c.smoothness.kind == HSGD_ESTIMATE && c.noise_sq.kind == HSGD_ESTIMATE);
    assert_true(c.minimum.value == 0 && c.minimum.kind == HSGD_CERTIFIED && c.convexity == -INFINITY);
    hsgd_objective_free(&f);
    hsgd_quadratic_free(&q);
}

/* ---- logistic regression: Hessian (1/m) sum s(1 - s) xx' ---- */

enum { FEATURES = 3, PER_WORKER = 6, WORKERS = 11, SAMPLES = PER_WORKER * WORKERS };

static double largest_eigenvalue(const double *x, const double *w)
{
    gsl_matrix *h = gsl_matrix_calloc(FEATURES, FEATURES);
    gsl_vector *values = gsl_vector_alloc(FEATURES);
    gsl_eigen_symm_workspace *space = gsl_eigen_symm_alloc(FEATURES);
    for (size_t s = 0; s < PER_WORKER; s++) {
        double z = 0;
        for (size_t i = 0; i < FEATURES; i++)
            z += w[i] * x[s * FEATURES + i];
        double p = 1 / (1 + exp(-z));
        for (size_t i = 0; i < FEATURES; i++)
            for (size_t j = 0; j < FEATURES; j++)
                *gsl_matrix_ptr(h, i, j) += p * (1 - p) * x[s * FEATURES + i] * x[s * FEATURES + j] / PER_WORKER;
    }
    gsl_eigen_symm(h, values, space);
    double largest = gsl_vector_max(values);
    gsl_eigen_symm_free(space);
    gsl_vector_free(values);
    gsl_matrix_free(h);
    return largest;
}

/* Eight of eleven workers are looked at, among them the one with the largest data. One step of 1e-3 of ||w|| changes the
 * Hessian by about as much. Full gradients have no noise. */
static void logistic_regression(void **state)
{
    (void)state;
    const double w[] = {0.4, -0.8, 0.3};
    size_t start[WORKERS + 1] = {0};
    hsgd_dataset data = {.num_samples = SAMPLES, .num_features = FEATURES, .num_classes = 2};
    data.dense = malloc(SAMPLES * FEATURES * sizeof *data.dense);
    data.label = calloc(SAMPLES, sizeof *data.label);
    hsgd_normals(&(hsgd_stream){2, HSGD_PURPOSE_USER, 0, 0}, 1, data.dense, SAMPLES * FEATURES);
    double want = 0;
    for (size_t j = 0; j < WORKERS; j++) {
        double *x = data.dense + j * PER_WORKER * FEATURES;
        for (size_t i = 0; i < PER_WORKER * FEATURES; i++) /* worker 4 = 3 * 11 / 8 is the third that is looked at */
            x[i] *= j == 4 ? 4 : 1;
        start[j + 1] = (j + 1) * PER_WORKER;
        data.label[j * PER_WORKER] = 1;
        want = fmax(want, largest_eigenvalue(x, w));
    }
    hsgd_objective f;
    hsgd_constants c;
    hsgd_regularizer none = {HSGD_REGULARIZER_NONE, 0};
    assert_ok(hsgd_linear_model_objective(&f, HSGD_LINK_LOGISTIC, &data, start, WORKERS, none, &err), err);
    assert_ok(hsgd_estimate_constants(&c, &f, w, 0, &err), err);
    assert_close(c.smoothness.value, want, 1e-2);
    assert_true(c.noise_sq.value == 0 && c.noise_sq.kind == HSGD_EXACT);
    const double lost[] = {NAN, 0, 0};
    assert_fails(hsgd_estimate_constants(&c, &f, lost, 0, &err), HSGD_ERROR_NUMERIC, "worker 0", err);
    hsgd_objective_free(&f);
    hsgd_dataset_free(&data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(quadratics),
        cmocka_unit_test(logistic_regression),
    };
    return cmocka_run_group_tests_name("estimate_smoothness", tests, NULL, NULL);
}
