/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef HSGD_EXPERIMENTS_PEP_PRIVATE_H
#define HSGD_EXPERIMENTS_PEP_PRIVATE_H

#include <cjson/cJSON.h>

#include "experiments/experiment.h"
#include "experiments/pep.h"

/* Parameters of an experiment that hsgd_experiment_prepare has passed, without a run: its divergences and Delta are found
 * here. Free with hsgd_bound_params_free. */
hsgd_status hsgd_pep_params_of(hsgd_bound_params *out, hsgd_experiment *prepared, hsgd_error *err);

/* hsgd_worst_case_note in lines. */
void hsgd_worst_case_print_note(FILE *stream);

/* The object that `hsgd pep --json` prints. */
cJSON *hsgd_worst_case_to_json(const hsgd_worst_case *worst);

#endif
