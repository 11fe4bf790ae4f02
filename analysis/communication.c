/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "analysis/communication.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/random.h"
#include "analysis/vector_math_private.h"

typedef struct network {
    const hsgd_communication *c;
    const hsgd_hierarchy *h;
    double message_bytes;
    double *clock_s; /* (num_workers) by place */
    double *delay_s; /* (num_workers) by place, of the step at hand */
    double *drawn_s; /* (num_workers) the same by worker */
    double *at_s;    /* (num_nodes) when a server has its sum, then when it has the average */
    double *bytes;   /* (num_levels) sent so far */
} network;

const char *hsgd_straggler_name(hsgd_straggler_type type)
{
    static const char *const name[] = {"none", "exponential", "lognormal", "pareto"};
    return (size_t)type < sizeof name / sizeof *name ? name[type] : "?";
}

/* ---- stragglers ---- */

/* out (count): -log of a uniform number in (0, 1) for each worker, which is an exponential one with mean 1. */
static void draw_exponentials(double *out, size_t count, uint64_t seed, uint64_t step)
{
    for (size_t j = 0; j < count; j++) {
        hsgd_stream stream = {seed, HSGD_PURPOSE_STRAGGLER, (uint32_t)j, step};
        size_t index;
        hsgd_uniform_indices(&stream, 0, (size_t)1 << 53, &index, 1);
        out[j] = ((double)index + 0.5) * 0x1p-53;
    }
    HSGD_PICK_PATH(hsgd_vector_math_kernels)->log(out, out, count);
    for (size_t j = 0; j < count; j++)
        out[j] = -out[j];
}

/* Library exponentials and logarithms would differ between processors. */
static void draw_delays(const hsgd_straggler *s, double *out, size_t count, uint64_t seed, uint64_t step)
{
    if (s->type == HSGD_STRAGGLER_LOGNORMAL) {
        hsgd_stream stream = {seed, HSGD_PURPOSE_STRAGGLER, 0, step};
        hsgd_worker_normals(&stream, count, s->shape, out, 1);
    } else
        draw_exponentials(out, count, seed, step);
    if (s->type == HSGD_STRAGGLER_PARETO)
        for (size_t j = 0; j < count; j++)
            out[j] /= s->shape;
    if (s->type != HSGD_STRAGGLER_EXPONENTIAL)
        HSGD_PICK_PATH(hsgd_vector_math_kernels)->exp(out, out, count);
    for (size_t j = 0; j < count; j++)
        out[j] *= s->scale_s;
}

/* ---- one step ---- */

static void compute(network *n, uint64_t seed, const size_t *placement, uint64_t step)
{
    size_t count = n->h->num_workers;
    if (n->c->straggler.type != HSGD_STRAGGLER_NONE) {
        draw_delays(&n->c->straggler, n->drawn_s, count, seed, step);
        for (size_t i = 0; i < count; i++)
            n->delay_s[i] = n->drawn_s[placement ? placement[i] : i];
    }
    for (size_t i = 0; i < count; i++)
        n->clock_s[i] += n->c->compute_s + n->delay_s[i];
}

static double latest_clock(const network *n, const hsgd_node *node)
{
    double latest = 0;
    for (size_t i = node->first_worker; i < node->first_worker + node->num_workers; i++)
        latest = fmax(latest, n->clock_s[i]);
    return latest;
}

/* The way of a message over a link of this node, of `messages` that would share it. */
static double hop_s(const network *n, const hsgd_node *node, size_t messages)
{
    const hsgd_channel *channel = &n->c->level[node->depth];
    double together = channel->shared ? (double)messages : 1;
    return channel->latency_s + together * n->message_bytes / channel->bandwidth_bytes_per_s;
}

/* Sums up to the server of u: children come before their parents. */
static void gather_up(network *n, size_t u)
{
    const hsgd_hierarchy *h = n->h;
    for (size_t v = u; v < h->node[u].end; v++)
        n->at_s[v] = hsgd_node_is_lowest(h, v) ? latest_clock(n, &h->node[v]) : 0;
    for (size_t v = h->node[u].end; v-- > u;) {
        const hsgd_node *node = &h->node[v];
        n->at_s[v] += hop_s(n, node, node->num_children);
        n->bytes[node->depth] += 2 * (double)node->num_children * n->message_bytes; /* up now, and down again */
        if (v > u)
            n->at_s[node->parent] = fmax(n->at_s[node->parent], n->at_s[v]);
    }
}

static void spread_down(network *n, size_t u)
{
    const hsgd_hierarchy *h = n->h;
    for (size_t v = u; v < h->node[u].end; v++) {
        const hsgd_node *node = &h->node[v];
        if (v > u)
            n->at_s[v] = n->at_s[node->parent] + hop_s(n, &h->node[node->parent], h->node[node->parent].num_children);
        if (!hsgd_node_is_lowest(h, v))
            continue;
        double at_s = n->at_s[v] + hop_s(n, node, node->num_children);
        for (size_t i = node->first_worker; i < node->first_worker + node->num_workers; i++)
            n->clock_s[i] = at_s;
    }
}

static void average(network *n, size_t u)
{
    const hsgd_node *node = &n->h->node[u];
    if (n->c->route == HSGD_ROUTE_TREE) {
        gather_up(n, u);
        spread_down(n, u);
        return;
    }
    double at_s = latest_clock(n, node) + 2 * hop_s(n, node, node->num_workers);
    for (size_t i = node->first_worker; i < node->first_worker + node->num_workers; i++)
        n->clock_s[i] = at_s;
    n->bytes[node->depth] += 2 * (double)node->num_workers * n->message_bytes;
}

/* After update number `updates` all nodes that act, none of which is below another. */
static void average_due(network *n, size_t updates)
{
    for (size_t u = 0; u < n->h->num_nodes;) {
        bool acts = hsgd_node_acts(n->h, u, updates);
        if (acts)
            average(n, u);
        u = acts ? n->h->node[u].end : u + 1;
    }
}

/* ---- a run ---- */

static hsgd_status check(const hsgd_communication *c, const hsgd_hierarchy *h, hsgd_error *err)
{
    if (!hsgd_hierarchy_is_expanded(h) || h->num_nodes < 1)
        return hsgd_fail(err, HSGD_ERROR_INPUT, "communication needs a hierarchy with one entry per node");
    for (size_t k = 0; k < h->num_levels; k++)
        if (!(c->level[k].latency_s >= 0) || !(c->level[k].bandwidth_bytes_per_s > 0))
            return hsgd_fail(err, HSGD_ERROR_INPUT, "levels[%zu]: needs a latency >= 0 and a bandwidth > 0", k);
    if (!(c->compute_s >= 0) || !(c->bytes_per_parameter > 0))
        return hsgd_fail(err, HSGD_ERROR_INPUT, "communication needs compute seconds >= 0 and bytes per parameter > 0");
    bool late = c->straggler.type != HSGD_STRAGGLER_NONE;
    if ((late && !(c->straggler.scale_s > 0)) || (late && !(c->straggler.shape >= 0)) ||
        (c->straggler.type == HSGD_STRAGGLER_PARETO && !(c->straggler.shape > 0)))
        return hsgd_fail(err, HSGD_ERROR_INPUT, "straggler: %g s with shape %g are no %s delays", c->straggler.scale_s,
                         c->straggler.shape, hsgd_straggler_name(c->straggler.type));
    return HSGD_OK;
}

/* One block of memory, which *out->clock_s begins. */
static hsgd_status build(network *out, const hsgd_communication *c, const hsgd_hierarchy *h, size_t dim,
                         hsgd_error *err)
{
    size_t count = h->num_workers;
    double *memory = calloc(3 * count + h->num_nodes + h->num_levels, sizeof *memory);
    *out = (network){.c = c, .h = h, .message_bytes = (double)dim * c->bytes_per_parameter, .clock_s = memory};
    if (!memory)
        return hsgd_fail_memory(err, "the clocks of the workers");
    out->delay_s = memory + count;
    out->drawn_s = memory + 2 * count;
    out->at_s = memory + 3 * count;
    out->bytes = out->at_s + h->num_nodes;
    return HSGD_OK;
}

hsgd_status hsgd_communication_run(double *time_s, double *bytes, const hsgd_communication *communication,
                                   const hsgd_hierarchy *h, size_t dim, uint64_t seed, const size_t *placement,
                                   const size_t *step, size_t num_steps, hsgd_error *err)
{
    network n;
    hsgd_status status = check(communication, h, err);
    if (!status)
        status = build(&n, communication, h, dim, err);
    if (status)
        return status;
    for (size_t i = 0, t = 0; i < num_steps; i++) {
        for (; t < step[i]; t++) {
            compute(&n, seed, placement, t);
            average_due(&n, t + 1);
        }
        time_s[i] = latest_clock(&n, &h->node[0]);
        if (bytes)
            memcpy(bytes + i * h->num_levels, n.bytes, h->num_levels * sizeof *bytes);
    }
    free(n.clock_s);
    return HSGD_OK;
}

hsgd_status hsgd_communication_local(hsgd_hierarchy *out, const hsgd_hierarchy *h, size_t period, hsgd_error *err)
{
    hsgd_status status = hsgd_hierarchy_expand(out, h, err);
    for (size_t u = 0; !status && u < out->num_nodes; u++)
        out->node[u].period = period;
    return status;
}
