/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Glossary    kind[u]    nodes of one kind have subtrees of the same shape, whatever the order of the children
 *             key[u]     the place that stands for the node when equal siblings are put in order
 *
 * The groupings are the placements up to the automorphisms of the tree. An automorphism moves the workers of every
 * placement unless it is the identity, so each grouping is the image of the same number |Aut| of placements: under a
 * uniformly random permutation all groupings are equally likely, and there are n!/|Aut| of them. */
#include "analysis/grouping_enumeration.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- equal siblings ---- */

typedef struct shapes {
    const hsgd_hierarchy *h;
    size_t num_kinds;
    size_t *kind;     /* (num_nodes) */
    size_t *example;  /* (num_kinds) a node of each kind */
    size_t *below;    /* (num_nodes) kinds of children, sorted, the lists of all nodes one after the other */
    size_t *children; /* (num_nodes) where the list of a node begins */
    size_t *key;      /* (num_nodes) */
    size_t *latest;   /* (num_kinds) the last child of each kind at the node at hand, or HSGD_NO_NODE */
} shapes;

static int compare_sizes(const void *a, const void *b)
{
    const size_t *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

static bool same_shape(const shapes *s, size_t u, size_t v)
{
    const hsgd_node *x = &s->h->node[u], *y = &s->h->node[v];
    bool lowest = hsgd_node_is_lowest(s->h, u);
    if (x->num_workers != y->num_workers || x->num_children != y->num_children ||
        lowest != hsgd_node_is_lowest(s->h, v))
        return false;
    return lowest ||
           memcmp(s->below + s->children[u], s->below + s->children[v], x->num_children * sizeof *s->below) == 0;
}

/* Children come after their parent, so their kinds are known when the nodes are taken from the last to the first. The
 * search is over different shapes only, of which trees have few. */
static void find_kind(shapes *s, size_t u)
{
    size_t found = 0;
    while (found < s->num_kinds && !same_shape(s, s->example[found], u))
        found++;
    if (found == s->num_kinds)
        s->example[s->num_kinds++] = u;
    s->kind[u] = found;
}

/* The key of a node is that of the leftmost child of its smallest kind, which waits for no sibling. */
static void find_key(shapes *s, size_t u)
{
    const hsgd_node *node = s->h->node;
    s->key[u] = node[u].first_worker;
    if (hsgd_node_is_lowest(s->h, u))
        return;
    size_t best = u + 1;
    for (size_t v = u + 1; v < node[u].end; v = node[v].end)
        if (s->kind[v] < s->kind[best])
            best = v;
    s->key[u] = s->key[best];
}

static hsgd_status find_shapes(shapes *s, hsgd_error *err)
{
    size_t used = 0;
    for (size_t u = s->h->num_nodes; u-- > 0;) {
        const hsgd_node *node = s->h->node;
        s->children[u] = used;
        for (size_t v = u + 1; v < node[u].end; v = node[v].end)
            s->below[used++] = s->kind[v];
        size_t count = used - s->children[u];
        if (count > 0 && count != node[u].num_children)
            return hsgd_fail(err, HSGD_ERROR_INPUT, "groupings need a hierarchy that is not in canonical form");
        qsort(s->below + s->children[u], count, sizeof *s->below, compare_sizes);
        find_kind(s, u);
        find_key(s, u);
    }
    return HSGD_OK;
}

static void order_siblings(const shapes *s, size_t u, size_t *after)
{
    const hsgd_node *node = s->h->node;
    if (hsgd_node_is_lowest(s->h, u))
        for (size_t i = 1; i < node[u].num_workers; i++)
            after[node[u].first_worker + i] = node[u].first_worker + i - 1;
    for (size_t v = u + 1; v < node[u].end; v = node[v].end)
        s->latest[s->kind[v]] = HSGD_NO_NODE;
    for (size_t v = u + 1; v < node[u].end; v = node[v].end) {
        size_t *latest = &s->latest[s->kind[v]];
        if (*latest != HSGD_NO_NODE)
            after[s->key[v]] = s->key[*latest];
        *latest = v;
    }
}

/* after[] for the whole tree. A place gets at most one condition: of the nodes that it is the key of, all but the
 * topmost are first of their kind. */
static hsgd_status order_places(size_t *after, const hsgd_hierarchy *h, hsgd_error *err)
{
    size_t nodes = h->num_nodes;
    shapes s = {.h = h,
                .kind = calloc(nodes, sizeof *s.kind),
                .example = calloc(nodes, sizeof *s.example),
                .below = calloc(nodes, sizeof *s.below),
                .children = calloc(nodes, sizeof *s.children),
                .key = calloc(nodes, sizeof *s.key),
                .latest = calloc(nodes, sizeof *s.latest)};
    hsgd_status status = s.kind && s.example && s.below && s.children && s.key && s.latest
                             ? find_shapes(&s, err)
                             : hsgd_fail_memory(err, "the groupings");
    for (size_t u = 0; u < nodes && !status; u++)
        order_siblings(&s, u, after);
    free(s.kind);
    free(s.example);
    free(s.below);
    free(s.children);
    free(s.key);
    free(s.latest);
    return status;
}

/* ---- counting ---- */

/* Orders of a forest: n! over the product of its hooks, hook i being the number of places that wait for place i, itself
 * included (Knuth, TAOCP 3, exercise 5.1.4-20). Places wait for places further left, so hook i is at most n - i: all
 * factors are at least 1, and only a product that is too large overflows. */
static hsgd_status count_groupings(hsgd_groupings *g, hsgd_error *err)
{
    size_t n = g->num_workers;
    size_t *hook = calloc(n, sizeof *hook);
    if (!hook)
        return hsgd_fail_memory(err, "the groupings");
    g->count = 1;
    for (size_t i = n; i-- > 0;) {
        hook[i]++;
        if (g->after[i] != HSGD_NO_PLACE)
            hook[g->after[i]] += hook[i];
        g->count *= (double)(n - i) / (double)hook[i];
    }
    if (g->count < 0x1p53) /* only rounding keeps it from being whole */
        g->count = round(g->count);
    free(hook);
    return HSGD_OK;
}

static void link_successors(hsgd_groupings *g)
{
    for (size_t i = 0; i < g->num_workers; i++)
        g->first_successor[i] = g->next_successor[i] = HSGD_NO_PLACE;
    for (size_t i = g->num_workers; i-- > 0;)
        if (g->after[i] != HSGD_NO_PLACE) {
            g->next_successor[i] = g->first_successor[g->after[i]];
            g->first_successor[g->after[i]] = i;
        }
}

hsgd_status hsgd_groupings_init(hsgd_groupings *out, const hsgd_hierarchy *h, hsgd_error *err)
{
    size_t n = h->num_workers;
    *out = (hsgd_groupings){0};
    if (h->num_nodes < 1 || !hsgd_hierarchy_is_expanded(h))
        return hsgd_fail(err, HSGD_ERROR_INPUT, "groupings need a hierarchy with one entry per node");
    *out = (hsgd_groupings){.num_workers = n,
                            .after = calloc(n, sizeof *out->after),
                            .first_successor = calloc(n, sizeof *out->first_successor),
                            .next_successor = calloc(n, sizeof *out->next_successor)};
    if (!out->after || !out->first_successor || !out->next_successor)
        return hsgd_fail_memory(err, "the groupings");
    for (size_t i = 0; i < n; i++)
        out->after[i] = HSGD_NO_PLACE;
    hsgd_status status = order_places(out->after, h, err);
    if (!status)
        status = count_groupings(out, err);
    if (!status)
        link_successors(out);
    return status;
}

void hsgd_groupings_free(hsgd_groupings *groupings)
{
    if (!groupings)
        return;
    free(groupings->after);
    free(groupings->first_successor);
    free(groupings->next_successor);
    memset(groupings, 0, sizeof *groupings);
}

/* ---- visiting ---- */

typedef struct search {
    const hsgd_groupings *groupings;
    const hsgd_grouping_visitor *visitor;
    size_t *open; /* (n) places that wait for nobody; those in use lie in front */
} search;

/* Workers come in increasing order, so a place is free to be taken as soon as the one before it is: there are no dead
 * ends. Every call leaves the open places as it found them. */
static void put_next(search *s, size_t worker, size_t num_open)
{
    const hsgd_groupings *g = s->groupings;
    if (worker == g->num_workers) {
        s->visitor->done(s->visitor->source);
        return;
    }
    for (size_t i = 0; i < num_open; i++) {
        size_t place = s->open[i], last = s->open[num_open - 1], still_open = num_open - 1;
        s->open[i] = last;
        for (size_t next = g->first_successor[place]; next != HSGD_NO_PLACE; next = g->next_successor[next])
            s->open[still_open++] = next;
        s->visitor->put(s->visitor->source, worker, place);
        put_next(s, worker + 1, still_open);
        s->visitor->take(s->visitor->source, worker, place);
        s->open[num_open - 1] = last;
        s->open[i] = place;
    }
}

hsgd_status hsgd_groupings_visit(const hsgd_groupings *groupings, const hsgd_grouping_visitor *visitor, hsgd_error *err)
{
    size_t num_open = 0;
    search s = {groupings, visitor, calloc(groupings->num_workers, sizeof *s.open)};
    if (!s.open)
        return hsgd_fail_memory(err, "the groupings");
    for (size_t i = 0; i < groupings->num_workers; i++)
        if (groupings->after[i] == HSGD_NO_PLACE)
            s.open[num_open++] = i;
    put_next(&s, 0, num_open);
    free(s.open);
    return HSGD_OK;
}
