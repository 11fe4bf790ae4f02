/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "analysis/communication_uniform.h"

#include <math.h>

/* The way of a message over a link of this level, of `messages` that would share it. */
static double hop_s(const hsgd_channel *channel, size_t messages, double message_bytes)
{
    double together = channel->shared ? (double)messages : 1;
    return channel->latency_s + together * message_bytes / channel->bandwidth_bytes_per_s;
}

static hsgd_status check(const hsgd_communication *c, const hsgd_hierarchy *h, size_t dim, hsgd_error *err)
{
    if (h->num_levels < 1 || h->num_nodes != h->num_levels)
        return hsgd_fail(err, HSGD_ERROR_INPUT, "costs in closed form need a uniform tree, one entry per level");
    if (c->straggler.type != HSGD_STRAGGLER_NONE)
        return hsgd_fail(err, HSGD_ERROR_INPUT,
                         "costs in closed form need steps that all take the same time, not %s delays",
                         hsgd_straggler_name(c->straggler.type));
    for (size_t k = 0; k < h->num_levels; k++)
        if (!(c->level[k].latency_s >= 0) || !(c->level[k].bandwidth_bytes_per_s > 0))
            return hsgd_fail(err, HSGD_ERROR_INPUT, "levels[%zu]: needs a latency >= 0 and a bandwidth > 0", k);
    if (!(c->compute_s >= 0) || !(c->bytes_per_parameter > 0) || dim < 1)
        return hsgd_fail(err, HSGD_ERROR_INPUT, "costs need compute seconds >= 0 and a message of more than 0 bytes");
    return HSGD_OK;
}

hsgd_status hsgd_schedule_costs_init(hsgd_schedule_costs *out, const hsgd_communication *c, const hsgd_hierarchy *h,
                                     size_t dim, hsgd_error *err)
{
    double message_bytes = (double)dim * c->bytes_per_parameter, below_s = 0;
    *out = (hsgd_schedule_costs){.num_levels = h->num_levels, .route = c->route, .compute_s = c->compute_s};
    hsgd_status status = check(c, h, dim, err);
    for (size_t k = h->num_levels; !status && k-- > 0;) {
        const hsgd_node *node = &h->node[k];
        bool direct = c->route == HSGD_ROUTE_DIRECT;
        size_t messages = direct ? node->num_workers : node->num_children;
        below_s = (direct ? 0 : below_s) + 2 * hop_s(&c->level[k], messages, message_bytes);
        out->period[k] = node->period;
        out->act_s[k] = below_s;
        out->act_bytes[k] = 2 * (double)(node->copies * messages) * message_bytes;
    }
    return status;
}

/* A_k(T): only the topmost of the nodes that are due acts. */
static size_t num_acts(const hsgd_schedule_costs *c, size_t k, size_t steps)
{
    return steps / c->period[k] - (k ? steps / c->period[k - 1] : 0);
}

double hsgd_schedule_seconds(const hsgd_schedule_costs *c, size_t steps)
{
    double sum_s = (double)steps * c->compute_s;
    for (size_t k = 0; k < c->num_levels; k++)
        sum_s += (double)num_acts(c, k, steps) * c->act_s[k];
    return sum_s;
}

void hsgd_schedule_bytes(double *bytes, const hsgd_schedule_costs *c, size_t steps)
{
    for (size_t k = 0; k < c->num_levels; k++) {
        /* an average of a node passes all levels below it; floor(T/P_k) counts those of level k and above */
        size_t acts = c->route == HSGD_ROUTE_TREE ? steps / c->period[k] : num_acts(c, k, steps);
        bytes[k] = (double)acts * c->act_bytes[k];
    }
}

/* Whole global periods that surely fit: a guess that is checked, so that rounding cannot make it wrong. */
static size_t start_within(const hsgd_schedule_costs *c, double budget_s, size_t most)
{
    size_t period = c->period[0], most_periods = most / period;
    double periods = floor(budget_s / hsgd_schedule_seconds(c, period)) - 1;
    if (!(periods > 0) || periods >= (double)most_periods)
        return 0;
    size_t steps = (size_t)periods * period;
    return hsgd_schedule_seconds(c, steps) <= budget_s ? steps : 0;
}

/* No term of the sum falls with steps, and rounding keeps that order, so bisection is exact. */
size_t hsgd_schedule_steps_within(const hsgd_schedule_costs *c, double budget_s, size_t most)
{
    size_t low = start_within(c, budget_s, most), stride = c->period[0];
    if (most <= low || hsgd_schedule_seconds(c, most) <= budget_s)
        return most;
    size_t high = most - low > stride ? low + stride : most; /* low fits, most does not */
    while (high < most && hsgd_schedule_seconds(c, high) <= budget_s) {
        low = high;
        stride = stride > most / 2 ? most : 2 * stride;
        high = most - low > stride ? low + stride : most;
    }
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        *(hsgd_schedule_seconds(c, middle) <= budget_s ? &low : &high) = middle;
    }
    return low;
}
