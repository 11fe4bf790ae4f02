/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The worst case as a bound (bounds/worst_case.h): its terms are the certificate's, it lies below 4.4, 4.2 and 4.1 wherever they
 * apply, gradient descent has its closed form, what the model does not cover is refused with the reason, and noise adds the
 * terms of 4.2 without a claim. */
#include "tests/test.h"

#include "bounds/worst_case.h"

static hsgd_error err;

/* Uniform, two children everywhere. */
static hsgd_bound_params params_of(const size_t *periods, size_t levels, size_t steps, double step_size)
{
    static const double divergence_sq[] = {0.7, 0.45, 0.3};
    static const size_t fanout[] = {2, 2, 2};
    hsgd_hierarchy h;
    hsgd_bound_params out;
    assert_ok(hsgd_hierarchy_uniform(&h, fanout, periods, levels, &err), err);
    assert_ok(hsgd_bound_params_init(&out, &h, divergence_sq, NULL, &err), err);
    hsgd_hierarchy_free(&h);
    out.step_size = step_size;
    out.steps = steps;
    out.smoothness = 1.3;
    out.noise_sq = 0;
    out.delta = 0.9;
    return out;
}

static hsgd_bound_value value_of(const hsgd_bound *bound, const hsgd_bound_params *params)
{
    hsgd_bound_value out;
    hsgd_bound_eval(bound, params, &out);
    return out;
}

/* ---- values ---- */

static void terms_are_those_of_the_certificate(void **state)
{
    (void)state;
    static const size_t periods[] = {4, 2};
    hsgd_bound_params params = params_of(periods, 2, 4, 0.2);
    hsgd_bound_value value = value_of(&hsgd_bound_worst_case, &params);
    hsgd_pep_problem problem;
    hsgd_pep_result result;
    assert_ok(hsgd_pep_problem_from_params(&problem, &params, &err), err);
    assert_ok(hsgd_pep_solve(&result, &problem, &err), err);
    assert_true(value.applicable);
    assert_int_equal(value.num_terms, 3);
    assert_string_equal(value.term[0].name, "initial gap");
    assert_string_equal(value.term[2].name, "divergence, level 2");
    assert_close(value.term[0].value, 0.9 * result.delta_coefficient, 1e-12);
    assert_close(value.term[1].value, 0.7 * result.divergence_coefficient[0], 1e-12);
    assert_close(value.term[2].value, 0.45 * result.divergence_coefficient[1], 1e-12);
    assert_close(value.value, result.upper, 1e-9);
    assert_close(value.max_step_size, 2 / 1.3, 1e-15);
    hsgd_pep_result_free(&result);
    hsgd_bound_params_free(&params);
}

/* worst case <= 4.4 <= 4.2 <= 4.1, as far as each applies; not one of them is close. */
static void it_lies_below_the_closed_forms(void **state)
{
    (void)state;
    static const size_t periods[][2] = {{2, 1}, {4, 2}, {4, 1}, {3, 1}}, steps[] = {2, 5};
    static const double scaled[] = {0.03, 0.09, 0.3, 0.9}; /* gamma L */
    static const char *const id[] = {"hsgd-fixed-recursive", "hsgd-fixed-sharp", "hsgd-fixed"};
    size_t compared = 0;
    for (size_t i = 0; i < 32; i++) {
        hsgd_bound_params params = params_of(periods[i % 4], 2, steps[i / 4 % 2], scaled[i / 8] / 1.3);
        hsgd_bound_value worst = value_of(&hsgd_bound_worst_case, &params);
        double last = worst.value;
        assert_true(worst.applicable && worst.value > 0);
        for (size_t k = 0; k < 3; k++) {
            hsgd_bound_value closed = value_of(hsgd_bound_find(id[k]), &params);
            if (!closed.applicable)
                continue;
            assert_at_most(last, closed.value, 1e-12);
            assert_at_most(worst.value, 0.9 * closed.value, 0);
            last = closed.value;
            compared++;
        }
        hsgd_bound_params_free(&params);
    }
    assert_int_equal(compared, 60);
}

/* With an average after every step: gradient descent, whose f falls by gamma (1 - gamma L/2) ||grad f||^2 in each step, so
 * S <= 2 Delta/((2 - gamma L) gamma T), and f with a straight descent attains it. Beyond 2/L there is none. */
static void averages_at_every_step_make_gradient_descent(void **state)
{
    (void)state;
    static const size_t periods[] = {1};
    static const double scaled[] = {0.1, 0.7, 1, 1.6};
    for (size_t i = 0; i < 4; i++) {
        hsgd_bound_params params = params_of(periods, 1, 3, scaled[i] / 1.3);
        hsgd_bound_value value = value_of(&hsgd_bound_worst_case, &params);
        assert_close(value.value, 2 * 0.9 / ((2 - scaled[i]) * params.step_size * 3), 1e-5);
        params.step_size = 2.01 / 1.3;
        value = value_of(&hsgd_bound_worst_case, &params);
        assert_true(!value.applicable && isnan(value.value));
        assert_non_null(strstr(value.reason, "2 or more: S can be any number"));
        hsgd_bound_params_free(&params);
    }
}

/* ---- refusals ---- */

static void assert_refused(const hsgd_bound_params *params, const char *text)
{
    hsgd_bound_value value = value_of(&hsgd_bound_worst_case, params);
    if (value.applicable || !strstr(value.reason, text))
        fail_msg("\"%s\" lacks \"%s\"", value.reason, text);
}

static void what_the_model_does_not_cover_is_refused(void **state)
{
    (void)state;
    static const size_t periods[] = {4, 2};
    static const double weight[] = {0.3, 0.2, 0.4, 0.1};
    hsgd_bound_params params = params_of(periods, 2, 4, 0.1);
    hsgd_hierarchy expanded;
    params.delta = INFINITY;
    assert_refused(&params, "delta: ");
    params.delta = 1;
    params.divergence_sq[1] = NAN;
    assert_refused(&params, "level_divergence_sq[1]: ");
    params.divergence_sq[1] = 1;
    params.steps = 1000;
    assert_refused(&params, "T = 1000 needs a program of more than 150 points");
    params.steps = 4;
    params.smoothness = 0;
    assert_refused(&params, "L: 0 ");
    params.smoothness = 1;
    assert_ok(hsgd_hierarchy_expand(&expanded, &params.tree, &err), err);
    assert_ok(hsgd_hierarchy_set_weights(&expanded, weight, &err), err);
    hsgd_bound_params weighted;
    static const double beta_sq[] = {1, 1, 1};
    assert_ok(hsgd_bound_params_init(&weighted, &expanded, beta_sq, NULL, &err), err);
    weighted.step_size = 0.1;
    weighted.steps = 4;
    weighted.smoothness = weighted.delta = 1;
    weighted.noise_sq = 0;
    assert_refused(&weighted, "equal weight");
    hsgd_hierarchy_free(&expanded);
    hsgd_bound_params_free(&weighted);
    hsgd_bound_params_free(&params);
}

/* Noise: the terms of 4.2 stand beside those of the worst case, and nothing is claimed of the sum. */
static void noise_adds_the_terms_of_the_closed_form_without_a_claim(void **state)
{
    (void)state;
    static const size_t periods[] = {4, 2};
    hsgd_bound_params params = params_of(periods, 2, 4, 0.05);
    double exact = value_of(&hsgd_bound_worst_case, &params).value;
    double closed = value_of(hsgd_bound_find("hsgd-fixed-sharp"), &params).value;
    params.noise_sq = 0.8;
    hsgd_bound_value noisy = value_of(&hsgd_bound_worst_case, &params);
    double with = value_of(hsgd_bound_find("hsgd-fixed-sharp"), &params).value;
    assert_false(noisy.applicable);
    assert_non_null(strstr(noisy.reason, "sigma_sq is 0.8"));
    assert_close(noisy.value - exact, with - closed, 1e-9);
    params.step_size = 0.9; /* 4.2 does not apply: no terms, no number */
    noisy = value_of(&hsgd_bound_worst_case, &params);
    assert_true(!noisy.applicable && isnan(noisy.value));
    hsgd_bound_params_free(&params);
}

/* ---- size ---- */

/* What is refused for its size, and predicted, is counted as the program counts. The prediction grows with T, and is 0 where
 * there is no program. */
static void size_is_counted_as_the_program_does(void **state)
{
    (void)state;
    static const size_t periods[][3] = {{4, 2, 1}, {8, 4, 2}, {6, 2, 1}};
    for (size_t i = 0; i < 3; i++) {
        hsgd_bound_params params = params_of(periods[i], 3, 11, 0.05);
        hsgd_pep_problem problem;
        hsgd_pep_model model;
        assert_ok(hsgd_pep_problem_from_params(&problem, &params, &err), err);
        assert_ok(hsgd_pep_model_build(&model, &problem, &err), err);
        assert_int_equal(hsgd_worst_case_points(&params.tree, 11), model.num_points);
        assert_true(hsgd_worst_case_seconds(&params.tree, 11) > hsgd_worst_case_seconds(&params.tree, 10));
        assert_true(hsgd_worst_case_seconds(&params.tree, 1000) == 0);
        hsgd_pep_model_free(&model);
        hsgd_bound_params_free(&params);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(terms_are_those_of_the_certificate),
        cmocka_unit_test(it_lies_below_the_closed_forms),
        cmocka_unit_test(averages_at_every_step_make_gradient_descent),
        cmocka_unit_test(what_the_model_does_not_cover_is_refused),
        cmocka_unit_test(noise_adds_the_terms_of_the_closed_form_without_a_claim),
        cmocka_unit_test(size_is_counted_as_the_program_does),
    };
    return cmocka_run_group_tests_name("worst_case", tests, NULL, NULL);
}
