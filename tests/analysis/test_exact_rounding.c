/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The bound on the rounding errors of exact moments: three steps by hand, the true errors of random problems against brute force
 * in long double, schedules that agree in theory and differ in their last digits, and dispersions that lie in order. */
#include "tests/analysis/dense_moments.h"

#include <float.h>

#include "analysis/exact_rounding.h"
#include "analysis/random.h"

static hsgd_error err;

/* Three steps. n = d = 1, h = 2, b = 3, gamma = 1/4, w^0 = 5, sigma^2 = 2: rho = 1/2, k = 65.
 *     t = 0: e = 0, M = 5, V = 0, E = 0;                     delta = 4 k u (2*5 + 3)
 *     t = 1: e = 4 k u (1.5*5 + 0.75) = 33 k u, M = 3.25, V = 1/8, E = 8 k u/8 = k u;
 *            delta = 2*33 k u + 4 k u (6.5 + 3) = 104 k u; noise 4 (E + 8 k u/8) = 8 k u; x = 66 k u + 26 k u;
 *            loss (6.5 + 3) 33 k u + 2 (e^2 + E)/2 + (8 k + 1) u size, size = 2 (3.25^2 + 1/8)/2 + 3*3.25
 *     t = 2: e = 33/2 k u + 4 k u (1.5*3.25 + 0.75) = 39 k u, M = 2.375; delta = 78 k u + 4 k u (4.75 + 3) = 109 k u;
 *            E = k u/4 + 8 k u (1.25/8 + 1/8) = 2.5 k u, V = 1/32 + 1/8: noise 4 (2.5 + 8*5/32) k u. */
static void three_steps_by_hand(void **state)
{
    (void)state;
    const double h = 2, b = 3, initial = 5, u = DBL_EPSILON / 2, ku = 65 * u;
    hsgd_quadratic q;
    hsgd_exact_rounding r;
    assert_ok(hsgd_quadratic_init(&q, &h, &b, 1, 1, 2, &err), err);
    assert_ok(hsgd_exact_rounding_find(&r, &q, &initial, 0.25, 3, &err), err);
    assert_close(r.gradient_sq[0], 52 * ku * 52 * ku, 1e-14);
    assert_close(r.gradient_sq[1], 104 * ku * 104 * ku, 1e-14);
    assert_close(r.gradient_noise[1], 8 * ku, 1e-14);
    assert_close(r.dispersion_sq[1], 92 * ku * 92 * ku, 1e-14);
    assert_close(r.dispersion_noise[1], 5 * ku, 1e-14);
    assert_close(r.loss_size[1], 3.25 * 3.25 + 0.125 + 9.75, 1e-14);
    assert_close(r.loss[1], 9.5 * 33 * ku + 33 * 33 * ku * ku + ku + (8 * ku + u) * r.loss_size[1], 1e-14);
    assert_close(r.gradient_sq[2], 109 * ku * 109 * ku, 1e-14);
    assert_close(r.gradient_noise[2], 4 * (2.5 + 1.25) * ku, 1e-14);
    hsgd_exact_rounding_free(&r);
    hsgd_quadratic_free(&q);
}

enum { WORKERS = 6, GROUPS = 2, DIM = 2, STEPS = 40, TRIALS = 30 };

typedef struct fixture {
    double curvature[WORKERS * DIM], linear[WORKERS * DIM], initial[DIM];
    dense_problem dense;
    hsgd_quadratic q;
} fixture;

/* Large linear terms and starts make gradients cancel, which is where digits are lost. */
static void set_up(fixture *f, uint64_t trial, bool own)
{
    double shared[DIM];
    hsgd_normals(&(hsgd_stream){1, HSGD_PURPOSE_USER, 0, trial}, 1, f->curvature, WORKERS * DIM);
    hsgd_normals(&(hsgd_stream){2, HSGD_PURPOSE_USER, 0, trial}, trial % 3 ? 1 : 1e4, f->linear, WORKERS * DIM);
    hsgd_normals(&(hsgd_stream){3, HSGD_PURPOSE_USER, 0, trial}, trial % 2 ? 1 : 1e3, f->initial, DIM);
    for (size_t i = 0; i < WORKERS * DIM; i++)
        f->curvature[i] = fabs(f->curvature[i]) + (own ? -0.2 : 0.1);
    for (size_t i = 0; i < WORKERS * DIM && !own; i++)
        f->curvature[i] = f->curvature[i % DIM];
    memcpy(shared, f->curvature, sizeof shared);
    f->dense = (dense_problem){WORKERS, GROUPS, DIM, f->curvature, f->linear, f->initial, 0.7, 0.13, STEPS, 1};
    if (own)
        assert_ok(hsgd_quadratic_init_own(&f->q, f->curvature, f->linear, DIM, WORKERS, 0.7, &err), err);
    else
        assert_ok(hsgd_quadratic_init(&f->q, shared, f->linear, DIM, WORKERS, 0.7, &err), err);
}

static hsgd_exact moments(const fixture *f, size_t global_period, size_t local_period)
{
    const size_t fanout[] = {GROUPS, WORKERS / GROUPS}, period[] = {global_period, local_period};
    hsgd_hierarchy uniform, h;
    hsgd_exact exact;
    assert_ok(hsgd_hierarchy_uniform(&uniform, fanout, period, 2, &err), err);
    assert_ok(hsgd_hierarchy_expand(&h, &uniform, &err), err);
    assert_ok(hsgd_exact_moments(&exact, &f->q, &h, f->initial, f->dense.step_size, STEPS, &err), err);
    hsgd_hierarchy_free(&uniform);
    hsgd_hierarchy_free(&h);
    return exact;
}

/* The true error is no larger than the bound, and the bound is no larger than a few million roundings. */
static void check_error(double got, long double want, double bound, double scale, const char *what)
{
    double error = (double)fabsl(got - want);
    if (!(error <= bound))
        fail_msg("%s: error %g, bound %g", what, error, bound);
    if (!(bound <= 1e-8 * scale))
        fail_msg("%s: bound %g for numbers of size %g", what, bound, scale);
}

static void bounds_hold_for_random_problems(void **state)
{
    (void)state;
    static const size_t periods[][2] = {{12, 12}, {12, 3}, {3, 3}};
    for (uint64_t trial = 0; trial < TRIALS; trial++) {
        fixture f;
        hsgd_exact_rounding r;
        set_up(&f, trial, trial % 4 != 0);
        assert_ok(hsgd_exact_rounding_find(&r, &f.q, f.initial, f.dense.step_size, STEPS, &err), err);
        for (size_t i = 0; i < 3; i++) {
            hsgd_exact exact = moments(&f, periods[i][0], periods[i][1]);
            f.dense.every = 1 + trial % 3;
            dense_means want = dense_moments(&f.dense, periods[i][0], periods[i][1]);
            hsgd_exact_means got = hsgd_exact_means_of(&exact, f.dense.every);
            hsgd_exact_error bound = hsgd_exact_error_of(&exact, &r, f.dense.every);
            check_error(got.S, want.S, bound.S, got.S, "S");
            check_error(got.dispersion, want.dispersion, bound.dispersion, 1 + got.dispersion, "dispersion");
            check_error(got.loss, want.loss, bound.loss, r.loss_size[0] + r.loss_size[STEPS - 1], "loss");
            hsgd_exact_free(&exact);
        }
        hsgd_exact_rounding_free(&r);
        hsgd_quadratic_free(&f.q);
    }
}

/* With one Hessian S and the loss are the same under every schedule; what is computed is so up to the bound, not to the bit. */
static void schedules_that_agree_differ_by_less(void **state)
{
    (void)state;
    size_t different = 0;
    for (uint64_t trial = 0; trial < TRIALS; trial++) {
        fixture f;
        hsgd_exact_rounding r;
        set_up(&f, trial, false);
        assert_ok(hsgd_exact_rounding_find(&r, &f.q, f.initial, f.dense.step_size, STEPS, &err), err);
        hsgd_exact a = moments(&f, 12, 3), b = moments(&f, 12, 12);
        hsgd_exact_means x = hsgd_exact_means_of(&a, 1), y = hsgd_exact_means_of(&b, 1);
        hsgd_exact_error dx = hsgd_exact_error_of(&a, &r, 1), dy = hsgd_exact_error_of(&b, &r, 1);
        different += x.S != y.S;
        assert_true(fabs(x.S - y.S) <= dx.S + dy.S);
        assert_true(fabs(x.loss - y.loss) <= dx.loss + dy.loss);
        assert_true(x.dispersion + dx.dispersion < y.dispersion - dy.dispersion);
        hsgd_exact_free(&a);
        hsgd_exact_free(&b);
        hsgd_exact_rounding_free(&r);
        hsgd_quadratic_free(&f.q);
    }
    assert_true(different > TRIALS / 4);
}

/* THEORY 6.1: with one Hessian and gamma h <= 1 the dispersions of the three lie in order at every single step. */
static void dispersions_lie_between_at_every_step(void **state)
{
    (void)state;
    size_t strict = 0;
    for (uint64_t trial = 0; trial < TRIALS; trial++) {
        fixture f;
        set_up(&f, trial, false);
        hsgd_exact inner = moments(&f, 3, 3), middle = moments(&f, 12, 3), outer = moments(&f, 12, 12);
        for (size_t t = 0; t < STEPS; t++) {
            double x = inner.dispersion[2 * t] + inner.dispersion[2 * t + 1];
            double y = middle.dispersion[2 * t] + middle.dispersion[2 * t + 1];
            double z = outer.dispersion[2 * t] + outer.dispersion[2 * t + 1];
            assert_at_most(x, y, 1e-9);
            assert_at_most(y, z, 1e-9);
            strict += x < y && y < z;
        }
        hsgd_exact_free(&inner);
        hsgd_exact_free(&middle);
        hsgd_exact_free(&outer);
        hsgd_quadratic_free(&f.q);
    }
    assert_true(strict > TRIALS * STEPS / 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(three_steps_by_hand),
        cmocka_unit_test(bounds_hold_for_random_problems),
        cmocka_unit_test(schedules_that_agree_differ_by_less),
        cmocka_unit_test(dispersions_lie_between_at_every_step),
    };
    return cmocka_run_group_tests_name("exact_rounding", tests, NULL, NULL);
}
