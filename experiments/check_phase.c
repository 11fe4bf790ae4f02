/* SPDX-License-Identifier: GPL-3.0-or-later */
/* phase.json: differences of the three runs, ratios, and how often each verdict was given. */
#include "experiments/check_private.h"

#include <math.h>
#include <string.h>

/* The interval lies around the difference; how far rounding widened it is not kept. */
static void compare_difference(hsgd_check_pairs *pairs, double found, const cJSON *difference, double scale,
                               const char *where, size_t at)
{
    double value = hsgd_check_number(difference, "value");
    const cJSON *ends = hsgd_check_get(difference, "ci");
    double low = hsgd_check_item(ends, 0), high = hsgd_check_item(ends, 1);
    if (!isfinite(value) || !isfinite(found))
        return;
    hsgd_check_pair(pairs, found, value, 1e-3 * scale, where, at);
    if (isfinite(low) && isfinite(high))
        hsgd_check_pair(pairs, value - low, high - value, 1e-6 * fabs(value), where, at);
}

static void compare_point(hsgd_check_pairs *pairs, const cJSON *point, size_t at)
{
    double inner = hsgd_check_number(point, "inner"), hsgd = hsgd_check_number(point, "hsgd");
    double outer = hsgd_check_number(point, "outer"), scale = fmax(fabs(inner), fmax(fabs(hsgd), fabs(outer)));
    const cJSON *lower = hsgd_check_get(point, "hsgd_minus_inner"), *upper = hsgd_check_get(point, "outer_minus_hsgd");
    double below = -hsgd_check_number(lower, "value"), above = -hsgd_check_number(upper, "value");
    const char *verdict = hsgd_check_text(point, "verdict");
    double beyond = strcmp(verdict, "fails below") == 0   ? below
                    : strcmp(verdict, "fails above") == 0 ? above
                    : strcmp(verdict, "reversed") == 0    ? fmax(below, above)
                                                          : 0;
    compare_difference(pairs, hsgd - inner, lower, scale, "hsgd_minus_inner, point", at);
    compare_difference(pairs, outer - hsgd, upper, scale, "outer_minus_hsgd, point", at);
    if (isfinite(hsgd_check_number(point, "ratio")))
        hsgd_check_pair(pairs, -below / (outer - inner), hsgd_check_number(point, "ratio"), 0, "ratio, point", at);
    if (isfinite(scale))
        hsgd_check_pair(pairs, scale > 0 ? beyond / scale : 0, hsgd_check_number(point, "violation"), 1e-9,
                        "violation, point", at);
}

static void check_counts(hsgd_check *c)
{
    const cJSON *count, *point, *points = hsgd_check_get(c->document, "points");
    hsgd_check_pairs pairs = {0};
    double comparisons = 0;
    size_t at = 0;
    cJSON_ArrayForEach(count, hsgd_check_get(c->document, "counts"))
    {
        double found = 0;
        cJSON_ArrayForEach(point, points) found += strcmp(hsgd_check_text(point, "verdict"), count->string) == 0;
        hsgd_check_pair(&pairs, found, cJSON_IsNumber(count) ? count->valuedouble : NAN, 1, count->string, ++at);
    }
    cJSON_ArrayForEach(point, points)
    {
        bool by_theory = *hsgd_check_text(point, "theory") != '\0';
        comparisons += hsgd_check_number(point, "values") > 0 && !by_theory ? 2 : 0;
    }
    hsgd_check_pair(&pairs, comparisons, hsgd_check_number(c->document, "comparisons"), 1, "comparisons", 1);
    hsgd_check_say_pairs(c, &pairs, "counts of verdicts", 0);
}

void hsgd_check_phase(hsgd_check *check)
{
    const cJSON *point;
    hsgd_check_pairs pairs = {0};
    size_t at = 0;
    cJSON_ArrayForEach(point, hsgd_check_get(check->document, "points")) compare_point(&pairs, point, ++at);
    hsgd_check_say_pairs(check, &pairs, "points: differences", HSGD_CHECK_ROUNDING);
    check_counts(check);
}
