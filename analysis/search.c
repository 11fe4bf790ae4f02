/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Glossary   best (dim) best point so far    reach  size of the steps of a fresh begin */
#include "analysis/search.h"

#include <float.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <gsl/gsl_multimin.h>
#include <gsl/gsl_randist.h>

#include "analysis/clock.h"

/* A search has come to rest when its steps are this much shorter than the first ones: values near a smooth maximum then
 * differ by less than rounding. */
static const double REST = 1e-8;

/* A fresh begin has first steps between reach and this share of it: some look around, some refine. */
static const double FINEST_BEGIN = 1e-4;

/* A simplex that has not improved for so many iterations per dimension begins afresh. */
enum { PATIENCE = 12 };

/* Worst of all numbers for GSL's simplex, which refuses those that are not finite. */
#define REFUSED (DBL_MAX / 4)

static const char *const method_name[HSGD_NUM_SEARCH_METHODS] = {
    [HSGD_SEARCH_SIMPLEX] = "simplex", [HSGD_SEARCH_EVOLUTION] = "evolution"};

const char *hsgd_search_method_name(hsgd_search_method method)
{
    return method_name[method];
}

typedef struct state {
    const hsgd_search *search;
    gsl_rng *rng;
    double *best, best_value;
    size_t used;
} state;

static bool is_over(const state *s)
{
    return s->used >= s->search->evaluations || hsgd_now_s() > s->search->deadline_s ||
           hsgd_stop_asked(s->search->stop);
}

/* The value at a point, which is kept if it is the best. A finished search evaluates nothing. */
static double evaluate(state *s, const double *point)
{
    if (is_over(s))
        return -INFINITY;
    double value = s->search->value(s->search->context, point);
    s->used++;
    if (value > s->best_value) { /* false for NAN */
        s->best_value = value;
        memcpy(s->best, point, s->search->dim * sizeof *point);
    }
    return isnan(value) ? -INFINITY : value;
}

/* Between reach and FINEST_BEGIN of it, every order of magnitude alike. */
static double fresh_reach(const state *s)
{
    return s->search->reach * pow(FINEST_BEGIN, gsl_rng_uniform(s->rng));
}

/* ---- simplex ---- */

static double to_minimise(const gsl_vector *point, void *context)
{
    double value = evaluate(context, point->data); /* GSL's simplex hands over vectors of its own, without gaps */
    return fmin(-value, REFUSED);
}

typedef struct simplex {
    gsl_multimin_fminimizer *minimizer;
    gsl_vector *start, *step;
} simplex;

/* One simplex from the best point until it rests; false where GSL gave up at once. */
static void descend(state *s, const simplex *x, double reach)
{
    gsl_multimin_function f = {to_minimise, s->search->dim, s};
    memcpy(x->start->data, s->best, s->search->dim * sizeof *s->best);
    for (size_t i = 0; i < s->search->dim; i++)
        gsl_vector_set(x->step, i, gsl_rng_uniform(s->rng) < 0.5 ? reach : -reach);
    double record = -INFINITY;
    size_t idle = 0;
    if (gsl_multimin_fminimizer_set(x->minimizer, &f, x->start, x->step))
        return;
    while (!is_over(s) && idle < PATIENCE * (s->search->dim + 1)) {
        if (gsl_multimin_fminimizer_iterate(x->minimizer) ||
            gsl_multimin_fminimizer_size(x->minimizer) < REST * s->search->reach)
            return;
        idle = s->best_value > record ? 0 : idle + 1;
        record = s->best_value;
    }
}

static hsgd_status run_simplex(state *s, hsgd_error *err)
{
    size_t dim = s->search->dim;
    simplex x = {gsl_multimin_fminimizer_alloc(gsl_multimin_fminimizer_nmsimplex2, dim), gsl_vector_alloc(dim),
                 gsl_vector_alloc(dim)};
    hsgd_status status = HSGD_OK;
    if (!x.minimizer || !x.start || !x.step)
        status = hsgd_fail_memory(err, "the simplex of a search");
    for (double reach = s->search->reach; !status && !is_over(s); reach = fresh_reach(s))
        descend(s, &x, reach);
    if (x.minimizer)
        gsl_multimin_fminimizer_free(x.minimizer);
    gsl_vector_free(x.start);
    gsl_vector_free(x.step);
    return status;
}

/* ---- evolution ---- */

/* The steps of a strategy: one length for each coordinate, and a factor on all of them for steps in all directions. */
typedef struct steps {
    double *child, *length; /* (dim) */
    double joint;
} steps;

static void begin_steps(steps *x, size_t dim, double reach)
{
    x->joint = 1;
    for (size_t i = 0; i < dim; i++)
        x->length[i] = reach;
}

/* Every length has become too short. */
static bool rests(const steps *x, const hsgd_search *search)
{
    double longest = 0;
    for (size_t i = 0; i < search->dim; i++)
        longest = fmax(longest, x->length[i]);
    return fmin(1, x->joint) * longest < REST * search->reach;
}

/* Lengths grow by half where a step succeeds and shrink by its fourth root where not: they stay as they are where one in five
 * succeeds. */
static void adapt(double *length, bool success)
{
    const double growth = 1.5;
    *length *= success ? growth : pow(growth, -0.25);
}

/* A step in all directions or, as often, along one: on ridges parallel to an axis only the latter succeed. */
static void mutate(state *s, steps *x)
{
    size_t dim = s->search->dim, only = gsl_rng_uniform(s->rng) < 0.5 ? dim : gsl_rng_uniform_int(s->rng, dim);
    double record = s->best_value;
    memcpy(x->child, s->best, dim * sizeof *x->child);
    for (size_t i = 0; i < dim; i++)
        if (only == dim || only == i)
            x->child[i] += gsl_ran_gaussian(s->rng, x->length[i] * (only == dim ? x->joint : 1));
    evaluate(s, x->child);
    adapt(only == dim ? &x->joint : &x->length[only], s->best_value > record);
}

static hsgd_status run_evolution(state *s, hsgd_error *err)
{
    size_t dim = s->search->dim;
    double *memory = malloc(2 * dim * sizeof *memory);
    if (!memory)
        return hsgd_fail_memory(err, "a search");
    steps x = {memory, memory + dim, 1};
    begin_steps(&x, dim, s->search->reach);
    while (!is_over(s)) {
        mutate(s, &x);
        if (rests(&x, s->search))
            begin_steps(&x, dim, fresh_reach(s));
    }
    free(memory);
    return HSGD_OK;
}

hsgd_status hsgd_search_run(double *point, double *value, size_t *used, const hsgd_search *search, gsl_rng *rng,
                            hsgd_error *err)
{
    state s = {search, rng, point, -INFINITY, 0};
    double *start = malloc(search->dim * sizeof *start);
    if (!start)
        return hsgd_fail_memory(err, "a search");
    memcpy(start, point, search->dim * sizeof *start);
    evaluate(&s, start);
    free(start);
    hsgd_status status = search->method == HSGD_SEARCH_SIMPLEX ? run_simplex(&s, err) : run_evolution(&s, err);
    *value = s.best_value;
    *used = s.used;
    return status;
}
