/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the tests of the bounds share: evaluating by id, looking up terms, and random trees. What is checked with random
 * trees and parameters are theorems, so that no draw of them raises a false alarm; their seeds are fixed. */
#ifndef HSGD_TESTS_BOUNDS_CASES_H
#define HSGD_TESTS_BOUNDS_CASES_H

#include "tests/test.h"

#include <gsl/gsl_rng.h>

#include "analysis/hierarchy.h"
#include "analysis/random.h"
#include "bounds/bound.h"

static inline hsgd_bound_value evaluate(const char *id, const hsgd_bound_params *params)
{
    hsgd_error err;
    assert_ok(hsgd_bound_params_check(params, &err), err);
    const hsgd_bound *bound = hsgd_bound_find(id);
    assert_non_null(bound);
    hsgd_bound_value value;
    memset(&value, 0x5a, sizeof value);
    hsgd_bound_eval(bound, params, &value);
    return value;
}

/* The value of a bound that must be applicable. */
static inline double value_of(const char *id, const hsgd_bound_params *params)
{
    hsgd_bound_value value = evaluate(id, params);
    if (!value.applicable)
        print_error("%s: %s\n", id, value.reason);
    assert_true(value.applicable);
    assert_string_equal(value.reason, "");
    assert_true(isfinite(value.value));
    return value.value;
}

static inline double term_of(const hsgd_bound_value *value, const char *name)
{
    for (size_t i = 0; i < value->num_terms; i++)
        if (strcmp(value->term[i].name, name) == 0)
            return value->term[i].value;
    return NAN;
}

/* Not applicable, without a value, and for this reason. */
static inline void check_refused(const char *id, const hsgd_bound_params *params, const char *text)
{
    hsgd_bound_value value = evaluate(id, params);
    assert_false(value.applicable);
    assert_true(isnan(value.value));
    assert_int_equal(value.num_terms, 0);
    if (!strstr(value.reason, text)) {
        print_error("%s: reason \"%s\" lacks \"%s\"\n", id, value.reason, text);
        fail();
    }
}

static inline void set_scalars(hsgd_bound_params *p, double step_size, size_t steps, double smoothness, double noise_sq,
                               double delta)
{
    p->step_size = step_size;
    p->steps = steps;
    p->smoothness = smoothness;
    p->noise_sq = noise_sq;
    p->delta = delta;
}

/* Parameters over a uniform tree; divergence_sq may be NULL. Scalars as in set_scalars are still to be set. */
static inline void uniform_params(hsgd_bound_params *p, const size_t *fanout, const size_t *periods, size_t num_levels,
                                  const double *divergence_sq)
{
    hsgd_error err;
    hsgd_hierarchy h;
    assert_ok(hsgd_hierarchy_uniform(&h, fanout, periods, num_levels, &err), err);
    assert_ok(hsgd_bound_params_init(p, &h, divergence_sq, NULL, &err), err);
    hsgd_hierarchy_free(&h);
}

static inline double uniform_between(gsl_rng *rng, double low, double high)
{
    return low + (high - low) * gsl_rng_uniform(rng);
}

static inline gsl_rng *test_rng(uint64_t seed)
{
    gsl_rng *rng = hsgd_stream_rng(&(hsgd_stream){.seed = seed, .purpose = HSGD_PURPOSE_USER});
    assert_non_null(rng);
    return rng;
}

static inline size_t random_divisor(gsl_rng *rng, size_t number)
{
    size_t divisor;
    do
        divisor = 1 + gsl_rng_uniform_int(rng, number);
    while (number % divisor);
    return divisor;
}

enum { MAX_SPECS = 400 };

static inline void grow(gsl_rng *rng, hsgd_node_spec *spec, size_t *count, size_t parent, size_t period, size_t levels)
{
    size_t self = (*count)++;
    bool lowest = levels == 1 || gsl_rng_uniform(rng) < 0.2;
    spec[self] = (hsgd_node_spec){parent, period, lowest ? 1 + gsl_rng_uniform_int(rng, 5) : 0};
    if (lowest)
        return;
    size_t children = 1 + gsl_rng_uniform_int(rng, 4);
    for (size_t i = 0; i < children; i++)
        grow(rng, spec, count, self, random_divisor(rng, period), levels - 1);
}

/* A tree with up to 4 levels, unequal fanouts, sizes, periods and depths; some nodes have one child or merge. */
static inline void random_tree(hsgd_hierarchy *h, gsl_rng *rng)
{
    static const size_t root_period[] = {1, 2, 6, 12, 16, 24, 30, 36};
    hsgd_error err;
    hsgd_node_spec spec[MAX_SPECS];
    size_t count = 0;
    grow(rng, spec, &count, HSGD_NO_NODE, root_period[gsl_rng_uniform_int(rng, 8)], 4);
    assert_ok(hsgd_hierarchy_tree(h, spec, count, &err), err);
}

/* Parameters over a random tree with random divergences, some of them 0, and a step size of `fraction` times the
 * published maximum. */
static inline void random_params(hsgd_bound_params *p, gsl_rng *rng, double fraction)
{
    hsgd_error err;
    hsgd_hierarchy h;
    double divergence_sq[MAX_SPECS];
    random_tree(&h, rng);
    for (size_t u = 0; u < h.num_nodes; u++)
        divergence_sq[u] = gsl_rng_uniform(rng) < 0.2 ? 0 : uniform_between(rng, 0, 3);
    assert_ok(hsgd_bound_params_init(p, &h, divergence_sq, NULL, &err), err);
    double smoothness = uniform_between(rng, 0.1, 4);
    double largest = hsgd_published_max_step_size(smoothness, hsgd_hierarchy_global_period(&p->tree));
    set_scalars(p, fraction * largest, 1 + gsl_rng_uniform_int(rng, 100), smoothness, uniform_between(rng, 0, 2),
                uniform_between(rng, 0, 5));
    hsgd_hierarchy_free(&h);
}

#endif
