/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef HSGD_EXPERIMENTS_PEP_WRITTEN_PRIVATE_H
#define HSGD_EXPERIMENTS_PEP_WRITTEN_PRIVATE_H

#include <cjson/cJSON.h>

#include "experiments/pep_written.h"

/* Add "certificate" and "instance" to the document of hsgd pep --json, where there are such files. */
void hsgd_pep_written_to_json(cJSON *document, const hsgd_pep_written *written);

#endif
