/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which vector instructions the kernels use here; results are the same on all (vector_private.h says how). */
#ifndef HSGD_ANALYSIS_VECTOR_H
#define HSGD_ANALYSIS_VECTOR_H

#ifdef __cplusplus
extern "C" {
#endif

/* "portable", "avx2" or "avx512". */
const char *hsgd_vector_path_name(void);

#ifdef __cplusplus
}
#endif

#endif
