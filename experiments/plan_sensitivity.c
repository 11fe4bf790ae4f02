/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What if a constant is another one: elasticities at the best plan, and the regret of keeping it (THEORY 13).
 *
 * Elasticities take T as a real number: seconds per step follow from a whole period, and d log T = - d log(seconds per step).
 * The bound is evaluated at the T at hand, and only its first term, 2 Delta/(gamma T), is taken to change with T. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "experiments/plan_private.h"

/* Relative step of central differences: rounding and the cubic term of the function are balanced. */
static const double STEP = 1e-5;

typedef struct variation {
    const hsgd_plan_setting *setting;
    const hsgd_plan_trees *trees;
    const hsgd_plan *best;
    double budget_s;
    const hsgd_plan_watcher *watcher;
    size_t most; /* constants that there can be */
} variation;

/* What varies: a constant of the theory, or of the network. */
typedef enum kind { KIND_CONSTANT, KIND_LATENCY, KIND_BANDWIDTH, KIND_COMPUTE, KIND_BYTES, KIND_LEVEL } kind;

typedef struct knob {
    kind kind;
    size_t index; /* of the constant, of the network's level, of the tree's level */
} knob;

/* The number behind a knob; NULL for a divergence of one level, which belongs to the tree. */
static double *place_of(hsgd_plan_setting *setting, knob k)
{
    switch (k.kind) {
    case KIND_CONSTANT:
        return &setting->constant[k.index].value;
    case KIND_LATENCY:
        return &setting->communication.level[k.index].latency_s;
    case KIND_BANDWIDTH:
        return &setting->communication.level[k.index].bandwidth_bytes_per_s;
    case KIND_COMPUTE:
        return &setting->communication.compute_s;
    case KIND_BYTES:
        return &setting->communication.bytes_per_parameter;
    default:
        return NULL;
    }
}

static bool is_of_theory(knob k)
{
    return k.kind == KIND_CONSTANT || k.kind == KIND_LEVEL;
}

/* ---- elasticities ---- */

static hsgd_status model_with(hsgd_plan_model *out, const variation *v, knob k, double factor, hsgd_error *err)
{
    hsgd_plan_setting changed = *v->setting;
    double *place = place_of(&changed, k);
    if (place)
        *place *= factor;
    hsgd_status status = hsgd_plan_model_init(out, &changed, &v->best->tree, err);
    if (!status && k.kind == KIND_LEVEL)
        out->params.divergence_sq[k.index] *= factor;
    out->params.steps = v->best->steps;
    return status;
}

/* Seconds per step of whole periods. */
static double pace_s(const hsgd_plan_model *model)
{
    size_t period = model->costs.period[0];
    return hsgd_schedule_seconds(&model->costs, period) / (double)period;
}

/* The bound with the constant times `factor`; again: with the best step size there, else with that of the best plan. */
static hsgd_status value_with(double *out, const variation *v, knob k, double factor, bool again, hsgd_error *err)
{
    hsgd_plan_model model;
    hsgd_plan_step_size found;
    hsgd_bound_value value;
    hsgd_status status = model_with(&model, v, k, factor, err);
    if (!status && again) {
        hsgd_plan_minimise(&found, v->setting->bound, &model.params, INFINITY);
        *out = found.found ? found.value : NAN;
    } else if (!status) {
        model.params.step_size = v->best->step_size;
        hsgd_bound_eval(v->setting->bound, &model.params, &value);
        *out = value.applicable ? value.value : NAN;
    }
    hsgd_plan_model_free(&model);
    return status;
}

static hsgd_status log_difference(double *out, const variation *v, knob k, bool again, hsgd_error *err)
{
    double low = NAN, high = NAN;
    hsgd_status status = value_with(&low, v, k, 1 - STEP, again, err);
    if (!status)
        status = value_with(&high, v, k, 1 + STEP, again, err);
    *out = (log(high) - log(low)) / (log1p(STEP) - log1p(-STEP));
    return status;
}

/* Through the pace: the share of 2 Delta/(gamma T) in the bound times that of the constant in the seconds. */
static hsgd_status pace_elasticity(double *out, const variation *v, knob k, hsgd_error *err)
{
    hsgd_plan_model low, high;
    const hsgd_plan *best = v->best;
    double gap = 2 * v->setting->constant[HSGD_PLAN_DELTA].value / (best->step_size * (double)best->steps);
    hsgd_status status = model_with(&low, v, k, 1 - STEP, err);
    if (status)
        return status;
    status = model_with(&high, v, k, 1 + STEP, err);
    if (!status)
        *out = gap / best->bound * (log(pace_s(&high)) - log(pace_s(&low))) / (log1p(STEP) - log1p(-STEP));
    hsgd_plan_model_free(&low);
    hsgd_plan_model_free(&high);
    return status;
}

static hsgd_status set_elasticities(hsgd_plan_sensitivity *out, const variation *v, knob k, hsgd_error *err)
{
    if (!is_of_theory(k)) {
        hsgd_status status = pace_elasticity(&out->elasticity, v, k, err);
        out->elasticity_kept = out->elasticity;
        return status;
    }
    hsgd_status status = log_difference(&out->elasticity, v, k, true, err);
    return status ? status : log_difference(&out->elasticity_kept, v, k, false, err);
}

/* ---- regret ---- */

static hsgd_status regret_of(double *out, const hsgd_plan_setting *changed, const variation *v, double best,
                             double step_size, hsgd_error *err)
{
    hsgd_plan kept;
    hsgd_status status = hsgd_plan_evaluate(&kept, changed, &v->best->tree, v->budget_s, step_size, err);
    *out = kept.found ? kept.bound / best - 1 : NAN;
    return status;
}

static hsgd_status set_regret(hsgd_plan_regret *out, const variation *v, knob k, double factor, hsgd_error *err)
{
    hsgd_plan_setting changed = *v->setting;
    hsgd_plan_result result;
    hsgd_plan kept;
    *place_of(&changed, k) *= factor;
    *out = (hsgd_plan_regret){.kept_all = NAN, .kept_tree = NAN};
    hsgd_status status = hsgd_plan_evaluate(&kept, &changed, &v->best->tree, v->budget_s, NAN, err);
    if (!status)
        status =
            hsgd_plan_search(&result, &changed, v->trees, v->budget_s, kept.found ? kept.bound : INFINITY, false, err);
    if (status)
        return status;
    out->best = result.best.found ? result.best : kept; /* nothing is below the plan at hand */
    out->found = out->best.found;
    hsgd_plan_result_free(&result);
    if (!out->found)
        return HSGD_OK;
    status = regret_of(&out->kept_tree, &changed, v, out->best.bound, NAN, err);
    return status ? status : regret_of(&out->kept_all, &changed, v, out->best.bound, v->best->step_size, err);
}

/* ---- all constants ---- */

static hsgd_status add(hsgd_plan_sensitivity *list, size_t *count, const variation *v, knob k, const char *name,
                       hsgd_error *err)
{
    hsgd_plan_sensitivity *out = &list[*count];
    hsgd_plan_setting copy = *v->setting;
    const double *place = place_of(&copy, k);
    *out = (hsgd_plan_sensitivity){.value = place ? *place : NAN, .has_regret = place != NULL};
    if (place && !(*place > 0)) /* nothing is half of it */
        return HSGD_OK;
    if (k.kind == KIND_BYTES)
        out->value *= (double)v->setting->dim;
    size_t levels = v->setting->num_links;
    if (k.kind == KIND_LATENCY || k.kind == KIND_BANDWIDTH || k.kind == KIND_LEVEL)
        snprintf(out->name, sizeof out->name, levels > 1 || k.kind == KIND_LEVEL ? "%s, level %zu" : "%s", name,
                 k.index + 1);
    else
        snprintf(out->name, sizeof out->name, "%s", name);
    hsgd_plan_tell(v->watcher, ++*count, v->most);
    hsgd_status status = set_elasticities(out, v, k, err);
    if (!status && out->has_regret)
        status = set_regret(&out->half, v, k, 0.5, err);
    if (!status && out->has_regret)
        status = set_regret(&out->twice, v, k, 2, err);
    return status;
}

/* D_k of the best tree, where the bound knows them one by one. */
static hsgd_status add_levels(hsgd_plan_sensitivity *list, size_t *count, const variation *v, hsgd_error *err)
{
    hsgd_plan_model model;
    hsgd_status status = hsgd_plan_model_init(&model, v->setting, &v->best->tree, err);
    size_t levels = status ? 0 : model.params.tree.num_nodes;
    if (v->setting->bound->algorithm != HSGD_ALGORITHM_HSGD || levels < 2)
        levels = 0;
    for (size_t i = 0; i < levels && !status; i++) {
        if (!(model.params.divergence_sq[i] > 0))
            continue;
        status = add(list, count, v, (knob){KIND_LEVEL, i}, "divergence", err);
        list[*count - 1].value = model.params.divergence_sq[i];
    }
    hsgd_plan_model_free(&model);
    return status;
}

hsgd_status hsgd_plan_sensitivities(hsgd_plan_sensitivity **out, size_t *count, const hsgd_plan_setting *setting,
                                    const hsgd_plan_trees *trees, const hsgd_plan *best, double budget_s,
                                    const hsgd_plan_watcher *watcher, hsgd_error *err)
{
    static const char *const constant[] = {[HSGD_PLAN_L] = "L",
                                           [HSGD_PLAN_SIGMA_SQ] = "sigma^2",
                                           [HSGD_PLAN_DELTA] = "Delta",
                                           [HSGD_PLAN_DIVERGENCE] = "global divergence"};
    size_t most = HSGD_NUM_PLAN_CONSTANTS + HSGD_PLAN_MAX_LEVELS + 2 * setting->num_links + 2;
    const variation v = {setting, trees, best, budget_s, watcher, most};
    hsgd_plan_sensitivity *list = calloc(most, sizeof *list);
    hsgd_status status = list ? HSGD_OK : hsgd_fail_memory(err, "the sensitivities");
    *out = list;
    *count = 0;
    for (size_t i = 0; i < HSGD_NUM_PLAN_CONSTANTS && !status; i++)
        status = add(list, count, &v, (knob){KIND_CONSTANT, i}, constant[i], err);
    if (!status)
        status = add_levels(list, count, &v, err);
    for (size_t j = 0; j < setting->num_links && !status; j++) {
        status = add(list, count, &v, (knob){KIND_LATENCY, j}, "latency", err);
        if (!status)
            status = add(list, count, &v, (knob){KIND_BANDWIDTH, j}, "bandwidth", err);
    }
    if (!status)
        status = add(list, count, &v, (knob){KIND_COMPUTE, 0}, "compute time", err);
    return status ? status : add(list, count, &v, (knob){KIND_BYTES, 0}, "message bytes", err);
}
