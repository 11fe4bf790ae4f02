/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Seeds over processes: as many to each as they can get evenly, because seeds need no messages; what is left is shared, one
 * seed by each of as many teams. */
#include "analysis/ensemble_private.h"

#include <string.h>

#include "analysis/bytes.h"
#include "analysis/engine_private.h"
#include "analysis/trace_bytes.h"

/* Who makes which seeds. */
typedef struct deal {
    size_t processes, seeds, each; /* to each process alone: seeds [rank * each, (rank + 1) * each) */
    size_t left;                   /* that follow them, fewer than processes */
} deal;

static deal deal_out(const hsgd_team *team, size_t seeds)
{
    deal d = {.processes = (size_t)hsgd_team_size(team), .seeds = seeds};
    d.each = seeds / d.processes;
    d.left = seeds % d.processes;
    return d;
}

/* Which of the teams that share the seeds that are left. */
static size_t team_of(const deal *d, size_t rank)
{
    return rank * d->left / d->processes;
}

/* The process that has the trace of a seed: of a team the first one. */
static int holder(const deal *d, size_t seed)
{
    size_t rank = 0;
    if (seed < d->each * d->processes)
        return (int)(seed / d->each);
    while (team_of(d, rank) < seed - d->each * d->processes)
        rank++;
    return (int)rank;
}

size_t hsgd_ensemble_share(const hsgd_team *team, size_t num_seeds)
{
    deal d = deal_out(team, num_seeds);
    return d.each + (d.left > 0);
}

size_t hsgd_ensemble_idle(const hsgd_simulation *simulation, size_t num_seeds)
{
    deal d = deal_out(simulation->team, num_seeds);
    size_t units = hsgd_cut_find(simulation).num_units, idle = 0;
    for (size_t number = 0, rank = 0; !d.each && number < d.left; number++) {
        size_t size = 0;
        for (; rank < d.processes && team_of(&d, rank) == number; rank++)
            size++;
        idle += size > units ? size - units : 0;
    }
    return idle;
}

static hsgd_status run_alone(hsgd_ensemble *out, const hsgd_ensemble_plan *plan, const deal *d, hsgd_error *err)
{
    const hsgd_team *team = plan->simulation->team;
    size_t first = (size_t)team->rank * d->each;
    hsgd_status status = d->each ? hsgd_ensemble_run_seeds(out, plan, NULL, first, first + d->each, err) : HSGD_OK;
    return hsgd_team_agree(team, status, err);
}

static hsgd_status run_together(hsgd_ensemble *out, const hsgd_ensemble_plan *plan, const deal *d, hsgd_error *err)
{
    const hsgd_team *all = plan->simulation->team;
    size_t number = team_of(d, (size_t)all->rank), seed = d->each * d->processes + number;
    hsgd_team team;
    if (!d->left)
        return HSGD_OK;
    hsgd_status status = hsgd_team_split(&team, all, (int)number, err);
    if (!status)
        status = hsgd_ensemble_run_seeds(out, plan, &team, seed, seed + 1, err);
    hsgd_team_release(&team);
    return hsgd_team_agree(all, status, err);
}

/* A trace goes as its size, which is answered, and its bytes. A size of 0 says that there is no memory for them, an answer of
 * 0 that they are not wanted. */
static hsgd_status send_trace(const hsgd_team *team, const hsgd_trace *trace, hsgd_error *err)
{
    hsgd_bytes bytes = {0};
    size_t wanted = 0;
    hsgd_trace_pack(&bytes, trace);
    if (bytes.failed)
        bytes.size = 0;
    hsgd_status status = hsgd_team_send(team, 0, &bytes.size, sizeof bytes.size, err);
    if (!status)
        status = hsgd_team_receive(team, 0, &wanted, sizeof wanted, err);
    if (!status && wanted)
        status = hsgd_team_send(team, 0, bytes.data, bytes.size, err);
    if (!status && bytes.failed)
        status = hsgd_fail_memory(err, "the measurements");
    hsgd_bytes_free(&bytes);
    return status;
}

/* Before: what has failed so far. */
static hsgd_status receive_trace(hsgd_trace *out, const hsgd_team *team, int from, hsgd_status before, hsgd_error *err)
{
    hsgd_bytes bytes = {0};
    size_t size = 0;
    hsgd_status status = hsgd_team_receive(team, from, &size, sizeof size, err);
    if (status)
        return status;
    if (!before)
        hsgd_bytes_reserve(&bytes, size);
    size_t wanted = before || bytes.failed ? 0 : size;
    status = hsgd_team_send(team, from, &wanted, sizeof wanted, err);
    if (!status && wanted)
        status = hsgd_team_receive(team, from, bytes.data, size, err);
    hsgd_bytes_reader reader = hsgd_bytes_read(bytes.data, size);
    if (!status && wanted)
        status = hsgd_trace_unpack(out, &reader, err);
    if (!status && bytes.failed)
        status = hsgd_fail_memory(err, "the measurements");
    hsgd_bytes_free(&bytes);
    return before ? before : status;
}

static hsgd_status collect(hsgd_ensemble *out, const hsgd_team *team, const deal *d, hsgd_error *err)
{
    hsgd_status status = HSGD_OK;
    for (size_t seed = 0; seed < d->seeds; seed++) {
        int from = holder(d, seed);
        if (from > 0 && team->rank == 0)
            status = receive_trace(&out->trace[seed], team, from, status, err);
        else if (from > 0 && team->rank == from && send_trace(team, &out->trace[seed], err))
            status = err->status; /* and goes on: the first process waits for every one */
    }
    return status;
}

hsgd_status hsgd_ensemble_run_team(hsgd_ensemble *out, const hsgd_ensemble_plan *plan, hsgd_error *err)
{
    const hsgd_team *team = plan->simulation->team;
    deal d = deal_out(team, out->num_seeds);
    hsgd_status status = run_alone(out, plan, &d, err);
    if (!status)
        status = run_together(out, plan, &d, err);
    if (!status)
        status = hsgd_team_agree(team, collect(out, team, &d, err), err);
    return status;
}
