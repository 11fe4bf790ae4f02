/* SPDX-License-Identifier: GPL-3.0-or-later */
/* From the times of single ranks to those of averages and levels. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <gsl/gsl_sort.h>
#include <gsl/gsl_statistics_double.h>

#include "analysis/memory.h"
#include "experiments/train_private.h"

/* What each rank sends: its computing times, the two times of each of its averages, its total, and its host's name. */
typedef struct layout {
    size_t steps, averages; /* the latter: of the rank that has most */
    size_t width;           /* doubles */
} layout;

enum { HOST_NUMBERS = HSGD_HOST_NAME_SIZE / sizeof(double) };

static layout layout_of(const hsgd_hierarchy *h, size_t steps)
{
    layout l = {.steps = steps};
    for (size_t u = 0; u < h->num_nodes; u++) {
        if (!hsgd_node_is_lowest(h, u)) /* workers of one lowest node take part in the same averages */
            continue;
        size_t count = hsgd_training_averages(h, h->node[u].first_worker, steps);
        l.averages = count > l.averages ? count : l.averages;
    }
    l.width = l.steps + 2 * l.averages + 1 + HOST_NUMBERS;
    return l;
}

static void pack(double *out, const hsgd_training_record *record, const layout *l)
{
    char host[HSGD_HOST_NAME_SIZE] = "";
    double *average = out + l->steps;
    memcpy(out, record->compute_s, l->steps * sizeof *out);
    for (size_t i = 0; i < l->averages; i++) {
        bool is_there = i < record->num_averages;
        average[2 * i] = is_there ? record->average[i].wait_s : NAN;
        average[2 * i + 1] = is_there ? record->average[i].sum_s : NAN;
    }
    out[l->width - 1 - HOST_NUMBERS] = record->total_s;
    gethostname(host, sizeof host - 1);
    memcpy(out + l->width - HOST_NUMBERS, host, sizeof host); /* bytes pass unchanged: nothing is added */
}

/* ---- summaries ---- */

hsgd_time_summary hsgd_time_summarize(double *time_s, size_t count)
{
    if (count == 0)
        return (hsgd_time_summary){0};
    gsl_sort(time_s, 1, count);
    double mean_s = gsl_stats_mean(time_s, 1, count);
    return (hsgd_time_summary){.count = count,
                               .sum_s = mean_s * (double)count,
                               .mean_s = mean_s,
                               .median_s = gsl_stats_median_from_sorted_data(time_s, 1, count),
                               .high_s = gsl_stats_quantile_from_sorted_data(time_s, 1, count, 0.95),
                               .largest_s = time_s[count - 1]};
}

/* ---- averages ---- */

static size_t count_averages(const hsgd_hierarchy *h, size_t steps)
{
    size_t count = 0;
    for (size_t updates = 1; updates <= steps; updates++)
        for (size_t u = 0; u < h->num_nodes;) {
            bool acts = hsgd_node_acts(h, u, updates);
            count += acts;
            u = acts ? h->node[u].end : u + 1;
        }
    return count;
}

/* The next average of all ranks below a node. next (num_workers): how many of each rank were read. */
static hsgd_train_average join(size_t *next, const double *all, const layout *l, const hsgd_node *node)
{
    hsgd_train_average out = {0};
    for (size_t i = node->first_worker; i < node->first_worker + node->num_workers; i++) {
        const double *time_s = all + i * l->width + l->steps + 2 * next[i]++;
        out.wait_mean_s += time_s[0] / (double)node->num_workers;
        out.wait_max_s = fmax(out.wait_max_s, time_s[0]);
        out.sum_s = fmax(out.sum_s, time_s[1]);
    }
    return out;
}

static hsgd_status join_averages(hsgd_train_result *r, const double *all, const layout *l, hsgd_error *err)
{
    const hsgd_hierarchy *h = r->hierarchy;
    size_t *next = calloc(h->num_workers, sizeof *next), count = 0;
    r->num_averages = count_averages(h, l->steps);
    r->average = calloc(r->num_averages + 1, sizeof *r->average);
    if (!next || !r->average) {
        free(next);
        return hsgd_fail_memory(err, "the averages");
    }
    for (size_t updates = 1; updates <= l->steps; updates++)
        for (size_t u = 0; u < h->num_nodes;) {
            bool acts = hsgd_node_acts(h, u, updates);
            if (acts) {
                r->average[count] = join(next, all, l, &h->node[u]);
                r->average[count].step = updates;
                r->average[count++].node = u;
            }
            u = acts ? h->node[u].end : u + 1;
        }
    free(next);
    return HSGD_OK;
}

/* ---- levels ---- */

bool hsgd_train_counts(const hsgd_train_result *r, size_t node)
{
    const hsgd_hierarchy *h = r->hierarchy;
    size_t most = 0;
    for (size_t u = 0; u < h->num_nodes; u++)
        if (h->node[u].depth == h->node[node].depth && h->node[u].num_workers > most)
            most = h->node[u].num_workers;
    return most == 1 || h->node[node].num_workers > 1;
}

/* room: for all waits of a level. */
static hsgd_time_summary level_waits(const hsgd_train_result *r, const double *all, const layout *l, size_t depth,
                                     double *room)
{
    const hsgd_hierarchy *h = r->hierarchy;
    size_t count = 0;
    for (size_t i = 0; i < h->num_workers; i++) {
        size_t node[HSGD_MAX_LEVELS], depths = hsgd_nodes_above(node, h, i), next = 0;
        if (depth >= depths || !hsgd_train_counts(r, node[depth]))
            continue;
        for (size_t updates = 1; updates <= l->steps; updates++) {
            size_t acting = hsgd_acting_depth(h, node, depths, updates);
            if (acting == depth)
                room[count++] = all[i * l->width + l->steps + 2 * next];
            next += acting < depths;
        }
    }
    return hsgd_time_summarize(room, count);
}

static hsgd_time_summary level_sums(const hsgd_train_result *r, size_t depth, double *room)
{
    size_t count = 0;
    for (size_t i = 0; i < r->num_averages; i++)
        if (r->hierarchy->node[r->average[i].node].depth == depth && hsgd_train_counts(r, r->average[i].node))
            room[count++] = r->average[i].sum_s;
    return hsgd_time_summarize(room, count);
}

static void describe_level(hsgd_train_level *out, const hsgd_train_result *r, size_t depth)
{
    const hsgd_hierarchy *h = r->hierarchy;
    for (size_t u = 0; u < h->num_nodes; u++) {
        size_t ranks = h->node[u].num_workers;
        if (h->node[u].depth != depth || !hsgd_train_counts(r, u))
            continue;
        out->fewest_ranks = out->nodes++ && out->fewest_ranks < ranks ? out->fewest_ranks : ranks;
        out->most_ranks = ranks > out->most_ranks ? ranks : out->most_ranks;
    }
}

static hsgd_status sum_up_levels(hsgd_train_result *r, const double *all, const layout *l, hsgd_error *err)
{
    const hsgd_hierarchy *h = r->hierarchy;
    double *room = malloc((h->num_workers * l->averages + 1) * sizeof *room);
    r->level = calloc(h->num_levels, sizeof *r->level);
    if (!room || !r->level) {
        free(room);
        return hsgd_fail_memory(err, "the times of the levels");
    }
    for (size_t k = 0; k < h->num_levels; k++) {
        describe_level(&r->level[k], r, k);
        r->level[k].wait = level_waits(r, all, l, k, room);
        r->level[k].allreduce = level_sums(r, k, room);
    }
    free(room);
    return HSGD_OK;
}

/* ---- probes ---- */

/* time_s: of all ranks, as hsgd_probe gives it; (num_workers, num_levels, num_sizes, repeats). room (repeats). */
static hsgd_train_probe join_probe(const double *time_s, const hsgd_hierarchy *h, const hsgd_probing *p, size_t u,
                                   size_t size, double *room)
{
    const hsgd_node *node = &h->node[u];
    for (size_t k = 0; k < p->repeats; k++) {
        room[k] = 0;
        for (size_t i = node->first_worker; i < node->first_worker + node->num_workers; i++)
            room[k] = fmax(room[k], time_s[((i * h->num_levels + node->depth) * p->num_sizes + size) * p->repeats + k]);
    }
    hsgd_time_summary summary = hsgd_time_summarize(room, p->repeats);
    return (hsgd_train_probe){u, p->size[size], room[0], summary.median_s};
}

/* Means over the nodes of a level, of barriers and of sums with a model's size. */
static void give_probe(hsgd_train_result *r, const hsgd_train_probe *probe)
{
    hsgd_train_level *level = &r->level[r->hierarchy->node[probe->node].depth];
    if (!hsgd_train_counts(r, probe->node))
        return;
    if (probe->numbers == 0)
        level->barrier_s += probe->median_s / (double)level->nodes;
    if (probe->numbers == r->record.dim)
        level->probe_s += probe->median_s / (double)level->nodes;
}

static hsgd_status join_probes(hsgd_train_result *r, const double *time_s, const hsgd_probing *p, hsgd_error *err)
{
    const hsgd_hierarchy *h = r->hierarchy;
    double *room = malloc(p->repeats * sizeof *room);
    r->probe = calloc(h->num_nodes * p->num_sizes, sizeof *r->probe);
    if (!room || !r->probe) {
        free(room);
        return hsgd_fail_memory(err, "the probes");
    }
    for (size_t u = 0; u < h->num_nodes; u++)
        for (size_t size = 0; size < p->num_sizes; size++) {
            r->probe[r->num_probes] = join_probe(time_s, h, p, u, size, room);
            give_probe(r, &r->probe[r->num_probes++]);
        }
    free(room);
    return HSGD_OK;
}

/* ---- ranks ---- */

static void count_hosts(hsgd_train_result *r)
{
    for (size_t i = 0; i < r->hierarchy->num_workers; i++) {
        size_t before = 0;
        while (before < i && strcmp(r->host + before * HSGD_HOST_NAME_SIZE, r->host + i * HSGD_HOST_NAME_SIZE) != 0)
            before++;
        r->num_hosts += before == i;
    }
}

/* Computing times one after the other, in the order of ranks, and what each rank did with its seconds. */
static void sum_up_ranks(hsgd_train_result *r, const double *all, const layout *l, double *compute_s)
{
    size_t n = r->hierarchy->num_workers;
    hsgd_train_shares *mean = &r->measured;
    for (size_t i = 0; i < n; i++) {
        const double *own = all + i * l->width, *average = own + l->steps;
        double total_s = own[l->width - 1 - HOST_NUMBERS];
        memcpy(compute_s + i * l->steps, own, l->steps * sizeof *own);
        memcpy(r->host + i * HSGD_HOST_NAME_SIZE, own + l->width - HOST_NUMBERS, HSGD_HOST_NAME_SIZE);
        r->rank_compute_s[i] = gsl_stats_mean(own, 1, l->steps);
        mean->compute_s += r->rank_compute_s[i] * (double)l->steps / (double)n;
        for (size_t j = 0; j < l->averages && !isnan(average[2 * j]); j++) {
            mean->wait_s += average[2 * j] / (double)n;
            mean->allreduce_s += average[2 * j + 1] / (double)n;
        }
        mean->total_s += total_s / (double)n;
        r->measured_s = fmax(r->measured_s, total_s);
    }
    mean->rest_s = mean->total_s - mean->compute_s - mean->wait_s - mean->allreduce_s;
    count_hosts(r);
}

static hsgd_status sum_up(hsgd_train_result *r, const double *all, const layout *l, double *compute_s, hsgd_error *err)
{
    size_t n = r->hierarchy->num_workers;
    r->host = calloc(n, HSGD_HOST_NAME_SIZE);
    r->rank_compute_s = calloc(n, sizeof *r->rank_compute_s);
    if (!r->host || !r->rank_compute_s)
        return hsgd_fail_memory(err, "the times of the ranks");
    sum_up_ranks(r, all, l, compute_s);
    hsgd_status status = join_averages(r, all, l, err);
    return status ? status : sum_up_levels(r, all, l, err);
}

/* ---- all of it ---- */

/* What is gathered; the blocks of rank 0 have room for all ranks. */
typedef struct blocks {
    double *own, *all, *probes, *compute_s;
} blocks;

static hsgd_status alloc_blocks(blocks *out, const hsgd_train_result *r, const layout *l, size_t probes, bool first,
                                hsgd_error *err)
{
    size_t n = r->hierarchy->num_workers;
    double bytes = (double)(2 * l->width + probes) * (double)(first ? n : 1) * sizeof(double);
    *out = (blocks){0};
    hsgd_status status = hsgd_memory_check(bytes, "the times of all ranks", "fewer steps", err);
    if (status)
        return status;
    out->own = malloc(l->width * sizeof *out->own);
    out->all = first ? malloc(n * l->width * sizeof *out->all) : NULL;
    out->probes = first ? malloc(n * probes * sizeof *out->probes) : NULL;
    out->compute_s = first ? malloc(n * l->steps * sizeof *out->compute_s) : NULL;
    bool complete = out->own && (!first || (out->all && out->probes && out->compute_s));
    return complete ? HSGD_OK : hsgd_fail_memory(err, "the times of all ranks");
}

static void free_blocks(blocks *b)
{
    free(b->own);
    free(b->all);
    free(b->probes);
    free(b->compute_s);
}

hsgd_status hsgd_train_gather(hsgd_train_result *out, const hsgd_collectives *ranks, const hsgd_probing *probing,
                              const double *probe_s, hsgd_error *err)
{
    const layout l = layout_of(out->hierarchy, out->record.steps);
    size_t probes = out->hierarchy->num_levels * probing->num_sizes * probing->repeats;
    bool first = ranks->rank == 0;
    blocks b;
    hsgd_status status = alloc_blocks(&b, out, &l, probes, first, err);
    if (!status) {
        pack(b.own, &out->record, &l);
        status = ranks->gather(ranks->context, b.all, b.own, l.width, err);
    }
    if (!status)
        status = ranks->gather(ranks->context, b.probes, probe_s, probes, err);
    if (!status && first)
        status = sum_up(out, b.all, &l, b.compute_s, err);
    if (!status && first)
        status = join_probes(out, b.probes, probing, err);
    if (!status && first)
        status = hsgd_train_fit(out, out->links.route, b.compute_s, err);
    free_blocks(&b);
    return status;
}
