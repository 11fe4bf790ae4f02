/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Glossary    n  num_workers      worker[i]  the worker at position i of the similarity order
 *             cut i  the boundary between the places i - 1 and i
 *             cut_depth[i]  depth of the topmost node that begins at place i: the smaller, the larger the parts of the
 *             tree that the cut separates
 *
 * The similarity order is a recursive bisection along principal directions (Boley, Principal direction divisive
 * partitioning, Data Mining and Knowledge Discovery 2(4), 1998), with the cuts where the tree has its boundaries. */
#include "analysis/grouping.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <gsl/gsl_randist.h>
#include <gsl/gsl_rng.h>

#include "analysis/random.h"

/* Steps of the power method. The direction only has to separate well: where many more would be needed, two directions
 * have nearly the same variance and either is good. */
enum { POWER_STEPS = 24 };

static const char *const grouping_names[] = {
    [HSGD_GROUPING_GIVEN] = "given",
    [HSGD_GROUPING_RANDOM] = "random",
    [HSGD_GROUPING_GROUP_IID] = "group-iid",
    [HSGD_GROUPING_GROUP_NONIID] = "group-noniid",
};
enum { NUM_GROUPINGS = sizeof grouping_names / sizeof *grouping_names };
_Static_assert(NUM_GROUPINGS == HSGD_GROUPING_GROUP_NONIID + 1, "each grouping has a name");

const char *hsgd_grouping_name(hsgd_grouping grouping)
{
    return (size_t)grouping < NUM_GROUPINGS ? grouping_names[grouping] : "unknown";
}

int hsgd_grouping_parse(const char *name, hsgd_grouping *grouping)
{
    for (size_t i = 0; i < NUM_GROUPINGS; i++)
        if (strcmp(name, grouping_names[i]) == 0) {
            *grouping = (hsgd_grouping)i;
            return 0;
        }
    return -1;
}

/* ---- the similarity order ---- */

typedef struct position {
    size_t worker;
    double projection;
} position;

typedef struct sorter {
    const double *trait; /* (n, num_traits) */
    size_t num_traits;
    size_t *cut_depth; /* (n) */
    position *order;   /* (n) */
    double *mean;      /* (num_traits) of the workers at hand */
    double *direction; /* (num_traits) */
    double *next;      /* (num_traits) */
} sorter;

static void find_mean(sorter *s, size_t begin, size_t end)
{
    memset(s->mean, 0, s->num_traits * sizeof *s->mean);
    for (size_t i = begin; i < end; i++) {
        const double *trait = s->trait + s->order[i].worker * s->num_traits;
        for (size_t k = 0; k < s->num_traits; k++)
            s->mean[k] += trait[k] / (double)(end - begin);
    }
}

static void project(sorter *s, size_t begin, size_t end)
{
    for (size_t i = begin; i < end; i++) {
        const double *trait = s->trait + s->order[i].worker * s->num_traits;
        double sum = 0;
        for (size_t k = 0; k < s->num_traits; k++)
            sum += (trait[k] - s->mean[k]) * s->direction[k];
        s->order[i].projection = sum;
    }
}

/* direction <- covariance times direction, scaled to largest entry 1; left alone when the traits do not differ. */
static void power_step(sorter *s, size_t begin, size_t end)
{
    double largest = 0;
    memset(s->next, 0, s->num_traits * sizeof *s->next);
    project(s, begin, end);
    for (size_t i = begin; i < end; i++) {
        const double *trait = s->trait + s->order[i].worker * s->num_traits;
        for (size_t k = 0; k < s->num_traits; k++)
            s->next[k] += (trait[k] - s->mean[k]) * s->order[i].projection;
    }
    for (size_t k = 0; k < s->num_traits; k++)
        largest = fmax(largest, fabs(s->next[k]));
    for (size_t k = 0; k < s->num_traits && largest > 0; k++)
        s->direction[k] = s->next[k] / largest;
}

static int compare_positions(const void *a, const void *b)
{
    const position *x = a, *y = b;
    if (x->projection != y->projection)
        return x->projection < y->projection ? -1 : 1;
    return (x->worker > y->worker) - (x->worker < y->worker);
}

/* Sort the workers at hand along their principal direction. The start of the power method is a fixed random vector:
 * a regular one could be orthogonal to it, or tell only one of several equally frequent labels from the others. */
static void sort_positions(sorter *s, size_t begin, size_t end)
{
    const hsgd_stream start = {.purpose = HSGD_PURPOSE_GROUPING, .worker = 1};
    find_mean(s, begin, end);
    hsgd_normals(&start, 1, s->direction, s->num_traits);
    for (int step = 0; step < POWER_STEPS; step++)
        power_step(s, begin, end);
    project(s, begin, end);
    qsort(s->order + begin, end - begin, sizeof *s->order, compare_positions);
}

/* The topmost cut strictly inside, and of several the one nearest to the middle. */
static size_t choose_cut(const size_t *cut_depth, size_t begin, size_t end)
{
    size_t best = begin + 1, middle = begin + (end - begin) / 2, best_distance = (size_t)-1;
    for (size_t i = begin + 1; i < end; i++) {
        size_t distance = i < middle ? middle - i : i - middle;
        if (cut_depth[i] < cut_depth[best] || (cut_depth[i] == cut_depth[best] && distance < best_distance)) {
            best = i;
            best_distance = distance;
        }
    }
    return best;
}

static void bisect(sorter *s, size_t begin, size_t end)
{
    if (end - begin < 2)
        return;
    size_t cut = choose_cut(s->cut_depth, begin, end);
    sort_positions(s, begin, end);
    bisect(s, begin, cut);
    bisect(s, cut, end);
}

static void find_cut_depths(size_t *cut_depth, const hsgd_hierarchy *h)
{
    for (size_t i = 0; i < h->num_workers; i++)
        cut_depth[i] = HSGD_MAX_LEVELS + 1; /* only single workers meet here */
    for (size_t u = 0; u < h->num_nodes; u++)
        if (h->node[u].depth < cut_depth[h->node[u].first_worker])
            cut_depth[h->node[u].first_worker] = h->node[u].depth;
}

/* worker (n) receives the similarity order; trait is scaled. */
static hsgd_status similarity_order(size_t *worker, const hsgd_hierarchy *h, const double *trait, size_t num_traits,
                                    hsgd_error *err)
{
    size_t n = h->num_workers;
    sorter s = {.num_traits = num_traits,
                .trait = trait,
                .cut_depth = calloc(n, sizeof *s.cut_depth),
                .order = calloc(n, sizeof *s.order),
                .mean = calloc(num_traits, sizeof *s.mean),
                .direction = calloc(num_traits, sizeof *s.direction),
                .next = calloc(num_traits, sizeof *s.next)};
    hsgd_status status = HSGD_OK;
    if (s.cut_depth && s.order && s.mean && s.direction && s.next) {
        find_cut_depths(s.cut_depth, h);
        for (size_t i = 0; i < n; i++)
            s.order[i].worker = i;
        bisect(&s, 0, n);
        for (size_t i = 0; i < n; i++)
            worker[i] = s.order[i].worker;
    } else
        status = hsgd_fail_memory(err, "the grouping");
    free(s.cut_depth);
    free(s.order);
    free(s.mean);
    free(s.direction);
    free(s.next);
    return status;
}

/* ---- dealing a cross-section ---- */

/* Item `item` of a child that takes `size` of the workers; its ideal position among them is (item + 1/2)/size. */
typedef struct slot {
    size_t item, size, child; /* child: 0 for the first child of the node */
} slot;

typedef struct dealer {
    const hsgd_hierarchy *h;
    const double *trait; /* (n, num_traits) */
    size_t num_traits;
    size_t *worker; /* (n) */
    size_t *copy;   /* (n) */
    slot *slots;    /* (n) */
    size_t *next;   /* (n) next free place of each child of the node at hand */
    double *mean;   /* (num_traits) over the workers of that node */
    double *sum;    /* (children, num_traits) deviations from the mean that each child holds so far */
} dealer;

/* By ideal position, in whole numbers (below 2^55), and from left to right. */
static int compare_slots(const void *a, const void *b)
{
    const slot *x = a, *y = b;
    size_t x_due = (2 * x->item + 1) * y->size, y_due = (2 * y->item + 1) * x->size;
    if (x_due != y_due)
        return x_due < y_due ? -1 : 1;
    return (x->child > y->child) - (x->child < y->child);
}

/* How much the between-children variance sum_v |s_v|^2/|v| grows when child v, with s_v = sum, takes the worker. */
static double growth(const dealer *d, const slot *to, const double *trait)
{
    const double *sum = d->sum + to->child * d->num_traits;
    double grown = 0;
    for (size_t k = 0; k < d->num_traits; k++) {
        double deviation = trait[k] - d->mean[k];
        grown += deviation * (2 * sum[k] + deviation);
    }
    return grown / (double)to->size;
}

/* Give the worker to the best of count slots, which ends up first. */
static void give(dealer *d, size_t worker, slot *slots, size_t count)
{
    const double *trait = d->trait + worker * d->num_traits;
    size_t best = 0;
    double least = INFINITY;
    for (size_t i = 0; i < count; i++) {
        double grown = growth(d, &slots[i], trait);
        if (grown < least) {
            least = grown;
            best = i;
        }
    }
    slot taken = slots[best];
    memmove(slots + 1, slots, best * sizeof *slots);
    slots[0] = taken;
    d->worker[d->next[taken.child]++] = worker;
    for (size_t k = 0; k < d->num_traits; k++)
        d->sum[taken.child * d->num_traits + k] += trait[k] - d->mean[k];
}

/* All slots of the children of u in the order in which they are due; returns the number of children. */
static size_t make_slots(dealer *d, size_t u)
{
    const hsgd_node *node = d->h->node;
    size_t count = 0, child = 0;
    for (size_t v = u + 1; v < node[u].end; v = node[v].end, child++) {
        d->next[child] = node[v].first_worker;
        for (size_t i = 0; i < node[v].num_workers; i++)
            d->slots[count++] = (slot){i, node[v].num_workers, child};
    }
    qsort(d->slots, count, sizeof *d->slots, compare_slots);
    return child;
}

/* Redistribute the workers of u over its children; each child's share stays in similarity order. As many slots as there
 * are children fall due together: with equal groups each gets one of as many neighbours, and which one is free. */
static hsgd_status deal_node(dealer *d, size_t u, hsgd_error *err)
{
    size_t first = d->h->node[u].first_worker, count = d->h->node[u].num_workers;
    size_t children = make_slots(d, u);
    d->sum = calloc(children, d->num_traits * sizeof *d->sum);
    if (!d->sum)
        return hsgd_fail_memory(err, "the grouping");
    memcpy(d->copy, d->worker + first, count * sizeof *d->copy);
    memset(d->mean, 0, d->num_traits * sizeof *d->mean);
    for (size_t i = 0; i < count; i++)
        for (size_t k = 0; k < d->num_traits; k++)
            d->mean[k] += d->trait[d->copy[i] * d->num_traits + k] / (double)count;
    for (size_t i = 0; i < count; i++) {
        size_t window_end = (i / children + 1) * children;
        give(d, d->copy[i], d->slots + i, (window_end < count ? window_end : count) - i);
    }
    free(d->sum);
    return HSGD_OK;
}

/* Parents come before their children, so a node's workers are final when it deals them out. */
static hsgd_status deal(size_t *worker, const hsgd_hierarchy *h, const double *trait, size_t num_traits,
                        hsgd_error *err)
{
    size_t n = h->num_workers;
    dealer d = {.h = h,
                .trait = trait,
                .num_traits = num_traits,
                .worker = worker,
                .copy = calloc(n, sizeof *d.copy),
                .slots = calloc(n, sizeof *d.slots),
                .next = calloc(n, sizeof *d.next),
                .mean = calloc(num_traits, sizeof *d.mean)};
    hsgd_status status = HSGD_OK;
    if (!d.copy || !d.slots || !d.next || !d.mean)
        status = hsgd_fail_memory(err, "the grouping");
    for (size_t u = 0; u < h->num_nodes && !status; u++)
        if (!hsgd_node_is_lowest(h, u))
            status = deal_node(&d, u, err);
    free(d.copy);
    free(d.slots);
    free(d.next);
    free(d.mean);
    return status;
}

/* ---- all groupings ---- */

static hsgd_status shuffle(size_t *place, size_t count, uint64_t seed, hsgd_error *err)
{
    const hsgd_stream stream = {.seed = seed, .purpose = HSGD_PURPOSE_GROUPING};
    gsl_rng *rng = hsgd_stream_rng(&stream);
    if (!rng)
        return hsgd_fail_memory(err, "the grouping");
    gsl_ran_shuffle(rng, place, count, sizeof *place);
    gsl_rng_free(rng);
    return HSGD_OK;
}

static hsgd_status check_traits(const double *trait, size_t num_workers, size_t num_traits, hsgd_error *err)
{
    if (!trait || num_traits < 1 || num_traits > SIZE_MAX / sizeof *trait / num_workers)
        return hsgd_fail(err, HSGD_ERROR_INPUT, "grouping by similarity needs at least 1 trait of each worker");
    for (size_t i = 0; i < num_workers * num_traits; i++)
        if (!isfinite(trait[i]))
            return hsgd_fail(err, HSGD_ERROR_INPUT, "trait %zu of worker %zu is %g; traits must be finite",
                             i % num_traits, i / num_traits, trait[i]);
    return HSGD_OK;
}

/* Scaling keeps the products of the power method away from overflow and changes no order. */
static void scale_traits(double *scaled, const double *trait, size_t count)
{
    double largest = 0;
    for (size_t i = 0; i < count; i++)
        largest = fmax(largest, fabs(trait[i]));
    for (size_t i = 0; i < count; i++)
        scaled[i] = largest > 0 ? trait[i] / largest : 0;
}

static hsgd_status place_by_similarity(size_t *place, hsgd_grouping grouping, const hsgd_hierarchy *h,
                                       const double *trait, size_t num_traits, hsgd_error *err)
{
    hsgd_status status = check_traits(trait, h->num_workers, num_traits, err);
    if (status)
        return status;
    double *scaled = calloc(h->num_workers, num_traits * sizeof *scaled);
    if (!scaled)
        return hsgd_fail_memory(err, "the grouping");
    scale_traits(scaled, trait, h->num_workers * num_traits);
    status = similarity_order(place, h, scaled, num_traits, err);
    if (!status && grouping == HSGD_GROUPING_GROUP_IID)
        status = deal(place, h, scaled, num_traits, err);
    free(scaled);
    return status;
}

hsgd_status hsgd_grouping_place(size_t *place, hsgd_grouping grouping, const hsgd_hierarchy *h, const double *trait,
                                size_t num_traits, uint64_t seed, hsgd_error *err)
{
    if (!hsgd_hierarchy_is_expanded(h))
        return hsgd_fail(err, HSGD_ERROR_INPUT, "grouping needs a hierarchy with one entry per node");
    for (size_t i = 0; i < h->num_workers; i++)
        place[i] = i;
    switch (grouping) {
    case HSGD_GROUPING_GIVEN:
        return HSGD_OK;
    case HSGD_GROUPING_RANDOM:
        return shuffle(place, h->num_workers, seed, err);
    case HSGD_GROUPING_GROUP_IID:
    case HSGD_GROUPING_GROUP_NONIID:
        return place_by_similarity(place, grouping, h, trait, num_traits, err);
    }
    return hsgd_fail(err, HSGD_ERROR_INPUT, "grouping %d is not known", (int)grouping);
}
