/* SPDX-License-Identifier: GPL-3.0-or-later */
/* From values and bounds at the points to fits and verdicts. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "experiments/rate.h"

/* An interval that contains the theory's exponent confirms it only if it is no wider than this exponent, or than this. */
#define COARSEST_WIDTH 0.1

/* ---- names ---- */

static const char *const over_names[] = {[HSGD_RATE_STEPS] = "steps",
                                         [HSGD_RATE_WORKERS] = "workers",
                                         [HSGD_RATE_GLOBAL_PERIOD] = "global_period",
                                         [HSGD_RATE_LOCAL_PERIOD] = "local_period",
                                         [HSGD_RATE_STEP_SIZE] = "step_size"};
static const char *const symbols[] = {[HSGD_RATE_STEPS] = "T",
                                      [HSGD_RATE_WORKERS] = "n",
                                      [HSGD_RATE_GLOBAL_PERIOD] = "G",
                                      [HSGD_RATE_LOCAL_PERIOD] = "I",
                                      [HSGD_RATE_STEP_SIZE] = "gamma"};
static const char *const quantity_names[] = {[HSGD_RATE_S] = "S",
                                             [HSGD_RATE_S_ROUND] = "S_round",
                                             [HSGD_RATE_S_MIN] = "S_min",
                                             [HSGD_RATE_LOSS_GAP] = "loss_gap",
                                             [HSGD_RATE_DISPERSION] = "dispersion"};
static const char *const rule_names[] = {[HSGD_RATE_RULE_OPTIMIZER] = "optimizer",
                                         [HSGD_RATE_RULE_FIXED] = "fixed",
                                         [HSGD_RATE_RULE_SQRT_N_OVER_T] = "sqrt(n/T)",
                                         [HSGD_RATE_RULE_INVERSE_SQRT_T] = "1/sqrt(T)",
                                         [HSGD_RATE_RULE_FRACTION] = "fraction"};
static const char *const verdict_names[] = {[HSGD_RATE_AGREES] = "agrees",
                                            [HSGD_RATE_FASTER] = "faster",
                                            [HSGD_RATE_SLOWER] = "slower",
                                            [HSGD_RATE_BETWEEN] = "between",
                                            [HSGD_RATE_INCONCLUSIVE] = "inconclusive",
                                            [HSGD_RATE_NO_THEORY] = "no theory"};
_Static_assert(sizeof over_names == HSGD_NUM_RATE_OVERS * sizeof *over_names, "a name for each");
_Static_assert(sizeof symbols == HSGD_NUM_RATE_OVERS * sizeof *symbols, "a symbol for each");
_Static_assert(sizeof quantity_names == HSGD_NUM_RATE_QUANTITIES * sizeof *quantity_names, "a name for each");
_Static_assert(sizeof rule_names == HSGD_NUM_RATE_RULES * sizeof *rule_names, "a name for each");

const char *hsgd_rate_over_name(size_t over)
{
    return over < HSGD_NUM_RATE_OVERS ? over_names[over] : NULL;
}

const char *hsgd_rate_quantity_name(size_t quantity)
{
    return quantity < HSGD_NUM_RATE_QUANTITIES ? quantity_names[quantity] : NULL;
}

const char *hsgd_rate_rule_name(size_t rule)
{
    return rule < HSGD_NUM_RATE_RULES ? rule_names[rule] : NULL;
}

const char *hsgd_rate_symbol(hsgd_rate_over over)
{
    return symbols[over];
}

const char *hsgd_rate_verdict_name(hsgd_rate_verdict verdict)
{
    return verdict_names[verdict];
}

void hsgd_rate_free(hsgd_rate *rate)
{
    if (!rate)
        return;
    for (size_t b = 0; b < rate->num_bounds; b++) {
        free(rate->bound[b].value);
        free(rate->bound[b].verdict);
    }
    free(rate->bound);
    free(rate->point);
    memset(rate, 0, sizeof *rate);
}

/* ---- verdicts on exponents ---- */

hsgd_rate_verdict hsgd_rate_compare(double exponent, double half_width, double theory, double tolerance)
{
    double difference = exponent - theory, reach = half_width + tolerance;
    if (isnan(theory))
        return HSGD_RATE_NO_THEORY;
    if (isnan(difference) || isnan(reach))
        return HSGD_RATE_INCONCLUSIVE;
    if (difference < -reach)
        return HSGD_RATE_FASTER;
    if (difference > reach)
        return HSGD_RATE_SLOWER;
    return 2 * half_width > fmax(fabs(theory), COARSEST_WIDTH) ? HSGD_RATE_INCONCLUSIVE : HSGD_RATE_AGREES;
}

static hsgd_rate_comparison compare(const hsgd_rate *rate, double half_width, double theory)
{
    double exponent = rate->law.exponent;
    return (hsgd_rate_comparison){theory, exponent - theory, half_width,
                                  hsgd_rate_compare(exponent, half_width, theory, rate->plan->tolerance)};
}

/* ---- fits ---- */

/* Room for the points of a fit. */
typedef struct fit_points {
    double *x;
    hsgd_estimate *y;
    size_t count;
} fit_points;

static hsgd_status allocate(fit_points *p, size_t count, hsgd_error *err)
{
    *p = (fit_points){malloc(count * sizeof *p->x), malloc(count * sizeof *p->y), 0};
    return p->x && p->y ? HSGD_OK : hsgd_fail_memory(err, "the points of a fit");
}

static void release(fit_points *p)
{
    free(p->x);
    free(p->y);
}

/* The fitted points; with the values of `bound` (num_points; NULL: the measured ones), and the weights of the measured. */
static void collect(fit_points *p, const hsgd_rate *rate, const double *bound)
{
    p->count = 0;
    for (size_t i = 0; i < rate->num_points; i++) {
        const hsgd_rate_point *point = &rate->point[i];
        double mean = bound ? bound[i] : point->value.mean;
        if (!point->fitted)
            continue;
        p->x[p->count] = point->at;
        p->y[p->count++] = (hsgd_estimate){mean, point->value.se / point->value.mean * mean, point->value.count};
    }
}

static bool can_be_fitted(const hsgd_rate_point *point)
{
    return isfinite(point->value.mean) && point->value.mean > 0;
}

static void choose_points(hsgd_rate *rate)
{
    for (size_t i = 0; i < rate->num_points; i++) {
        hsgd_rate_point *point = &rate->point[i], *next = i + 1 < rate->num_points ? point + 1 : NULL;
        point->fitted = point->at >= rate->plan->fit_from && can_be_fitted(point);
        point->slope = (hsgd_estimate){NAN, NAN, 0};
        if (next && can_be_fitted(point) && can_be_fitted(next))
            point->slope = hsgd_power_law_between(point->at, point->value, next->at, next->value);
    }
}

static hsgd_status fit_values(hsgd_rate *rate, fit_points *p, hsgd_error *err)
{
    collect(p, rate, NULL);
    if (p->count < HSGD_POWER_LAW_MIN_POINTS) {
        snprintf(rate->reason, sizeof rate->reason,
                 "only %zu of the values are finite and positive, and a fit needs %d points", p->count,
                 HSGD_POWER_LAW_MIN_POINTS);
        return HSGD_OK;
    }
    hsgd_status status = hsgd_power_law_fit(&rate->law, p->x, p->y, p->count, err);
    if (status)
        return status;
    rate->made = true;
    rate->half_width = hsgd_power_law_half_width(&rate->law, rate->plan->confidence);
    rate->straight = hsgd_power_law_is_straight(&rate->law, rate->plan->confidence);
    rate->asymptotic = compare(rate, rate->half_width, rate->plan->expected);
    return HSGD_OK;
}

static hsgd_status fit_bound(hsgd_rate *rate, hsgd_rate_bound *bound, fit_points *p, hsgd_error *err)
{
    collect(p, rate, bound->value);
    hsgd_status status = hsgd_power_law_fit(&bound->law, p->x, p->y, p->count, err);
    if (!status)
        bound->comparison = compare(rate, rate->half_width, bound->law.exponent);
    return status;
}

/* A bound is compared if it applies, with a positive value, at all fitted points. */
static hsgd_status judge_bound(hsgd_rate *rate, hsgd_rate_bound *bound, fit_points *p, hsgd_error *err)
{
    bound->comparison = (hsgd_rate_comparison){NAN, NAN, NAN, HSGD_RATE_NO_THEORY};
    bound->num_applicable = 0;
    bound->everywhere = rate->made;
    for (size_t i = 0; i < rate->num_points; i++) {
        bool applies = isfinite(bound->value[i]);
        bound->num_applicable += applies;
        bound->everywhere = bound->everywhere && (!rate->point[i].fitted || (applies && bound->value[i] > 0));
        rate->violated = rate->violated || bound->verdict[i] == HSGD_VERDICT_VIOLATED;
    }
    return bound->everywhere ? fit_bound(rate, bound, p, err) : HSGD_OK;
}

static const hsgd_rate_bound *find_tightest(const hsgd_rate *rate)
{
    const hsgd_rate_bound *best = NULL;
    size_t last = rate->num_points;
    while (last > 0 && !rate->point[last - 1].fitted)
        last--;
    for (size_t b = 0; b < rate->num_bounds && last > 0; b++)
        if (rate->bound[b].everywhere && (!best || rate->bound[b].value[last - 1] < best->value[last - 1]))
            best = &rate->bound[b];
    return best;
}

/* On two exponents of the theory at once. */
static hsgd_rate_verdict join(hsgd_rate_verdict a, hsgd_rate_verdict b)
{
    if (a == b || b == HSGD_RATE_NO_THEORY)
        return a;
    if (a == HSGD_RATE_NO_THEORY)
        return b;
    if (a == HSGD_RATE_AGREES || b == HSGD_RATE_AGREES)
        return HSGD_RATE_AGREES;
    return a == HSGD_RATE_INCONCLUSIVE || b == HSGD_RATE_INCONCLUSIVE ? HSGD_RATE_INCONCLUSIVE : HSGD_RATE_BETWEEN;
}

static void conclude(hsgd_rate *rate)
{
    rate->tightest = find_tightest(rate);
    rate->verdict = HSGD_RATE_INCONCLUSIVE;
    if (!rate->made)
        return;
    rate->verdict = rate->asymptotic.verdict;
    if (!rate->plan->asked && rate->tightest)
        rate->verdict = join(rate->verdict, rate->tightest->comparison.verdict);
}

hsgd_status hsgd_rate_judge(hsgd_rate *rate, hsgd_error *err)
{
    fit_points p;
    hsgd_status status = allocate(&p, rate->num_points, err);
    rate->made = rate->violated = false;
    rate->half_width = NAN;
    rate->asymptotic = (hsgd_rate_comparison){rate->plan->expected, NAN, NAN, HSGD_RATE_NO_THEORY};
    choose_points(rate);
    if (!status)
        status = fit_values(rate, &p, err);
    for (size_t b = 0; b < rate->num_bounds && !status; b++)
        status = judge_bound(rate, &rate->bound[b], &p, err);
    release(&p);
    if (!status)
        conclude(rate);
    return status;
}
