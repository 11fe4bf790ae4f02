/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What verdicts make of constants of kind estimate: where L and sigma^2 are far too small, the run contradicts bounds,
 * assumptions and steps of the proof. With constants that are said to be proved all this is violated; with estimates
 * nothing is, and every output says why. */
#include "tests/experiments/whole_experiment.h"

#include <gsl/gsl_errno.h>

#include "experiments/report.h"
#include "experiments/result.h"

static const hsgd_objective_type *honest;
static hsgd_constant_kind claimed;

/* A hundredth of the true noise and a tenth of the true L. */
static hsgd_status too_small(const hsgd_objective *objective, size_t batch_size, hsgd_constants *out, hsgd_error *error)
{
    hsgd_status status = honest->constants(objective, batch_size, out, error);
    out->smoothness = (hsgd_constant){out->smoothness.value / 10, claimed};
    out->noise_sq = (hsgd_constant){out->noise_sq.value / 100, claimed};
    return status;
}

static void run_with(whole *x, hsgd_constant_kind kind)
{
    static hsgd_objective_type type;
    prepare(x, QUADRATIC("[2, 2]", "[6, 2]", "[0.001, 0.002]", "400",
                         "\"optimizer\": {\"step_size\": 0.05, \"steps\": 600}, \"seeds\": 64"));
    honest = x->problem.objective.type;
    claimed = kind;
    type = *honest;
    type.constants = too_small;
    x->problem.objective.type = &type;
    run_prepared(x, true);
    x->problem.objective.type = honest;
}

static size_t count_rungs(const hsgd_experiment *e, hsgd_verdict verdict)
{
    size_t count = 0;
    for (size_t k = 1; k < HSGD_NUM_RUNGS; k++)
        count += e->ladder.rung[k].verdict == verdict;
    return count;
}

static void proved_constants_that_are_too_small_are_found_out(void **state)
{
    (void)state;
    whole x;
    run_with(&x, HSGD_CERTIFIED);
    assert_int_equal(find_bound(&x.e, "hsgd-fixed-recursive")->verdict, HSGD_VERDICT_VIOLATED);
    assert_int_equal(find_audit(&x.e, "L")->verdict, HSGD_VERDICT_VIOLATED);
    assert_int_equal(find_audit(&x.e, "sigma^2")->verdict, HSGD_VERDICT_VIOLATED);
    assert_int_equal(x.e.dispersion[0].verdict, HSGD_VERDICT_VIOLATED);
    assert_true(count_rungs(&x.e, HSGD_VERDICT_VIOLATED) > 0);
    assert_int_equal(x.e.overall, HSGD_VERDICT_VIOLATED);
    release(&x);
}

static void estimates_convict_nothing(void **state)
{
    (void)state;
    whole x;
    run_with(&x, HSGD_ESTIMATE);
    const hsgd_comparison *bound = find_bound(&x.e, "hsgd-fixed-recursive");
    assert_int_equal(bound->kind, HSGD_ESTIMATE);
    assert_int_equal(bound->verdict, HSGD_VERDICT_INCONCLUSIVE);
    assert_non_null(strstr(bound->reason, "estimate"));
    assert_int_equal(find_audit(&x.e, "L")->verdict, HSGD_VERDICT_INCONCLUSIVE);
    assert_string_equal(find_audit(&x.e, "L")->reason, "the run met more than was estimated");
    assert_int_equal(find_audit(&x.e, "sigma^2")->verdict, HSGD_VERDICT_INCONCLUSIVE);
    assert_int_equal(x.e.dispersion[0].verdict, HSGD_VERDICT_INCONCLUSIVE);
    assert_non_null(strstr(x.e.dispersion[0].reason, "estimate"));
    assert_int_equal(count_rungs(&x.e, HSGD_VERDICT_VIOLATED), 0);
    assert_int_equal(x.e.overall, HSGD_VERDICT_INCONCLUSIVE);
    assert_int_equal(x.e.worst, HSGD_VERDICT_INCONCLUSIVE);
    release(&x);
}

static void outputs_name_estimates(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++) {
        whole x;
        char *table = NULL, *report = NULL;
        size_t size;
        run_with(&x, i ? HSGD_ESTIMATE : HSGD_CERTIFIED);
        FILE *out = open_memstream(&table, &size);
        hsgd_result_print(&x.e, out);
        fclose(out);
        out = open_memstream(&report, &size);
        hsgd_report_print(&x.e, HSGD_REPORT_TEXT, out);
        fclose(out);
        assert_int_equal(strstr(table, "inconclusive (estimated): above the bound") != NULL, i);
        assert_int_equal(strstr(table, "(estimated): also with") != NULL, i);
        assert_int_equal(strstr(report, "never a proof") != NULL, i);
        free(table);
        free(report);
        release(&x);
    }
}

int main(void)
{
    gsl_set_error_handler_off();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(proved_constants_that_are_too_small_are_found_out),
        cmocka_unit_test(estimates_convict_nothing),
        cmocka_unit_test(outputs_name_estimates),
    };
    return cmocka_run_group_tests_name("estimates", tests, NULL, NULL);
}
