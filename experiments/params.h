/* SPDX-License-Identifier: GPL-3.0-or-later */
/* PARAMS.json of `hsgd bound`. */
#ifndef HSGD_EXPERIMENTS_PARAMS_H
#define HSGD_EXPERIMENTS_PARAMS_H

#include "analysis/error.h"
#include "bounds/bound.h"
#include "bounds/list.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Read a parameter file ("-": standard input); free the result with hsgd_bound_params_free. */
hsgd_status hsgd_params_read(hsgd_bound_params *out, const char *path, hsgd_error *err);

/* The same with the bounds that are to be evaluated: the built-in ones and the file's "user_bounds". Free them with
 * hsgd_bound_list_free. */
hsgd_status hsgd_params_read_bounds(hsgd_bound_params *out, hsgd_bound_list *bounds, const char *path, hsgd_error *err);

#ifdef __cplusplus
}
#endif

#endif
