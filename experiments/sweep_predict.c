/* SPDX-License-Identifier: GPL-3.0-or-later */
/* hsgd sweep --dry-run: time and memory of every point, tried as they would run, so that as many compete for the processors. */
#include <math.h>
#include <stdlib.h>

#include "analysis/memory.h"
#include "experiments/sweep_progress_private.h"
#include "experiments/sweep_trials_private.h"

/* How long the points take with so many at once, each started as soon as a place is free. */
static double whole_time_s(const hsgd_sweep_trial *t, const size_t *order, size_t count, size_t jobs)
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

static hsgd_status check_trials(const hsgd_sweep_trial *t, const hsgd_sweep *sweep, const hsgd_sweep_row *row,
                                hsgd_error *err)
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

static void print_trials(const hsgd_sweep_trial *t, const hsgd_sweep *sweep, const hsgd_sweep_row *row)
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

static void report(const hsgd_sweep_trial *t, const hsgd_sweep *sweep, const hsgd_sweep_row *row, const size_t *order,
                   const hsgd_sweep_jobs *how, double bytes)
{
    char time[48];
    print_trials(t, sweep, row);
    hsgd_duration_text(time, sizeof time, whole_time_s(t, order, sweep->num_points, how->jobs));
    printf("all: about %s and %.3g MB, %zu job%s at once on %zu thread%s each\n", time, bytes / 1e6, how->jobs,
           how->jobs == 1 ? "" : "s", how->threads, how->threads == 1 ? "" : "s");
}

hsgd_status hsgd_sweep_predict(const hsgd_sweep *sweep, const hsgd_sweep_row *row, const size_t *order,
                               hsgd_sweep_jobs *how, hsgd_error *err)
{
    hsgd_sweep_trial *t;
    size_t count = sweep->num_points;
    double bytes = NAN;
    hsgd_status status = hsgd_sweep_try(&t, sweep, row, how, true, err);
    if (!status)
        status = check_trials(t, sweep, row, err);
    if (!status)
        status = hsgd_sweep_lower_jobs(&how->jobs, t, count, hsgd_memory_of_machine(), false, err);
    if (!status && isnan(bytes = hsgd_sweep_most_bytes(t, count, how->jobs)))
        status = hsgd_fail_memory(err, "the prediction");
    if (!status)
        status = hsgd_memory_check(bytes, "the largest point", "fewer workers, parameters, seeds or threads", err);
    if (!status)
        report(t, sweep, row, order, how, bytes);
    hsgd_sweep_trials_free(t, count);
    return status;
}
