/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Means over placements from any source. */
#ifndef HSGD_ANALYSIS_GROUPING_MOMENTS_PRIVATE_H
#define HSGD_ANALYSIS_GROUPING_MOMENTS_PRIVATE_H

#include "analysis/grouping_enumeration.h"
#include "analysis/grouping_moments.h"

/* place (n) receives draw number `draw` of a sequence of independent placements. */
typedef hsgd_status (*hsgd_draw)(size_t *place, size_t draw, void *source, hsgd_error *err);

/* As hsgd_grouping_moments_find, with placements from `draw` where the groupings are not enumerated. */
hsgd_status hsgd_grouping_moments_drawn(hsgd_grouping_moments *out, const hsgd_hierarchy *h, const double *vectors,
                                        size_t dim, size_t max_enumerated, size_t num_random, hsgd_draw draw,
                                        void *source, hsgd_error *err);

#endif
