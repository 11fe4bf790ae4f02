/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The parts of a hunt: problems as points of a space (hunt_space.c), and what a bound is worth on one (hunt_measure.c). */
#ifndef HSGD_EXPERIMENTS_HUNT_PRIVATE_H
#define HSGD_EXPERIMENTS_HUNT_PRIVATE_H

#include <cjson/cJSON.h>
#include <gsl/gsl_rng.h>

#include "analysis/quadratic.h"
#include "experiments/hunt.h"

/* A problem that is tried. */
typedef struct hsgd_hunt_case {
    hsgd_quadratic quadratic; /* owned */
    double *initial;          /* (dim) owned */
    double step_size;
} hsgd_hunt_case;

/* All zeros; own: with room for Hessians of the workers' own. */
hsgd_status hsgd_hunt_case_init(hsgd_hunt_case *out, size_t dim, size_t num_workers, bool own, hsgd_error *err);
void hsgd_hunt_case_free(hsgd_hunt_case *c);

/* ---- measuring (hunt_measure.c) ---- */

/* What is the same for all problems of a hunt. */
typedef struct hsgd_hunt_setting {
    const hsgd_hierarchy *tree; /* expanded, with weights; borrowed */
    const hsgd_hierarchy
        *bound_tree;         /* what bounds are evaluated on: by level where all nodes of a level are alike; borrowed */
    hsgd_hierarchy local[2]; /* local SGD with periods I and G, owned */
    size_t period[3];        /* of the rounds of H-SGD and of these */
    size_t steps;            /* T */
} hsgd_hunt_setting;

hsgd_status hsgd_hunt_setting_init(hsgd_hunt_setting *out, const hsgd_config *config, const hsgd_problem *problem,
                                   hsgd_error *err);
void hsgd_hunt_setting_free(hsgd_hunt_setting *setting);

/* The steps that a quarry looks at: T, or one period of the root where nothing new happens after it (THEORY 12). */
size_t hsgd_hunt_steps(const hsgd_hunt_setting *setting, const hsgd_quarry *quarry, const hsgd_quadratic *quadratic);

/* A quarry on a problem. Constants are multiplied by the factors of weaken (NULL: none). Fails only where memory is out. */
hsgd_status hsgd_hunt_measure(hsgd_hunted *out, const hsgd_hunt_setting *setting, const hsgd_hunt_case *c,
                              const hsgd_quarry *quarry, const hsgd_hunt_spec *weaken, hsgd_error *err);

/* The constants of a problem, not weakened; divergences that grow with w: their largest expectations over `steps` steps. */
hsgd_status hsgd_hunt_find_constants(hsgd_hunt_constants *out, const hsgd_hunt_setting *setting,
                                     const hsgd_hunt_case *c, size_t steps, hsgd_error *err);

/* Up to which step size a quarry applies for this L; 2/L, beyond which gradient descent diverges, where there is no limit. */
hsgd_status hsgd_hunt_max_step_size(double *out, const hsgd_hunt_setting *setting, const hsgd_quarry *quarry,
                                    double smoothness, hsgd_error *err);

/* ---- files (hunt_files.c) ---- */

/* The members "found", "constants" and "bounds" of hunt.json. NULL: memory is out. */
cJSON *hsgd_hunt_worst_to_json(const hsgd_hunt *hunt);

/* ---- the space (hunt_space.c) ---- */

/* Coordinates of the space are numbers without limits; every point of it is a problem that the bound applies to. */
typedef struct hsgd_hunt_space {
    const hsgd_config *config;        /* borrowed */
    const hsgd_problem *problem;      /* borrowed: what is not free is as there */
    const hsgd_hunt_setting *setting; /* borrowed */
    bool own;                         /* workers have Hessians of their own */
    bool needs_minimum;               /* f must be bounded below, so no curvature is negative */
    bool free[HSGD_NUM_HUNT_PARTS];
    size_t dim;            /* d */
    size_t num_amplitudes; /* of the linear terms in every coordinate: one per entry of bound_tree, or per worker */
    size_t num_parameters; /* dimension of the space */
    double smoothness;     /* L of every problem in it: that of the configuration's */
    double step_size;      /* where it is not free */
    double max_step_size;
    double unit;        /* root of the size that amplitudes are compared with */
    bool scale_is_free; /* all amplitudes are, and only their proportions count */
} hsgd_hunt_space;

hsgd_status hsgd_hunt_space_init(hsgd_hunt_space *out, const hsgd_config *config, const hsgd_problem *problem,
                                 const hsgd_hunt_setting *setting, const hsgd_quarry *quarry, hsgd_error *err);

/* Which curvature is L, or -L: one has to be, and which one is drawn for every start. */
typedef struct hsgd_hunt_anchor {
    size_t coordinate; /* i; with Hessians of their own: j d + i */
    bool negative;
} hsgd_hunt_anchor;

/* A start anywhere: anchor and point (num_parameters). */
void hsgd_hunt_space_draw(hsgd_hunt_anchor *anchor, double *point, const hsgd_hunt_space *space, gsl_rng *rng);

/* The problem at a point. c has the sizes of the space. */
void hsgd_hunt_space_case(hsgd_hunt_case *c, const hsgd_hunt_space *space, const hsgd_hunt_anchor *anchor,
                          const double *point);

#endif
