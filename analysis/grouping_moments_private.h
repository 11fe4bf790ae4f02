/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Visiting all groupings of a tree, and means over placements from any source. */
#ifndef HSGD_ANALYSIS_GROUPING_MOMENTS_PRIVATE_H
#define HSGD_ANALYSIS_GROUPING_MOMENTS_PRIVATE_H

#include "analysis/grouping_moments.h"

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

/* place (n) receives draw number `draw` of a sequence of independent placements. */
typedef hsgd_status (*hsgd_draw)(size_t *place, size_t draw, void *source, hsgd_error *err);

/* As hsgd_grouping_moments_find, with placements from `draw` where the groupings are not enumerated. */
hsgd_status hsgd_grouping_moments_drawn(hsgd_grouping_moments *out, const hsgd_hierarchy *h, const double *vectors,
                                        size_t dim, size_t max_enumerated, size_t num_random, hsgd_draw draw,
                                        void *source, hsgd_error *err);

#endif
