/* SPDX-License-Identifier: GPL-3.0-or-later */
/* hunt.json: ratios of what was measured to bounds, and what the starts found. */
#include "experiments/check_private.h"

#include <math.h>

static void compare_ratio(hsgd_check_pairs *pairs, const cJSON *found, const char *where, size_t at)
{
    double measured = hsgd_check_number(found, "measured"), bound = hsgd_check_number(found, "bound");
    double ratio = hsgd_check_number(found, "ratio");
    if (isfinite(ratio) && isfinite(measured) && isfinite(bound))
        hsgd_check_pair(pairs, measured / bound, ratio, 0, where, at);
}

static double largest_of(const cJSON *array)
{
    const cJSON *item;
    double largest = NAN;
    cJSON_ArrayForEach(item, array) largest = fmax(largest, cJSON_IsNumber(item) ? item->valuedouble : NAN);
    return largest;
}

static void check_starts(hsgd_check *c)
{
    const cJSON *start, *starts = hsgd_check_get(c->document, "starts");
    const cJSON *best = NULL;
    double evaluations = 0, at_best = hsgd_check_number(c->document, "best_start");
    hsgd_check_pairs pairs = {0};
    size_t at = 0;
    cJSON_ArrayForEach(start, starts)
    {
        double ratio = hsgd_check_number(start, "ratio"), largest = largest_of(hsgd_check_get(start, "best_ratio"));
        hsgd_check_pair(&pairs, evaluations, hsgd_check_number(start, "first_evaluation"), 1, "first_evaluation, start",
                        at);
        evaluations += hsgd_check_number(start, "evaluations");
        if (isfinite(ratio) && isfinite(largest))
            hsgd_check_pair(&pairs, largest, ratio, 0, "ratio, start", at);
        if ((double)at++ == at_best)
            best = start;
    }
    hsgd_check_pair(&pairs, evaluations, hsgd_check_number(c->document, "evaluations"), 1, "evaluations", 1);
    cJSON_ArrayForEach(start, starts) if (isfinite(hsgd_check_number(start, "ratio")))
        hsgd_check_pair(&pairs, fmax(hsgd_check_number(best, "ratio"), hsgd_check_number(start, "ratio")),
                        hsgd_check_number(best, "ratio"), 0, "best_start", 1);
    hsgd_check_say_pairs(c, &pairs, "starts", HSGD_CHECK_ROUNDING);
}

void hsgd_check_hunt(hsgd_check *check)
{
    const cJSON *bound;
    hsgd_check_pairs pairs = {0};
    size_t at = 0;
    compare_ratio(&pairs, hsgd_check_get(check->document, "found"), "found", 1);
    cJSON_ArrayForEach(bound, hsgd_check_get(check->document, "bounds")) compare_ratio(&pairs, bound, "bound", ++at);
    hsgd_check_say_pairs(check, &pairs, "measured / bound", HSGD_CHECK_ROUNDING);
    check_starts(check);
}
