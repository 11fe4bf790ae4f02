/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A team (analysis/team.h) whose processes are threads of the test: messages are copies, and nothing has to be started. */
#ifndef HSGD_TESTS_ANALYSIS_THREAD_TEAM_H
#define HSGD_TESTS_ANALYSIS_THREAD_TEAM_H

#include "tests/test.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/team.h"

enum { TEAM_MOST = 9 };

/* What the members of a group see of each other: whatever each holds up until all have come twice. */
typedef struct team_room {
    int size;
    pthread_barrier_t gate;
    void *held_up[TEAM_MOST];
    int number[TEAM_MOST];
    pthread_mutex_t lock; /* for the letters */
    pthread_cond_t changed;
    const void *letter[TEAM_MOST][TEAM_MOST]; /* from, to; NULL: none */
    size_t letter_bytes[TEAM_MOST][TEAM_MOST];
    atomic_int gone; /* members that have left for good */
} team_room;

typedef struct team_seat {
    team_room *room;
    int rank;
} team_seat;

static inline team_room *team_room_alloc(int size)
{
    team_room *room = calloc(1, sizeof *room);
    room->size = size;
    pthread_barrier_init(&room->gate, NULL, (unsigned)size);
    pthread_mutex_init(&room->lock, NULL);
    pthread_cond_init(&room->changed, NULL);
    return room;
}

static inline void team_room_free(team_room *room)
{
    pthread_barrier_destroy(&room->gate);
    pthread_mutex_destroy(&room->lock);
    pthread_cond_destroy(&room->changed);
    free(room);
}

static inline void team_hold_up(const team_seat *seat, void *what)
{
    seat->room->held_up[seat->rank] = what;
    pthread_barrier_wait(&seat->room->gate);
}

static inline void team_put_down(const team_seat *seat)
{
    pthread_barrier_wait(&seat->room->gate);
}

static inline hsgd_status team_share(void *group, double *matrix, size_t rows, size_t columns, size_t width,
                                     const size_t *first, hsgd_error *error)
{
    const team_seat *seat = group;
    (void)error;
    team_hold_up(seat, matrix);
    for (int r = 0; r < seat->room->size; r++)
        for (size_t row = 0; r != seat->rank && row < rows; row++) {
            size_t at = (row * columns + first[r]) * width;
            memcpy(matrix + at, (double *)seat->room->held_up[r] + at, (first[r + 1] - first[r]) * width * 8);
        }
    team_put_down(seat);
    return HSGD_OK;
}

static inline hsgd_status team_broadcast(void *group, int from, void *data, size_t bytes, hsgd_error *error)
{
    const team_seat *seat = group;
    (void)error;
    team_hold_up(seat, data);
    if (seat->rank != from)
        memcpy(data, seat->room->held_up[from], bytes);
    team_put_down(seat);
    return HSGD_OK;
}

static inline hsgd_status team_send(void *group, int to, const void *data, size_t bytes, hsgd_error *error)
{
    const team_seat *seat = group;
    team_room *room = seat->room;
    (void)error;
    pthread_mutex_lock(&room->lock);
    room->letter_bytes[seat->rank][to] = bytes;
    room->letter[seat->rank][to] = data;
    pthread_cond_broadcast(&room->changed);
    while (room->letter[seat->rank][to])
        pthread_cond_wait(&room->changed, &room->lock);
    pthread_mutex_unlock(&room->lock);
    return HSGD_OK;
}

static inline hsgd_status team_receive(void *group, int from, void *data, size_t bytes, hsgd_error *error)
{
    const team_seat *seat = group;
    team_room *room = seat->room;
    pthread_mutex_lock(&room->lock);
    while (!room->letter[from][seat->rank])
        pthread_cond_wait(&room->changed, &room->lock);
    bool same = room->letter_bytes[from][seat->rank] == bytes;
    if (same)
        memcpy(data, room->letter[from][seat->rank], bytes);
    room->letter[from][seat->rank] = NULL;
    pthread_cond_broadcast(&room->changed);
    pthread_mutex_unlock(&room->lock);
    return same ? HSGD_OK : hsgd_fail(error, HSGD_ERROR_ENVIRONMENT, "a message of another length");
}

/* The first of each new group makes its room. */
static inline hsgd_status team_split(void *group, int number, void **out, int *rank, int *size, hsgd_error *error)
{
    const team_seat *seat = group;
    int first = -1;
    team_seat *seat_there = calloc(1, sizeof *seat_there);
    (void)error;
    seat->room->number[seat->rank] = number;
    team_hold_up(seat, NULL);
    *size = *rank = 0;
    for (int r = 0; r < seat->room->size; r++)
        if (seat->room->number[r] == number) {
            first = first < 0 ? r : first;
            *rank += r < seat->rank;
            ++*size;
        }
    team_put_down(seat);
    team_hold_up(seat, first == seat->rank ? team_room_alloc(*size) : NULL);
    *seat_there = (team_seat){seat->room->held_up[first], *rank};
    team_put_down(seat);
    *out = seat_there;
    return HSGD_OK;
}

/* The last one out frees the room. (After a barrier some may still be about to leave it, the thread sanitizer says.) */
static inline void team_release(void *group)
{
    team_seat *seat = group;
    team_room *room = seat->room;
    int others = room->size - 1;
    free(seat);
    if (atomic_fetch_add(&room->gone, 1) == others)
        team_room_free(room);
}

static const hsgd_team_type thread_team_type = {.share = team_share,
                                                .broadcast = team_broadcast,
                                                .send = team_send,
                                                .receive = team_receive,
                                                .split = team_split,
                                                .release = team_release};

/* What each member does. */
typedef void (*team_work)(const hsgd_team *team, void *context);

typedef struct team_member {
    pthread_t thread;
    team_seat seat;
    hsgd_team team;
    team_work work;
    void *context;
} team_member;

static inline void *team_begin(void *argument)
{
    team_member *member = argument;
    member->work(&member->team, member->context);
    return NULL;
}

/* Size threads do the work together. It must not use assertions of cmocka: only the test's own thread may. */
static inline void with_team(int size, team_work work, void *context)
{
    team_member member[TEAM_MOST];
    team_room *room = team_room_alloc(size);
    for (int r = 0; r < size; r++) {
        member[r] = (team_member){.seat = {room, r}, .work = work, .context = context};
        member[r].team =
            (hsgd_team){.type = &thread_team_type, .group = &member[r].seat, .rank = r, .size = size, .on_host = size};
        snprintf(member[r].team.host, sizeof member[r].team.host, "host%d", r);
        pthread_create(&member[r].thread, NULL, team_begin, &member[r]);
    }
    for (int r = 0; r < size; r++)
        pthread_join(member[r].thread, NULL);
    team_room_free(room);
}

#endif
