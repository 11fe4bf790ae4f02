/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Everything here acts on every number alone, so that the order in which a compiler takes them changes no bit. */
#include <math.h>

#include "analysis/mlp_private.h"
#include "analysis/vector_math_private.h"

/* tanh x = 1 - 2/(e^{2x} + 1): its error is relative to 1, not to a small x, as that of the sum it will enter. */
HSGD_INLINE hsgd_vd tanh_lanes(hsgd_vd x)
{
    return 1.0 - 2.0 / (hsgd_exp(2.0 * x) + 1.0);
}

static void tanh_double(double *z, const double *bias, size_t width)
{
    size_t i = 0;
    for (; i + HSGD_LANES <= width; i += HSGD_LANES)
        hsgd_store(z + i, tanh_lanes(hsgd_load(z + i) + hsgd_load(bias + i)));
    if (i < width) {
        size_t left = width - i;
        hsgd_vd sum = hsgd_load_part(z + i, left, 0) + hsgd_load_part(bias + i, left, 0);
        hsgd_store_part(z + i, tanh_lanes(sum), left);
    }
}

/* NaN stays: it is not below 0. */
static void activate_double(double *z, const double *bias, size_t rows, size_t width, bool is_tanh)
{
    for (size_t r = 0; r < rows; r++, z += width) {
        if (is_tanh)
            tanh_double(z, bias, width);
#pragma omp simd
        for (size_t i = 0; i < (is_tanh ? 0 : width); i++) {
            double sum = z[i] + bias[i];
            z[i] = sum < 0 ? 0 : sum;
        }
    }
}

static void tanh_single(float *z, const double *bias, size_t width)
{
    enum { CHUNK = 64 };
    double wide[CHUNK];
    for (size_t from = 0; from < width; from += CHUNK) {
        size_t count = width - from < CHUNK ? width - from : CHUNK;
        for (size_t i = 0; i < count; i++)
            wide[i] = z[from + i];
        tanh_double(wide, bias + from, count);
        for (size_t i = 0; i < count; i++)
            z[from + i] = (float)wide[i];
    }
}

static void activate_single(float *z, const double *bias, size_t rows, size_t width, bool is_tanh)
{
    for (size_t r = 0; r < rows; r++, z += width) {
        if (is_tanh)
            tanh_single(z, bias, width);
#pragma omp simd
        for (size_t i = 0; i < (is_tanh ? 0 : width); i++) {
            float sum = z[i] + (float)bias[i];
            z[i] = sum < 0 ? 0 : sum;
        }
    }
}

/* phi' from phi: 1 - phi^2 for tanh, and whether phi > 0 for ReLU; NaN stays. */
#define DEFINE_DERIVE(name, real)                                                                                      \
    static void name(real *r, const real *a, size_t count, bool is_tanh)                                               \
    {                                                                                                                  \
        if (is_tanh) {                                                                                                 \
            _Pragma("omp simd") for (size_t i = 0; i < count; i++) r[i] *= 1 - a[i] * a[i];                            \
        } else {                                                                                                       \
            _Pragma("omp simd") for (size_t i = 0; i < count; i++) r[i] = a[i] == 0 ? 0 : r[i];                        \
        }                                                                                                              \
    }

DEFINE_DERIVE(derive_double, double)
DEFINE_DERIVE(derive_single, float)

static void add_double(double *sum, const double *x, size_t count)
{
#pragma omp simd
    for (size_t i = 0; i < count; i++)
        sum[i] += x[i];
}

static void add_single(double *sum, const float *x, size_t count)
{
#pragma omp simd
    for (size_t i = 0; i < count; i++)
        sum[i] += (double)x[i];
}

static void round_to_single(float *out, const double *in, size_t count)
{
#pragma omp simd
    for (size_t i = 0; i < count; i++)
        out[i] = (float)in[i];
}

static double norm_sq(const double *x, size_t count)
{
    hsgd_sum8 sum = {0};
#define ADD_SQUARES(at, here)                                                                                          \
    do {                                                                                                               \
        hsgd_sum8 v = hsgd_load8(x + (at), (here));                                                                    \
        HSGD_UNROLL for (size_t k = 0; k < 8 / HSGD_LANES; k++) sum.part[k] += v.part[k] * v.part[k];                  \
    } while (0)
    HSGD_FOR_EIGHTS(ADD_SQUARES, count);
    return hsgd_sum8_total(&sum);
}

const hsgd_mlp_kernels HSGD_ON_PATH(hsgd_mlp_kernels) = {
    activate_double, activate_single, derive_double, derive_single, add_double, add_single, round_to_single, norm_sq};
