/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Where a result comes from: program, machine, configuration and data ("provenance" of result.json). */
#ifndef HSGD_EXPERIMENTS_PROVENANCE_H
#define HSGD_EXPERIMENTS_PROVENANCE_H

#include <stddef.h>

#include "analysis/error.h"
#include "experiments/checksum.h"
#include "experiments/config.h"
#include "experiments/team_mpi.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct hsgd_provenance_file {
    char *name;   /* without its folder; owned */
    char *path;   /* where it was read; owned */
    double bytes; /* as it lies on the disk */
    char sha256[HSGD_CHECKSUM_SIZE];
} hsgd_provenance_file;

typedef struct hsgd_provenance {
    const char *command;             /* "run" or "verify"; borrowed */
    size_t threads;                  /* of each process; 0: not told */
    size_t processes;                /* 0: not told */
    char mpi[HSGD_MPI_LIBRARY_SIZE]; /* that carries their messages; "" for one process */
    char date[24];                   /* UTC, "2026-01-31T12:00:00Z" */
    char config_sha256[HSGD_CHECKSUM_SIZE];
    hsgd_provenance_file *file; /* (num_files) of the data, in the order of the configuration; owned */
    size_t num_files;
} hsgd_provenance;

/* Find all that is known before a run; reads every data file once more, best right after it was read. Where the
 * environment has SOURCE_DATE_EPOCH (seconds since 1970), that is the date, and neither threads nor processes are told,
 * so that the same run writes the same bytes again. Free with hsgd_provenance_free, also on failure. */
hsgd_status hsgd_provenance_find(hsgd_provenance *out, const hsgd_config *config, const char *command, size_t threads,
                                 const hsgd_team *team, hsgd_error *err);
/* Its config_sha256 alone. */
hsgd_status hsgd_provenance_hash_config(char out[HSGD_CHECKSUM_SIZE], const hsgd_config *config, hsgd_error *err);

void hsgd_provenance_free(hsgd_provenance *provenance);

#ifdef __cplusplus
}
#endif

#endif
