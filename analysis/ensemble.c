/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "analysis/ensemble_private.h"

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

/* at_once runs at a time; the other seeds only leave their traces. Of several processes each makes its share of the seeds
 * alone, or, where there are fewer seeds, its share of one. */
double hsgd_ensemble_bytes(const hsgd_simulation *simulation, size_t num_seeds, int threads)
{
    size_t processes = (size_t)hsgd_team_size(simulation->team), alone = num_seeds / processes;
    const hsgd_team part = {.size = alone ? 1 : (int)(processes / num_seeds)};
    int at_once = threads_over_seeds(threads, alone ? alone : 1);
    hsgd_simulation one = *simulation;
    one.threads = threads / at_once;
    one.team = &part;
    return hsgd_simulation_bytes(&one) * at_once + hsgd_trace_bytes(&one) * (double)(num_seeds - (size_t)at_once);
}

static hsgd_status check_memory(const hsgd_simulation *simulation, size_t num_seeds, int threads, hsgd_error *err)
{
    char what[96] = "this run";
    int processes = simulation->team ? simulation->team->on_host : 1;
    if (processes == 1)
        snprintf(what, sizeof what, "the run of %zu seeds, %d at once,", num_seeds,
                 threads_over_seeds(threads, num_seeds));
    else
        snprintf(what, sizeof what, "the run of %zu seeds by %d processes of this host", num_seeds, processes);
    return hsgd_memory_check(hsgd_ensemble_bytes(simulation, num_seeds, threads) * processes, what,
                             "fewer workers, fewer parameters, fewer seeds, fewer threads or a larger measure_every",
                             err);
}

/* Does this failure say more than the one there is? That a seed was stopped says less than any other. */
static bool says_more(hsgd_status status, size_t seed, hsgd_status first, size_t first_seed)
{
    bool stopped = status == HSGD_STOPPED, only_stopped = first == HSGD_STOPPED;
    return first == HSGD_OK || (stopped == only_stopped ? seed < first_seed : only_stopped);
}

hsgd_status hsgd_ensemble_run_seeds(hsgd_ensemble *out, const hsgd_ensemble_plan *plan, const hsgd_team *team,
                                    size_t first, size_t end, hsgd_error *err)
{
    hsgd_error first_error = {HSGD_OK, ""};
    hsgd_simulation one = *plan->simulation;
    size_t failed_seed = end;
    int at_once = threads_over_seeds(plan->threads, end - first);
    one.team = team;
    one.threads = plan->threads / at_once;
#pragma omp parallel for schedule(dynamic, 1) num_threads(at_once)
    for (size_t r = first; r < end; r++) {
        hsgd_simulation own = one;
        hsgd_error own_error;
        own.seed = plan->first_seed + r;
        if (plan->placement)
            own.placement = plan->placement + r * one.hierarchy->num_workers;
        if (hsgd_simulate(&out->trace[r], &own, &own_error) != HSGD_OK)
#pragma omp critical(hsgd_ensemble_error)
            if (says_more(own_error.status, r, first_error.status, failed_seed)) {
                failed_seed = r;
                first_error = own_error;
            }
    }
    if (first_error.status && err)
        *err = first_error;
    return first_error.status;
}

/* What can be refused before anything runs. */
static hsgd_status prepare(hsgd_ensemble *out, const hsgd_simulation *simulation, size_t num_seeds, int threads,
                           hsgd_error *err)
{
    if (num_seeds < 1 || threads < 1)
        return hsgd_fail(err, HSGD_ERROR_INPUT, "an ensemble needs at least one seed and one thread");
    hsgd_status status = check_memory(simulation, num_seeds, threads, err);
    if (status)
        return status;
    hsgd_threads_setup();
    out->trace = calloc(num_seeds, sizeof *out->trace);
    if (!out->trace)
        return hsgd_fail_memory(err, "the seeds");
    out->num_seeds = num_seeds;
    out->runs_per_value = 1;
    return HSGD_OK;
}

hsgd_status hsgd_ensemble_run(hsgd_ensemble *out, const hsgd_simulation *simulation, size_t num_seeds,
                              uint64_t first_seed, const size_t *placement, int threads, hsgd_error *err)
{
    const hsgd_ensemble_plan plan = {simulation, first_seed, placement, threads};
    hsgd_error own; /* what is agreed on has to be somewhere */
    *out = (hsgd_ensemble){0};
    hsgd_status status = prepare(out, simulation, num_seeds, threads, &own);
    status = hsgd_team_agree(simulation->team, status, &own);
    if (!status)
        status = hsgd_team_size(simulation->team) > 1 ? hsgd_ensemble_run_team(out, &plan, &own)
                                                      : hsgd_ensemble_run_seeds(out, &plan, NULL, 0, num_seeds, &own);
    if (status && err)
        *err = own;
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
