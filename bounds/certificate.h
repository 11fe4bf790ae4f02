/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Certificates of worst cases: multipliers that prove S <= a Delta + sum_k c_k D_k, and their check in exact arithmetic
 * (THEORY 11.4). The check knows nothing of the solver that found them: it derives the points and the quadratic form
 * from the periods, and decides everything in rational numbers.
 *
 * Glossary    M  num_levels    T  steps    P_k  periods[k - 1]    gamma  step_size    L  smoothness
 *             a  delta_coefficient         c_k  divergence_coefficient[k - 1]
 *             point (t, d): the mean of the models below a node of depth d at step t; d = 0 is wbar^t, d = M a worker's
 *             own model. Where all models below the node are equal, deeper points are the same one and have no name.
 *
 * Numbers are texts and mean exactly what they say: "0.05" is 1/20. Legal are whole numbers, decimals with or without an
 * exponent ("5e-2"), and fractions ("1/20"). */
#ifndef HSGD_BOUNDS_CERTIFICATE_H
#define HSGD_BOUNDS_CERTIFICATE_H

#include <stdbool.h>
#include <stddef.h>

#include "analysis/error.h"
#include "analysis/hierarchy.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The blocks of the slack matrix have one row per point; more than this many are refused. */
enum { HSGD_CERTIFICATE_MAX_POINTS = 1024 };

/* What is bounded. */
typedef enum hsgd_certificate_criterion {
    HSGD_CERTIFICATE_MEAN, /* (1/T) sum_{t<T} ||grad f(wbar^t)||^2 */
    HSGD_CERTIFICATE_MIN,  /* min_{t<=T} ||grad f(wbar^t)||^2 */
    HSGD_NUM_CERTIFICATE_CRITERIA
} hsgd_certificate_criterion;

/* What Delta bounds. */
typedef enum hsgd_certificate_gap {
    HSGD_CERTIFICATE_DESCENT,     /* f(w^0) - f(wbar^T) */
    HSGD_CERTIFICATE_LOWER_BOUND, /* f(w^0) - f(wbar^t) + ||grad f(wbar^t)||^2/(2L) for every t <= T */
    HSGD_NUM_CERTIFICATE_GAPS
} hsgd_certificate_gap;

/* "mean", "min"; "descent", "lower-bound". NULL outside the range. */
const char *hsgd_certificate_criterion_name(size_t criterion);
const char *hsgd_certificate_gap_name(size_t gap);

typedef struct hsgd_certificate_point {
    size_t step;  /* t, 0..T */
    size_t depth; /* d, 0..M; 0 only at t = T */
} hsgd_certificate_point;

/* Multiplier of Q(higher, lower) >= 0, the interpolation inequality of every worker between two of its points. */
typedef struct hsgd_certificate_pair {
    hsgd_certificate_point higher, lower;
    char *value; /* owned */
} hsgd_certificate_pair;

/* Multiplier of D_k - sum_{u of depth k-1} p_u beta_u^2(wbar_u^t) >= 0. */
typedef struct hsgd_certificate_divergence {
    size_t level; /* k, 1..M */
    size_t step;  /* t, 0..T-1 */
    char *value;  /* owned */
} hsgd_certificate_divergence;

/* A number that belongs to a step: the multiplier of the gap at t, or the weight of ||grad f(wbar^t)||^2 in "min". */
typedef struct hsgd_certificate_step {
    size_t step; /* t, 0..T */
    char *value; /* owned */
} hsgd_certificate_step;

/* A certificate as its file has it. All pointers are owned; free it with hsgd_certificate_free. */
typedef struct hsgd_certificate {
    size_t num_levels; /* M; 0: gradient descent */
    size_t periods[HSGD_MAX_LEVELS];
    /* D_k = 0 is assumed, and the theorem holds for this value only. */
    bool zero_level[HSGD_MAX_LEVELS];
    size_t steps; /* T >= 1 */
    char *step_size, *smoothness;
    hsgd_certificate_criterion criterion;
    hsgd_certificate_gap gap;
    char *delta_coefficient;
    char *divergence_coefficient[HSGD_MAX_LEVELS]; /* NULL where zero_level */
    hsgd_certificate_pair *pair;                   /* (num_pairs) */
    size_t num_pairs;
    hsgd_certificate_divergence *divergence; /* (num_divergences) */
    size_t num_divergences;
    hsgd_certificate_step *gap_multiplier; /* (num_gap_multipliers) */
    size_t num_gap_multipliers;
    hsgd_certificate_step *weight; /* (num_weights); only with HSGD_CERTIFICATE_MIN */
    size_t num_weights;
} hsgd_certificate;

/* Free what the certificate owns and zero it; NULL and zeroed structures are fine. */
void hsgd_certificate_free(hsgd_certificate *certificate);

enum { HSGD_CERTIFICATE_DIGITS = 10, HSGD_CERTIFICATE_TEXT_SIZE = 48 };

/* What a check found. */
typedef struct hsgd_certificate_verdict {
    bool proved;
    char reason[512]; /* why not, in one line; "" when proved */
    /* a and the c_k, rounded up to doubles; 0 at zero levels. Set only when proved. */
    double delta_coefficient;
    double divergence_coefficient[HSGD_MAX_LEVELS];
    /* The same as decimals, rounded up to HSGD_CERTIFICATE_DIGITS digits; "" where there is none. */
    char delta_text[HSGD_CERTIFICATE_TEXT_SIZE], divergence_text[HSGD_MAX_LEVELS][HSGD_CERTIFICATE_TEXT_SIZE];
    size_t num_points; /* rows of a block */
    size_t num_blocks; /* M + 1 */
    /* How many blocks were shown to be positive semidefinite as R R' plus a diagonally dominant matrix, and how many by
     * elimination without fractions. */
    size_t num_dominant, num_eliminated;
} hsgd_certificate_verdict;

/* Decide whether the certificate is a proof. A number, a level or a point that is not legal is an error that names its
 * place, such as "interpolation[3].higher" (HSGD_ERROR_INPUT); a proof that fails is a verdict. */
hsgd_status hsgd_certificate_check(hsgd_certificate_verdict *out, const hsgd_certificate *certificate, hsgd_error *err);

#ifdef __cplusplus
}
#endif

#endif
