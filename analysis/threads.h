/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The few questions about threads that need an answer with and without OpenMP. */
#ifndef HSGD_ANALYSIS_THREADS_H
#define HSGD_ANALYSIS_THREADS_H

#ifdef __cplusplus
extern "C" {
#endif

/* Number of the calling thread inside the innermost parallel region, from 0. */
int hsgd_thread_number(void);

/* Threads to use when nobody said how many: what OpenMP would take, 1 without it. */
int hsgd_default_threads(void);

/* From now on OpenMP takes this many where nobody says how many. Affects the whole process. */
void hsgd_threads_limit(int threads);

/* Allow one parallel region inside another (seeds outside, subtrees inside), and let the BLAS work in the calling thread:
 * parallelism is ours, and its own would change the order of sums. Affects the whole process; every simulation calls it
 * first. */
void hsgd_threads_setup(void);

/* Between the two, parallel regions that the calling thread opens have one thread: for libraries that would open some. The
 * first returns what the second is to be given. */
int hsgd_threads_begin_alone(void);
void hsgd_threads_end_alone(int threads);

#ifdef __cplusplus
}
#endif

#endif
