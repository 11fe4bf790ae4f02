/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The "variant" object of a configuration: read, refused and written back; and a verdict that theory cannot give is not
 * given. */
#include "tests/experiments/whole_experiment.h"

#include <stdlib.h>

#define CONFIG(variant)                                                                                                \
    "{\"hierarchy\": {\"fanout\": [2, 4], \"periods\": [4, 2]}, \"problem\": {\"type\": \"quadratic\", "               \
    "\"dimension\": 3, \"curvature_range\": [0.1, 1], \"level_divergence\": [1, 0.5], \"noise_variance\": 0}, "        \
    "\"optimizer\": {\"step_size_fraction\": 0.5, \"steps\": 12}, \"seeds\": 3, \"variant\": " variant "}"

static hsgd_variant read_variant(const char *text)
{
    hsgd_config config;
    assert_ok(hsgd_config_parse(&config, text, strlen(text), "x.json", &err), err);
    hsgd_variant variant = config.variant;
    char *again = hsgd_config_to_json(&config), *twice;
    hsgd_config_free(&config);
    assert_ok(hsgd_config_parse(&config, again, strlen(again), "x.json", &err), err);
    twice = hsgd_config_to_json(&config);
    assert_string_equal(again, twice);
    assert_true(
        config.variant.momentum == variant.momentum && config.variant.decay == variant.decay &&
        config.variant.decay_scale == variant.decay_scale && config.variant.participants == variant.participants &&
        config.variant.with_replacement == variant.with_replacement &&
        config.variant.group_step_size == variant.group_step_size &&
        config.variant.global_step_size == variant.global_step_size &&
        config.variant.participation == variant.participation && config.variant.regroup == variant.regroup &&
        config.variant.warmup_steps == variant.warmup_steps && config.variant.momentum_rule == variant.momentum_rule &&
        config.variant.decay_factor == variant.decay_factor);
    free(again);
    free(twice);
    hsgd_config_free(&config);
    return variant;
}

static void every_key_is_read_and_written(void **state)
{
    (void)state;
    hsgd_variant v = read_variant(CONFIG("{}"));
    assert_false(hsgd_variant_differs(&v, NULL));
    v = read_variant(CONFIG("{\"decay\": {\"type\": \"steps\", \"scale\": 7.5, \"factor\": 0.25}, \"warmup_steps\": 9, "
                            "\"momentum\": 0.8, \"momentum_at_averages\": \"reset\", \"workers_per_group\": 3, "
                            "\"with_replacement\": true, \"regroup\": true, \"group_step_size\": 1.5, "
                            "\"global_step_size\": 0.7}"));
    assert_true(v.decay == HSGD_DECAY_STEPS && v.decay_scale == 7.5 && v.decay_factor == 0.25 && v.warmup_steps == 9);
    assert_true(v.momentum == 0.8 && v.momentum_rule == HSGD_MOMENTUM_RESET && v.participants == 3);
    assert_true(v.with_replacement && v.regroup && v.group_step_size == 1.5 && v.global_step_size == 0.7);
    v = read_variant(CONFIG("{\"decay\": {\"type\": \"inverse-sqrt\", \"scale\": 3}, \"participation\": 0.3}"));
    assert_true(v.decay == HSGD_DECAY_INVERSE_SQRT && v.decay_scale == 3 && v.participation == 0.3);
    v = read_variant(CONFIG("{\"momentum\": 0.9, \"momentum_at_averages\": \"average\"}"));
    assert_true(v.momentum_rule == HSGD_MOMENTUM_AVERAGED);
    v = read_variant(CONFIG("{\"decay\": {\"type\": \"inverse\", \"scale\": 3}}"));
    assert_true(v.decay == HSGD_DECAY_INVERSE);
    v = read_variant(CONFIG("{\"decay\": {\"type\": \"cosine\"}}"));
    assert_true(v.decay == HSGD_DECAY_COSINE);
}

static void wrong_values_are_refused_by_name(void **state)
{
    (void)state;
    const struct {
        const char *text, *place, *legal;
    } wrong[] = {
        {CONFIG("3"), "variant: 3", "object"},
        {CONFIG("{\"momentun\": 0.9}"), "momentun", "momentum"},
        {CONFIG("{\"momentum\": 1}"), "variant.momentum: 1", "[0, 1)"},
        {CONFIG("{\"momentum_at_averages\": \"reset\"}"), "variant.momentum_at_averages", "needs \"momentum\""},
        {CONFIG("{\"momentum\": 0.5, \"momentum_at_averages\": \"mean\"}"), "variant.momentum_at_averages: \"mean\"",
         "reset"},
        {CONFIG("{\"participation\": 0}"), "variant.participation: 0", "above 0"},
        {CONFIG("{\"participation\": 1.5}"), "variant.participation: 1.5", "(0, 1]"},
        {CONFIG("{\"participation\": 0.5, \"workers_per_group\": 2}"), "variant.workers_per_group: 2", "one of them"},
        {CONFIG("{\"workers_per_group\": 0}"), "variant.workers_per_group: 0", "1"},
        {CONFIG("{\"with_replacement\": true}"), "variant.with_replacement", "needs"},
        {CONFIG("{\"decay\": {\"type\": \"linear\"}}"), "variant.decay.type: \"linear\"", "cosine"},
        {CONFIG("{\"decay\": {\"type\": \"inverse\"}}"), "variant.decay.scale: missing", "above 0"},
        {CONFIG("{\"decay\": {\"type\": \"cosine\", \"scale\": 3}}"), "variant.decay.scale: 3", "no meaning"},
        {CONFIG("{\"decay\": {\"type\": \"inverse\", \"scale\": 3, \"factor\": 0.5}}"), "variant.decay.factor: 0.5",
         "\"steps\" only"},
        {CONFIG("{\"decay\": {\"type\": \"steps\", \"scale\": 3, \"factor\": 2}}"), "variant.decay.factor: 2",
         "(0, 1]"},
        {CONFIG("{\"group_step_size\": 0}"), "variant.group_step_size: 0", "above 0"},
        {CONFIG("{\"regroup\": 1}"), "variant.regroup: 1", "true"},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        hsgd_config config;
        assert_fails(hsgd_config_parse(&config, wrong[i].text, strlen(wrong[i].text), "x.json", &err), HSGD_ERROR_INPUT,
                     wrong[i].place, err);
        if (!strstr(err.message, wrong[i].legal))
            fail_msg("%s\n does not say \"%s\"", err.message, wrong[i].legal);
    }
}

static void assert_no_verdict(const hsgd_experiment *e, const char *what)
{
    assert_true(e->num_comparisons > 10);
    for (size_t i = 0; i < e->num_comparisons; i++) {
        const hsgd_comparison *c = &e->comparison[i];
        bool covered = c->bound->covers_sampling && hsgd_variant_only_samples(&e->config->variant);
        assert_true(c->verdict == HSGD_VERDICT_NOT_APPLICABLE && !c->value.applicable);
        assert_non_null(strstr(c->reason, covered ? "step size" : what)); /* too large a one here */
    }
    for (size_t k = 1; k < HSGD_NUM_RUNGS; k++)
        assert_true(e->ladder.rung[k].verdict == HSGD_VERDICT_NOT_APPLICABLE && !e->ladder.rung[k].applies);
    for (size_t k = 0; k < 2; k++) {
        assert_true(e->dispersion[k].verdict == HSGD_VERDICT_NOT_APPLICABLE);
        assert_non_null(strstr(e->dispersion[k].reason, what));
    }
    assert_int_equal(e->audit.num_items, 0);
    assert_true(e->gradient_identity == HSGD_VERDICT_HOLDS && e->parameter_identity == HSGD_VERDICT_HOLDS);
}

/* Each variant alone, on a run that plain H-SGD would pass with "holds". */
static void theory_has_nothing_to_say_about_a_variant(void **state)
{
    (void)state;
    const struct {
        const char *text, *what;
        bool is_random;
    } variant[] = {
        {CONFIG("{\"decay\": {\"type\": \"cosine\"}}"), "a decaying step size", false},
        {CONFIG("{\"warmup_steps\": 3}"), "a warm-up", false},
        {CONFIG("{\"momentum\": 0.5}"), "momentum", false},
        {CONFIG("{\"participation\": 0.5}"), "partial participation", true},
        {CONFIG("{\"regroup\": true}"), "regrouping", true},
        {CONFIG("{\"global_step_size\": 1.1}"), "a step size of averages", false},
    };
    whole x, plain;
    run_whole(&plain, CONFIG("{}"));
    assert_true(plain.e.overall == HSGD_VERDICT_HOLDS && plain.e.deterministic && !plain.e.variant);
    for (size_t i = 0; i < sizeof variant / sizeof *variant; i++) {
        run_whole(&x, variant[i].text);
        assert_no_verdict(&x.e, variant[i].what);
        assert_true(x.e.deterministic == !variant[i].is_random);
        assert_true(x.e.overall == HSGD_VERDICT_NOT_APPLICABLE);
        assert_true(x.e.run[HSGD_RUN_MAIN].S.estimate.mean != plain.e.run[HSGD_RUN_MAIN].S.estimate.mean);
        release(&x);
    }
    release(&plain);
}

/* The one theorem that does cover sampling gets its verdict, with the participants of local SGD with period G, whose one
 * group are all workers: half of 8. */
static void sampling_is_judged_where_a_theorem_covers_it(void **state)
{
    (void)state;
    static const char text[] =
        "{\"hierarchy\": {\"fanout\": [2, 4], \"periods\": [4, 2]}, \"problem\": {\"type\": \"quadratic\", "
        "\"dimension\": 3, \"curvature_range\": [0.1, 1], \"level_divergence\": [1, 0.5], \"noise_variance\": 0.2}, "
        "\"optimizer\": {\"step_size\": 0.009, \"steps\": 40}, \"seeds\": 40, \"variant\": {\"participation\": 0.5}}";
    whole x;
    run_whole(&x, text);
    const hsgd_comparison *c = find_bound(&x.e, "fedvarp-2022");
    assert_true(c->verdict == HSGD_VERDICT_HOLDS && c->value.applicable);
    double gl = 0.009 * x.e.constants.smoothness.value, sigma_g_sq = x.e.worker_deviation_max_sq;
    assert_close(c->value.term[c->value.num_terms - 1].value, 12 * gl * 4 * 4 / (7. * 4) * sigma_g_sq, 1e-12);
    assert_true(find_bound(&x.e, "hsgd-fixed")->verdict == HSGD_VERDICT_NOT_APPLICABLE);
    assert_true(x.e.overall == HSGD_VERDICT_HOLDS);
    release(&x);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_key_is_read_and_written),
        cmocka_unit_test(wrong_values_are_refused_by_name),
        cmocka_unit_test(sampling_is_judged_where_a_theorem_covers_it),
        cmocka_unit_test(theory_has_nothing_to_say_about_a_variant),
    };
    return cmocka_run_group_tests_name("variants", tests, NULL, NULL);
}
