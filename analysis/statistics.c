/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "analysis/statistics.h"

#include <math.h>

#include <gsl/gsl_cdf.h>
#include <gsl/gsl_statistics_double.h>

/* The values are squares, and the squares of squares need not fit into a double: deviations from the mean are squared in
 * units of the power of two just above the largest, which changes no digit. */
static int unit_of(double largest)
{
    int exponent;
    frexp(isfinite(largest) ? largest : 0, &exponent);
    return exponent;
}

/* Standard deviation around the mean, with count - 1. */
static double deviation_from(double mean, const double *value, size_t stride, size_t count)
{
    double largest = 0;
    for (size_t i = 0; i < count; i++)
        largest = fmax(largest, fabs(value[i * stride] - mean));
    int unit = unit_of(largest);
    long double variance = 0;
    for (size_t i = 0; i < count; i++) {
        const long double deviation = ldexp(value[i * stride] - mean, -unit);
        variance += (deviation * deviation - variance) / (long double)(i + 1);
    }
    return ldexp(sqrt((double)variance * ((double)count / (double)(count - 1))), unit);
}

hsgd_estimate hsgd_estimate_mean(const double *value, size_t stride, size_t count)
{
    hsgd_estimate estimate = {gsl_stats_mean(value, stride, count), NAN, count};
    if (count > 1)
        estimate.se = deviation_from(estimate.mean, value, stride, count) / sqrt((double)count);
    return estimate;
}

hsgd_estimate hsgd_estimate_mean_of_groups(const double *value, size_t count, size_t runs_per_value)
{
    if (runs_per_value == 1)
        return hsgd_estimate_mean(value, 1, count);
    size_t groups = count / runs_per_value;
    double mean = gsl_stats_mean(value, 1, count), largest = 0, variance = 0;
    for (size_t i = 0; i < groups; i++)
        largest = fmax(largest, fabs(gsl_stats_mean(value + i * runs_per_value, 1, runs_per_value) - mean));
    int unit = unit_of(largest);
    for (size_t i = 0; i < groups; i++) {
        double deviation = ldexp(gsl_stats_mean(value + i * runs_per_value, 1, runs_per_value) - mean, -unit);
        variance += deviation * deviation / (double)(groups - 1);
    }
    return (hsgd_estimate){mean, groups > 1 ? ldexp(sqrt(variance / (double)groups), unit) : NAN, groups};
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
        spread.sd = deviation_from(gsl_stats_mean(value, 1, count), value, 1, count);
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
