/* SPDX-License-Identifier: GPL-3.0-or-later */
/* pep.json: the bounds at every step size once more, through the registry, and the best of each curve. Without noise the bounds do
 * not depend on how many children nodes have. */
#include "experiments/check_private.h"

#include <math.h>
#include <string.h>

static const struct {
    const char *key, *id;
} bounds[] = {{"recursive", "hsgd-fixed-recursive"}, {"sharpened", "hsgd-fixed-sharp"}, {"published", "hsgd-fixed"}};
enum { NUM_BOUNDS = sizeof bounds / sizeof *bounds };

/* False: the curve does not have what they need. */
static bool make_params(hsgd_bound_params *out, const cJSON *curve)
{
    size_t fanout[HSGD_MAX_LEVELS], periods[HSGD_MAX_LEVELS], levels = 0;
    double divergence_sq[HSGD_MAX_LEVELS];
    const cJSON *item, *given = hsgd_check_get(curve, "level_divergence_sq");
    hsgd_hierarchy tree;
    cJSON_ArrayForEach(item, hsgd_check_get(curve, "periods"))
    {
        if (levels == HSGD_MAX_LEVELS || !(hsgd_check_item(given, (int)levels) >= 0) || !(item->valuedouble >= 1))
            return false;
        fanout[levels] = 2;
        divergence_sq[levels] = hsgd_check_item(given, (int)levels);
        periods[levels++] = hsgd_check_count(item->valuedouble);
    }
    if (levels == 0 || hsgd_hierarchy_uniform(&tree, fanout, periods, levels, NULL))
        return false;
    hsgd_status status = hsgd_bound_params_init(out, &tree, divergence_sq, NULL, NULL);
    hsgd_hierarchy_free(&tree);
    out->steps = hsgd_check_count(hsgd_check_number(curve, "steps"));
    out->smoothness = hsgd_check_number(curve, "L");
    out->delta = hsgd_check_number(curve, "delta");
    out->noise_sq = 0;
    return !status;
}

static void compare_bounds(hsgd_check_pairs *pairs, const cJSON *at, double step_size, hsgd_bound_params *params,
                           size_t where)
{
    params->step_size = step_size;
    if (hsgd_bound_params_check(params, NULL))
        return;
    for (size_t b = 0; b < NUM_BOUNDS; b++) {
        double written = hsgd_check_number(at, bounds[b].key);
        hsgd_bound_value value;
        hsgd_bound_eval(hsgd_bound_find(bounds[b].id), params, &value);
        if (isfinite(written))
            hsgd_check_pair(pairs, value.value, written, 0, bounds[b].key, where);
    }
}

/* The limits of the step size, and the least value of each bound below it. */
static void compare_best(hsgd_check_pairs *pairs, const cJSON *curve, hsgd_bound_params *params, size_t where)
{
    for (size_t b = 0; b < NUM_BOUNDS; b++) {
        const cJSON *best = hsgd_check_get(hsgd_check_get(curve, "best_of_bounds"), bounds[b].key);
        double limit = hsgd_check_number(hsgd_check_get(curve, "max_step_size"), bounds[b].key);
        double step_size = hsgd_check_number(best, "step_size"), least = hsgd_check_number(best, "value");
        hsgd_bound_value value;
        params->step_size = isfinite(step_size) ? step_size : 1;
        if (hsgd_bound_params_check(params, NULL))
            continue;
        hsgd_bound_eval(hsgd_bound_find(bounds[b].id), params, &value);
        if (isfinite(limit))
            hsgd_check_pair(pairs, value.max_step_size, limit, 0, "max_step_size, curve", where);
        if (isfinite(step_size) && isfinite(least))
            hsgd_check_pair(pairs, value.value, least, 0, "best_of_bounds, curve", where);
    }
}

/* The best worst case is that of a point, and no other is lower. */
static void compare_least(hsgd_check_pairs *pairs, const cJSON *curve, size_t where)
{
    const cJSON *point, *best = hsgd_check_get(curve, "best");
    double least = INFINITY, step_size = NAN, unsolved = 0;
    cJSON_ArrayForEach(point, hsgd_check_get(curve, "points"))
    {
        double value = hsgd_check_number(point, "worst_case");
        unsolved += !isfinite(value);
        if (isfinite(value) && value < least) {
            least = value;
            step_size = hsgd_check_number(point, "step_size");
        }
        hsgd_check_pair(pairs, hsgd_check_number(point, "step_size") * hsgd_check_number(curve, "L"),
                        hsgd_check_number(point, "gamma_L"), 0, "gamma_L, curve", where);
    }
    hsgd_check_pair(pairs, unsolved, hsgd_check_number(curve, "unsolved"), 1, "unsolved, curve", where);
    if (!isfinite(least) || !isfinite(hsgd_check_number(best, "worst_case")))
        return;
    hsgd_check_pair(pairs, least, hsgd_check_number(best, "worst_case"), 0, "best worst_case, curve", where);
    hsgd_check_pair(pairs, step_size, hsgd_check_number(best, "step_size"), 0, "best step_size, curve", where);
}

void hsgd_check_pep(hsgd_check *check)
{
    const cJSON *curve, *point;
    hsgd_check_pairs values = {0}, best = {0}, least = {0};
    size_t at = 0;
    cJSON_ArrayForEach(curve, hsgd_check_get(check->document, "curves"))
    {
        hsgd_bound_params params;
        at++;
        compare_least(&least, curve, at);
        if (!make_params(&params, curve)) {
            hsgd_check_pair(&values, 1, 0, 1, "no tree, curve", at);
            continue;
        }
        cJSON_ArrayForEach(point, hsgd_check_get(curve, "points"))
            compare_bounds(&values, point, hsgd_check_number(point, "step_size"), &params, at);
        compare_best(&best, curve, &params, at);
        hsgd_bound_params_free(&params);
    }
    hsgd_check_say_pairs(check, &least, "curves: worst cases", HSGD_CHECK_ROUNDING);
    hsgd_check_say_pairs(check, &values, "curves: bounds", HSGD_CHECK_ROUNDING);
    hsgd_check_say_pairs(check, &best, "curves: limits, best bounds", HSGD_CHECK_ROUNDING);
}
