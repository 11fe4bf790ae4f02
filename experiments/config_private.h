/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Parts of the configuration reader that live in files of their own. */
#ifndef HSGD_EXPERIMENTS_CONFIG_PRIVATE_H
#define HSGD_EXPERIMENTS_CONFIG_PRIVATE_H

#include "experiments/config.h"
#include "experiments/json_private.h"

/* config_problem.c: the "problem" object; config->hierarchy has been read. */
hsgd_status hsgd_config_read_problem(hsgd_config *config, const hsgd_json *at, hsgd_error *err);
cJSON *hsgd_config_problem_to_json(const hsgd_config *config);

/* config_variant.c: the "variant" object, which may be missing; it is written only where it changes something. */
hsgd_status hsgd_config_read_variant(hsgd_config *config, const hsgd_json *at, hsgd_error *err);
void hsgd_config_add_variant(cJSON *root, const hsgd_config *config);

/* config_data.c: the "data" object of a problem. */
hsgd_status hsgd_config_read_data(hsgd_config *config, const hsgd_json *at, hsgd_error *err);
cJSON *hsgd_config_data_to_json(const hsgd_config *config);

#endif
