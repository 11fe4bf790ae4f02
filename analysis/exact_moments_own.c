/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Exact moments where every worker has a Hessian of its own (THEORY 7.1). Coordinates do not meet, so they are worked
 * through one after the other; what follows is about one of them.
 *
 * The model of worker j, without its mean, is  sum_u response_u,j X_u + Y_j  over the nodes u above j, with uncorrelated
 * X_u and Y_j of mean 0: X_u is what was new in the common model of u when u last averaged, Y_j the noise of j since its
 * lowest node averaged. A step multiplies the responses by a_j = 1 - gamma h_j; averaging makes of the part that is not
 * due to the nodes above a new X_u. So n variances and n M responses do what a covariance matrix would.
 *
 * Glossary   places: the n workers, then the nodes; arrays (places) have a number for each
 *            share p_v/p_u of a place in its parent    mean E w_j, E wbar_u
 *            response (M, places) of a place to its ancestor of depth k, or to itself
 *            inner variance of w_j, of wbar_u that is not due to the nodes above: E Y_j^2, R_u
 *            source (nodes) S_u = E X_u^2              curvature, linear h_j, b_j and their means below u
 *            divergence (nodes) beta_u^2 as a function of the point */
#include "analysis/exact_moments_private.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/memory.h"

/* curve (x - lowest)^2 + least */
typedef struct parabola {
    double curve, lowest, least;
} parabola;

typedef struct own_work {
    const hsgd_hierarchy *h;
    size_t workers, places;
    double f_curvature, f_linear; /* of f */
    double step_size, fresh;      /* variance that a step adds: gamma^2 sigma^2/d */
    double *share, *mean, *response, *inner, *source, *curvature, *linear;
    parabola *divergence, global_divergence;
    double *
        at_canonical; /* (steps, nodes) E beta_u^2 at the average of u's node of the canonical tree; NULL: all their own */
} own_work;

/* ---- the children of a node ---- */

static size_t place_of(const own_work *w, size_t u)
{
    return w->workers + u;
}

static size_t first_child(const own_work *w, size_t u)
{
    return hsgd_node_is_lowest(w->h, u) ? w->h->node[u].first_worker : place_of(w, u + 1);
}

static size_t end_of_children(const own_work *w, size_t u)
{
    const hsgd_node *node = &w->h->node[u];
    return hsgd_node_is_lowest(w->h, u) ? node->first_worker + node->num_workers : place_of(w, node->end);
}

static size_t next_child(const own_work *w, size_t place)
{
    return place < w->workers ? place + 1 : place_of(w, w->h->node[place - w->workers].end);
}

/* The weighted mean of the children's values; deviations from the first are summed, so that equal values have exactly
 * their common value as mean. */
static double mean_of_children(const own_work *w, size_t u, const double *value)
{
    size_t first = first_child(w, u), end = end_of_children(w, u);
    double shift = 0;
    for (size_t c = next_child(w, first); c < end; c = next_child(w, c))
        shift += w->share[c] * (value[c] - value[first]);
    return value[first] + shift;
}

/* sum_v (p_v/p_u) (value_v - value_u)^2 */
static double spread_of_children(const own_work *w, size_t u, const double *value)
{
    double sum = 0;
    for (size_t c = first_child(w, u), end = end_of_children(w, u); c < end; c = next_child(w, c)) {
        double deviation = value[c] - value[place_of(w, u)];
        sum += w->share[c] * deviation * deviation;
    }
    return sum;
}

/* What the uncorrelated parts of the children make of their mean, and of their dispersion. */
static double variance_of_mean(const own_work *w, size_t u)
{
    double sum = 0;
    for (size_t c = first_child(w, u), end = end_of_children(w, u); c < end; c = next_child(w, c))
        sum += w->share[c] * w->share[c] * w->inner[c];
    return sum;
}

static double variance_between(const own_work *w, size_t u)
{
    double sum = 0;
    for (size_t c = first_child(w, u), end = end_of_children(w, u); c < end; c = next_child(w, c))
        sum += w->share[c] * (1 - w->share[c]) * w->inner[c];
    return sum;
}

/* From the workers to all nodes; children stand behind their parents. */
static void gather(own_work *w)
{
    for (size_t u = w->h->num_nodes; u-- > 0;) {
        size_t depth = w->h->node[u].depth, place = place_of(w, u);
        w->mean[place] = mean_of_children(w, u, w->mean);
        for (size_t k = 0; k <= depth; k++)
            w->response[k * w->places + place] = mean_of_children(w, u, w->response + k * w->places);
        double own = w->response[depth * w->places + place];
        w->inner[place] = variance_of_mean(w, u) + (w->source[u] > 0 ? own * own * w->source[u] : 0);
    }
}

/* ---- divergences ---- */

static void add_to_parabola(parabola *p, double share, double h, double b)
{
    p->curve += share * h * h;
    p->lowest += share * h * b;
}

/* beta_u^2 at x: sum q_v (dh_v x - db_v)^2 with the differences dh_v, db_v to u; the least value from its own terms. */
static parabola divergence_of_node(const own_work *w, size_t u)
{
    parabola p = {0, 0, 0};
    size_t end = end_of_children(w, u), at = place_of(w, u);
    for (size_t c = first_child(w, u); c < end; c = next_child(w, c))
        add_to_parabola(&p, w->share[c], w->curvature[c] - w->curvature[at], w->linear[c] - w->linear[at]);
    p.lowest = p.curve > 0 ? p.lowest / p.curve : 0;
    for (size_t c = first_child(w, u); c < end; c = next_child(w, c)) {
        double rest = (w->curvature[c] - w->curvature[at]) * p.lowest - (w->linear[c] - w->linear[at]);
        p.least += w->share[c] * rest * rest;
    }
    return p;
}

static double worker_weight(const own_work *w, size_t j)
{
    return w->h->worker_weight ? w->h->worker_weight[j] : 1 / (double)w->workers;
}

/* The same with all workers as children of the root. */
static parabola divergence_of_all(const own_work *w)
{
    parabola p = {0, 0, 0};
    size_t root = place_of(w, 0);
    for (size_t j = 0; j < w->workers; j++)
        add_to_parabola(&p, worker_weight(w, j), w->curvature[j] - w->curvature[root], w->linear[j] - w->linear[root]);
    p.lowest = p.curve > 0 ? p.lowest / p.curve : 0;
    for (size_t j = 0; j < w->workers; j++) {
        double rest = (w->curvature[j] - w->curvature[root]) * p.lowest - (w->linear[j] - w->linear[root]);
        p.least += worker_weight(w, j) * rest * rest;
    }
    return p;
}

/* Of wbar_u, with what is due to the nodes above. */
static double variance_of_node(const own_work *w, size_t u)
{
    double sum = w->inner[place_of(w, u)];
    size_t k = w->h->node[u].depth;
    for (size_t x = w->h->node[u].parent; k-- > 0; x = w->h->node[x].parent) {
        double response = w->response[k * w->places + place_of(w, u)];
        if (w->source[x] > 0)
            sum += response * response * w->source[x];
    }
    return sum;
}

/* The expectation of a divergence at wbar_u. */
static double expected_at(const own_work *w, const parabola *p, size_t u)
{
    double distance = w->mean[place_of(w, u)] - p->lowest;
    return p->curve > 0 ? p->curve * (distance * distance + variance_of_node(w, u)) + p->least : p->least;
}

/* The node that u is a part of in the canonical tree (THEORY 1): up while the parent averages at the same steps. */
static size_t canonical_node(const hsgd_hierarchy *h, size_t u)
{
    while (h->node[u].parent != HSGD_NO_NODE && h->node[u].period == h->node[h->node[u].parent].period)
        u = h->node[u].parent;
    return u;
}

static bool has_merged_nodes(const hsgd_hierarchy *h)
{
    for (size_t u = 0; u < h->num_nodes; u++)
        if (canonical_node(h, u) != u)
            return true;
    return false;
}

/* ---- what is recorded ---- */

/* E B_u: of the means, of what the children make of the nodes above, and of what is new in each of them. */
static double expected_dispersion(const own_work *w, size_t u)
{
    if (w->h->node[u].num_children < 2)
        return 0;
    double sum = spread_of_children(w, u, w->mean) + variance_between(w, u);
    for (size_t k = w->h->node[u].depth + 1, x = u; k-- > 0; x = w->h->node[x].parent)
        if (w->source[x] > 0)
            sum += w->source[x] * spread_of_children(w, u, w->response + k * w->places);
    return sum;
}

static void record(const own_work *w, hsgd_exact *out, size_t t)
{
    size_t nodes = w->h->num_nodes;
    double h = w->f_curvature, mean = w->mean[place_of(w, 0)], variance = w->inner[place_of(w, 0)];
    double gradient = h * mean - w->f_linear, loss = 0.5 * h * (mean * mean + variance) - w->f_linear * mean;
    if (t == out->steps) {
        out->final_loss += loss;
        return;
    }
    out->loss[t] += loss;
    out->grad_norm_sq[t] += gradient * gradient + h * h * variance;
    out->global_divergence[t] += expected_at(w, &w->global_divergence, 0);
    for (size_t u = 0; u < nodes; u++) {
        out->dispersion[t * out->num_levels + w->h->node[u].depth] += w->h->node[u].weight * expected_dispersion(w, u);
        out->node_divergence[t * nodes + u] += expected_at(w, &w->divergence[u], u);
        if (w->at_canonical)
            w->at_canonical[t * nodes + u] += expected_at(w, &w->divergence[u], canonical_node(w->h, u));
    }
}

/* ---- the algorithm ---- */

static void local_step(own_work *w)
{
    size_t n = w->workers;
    for (size_t j = 0; j < n; j++) {
        double a = 1 - w->step_size * w->curvature[j];
        w->mean[j] = a * w->mean[j] + w->step_size * w->linear[j];
        w->inner[j] = a * a * w->inner[j] + w->fresh;
    }
    for (size_t k = 0; k < w->h->num_levels; k++)
        for (size_t j = 0; j < n; j++)
            w->response[k * w->places + j] *= 1 - w->step_size * w->curvature[j];
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
    size_t first = node->first_worker, count = node->num_workers, place = place_of(w, u);
    fill(w->mean, first, count, w->mean[place]);
    fill(w->inner, first, count, 0);
    for (size_t k = 0; k < w->h->num_levels; k++) {
        double *response = w->response + k * w->places;
        fill(response, first, count, k < node->depth ? response[place] : k == node->depth ? 1 : 0);
    }
    fill(w->source, u, node->end - u, 0);
    w->source[u] = w->inner[place];
}

/* After update number t; gather comes before and, where this returns true, again. */
static bool average_due_nodes(own_work *w, size_t t)
{
    bool any = false;
    for (size_t u = 0; u < w->h->num_nodes; u++)
        if (hsgd_node_acts(w->h, u, t)) {
            average(w, u);
            any = true;
        }
    return any;
}

static void run_coordinate(own_work *w, hsgd_exact *out, double initial)
{
    fill(w->mean, 0, w->workers, initial);
    fill(w->inner, 0, w->workers, 0);
    fill(w->response, 0, w->places * w->h->num_levels, 0);
    fill(w->source, 0, w->h->num_nodes, 0);
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

/* ---- set-up ---- */

static void find_shares(own_work *w)
{
    const hsgd_hierarchy *h = w->h;
    for (size_t u = 0; u < h->num_nodes; u++) {
        const hsgd_node *node = &h->node[u];
        w->share[place_of(w, u)] = u ? node->weight / h->node[node->parent].weight : 1;
        if (hsgd_node_is_lowest(h, u))
            for (size_t j = node->first_worker; j < node->first_worker + node->num_workers; j++)
                w->share[j] = worker_weight(w, j) / node->weight;
    }
}

static void set_coordinate(own_work *w, const hsgd_quadratic *q, size_t i)
{
    for (size_t j = 0; j < w->workers; j++) {
        w->curvature[j] = q->worker_curvature[j * q->stride + i];
        w->linear[j] = q->linear[j * q->stride + i];
    }
    for (size_t u = w->h->num_nodes; u-- > 0;) {
        w->curvature[place_of(w, u)] = mean_of_children(w, u, w->curvature);
        w->linear[place_of(w, u)] = mean_of_children(w, u, w->linear);
        w->divergence[u] = divergence_of_node(w, u);
    }
    w->global_divergence = divergence_of_all(w);
}

static void run(own_work *w, hsgd_exact *out, const hsgd_quadratic *q, const double *initial,
                const double *mean_curvature, const double *mean_linear)
{
    find_shares(w);
    for (size_t i = 0; i < q->dim; i++) {
        w->f_curvature = mean_curvature[i];
        w->f_linear = mean_linear[i];
        set_coordinate(w, q, i);
        run_coordinate(w, out, initial[i]);
    }
    for (size_t i = 0; w->at_canonical && i < out->steps * out->num_nodes; i++)
        out->node_divergence[i] = fmax(out->node_divergence[i], w->at_canonical[i]);
    for (size_t t = 0; t < out->steps; t++)
        out->S += (out->grad_norm_sq[t] - out->S) / (double)(t + 1);
}

/* ---- memory ---- */

static hsgd_status allocate(own_work *w, hsgd_exact *out, size_t steps, hsgd_error *err)
{
    size_t nodes = w->h->num_nodes, levels = w->h->num_levels;
    double **array[] = {&w->share, &w->mean, &w->inner, &w->curvature, &w->linear};
    hsgd_status status = hsgd_exact_allocate(out, steps, levels, err);
    bool complete = true;
    for (size_t i = 0; i < sizeof array / sizeof *array; i++)
        complete = (*array[i] = calloc(w->places, sizeof **array[i])) && complete;
    w->response = calloc(w->places * levels, sizeof *w->response);
    w->source = calloc(nodes, sizeof *w->source);
    w->divergence = calloc(nodes, sizeof *w->divergence);
    out->num_nodes = nodes;
    out->node_divergence = calloc(steps * nodes, sizeof *out->node_divergence);
    out->global_divergence = calloc(steps, sizeof *out->global_divergence);
    if (has_merged_nodes(w->h))
        complete = (w->at_canonical = calloc(steps * nodes, sizeof *w->at_canonical)) && complete;
    complete = complete && w->response && w->source && w->divergence && out->node_divergence && out->global_divergence;
    return status || complete ? status : hsgd_fail_memory(err, "the exact moments");
}

static void free_work(own_work *w)
{
    free(w->share);
    free(w->mean);
    free(w->response);
    free(w->inner);
    free(w->source);
    free(w->curvature);
    free(w->linear);
    free(w->divergence);
    free(w->at_canonical);
}

hsgd_status hsgd_exact_moments_own(hsgd_exact *out, const hsgd_quadratic *quadratic, const hsgd_hierarchy *h,
                                   const double *initial, double step_size, size_t steps, hsgd_error *err)
{
    size_t d = quadratic->dim, n = h->num_workers;
    own_work w = {.h = h, .workers = n, .places = n + h->num_nodes, .step_size = step_size};
    w.fresh = step_size * step_size * quadratic->noise_sq / (double)d;
    double rows = (double)steps * (double)(h->num_levels + 3 + (has_merged_nodes(h) ? 2 : 1) * h->num_nodes);
    double bytes = 8 * (rows + (double)(h->num_levels + 9) * (double)w.places + 2 * (double)d);
    *out = (hsgd_exact){0};
    hsgd_status status = hsgd_memory_check(bytes, "the table of exact moments", "fewer steps or fewer workers", err);
    double *mean = status ? NULL : malloc(2 * d * sizeof *mean); /* h of f, then b of f */
    if (!status && !mean)
        status = hsgd_fail_memory(err, "the exact moments");
    if (!status)
        status = allocate(&w, out, steps, err);
    if (!status) {
        hsgd_quadratic_mean_curvature(quadratic, h->worker_weight, mean);
        hsgd_quadratic_mean_linear(quadratic, h->worker_weight, mean + d);
        run(&w, out, quadratic, initial, mean, mean + d);
    } else
        hsgd_exact_free(out);
    free(mean);
    free_work(&w);
    return status;
}
