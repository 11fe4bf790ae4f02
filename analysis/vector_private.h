/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Kernels that run on several instruction sets and give the same bits on all of them.
 *
 * How to write one. A file analysis/NAME_kernels.c is compiled once per path (Makefile: portable; on x86-64 also avx2 and
 * avx512), each time with other compiler flags and other HSGD_LANES. It holds static functions and one table of pointers
 * to them, `const hsgd_NAME_kernels HSGD_ON_PATH(hsgd_NAME_kernels) = {...}`; the type is declared in NAME_private.h,
 * followed by HSGD_DECLARE_PATHS(hsgd_NAME_kernels). NAME.c calls HSGD_PICK_PATH(hsgd_NAME_kernels)->function(...).
 * NAME.c itself is compiled once, without special flags, and must not use the vector types below.
 *
 * What keeps the bits equal: every operation is IEEE arithmetic on one lane, compilers may neither fuse a product with a
 * sum nor reorder (-ffp-contract=off, no -ffast-math), and sums run in the eight lanes of hsgd_sum8 whatever HSGD_LANES
 * is. There are no other rules: nothing in a result may depend on HSGD_LANES. */
#ifndef HSGD_ANALYSIS_VECTOR_PRIVATE_H
#define HSGD_ANALYSIS_VECTOR_PRIVATE_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#if defined __SSE2__
#include <immintrin.h>
#endif

#ifdef __FAST_MATH__
#error "results must not depend on the CPU: build without -ffast-math"
#endif

/* ---- the paths and the choice between them ---- */

typedef enum hsgd_cpu_path { HSGD_PATH_PORTABLE, HSGD_PATH_AVX2, HSGD_PATH_AVX512 } hsgd_cpu_path;

/* The best path that was compiled in, that this CPU has and that is not above the limit. */
hsgd_cpu_path hsgd_vector_path(void);

/* For tests: no path above `limit` from now on. Not while kernels run in other threads. */
void hsgd_vector_limit(hsgd_cpu_path limit);

#define HSGD_JOIN2(a, b) a##_##b
#define HSGD_JOIN(a, b) HSGD_JOIN2(a, b)
#define HSGD_ON_PATH(name) HSGD_JOIN(name, HSGD_VECTOR_PATH) /* HSGD_VECTOR_PATH: portable, avx2 or avx512 */

#ifdef HSGD_VECTOR_PATHS /* the Makefile compiles all three */
#define HSGD_DECLARE_PATHS(type) extern const type type##_portable, type##_avx2, type##_avx512
#define HSGD_PICK_PATH(type)                                                                                           \
    (hsgd_vector_path() == HSGD_PATH_AVX512 ? &type##_avx512                                                           \
     : hsgd_vector_path() == HSGD_PATH_AVX2 ? &type##_avx2                                                             \
                                            : &type##_portable)
#else
#define HSGD_DECLARE_PATHS(type) extern const type type##_portable
#define HSGD_PICK_PATH(type) (&type##_portable)
#endif

/* ---- vectors as wide as the registers of the path ---- */

#if defined __AVX512F__ && defined __AVX512DQ__
#define HSGD_LANES 8
#elif defined __AVX2__
#define HSGD_LANES 4
#else
#define HSGD_LANES 2
#endif

typedef double hsgd_vd __attribute__((vector_size(8 * HSGD_LANES)));
typedef int64_t hsgd_vi __attribute__((vector_size(8 * HSGD_LANES)));
typedef uint64_t hsgd_vu __attribute__((vector_size(8 * HSGD_LANES)));

#define HSGD_INLINE static inline __attribute__((always_inline))

/* Loops over constants that must be unrolled: HSGD_UNROLL for (size_t p = 0; p < 8 / HSGD_LANES; p++) */
#ifdef __clang__
#define HSGD_UNROLL _Pragma("clang loop unroll(full)")
#define HSGD_UNROLL_ROWS /* it does so by itself, and warns where one row leaves no loop */
#else
#define HSGD_UNROLL _Pragma("GCC unroll 32")
#define HSGD_UNROLL_ROWS HSGD_UNROLL
#endif

/* Loads and stores need no alignment. */
HSGD_INLINE hsgd_vd hsgd_load(const double *x)
{
    hsgd_vd v;
    memcpy(&v, x, sizeof v);
    return v;
}

HSGD_INLINE void hsgd_store(double *x, hsgd_vd v)
{
    memcpy(x, &v, sizeof v);
}

/* Lane by lane all ones where the lane's number is below count, else all zeros. */
HSGD_INLINE hsgd_vi hsgd_first_lanes(size_t count)
{
    static const int64_t number[8] = {0, 1, 2, 3, 4, 5, 6, 7};
    hsgd_vi lane;
    memcpy(&lane, number, sizeof lane);
    return lane < (int64_t)count;
}

/* The first count <= HSGD_LANES numbers; the other lanes are `rest`, and are neither read nor stored. */
HSGD_INLINE hsgd_vd hsgd_load_part(const double *x, size_t count, double rest)
{
#if HSGD_LANES == 8
    return (hsgd_vd)_mm512_mask_loadu_pd(_mm512_set1_pd(rest), (__mmask8)((1u << count) - 1), x);
#elif HSGD_LANES == 4
    hsgd_vi mask = hsgd_first_lanes(count), other = (hsgd_vi)_mm256_set1_pd(rest) & ~mask;
    return (hsgd_vd)((hsgd_vi)_mm256_maskload_pd(x, (__m256i)mask) | other);
#else
    return (hsgd_vd){count > 0 ? x[0] : rest, count > 1 ? x[1] : rest};
#endif
}

HSGD_INLINE void hsgd_store_part(double *x, hsgd_vd v, size_t count)
{
#if HSGD_LANES == 8
    _mm512_mask_storeu_pd(x, (__mmask8)((1u << count) - 1), (__m512d)v);
#elif HSGD_LANES == 4
    _mm256_maskstore_pd(x, (__m256i)hsgd_first_lanes(count), (__m256d)v);
#else
    for (size_t l = 0; l < count; l++)
        x[l] = v[l];
#endif
}

HSGD_INLINE hsgd_vd hsgd_splat(double x)
{
    return x - (hsgd_vd){0}; /* x - 0 is x to the bit, also for -0 */
}

/* Lane by lane: mask ? yes : no, with a mask of all ones or all zeros as comparisons give it. */
HSGD_INLINE hsgd_vd hsgd_select(hsgd_vi mask, hsgd_vd yes, hsgd_vd no)
{
    return (hsgd_vd)((mask & (hsgd_vi)yes) | (~mask & (hsgd_vi)no));
}

HSGD_INLINE hsgd_vd hsgd_abs(hsgd_vd x)
{
    return (hsgd_vd)((hsgd_vi)x & INT64_MAX);
}

/* Correctly rounded, as IEEE 754 demands. */
HSGD_INLINE hsgd_vd hsgd_sqrt(hsgd_vd x)
{
#if HSGD_LANES == 8
    return (hsgd_vd)_mm512_sqrt_pd((__m512d)x);
#elif HSGD_LANES == 4
    return (hsgd_vd)_mm256_sqrt_pd((__m256d)x);
#elif defined __SSE2__
    return (hsgd_vd)_mm_sqrt_pd((__m128d)x);
#else
    return (hsgd_vd){__builtin_sqrt(x[0]), __builtin_sqrt(x[1])};
#endif
}

/* The 64-bit products of the low halves of the lanes. */
HSGD_INLINE hsgd_vu hsgd_multiply_low(hsgd_vu a, hsgd_vu b)
{
#if HSGD_LANES == 8
    return (hsgd_vu)_mm512_mul_epu32((__m512i)a, (__m512i)b);
#elif HSGD_LANES == 4
    return (hsgd_vu)_mm256_mul_epu32((__m256i)a, (__m256i)b);
#elif defined __SSE2__
    return (hsgd_vu)_mm_mul_epu32((__m128i)a, (__m128i)b);
#else
    return (a & 0xffffffff) * (b & 0xffffffff);
#endif
}

/* ---- sums in eight interleaved lanes, added pairwise at the end: the order of analysis/moments.c ---- */

typedef struct hsgd_sum8 {
    hsgd_vd part[8 / HSGD_LANES]; /* lane l is part[l / HSGD_LANES][l % HSGD_LANES] */
} hsgd_sum8;

/* Eight numbers, of which the first count <= 8 are read; the others are 0. */
HSGD_INLINE hsgd_sum8 hsgd_load8(const double *x, size_t count)
{
    hsgd_sum8 v;
    HSGD_UNROLL for (size_t p = 0; p < 8 / HSGD_LANES; p++)
    {
        size_t first = p * HSGD_LANES, left = count > first ? count - first : 0;
        v.part[p] = left >= HSGD_LANES ? hsgd_load(x + first) : hsgd_load_part(x + (left ? first : 0), left, 0);
    }
    return v;
}

HSGD_INLINE void hsgd_store8(double *x, const hsgd_sum8 *v, size_t count)
{
    HSGD_UNROLL for (size_t p = 0; p < 8 / HSGD_LANES; p++)
    {
        size_t first = p * HSGD_LANES, left = count > first ? count - first : 0;
        if (left >= HSGD_LANES)
            hsgd_store(x + first, v->part[p]);
        else
            hsgd_store_part(x + (left ? first : 0), v->part[p], left);
    }
}

/* Call body(at, count) for the numbers at, at + 1, ... of [0, dim), eight at a time and then what is left. */
#define HSGD_FOR_EIGHTS(body, dim)                                                                                     \
    do {                                                                                                               \
        size_t at_ = 0;                                                                                                \
        for (; at_ + 8 <= (dim); at_ += 8)                                                                             \
            body(at_, 8);                                                                                              \
        if (at_ < (dim))                                                                                               \
            body(at_, (dim)-at_);                                                                                      \
    } while (0)

/* ((0 + 4) + (1 + 5)) + ((2 + 6) + (3 + 7)) on every path. */
HSGD_INLINE double hsgd_sum8_total(const hsgd_sum8 *sum)
{
#if HSGD_LANES == 8
    __m512d all = (__m512d)sum->part[0];
    __m256d four = _mm256_add_pd(_mm512_castpd512_pd256(all), _mm512_extractf64x4_pd(all, 1));
    __m128d two = _mm_hadd_pd(_mm256_castpd256_pd128(four), _mm256_extractf128_pd(four, 1));
    return _mm_cvtsd_f64(_mm_add_sd(two, _mm_unpackhi_pd(two, two)));
#else
    double lane[8];
    memcpy(lane, sum, sizeof lane);
    return ((lane[0] + lane[4]) + (lane[1] + lane[5])) + ((lane[2] + lane[6]) + (lane[3] + lane[7]));
#endif
}

#endif
