/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "bounds/verdict.h"

#include <math.h>

const char *hsgd_verdict_name(hsgd_verdict verdict)
{
    static const char *const name[] = {[HSGD_VERDICT_HOLDS] = "holds",
                                       [HSGD_VERDICT_VIOLATED] = "violated",
                                       [HSGD_VERDICT_INCONCLUSIVE] = "inconclusive",
                                       [HSGD_VERDICT_NOT_APPLICABLE] = "not applicable"};
    return name[verdict];
}

hsgd_verdict hsgd_verdict_decide(double low, double high, double bound)
{
    double allowed = bound + HSGD_VERDICT_ROUNDING * fabs(bound);
    if (high <= allowed)
        return HSGD_VERDICT_HOLDS;
    return low > allowed ? HSGD_VERDICT_VIOLATED : HSGD_VERDICT_INCONCLUSIVE;
}

hsgd_verdict hsgd_verdict_worse(hsgd_verdict a, hsgd_verdict b)
{
    static const int severity[] = {[HSGD_VERDICT_NOT_APPLICABLE] = 0,
                                   [HSGD_VERDICT_HOLDS] = 1,
                                   [HSGD_VERDICT_INCONCLUSIVE] = 2,
                                   [HSGD_VERDICT_VIOLATED] = 3};
    return severity[a] >= severity[b] ? a : b;
}
