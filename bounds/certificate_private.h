/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the parts of the certificate's check share: its points, its numbers as integers, and the blocks of the slack. */
#ifndef HSGD_BOUNDS_CERTIFICATE_PRIVATE_H
#define HSGD_BOUNDS_CERTIFICATE_PRIVATE_H

#include <gmp.h>

#include "bounds/certificate.h"
#include "bounds/semidefinite_private.h"

/* ---- numbers ---- */

/* The exact value of a text; false when it is not a number, or one of more than some hundred digits. */
bool hsgd_exact_number(mpq_t out, const char *text);

/* ---- points ---- */

/* The points of a tree, ordered by step and then by depth. */
typedef struct hsgd_certificate_points {
    size_t num_levels;      /* M */
    size_t steps;           /* T */
    const size_t *periods;  /* (M) borrowed from the certificate */
    const bool *zero_level; /* (M) borrowed from the certificate */
    size_t num_points;
    hsgd_certificate_point *place; /* (num_points) the smallest depth at which this point is found; owned */
    size_t *index;                 /* (T + 1, M + 1) the point that wbar_v^t is, v of this depth; owned */
} hsgd_certificate_points;

hsgd_status hsgd_certificate_points_init(hsgd_certificate_points *out, const hsgd_certificate *certificate,
                                         hsgd_error *err);
void hsgd_certificate_points_free(hsgd_certificate_points *points);

/* The point that wbar_v^t is, v a node of this depth. */
size_t hsgd_certificate_index(const hsgd_certificate_points *points, size_t step, size_t depth);

/* Does a point go by this name? Not if it is the point of a smaller depth too. */
bool hsgd_certificate_is_point(const hsgd_certificate_points *points, size_t step, size_t depth);

/* How many steps before t make up the level-k part of a model: those since nodes of depth k - 1 averaged last, and all
 * of them for k = 0. x^(k) at step t is -gamma times the sum of their gradients, for k = 0 from w^0. */
size_t hsgd_certificate_memory(const hsgd_certificate_points *points, size_t level, size_t step);

/* ---- the certificate in integers ---- */

/* Every multiplier is an integer over one common denominator, so that nothing below needs a fraction. */
typedef struct hsgd_certificate_integers {
    hsgd_certificate_points points;
    mpz_t gamma_L_num, gamma_L_den; /* gamma L */
    mpz_t L_num, L_den;
    mpz_t denominator;
    size_t num_pairs;
    size_t *higher, *lower; /* (num_pairs) indices of points */
    mpz_t *pair;            /* (num_pairs) */
    mpz_t *divergence;      /* (M, T) of level k and step t: [(k - 1) T + t] */
    mpz_t *gap;             /* (T + 1) */
    bool gap_has_gradient;  /* the gap is "lower-bound" */
    mpz_t *weight;          /* (T + 1) of ||grad f(wbar^t)||^2 in what is bounded */
    mpz_t *balance;         /* (num_points) room for the check of the function values */
    char negative[64];      /* place of the first multiplier below 0; "": none */
    mpz_t delta_coefficient;
    mpz_t divergence_coefficient[HSGD_MAX_LEVELS];
} hsgd_certificate_integers;

/* Numbers of the same step and level, and of the same pair, may stand several times; they are all used. */
hsgd_status hsgd_certificate_integers_init(hsgd_certificate_integers *out, const hsgd_certificate *certificate,
                                           hsgd_error *err);
void hsgd_certificate_integers_free(hsgd_certificate_integers *integers);

/* ---- slack ---- */

/* Block k of the slack matrix times a positive integer. out: (K, K) row-major, zeroed here; only rows and columns that do
 * not vanish matter, and those that do (zero levels) are 0. False when memory is out. */
bool hsgd_certificate_block(mpz_t *out, const hsgd_certificate_integers *certificate, size_t level);

#endif
