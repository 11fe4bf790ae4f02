/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "analysis/quadratic_private.h"

/* grad = h w - b; returns sum of (h w/2 - b) w. */
static double full(double *grad, const double *h, const double *b, const double *w, size_t dim)
{
    hsgd_sum8 sum = {0};
    double tail = 0;
    size_t i = 0;
    for (; i + 8 <= dim; i += 8)
        HSGD_UNROLL for (size_t p = 0; p < 8 / HSGD_LANES; p++)
        {
            size_t at = i + p * HSGD_LANES;
            hsgd_vd x = hsgd_load(w + at), linear = hsgd_load(b + at), curved = hsgd_load(h + at) * x;
            hsgd_store(grad + at, curved - linear);
            sum.part[p] += (0.5 * curved - linear) * x;
        }
    for (; i < dim; i++) {
        double curved = h[i] * w[i];
        grad[i] = curved - b[i];
        tail += (0.5 * curved - b[i]) * w[i];
    }
    return hsgd_sum8_total(&sum) + tail;
}

/* grad = h w - b + noise. */
static void noisy(double *grad, const double *h, const double *b, const double *w, const double *noise, size_t dim)
{
    size_t i = 0;
    for (; i + HSGD_LANES <= dim; i += HSGD_LANES)
        hsgd_store(grad + i, (hsgd_load(h + i) * hsgd_load(w + i) - hsgd_load(b + i)) + hsgd_load(noise + i));
    for (; i < dim; i++)
        grad[i] = (h[i] * w[i] - b[i]) + noise[i];
}

const hsgd_quadratic_kernels HSGD_ON_PATH(hsgd_quadratic_kernels) = {full, noisy};
