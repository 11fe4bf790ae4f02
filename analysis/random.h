/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Counter-based random numbers: every draw is a pure function of (seed, purpose, worker, step), so results do not
 * depend on the number of threads or on the order in which workers are visited, and there is no state to carry.
 *
 * Generator: Philox4x32-10 (Salmon, Moraes, Dror and Shaw, SC 2011; Random123). Layout, fixed for ever because results
 * depend on it:   key = (seed low, seed high);   counter = (block, step low, worker, purpose << 24 | step bits 32..55). */
#ifndef HSGD_ANALYSIS_RANDOM_H
#define HSGD_ANALYSIS_RANDOM_H

#include <stddef.h>
#include <stdint.h>

#include <gsl/gsl_rng.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Two purposes never share a number. Append only: the values are part of every result. */
typedef enum hsgd_purpose {
    HSGD_PURPOSE_NOISE = 1,         /* gradient noise of one worker at one step */
    HSGD_PURPOSE_BATCH = 2,         /* mini-batch indices of one worker at one step */
    HSGD_PURPOSE_INITIAL = 3,       /* the initial point */
    HSGD_PURPOSE_PROBLEM = 4,       /* generated problems */
    HSGD_PURPOSE_PARTITION = 5,     /* assignment of samples to workers */
    HSGD_PURPOSE_GROUPING = 6,      /* assignment of workers to places in the tree */
    HSGD_PURPOSE_PARTICIPATION = 7, /* who takes part in a group's round */
    HSGD_PURPOSE_REGROUPING = 8,    /* places in the tree from one global round to the next */
    HSGD_PURPOSE_STRAGGLER = 16,    /* how much longer a worker computes at a step */
    HSGD_PURPOSE_ESTIMATE = 17,     /* where searches for constants begin */
    HSGD_PURPOSE_HUNT = 23,         /* where and how searches for a counterexample go */
    HSGD_PURPOSE_PROBE = 24,        /* the order of timed messages */
    HSGD_PURPOSE_USER = 128         /* first value free for programs that use the library */
} hsgd_purpose;

typedef struct hsgd_stream {
    uint64_t seed;
    hsgd_purpose purpose; /* below 256 */
    uint32_t worker;
    uint64_t step; /* below 2^56 */
} hsgd_stream;

/* out (count): independent normals with mean 0 and the given standard deviation. The same on every CPU, to the bit. */
void hsgd_normals(const hsgd_stream *stream, double standard_deviation, double *out, size_t count);

/* out (num_workers, dim): row w is what hsgd_normals gives for worker first->worker + w, to the bit. Faster than one call
 * per worker where rows are short. */
void hsgd_worker_normals(const hsgd_stream *first, size_t num_workers, double standard_deviation, double *out,
                         size_t dim);

/* out (count): numbers first, first + 1, ... of a sequence of independent uniform integers in [0, bound); first is even
 * and bound > 0. The bias is below bound/2^64. */
void hsgd_uniform_indices(const hsgd_stream *stream, size_t first, size_t bound, size_t *out, size_t count);

/* Number i of the same sequence with the bound 2^53, which a size_t need not hold. */
uint64_t hsgd_uniform_53_bits(const hsgd_stream *stream, size_t i);

/* A GSL generator over the numbers of one stream, for GSL's distributions and shuffles; free with gsl_rng_free.
 * NULL when memory is out. */
gsl_rng *hsgd_stream_rng(const hsgd_stream *stream);

#ifdef __cplusplus
}
#endif

#endif
