/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Every tree that a plan may have, each once: ordered factorisations of n, and chains of periods that divide upwards. */
#include <stdlib.h>
#include <string.h>

#include "experiments/plan_private.h"

/* ---- fanouts ---- */

typedef struct fanouts {
    hsgd_plan_fanout *item;
    size_t count, capacity;
} fanouts;

static hsgd_status push_fanout(fanouts *list, const size_t *fanout, size_t num_levels, hsgd_error *err)
{
    if (list->count == list->capacity) {
        size_t capacity = list->capacity ? 2 * list->capacity : 64;
        hsgd_plan_fanout *grown = realloc(list->item, capacity * sizeof *grown);
        if (!grown)
            return hsgd_fail_memory(err, "the fanouts");
        list->item = grown;
        list->capacity = capacity;
    }
    hsgd_plan_fanout *item = &list->item[list->count++];
    memset(item, 0, sizeof *item);
    item->num_levels = num_levels;
    memcpy(item->fanout, fanout, num_levels * sizeof *fanout);
    return HSGD_OK;
}

/* All ways to write `rest` as a product of exactly levels - at factors, behind those that are chosen already. */
static hsgd_status add_factors(fanouts *list, size_t *fanout, size_t at, size_t levels, size_t rest, hsgd_error *err)
{
    hsgd_status status = HSGD_OK;
    if (at + 1 == levels) {
        fanout[at] = rest;
        return rest >= 2 || levels == 1 ? push_fanout(list, fanout, levels, err) : HSGD_OK;
    }
    for (size_t factor = 2; factor <= rest / 2 && !status; factor++)
        if (rest % factor == 0) {
            fanout[at] = factor;
            status = add_factors(list, fanout, at + 1, levels, rest / factor, err);
        }
    return status;
}

hsgd_status hsgd_plan_fanouts(hsgd_plan_fanout **out, size_t *count, size_t num_workers, size_t max_levels,
                              hsgd_error *err)
{
    fanouts list = {0};
    size_t fanout[HSGD_PLAN_MAX_LEVELS];
    hsgd_status status = HSGD_OK;
    for (size_t levels = 1; levels <= max_levels && levels <= HSGD_PLAN_MAX_LEVELS && !status; levels++)
        status = add_factors(&list, fanout, 0, levels, num_workers, err);
    *out = list.item;
    *count = list.count;
    return status;
}

/* ---- trees ---- */

const char *hsgd_plan_family_name(hsgd_plan_family family)
{
    static const char *const name[] = {
        [HSGD_PLAN_ALL] = "hsgd", [HSGD_PLAN_LOCAL] = "local_sgd", [HSGD_PLAN_SYNCHRONOUS] = "synchronous"};
    return name[family];
}

typedef struct lister {
    hsgd_plan_trees *out;
    size_t capacity;
    const hsgd_plan_setting *setting;
    hsgd_plan_family family;
    hsgd_plan_tree tree; /* chosen so far */
} lister;

static hsgd_status push_tree(lister *l, hsgd_error *err)
{
    hsgd_plan_trees *out = l->out;
    if (out->count == HSGD_PLAN_MAX_PLANS)
        return hsgd_fail(
            err, HSGD_ERROR_INPUT,
            "max_period: %zu allows more than %zu plans; expected a smaller one, fewer levels, or a list of "
            "\"periods\"",
            l->setting->max_period, HSGD_PLAN_MAX_PLANS);
    if (out->count == l->capacity) {
        size_t capacity = l->capacity ? 2 * l->capacity : 256;
        hsgd_plan_tree *grown = realloc(out->tree, capacity * sizeof *grown);
        if (!grown)
            return hsgd_fail_memory(err, "the plans");
        out->tree = grown;
        l->capacity = capacity;
    }
    out->tree[out->count++] = l->tree;
    return HSGD_OK;
}

/* A level that has its parent's period only passes sums on. Straight to the server that averages, there is nothing to pass
 * on, and the tree is that of another fanout. */
static bool may_relay(const hsgd_plan_setting *setting)
{
    return setting->relays && setting->communication.route == HSGD_ROUTE_TREE;
}

static bool fits(const lister *l, size_t k, size_t period)
{
    size_t above = k ? l->tree.period[k - 1] : 0;
    if (l->family == HSGD_PLAN_SYNCHRONOUS && period != 1)
        return false;
    if (k == 0)
        return true;
    if (period == above)
        return may_relay(l->setting);
    return l->family == HSGD_PLAN_ALL && above % period == 0 && period < above;
}

static hsgd_status add_periods(lister *l, size_t k, hsgd_error *err)
{
    const hsgd_plan_setting *setting = l->setting;
    hsgd_status status = HSGD_OK;
    if (k == setting->fanout[l->tree.fanout].num_levels)
        return push_tree(l, err);
    for (size_t i = 0; i < setting->num_periods && !status; i++) {
        if (k && setting->period[i] > l->tree.period[k - 1])
            break;
        if (!fits(l, k, setting->period[i]))
            continue;
        l->tree.period[k] = setting->period[i];
        status = add_periods(l, k + 1, err);
    }
    return status;
}

hsgd_status hsgd_plan_trees_list(hsgd_plan_trees *out, const hsgd_plan_setting *setting, hsgd_plan_family family,
                                 hsgd_error *err)
{
    hsgd_status status = HSGD_OK;
    lister l = {.out = out, .setting = setting, .family = family};
    *out = (hsgd_plan_trees){0};
    for (size_t f = 0; f < setting->num_fanouts && !status; f++) {
        memset(&l.tree, 0, sizeof l.tree);
        l.tree.fanout = (unsigned)f;
        status = add_periods(&l, 0, err);
    }
    if (status)
        hsgd_plan_trees_free(out);
    return status;
}

void hsgd_plan_trees_free(hsgd_plan_trees *trees)
{
    free(trees->tree);
    *trees = (hsgd_plan_trees){0};
}

/* ---- from a tree to its costs and its bound ---- */

size_t hsgd_plan_link_of(const hsgd_plan_setting *setting, size_t workers_below)
{
    size_t site = setting->num_workers, found = 0;
    for (size_t j = 0; j < setting->num_links; j++) {
        if (site % workers_below == 0)
            found = j;
        site /= setting->network[j];
    }
    return found;
}

/* Workers below a node of each depth decide on its links. */
static hsgd_status set_costs(hsgd_plan_model *out, const hsgd_plan_setting *setting, const hsgd_hierarchy *h,
                             hsgd_error *err)
{
    hsgd_communication communication = setting->communication;
    for (size_t k = 0; k < h->num_levels; k++) {
        out->link[k] = hsgd_plan_link_of(setting, h->node[k].num_workers);
        communication.level[k] = setting->communication.level[out->link[k]];
    }
    return hsgd_schedule_costs_init(&out->costs, &communication, h, setting->dim, err);
}

static hsgd_status set_params(hsgd_plan_model *out, const hsgd_plan_setting *setting, const hsgd_plan_fanout *fanout,
                              const hsgd_hierarchy *h, hsgd_error *err)
{
    const hsgd_plan_value *constant = setting->constant;
    double divergence_sq[HSGD_PLAN_MAX_LEVELS], global_sq = constant[HSGD_PLAN_DIVERGENCE].value;
    double scale = setting->divergence_read_sq > 0 ? global_sq / setting->divergence_read_sq : 1;
    for (size_t k = 0; k < fanout->num_levels; k++)
        divergence_sq[k] = fanout->divergence_sq[k] * scale;
    hsgd_status status = hsgd_bound_params_init(&out->params, h, divergence_sq, NULL, err);
    if (status)
        return status;
    out->params.global_divergence_sq = global_sq;
    if (out->params.tree.num_nodes == 1) /* local SGD by any route: its only divergence is the global one */
        out->params.divergence_sq[0] = global_sq;
    out->params.smoothness = constant[HSGD_PLAN_L].value;
    out->params.noise_sq = constant[HSGD_PLAN_SIGMA_SQ].value;
    out->params.delta = constant[HSGD_PLAN_DELTA].value;
    return HSGD_OK;
}

hsgd_status hsgd_plan_model_cost(hsgd_plan_model *out, const hsgd_plan_setting *setting, const hsgd_plan_tree *tree,
                                 hsgd_error *err)
{
    const hsgd_plan_fanout *fanout = &setting->fanout[tree->fanout];
    memset(&out->params, 0, sizeof out->params);
    hsgd_status status = hsgd_hierarchy_uniform(&out->tree, fanout->fanout, tree->period, fanout->num_levels, err);
    return status ? status : set_costs(out, setting, &out->tree, err);
}

hsgd_status hsgd_plan_model_finish(hsgd_plan_model *out, const hsgd_plan_setting *setting, const hsgd_plan_tree *tree,
                                   hsgd_error *err)
{
    return set_params(out, setting, &setting->fanout[tree->fanout], &out->tree, err);
}

hsgd_status hsgd_plan_model_init(hsgd_plan_model *out, const hsgd_plan_setting *setting, const hsgd_plan_tree *tree,
                                 hsgd_error *err)
{
    hsgd_status status = hsgd_plan_model_cost(out, setting, tree, err);
    return status ? status : hsgd_plan_model_finish(out, setting, tree, err);
}

void hsgd_plan_model_free(hsgd_plan_model *model)
{
    hsgd_bound_params_free(&model->params);
    hsgd_hierarchy_free(&model->tree);
}

void hsgd_plan_bytes(double *bytes, const hsgd_plan_setting *setting, const hsgd_plan_model *model, size_t steps)
{
    double level[HSGD_MAX_LEVELS];
    memset(bytes, 0, setting->num_links * sizeof *bytes);
    hsgd_schedule_bytes(level, &model->costs, steps);
    for (size_t k = 0; k < model->costs.num_levels; k++)
        bytes[model->link[k]] += level[k];
}
