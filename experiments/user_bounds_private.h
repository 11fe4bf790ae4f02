/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The section "user_bounds" of configurations and of PARAMS.json. */
#ifndef HSGD_EXPERIMENTS_USER_BOUNDS_PRIVATE_H
#define HSGD_EXPERIMENTS_USER_BOUNDS_PRIVATE_H

#include "bounds/list.h"
#include "experiments/json_private.h"

/* Where the bounds that are read go; as hsgd_bound_list_add, which it is for a plain list. */
typedef hsgd_status (*hsgd_bound_taker)(void *context, const hsgd_bound *bound, hsgd_bound_release release,
                                        hsgd_error *err);

/* Read the array, which may be missing, and hand every bound on. num_levels: of the hierarchy as given, whose levels formulas
 * may speak of. */
hsgd_status hsgd_user_bounds_read(const hsgd_json *at, size_t num_levels, hsgd_bound_taker take, void *context,
                                  hsgd_error *err);

/* The taker whose context is a hsgd_bound_list. */
hsgd_status hsgd_user_bounds_to_list(void *list, const hsgd_bound *bound, hsgd_bound_release release, hsgd_error *err);

/* Add "user_bounds" to an object, if the list has any. */
void hsgd_user_bounds_to_json(cJSON *object, const hsgd_bound_list *list);

#endif
