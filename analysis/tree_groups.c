/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "analysis/tree_groups.h"

#include <string.h>

size_t hsgd_nodes_above(size_t node[HSGD_MAX_LEVELS], const hsgd_hierarchy *h, size_t place)
{
    size_t depths = 0;
    for (size_t u = 0; u < h->num_nodes && depths < HSGD_MAX_LEVELS;) {
        const hsgd_node *at = &h->node[u];
        bool below = place >= at->first_worker && place - at->first_worker < at->num_workers;
        if (below)
            node[depths++] = u;
        u = below ? u + 1 : at->end;
    }
    return depths;
}

hsgd_status hsgd_tree_groups_make(hsgd_tree_groups *out, const hsgd_collectives *collectives, const hsgd_hierarchy *h,
                                  hsgd_error *err)
{
    memset(out, 0, sizeof *out);
    if (!hsgd_hierarchy_is_expanded(h) || h->num_nodes < 1)
        return hsgd_fail(err, HSGD_ERROR_INPUT, "training needs a hierarchy with one entry per node");
    if (collectives->size != h->num_workers)
        return hsgd_fail(err, HSGD_ERROR_INPUT, "the hierarchy has %zu workers, but there are %zu ranks",
                         h->num_workers, collectives->size);
    size_t node[HSGD_MAX_LEVELS], depths = hsgd_nodes_above(node, h, collectives->rank);
    out->collectives = collectives;
    /* A node's ranks are split into those of its children: no rank splits a group that it does not belong to. */
    for (size_t k = 0; k < depths; k++) {
        hsgd_status status = collectives->split(collectives->context, k ? out->group[k - 1] : collectives->all, node[k],
                                                &out->group[k], err);
        if (status) {
            hsgd_tree_groups_free(out);
            return status;
        }
        out->node[out->depths++] = node[k];
    }
    return HSGD_OK;
}

void hsgd_tree_groups_free(hsgd_tree_groups *groups)
{
    for (size_t k = groups->depths; k-- > 0;)
        groups->collectives->free_group(groups->collectives->context, groups->group[k]);
    memset(groups, 0, sizeof *groups);
}

size_t hsgd_acting_depth(const hsgd_hierarchy *h, const size_t *node, size_t depths, size_t updates)
{
    for (size_t k = 0; k < depths; k++)
        if (hsgd_node_acts(h, node[k], updates))
            return k;
    return depths;
}
