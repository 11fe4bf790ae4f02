/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Trials of the points before they are run, in processes of their own, so that their memory is theirs. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "analysis/threads.h"
#include "experiments/config.h"
#include "experiments/problem.h"
#include "experiments/sweep_trials_private.h"

/* In the child. */
static void try_point(hsgd_sweep_trial *out, const hsgd_sweep_point *point, const hsgd_sweep_jobs *how, bool timed)
{
    hsgd_config config;
    hsgd_problem problem;
    const hsgd_experiment_options options = {.threads = (int)how->threads};
    hsgd_threads_limit((int)how->threads);
    out->status = hsgd_config_parse(&config, point->config, strlen(point->config), how->file, &out->err);
    if (!out->status)
        out->status = hsgd_problem_build(&problem, &config, how->file, &out->err);
    if (!out->status)
        out->status = (timed ? hsgd_experiment_predict : hsgd_experiment_predict_memory)(&out->prediction, &config,
                                                                                         &problem, &options, &out->err);
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

/* Those that were not made yet, so many at once. */
static hsgd_status try_all(hsgd_sweep_trial *trial, const hsgd_sweep *sweep, const hsgd_sweep_row *row,
                           const hsgd_sweep_jobs *how, size_t jobs, bool timed, hsgd_error *err)
{
    hsgd_status status = HSGD_OK;
    size_t running = 0;
    pid_t *child = calloc(jobs, sizeof *child);
    if (!child)
        return hsgd_fail_memory(err, "the trials");
    fflush(NULL);
    for (size_t i = 0; i < sweep->num_points && !status; i++) {
        if (row[i].state != HSGD_SWEEP_WAITING || trial[i].made)
            continue;
        while (running == jobs)
            wait_for_one(child, &running);
        pid_t pid = fork();
        if (pid == 0)
            try_point(&trial[i], &sweep->point[i], how, timed);
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

hsgd_status hsgd_sweep_try(hsgd_sweep_trial **out, const hsgd_sweep *sweep, const hsgd_sweep_row *row,
                           const hsgd_sweep_jobs *how, bool timed, hsgd_error *err)
{
    /* shared: children leave their results there */
    hsgd_sweep_trial *trial =
        mmap(NULL, sweep->num_points * sizeof *trial, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    *out = NULL;
    if (trial == MAP_FAILED)
        return hsgd_fail_memory(err, "the trials");
    hsgd_status status = try_all(trial, sweep, row, how, how->jobs, timed, err);
    if (!status) /* those that were killed may have had too little memory beside the others */
        status = try_all(trial, sweep, row, how, 1, timed, err);
    if (status)
        hsgd_sweep_trials_free(trial, sweep->num_points);
    else
        *out = trial;
    return status;
}

void hsgd_sweep_trials_free(hsgd_sweep_trial *trial, size_t count)
{
    if (trial)
        munmap(trial, count * sizeof *trial);
}
