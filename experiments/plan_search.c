/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The search over all plans. It leaves out only what is proved not to be wanted (THEORY 13), so that what it finds is what a
 * search without any proof would find. */
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "experiments/plan_private.h"

/* Plans are dealt to the threads in packs. Each prunes with what it and a sample of all plans found, so that the numbers do
 * not depend on who works beside whom. */
enum { PACK = 512, SAMPLE = 96 };

/* Steps beyond this are no longer exact as doubles. */
static const size_t MOST_STEPS = sizeof(size_t) > 4 ? (size_t)(UINT64_C(1) << 53) : SIZE_MAX;

/* ---- one plan ---- */

static void set_plan(hsgd_plan *out, const hsgd_plan_setting *setting, const hsgd_plan_tree *tree,
                     const hsgd_plan_model *model, const hsgd_plan_step_size *found)
{
    *out = (hsgd_plan){.found = true,
                       .tree = *tree,
                       .steps = model->params.steps,
                       .step_size = found->step_size,
                       .max_step_size = found->max_step_size,
                       .bound = found->value,
                       .at_limit = found->at_limit,
                       .seconds = hsgd_schedule_seconds(&model->costs, model->params.steps)};
    hsgd_plan_bytes(out->bytes, setting, model, out->steps);
}

/* False: the budget is too short for a step; reason (HSGD_REASON_SIZE) says so. */
static bool set_steps(hsgd_plan_model *model, double budget_s, char *reason)
{
    model->params.steps = hsgd_schedule_steps_within(&model->costs, budget_s, MOST_STEPS);
    if (model->params.steps > 0)
        return true;
    snprintf(reason, HSGD_REASON_SIZE, "the budget of %g s is less than the %g s of the first step", budget_s,
             hsgd_schedule_seconds(&model->costs, 1));
    return false;
}

hsgd_status hsgd_plan_evaluate(hsgd_plan *out, const hsgd_plan_setting *setting, const hsgd_plan_tree *tree,
                               double budget_s, double step_size, hsgd_error *err)
{
    hsgd_plan_model model;
    hsgd_plan_step_size found = {.step_size = step_size};
    char reason[HSGD_REASON_SIZE];
    *out = (hsgd_plan){.found = false};
    hsgd_status status = hsgd_plan_model_init(&model, setting, tree, err);
    if (!status && set_steps(&model, budget_s, reason)) {
        if (isnan(step_size))
            hsgd_plan_minimise(&found, setting->bound, &model.params, INFINITY);
        else {
            hsgd_bound_value value;
            model.params.step_size = step_size;
            hsgd_bound_eval(setting->bound, &model.params, &value);
            found.found = value.applicable;
            found.value = value.value;
            found.max_step_size = value.max_step_size;
        }
        if (found.found)
            set_plan(out, setting, tree, &model, &found);
    }
    hsgd_plan_model_free(&model);
    return status;
}

/* ---- fronts ---- */

/* The plan comes first in the order of the list where two are equally good. */
static bool comes_first(const hsgd_plan *a, const hsgd_plan *b)
{
    if (a->tree.fanout != b->tree.fanout)
        return a->tree.fanout < b->tree.fanout;
    for (size_t k = 0; k < HSGD_PLAN_MAX_LEVELS; k++)
        if (a->tree.period[k] != b->tree.period[k])
            return a->tree.period[k] < b->tree.period[k];
    return false;
}

static bool is_better(const hsgd_plan *a, const hsgd_plan *b)
{
    return !b->found || a->bound < b->bound || (a->bound == b->bound && comes_first(a, b));
}

/* No worse in both, and better in one or not behind in the list: a plan that was in the sample comes twice. */
static bool dominates(const hsgd_plan *a, const hsgd_plan *b)
{
    if (a->bound > b->bound || a->bytes[0] > b->bytes[0])
        return false;
    return a->bound < b->bound || a->bytes[0] < b->bytes[0] || !comes_first(b, a);
}

typedef struct front {
    hsgd_plan *plan; /* (count) by ascending bound, and so by descending bytes */
    size_t count, capacity;
} front;

/* The smallest bound of those with at most so many bytes over the outermost links. */
static double bound_within(const front *f, double bytes)
{
    for (size_t i = 0; i < f->count; i++)
        if (f->plan[i].bytes[0] <= bytes)
            return f->plan[i].bound;
    return INFINITY;
}

static bool add_to_front(front *f, const hsgd_plan *plan)
{
    size_t kept = 0, place;
    for (size_t i = 0; i < f->count; i++)
        if (dominates(&f->plan[i], plan))
            return true;
    for (size_t i = 0; i < f->count; i++)
        if (!dominates(plan, &f->plan[i]))
            f->plan[kept++] = f->plan[i];
    f->count = kept;
    if (f->count == f->capacity) {
        size_t capacity = f->capacity ? 2 * f->capacity : 32;
        hsgd_plan *grown = realloc(f->plan, capacity * sizeof *grown);
        if (!grown)
            return false;
        f->plan = grown;
        f->capacity = capacity;
    }
    for (place = f->count; place > 0 && f->plan[place - 1].bound > plan->bound; place--)
        f->plan[place] = f->plan[place - 1];
    f->plan[place] = *plan;
    f->count++;
    return true;
}

/* ---- packs ---- */

/* What a thread, or all of them together, have found. */
typedef struct finding {
    hsgd_plan best;
    front front;
    char reason[HSGD_REASON_SIZE]; /* of a plan that is not feasible */
    hsgd_status status;
    hsgd_error error;
} finding;

typedef struct search {
    const hsgd_plan_setting *setting;
    const hsgd_plan_trees *trees;
    double budget_s, below;
    bool with_front;
    const struct finding *sample; /* of some plans of the whole list */
} search;

/* Only values below this are wanted of a plan with so many bytes. */
static double wanted_below(const search *s, const finding *f, const double *bytes)
{
    if (s->with_front)
        return fmin(s->below, fmin(bound_within(&f->front, bytes[0]), bound_within(&s->sample->front, bytes[0])));
    double below = f->best.found ? fmin(s->below, f->best.bound) : s->below;
    return s->sample->best.found ? fmin(below, s->sample->best.bound) : below;
}

static void try_model(finding *f, const search *s, const hsgd_plan_tree *tree, hsgd_plan_model *model)
{
    hsgd_plan_step_size found;
    hsgd_plan plan;
    double bytes[HSGD_MAX_LEVELS];
    if (!set_steps(model, s->budget_s, f->reason))
        return;
    hsgd_plan_bytes(bytes, s->setting, model, model->params.steps);
    hsgd_plan_minimise(&found, s->setting->bound, &model->params, wanted_below(s, f, bytes));
    if (!found.found) {
        if (*found.reason)
            memcpy(f->reason, found.reason, sizeof f->reason);
        return;
    }
    set_plan(&plan, s->setting, tree, model, &found);
    if (is_better(&plan, &f->best))
        f->best = plan;
    if (s->with_front && !add_to_front(&f->front, &plan))
        f->status = hsgd_fail_memory(&f->error, "the front");
}

/* More steps than a plan has in the budget: those of all global periods that fit, and of one more. */
static double most_steps(const hsgd_schedule_costs *costs, double budget_s)
{
    size_t period = costs->period[0];
    return (budget_s / hsgd_schedule_seconds(costs, period) + 1) * (double)period;
}

static void try_tree(finding *f, const search *s, size_t i)
{
    hsgd_plan_model model;
    const hsgd_plan_tree *tree = &s->trees->tree[i];
    f->status = hsgd_plan_model_cost(&model, s->setting, tree, &f->error);
    /* no bytes at all: whatever is left out is also not on a front */
    const double none[HSGD_MAX_LEVELS] = {0};
    bool wanted = !hsgd_plan_is_slow(s->setting, most_steps(&model.costs, s->budget_s), wanted_below(s, f, none));
    if (!f->status && wanted)
        f->status = hsgd_plan_model_finish(&model, s->setting, tree, &f->error);
    if (!f->status && wanted)
        try_model(f, s, tree, &model);
    hsgd_plan_model_free(&model);
}

static void try_pack(finding *f, const search *s, size_t first)
{
    size_t end = first + PACK < s->trees->count ? first + PACK : s->trees->count;
    for (size_t i = first; i < end && !f->status; i++)
        try_tree(f, s, i);
}

/* Evenly over the list, so that every pack knows good plans before it starts. */
static void try_sample(finding *f, search *s)
{
    s->sample = f;
    for (size_t i = 0; i < SAMPLE && i < s->trees->count && !f->status; i++)
        try_tree(f, s, (size_t)((double)i * (double)s->trees->count / SAMPLE));
}

/* In the order of the packs: the reason is that of the first pack which has one. */
static void merge(finding *all, const finding *pack)
{
    if (pack->status && !all->status) {
        all->status = pack->status;
        all->error = pack->error;
    }
    if (pack->best.found && is_better(&pack->best, &all->best))
        all->best = pack->best;
    for (size_t i = 0; i < pack->front.count && !all->status; i++)
        if (!add_to_front(&all->front, &pack->front.plan[i]))
            all->status = hsgd_fail_memory(&all->error, "the front");
    if (!*all->reason)
        memcpy(all->reason, pack->reason, sizeof all->reason);
}

/* Packs at once, joined in their order. */
static void try_all(finding *all, finding *found, size_t packs, search *s)
{
    try_sample(all, s);
#pragma omp parallel for schedule(dynamic) if (packs > 1)
    for (size_t i = 0; i < packs; i++)
        try_pack(&found[i], s, i * PACK);
    for (size_t i = 0; i < packs; i++) {
        merge(all, &found[i]);
        free(found[i].front.plan);
    }
}

hsgd_status hsgd_plan_search(hsgd_plan_result *out, const hsgd_plan_setting *setting, const hsgd_plan_trees *trees,
                             double budget_s, double below, bool with_front, hsgd_error *err)
{
    search s = {setting, trees, budget_s, below, with_front, NULL};
    size_t packs = (trees->count + PACK - 1) / PACK;
    finding *found = calloc(packs + 1, sizeof *found), *all = found ? &found[packs] : NULL;
    *out = (hsgd_plan_result){.best.found = false};
    if (!found)
        return hsgd_fail_memory(err, "the search");
    try_all(all, found, packs, &s);
    out->best = all->best;
    out->front = all->front.plan;
    out->num_front = all->front.count;
    memcpy(out->reason, all->reason, sizeof out->reason);
    hsgd_status status = all->status;
    if (status)
        hsgd_plan_result_free(out);
    if (status && err)
        *err = all->error;
    free(found);
    return status;
}

void hsgd_plan_result_free(hsgd_plan_result *result)
{
    free(result->front);
    result->front = NULL;
    result->num_front = 0;
}

/* ---- the least time for a bound ---- */

/* Relative accuracy of times. */
static const double TIME_ACCURACY = 1e-5;

/* A plan of the list that reaches the target in so many seconds; found is false where none does. */
static hsgd_status find_reaching(hsgd_plan *out, const hsgd_plan_setting *setting, const hsgd_plan_trees *trees,
                                 double target, double seconds, hsgd_error *err)
{
    hsgd_plan_result result;
    hsgd_status status = hsgd_plan_search(&result, setting, trees, seconds, target, false, err);
    *out = result.best;
    out->found = !status && result.best.found && result.best.bound <= target;
    hsgd_plan_result_free(&result);
    return status;
}

static hsgd_status reaches(bool *out, const hsgd_plan_setting *setting, const hsgd_plan_tree *tree, double target,
                           double seconds, hsgd_error *err)
{
    hsgd_plan plan;
    hsgd_status status = hsgd_plan_evaluate(&plan, setting, tree, seconds, NAN, err);
    *out = !status && plan.found && plan.bound <= target;
    return status;
}

/* The least time of one plan that reaches the target in high_s: halved until it is too short, then bisected. */
static hsgd_status time_of_plan(double *out_s, const hsgd_plan_setting *setting, const hsgd_plan_tree *tree,
                                double target, double high_s, hsgd_error *err)
{
    double low_s = high_s;
    bool enough = true;
    hsgd_status status = HSGD_OK;
    while (!status && enough) {
        high_s = low_s;
        low_s /= 2;
        status = reaches(&enough, setting, tree, target, low_s, err);
    }
    while (!status && high_s > low_s * (1 + TIME_ACCURACY / 4)) {
        double middle_s = sqrt(low_s * high_s);
        status = reaches(&enough, setting, tree, target, middle_s, err);
        *(enough ? &high_s : &low_s) = middle_s;
    }
    *out_s = high_s;
    return status;
}

/* From a plan that is fast enough to its least time, and on to a plan that is faster still, until there is none: a few
 * searches, not one for every digit. */
hsgd_status hsgd_plan_time_for(double *out_s, const hsgd_plan_setting *setting, const hsgd_plan_trees *trees,
                               double target, double start_s, hsgd_error *err)
{
    hsgd_plan plan = {.found = false};
    double seconds = start_s, below = target * (1 + 1e-9);
    hsgd_status status = find_reaching(&plan, setting, trees, below, seconds, err);
    while (!status && !plan.found && seconds < start_s * 0x1p40) {
        seconds *= 2;
        status = find_reaching(&plan, setting, trees, below, seconds, err);
    }
    *out_s = INFINITY;
    while (!status && plan.found) {
        status = time_of_plan(out_s, setting, &plan.tree, below, seconds, err);
        seconds = *out_s * (1 - TIME_ACCURACY);
        if (!status)
            status = find_reaching(&plan, setting, trees, below, seconds, err);
    }
    return status;
}
