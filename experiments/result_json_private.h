/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Parts of result.json that live in files of their own. */
#ifndef HSGD_EXPERIMENTS_RESULT_JSON_PRIVATE_H
#define HSGD_EXPERIMENTS_RESULT_JSON_PRIVATE_H

#include <cjson/cJSON.h>

#include "experiments/experiment.h"

/* { "value", "kind" } */
cJSON *hsgd_constant_to_json(double value, hsgd_constant_kind kind);

/* { "mean", "se", "ci", "ci_joint", "seeds" }; null where nothing was measured. */
cJSON *hsgd_interval_to_json(const hsgd_interval *interval);

/* "bound_inputs": what the bounds were worked out from, beside the tree, T, gamma, L, sigma^2 and delta. NULL: memory is out. */
cJSON *hsgd_bound_inputs_to_json(const hsgd_experiment *experiment);

cJSON *hsgd_ladder_to_json(const hsgd_ladder *ladder);
cJSON *hsgd_audit_to_json(const hsgd_audit *audit);
cJSON *hsgd_grouping_check_to_json(const hsgd_experiment *experiment);

#endif
