/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Values by hand, gradients against finite differences, curvature on a grid. */
#include "tests/test.h"

#include <gsl/gsl_deriv.h>
#include <gsl/gsl_errno.h>

#include "analysis/random.h"
#include "analysis/regularizer.h"

static double value_at(double x, void *regularizer)
{
    double grad = 0;
    return hsgd_regularizer_add(regularizer, &x, &grad, 1);
}

static double slope_at(double x, void *regularizer)
{
    double grad = 0;
    hsgd_regularizer_add(regularizer, &x, &grad, 1);
    return grad;
}

/* w = (1/2, -3, 2.385): sums of w^2/2 and of w^2/(1 + w^2), and the gradient added to what is there. */
static void values_by_hand(void **state)
{
    (void)state;
    const double w[] = {0.5, -3, 2.385};
    hsgd_regularizer l2 = {HSGD_REGULARIZER_L2, 0.7}, nonconvex = {HSGD_REGULARIZER_NONCONVEX, 0.7},
                     none = {HSGD_REGULARIZER_NONE, 0.7};
    double grad[] = {10, 20, 30};
    assert_close(hsgd_regularizer_add(&l2, w, grad, 3), 0.35 * (0.25 + 9 + 2.385 * 2.385), 1e-15);
    assert_close(grad[0], 10 + 0.35, 1e-15);
    assert_close(grad[1], 20 - 2.1, 1e-15);
    assert_close(grad[2], 30 + 0.7 * 2.385, 1e-15);
    double r = 2.385 * 2.385, from[] = {10, 20, 30};
    assert_close(hsgd_regularizer_add(&nonconvex, w, from, 3), 0.7 * (0.2 + 0.9 + r / (1 + r)), 1e-15);
    assert_close(from[0], 10 + 0.7 * 1 / 1.5625, 1e-15);
    assert_close(from[1], 20 - 0.7 * 6 / 100, 1e-15);
    assert_close(from[2], 30 + 0.7 * 2 * 2.385 / ((1 + r) * (1 + r)), 1e-15);
    double same[] = {10, 20, 30};
    assert_close(hsgd_regularizer_add(&none, w, same, 3), 0, 0);
    assert_true(same[0] == 10 && same[1] == 20 && same[2] == 30);
}

static void gradients_are_derivatives(void **state)
{
    (void)state;
    double point[50], derivative, error;
    hsgd_normals(&(hsgd_stream){1, HSGD_PURPOSE_USER, 0, 0}, 2, point, 50);
    for (int type = HSGD_REGULARIZER_NONE; type <= HSGD_REGULARIZER_NONCONVEX; type++) {
        hsgd_regularizer r = {(hsgd_regularizer_type)type, 1.37};
        gsl_function f = {value_at, &r};
        for (size_t i = 0; i < 50; i++) {
            gsl_deriv_central(&f, point[i], 1e-3, &derivative, &error);
            assert_near(slope_at(point[i], &r), derivative, 1e-8);
        }
    }
}

/* The second derivative of w^2/(1 + w^2) is (2 - 6 w^2)/(1 + w^2)^3: 2 at w = 0 and -1/2 at w = 1. The slopes of
 * the gradient, on a grid, stay inside [-weight/2, 2 weight] and reach both ends. */
static void curvature_stays_in_its_range(void **state)
{
    (void)state;
    hsgd_regularizer nonconvex = {HSGD_REGULARIZER_NONCONVEX, 0.83}, l2 = {HSGD_REGULARIZER_L2, 0.83};
    double low = INFINITY, high = -INFINITY;
    for (double x = -8; x < 8; x += 1e-3) {
        double second = (slope_at(x + 5e-4, &nonconvex) - slope_at(x - 5e-4, &nonconvex)) / 1e-3;
        low = fmin(low, second);
        high = fmax(high, second);
        assert_close((slope_at(x + 5e-4, &l2) - slope_at(x - 5e-4, &l2)) / 1e-3, 0.83, 1e-10);
    }
    assert_at_most(high, hsgd_regularizer_smoothness(&nonconvex), 1e-9);
    assert_close(high, 2 * 0.83, 1e-5);
    assert_close(low, -0.83 / 2, 1e-5);
    assert_close(hsgd_regularizer_smoothness(&l2), 0.83, 0);
    assert_close(hsgd_regularizer_smoothness(&nonconvex), 1.66, 0);
    assert_close(hsgd_regularizer_smoothness(&(hsgd_regularizer){HSGD_REGULARIZER_NONE, 0.83}), 0, 0);
    assert_at_most(hsgd_regularizer_convexity(&nonconvex), low, 1e-9);
    assert_close(hsgd_regularizer_convexity(&nonconvex), low, 1e-5);
    assert_close(hsgd_regularizer_convexity(&l2), 0.83, 0);
    assert_close(hsgd_regularizer_convexity(&(hsgd_regularizer){HSGD_REGULARIZER_NONE, 0.83}), 0, 0);
}

/* mu is the smallest second derivative: never above a second difference of the values, and attained. */
static void convexity_is_the_smallest_curvature(void **state)
{
    (void)state;
    for (int type = HSGD_REGULARIZER_NONE; type <= HSGD_REGULARIZER_NONCONVEX; type++)
        for (double weight = 0; weight < 2; weight += 0.83) {
            hsgd_regularizer r = {(hsgd_regularizer_type)type, weight};
            const double step = 1e-3, mu = hsgd_regularizer_convexity(&r);
            double low = INFINITY;
            for (double x = -8; x < 8; x += step) {
                double second = (value_at(x + step, &r) - 2 * value_at(x, &r) + value_at(x - step, &r)) / step / step;
                assert_true(second >= mu - 2e-8);
                low = fmin(low, second);
            }
            assert_near(low, mu, 1e-5);
        }
    assert_close(hsgd_regularizer_convexity(&(hsgd_regularizer){HSGD_REGULARIZER_L2, 0.83}), 0.83, 0);
    assert_close(hsgd_regularizer_convexity(&(hsgd_regularizer){HSGD_REGULARIZER_NONCONVEX, 0.83}), -0.415, 0);
    assert_close(hsgd_regularizer_convexity(&(hsgd_regularizer){HSGD_REGULARIZER_NONE, 0.83}), 0, 0);
}

/* w^2 overflows from 1.4e154 on and underflows below 1e-162. */
static void extreme_points_are_finite(void **state)
{
    (void)state;
    hsgd_regularizer r = {HSGD_REGULARIZER_NONCONVEX, 0.6};
    for (double x = 1e10; x <= 1e200; x *= 1e10) {
        assert_close(value_at(x, &r), 0.6, 1e-15);
        assert_close(value_at(-x, &r), 0.6, 1e-15);
        assert_near(slope_at(-x, &r), -1.2 / x / x / x, 1e-44); /* 2 weight/w^3 */
        assert_true(value_at(1 / x, &r) >= 0 && value_at(1 / x, &r) <= 0.6000001 / x / x);
        if (x < 1e150)
            assert_close(value_at(1 / x, &r), 0.6 / x / x, 1e-14);
        assert_close(slope_at(1 / x, &r), 1.2 / x, 1e-15);
    }
    assert_close(value_at(3e-9, &r), 0.6 * 9e-18, 1e-14);
    assert_true(value_at(0, &r) == 0 && slope_at(0, &r) == 0);
    assert_true(isnan(value_at(NAN, &r)) && isnan(slope_at(NAN, &r))); /* a lost run stays visible */
}

static void names_round_trip(void **state)
{
    (void)state;
    hsgd_regularizer_type type;
    for (int i = HSGD_REGULARIZER_NONE; i <= HSGD_REGULARIZER_NONCONVEX; i++) {
        assert_int_equal(hsgd_regularizer_parse(hsgd_regularizer_name((hsgd_regularizer_type)i), &type), 0);
        assert_int_equal(type, i);
    }
    assert_int_equal(hsgd_regularizer_parse("L2", &type), -1);
}

int main(void)
{
    gsl_set_error_handler_off();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_by_hand),
        cmocka_unit_test(gradients_are_derivatives),
        cmocka_unit_test(curvature_stays_in_its_range),
        cmocka_unit_test(convexity_is_the_smallest_curvature),
        cmocka_unit_test(extreme_points_are_finite),
        cmocka_unit_test(names_round_trip),
    };
    return cmocka_run_group_tests_name("regularizer", tests, NULL, NULL);
}
