/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "analysis/delay_fit.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <gsl/gsl_cdf.h>
#include <gsl/gsl_math.h>
#include <gsl/gsl_sort.h>

/* Sums that all fits are made of. */
typedef struct sums {
    size_t count;
    double least, largest, mean;
    double log_mean, log_var; /* of log t; the variance with count, as the likelihood has it */
} sums;

static sums sum_up(const double *time_s, size_t count)
{
    sums s = {.count = count, .least = time_s[0], .largest = time_s[0]};
    double log_m2 = 0;
    for (size_t i = 0; i < count; i++) {
        double share = 1 / (double)(i + 1), log_t = log(time_s[i]), off = log_t - s.log_mean;
        s.least = fmin(s.least, time_s[i]);
        s.largest = fmax(s.largest, time_s[i]);
        s.mean += (time_s[i] - s.mean) * share;
        s.log_mean += off * share;
        log_m2 += off * (log_t - s.log_mean);
    }
    s.log_var = log_m2 / (double)count;
    return s;
}

/* ---- one distribution ---- */

static void fit_exponential(hsgd_delay_fit *out, const sums *s)
{
    double n = (double)s->count, scale_s = (s->mean - s->least) * n / (n - 1);
    out->compute_s = fmax(0, s->least - scale_s / n);
    out->straggler.scale_s = scale_s;
    out->compute_se = scale_s / n;
    out->scale_se = scale_s / sqrt(n - 1);
    out->log_likelihood = -n * log(s->mean - s->least) - n; /* at the maximum itself */
}

static void fit_lognormal(hsgd_delay_fit *out, const sums *s)
{
    double n = (double)s->count, shape = sqrt(s->log_var);
    out->straggler.scale_s = exp(s->log_mean);
    out->straggler.shape = shape;
    out->scale_se = out->straggler.scale_s * shape / sqrt(n);
    out->shape_se = shape / sqrt(2 * n);
    out->log_likelihood = -n * (s->log_mean + log(shape) + M_LNPI / 2 + M_LN2 / 2 + 0.5);
}

static void fit_pareto(hsgd_delay_fit *out, const sums *s)
{
    double n = (double)s->count, mean_log = s->log_mean - log(s->least), shape = 1 / mean_log;
    out->straggler.scale_s = s->least;
    out->straggler.shape = shape;
    out->scale_se = s->least / (n * shape);
    out->shape_se = shape / sqrt(n);
    out->log_likelihood = n * (log(shape) - log(s->least) - (shape + 1) * mean_log);
}

/* Share of the times below t that the distribution has. */
static double share_below(const hsgd_delay_fit *fit, double t)
{
    const hsgd_straggler *x = &fit->straggler;
    double delay = t - fit->compute_s;
    switch (x->type) {
    case HSGD_STRAGGLER_EXPONENTIAL:
        return delay > 0 ? -expm1(-delay / x->scale_s) : 0;
    case HSGD_STRAGGLER_LOGNORMAL:
        return gsl_cdf_lognormal_P(delay, log(x->scale_s), x->shape);
    case HSGD_STRAGGLER_PARETO:
        return delay > x->scale_s ? 1 - pow(x->scale_s / delay, x->shape) : 0;
    case HSGD_STRAGGLER_NONE:
        break;
    }
    return NAN;
}

static hsgd_status find_distance(hsgd_delay_fit *fit, const double *time_s, size_t count, hsgd_error *err)
{
    double *sorted = malloc(count * sizeof *sorted), n = (double)count;
    if (!sorted)
        return hsgd_fail_memory(err, "the computing times");
    memcpy(sorted, time_s, count * sizeof *sorted);
    gsl_sort(sorted, 1, count);
    fit->distance = 0;
    for (size_t i = 0; i < count; i++) {
        double share = share_below(fit, sorted[i]);
        fit->distance = fmax(fit->distance, fmax((double)(i + 1) / n - share, share - (double)i / n));
    }
    free(sorted);
    return HSGD_OK;
}

static hsgd_status check(const double *time_s, size_t count, hsgd_error *err)
{
    if (count < 2)
        return hsgd_fail(err, HSGD_ERROR_INPUT, "a distribution needs at least two times; there are %zu", count);
    for (size_t i = 0; i < count; i++)
        if (!(time_s[i] > 0) || !isfinite(time_s[i]))
            return hsgd_fail(err, HSGD_ERROR_INPUT, "time %zu: %g s is not a positive finite number", i, time_s[i]);
    return HSGD_OK;
}

hsgd_status hsgd_delay_fit_make(hsgd_delay_fit *out, hsgd_straggler_type type, const double *time_s, size_t count,
                                hsgd_error *err)
{
    *out = (hsgd_delay_fit){.straggler.type = type, .log_likelihood = NAN, .distance = NAN};
    hsgd_status status = check(time_s, count, err);
    if (status)
        return status;
    sums s = sum_up(time_s, count);
    if (type == HSGD_STRAGGLER_NONE) {
        out->compute_s = s.mean;
        return HSGD_OK;
    }
    if (!(s.largest > s.least))
        return hsgd_fail(err, HSGD_ERROR_INPUT, "all times are %g s: they have no distribution", s.least);
    static void (*const fit[])(hsgd_delay_fit *, const sums *) = {[HSGD_STRAGGLER_EXPONENTIAL] = fit_exponential,
                                                                  [HSGD_STRAGGLER_LOGNORMAL] = fit_lognormal,
                                                                  [HSGD_STRAGGLER_PARETO] = fit_pareto};
    fit[type](out, &s);
    return find_distance(out, time_s, count, err);
}

hsgd_status hsgd_delay_fit_best(hsgd_delay_fit *out, const double *time_s, size_t count, hsgd_error *err)
{
    static const hsgd_straggler_type type[] = {HSGD_STRAGGLER_EXPONENTIAL, HSGD_STRAGGLER_LOGNORMAL,
                                               HSGD_STRAGGLER_PARETO};
    hsgd_status status = hsgd_delay_fit_make(out, HSGD_STRAGGLER_NONE, time_s, count, err);
    if (status)
        return status;
    sums s = sum_up(time_s, count);
    for (size_t i = 0; i < sizeof type / sizeof *type && !status && s.largest > s.least; i++) {
        hsgd_delay_fit fit;
        status = hsgd_delay_fit_make(&fit, type[i], time_s, count, err);
        if (!status && !(fit.log_likelihood <= out->log_likelihood))
            *out = fit;
    }
    return status;
}
