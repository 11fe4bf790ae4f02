/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "analysis/regularizer_private.h"

/* Each returns the value of its lanes without the weight and adds the gradient. */

HSGD_INLINE hsgd_vd l2_lanes(double weight, hsgd_vd w, hsgd_vd *grad)
{
    *grad += weight * w;
    return w * w;
}

/* w^2/(1 + w^2): where w^2 is large, as 1 - 1/(1 + w^2), which is 1 where w^2 overflows; NaN for NaN. */
HSGD_INLINE hsgd_vd nonconvex_lanes(double weight, hsgd_vd w, hsgd_vd *grad)
{
    hsgd_vd square = w * w, scale = 1.0 / (1.0 + square);
    *grad += 2 * weight * w * scale * scale;
    return hsgd_select(square > 1.0, 1.0 - scale, square * scale);
}

/* The last few coordinates are eight, too, with zeros: one division instead of one for each. */
#define DEFINE_SUM(name, lanes, factor)                                                                                \
    HSGD_INLINE void name##_of_eight(hsgd_sum8 *sum, double weight, const double *point, double *grad, size_t count)   \
    {                                                                                                                  \
        hsgd_sum8 w = hsgd_load8(point, count), g = hsgd_load8(grad, count);                                           \
        HSGD_UNROLL for (size_t k = 0; k < 8 / HSGD_LANES; k++) sum->part[k] += lanes(weight, w.part[k], &g.part[k]);  \
        hsgd_store8(grad, &g, count);                                                                                  \
    }                                                                                                                  \
                                                                                                                       \
    static double name(double weight, const double *point, double *grad, size_t dim)                                   \
    {                                                                                                                  \
        hsgd_sum8 sum = {0};                                                                                           \
        for (size_t i = 0; i + 8 <= dim; i += 8)                                                                       \
            name##_of_eight(&sum, weight, point + i, grad + i, 8);                                                     \
        if (dim % 8)                                                                                                   \
            name##_of_eight(&sum, weight, point + dim / 8 * 8, grad + dim / 8 * 8, dim % 8);                           \
        return weight * factor * hsgd_sum8_total(&sum);                                                                \
    }

DEFINE_SUM(l2, l2_lanes, 0.5)
DEFINE_SUM(nonconvex, nonconvex_lanes, 1)

const hsgd_regularizer_kernels HSGD_ON_PATH(hsgd_regularizer_kernels) = {l2, nonconvex};
