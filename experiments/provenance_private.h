/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef HSGD_EXPERIMENTS_PROVENANCE_PRIVATE_H
#define HSGD_EXPERIMENTS_PROVENANCE_PRIVATE_H

#include <cjson/cJSON.h>

#include "experiments/experiment.h"
#include "experiments/provenance.h"

/* "provenance" of result.json; null where the experiment has none. */
cJSON *hsgd_provenance_to_json(const hsgd_experiment *experiment);

/* Libraries by name with the version that runs, where it can be asked for. */
cJSON *hsgd_libraries_to_json(void);

/* The compiler, its flags (CFLAGS of the Makefile), and the commit, "" where it was not built in a checkout; "-dirty"
 * at its end says that files were changed. */
extern const char hsgd_built_by[], hsgd_built_flags[], hsgd_built_commit[];

#endif
