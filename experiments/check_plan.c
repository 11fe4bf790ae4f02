/* SPDX-License-Identifier: GPL-3.0-or-later */
/* plan.json: the bound of every plan once more, through the registry, and what budgets and elasticities follow from. */
#include "experiments/check_private.h"

#include <math.h>
#include <string.h>

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

static double constant(const hsgd_check *c, const char *name, const char *scaled, double factor)
{
    double value = hsgd_check_number(hsgd_check_get(hsgd_check_get(c->document, "constants"), name), "value");
    return value * (scaled && strcmp(name, scaled) == 0 ? factor : 1);
}

/* One constant may be scaled, as the sensitivities have it. */
static void compare_plan(hsgd_check_pairs *pairs, const hsgd_check *c, const cJSON *plan, const char *scaled,
                         double factor)
{
    const hsgd_bound *bound = hsgd_bound_find(hsgd_check_text(c->document, "bound"));
    size_t fanout[HSGD_MAX_LEVELS], periods[HSGD_MAX_LEVELS], levels, num_periods;
    hsgd_hierarchy tree;
    hsgd_bound_params params;
    hsgd_bound_value value;
    if (!bound || !read_counts(fanout, &levels, hsgd_check_get(plan, "fanout")) ||
        !read_counts(periods, &num_periods, hsgd_check_get(plan, "periods")) || levels != num_periods ||
        hsgd_hierarchy_uniform(&tree, fanout, periods, levels, NULL)) {
        hsgd_check_pair(pairs, 1, 0, 1, "no tree, plan", pairs->count);
        return;
    }
    hsgd_status status = hsgd_bound_params_init(&params, &tree, NULL, NULL, NULL);
    params.step_size = hsgd_check_number(plan, "step_size");
    params.steps = hsgd_check_count(hsgd_check_number(plan, "steps"));
    params.smoothness = constant(c, "L", scaled, factor);
    params.noise_sq = constant(c, "sigma_sq", scaled, factor);
    params.delta = constant(c, "delta", scaled, factor);
    params.global_divergence_sq = constant(c, "global_divergence_sq", scaled, factor);
    if (!status && hsgd_bound_params_check(&params, NULL) == HSGD_OK) {
        hsgd_bound_eval(bound, &params, &value);
        bool known = !isnan(value.value); /* else it needs divergences that the document does not have */
        if (known)
            hsgd_check_pair(pairs, value.value, hsgd_check_number(plan, "bound"), 0, "bound, plan", pairs->count);
        if (known && isfinite(value.max_step_size))
            hsgd_check_pair(pairs, value.max_step_size, hsgd_check_number(plan, "max_step_size"), 0,
                            "max_step_size, plan", pairs->count);
    } else
        hsgd_check_pair(pairs, 1, 0, 1, "no bound, plan", pairs->count);
    hsgd_hierarchy_free(&tree);
    if (!status)
        hsgd_bound_params_free(&params);
}

/* Every plan below an item. */
static void compare_below(hsgd_check_pairs *pairs, const hsgd_check *c, const cJSON *item, const char *scaled,
                          double factor)
{
    const cJSON *child;
    if (hsgd_check_get(item, "fanout")) {
        compare_plan(pairs, c, item, scaled, factor);
        return;
    }
    cJSON_ArrayForEach(child, item) compare_below(pairs, c, child, scaled, factor);
}

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

void hsgd_check_plan(hsgd_check *check)
{
    const cJSON *item;
    hsgd_check_pairs pairs = {0}, others = {0};
    compare_below(&pairs, check, hsgd_check_get(check->document, "budgets"), NULL, 1);
    compare_below(&pairs, check, hsgd_check_get(check->document, "curves"), NULL, 1);
    hsgd_check_say_pairs(check, &pairs, "plans: bounds", HSGD_CHECK_ROUNDING);
    cJSON_ArrayForEach(item, hsgd_check_get(check->document, "sensitivity"))
    {
        const char *name = hsgd_check_text(item, "constant");
        double value = constant(check, name, NULL, 1);
        if (isnan(value)) /* of the network */
            continue;
        hsgd_check_pair(&others, value, hsgd_check_number(item, "value"), 0, "value of a constant", others.count);
        compare_below(&others, check, hsgd_check_get(item, "half"), name, 0.5);
        compare_below(&others, check, hsgd_check_get(item, "twice"), name, 2);
    }
    if (others.count)
        hsgd_check_say_pairs(check, &others, "sensitivity: bounds", HSGD_CHECK_ROUNDING);
    check_gains(check);
}
