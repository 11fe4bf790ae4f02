/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "analysis/threads.h"

#include <stddef.h>

#ifdef _OPENMP
#include <omp.h>
#else
/* oneDNN brings OpenMP even where we do not use it; without oneDNN nothing is there to be set. */
#ifdef HSGD_DNNL
extern int omp_get_max_threads(void);
extern void omp_set_num_threads(int threads);
#else
static int omp_get_max_threads(void)
{
    return 1;
}
static void omp_set_num_threads(int threads)
{
    (void)threads;
}
#endif
/* We have one thread then, and hsgd_threads_setup has nothing to set. */
static int omp_get_thread_num(void)
{
    return 0;
}
static void omp_set_max_active_levels(int levels)
{
    (void)levels;
}
#endif

/* Present when OpenBLAS is linked, absent with other libraries. */
extern void openblas_set_num_threads(int threads) __attribute__((weak));
extern int openblas_get_num_threads(void) __attribute__((weak));

int hsgd_thread_number(void)
{
    return omp_get_thread_num();
}

int hsgd_default_threads(void)
{
#ifdef _OPENMP
    return omp_get_max_threads();
#else
    return 1;
#endif
}

int hsgd_threads_begin_alone(void)
{
    int threads = omp_get_max_threads();
    omp_set_num_threads(1);
    return threads;
}

void hsgd_threads_end_alone(int threads)
{
    omp_set_num_threads(threads);
}

void hsgd_threads_limit(int threads)
{
    omp_set_num_threads(threads);
}

void hsgd_threads_setup(void)
{
    omp_set_max_active_levels(2);
    if (openblas_get_num_threads && openblas_get_num_threads() != 1) /* setting it disturbs calls in other threads */
        openblas_set_num_threads(1);
}
