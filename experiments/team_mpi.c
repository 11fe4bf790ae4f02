/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Messages by MPI. All calls that wait do so by asking, with rests that grow: a process that waits long leaves its core to
 * others, and one that is told to end while another does not come any more can say so. */
#include "experiments/team_mpi.h"

#ifdef HSGD_MPI

#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <mpi.h>

#include "analysis/clock.h"

/* Open MPI's mpirun and srun, when a process died, wake the others (SIGCONT), tell them to end (SIGTERM), and kill them one
 * second later or more. SIGTERM alone, or the end of a time budget, means that somebody wants the run to stop: then whoever is
 * waited for is at its part of a window, which may take minutes. */
static const double PATIENCE_S = 0.25;

/* One message is at most this long: MPI counts in int. */
static const size_t MOST_BYTES = (size_t)1 << 30;

/* What all groups of the program share. */
typedef struct mpi_program {
    const hsgd_stop *stop;
    MPI_Comm word; /* where the word to stop goes */
    int rank, size;
    bool broken;       /* a message was lost: none is sent any more */
    bool told;         /* this process has told the others to stop */
    atomic_bool heard; /* it has been told by one of them */
} mpi_program;

typedef struct mpi_group {
    MPI_Comm comm;
    mpi_program *program; /* that of the first group is its own */
} mpi_group;

/* ---- waiting ---- */

static hsgd_status fail_mpi(int code, hsgd_error *err)
{
    char text[MPI_MAX_ERROR_STRING] = "";
    int length = 0;
    MPI_Error_string(code, text, &length);
    return hsgd_fail(err, HSGD_ERROR_ENVIRONMENT, "a message between processes was lost: %s", text);
}

/* The first questions follow one another, the next let others go first, the last ones wait. */
enum { ASKED_OFTEN = 300, ASKED_SELDOM = 600 };

static void rest(size_t asked)
{
    if (asked >= ASKED_SELDOM)
        nanosleep(&(struct timespec){.tv_nsec = 50000}, NULL);
    else if (asked >= ASKED_OFTEN)
        sched_yield();
}

/* By SIGCONT; a handler can tell the rest of the program nothing but through a global. */
static volatile sig_atomic_t woken = 0;

/* Other starters of processes are not known to wake them: then every end may be because of a death. */
static bool wakes = false;

static void remember_waking(int number)
{
    (void)number;
    woken = 1;
}

static void watch_for_waking(void)
{
    struct sigaction action = {.sa_handler = remember_waking, .sa_flags = SA_RESTART};
    wakes = getenv("OMPI_COMM_WORLD_SIZE") || getenv("SLURM_STEP_NUM_TASKS");
    if (wakes)
        sigaction(SIGCONT, &action, NULL);
}

bool hsgd_mpi_is_woken(void)
{
    return woken || !wakes;
}

/* Has this process been told to end because another one died, and waited for a moment since? */
static bool is_left_alone(const mpi_program *program, double *told_s)
{
    if (!hsgd_mpi_is_woken() || !hsgd_stop_asked(program->stop))
        return false;
    if (*told_s < 0)
        *told_s = hsgd_now_s();
    return hsgd_now_s() - *told_s > PATIENCE_S;
}

static hsgd_status wait_until_done(const mpi_program *program, int code, MPI_Request *request, hsgd_error *err)
{
    double told_s = -1;
    int done = 0;
    for (size_t asked = 0; code == MPI_SUCCESS; asked++) {
        code = MPI_Test(request, &done, MPI_STATUS_IGNORE);
        if (code == MPI_SUCCESS && done)
            return HSGD_OK;
        if (asked >= ASKED_OFTEN && is_left_alone(program, &told_s))
            return hsgd_fail(err, HSGD_ERROR_ENVIRONMENT, "a process of this run has died");
        rest(asked);
    }
    return fail_mpi(code, err);
}

/* For a request that began with this code. */
static hsgd_status wait_for(const mpi_group *group, int code, MPI_Request *request, hsgd_error *err)
{
    mpi_program *program = group->program;
    hsgd_status status = wait_until_done(program, code, request, err);
    program->broken = program->broken || status;
    return status;
}

/* Before a message. */
static hsgd_status check(const mpi_group *group, hsgd_error *err)
{
    return group->program->broken ? hsgd_fail(err, HSGD_ERROR_ENVIRONMENT, "a process of this run has died") : HSGD_OK;
}

/* ---- messages ---- */

/* A column of the matrix: a block of `width` numbers in every row. */
static int make_column(MPI_Datatype *out, size_t rows, size_t columns, size_t width)
{
    MPI_Datatype column;
    MPI_Aint number = sizeof(double);
    int code =
        MPI_Type_create_hvector((int)rows, (int)width, (MPI_Aint)(columns * width) * number, MPI_DOUBLE, &column);
    if (code != MPI_SUCCESS)
        return code;
    code = MPI_Type_create_resized(column, 0, (MPI_Aint)width * number, out);
    MPI_Type_free(&column);
    return code == MPI_SUCCESS ? MPI_Type_commit(out) : code;
}

static hsgd_status share_columns(const mpi_group *group, double *matrix, MPI_Datatype column, const size_t *first,
                                 hsgd_error *err)
{
    int size = 1;
    MPI_Request request;
    MPI_Comm_size(group->comm, &size);
    int *count = malloc(2 * (size_t)size * sizeof *count), *at = count + size;
    if (!count)
        return hsgd_fail_memory(err, "a message");
    for (int r = 0; r < size; r++) {
        at[r] = (int)first[r];
        count[r] = (int)(first[r + 1] - first[r]);
    }
    int code = MPI_Iallgatherv(MPI_IN_PLACE, 0, MPI_DATATYPE_NULL, matrix, count, at, column, group->comm, &request);
    hsgd_status status = wait_for(group, code, &request, err);
    free(count);
    return status;
}

static hsgd_status share(void *group, double *matrix, size_t rows, size_t columns, size_t width, const size_t *first,
                         hsgd_error *err)
{
    MPI_Datatype column;
    hsgd_status status = check(group, err);
    if (status)
        return status;
    if (rows > INT_MAX || columns > INT_MAX || width > INT_MAX)
        return hsgd_fail(err, HSGD_ERROR_ENVIRONMENT, "a message of %zu numbers is too long for MPI", width);
    int code = make_column(&column, rows, columns, width);
    if (code != MPI_SUCCESS)
        return fail_mpi(code, err);
    status = share_columns(group, matrix, column, first, err);
    MPI_Type_free(&column);
    return status;
}

static int piece(size_t left)
{
    return (int)(left < MOST_BYTES ? left : MOST_BYTES);
}

static hsgd_status broadcast(void *group, int from, void *data, size_t bytes, hsgd_error *err)
{
    const mpi_group *g = group;
    hsgd_status status = check(g, err);
    for (size_t done = 0; done < bytes && !status; done += MOST_BYTES) {
        MPI_Request request;
        int code = MPI_Ibcast((char *)data + done, piece(bytes - done), MPI_BYTE, from, g->comm, &request);
        status = wait_for(g, code, &request, err);
    }
    return status;
}

static hsgd_status send(void *group, int to, const void *data, size_t bytes, hsgd_error *err)
{
    const mpi_group *g = group;
    hsgd_status status = check(g, err);
    for (size_t done = 0; done < bytes && !status; done += MOST_BYTES) {
        MPI_Request request;
        int code = MPI_Isend((const char *)data + done, piece(bytes - done), MPI_BYTE, to, 0, g->comm, &request);
        status = wait_for(g, code, &request, err);
    }
    return status;
}

static hsgd_status receive(void *group, int from, void *data, size_t bytes, hsgd_error *err)
{
    const mpi_group *g = group;
    hsgd_status status = check(g, err);
    for (size_t done = 0; done < bytes && !status; done += MOST_BYTES) {
        MPI_Request request;
        int code = MPI_Irecv((char *)data + done, piece(bytes - done), MPI_BYTE, from, 0, g->comm, &request);
        status = wait_for(g, code, &request, err);
    }
    return status;
}

/* ---- groups ---- */

/* Takes the communicator. */
static hsgd_status make_group(void **out, mpi_program *program, MPI_Comm comm, int *rank, int *size, hsgd_error *err)
{
    mpi_group *group = malloc(sizeof *group);
    *out = group;
    MPI_Comm_rank(comm, rank);
    MPI_Comm_size(comm, size);
    if (!group) {
        MPI_Comm_free(&comm);
        return hsgd_fail_memory(err, "the ranks");
    }
    *group = (mpi_group){comm, program};
    return HSGD_OK;
}

static hsgd_status split(void *group, int number, void **out, int *rank, int *size, hsgd_error *err)
{
    const mpi_group *g = group;
    MPI_Comm comm;
    int own = 0;
    if (check(g, err))
        return err->status;
    MPI_Comm_rank(g->comm, &own);
    int code = MPI_Comm_split(g->comm, number, own, &comm);
    return code == MPI_SUCCESS ? make_group(out, g->program, comm, rank, size, err) : fail_mpi(code, err);
}

static void release(void *group)
{
    mpi_group *g = group;
    if (!g->program->broken) /* the others would have to come */
        MPI_Comm_free(&g->comm);
    free(g);
}

static const hsgd_team_type mpi_type = {
    .share = share, .broadcast = broadcast, .send = send, .receive = receive, .split = split, .release = release};

/* ---- the word to stop ---- */

static void tell_others(mpi_program *program)
{
    static const int word = 1;
    for (int r = 0; r < program->size; r++)
        if (r != program->rank) {
            MPI_Request request;
            if (MPI_Isend(&word, 1, MPI_INT, r, 0, program->word, &request) == MPI_SUCCESS)
                MPI_Request_free(&request);
        }
    program->told = true;
}

bool hsgd_mpi_stop_asked(const hsgd_team *all)
{
    mpi_program *program = ((const mpi_group *)all->group)->program;
    int is_first_thread = 0, there = 0;
    bool own = hsgd_stop_asked(program->stop);
    if (MPI_Is_thread_main(&is_first_thread) != MPI_SUCCESS || !is_first_thread)
        return own || program->heard;
    if (own && !program->told &&
        !woken) /* a first message to a dead process would end this one at once, without a word */
        tell_others(program);
    if (!program->heard && MPI_Iprobe(MPI_ANY_SOURCE, 0, program->word, &there, MPI_STATUS_IGNORE) == MPI_SUCCESS)
        program->heard = there != 0;
    return own || program->heard;
}

/* Words that nobody has read are read now: none may be on its way at the end. */
static void read_words(const hsgd_team *all, const mpi_program *program)
{
    double told = program->told, *from = malloc((size_t)all->size * sizeof *from);
    hsgd_error err;
    if (from && hsgd_team_collect(all, &told, 1, from, &err) == HSGD_OK)
        for (int r = 0; r < all->size; r++)
            if (from[r] != 0 && r != all->rank) {
                int word;
                MPI_Recv(&word, 1, MPI_INT, r, 0, program->word, MPI_STATUS_IGNORE);
            }
    free(from);
}

/* ---- begin and end ---- */

bool hsgd_mpi_is_there(void)
{
    return true;
}

/* "Open MPI v4.1.4, package: ..." or "MPICH Version:<tab>4.0.2<newline>...", up to the comma or the end of the line. */
void hsgd_mpi_library(char out[HSGD_MPI_LIBRARY_SIZE])
{
    char text[MPI_MAX_LIBRARY_VERSION_STRING] = "";
    int length = 0;
    MPI_Get_library_version(text, &length);
    text[strcspn(text, ",\n")] = '\0';
    for (char *c = text; (c = strchr(c, '\t')) != NULL;)
        *c = ' ';
    snprintf(out, HSGD_MPI_LIBRARY_SIZE, "%.*s", HSGD_MPI_LIBRARY_SIZE - 1, text);
}

static hsgd_status open_team(hsgd_team *out, mpi_program *program, MPI_Comm comm, hsgd_error *err)
{
    hsgd_status status = make_group(&out->group, program, comm, &out->rank, &out->size, err);
    out->type = status ? NULL : &mpi_type;
    gethostname(out->host, sizeof out->host - 1);
    return status;
}

static int make_communicators(MPI_Comm *all, MPI_Comm *word, MPI_Comm *host)
{
    int code = MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN);
    if (code == MPI_SUCCESS)
        code = MPI_Comm_dup(MPI_COMM_WORLD, all);
    if (code == MPI_SUCCESS)
        code = MPI_Comm_dup(MPI_COMM_WORLD, word);
    return code == MPI_SUCCESS ? MPI_Comm_split_type(*all, MPI_COMM_TYPE_SHARED, 0, MPI_INFO_NULL, host) : code;
}

static hsgd_status open_teams(hsgd_team *all, hsgd_team *host, mpi_program *program, hsgd_error *err)
{
    MPI_Comm all_comm, host_comm;
    int code = make_communicators(&all_comm, &program->word, &host_comm);
    if (code != MPI_SUCCESS)
        return fail_mpi(code, err);
    hsgd_status status = open_team(all, program, all_comm, err);
    if (!status)
        status = open_team(host, program, host_comm, err);
    program->rank = all->rank;
    program->size = all->size;
    all->on_host = host->on_host = host->size;
    return status;
}

hsgd_status hsgd_mpi_start(hsgd_team *all, hsgd_team *host, const hsgd_stop *stop, hsgd_error *err)
{
    int level;
    mpi_program *program = calloc(1, sizeof *program);
    *all = *host = (hsgd_team){.size = 1, .on_host = 1};
    if (!program)
        return hsgd_fail_memory(err, "the ranks");
    program->stop = stop;
    watch_for_waking();
    int code = MPI_Init_thread(NULL, NULL, MPI_THREAD_FUNNELED, &level);
    hsgd_status status = code != MPI_SUCCESS ? fail_mpi(code, err)
                         : level < MPI_THREAD_FUNNELED
                             ? hsgd_fail(err, HSGD_ERROR_ENVIRONMENT, "this MPI library does not support threads")
                             : open_teams(all, host, program, err);
    if (status)
        free(program);
    return status;
}

bool hsgd_mpi_is_broken(const hsgd_team *all)
{
    return ((const mpi_group *)all->group)->program->broken;
}

void hsgd_mpi_finish(hsgd_team *all, hsgd_team *host)
{
    mpi_program *program = ((const mpi_group *)all->group)->program;
    if (program->broken) /* whoever waits for the dead would never end */
        return;
    read_words(all, program);
    hsgd_team_release(host);
    hsgd_team_release(all);
    MPI_Comm_free(&program->word);
    free(program);
    MPI_Finalize();
}

#endif
