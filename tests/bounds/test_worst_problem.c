/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Worst problems in coordinates: n workers of any fanouts attain the worst case and satisfy everything that is assumed; and
 * the check that says so notices every change. */
#include "tests/test.h"

#include "bounds/worst_problem.h"

static void solve(hsgd_pep_result *out, const size_t *periods, size_t levels, size_t steps, hsgd_pep_gap gap,
                  hsgd_pep_criterion criterion, const double *divergence_sq)
{
    hsgd_error err;
    hsgd_pep_problem p = {.num_levels = levels, .steps = steps, .smoothness = 2.5, .delta = 0.8, .gap = gap};
    p.criterion = criterion;
    p.step_size = 0.99 / (2 * sqrt(6) * 2.5 * (levels ? (double)periods[0] : 1));
    for (size_t k = 0; k < levels; k++) {
        p.periods[k] = periods[k];
        p.level_divergence_sq[k] = divergence_sq[k];
    }
    assert_ok(hsgd_pep_solve(out, &p, &err), err);
}

static void attains(const hsgd_pep_result *result, const size_t *fanout, size_t workers)
{
    hsgd_error err;
    hsgd_worst_problem w;
    assert_ok(hsgd_worst_problem_build(&w, result, fanout, &err), err);
    assert_int_equal(w.num_workers, workers);
    assert_true(w.holds);
    assert_close(w.criterion, result->lower, HSGD_WORST_PROBLEM_TOLERANCE);
    assert_close(w.criterion, result->upper, 2 * HSGD_PEP_TOLERANCE);
    hsgd_worst_problem_free(&w);
}

/* Even and odd fanouts, equal or not: n does not matter. */
static void any_number_of_workers(void **state)
{
    (void)state;
    hsgd_pep_result r;
    solve(&r, (size_t[]){4, 2}, 2, 5, HSGD_PEP_DESCENT, HSGD_PEP_MEAN, (double[]){1, 0.6});
    attains(&r, (size_t[]){2, 2}, 4);
    attains(&r, (size_t[]){3, 2}, 6);
    attains(&r, (size_t[]){4, 5}, 20);
    hsgd_pep_result_free(&r);
}

static void every_kind_of_question(void **state)
{
    (void)state;
    hsgd_pep_result r;
    const size_t two[] = {2, 2}, periods[] = {4, 2};
    solve(&r, periods, 2, 4, HSGD_PEP_LOWER_BOUND, HSGD_PEP_MEAN, (double[]){1, 1});
    attains(&r, two, 4);
    hsgd_pep_result_free(&r);
    solve(&r, periods, 2, 4, HSGD_PEP_DESCENT, HSGD_PEP_MIN, (double[]){1, 1});
    attains(&r, two, 4);
    hsgd_pep_result_free(&r);
    solve(&r, periods, 2, 6, HSGD_PEP_DESCENT, HSGD_PEP_MEAN, (double[]){1, 0});
    attains(&r, two, 4);
    hsgd_pep_result_free(&r);
    solve(&r, NULL, 0, 3, HSGD_PEP_DESCENT, HSGD_PEP_MEAN, NULL);
    attains(&r, NULL, 1);
    hsgd_pep_result_free(&r);
}

/* The models lie along the first coordinates: their spread falls from one to the next. */
static void leading_directions(void **state)
{
    (void)state;
    hsgd_error err;
    hsgd_pep_result r;
    hsgd_worst_problem w;
    solve(&r, (size_t[]){4, 2}, 2, 4, HSGD_PEP_DESCENT, HSGD_PEP_MEAN, (double[]){1, 1});
    assert_ok(hsgd_worst_problem_build(&w, &r, (size_t[]){2, 2}, &err), err);
    double before = INFINITY;
    for (size_t i = 0; i < w.dim; i++) {
        double mean = 0, spread = 0;
        size_t count = w.num_points * w.num_workers;
        for (size_t m = 0; m < count; m++)
            mean += w.position[m * w.dim + i] / (double)count;
        for (size_t m = 0; m < count; m++)
            spread += pow(w.position[m * w.dim + i] - mean, 2);
        assert_true(spread <= before * (1 + 1e-9) + 1e-20);
        before = spread;
    }
    for (size_t i = 0; i < w.num_workers * w.dim; i++)
        assert_true(w.position[i] == 0); /* all start at the origin */
    hsgd_worst_problem_free(&w);
    hsgd_pep_result_free(&r);
}

/* One thing is wrong, and the check says which. */
typedef struct fault {
    double gram[3], function_value, step_size, divergence_sq, delta;
} fault;

static hsgd_worst_problem build_with(hsgd_pep_result *r, const fault *f)
{
    hsgd_error err;
    hsgd_worst_problem w;
    for (size_t k = 0; k < 3; k++)
        for (size_t i = 0; i < r->model.num_coordinates[k] * r->model.num_coordinates[k]; i++)
            r->gram[k][i] *= f->gram[k];
    r->function_value[2] += f->function_value;
    r->model.problem.step_size *= f->step_size;
    r->model.problem.level_divergence_sq[1] *= f->divergence_sq;
    r->model.problem.delta *= f->delta;
    assert_ok(hsgd_worst_problem_build(&w, r, (size_t[]){2, 2}, &err), err);
    return w;
}

static void the_check_notices(void **state)
{
    (void)state;
    static const fault faults[] = {{{1, 1, 1}, 0, 1, 1, 1},     {{1.01, 1, 1}, 0, 1, 1, 1},  {{1, 1, 1.01}, 0, 1, 1, 1},
                                   {{1, 1, 1}, 0.01, 1, 1, 1},  {{1, 1, 1}, -0.01, 1, 1, 1}, {{1, 1, 1}, 0, 1.01, 1, 1},
                                   {{1, 1, 1}, 0, 1, 0.999, 1}, {{1, 1, 1}, 0, 1, 1, 0.999}};
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) {
        hsgd_pep_result r;
        solve(&r, (size_t[]){4, 2}, 2, 4, HSGD_PEP_DESCENT, HSGD_PEP_MEAN, (double[]){1, 1});
        hsgd_worst_problem w = build_with(&r, &faults[i]);
        const double limit = HSGD_WORST_PROBLEM_TOLERANCE;
        assert_int_equal(w.holds, i == 0);
        assert_int_equal(w.criterion_error > limit, i == 1);
        assert_int_equal(w.divergence_violation > limit, i == 2 || i == 6);
        assert_int_equal(w.gap_violation > limit, i == 7);
        if (i == 3 || i == 4 || i == 5)
            assert_true(w.interpolation_violation > limit);
        hsgd_worst_problem_free(&w);
        hsgd_pep_result_free(&r);
    }
}

static void what_is_refused(void **state)
{
    (void)state;
    hsgd_error err;
    hsgd_pep_result r;
    hsgd_worst_problem w;
    solve(&r, (size_t[]){2}, 1, 2, HSGD_PEP_DESCENT, HSGD_PEP_MEAN, (double[]){1});
    assert_fails(hsgd_worst_problem_build(&w, &r, (size_t[]){1}, &err), HSGD_ERROR_INPUT, "fanout[0]: 1; expected",
                 err);
    assert_fails(hsgd_worst_problem_build(&w, &r, (size_t[]){100000000}, &err), HSGD_ERROR_INPUT, "too many workers",
                 err);
    assert_fails(hsgd_worst_problem_build(&w, &r, (size_t[]){4000000}, &err), HSGD_ERROR_INPUT, "expected at most",
                 err);
    hsgd_pep_result_free(&r);
    hsgd_worst_problem_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_number_of_workers), cmocka_unit_test(every_kind_of_question),
        cmocka_unit_test(leading_directions),    cmocka_unit_test(the_check_notices),
        cmocka_unit_test(what_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
