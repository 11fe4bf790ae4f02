/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "analysis/power_law.h"

#include <math.h>
#include <stdlib.h>

#include <gsl/gsl_cdf.h>
#include <gsl/gsl_errno.h>
#include <gsl/gsl_fit.h>

/* The points in logarithms. */
typedef struct line {
    size_t count;
    double *x, *y, *weight; /* (count) x about its weighted mean, so that constant and slope are uncorrelated. Owned */
    double *freedom;        /* (count) nu_i; INFINITY for errors that are known. Owned */
    double centre;          /* the weighted mean of log x */
    double constant_var;    /* of the fitted value at the centre; the weights' own errors left out */
    double slope_var;
} line;

static void line_free(line *l)
{
    free(l->x);
    free(l->y);
    free(l->weight);
    free(l->freedom);
}

static hsgd_status check_point(double x, hsgd_estimate y, hsgd_error *err)
{
    if (!(x > 0) || !isfinite(x) || !(y.mean > 0) || !isfinite(y.mean))
        return hsgd_fail(err, HSGD_ERROR_INPUT, "a power law needs finite numbers > 0, not %g at %g", y.mean, x);
    return HSGD_OK;
}

static bool has_error(hsgd_estimate y)
{
    return y.se > 0 && isfinite(y.se) && (y.count == 0 || y.count >= HSGD_POWER_LAW_MIN_VALUES);
}

static hsgd_status line_init(line *l, const double *x, const hsgd_estimate *y, size_t count, bool *weighted,
                             hsgd_error *err)
{
    *l = (line){.count = count,
                .x = malloc(count * sizeof *l->x),
                .y = malloc(count * sizeof *l->y),
                .weight = malloc(count * sizeof *l->weight),
                .freedom = malloc(count * sizeof *l->freedom)};
    if (!l->x || !l->y || !l->weight || !l->freedom)
        return hsgd_fail_memory(err, "a fit");
    hsgd_status status = HSGD_OK;
    *weighted = true;
    for (size_t i = 0; i < count && !status; i++) {
        status = check_point(x[i], y[i], err);
        *weighted = *weighted && has_error(y[i]);
    }
    double sum = 0, total = 0;
    for (size_t i = 0; i < count && !status; i++) {
        double relative = y[i].se / y[i].mean; /* delta method: d log y = dy/y */
        l->x[i] = log(x[i]);
        l->y[i] = log(y[i].mean);
        l->weight[i] = *weighted ? 1 / (relative * relative) : 1;
        l->freedom[i] = y[i].count ? (double)y[i].count - 1 : INFINITY;
        total += l->weight[i];
        sum += l->weight[i] * l->x[i];
    }
    l->centre = sum / total;
    for (size_t i = 0; i < count; i++)
        l->x[i] -= l->centre;
    return status;
}

static double residual(const line *l, const hsgd_power_law *law, size_t i)
{
    return l->y[i] - (law->log_constant + law->exponent * (l->x[i] + l->centre));
}

/* h_i, and the part of the variance of the slope that comes from point i. */
static double leverage(const line *l, size_t i)
{
    return l->weight[i] * (l->constant_var + l->slope_var * l->x[i] * l->x[i]);
}

static double slope_share(const line *l, size_t i)
{
    return l->weight[i] * l->x[i] * l->x[i] * l->slope_var * l->slope_var;
}

/* Meier's variance of the slope: sum over i of 4/nu_i (1 - h_i) of the share of point i comes on top, half of it because
 * weights that err make the estimate worse, half because they make it look better. Satterthwaite's degrees of freedom. */
static void find_error(hsgd_power_law *law, const line *l)
{
    double extra = 0, spread = 0;
    for (size_t i = 0; i < l->count; i++) {
        double share = slope_share(l, i);
        extra += 4 / l->freedom[i] * (1 - leverage(l, i)) * share;
        spread += share * share / l->freedom[i];
    }
    law->exponent_se = sqrt(l->slope_var + extra);
    law->dof = spread > 0 ? l->slope_var * l->slope_var / spread : INFINITY;
}

/* Johansen's approximation: chi_sq / (f + 2 A - 6 A/(f + 2)) is distributed as F with f and f (f + 2)/(3 A) degrees of
 * freedom, f = num_points - 2, A = sum (1 - h_i)^2/nu_i. */
static double find_p_value(const hsgd_power_law *law, const line *l)
{
    double f = (double)law->scatter_dof, a = 0;
    for (size_t i = 0; i < l->count; i++) {
        double free_share = 1 - leverage(l, i);
        a += free_share * free_share / l->freedom[i];
    }
    if (!(a > 0))
        return gsl_cdf_chisq_Q(law->chi_sq, f);
    double scale = f + 2 * a - 6 * a / (f + 2);
    return gsl_cdf_fdist_Q(law->chi_sq / scale, f, f * (f + 2) / (3 * a));
}

static hsgd_status fit_line(hsgd_power_law *law, line *l, hsgd_error *err)
{
    double constant, covariance, residual_sq;
    int failed = gsl_fit_wlinear(l->x, 1, l->weight, 1, l->y, 1, l->count, &constant, &law->exponent, &l->constant_var,
                                 &covariance, &l->slope_var, &residual_sq);
    if (failed || !isfinite(law->exponent) || !isfinite(l->slope_var))
        return hsgd_fail(err, HSGD_ERROR_INPUT, "a power law needs points at two different places");
    law->log_constant = constant - law->exponent * l->centre;
    law->chi_sq = residual_sq;
    for (size_t i = 0; i < l->count; i++)
        law->largest_departure = fmax(law->largest_departure, fabs(residual(l, law, i)));
    return HSGD_OK;
}

static void judge_line(hsgd_power_law *law, const line *l)
{
    law->scatter_se = sqrt(l->slope_var * law->chi_sq / (double)law->scatter_dof);
    if (law->weighted) {
        law->p_value = find_p_value(law, l);
        find_error(law, l);
        return;
    }
    law->chi_sq = law->p_value = NAN; /* all weights were 1 */
    law->exponent_se = law->scatter_se;
    law->dof = (double)law->scatter_dof;
}

hsgd_status hsgd_power_law_fit(hsgd_power_law *out, const double *x, const hsgd_estimate *y, size_t count,
                               hsgd_error *err)
{
    line l;
    *out = (hsgd_power_law){.num_points = count};
    if (count < HSGD_POWER_LAW_MIN_POINTS)
        return hsgd_fail(err, HSGD_ERROR_INPUT, "a power law needs %d points or more, not %zu",
                         HSGD_POWER_LAW_MIN_POINTS, count);
    out->scatter_dof = count - 2;
    hsgd_status status = line_init(&l, x, y, count, &out->weighted, err);
    if (!status)
        status = fit_line(out, &l, err);
    if (!status)
        judge_line(out, &l);
    line_free(&l);
    return status;
}

bool hsgd_power_law_is_straight(const hsgd_power_law *law, double confidence)
{
    return !(law->p_value < 1 - confidence);
}

double hsgd_power_law_half_width(const hsgd_power_law *law, double confidence)
{
    double tail = (1 - confidence) / 2;
    double quantile = isinf(law->dof) ? gsl_cdf_ugaussian_Qinv(tail) : gsl_cdf_tdist_Qinv(tail, law->dof);
    double width = law->exponent_se * quantile;
    if (hsgd_power_law_is_straight(law, confidence))
        return width;
    return fmax(width, law->scatter_se * gsl_cdf_tdist_Qinv(tail, (double)law->scatter_dof));
}

hsgd_estimate hsgd_power_law_between(double x0, hsgd_estimate y0, double x1, hsgd_estimate y1)
{
    double distance = log(x1 / x0);
    return (hsgd_estimate){log(y1.mean / y0.mean) / distance, hypot(y0.se / y0.mean, y1.se / y1.mean) / fabs(distance),
                           y0.count < y1.count ? y0.count : y1.count};
}
