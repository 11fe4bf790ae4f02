/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Philox4x32-10 and Box-Muller on vectors, for kernels that want random numbers in registers, and the table of those
 * behind analysis/random.h. The same words go to the same places as block by block with Random123.
 *
 * Box and Muller (1958), here: a pair of words (v, w) gives the normals (r c, r s) with
 *   u = (v + 1/2)/2^32   r = sqrt(-2 log u)   t = (w - w mod 4 + 2)/2^32 - 1/2   (c, s) = +-(cos, sin) of a = pi/2 t,
 * swapped to (s, c) if bit 1 of w is set, and negative if bit 0 is. The angles a fill (-pi/4, pi/4) with equal steps; the
 * four arcs that the two bits make of it cover the circle once. So there is no quadrant to find, and all odd moments of
 * the 2^64 pairs are exactly 0.
 *
 * Accuracy: r c and r s are within 2^-42.6 r of the formula (1.5e-13: r 9.4e-14, c and s 5.6e-14 at most;
 * tests/analysis/test_random.c). More would be lost on words whose own steps are 2^-32. The polynomials are minimax (Remez's
 * exchange in 40 digits, then each coefficient rounded), of the lowest degree that has these errors. */
#ifndef HSGD_ANALYSIS_RANDOM_PRIVATE_H
#define HSGD_ANALYSIS_RANDOM_PRIVATE_H

#include "analysis/vector_math_private.h"

enum { HSGD_PHILOX_ROUNDS = 10 };

HSGD_INLINE hsgd_vu hsgd_splat_word(uint64_t word)
{
    return word | (hsgd_vu){0};
}

/* The round keys of one seed in the low halves of all lanes; the high halves are rubbish. */
typedef struct hsgd_philox_key {
    hsgd_vu round[HSGD_PHILOX_ROUNDS][2];
} hsgd_philox_key;

HSGD_INLINE hsgd_philox_key hsgd_philox_key_of(uint64_t seed)
{
    hsgd_philox_key key;
    hsgd_vu low = hsgd_splat_word(seed), high = hsgd_splat_word(seed >> 32);
    HSGD_UNROLL for (size_t r = 0; r < HSGD_PHILOX_ROUNDS; r++, low += 0x9e3779b9, high += 0xbb67ae85)
    {
        key.round[r][0] = low;
        key.round[r][1] = high;
    }
    return key;
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

/* ---- vectors of blocks to the order of memory ---- */

/* Block l of a vector is in the lane where the cheap shuffles, which stay within 128 bits, take it to its place. */
#if HSGD_LANES == 8
#define HSGD_BLOCK_OF_LANE                                                                                             \
    {                                                                                                                  \
        0, 4, 1, 5, 2, 6, 3, 7                                                                                         \
    }
#elif HSGD_LANES == 4
#define HSGD_BLOCK_OF_LANE                                                                                             \
    {                                                                                                                  \
        0, 2, 1, 3                                                                                                     \
    }
#else
#define HSGD_BLOCK_OF_LANE                                                                                             \
    {                                                                                                                  \
        0, 1                                                                                                           \
    }
#endif

/* Of (a0 b0 a1 b1 ...) by block: the first and the second half. */
HSGD_INLINE void hsgd_interleave_blocks(hsgd_vd *first, hsgd_vd *second)
{
    hsgd_vd a = *first, b = *second;
#if HSGD_LANES == 8
    *first = __builtin_shufflevector(a, b, 0, 8, 2, 10, 4, 12, 6, 14);
    *second = __builtin_shufflevector(a, b, 1, 9, 3, 11, 5, 13, 7, 15);
#elif HSGD_LANES == 4
    *first = __builtin_shufflevector(a, b, 0, 4, 2, 6);
    *second = __builtin_shufflevector(a, b, 1, 5, 3, 7);
#else
    *first = __builtin_shufflevector(a, b, 0, 2);
    *second = __builtin_shufflevector(a, b, 1, 3);
#endif
}

/* Of (a0 b0 a1 b1 ...) by pairs of lanes: the first and the second half. */
HSGD_INLINE void hsgd_interleave_pairs(hsgd_vd *first, hsgd_vd *second)
{
    hsgd_vd a = *first, b = *second;
#if HSGD_LANES == 8
    *first = __builtin_shufflevector(a, b, 0, 1, 8, 9, 2, 3, 10, 11);
    *second = __builtin_shufflevector(a, b, 4, 5, 12, 13, 6, 7, 14, 15);
#elif HSGD_LANES == 4
    *first = __builtin_shufflevector(a, b, 0, 1, 4, 5);
    *second = __builtin_shufflevector(a, b, 2, 3, 6, 7);
#else
    *first = a;
    *second = b;
#endif
}

/* x[i] has number i of every block; afterwards x is all numbers, block by block. */
HSGD_INLINE void hsgd_transpose_blocks(hsgd_vd x[4])
{
    hsgd_interleave_blocks(&x[0], &x[1]);
    hsgd_interleave_blocks(&x[2], &x[3]);
    hsgd_vd last = x[1];
    x[1] = x[2];
    x[2] = last;
    hsgd_interleave_pairs(&x[0], &x[1]);
    hsgd_interleave_pairs(&x[2], &x[3]);
}

/* ---- Box-Muller ---- */

/* c[0] + c[1] z + ... + c[5] z^5; Estrin's order, whose chains are short. */
HSGD_INLINE hsgd_vd hsgd_quintic(const double c[6], hsgd_vd z)
{
    hsgd_vd w = z * z;
    return (c[0] + c[1] * z) + w * ((c[2] + c[3] * z) + w * (c[4] + c[5] * z));
}

/* u = 2^k m with m in [3/4, 3/2), for u in (0, 1) of at most 33 bits, as in hsgd_radius. */
HSGD_INLINE hsgd_vd hsgd_split_uniform(hsgd_vd u, hsgd_vd *k)
{
#if HSGD_LANES == 8
    *k = (hsgd_vd)_mm512_getexp_pd((__m512d)(u * (4.0 / 3))); /* 3/2 times 4/3 rounds to 2; 3/2 - 2^-32 is below */
    return (hsgd_vd)_mm512_getmant_pd((__m512d)u, _MM_MANT_NORM_p75_1p5, _MM_MANT_SIGN_src);
#else
    hsgd_vu bits = (hsgd_vu)u + (0x3ff0000000000000 - 0x3fe8000000000000); /* the exponent counted from 3/4 */
    *k = (hsgd_vd)((bits >> 52) | 0x4330000000000000) - (0x1p52 + 1023);
    return (hsgd_vd)((bits & 0xfffffffffffff) + 0x3fe8000000000000);
#endif
}

/* sqrt(-2 log u); log u = k log 2 + 2 artanh f with f = (m - 1)/(m + 1), which is accurate where u is near 1: there
 * k = 0. u is the middle of one of 2^32 equal cells, exactly, so that no logarithm meets 0. */
HSGD_INLINE hsgd_vd hsgd_radius(hsgd_vu word)
{
    /* -4 artanh(f)/f in f^2 <= 1/25, weighted so that log u, with its k log 2, is within 1.9e-13 relative */
    static const double artanh[6] = {-0x1.ffffffffff96dp1,  -0x1.5555555b02d88p0,  -0x1.99998ce61914fp-1,
                                     -0x1.249778bc32d28p-1, -0x1.c534502b9783ep-2, -0x1.9d4bec86e5abap-2};
    hsgd_vd u = (hsgd_vd)((word & 0xffffffff) | 0x4130000000000000) - (0x1p20 - 0x1p-33);
    hsgd_vd k, m = hsgd_split_uniform(u, &k), f = (m - 1.0) / (m + 1.0);
    return hsgd_sqrt(k * -0x1.62e42fefa39efp0 + f * hsgd_quintic(artanh, f * f));
}

/* (x, y) to (y, x) where bit 1 of the word is set. */
HSGD_INLINE void hsgd_swap_by_bit(hsgd_vu word, hsgd_vd *x, hsgd_vd *y)
{
    hsgd_vd a = *x, b = *y;
#if HSGD_LANES == 8
    __mmask8 odd = _mm512_test_epi64_mask((__m512i)word, _mm512_set1_epi64(2));
    *x = (hsgd_vd)_mm512_mask_blend_pd(odd, (__m512d)a, (__m512d)b);
    *y = (hsgd_vd)_mm512_mask_blend_pd(odd, (__m512d)b, (__m512d)a);
#elif HSGD_LANES == 4
    __m256d odd = (__m256d)(word << 62); /* by its sign */
    *x = (hsgd_vd)_mm256_blendv_pd((__m256d)a, (__m256d)b, odd);
    *y = (hsgd_vd)_mm256_blendv_pd((__m256d)b, (__m256d)a, odd);
#else
    hsgd_vu change = ((hsgd_vu)a ^ (hsgd_vu)b) & -(word >> 1 & 1);
    *x = (hsgd_vd)((hsgd_vu)a ^ change);
    *y = (hsgd_vd)((hsgd_vu)b ^ change);
#endif
}

/* (c, s) above, without the common sign. */
HSGD_INLINE void hsgd_direction(hsgd_vu word, hsgd_vd *c, hsgd_vd *s)
{
    /* cos(pi/2 t) and sin(pi/2 t)/t in t^2 <= 1/4: 5.6e-14 and 1.7e-15 absolute for cosine and sine */
    static const double cosine[6] = {0x1.ffffffffffe0cp-1,  -0x1.3bd3cc9bd2c8ap0,  0x1.03c1f074e178fp-2,
                                     -0x1.55d3ba31e8051p-6, 0x1.e1e7cddc36fa6p-11, -0x1.a0ee4978f92c3p-16};
    static const double sine[6] = {0x1.921fb54442c54p0,   -0x1.4abbce625124ep-1, 0x1.466bc66c98e2bp-4,
                                   -0x1.32d2c3ac200ecp-8, 0x1.5070820b7e7dcp-13, -0x1.dcdbb10e5e159p-19};
    hsgd_vd t = (hsgd_vd)((word & 0xfffffffc) | 0x4130000000000002) - (0x1p20 + 0.5), z = t * t;
    *c = hsgd_quintic(cosine, z);
    *s = t * hsgd_quintic(sine, z);
    hsgd_swap_by_bit(word, c, s);
}

/* deviation (r c, r s) per lane from the low halves of the words; the high halves are rubbish. */
HSGD_INLINE void hsgd_box_muller(hsgd_vu radius_word, hsgd_vu angle_word, double deviation, hsgd_vd *first,
                                 hsgd_vd *second)
{
    hsgd_vd radius = deviation * hsgd_radius(radius_word), c, s;
    radius = (hsgd_vd)((hsgd_vu)radius ^ angle_word << 63);
    hsgd_direction(angle_word, &c, &s);
    *first = radius * c;
    *second = radius * s;
}

/* The four normals of every block: x is all of them, block by block. */
HSGD_INLINE void hsgd_normals_of_blocks(hsgd_blocks words, double deviation, hsgd_vd x[4])
{
    hsgd_box_muller(words.w0, words.w1, deviation, &x[0], &x[1]);
    hsgd_box_muller(words.w2, words.w3, deviation, &x[2], &x[3]);
    hsgd_transpose_blocks(x);
}

/* ---- what analysis/random.c calls ---- */

typedef struct hsgd_random_kernels {
    /* out (count): as hsgd_normals, but after every blocks_per_worker blocks the next worker's stream begins; 0:
     * one worker. */
    void (*normals)(uint64_t seed, const uint32_t counter[4], uint64_t blocks_per_worker, double deviation, double *out,
                    size_t count);
    /* As hsgd_uniform_indices; the first block is counter[0]. */
    void (*indices)(uint64_t seed, const uint32_t counter[4], uint64_t bound, size_t *out, size_t count);
    /* out (8, 4): the standard normals of eight given blocks, for tests of words that no seed is known for. */
    void (*normals_of_words)(const uint32_t words[8][4], double *out);
} hsgd_random_kernels;

HSGD_DECLARE_PATHS(hsgd_random_kernels);

#endif
