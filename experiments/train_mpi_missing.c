/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What stands in for experiments/train_mpi.c in a build without MPI. */
#include "experiments/train_mpi_private.h"

#ifndef HSGD_MPI

#include <string.h>

hsgd_status hsgd_mpi_open(hsgd_collectives *out, char library[HSGD_MPI_NAME_SIZE], hsgd_error *err)
{
    memset(out, 0, sizeof *out);
    *library = '\0';
    return hsgd_fail(err, HSGD_ERROR_ENVIRONMENT,
                     "train: needs MPI, which this build does not have; install libopenmpi-dev and build again");
}

void hsgd_mpi_close(hsgd_collectives *ranks)
{
    (void)ranks;
}

void hsgd_mpi_abort(const hsgd_collectives *ranks, int code)
{
    (void)ranks, (void)code;
}

#endif
