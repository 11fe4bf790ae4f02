/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "analysis/communication.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/random.h"
#include "analysis/vector_math_private.h"

typedef struct network {
    const hsgd_communication *c;
    const hsgd_communicating_run *run;
    const hsgd_hierarchy *h, *groups;
    double message_bytes;
    double *clock_s;   /* (num_workers) by place */
    double *delay_s;   /* (num_workers) by place, of the step at hand */
    double *drawn_s;   /* (num_workers) the same by worker */
    double *weight;    /* (num_workers) by place, in the averages of this round; 0: rests */
    double *work;      /* (num_workers) to draw in */
    double *at_s;      /* (num_nodes) when a server has its sum, then when it has the average */
    double *bytes;     /* (num_levels) sent so far */
    size_t *placement; /* (num_workers) worker at each place */
    size_t *order;     /* (num_workers) to draw in */
    size_t *active;    /* (num_nodes) children of a node with somebody below who takes part */
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
        out[j] = ((double)hsgd_uniform_53_bits(&stream, 0) + 0.5) * 0x1p-53;
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

static void compute(network *n, uint64_t step)
{
    size_t count = n->h->num_workers;
    if (n->c->straggler.type != HSGD_STRAGGLER_NONE) {
        draw_delays(&n->c->straggler, n->drawn_s, count, n->run->seed, step);
        for (size_t i = 0; i < count; i++)
            n->delay_s[i] = n->drawn_s[n->placement[i]];
    }
    for (size_t i = 0; i < count; i++)
        if (n->weight[i] > 0)
            n->clock_s[i] += n->c->compute_s + n->delay_s[i];
}

/* Nobody's clock is ahead of those of the participants. */
static double latest_clock(const network *n, const hsgd_node *node)
{
    double latest = 0;
    for (size_t i = node->first_worker; i < node->first_worker + node->num_workers; i++)
        latest = fmax(latest, n->clock_s[i]);
    return latest;
}

static size_t count_participants(const network *n, const hsgd_node *node)
{
    size_t count = 0;
    for (size_t i = node->first_worker; i < node->first_worker + node->num_workers; i++)
        count += n->weight[i] > 0;
    return count;
}

/* Who of u and below has something to send or to receive: children come before their parents. */
static void count_active(network *n, size_t u)
{
    const hsgd_hierarchy *h = n->h;
    for (size_t v = u; v < h->node[u].end; v++)
        n->active[v] = hsgd_node_is_lowest(h, v) ? count_participants(n, &h->node[v]) : 0;
    for (size_t v = h->node[u].end; v-- > u + 1;)
        n->active[h->node[v].parent] += n->active[v] > 0;
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
        if (n->active[v] == 0)
            continue;
        n->at_s[v] += hop_s(n, node, n->active[v]);
        n->bytes[node->depth] += (double)n->active[v] * n->message_bytes;
        if (v > u)
            n->at_s[node->parent] = fmax(n->at_s[node->parent], n->at_s[v]);
    }
}

static void spread_down(network *n, size_t u)
{
    const hsgd_hierarchy *h = n->h;
    for (size_t v = u; v < h->node[u].end; v++) {
        const hsgd_node *node = &h->node[v];
        if (n->active[v] == 0)
            continue;
        if (v > u)
            n->at_s[v] = n->at_s[node->parent] + hop_s(n, &h->node[node->parent], n->active[node->parent]);
        n->bytes[node->depth] += (double)n->active[v] * n->message_bytes;
        if (!hsgd_node_is_lowest(h, v))
            continue;
        double at_s = n->at_s[v] + hop_s(n, node, n->active[v]);
        for (size_t i = node->first_worker; i < node->first_worker + node->num_workers; i++)
            n->clock_s[i] = at_s;
    }
}

/* Workers talk to the server of u, up or down. */
static double direct_s(network *n, const hsgd_node *node)
{
    size_t messages = count_participants(n, node);
    n->bytes[node->depth] += (double)messages * n->message_bytes;
    return hop_s(n, node, messages);
}

static void send_sums(network *n, size_t u)
{
    count_active(n, u);
    if (n->c->route == HSGD_ROUTE_TREE)
        gather_up(n, u);
    else
        n->at_s[u] = latest_clock(n, &n->h->node[u]) + direct_s(n, &n->h->node[u]);
}

static void send_averages(network *n, size_t u)
{
    const hsgd_node *node = &n->h->node[u];
    count_active(n, u);
    if (n->c->route == HSGD_ROUTE_TREE) {
        spread_down(n, u);
        return;
    }
    double at_s = n->at_s[u] + direct_s(n, node);
    for (size_t i = node->first_worker; i < node->first_worker + node->num_workers; i++)
        n->clock_s[i] = at_s;
}

/* For all nodes that act after update number `updates`, none of which is below another. */
static void for_acting(network *n, size_t updates, void (*send)(network *n, size_t u))
{
    for (size_t u = 0; u < n->h->num_nodes;) {
        bool acts = hsgd_node_acts(n->h, u, updates);
        if (acts)
            send(n, u);
        u = acts ? n->h->node[u].end : u + 1;
    }
}

/* Places and participants from step t on. */
static void begin_rounds(network *n, size_t t)
{
    const hsgd_hierarchy *h = n->groups;
    const hsgd_variant *variant = n->run->variant;
    if (variant && variant->regroup && t % hsgd_hierarchy_global_period(h) == 0)
        hsgd_variant_regroup(n->placement, h->num_workers, n->run->seed, t);
    if (!variant || !hsgd_variant_samples_workers(variant))
        return;
    for (size_t u = 0; u < h->num_nodes; u++) {
        size_t first = h->node[u].first_worker;
        if (hsgd_node_is_lowest(h, u) && t % h->node[u].period == 0)
            hsgd_variant_draw(n->weight + first, variant, h->worker_weight ? h->worker_weight + first : NULL, first,
                              h->node[u].num_workers, n->run->seed, t, n->order + first, n->work + first);
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

static void release(network *n)
{
    free(n->clock_s);
    free(n->placement);
}

/* A block of memory for numbers, which clock_s begins, and one for counts, which placement begins. */
static hsgd_status build(network *out, const hsgd_communication *c, const hsgd_communicating_run *run, hsgd_error *err)
{
    const hsgd_hierarchy *h = run->network;
    size_t count = h->num_workers;
    double *memory = calloc(5 * count + h->num_nodes + h->num_levels, sizeof *memory);
    size_t *counts = calloc(2 * count + h->num_nodes, sizeof *counts);
    *out = (network){.c = c,
                     .run = run,
                     .h = h,
                     .groups = run->groups ? run->groups : h,
                     .message_bytes = (double)run->dim * c->bytes_per_parameter,
                     .clock_s = memory,
                     .placement = counts};
    if (!memory || !counts) {
        release(out);
        return hsgd_fail_memory(err, "the clocks of the workers");
    }
    out->delay_s = memory + count;
    out->drawn_s = memory + 2 * count;
    out->weight = memory + 3 * count;
    out->work = memory + 4 * count;
    out->at_s = memory + 5 * count;
    out->bytes = out->at_s + h->num_nodes;
    out->order = counts + count;
    out->active = counts + 2 * count;
    for (size_t i = 0; i < count; i++) {
        out->weight[i] = 1;
        out->placement[i] = run->placement ? run->placement[i] : i;
    }
    return HSGD_OK;
}

hsgd_status hsgd_communication_run(double *time_s, double *bytes, const hsgd_communication *communication,
                                   const hsgd_communicating_run *run, const size_t *step, size_t num_steps,
                                   hsgd_error *err)
{
    network n;
    hsgd_status status = check(communication, run->network, err);
    if (!status)
        status = build(&n, communication, run, err);
    if (status)
        return status;
    begin_rounds(&n, 0);
    for (size_t i = 0, t = 0; i < num_steps; i++) {
        for (; t < step[i]; t++) {
            compute(&n, t);
            for_acting(&n, t + 1, send_sums);
            begin_rounds(&n, t + 1);
            for_acting(&n, t + 1, send_averages);
        }
        time_s[i] = latest_clock(&n, &run->network->node[0]);
        if (bytes)
            memcpy(bytes + i * n.h->num_levels, n.bytes, n.h->num_levels * sizeof *bytes);
    }
    release(&n);
    return HSGD_OK;
}

hsgd_status hsgd_communication_local(hsgd_hierarchy *out, const hsgd_hierarchy *h, size_t period, hsgd_error *err)
{
    hsgd_status status = hsgd_hierarchy_expand(out, h, err);
    for (size_t u = 0; !status && u < out->num_nodes; u++)
        out->node[u].period = period;
    return status;
}
