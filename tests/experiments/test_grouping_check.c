/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Random grouping along the runs (THEORY 5, grouping_check.h): ratios, their standard errors, the split of the variance
 * of S, and counted groupings.
 *
 * False alarms: ratio_is_one_for_quadratics asks for an interval at 1 - 1e-6 that contains 1 (Student t, fixed seeds);
 * nothing else here is statistical.
 *
 * Each of these changes to the code was made and seen to fail here. grouping_check.c: a level less in Up_k, residuals without
 * the share or not divided by the denominator, runs for groupings in the error, nodes of the next depth counted in the share,
 * n for n - 1, the last step for the farthest, a row for its step, the noise of a single run for that of a mean, a negative
 * variance, the mean over runs for that over groupings, one run per grouping, diverged runs, groupings visited unasked.
 * experiment.c: counted groupings not told to the summary. problem.c: places of its own for every run. config.c: either
 * rule on groupings dropped. */
#include "tests/experiments/whole_experiment.h"

#include <gsl/gsl_cdf.h>
#include <gsl/gsl_errno.h>

#include "experiments/experiment_private.h"
#include "tests/temp_files.h"

#define GROUPED(hierarchy, rest)                                                                                       \
    "{\"hierarchy\": {" hierarchy "}, \"problem\": {\"type\": \"quadratic\", \"curvature\": [1.3, 0.4], \"linear\": "  \
    "[[1.1, 0.2], [-0.4, 2.3], [0.7, -1.6], [2.2, 0.9], [-3.1, 0.4], [0.3, 1.8]]},"                                    \
    "\"initial\": {\"point\": [0.6, -1.9]}, \"figures\": [], \"grouping\": \"random\"," rest "}"
#define TWO_LEVELS "\"fanout\": [2, 3], \"periods\": [4, 2]"

/* ---- a small ensemble made up by hand ---- */

/* Three groupings with two runs each, two measured steps, levels (D_1, D_2), and ||grad f||^2. */
enum { RUNS = 6, ROWS = 2, LEVELS = 2 };
static const double DIVERGENCE[RUNS][ROWS][LEVELS] = {{{1, 4}, {2, 7}},   {{1.5, 4}, {2, 5}}, {{3, 2}, {1, 5}},
                                                      {{2.5, 3}, {4, 4}}, {{0.5, 5}, {1, 8}}, {{2, 3.5}, {2, 6}}};
static const double GRADIENT_SQ[RUNS][ROWS] = {{3, 1}, {5, 1}, {7, 3}, {6, 1}, {2, 1.5}, {4, 2.5}};

/* The traces borrow their arrays. */
static void make_up(hsgd_ensemble *ensemble, hsgd_trace *trace, size_t *step)
{
    *ensemble = (hsgd_ensemble){.num_seeds = RUNS, .trace = trace, .runs_per_value = 2};
    for (size_t r = 0; r < RUNS; r++)
        trace[r] = (hsgd_trace){.num_measured = ROWS,
                                .num_levels = LEVELS,
                                .step = step,
                                .divergence = (double *)DIVERGENCE[r][0],
                                .grad_norm_sq = (double *)GRADIENT_SQ[r],
                                .diverged_at = HSGD_NOT_DIVERGED};
}

/* Ratio, and its standard error over three groupings: by linearisation the means over a grouping of
 * (up - ratio share all)/(share mean all) count. */
static hsgd_estimate ratio_by_hand(const double *up, const double *all, double share)
{
    double sum_up = 0, sum_all = 0, square = 0;
    for (size_t r = 0; r < RUNS; r++) {
        sum_up += up[r];
        sum_all += all[r];
    }
    double ratio = sum_up / (share * sum_all);
    for (size_t g = 0; g < 3; g++) {
        double u = (up[2 * g] + up[2 * g + 1]) / 2, a = (all[2 * g] + all[2 * g + 1]) / 2;
        double residual = (u / share - ratio * a) / (sum_all / RUNS);
        square += residual * residual;
    }
    return (hsgd_estimate){ratio, sqrt(square / (3 * 2)), 3};
}

static void made_up_ensemble(void **state)
{
    (void)state;
    whole x = {0};
    prepare(&x,
            GROUPED(TWO_LEVELS, "\"seeds\": 2, \"groupings\": 3, \"optimizer\": {\"step_size\": 0.02, \"steps\": 4}"));
    hsgd_experiment *e = &x.e;
    e->config = &x.config;
    e->problem = &x.problem;
    hsgd_ensemble ensemble;
    hsgd_trace trace[RUNS];
    size_t step[] = {0, 3};
    make_up(&ensemble, trace, step);
    assert_ok(hsgd_experiment_follow_grouping(e, &ensemble, &err), err);
    /* S = 2, 3 | 5, 3.5 | 1.75, 3.25: means 2.5, 4.25, 2.5, within 0.5, 1.125, 1.125 with mean 11/12; the variance of the
     * means is 49/48, of which 11/24 is noise: between 9/16 */
    assert_close(e->grouping.variance_within, 11.0 / 12, 1e-14);
    assert_close(e->grouping.variance_between, 9.0 / 16, 1e-13);
    /* two nodes of depth 1 among six workers: (2 - 1)/(6 - 1) */
    const double share = 0.2;
    const hsgd_grouping_ratio *ratio = &e->grouping.ratio[0];
    double up[ROWS + 1][RUNS], all[ROWS + 1][RUNS];
    for (size_t r = 0; r < RUNS; r++) {
        for (size_t row = 0; row < ROWS; row++) {
            up[row][r] = DIVERGENCE[r][row][0];
            all[row][r] = DIVERGENCE[r][row][0] + DIVERGENCE[r][row][1];
        }
        up[ROWS][r] = up[0][r] + up[1][r];
        all[ROWS][r] = all[0][r] + all[1][r];
    }
    for (size_t row = 0; row < ROWS; row++) {
        hsgd_estimate want = ratio_by_hand(up[row], all[row], share);
        assert_close(ratio->at[row].mean, want.mean, 1e-13);
        assert_close(ratio->at[row].se, want.se, 1e-12);
        assert_int_equal(ratio->at[row].count, 3);
    }
    /* up 10.5, 12 of all 32, 47: ratios 1.640625 and 12/9.4 */
    assert_close(ratio->at[0].mean, 1.640625, 1e-14);
    assert_close(ratio->at[1].mean, 12 / 9.4, 1e-14);
    assert_true(ratio->largest == ratio->at[0].mean && ratio->largest_step == 0);
    hsgd_estimate want = ratio_by_hand(up[ROWS], all[ROWS], share);
    assert_close(ratio->mean.estimate.mean, 22.5 / 15.8, 1e-14);
    assert_close(ratio->mean.estimate.se, want.se, 1e-12);
    assert_close(ratio->mean.high, want.mean + want.se * gsl_cdf_tdist_Qinv(0.005, 2), 1e-10);
    hsgd_grouping_check_free(&e->grouping);
    release(&x);
}

/* The same with one run lost, with equal groupings, and with one run per grouping. */
static void made_up_ensemble_without_answers(void **state)
{
    (void)state;
    whole x = {0};
    prepare(&x,
            GROUPED(TWO_LEVELS, "\"seeds\": 2, \"groupings\": 3, \"optimizer\": {\"step_size\": 0.02, \"steps\": 4}"));
    hsgd_experiment *e = &x.e;
    e->config = &x.config;
    e->problem = &x.problem;
    hsgd_ensemble ensemble;
    hsgd_trace trace[RUNS];
    size_t step[] = {0, 3};
    make_up(&ensemble, trace, step);
    trace[4].diverged_at = 3;
    assert_ok(hsgd_experiment_follow_grouping(e, &ensemble, &err), err);
    assert_true(!e->grouping.ratio && isnan(e->grouping.variance_between) && isnan(e->grouping.variance_within));
    hsgd_grouping_check_free(&e->grouping);
    /* all groupings have the mean 2: less than noise explains, which is no negative variance */
    double equal[RUNS][ROWS] = {{1, 2}, {2, 3}, {0, 1}, {3, 4}, {2, 2}, {1, 3}};
    make_up(&ensemble, trace, step);
    for (size_t r = 0; r < RUNS; r++)
        trace[r].grad_norm_sq = equal[r];
    assert_ok(hsgd_experiment_follow_grouping(e, &ensemble, &err), err);
    assert_true(e->grouping.variance_between == 0 && e->grouping.variance_within > 0);
    hsgd_grouping_check_free(&e->grouping);
    make_up(&ensemble, trace, step);
    ensemble.runs_per_value = 1;
    assert_ok(hsgd_experiment_follow_grouping(e, &ensemble, &err), err);
    assert_true(isnan(e->grouping.variance_between) && isnan(e->grouping.variance_within));
    assert_int_equal(e->grouping.ratio[0].mean.estimate.count, RUNS);
    hsgd_grouping_check_free(&e->grouping);
    release(&x);
}

/* ---- trees ---- */

/* Up_1 .. of one placement of a quadratic, from the b_j: nodes of depth k, a worker that hangs higher being its own. */
static double upward_by_hand(const whole *x, const size_t *place, size_t level)
{
    const hsgd_hierarchy *h = &x->problem.hierarchy;
    const double *b = x->problem.quadratic.linear;
    size_t n = h->num_workers, dim = x->problem.quadratic.dim, *owner = malloc(n * sizeof *owner);
    double *mean = calloc(dim, sizeof *mean), *own = malloc(dim * sizeof *own), up = 0;
    for (size_t j = 0; j < n; j++)
        owner[j] = h->num_nodes + j;
    for (size_t u = 0; u < h->num_nodes; u++)
        for (size_t i = 0; i < h->node[u].num_workers && h->node[u].depth == level; i++)
            owner[h->node[u].first_worker + i] = u;
    for (size_t i = 0; i < n * dim; i++)
        mean[i % dim] += b[i] / (double)n;
    for (size_t first = 0, end; first < n; first = end) {
        memset(own, 0, dim * sizeof *own);
        for (end = first; end < n && owner[end] == owner[first]; end++)
            for (size_t i = 0; i < dim; i++)
                own[i] += b[place[end] * dim + i];
        for (size_t i = 0; i < dim; i++) {
            double deviation = own[i] / (double)(end - first) - mean[i];
            up += (double)(end - first) / (double)n * deviation * deviation;
        }
    }
    free(owner);
    free(mean);
    free(own);
    return up;
}

/* The ratio of a level is that of the means of Up_k and share E, with standard error sd/(share E sqrt(R)), as E is the same
 * for all; and in expectation it is 1. share: (m_k - 1)/(n - 1) by hand. */
static void check_levels(const char *text, const double *share, size_t levels)
{
    whole x;
    run_whole(&x, text);
    size_t runs = x.e.run[HSGD_RUN_MAIN].num_seeds, n = x.problem.hierarchy.num_workers;
    assert_int_equal(x.e.grouping.num_levels, levels + 1);
    for (size_t k = 0; k < levels; k++) {
        const hsgd_grouping_ratio *ratio = &x.e.grouping.ratio[k];
        double mean = 0, square = 0, E = x.e.global_divergence_sq.value, up[256];
        assert_true(runs <= 256);
        for (size_t r = 0; r < runs; r++) {
            up[r] = upward_by_hand(&x, x.problem.placement + r * n, k + 1);
            mean += up[r] / (double)runs;
        }
        for (size_t r = 0; r < runs; r++)
            square += (up[r] - mean) * (up[r] - mean);
        double se = sqrt(square / (double)(runs - 1) / (double)runs);
        assert_close(ratio->mean.estimate.mean, mean / (share[k] * E), 1e-10);
        assert_close(ratio->mean.estimate.se, se / (share[k] * E), 1e-8);
        for (size_t row = 0; row < x.e.run[HSGD_RUN_MAIN].summary.num_rows; row++)
            assert_close(ratio->at[row].mean, mean / (share[k] * E), 1e-9);
        assert_true(se > 0 && ratio->mean.low <= 1 && 1 <= ratio->mean.high);
    }
    release(&x);
}

#define MANY "\"confidence\": 0.999999, \"seeds\": 200, \"optimizer\": {\"step_size\": 0.02, \"steps\": 6}"

static void ratio_is_one_for_quadratics(void **state)
{
    (void)state;
    check_levels(GROUPED(TWO_LEVELS, MANY), (double[]){1.0 / 5}, 1);
    check_levels(GROUPED("\"fanout\": [3, 2], \"periods\": [4, 2]", MANY), (double[]){2.0 / 5}, 1);
}

/* root: [ a: [ b: 2 workers, c: 1 worker ], d: 3 workers ]. Depth 1 has a, d; depth 2 b, c and the three workers of d. */
static void uneven_trees(void **state)
{
    (void)state;
    check_levels(GROUPED("\"tree\": {\"period\": 8, \"children\": [{\"period\": 4, \"children\": [{\"period\": 2, "
                         "\"workers\": 2}, {\"period\": 2, \"workers\": 1}]}, {\"period\": 2, \"workers\": 3}]}",
                         MANY),
                 (double[]){1.0 / 5, 4.0 / 5}, 2);
}

/* ---- gradients that depend on w ---- */

static const char *const SAMPLES = "+1 1:0.9 2:-0.4\n-1 1:0.3 2:1.1\n+1 1:-0.7 2:0.6\n-1 1:0.8 2:-1.2\n"
                                   "+1 1:1.4 2:0.2\n-1 1:0.5 2:0.5\n+1 1:-0.9 2:1.3\n-1 1:-1.1 2:0.2\n"
                                   "+1 1:0.1 2:0.7\n-1 1:0.6 2:-0.8\n+1 1:0.4 2:0.9\n-1 1:-0.2 2:1.3\n";

/* Linearisation against the jackknife, which knows nothing of derivatives: leave out one run at a time. Both estimate the
 * same variance up to a relative error of about 1/runs. */
static void standard_error_agrees_with_the_jackknife(void **state)
{
    (void)state;
    enum { SEEDS = 60, STEPS = 20 };
    char text[2048];
    whole x;
    temp_write(temp_shared(), "twelve.txt", SAMPLES, strlen(SAMPLES));
    snprintf(
        text, sizeof text,
        "{\"hierarchy\": {\"fanout\": [2, 3], \"periods\": [4, 2]}, \"problem\": {\"type\": \"logistic\", \"data\":"
        "{\"format\": \"libsvm\", \"path\": \"%.255s/twelve.txt\"}}, \"initial\": {\"point\": [1.3, -0.7]},"
        "\"figures\": [], \"grouping\": \"random\", \"seeds\": %d, \"first_seed\": 7,"
        "\"optimizer\": {\"step_size\": 0.4, \"steps\": %d, \"batch_size\": 1}}",
        temp_shared()->folder, SEEDS, STEPS);
    run_whole(&x, text);
    double up[SEEDS] = {0}, all[SEEDS] = {0}, sum_up = 0, sum_all = 0, mean = 0, square = 0, jackknife[SEEDS];
    hsgd_ensemble ensemble;
    hsgd_simulation simulation = {.objective = &x.problem.objective,
                                  .hierarchy = &x.problem.hierarchy,
                                  .initial = x.problem.initial,
                                  .step_size = x.e.step_size,
                                  .steps = STEPS,
                                  .batch_size = 1,
                                  .measure_every = 1};
    assert_ok(hsgd_ensemble_run(&ensemble, &simulation, SEEDS, 7, x.problem.placement, 1, &err), err);
    for (size_t r = 0; r < SEEDS; r++) {
        for (size_t t = 0; t < STEPS; t++) {
            up[r] += ensemble.trace[r].divergence[2 * t];
            all[r] += ensemble.trace[r].divergence[2 * t] + ensemble.trace[r].divergence[2 * t + 1];
        }
        sum_up += up[r];
        sum_all += all[r];
    }
    for (size_t r = 0; r < SEEDS; r++) {
        jackknife[r] = 5 * (sum_up - up[r]) / (sum_all - all[r]);
        mean += jackknife[r] / SEEDS;
    }
    for (size_t r = 0; r < SEEDS; r++)
        square += (jackknife[r] - mean) * (jackknife[r] - mean);
    const hsgd_estimate *got = &x.e.grouping.ratio[0].mean.estimate;
    double se = sqrt(square * (SEEDS - 1) / SEEDS);
    assert_close(got->mean, 5 * sum_up / sum_all, 1e-12);
    assert_true(got->se > 1e-3);
    assert_close(got->se, se, 0.03);
    hsgd_ensemble_free(&ensemble);
    release(&x);
}

/* ---- counted groupings ---- */

static void counted_groupings(void **state)
{
    (void)state;
    enum { GROUPINGS = 5, SEEDS = 3 };
    whole x;
    run_whole(&x, QUADRATIC("[2, 3]", "[6, 2]", "[0.83, 0.41]", "0.5",
                            "\"grouping\": \"random\", \"groupings\": 5, \"seeds\": 3, \"first_seed\": 4," FRACTION(
                                "0.9", "30")));
    const hsgd_run *run = &x.e.run[HSGD_RUN_MAIN];
    size_t n = x.problem.hierarchy.num_workers;
    assert_int_equal(run->num_seeds, GROUPINGS * SEEDS);
    assert_int_equal(run->summary.num_seeds, GROUPINGS * SEEDS);
    assert_int_equal(run->S.estimate.count, GROUPINGS);
    double mean[GROUPINGS] = {0}, overall = 0, between = 0, within = 0;
    for (size_t r = 0; r < GROUPINGS * SEEDS; r++) {
        /* the runs of a grouping share their places, and no noise */
        assert_memory_equal(x.problem.placement + r * n, x.problem.placement + r / SEEDS * SEEDS * n,
                            n * sizeof(size_t));
        assert_true(r == 0 || run->summary.path[r].S != run->summary.path[r - 1].S);
        mean[r / SEEDS] += run->summary.path[r].S / SEEDS;
        overall += run->summary.path[r].S / (GROUPINGS * SEEDS);
    }
    bool moved = false;
    for (size_t g = 1; g < GROUPINGS; g++)
        moved = moved || memcmp(x.problem.placement, x.problem.placement + g * SEEDS * n, n * sizeof(size_t)) != 0;
    assert_true(moved);
    for (size_t g = 0; g < GROUPINGS; g++)
        between += (mean[g] - overall) * (mean[g] - overall) / (GROUPINGS - 1);
    for (size_t r = 0; r < GROUPINGS * SEEDS; r++) {
        double deviation = run->summary.path[r].S - mean[r / SEEDS];
        within += deviation * deviation / (GROUPINGS * (SEEDS - 1));
    }
    assert_close(run->S.estimate.mean, overall, 1e-12);
    assert_close(run->S.estimate.se, sqrt(between / GROUPINGS), 1e-9);
    assert_close(x.e.grouping.variance_within, within, 1e-9);
    assert_near(x.e.grouping.variance_between, fmax(0, between - within / SEEDS), 1e-9);
    assert_int_equal(x.e.grouping.ratio[0].mean.estimate.count, GROUPINGS);
    assert_int_equal(find_bound(&x.e, "hsgd-random")->measured.estimate.count, GROUPINGS);
    /* the reference runs are grouped in the same way */
    assert_int_equal(x.e.run[HSGD_RUN_OUTER].S.estimate.count, GROUPINGS);
    /* and so is the noise */
    assert_int_equal(find_audit(&x.e, "correlation")->seen.estimate.count, GROUPINGS);
    release(&x);
}

/* Fixed places have no groupings to follow; the lemma at fixed points is checked for hsgd verify all the same. */
static void fixed_places(void **state)
{
    (void)state;
    whole x;
    prepare(&x, QUADRATIC("[2, 3]", "[6, 2]", "[0.83, 0.41]", "0", FRACTION("0.9", "12")));
    run_prepared(&x, false);
    assert_true(!x.e.grouping.ratio && x.e.grouping.num_points == 0);
    assert_non_null(strstr(x.e.grouping.reason, "hsgd verify"));
    hsgd_experiment_free(&x.e);
    run_prepared(&x, true);
    assert_true(!x.e.grouping.ratio && isnan(x.e.grouping.variance_between));
    assert_int_equal(x.e.grouping.num_points, 1); /* the gradients of quadratics differ alike at every point */
    assert_string_equal(x.e.grouping.reason, "");
    for (size_t i = 0; i < x.e.grouping.num_points; i++) {
        const hsgd_grouping_moments *m = &x.e.grouping.point[i].moments;
        assert_true(m->exact && m->num_groupings == 10);                /* 6!/(2! 3! 3!) */
        assert_close(m->upward[0].mean, 1.0 / 5 * (0.83 + 0.41), 1e-9); /* E is 1.24 everywhere */
        assert_int_equal(x.e.grouping.point[i].upward[0], HSGD_VERDICT_HOLDS);
        assert_int_equal(x.e.grouping.point[i].downward[1], HSGD_VERDICT_HOLDS);
    }
    assert_string_equal(x.e.grouping.point[0].point, "w^0");
    release(&x);
}

/* ---- errors ---- */

static void refused(const char *text, const char *message)
{
    hsgd_config config;
    assert_fails(hsgd_config_parse(&config, text, strlen(text), "x.json", &err), HSGD_ERROR_INPUT, message, err);
}

static void config_errors(void **state)
{
    (void)state;
#define COUNTED(rest) QUADRATIC("[2, 3]", "[6, 2]", "[0.83, 0.41]", "0.5", rest "," FRACTION("0.9", "30"))
    refused(COUNTED("\"groupings\": 5"), "groupings: 5: only random groupings are counted");
    refused(COUNTED("\"groupings\": 5, \"grouping\": \"group-iid\""), "needs \"grouping\": \"random\"");
    refused(COUNTED("\"groupings\": 0, \"grouping\": \"random\""), "groupings: ");
    refused(COUNTED("\"groupings\": 1001, \"seeds\": 1000, \"grouping\": \"random\""),
            "groupings: 1001: with 1000 seeds each these are more than 1000000 runs");
    whole x;
    prepare(&x, COUNTED("\"groupings\": 1000, \"seeds\": 3, \"grouping\": \"random\""));
    assert_int_equal(hsgd_config_runs(&x.config), 3000);
    hsgd_problem_free(&x.problem);
    hsgd_config_free(&x.config);
}

int main(void)
{
    gsl_set_error_handler_off();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(made_up_ensemble),
        cmocka_unit_test(made_up_ensemble_without_answers),
        cmocka_unit_test(ratio_is_one_for_quadratics),
        cmocka_unit_test(uneven_trees),
        cmocka_unit_test(standard_error_agrees_with_the_jackknife),
        cmocka_unit_test(counted_groupings),
        cmocka_unit_test(fixed_places),
        cmocka_unit_test(config_errors),
    };
    return cmocka_run_group_tests_name("grouping_check", tests, temp_open_shared, temp_close_shared);
}
