/* SPDX-License-Identifier: GPL-3.0-or-later */
/* THEORY 10. Expected numbers: the transcribed formulas with plain numbers put in. */
#include "tests/bounds/cases.h"

/* Three groups of sizes 3, 2, 4 with periods 4, 6, 2, aggregated every 12 steps. */
static void three_groups(hsgd_bound_params *p, const double *divergence_sq, const double *maximum_sq)
{
    hsgd_error err;
    hsgd_hierarchy h;
    const hsgd_node_spec spec[] = {{HSGD_NO_NODE, 12, 0}, {0, 4, 3}, {0, 6, 2}, {0, 2, 4}};
    assert_ok(hsgd_hierarchy_tree(&h, spec, 4, &err), err);
    assert_ok(hsgd_bound_params_init(p, &h, divergence_sq, maximum_sq, &err), err);
    hsgd_hierarchy_free(&h);
    set_scalars(p, 0.0031, 137, 1.9, 0.64, 2.385);
}

static const double mean_sq[] = {0.53, 1.1, 0.29, 1.3}, max_sq[] = {0.83, 1.7, 0.31, 2.3};

/* ---- Jiang and Zhu ---- */

static void jiang_zhu(void **state)
{
    (void)state;
    hsgd_bound_params p;
    three_groups(&p, mean_sq, max_sq);
    double gl_sq = 0.0031 * 0.0031 * 1.9 * 1.9, periods_sq = (3 * 16 + 2 * 36 + 4 * 4) / 9.0;
    double c = 0.5 - 40 * 144 * gl_sq - 100 * gl_sq * periods_sq;
    hsgd_bound_value v = evaluate("jiang-zhu-2024", &p);
    assert_true(v.applicable);
    assert_int_equal(v.num_terms, 6);
    assert_close(term_of(&v, "initial gap"), 2.385 / (c * 0.0031 * 12 * 11), 1e-13); /* R = floor(137/12) = 11 */
    assert_close(term_of(&v, "gradient noise"), 1.9 * 0.0031 * 0.64 / 18 / c, 1e-13);
    assert_close(term_of(&v, "noise drift, level 1"), 9 * 12 * gl_sq * 3 / 9 * 0.64 / c, 1e-13);
    assert_close(term_of(&v, "noise drift, level 2"), 8 * gl_sq * (3 * 4 + 2 * 6 + 4 * 2) / 9 * 0.64 / c, 1e-13);
    assert_close(term_of(&v, "divergence, level 1"), (40 * 144 * gl_sq * 0.83 + 100 * gl_sq * periods_sq * 0.83) / c,
                 1e-13);
    assert_close(term_of(&v, "divergence, level 2"), 75 * gl_sq * (3 * 16 * 1.7 + 2 * 36 * 0.31 + 4 * 4 * 2.3) / 9 / c,
                 1e-13);
    double sum = 0;
    for (size_t i = 0; i < 6; i++)
        sum += v.term[i].value;
    assert_close(v.value, sum, 1e-15);
    assert_close(v.max_step_size, 1 / (1.9 * sqrt(2 * (40 * 144 + 100 * periods_sq))), 1e-14); /* where h = 1/2 */
    hsgd_bound_params_free(&p);
}

/* A group of one worker disappears from the canonical tree and still counts: I_i = 1, eps_i = 0. */
static void jiang_zhu_with_a_single_worker_at_the_root(void **state)
{
    (void)state;
    hsgd_error err;
    hsgd_hierarchy h;
    hsgd_bound_params p;
    const hsgd_node_spec spec[] = {{HSGD_NO_NODE, 12, 0}, {0, 4, 3}, {0, 6, 1}, {0, 2, 4}};
    assert_ok(hsgd_hierarchy_tree(&h, spec, 4, &err), err);
    assert_ok(hsgd_bound_params_init(&p, &h, NULL, (double[]){0.83, 1.7, 0, 2.3}, &err), err);
    set_scalars(&p, 0.0031, 24, 1.9, 0.64, 2.385);
    double gl_sq = 0.0031 * 0.0031 * 1.9 * 1.9, periods_sq = (3 * 16 + 1 + 4 * 4) / 8.0;
    double c = 0.5 - 40 * 144 * gl_sq - 100 * gl_sq * periods_sq;
    hsgd_bound_value v = evaluate("jiang-zhu-2024", &p);
    assert_true(v.applicable);
    assert_close(term_of(&v, "noise drift, level 1"), 9 * 12 * gl_sq * 3 / 8 * 0.64 / c, 1e-13);
    assert_close(term_of(&v, "noise drift, level 2"), 8 * gl_sq * (3 * 4 + 1 + 4 * 2) / 8 * 0.64 / c, 1e-13);
    assert_close(term_of(&v, "divergence, level 2"), 75 * gl_sq * (3 * 16 * 1.7 + 4 * 4 * 2.3) / 8 / c, 1e-13);
    assert_close(v.max_step_size, 1 / (1.9 * 120), 1e-14); /* 1/(10 G L) is below the step size of h = 1/2 */
    hsgd_bound_params_free(&p);
    hsgd_hierarchy_free(&h);
}

static void jiang_zhu_conditions(void **state)
{
    (void)state;
    hsgd_bound_params p;
    three_groups(&p, mean_sq, max_sq);
    p.step_size = 0.0044; /* 1/228 = 0.00438596 */
    check_refused("jiang-zhu-2024", &p, "step size 0.0044 is above 0.00438596 = 1/(10 L G)");
    p.step_size = 0.0031;
    p.steps = 11;
    check_refused("jiang-zhu-2024", &p, "11 steps are less than one round of G = 12 steps");
    p.steps = 12;
    value_of("jiang-zhu-2024", &p);
    p.delta = INFINITY;
    check_refused("jiang-zhu-2024", &p, "f is not bounded below, or not known to be, so Delta is infinite");
    hsgd_bound_params_free(&p);
    /* means in the place of unknown maxima: a value for comparison, not applicable */
    three_groups(&p, mean_sq, NULL);
    hsgd_bound_params exact;
    three_groups(&exact, NULL, mean_sq);
    hsgd_bound_value v = evaluate("jiang-zhu-2024", &p);
    assert_false(v.applicable);
    assert_non_null(strstr(v.reason, "level_deviation_max_sq is not known; evaluated with the mean divergences"));
    assert_close(v.value, value_of("jiang-zhu-2024", &exact), 1e-15);
    p.step_size = 0.0044;
    check_refused("jiang-zhu-2024", &p, "1/(10 L G)");
    hsgd_bound_params_free(&exact);
    hsgd_bound_params_free(&p);
    three_groups(&p, NULL, NULL);
    check_refused("jiang-zhu-2024", &p, "level_deviation_max_sq is needed and not known");
    hsgd_bound_params_free(&p);
    uniform_params(&p, (size_t[]){3, 2, 5}, (size_t[]){30, 10, 2}, 3, (double[]){0.7, 1.3, 0.41});
    set_scalars(&p, 0.001, 91, 1, 1.44, 0.37);
    check_refused("jiang-zhu-2024", &p, "published for two levels, but the canonical tree has 3");
    assert_true(isnan(evaluate("jiang-zhu-2024", &p).max_step_size));
    hsgd_bound_params_free(&p);
    /* I = G/2: h = 40/100 + 100/400 = 0.65 at eta = 1/(10 G L), so h decides: 1/sqrt(2 (40 + 25)) = 0.0877058 of 1/(G
     * L) */
    uniform_params(&p, (size_t[]){3, 5}, (size_t[]){10, 5}, 2, (double[]){0.7, 1.3});
    set_scalars(&p, 0.009, 91, 1, 1.44, 0.37);
    check_refused("jiang-zhu-2024", &p, "mean I_i^2 = 0.5265 is not below 1/2");
    assert_close(evaluate("jiang-zhu-2024", &p).max_step_size, 1 / (10 * sqrt(130)), 1e-14);
    p.step_size = 0.0087;
    assert_true(isfinite(evaluate("jiang-zhu-2024", &p).value));
    hsgd_bound_params_free(&p);
}

/* ---- FedVARP ---- */

static void fedvarp(void **state)
{
    (void)state;
    hsgd_bound_params p;
    three_groups(&p, NULL, NULL);
    p.step_size = 0.0017;
    check_refused("fedvarp-2022", &p, "worker_deviation_max_sq is needed and not known");
    p.worker_deviation_max_sq = 3.3;
    double gl = 0.0017 * 1.9;
    hsgd_bound_value v = evaluate("fedvarp-2022", &p);
    assert_true(v.applicable);
    assert_close(term_of(&v, "initial gap"), 4 * 2.385 / (0.0017 * 12 * 11), 1e-14);
    assert_close(term_of(&v, "gradient noise"), 4 * gl * 0.64 / 9, 1e-14);
    assert_close(term_of(&v, "noise drift, level 1"), 8 * gl * gl * 11 * 0.64, 1e-14);
    assert_close(term_of(&v, "divergence, level 1"), 32 * gl * gl * 12 * 11 * 3.3, 1e-14);
    assert_close(v.max_step_size, 1 / (24 * 12 * 1.9), 1e-14);
    double value = v.value;
    p.participants = 4; /* of 9: 12 g L tau (9 - 4)/(8 * 4) sigma_g^2 more, and sigma^2/4 */
    v = evaluate("fedvarp-2022", &p);
    assert_true(v.applicable);
    assert_close(term_of(&v, "gradient noise"), 4 * gl * 0.64 / 4, 1e-14);
    assert_close(term_of(&v, "sampled workers"), 12 * gl * 12 * 5 / 32 * 3.3, 1e-14);
    assert_close(v.value, value + 4 * gl * 0.64 * (1. / 4 - 1. / 9) + 12 * gl * 12 * 5 / 32 * 3.3, 1e-14);
    check_refused("hsgd-fixed", &p, "only 4 of 9 workers take part");
    p.participants = 9;
    assert_close(evaluate("fedvarp-2022", &p).value, value, 1e-15);
    p.participants = 0;
    p.worker_deviation_max_sq = NAN;
    p.global_divergence_sq = 3.3;
    v = evaluate("fedvarp-2022", &p);
    assert_false(v.applicable);
    assert_non_null(strstr(v.reason, "worker_deviation_max_sq is not known; evaluated with the mean divergence"));
    assert_close(v.value, value, 1e-15);
    p.worker_deviation_max_sq = 3.3;
    p.step_size = 0.0019; /* 1/547.2 = 0.00182749 */
    check_refused("fedvarp-2022", &p, "step size 0.0019 is above 0.00182749 = 1/(24 L G)");
    p.step_size = 0.0017;
    p.steps = 11;
    check_refused("fedvarp-2022", &p, "less than one round");
    hsgd_bound_params_free(&p);
}

/* ---- MLL-SGD ---- */

static void mll_sgd(void **state)
{
    (void)state;
    hsgd_bound_params p;
    uniform_params(&p, (size_t[]){3, 5}, (size_t[]){12, 4}, 2, (double[]){0, 0});
    set_scalars(&p, 0.0031, 137, 1.9, 0.64, 2.385);
    double scale = 1.9 * 1.9 * 0.0031 * 0.0031 * 0.64, q = 3, tau = 4;
    hsgd_bound_value v = evaluate("mll-sgd-2021", &p);
    assert_false(v.applicable);
    assert_int_equal(strncmp(v.reason, "unconfirmed: ", 13), 0);
    assert_true(isnan(v.max_step_size));
    assert_close(v.value,
                 2 * 2.385 / (0.0031 * 137) + 0.64 * 0.0031 * 1.9 / 15 +
                     4 * scale * q * q * q * tau * tau * tau * (1 / (q * tau) - 1 / 137.0) +
                     8 * scale * (tau * tau * (q - 1) * (2 * q + 1) / 6 + (tau - 1) * (2 * tau + 1) / 6),
                 1e-13);
    p.steps = 12; /* the third term vanishes at T = q tau */
    assert_close(evaluate("mll-sgd-2021", &p).term[2].value, 0, 0);
    p.steps = 11;
    check_refused("mll-sgd-2021", &p, "less than one round");
    p.steps = 137;
    p.global_divergence_sq = 0.2;
    check_refused("mll-sgd-2021", &p, "IID data only, but a divergence is 0.2");
    p.global_divergence_sq = NAN;
    assert_close(evaluate("mll-sgd-2021", &p).value, v.value, 1e-15);
    p.divergence_sq[1] = 0.3;
    check_refused("mll-sgd-2021", &p, "IID data only, but a divergence is 0.3");
    p.divergence_sq[1] = 0;
    p.delta = INFINITY;
    check_refused("mll-sgd-2021", &p, "Delta is infinite");
    hsgd_bound_params_free(&p);
    uniform_params(&p, (size_t[]){3, 5}, (size_t[]){12, 4}, 2, NULL);
    set_scalars(&p, 0.0031, 137, 1.9, 0.64, 2.385);
    check_refused("mll-sgd-2021", &p, "level_divergence_sq is needed");
    p.global_divergence_sq = 0;
    assert_close(evaluate("mll-sgd-2021", &p).value, v.value, 1e-15);
    hsgd_bound_params_free(&p);
    three_groups(&p, (double[]){0, 0, 0, 0}, NULL);
    check_refused("mll-sgd-2021", &p, "one group period I, but groups have the periods 2 and 4");
    check_refused("hierfavg-2020", &p, "one group period I");
    hsgd_bound_params_free(&p);
}

/* ---- HierFAVG ---- */

static double h(double x, double deviation, double gamma, double smoothness)
{
    return deviation / smoothness * (pow(1 + gamma * smoothness, x) - 1 - gamma * smoothness * x);
}

static void hierfavg(void **state)
{
    (void)state;
    hsgd_bound_params p;
    const double g = 0.0731, smoothness = 1.9;
    uniform_params(&p, (size_t[]){3, 5}, (size_t[]){12, 4}, 2, (double[]){0.7, 1.3});
    set_scalars(&p, g, 137, smoothness, 0, INFINITY); /* Delta plays no part */
    double up = sqrt(0.7), down = sqrt(1.3);
    double ratio = (pow(1 + g * smoothness, 12) - 1) / (pow(1 + g * smoothness, 4) - 1);
    double want = h(12, up, g, smoothness) + 12 * ratio * h(4, down, g, smoothness) + h(4, down, g, smoothness);
    assert_close(value_of("hierfavg-2020", &p), want, 1e-12);
    assert_int_equal(hsgd_bound_find("hierfavg-2020")->target, HSGD_TARGET_DISTANCE);
    assert_true(isinf(evaluate("hierfavg-2020", &p).max_step_size));
    /* tiny gamma L: (d/L)(gamma L)^2 x (x - 1)/2 to leading order, where the difference would cancel */
    p.step_size = 1e-10;
    double gl_sq = 1e-10 * 1e-10 * smoothness;
    want = gl_sq * (up * 66 + down * 6 * (12 * 3 + 1));
    assert_close(value_of("hierfavg-2020", &p), want, 1e-7);
    p.smoothness = 0;
    assert_close(value_of("hierfavg-2020", &p), 0, 0);
    p.smoothness = smoothness;
    p.step_size = 1e200;
    check_refused("hierfavg-2020", &p, "overflows");
    p.step_size = g;
    p.steps = 11;
    check_refused("hierfavg-2020", &p, "less than one round");
    p.steps = 12;
    p.noise_sq = 0.5;
    check_refused("hierfavg-2020", &p, "published for exact gradients, but sigma_sq is 0.5");
    hsgd_bound_params_free(&p);
    uniform_params(&p, (size_t[]){3, 5}, (size_t[]){12, 4}, 2, NULL);
    set_scalars(&p, g, 137, smoothness, 0, 1);
    check_refused("hierfavg-2020", &p, "level_divergence_sq is needed");
    hsgd_bound_params_free(&p);
    uniform_params(&p, (size_t[]){15}, (size_t[]){12}, 1, (double[]){0.7});
    set_scalars(&p, g, 137, smoothness, 0, 1);
    check_refused("hierfavg-2020", &p, "the canonical tree has 1");
    check_refused("mll-sgd-2021", &p, "the canonical tree has 1");
    hsgd_bound_params_free(&p);
}

/* The two forms of (1 + a)^x - 1 - a x meet at a x = 1/2. */
static void hierfavg_is_smooth_where_its_forms_meet(void **state)
{
    (void)state;
    hsgd_bound_params p;
    uniform_params(&p, (size_t[]){3, 5}, (size_t[]){12, 4}, 2, (double[]){0.7, 0});
    for (int side = -1; side <= 1; side++) {
        double g = 0.5 / 12 * (1 + side * 1e-3);
        set_scalars(&p, g, 12, 1, 0, 1);
        assert_close(value_of("hierfavg-2020", &p), h(12, sqrt(0.7), g, 1), 1e-13);
    }
    hsgd_bound_params_free(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(jiang_zhu),
        cmocka_unit_test(jiang_zhu_with_a_single_worker_at_the_root),
        cmocka_unit_test(jiang_zhu_conditions),
        cmocka_unit_test(fedvarp),
        cmocka_unit_test(mll_sgd),
        cmocka_unit_test(hierfavg),
        cmocka_unit_test(hierfavg_is_smooth_where_its_forms_meet),
    };
    return cmocka_run_group_tests_name("bounds of other papers", tests, NULL, NULL);
}
