/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "analysis/random.h"

#include <string.h>

#include <Random123/philox.h>

#include "analysis/random_private.h"

static philox4x32_key_t stream_key(const hsgd_stream *stream)
{
    return (philox4x32_key_t){{(uint32_t)stream->seed, (uint32_t)(stream->seed >> 32)}};
}

static philox4x32_ctr_t stream_counter(const hsgd_stream *stream)
{
    uint32_t high = (uint32_t)stream->purpose << 24 | (uint32_t)(stream->step >> 32 & 0xffffff);
    return (philox4x32_ctr_t){{0, (uint32_t)stream->step, stream->worker, high}};
}

void hsgd_normals(const hsgd_stream *stream, double standard_deviation, double *out, size_t count)
{
    hsgd_worker_normals(stream, 1, standard_deviation, out, count);
}

enum { ROWS_TOGETHER = 1024 }; /* numbers of several rows that are made together, 8 KiB on the stack */

/* Rows that end within a block, as whole blocks in a buffer first. One row at a time, a short one would leave most of its
 * last vector unused, and wait for it. */
static void packed_rows(uint64_t seed, philox4x32_ctr_t counter, size_t num_workers, double standard_deviation,
                        double *out, size_t dim)
{
    const hsgd_random_kernels *kernels = HSGD_PICK_PATH(hsgd_random_kernels);
    const size_t blocks = dim / 4 + 1, together = ROWS_TOGETHER / (4 * blocks);
    double buffer[ROWS_TOGETHER];
    for (size_t w = 0; w < num_workers; w += together, counter.v[2] += (uint32_t)together) {
        size_t rows = num_workers - w < together ? num_workers - w : together;
        kernels->normals(seed, counter.v, blocks, standard_deviation, buffer, 4 * rows * blocks);
        for (size_t r = 0; r < rows; r++)
            memcpy(out + (w + r) * dim, buffer + 4 * r * blocks, dim * sizeof *out);
    }
}

/* Where a worker's numbers are whole blocks, one call fills all vectors; long rows take one call each. */
void hsgd_worker_normals(const hsgd_stream *first, size_t num_workers, double standard_deviation, double *out,
                         size_t dim)
{
    const hsgd_random_kernels *kernels = HSGD_PICK_PATH(hsgd_random_kernels);
    philox4x32_ctr_t counter = stream_counter(first);
    if (num_workers > 1 && dim > 0 && dim % 4 == 0)
        kernels->normals(first->seed, counter.v, dim / 4, standard_deviation, out, num_workers * dim);
    else if (num_workers > 1 && dim > 0 && dim < ROWS_TOGETHER / 4)
        packed_rows(first->seed, counter, num_workers, standard_deviation, out, dim);
    else
        for (size_t w = 0; w < num_workers; w++, counter.v[2]++)
            kernels->normals(first->seed, counter.v, 0, standard_deviation, out + w * dim, dim);
}

void hsgd_uniform_indices(const hsgd_stream *stream, size_t first, size_t bound, size_t *out, size_t count)
{
    philox4x32_ctr_t counter = stream_counter(stream);
    counter.v[0] = (uint32_t)(first / 2); /* two integers to a block */
    HSGD_PICK_PATH(hsgd_random_kernels)->indices(stream->seed, counter.v, bound, out, count);
}

uint64_t hsgd_uniform_53_bits(const hsgd_stream *stream, size_t i)
{
    philox4x32_ctr_t counter = stream_counter(stream);
    counter.v[0] = (uint32_t)(i / 2);
    const philox4x32_ctr_t words = philox4x32(counter, stream_key(stream));
    const size_t half = i % 2 * 2;
    return ((uint64_t)words.v[half] << 32 | words.v[half + 1]) >> 11;
}

/* ---- the same numbers behind GSL's interface ---- */

typedef struct stream_state {
    philox4x32_key_t key;
    philox4x32_ctr_t counter;
    philox4x32_ctr_t words;
    int used; /* words already handed out, 4: none left */
} stream_state;

/* GSL calls this with its default seed on allocation; hsgd_stream_rng sets the real key and counter afterwards. */
static void state_set(void *state, unsigned long seed)
{
    stream_state *s = state;
    memset(s, 0, sizeof *s);
    s->key.v[0] = (uint32_t)seed;
    s->used = 4;
}

static unsigned long state_get(void *state)
{
    stream_state *s = state;
    if (s->used == 4) {
        s->words = philox4x32(s->counter, s->key);
        s->counter.v[0]++;
        s->used = 0;
    }
    return s->words.v[s->used++];
}

static double state_get_double(void *state)
{
    return (double)state_get(state) * 0x1p-32;
}

static const gsl_rng_type stream_rng_type = {
    "hsgd-philox4x32-10", 0xffffffffUL, 0, sizeof(stream_state), state_set, state_get, state_get_double};

gsl_rng *hsgd_stream_rng(const hsgd_stream *stream)
{
    gsl_rng *rng = gsl_rng_alloc(&stream_rng_type);
    if (rng) {
        stream_state *s = gsl_rng_state(rng);
        s->key = stream_key(stream);
        s->counter = stream_counter(stream);
        s->used = 4;
    }
    return rng;
}
