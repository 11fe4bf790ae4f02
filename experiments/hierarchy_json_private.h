/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The "hierarchy" object of configurations and of PARAMS.json. */
#ifndef HSGD_EXPERIMENTS_HIERARCHY_JSON_PRIVATE_H
#define HSGD_EXPERIMENTS_HIERARCHY_JSON_PRIVATE_H

#include "analysis/hierarchy.h"
#include "experiments/json_private.h"

/* Values that the nodes of a tree may carry in PARAMS.json: (num_nodes) in pre-order, owned by the caller; NULL where
 * no node carries one. */
typedef struct hsgd_node_values {
    double *divergence_sq;    /* "divergence_sq" */
    double *deviation_max_sq; /* "deviation_max_sq" */
} hsgd_node_values;

/* Read { "fanout": [..], "periods": [..] } or { "tree": {..} }; "weights" is legal too and left to the caller. values:
 * NULL where nodes must not carry any. */
hsgd_status hsgd_hierarchy_read(hsgd_hierarchy *out, bool *is_uniform, hsgd_node_values *values, const hsgd_json *at,
                                hsgd_error *err);

/* Read "weights" of the hierarchy object: (num_workers) positive numbers. */
hsgd_status hsgd_weights_read(double **out, size_t num_workers, const hsgd_json *at, hsgd_error *err);

/* The object that hsgd_hierarchy_read would read back; NULL when memory is out. */
cJSON *hsgd_hierarchy_to_json(const hsgd_hierarchy *h, bool is_uniform);

#endif
