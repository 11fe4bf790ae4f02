/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Last words are said once, by another thread, where the end was asked for and does not come; not where it comes in time, nor
 * where nobody asked. */
#include "tests/test.h"

#include <stdatomic.h>
#include <time.h>

#include "analysis/clock.h"
#include "experiments/last_words.h"

typedef struct listener {
    atomic_bool asked;
    atomic_int said;
    _Atomic double said_s;
} listener;

static bool is_asked(const void *context)
{
    return ((const listener *)context)->asked;
}

static void say(void *context)
{
    listener *l = context;
    l->said_s = hsgd_now_s();
    l->said++;
}

static void wait_s(double seconds)
{
    nanosleep(&(struct timespec){(time_t)seconds, (long)((seconds - floor(seconds)) * 1e9)}, NULL);
}

static void they_are_said_in_time(void **state)
{
    (void)state;
    hsgd_error err;
    listener late = {0}, soon = {0}, never = {0};
    const hsgd_stop stops[] = {{is_asked, &late}, {is_asked, &soon}, {is_asked, &never}};
    hsgd_last_words words[3];
    assert_ok(hsgd_last_words_begin(&words[0], &stops[0], say, &late, &err), err);
    assert_ok(hsgd_last_words_begin(&words[1], &stops[1], say, &soon, &err), err);
    assert_ok(hsgd_last_words_begin(&words[2], &stops[2], say, &never, &err), err);
    double begin_s = hsgd_now_s();
    late.asked = soon.asked = true;
    wait_s(0.1);
    assert_false(hsgd_last_words_end(&words[1]));
    while (!late.said && hsgd_now_s() < begin_s + 60)
        wait_s(0.05);
    assert_true(late.said_s - begin_s >= 0.6); /* mpirun's patience is 1 s */
    assert_true(hsgd_last_words_end(&words[0]));
    assert_false(hsgd_last_words_end(&words[0])); /* there are none any more */
    assert_false(hsgd_last_words_end(&words[2]));
    assert_int_equal(late.said, 1);
    assert_int_equal(soon.said + never.said, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(they_are_said_in_time)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
