/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef HSGD_EXPERIMENTS_PROVENANCE_PRIVATE_H
#define HSGD_EXPERIMENTS_PROVENANCE_PRIVATE_H

#include <cjson/cJSON.h>

#include "experiments/experiment.h"
#include "experiments/provenance.h"
#include "experiments/sweep.h"

/* "provenance" of result.json; null where the experiment has none. */
cJSON *hsgd_provenance_to_json(const hsgd_experiment *experiment);

/* The same of a document that is not of one experiment: of the program alone, with the configuration of all runs and its data, or
 * with the configurations of the points of a grid ("configs", how many are legal, and "configs_sha256" of their hashes, a line
 * each), the first and the last seed of any of them, and the data of all. To be added to a document. */
hsgd_status hsgd_provenance_of_program(cJSON **out, const char *command, hsgd_error *err);
hsgd_status hsgd_provenance_of_config(cJSON **out, const char *command, const hsgd_config *config, hsgd_error *err);
hsgd_status hsgd_provenance_of_grid(cJSON **out, const char *command, const hsgd_sweep *grid, hsgd_error *err);

/* hsgd_json_put of an answer that no file keeps, with its "version" and the "provenance" of the program. */
hsgd_status hsgd_provenance_put(cJSON *document, const char *command, hsgd_error *err);

/* Add "plugin", the file of a shared object; nothing where it cannot be read, which is no failure. */
hsgd_status hsgd_provenance_add_plugin(cJSON *object, const char *path, hsgd_error *err);

/* Add the data files of a configuration to those that are there, each once; and "data_files". */
hsgd_status hsgd_provenance_add_data(hsgd_provenance *provenance, const hsgd_config *config, hsgd_error *err);
cJSON *hsgd_provenance_files_to_json(const hsgd_provenance *provenance);

/* hsgd_provenance_hash_config of a configuration as a document has it. */
hsgd_status hsgd_provenance_hash_document(char out[HSGD_CHECKSUM_SIZE], const cJSON *config, hsgd_error *err);

/* Is SOURCE_DATE_EPOCH a date, where it is there? Asked before work whose results will say when they were made. */
hsgd_status hsgd_provenance_check_date(hsgd_error *err);

/* Add what computes: "processor", "cpu_features", "system", "vector_path", "compiler", "compiler_flags", "libraries". */
void hsgd_provenance_add_machine(cJSON *object);

/* Libraries by name with the version that runs, where it can be asked for. */
cJSON *hsgd_libraries_to_json(void);

/* The compiler, its flags (CFLAGS of the Makefile), and the commit, "" where it was not built in a checkout; "-dirty"
 * at its end says that files were changed. */
extern const char hsgd_built_by[], hsgd_built_flags[], hsgd_built_commit[];

#endif
