/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "analysis/link_fit.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/nonnegative_fit.h"

/* The deepest level whose links the average of a node passes. */
static size_t deepest(const hsgd_hierarchy *h, size_t node, hsgd_route route)
{
    size_t depth = h->node[node].depth;
    for (size_t v = node + 1; route == HSGD_ROUTE_TREE && v < h->node[node].end; v++)
        depth = h->node[v].depth > depth ? h->node[v].depth : depth;
    return depth;
}

double hsgd_link_fit_seconds(const hsgd_link_fit *fit, const hsgd_hierarchy *h, size_t node, double bytes)
{
    double sum = 0;
    for (size_t k = h->node[node].depth; k <= deepest(h, node, fit->route); k++)
        sum += 2 * (fit->level[k].latency_s + bytes / fit->level[k].bandwidth_bytes_per_s);
    return sum;
}

/* ---- one fit ---- */

/* Some five are enough where the model describes the times; where it does not, any will do. */
enum { MOST_ROUNDS = 50 };

/* The levels first .. last, from the averages at nodes of these depths. Unknowns: latencies, then inverse bandwidths. */
typedef struct block {
    const hsgd_hierarchy *h;
    const hsgd_timed_average *average;
    size_t count, first, last;
} block;

static bool belongs(const block *b, size_t i)
{
    size_t depth = b->h->node[b->average[i].node].depth;
    return depth >= b->first && depth <= b->last;
}

/* Rows a_i / s_i and right sides t_i / s_i, times the root of the weight, with s_i (count) the fit so far. Returns their
 * number. */
static size_t fill(double *A, double *right, const block *b, hsgd_route route, const double *fitted_s)
{
    size_t levels = b->last - b->first + 1, rows = 0;
    for (size_t i = 0; i < b->count; i++) {
        if (!belongs(b, i))
            continue;
        const hsgd_timed_average *average = &b->average[i];
        double *row = A + rows * 2 * levels, unit = sqrt(average->weight) / fitted_s[i];
        memset(row, 0, 2 * levels * sizeof *row);
        for (size_t k = b->h->node[average->node].depth; k <= deepest(b->h, average->node, route); k++) {
            row[k - b->first] = 2 * unit;
            row[levels + k - b->first] = 2 * unit * average->bytes;
        }
        right[rows++] = unit * average->time_s;
    }
    return rows;
}

static void give_level(hsgd_fitted_level *out, const double *x, const double *covariance, size_t k, size_t levels)
{
    double inverse = x[levels + k], inverse_var = covariance[(levels + k) * (2 * levels + 1)];
    out->latency_s = x[k];
    out->latency_se = sqrt(covariance[k * (2 * levels + 1)]);
    bool limited = inverse > 1 / HSGD_NO_BANDWIDTH_LIMIT;
    out->bandwidth_bytes_per_s = limited ? 1 / inverse : HSGD_NO_BANDWIDTH_LIMIT;
    out->bandwidth_se = limited ? sqrt(inverse_var) / (inverse * inverse) : 0;
}

/* fitted_s (count) of the new numbers, never far below the measured time; returns the largest relative change. */
static double refit(double *fitted_s, const hsgd_link_fit *fit, const block *b)
{
    const double least = 1e-3;
    double change = 0;
    for (size_t i = 0; i < b->count; i++) {
        if (!belongs(b, i))
            continue;
        const hsgd_timed_average *average = &b->average[i];
        double now_s = fmax(hsgd_link_fit_seconds(fit, b->h, average->node, average->bytes), least * average->time_s);
        change = fmax(change, fabs(now_s / fitted_s[i] - 1));
        fitted_s[i] = now_s;
    }
    return change;
}

/* The unit of a residual is the fit itself, which is found by repetition. */
static hsgd_status repeat_fit(hsgd_link_fit *out, const block *b, double *A, double *right, double *x,
                              double *covariance, double *fitted_s, hsgd_error *err)
{
    const double small_change = 1e-10;
    size_t levels = b->last - b->first + 1;
    for (size_t i = 0; i < b->count; i++)
        fitted_s[i] = b->average[i].time_s;
    for (int round = 0; round < MOST_ROUNDS; round++) {
        size_t rows = fill(A, right, b, out->route, fitted_s);
        hsgd_status status = hsgd_nonnegative_fit(x, covariance, NULL, A, right, rows, 2 * levels, err);
        if (status)
            return status;
        for (size_t k = 0; k < levels; k++)
            give_level(&out->level[b->first + k], x, covariance, k, levels);
        if (refit(fitted_s, out, b) < small_change)
            break;
    }
    return HSGD_OK;
}

static hsgd_status fit_block(hsgd_link_fit *out, const block *b, hsgd_error *err)
{
    size_t cols = 2 * (b->last - b->first + 1);
    double *memory = malloc((b->count * (cols + 2) + cols + cols * cols) * sizeof *memory);
    if (!memory)
        return hsgd_fail_memory(err, "a fit of latencies");
    double *right = memory + b->count * cols, *fitted_s = right + b->count, *x = fitted_s + b->count;
    hsgd_status status = repeat_fit(out, b, memory, right, x, x + cols, fitted_s, err);
    free(memory);
    return status;
}

/* ---- all of it ---- */

static void find_residuals(hsgd_link_fit *fit, const hsgd_hierarchy *h, const hsgd_timed_average *average, size_t count)
{
    double weight[HSGD_MAX_LEVELS] = {0};
    for (size_t i = 0; i < count; i++) {
        size_t k = h->node[average[i].node].depth;
        hsgd_fitted_level *level = &fit->level[k];
        double residual = average[i].time_s / hsgd_link_fit_seconds(fit, h, average[i].node, average[i].bytes) - 1;
        weight[k] += average[i].weight;
        level->rms_residual += average[i].weight * residual * residual;
        if (fabs(residual) > fabs(level->largest_residual))
            level->largest_residual = residual;
    }
    for (size_t k = 0; k < fit->num_levels; k++)
        fit->level[k].rms_residual = sqrt(fit->level[k].rms_residual / weight[k]);
}

/* Two sizes at every level, or its two numbers cannot be told apart. */
static hsgd_status check(hsgd_link_fit *out, const hsgd_hierarchy *h, const hsgd_timed_average *average, size_t count,
                         hsgd_error *err)
{
    double low[HSGD_MAX_LEVELS] = {0}, high[HSGD_MAX_LEVELS] = {0};
    for (size_t i = 0; i < count; i++) {
        const hsgd_timed_average *a = &average[i];
        if (a->node >= h->num_nodes || !(a->time_s > 0) || !isfinite(a->time_s) || !(a->bytes >= 0) ||
            !isfinite(a->bytes) || !(a->weight > 0) || !isfinite(a->weight))
            return hsgd_fail(err, HSGD_ERROR_INPUT,
                             "average %zu: node %zu, %g bytes in %g s with weight %g cannot be fitted", i, a->node,
                             a->bytes, a->time_s, a->weight);
        size_t k = h->node[a->node].depth;
        low[k] = out->level[k].count ? fmin(low[k], a->bytes) : a->bytes;
        high[k] = out->level[k].count++ ? fmax(high[k], a->bytes) : a->bytes;
    }
    for (size_t k = 0; k < h->num_levels; k++)
        if (!out->level[k].count || !(high[k] > low[k]))
            return hsgd_fail(err, HSGD_ERROR_INPUT, "level %zu: needs measured averages of at least two sizes", k + 1);
    return HSGD_OK;
}

hsgd_status hsgd_link_fit_make(hsgd_link_fit *out, const hsgd_hierarchy *h, hsgd_route route,
                               const hsgd_timed_average *average, size_t count, hsgd_error *err)
{
    *out = (hsgd_link_fit){.num_levels = h->num_levels, .route = route};
    if (!hsgd_hierarchy_is_expanded(h) || h->num_levels < 1)
        return hsgd_fail(err, HSGD_ERROR_INPUT, "a fit of latencies needs a hierarchy with one entry per node");
    hsgd_status status = check(out, h, average, count, err);
    size_t last = h->num_levels - 1;
    for (size_t k = 0; k <= last && !status; k++) {
        bool alone = route == HSGD_ROUTE_DIRECT;
        status = fit_block(out, &(block){h, average, count, k, alone ? k : last}, err);
        if (!alone)
            break;
    }
    if (!status)
        find_residuals(out, h, average, count);
    return status;
}
