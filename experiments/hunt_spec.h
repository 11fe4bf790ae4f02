/* SPDX-License-Identifier: GPL-3.0-or-later */
/* "hunt" of a configuration: what a search for a counterexample looks for, where, and for how long. */
#ifndef HSGD_EXPERIMENTS_HUNT_SPEC_H
#define HSGD_EXPERIMENTS_HUNT_SPEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bounds/list.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What is hunted: a bound whose violation would be a counterexample. */
typedef struct hsgd_quarry {
    const char *id;          /* borrowed, from the bound */
    const char *title;       /* for tables and legends, a few words */
    const hsgd_bound *bound; /* on S, S_round or S_min; NULL: the bound 4.4 on the dispersion itself */
    bool mean; /* the latter: of all steps and levels together, not at the step and level where it is worst */
} hsgd_quarry;

/* Every quarry has a number below hsgd_num_quarries: bounds in the order of the configuration's list, the user's own among
 * them, then the dispersion. Those about random places or about the distance are none. */
size_t hsgd_num_quarries(const hsgd_bound_list *bounds);
hsgd_quarry hsgd_quarry_at(const hsgd_bound_list *bounds, size_t index);

/* The quarry with this id; false: there is none. */
bool hsgd_quarry_find(hsgd_quarry *out, const hsgd_bound_list *bounds, const char *id);

/* What a hunt may change about the problem. */
typedef enum hsgd_hunt_part {
    HSGD_HUNT_CURVATURE,        /* of all workers */
    HSGD_HUNT_WORKER_CURVATURE, /* of each worker its own */
    HSGD_HUNT_LINEAR,
    HSGD_HUNT_INITIAL,
    HSGD_HUNT_STEP_SIZE,
    HSGD_HUNT_NOISE,
    HSGD_NUM_HUNT_PARTS
} hsgd_hunt_part;

/* "curvature", "worker_curvature", "linear", "initial", "step_size", "noise". */
const char *hsgd_hunt_part_name(size_t part);

enum { HSGD_HUNT_ID_SIZE = 64 };

typedef struct hsgd_hunt_spec {
    char bound[HSGD_HUNT_ID_SIZE]; /* id of the quarry */
    bool free[HSGD_NUM_HUNT_PARTS];
    size_t dimension;   /* d; 0: that of the problem */
    size_t evaluations; /* at most; 0: no limit */
    double seconds;     /* at most; INFINITY: no limit */
    uint64_t seed;
    bool use_method[2]; /* simplex, evolution: in turns where both are true */
    /* A test of the hunter itself: factors on what the bound is evaluated with, 1 for the bound as it is. A violation of a
     * weakened bound is expected. */
    double weaken_divergence;  /* D_k and eps~^2 */
    double weaken_initial_gap; /* Delta */
    double weaken_noise;       /* sigma^2 */
} hsgd_hunt_spec;

/* Is the bound not evaluated as it is? */
bool hsgd_hunt_is_weakened(const hsgd_hunt_spec *spec);

#ifdef __cplusplus
}
#endif

#endif
