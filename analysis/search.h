/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Looking for the largest value of a function of several numbers, without derivatives and within a budget.
 *
 * Two methods that fail in different ways: the simplex of Nelder and Mead (GSL's nmsimplex2), which follows curved ridges,
 * and a (1+1) evolution strategy with the one-fifth rule (Rechenberg 1973), which does not mind kinks and plateaus. Both
 * begin afresh around the best point when they have come to rest, so that they use the whole budget. */
#ifndef HSGD_ANALYSIS_SEARCH_H
#define HSGD_ANALYSIS_SEARCH_H

#include <stddef.h>

#include <gsl/gsl_rng.h>

#include "analysis/error.h"
#include "analysis/stop.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum hsgd_search_method {
    HSGD_SEARCH_SIMPLEX,
    HSGD_SEARCH_EVOLUTION,
    HSGD_NUM_SEARCH_METHODS
} hsgd_search_method;

/* "simplex", "evolution". */
const char *hsgd_search_method_name(hsgd_search_method method);

typedef struct hsgd_search {
    hsgd_search_method method;
    size_t dim; /* >= 1 */
    /* The function, called one point (dim) at a time. NAN and -INFINITY are worse than every number. */
    double (*value)(void *context, const double *point);
    void *context;
    size_t evaluations; /* calls of the function, at most; >= 1 */
    double reach;       /* length of the first steps > 0 */
    double
        deadline_s; /* on the clock of analysis/clock.h; INFINITY: none, and the result depends on nothing but the inputs */
    const hsgd_stop *stop; /* what is asked for ends the search like the deadline; NULL: nobody asks */
} hsgd_search;

/* Search from point (dim), which becomes the best point found; *value: its value, *used: calls of the function. All random
 * numbers come from rng. */
hsgd_status hsgd_search_run(double *point, double *value, size_t *used, const hsgd_search *search, gsl_rng *rng,
                            hsgd_error *err);

#ifdef __cplusplus
}
#endif

#endif
