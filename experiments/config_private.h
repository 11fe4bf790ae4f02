/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Parts of the configuration reader that live in files of their own. */
#ifndef HSGD_EXPERIMENTS_CONFIG_PRIVATE_H
#define HSGD_EXPERIMENTS_CONFIG_PRIVATE_H

#include "experiments/config.h"
#include "experiments/json_private.h"

/* config_problem.c: the "problem" object; config->hierarchy has been read. */
/* Has every worker of this quadratic a Hessian of its own? */
bool hsgd_config_own_curvatures(const hsgd_config *config);

hsgd_status hsgd_config_read_problem(hsgd_config *config, const hsgd_json *at, hsgd_error *err);
cJSON *hsgd_config_problem_to_json(const hsgd_config *config);

/* config_variant.c: the "variant" object, which may be missing; it is written only where it changes something. */
hsgd_status hsgd_config_read_variant(hsgd_config *config, const hsgd_json *at, hsgd_error *err);
void hsgd_config_add_variant(cJSON *root, const hsgd_config *config);

/* config_hunt.c: the "hunt" object, which may be missing; all else has been read. Written only where it is there. */
hsgd_status hsgd_config_read_hunt(hsgd_config *config, const hsgd_json *root, hsgd_error *err);
void hsgd_config_add_hunt(cJSON *root, const hsgd_config *config);
void hsgd_hunt_spec_to_json(cJSON *object, const hsgd_hunt_spec *spec);

/* config_worst_case.c: the key "worst_case", which adds a bound; user_bounds have not been read yet. The bound is selected
 * whatever "bounds" says, after that has been read. Written only where it is true. */
hsgd_status hsgd_config_read_worst_case(hsgd_config *config, const hsgd_json *root, hsgd_error *err);
void hsgd_config_select_worst_case(hsgd_config *config);
void hsgd_config_add_worst_case(cJSON *root, const hsgd_config *config);

/* config_data.c: the "data" object of a problem. */
hsgd_status hsgd_config_read_data(hsgd_config *config, const hsgd_json *at, hsgd_error *err);
cJSON *hsgd_config_data_to_json(const hsgd_config *config);

/* config_metrics.c: "evaluate_every", "targets" and "communication"; config->hierarchy and problem have been read. Written
 * only where they are in use. */
hsgd_status hsgd_config_read_metrics(hsgd_config *config, const hsgd_json *root, hsgd_error *err);
void hsgd_config_metrics_to_json(cJSON *root, const hsgd_config *config);
/* The "communication" object of a network with so many levels, which must be there. */
hsgd_status hsgd_communication_read(hsgd_communication *out, const hsgd_json *at, size_t num_levels, hsgd_error *err);
cJSON *hsgd_communication_to_json(const hsgd_communication *communication, size_t num_levels);

/* config_metrics.c: of the selected figures, those that this configuration has nothing for are an error where they were
 * named, and left out where they came with "all". */
hsgd_status hsgd_config_check_figures(hsgd_config *config, const hsgd_json *at, hsgd_name name, size_t count,
                                      hsgd_error *err);

/* config_problem.c: "data", "partition" and "regularizer" of a problem with these keys. */
hsgd_status hsgd_config_read_on_data(hsgd_config *config, const hsgd_json *at, const char *const *keys,
                                     hsgd_error *err);

/* config_cnn.c: a problem of type "cnn", and what it has beyond other problems on data. */
hsgd_status hsgd_config_read_cnn(hsgd_config *config, const hsgd_json *at, hsgd_error *err);
void hsgd_config_cnn_to_json(const hsgd_config *config, cJSON *problem);

/* config_mlp.c: the keys that only "type": "mlp" has; the other way they are added to the problem. */
hsgd_status hsgd_config_read_mlp(hsgd_config *config, const hsgd_json *at, hsgd_error *err);
void hsgd_config_mlp_to_json(cJSON *problem, const hsgd_config *config);

/* config_plugin.c: a problem of type "plugin", and what the rest of a configuration may not ask of one. */
hsgd_status hsgd_config_read_plugin(hsgd_config *config, const hsgd_json *at, hsgd_error *err);
cJSON *hsgd_config_plugin_to_json(const hsgd_config *config);
hsgd_status hsgd_config_check_plugin(const hsgd_config *config, const hsgd_json *root, hsgd_error *err);

#endif
