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

hsgd_estimate hsgd_estimate_mean_of_groups(const double *value, size_t count, size_t runs_per_value)
{
    if (runs_per_value == 1)
        return hsgd_estimate_mean(value, 1, count);
    size_t groups = count / runs_per_value;
    double mean = gsl_stats_mean(value, 1, count), variance = 0;
    for (size_t i = 0; i < groups; i++) {
        double deviation = gsl_stats_mean(value + i * runs_per_value, 1, runs_per_value) - mean;
        variance += deviation * deviation / (double)(groups - 1);
    }
    return (hsgd_estimate){mean, groups > 1 ? sqrt(variance / (double)groups) : NAN, groups};
}

hsgd_scatter hsgd_scatter_of(const double *value, size_t count)
{
    hsgd_scatter spread = {NAN, value[0], value[0]};
    for (size_t i = 0; i < count; i++) {
        if (!isfinite(value[i]))
            return (hsgd_scatter){NAN, NAN, NAN};
        spread.low = fmin(spread.low, value[i]);
        spread.high = fmax(spread.high, value[i]);
    }
    if (count > 1)
        spread.sd = gsl_stats_sd(value, 1, count);
    return spread;
}

double hsgd_half_width(hsgd_estimate estimate, double confidence, double checks)
{
    if (estimate.se == 0)
        return 0;
    if (estimate.count < 2)
        return NAN;
    return estimate.se * gsl_cdf_tdist_Qinv((1 - confidence) / 2 / checks, (double)(estimate.count - 1));
}
