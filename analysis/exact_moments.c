/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Glossary   mean (n, d) E w_j    noise_root (d) S_0    noise_node (nodes, d) S_u    centre (nodes, d) E wbar_u */
#include "analysis/exact_moments_private.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/memory.h"

typedef struct exact_work {
    const hsgd_quadratic *q;
    const hsgd_hierarchy *h;
    double step_size;
    double *mean, *noise_root, *noise_node, *centre, *linear; /* linear (d): sum_j p_j b_j */
} exact_work;

static double worker_weight(const hsgd_hierarchy *h, size_t j)
{
    return h->worker_weight ? h->worker_weight[j] : 1 / (double)h->num_workers;
}

/* centre_u = weighted mean of the workers below u, for every node, from the workers directly. Deviations from the first
 * of them are summed, so that equal workers have exactly their common value as mean and no dispersion. */
static void find_centres(exact_work *w)
{
    size_t d = w->q->dim;
    for (size_t u = 0; u < w->h->num_nodes; u++) {
        const hsgd_node *node = &w->h->node[u];
        const double *first = w->mean + node->first_worker * d;
        double *centre = w->centre + u * d;
        memcpy(centre, first, d * sizeof *centre);
        for (size_t j = node->first_worker + 1; j < node->first_worker + node->num_workers; j++)
            for (size_t i = 0; i < d; i++)
                centre[i] += worker_weight(w->h, j) / node->weight * (w->mean[j * d + i] - first[i]);
    }
}

static double squared_distance(const double *x, const double *y, size_t d)
{
    double sum = 0;
    for (size_t i = 0; i < d; i++)
        sum += (x[i] - y[i]) * (x[i] - y[i]);
    return sum;
}

/* E B_k of every level: between-children dispersion of the means, plus the noise component of each node. */
static void record_dispersion(const exact_work *w, double *level)
{
    size_t d = w->q->dim;
    memset(level, 0, w->h->num_levels * sizeof *level);
    for (size_t u = 0; u < w->h->num_nodes; u++) {
        const hsgd_node *node = &w->h->node[u];
        if (u > 0)
            level[node->depth - 1] +=
                node->weight * squared_distance(w->centre + u * d, w->centre + node->parent * d, d);
        if (hsgd_node_is_lowest(w->h, u))
            for (size_t j = node->first_worker; j < node->first_worker + node->num_workers; j++)
                level[node->depth] += worker_weight(w->h, j) * squared_distance(w->mean + j * d, w->centre + u * d, d);
        for (size_t i = 0; i < d; i++)
            level[node->depth] += node->weight * w->noise_node[u * d + i];
    }
}

/* E||grad f(wbar)||^2 = ||H mbar - bbar||^2 + sum h_i^2 S_0i; E f(wbar) likewise. */
static void record_gradient(const exact_work *w, double *grad_norm_sq, double *loss)
{
    *grad_norm_sq = *loss = 0;
    for (size_t i = 0; i < w->q->dim; i++) {
        double h = w->q->curvature[i], m = w->centre[i], gradient = h * m - w->linear[i];
        *grad_norm_sq += gradient * gradient + h * h * w->noise_root[i];
        *loss += 0.5 * h * (m * m + w->noise_root[i]) - w->linear[i] * m;
    }
}

static void local_step(exact_work *w)
{
    size_t d = w->q->dim;
    double fresh = w->step_size * w->step_size * w->q->noise_sq / (double)d;
    for (size_t i = 0; i < d; i++) {
        double a = 1 - w->step_size * w->q->curvature[i];
        for (size_t j = 0; j < w->q->num_workers; j++)
            w->mean[j * d + i] = a * w->mean[j * d + i] + w->step_size * w->q->linear[j * w->q->stride + i];
        w->noise_root[i] = a * a * w->noise_root[i] + fresh * w->h->noise_share;
        for (size_t u = 0; u < w->h->num_nodes; u++)
            w->noise_node[u * d + i] = a * a * w->noise_node[u * d + i] + fresh * w->h->node[u].noise_share;
    }
}

/* After update number t: the due nodes give their centre to their workers and lose all noise below them. Returns
 * whether there was one. */
static bool aggregate(exact_work *w, size_t t)
{
    bool any = false;
    size_t d = w->q->dim;
    for (size_t u = 0; u < w->h->num_nodes; u++) {
        const hsgd_node *node = &w->h->node[u];
        if (!hsgd_node_acts(w->h, u, t))
            continue;
        any = true;
        for (size_t j = node->first_worker; j < node->first_worker + node->num_workers; j++)
            memcpy(w->mean + j * d, w->centre + u * d, d * sizeof *w->mean);
        memset(w->noise_node + u * d, 0, (node->end - u) * d * sizeof *w->noise_node);
    }
    return any;
}

hsgd_status hsgd_exact_allocate(hsgd_exact *out, size_t steps, size_t num_levels, hsgd_error *err)
{
    *out = (hsgd_exact){.steps = steps, .num_levels = num_levels};
    out->grad_norm_sq = calloc(steps, sizeof *out->grad_norm_sq);
    out->loss = calloc(steps, sizeof *out->loss);
    out->dispersion = calloc(steps * num_levels, sizeof *out->dispersion);
    bool complete = out->grad_norm_sq && out->loss && out->dispersion;
    return complete ? HSGD_OK : hsgd_fail_memory(err, "the exact moments");
}

static hsgd_status allocate(exact_work *w, hsgd_error *err)
{
    size_t d = w->q->dim, nodes = w->h->num_nodes;
    w->mean = calloc(w->q->num_workers * d, sizeof *w->mean);
    w->noise_root = calloc(d, sizeof *w->noise_root);
    w->noise_node = calloc(nodes * d, sizeof *w->noise_node);
    w->centre = calloc(nodes * d, sizeof *w->centre);
    w->linear = calloc(d, sizeof *w->linear);
    bool complete = w->mean && w->noise_root && w->noise_node && w->centre && w->linear;
    return complete ? HSGD_OK : hsgd_fail_memory(err, "the exact moments");
}

static void run(exact_work *w, hsgd_exact *out)
{
    find_centres(w);
    for (size_t t = 0; t < out->steps; t++) {
        record_gradient(w, &out->grad_norm_sq[t], &out->loss[t]);
        record_dispersion(w, out->dispersion + t * out->num_levels);
        out->S += (out->grad_norm_sq[t] - out->S) / (double)(t + 1);
        local_step(w);
        find_centres(w);
        if (aggregate(w, t + 1))
            find_centres(w);
    }
    double unused;
    record_gradient(w, &unused, &out->final_loss);
}

static hsgd_status one_hessian(hsgd_exact *out, const hsgd_quadratic *quadratic, const hsgd_hierarchy *h,
                               const double *initial, double step_size, size_t steps, hsgd_error *err)
{
    exact_work w = {.q = quadratic, .h = h, .step_size = step_size};
    double vectors = (double)quadratic->num_workers + 2 * (double)h->num_nodes + 2;
    double bytes = 8 * ((double)steps * (double)(h->num_levels + 2) + vectors * (double)quadratic->dim);
    *out = (hsgd_exact){0};
    hsgd_status status = hsgd_memory_check(bytes, "the table of exact moments", "fewer steps or fewer workers", err);
    if (!status)
        status = hsgd_exact_allocate(out, steps, h->num_levels, err);
    if (!status)
        status = allocate(&w, err);
    if (!status) {
        for (size_t j = 0; j < quadratic->num_workers; j++)
            memcpy(w.mean + j * quadratic->dim, initial, quadratic->dim * sizeof *initial);
        hsgd_quadratic_mean_linear(quadratic, h->worker_weight, w.linear);
        run(&w, out);
    } else
        hsgd_exact_free(out);
    free(w.mean);
    free(w.noise_root);
    free(w.noise_node);
    free(w.centre);
    free(w.linear);
    return status;
}

/* From the first number beyond the range of a double on, everything is infinite, as in a run that diverged: inf - inf would
 * say nothing. */
static void mark_overflow(hsgd_exact *e)
{
    size_t t = 0, levels = e->num_levels;
    for (bool finite = true; t < e->steps; t++) {
        finite = isfinite(e->grad_norm_sq[t]) && isfinite(e->loss[t]);
        for (size_t k = 0; k < levels; k++)
            finite = finite && isfinite(e->dispersion[t * levels + k]);
        if (!finite)
            break;
    }
    if (t < e->steps)
        e->S = INFINITY;
    if (t < e->steps || !isfinite(e->final_loss))
        e->final_loss = INFINITY;
    for (; t < e->steps; t++) {
        e->grad_norm_sq[t] = e->loss[t] = INFINITY;
        for (size_t k = 0; k < levels; k++)
            e->dispersion[t * levels + k] = INFINITY;
        if (e->global_divergence)
            e->global_divergence[t] = INFINITY;
        for (size_t u = 0; u < e->num_nodes; u++)
            e->node_divergence[t * e->num_nodes + u] = INFINITY;
    }
}

hsgd_status hsgd_exact_moments(hsgd_exact *out, const hsgd_quadratic *quadratic, const hsgd_hierarchy *h,
                               const double *initial, double step_size, size_t steps, hsgd_error *err)
{
    hsgd_status status = quadratic->worker_curvature
                             ? hsgd_exact_moments_own(out, quadratic, h, initial, step_size, steps, err)
                             : one_hessian(out, quadratic, h, initial, step_size, steps, err);
    if (!status)
        mark_overflow(out);
    return status;
}

void hsgd_exact_free(hsgd_exact *exact)
{
    if (!exact)
        return;
    free(exact->grad_norm_sq);
    free(exact->loss);
    free(exact->dispersion);
    free(exact->node_divergence);
    free(exact->global_divergence);
    memset(exact, 0, sizeof *exact);
}
