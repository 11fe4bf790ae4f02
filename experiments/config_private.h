/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Parts of the configuration reader that live in files of their own. */
#ifndef HSGD_EXPERIMENTS_CONFIG_PRIVATE_H
#define HSGD_EXPERIMENTS_CONFIG_PRIVATE_H

#include "experiments/config.h"
#include "experiments/json_private.h"

/* config_problem.c: the "problem" object; config->hierarchy has been read. */
hsgd_status hsgd_config_read_problem(hsgd_config *config, const hsgd_json *at, hsgd_error *err);
cJSON *hsgd_config_problem_to_json(const hsgd_config *config);

/* config_problem.c: "data", "partition" and "regularizer" of a problem with these keys. */
hsgd_status hsgd_config_read_on_data(hsgd_config *config, const hsgd_json *at, const char *const *keys,
                                     hsgd_error *err);

/* config_cnn.c: a problem of type "cnn", and what it has beyond other problems on data. */
hsgd_status hsgd_config_read_cnn(hsgd_config *config, const hsgd_json *at, hsgd_error *err);
void hsgd_config_cnn_to_json(const hsgd_config *config, cJSON *problem);

#endif
