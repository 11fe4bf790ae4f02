/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A point of a phase diagram by exact moments: nothing is drawn but, where there are too many, groupings. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/exact_moments.h"
#include "analysis/exact_rounding.h"
#include "analysis/grouping_enumeration.h"
#include "experiments/phase_private.h"

/* ---- one schedule ---- */

typedef struct number {
    double value, error; /* error: from rounding, at most */
} number;

static number pick(hsgd_phase_quantity quantity, const hsgd_exact_means *mean, const hsgd_exact_error *error)
{
    switch (quantity) {
    case HSGD_PHASE_DISPERSION:
        return (number){mean->dispersion, error->dispersion};
    case HSGD_PHASE_LOSS:
        return (number){mean->loss, error->loss};
    default:
        return (number){mean->S, error->S};
    }
}

static hsgd_status find_number(number *out, const hsgd_phase_work *w, const hsgd_quadratic *quadratic,
                               const hsgd_hierarchy *h, const hsgd_exact_rounding *rounding, hsgd_error *err)
{
    hsgd_exact exact;
    const hsgd_experiment *e = &w->experiment;
    hsgd_status status =
        hsgd_exact_moments(&exact, quadratic, h, w->problem.initial, e->step_size, w->config.steps, err);
    if (status)
        return status;
    hsgd_exact_means mean = hsgd_exact_means_of(&exact, w->config.measure_every);
    hsgd_exact_error error = hsgd_exact_error_of(&exact, rounding, w->config.measure_every);
    *out = pick(w->settings->quantity, &mean, &error);
    hsgd_exact_free(&exact);
    return HSGD_OK;
}

static hsgd_status find_run(number *out, hsgd_phase_work *w, hsgd_run_index index, const hsgd_exact_rounding *rounding,
                            hsgd_error *err)
{
    hsgd_status status = hsgd_experiment_make_hierarchy(&w->experiment, index, err);
    return status ? status
                  : find_number(out, w, &w->problem.quadratic, &w->experiment.run[index].hierarchy, rounding, err);
}

/* ---- means over groupings ---- */

typedef struct groupings {
    const hsgd_phase_work *work;
    const hsgd_exact_rounding *rounding;
    hsgd_quadratic arranged; /* the workers in the order of their places; owned */
    number sum;              /* of all that were visited; its error is the largest */
    double count;
    double *value; /* (drawn) one by one; NULL: they are visited */
    hsgd_status status;
    hsgd_error *err;
} groupings;

static hsgd_status begin_groupings(groupings *g, const hsgd_phase_work *w, const hsgd_exact_rounding *rounding,
                                   hsgd_error *err)
{
    const hsgd_quadratic *q = &w->problem.quadratic;
    size_t bytes = q->num_workers * q->stride * sizeof(double);
    *g = (groupings){.work = w, .rounding = rounding, .arranged = *q, .err = err};
    g->arranged.linear = malloc(bytes);
    g->arranged.worker_curvature = q->worker_curvature ? malloc(bytes) : NULL;
    bool complete = g->arranged.linear && (g->arranged.worker_curvature || !q->worker_curvature);
    return complete ? HSGD_OK : hsgd_fail_memory(err, "the groupings");
}

static void end_groupings(groupings *g)
{
    free(g->arranged.linear);
    free(g->arranged.worker_curvature);
    free(g->value);
}

static void put_worker(void *source, size_t worker, size_t place)
{
    groupings *g = source;
    const hsgd_quadratic *q = &g->work->problem.quadratic;
    size_t bytes = q->stride * sizeof(double);
    memcpy(g->arranged.linear + place * q->stride, q->linear + worker * q->stride, bytes);
    if (q->worker_curvature)
        memcpy(g->arranged.worker_curvature + place * q->stride, q->worker_curvature + worker * q->stride, bytes);
}

static void take_worker(void *source, size_t worker, size_t place)
{
    (void)source, (void)worker, (void)place; /* the next one is put over it */
}

static void visit(void *source)
{
    groupings *g = source;
    number one;
    if (g->status)
        return;
    g->status = find_number(&one, g->work, &g->arranged, &g->work->experiment.run[HSGD_RUN_MAIN].hierarchy, g->rounding,
                            g->err);
    if (g->status)
        return;
    if (g->value)
        g->value[(size_t)g->count] = one.value;
    g->count++;
    g->sum.value += (one.value - g->sum.value) / g->count;
    g->sum.error = fmax(g->sum.error, one.error);
}

/* All of them, or as many as there are seeds with a grouping of their own. */
static hsgd_status visit_all(groupings *g, const hsgd_groupings *all, hsgd_phase_point *out)
{
    const hsgd_grouping_visitor visitor = {g, put_worker, take_worker, visit};
    const hsgd_config *config = &g->work->config;
    size_t n = all->num_workers, drawn = config->groupings ? config->groupings : config->seeds;
    hsgd_status status = HSGD_OK;
    if (all->count <= (double)g->work->settings->max_visited) {
        out->groupings = all->count;
        status = hsgd_groupings_visit(all, &visitor, g->err);
        return status ? status : g->status;
    }
    g->value = calloc(drawn, sizeof *g->value);
    if (!g->value)
        return hsgd_fail_memory(g->err, "the groupings");
    for (size_t r = 0; r < drawn && !g->status; r++) {
        const size_t *place = g->work->problem.placement + r * (config->groupings ? config->seeds : 1) * n;
        for (size_t i = 0; i < n; i++)
            put_worker(g, place[i], i);
        visit(g);
    }
    out->values = drawn;
    return g->status;
}

/* The mean over groupings, and where they were drawn its standard error. */
static hsgd_status find_middle_random(number *middle, double *se, hsgd_phase_work *w, hsgd_phase_point *out,
                                      const hsgd_exact_rounding *rounding, hsgd_error *err)
{
    hsgd_groupings all = {0};
    groupings g;
    hsgd_status status = begin_groupings(&g, w, rounding, err);
    if (!status)
        status = hsgd_experiment_make_hierarchy(&w->experiment, HSGD_RUN_MAIN, err);
    if (!status)
        status = hsgd_groupings_init(&all, &w->experiment.run[HSGD_RUN_MAIN].hierarchy, err);
    if (!status)
        status = visit_all(&g, &all, out);
    *middle = g.sum;
    *se = !status && g.value ? hsgd_estimate_mean(g.value, 1, out->values).se : 0;
    hsgd_groupings_free(&all);
    end_groupings(&g);
    return status;
}

/* ---- the point ---- */

static void set_differences(hsgd_phase_point *out, const number *of, double se)
{
    static const size_t index[HSGD_NUM_PHASE_RUNS] = {HSGD_RUN_INNER, HSGD_RUN_MAIN, HSGD_RUN_OUTER};
    const number *inner = &of[HSGD_RUN_INNER], *middle = &of[HSGD_RUN_MAIN], *outer = &of[HSGD_RUN_OUTER];
    size_t count = out->values ? out->values : 1;
    for (size_t i = 0; i < HSGD_NUM_PHASE_RUNS; i++)
        out->value[i] = of[index[i]].value;
    out->lower = (hsgd_estimate){middle->value - inner->value, se, count};
    out->upper = (hsgd_estimate){outer->value - middle->value, se, count};
    out->rounding[0] = middle->error + inner->error;
    out->rounding[1] = middle->error + outer->error;
}

hsgd_status hsgd_phase_find_exact(hsgd_phase_point *out, hsgd_phase_work *w, hsgd_error *err)
{
    hsgd_exact_rounding rounding;
    number of[HSGD_NUM_RUNS];
    double se = 0;
    /* what is the same for all groupings needs one only */
    bool random = w->config.grouping == HSGD_GROUPING_RANDOM && !out->theory;
    hsgd_status status = hsgd_exact_rounding_find(&rounding, &w->problem.quadratic, w->problem.initial,
                                                  w->experiment.step_size, w->config.steps, err);
    if (status)
        return status;
    status = random ? find_middle_random(&of[HSGD_RUN_MAIN], &se, w, out, &rounding, err)
                    : find_run(&of[HSGD_RUN_MAIN], w, HSGD_RUN_MAIN, &rounding, err);
    for (int index = HSGD_RUN_INNER; index <= HSGD_RUN_OUTER && !status; index++)
        status = find_run(&of[index], w, (hsgd_run_index)index, &rounding, err);
    if (!status)
        set_differences(out, of, se);
    hsgd_exact_rounding_free(&rounding);
    return status;
}
