/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Is an integer matrix positive semidefinite? Decided without rounding (THEORY 11.4). */
#ifndef HSGD_BOUNDS_SEMIDEFINITE_PRIVATE_H
#define HSGD_BOUNDS_SEMIDEFINITE_PRIVATE_H

#include <stdbool.h>
#include <stddef.h>

#include <gmp.h>

/* New integers, all 0; NULL when memory is out. */
mpz_t *hsgd_integers_alloc(size_t count);
void hsgd_integers_free(mpz_t *integers, size_t count);

typedef enum hsgd_semidefinite {
    HSGD_SEMIDEFINITE_NO_MEMORY,
    HSGD_SEMIDEFINITE_NO,
    HSGD_SEMIDEFINITE_DOMINANT,  /* yes: a floating-point R makes matrix - R R' diagonally dominant */
    HSGD_SEMIDEFINITE_ELIMINATED /* yes: elimination without fractions meets no negative pivot */
} hsgd_semidefinite;

/* matrix: (size, size) row-major, symmetric; it is scaled and overwritten. *row: on NO, a row at which it shows. */
hsgd_semidefinite hsgd_semidefinite_decide(mpz_t *matrix, size_t size, size_t *row);

/* The parts, for the tests. dominant and refuted return false when they cannot tell, or when memory is out; dominant
 * scales rows and columns by powers of two. eliminate always answers; order (size) receives the order of the pivots. */
bool hsgd_semidefinite_dominant(mpz_t *matrix, size_t size);
bool hsgd_semidefinite_refuted(const mpz_t *matrix, size_t size, size_t *row);
bool hsgd_semidefinite_eliminate(mpz_t *matrix, size_t size, size_t *order, size_t *row);

#endif
