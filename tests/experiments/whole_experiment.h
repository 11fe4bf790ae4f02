/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A configuration text, its problem and its result, for tests that run whole experiments. */
#ifndef HSGD_TESTS_WHOLE_EXPERIMENT_H
#define HSGD_TESTS_WHOLE_EXPERIMENT_H

#include "tests/test.h"

#include "experiments/experiment.h"

typedef struct whole {
    hsgd_config config;
    hsgd_problem problem;
    hsgd_experiment e;
} whole;

static hsgd_error err;

static inline void prepare(whole *x, const char *text)
{
    assert_ok(hsgd_config_parse(&x->config, text, strlen(text), "x.json", &err), err);
    assert_ok(hsgd_problem_build(&x->problem, &x->config, "x.json", &err), err);
}

static inline void run_prepared(whole *x, bool every_check)
{
    hsgd_experiment_options options = {.threads = 1, .every_check = every_check};
    assert_ok(hsgd_experiment_run(&x->e, &x->config, &x->problem, &options, &err), err);
}

static inline void run_whole(whole *x, const char *text)
{
    prepare(x, text);
    run_prepared(x, true);
}

static inline void release(whole *x)
{
    hsgd_experiment_free(&x->e);
    hsgd_problem_free(&x->problem);
    hsgd_config_free(&x->config);
}

/* NULL: not among the selected ones. */
static inline const hsgd_comparison *find_bound(const hsgd_experiment *e, const char *id)
{
    for (size_t i = 0; i < e->num_comparisons; i++)
        if (strcmp(e->comparison[i].bound->id, id) == 0)
            return &e->comparison[i];
    return NULL;
}

/* NULL: not made. */
static inline const hsgd_audit_item *find_audit(const hsgd_experiment *e, const char *name)
{
    for (size_t i = 0; i < e->audit.num_items; i++)
        if (strcmp(e->audit.item[i].name, name) == 0)
            return &e->audit.item[i];
    return NULL;
}

/* Generated quadratics, L = 1.3. */
#define QUADRATIC(fanout, periods, level, noise, rest)                                                                 \
    "{\"hierarchy\": {\"fanout\": " fanout ", \"periods\": " periods "}, \"problem\": {\"type\": \"quadratic\","       \
    "\"dimension\": 4, \"curvature_range\": [0.11, 1.3], \"level_divergence\": " level ", \"noise_variance\": " noise  \
    "}, \"initial\": {\"scale\": 1.4}, \"figures\": []," rest "}"
#define FRACTION(fraction, steps) "\"optimizer\": {\"step_size_fraction\": " fraction ", \"steps\": " steps "}"

#endif
