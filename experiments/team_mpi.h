/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Teams of processes that MPI started. A build without MPI has team_mpi_missing.c in the place of team_mpi.c. */
#ifndef HSGD_EXPERIMENTS_TEAM_MPI_H
#define HSGD_EXPERIMENTS_TEAM_MPI_H

#include <stdbool.h>

#include "analysis/stop.h"
#include "analysis/team.h"

#ifdef __cplusplus
extern "C" {
#endif

bool hsgd_mpi_is_there(void);

/* All processes, and those on this host. Once in a program, from its first thread, which alone may use the teams. `stop` says
 * that this process is to end: where the starter of processes says so, a message that then does not come in a moment belongs
 * to a process that died, and the call fails. It must stay where it is. */
hsgd_status hsgd_mpi_start(hsgd_team *all, hsgd_team *host, const hsgd_stop *stop, hsgd_error *err);

/* Has any process been told to stop? Whoever was tells the others, from its first thread; other threads only get to know what
 * that one knows. */
bool hsgd_mpi_stop_asked(const hsgd_team *all);

/* Has the starter of processes woken this one, as it does before it ends all because one died? */
bool hsgd_mpi_is_woken(void);

/* "Open MPI v4.1.4" */
enum { HSGD_MPI_LIBRARY_SIZE = 64 };
void hsgd_mpi_library(char out[HSGD_MPI_LIBRARY_SIZE]);

/* Was a message lost, as it is when a process dies? From then on none is sent. */
bool hsgd_mpi_is_broken(const hsgd_team *all);

/* After the last message. Where one was lost, nobody is waited for. */
void hsgd_mpi_finish(hsgd_team *all, hsgd_team *host);

#ifdef __cplusplus
}
#endif

#endif
