/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "analysis/clock.h"

#include <time.h>

double hsgd_now_s(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}
