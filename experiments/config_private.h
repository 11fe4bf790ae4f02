/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Parts of the configuration reader that live in files of their own. */
#ifndef HSGD_EXPERIMENTS_CONFIG_PRIVATE_H
#define HSGD_EXPERIMENTS_CONFIG_PRIVATE_H

#include "experiments/config.h"
#include "experiments/json_private.h"

/* config_problem.c: the "problem" object; config->hierarchy has been read. */
hsgd_status hsgd_config_read_problem(hsgd_config *config, const hsgd_json *at, hsgd_error *err);
cJSON *hsgd_config_problem_to_json(const hsgd_config *config);

/* config_mlp.c: the keys that only "type": "mlp" has; the other way they are added to the problem. */
hsgd_status hsgd_config_read_mlp(hsgd_config *config, const hsgd_json *at, hsgd_error *err);
void hsgd_config_mlp_to_json(cJSON *problem, const hsgd_config *config);

#endif
