/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The bounds that one configuration speaks of: the built-in ones, and those that somebody added to them.
 *
 * Everything that compares, prints or looks up bounds goes through such a list; the table of bounds/registry.c is only
 * where it starts from. */
#ifndef HSGD_BOUNDS_LIST_H
#define HSGD_BOUNDS_LIST_H

#include <stddef.h>

#include "analysis/error.h"
#include "bounds/bound.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Frees a bound that was added, and what it owns. */
typedef void (*hsgd_bound_release)(const hsgd_bound *bound);

typedef struct hsgd_bound_list {
    size_t count;
    const hsgd_bound **bound;    /* (count) in the order of tables: the built-in ones first; the array is owned */
    hsgd_bound_release *release; /* (count) NULL: the bound is borrowed, as all built-in ones are; owned */
} hsgd_bound_list;

/* The built-in bounds. Free the result with hsgd_bound_list_free. */
hsgd_status hsgd_bound_list_init(hsgd_bound_list *out, hsgd_error *err);

/* Append a bound, whose id no other may have; it is released with the list, or right away where this fails. */
hsgd_status hsgd_bound_list_add(hsgd_bound_list *list, const hsgd_bound *bound, hsgd_bound_release release,
                                hsgd_error *err);

/* The bound with this id, or NULL. */
const hsgd_bound *hsgd_bound_list_find(const hsgd_bound_list *list, const char *id);

void hsgd_bound_list_free(hsgd_bound_list *list);

#ifdef __cplusplus
}
#endif

#endif
