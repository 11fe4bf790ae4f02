/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The ranks that mpirun started, as training needs them. */
#ifndef HSGD_EXPERIMENTS_TRAIN_MPI_PRIVATE_H
#define HSGD_EXPERIMENTS_TRAIN_MPI_PRIVATE_H

#include "analysis/collectives.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { HSGD_MPI_NAME_SIZE = 64 };

/* Join the other ranks; a process that nobody started with others is a single rank. library: of whom the messages are, as
 * "Open MPI 4.1.4". Fails with HSGD_ERROR_ENVIRONMENT in a build without MPI. */
hsgd_status hsgd_mpi_open(hsgd_collectives *out, char library[HSGD_MPI_NAME_SIZE], hsgd_error *err);

/* Leave together: every rank calls it once, after hsgd_mpi_open succeeded. */
void hsgd_mpi_close(hsgd_collectives *ranks);

/* End all ranks at once with this exit code, where they do not wait for each other any more. */
void hsgd_mpi_abort(const hsgd_collectives *ranks, int code);

#ifdef __cplusplus
}
#endif

#endif
