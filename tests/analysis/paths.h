/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tests that run on every path of analysis/vector_private.h that the machine has. */
#ifndef HSGD_TESTS_PATHS_H
#define HSGD_TESTS_PATHS_H

#include <stdbool.h>
#include <stdio.h>

#include "analysis/vector_private.h"

static const char *const path_name[] = {"portable", "avx2", "avx512"};

/* for_each_path (path) ...: the current path is `path`; the best one again afterwards. A path that is missing is said. */
static inline int next_path(int path)
{
    for (; path <= HSGD_PATH_AVX512; path++) {
        hsgd_vector_limit((hsgd_cpu_path)path);
        if ((int)hsgd_vector_path() == path)
            return path;
        static bool said[HSGD_PATH_AVX512 + 1];
        if (!said[path])
            printf("not tested: path %s is not available here\n", path_name[path]);
        said[path] = true;
    }
    hsgd_vector_limit(HSGD_PATH_AVX512);
    return path;
}
#define for_each_path(path)                                                                                            \
    for (int path = next_path(HSGD_PATH_PORTABLE); path <= HSGD_PATH_AVX512; path = next_path(path + 1))

#endif
