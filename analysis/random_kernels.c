/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "analysis/random_private.h"

static const uint64_t lane_number[8] = {0, 1, 2, 3, 4, 5, 6, 7};

/* The words of blocks counter[0] + done + lane. */
HSGD_INLINE void words_of_blocks(const hsgd_philox_key *key, const uint32_t counter[4], size_t done, hsgd_vu word[4])
{
    memcpy(&word[0], lane_number, sizeof word[0]);
    word[0] += (uint64_t)counter[0] + done;
    for (size_t i = 1; i < 4; i++)
        word[i] = hsgd_splat_word(counter[i]);
    hsgd_philox(key, word);
}

/* The first count of two vectors; most calls have all of them. */
HSGD_INLINE void store_pair(double *out, hsgd_vd first, hsgd_vd second, size_t count)
{
    if (count >= 2 * HSGD_LANES) {
        hsgd_store(out, first);
        hsgd_store(out + HSGD_LANES, second);
        return;
    }
    double lane[2 * HSGD_LANES];
    hsgd_store(lane, first);
    hsgd_store(lane + HSGD_LANES, second);
    memcpy(out, lane, count * sizeof *out);
}

/* HSGD_LANES blocks give 4 HSGD_LANES normals, in two halves; the second is skipped if it is not wanted. */
static void normals(uint64_t seed, const uint32_t counter[4], double deviation, double *out, size_t count)
{
    enum { HALF = 2 * HSGD_LANES };
    const hsgd_philox_key key = hsgd_philox_key_of(seed);
    hsgd_vu word[4];
    hsgd_vd part[4], first, second;
    for (size_t done = 0; done < count; done += 2 * HALF) {
        words_of_blocks(&key, counter, done / 4, word);
        for (size_t i = 0; i < 4; i++)
            part[i] = hsgd_word_plus_half(word[i]);
        hsgd_interleave(&part[0], &part[2]);
        hsgd_interleave(&part[1], &part[3]);
        hsgd_normals_of(part[0], part[1], &first, &second);
        store_pair(out + done, deviation * first, deviation * second, count - done);
        if (count - done <= HALF)
            break;
        hsgd_normals_of(part[2], part[3], &first, &second);
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
    hsgd_vu word[4];
    for (size_t done = 0; done < count; done += EACH) {
        words_of_blocks(&key, counter, done / 2, word);
        hsgd_vd first = (hsgd_vd)scale_to(word[0], word[1], bound), second = (hsgd_vd)scale_to(word[2], word[3], bound);
        hsgd_interleave(&first, &second);
        uint64_t lane[EACH];
        memcpy(lane, &first, sizeof first);
        memcpy(lane + HSGD_LANES, &second, sizeof second);
        for (size_t l = 0; l < EACH && done + l < count; l++)
            out[done + l] = (size_t)lane[l];
    }
}

const hsgd_random_kernels HSGD_ON_PATH(hsgd_random_kernels) = {normals, indices};
