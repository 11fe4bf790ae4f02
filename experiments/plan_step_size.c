/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The step size that minimises a bound, and the proof that a plan cannot get below a value (THEORY 13).
 *
 * Glossary    a  2 Delta/T    b  L sigma^2 sum_j p_j^2    base(gamma) = a/gamma + b gamma    R  what a bound has beyond it */
#include <gsl/gsl_errno.h>
#include <gsl/gsl_min.h>
#include <math.h>
#include <string.h>

#include "experiments/plan_private.h"

/* Brent's method ends when the interval of log gamma is this wide. At a minimum an error of h changes a value by its
 * square: what is left is rounding. */
static const double LOG_WIDTH = 1e-9;
enum { MAX_ITERATIONS = 100 };

/* Of bounds of which nothing is proved: so many step sizes over so many powers of ten below the largest. */
enum { GRID_POINTS = 241 };
static const double GRID_DECADES = 12;

/* Step sizes are looked for up to here, relative to the limit of the bound. */
static const double BELOW_LIMIT = 1 - 1e-9;

/* What is equal up to this may be below: so that plans with the same bound are all looked at. */
static const double ROUNDING = 1e-12;

/* A bound as a function of the logarithm of the step size. */
typedef struct curve {
    const hsgd_bound *bound;
    hsgd_bound_params *params;
    hsgd_bound_value value; /* the last one */
} curve;

const hsgd_bound *hsgd_plan_find_bound(const char *id)
{
    return hsgd_bound_find(id);
}

bool hsgd_plan_bound_is_convex(const hsgd_bound *bound)
{
    static const char *const proved[] = {"hsgd-fixed",        "hsgd-random",          "hsgd-fixed-sharp",
                                         "hsgd-random-sharp", "hsgd-fixed-recursive", "hsgd-random-recursive"};
    for (size_t i = 0; i < sizeof proved / sizeof *proved; i++)
        if (strcmp(bound->id, proved[i]) == 0)
            return true;
    return false;
}

/* INFINITY where the bound does not apply. */
static double at(curve *c, double step_size)
{
    c->params->step_size = step_size;
    hsgd_bound_eval(c->bound, c->params, &c->value);
    return c->value.applicable ? c->value.value : INFINITY;
}

static double at_log(double log_step_size, void *context)
{
    return at(context, exp(log_step_size));
}

/* ---- no better than `below` ---- */

static double base_minimum(double a, double b, double largest)
{
    double best = b > 0 ? fmin(sqrt(a / b), largest) : largest;
    return a / best + b * best;
}

/* The smaller gamma with a/gamma + b gamma = value, which is at least 2 sqrt(a b). */
static double base_root(double a, double b, double value)
{
    return 2 * a / (value + sqrt(fmax(value * value - 4 * a * b, 0)));
}

/* Too few steps: base alone is too large for every gamma <= 1/L, which all of these bounds demand. */
bool hsgd_plan_is_slow(const hsgd_plan_setting *setting, double steps, double below)
{
    const hsgd_plan_value *constant = setting->constant;
    double smoothness = constant[HSGD_PLAN_L].value, a = 2 * constant[HSGD_PLAN_DELTA].value / steps;
    double b = smoothness * constant[HSGD_PLAN_SIGMA_SQ].value / (double)setting->num_workers;
    return hsgd_plan_bound_is_convex(setting->bound) && base_minimum(a, b, 1 / smoothness) > below * (1 + ROUNDING);
}

/* For gamma below the root of base = below - R, base alone is too large; above it the bound is at least the smallest base
 * plus R at the root, for R grows with gamma. Each root gives a larger one, until the proof succeeds or they converge. */
static bool is_hopeless(curve *c, double below, double limit)
{
    const hsgd_bound_params *p = c->params;
    double a = 2 * p->delta / (double)p->steps, b = p->smoothness * p->noise_sq * p->tree.noise_share, rest = 0;
    double least = base_minimum(a, b, limit);
    for (int i = 0; i < 8; i++) {
        if (least + rest > below)
            return true;
        double root = base_root(a, b, below - rest);
        if (root >= limit)
            return root > limit * (1 + ROUNDING);
        double found = at(c, root), grown = found - (a / root + b * root);
        if (!(grown > rest * (1 + 1e-6)))
            return false;
        rest = grown;
    }
    return false;
}

/* ---- the minimum ---- */

/* Slower than Brent's method, but it needs nothing: no memory, and no value between that is strictly smaller. */
static double golden_section(curve *c, double low, double high)
{
    const double share = (sqrt(5) - 1) / 2;
    while (high - low > LOG_WIDTH) {
        double left = high - share * (high - low), right = low + share * (high - low);
        bool is_left = at_log(left, c) <= at_log(right, c);
        *(is_left ? &high : &low) = is_left ? right : left;
    }
    return exp(low / 2 + high / 2);
}

/* Brent between low and high with a value at middle below both ends. GSL refuses to start where values are equal up to
 * rounding, or an end is not admissible. */
static double refine(curve *c, double low, double middle, double high)
{
    gsl_function function = {at_log, c};
    gsl_min_fminimizer *minimizer = gsl_min_fminimizer_alloc(gsl_min_fminimizer_brent);
    if (!minimizer || gsl_min_fminimizer_set(minimizer, &function, middle, low, high) != GSL_SUCCESS) {
        gsl_min_fminimizer_free(minimizer);
        return golden_section(c, low, high);
    }
    for (int i = 0; i < MAX_ITERATIONS && gsl_min_fminimizer_iterate(minimizer) == GSL_SUCCESS; i++)
        if (gsl_min_fminimizer_x_upper(minimizer) - gsl_min_fminimizer_x_lower(minimizer) < LOG_WIDTH)
            break;
    middle = gsl_min_fminimizer_x_minimum(minimizer);
    gsl_min_fminimizer_free(minimizer);
    return exp(middle);
}

/* Between low and high, whose value may be the smallest: shrink towards it until a point between has a smaller one. */
static double refine_at_end(curve *c, double low, double high)
{
    double at_high = at_log(high, c);
    while (high - low > LOG_WIDTH) {
        double middle = high - 0.4 * (high - low);
        if (at_log(middle, c) < at_high)
            return refine(c, low, middle, high);
        low = middle;
    }
    return exp(high);
}

/* A convex function of gamma falls towards its minimum from both sides, also as one of log gamma. */
static double minimise_convex(curve *c, double largest)
{
    const double step = log(4);
    double high = log(largest), middle = high - step, low = middle - step;
    if (!(at_log(middle, c) < at_log(high, c)))
        return refine_at_end(c, middle, high);
    while (at_log(low, c) <= at_log(middle, c) && low > high - 1000) {
        high = middle;
        middle = low;
        low -= step;
    }
    return refine(c, low, middle, high);
}

static double minimise_on_grid(curve *c, double largest)
{
    double high = log(largest), step = GRID_DECADES * log(10) / (GRID_POINTS - 1), least = INFINITY;
    size_t best = 0;
    for (size_t i = 0; i < GRID_POINTS; i++) {
        double value = at_log(high - (double)i * step, c);
        if (value < least) {
            least = value;
            best = i;
        }
    }
    double middle = high - (double)best * step;
    return best == 0 ? refine_at_end(c, middle - step, middle) : refine(c, middle - step, middle, middle + step);
}

/* Conditions that do not depend on the step size fail for a tiny one, too; c->value then says which. */
static bool applies(curve *c)
{
    return isfinite(at(c, 1e-9 / c->params->smoothness / (double)hsgd_hierarchy_global_period(&c->params->tree)));
}

/* Of a bound that does not say what its largest step size is, or not all: bisection. */
static double find_largest(curve *c)
{
    double low = c->params->step_size, high = 2 * low;
    for (; isfinite(at(c, high)) && high < 1e6 / c->params->smoothness; high *= 2)
        low = high;
    while (high > low * (1 + 1e-9)) {
        double middle = sqrt(low * high);
        *(isfinite(at(c, middle)) ? &low : &high) = middle;
    }
    return low;
}

/* Just below the limit of the bounds of which something is proved: they apply to all step sizes up to there. */
static double largest_of(curve *c, bool convex)
{
    double limit = c->value.max_step_size;
    if (convex)
        return limit * BELOW_LIMIT;
    double largest = find_largest(c) * BELOW_LIMIT;
    return limit > 0 && largest < limit * BELOW_LIMIT && isfinite(at(c, limit * BELOW_LIMIT)) ? limit * BELOW_LIMIT
                                                                                              : largest;
}

/* At its limit a bound may hold or not. */
static void try_limit(hsgd_plan_step_size *out, curve *c)
{
    double value = at(c, out->max_step_size);
    if (value <= out->value) {
        out->value = value;
        out->step_size = out->max_step_size;
    }
}

void hsgd_plan_minimise(hsgd_plan_step_size *out, const hsgd_bound *bound, hsgd_bound_params *params, double below)
{
    curve c = {.bound = bound, .params = params};
    bool convex = hsgd_plan_bound_is_convex(bound);
    *out = (hsgd_plan_step_size){.value = INFINITY, .step_size = NAN};
    below *= 1 + ROUNDING;
    if (!applies(&c)) {
        memcpy(out->reason, c.value.reason, sizeof out->reason);
        return;
    }
    out->max_step_size = c.value.max_step_size;
    double largest = largest_of(&c, convex), stop = largest;
    if (convex && isfinite(below) && is_hopeless(&c, below, out->max_step_size))
        return;
    if (convex && params->noise_sq > 0) /* the minimum of base is not below that of the sum */
        stop = fmin(largest, sqrt(2 * params->delta / (double)params->steps /
                                  (params->smoothness * params->noise_sq * params->tree.noise_share)));
    out->step_size = convex ? minimise_convex(&c, stop) : minimise_on_grid(&c, largest);
    out->value = at(&c, out->step_size);
    out->found = isfinite(out->value);
    out->at_limit = out->found && out->step_size >= largest * (1 - 2e-9);
    if (out->at_limit && isfinite(out->max_step_size))
        try_limit(out, &c);
    if (!out->found)
        memcpy(out->reason, c.value.reason, sizeof out->reason);
}
