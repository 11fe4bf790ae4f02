/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "analysis/hierarchy.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static hsgd_status allocate(hsgd_hierarchy *h, size_t num_nodes, hsgd_error *err)
{
    memset(h, 0, sizeof *h);
    h->node = calloc(num_nodes ? num_nodes : 1, sizeof *h->node);
    if (!h->node)
        return hsgd_fail_memory(err, "the hierarchy");
    h->num_nodes = num_nodes;
    return HSGD_OK;
}

void hsgd_hierarchy_free(hsgd_hierarchy *h)
{
    if (!h)
        return;
    free(h->node);
    free(h->worker_weight);
    memset(h, 0, sizeof *h);
}

/* Weight and noise share of every entry for equal worker weights. */
static void set_equal_shares(hsgd_hierarchy *h)
{
    double n = (double)h->num_workers;
    for (size_t u = 0; u < h->num_nodes; u++) {
        hsgd_node *node = &h->node[u];
        node->weight = (double)node->num_workers * (double)node->copies / n;
        node->noise_share = (double)(node->num_children - 1) / (double)node->num_workers;
    }
    h->noise_share = 1 / n;
}

/* ---- building and checking ---- */

static hsgd_status check_period(size_t period, size_t parent_period, const char *place, size_t index, hsgd_error *err)
{
    if (period < 1 || period > HSGD_MAX_PERIOD)
        return hsgd_fail(err, HSGD_ERROR_INPUT, "%s[%zu]: the period %zu is not in 1..%zu", place, index, period,
                         HSGD_MAX_PERIOD);
    if (parent_period % period != 0)
        return hsgd_fail(err, HSGD_ERROR_INPUT,
                         "%s[%zu]: the period %zu does not divide the period %zu of the level above", place, index,
                         period, parent_period);
    return HSGD_OK;
}

static hsgd_status check_uniform(const size_t *fanout, const size_t *periods, size_t num_levels, hsgd_error *err)
{
    if (num_levels < 1 || num_levels > HSGD_MAX_LEVELS)
        return hsgd_fail(err, HSGD_ERROR_INPUT, "fanout: %zu levels are not in 1..%d", num_levels, HSGD_MAX_LEVELS);
    size_t workers = 1;
    for (size_t k = 0; k < num_levels; k++) {
        if (fanout[k] < 1 || fanout[k] > HSGD_MAX_WORKERS / workers)
            return hsgd_fail(err, HSGD_ERROR_INPUT,
                             "fanout[%zu]: %zu is not legal; each fanout is at least 1 and their product at most %zu",
                             k, fanout[k], HSGD_MAX_WORKERS);
        workers *= fanout[k];
        hsgd_status status = check_period(periods[k], k ? periods[k - 1] : periods[0], "periods", k, err);
        if (status)
            return status;
    }
    return HSGD_OK;
}

hsgd_status hsgd_hierarchy_uniform(hsgd_hierarchy *out, const size_t *fanout, const size_t *periods, size_t num_levels,
                                   hsgd_error *err)
{
    memset(out, 0, sizeof *out);
    hsgd_status status = check_uniform(fanout, periods, num_levels, err);
    if (!status)
        status = allocate(out, num_levels, err);
    if (status)
        return status;
    out->num_levels = num_levels;
    out->num_workers = 1;
    for (size_t k = 0; k < num_levels; k++) {
        out->node[k] = (hsgd_node){.parent = k ? k - 1 : HSGD_NO_NODE,
                                   .depth = k,
                                   .period = periods[k],
                                   .num_children = fanout[k],
                                   .copies = out->num_workers,
                                   .end = num_levels};
        out->num_workers *= fanout[k];
    }
    for (size_t k = 0; k < num_levels; k++)
        out->node[k].num_workers = out->num_workers / out->node[k].copies;
    set_equal_shares(out);
    return HSGD_OK;
}

static hsgd_status check_spec(const hsgd_node_spec *spec, size_t i, const size_t *depth, hsgd_error *err)
{
    bool is_root = i == 0;
    if (is_root != (spec[i].parent == HSGD_NO_NODE) || (!is_root && spec[i].parent >= i))
        return hsgd_fail(err, HSGD_ERROR_INPUT, "node[%zu]: only the first node is a root, and parents come first", i);
    if (!is_root && spec[spec[i].parent].num_workers > 0)
        return hsgd_fail(err, HSGD_ERROR_INPUT,
                         "node[%zu]: its parent has workers of its own; it may have only one kind", i);
    if (depth[i] >= HSGD_MAX_LEVELS)
        return hsgd_fail(err, HSGD_ERROR_INPUT, "node[%zu]: more than %d levels", i, HSGD_MAX_LEVELS);
    if (spec[i].num_workers > HSGD_MAX_WORKERS)
        return hsgd_fail(err, HSGD_ERROR_INPUT, "node[%zu]: %zu workers; at most %zu in all", i, spec[i].num_workers,
                         HSGD_MAX_WORKERS);
    return check_period(spec[i].period, is_root ? spec[i].period : spec[spec[i].parent].period, "node", i, err);
}

/* Entries, depths and child counts in the order of the specification; sizes follow from the leaves upwards. */
static hsgd_status fill_from_spec(hsgd_hierarchy *h, const hsgd_node_spec *spec, size_t *depth, hsgd_error *err)
{
    for (size_t i = 0; i < h->num_nodes; i++) {
        depth[i] = i && spec[i].parent < i ? depth[spec[i].parent] + 1 : 0;
        hsgd_status status = check_spec(spec, i, depth, err);
        if (status)
            return status;
        h->node[i] = (hsgd_node){.parent = spec[i].parent,
                                 .depth = depth[i],
                                 .period = spec[i].period,
                                 .num_children = spec[i].num_workers,
                                 .num_workers = spec[i].num_workers,
                                 .copies = 1,
                                 .end = i + 1};
        if (i)
            h->node[spec[i].parent].num_children++;
        if (depth[i] + 1 > h->num_levels)
            h->num_levels = depth[i] + 1;
    }
    return HSGD_OK;
}

static hsgd_status sum_sizes(hsgd_hierarchy *h, hsgd_error *err)
{
    for (size_t i = h->num_nodes; i-- > 0;) {
        hsgd_node *node = &h->node[i];
        if (node->num_workers < 1)
            return hsgd_fail(err, HSGD_ERROR_INPUT, "node[%zu]: has no worker; a group needs at least 1", i);
        if (node->num_workers > HSGD_MAX_WORKERS)
            return hsgd_fail(err, HSGD_ERROR_INPUT, "node[%zu]: %zu workers; at most %zu in all", i, node->num_workers,
                             HSGD_MAX_WORKERS);
        if (i == 0)
            break;
        hsgd_node *parent = &h->node[node->parent];
        parent->num_workers += node->num_workers;
        if (parent->end < node->end)
            parent->end = node->end;
    }
    h->num_workers = h->node[0].num_workers;
    return HSGD_OK;
}

/* Number the workers from left to right. */
static void number_workers(hsgd_hierarchy *h)
{
    size_t next = 0;
    for (size_t i = 0; i < h->num_nodes; i++) {
        h->node[i].first_worker = next;
        if (hsgd_node_is_lowest(h, i))
            next += h->node[i].num_workers;
    }
}

/* In pre-order the node after a leaf hangs from an ancestor of that leaf: the chain of open nodes never reopens. */
static bool is_pre_order(const hsgd_node_spec *spec, size_t num_specs)
{
    for (size_t i = 2; i < num_specs; i++) {
        size_t open = i - 1;
        while (open != HSGD_NO_NODE && open != spec[i].parent)
            open = spec[open].parent;
        if (open == HSGD_NO_NODE)
            return false;
    }
    return true;
}

hsgd_status hsgd_hierarchy_tree(hsgd_hierarchy *out, const hsgd_node_spec *spec, size_t num_specs, hsgd_error *err)
{
    memset(out, 0, sizeof *out);
    if (num_specs < 1)
        return hsgd_fail(err, HSGD_ERROR_INPUT, "the tree has no node");
    size_t *depth = calloc(num_specs, sizeof *depth);
    if (!depth)
        return hsgd_fail_memory(err, "the hierarchy");
    hsgd_status status = allocate(out, num_specs, err);
    if (!status)
        status = fill_from_spec(out, spec, depth, err);
    free(depth);
    if (!status && !is_pre_order(spec, num_specs))
        status = hsgd_fail(err, HSGD_ERROR_INPUT, "the nodes of the tree are not in pre-order");
    if (!status)
        status = sum_sizes(out, err);
    if (status) {
        hsgd_hierarchy_free(out);
        return status;
    }
    number_workers(out);
    set_equal_shares(out);
    return HSGD_OK;
}

hsgd_status hsgd_hierarchy_local(hsgd_hierarchy *out, size_t num_workers, size_t period, const hsgd_hierarchy *like,
                                 hsgd_error *err)
{
    hsgd_status status = hsgd_hierarchy_uniform(out, &num_workers, &period, 1, err);
    if (!status && like && like->worker_weight)
        status = hsgd_hierarchy_set_weights(out, like->worker_weight, err);
    if (status)
        hsgd_hierarchy_free(out);
    return status;
}

/* ---- weights ---- */

/* sum_{j in u} (p_j/p_u)^2 for the workers [first, first + count). */
static double concentration(const double *weight, size_t first, size_t count, double total)
{
    double sum = 0;
    for (size_t j = first; j < first + count; j++)
        sum += weight[j] / total * (weight[j] / total);
    return sum;
}

static double range_weight(const double *weight, size_t first, size_t count)
{
    double sum = 0;
    for (size_t j = first; j < first + count; j++)
        sum += weight[j];
    return sum;
}

/* THEORY 4.3: sum_v (p_v/p_u) sum_{j in v} (p_j/p_v)^2 - sum_{j in u} (p_j/p_u)^2. Single workers v give 1 each. */
static void set_weighted_shares(hsgd_hierarchy *h)
{
    const double *weight = h->worker_weight;
    for (size_t u = 0; u < h->num_nodes; u++) {
        hsgd_node *node = &h->node[u];
        node->weight = range_weight(weight, node->first_worker, node->num_workers);
        double own = concentration(weight, node->first_worker, node->num_workers, node->weight);
        node->noise_share = hsgd_node_is_lowest(h, u) ? 1 - own : -own;
    }
    for (size_t v = 1; v < h->num_nodes; v++) {
        const hsgd_node *child = &h->node[v];
        hsgd_node *parent = &h->node[child->parent];
        parent->noise_share += child->weight / parent->weight *
                               concentration(weight, child->first_worker, child->num_workers, child->weight);
    }
    for (size_t u = 0; u < h->num_nodes; u++)
        if (h->node[u].num_children == 1 || h->node[u].noise_share < 0)
            h->node[u].noise_share = 0; /* rounding only: the expression is a variance */
    h->noise_share = concentration(weight, 0, h->num_workers, 1);
}

hsgd_status hsgd_hierarchy_set_weights(hsgd_hierarchy *h, const double *weight, hsgd_error *err)
{
    if (!hsgd_hierarchy_is_expanded(h))
        return hsgd_fail(err, HSGD_ERROR_INPUT, "weights need a hierarchy with one entry per node");
    double sum = 0;
    for (size_t j = 0; j < h->num_workers; j++) {
        if (!(weight[j] > 0) || !isfinite(weight[j]))
            return hsgd_fail(err, HSGD_ERROR_INPUT, "weights[%zu]: %g is not a positive finite number", j, weight[j]);
        sum += weight[j];
    }
    if (!isfinite(sum))
        return hsgd_fail(err, HSGD_ERROR_INPUT, "weights: their sum is not finite");
    double *copy = malloc(h->num_workers * sizeof *copy);
    if (!copy)
        return hsgd_fail_memory(err, "the weights");
    for (size_t j = 0; j < h->num_workers; j++)
        copy[j] = weight[j] / sum;
    free(h->worker_weight);
    h->worker_weight = copy;
    set_weighted_shares(h);
    return HSGD_OK;
}

/* ---- other forms of the same tree ---- */

bool hsgd_hierarchy_is_expanded(const hsgd_hierarchy *h)
{
    for (size_t u = 0; u < h->num_nodes; u++)
        if (h->node[u].copies != 1)
            return false;
    return true;
}

static hsgd_status copy_weights(hsgd_hierarchy *out, const hsgd_hierarchy *h, hsgd_error *err)
{
    out->num_workers = h->num_workers;
    out->num_levels = h->num_levels;
    out->noise_share = h->noise_share;
    if (!h->worker_weight)
        return HSGD_OK;
    out->worker_weight = malloc(h->num_workers * sizeof *out->worker_weight);
    if (!out->worker_weight)
        return hsgd_fail_memory(err, "the weights");
    memcpy(out->worker_weight, h->worker_weight, h->num_workers * sizeof *out->worker_weight);
    return HSGD_OK;
}

/* Append one node and, depth first, all its descendants. Entries with copies belong to uniform trees, where the only
 * child entry of u is u + 1. Returns the index after the last one. */
static size_t append_copies(hsgd_node *out, size_t next, const hsgd_hierarchy *h, size_t u, size_t parent,
                            size_t first_worker)
{
    size_t self = next++;
    out[self] = h->node[u];
    out[self].parent = parent;
    out[self].copies = 1;
    out[self].first_worker = first_worker;
    if (!hsgd_node_is_lowest(h, u))
        for (size_t i = 0; i < h->node[u].num_children; i++)
            next = append_copies(out, next, h, u + 1, self, first_worker + i * h->node[u + 1].num_workers);
    out[self].end = next;
    return next;
}

hsgd_status hsgd_hierarchy_expand(hsgd_hierarchy *out, const hsgd_hierarchy *h, hsgd_error *err)
{
    bool plain = hsgd_hierarchy_is_expanded(h);
    size_t num_nodes = 0;
    for (size_t u = 0; u < h->num_nodes; u++)
        num_nodes += h->node[u].copies;
    hsgd_status status = allocate(out, num_nodes, err);
    if (!status)
        status = copy_weights(out, h, err);
    if (status) {
        hsgd_hierarchy_free(out);
        return status;
    }
    if (plain)
        memcpy(out->node, h->node, num_nodes * sizeof *out->node);
    else {
        append_copies(out->node, 0, h, 0, HSGD_NO_NODE, 0);
        set_equal_shares(out);
    }
    return HSGD_OK;
}

/* The canonical form works on the entries of a copy, top down: by the time an entry is looked at, its parent is final.
 * heir[u] is the entry that took the place of u. */
typedef struct canonical_work {
    hsgd_node *node;
    double *divergence_sq;
    bool *gone;
    size_t *heir;
} canonical_work;

/* Entry v acts only together with its parent u: its children become u's, and dispersions of merged levels add up. */
static void merge_into_parent(canonical_work *w, size_t v)
{
    hsgd_node *child = &w->node[v], *parent = &w->node[child->parent];
    size_t per_parent = child->copies / parent->copies;
    double share = child->weight / parent->weight;
    parent->num_children += per_parent * (child->num_children - 1);
    parent->noise_share += share * child->noise_share;
    w->divergence_sq[child->parent] += share * w->divergence_sq[v];
    w->gone[v] = true;
    w->heir[v] = child->parent;
}

static void make_canonical(canonical_work *w, size_t num_nodes)
{
    for (size_t u = 0; u < num_nodes; u++) {
        hsgd_node *node = &w->node[u];
        if (node->parent != HSGD_NO_NODE)
            node->parent = w->heir[node->parent];
        w->heir[u] = u;
        if (node->num_children == 1) { /* its only child takes its place, below the same parent */
            w->gone[u] = true;
            w->heir[u] = node->parent;
        } else if (node->parent != HSGD_NO_NODE && node->period == w->node[node->parent].period)
            merge_into_parent(w, u);
    }
}

/* Keep the surviving entries, renumbered, with their new depths and subtree ends. */
static void compact(hsgd_hierarchy *out, canonical_work *w, double *canonical_divergence_sq)
{
    size_t kept = 0, num_nodes = out->num_nodes;
    out->num_levels = 0;
    for (size_t u = 0; u < num_nodes; u++) {
        if (w->gone[u])
            continue;
        hsgd_node node = w->node[u];
        bool is_root = node.parent == HSGD_NO_NODE;
        node.parent = is_root ? HSGD_NO_NODE : w->heir[node.parent];
        node.depth = is_root ? 0 : out->node[node.parent].depth + 1;
        node.end = kept + 1;
        for (size_t above = node.parent; above != HSGD_NO_NODE; above = out->node[above].parent)
            out->node[above].end = kept + 1;
        if (node.depth + 1 > out->num_levels)
            out->num_levels = node.depth + 1;
        if (canonical_divergence_sq)
            canonical_divergence_sq[kept] = w->divergence_sq[u];
        w->heir[u] = kept; /* entries below look their parent up here */
        out->node[kept++] = node;
    }
    out->num_nodes = kept;
}

hsgd_status hsgd_hierarchy_canonical(hsgd_hierarchy *out, const hsgd_hierarchy *h, const double *divergence_sq,
                                     double *canonical_divergence_sq, hsgd_error *err)
{
    size_t num_nodes = h->num_nodes ? h->num_nodes : 1;
    canonical_work w = {malloc(num_nodes * sizeof *w.node), calloc(num_nodes, sizeof *w.divergence_sq),
                        calloc(num_nodes, sizeof *w.gone), calloc(num_nodes, sizeof *w.heir)};
    hsgd_status status = allocate(out, h->num_nodes, err);
    if (!status && !(w.node && w.divergence_sq && w.gone && w.heir))
        status = hsgd_fail_memory(err, "the canonical tree");
    if (!status)
        status = copy_weights(out, h, err);
    if (!status) {
        memcpy(w.node, h->node, h->num_nodes * sizeof *w.node);
        if (divergence_sq)
            memcpy(w.divergence_sq, divergence_sq, h->num_nodes * sizeof *divergence_sq);
        make_canonical(&w, h->num_nodes);
        compact(out, &w, canonical_divergence_sq);
    } else
        hsgd_hierarchy_free(out);
    free(w.node);
    free(w.divergence_sq);
    free(w.gone);
    free(w.heir);
    return status;
}

/* ---- questions ---- */

size_t hsgd_hierarchy_global_period(const hsgd_hierarchy *h)
{
    return h->num_nodes ? h->node[0].period : 1;
}

size_t hsgd_hierarchy_local_period(const hsgd_hierarchy *h)
{
    size_t smallest = hsgd_hierarchy_global_period(h);
    for (size_t u = 0; u < h->num_nodes; u++)
        if (h->node[u].period < smallest)
            smallest = h->node[u].period;
    return smallest;
}

bool hsgd_node_is_lowest(const hsgd_hierarchy *h, size_t node)
{
    return h->node[node].end == node + 1;
}

bool hsgd_node_acts(const hsgd_hierarchy *h, size_t node, size_t updates)
{
    const hsgd_node *u = &h->node[node];
    bool parent_acts = u->parent != HSGD_NO_NODE && updates % h->node[u->parent].period == 0;
    return updates > 0 && updates % u->period == 0 && !parent_acts;
}
