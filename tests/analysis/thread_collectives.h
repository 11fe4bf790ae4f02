/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The collectives of analysis/collectives.h among threads of the test: every thread is a rank, and nothing has to be started. */
#ifndef HSGD_TESTS_ANALYSIS_THREAD_COLLECTIVES_H
#define HSGD_TESTS_ANALYSIS_THREAD_COLLECTIVES_H

#include "tests/test.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/collectives.h"

enum { MOST_RANKS = 16 };

/* What the members of a group share. */
typedef struct rank_room {
    size_t size;
    pthread_barrier_t gate;
    void *shown[MOST_RANKS]; /* by member */
    size_t colour[MOST_RANKS];
    atomic_size_t gone; /* members that have left for good */
} rank_room;

typedef struct rank_seat {
    rank_room *room;
    size_t member;
} rank_seat;

static inline rank_room *room_alloc(size_t size)
{
    rank_room *room = calloc(1, sizeof *room);
    room->size = size;
    pthread_barrier_init(&room->gate, NULL, (unsigned)size);
    return room;
}

/* Everybody shows something; what is shown may be looked at until everybody has called done_with. */
static inline void show(const rank_seat *seat, void *what)
{
    seat->room->shown[seat->member] = what;
    pthread_barrier_wait(&seat->room->gate);
}

static inline void done_with(const rank_seat *seat)
{
    pthread_barrier_wait(&seat->room->gate);
}

static inline hsgd_status thread_barrier(void *context, void *group, hsgd_error *error)
{
    (void)context, (void)error;
    done_with(group);
    return HSGD_OK;
}

/* Added from the last rank to the first: another order than the engine's. */
static inline hsgd_status thread_sum(void *context, void *group, double *data, size_t count, hsgd_error *error)
{
    (void)context, (void)error;
    const rank_seat *seat = group;
    double *sum = calloc(count + 1, sizeof *sum);
    show(seat, data);
    for (size_t r = seat->room->size; r-- > 0;)
        for (size_t i = 0; i < count; i++)
            sum[i] += ((const double *)seat->room->shown[r])[i];
    done_with(seat);
    memcpy(data, sum, count * sizeof *sum);
    free(sum);
    return HSGD_OK;
}

static inline hsgd_status thread_gather(void *context, double *everything, const double *own, size_t count,
                                        hsgd_error *error)
{
    const rank_seat *seat = context;
    (void)error;
    show(seat, (void *)own);
    for (size_t r = 0; seat->member == 0 && r < seat->room->size; r++)
        memcpy(everything + r * count, seat->room->shown[r], count * sizeof *own);
    done_with(seat);
    return HSGD_OK;
}

static inline hsgd_status thread_split(void *context, void *group, size_t colour, void **part, hsgd_error *error)
{
    (void)context, (void)error;
    const rank_seat *seat = group;
    size_t first = seat->room->size, size = 0;
    rank_seat *own = calloc(1, sizeof *own);
    seat->room->colour[seat->member] = colour;
    show(seat, NULL);
    for (size_t r = seat->room->size; r-- > 0;)
        if (seat->room->colour[r] == colour) {
            first = r;
            size++;
            own->member += r < seat->member;
        }
    done_with(seat);
    show(seat, first == seat->member ? room_alloc(size) : NULL);
    own->room = seat->room->shown[first];
    done_with(seat);
    *part = own;
    return HSGD_OK;
}

/* The last one out frees the room. (After a barrier some may still be about to leave it, the thread sanitizer says.) */
static inline void thread_free_group(void *context, void *part)
{
    (void)context;
    rank_seat *seat = part;
    rank_room *room = seat->room;
    size_t others = room->size - 1;
    free(seat);
    if (atomic_fetch_add(&room->gone, 1) == others) {
        pthread_barrier_destroy(&room->gate);
        free(room);
    }
}

/* One rank's thread. */
typedef struct rank_thread {
    pthread_t thread;
    rank_seat seat;
    hsgd_collectives ranks;
    void (*work)(void *context, const hsgd_collectives *ranks);
    void *context;
} rank_thread;

static inline void *work_as_rank(void *of)
{
    rank_thread *rank = of;
    rank->work(rank->context, &rank->ranks);
    return NULL;
}

/* Let `size` ranks do something together. Assertions belong after it: they may not fail in threads. */
static inline void run_ranks(size_t size, void (*work)(void *context, const hsgd_collectives *ranks), void *context)
{
    rank_thread rank[MOST_RANKS];
    rank_room *room = room_alloc(size);
    assert_true(size <= MOST_RANKS);
    for (size_t r = 0; r < size; r++) {
        rank[r] = (rank_thread){.seat = {room, r}, .work = work, .context = context};
        rank[r].ranks =
            (hsgd_collectives){&rank[r].seat,  r,          size,         &rank[r].seat, thread_split, thread_free_group,
                               thread_barrier, thread_sum, thread_gather};
        assert_int_equal(pthread_create(&rank[r].thread, NULL, work_as_rank, &rank[r]), 0);
    }
    for (size_t r = 0; r < size; r++)
        pthread_join(rank[r].thread, NULL);
    pthread_barrier_destroy(&room->gate);
    free(room);
}

#endif
