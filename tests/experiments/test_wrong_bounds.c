/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A check that cannot fail is worthless (THEORY 9): bounds that are wrong on purpose must come out violated, and the
 * right ones beside them must not. */
#include "tests/test.h"

#include <gsl/gsl_errno.h>

#include "analysis/ensemble.h"
#include "analysis/quadratic.h"
#include "bounds/bound.h"
#include "bounds/verdict.h"

static hsgd_error err;

enum { LEVELS = 2, DIM = 6, GLOBAL = 8, LOCAL = 2 };
static const double LEVEL_SQ[LEVELS] = {0.9, 0.35};

typedef struct setup {
    hsgd_hierarchy compact, tree;
    hsgd_quadratic quadratic;
    hsgd_objective objective;
    hsgd_constants constants;
    double initial[DIM];
    hsgd_simulation simulation;
    hsgd_ensemble ensemble;
    hsgd_summary summary;
} setup;

static void run(setup *s, double noise_sq, size_t steps, size_t seeds)
{
    const size_t fanout[] = {3, 4}, periods[] = {GLOBAL, LOCAL};
    hsgd_quadratic_spec spec = {DIM, 0.05, 1.0, LEVEL_SQ, noise_sq, 21};
    assert_ok(hsgd_hierarchy_uniform(&s->compact, fanout, periods, LEVELS, &err), err);
    assert_ok(hsgd_hierarchy_expand(&s->tree, &s->compact, &err), err);
    assert_ok(hsgd_quadratic_generate(&s->quadratic, &s->tree, &spec, &err), err);
    assert_ok(hsgd_quadratic_objective(&s->objective, &s->quadratic, NULL, &err), err);
    assert_ok(s->objective.type->constants(&s->objective, 0, &s->constants, &err), err);
    for (size_t i = 0; i < DIM; i++)
        s->initial[i] = 2.5 - (double)i;
    s->simulation = (hsgd_simulation){.objective = &s->objective,
                                      .hierarchy = &s->tree,
                                      .initial = s->initial,
                                      .step_size = 0.99 * hsgd_published_max_step_size(1, GLOBAL),
                                      .steps = steps,
                                      .measure_every = 1};
    assert_ok(hsgd_ensemble_run(&s->ensemble, &s->simulation, seeds, 1, NULL, 2, &err), err);
    assert_ok(hsgd_summarize(&s->summary, &s->ensemble, steps, GLOBAL, noise_sq == 0, &err), err);
}

static void finish(setup *s)
{
    hsgd_summary_free(&s->summary);
    hsgd_ensemble_free(&s->ensemble);
    hsgd_objective_free(&s->objective);
    hsgd_quadratic_free(&s->quadratic);
    hsgd_hierarchy_free(&s->tree);
    hsgd_hierarchy_free(&s->compact);
}

/* The worst verdict of 4.4 over all steps and levels with the divergences multiplied by `factor`. */
static hsgd_verdict judge_dispersion(const setup *s, double factor)
{
    const double divergence_sq[] = {factor * LEVEL_SQ[0], factor * LEVEL_SQ[1]};
    double bound[64 * LEVELS], checks = (double)s->summary.num_rows * LEVELS;
    hsgd_verdict worst = HSGD_VERDICT_NOT_APPLICABLE;
    assert_true(s->simulation.steps <= 64);
    assert_ok(hsgd_dispersion_bound(bound, &s->compact, divergence_sq, s->simulation.step_size, 1,
                                    s->quadratic.noise_sq, s->simulation.steps, &err),
              err);
    for (size_t i = 0; i < s->summary.num_rows * LEVELS; i++) {
        double mean = s->summary.dispersion[i].mean, half = hsgd_half_width(s->summary.dispersion[i], 0.99, checks);
        worst = hsgd_verdict_worse(worst, hsgd_verdict_decide(mean - half, mean + half, bound[i]));
    }
    return worst;
}

/* After one noiseless step the dispersion is gamma^2 D_k exactly: half of it cannot pass. */
static void dispersion_bound_with_halved_divergence_is_violated(void **state)
{
    (void)state;
    setup s;
    run(&s, 0, 50, 1);
    assert_int_equal(judge_dispersion(&s, 1), HSGD_VERDICT_HOLDS);
    assert_int_equal(judge_dispersion(&s, 0.5), HSGD_VERDICT_VIOLATED);
    finish(&s);
}

/* The same through noise and intervals. That a true bound comes out violated has probability 1 % at most (99 %, Bonferroni
 * over the 100 intervals); of 1000 other ensembles all gave both verdicts, so that with 95 % confidence a false alarm of
 * either check is below 0.3 %. The seeds are fixed. */
static void halved_divergence_is_violated_under_noise_too(void **state)
{
    (void)state;
    setup s;
    run(&s, 0.002, 50, 64);
    assert_int_equal(judge_dispersion(&s, 1), HSGD_VERDICT_HOLDS);
    assert_int_equal(judge_dispersion(&s, 0.5), HSGD_VERDICT_VIOLATED);
    finish(&s);
}

/* On a long noiseless run gamma sum_t ||grad f||^2 tends to f(w^0) - f* = Delta (small steps follow the gradient flow),
 * so S reaches about half of 2 Delta/(gamma T); 0.4 Delta/(gamma T) lies below it. */
static void sharpened_bound_with_a_smaller_gap_is_violated(void **state)
{
    (void)state;
    setup s;
    hsgd_bound_params params;
    hsgd_bound_value value;
    run(&s, 0, 2000, 1);
    assert_ok(hsgd_bound_params_init(&params, &s.compact, LEVEL_SQ, NULL, &err), err);
    params.step_size = s.simulation.step_size;
    params.steps = s.simulation.steps;
    params.smoothness = 1;
    params.noise_sq = 0;
    params.delta = s.summary.loss[0].mean - s.constants.minimum.value;
    hsgd_bound_eval(hsgd_bound_find("hsgd-fixed-sharp"), &params, &value);
    double S = s.summary.S.mean, gap = params.delta / (params.step_size * (double)params.steps);
    assert_true(value.applicable);
    assert_close(value.term[0].value, 2 * gap, 1e-12);
    assert_int_equal(hsgd_verdict_decide(S, S, value.value), HSGD_VERDICT_HOLDS);
    assert_int_equal(hsgd_verdict_decide(S, S, value.value - 1.6 * gap), HSGD_VERDICT_VIOLATED);
    hsgd_bound_params_free(&params);
    finish(&s);
}

int main(void)
{
    gsl_set_error_handler_off();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(dispersion_bound_with_halved_divergence_is_violated),
        cmocka_unit_test(halved_divergence_is_violated_under_noise_too),
        cmocka_unit_test(sharpened_bound_with_a_smaller_gap_is_violated),
    };
    return cmocka_run_group_tests_name("wrong_bounds", tests, NULL, NULL);
}
