/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A check that cannot fail shows nothing (THEORY 9). One row per check and per way to deceive it: in the false world it
 * must come out violated, and with it the whole experiment; in the true world beside it nothing may be.
 *
 * What no world can make false, and why: the step to R2 (its condition gamma <= 1/L is all it says), the steps to R6 and R7
 * (formulas next to formulas; test_sharpened.c, test_published.c and test_ladder.c hold these), the rows "step size" of the
 * audit (conditions, not claims), the sandwich (rational arithmetic), and mll-sgd and hierfavg, which are never judged.
 *
 * False alarms: noisy worlds are judged at a confidence of 1 - 1e-6 for each of the families bounds, dispersion, ladder
 * and audit, so a true world is called violated with probability below 4e-6 (Student t; seeds fixed).
 *
 * Each of these changes to the code was made and seen to fail here. judge_audit.c: "at least" for "at most", 0.3 times the
 * ratio, the drift squared, an exact sigma^2 judged on either side only, the workers' verdicts dropped, the
 * product with the noise or the correlation 0, proved and used limits tripled, proved ones ignored, f* forgiven, f* solved
 * next to its own point only. judge_ladder.c: signs of a step exchanged, pathwise steps judged by intervals. judge.c: rungs,
 * audit, groupings or an identity left out of the verdict, a violated check that does not count for overall. */
#include "tests/experiments/whole_experiment.h"

#include <gsl/gsl_errno.h>

#include "experiments/experiment_private.h"
#include "tests/temp_files.h"

/* ---- worlds ---- */

/* What is different in a world, whether it is told or not. */
typedef struct world {
    double tilt; /* F_j += +-(tilt/2) w_0^2, the sign alternating: f stays, the F_j curve in opposite ways */
    double well; /* F_j -= well exp(-5 (w_0 - 3)^2): a second minimum, where the run starts */
} world;

/* What the problem claims, as a multiple of the truth, and what it does behind the back of the theory. 0: honest. */
typedef struct lie {
    double smoothness, noise_sq, divergence;
    double minimum;     /* f* is claimed to be higher by this share of Delta */
    bool convex;        /* claimed */
    double bias;        /* stochastic gradients are longer by this share */
    bool shared_noise;  /* all workers draw the noise of worker 0 */
    size_t root_period; /* of the engine; the theory is told the configured one */
} lie;

typedef struct row {
    const char *check, *text;
    lie lie;
    world world;
} row;

#define SURE "\"confidence\": 0.999999,"

/* Two workers on a parabola of curvature 1.3. */
#define PARABOLA(noise, initial, rest)                                                                                 \
    "{\"hierarchy\": {\"fanout\": [2], \"periods\": [4]}, \"problem\": {\"type\": \"quadratic\", \"curvature\": "      \
    "[1.3],"                                                                                                           \
    "\"linear\": [[0.6], [-1.4]], \"noise_variance\": " noise "}, \"initial\": {\"point\": [" initial "]}," SURE       \
    "\"figures\": [], \"seeds\": 30, \"optimizer\": {\"step_size\": 0.03, \"steps\": " rest "}}"
#define NOISELESS PARABOLA("0", "2.7", "60")
#define AT_MINIMUM PARABOLA("1", "-0.3076923076923077", "400")

/* Curvatures 0.4 +- 1. */
#define TILTED                                                                                                         \
    "{\"hierarchy\": {\"fanout\": [2], \"periods\": [4]}, \"problem\": {\"type\": \"quadratic\", \"curvature\": "      \
    "[0.4],"                                                                                                           \
    "\"linear\": [[1.2], [-0.7]]}, \"initial\": {\"point\": [2.7]}, \"figures\": [],"                                  \
    "\"optimizer\": {\"step_size\": 0.02, \"steps\": 60}}"

#define DOUBLE_WELL                                                                                                    \
    "{\"hierarchy\": {\"fanout\": [2], \"periods\": [2]}, \"problem\": {\"type\": \"quadratic\", \"curvature\": [1],"  \
    "\"linear\": [[0], [0]], \"noise_variance\": 4}, \"initial\": {\"point\": [2.85]}, \"figures\": [], \"bounds\": "  \
    "[]," SURE "\"seeds\": 12, \"optimizer\": {\"step_size\": 0.4, \"steps\": 40}}"

/* Four orthogonal samples, one a worker, all classified wrongly by far: the divergences are as large as they can be. */
#define ORTHOGONAL(rest)                                                                                               \
    "{\"hierarchy\": {\"fanout\": [2, 2], \"periods\": [4, 2]}, \"problem\": {\"type\": \"logistic\", \"data\": {"     \
    "\"format\": \"libsvm\", \"path\": \"four.txt\"}}, \"initial\": {\"point\": [-30, -30, 30, 30]}, \"figures\": []," \
    "\"bounds\": [\"hsgd-fixed\"]," rest "\"optimizer\": {\"step_size\": 0.1, \"steps\": 8}}"
#define CERTIFIED ORTHOGONAL("\"constants\": {\"divergence\": \"certified\"},")
#define TRAJECTORY ORTHOGONAL("")

#define TREE(rest) QUADRATIC("[2, 3]", "[6, 2]", "[0.83, 0.41]", "0", rest)
#define NOISY QUADRATIC("[2, 3]", "[6, 2]", "[0, 0]", "1", SURE "\"seeds\": 30," FRACTION("0.9", "24"))
#define FLAT(rest)                                                                                                     \
    QUADRATIC("[2, 3]", "[6, 2]", "[1e-6, 1e-6]", "0", rest "\"optimizer\": {\"step_size\": 0.005, \"steps\": 60}")
#define RANDOM FLAT(SURE "\"grouping\": \"random\", \"seeds\": 6,")

static const row ROWS[] = {
    /* L half of the truth. Curvature L everywhere: the descent inequality is an equality, and so are ratios of gradients;
     * opposite curvatures: the drift error is that of the steepest worker */
    {"ladder R1", NOISELESS, {.smoothness = 0.5}, {0, 0}},
    {"ladder R3", TILTED, {.smoothness = 0.5}, {.tilt = 1, .well = 0}},
    {"audit L", NOISELESS, {.smoothness = 0.5}, {0, 0}},
    {"audit L of f", NOISELESS, {.smoothness = 0.5}, {0, 0}},
    {"audit L of drift", TILTED, {.smoothness = 0.5}, {.tilt = 1, .well = 0}},
    /* sigma^2 too small */
    {"audit sigma^2", AT_MINIMUM, {.noise_sq = 0.5}, {0, 0}},
    {"ladder R4", AT_MINIMUM, {.noise_sq = 0.3}, {0, 0}},
    {"dispersion", NOISY, {.noise_sq = 0.01}, {0, 0}},
    /* noise with a mean, and the same noise for all */
    {"audit noise products", PARABOLA("0.01", "2.7", "60"), {.bias = 0.2}, {0, 0}},
    {"audit correlation", AT_MINIMUM, {.shared_noise = true}, {0, 0}},
    {"ladder R4", AT_MINIMUM, {.shared_noise = true}, {0, 0}},
    /* f* too high */
    {"audit f*", PARABOLA("0", "2.7", "400"), {.minimum = 0.8}, {0, 0}},
    {"ladder R4", PARABOLA("0", "2.7", "400"), {.minimum = 0.8}, {0, 0}},
    {"audit f* solved", DOUBLE_WELL, {.convex = true}, {.tilt = 0, .well = 2}},
    /* certified divergences half of the truth, used by the verdicts or only shown beside the suprema */
    {"audit D_1", CERTIFIED, {.divergence = 0.5}, {0, 0}},
    {"audit D_2", CERTIFIED, {.divergence = 0.5}, {0, 0}},
    {"audit E", CERTIFIED, {.divergence = 0.5}, {0, 0}},
    {"audit D_1", TRAJECTORY, {.divergence = 0.5}, {0, 0}},
    {"audit D_2", TRAJECTORY, {.divergence = 0.5}, {0, 0}},
    {"audit E", TRAJECTORY, {.divergence = 0.5}, {0, 0}},
    {"ladder R5", CERTIFIED, {.divergence = 0.5}, {0, 0}},
    {"dispersion", CERTIFIED, {.divergence = 0.5}, {0, 0}},
    /* the root averages four times too rarely */
    {"dispersion", TREE(FRACTION("0.9", "48")), {.root_period = 24}, {0, 0}},
    {"ladder R5", TREE(FRACTION("0.9", "48")), {.root_period = 24}, {0, 0}},
    /* every bound, next to a Delta that is 1e-4 of the truth */
    {"bound local-sgd-inner", FLAT(""), {.minimum = 0.9999}, {0, 0}},
    {"bound local-sgd-outer", FLAT(""), {.minimum = 0.9999}, {0, 0}},
    {"bound hsgd-fixed", FLAT(""), {.minimum = 0.9999}, {0, 0}},
    {"bound hsgd-random", RANDOM, {.minimum = 0.9999}, {0, 0}},
    {"bound local-sgd-inner-sharp", FLAT(""), {.minimum = 0.9999}, {0, 0}},
    {"bound local-sgd-outer-sharp", FLAT(""), {.minimum = 0.9999}, {0, 0}},
    {"bound hsgd-fixed-sharp", FLAT(""), {.minimum = 0.9999}, {0, 0}},
    {"bound hsgd-random-sharp", RANDOM, {.minimum = 0.9999}, {0, 0}},
    {"bound hsgd-fixed-recursive", FLAT(""), {.minimum = 0.9999}, {0, 0}},
    {"bound hsgd-random-recursive", RANDOM, {.minimum = 0.9999}, {0, 0}},
    {"bound jiang-zhu-2024", FLAT(""), {.minimum = 0.9999}, {0, 0}},
    {"bound fedvarp-2022", FLAT(""), {.minimum = 0.9999}, {0, 0}},
};

/* ---- an objective that may lie ---- */

static const hsgd_objective_type *real;
static lie told;
static world here;
static double minimum_shift; /* told.minimum in the units of f */

static double multiple(double factor)
{
    return factor == 0 ? 1 : factor;
}

/* What the world adds to F_worker at w_0. */
static double add_world(size_t worker, double w, double *grad)
{
    double sign = worker % 2 ? -1 : 1, x = w - 3, dip = here.well * exp(-5 * x * x);
    *grad += sign * here.tilt * w + 10 * x * dip;
    return sign * here.tilt / 2 * w * w - dip;
}

static void full(const hsgd_objective *f, const double *point, const size_t *worker, size_t count, double *loss,
                 double *grad, double *scratch)
{
    real->full(f, point, worker, count, loss, grad, scratch);
    for (size_t j = 0; j < count; j++)
        loss[j] += add_world(worker[j], point[0], grad + j * f->dim);
}

static void stochastic(const hsgd_objective *f, const double *point, size_t worker, size_t batch_size, uint64_t seed,
                       uint64_t step, double *grad, double *scratch)
{
    double own[8], other[8], loss;
    const size_t first = 0;
    if (f->dim > sizeof own / sizeof *own)
        fail();
    real->stochastic(f, point, told.shared_noise ? 0 : worker, batch_size, seed, step, grad, scratch);
    if (told.shared_noise) { /* the noise of worker 0 on the own gradient */
        real->full(f, point, &worker, 1, &loss, own, scratch);
        real->full(f, point, &first, 1, &loss, other, scratch);
        for (size_t i = 0; i < f->dim; i++)
            grad[i] += own[i] - other[i];
    }
    add_world(worker, point[0], grad);
    for (size_t i = 0; i < f->dim; i++)
        grad[i] *= 1 + told.bias;
}

static hsgd_status constants(const hsgd_objective *f, size_t batch_size, hsgd_constants *out, hsgd_error *error)
{
    hsgd_status status = real->constants(f, batch_size, out, error);
    /* |second derivative| of the well: at most 10 well, at its bottom */
    out->smoothness.value = (out->smoothness.value + here.tilt + 10 * here.well) * multiple(told.smoothness);
    out->convexity -= here.tilt;
    out->noise_sq.value *= multiple(told.noise_sq);
    out->minimum.value += minimum_shift - here.well;
    if (here.well > 0) { /* f* is not known any more */
        out->minimum.kind = HSGD_CERTIFIED;
        out->convexity = told.convex ? 0 : -INFINITY;
    }
    return status;
}

static hsgd_status divergences(double *node_sq, double *global_sq, const hsgd_objective *f, const hsgd_hierarchy *h,
                               const size_t *placement, hsgd_error *error)
{
    hsgd_status status = real->divergences(node_sq, global_sq, f, h, placement, error);
    for (size_t u = 0; u < h->num_nodes; u++)
        node_sq[u] *= multiple(told.divergence);
    *global_sq *= multiple(told.divergence);
    return status;
}

static void run_in_world(whole *x, hsgd_objective_type *type, const row *r, const lie *l, double delta)
{
    prepare(x, r->text);
    real = x->problem.objective.type;
    *type = *real;
    type->full = full;
    type->stochastic = stochastic;
    type->full_at = NULL;
    type->add_moments = NULL;
    type->stochastic_rows = NULL;
    type->step_rows = NULL;
    type->recorded_step_rows = NULL;
    type->constants = constants;
    type->divergences = real->divergences ? divergences : NULL;
    x->problem.objective.type = type;
    if (r->world.tilt != 0 || r->world.well != 0)
        x->problem.is_quadratic = false;
    if (l->root_period)
        x->problem.hierarchy.node[0].period = l->root_period;
    told = *l;
    here = r->world;
    minimum_shift = l->minimum * delta;
    run_prepared(x, true);
}

/* ---- verdicts ---- */

static hsgd_verdict verdict_of(const hsgd_experiment *e, const char *check)
{
    hsgd_verdict worst = HSGD_VERDICT_NOT_APPLICABLE;
    if (strncmp(check, "ladder R", 8) == 0)
        return e->ladder.rung[check[8] - '0'].verdict;
    if (strncmp(check, "audit ", 6) == 0) {
        const hsgd_audit_item *item = find_audit(e, check + 6);
        return item ? item->verdict : worst;
    }
    if (strncmp(check, "bound ", 6) == 0) {
        const hsgd_comparison *c = find_bound(e, check + 6);
        return c ? c->verdict : worst;
    }
    assert_string_equal(check, "dispersion");
    for (size_t k = 0; k < e->run[HSGD_RUN_MAIN].summary.num_levels; k++)
        worst = hsgd_verdict_worse(worst, e->dispersion[k].verdict);
    return worst;
}

/* The reasons of all that is violated, for a failing test. */
static void show_violated(const hsgd_experiment *e)
{
    for (size_t k = 1; k < HSGD_NUM_RUNGS; k++)
        if (e->ladder.rung[k].verdict == HSGD_VERDICT_VIOLATED)
            print_error("  %s: %s\n", hsgd_rungs[k].rung, e->ladder.rung[k].reason);
    for (size_t i = 0; i < e->audit.num_items; i++)
        if (e->audit.item[i].verdict == HSGD_VERDICT_VIOLATED)
            print_error("  %s: %g next to %g, %s\n", e->audit.item[i].name, e->audit.item[i].seen.estimate.mean,
                        e->audit.item[i].limit.value, e->audit.item[i].reason);
    for (size_t i = 0; i < e->num_comparisons; i++)
        if (e->comparison[i].verdict == HSGD_VERDICT_VIOLATED)
            print_error("  %s: %s\n", e->comparison[i].bound->id, e->comparison[i].reason);
}

static void lie_is_found_out(void **state)
{
    const row *r = *state;
    const lie honest = {0};
    hsgd_objective_type type;
    whole truth, deceit;
    run_in_world(&truth, &type, r, &honest, 0);
    hsgd_verdict verdict = verdict_of(&truth.e, r->check);
    if (truth.e.worst == HSGD_VERDICT_VIOLATED)
        show_violated(&truth.e);
    assert_true(verdict == HSGD_VERDICT_HOLDS || verdict == HSGD_VERDICT_INCONCLUSIVE);
    assert_true(truth.e.worst != HSGD_VERDICT_VIOLATED && truth.e.overall != HSGD_VERDICT_VIOLATED);
    run_in_world(&deceit, &type, r, &r->lie, truth.e.delta.value);
    assert_int_equal(verdict_of(&deceit.e, r->check), HSGD_VERDICT_VIOLATED);
    assert_int_equal(deceit.e.overall, HSGD_VERDICT_VIOLATED);
    assert_int_equal(deceit.e.worst, HSGD_VERDICT_VIOLATED);
    release(&truth);
    release(&deceit);
}

/* Every bound that can be judged at all has a row. */
static void every_bound_has_a_row(void **state)
{
    (void)state;
    for (size_t i = 0; i < hsgd_num_bounds; i++) {
        const char *id = hsgd_bounds[i]->id;
        size_t rows = 0;
        for (size_t k = 0; k < sizeof ROWS / sizeof *ROWS; k++)
            rows += strncmp(ROWS[k].check, "bound ", 6) == 0 && strcmp(ROWS[k].check + 6, id) == 0;
        bool never = hsgd_bounds[i]->target == HSGD_TARGET_DISTANCE || strncmp(id, "mll-sgd", 7) == 0;
        if (rows != !never)
            print_error("%s has %zu rows\n", id, rows);
        assert_int_equal(rows, !never);
    }
}

/* Every row of the audit of a noisy run that is a claim has one, too. */
static void every_audit_row_has_a_row(void **state)
{
    (void)state;
    whole x;
    run_whole(&x, QUADRATIC("[2, 3]", "[6, 2]", "[0.83, 0.41]", "0.9", "\"seeds\": 4," FRACTION("0.9", "20")));
    assert_true(x.e.audit.num_items > 8);
    for (size_t i = 0; i < x.e.audit.num_items; i++) {
        const hsgd_audit_item *item = &x.e.audit.item[i];
        bool found = item->relation == HSGD_AUDIT_CONDITION;
        for (size_t k = 0; k < sizeof ROWS / sizeof *ROWS; k++)
            found = found || (strncmp(ROWS[k].check, "audit ", 6) == 0 && strcmp(ROWS[k].check + 6, item->name) == 0);
        if (!found)
            print_error("no row for %s\n", item->name);
        assert_true(found);
    }
    release(&x);
}

/* ---- what only tampering makes false ---- */

static void judge_again(hsgd_experiment *e)
{
    free(e->comparison);
    free(e->dispersion_bound);
    free(e->dispersion);
    hsgd_sandwich_free(&e->sandwich);
    e->comparison = NULL;
    e->num_comparisons = 0;
    e->overall = e->worst = HSGD_VERDICT_NOT_APPLICABLE;
    assert_ok(hsgd_experiment_judge(e, &err), err);
}

/* The lemma of THEORY 5 holds for any vectors; that the comparison can fail is shown in test_grouping_moments.c. Here: a
 * verdict on any of its rows, and a broken identity, reach the verdict on the whole. */
static void groupings_identities_and_rungs_count(void **state)
{
    (void)state;
    whole x;
    run_whole(&x, TREE(FRACTION("0.9", "48")));
    hsgd_experiment *e = &x.e;
    judge_again(e);
    assert_true(e->overall == HSGD_VERDICT_HOLDS && e->worst == HSGD_VERDICT_HOLDS);
    assert_int_equal(e->grouping.num_points, 1); /* the gradients of quadratics differ alike at every point */
    for (size_t i = 0; i < 2 * e->grouping.num_levels; i++) {
        hsgd_grouping_point *point = &e->grouping.point[0];
        hsgd_verdict *verdict = (i % 2 ? point->upward : point->downward) + i / 2;
        assert_int_equal(*verdict, HSGD_VERDICT_HOLDS);
        *verdict = HSGD_VERDICT_VIOLATED;
        judge_again(e);
        assert_true(e->overall == HSGD_VERDICT_VIOLATED && e->worst == HSGD_VERDICT_VIOLATED);
        *verdict = HSGD_VERDICT_INCONCLUSIVE;
        judge_again(e);
        assert_true(e->overall == HSGD_VERDICT_HOLDS && e->worst == HSGD_VERDICT_INCONCLUSIVE);
        *verdict = HSGD_VERDICT_HOLDS;
    }
    double *error[] = {&e->run[HSGD_RUN_MAIN].summary.gradient_identity_error,
                       &e->run[HSGD_RUN_MAIN].summary.parameter_identity_error};
    for (size_t i = 0; i < 2; i++) {
        *error[i] = 1.1 * HSGD_IDENTITY_TOLERANCE;
        judge_again(e);
        assert_true(e->overall == HSGD_VERDICT_VIOLATED && e->worst == HSGD_VERDICT_VIOLATED);
        assert_int_equal(i ? e->parameter_identity : e->gradient_identity, HSGD_VERDICT_VIOLATED);
        *error[i] = 0;
    }
    judge_again(e);
    assert_true(e->overall == HSGD_VERDICT_HOLDS);
    /* the ladder alone: S of the path, and its dispersion, are read by nothing else */
    hsgd_path *path = e->run[HSGD_RUN_MAIN].summary.path, untouched = *path;
    static const size_t step[] = {1, 5};
    for (size_t i = 0; i < 2; i++) {
        path->S *= i == 0 ? 100 : 1;
        path->dispersion *= i == 1 ? 100 : 1;
        judge_again(e);
        assert_int_equal(e->ladder.rung[step[i]].verdict, HSGD_VERDICT_VIOLATED);
        assert_true(e->overall == HSGD_VERDICT_VIOLATED && e->worst == HSGD_VERDICT_VIOLATED);
        *path = untouched;
    }
    release(&x);
}

static int setup(void **state)
{
    static const char four[] = "+1 1:1\n+1 2:1\n-1 3:1\n-1 4:1\n";
    temp_open_shared(state);
    temp_write(temp_shared(), "four.txt", four, strlen(four));
    return setenv("HSGD_DATA_DIR", temp_shared()->folder, 1); /* where the rows' relative path is looked for */
}

int main(void)
{
    enum { ROW_COUNT = sizeof ROWS / sizeof *ROWS };
    static char name[ROW_COUNT][64]; /* a check may have several rows */
    struct CMUnitTest tests[ROW_COUNT + 3];
    gsl_set_error_handler_off();
    for (size_t i = 0; i < ROW_COUNT; i++) {
        snprintf(name[i], sizeof name[i], "row %zu: %s", i, ROWS[i].check);
        tests[i] = (struct CMUnitTest){name[i], lie_is_found_out, NULL, NULL, (void *)&ROWS[i]};
    }
    tests[ROW_COUNT] = (struct CMUnitTest)cmocka_unit_test(every_bound_has_a_row);
    tests[ROW_COUNT + 1] = (struct CMUnitTest)cmocka_unit_test(every_audit_row_has_a_row);
    tests[ROW_COUNT + 2] = (struct CMUnitTest)cmocka_unit_test(groupings_identities_and_rungs_count);
    return _cmocka_run_group_tests("power", tests, ROW_COUNT + 3, setup, temp_close_shared);
}
