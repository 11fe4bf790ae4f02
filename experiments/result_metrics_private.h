/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Losses and accuracies, targets, seconds and bytes in the results; nothing where none of them was asked for. */
#ifndef HSGD_EXPERIMENTS_RESULT_METRICS_PRIVATE_H
#define HSGD_EXPERIMENTS_RESULT_METRICS_PRIVATE_H

#include <stdio.h>

#include <cjson/cJSON.h>

#include "experiments/experiment.h"

/* Members "metrics", "targets" and "communication" of result.json. */
void hsgd_result_add_metrics(cJSON *root, const hsgd_experiment *experiment);

/* Lines of the table: accuracies, seconds and bytes at the end of the run; and when the targets were reached. */
void hsgd_result_print_metrics(const hsgd_experiment *experiment, FILE *stream);
void hsgd_result_print_targets(const hsgd_experiment *experiment, FILE *stream);

#endif
