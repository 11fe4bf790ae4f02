/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What an experiment says about its worst case beyond the verdict on it (key "worst_case"): the order
 *     worst case <= recursive 4.4 <= sharpened 4.2 <= published 4.1,
 * which holds for every constant (THEORY 4, 11). The measured S has its verdict among the bounds. */
#ifndef HSGD_EXPERIMENTS_RESULT_WORST_CASE_PRIVATE_H
#define HSGD_EXPERIMENTS_RESULT_WORST_CASE_PRIVATE_H

#include <stdio.h>

#include <cjson/cJSON.h>

#include "experiments/experiment.h"

/* Holds, violated, or not applicable where there is no worst case or nothing to compare it with. */
hsgd_verdict hsgd_result_worst_case_order(const hsgd_experiment *experiment);

/* "worst_case" of result.json; NULL where it was not asked for. */
cJSON *hsgd_result_worst_case_to_json(const hsgd_experiment *experiment);

/* Two lines of the table; nothing where there is no worst case. */
void hsgd_result_print_worst_case(const hsgd_experiment *e, FILE *out);

#endif
