/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "analysis/random.h"

#include <math.h>
#include <string.h>

#include <Random123/philox.h>

static philox4x32_key_t stream_key(const hsgd_stream *stream)
{
    return (philox4x32_key_t){{(uint32_t)stream->seed, (uint32_t)(stream->seed >> 32)}};
}

static philox4x32_ctr_t stream_counter(const hsgd_stream *stream)
{
    uint32_t high = (uint32_t)stream->purpose << 24 | (uint32_t)(stream->step >> 32 & 0xffffff);
    return (philox4x32_ctr_t){{0, (uint32_t)stream->step, stream->worker, high}};
}

/* The middle of one of 2^32 equal cells of (0, 1): never 0 or 1, so the logarithm below is finite. */
static double open_unit(uint32_t word)
{
    return ((double)word + 0.5) * 0x1p-32;
}

/* Box and Muller (1958): two independent standard normals from two words. */
static void normal_pair(uint32_t radius_word, uint32_t angle_word, double pair[2])
{
    double radius = sqrt(-2 * log(open_unit(radius_word)));
    double angle = 2 * M_PI * open_unit(angle_word);
    pair[0] = radius * cos(angle);
    pair[1] = radius * sin(angle);
}

void hsgd_normals(const hsgd_stream *stream, double standard_deviation, double *out, size_t count)
{
    philox4x32_key_t key = stream_key(stream);
    philox4x32_ctr_t counter = stream_counter(stream);
    for (size_t done = 0; done < count; done += 4, counter.v[0]++) {
        philox4x32_ctr_t words = philox4x32(counter, key);
        double normal[4];
        normal_pair(words.v[0], words.v[1], normal);
        normal_pair(words.v[2], words.v[3], normal + 2);
        for (size_t i = 0; i < 4 && done + i < count; i++)
            out[done + i] = standard_deviation * normal[i];
    }
}

/* Multiply and shift (Lemire 2019) on 64 bits, where the bias is too small to ever be seen. */
static size_t scale_to(uint32_t high, uint32_t low, size_t bound)
{
    uint64_t word = (uint64_t)high << 32 | low;
    __extension__ typedef unsigned __int128 wide;
    return (size_t)((wide)word * bound >> 64);
}

void hsgd_uniform_indices(const hsgd_stream *stream, size_t first, size_t bound, size_t *out, size_t count)
{
    philox4x32_key_t key = stream_key(stream);
    philox4x32_ctr_t counter = stream_counter(stream);
    counter.v[0] = (uint32_t)(first / 2); /* two integers to a block */
    for (size_t done = 0; done < count; done += 2, counter.v[0]++) {
        philox4x32_ctr_t words = philox4x32(counter, key);
        out[done] = scale_to(words.v[0], words.v[1], bound);
        if (done + 1 < count)
            out[done + 1] = scale_to(words.v[2], words.v[3], bound);
    }
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
