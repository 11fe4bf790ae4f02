/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The points as processes of their own: this program, called as `hsgd run -` with the configuration as standard input.
 *
 * A process and not a thread: one that fails, runs out of memory or is killed takes nothing with it, and what it computes is
 * to the bit what the command computes. */
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "analysis/clock.h"
#include "experiments/cli.h"
#include "experiments/sweep_private.h"

/* By this variable a process knows that it is the child of a sweep, and of which. */
#define PARENT_VARIABLE "HSGD_SWEEP_PARENT"

typedef struct job {
    pid_t pid; /* 0: free */
    size_t point;
    int said; /* file of what it said on standard error */
    double begin_s;
} job;

typedef struct run {
    const hsgd_sweep *sweep;
    hsgd_sweep_row *row;
    const size_t *order;
    const hsgd_sweep_jobs *how;
    job *job;    /* (how->jobs) */
    size_t next; /* in order */
    size_t running;
    sigset_t awaited; /* SIGCHLD, and what ends us */
    char parent[64];  /* PARENT_VARIABLE=..., for the children */
    char **environment;
} run;

void hsgd_sweep_follow_parent(void)
{
    const char *parent = getenv(PARENT_VARIABLE);
    if (!parent)
        return;
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (strtol(parent, NULL, 10) != (long)getppid()) /* it ended before we could ask */
        raise(SIGTERM);
}

/* ---- one child ---- */

/* A file without a name that holds the text, to be read from its start; -1 on failure. */
static int text_as_file(const char *text)
{
    int file = memfd_create("hsgd", MFD_CLOEXEC);
    for (size_t length = strlen(text), done = 0; file >= 0 && done < length;) {
        ssize_t written = write(file, text + done, length - done);
        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0) {
            close(file);
            return -1;
        }
        done += (size_t)written;
    }
    if (file >= 0)
        lseek(file, 0, SEEK_SET);
    return file;
}

/* Signals as at the start of a program: we wait for some that are to end the child. */
static int set_attributes(posix_spawnattr_t *attributes)
{
    sigset_t none;
    sigemptyset(&none);
    int failed = posix_spawnattr_init(attributes);
    if (failed)
        return failed;
    failed = posix_spawnattr_setsigmask(attributes, &none);
    return failed ? failed : posix_spawnattr_setflags(attributes, POSIX_SPAWN_SETSIGMASK);
}

static int set_streams(posix_spawn_file_actions_t *actions, int input, int said)
{
    int failed = posix_spawn_file_actions_init(actions);
    if (!failed)
        failed = posix_spawn_file_actions_adddup2(actions, input, STDIN_FILENO);
    if (!failed)
        failed = posix_spawn_file_actions_addopen(actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    if (!failed)
        failed = posix_spawn_file_actions_adddup2(actions, said, STDERR_FILENO);
    if (failed)
        posix_spawn_file_actions_destroy(actions);
    return failed;
}

/* Returns 0 or an error number. */
static int spawn(pid_t *child, const run *r, const char *folder, int input, int said)
{
    char program[] = "hsgd", command[] = "run", file[] = "-", output[] = "--output", quiet[] = "--quiet";
    char threads[] = "--threads", resume[] = "--resume", count[32], *path = strdup(folder);
    snprintf(count, sizeof count, "%zu", r->how->threads);
    char *arguments[] = {program, command, file, output, path, threads, count, quiet, r->how->resume ? resume : NULL,
                         NULL};
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    int failed = path ? set_streams(&actions, input, said) : ENOMEM;
    if (!failed) {
        failed = set_attributes(&attributes);
        if (!failed) {
            failed = posix_spawn(child, "/proc/self/exe", &actions, &attributes, arguments, r->environment);
            posix_spawnattr_destroy(&attributes);
        }
        posix_spawn_file_actions_destroy(&actions);
    }
    free(path);
    return failed;
}

static hsgd_status start(run *r, job *j, size_t point, hsgd_error *err)
{
    char *folder = hsgd_sweep_point_path(r->how->dir, &r->sweep->point[point]), *old = NULL;
    if (!folder || asprintf(&old, "%s/result.json", folder) < 0) {
        free(folder);
        return hsgd_fail_memory(err, "a path");
    }
    unlink(old); /* an older one must not pass for that of what is written from now on */
    free(old);
    int input = text_as_file(r->sweep->point[point].config), said = text_as_file("");
    int failed = input < 0 || said < 0 ? errno : spawn(&j->pid, r, folder, input, said);
    free(folder);
    if (input >= 0)
        close(input);
    if (failed) {
        j->pid = 0;
        if (said >= 0)
            close(said);
        return hsgd_fail(err, HSGD_ERROR_ENVIRONMENT, "a run cannot be started: %s", strerror(failed));
    }
    j->point = point;
    j->said = said;
    j->begin_s = hsgd_now_s();
    r->row[point].state = HSGD_SWEEP_RUNNING;
    r->running++;
    return HSGD_OK;
}

/* ---- what became of it ---- */

/* The first line of what a child said, as "FILE: ..." instead of "hsgd: -: ..."; free *out. NULL: it said nothing. */
static hsgd_status read_said(char **out, int said, const char *file, hsgd_error *err)
{
    char text[HSGD_MESSAGE_SIZE + 64];
    ssize_t length = pread(said, text, sizeof text - 1, 0);
    text[length > 0 ? length : 0] = '\0';
    char *first = text + strspn(text, "\n"); /* that of OpenMP is the second */
    first[strcspn(first, "\n")] = '\0';
    const char *line = strncmp(first, "hsgd: ", 6) == 0 ? first + 6 : first;
    bool named = strncmp(line, "-: ", 3) == 0;
    *out = NULL;
    if (!*line)
        return HSGD_OK;
    if (asprintf(out, "%s%s%s", named ? file : "", named ? ": " : "", line + (named ? 3 : 0)) < 0) {
        *out = NULL;
        return hsgd_fail_memory(err, "what a run said");
    }
    hsgd_json_make_text(*out); /* it goes into sweep.json; names of files need not be UTF-8, or may be cut */
    return HSGD_OK;
}

static void fail_row(hsgd_sweep_row *row, int code, char *reason)
{
    row->state = HSGD_SWEEP_FAILED;
    row->code = code;
    row->reason = reason;
}

/* The child has ended in this way. Results count even where something went wrong after them, such as a figure. */
static hsgd_status finish(run *r, job *j, int outcome, hsgd_error *err)
{
    hsgd_sweep_row *row = &r->row[j->point];
    char *reason;
    hsgd_status status = read_said(&reason, j->said, r->how->file, err);
    int code = WIFEXITED(outcome) ? WEXITSTATUS(outcome) : HSGD_EXIT_ENVIRONMENT;
    bool judged = code == HSGD_EXIT_OK || code == HSGD_EXIT_VIOLATED || code == HSGD_EXIT_INCONCLUSIVE;
    close(j->said);
    j->pid = 0;
    r->running--;
    row->time_s = hsgd_now_s() - j->begin_s;
    row->state = HSGD_SWEEP_WAITING;
    status = status ? status : hsgd_sweep_row_read(row, r->how->dir, &r->sweep->point[j->point], err);
    if (status) {
        free(reason);
        return status;
    }
    if (code == HSGD_EXIT_INCONCLUSIVE &&
        row->state != HSGD_SWEEP_DONE) { /* somebody stopped it; it is still to be run */
        free(reason);
        return HSGD_OK;
    }
    if (WIFSIGNALED(outcome) && !reason &&
        asprintf(&reason, "ended by signal %d (%s)%s", WTERMSIG(outcome), strsignal(WTERMSIG(outcome)),
                 WTERMSIG(outcome) == SIGKILL ? "; is there enough memory?" : "") < 0)
        reason = NULL;
    if (!reason && row->state != HSGD_SWEEP_DONE && asprintf(&reason, "left no result and gave no reason") < 0)
        reason = NULL;
    if (row->state != HSGD_SWEEP_DONE || !judged)
        fail_row(row, judged ? HSGD_EXIT_ENVIRONMENT : code, reason);
    else
        free(reason);
    return HSGD_OK;
}

/* ---- all of them ---- */

static void end_children(run *r)
{
    for (size_t i = 0; i < r->how->jobs; i++)
        if (r->job[i].pid)
            kill(r->job[i].pid, SIGTERM);
    for (size_t i = 0; i < r->how->jobs; i++) {
        int outcome;
        if (!r->job[i].pid)
            continue;
        while (waitpid(r->job[i].pid, &outcome, 0) < 0 && errno == EINTR)
            ;
        close(r->job[i].said);
        r->row[r->job[i].point].state = HSGD_SWEEP_WAITING;
        r->job[i].pid = 0;
    }
    r->running = 0;
}

/* Start what fits. */
static hsgd_status fill(run *r, hsgd_error *err)
{
    for (size_t i = 0; i < r->how->jobs; i++) {
        while (r->next < r->sweep->num_points && r->row[r->order[r->next]].state != HSGD_SWEEP_WAITING)
            r->next++;
        if (r->job[i].pid || r->next == r->sweep->num_points)
            continue;
        hsgd_status status = start(r, &r->job[i], r->order[r->next++], err);
        if (status)
            return status;
    }
    return HSGD_OK;
}

/* Look which children have ended. New ones are started before anybody is told, so that no processor waits. */
static hsgd_status collect(run *r, hsgd_error *err)
{
    hsgd_status status = HSGD_OK;
    for (size_t i = 0; i < r->how->jobs && !status; i++) {
        int outcome;
        size_t point = r->job[i].point;
        if (!r->job[i].pid || waitpid(r->job[i].pid, &outcome, WNOHANG) != r->job[i].pid)
            continue;
        status = finish(r, &r->job[i], outcome, err);
        if (!status)
            status = fill(r, err);
        if (!status && r->how->tell)
            r->how->tell(r->how->context, &point);
    }
    return status;
}

/* Wait for a child or a second. Returns what wants us to end, or NULL. */
static const char *wait_a_while(const run *r)
{
    const double left_s = r->how->deadline_s - hsgd_now_s(), wait_s = left_s < 1 ? left_s : 1;
    if (wait_s <= 0)
        return "the time budget";
    const struct timespec wait = {.tv_sec = (time_t)wait_s, .tv_nsec = (long)(1e9 * (wait_s - floor(wait_s)))};
    int number = sigtimedwait(&r->awaited, NULL, &wait);
    return number == SIGINT ? "SIGINT" : number == SIGTERM ? "SIGTERM" : number == SIGHUP ? "SIGHUP" : NULL;
}

static hsgd_status run_all(run *r, const char **stopped_by, hsgd_error *err)
{
    hsgd_status status = fill(r, err);
    while (!status && r->running && !*stopped_by) {
        *stopped_by = wait_a_while(r);
        if (!*stopped_by)
            status = collect(r, err);
        if (!status && !*stopped_by && r->how->tell)
            r->how->tell(r->how->context, NULL);
    }
    return status;
}

/* SIGCHLD, and what ends us unless whoever started us has it ignored, as nohup does. */
static void choose_signals(sigset_t *out)
{
    static const int ends[] = {SIGINT, SIGTERM, SIGHUP};
    sigemptyset(out);
    signal(SIGCHLD, SIG_DFL); /* ignored ones could not be waited for */
    sigaddset(out, SIGCHLD);
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        struct sigaction now;
        if (sigaction(ends[i], NULL, &now) == 0 && now.sa_handler != SIG_IGN)
            sigaddset(out, ends[i]);
    }
}

/* The environment with our number in it. */
static hsgd_status make_environment(run *r, hsgd_error *err)
{
    size_t count = 0, kept = 0;
    while (environ[count])
        count++;
    r->environment = calloc(count + 2, sizeof *r->environment);
    if (!r->environment)
        return hsgd_fail_memory(err, "the environment");
    snprintf(r->parent, sizeof r->parent, PARENT_VARIABLE "=%ld", (long)getpid());
    for (size_t i = 0; i < count; i++)
        if (strncmp(environ[i], PARENT_VARIABLE "=", sizeof PARENT_VARIABLE) != 0)
            r->environment[kept++] = environ[i];
    r->environment[kept] = r->parent;
    return HSGD_OK;
}

hsgd_status hsgd_sweep_run(const hsgd_sweep *sweep, hsgd_sweep_row *row, const size_t *order,
                           const hsgd_sweep_jobs *how, const char **stopped_by, hsgd_error *err)
{
    run r = {.sweep = sweep, .row = row, .order = order, .how = how, .job = calloc(how->jobs, sizeof *r.job)};
    sigset_t before;
    *stopped_by = NULL;
    hsgd_status status = r.job ? make_environment(&r, err) : hsgd_fail_memory(err, "the runs");
    if (!status) {
        choose_signals(&r.awaited);
        sigprocmask(SIG_BLOCK, &r.awaited, &before);
        status = run_all(&r, stopped_by, err);
        sigprocmask(SIG_SETMASK, &before, NULL); /* children may take a while to end: the user need not wait for them */
        end_children(&r);
    }
    free(r.environment);
    free(r.job);
    return status;
}
