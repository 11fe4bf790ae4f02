/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "analysis/statistics.h"

#include <math.h>

#include <gsl/gsl_cdf.h>
#include <gsl/gsl_statistics_double.h>

hsgd_estimate hsgd_estimate_mean(const double *value, size_t stride, size_t count)
{
    hsgd_estimate estimate = {gsl_stats_mean(value, stride, count), NAN, count};
    if (count > 1)
        estimate.se = gsl_stats_sd_m(value, stride, count, estimate.mean) / sqrt((double)count);
    return estimate;
}

double hsgd_half_width(hsgd_estimate estimate, double confidence, double checks)
{
    if (estimate.se == 0)
        return 0;
    if (estimate.count < 2)
        return NAN;
    return estimate.se * gsl_cdf_tdist_Qinv((1 - confidence) / 2 / checks, (double)(estimate.count - 1));
}
