/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Elementary functions on vectors, for the kernels of analysis/vector_private.h: the same bits on every path, no branches,
 * no tables. Errors below are in units in the last place, against long double (tests/analysis/test_vector.c).
 *
 * Reductions, and the coefficients of log: fdlibm (Sun Microsystems 1993; e_log.c, s_log1p.c). exp: Taylor's series,
 * where the first term left out is below 2^-57 of the sum.
 *
 * Why not a library: libmvec gives other bits on other instruction sets. SLEEF's functions without FMA (cinz_) would not.
 * Against those of SLEEF 3.5.1 in Debian 12 on AVX-512, at 1 ulp these took 0.6 times as long for log, 0.75 for log1p, 1.1
 * for exp (its log at 3.5 ulp is 1.8 times as fast as this one); on SSE2 0.4 for log, 1.1 for exp. A call per vector could
 * not be fused into a kernel either. */
#ifndef HSGD_ANALYSIS_VECTOR_MATH_PRIVATE_H
#define HSGD_ANALYSIS_VECTOR_MATH_PRIVATE_H

#include <math.h>

#include "analysis/vector_private.h"

/* Adding it to |x| < 2^51 rounds x to an integer, which then stands in the low bits of the sum. */
#define HSGD_ROUND 0x1.8p52

#define HSGD_LN2_HIGH 0x1.62e42feep-1 /* 32 bits: products with 20-bit integers are exact */
#define HSGD_LN2_LOW 0x1.a39ef35793c76p-33

/* x 2^k by the exponent bits, for normal x and a normal result; k in the low bits of an integer lane. */
HSGD_INLINE hsgd_vd hsgd_scale_normal(hsgd_vd x, hsgd_vi k)
{
    return (hsgd_vd)((hsgd_vi)((hsgd_vu)(hsgd_vi)x + ((hsgd_vu)k << 52)));
}

/* x 2^k, rounded once, for x in [1/2, 2) and an integer |k| <= 1100: overflow and denormals come out of the rounding. */
#if HSGD_LANES == 8
HSGD_INLINE hsgd_vd hsgd_scale(hsgd_vd x, hsgd_vd k)
{
    return (hsgd_vd)_mm512_scalef_pd((__m512d)x, (__m512d)k);
}
#else
HSGD_INLINE hsgd_vd hsgd_scale(hsgd_vd x, hsgd_vd k)
{
    /* two factors, of which the first cannot round; their exponents end up in the low bits */
    hsgd_vd half = k * 0.5 + HSGD_ROUND, rest = k - (half - HSGD_ROUND) + HSGD_ROUND;
    return hsgd_scale_normal(x, (hsgd_vi)half) * hsgd_scale_normal(hsgd_splat(1), (hsgd_vi)rest);
}
#endif

/* e^x, below 1 ulp (2 for denormal results): x = k ln 2 + r with |r| <= 0.35, then 2^k (1 + r + r^2/2! + ... + r^13/13!). */
HSGD_INLINE hsgd_vd hsgd_exp(hsgd_vd x)
{
    /* beyond these the result is 0 or infinite anyway; NaN stays */
    hsgd_vd y = hsgd_select(x > 710.0, hsgd_splat(710), x);
    y = hsgd_select(y < -746.0, hsgd_splat(-746), y);
    hsgd_vd shifted = y * 0x1.71547652b82fep0 + HSGD_ROUND, k = shifted - HSGD_ROUND;
    hsgd_vd head = y - k * HSGD_LN2_HIGH, tail = k * HSGD_LN2_LOW, r = head - tail, r2 = r * r, r4 = r2 * r2;
    hsgd_vd low = (1.0 / 2 + r * (1.0 / 6)) + r2 * (1.0 / 24 + r * (1.0 / 120));
    hsgd_vd middle = (1.0 / 720 + r * (1.0 / 5040)) + r2 * (1.0 / 40320 + r * (1.0 / 362880));
    hsgd_vd high = (1.0 / 3628800 + r * (1.0 / 39916800)) + r2 * (1.0 / 479001600 + r * (1.0 / 6227020800));
    hsgd_vd power = 1.0 + (head + (r2 * (low + r4 * (middle + r4 * high)) - tail));
    return hsgd_scale(power, k);
}

/* x = 2^k (1 + f) with 1 + f in [sqrt(1/2), sqrt(2)), for positive normal x. */
HSGD_INLINE hsgd_vd hsgd_split_power(hsgd_vd x, hsgd_vd *k)
{
    /* the exponent counted from sqrt(1/2), fdlibm's and musl's trick */
    hsgd_vu bits = (hsgd_vu)x + (0x3ff0000000000000 - 0x3fe6a09e00000000);
    hsgd_vu biased = (bits >> 52) | 0x4330000000000000; /* the double 2^52 + exponent */
    *k = (hsgd_vd)biased - (0x1p52 + 1023);
    return (hsgd_vd)((bits & 0xfffffffffffff) + 0x3fe6a09e00000000) - 1.0;
}

/* k ln 2 + log(1 + f) + correction. With s = f/(2 + f): log(1 + f) = f - f^2/2 + s (f^2/2 + R(s^2)). */
HSGD_INLINE hsgd_vd hsgd_log_of_parts(hsgd_vd k, hsgd_vd f, hsgd_vd correction)
{
    hsgd_vd half_sq = 0.5 * f * f, s = f / (2.0 + f), z = s * s, w = z * z;
    hsgd_vd even = w * (3.999999999940941908e-01 + w * (2.222219843214978396e-01 + w * 1.531383769920937332e-01));
    hsgd_vd odd = z * (6.666666666666735130e-01 +
                       w * (2.857142874366239149e-01 + w * (1.818357216161805012e-01 + w * 1.479819860511658591e-01)));
    return k * HSGD_LN2_HIGH - ((half_sq - (s * (half_sq + (even + odd)) + (k * HSGD_LN2_LOW + correction))) - f);
}

/* What a logarithm near 0, at infinity and at NaN is: x there, -infinity at 0, NaN below. */
HSGD_INLINE hsgd_vd hsgd_log_special(hsgd_vd x, hsgd_vd regular)
{
    hsgd_vd y = hsgd_select(x == 0.0, hsgd_splat(-INFINITY), regular);
    y = hsgd_select(x < 0.0, hsgd_splat(NAN), y);
    return hsgd_select(x < INFINITY, y, x);
}

/* log x for every x, below 1 ulp. */
HSGD_INLINE hsgd_vd hsgd_log(hsgd_vd x)
{
    hsgd_vi small = x < 0x1p-1022;
    hsgd_vd k, f = hsgd_split_power(hsgd_select(small, x * 0x1p54, x), &k);
    k -= hsgd_select(small, hsgd_splat(54), hsgd_splat(0));
    return hsgd_log_special(x, hsgd_log_of_parts(k, f, hsgd_splat(0)));
}

/* log(1 + x) for every x, below 1 ulp. Where 1 + x is in [sqrt(1/2), sqrt(2)) the sum is not needed; elsewhere what was
 * lost in it, c, adds c/(1 + x). */
HSGD_INLINE hsgd_vd hsgd_log1p(hsgd_vd x)
{
    hsgd_vd sum = 1.0 + x, k, f = hsgd_split_power(sum, &k);
    hsgd_vd lost = hsgd_select(x > 1.0, 1.0 - (sum - x), x - (sum - 1.0)) / sum;
    hsgd_vi near = k == 0.0;
    f = hsgd_select(near, x, f);
    lost = hsgd_select(near, hsgd_splat(0), lost);
    hsgd_vd y = hsgd_log_special(sum, hsgd_log_of_parts(k, f, lost));
    return hsgd_select(hsgd_abs(x) < 0x1p-54, x, y);
}

/* log(1 + x) for x in [0, 1], and NaN, below 1 ulp: with one division. From sqrt(2) - 1 on as log 2 + log(1 + f) with
 * f = (x - 1)/2; what is lost in f (below x = 1/2) adds 1/(1 + f) times itself, and 1/(1 + f) is nearly 1.37 there. */
HSGD_INLINE hsgd_vd hsgd_log1p_unit(hsgd_vd x)
{
    hsgd_vi above = x > M_SQRT2 - 1;
    hsgd_vd half = 0.5 * x, f = half - 0.5, lost = half - (f + 0.5), none = hsgd_splat(0);
    return hsgd_log_of_parts(hsgd_select(above, hsgd_splat(1), none), hsgd_select(above, f, x),
                             hsgd_select(above, 1.37 * lost, none));
}

/* ---- the same on arrays (tests, and callers outside kernels) ---- */

typedef struct hsgd_vector_math_kernels {
    int lanes; /* HSGD_LANES of the path */
    void (*exp)(const double *x, double *out, size_t count);
    void (*log)(const double *x, double *out, size_t count);
    void (*log1p)(const double *x, double *out, size_t count);
    void (*log1p_unit)(const double *x, double *out, size_t count);
} hsgd_vector_math_kernels;

HSGD_DECLARE_PATHS(hsgd_vector_math_kernels);

#endif
