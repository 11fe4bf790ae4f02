/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "analysis/random_private.h"

/* Normals wait for long chains of instructions (division, square root, ten rounds). Interleaving independent chains
 * before registers are given out takes a quarter off the time on AVX-512 with gcc 12; -O2 does not do it on x86. */
#if defined __GNUC__ && !defined __clang__
#pragma GCC optimize("schedule-insns")
#endif

static const uint64_t block_of_lane[HSGD_LANES] = HSGD_BLOCK_OF_LANE;

/* The counters of as many blocks as there are lanes, from counter[0] on. */
HSGD_INLINE hsgd_blocks first_blocks(const uint32_t counter[4])
{
    hsgd_vu lane;
    memcpy(&lane, block_of_lane, sizeof lane);
    return (hsgd_blocks){lane + (uint64_t)counter[0], hsgd_splat_word(counter[1]), hsgd_splat_word(counter[2]),
                         hsgd_splat_word(counter[3])};
}

/* Blocks past the end of their worker go to the next worker, `times` times. */
HSGD_INLINE void carry_to_workers(hsgd_blocks *counters, uint64_t blocks_per_worker, uint64_t times)
{
    const hsgd_vu blocks = hsgd_splat_word(blocks_per_worker);
    for (uint64_t i = 0; i < times; i++) {
        hsgd_vu past = (blocks - 1 - counters->w0) >> 63; /* the sign: 1 where w0 >= blocks */
        counters->w0 -= hsgd_multiply_low(past, blocks);
        counters->w2 += past;
    }
}

/* How many workers a vector of blocks can go past; short of a division where it is one. */
static uint64_t times_to_carry(uint64_t blocks_per_worker)
{
    if (blocks_per_worker == 0 || blocks_per_worker >= HSGD_LANES)
        return blocks_per_worker > 0;
    return (HSGD_LANES + blocks_per_worker - 1) / blocks_per_worker;
}

/* Numbers of a vector of blocks. */
enum { NORMALS_AT_ONCE = 4 * HSGD_LANES };

/* The first count <= NORMALS_AT_ONCE numbers of these blocks. */
HSGD_INLINE void last_normals(hsgd_blocks words, double deviation, double *out, size_t count)
{
    double all[NORMALS_AT_ONCE];
    hsgd_vd x[4];
    hsgd_normals_of_blocks(words, deviation, x);
    memcpy(count == NORMALS_AT_ONCE ? out : all, x, sizeof x);
    if (count < NORMALS_AT_ONCE)
        memcpy(out, all, count * sizeof *out);
}

/* The words of the next blocks are made beside the normals of these: neither waits for the other. */
static void normals(uint64_t seed, const uint32_t counter[4], uint64_t blocks_per_worker, double deviation, double *out,
                    size_t count)
{
    if (count == 0)
        return;
    const hsgd_philox_key key = hsgd_philox_key_of(seed);
    const uint64_t carries = times_to_carry(blocks_per_worker);
    hsgd_blocks counters = first_blocks(counter);
    carry_to_workers(&counters, blocks_per_worker, carries);
    hsgd_blocks words = hsgd_philox(&key, counters);
    for (; count > NORMALS_AT_ONCE; out += NORMALS_AT_ONCE, count -= NORMALS_AT_ONCE) {
        counters.w0 += HSGD_LANES;
        carry_to_workers(&counters, blocks_per_worker, carries);
        hsgd_blocks next = hsgd_philox(&key, counters);
        hsgd_vd x[4];
        hsgd_normals_of_blocks(words, deviation, x);
        HSGD_UNROLL for (size_t p = 0; p < 4; p++) hsgd_store(out + p * HSGD_LANES, x[p]);
        words = next;
    }
    last_normals(words, deviation, out, count);
}

static void normals_of_words(const uint32_t words[8][4], double *out)
{
    for (size_t first = 0; first < 8; first += HSGD_LANES) {
        uint64_t lanes[4][HSGD_LANES];
        for (size_t l = 0; l < HSGD_LANES; l++)
            for (size_t i = 0; i < 4; i++)
                lanes[i][l] = words[first + block_of_lane[l]][i];
        hsgd_blocks blocks;
        memcpy(&blocks, lanes, sizeof blocks);
        last_normals(blocks, 1, out + 4 * first, NORMALS_AT_ONCE);
    }
}

/* Multiply and shift (Lemire 2019): the high half of the 128-bit product of high:low and the bound, from 32-bit halves. */
HSGD_INLINE hsgd_vu scale_to(hsgd_vu high, hsgd_vu low, uint64_t bound)
{
    const hsgd_vu bound_low = hsgd_splat_word(bound & 0xffffffff), bound_high = hsgd_splat_word(bound >> 32);
    hsgd_vu middle = hsgd_multiply_low(high, bound_low) + (hsgd_multiply_low(low, bound_low) >> 32);
    hsgd_vu carry = hsgd_multiply_low(low, bound_high) + (middle & 0xffffffff);
    return hsgd_multiply_low(high, bound_high) + (middle >> 32) + (carry >> 32);
}

static void indices(uint64_t seed, const uint32_t counter[4], uint64_t bound, size_t *out, size_t count)
{
    enum { EACH = 2 * HSGD_LANES }; /* two indices to a block */
    const hsgd_philox_key key = hsgd_philox_key_of(seed);
    hsgd_blocks counters = first_blocks(counter);
    for (size_t done = 0; done < count; done += EACH, counters.w0 += HSGD_LANES) {
        hsgd_blocks words = hsgd_philox(&key, counters);
        hsgd_vd first = (hsgd_vd)scale_to(words.w0, words.w1, bound);
        hsgd_vd second = (hsgd_vd)scale_to(words.w2, words.w3, bound);
        hsgd_interleave_blocks(&first, &second);
        uint64_t index[EACH];
        memcpy(index, &first, sizeof first);
        memcpy(index + HSGD_LANES, &second, sizeof second);
        for (size_t l = 0; l < EACH && done + l < count; l++)
            out[done + l] = (size_t)index[l];
    }
}

const hsgd_random_kernels HSGD_ON_PATH(hsgd_random_kernels) = {normals, indices, normals_of_words};
