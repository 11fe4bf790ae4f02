/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The true sandwich, point by point. Exact points against brute force in long double (tests/analysis/dense_moments.h) on
 * problems of four workers that show every verdict; what theory calls equal; means over groupings against all 24
 * permutations; paired runs against exact moments; intervals against Student's quantile; what is refused. */
#include "tests/analysis/dense_moments.h"

#include <gsl/gsl_cdf.h>

#include "experiments/phase_private.h"
#include "plots/phase.h"

static hsgd_error err;

static hsgd_phase read_phase(const char *text)
{
    hsgd_phase phase;
    assert_ok(hsgd_phase_parse(&phase, text, strlen(text), "x.json", 0, &err), err);
    return phase;
}

static hsgd_phase run_phase(const char *text)
{
    hsgd_phase phase = read_phase(text);
    assert_ok(hsgd_phase_run(&phase, 2, NULL, NULL, &err), err);
    return phase;
}

/* ---- four workers in two groups, one coordinate ----
 * h_j = 1 + x + y, 1 + x - y, 1 - x + y, 1 - x - y and b_j likewise with p and q: the covariance of h and b is x p between
 * the groups and y q within them, so that p and q say which way each level pulls the average (THEORY 7.1). */

enum { WORKERS = 4, SIDE = 5, LINEARS = SIDE * SIDE, STEPS = 60, LOCAL = 2 };
static const double curvature[WORKERS] = {1.7, 1.1, 0.9, 0.3};
static const double side[SIDE] = {-3.1, -1.3, 0.2, 1.4, 2.9};
static const size_t global[] = {4, 12, 30};
enum { GLOBALS = sizeof global / sizeof *global };

static void set_linear(double linear[WORKERS], size_t index)
{
    double p = side[index / SIDE], q = side[index % SIDE];
    const double value[WORKERS] = {0.7 + p + q, 0.7 + p - q, 0.7 - p + q, 0.7 - p - q};
    memcpy(linear, value, sizeof value);
}

/* The configuration with a grid over linear terms and G; rest stands in "phase" and begins with a comma. */
static char *four_workers(const char *grouping, const char *top, const char *rest)
{
    char *text, *values = NULL;
    size_t size;
    FILE *out = open_memstream(&values, &size);
    for (size_t i = 0; i < LINEARS; i++) {
        double b[WORKERS];
        set_linear(b, i);
        fprintf(out, "%s[[%.17g], [%.17g], [%.17g], [%.17g]]", i ? ", " : "", b[0], b[1], b[2], b[3]);
    }
    fclose(out);
    assert_true(
        asprintf(&text,
                 "{\"hierarchy\": {\"fanout\": [2, 2], \"periods\": [4, 2]}, \"problem\": {\"type\": \"quadratic\", "
                 "\"curvature\": [[1.7], [1.1], [0.9], [0.3]], \"linear\": [[0], [0], [0], [0]], \"noise_variance\": "
                 "0.3}, \"initial\": {\"point\": [1.9]}, \"optimizer\": {\"step_size\": 0.11, \"steps\": %d}, "
                 "\"grouping\": \"%s\", \"seeds\": 40%s, \"phase\": {\"axes\": [{\"name\": \"b\", \"key\": "
                 "\"problem.linear\", \"values\": [%s]}, {\"name\": \"G\", \"key\": \"hierarchy.periods[0]\", "
                 "\"values\": [4, 12, 30]}]%s}}",
                 STEPS, grouping, top, values, rest) > 0);
    free(values);
    return text;
}

static long double pick(dense_means mean, hsgd_phase_quantity quantity)
{
    return quantity == HSGD_PHASE_S ? mean.S : quantity == HSGD_PHASE_LOSS ? mean.loss : mean.dispersion;
}

typedef struct three {
    long double of[HSGD_NUM_PHASE_RUNS];
} three;

/* Inner, H-SGD, outer by brute force, with the workers at these places. */
static three brute_force(size_t index, size_t G, hsgd_phase_quantity quantity, const size_t place[WORKERS])
{
    static const double initial = 1.9;
    double linear[WORKERS], b[WORKERS], h[WORKERS];
    set_linear(linear, index);
    for (size_t i = 0; i < WORKERS; i++) {
        b[i] = linear[place[i]];
        h[i] = curvature[place[i]];
    }
    const dense_problem p = {WORKERS, 2, 1, h, b, &initial, 0.3, 0.11, STEPS, 1};
    return (three){{pick(dense_moments(&p, LOCAL, LOCAL), quantity), pick(dense_moments(&p, G, LOCAL), quantity),
                    pick(dense_moments(&p, G, G), quantity)}};
}

static hsgd_between order_of(three x)
{
    bool below = x.of[1]<x.of[0], above = x.of[1]> x.of[2];
    return below && above ? HSGD_BETWEEN_REVERSED
           : below        ? HSGD_BETWEEN_BELOW
           : above        ? HSGD_BETWEEN_ABOVE
                          : HSGD_BETWEEN_HOLDS;
}

static const size_t in_order[WORKERS] = {0, 1, 2, 3};

static void check_point(const hsgd_phase_point *p, three want, size_t *seen)
{
    for (size_t k = 0; k < HSGD_NUM_PHASE_RUNS; k++)
        assert_near(p->value[k], (double)want.of[k], 1e-12);
    assert_near(p->lower.mean, (double)(want.of[1] - want.of[0]), 1e-12);
    assert_near(p->upper.mean, (double)(want.of[2] - want.of[1]), 1e-12);
    assert_true(fabsl(p->lower.mean - (want.of[1] - want.of[0])) <= p->rounding[0]);
    assert_true(fabsl(p->upper.mean - (want.of[2] - want.of[1])) <= p->rounding[1]);
    if (p->verdict != order_of(want))
        fail_msg("%s, but the order is %s: %.17Lg %.17Lg %.17Lg", hsgd_between_name(p->verdict),
                 hsgd_between_name(order_of(want)), want.of[0], want.of[1], want.of[2]);
    seen[p->verdict]++;
}

/* Every verdict occurs, and each is that of the numbers in long double. */
static void exact_points_are_those_of_brute_force(void **state)
{
    (void)state;
    static const char *const extra[] = {"", ", \"quantity\": \"dispersion\"", ", \"quantity\": \"loss\""};
    for (size_t quantity = 0; quantity <= HSGD_PHASE_LOSS; quantity++) {
        size_t seen[HSGD_NUM_BETWEEN] = {0};
        char *text = four_workers("given", "", extra[quantity]);
        hsgd_phase phase = run_phase(text);
        for (size_t i = 0; i < LINEARS; i++)
            for (size_t g = 0; g < GLOBALS; g++)
                check_point(&phase.point[i * GLOBALS + g],
                            brute_force(i, global[g], (hsgd_phase_quantity)quantity, in_order), seen);
        if (quantity == HSGD_PHASE_S)
            for (int v = HSGD_BETWEEN_HOLDS; v <= HSGD_BETWEEN_REVERSED; v++)
                if (!seen[v] && v != HSGD_BETWEEN_EQUAL)
                    fail_msg("no point %s", hsgd_between_name((hsgd_between)v));
        if (quantity == HSGD_PHASE_DISPERSION) /* where averages are taken more often, models lie closer together */
            assert_int_equal(seen[HSGD_BETWEEN_HOLDS], LINEARS * GLOBALS);
        assert_int_equal(phase.comparisons, 0);
        hsgd_phase_free(&phase);
        free(text);
    }
}

/* ---- what theory says ---- */

#define ONE_HESSIAN(rest)                                                                                              \
    "{\"hierarchy\": {\"fanout\": [2, 3], \"periods\": [8, 2]}, \"problem\": {\"type\": \"quadratic\", \"dimension\""  \
    ": 4, \"curvature_range\": [0.1, 1], \"level_divergence\": [2.3, 0.9], \"noise_variance\": 0.6}, \"optimizer\": "  \
    "{\"step_size\": 0.07, \"steps\": 24}, \"seeds\": 4, \"phase\": {" rest                                            \
    "\"axes\": [{\"name\": \"G\", \"key\": \"hierarchy.periods[0]\", \"values\": [2, 4, 8]}]}}"

/* One Hessian: equal whatever the last digits are, for the loss too, and by runs as well; the dispersion is not. */
static void one_hessian_is_equal_by_theory(void **state)
{
    (void)state;
    static const char *const text[] = {ONE_HESSIAN(""), ONE_HESSIAN("\"quantity\": \"loss\", "),
                                       ONE_HESSIAN("\"method\": \"monte-carlo\", ")};
    for (size_t k = 0; k < 3; k++) {
        hsgd_phase phase = run_phase(text[k]);
        assert_string_equal(phase.point[0].theory, "one level"); /* G = I */
        for (size_t i = 0; i < 3; i++) {
            const hsgd_phase_point *p = &phase.point[i];
            assert_int_equal(p->verdict, HSGD_BETWEEN_EQUAL);
            if (i > 0)
                assert_string_equal(p->theory, "one Hessian");
            assert_true(isnan(p->ratio) && p->violation == 0);
            assert_true(fabs(p->lower.mean) <= p->rounding[0] && fabs(p->upper.mean) <= p->rounding[1]);
            assert_close(p->value[HSGD_PHASE_OUTER], p->value[HSGD_PHASE_INNER], 1e-12);
        }
        assert_int_equal(phase.comparisons, 0);
        hsgd_phase_free(&phase);
    }
    hsgd_phase phase = run_phase(ONE_HESSIAN("\"quantity\": \"dispersion\", "));
    assert_int_equal(phase.point[0].verdict, HSGD_BETWEEN_EQUAL);
    assert_null(phase.point[1].theory);
    assert_int_equal(phase.point[1].verdict, HSGD_BETWEEN_HOLDS);
    assert_int_equal(phase.point[2].verdict, HSGD_BETWEEN_HOLDS);
    hsgd_phase_free(&phase);
}

/* No average before step T - 1 leaves a trace in S; one at T - 1 does. */
static void periods_beyond_the_run_are_equal(void **state)
{
    (void)state;
    hsgd_phase phase = run_phase(
        "{\"hierarchy\": {\"fanout\": [2, 2], \"periods\": [40, 5]}, \"problem\": {\"type\": \"quadratic\", "
        "\"curvature\": [[1.7], [1.1], [0.9], [0.3]], \"linear\": [[1], [2], [-3], [0.4]]}, \"optimizer\": "
        "{\"step_size\": 0.1, \"steps\": 5}, \"phase\": {\"axes\": [{\"name\": \"T\", \"key\": \"optimizer.steps\", "
        "\"values\": [5, 6, 7]}]}}");
    assert_string_equal(phase.point[0].theory, "no average within T");
    assert_true(phase.point[0].value[0] == phase.point[0].value[2]);
    assert_null(phase.point[1].theory); /* wbar^5 is the same, as its average was only then taken */
    assert_int_equal(phase.point[1].verdict, HSGD_BETWEEN_EQUAL);
    assert_null(phase.point[2].theory);
    assert_true(phase.point[2].verdict != HSGD_BETWEEN_EQUAL);
    hsgd_phase_free(&phase);
}

/* ---- random grouping ---- */

/* All 24 permutations, of which the program visits the 3 that differ; of the linear terms every third. */
static void means_over_groupings_are_those_of_all_permutations(void **state)
{
    (void)state;
    char *text = four_workers("random", "", "");
    hsgd_phase phase = run_phase(text);
    size_t seen[HSGD_NUM_BETWEEN] = {0};
    for (size_t i = 0; i < LINEARS; i += 3) {
        three mean = {{0, 0, 0}};
        for (size_t code = 0; code < 256; code++) {
            const size_t place[WORKERS] = {code & 3, code >> 2 & 3, code >> 4 & 3, code >> 6};
            if ((1 << place[0] | 1 << place[1] | 1 << place[2] | 1 << place[3]) != 15)
                continue;
            three one = brute_force(i, global[1], HSGD_PHASE_S, place);
            for (size_t k = 0; k < HSGD_NUM_PHASE_RUNS; k++)
                mean.of[k] += one.of[k] / 24;
        }
        assert_true(phase.point[i * GLOBALS + 1].groupings == 3);
        check_point(&phase.point[i * GLOBALS + 1], mean, seen);
    }
    hsgd_phase_free(&phase);
    free(text);
}

/* Of two sides that fail intervals may see one. */
static bool agrees(hsgd_between drawn, hsgd_between exact)
{
    return drawn == exact || (exact == HSGD_BETWEEN_REVERSED && hsgd_between_fails(drawn));
}

/* Where there are too many for that they are drawn, with an interval that holds the mean over all. */
static void drawn_groupings_have_an_interval(void **state)
{
    (void)state;
    char *text = four_workers("random", "", ""), *drawn_text = four_workers("random", "", ", \"max_groupings\": 2");
    hsgd_phase all = run_phase(text), drawn = run_phase(drawn_text);
    size_t decided = 0;
    assert_int_equal(drawn.comparisons, 2 * LINEARS * GLOBALS);
    for (size_t i = 0; i < LINEARS * GLOBALS; i++) {
        const hsgd_phase_point *p = &drawn.point[i], *exact = &all.point[i];
        assert_int_equal(p->values, 40);
        assert_true(p->lower_interval.low <= exact->lower.mean && exact->lower.mean <= p->lower_interval.high);
        assert_true(p->upper_interval.low <= exact->upper.mean && exact->upper.mean <= p->upper_interval.high);
        if (p->verdict != HSGD_BETWEEN_INCONCLUSIVE && ++decided)
            assert_true(agrees(p->verdict, exact->verdict));
    }
    assert_true(decided > LINEARS);
    hsgd_phase_free(&all);
    hsgd_phase_free(&drawn);
    free(text);
    free(drawn_text);
}

/* ---- paired runs ---- */

/* Intervals that hold together contain the exact differences, and are narrow enough to decide, as the exact moments do, for
 * the three algorithms draw the same noise. False alarm 1 % (the intervals' confidence); the seeds are fixed. */
static void paired_runs_agree_with_exact_moments(void **state)
{
    (void)state;
    char *text = four_workers("given", "", ""), *runs_text = four_workers("given", "", ", \"method\": \"monte-carlo\"");
    hsgd_phase exact = run_phase(text), runs = run_phase(runs_text);
    size_t decided = 0;
    assert_int_equal(runs.comparisons, 2 * LINEARS * GLOBALS);
    for (size_t i = 0; i < LINEARS * GLOBALS; i++) {
        const hsgd_phase_point *p = &runs.point[i], *want = &exact.point[i];
        assert_false(p->exact);
        assert_int_equal(p->values, 40);
        assert_true(p->lower_interval.low <= want->lower.mean && want->lower.mean <= p->lower_interval.high);
        assert_true(p->upper_interval.low <= want->upper.mean && want->upper.mean <= p->upper_interval.high);
        if (p->verdict != HSGD_BETWEEN_INCONCLUSIVE && ++decided)
            assert_true(agrees(p->verdict, want->verdict));
    }
    if (decided < LINEARS * GLOBALS / 3)
        fail_msg("%zu of %d points are decided", decided, LINEARS * GLOBALS);
    hsgd_phase_free(&exact);
    hsgd_phase_free(&runs);
    free(text);
    free(runs_text);
}

/* The half width is t_{R-1, 1 - alpha/(2 K)} standard errors for K comparisons, and rounding. */
static void intervals_are_those_of_bonferroni(void **state)
{
    (void)state;
    hsgd_phase_point p = {
        .value = {1, 2, 4}, .lower = {1, 0.07, 12}, .upper = {2, 0.3, 12}, .rounding = {0.001, 0.002}, .values = 12};
    hsgd_phase_judge(&p, 0.95, 14);
    double quantile = gsl_cdf_tdist_Qinv(0.05 / (2 * 14), 11);
    assert_close(p.lower_interval.low, 1 - 0.07 * quantile - 0.001, 1e-12);
    assert_close(p.upper_interval.high, 2 + 0.3 * quantile + 0.002, 1e-12);
    assert_int_equal(p.verdict, HSGD_BETWEEN_HOLDS);
    assert_close(p.ratio, 1.0 / 3, 1e-15);
    p.lower.mean = -3; /* middle -2: below by 3 of 4 */
    p.upper.mean = 6;
    p.value[HSGD_PHASE_MIDDLE] = -2;
    hsgd_phase_judge(&p, 0.95, 14);
    assert_int_equal(p.verdict, HSGD_BETWEEN_BELOW);
    assert_close(p.violation, 0.75, 1e-15);
    p.value[HSGD_PHASE_OUTER] = INFINITY;
    hsgd_phase_judge(&p, 0.95, 14);
    assert_int_equal(p.verdict, HSGD_BETWEEN_DIVERGED);
}

/* The figure reads the verdicts by their names. */
static void the_figure_knows_every_verdict(void **state)
{
    (void)state;
    hsgd_phase_cell cell;
    for (int v = 0; v < HSGD_NUM_BETWEEN; v++) {
        assert_int_equal(hsgd_phase_cell_parse(hsgd_between_name((hsgd_between)v), &cell), 0);
        assert_int_equal(cell, v);
        assert_string_equal(hsgd_phase_cell_name(cell), hsgd_between_name((hsgd_between)v));
    }
    assert_int_equal(hsgd_phase_cell_parse("fails", &cell), -1);
}

/* ---- what is refused ---- */

static const struct {
    const char *rest, *message;
} refused[] = {
    {", \"quantity\": \"S_min\"", "phase.quantity: \"S_min\""},
    {", \"method\": \"guess\"", "phase.method: \"guess\""},
    {", \"expect\": \"fails\"", "phase.expect: \"fails\""},
    {", \"illegal_points\": true", "phase.illegal_points"},
    {", \"budget_s\": -1", "phase.budget_s: -1"},
    {", \"max_groupings\": 0", "phase.max_groupings: 0"},
    {", \"zzz\": 1", "legal here: axes, quantity, method, expect, illegal_points, budget_s, max_groupings"},
};

static void wrong_settings_are_refused(void **state)
{
    (void)state;
    hsgd_phase phase;
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        char *text = four_workers("given", "", refused[i].rest);
        assert_fails(hsgd_phase_parse(&phase, text, strlen(text), "x.json", 0, &err), HSGD_ERROR_INPUT,
                     refused[i].message, err);
        free(text);
    }
    char *text = four_workers("given", ", \"variant\": {\"momentum\": 0.5}", ", \"method\": \"exact\"");
    phase = read_phase(text);
    assert_fails(hsgd_phase_run(&phase, 2, NULL, NULL, &err), HSGD_ERROR_INPUT, "x.json: exact moments are known", err);
    hsgd_phase_free(&phase);
    free(text);
}

#define PERIODS(illegal)                                                                                               \
    "{\"hierarchy\": {\"fanout\": [2, 3], \"periods\": [8, 2]}, \"problem\": {\"type\": \"quadratic\", \"dimension\""  \
    ": 4, \"curvature_range\": [0.1, 1], \"level_divergence\": [2.3, 0.9]}, \"optimizer\": {\"step_size\": 0.07, "     \
    "\"steps\": 24}, \"phase\": {" illegal                                                                             \
    "\"axes\": [{\"name\": \"I\", \"key\": \"hierarchy.periods[1]\", \"values\": [2, 3, 4, 16]}]}}"

/* I = 3 does not divide G = 8, and 16 is larger. */
static void illegal_points_are_refused_or_left_blank(void **state)
{
    (void)state;
    hsgd_phase phase;
    hsgd_phase_summary summary;
    const char *text = PERIODS("");
    assert_fails(hsgd_phase_parse(&phase, text, strlen(text), "x.json", 0, &err), HSGD_ERROR_INPUT,
                 "x.json: phase: I = 3: hierarchy.periods[1]", err);
    phase = run_phase(PERIODS("\"illegal_points\": \"skip\", "));
    assert_ok(hsgd_phase_summarise(&summary, &phase, &err), err);
    assert_int_equal(summary.count[HSGD_BETWEEN_ILLEGAL], 2);
    assert_int_equal(summary.count[HSGD_BETWEEN_EQUAL], 2);
    assert_non_null(strstr(phase.grid.point[1].illegal, "hierarchy.periods[1]"));
    assert_null(phase.grid.point[1].config);
    hsgd_phase_free(&phase);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(exact_points_are_those_of_brute_force),
        cmocka_unit_test(one_hessian_is_equal_by_theory),
        cmocka_unit_test(periods_beyond_the_run_are_equal),
        cmocka_unit_test(means_over_groupings_are_those_of_all_permutations),
        cmocka_unit_test(drawn_groupings_have_an_interval),
        cmocka_unit_test(paired_runs_agree_with_exact_moments),
        cmocka_unit_test(intervals_are_those_of_bonferroni),
        cmocka_unit_test(the_figure_knows_every_verdict),
        cmocka_unit_test(wrong_settings_are_refused),
        cmocka_unit_test(illegal_points_are_refused_or_left_blank),
    };
    return cmocka_run_group_tests_name("phase", tests, NULL, NULL);
}
