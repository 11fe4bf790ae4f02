/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "analysis/vector_math_private.h"

#define DEFINE_ON_ARRAYS(name, function)                                                                               \
    static void name(const double *x, double *out, size_t count)                                                       \
    {                                                                                                                  \
        size_t i = 0;                                                                                                  \
        for (; i + HSGD_LANES <= count; i += HSGD_LANES)                                                               \
            hsgd_store(out + i, function(hsgd_load(x + i)));                                                           \
        if (i < count)                                                                                                 \
            hsgd_store_part(out + i, function(hsgd_load_part(x + i, count - i, 1)), count - i);                        \
    }

DEFINE_ON_ARRAYS(exp_array, hsgd_exp)
DEFINE_ON_ARRAYS(log_array, hsgd_log)
DEFINE_ON_ARRAYS(log1p_array, hsgd_log1p)

static void cos_sin_turns_array(const double *x, double *cosine, double *sine, size_t count)
{
    hsgd_vd c, s;
    size_t i = 0;
    for (; i + HSGD_LANES <= count; i += HSGD_LANES) {
        hsgd_cos_sin_turns(hsgd_load(x + i), &c, &s);
        hsgd_store(cosine + i, c);
        hsgd_store(sine + i, s);
    }
    if (i < count) {
        hsgd_cos_sin_turns(hsgd_load_part(x + i, count - i, 0), &c, &s);
        hsgd_store_part(cosine + i, c, count - i);
        hsgd_store_part(sine + i, s, count - i);
    }
}

const hsgd_vector_math_kernels HSGD_ON_PATH(hsgd_vector_math_kernels) = {HSGD_LANES, exp_array, log_array, log1p_array,
                                                                         cos_sin_turns_array};
