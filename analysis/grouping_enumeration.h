/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Visiting all groupings of a tree, each once. Two placements that differ by exchanging the workers of a group, or equal
 * siblings with all that is below them, are the same grouping; all are equally likely under a random permutation. */
#ifndef HSGD_ANALYSIS_GROUPING_ENUMERATION_H
#define HSGD_ANALYSIS_GROUPING_ENUMERATION_H

#include <stddef.h>

#include "analysis/error.h"
#include "analysis/hierarchy.h"

#ifdef __cplusplus
extern "C" {
#endif

#define HSGD_NO_PLACE ((size_t)-1)

/* One placement represents each grouping: the one in which, among equal siblings, the workers at their key places
 * increase from left to right. The places of a lowest group are equal siblings; the key place of a node is that of one
 * of its children, chosen by shape alone. So a place must wait for at most one other to be taken by an earlier worker:
 * a forest on the places. */
typedef struct hsgd_groupings {
    size_t num_workers;      /* n */
    double count;            /* distinct groupings; INFINITY beyond the range of a double */
    size_t *after;           /* (n) the place that must have a smaller worker, left of it; HSGD_NO_PLACE: none. Owned */
    size_t *first_successor; /* (n) the leftmost place that waits for it, or HSGD_NO_PLACE; owned */
    size_t *next_successor;  /* (n) the next one that waits for the same place; owned */
} hsgd_groupings;

/* h is expanded and not in canonical form. Free with hsgd_groupings_free, also after a failure. */
hsgd_status hsgd_groupings_init(hsgd_groupings *out, const hsgd_hierarchy *h, hsgd_error *err);
void hsgd_groupings_free(hsgd_groupings *groupings);

/* What happens on the way: workers come in the order 0, 1, ..., n - 1 and go in the reverse one. */
typedef struct hsgd_grouping_visitor {
    void *source; /* handed to the functions */
    void (*put)(void *source, size_t worker, size_t place);
    void (*take)(void *source, size_t worker, size_t place); /* the worker that was put last */
    void (*done)(void *source);                              /* every worker has a place */
} hsgd_grouping_visitor;

/* Visit every grouping once, as its representative. */
hsgd_status hsgd_groupings_visit(const hsgd_groupings *groupings, const hsgd_grouping_visitor *visitor,
                                 hsgd_error *err);

#ifdef __cplusplus
}
#endif

#endif
