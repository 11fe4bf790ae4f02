/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "analysis/random_private.h"

static const uint64_t lane_number[8] = {0, 1, 2, 3, 4, 5, 6, 7};

/* The counters of as many blocks as there are lanes, from counter[0] on. */
HSGD_INLINE hsgd_blocks first_blocks(const uint32_t counter[4])
{
    hsgd_vu lane;
    memcpy(&lane, lane_number, sizeof lane);
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

/* The first count of two vectors; most calls have all of them. */
HSGD_INLINE void store_pair(double *out, hsgd_vd first, hsgd_vd second, size_t count)
{
    if (count >= 2 * HSGD_LANES) {
        hsgd_store(out, first);
        hsgd_store(out + HSGD_LANES, second);
        return;
    }
    double all[2 * HSGD_LANES];
    hsgd_store(all, first);
    hsgd_store(all + HSGD_LANES, second);
    memcpy(out, all, count * sizeof *out);
}

/* HSGD_LANES blocks give 4 HSGD_LANES normals, in two halves; the second is skipped if it is not wanted. */
static void normals(uint64_t seed, const uint32_t counter[4], uint64_t blocks_per_worker, double deviation, double *out,
                    size_t count)
{
    enum { HALF = 2 * HSGD_LANES };
    const hsgd_philox_key key = hsgd_philox_key_of(seed);
    const uint64_t carries = blocks_per_worker ? (HSGD_LANES + blocks_per_worker - 1) / blocks_per_worker : 0;
    hsgd_blocks counters = first_blocks(counter);
    for (size_t done = 0; done < count; done += 2 * HALF, counters.w0 += HSGD_LANES) {
        carry_to_workers(&counters, blocks_per_worker, carries);
        hsgd_blocks words = hsgd_philox(&key, counters);
        hsgd_vd radius1 = hsgd_word_plus_half(words.w0), radius2 = hsgd_word_plus_half(words.w2);
        hsgd_vd angle1 = hsgd_word_plus_half(words.w1), angle2 = hsgd_word_plus_half(words.w3), first, second;
        hsgd_interleave(&radius1, &radius2);
        hsgd_interleave(&angle1, &angle2);
        hsgd_normals_of(radius1, angle1, &first, &second);
        store_pair(out + done, deviation * first, deviation * second, count - done);
        if (count - done <= HALF)
            break;
        hsgd_normals_of(radius2, angle2, &first, &second);
        store_pair(out + done + HALF, deviation * first, deviation * second, count - done - HALF);
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
        hsgd_interleave(&first, &second);
        uint64_t index[EACH];
        memcpy(index, &first, sizeof first);
        memcpy(index + HSGD_LANES, &second, sizeof second);
        for (size_t l = 0; l < EACH && done + l < count; l++)
            out[done + l] = (size_t)index[l];
    }
}

const hsgd_random_kernels HSGD_ON_PATH(hsgd_random_kernels) = {normals, indices};
