/* SPDX-License-Identifier: GPL-3.0-or-later */
/* rate.json: ratios, slopes, fits and their comparison with the theory once more, from the values at the points. */
#include "experiments/check_private.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/power_law.h"

/* Infinite numbers and unknown ones are written as null. */
static void compare(hsgd_check_pairs *pairs, double found, const cJSON *object, const char *key, const char *where,
                    size_t at)
{
    hsgd_check_pair(pairs, isfinite(found) ? found : NAN, hsgd_check_number(object, key), 0, where, at);
}

static hsgd_estimate value_of(const cJSON *point)
{
    return (hsgd_estimate){hsgd_check_number(point, "value"), hsgd_check_number(point, "se"),
                           hsgd_check_count(hsgd_check_number(point, "seeds"))};
}

static bool can_be_fitted(const cJSON *point)
{
    double value = hsgd_check_number(point, "value");
    return isfinite(value) && value > 0;
}

/* ---- points ---- */

static void check_points(hsgd_check *c)
{
    const cJSON *point, *bound, *values = hsgd_check_get(hsgd_check_get(c->document, "rate"), "values");
    hsgd_check_pairs ratios = {0}, slopes = {0};
    size_t at = 0;
    cJSON_ArrayForEach(point, hsgd_check_get(c->document, "points"))
    {
        const cJSON *next = point->next;
        if (values)
            compare(&slopes, hsgd_check_item(values, (int)at), point, "at", "at, point", at + 1);
        at++;
        cJSON_ArrayForEach(bound, hsgd_check_get(point, "bounds"))
        {
            double value = hsgd_check_number(bound, "value"), ratio = hsgd_check_number(bound, "ratio");
            if (isfinite(value) && isfinite(ratio))
                compare(&ratios, hsgd_check_number(point, "value") / value, bound, "ratio", "ratio, point", at);
        }
        if (!next || !can_be_fitted(point) || !can_be_fitted(next))
            continue;
        hsgd_estimate slope = hsgd_power_law_between(hsgd_check_number(point, "at"), value_of(point),
                                                     hsgd_check_number(next, "at"), value_of(next));
        compare(&slopes, slope.mean, point, "slope_to_next", "slope, point", at);
        compare(&slopes, slope.se, point, "slope_to_next_se", "error of the slope, point", at);
    }
    hsgd_check_say_pairs(c, &ratios, "points: value / bound", HSGD_CHECK_ROUNDING);
    hsgd_check_say_pairs(c, &slopes, "points: slopes", HSGD_CHECK_ROUNDING);
}

/* ---- fits ---- */

typedef struct fit_points {
    double *x;
    hsgd_estimate *y;
    size_t count;
} fit_points;

/* The fitted points, with the values of a bound in the place of the measured ones (NULL: these); false where one is missing. */
static bool collect(fit_points *p, const cJSON *points, const char *id)
{
    const cJSON *point, *bound;
    p->count = 0;
    cJSON_ArrayForEach(point, points)
    {
        hsgd_estimate y = value_of(point);
        double other = NAN;
        if (!cJSON_IsTrue(hsgd_check_get(point, "fitted")))
            continue;
        cJSON_ArrayForEach(bound,
                           hsgd_check_get(point, "bounds")) if (id && strcmp(hsgd_check_text(bound, "id"), id) == 0)
            other = hsgd_check_number(bound, "value");
        p->x[p->count] = hsgd_check_number(point, "at");
        p->y[p->count++] = id ? (hsgd_estimate){other, y.se / y.mean * other, y.count} : y;
        if (id && !(isfinite(other) && other > 0))
            return false;
    }
    return p->count >= HSGD_POWER_LAW_MIN_POINTS;
}

/* The exponent's interval around the exponent itself, or around its difference to the theory's. */
static void compare_ends(hsgd_check_pairs *pairs, const cJSON *object, double center, double half, const char *where,
                         size_t at)
{
    const cJSON *ends = hsgd_check_get(object, "ci");
    hsgd_check_pair(pairs, half, center - hsgd_check_item(ends, 0), 1e-5 * fabs(center), where, at);
    hsgd_check_pair(pairs, half, hsgd_check_item(ends, 1) - center, 1e-5 * fabs(center), where, at);
}

static void compare_law(hsgd_check_pairs *pairs, const cJSON *fit, const hsgd_power_law *law, double confidence)
{
    compare(pairs, (double)law->num_points, fit, "points", "points", 1);
    compare(pairs, law->exponent, fit, "exponent", "exponent", 1);
    compare(pairs, law->exponent_se, fit, "se", "se", 1);
    compare(pairs, law->log_constant, fit, "log_constant", "log_constant", 1);
    compare(pairs, law->dof, fit, "dof", "dof", 1);
    compare(pairs, law->scatter_se, fit, "scatter_se", "scatter_se", 1);
    compare(pairs, law->chi_sq, fit, "chi_sq", "chi_sq", 1);
    compare(pairs, (double)law->scatter_dof, fit, "chi_sq_dof", "chi_sq_dof", 1);
    compare(pairs, law->p_value, fit, "p_value", "p_value", 1);
    compare(pairs, law->largest_departure, fit, "largest_departure", "largest_departure", 1);
    compare_ends(pairs, fit, law->exponent, hsgd_power_law_half_width(law, confidence), "interval of the exponent", 1);
}

/* How many points have a value of this bound. */
static double count_values(const cJSON *points, const char *id)
{
    const cJSON *point, *bound;
    double count = 0;
    cJSON_ArrayForEach(point, points) cJSON_ArrayForEach(bound, hsgd_check_get(point, "bounds")) count +=
        strcmp(hsgd_check_text(bound, "id"), id) == 0 && isfinite(hsgd_check_number(bound, "value"));
    return count;
}

static void compare_theory(hsgd_check_pairs *pairs, const hsgd_check *c, fit_points *p, const hsgd_power_law *measured)
{
    const cJSON *theory, *points = hsgd_check_get(c->document, "points");
    double half = hsgd_power_law_half_width(measured, hsgd_check_number(c->document, "confidence"));
    size_t at = 0;
    cJSON_ArrayForEach(theory, hsgd_check_get(c->document, "theory"))
    {
        const char *id = hsgd_check_text(theory, "with");
        double exponent = hsgd_check_number(theory, "exponent");
        hsgd_power_law law;
        at++;
        if (isfinite(exponent)) {
            compare(pairs, measured->exponent - exponent, theory, "difference", "difference, theory", at);
            compare_ends(pairs, theory, measured->exponent - exponent, half, "interval, theory", at);
        }
        if (!hsgd_check_get(theory, "points")) /* an exponent that somebody expects */
            continue;
        compare(pairs, count_values(points, id), theory, "points", "points, theory", at);
        if (!collect(p, points, id) || hsgd_power_law_fit(&law, p->x, p->y, p->count, NULL))
            continue;
        compare(pairs, law.exponent, theory, "exponent", "exponent, theory", at);
        compare(pairs, law.log_constant, theory, "log_constant", "log_constant, theory", at);
        compare(pairs, law.largest_departure, theory, "largest_departure", "largest_departure, theory", at);
    }
}

static void check_fits(hsgd_check *c, fit_points *p)
{
    const cJSON *fit = hsgd_check_get(c->document, "fit");
    hsgd_check_pairs pairs = {0}, theory = {0};
    hsgd_power_law law;
    if (!cJSON_IsObject(fit))
        return;
    if (!collect(p, hsgd_check_get(c->document, "points"), NULL) ||
        hsgd_power_law_fit(&law, p->x, p->y, p->count, NULL)) {
        hsgd_check_say(c, HSGD_CHECK_FAILS, "fit", "the points can not be fitted");
        return;
    }
    compare_law(&pairs, fit, &law, hsgd_check_number(c->document, "confidence"));
    compare_theory(&theory, c, p, &law);
    hsgd_check_say_pairs(c, &pairs, "fit", 1e-8);
    hsgd_check_say_pairs(c, &theory, "theory", 1e-8);
}

hsgd_status hsgd_check_rate(hsgd_check *check, hsgd_error *err)
{
    size_t count = (size_t)cJSON_GetArraySize(hsgd_check_get(check->document, "points"));
    fit_points p = {calloc(count + 1, sizeof *p.x), calloc(count + 1, sizeof *p.y), 0};
    bool complete = p.x && p.y;
    check_points(check);
    if (complete)
        check_fits(check, &p);
    free(p.x);
    free(p.y);
    return complete ? HSGD_OK : hsgd_fail_memory(err, "the points of a fit");
}
