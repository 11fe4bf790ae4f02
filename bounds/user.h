/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Bounds that users write as formulas, beside the built-in ones and judged as they are.
 *
 * A user's bound is a sum of terms, each a formula over the names of bounds/variables.h, with conditions under which it is
 * claimed. What a formula needs and the parameters lack makes the bound not applicable, and so do a condition that fails
 * and a value that is infinite or not a number; the reason always says which. */
#ifndef HSGD_BOUNDS_USER_H
#define HSGD_BOUNDS_USER_H

#include "bounds/bound.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { HSGD_MAX_USER_BOUNDS = 32, HSGD_USER_ID_MAX_LENGTH = 24, HSGD_USER_TITLE_MAX_LENGTH = 80 };

/* The name of the one term of a bound that is given as a whole. */
extern const char hsgd_user_whole_term[];

typedef struct hsgd_user_term {
    char *name;    /* shorter than HSGD_TERM_NAME_SIZE; owned */
    char *formula; /* owned */
} hsgd_user_term;

/* What the user says; all pointers are owned. */
typedef struct hsgd_user_spec {
    char *id;    /* a letter, then [a-z0-9-], at most HSGD_USER_ID_MAX_LENGTH */
    char *title; /* NULL: the id */
    hsgd_target target;
    hsgd_algorithm algorithm;
    hsgd_user_term *term; /* (num_terms) at most HSGD_MAX_TERMS */
    size_t num_terms;
    char *valid_if; /* a formula that is not 0 where the bound is claimed; NULL: everywhere. "gamma <= ..." sets the
                         max_step_size of the result, other conditions on gamma leave it unknown */
    char *max_step_size; /* a formula without gamma, above which the bound is not claimed; NULL: not given */
} hsgd_user_spec;

/* Is this a legal formula about a tree with so many levels, as given? Messages start with "column K: ". */
hsgd_status hsgd_user_formula_check(const char *formula, size_t num_levels, hsgd_error *err);

/* The same for a largest step size, which must not depend on the step size itself. */
hsgd_status hsgd_user_step_size_check(const char *formula, size_t num_levels, hsgd_error *err);

/* Is this a legal id? Messages say what would be. */
hsgd_status hsgd_user_id_check(const char *id, hsgd_error *err);

/* The bound of a specification whose parts have passed these checks. Takes over what spec owns and zeroes it, also where
 * it fails. Free the result with hsgd_user_bound_free, which has the form that hsgd_bound_list_add wants. */
hsgd_status hsgd_user_bound_alloc(const hsgd_bound **out, hsgd_user_spec *spec, hsgd_error *err);
void hsgd_user_bound_free(const hsgd_bound *bound);

/* What a user's bound was made from, borrowed; NULL for any other bound. */
const hsgd_user_spec *hsgd_user_bound_spec(const hsgd_bound *bound);

void hsgd_user_spec_free(hsgd_user_spec *spec);

#ifdef __cplusplus
}
#endif

#endif
