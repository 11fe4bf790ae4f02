/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Philox4x32-10 and Box-Muller on vectors, for kernels that want random numbers in registers, and the table of those
 * behind analysis/random.h. The same words go to the same places as block by block with Random123. */
#ifndef HSGD_ANALYSIS_RANDOM_PRIVATE_H
#define HSGD_ANALYSIS_RANDOM_PRIVATE_H

#include "analysis/vector_math_private.h"

enum { HSGD_PHILOX_ROUNDS = 10 };

/* The round keys of one seed. */
typedef struct hsgd_philox_key {
    uint32_t round[HSGD_PHILOX_ROUNDS][2];
} hsgd_philox_key;

HSGD_INLINE hsgd_philox_key hsgd_philox_key_of(uint64_t seed)
{
    hsgd_philox_key key;
    uint32_t low = (uint32_t)seed, high = (uint32_t)(seed >> 32);
    for (size_t r = 0; r < HSGD_PHILOX_ROUNDS; r++, low += 0x9e3779b9, high += 0xbb67ae85) {
        key.round[r][0] = low;
        key.round[r][1] = high;
    }
    return key;
}

HSGD_INLINE hsgd_vu hsgd_splat_word(uint64_t word)
{
    return word | (hsgd_vu){0};
}

/* The high half of every lane in the low half, for hsgd_philox; the high half stays (a shuffle: shifts and products wait
 * for the same port of the CPU). */
HSGD_INLINE hsgd_vu hsgd_high_words(hsgd_vu x)
{
#if HSGD_LANES == 8
    return (hsgd_vu)_mm512_shuffle_epi32((__m512i)x, _MM_PERM_DDBB);
#else
    return x >> 32;
#endif
}

/* One block per lane, its four words in the low halves of the lanes; the high halves are rubbish. */
typedef struct hsgd_blocks {
    hsgd_vu w0, w1, w2, w3;
} hsgd_blocks;

/* Random words from counter words. */
HSGD_INLINE hsgd_blocks hsgd_philox(const hsgd_philox_key *key, hsgd_blocks b)
{
    const hsgd_vu m0 = hsgd_splat_word(0xd2511f53), m1 = hsgd_splat_word(0xcd9e8d57);
    HSGD_UNROLL for (size_t r = 0; r < HSGD_PHILOX_ROUNDS; r++)
    {
        hsgd_vu product0 = hsgd_multiply_low(m0, b.w0), product1 = hsgd_multiply_low(m1, b.w2);
        b.w0 = hsgd_high_words(product1) ^ b.w1 ^ key->round[r][0];
        b.w2 = hsgd_high_words(product0) ^ b.w3 ^ key->round[r][1];
        b.w1 = product1;
        b.w3 = product0;
    }
    return b;
}

/* (a0 b0 a1 b1 ...): the first and the second half. */
HSGD_INLINE void hsgd_interleave(hsgd_vd *first, hsgd_vd *second)
{
    hsgd_vd a = *first, b = *second;
#if HSGD_LANES == 8
    *first = __builtin_shufflevector(a, b, 0, 8, 1, 9, 2, 10, 3, 11);
    *second = __builtin_shufflevector(a, b, 4, 12, 5, 13, 6, 14, 7, 15);
#elif HSGD_LANES == 4
    *first = __builtin_shufflevector(a, b, 0, 4, 1, 5);
    *second = __builtin_shufflevector(a, b, 2, 6, 3, 7);
#else
    *first = __builtin_shufflevector(a, b, 0, 2);
    *second = __builtin_shufflevector(a, b, 1, 3);
#endif
}

/* Box and Muller (1958) on 2 HSGD_LANES words whose doubles (see hsgd_word_plus_half) are given: 2 HSGD_LANES standard
 * normals in the order of the pairs. */
HSGD_INLINE void hsgd_normals_of(hsgd_vd radius_word, hsgd_vd angle_word, hsgd_vd *first, hsgd_vd *second)
{
    hsgd_vd radius = hsgd_sqrt(-2.0 * hsgd_log_normal(radius_word * 0x1p-32));
    hsgd_vd cosine, sine;
    hsgd_cos_sin_turns(angle_word * 0x1p-32, &cosine, &sine);
    *first = radius * cosine;
    *second = radius * sine;
    hsgd_interleave(first, second);
}

/* word + 1/2, exactly: the middle of one of 2^32 equal cells, so that no logarithm meets 0. */
HSGD_INLINE hsgd_vd hsgd_word_plus_half(hsgd_vu word)
{
    return (hsgd_vd)((word & 0xffffffff) | 0x4330000000000000) - (0x1p52 - 0.5);
}

/* ---- what analysis/random.c calls ---- */

typedef struct hsgd_random_kernels {
    /* out (count): as hsgd_normals, but after every blocks_per_worker blocks the next worker's stream begins; 0:
     * one worker. */
    void (*normals)(uint64_t seed, const uint32_t counter[4], uint64_t blocks_per_worker, double deviation, double *out,
                    size_t count);
    /* As hsgd_uniform_indices; the first block is counter[0]. */
    void (*indices)(uint64_t seed, const uint32_t counter[4], uint64_t bound, size_t *out, size_t count);
} hsgd_random_kernels;

HSGD_DECLARE_PATHS(hsgd_random_kernels);

#endif
