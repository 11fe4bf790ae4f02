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
DEFINE_ON_ARRAYS(log1p_unit_array, hsgd_log1p_unit)

const hsgd_vector_math_kernels HSGD_ON_PATH(hsgd_vector_math_kernels) = {HSGD_LANES, exp_array, log_array, log1p_array,
                                                                         log1p_unit_array};
