/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "analysis/team.h"

#include <stdlib.h>
#include <string.h>

int hsgd_team_rank(const hsgd_team *team)
{
    return team ? team->rank : 0;
}

int hsgd_team_size(const hsgd_team *team)
{
    return team ? team->size : 1;
}

hsgd_status hsgd_team_share(const hsgd_team *team, double *matrix, size_t rows, size_t columns, size_t width,
                            const size_t *first, hsgd_error *err)
{
    bool anything = hsgd_team_size(team) > 1 && rows > 0 && width > 0 && first[team->size] > first[0];
    return anything ? team->type->share(team->group, matrix, rows, columns, width, first, err) : HSGD_OK;
}

hsgd_status hsgd_team_broadcast(const hsgd_team *team, int from, void *data, size_t bytes, hsgd_error *err)
{
    return hsgd_team_size(team) > 1 && bytes > 0 ? team->type->broadcast(team->group, from, data, bytes, err) : HSGD_OK;
}

hsgd_status hsgd_team_send(const hsgd_team *team, int to, const void *data, size_t bytes, hsgd_error *err)
{
    return hsgd_team_size(team) > 1 ? team->type->send(team->group, to, data, bytes, err) : HSGD_OK;
}

hsgd_status hsgd_team_receive(const hsgd_team *team, int from, void *data, size_t bytes, hsgd_error *err)
{
    return hsgd_team_size(team) > 1 ? team->type->receive(team->group, from, data, bytes, err) : HSGD_OK;
}

hsgd_status hsgd_team_collect(const hsgd_team *team, const double *own, size_t width, double *all, hsgd_error *err)
{
    size_t size = (size_t)hsgd_team_size(team);
    size_t *first = malloc((size + 1) * sizeof *first);
    if (!first)
        return hsgd_fail_memory(err, "the ranks"); /* the others wait: a handful of bytes is always there */
    for (size_t r = 0; r <= size; r++)
        first[r] = r;
    memcpy(all + (size_t)hsgd_team_rank(team) * width, own, width * sizeof *own);
    hsgd_status status = hsgd_team_share(team, all, 1, size, width, first, err);
    free(first);
    return status;
}

/* (size) what each process says. */
static hsgd_status collect_numbers(const hsgd_team *team, double own, double **all, hsgd_error *err)
{
    *all = malloc((size_t)hsgd_team_size(team) * sizeof **all);
    if (!*all)
        return hsgd_fail_memory(err, "the ranks");
    return hsgd_team_collect(team, &own, 1, *all, err);
}

hsgd_status hsgd_team_largest(const hsgd_team *team, int *value, hsgd_error *err)
{
    double *all;
    if (hsgd_team_size(team) == 1)
        return HSGD_OK;
    hsgd_status status = collect_numbers(team, *value, &all, err);
    for (int r = 0; !status && r < team->size; r++)
        *value = all[r] > *value ? (int)all[r] : *value;
    free(all);
    return status;
}

/* The first process that failed, or, where all that did not finish were only stopped, the first of them; -1: none. */
static int find_speaker(const double *status, int size, int *failed)
{
    int speaker = -1;
    *failed = 0;
    for (int r = size; r-- > 0;) {
        *failed += status[r] != HSGD_OK;
        if (status[r] != HSGD_OK && (speaker < 0 || status[r] != HSGD_STOPPED || status[speaker] == HSGD_STOPPED))
            speaker = r;
    }
    return speaker;
}

hsgd_status hsgd_team_agree(const hsgd_team *team, hsgd_status status, hsgd_error *err)
{
    double *all;
    int failed, speaker = -1;
    if (hsgd_team_size(team) == 1)
        return status;
    hsgd_error own = {HSGD_OK, ""};
    if (status)
        own = *err;
    hsgd_status carried = collect_numbers(team, status, &all, err);
    if (!carried)
        speaker = find_speaker(all, team->size, &failed);
    free(all);
    if (carried || speaker < 0)
        return carried;
    if (failed < team->size && speaker == team->rank && status != HSGD_STOPPED)
        hsgd_error_prefix(&own, "rank %d on %s: ", team->rank, team->host);
    carried = hsgd_team_broadcast(team, speaker, &own, sizeof own, err);
    if (carried)
        return carried;
    *err = own;
    return err->status;
}

hsgd_status hsgd_team_split(hsgd_team *out, const hsgd_team *team, int number, hsgd_error *err)
{
    *out = (hsgd_team){.size = 1, .on_host = 1};
    if (!team)
        return HSGD_OK;
    out->on_host = team->on_host;
    memcpy(out->host, team->host, sizeof out->host);
    if (team->size == 1)
        return HSGD_OK;
    hsgd_status status = team->type->split(team->group, number, &out->group, &out->rank, &out->size, err);
    out->type = status ? NULL : team->type;
    return status;
}

void hsgd_team_release(hsgd_team *team)
{
    if (team->type && team->group)
        team->type->release(team->group);
    *team = (hsgd_team){.size = 1, .on_host = 1};
}
