/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Exact moments where every worker has a Hessian of its own (THEORY 7.1). Coordinates do not meet, so they are worked
 * through one after the other; what follows is about one of them.
 *
 * The model of worker j, without its mean, is  sum_u response_u,j X_u + Y_j  over the nodes u above j, with independent
 * X_u and Y_j of mean 0: X_u is what was new in the common model of u when u last averaged, Y_j the noise of j since its
 * lowest node averaged. A step multiplies the responses by a_j = 1 - gamma h_j; averaging makes of the part that is not
 * due to the nodes above a new X_u. So n variances and n M responses do what a covariance matrix would.
 *
 * Glossary   mean (n) E w_j           own_noise (n) E Y_j^2       response (M, n) of worker j to its ancestor of depth k
 *            centre (nodes) E wbar_u  source (nodes) E X_u^2      reach (M, nodes) of wbar_u to its ancestor of depth k
 *            share (n + nodes) p_v/p_u of a worker, of a node     inner (nodes) variance of wbar_u given all above u */
#include "analysis/exact_moments_private.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/memory.h"

typedef struct own_work {
    const hsgd_hierarchy *h;
    size_t workers, nodes;
    double curvature, linear; /* of f */
    double fresh;             /* variance that a step adds: gamma^2 sigma^2/d */
    double *factor, *drift;   /* (n) a_j, gamma b_j */
    double *worker_share, *node_share;
    double *mean, *own_noise, *response, *centre, *source, *reach, *inner;
} own_work;

/* ---- from the workers up to the root ---- */

/* The weighted mean of the children's values; deviations from the first are summed, so that equal values have exactly
 * their common value as mean. */
static double mean_of_children(const own_work *w, size_t u, const double *of_worker, const double *of_node)
{
    const hsgd_node *node = &w->h->node[u];
    double shift = 0;
    if (hsgd_node_is_lowest(w->h, u)) {
        const double *value = of_worker + node->first_worker, *share = w->worker_share + node->first_worker;
        for (size_t j = 1; j < node->num_workers; j++)
            shift += share[j] * (value[j] - value[0]);
        return value[0] + shift;
    }
    for (size_t v = w->h->node[u + 1].end; v < node->end; v = w->h->node[v].end)
        shift += w->node_share[v] * (of_node[v] - of_node[u + 1]);
    return of_node[u + 1] + shift;
}

/* sum_v (p_v/p_u)^power value_v with power 1 or 2, less that share of itself if between: sum q (1 - q) value. */
static double variance_of_children(const own_work *w, size_t u, bool between)
{
    const hsgd_node *node = &w->h->node[u];
    double sum = 0;
    if (hsgd_node_is_lowest(w->h, u))
        for (size_t j = node->first_worker; j < node->first_worker + node->num_workers; j++) {
            double q = w->worker_share[j];
            sum += q * (between ? 1 - q : q) * w->own_noise[j];
        }
    else
        for (size_t v = u + 1; v < node->end; v = w->h->node[v].end) {
            double q = w->node_share[v];
            sum += q * (between ? 1 - q : q) * w->inner[v];
        }
    return sum;
}

/* The means, responses and variances of all nodes; children stand behind their parents. */
static void gather(own_work *w)
{
    for (size_t u = w->nodes; u-- > 0;) {
        size_t depth = w->h->node[u].depth;
        w->centre[u] = mean_of_children(w, u, w->mean, w->centre);
        for (size_t k = 0; k <= depth; k++)
            w->reach[k * w->nodes + u] = mean_of_children(w, u, w->response + k * w->workers, w->reach + k * w->nodes);
        double reach = w->reach[depth * w->nodes + u];
        w->inner[u] = variance_of_children(w, u, false);
        if (w->source[u] > 0)
            w->inner[u] += reach * reach * w->source[u];
    }
}

/* ---- what is recorded ---- */

/* sum_v (p_v/p_u) (value_v - value_u)^2 over the children of u. */
static double spread_of_children(const own_work *w, size_t u, const double *of_worker, const double *of_node)
{
    const hsgd_node *node = &w->h->node[u];
    double sum = 0;
    if (hsgd_node_is_lowest(w->h, u))
        for (size_t j = node->first_worker; j < node->first_worker + node->num_workers; j++) {
            double deviation = of_worker[j] - of_node[u];
            sum += w->worker_share[j] * deviation * deviation;
        }
    else
        for (size_t v = u + 1; v < node->end; v = w->h->node[v].end) {
            double deviation = of_node[v] - of_node[u];
            sum += w->node_share[v] * deviation * deviation;
        }
    return sum;
}

/* E B_u: of the means, of what the children make of the nodes above, and of what is new in each of them. */
static double node_dispersion(const own_work *w, size_t u)
{
    if (w->h->node[u].num_children < 2)
        return 0;
    double sum = spread_of_children(w, u, w->mean, w->centre) + variance_of_children(w, u, true);
    for (size_t k = w->h->node[u].depth + 1, x = u; k-- > 0; x = w->h->node[x].parent)
        if (w->source[x] > 0)
            sum += w->source[x] * spread_of_children(w, u, w->response + k * w->workers, w->reach + k * w->nodes);
    return sum;
}

static void record(const own_work *w, hsgd_exact *out, size_t t)
{
    double gradient = w->curvature * w->centre[0] - w->linear, mean = w->centre[0];
    double loss = 0.5 * w->curvature * (mean * mean + w->inner[0]) - w->linear * mean;
    if (t == out->steps) {
        out->final_loss += loss;
        return;
    }
    out->loss[t] += loss;
    out->grad_norm_sq[t] += gradient * gradient + w->curvature * w->curvature * w->inner[0];
    for (size_t u = 0; u < w->nodes; u++)
        out->dispersion[t * out->num_levels + w->h->node[u].depth] += w->h->node[u].weight * node_dispersion(w, u);
}

/* ---- the algorithm ---- */

static void local_step(own_work *w)
{
    size_t n = w->workers;
    for (size_t j = 0; j < n; j++)
        w->mean[j] = w->factor[j] * w->mean[j] + w->drift[j];
    for (size_t j = 0; j < n; j++)
        w->own_noise[j] = w->factor[j] * w->factor[j] * w->own_noise[j] + w->fresh;
    for (size_t k = 0; k < w->h->num_levels; k++)
        for (size_t j = 0; j < n; j++)
            w->response[k * n + j] *= w->factor[j];
}

static void fill(double *value, size_t first, size_t count, double with)
{
    for (size_t j = first; j < first + count; j++)
        value[j] = with;
}

/* All workers below u take its model; what is new in it is all that was not due to the nodes above. */
static void average(own_work *w, size_t u)
{
    const hsgd_node *node = &w->h->node[u];
    size_t first = node->first_worker, count = node->num_workers;
    fill(w->mean, first, count, w->centre[u]);
    fill(w->own_noise, first, count, 0);
    for (size_t k = 0; k < w->h->num_levels; k++)
        fill(w->response + k * w->workers, first, count,
             k < node->depth    ? w->reach[k * w->nodes + u]
             : k == node->depth ? 1
                                : 0);
    fill(w->source, u, node->end - u, 0);
    w->source[u] = w->inner[u];
}

/* After update number t; gather comes before and, where this returns true, again. */
static bool average_due_nodes(own_work *w, size_t t)
{
    bool any = false;
    for (size_t u = 0; u < w->nodes; u++)
        if (hsgd_node_acts(w->h, u, t)) {
            average(w, u);
            any = true;
        }
    return any;
}

static void run_coordinate(own_work *w, hsgd_exact *out, double initial)
{
    fill(w->mean, 0, w->workers, initial);
    fill(w->own_noise, 0, w->workers, 0);
    fill(w->response, 0, w->workers * w->h->num_levels, 0);
    fill(w->source, 0, w->nodes, 0);
    gather(w);
    for (size_t t = 0; t < out->steps; t++) {
        record(w, out, t);
        local_step(w);
        gather(w);
        if (average_due_nodes(w, t + 1))
            gather(w);
    }
    record(w, out, out->steps);
}

/* ---- memory and set-up ---- */

static hsgd_status allocate(own_work *w, hsgd_error *err)
{
    size_t n = w->workers, nodes = w->nodes, levels = w->h->num_levels;
    double **array[] = {&w->factor, &w->drift,  &w->mean,  &w->own_noise, &w->worker_share, &w->node_share,
                        &w->centre, &w->source, &w->inner, &w->response,  &w->reach};
    const size_t count[] = {n, n, n, n, n, nodes, nodes, nodes, nodes, levels * n, levels * nodes};
    hsgd_status status = HSGD_OK;
    for (size_t i = 0; i < sizeof array / sizeof *array; i++)
        if (!(*array[i] = calloc(count[i], sizeof **array[i])))
            status = hsgd_fail_memory(err, "the exact moments");
    return status;
}

static void free_work(own_work *w)
{
    double *array[] = {w->factor, w->drift,  w->mean,  w->own_noise, w->worker_share, w->node_share,
                       w->centre, w->source, w->inner, w->response,  w->reach};
    for (size_t i = 0; i < sizeof array / sizeof *array; i++)
        free(array[i]);
}

static void find_shares(own_work *w)
{
    const hsgd_hierarchy *h = w->h;
    for (size_t u = 0; u < w->nodes; u++) {
        const hsgd_node *node = &h->node[u];
        w->node_share[u] = u ? node->weight / h->node[node->parent].weight : 1;
        if (hsgd_node_is_lowest(h, u))
            for (size_t j = node->first_worker; j < node->first_worker + node->num_workers; j++)
                w->worker_share[j] = (h->worker_weight ? h->worker_weight[j] : 1 / (double)w->workers) / node->weight;
    }
}

static void set_coordinate(own_work *w, const hsgd_quadratic *q, size_t i, double step_size)
{
    for (size_t j = 0; j < w->workers; j++) {
        w->factor[j] = 1 - step_size * q->worker_curvature[j * q->stride + i];
        w->drift[j] = step_size * q->linear[j * q->stride + i];
    }
}

static void run(own_work *w, hsgd_exact *out, const hsgd_quadratic *q, const double *initial, double step_size,
                const double *mean_curvature, const double *mean_linear)
{
    find_shares(w);
    for (size_t i = 0; i < q->dim; i++) {
        w->curvature = mean_curvature[i];
        w->linear = mean_linear[i];
        set_coordinate(w, q, i, step_size);
        run_coordinate(w, out, initial[i]);
    }
    for (size_t t = 0; t < out->steps; t++)
        out->S += (out->grad_norm_sq[t] - out->S) / (double)(t + 1);
}

hsgd_status hsgd_exact_moments_own(hsgd_exact *out, const hsgd_quadratic *quadratic, const hsgd_hierarchy *h,
                                   const double *initial, double step_size, size_t steps, hsgd_error *err)
{
    size_t d = quadratic->dim;
    own_work w = {.h = h, .workers = h->num_workers, .nodes = h->num_nodes};
    w.fresh = step_size * step_size * quadratic->noise_sq / (double)d;
    double rows = (double)h->num_levels + 5;
    double bytes =
        8 * ((double)steps * (double)(h->num_levels + 2) + rows * (double)(w.workers + w.nodes) + 2 * (double)d);
    *out = (hsgd_exact){0};
    hsgd_status status = hsgd_memory_check(bytes, "the table of exact moments", "fewer steps or fewer workers", err);
    double *curvature = status ? NULL : malloc(2 * d * sizeof *curvature);
    if (!status && !curvature)
        status = hsgd_fail_memory(err, "the exact moments");
    if (!status)
        status = hsgd_exact_allocate(out, steps, h->num_levels, err);
    if (!status)
        status = allocate(&w, err);
    if (!status) {
        hsgd_quadratic_mean_curvature(quadratic, h->worker_weight, curvature);
        hsgd_quadratic_mean_linear(quadratic, h->worker_weight, curvature + d);
        run(&w, out, quadratic, initial, step_size, curvature, curvature + d);
    } else
        hsgd_exact_free(out);
    free(curvature);
    free_work(&w);
    return status;
}
