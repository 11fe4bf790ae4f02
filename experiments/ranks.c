/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "experiments/ranks.h"

#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "analysis/threads.h"
#include "experiments/checksum.h"
#include "experiments/team_mpi.h"

/* ---- who started us ---- */

/* Of Open MPI's mpirun; of MPICH's, and of srun where it speaks PMI; of srun otherwise. */
static const char *const size_name[] = {"OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "SLURM_STEP_NUM_TASKS"};
static const char *const rank_name[] = {"OMPI_COMM_WORLD_RANK", "PMI_RANK", "SLURM_PROCID"};
enum { NUM_STARTERS = sizeof size_name / sizeof *size_name };

static int number_from(const char *name)
{
    const char *text = getenv(name);
    char *end;
    long value = text ? strtol(text, &end, 10) : -1;
    return text && end != text && !*end && value >= 0 && value < 100000000 ? (int)value : -1;
}

/* The first that says both. */
static int read_started(int *rank)
{
    *rank = 0;
    for (size_t i = 0; i < NUM_STARTERS; i++) {
        int size = number_from(size_name[i]), own = number_from(rank_name[i]);
        if (size > 0 && own >= 0) {
            *rank = own;
            return size;
        }
    }
    return 1;
}

int hsgd_ranks_started(void)
{
    int rank;
    return read_started(&rank);
}

bool hsgd_ranks_speak(void)
{
    int rank;
    return read_started(&rank) == 1 || rank == 0;
}

/* ---- begin ---- */

static bool any_is_asked(const void *context)
{
    const hsgd_ranks *ranks = context;
    return hsgd_mpi_stop_asked(&ranks->all);
}

/* Processes that another MPI started are all alone. */
static hsgd_status check_size(hsgd_ranks *ranks, int started, hsgd_error *err)
{
    char library[HSGD_MPI_LIBRARY_SIZE];
    if (ranks->all.size == started)
        return HSGD_OK;
    hsgd_mpi_library(library);
    hsgd_mpi_finish(&ranks->all, &ranks->host);
    return hsgd_fail(err, HSGD_ERROR_INPUT,
                     "%d processes were started that do not find each other: hsgd was built with %s; start it with "
                     "that library's mpirun, or srun --mpi=pmix",
                     started, library);
}

hsgd_status hsgd_ranks_begin(hsgd_ranks *out, const hsgd_stop *stop, hsgd_error *err)
{
    int started = hsgd_ranks_started();
    *out = (hsgd_ranks){.all = {.size = 1, .on_host = 1}, .host = {.size = 1, .on_host = 1}, .stop = *stop};
    if (started == 1)
        return HSGD_OK;
    if (!hsgd_mpi_is_there())
        return hsgd_fail(
            err, HSGD_ERROR_INPUT,
            "%d processes were started, but this build has no MPI; install libopenmpi-dev and build again, "
            "or start one process",
            started);
    hsgd_status status = hsgd_mpi_start(&out->all, &out->host, stop, err);
    if (!status)
        status = check_size(out, started, err);
    out->many = !status;
    out->stop = (hsgd_stop){any_is_asked, out};
    return status;
}

const hsgd_team *hsgd_ranks_team(const hsgd_ranks *ranks)
{
    return ranks->many ? &ranks->all : NULL;
}

/* ---- threads ---- */

/* 1 for each core that this process may use. */
static size_t find_cores(double core[CPU_SETSIZE])
{
    cpu_set_t set;
    size_t count = 0;
    CPU_ZERO(&set);
    bool known = sched_getaffinity(0, sizeof set, &set) == 0;
    for (size_t i = 0; i < CPU_SETSIZE; i++)
        count += (core[i] = known && CPU_ISSET(i, &set)) > 0;
    return count;
}

/* Each core counts as its share: 1/m where m processes may use it. */
static int share_of_cores(const double *core, const double *all, int processes)
{
    double share = 0;
    for (size_t i = 0; i < CPU_SETSIZE; i++) {
        double users = 0;
        for (int r = 0; r < processes; r++)
            users += all[(size_t)r * CPU_SETSIZE + i];
        share += core[i] > 0 ? 1 / users : 0;
    }
    return share > 1 ? (int)(share + 1e-9) : 1;
}

int hsgd_ranks_threads(const hsgd_ranks *ranks, hsgd_error *err)
{
    const char *given = getenv("OMP_NUM_THREADS");
    double core[CPU_SETSIZE], *all = malloc((size_t)ranks->host.size * sizeof core);
    int threads = hsgd_default_threads(), share = threads;
    if (!ranks->many) {
        free(all);
        return threads;
    }
    size_t own = find_cores(core);
    if (all && hsgd_team_collect(&ranks->host, core, CPU_SETSIZE, all, err) == HSGD_OK && own > 0)
        share = share_of_cores(core, all, ranks->host.size);
    free(all);
    return given && *given ? threads : share < threads ? share : threads;
}

int hsgd_ranks_cores(void)
{
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    return cores > 0 ? (int)cores : 1;
}

/* ---- the same everywhere ---- */

hsgd_status hsgd_ranks_compare(const hsgd_ranks *ranks, const char *text, const char *what, hsgd_error *err)
{
    char own[HSGD_CHECKSUM_SIZE] = "", first[HSGD_CHECKSUM_SIZE];
    hsgd_checksum *checksum = hsgd_checksum_alloc();
    if (checksum) {
        hsgd_checksum_add(checksum, text, strlen(text));
        hsgd_checksum_finish(checksum, own);
    }
    memcpy(first, own, sizeof first);
    hsgd_status status = hsgd_team_broadcast(hsgd_ranks_team(ranks), 0, first, sizeof first, err);
    if (!status && !checksum)
        status = hsgd_fail_memory(err, "a checksum");
    if (!status && strcmp(own, first) != 0)
        status = hsgd_fail(err, HSGD_ERROR_INPUT, "%s here differs from what rank 0 has", what);
    hsgd_checksum_free(checksum);
    return hsgd_team_agree(hsgd_ranks_team(ranks), status, err);
}

/* ---- end ---- */

bool hsgd_ranks_are_broken(const hsgd_ranks *ranks)
{
    return ranks->many && hsgd_mpi_is_broken(&ranks->all);
}

int hsgd_ranks_end(hsgd_ranks *ranks, int code)
{
    hsgd_error err;
    if (!ranks->many)
        return code;
    hsgd_team_broadcast(&ranks->all, 0, &code, sizeof code, &err);
    hsgd_mpi_finish(&ranks->all, &ranks->host);
    ranks->many = false;
    return code;
}
