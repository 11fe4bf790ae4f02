/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "analysis/between.h"

#include <math.h>
#include <string.h>

static const char *const between_name[HSGD_NUM_BETWEEN] = {
    [HSGD_BETWEEN_HOLDS] = "holds",       [HSGD_BETWEEN_EQUAL] = "equal",
    [HSGD_BETWEEN_BELOW] = "fails below", [HSGD_BETWEEN_ABOVE] = "fails above",
    [HSGD_BETWEEN_REVERSED] = "reversed", [HSGD_BETWEEN_INCONCLUSIVE] = "inconclusive",
    [HSGD_BETWEEN_DIVERGED] = "diverged", [HSGD_BETWEEN_ILLEGAL] = "illegal"};

const char *hsgd_between_name(hsgd_between verdict)
{
    return (size_t)verdict < HSGD_NUM_BETWEEN ? between_name[verdict] : "?";
}

int hsgd_between_parse(const char *name, hsgd_between *verdict)
{
    for (int v = 0; name && v < HSGD_NUM_BETWEEN; v++)
        if (strcmp(name, between_name[v]) == 0) {
            *verdict = (hsgd_between)v;
            return 0;
        }
    return -1;
}

bool hsgd_between_fails(hsgd_between verdict)
{
    return verdict == HSGD_BETWEEN_BELOW || verdict == HSGD_BETWEEN_ABOVE || verdict == HSGD_BETWEEN_REVERSED;
}

static bool has_zero(hsgd_difference d)
{
    return d.low <= 0 && d.high >= 0;
}

hsgd_between hsgd_between_decide(hsgd_difference lower, hsgd_difference upper, bool exact)
{
    bool below = lower.high < 0, above = upper.high < 0;
    if (below || above)
        return below && above ? HSGD_BETWEEN_REVERSED : below ? HSGD_BETWEEN_BELOW : HSGD_BETWEEN_ABOVE;
    if (isnan(lower.low) || isnan(lower.high) || isnan(upper.low) || isnan(upper.high))
        return HSGD_BETWEEN_INCONCLUSIVE;
    if (exact)
        return has_zero(lower) && has_zero(upper) ? HSGD_BETWEEN_EQUAL : HSGD_BETWEEN_HOLDS;
    return lower.low > 0 && upper.low > 0 ? HSGD_BETWEEN_HOLDS : HSGD_BETWEEN_INCONCLUSIVE;
}
