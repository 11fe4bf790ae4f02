/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "analysis/ensemble.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/memory.h"
#include "analysis/threads.h"

/* Seeds are independent and need no synchronisation, so they get the threads first. */
static int threads_over_seeds(int threads, size_t num_seeds)
{
    return (size_t)threads < num_seeds ? threads : (int)num_seeds;
}

/* at_once runs at a time; the other seeds only leave their traces. */
double hsgd_ensemble_bytes(const hsgd_simulation *simulation, size_t num_seeds, int threads)
{
    int at_once = threads_over_seeds(threads, num_seeds);
    hsgd_simulation one = *simulation;
    one.threads = threads / at_once;
    return hsgd_simulation_bytes(&one) * at_once + hsgd_trace_bytes(&one) * (double)(num_seeds - (size_t)at_once);
}

static hsgd_status check_memory(const hsgd_simulation *simulation, size_t num_seeds, int threads, hsgd_error *err)
{
    char what[64];
    snprintf(what, sizeof what, "the run of %zu seeds, %d at once,", num_seeds, threads_over_seeds(threads, num_seeds));
    return hsgd_memory_check(hsgd_ensemble_bytes(simulation, num_seeds, threads), what,
                             "fewer workers, fewer parameters, fewer seeds, fewer threads or a larger measure_every",
                             err);
}

/* Run all seeds; the first failure (in the order of seeds) is the one reported. */
static hsgd_status run_all(hsgd_ensemble *out, const hsgd_simulation *one, uint64_t first_seed, const size_t *placement,
                           int at_once, hsgd_error *err)
{
    hsgd_error first_error = {HSGD_OK, ""};
    size_t failed_seed = out->num_seeds;
    (void)at_once; /* for builds without OpenMP */
#pragma omp parallel for schedule(dynamic, 1) num_threads(at_once)
    for (size_t r = 0; r < out->num_seeds; r++) {
        hsgd_simulation own = *one;
        hsgd_error own_error;
        own.seed = first_seed + r;
        if (placement)
            own.placement = placement + r * one->hierarchy->num_workers;
        if (hsgd_simulate(&out->trace[r], &own, &own_error) != HSGD_OK)
#pragma omp critical(hsgd_ensemble_error)
            if (r < failed_seed) {
                failed_seed = r;
                first_error = own_error;
            }
    }
    if (first_error.status && err)
        *err = first_error;
    return first_error.status;
}

hsgd_status hsgd_ensemble_run(hsgd_ensemble *out, const hsgd_simulation *simulation, size_t num_seeds,
                              uint64_t first_seed, const size_t *placement, int threads, hsgd_error *err)
{
    *out = (hsgd_ensemble){0};
    if (num_seeds < 1 || threads < 1)
        return hsgd_fail(err, HSGD_ERROR_INPUT, "an ensemble needs at least one seed and one thread");
    int at_once = threads_over_seeds(threads, num_seeds);
    hsgd_simulation one = *simulation;
    one.threads = threads / at_once;
    hsgd_status status = check_memory(simulation, num_seeds, threads, err);
    if (status)
        return status;
    hsgd_threads_setup();
    out->trace = calloc(num_seeds, sizeof *out->trace);
    if (!out->trace)
        return hsgd_fail_memory(err, "the seeds");
    out->num_seeds = num_seeds;
    out->runs_per_value = 1;
    status = run_all(out, &one, first_seed, placement, at_once, err);
    if (status)
        hsgd_ensemble_free(out);
    return status;
}

void hsgd_ensemble_free(hsgd_ensemble *ensemble)
{
    if (!ensemble)
        return;
    for (size_t r = 0; ensemble->trace && r < ensemble->num_seeds; r++)
        hsgd_trace_free(&ensemble->trace[r]);
    free(ensemble->trace);
    memset(ensemble, 0, sizeof *ensemble);
}
