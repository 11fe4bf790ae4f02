/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A power law y = C x^s through measured points: a straight line through their logarithms, the error of its slope, and
 * whether a line describes the points at all.
 *
 * Where every point has a standard error of its own, log y has se/y (delta method) and the line is weighted. Errors
 * that were estimated from few values are not taken for known: the variance of s is that of Meier (Biometrics 9, 1953),
 * its Student t has the degrees of freedom of Satterthwaite (Biometrics 2, 1946), and the residuals are tested as
 * Johansen does (Biometrika 67, 1980: "The Welch-James approximation to the distribution of the residual sum of squares
 * in a weighted linear regression"), which for known errors is the chi-squared test. Where points have no errors of
 * their own, because nothing is random or there is one value only, the line is not weighted and the error of s is that
 * of the fit: how far the points are from any line.
 *
 * Glossary   x at    y value.mean    w_i = (value.mean/value.se)^2    nu_i = value.count - 1    s exponent
 *            h_i leverage: the share of point i in its own fitted value                         C exp(log_constant) */
#ifndef HSGD_ANALYSIS_POWER_LAW_H
#define HSGD_ANALYSIS_POWER_LAW_H

#include <stdbool.h>
#include <stddef.h>

#include "analysis/error.h"
#include "analysis/statistics.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A line through two points has no error; errors from fewer values than these are worth less than those of the fit. */
enum { HSGD_POWER_LAW_MIN_POINTS = 3, HSGD_POWER_LAW_MIN_VALUES = 8 };

typedef struct hsgd_power_law {
    size_t num_points;
    double exponent;          /* s */
    double log_constant;      /* log C */
    bool weighted;            /* by the errors of the points; false: exponent_se is of the fit */
    double exponent_se;       /* from the errors of the points where weighted, else from their scatter */
    double dof;               /* of its Student t; INFINITY for errors that are known */
    double scatter_se;        /* from how far the points are from the line, on scatter_dof */
    size_t scatter_dof;       /* num_points - 2 */
    double chi_sq;            /* weighted sum of squared residuals; NAN where not weighted */
    double p_value;           /* of a straight line, given the errors of the points; NAN where not weighted */
    double largest_departure; /* max |log y - line|: 0.01 is one per cent */
} hsgd_power_law;

/* Fit count >= HSGD_POWER_LAW_MIN_POINTS points at x (count) > 0, not all the same, with y (count) means > 0. y.count 0
 * says that y.se is known, not estimated. Fails with HSGD_ERROR_INPUT for other numbers. */
hsgd_status hsgd_power_law_fit(hsgd_power_law *out, const double *x, const hsgd_estimate *y, size_t count,
                               hsgd_error *err);

/* False where the points contradict a straight line at this confidence: p_value < 1 - confidence. */
bool hsgd_power_law_is_straight(const hsgd_power_law *law, double confidence);

/* Half width of the two-sided interval of the exponent. Where the line is contradicted, that of the error from the
 * scatter if it is wider: then the exponent is that of the best line, and its error says how far the points are from
 * it. */
double hsgd_power_law_half_width(const hsgd_power_law *law, double confidence);

/* The exponent between two neighbouring points, with its standard error (NAN where one of them has none). */
hsgd_estimate hsgd_power_law_between(double x0, hsgd_estimate y0, double x1, hsgd_estimate y1);

#ifdef __cplusplus
}
#endif

#endif
