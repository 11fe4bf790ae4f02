/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What of a sweep fits into memory: points that cannot fit alone are not run, and no more at once than fit together. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/memory.h"
#include "experiments/cli.h"
#include "experiments/sweep_trials_private.h"

static int descending(const void *a, const void *b)
{
    double left = *(const double *)a, right = *(const double *)b;
    return left < right ? 1 : left > right ? -1 : 0;
}

double hsgd_sweep_most_bytes(const hsgd_sweep_trial *trial, size_t count, size_t jobs)
{
    double sum = 0, *bytes = malloc(count * sizeof *bytes);
    if (!bytes)
        return NAN;
    for (size_t i = 0; i < count; i++)
        bytes[i] = trial[i].made ? trial[i].prediction.memory_bytes : 0;
    qsort(bytes, count, sizeof *bytes, descending);
    for (size_t i = 0; i < jobs && i < count; i++)
        sum += bytes[i];
    free(bytes);
    return sum;
}

hsgd_status hsgd_sweep_lower_jobs(size_t *jobs, const hsgd_sweep_trial *trial, size_t count, double machine_bytes,
                                  bool quiet, hsgd_error *err)
{
    size_t wanted = *jobs;
    double wanted_bytes = hsgd_sweep_most_bytes(trial, count, wanted), bytes = wanted_bytes;
    while (bytes > machine_bytes && *jobs > 1)
        bytes = hsgd_sweep_most_bytes(trial, count, --*jobs);
    if (isnan(wanted_bytes) || isnan(bytes))
        return hsgd_fail_memory(err, "the memory of the points");
    if (*jobs < wanted && !quiet)
        fprintf(stderr, "hsgd: note: %zu points at once need about %.3g GB, the machine has %.3g GB: %zu at once\n",
                wanted, wanted_bytes / 1e9, machine_bytes / 1e9, *jobs);
    return HSGD_OK;
}

/* A point that cannot fit alone, or whose trial was killed when it was alone, is a row that says so. Other failures are left to
 * its run. */
static hsgd_status refuse_alone(hsgd_sweep_row *row, hsgd_sweep_trial *trial, hsgd_error *err)
{
    if (trial->made && !trial->status)
        trial->status = hsgd_memory_check(trial->prediction.memory_bytes, "this run",
                                          "fewer workers, parameters, seeds or threads", &trial->err);
    if (trial->made && trial->status != HSGD_ERROR_MEMORY)
        return HSGD_OK;
    row->reason = strdup(trial->made ? trial->err.message : "its trial was killed; is there enough memory?");
    row->state = HSGD_SWEEP_FAILED;
    row->code = HSGD_EXIT_ENVIRONMENT;
    trial->prediction.memory_bytes = 0; /* takes none beside the others */
    return row->reason ? HSGD_OK : hsgd_fail_memory(err, "a message");
}

hsgd_status hsgd_sweep_fit(hsgd_sweep_jobs *how, const hsgd_sweep *sweep, hsgd_sweep_row *row, bool quiet,
                           hsgd_error *err)
{
    hsgd_sweep_trial *trial;
    hsgd_status status = hsgd_sweep_try(&trial, sweep, row, how, false, err);
    for (size_t i = 0; i < sweep->num_points && !status; i++)
        if (row[i].state == HSGD_SWEEP_WAITING)
            status = refuse_alone(&row[i], &trial[i], err);
    if (!status)
        status = hsgd_sweep_lower_jobs(&how->jobs, trial, sweep->num_points, hsgd_memory_of_machine(), quiet, err);
    hsgd_sweep_trials_free(trial, sweep->num_points);
    return status;
}
