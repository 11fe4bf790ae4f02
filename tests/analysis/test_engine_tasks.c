/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tasks of a parallel region: each is done once, by whom it was done before if that is possible. */
#include "tests/test.h"

#include <string.h>

#include "analysis/engine_private.h"
#include "analysis/threads.h"

enum { MOST_THREADS = 5, MOST_TASKS = 1000 };

static hsgd_thread_space space[MOST_THREADS];

static hsgd_engine engine_of(int threads)
{
    memset(space, 0, sizeof space);
    return (hsgd_engine){.threads = threads, .space = space};
}

static void every_task_is_done_once(void **state)
{
    (void)state;
    static atomic_int times[MOST_TASKS];
    for (int threads = 1; threads <= MOST_THREADS; threads++)
        for (size_t count = 0; count <= MOST_TASKS; count = 2 * count + 1) {
            hsgd_engine engine = engine_of(threads);
            memset(times, 0, sizeof times);
            hsgd_tasks_open(&engine, count);
#pragma omp parallel num_threads(threads)
            for (size_t i; hsgd_tasks_next(&engine, &i);)
                times[i]++;
            for (size_t i = 0; i < MOST_TASKS; i++)
                assert_int_equal(times[i], i < count);
        }
}

/* The calling thread is the first: by hand, with 10 tasks of 3 threads [0, 3), [3, 6) and [6, 10). */
static void own_tasks_come_first_and_others_from_their_ends(void **state)
{
    (void)state;
    static const size_t expected[] = {0, 1, 2, 5, 4, 3, 9, 8, 7, 6};
    hsgd_engine engine = engine_of(3);
    for (size_t time = 0; time < 2; time++) {
        size_t task;
        hsgd_tasks_open(&engine, 10);
        for (size_t i = 0; i < 10; i++) {
            assert_true(hsgd_tasks_next(&engine, &task));
            assert_int_equal(task, expected[i]);
        }
        assert_false(hsgd_tasks_next(&engine, &task));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_task_is_done_once),
        cmocka_unit_test(own_tasks_come_first_and_others_from_their_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
