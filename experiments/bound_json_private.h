/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A bound's value as JSON: the same object in result.json and from `hsgd bound --json`. */
#ifndef HSGD_EXPERIMENTS_BOUND_JSON_PRIVATE_H
#define HSGD_EXPERIMENTS_BOUND_JSON_PRIVATE_H

#include <cjson/cJSON.h>

#include "bounds/bound.h"
#include "bounds/sandwich.h"

/* { id, title, citation, of, algorithm, applicable, reason, value, max_step_size, terms }; numbers that are not finite
 * become null. */
cJSON *hsgd_bound_to_json(const hsgd_bound *bound, const hsgd_bound_value *value);

/* { noise: [..], divergence: [..], holds } with rationals as texts. */
cJSON *hsgd_sandwich_to_json(const hsgd_sandwich *sandwich);

/* An array of count numbers, null where one is not finite. */
cJSON *hsgd_numbers_to_json(const double *value, size_t count);

#endif
