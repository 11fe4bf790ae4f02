/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "experiments/interrupt.h"

#include <signal.h>
#include <string.h>

#include "analysis/clock.h"

/* A handler can tell the rest of the program nothing but through a global. */
static volatile sig_atomic_t caught;

static const int numbers[] = {SIGINT, SIGTERM, SIGHUP};
enum { NUM_NUMBERS = sizeof numbers / sizeof *numbers };

static void remember(int number);

/* The next one ends the process. Only of our own handler: what is ignored stays ignored. */
static void let_through(void)
{
    struct sigaction now;
    for (size_t i = 0; i < NUM_NUMBERS; i++)
        if (sigaction(numbers[i], NULL, &now) == 0 && now.sa_handler == remember)
            signal(numbers[i], SIG_DFL);
}

static void remember(int number)
{
    caught = number;
    let_through();
}

/* A signal that is ignored, as nohup and shells in the background do it, stays ignored. */
static void watch(int number)
{
    struct sigaction action, before;
    memset(&action, 0, sizeof action);
    action.sa_handler = remember;
    action.sa_flags = SA_RESTART;
    if (sigaction(number, NULL, &before) == 0 && before.sa_handler != SIG_IGN)
        sigaction(number, &action, NULL);
}

static bool is_asked(const void *context)
{
    const hsgd_interrupt *interrupt = context;
    return caught || hsgd_now_s() >= interrupt->deadline_s;
}

void hsgd_interrupt_watch(hsgd_interrupt *out, double budget_s)
{
    *out = (hsgd_interrupt){.deadline_s = hsgd_now_s() + budget_s, .stop = {is_asked, out}};
    for (size_t i = 0; i < NUM_NUMBERS; i++)
        watch(numbers[i]);
}

void hsgd_interrupt_end(void)
{
    let_through();
}

const char *hsgd_interrupt_reason(const hsgd_interrupt *interrupt)
{
    if (caught)
        return caught == SIGINT ? "SIGINT" : caught == SIGTERM ? "SIGTERM" : "SIGHUP";
    return is_asked(interrupt) ? "the time budget" : NULL;
}
