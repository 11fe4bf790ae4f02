/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The proof ladder (THEORY 4.5): the steps of the proof from the measured S to the published bound, one by one.
 *
 * R0 to R4 follow from what a run measured, R5 to R7 are bounds of the registry. Each rung is at least the one before,
 * in expectation; what a step adds is the slack that it costs. */
#ifndef HSGD_BOUNDS_LADDER_H
#define HSGD_BOUNDS_LADDER_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

enum { HSGD_NUM_RUNGS = 8, HSGD_NUM_MEASURED_RUNGS = 5 };

typedef struct hsgd_rung {
    const char *rung;     /* "R0" .. "R7" */
    const char *name;     /* what it is, a few words */
    const char *uses;     /* what the step from the rung before uses; "" for R0 */
    const char *bound_id; /* R5 to R7: its id in the registry; NULL for the measured rungs */
} hsgd_rung;

extern const hsgd_rung hsgd_rungs[HSGD_NUM_RUNGS];

/* What one run measured, means over its steps, and the constants. Symbols as in THEORY 4.2. */
typedef struct hsgd_ladder_terms {
    double S;                       /* of ||grad f(wbar^t)||^2 */
    double loss_drop;               /* f(w^0) - f(wbar^T) */
    double loss_left;               /* f(wbar^T) - f* */
    double mean_noise_sq;           /* ||xibar||^2 */
    double mean_gradient_sq;        /* ||Gbar||^2 */
    double drift_error_sq;          /* ||grad f(wbar) - Gbar||^2 */
    double gradient_dot_noise;      /* <grad f(wbar), xibar> */
    double mean_gradient_dot_noise; /* <Gbar, xibar> */
    double dispersion;              /* V^t */
    double step_size;               /* gamma */
    double steps;                   /* T */
    double smoothness;              /* L */
    double noise_sq;                /* sigma^2 */
    double noise_share;             /* sum_j p_j^2 */
} hsgd_ladder_terms;

/* Steps 1 to HSGD_NUM_PATHWISE_STEPS are nonnegative on every path that satisfies A1, the later ones in expectation. */
enum { HSGD_NUM_PATHWISE_STEPS = 3 };

/* rung[k] = R_k and step[k] = what the step from R_{k-1} to R_k adds, for the measured rungs (step[0] is 0).
 *   R1 to R3 carry the products with the noise that (4.2a) takes the expectation of, so that each is at least the one
 *   before on every single path where A1 holds; R4 has none. They are 0 in expectation.
 *   step[4] leaves them out, which would only blur it; the other steps are differences of rungs. */
void hsgd_ladder_measured(double rung[HSGD_NUM_MEASURED_RUNGS], double step[HSGD_NUM_MEASURED_RUNGS],
                          const hsgd_ladder_terms *terms);

#ifdef __cplusplus
}
#endif

#endif
