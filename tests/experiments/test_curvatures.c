/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Experiments on quadratics whose workers have Hessians of their own: the runs against the exact moments of each averaging
 * schedule, and divergences that are known exactly though they grow with w. */
#include "tests/experiments/whole_experiment.h"

#include "analysis/exact_moments.h"
#include "experiments/experiment_private.h"

/* Generated; L of the workers is above 1.3. */
#define OWN(fanout, periods, spread, level, noise, rest)                                                               \
    "{\"hierarchy\": {\"fanout\": " fanout ", \"periods\": " periods "}, \"problem\": {\"type\": \"quadratic\","       \
    "\"dimension\": 4, \"curvature_range\": [0.4, 1.3], \"level_curvature_spread\": " spread                           \
    ", \"level_divergence\": " level ", \"noise_variance\": " noise "}, \"figures\": []," rest "}"

static hsgd_exact exact_of(const whole *x, hsgd_run_index run)
{
    hsgd_exact exact;
    assert_ok(hsgd_exact_moments(&exact, &x->problem.quadratic, &x->e.run[run].hierarchy, x->problem.initial,
                                 x->e.step_size, x->config.steps, &err),
              err);
    return exact;
}

/* Without noise: S of each run is that of its schedule, the divergences are those that the run met, and verdicts are exact.
 * The three S differ. */
static void noiseless_runs_are_exact(void **state)
{
    (void)state;
    whole x;
    run_whole(&x, OWN("[3, 4]", "[12, 3]", "[0.5, 0.4]", "[2000, 1000]", "0", FRACTION("0.99", "2000")));
    double S[HSGD_NUM_RUNS], global = 0;
    for (int i = 0; i < HSGD_NUM_RUNS; i++) {
        hsgd_exact exact = exact_of(&x, (hsgd_run_index)i);
        S[i] = exact.S;
        assert_close(x.e.run[i].S.estimate.mean, exact.S, 1e-10);
        global = fmax(global, x.e.run[i].summary.global_divergence_sup_sq);
        hsgd_exact_free(&exact);
    }
    assert_true(S[HSGD_RUN_INNER] < 0.95 * S[HSGD_RUN_MAIN] && fabs(S[HSGD_RUN_MAIN] / S[HSGD_RUN_OUTER] - 1) > 1e-3);
    const hsgd_summary *s = &x.e.run[HSGD_RUN_MAIN].summary;
    assert_int_equal(x.e.divergence_kind, HSGD_EXACT);
    for (size_t k = 0; k < 2; k++)
        assert_close(x.e.level_divergence_sq[k], s->level_divergence_sup_sq[k], 1e-10);
    for (size_t u = 0; u < s->num_nodes; u++)
        assert_close(x.e.node_divergence_sq[u], s->node_divergence_sup_sq[u], 1e-10);
    assert_close(x.e.global_divergence_sq.value, global, 1e-10);
    assert_int_equal(find_bound(&x.e, "hsgd-fixed-recursive")->kind, HSGD_EXACT);
    assert_int_equal(find_bound(&x.e, "hsgd-fixed-recursive")->verdict, HSGD_VERDICT_HOLDS);
    assert_int_equal(x.e.worst, HSGD_VERDICT_HOLDS);
    const hsgd_audit_item *of_f = find_audit(&x.e, "L of f"); /* the mean of the curvatures is the common one */
    assert_close(of_f->limit.value, 1.3, 1e-12);
    assert_true(x.e.constants.smoothness.value > 1.5 && of_f->verdict == HSGD_VERDICT_HOLDS && of_f->margin > 0.5);
    release(&x);
}

/* With noise the constants are expectations: single runs exceed them, means over the runs do not, and the audit sees that;
 * constants that are smaller by a tenth it does not let pass. */
static void noisy_divergences_are_expectations(void **state)
{
    (void)state;
    whole x;
    run_whole(&x, OWN("[3, 4]", "[6, 2]", "[0.5, 0.4]", "[0.5, 0.3]", "400",
                      "\"seeds\": 60, \"optimizer\": {\"step_size\": 0.3, \"steps\": 60}"));
    const hsgd_summary *s = &x.e.run[HSGD_RUN_MAIN].summary;
    static const char *const name[] = {"D_1", "D_2", "E"};
    for (size_t k = 0; k < 2; k++)
        assert_true(s->level_divergence_sup_sq[k] > 1.1 * x.e.level_divergence_sq[k]);
    for (size_t k = 0; k < 3; k++) {
        const hsgd_audit_item *item = find_audit(&x.e, name[k]);
        assert_int_equal(item->verdict, HSGD_VERDICT_HOLDS);
        assert_int_equal(item->limit.kind, HSGD_EXACT);
        assert_true(item->seen.low_joint < item->seen.high_joint);
    }
    release(&x);
}

static void too_small_expectations_are_refuted(void **state)
{
    (void)state;
    whole x;
    run_whole(&x, OWN("[3, 4]", "[6, 2]", "[0.5, 0.4]", "[0.5, 0.3]", "0.1", "\"seeds\": 30," FRACTION("0.9", "30")));
    for (size_t k = 0; k < 2; k++)
        x.e.level_divergence_sq[k] *= 0.9;
    x.e.global_divergence_sq.value *= 0.9;
    static const char *const name[] = {"D_1", "D_2", "E"};
    for (size_t k = 0; k < 3; k++)
        assert_int_equal(find_audit(&x.e, name[k])->verdict, HSGD_VERDICT_HOLDS);
    free(x.e.comparison);
    free(x.e.dispersion_bound);
    free(x.e.dispersion);
    hsgd_sandwich_free(&x.e.sandwich);
    x.e.num_comparisons = 0;
    assert_ok(hsgd_experiment_judge(&x.e, &err), err);
    for (size_t k = 0; k < 3; k++)
        assert_int_equal(find_audit(&x.e, name[k])->verdict, HSGD_VERDICT_VIOLATED);
    release(&x);
}

/* They are known at every step, however often the run is measured. */
static void expectations_do_not_depend_on_the_measured_steps(void **state)
{
    (void)state;
    whole every, some;
#define MEASURED(m)                                                                                                    \
    OWN("[3, 4]", "[6, 3]", "[0.5, 0.4]", "[0.8, 0.4]", "5000",                                                        \
        "\"seeds\": 2, \"measure_every\": " m ", \"optimizer\": {\"step_size\": 0.3, \"steps\": 40}")
    run_whole(&every, MEASURED("1"));
    run_whole(&some, MEASURED("40"));
    for (size_t k = 0; k < 2; k++)
        assert_true(every.e.level_divergence_sq[k] == some.e.level_divergence_sq[k]);
    assert_true(every.e.global_divergence_sq.value == some.e.global_divergence_sq.value);
    assert_true(some.e.run[HSGD_RUN_MAIN].summary.global_divergence_sup_sq < 0.99 * every.e.global_divergence_sq.value);
    release(&every);
    release(&some);
}

/* Bounds that take the largest single deviations rest on what the run met of them, where they have a verdict. */
static void largest_deviations_come_from_the_run(void **state)
{
    (void)state;
    for (int applicable = 0; applicable < 2; applicable++) {
        whole x;
        run_whole(&x, applicable ? OWN("[3, 4]", "[6, 2]", "[0.5, 0.4]", "[8, 4]", "0.1", FRACTION("0.3", "24"))
                                 : OWN("[3, 4]", "[6, 2]", "[0.5, 0.4]", "[8, 4]", "0.1", FRACTION("0.9", "24")));
        const hsgd_comparison *b = find_bound(&x.e, "jiang-zhu-2024");
        assert_int_equal(b->verdict, applicable ? HSGD_VERDICT_HOLDS : HSGD_VERDICT_NOT_APPLICABLE);
        assert_int_equal(b->kind, applicable ? HSGD_TRAJECTORY : HSGD_EXACT);
        assert_int_equal(find_bound(&x.e, "hsgd-fixed")->kind, HSGD_EXACT);
        release(&x);
    }
}

/* Where groups have the period of their parent, the constant is the larger of two expectations; a run measures the mean of
 * the larger one, with which it is not compared. Without noise they are the same. */
static void merged_levels(void **state)
{
    (void)state;
    whole x;
    run_whole(&x, OWN("[3, 4]", "[6, 6]", "[0.5, 0.4]", "[8, 4]", "0", FRACTION("0.9", "40")));
    const hsgd_summary *s = &x.e.run[HSGD_RUN_MAIN].summary;
    for (size_t k = 0; k < 2; k++)
        assert_close(x.e.level_divergence_sq[k], s->level_divergence_sup_sq[k], 1e-10);
    assert_int_equal(find_audit(&x.e, "D_1")->verdict, HSGD_VERDICT_HOLDS);
    assert_int_equal(find_audit(&x.e, "D_2")->verdict, HSGD_VERDICT_NOT_APPLICABLE);
    release(&x);
}

/* Under random grouping the divergences of a run belong to its places, so suprema along the runs serve; and the lemma is
 * looked at in more than one point, for the gradients differ by other vectors in each. */
static void random_grouping_takes_what_the_runs_met(void **state)
{
    (void)state;
    whole x;
    run_whole(&x, OWN("[2, 3]", "[6, 2]", "[0.5, 0.4]", "[0.8, 0.4]", "0.5",
                      "\"grouping\": \"random\", \"seeds\": 8," FRACTION("0.9", "24")));
    const hsgd_summary *s = &x.e.run[HSGD_RUN_MAIN].summary;
    assert_int_equal(x.e.divergence_kind, HSGD_TRAJECTORY);
    assert_true(x.e.level_divergence_sq[0] == s->level_divergence_sup_sq[0]);
    assert_int_equal(find_bound(&x.e, "hsgd-random")->kind, HSGD_TRAJECTORY);
    assert_int_equal(x.e.grouping.num_points, 2);
    for (size_t i = 0; i < 2; i++)
        assert_int_equal(x.e.grouping.point[i].upward[0], HSGD_VERDICT_HOLDS);
    double first = x.e.grouping.point[0].moments.divergence, last = x.e.grouping.point[1].moments.divergence;
    assert_true(fabs(first - last) > 1e-3 * first);
    release(&x);
}

/* Two workers, from the file to S; the numbers are those of test_own_curvatures.c, three_steps_by_hand. */
static void rows_of_curvatures_from_a_file(void **state)
{
    (void)state;
    whole x;
    prepare(&x, "{\"hierarchy\": {\"fanout\": [2], \"periods\": [2]}, \"problem\": {\"type\": \"quadratic\","
                "\"curvature\": [[1], [0.5]], \"linear\": [[3], [1]], \"noise_variance\": 4}, \"initial\":"
                "{\"point\": [2]}, \"figures\": [], \"optimizer\": {\"step_size\": 0.5, \"steps\": 3}}");
    hsgd_exact exact;
    assert_ok(hsgd_exact_moments(&exact, &x.problem.quadratic, &x.problem.hierarchy, x.problem.initial, 0.5, 3, &err),
              err);
    assert_close(exact.S, (0.25 + 97.0 / 256 + 454.0 / 1024) / 3, 1e-14);
    hsgd_exact_free(&exact);
    hsgd_problem_free(&x.problem);
    hsgd_config_free(&x.config);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(noiseless_runs_are_exact),
        cmocka_unit_test(noisy_divergences_are_expectations),
        cmocka_unit_test(too_small_expectations_are_refuted),
        cmocka_unit_test(expectations_do_not_depend_on_the_measured_steps),
        cmocka_unit_test(largest_deviations_come_from_the_run),
        cmocka_unit_test(merged_levels),
        cmocka_unit_test(random_grouping_takes_what_the_runs_met),
        cmocka_unit_test(rows_of_curvatures_from_a_file),
    };
    return cmocka_run_group_tests_name("curvatures", tests, NULL, NULL);
}
