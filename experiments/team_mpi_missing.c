/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What stands in for experiments/team_mpi.c in a build without MPI. */
#include "experiments/team_mpi.h"

#ifndef HSGD_MPI

bool hsgd_mpi_is_there(void)
{
    return false;
}

hsgd_status hsgd_mpi_start(hsgd_team *all, hsgd_team *host, const hsgd_stop *stop, hsgd_error *err)
{
    (void)stop;
    *all = *host = (hsgd_team){.size = 1, .on_host = 1};
    return hsgd_fail(err, HSGD_ERROR_INPUT, "this build has no MPI");
}

bool hsgd_mpi_stop_asked(const hsgd_team *all)
{
    (void)all;
    return false;
}

void hsgd_mpi_library(char out[HSGD_MPI_LIBRARY_SIZE])
{
    *out = '\0';
}

bool hsgd_mpi_is_woken(void)
{
    return false;
}

bool hsgd_mpi_is_broken(const hsgd_team *all)
{
    (void)all;
    return false;
}

void hsgd_mpi_finish(hsgd_team *all, hsgd_team *host)
{
    (void)all, (void)host;
}

#endif
