/* SPDX-License-Identifier: GPL-3.0-or-later */
/* hsgd sweep --dry-run: time and memory of every point, tried in processes of their own as the points would run, so that their
 * memory is theirs and that as many compete for the processors. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "analysis/memory.h"
#include "analysis/threads.h"
#include "experiments/config.h"
#include "experiments/experiment.h"
#include "experiments/problem.h"
#include "experiments/sweep_private.h"
#include "experiments/sweep_progress_private.h"

/* What a child leaves in memory that we share. */
typedef struct trial {
    bool made; /* false: the child did not get to its end */
    hsgd_status status;
    hsgd_error err;
    hsgd_prediction prediction;
} trial;

/* In the child. */
static void predict_point(trial *out, const hsgd_sweep_point *point, const hsgd_sweep_jobs *how)
{
    hsgd_config config;
    hsgd_problem problem;
    const hsgd_experiment_options options = {.threads = (int)how->threads};
    hsgd_threads_limit((int)how->threads);
    out->status = hsgd_config_parse(&config, point->config, strlen(point->config), how->file, &out->err);
    if (!out->status) {
        out->status = hsgd_problem_build(&problem, &config, how->file, &out->err);
        if (!out->status)
            out->status = hsgd_experiment_predict(&out->prediction, &config, &problem, &options, &out->err);
    }
    out->made = true;
    _exit(0); /* the memory goes with the process */
}

/* Wait for one of our children, and take its number out of the list. */
static void wait_for_one(pid_t *child, size_t *running)
{
    int outcome;
    pid_t ended = wait(&outcome);
    if (ended < 0 && errno == EINTR)
        return;
    for (size_t i = 0; i < *running; i++)
        if (child[i] == ended || ended < 0) {
            child[i] = child[--*running];
            return;
        }
}

static hsgd_status try_all(trial *t, const hsgd_sweep *sweep, const hsgd_sweep_row *row, const hsgd_sweep_jobs *how,
                           hsgd_error *err)
{
    hsgd_status status = HSGD_OK;
    size_t running = 0;
    pid_t *child = calloc(how->jobs, sizeof *child);
    if (!child)
        return hsgd_fail_memory(err, "the trials");
    fflush(NULL);
    for (size_t i = 0; i < sweep->num_points && !status; i++) {
        if (row[i].state == HSGD_SWEEP_DONE)
            continue;
        while (running == how->jobs)
            wait_for_one(child, &running);
        pid_t pid = fork();
        if (pid == 0)
            predict_point(&t[i], &sweep->point[i], how);
        if (pid < 0)
            status = hsgd_fail(err, HSGD_ERROR_ENVIRONMENT, "a trial cannot be started: %s", strerror(errno));
        else
            child[running++] = pid;
    }
    while (running)
        wait_for_one(child, &running);
    free(child);
    return status;
}

/* How long the points take with so many at once, each started as soon as a place is free. */
static double whole_time_s(const trial *t, const size_t *order, size_t count, size_t jobs)
{
    double end_s = 0, *busy_until_s = calloc(jobs, sizeof *busy_until_s);
    for (size_t i = 0; busy_until_s && i < count; i++) {
        size_t first = 0;
        for (size_t j = 1; j < jobs; j++)
            if (busy_until_s[j] < busy_until_s[first])
                first = j;
        busy_until_s[first] += t[order[i]].made ? t[order[i]].prediction.time_s : 0;
        end_s = fmax(end_s, busy_until_s[first]);
    }
    free(busy_until_s);
    return end_s;
}

static int descending(const void *a, const void *b)
{
    double left = *(const double *)a, right = *(const double *)b;
    return left < right ? 1 : left > right ? -1 : 0;
}

/* The most that `jobs` points at once can take. NAN when memory is out. */
static double most_bytes(const trial *t, size_t count, size_t jobs)
{
    double sum = 0, *bytes = malloc(count * sizeof *bytes);
    if (!bytes)
        return NAN;
    for (size_t i = 0; i < count; i++)
        bytes[i] = t[i].made ? t[i].prediction.memory_bytes : 0;
    qsort(bytes, count, sizeof *bytes, descending);
    for (size_t i = 0; i < jobs && i < count; i++)
        sum += bytes[i];
    free(bytes);
    return sum;
}

static hsgd_status check_trials(const trial *t, const hsgd_sweep *sweep, const hsgd_sweep_row *row, hsgd_error *err)
{
    for (size_t i = 0; i < sweep->num_points; i++) {
        if (row[i].state == HSGD_SWEEP_DONE)
            continue;
        if (!t[i].made)
            return hsgd_fail(err, HSGD_ERROR_ENVIRONMENT,
                             "%s: the trial ended without a result; is there enough memory?", sweep->point[i].title);
        if (t[i].status)
            return hsgd_fail(err, t[i].status, "%s: %s", sweep->point[i].title, t[i].err.message);
    }
    return HSGD_OK;
}

static void print_trials(const trial *t, const hsgd_sweep *sweep, const hsgd_sweep_row *row)
{
    for (size_t i = 0; i < sweep->num_points; i++) {
        const hsgd_prediction *p = &t[i].prediction;
        char time[48];
        hsgd_duration_text(time, sizeof time, p->time_s);
        if (row[i].state == HSGD_SWEEP_DONE)
            printf("%s: finished already\n", sweep->point[i].title);
        else
            printf("%s: about %s and %.3g MB\n", sweep->point[i].title, time, p->memory_bytes / 1e6);
    }
}

static hsgd_status report(const trial *t, const hsgd_sweep *sweep, const hsgd_sweep_row *row, const size_t *order,
                          const hsgd_sweep_jobs *how, hsgd_error *err)
{
    char time[48];
    double bytes = most_bytes(t, sweep->num_points, how->jobs);
    if (isnan(bytes))
        return hsgd_fail_memory(err, "the prediction");
    hsgd_status status = hsgd_memory_check(bytes, "this sweep", "fewer jobs, or smaller points", err);
    if (status)
        return status;
    print_trials(t, sweep, row);
    hsgd_duration_text(time, sizeof time, whole_time_s(t, order, sweep->num_points, how->jobs));
    printf("all: about %s and %.3g MB, %zu job%s at once on %zu thread%s each\n", time, bytes / 1e6, how->jobs,
           how->jobs == 1 ? "" : "s", how->threads, how->threads == 1 ? "" : "s");
    return HSGD_OK;
}

hsgd_status hsgd_sweep_predict(const hsgd_sweep *sweep, const hsgd_sweep_row *row, const size_t *order,
                               const hsgd_sweep_jobs *how, hsgd_error *err)
{
    size_t size = sweep->num_points * sizeof(trial);
    trial *t = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (t == MAP_FAILED)
        return hsgd_fail_memory(err, "the trials");
    hsgd_status status = try_all(t, sweep, row, how, err);
    if (!status)
        status = check_trials(t, sweep, row, err);
    if (!status)
        status = report(t, sweep, row, order, how, err);
    munmap(t, size);
    return status;
}
