/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Constants that verdicts may rest on by choice ("constants" of the configuration, THEORY 8): certified divergences, and
 * f* from a search.
 *
 * Nothing here is statistical: seeds are fixed, and only what holds for every path is asserted of noisy runs.
 *
 * Each of these changes to the code was made and seen to fail here. divergences.c: the kind, the global or the nodes' bound not
 * taken over, levels not cut at E, the first placement only, used unasked. judge.c: no certified values, those of bounds that
 * need maxima, the suprema in them, the kind of single deviations. judge_audit.c: the proved bound not shown. experiment.c:
 * no ball, a solved f* used unasked, a bound above f, the nearest end for the farthest. */
#include "tests/experiments/whole_experiment.h"

#include <gsl/gsl_errno.h>

#include "tests/temp_files.h"

/* No line separates the classes, so that f has a minimum without a regulariser, too. */
static const char *const SAMPLES = "+1 1:0.9 2:-0.4\n-1 1:0.3 2:1.1\n+1 1:-0.7 2:0.6\n-1 1:0.8 2:-1.2\n"
                                   "+1 1:1.4 2:0.2\n-1 1:0.5 2:0.5\n+1 1:-0.9 2:1.3\n-1 1:-1.1 2:0.2\n"
                                   "+1 1:0.1 2:0.7\n-1 1:0.6 2:-0.8\n+1 1:0.4 2:0.9\n-1 1:-0.2 2:1.3\n";

static const double LAMBDA = 0.03;

/* rest ends with a comma. */
static void make(whole *x, bool l2, const char *rest)
{
    char text[2048], regularizer[128] = "";
    temp_write(temp_shared(), "twelve.txt", SAMPLES, strlen(SAMPLES));
    if (l2)
        snprintf(regularizer, sizeof regularizer, ", \"regularizer\": {\"type\": \"l2\", \"weight\": %g}", LAMBDA);
    snprintf(
        text, sizeof text,
        "{\"hierarchy\": {\"fanout\": [2, 3], \"periods\": [4, 2]}, \"problem\": {\"type\": \"logistic\", \"data\":"
        "{\"format\": \"libsvm\", \"path\": \"%.255s/twelve.txt\"}, \"partition\": {\"scheme\": \"by-label\"}%s},"
        "\"initial\": {\"point\": [1.3, -0.7]}, \"figures\": [], %s"
        "\"optimizer\": {\"step_size_fraction\": 0.15, \"steps\": 30, \"batch_size\": %d}}",
        temp_shared()->folder, regularizer, rest, strstr(rest, "seeds") ? 1 : 0);
    prepare(x, text);
}

/* ---- divergences ---- */

static void certified_divergences_are_used(void **state)
{
    (void)state;
    whole x, met;
    make(&x, true, "\"constants\": {\"divergence\": \"certified\"},");
    make(&met, true, "");
    run_prepared(&x, false);
    run_prepared(&met, true);
    assert_int_equal(x.e.divergence_kind, HSGD_CERTIFIED);
    assert_int_equal(met.e.divergence_kind, HSGD_TRAJECTORY);
    assert_int_equal(x.e.global_divergence_sq.kind, HSGD_CERTIFIED);
    /* what hsgd verify shows beside the suprema is what is used here, level by level and for the bounds of single nodes */
    for (size_t k = 0; k < 2; k++) {
        assert_true(x.e.level_divergence_sq[k] == met.e.certified_level_sq[k]);
        assert_true(x.e.level_divergence_sq[k] > met.e.level_divergence_sq[k]);
    }
    for (size_t u = 0; u < 3; u++)
        assert_true(x.e.node_divergence_sq[u] == met.e.certified_node_sq[u]);
    assert_true(x.e.global_divergence_sq.value == met.e.certified_global_sq);
    assert_true(x.e.global_divergence_sq.value > met.e.global_divergence_sq.value);
    assert_int_equal(x.e.num_comparisons, met.e.num_comparisons);
    for (size_t i = 0; i < x.e.num_comparisons; i++) {
        const hsgd_comparison *c = &x.e.comparison[i], *m = &met.e.comparison[i];
        /* nothing certifies single deviations, nor the lemma of random grouping along a trajectory */
        bool met_only = c->bound->needs_maxima || c->bound->algorithm == HSGD_ALGORITHM_HSGD_RANDOM;
        assert_int_equal(c->kind, met_only ? HSGD_TRAJECTORY : HSGD_CERTIFIED);
        assert_int_equal(m->kind, HSGD_TRAJECTORY);
        assert_true(isnan(c->certified_value)); /* it is the value itself */
        if (met_only) {
            assert_true(isnan(m->certified_value) && m->value.value > 0);
            continue;
        }
        if (isnan(m->value.value))
            continue;
        /* the same formula with larger constants; hierfavg has a value, too */
        assert_true(m->certified_value > m->value.value);
        assert_close(c->value.value, m->certified_value, 1e-13);
        assert_true(c->measured.estimate.mean == m->measured.estimate.mean ||
                    (isnan(c->measured.estimate.mean) && isnan(m->measured.estimate.mean)));
    }
    assert_int_equal(find_bound(&x.e, "hsgd-fixed")->verdict, HSGD_VERDICT_HOLDS);
    assert_int_equal(x.e.overall, HSGD_VERDICT_HOLDS);
    /* the audit: one limit where it is used, next to the supremum where it is not */
    const hsgd_audit_item *used = find_audit(&x.e, "D_1"), *shown = find_audit(&met.e, "D_1");
    assert_true(used->limit.kind == HSGD_CERTIFIED && isnan(used->proved) && used->verdict == HSGD_VERDICT_HOLDS);
    assert_true(shown->limit.kind == HSGD_TRAJECTORY && shown->proved == used->limit.value);
    assert_true(shown->verdict == HSGD_VERDICT_HOLDS && used->seen.high == shown->seen.high);
    /* R5 rests on them as well */
    assert_true(x.e.ladder.rung[5].value.estimate.mean > met.e.ladder.rung[5].value.estimate.mean);
    release(&x);
    release(&met);
}

/* Asked for in vain: quadratics keep their exact constants. */
static void certified_where_there_is_nothing_to_certify(void **state)
{
    (void)state;
    whole x;
    run_whole(
        &x, QUADRATIC("[2, 3]", "[6, 2]", "[0.83, 0.41]", "0",
                      "\"constants\": {\"divergence\": \"certified\", \"f_star\": \"solve\"}," FRACTION("0.9", "30")));
    assert_int_equal(x.e.divergence_kind, HSGD_EXACT);
    assert_null(x.e.certified_level_sq);
    assert_false(x.e.has_solved);
    assert_int_equal(x.e.constants.minimum.kind, HSGD_EXACT);
    assert_int_equal(find_bound(&x.e, "hsgd-fixed")->kind, HSGD_EXACT);
    release(&x);
}

/* Under random grouping: the largest over the placements of all runs, so at least that of every single one. */
static void certified_divergences_cover_all_groupings(void **state)
{
    (void)state;
    whole x;
    make(&x, true,
         "\"grouping\": \"random\", \"seeds\": 2, \"groupings\": 4,"
         "\"constants\": {\"divergence\": \"certified\"},");
    run_prepared(&x, false);
    const hsgd_objective *f = &x.problem.objective;
    const hsgd_hierarchy *h = &x.problem.hierarchy;
    double node[3], global, level[2], largest[2] = {0, 0};
    for (size_t r = 0; r < 8; r++) {
        assert_ok(f->type->divergences(node, &global, f, h, x.problem.placement + r * 6, &err), err);
        level[0] = fmin(node[0], global);
        level[1] = fmin((node[1] + node[2]) / 2, global);
        for (size_t k = 0; k < 2; k++)
            largest[k] = fmax(largest[k], level[k]);
        assert_close(global, x.e.certified_global_sq, 1e-9); /* places do not matter for E */
    }
    for (size_t k = 0; k < 2; k++)
        assert_close(x.e.level_divergence_sq[k], largest[k], 1e-13);
    for (size_t k = 0; k < 2; k++)
        assert_true(x.e.run[HSGD_RUN_MAIN].summary.level_divergence_sup_sq[k] <= largest[k]);
    assert_true(x.e.divergence_kind == HSGD_CERTIFIED && x.e.overall != HSGD_VERDICT_VIOLATED);
    release(&x);
}

/* ---- f* ---- */

/* f over all samples with the workers' weights (two samples each, so equal), by Newton's method. */
static double true_minimum(double lambda)
{
    static const double x[12][3] = {{0.9, -0.4, 1}, {0.3, 1.1, -1},  {-0.7, 0.6, 1}, {0.8, -1.2, -1},
                                    {1.4, 0.2, 1},  {0.5, 0.5, -1},  {-0.9, 1.3, 1}, {-1.1, 0.2, -1},
                                    {0.1, 0.7, 1},  {0.6, -0.8, -1}, {0.4, 0.9, 1},  {-0.2, 1.3, -1}};
    double w[2] = {0, 0}, value = 0;
    for (size_t i = 0; i < 30; i++) {
        double g[2] = {lambda * w[0], lambda * w[1]}, H[3] = {lambda, 0, lambda};
        value = lambda / 2 * (w[0] * w[0] + w[1] * w[1]);
        for (size_t s = 0; s < 12; s++) {
            double margin = x[s][2] * (x[s][0] * w[0] + x[s][1] * w[1]), p = 1 / (1 + exp(margin));
            value += log1p(exp(-margin)) / 12;
            for (size_t c = 0; c < 2; c++)
                g[c] -= x[s][2] * x[s][c] * p / 12;
            H[0] += x[s][0] * x[s][0] * p * (1 - p) / 12;
            H[1] += x[s][0] * x[s][1] * p * (1 - p) / 12;
            H[2] += x[s][1] * x[s][1] * p * (1 - p) / 12;
        }
        double det = H[0] * H[2] - H[1] * H[1];
        w[0] -= (H[2] * g[0] - H[1] * g[1]) / det;
        w[1] -= (H[0] * g[1] - H[1] * g[0]) / det;
    }
    return value;
}

/* Below every loss of every run, below the true minimum, and not by much. */
static void check_bound(const whole *x, double minimum)
{
    double bound = x->e.constants.minimum.value;
    assert_true(bound <= minimum);
    assert_near(bound, minimum, 1e-5);
    for (int i = 0; i < HSGD_NUM_RUNS; i++) {
        const hsgd_summary *s = &x->e.run[i].summary;
        assert_true(x->e.run[i].made);
        for (size_t r = 0; r < s->num_seeds; r++)
            assert_true(bound <= s->path[r].lowest_loss && bound <= s->path[r].final_loss);
    }
}

static void check_solved(bool l2, const char *noise, hsgd_constant_kind kind)
{
    whole known, solved;
    char rest[256];
    make(&known, l2, noise);
    run_prepared(&known, true);
    snprintf(rest, sizeof rest, "%s\"constants\": {\"f_star\": \"solve\"},", noise);
    make(&solved, l2, rest);
    run_prepared(&solved, true);
    double minimum = true_minimum(l2 ? LAMBDA : 0);
    /* not asked for: shown only */
    assert_true(known.e.has_solved && known.e.constants.minimum.value == 0);
    assert_int_equal(known.e.constants.minimum.kind, HSGD_CERTIFIED);
    /* asked for: used */
    assert_true(solved.e.constants.minimum.value == solved.e.solved_minimum.value);
    assert_int_equal(solved.e.constants.minimum.kind, kind);
    assert_int_equal(solved.e.delta.kind, kind);
    check_bound(&solved, minimum);
    double initial = solved.e.run[HSGD_RUN_MAIN].summary.loss[0].mean;
    assert_close(known.e.delta.value, initial, 1e-15);
    assert_close(solved.e.delta.value, initial - solved.e.constants.minimum.value, 1e-15);
    assert_true(solved.e.delta.value < 0.9 * known.e.delta.value);
    assert_true(find_bound(&solved.e, "hsgd-fixed")->value.value < find_bound(&known.e, "hsgd-fixed")->value.value);
    assert_int_equal(find_audit(&solved.e, "f*")->verdict, HSGD_VERDICT_HOLDS);
    assert_int_equal(find_audit(&solved.e, "f* solved")->verdict, HSGD_VERDICT_HOLDS);
    assert_int_equal(find_audit(&known.e, "f* solved")->verdict, HSGD_VERDICT_HOLDS);
    assert_int_not_equal(solved.e.worst, HSGD_VERDICT_VIOLATED);
    /* the step to R4 has less to give away */
    assert_true(solved.e.ladder.rung[4].step.estimate.mean < known.e.ladder.rung[4].step.estimate.mean);
    release(&known);
    release(&solved);
}

static void solved_minimum(void **state)
{
    (void)state;
    check_solved(true, "", HSGD_CERTIFIED); /* strongly convex: everywhere */
    check_solved(true, "\"seeds\": 5,", HSGD_CERTIFIED);
    check_solved(false, "", HSGD_TRAJECTORY); /* convex: in a ball that holds the ends of the runs */
    check_solved(false, "\"seeds\": 5,", HSGD_TRAJECTORY);
}

/* The ball reaches to the farthest end of all runs, those of the local SGDs included. */
static void ball_holds_every_end(void **state)
{
    (void)state;
    whole x;
    make(&x, false, "\"constants\": {\"f_star\": \"solve\"},");
    run_prepared(&x, false);
    double square = 0;
    for (size_t i = 0; i < 2; i++)
        square += (x.e.final_point[i] - x.e.solved.point[i]) * (x.e.final_point[i] - x.e.solved.point[i]);
    assert_true(x.e.end_distance >= sqrt(square) * (1 - 1e-12) && x.e.end_distance < 2 * sqrt(square));
    assert_close(x.e.solved_minimum.value, hsgd_minimum_lower_bound(&x.e.solved, x.e.end_distance), 1e-12);
    release(&x);
}

/* Nothing is searched for unless it is asked for or everything is checked. */
static void no_search_unasked(void **state)
{
    (void)state;
    whole x;
    make(&x, true, "");
    run_prepared(&x, false);
    assert_true(!x.e.has_solved && !x.e.certified_level_sq && !find_audit(&x.e, "f* solved"));
    assert_true(isnan(find_bound(&x.e, "hsgd-fixed")->certified_value));
    release(&x);
}

int main(void)
{
    gsl_set_error_handler_off();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(certified_divergences_are_used),
        cmocka_unit_test(certified_where_there_is_nothing_to_certify),
        cmocka_unit_test(certified_divergences_cover_all_groupings),
        cmocka_unit_test(solved_minimum),
        cmocka_unit_test(ball_holds_every_end),
        cmocka_unit_test(no_search_unasked),
    };
    return cmocka_run_group_tests_name("certified", tests, temp_open_shared, temp_close_shared);
}
