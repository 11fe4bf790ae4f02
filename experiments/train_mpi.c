/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "experiments/train_mpi_private.h"

#ifdef HSGD_MPI

#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <mpi.h>

typedef struct group {
    MPI_Comm comm;
    bool began; /* of all ranks: MPI was begun here, and is ended here */
} group;

/* One reduction takes this many numbers at most, for MPI counts with int. */
static const size_t MOST_NUMBERS = (size_t)1 << 30;

static hsgd_status translate(int code, const char *what, hsgd_error *err)
{
    char text[MPI_MAX_ERROR_STRING] = "";
    int length;
    if (code == MPI_SUCCESS)
        return HSGD_OK;
    MPI_Error_string(code, text, &length);
    return hsgd_fail(err, HSGD_ERROR_ENVIRONMENT, "MPI: %s: %s", what, text);
}

static MPI_Comm comm_of(const void *of)
{
    return ((const group *)of)->comm;
}

static hsgd_status split(void *context, void *of, size_t colour, void **part, hsgd_error *err)
{
    (void)context;
    group *out = malloc(sizeof *out);
    if (!out)
        return hsgd_fail_memory(err, "a group of ranks");
    if (colour > INT_MAX) {
        free(out);
        return hsgd_fail(err, HSGD_ERROR_INPUT, "MPI: more than %d nodes of the tree cannot be told apart", INT_MAX);
    }
    hsgd_status status = translate(MPI_Comm_split(comm_of(of), (int)colour, 0, &out->comm), "split", err);
    if (status)
        free(out);
    else
        *part = out;
    return status;
}

static void free_group(void *context, void *part)
{
    (void)context;
    MPI_Comm_free(&((group *)part)->comm);
    free(part);
}

static hsgd_status barrier(void *context, void *of, hsgd_error *err)
{
    (void)context;
    return translate(MPI_Barrier(comm_of(of)), "barrier", err);
}

static hsgd_status sum(void *context, void *of, double *data, size_t count, hsgd_error *err)
{
    (void)context;
    hsgd_status status = HSGD_OK;
    for (size_t done = 0; done < count && !status; done += MOST_NUMBERS) {
        size_t now = count - done < MOST_NUMBERS ? count - done : MOST_NUMBERS;
        status = translate(MPI_Allreduce(MPI_IN_PLACE, data + done, (int)now, MPI_DOUBLE, MPI_SUM, comm_of(of)),
                           "allreduce", err);
    }
    return status;
}

static hsgd_status gather(void *context, double *everything, const double *own, size_t count, hsgd_error *err)
{
    if (count > MOST_NUMBERS)
        return hsgd_fail(err, HSGD_ERROR_INPUT, "MPI: %zu numbers of a rank are more than a message may have", count);
    return translate(MPI_Gather(own, (int)count, MPI_DOUBLE, everything, (int)count, MPI_DOUBLE, 0, comm_of(context)),
                     "gather", err);
}

/* "Open MPI v4.1.4, package: ..." up to the comma, "MPICH Version:\t4.0" on one line. */
static void find_library(char *out, size_t size)
{
    char text[MPI_MAX_LIBRARY_VERSION_STRING] = "";
    int length;
    MPI_Get_library_version(text, &length);
    snprintf(out, size, "%.*s", (int)strcspn(text, ",\n"), text);
}

/* Who has begun it may be the program itself. */
static hsgd_status begin(group *all, hsgd_error *err)
{
    int is_there = 0, level;
    hsgd_status status = translate(MPI_Initialized(&is_there), "start", err);
    all->began = !is_there;
    if (!status && !is_there)
        status = translate(MPI_Init_thread(NULL, NULL, MPI_THREAD_FUNNELED, &level), "start", err);
    if (status)
        return status;
    MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN); /* groups split from it inherit that */
    return translate(MPI_Comm_dup(MPI_COMM_WORLD, &all->comm), "start", err);
}

hsgd_status hsgd_mpi_open(hsgd_collectives *out, char library[HSGD_MPI_NAME_SIZE], hsgd_error *err)
{
    int rank, size;
    group *all = malloc(sizeof *all);
    if (!all)
        return hsgd_fail_memory(err, "the group of all ranks");
    hsgd_status status = begin(all, err);
    if (status) {
        free(all);
        return status;
    }
    MPI_Comm_rank(all->comm, &rank);
    MPI_Comm_size(all->comm, &size);
    find_library(library, HSGD_MPI_NAME_SIZE);
    *out = (hsgd_collectives){.context = all,
                              .rank = (size_t)rank,
                              .size = (size_t)size,
                              .all = all,
                              .split = split,
                              .free_group = free_group,
                              .barrier = barrier,
                              .sum = sum,
                              .gather = gather};
    return HSGD_OK;
}

void hsgd_mpi_close(hsgd_collectives *ranks)
{
    group *all = ranks->all;
    bool began = all->began;
    MPI_Comm_free(&all->comm);
    free(all);
    if (began)
        MPI_Finalize();
}

void hsgd_mpi_abort(const hsgd_collectives *ranks, int code)
{
    MPI_Abort(comm_of(ranks->all), code);
}

#endif
