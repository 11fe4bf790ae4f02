/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Putting a result together, and the view of the tree that a bound works on (see bound_private.h).
 *
 * Glossary    n  tree.num_workers    eps~^2  global_divergence_sq    sum_j p_j^2  tree.noise_share */
#include "bounds/bound_private.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* ---- the view ---- */

static void view_local(hsgd_view *view, const hsgd_bound_params *params, size_t period)
{
    const hsgd_hierarchy *tree = &params->tree;
    double n = (double)tree->num_workers;
    view->local = (hsgd_node){.parent = HSGD_NO_NODE,
                              .period = period,
                              .num_children = tree->num_workers,
                              .num_workers = tree->num_workers,
                              .copies = 1,
                              .end = 1,
                              .weight = 1,
                              .noise_share = tree->worker_weight ? 1 - tree->noise_share : (n - 1) / n};
    view->node = &view->local;
    view->num_nodes = view->num_levels = tree->num_workers > 1 ? 1 : 0;
    view->divergence_sq = &params->global_divergence_sq;
}

static void view_tree(hsgd_view *view, const hsgd_bound_params *params)
{
    view->node = params->tree.node;
    view->num_nodes = params->tree.num_nodes;
    view->num_levels = params->tree.num_levels;
    view->divergence_sq = params->divergence_sq;
}

/* Random grouping (THEORY 5). The mean of |v| workers drawn without replacement from n has variance
 * (n - |v|)/(|v| (n - 1)) eps~^2 around the mean of all, so
 *     E beta_u^2 = sum_v (|v|/|u|) (n - |v|)/(|v| (n - 1)) eps~^2 - (n - |u|)/(|u| (n - 1)) eps~^2
 *                = (c_u n - |u| - n + |u|)/(|u| (n - 1)) eps~^2 = (c_u - 1)/|u| * n/(n - 1) eps~^2.
 * Times the weight |u| copies/n this is lambda_u eps~^2 with lambda_u = copies (c_u - 1)/(n - 1), for any tree. */
static void view_random(hsgd_view *view, const hsgd_bound_params *params)
{
    double n = (double)params->tree.num_workers;
    view_tree(view, params);
    view->divergence_sq = NULL;
    view->random_scale = n / (n - 1) * params->global_divergence_sq;
}

bool hsgd_all_known(const double *values, size_t count)
{
    for (size_t i = 0; values && i < count; i++)
        if (isnan(values[i]))
            return false;
    return values;
}

void hsgd_view_init(hsgd_view *view, const hsgd_bound_params *params, hsgd_algorithm algorithm)
{
    memset(view, 0, sizeof *view);
    view->random_scale = NAN;
    switch (algorithm) {
    case HSGD_ALGORITHM_HSGD:
        view_tree(view, params);
        if (view->num_nodes && !hsgd_all_known(params->divergence_sq, view->num_nodes))
            view->missing = "level_divergence_sq";
        break;
    case HSGD_ALGORITHM_HSGD_RANDOM:
        view_random(view, params);
        break;
    case HSGD_ALGORITHM_LOCAL_INNER:
        view_local(view, params, hsgd_hierarchy_local_period(&params->tree));
        break;
    case HSGD_ALGORITHM_LOCAL_OUTER:
        view_local(view, params, hsgd_hierarchy_global_period(&params->tree));
        break;
    }
    if (view->num_nodes && algorithm != HSGD_ALGORITHM_HSGD && isnan(params->global_divergence_sq))
        view->missing = "global_divergence_sq";
    view->period = view->num_nodes ? view->node[0].period : 1;
    view->period_name = algorithm == HSGD_ALGORITHM_LOCAL_INNER ? "I" : "G";
}

double hsgd_view_divergence_sq(const hsgd_view *view, size_t u)
{
    return view->divergence_sq ? view->divergence_sq[u] : view->random_scale * view->node[u].noise_share;
}

/* ---- the result ---- */

void hsgd_value_start(hsgd_bound_value *out, double max_step_size)
{
    memset(out, 0, sizeof *out);
    out->applicable = true;
    out->value = NAN;
    out->max_step_size = max_step_size;
}

void hsgd_value_add(hsgd_bound_value *out, double value, const char *format, ...)
{
    hsgd_term *term = &out->term[out->num_terms++];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(term->name, sizeof term->name, format, arguments);
    va_end(arguments);
    term->value = value;
}

/* "WHAT" or "WHAT, level K" (K from 1, 0: none). Without printf, which would take longer than all of a closed form: searches
 * evaluate millions of them. */
static void add_named(hsgd_bound_value *out, double value, const char *what, size_t level)
{
    static const char between[] = ", level ";
    char *name = out->term[out->num_terms].name;
    size_t length = strlen(what);
    memcpy(name, what, length + 1);
    if (level) {
        memcpy(name + length, between, sizeof between);
        length += sizeof between - 1;
        if (level >= 10)
            name[length++] = (char)('0' + level / 10);
        name[length++] = (char)('0' + level % 10);
        name[length] = '\0';
    }
    out->term[out->num_terms++].value = value;
}
_Static_assert(HSGD_MAX_LEVELS < 100, "two digits are enough for a level");

void hsgd_value_add_base(hsgd_bound_value *out, const hsgd_bound_params *params)
{
    double gamma = params->step_size;
    add_named(out, 2 * params->delta / (gamma * (double)params->steps), "initial gap", 0);
    add_named(out, gamma * params->smoothness * params->noise_sq * params->tree.noise_share, "gradient noise", 0);
}

void hsgd_value_add_levels(hsgd_bound_value *out, const hsgd_level_sums *sums, size_t num_levels)
{
    for (size_t k = 0; k < num_levels; k++) {
        add_named(out, sums->noise[k], "noise drift", k + 1);
        add_named(out, sums->divergence[k], "divergence", k + 1);
    }
}

void hsgd_value_finish(hsgd_bound_value *out)
{
    double sum = 0;
    for (size_t i = 0; i < out->num_terms; i++)
        sum += out->term[i].value;
    if (isfinite(sum))
        out->value = sum;
    else
        hsgd_refuse(out, "its value overflows the range of floating-point numbers");
}

static void set_reason(hsgd_bound_value *out, const char *format, va_list arguments)
{
    out->applicable = false;
    vsnprintf(out->reason, sizeof out->reason, format, arguments);
}

bool hsgd_refuse(hsgd_bound_value *out, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    set_reason(out, format, arguments);
    va_end(arguments);
    out->value = NAN;
    out->num_terms = 0;
    return true;
}

void hsgd_value_doubt(hsgd_bound_value *out, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    set_reason(out, format, arguments);
    va_end(arguments);
}

/* ---- conditions ---- */

double hsgd_inverse_smoothness(double smoothness)
{
    return smoothness > 0 ? 1 / smoothness : INFINITY;
}

bool hsgd_refuse_weights(hsgd_bound_value *out, const hsgd_bound_params *params)
{
    return params->tree.worker_weight && hsgd_refuse(out, "published for equal weights of the workers only");
}

bool hsgd_refuse_missing(hsgd_bound_value *out, const char *field)
{
    return field && hsgd_refuse(out, "%s is needed and not known", field);
}

bool hsgd_refuse_delta(hsgd_bound_value *out, const hsgd_bound_params *params)
{
    return !isfinite(params->delta) &&
           hsgd_refuse(out, "f is not bounded below, or not known to be, so Delta is infinite");
}

bool hsgd_refuse_above_inverse_smoothness(hsgd_bound_value *out, const hsgd_bound_params *params)
{
    double limit = hsgd_inverse_smoothness(params->smoothness);
    return params->step_size > limit &&
           hsgd_refuse(out, "step size %.6g is above %.6g = 1/L", params->step_size, limit);
}

bool hsgd_refuse_unless_two_levels(hsgd_bound_value *out, const hsgd_bound_params *params)
{
    return params->tree.num_levels != 2 &&
           hsgd_refuse(out, "published for two levels, but the canonical tree has %zu", params->tree.num_levels);
}

bool hsgd_refuse_unless_one_group_period(hsgd_bound_value *out, const hsgd_bound_params *params)
{
    size_t smallest = hsgd_hierarchy_local_period(&params->tree);
    for (size_t u = 1; u < params->tree.num_nodes; u++)
        if (params->tree.node[u].period != smallest)
            return hsgd_refuse(out, "published for one group period I, but groups have the periods %zu and %zu",
                               smallest, params->tree.node[u].period);
    return false;
}

size_t hsgd_num_rounds(const hsgd_bound_params *params)
{
    return params->steps / hsgd_hierarchy_global_period(&params->tree);
}

bool hsgd_refuse_without_round(hsgd_bound_value *out, const hsgd_bound_params *params)
{
    return hsgd_num_rounds(params) == 0 && hsgd_refuse(out, "%zu steps are less than one round of G = %zu steps",
                                                       params->steps, hsgd_hierarchy_global_period(&params->tree));
}
