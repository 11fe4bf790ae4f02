/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "analysis/train_probe.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <gsl/gsl_randist.h>

#include "analysis/clock.h"
#include "analysis/memory.h"
#include "analysis/random.h"

enum { SIZE_FACTOR = 4, NUM_SMALLER = 5, LEAST_LARGEST = 8192, CLOCK_READINGS = 1000 };

/* Keep the sizes ascending, each once. */
static void insert(hsgd_probing *p, size_t size)
{
    size_t at = p->num_sizes;
    for (size_t i = 0; i < p->num_sizes; i++)
        if (p->size[i] == size)
            return;
    if (p->num_sizes == HSGD_PROBE_MAX_SIZES)
        return;
    for (p->num_sizes++; at > 0 && p->size[at - 1] > size; at--)
        p->size[at] = p->size[at - 1];
    p->size[at] = size;
}

void hsgd_probing_sizes(hsgd_probing *out, size_t dim)
{
    size_t largest = SIZE_FACTOR * dim;
    out->num_sizes = 0;
    insert(out, 0);
    insert(out, dim / 2 ? dim / 2 : 1);
    insert(out, dim);
    insert(out, 2 * dim);
    for (size_t size = largest, i = 0; i < NUM_SMALLER && size > 0; size /= SIZE_FACTOR, i++)
        insert(out, size);
    for (size_t size = LEAST_LARGEST; size > largest; size /= SIZE_FACTOR)
        insert(out, size);
}

/* order (count): 0 .. count - 1 in a random order. */
static hsgd_status draw_order(size_t *order, size_t count, uint64_t seed, size_t depth, hsgd_error *err)
{
    hsgd_stream stream = {seed, HSGD_PURPOSE_PROBE, 0, depth};
    gsl_rng *rng = hsgd_stream_rng(&stream);
    if (!rng)
        return hsgd_fail_memory(err, "random numbers");
    for (size_t i = 0; i < count; i++)
        order[i] = i;
    gsl_ran_shuffle(rng, order, count, sizeof *order);
    gsl_rng_free(rng);
    return HSGD_OK;
}

/* One sum of `size` numbers, or one barrier. */
static hsgd_status once(const hsgd_collectives *ranks, void *group, double *data, size_t size, hsgd_error *err)
{
    return size ? ranks->sum(ranks->context, group, data, size, err) : ranks->barrier(ranks->context, group, err);
}

static hsgd_status time_once(double *time_s, const hsgd_probing *p, const hsgd_collectives *ranks, void *group,
                             double *data, size_t size, hsgd_error *err)
{
    if (p->work)
        p->work(p->work_context, data, size);
    hsgd_status status = ranks->barrier(ranks->context, group, err);
    double begin_s = hsgd_now_s();
    if (!status)
        status = once(ranks, group, data, size, err);
    *time_s = hsgd_now_s() - begin_s;
    return status;
}

/* All ranks begin a depth together, with a first sum of every size that is not timed. */
static hsgd_status warm_up(const hsgd_probing *p, const hsgd_collectives *ranks, void *group, double *data,
                           hsgd_error *err)
{
    hsgd_status status = HSGD_OK;
    for (size_t i = 0; i < p->num_sizes && !status; i++)
        status = once(ranks, group, data, p->size[i], err);
    return status;
}

static hsgd_status probe_depth(double *time_s, size_t *order, double *data, const hsgd_probing *p, size_t depth,
                               const hsgd_tree_groups *groups, hsgd_error *err)
{
    const hsgd_collectives *ranks = groups->collectives;
    size_t count = p->num_sizes * p->repeats;
    void *group = groups->group[depth];
    hsgd_status status = draw_order(order, count, p->seed, depth, err);
    if (!status)
        status = warm_up(p, ranks, group, data, err);
    for (size_t i = 0; i < count && !status; i++)
        status = time_once(&time_s[order[i]], p, ranks, group, data, p->size[order[i] / p->repeats], err);
    return status;
}

hsgd_status hsgd_probe(double *time_s, const hsgd_probing *probing, size_t max_depths, const hsgd_tree_groups *groups,
                       hsgd_error *err)
{
    const hsgd_collectives *ranks = groups->collectives;
    size_t count = probing->num_sizes * probing->repeats, most = probing->size[probing->num_sizes - 1];
    double *data = hsgd_alloc_array(most + 1, sizeof *data);
    size_t *order = malloc(count * sizeof *order);
    hsgd_status status = data && order ? HSGD_OK : hsgd_fail_memory(err, "the probes");
    for (size_t i = 0; i < max_depths * count; i++)
        time_s[i] = NAN;
    for (size_t k = 0; k < max_depths && !status; k++) {
        if (k < groups->depths)
            status = probe_depth(time_s + k * count, order, data, probing, k, groups, err);
        hsgd_status met = ranks->barrier(ranks->context, ranks->all, status ? NULL : err);
        status = status ? status : met;
    }
    free(data);
    free(order);
    return status;
}

double hsgd_clock_cost_s(void)
{
    double begin_s = hsgd_now_s(), now_s = begin_s;
    for (int i = 0; i < CLOCK_READINGS; i++)
        now_s = hsgd_now_s();
    return (now_s - begin_s) / CLOCK_READINGS;
}
