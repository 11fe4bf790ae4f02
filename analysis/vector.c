/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "analysis/vector.h"
#include "analysis/vector_private.h"

static hsgd_cpu_path path_limit = HSGD_PATH_AVX512;

void hsgd_vector_limit(hsgd_cpu_path limit)
{
    path_limit = limit;
}

#ifdef HSGD_VECTOR_PATHS
static hsgd_cpu_path cpu_path(void)
{
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512bw") &&
        __builtin_cpu_supports("avx512vl"))
        return HSGD_PATH_AVX512;
    return __builtin_cpu_supports("avx2") ? HSGD_PATH_AVX2 : HSGD_PATH_PORTABLE;
}
#else
static hsgd_cpu_path cpu_path(void)
{
    return HSGD_PATH_PORTABLE;
}
#endif

hsgd_cpu_path hsgd_vector_path(void)
{
    hsgd_cpu_path path = cpu_path();
    return path < path_limit ? path : path_limit;
}

const char *hsgd_vector_path_name(void)
{
    static const char *const name[] = {
        [HSGD_PATH_PORTABLE] = "portable", [HSGD_PATH_AVX2] = "avx2", [HSGD_PATH_AVX512] = "avx512"};
    return name[hsgd_vector_path()];
}
