/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which thread of a parallel region does what.
 *
 * A unit's slots are written in one window and again in the next. If another thread does it, they have to come from that
 * thread's cache to the other one's, which takes as long as a tenth of the work; so each thread begins with the units that
 * it had before, and helps others only when it is through. */
#include "analysis/engine_private.h"

#include "analysis/threads.h"

/* Tasks [first, end) in one number, so that they change at once. */
static uint64_t range_of(size_t first, size_t end)
{
    return (uint64_t)first << 32 | (uint64_t)end;
}

void hsgd_tasks_open(hsgd_engine *engine, size_t count)
{
    size_t threads = (size_t)engine->threads;
    for (size_t k = 0; k < threads; k++)
        atomic_store(&engine->space[k].tasks, range_of(count * k / threads, count * (k + 1) / threads));
}

/* The first task of a range, or the last. false: it is empty. */
static bool take_task(_Atomic uint64_t *tasks, bool is_own, size_t *task)
{
    uint64_t all = atomic_load(tasks), rest;
    do {
        size_t first = (size_t)(all >> 32), end = (size_t)(all & UINT32_MAX);
        if (first == end)
            return false;
        *task = is_own ? first : end - 1;
        rest = is_own ? range_of(first + 1, end) : range_of(first, end - 1);
    } while (!atomic_compare_exchange_weak(tasks, &all, rest));
    return true;
}

bool hsgd_tasks_next(hsgd_engine *engine, size_t *task)
{
    size_t threads = (size_t)engine->threads, own = (size_t)hsgd_thread_number();
    for (size_t k = 0; k < threads; k++)
        if (take_task(&engine->space[(own + k) % threads].tasks, k == 0, task))
            return true;
    return false;
}
