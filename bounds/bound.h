/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Closed-form and recursive upper bounds on the stationarity of local SGD and H-SGD, behind one registry.
 *
 * A bound is a const record: its id, where it comes from, which measured quantity it bounds, on which run, and one pure
 * function from parameters to a result with its additive terms. To add one, write a file like bounds/fedvarp.c and add
 * a row to the table in bounds/registry.c. Evaluating a bound draws no random number and does no input or output; only
 * the recursive bounds allocate, and they free what they took.
 *
 * Glossary (THEORY 1, 3)   gamma step_size    T steps     Delta delta     eps~^2 global_divergence_sq
 *                          beta_u^2 divergence_sq[u]      G = P_1, I = smallest period of the canonical tree */
#ifndef HSGD_BOUNDS_BOUND_H
#define HSGD_BOUNDS_BOUND_H

#include <stdbool.h>
#include <stddef.h>

#include "analysis/error.h"
#include "analysis/hierarchy.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The measured quantity that a bound is about (THEORY 10). */
typedef enum hsgd_target {
    HSGD_TARGET_S,       /* (1/T) sum_{t<T} E||grad f(wbar^t)||^2 */
    HSGD_TARGET_S_ROUND, /* the mean over the points right after global aggregations */
    HSGD_TARGET_S_MIN,   /* the minimum over those points */
    HSGD_TARGET_DISTANCE /* ||w - u||: the global model against centralised gradient descent, at the end of a round */
} hsgd_target;

/* "S", "S_round", "S_min", "distance". */
const char *hsgd_target_name(hsgd_target target);

/* The algorithm that a bound is about. */
typedef enum hsgd_algorithm {
    HSGD_ALGORITHM_HSGD,        /* the hierarchy as configured, workers at fixed places */
    HSGD_ALGORITHM_HSGD_RANDOM, /* the same with workers placed at random; S is the mean over placements too */
    HSGD_ALGORITHM_LOCAL_INNER, /* local SGD with period I, the smallest of the tree */
    HSGD_ALGORITHM_LOCAL_OUTER  /* local SGD with period G, that of the root */
} hsgd_algorithm;

/* "hsgd", "hsgd-random", "local-sgd-inner", "local-sgd-outer". */
const char *hsgd_algorithm_name(hsgd_algorithm algorithm);

/* Everything a bound may depend on. NAN marks a quantity that is not known; a bound that needs it is not applicable.
 * Build one with hsgd_bound_params_init, which takes care of the canonical tree; free with hsgd_bound_params_free. Copies
 * borrow what is owned; bounds of parameters that share a workspace are evaluated one after the other. */
typedef struct hsgd_bound_params {
    hsgd_hierarchy tree;            /* canonical, owned */
    double *divergence_sq;          /* (tree.num_nodes) beta_u^2 per entry of tree, owned; NULL: not known */
    double global_divergence_sq;    /* eps~^2: E(w) at most this */
    double *child_deviation_max_sq; /* (tree.num_nodes) max_v ||grad f_v - grad f_u||^2, owned; NULL: not known */
    double worker_deviation_max_sq; /* max_j ||grad F_j - grad f||^2 */
    double step_size;               /* gamma > 0 */
    size_t steps;                   /* T >= 1 */
    double smoothness;              /* L >= 0 */
    double noise_sq;                /* sigma^2 >= 0 */
    double delta;        /* Delta = f(w^0) - f* >= 0; INFINITY when f is not bounded below, or not known to be */
    size_t participants; /* workers drawn for each global round, uniformly, each at most once; 0: all */
    void *
        workspace; /* where bounds keep what they carry from step to step, so that they need no memory of their own; owned */
} hsgd_bound_params;

/* Build the canonical tree of h (copied) and carry divergence_sq (h->num_nodes, NULL: not known) and
 * child_deviation_max_sq (h->num_nodes, NULL: not known) over to it. A merged entry's maximum is bounded by the squared
 * sum of the maxima along the merge, ||a + b||^2 <= (||a|| + ||b||)^2. The scalar fields are set to NAN / 0 for the
 * caller to fill; if divergence_sq is known, global_divergence_sq starts as the sum of the D_k. */
hsgd_status hsgd_bound_params_init(hsgd_bound_params *out, const hsgd_hierarchy *h, const double *divergence_sq,
                                   const double *child_deviation_max_sq, hsgd_error *err);
void hsgd_bound_params_free(hsgd_bound_params *params);

/* Checks that every number is in range, and that NAN stands only where a quantity may be unknown. Messages name the
 * field of PARAMS.json: step_size, steps, L, sigma_sq, delta, global_divergence_sq, worker_deviation_max_sq,
 * level_divergence_sq, level_deviation_max_sq, participants. */
hsgd_status hsgd_bound_params_check(const hsgd_bound_params *params, hsgd_error *err);

enum { HSGD_MAX_TERMS = 2 + 2 * HSGD_MAX_LEVELS, HSGD_TERM_NAME_SIZE = 48, HSGD_REASON_SIZE = 256 };

typedef struct hsgd_term {
    char name[HSGD_TERM_NAME_SIZE]; /* "initial gap", "gradient noise", "noise drift, level 1", "divergence, level 1" */
    double value;
} hsgd_term;

typedef struct hsgd_bound_value {
    bool applicable;               /* every condition of the theorem holds for these parameters */
    char reason[HSGD_REASON_SIZE]; /* which condition fails, with the numbers; "" when applicable */
    double value;                  /* the sum of the terms; NAN where it was not evaluated */
    double max_step_size;          /* supremum of the admissible step sizes; INFINITY: no limit; NAN: not known */
    size_t num_terms;              /* 0 where value is NAN */
    hsgd_term term[HSGD_MAX_TERMS];
} hsgd_bound_value;

typedef struct hsgd_bound {
    const char *id;       /* stable name, as in the Contract */
    const char *title;    /* for tables and legends, a few words */
    const char *citation; /* paper and theorem, or THEORY section */
    hsgd_target target;
    hsgd_algorithm algorithm;
    bool covers_sampling; /* also with fewer participants than workers; the others are refused then */
    bool needs_maxima;    /* assumes every single deviation bounded: uses child_ or worker_deviation_max_sq */
    /* params have passed the check; bound is the record itself, so that one function can serve several */
    void (*eval)(const struct hsgd_bound *bound, const hsgd_bound_params *params, hsgd_bound_value *out);
} hsgd_bound;

/* The built-in bounds, in the order of tables. A configuration has a list of its own (bounds/list.h), which may have more. */
extern const hsgd_bound *const hsgd_bounds[];
extern const size_t hsgd_num_bounds;

/* Evaluate a bound with parameters that have passed the check. */
void hsgd_bound_eval(const hsgd_bound *bound, const hsgd_bound_params *params, hsgd_bound_value *out);

/* The built-in bound with this id, or NULL. */
const hsgd_bound *hsgd_bound_find(const char *id);

/* Largest step size of the published theorems: gamma < 1/(2 sqrt(6) L P_1) (THEORY 4.1); INFINITY for L = 0. */
double hsgd_published_max_step_size(double smoothness, size_t global_period);

/* ---- the recursive bound on the dispersion itself (THEORY 4.4) ---- */

/* out (steps, h->num_levels), row-major: for t < steps an upper bound on E B_k^t, level k = column + 1, for the tree as
 * given (any hierarchy, canonical or not) with beta_u^2 = divergence_sq (h->num_nodes). True for every step size;
 * INFINITY where it overflows. The parameters must be finite and in range. */
hsgd_status hsgd_dispersion_bound(double *out, const hsgd_hierarchy *h, const double *divergence_sq, double step_size,
                                  double smoothness, double noise_sq, size_t steps, hsgd_error *err);

#ifdef __cplusplus
}
#endif

#endif
