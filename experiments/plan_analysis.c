/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The whole answer: the best plans for every budget, how they compare with local and synchronous SGD, and what they rest on. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "experiments/plan_private.h"

/* Curves start this many times below the smallest budget and end this many times above the largest. */
static const double CURVE_BELOW = 30, CURVE_ABOVE = 3;

/* Of the time, the answers take about this share, and with the curves about that one; the rest is for the what-ifs. */
static const double ANSWERS = 0.45, CURVES = 0.65;

void hsgd_plan_tell(const hsgd_plan_watcher *w, size_t done, size_t of)
{
    if (w->tell)
        w->tell(w->context, w->from + (w->to - w->from) * (double)done / (double)of);
}

static hsgd_plan_watcher part_of(hsgd_plan_watcher watcher, double from, double to)
{
    watcher.from = from;
    watcher.to = to;
    return watcher;
}

const hsgd_plan_answer *hsgd_plan_last(const hsgd_plan_analysis *analysis)
{
    return &analysis->answer[analysis->setting->num_budgets - 1];
}

/* Times at equal bound. Where the family's best plan is the best of all, both are those of the budget. */
static hsgd_status compare(hsgd_plan_answer *answer, const hsgd_plan_analysis *a, hsgd_plan_family family,
                           hsgd_error *err)
{
    const hsgd_plan *best = &answer->result[HSGD_PLAN_ALL].best, *other = &answer->result[family].best;
    answer->family_time_s[family] = answer->best_time_s[family] = NAN;
    if (!best->found)
        return HSGD_OK;
    if (other->found && other->bound == best->bound) {
        answer->family_time_s[family] = answer->best_time_s[family] = answer->budget_s;
        return HSGD_OK;
    }
    hsgd_status status = hsgd_plan_time_for(&answer->family_time_s[family], a->setting, &a->trees[family], best->bound,
                                            answer->budget_s, err);
    if (status || !other->found)
        return status;
    return hsgd_plan_time_for(&answer->best_time_s[family], a->setting, &a->trees[HSGD_PLAN_ALL], other->bound,
                              answer->budget_s, err);
}

static hsgd_status answer_budget(hsgd_plan_answer *answer, const hsgd_plan_analysis *a, double budget_s,
                                 hsgd_error *err)
{
    hsgd_status status = HSGD_OK;
    answer->budget_s = budget_s;
    for (int f = 0; f < HSGD_NUM_PLAN_FAMILIES && !status; f++)
        status =
            hsgd_plan_search(&answer->result[f], a->setting, &a->trees[f], budget_s, INFINITY, f == HSGD_PLAN_ALL, err);
    for (int f = HSGD_PLAN_LOCAL; f < HSGD_NUM_PLAN_FAMILIES && !status; f++)
        status = compare(answer, a, (hsgd_plan_family)f, err);
    return status;
}

/* From short to long budgets; the best plan for one is tried first for the next, which makes its search short. */
static hsgd_status trace_curve(hsgd_plan_analysis *a, hsgd_plan_family family, hsgd_error *err)
{
    hsgd_status status = HSGD_OK;
    hsgd_plan *curve = a->curve[family];
    for (size_t i = 0; i < HSGD_PLAN_CURVE_POINTS && !status; i++) {
        hsgd_plan_result result;
        hsgd_plan again = {.found = false};
        if (i > 0 && curve[i - 1].found)
            status = hsgd_plan_evaluate(&again, a->setting, &curve[i - 1].tree, a->curve_s[i], NAN, err);
        if (!status)
            status = hsgd_plan_search(&result, a->setting, &a->trees[family], a->curve_s[i],
                                      again.found ? again.bound : INFINITY, false, err);
        if (status)
            return status;
        curve[i] = result.best.found && !(again.found && again.bound < result.best.bound) ? result.best : again;
        hsgd_plan_result_free(&result);
    }
    return status;
}

static hsgd_status trace_curves(hsgd_plan_analysis *a, const hsgd_plan_watcher *watcher, hsgd_error *err)
{
    double low = log(a->setting->budget_s[0] / CURVE_BELOW);
    double high = log(hsgd_plan_last(a)->budget_s * CURVE_ABOVE);
    hsgd_status status = HSGD_OK;
    for (size_t i = 0; i < HSGD_PLAN_CURVE_POINTS; i++)
        a->curve_s[i] = exp(low + (high - low) * (double)i / (HSGD_PLAN_CURVE_POINTS - 1));
    for (int f = 0; f < HSGD_NUM_PLAN_FAMILIES && !status; f++) {
        status = trace_curve(a, (hsgd_plan_family)f, err);
        hsgd_plan_tell(watcher, (size_t)f + 1, HSGD_NUM_PLAN_FAMILIES);
    }
    return status;
}

/* Also seconds are to be few: what a plan for a shorter budget beats in bound and bytes leaves the front. */
static void drop_beaten(hsgd_plan_result *result, const hsgd_plan_result *shorter)
{
    size_t kept = 0;
    for (size_t i = 0; i < result->num_front; i++) {
        bool beaten = false;
        for (size_t j = 0; j < shorter->num_front && !beaten; j++)
            beaten = shorter->front[j].bound <= result->front[i].bound &&
                     shorter->front[j].bytes[0] <= result->front[i].bytes[0];
        if (!beaten)
            result->front[kept++] = result->front[i];
    }
    result->num_front = kept;
}

static void join_fronts(hsgd_plan_analysis *a)
{
    for (size_t i = 1; i < a->setting->num_budgets; i++)
        for (size_t j = 0; j < i; j++)
            drop_beaten(&a->answer[i].result[HSGD_PLAN_ALL], &a->answer[j].result[HSGD_PLAN_ALL]);
}

static hsgd_status answer_all(hsgd_plan_analysis *a, const hsgd_plan_watcher *watcher, hsgd_error *err)
{
    const hsgd_plan_setting *setting = a->setting;
    hsgd_status status = HSGD_OK;
    for (int f = 0; f < HSGD_NUM_PLAN_FAMILIES && !status; f++)
        status = hsgd_plan_trees_list(&a->trees[f], setting, (hsgd_plan_family)f, err);
    for (size_t i = 0; i < setting->num_budgets && !status; i++) {
        status = answer_budget(&a->answer[i], a, setting->budget_s[i], err);
        hsgd_plan_tell(watcher, i + 1, setting->num_budgets);
    }
    join_fronts(a);
    return status;
}

hsgd_status hsgd_plan_analyse(hsgd_plan_analysis *out, const hsgd_plan_setting *setting, hsgd_plan_watcher watcher,
                              hsgd_error *err)
{
    const hsgd_plan_watcher answers = part_of(watcher, 0, ANSWERS), curves = part_of(watcher, ANSWERS, CURVES);
    const hsgd_plan_watcher rest = part_of(watcher, CURVES, 1);
    *out = (hsgd_plan_analysis){.setting = setting, .answer = calloc(setting->num_budgets, sizeof *out->answer)};
    if (!out->answer)
        return hsgd_fail_memory(err, "the answers");
    hsgd_status status = answer_all(out, &answers, err);
    const hsgd_plan *best = &hsgd_plan_last(out)->result[HSGD_PLAN_ALL].best;
    if (!status && best->found)
        status = trace_curves(out, &curves, err);
    if (!status && best->found)
        status = hsgd_plan_sensitivities(&out->sensitivity, &out->num_sensitivities, setting,
                                         &out->trees[HSGD_PLAN_ALL], best, hsgd_plan_last(out)->budget_s, &rest, err);
    hsgd_plan_tell(&rest, 1, 1);
    return status;
}

void hsgd_plan_analysis_free(hsgd_plan_analysis *a)
{
    for (size_t i = 0; a->answer && i < a->setting->num_budgets; i++)
        for (int f = 0; f < HSGD_NUM_PLAN_FAMILIES; f++)
            hsgd_plan_result_free(&a->answer[i].result[f]);
    for (int f = 0; f < HSGD_NUM_PLAN_FAMILIES; f++)
        hsgd_plan_trees_free(&a->trees[f]);
    free(a->answer);
    free(a->sensitivity);
    *a = (hsgd_plan_analysis){0};
}
