/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "analysis/quadratic_private.h"

/* Eight coordinates; noise and loss may be NULL. */
HSGD_INLINE void eight(double *grad, const double *h, const double *b, const double *w, const double *noise,
                       hsgd_sum8 *loss, size_t at, size_t count)
{
    hsgd_sum8 curvature = hsgd_load8(h + at, count), linear = hsgd_load8(b + at, count), x = hsgd_load8(w + at, count);
    hsgd_sum8 xi = {0}, out;
    if (noise)
        xi = hsgd_load8(noise + at, count);
    HSGD_UNROLL for (size_t p = 0; p < 8 / HSGD_LANES; p++)
    {
        hsgd_vd curved = curvature.part[p] * x.part[p];
        out.part[p] = curved - linear.part[p];
        if (noise)
            out.part[p] += xi.part[p];
        if (loss)
            loss->part[p] += (0.5 * curved - linear.part[p]) * x.part[p];
    }
    hsgd_store8(grad + at, &out, count);
}

static void gradient(double *grad, const double *h, const double *b, const double *w, size_t dim)
{
#define BODY(at, n) eight(grad, h, b, w, NULL, NULL, at, n)
    HSGD_FOR_EIGHTS(BODY, dim);
#undef BODY
}

static double full(double *grad, const double *h, const double *b, const double *w, size_t dim)
{
    hsgd_sum8 loss = {0};
#define BODY(at, n) eight(grad, h, b, w, NULL, &loss, at, n)
    HSGD_FOR_EIGHTS(BODY, dim);
#undef BODY
    return hsgd_sum8_total(&loss);
}

static void noisy(double *grad, const double *h, const double *b, const double *w, const double *noise, size_t dim)
{
#define BODY(at, n) eight(grad, h, b, w, noise, NULL, at, n)
    HSGD_FOR_EIGHTS(BODY, dim);
#undef BODY
}

const hsgd_quadratic_kernels HSGD_ON_PATH(hsgd_quadratic_kernels) = {gradient, full, noisy};
