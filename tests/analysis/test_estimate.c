/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The search for L and sigma^2 where both are known: quadratics, whose Hessian is given, and softmax regression with two
 * classes, whose Hessian at the origin is X'X/m in blocks and nowhere larger. */
#include "tests/test.h"

#include <gsl/gsl_errno.h>

#include "analysis/estimate.h"
#include "analysis/mlp.h"
#include "analysis/quadratic.h"
#include "analysis/random.h"
#include "analysis/smoothness.h"

static hsgd_error err;

/* The largest |eigenvalue| is that of a negative one; times the factor. Power iterations end below it, by little. */
static void quadratics_are_found(void **state)
{
    (void)state;
    enum { N = 5, D = 4 };
    const double curvature[D] = {0.3, -1.7, 0.9, 0.2};
    double linear[N * D], begin[D] = {0.5, 0.1, -2, 1};
    hsgd_quadratic q;
    hsgd_objective f;
    hsgd_constant_estimates found;
    hsgd_normals(&(hsgd_stream){3, HSGD_PURPOSE_USER, 0, 0}, 1, linear, N * D);
    assert_ok(hsgd_quadratic_init(&q, curvature, linear, D, N, 0, &err), err);
    assert_ok(hsgd_quadratic_objective(&f, &q, NULL, &err), err);
    assert_ok(hsgd_estimate_constants(&found, &(hsgd_estimate_request){.objective = &f, .start = begin}, &err), err);
    assert_at_most(found.smoothness, HSGD_ESTIMATE_FACTOR * 1.7, 1e-8);
    assert_close(found.smoothness, HSGD_ESTIMATE_FACTOR * 1.7, 0.01);
    assert_true(found.noise_sq == 0);
    hsgd_objective_free(&f);
    hsgd_quadratic_free(&q);
}

/* Two classes at probabilities p, 1 - p: the Hessian is p (1 - p) [1 -1; -1 1] (x) X'X/m, largest at the origin: with
 * eigenvalues half those of X'X/m. The worker with the larger one is the last of three. */
static void softmax_regression_is_found(void **state)
{
    (void)state;
    enum { M = 90, P = 6 };
    hsgd_dataset d = {.num_samples = M, .num_features = P, .num_classes = 2};
    d.dense = malloc(M * P * sizeof *d.dense);
    d.label = malloc(M * sizeof *d.label);
    const size_t start[] = {0, 20, 60, M};
    hsgd_normals(&(hsgd_stream){4, HSGD_PURPOSE_USER, 0, 0}, 1, d.dense, M * P);
    for (size_t s = 0; s < M; s++) {
        d.label[s] = s % 3 == 0;
        for (size_t i = 0; i < P; i++)
            d.dense[s * P + i] *= s < 60 ? 1 : 1.5 + (double)i;
    }
    hsgd_objective f;
    hsgd_constants c;
    const hsgd_mlp_spec spec = {.num_hidden = 0};
    assert_ok(hsgd_mlp_objective(&f, &spec, &d, start, 3, (hsgd_regularizer){HSGD_REGULARIZER_L2, 0.25}, &err), err);
    assert_ok(f.type->constants(&f, 0, &c, &err), err);
    double top;
    assert_ok(hsgd_dataset_add_intercept(&d, &err), err);
    assert_ok(hsgd_gram_eigenvalue_bound(&top, &d, 60, 30, &err), err);
    assert_close(c.smoothness.value, HSGD_ESTIMATE_FACTOR * (top / 2 + 0.25), 0.01);
    hsgd_objective_free(&f);
    hsgd_dataset_free(&d);
}

int main(void)
{
    gsl_set_error_handler_off();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(quadratics_are_found),
        cmocka_unit_test(softmax_regression_is_found),
    };
    return cmocka_run_group_tests_name("estimate", tests, NULL, NULL);
}
