/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "experiments/last_words.h"

#include <signal.h>
#include <time.h>

#include "analysis/clock.h"

/* Of mpirun's second: whoever notices a dead process by its silence is done by then (team_mpi.c). */
static const double IN_TIME_S = 0.6;
static const long LOOK_NS = 50000000;

static struct timespec a_little_later(void)
{
    struct timespec at;
    clock_gettime(CLOCK_REALTIME, &at);
    at.tv_nsec += LOOK_NS;
    at.tv_sec += at.tv_nsec / 1000000000;
    at.tv_nsec %= 1000000000;
    return at;
}

static void *watch(void *argument)
{
    hsgd_last_words *words = argument;
    double asked_s = -1;
    pthread_mutex_lock(&words->lock);
    while (!words->over && !words->said) {
        struct timespec at = a_little_later();
        pthread_cond_timedwait(&words->ends, &words->lock, &at);
        if (asked_s < 0 && hsgd_stop_asked(words->stop))
            asked_s = hsgd_now_s();
        if (!words->over && asked_s >= 0 && hsgd_now_s() - asked_s > IN_TIME_S) {
            words->say(words->context);
            words->said = true;
        }
    }
    pthread_mutex_unlock(&words->lock);
    return NULL;
}

hsgd_status hsgd_last_words_begin(hsgd_last_words *out, const hsgd_stop *stop, void (*say)(void *context),
                                  void *context, hsgd_error *err)
{
    sigset_t all, before;
    *out = (hsgd_last_words){.stop = stop, .say = say, .context = context};
    pthread_mutex_init(&out->lock, NULL);
    pthread_cond_init(&out->ends, NULL);
    sigfillset(&all); /* signals are for the first thread */
    pthread_sigmask(SIG_SETMASK, &all, &before);
    out->begun = pthread_create(&out->thread, NULL, watch, out) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return out->begun ? HSGD_OK : hsgd_fail(err, HSGD_ERROR_ENVIRONMENT, "the system gives no more threads");
}

bool hsgd_last_words_end(hsgd_last_words *words)
{
    if (!words->begun)
        return false;
    pthread_mutex_lock(&words->lock);
    words->over = true;
    pthread_cond_signal(&words->ends);
    pthread_mutex_unlock(&words->lock);
    pthread_join(words->thread, NULL);
    pthread_mutex_destroy(&words->lock);
    pthread_cond_destroy(&words->ends);
    words->begun = false;
    return words->said;
}
