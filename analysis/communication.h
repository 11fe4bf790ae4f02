/* SPDX-License-Identifier: GPL-3.0-or-later */
/* From steps to seconds and bytes: a cost model of H-SGD on a network that is the tree itself.
 *
 * Every worker has a clock, in seconds from the start of the run, and every node of the tree a server.
 *
 * Computing. Step t of worker j takes  compute_s + X_j^t  with straggler delays X >= 0, independent for all workers and
 *     steps, drawn from (seed, worker, step) with a purpose of their own: the same worker is as late in every algorithm.
 * Averaging. After a step at which node u acts (hsgd_node_acts: only the topmost of the nodes that are due), all workers
 *     below u wait for it. A message of b bytes passes one link of v, between the server of v and one of its children, in
 *         hop(v) = latency(k) + m b / bandwidth(k),    k = 1 + depth of v the level of its children,
 *     with m = 1 (each child has a link of its own) or, on a shared link, the number of messages that pass it together.
 *     HSGD_ROUTE_TREE: sums go up through the servers below u and the average comes down the same way. The server of v has
 *         the sum of its workers at   up(v) = max over children c of ready(c)  + hop(v),   ready(c) = up(c), or the clock
 *         of a worker c; then  clock of worker j = up(u) + sum of hop(v) over the nodes v from u down to j.
 *         In a uniform tree this is 2 hop for each level below u. b bytes pass every link below u, once up and once down.
 *     HSGD_ROUTE_DIRECT: workers talk to the server of u itself, over links of u's level:
 *         clock = latest clock below u + 2 hop(u); |u| messages up and |u| down, all counted at u's level.
 * Participants. Where a variant draws them (variant.h), only they compute, are waited for and send; the average goes to those
 *     of the round that begins. Servers below which nobody takes part are left out. With all workers taking part, these
 *     are the rules above.
 * Time of step t: the latest clock after t steps and the averages due then, so at t = 0 it is 0. wbar^t exists nowhere
 *     before.  Bytes of step t: all that were sent until then, both ways.
 *
 * Computing and communicating do not overlap; messages are not lost; servers need no time for their sums. A node with one
 * child has a link all the same: the tree is taken as given, not in its canonical form. */
#ifndef HSGD_ANALYSIS_COMMUNICATION_H
#define HSGD_ANALYSIS_COMMUNICATION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "analysis/error.h"
#include "analysis/hierarchy.h"
#include "analysis/variant.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct hsgd_channel {
    double latency_s;             /* >= 0, one way */
    double bandwidth_bytes_per_s; /* > 0, each way */
    bool shared;                  /* all children of a server share one link to it; otherwise each has its own */
} hsgd_channel;

/* Distributions of the delay X, each >= 0. */
typedef enum hsgd_straggler_type {
    HSGD_STRAGGLER_NONE,        /* X = 0 */
    HSGD_STRAGGLER_EXPONENTIAL, /* P(X > x) = exp(-x / scale_s); mean scale_s. The latest of n has mean scale_s H_n */
    HSGD_STRAGGLER_LOGNORMAL,   /* X = scale_s exp(shape Z), Z standard normal; median scale_s */
    HSGD_STRAGGLER_PARETO /* P(X > x) = (scale_s / x)^shape for x >= scale_s, the least delay; no mean for shape <= 1 */
} hsgd_straggler_type;

/* "none", "exponential", "lognormal", "pareto"; "?" for others. */
const char *hsgd_straggler_name(hsgd_straggler_type type);

typedef struct hsgd_straggler {
    hsgd_straggler_type type;
    double scale_s; /* > 0 unless none */
    double shape;   /* lognormal >= 0, pareto > 0; others ignore it */
} hsgd_straggler;

typedef enum hsgd_route { HSGD_ROUTE_TREE, HSGD_ROUTE_DIRECT } hsgd_route;

typedef struct hsgd_communication {
    hsgd_channel
        level[HSGD_MAX_LEVELS]; /* (num_levels of the tree) level[k]: between a node of depth k and its children */
    double compute_s;           /* >= 0, of a step */
    hsgd_straggler straggler;
    hsgd_route route;
    double bytes_per_parameter; /* > 0; a message is a whole model */
} hsgd_communication;

/* A run whose costs are wanted. */
typedef struct hsgd_communicating_run {
    const hsgd_hierarchy *network; /* expanded: who is connected with whom, and when its nodes average */
    const hsgd_hierarchy
        *groups; /* expanded, with the same workers: whose lowest nodes draw participants. NULL: the network */
    const hsgd_variant *variant; /* NULL: plain H-SGD */
    size_t dim;                  /* parameters of a model */
    uint64_t seed;
    const size_t *placement; /* (num_workers) the worker at each place, whose delays are taken; NULL: in order */
} hsgd_communicating_run;

/* time_s (num_steps): the time of the steps step[0] < step[1] < ... of a run. bytes (num_steps, network->num_levels): sent
 * per level until then; NULL: not wanted. Pure: the same numbers whenever and wherever it is called. */
hsgd_status hsgd_communication_run(double *time_s, double *bytes, const hsgd_communication *communication,
                                   const hsgd_communicating_run *run, const size_t *step, size_t num_steps,
                                   hsgd_error *err);

/* The tree on which local SGD runs where the network is that of h: the same servers and links, but only the root averages,
 * every `period` steps. Needs an expanded h. Free the result with hsgd_hierarchy_free. */
hsgd_status hsgd_communication_local(hsgd_hierarchy *out, const hsgd_hierarchy *h, size_t period, hsgd_error *err);

#ifdef __cplusplus
}
#endif

#endif
