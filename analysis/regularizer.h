/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Terms added to every local objective, over all coordinates of w. */
#ifndef HSGD_ANALYSIS_REGULARIZER_H
#define HSGD_ANALYSIS_REGULARIZER_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum hsgd_regularizer_type {
    HSGD_REGULARIZER_NONE,
    HSGD_REGULARIZER_L2,       /* weight/2 ||w||^2: smoothness + weight */
    HSGD_REGULARIZER_NONCONVEX /* weight sum_i w_i^2/(1 + w_i^2): second derivative in [-weight/2, 2 weight] */
} hsgd_regularizer_type;

typedef struct hsgd_regularizer {
    hsgd_regularizer_type type;
    double weight; /* >= 0 */
} hsgd_regularizer;

/* "none", "l2", "nonconvex". The parser returns 0 on success, -1 for an unknown name. */
const char *hsgd_regularizer_name(hsgd_regularizer_type type);
int hsgd_regularizer_parse(const char *name, hsgd_regularizer_type *type);

/* The value at point (dim); its gradient is added to grad (dim). */
double hsgd_regularizer_add(const hsgd_regularizer *regularizer, const double *point, double *grad, size_t dim);

/* What it adds to the smoothness constant (THEORY 8). */
double hsgd_regularizer_smoothness(const hsgd_regularizer *regularizer);

/* What it adds to the convexity constant mu (constants.h): the smallest second derivative. */
double hsgd_regularizer_convexity(const hsgd_regularizer *regularizer);

#ifdef __cplusplus
}
#endif

#endif
