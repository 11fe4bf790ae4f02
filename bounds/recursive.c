/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The recursive bound, on S and on the dispersion itself (THEORY 4.4, with weights 4.3).
 *
 * Glossary    gamma  step_size    L  smoothness    sigma^2  noise_sq    P_u  period    p_u  weight    beta_u divergence
 *
 *     s = t mod P_u
 *     b_u(t) = gamma [ sqrt(s noise_share_u sigma^2) + sum_{tau=t-s}^{t-1} (beta_u + L sqrt(W_u(tau))) ]
 *     W_u(t) = b_u(t)^2 + sum_v (p_v/p_u) W_v(t)
 *     E B_u^t <= b_u(t)^2,   E B_k^t <= sum_{u of level k} p_u b_u(t)^2
 *     S <= base + L^2 (1/T) sum_{t<T} sum_k B_k^t,   if gamma <= 1/L.
 *
 * The bound on the dispersion needs no condition on gamma; only the step from it to S does.
 *
 * Running sums over tau make a step cost O(entries), and everything starts afresh when t is a multiple of P_1, so S
 * costs O(min(T, P_1) entries) in time and O(entries) in memory: the sums of all entries must be carried from step to step,
 * in the workspace of the parameters. */
#include "bounds/bound_private.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct recursion_entry {
    size_t parent, depth, period;
    double weight;
    double weight_in_parent; /* p_u/p_parent, total of the copies in both */
    double noise_sq;         /* noise_share sigma^2 */
    double divergence;       /* beta_u */
    double smoothness;       /* L */
    size_t elapsed;          /* s */
    double deviation_sum;    /* sum of sqrt(W_u(tau)) over the s steps since the node last averaged */
    double within_sq;        /* W_u(t), collected from the children */
} recursion_entry;

size_t hsgd_recursion_bytes(size_t num_nodes)
{
    return (num_nodes + 1) * sizeof(recursion_entry);
}

typedef struct recursion {
    recursion_entry *entry; /* (num_entries), borrowed, in pre-order */
    size_t num_entries;
    double step_size;
} recursion;

/* A node with one child has the same average as it: nothing deviates, whatever its children do. */
static void set_entry(recursion_entry *e, const hsgd_node *node, size_t u, double divergence_sq, double smoothness,
                      double noise_sq)
{
    bool one_child = node[u].num_children == 1;
    size_t parent = node[u].parent;
    *e = (recursion_entry){.parent = parent,
                           .depth = node[u].depth,
                           .period = node[u].period,
                           .weight = node[u].weight,
                           .weight_in_parent = parent == HSGD_NO_NODE ? 1 : node[u].weight / node[parent].weight,
                           .noise_sq = one_child ? 0 : node[u].noise_share * noise_sq,
                           .divergence = one_child ? 0 : sqrt(divergence_sq),
                           .smoothness = one_child ? 0 : smoothness};
}

/* The bound on E B_k^t per level for the current t, starting with t = 0, into level_sq (levels); then on to t + 1.
 * Pre-order backwards visits children before their parents. Overflow gives INFINITY, never NAN. */
static void recursion_step(recursion *r, double *level_sq, size_t num_levels)
{
    memset(level_sq, 0, num_levels * sizeof *level_sq);
    for (size_t u = r->num_entries; u-- > 0;) {
        recursion_entry *e = &r->entry[u];
        double s = (double)e->elapsed, drag = e->smoothness > 0 ? e->smoothness * e->deviation_sum : 0;
        double b = r->step_size * (sqrt(s * e->noise_sq) + s * e->divergence + drag);
        double within_sq = b * b + e->within_sq;
        level_sq[e->depth] += e->weight * (b * b);
        if (e->parent != HSGD_NO_NODE)
            r->entry[e->parent].within_sq += e->weight_in_parent * within_sq;
        e->within_sq = 0;
        e->deviation_sum += sqrt(within_sq);
        if (++e->elapsed == e->period) {
            e->elapsed = 0;
            e->deviation_sum = 0;
        }
    }
}

/* ---- the bound on S ---- */

static double total(const double *level, size_t num_levels)
{
    double sum = 0;
    for (size_t k = 0; k < num_levels; k++)
        sum += level[k];
    return sum;
}

/* mean_sq (levels): (1/T) sum_{t<T} of the level bounds, T = Q P_1 + R being Q equal periods and the first R steps of
 * one more. Stops as soon as the sum is infinite. */
static void mean_over_steps(double *mean_sq, recursion *r, size_t steps, size_t period, size_t num_levels)
{
    double whole[HSGD_MAX_LEVELS] = {0}, part[HSGD_MAX_LEVELS] = {0}, level_sq[HSGD_MAX_LEVELS];
    size_t periods = steps / period, rest = steps % period, needed = periods ? period : rest;
    for (size_t t = 0; t < needed && isfinite(total(whole, num_levels)); t++) {
        recursion_step(r, level_sq, num_levels);
        for (size_t k = 0; k < num_levels; k++) {
            whole[k] += level_sq[k];
            if (t < rest)
                part[k] += level_sq[k];
        }
    }
    for (size_t k = 0; k < num_levels; k++)
        mean_sq[k] = periods ? ((double)periods * whole[k] + part[k]) / (double)steps : whole[k] / (double)steps;
}

static void add_dispersion(hsgd_bound_value *out, recursion *r, const hsgd_view *view, const hsgd_bound_params *params)
{
    double mean_sq[HSGD_MAX_LEVELS];
    for (size_t u = 0; u < r->num_entries; u++)
        set_entry(&r->entry[u], view->node, u, hsgd_view_divergence_sq(view, u), params->smoothness, params->noise_sq);
    mean_over_steps(mean_sq, r, params->steps, view->period, view->num_levels);
    for (size_t k = 0; k < view->num_levels; k++)
        hsgd_value_add(out, params->smoothness * (params->smoothness * mean_sq[k]), "dispersion, level %zu", k + 1);
}

static void eval(const hsgd_bound *bound, const hsgd_bound_params *params, hsgd_bound_value *out)
{
    hsgd_view view;
    hsgd_view_init(&view, params, bound->algorithm);
    hsgd_value_start(out, hsgd_inverse_smoothness(params->smoothness));
    if ((bound->algorithm == HSGD_ALGORITHM_HSGD_RANDOM && hsgd_refuse_weights(out, params)) ||
        hsgd_refuse_missing(out, view.missing) || hsgd_refuse_delta(out, params) ||
        hsgd_refuse_above_inverse_smoothness(out, params))
        return;
    hsgd_value_add_base(out, params);
    if (view.num_nodes) {
        recursion r = {params->workspace, view.num_nodes, params->step_size};
        add_dispersion(out, &r, &view, params);
    }
    hsgd_value_finish(out);
}

/* ---- the bound on the dispersion ---- */

/* Rows are exactly periodic with the root's period. */
static void fill_rows(double *out, recursion *r, size_t steps, size_t period, size_t num_levels)
{
    for (size_t t = 0; t < steps; t++) {
        double *row = out + t * num_levels;
        if (t < period)
            recursion_step(r, row, num_levels);
        else
            memcpy(row, row - period * num_levels, num_levels * sizeof *row);
    }
}

static bool is_finite_and_not_negative(double value)
{
    return value >= 0 && isfinite(value);
}

hsgd_status hsgd_dispersion_bound(double *out, const hsgd_hierarchy *h, const double *divergence_sq, double step_size,
                                  double smoothness, double noise_sq, size_t steps, hsgd_error *err)
{
    if (!(step_size > 0) || !isfinite(step_size) || !is_finite_and_not_negative(smoothness) ||
        !is_finite_and_not_negative(noise_sq))
        return hsgd_fail(err, HSGD_ERROR_INPUT, "the step size %g, L %g or sigma^2 %g is out of range", step_size,
                         smoothness, noise_sq);
    for (size_t u = 0; u < h->num_nodes; u++)
        if (!is_finite_and_not_negative(divergence_sq[u]))
            return hsgd_fail(err, HSGD_ERROR_INPUT, "divergence_sq[%zu]: %g is not a finite number of at least 0", u,
                             divergence_sq[u]);
    if (!h->num_nodes)
        return HSGD_OK;
    recursion r = {malloc(h->num_nodes * sizeof *r.entry), h->num_nodes, step_size};
    if (!r.entry)
        return hsgd_fail_memory(err, "the dispersion bound");
    for (size_t u = 0; u < h->num_nodes; u++)
        set_entry(&r.entry[u], h->node, u, divergence_sq[u], smoothness, noise_sq);
    fill_rows(out, &r, steps, h->node[0].period, h->num_levels);
    free(r.entry);
    return HSGD_OK;
}

/* ---- records ---- */

const hsgd_bound hsgd_bound_fixed_recursive = {
    .id = "hsgd-fixed-recursive",
    .title = "H-SGD, fixed groups, recursive",
    .citation = "THEORY 4.4",
    .target = HSGD_TARGET_S,
    .algorithm = HSGD_ALGORITHM_HSGD,
    .eval = eval,
};

const hsgd_bound hsgd_bound_random_recursive = {
    .id = "hsgd-random-recursive",
    .title = "H-SGD, random groups, recursive",
    .citation = "THEORY 4.4 and 5",
    .target = HSGD_TARGET_S,
    .algorithm = HSGD_ALGORITHM_HSGD_RANDOM,
    .eval = eval,
};
