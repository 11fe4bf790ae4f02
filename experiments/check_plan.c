/* SPDX-License-Identifier: GPL-3.0-or-later */
/* plan.json: the bound of every plan once more, through the registry, its seconds, links and bytes from the network, and what
 * budgets and sensitivities follow from. */
#include "experiments/check_private.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/communication_uniform.h"

/* The sizes of a plan's tree; false where they are none. */
static bool read_counts(size_t out[HSGD_MAX_LEVELS], size_t *count, const cJSON *array)
{
    const cJSON *item;
    *count = 0;
    cJSON_ArrayForEach(item, array)
    {
        bool legal =
            cJSON_IsNumber(item) && item->valuedouble >= 1 && item->valuedouble <= 1e9 && *count < HSGD_MAX_LEVELS;
        if (!legal)
            return false;
        out[(*count)++] = (size_t)item->valuedouble;
    }
    return *count > 0;
}

/* ---- the setting ---- */

/* What plans rest on; a sensitivity changes one number of it. */
typedef struct setting {
    double smoothness, noise_sq, delta, global_divergence_sq;
    hsgd_communication communication; /* of a model with one parameter, of the size of a message */
    size_t num_workers, num_links, network[HSGD_MAX_LEVELS];
    bool has_costs;
} setting;

static double constant(const hsgd_check *c, const char *name)
{
    return hsgd_check_number(hsgd_check_get(hsgd_check_get(c->document, "constants"), name), "value");
}

/* False where a level is not described. */
static bool read_links(setting *s, const cJSON *communication)
{
    const cJSON *levels = hsgd_check_get(communication, "levels");
    for (size_t j = 0; j < s->num_links; j++) {
        const cJSON *level = cJSON_GetArrayItem(levels, (int)j);
        s->communication.level[j] =
            (hsgd_channel){hsgd_check_number(level, "latency_s"), hsgd_check_number(level, "bandwidth_bytes_per_s"),
                           cJSON_IsTrue(hsgd_check_get(level, "shared"))};
        if (!level)
            return false;
    }
    return true;
}

static setting read_setting(const hsgd_check *c)
{
    const cJSON *communication = hsgd_check_get(c->document, "communication");
    setting s = {.smoothness = constant(c, "L"),
                 .noise_sq = constant(c, "sigma_sq"),
                 .delta = constant(c, "delta"),
                 .global_divergence_sq = constant(c, "global_divergence_sq"),
                 .num_workers = hsgd_check_count(hsgd_check_number(c->document, "workers")),
                 .communication = {.compute_s = hsgd_check_number(communication, "compute_s_per_step"),
                                   .bytes_per_parameter = hsgd_check_number(c->document, "message_bytes")}};
    bool direct = strcmp(hsgd_check_text(communication, "route"), "direct") == 0;
    s.communication.route = direct ? HSGD_ROUTE_DIRECT : HSGD_ROUTE_TREE;
    s.has_costs = read_counts(s.network, &s.num_links, hsgd_check_get(c->document, "network")) && s.num_workers > 0 &&
                  read_links(&s, communication);
    return s;
}

/* The number that a sensitivity has this name for; NULL: none, as of the divergences of single levels. */
static double *place_of(setting *s, const char *name)
{
    static const char latency[] = "latency", bandwidth[] = "bandwidth";
    double *const place[] = {&s->smoothness,
                             &s->noise_sq,
                             &s->delta,
                             &s->global_divergence_sq,
                             &s->communication.compute_s,
                             &s->communication.bytes_per_parameter};
    static const char *const names[] = {"L", "sigma^2", "Delta", "global divergence", "compute time", "message bytes"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(name, names[i]) == 0)
            return place[i];
    const char *digits = strstr(name, ", level ");
    size_t level = digits ? hsgd_check_count(strtod(digits + 8, NULL)) : 1;
    if (level < 1 || level > s->num_links)
        return NULL;
    hsgd_channel *channel = &s->communication.level[level - 1];
    return strncmp(name, latency, sizeof latency - 1) == 0       ? &channel->latency_s
           : strncmp(name, bandwidth, sizeof bandwidth - 1) == 0 ? &channel->bandwidth_bytes_per_s
                                                                 : NULL;
}

/* ---- one plan ---- */

static void compare_bound(hsgd_check_pairs *pairs, const hsgd_check *c, const cJSON *plan, const hsgd_hierarchy *tree,
                          const setting *s)
{
    const hsgd_bound *bound = hsgd_bound_find(hsgd_check_text(c->document, "bound"));
    hsgd_bound_params params;
    hsgd_bound_value value;
    hsgd_status status = hsgd_bound_params_init(&params, tree, NULL, NULL, NULL);
    params.step_size = hsgd_check_number(plan, "step_size");
    params.steps = hsgd_check_count(hsgd_check_number(plan, "steps"));
    params.smoothness = s->smoothness;
    params.noise_sq = s->noise_sq;
    params.delta = s->delta;
    params.global_divergence_sq = s->global_divergence_sq;
    if (bound && !status && hsgd_bound_params_check(&params, NULL) == HSGD_OK) {
        hsgd_bound_eval(bound, &params, &value);
        bool known = !isnan(value.value); /* else it needs divergences that the document does not have */
        if (known)
            hsgd_check_pair(pairs, value.value, hsgd_check_number(plan, "bound"), 0, "bound, plan", pairs->count);
        if (known && isfinite(value.max_step_size))
            hsgd_check_pair(pairs, value.max_step_size, hsgd_check_number(plan, "max_step_size"), 0,
                            "max_step_size, plan", pairs->count);
    } else
        hsgd_check_pair(pairs, 1, 0, 1, "no bound, plan", pairs->count);
    if (!status)
        hsgd_bound_params_free(&params);
}

/* The innermost level of the network whose sites hold a whole number of nodes with so many workers. */
static size_t link_of(const setting *s, size_t workers_below)
{
    size_t site = s->num_workers, found = 0;
    for (size_t j = 0; j < s->num_links; site /= s->network[j++])
        if (site % workers_below == 0)
            found = j;
    return found;
}

static void compare_costs(hsgd_check_pairs *pairs, const cJSON *plan, const hsgd_hierarchy *tree, const setting *s)
{
    hsgd_communication communication = s->communication;
    hsgd_schedule_costs costs;
    size_t steps = hsgd_check_count(hsgd_check_number(plan, "steps")), link[HSGD_MAX_LEVELS];
    double level[HSGD_MAX_LEVELS], bytes[HSGD_MAX_LEVELS] = {0};
    for (size_t k = 0; k < tree->num_levels; k++) {
        link[k] = link_of(s, tree->node[k].num_workers);
        communication.level[k] = s->communication.level[link[k]];
        hsgd_check_pair(pairs, (double)link[k] + 1, hsgd_check_item(hsgd_check_get(plan, "links"), (int)k), 1,
                        "links, plan", pairs->count);
    }
    hsgd_check_pair(pairs, (double)s->num_workers, (double)tree->num_workers, 1, "workers, plan", pairs->count);
    if (hsgd_schedule_costs_init(&costs, &communication, tree, 1, NULL)) {
        hsgd_check_pair(pairs, 1, 0, 1, "no costs, plan", pairs->count);
        return;
    }
    hsgd_check_pair(pairs, hsgd_schedule_seconds(&costs, steps), hsgd_check_number(plan, "seconds"), 0, "seconds, plan",
                    pairs->count);
    hsgd_schedule_bytes(level, &costs, steps);
    for (size_t k = 0; k < tree->num_levels; k++)
        bytes[link[k]] += level[k];
    for (size_t j = 0; j < s->num_links; j++)
        hsgd_check_pair(pairs, bytes[j], hsgd_check_item(hsgd_check_get(plan, "bytes_level"), (int)j), 0,
                        "bytes_level, plan", pairs->count);
}

static void compare_plan(hsgd_check_pairs *pairs, const hsgd_check *c, const cJSON *plan, const setting *s)
{
    size_t fanout[HSGD_MAX_LEVELS], periods[HSGD_MAX_LEVELS], levels, num_periods;
    hsgd_hierarchy tree;
    if (!read_counts(fanout, &levels, hsgd_check_get(plan, "fanout")) ||
        !read_counts(periods, &num_periods, hsgd_check_get(plan, "periods")) || levels != num_periods ||
        hsgd_hierarchy_uniform(&tree, fanout, periods, levels, NULL)) {
        hsgd_check_pair(pairs, 1, 0, 1, "no tree, plan", pairs->count);
        return;
    }
    compare_bound(pairs, c, plan, &tree, s);
    if (s->has_costs)
        compare_costs(pairs, plan, &tree, s);
    hsgd_hierarchy_free(&tree);
}

/* Every plan below an item. */
static void compare_below(hsgd_check_pairs *pairs, const hsgd_check *c, const cJSON *item, const setting *s)
{
    const cJSON *child;
    if (hsgd_check_get(item, "fanout")) {
        compare_plan(pairs, c, item, s);
        return;
    }
    cJSON_ArrayForEach(child, item) compare_below(pairs, c, child, s);
}

/* ---- what follows from plans ---- */

static void check_gains(hsgd_check *c)
{
    const cJSON *budget, *gain;
    hsgd_check_pairs pairs = {0};
    cJSON_ArrayForEach(budget, hsgd_check_get(c->document, "budgets"))
    {
        double best = hsgd_check_number(hsgd_check_get(budget, "best"), "bound");
        cJSON_ArrayForEach(gain, hsgd_check_get(budget, "gain"))
        {
            double other = hsgd_check_number(hsgd_check_get(budget, gain->string), "bound");
            double ratio = hsgd_check_number(gain, "bound_ratio");
            if (isfinite(best) && isfinite(other) && isfinite(ratio))
                hsgd_check_pair(&pairs, other / best, ratio, 0, gain->string, pairs.count);
        }
    }
    if (pairs.count)
        hsgd_check_say_pairs(c, &pairs, "gains", HSGD_CHECK_ROUNDING);
}

static void check_sensitivities(hsgd_check *c, const setting *s)
{
    const cJSON *item;
    hsgd_check_pairs pairs = {0};
    cJSON_ArrayForEach(item, hsgd_check_get(c->document, "sensitivity"))
    {
        setting half = *s, twice = *s;
        const char *name = hsgd_check_text(item, "constant");
        double *low = place_of(&half, name), *high = place_of(&twice, name);
        if (!low || !high)
            continue;
        hsgd_check_pair(&pairs, *low, hsgd_check_number(item, "value"), 0, "value of a constant", pairs.count);
        *low /= 2;
        *high *= 2;
        compare_below(&pairs, c, hsgd_check_get(item, "half"), &half);
        compare_below(&pairs, c, hsgd_check_get(item, "twice"), &twice);
    }
    if (pairs.count)
        hsgd_check_say_pairs(c, &pairs, "sensitivity: plans", HSGD_CHECK_ROUNDING);
}

void hsgd_check_plan(hsgd_check *check)
{
    hsgd_check_pairs pairs = {0};
    setting s = read_setting(check);
    compare_below(&pairs, check, hsgd_check_get(check->document, "budgets"), &s);
    compare_below(&pairs, check, hsgd_check_get(check->document, "curves"), &s);
    hsgd_check_say_pairs(check, &pairs, "plans: bounds, seconds, bytes", HSGD_CHECK_ROUNDING);
    check_sensitivities(check, &s);
    check_gains(check);
}
