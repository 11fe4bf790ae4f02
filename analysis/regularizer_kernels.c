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

#define DEFINE_SUM(name, lanes, factor)                                                                                \
    static double name(double weight, const double *point, double *grad, size_t dim)                                   \
    {                                                                                                                  \
        hsgd_sum8 sum = {0};                                                                                           \
        size_t i = 0;                                                                                                  \
        for (; i + 8 <= dim; i += 8)                                                                                   \
            HSGD_UNROLL for (size_t k = 0; k < 8 / HSGD_LANES; k++)                                                    \
            {                                                                                                          \
                hsgd_vd g = hsgd_load(grad + i + k * HSGD_LANES);                                                      \
                sum.part[k] += lanes(weight, hsgd_load(point + i + k * HSGD_LANES), &g);                               \
                hsgd_store(grad + i + k * HSGD_LANES, g);                                                              \
            }                                                                                                          \
        double tail = 0;                                                                                               \
        for (; i < dim; i++) {                                                                                         \
            hsgd_vd g = hsgd_load_part(grad + i, 1, 0), value = lanes(weight, hsgd_load_part(point + i, 1, 0), &g);    \
            hsgd_store_part(grad + i, g, 1);                                                                           \
            tail += value[0];                                                                                          \
        }                                                                                                              \
        return weight * factor * (hsgd_sum8_total(&sum) + tail);                                                       \
    }

DEFINE_SUM(l2, l2_lanes, 0.5)
DEFINE_SUM(nonconvex, nonconvex_lanes, 1)

const hsgd_regularizer_kernels HSGD_ON_PATH(hsgd_regularizer_kernels) = {l2, nonconvex};
