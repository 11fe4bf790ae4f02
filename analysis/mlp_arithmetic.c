/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The two precisions of a network: the same operations on doubles and on floats. */
#include "analysis/mlp_private.h"

#include <string.h>

#include <gsl/gsl_cblas.h>

#define KERNELS HSGD_PICK_PATH(hsgd_mlp_kernels)

static bool is_tanh(hsgd_activation activation)
{
    return activation == HSGD_ACTIVATION_TANH;
}

/* ---- double ---- */

static void times_transposed_double(void *out, const void *a, const void *b, size_t m, size_t n, size_t k)
{
    cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasTrans, (int)m, (int)n, (int)k, 1, a, (int)k, b, (int)k, 0, out,
                (int)n);
}

static void times_double(void *out, const void *a, const void *b, size_t m, size_t n, size_t k)
{
    cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, (int)m, (int)n, (int)k, 1, a, (int)k, b, (int)n, 0, out,
                (int)n);
}

static void add_product_double(double *grad, const void *r, const void *a, size_t rows, size_t m, size_t n, void *work)
{
    (void)work;
    cblas_dgemm(CblasRowMajor, CblasTrans, CblasNoTrans, (int)m, (int)n, (int)rows, 1, r, (int)m, a, (int)n, 1, grad,
                (int)n);
}

static const void *itself(const double *in, size_t count, void *room)
{
    (void)count, (void)room;
    return in;
}

static void activate_double(void *z, const double *bias, size_t rows, size_t width, hsgd_activation activation)
{
    KERNELS->activate_double(z, bias, rows, width, is_tanh(activation));
}

static void to_scores_double(double *scores, size_t padded, const void *z, const double *bias, size_t rows,
                             size_t width)
{
    const double *from = z;
    for (size_t i = 0; i < rows; i++)
        for (size_t c = 0; c < width; c++)
            scores[i * padded + c] = from[i * width + c] + bias[c];
}

static void from_scores_double(void *r, const double *scores, size_t padded, size_t rows, size_t width)
{
    double *to = r;
    for (size_t i = 0; i < rows; i++)
        memcpy(to + i * width, scores + i * padded, width * sizeof *to);
}

static void times_derivative_double(void *r, const void *a, size_t count, hsgd_activation activation)
{
    KERNELS->derive_double(r, a, count, is_tanh(activation));
}

static void add_rows_double(double *grad, const void *r, size_t rows, size_t width)
{
    const double *row = r;
    for (size_t i = 0; i < rows; i++)
        KERNELS->add_double(grad, row + i * width, width);
}

/* ---- single ---- */

static void times_transposed_single(void *out, const void *a, const void *b, size_t m, size_t n, size_t k)
{
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, (int)m, (int)n, (int)k, 1, a, (int)k, b, (int)k, 0, out,
                (int)n);
}

static void times_single(void *out, const void *a, const void *b, size_t m, size_t n, size_t k)
{
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, (int)m, (int)n, (int)k, 1, a, (int)k, b, (int)n, 0, out,
                (int)n);
}

static void add_product_single(double *grad, const void *r, const void *a, size_t rows, size_t m, size_t n, void *work)
{
    cblas_sgemm(CblasRowMajor, CblasTrans, CblasNoTrans, (int)m, (int)n, (int)rows, 1, r, (int)m, a, (int)n, 0, work,
                (int)n);
    KERNELS->add_single(grad, work, m * n);
}

static const void *rounded(const double *in, size_t count, void *room)
{
    KERNELS->round(room, in, count);
    return room;
}

static void activate_single(void *z, const double *bias, size_t rows, size_t width, hsgd_activation activation)
{
    KERNELS->activate_single(z, bias, rows, width, is_tanh(activation));
}

static void to_scores_single(double *scores, size_t padded, const void *z, const double *bias, size_t rows,
                             size_t width)
{
    const float *from = z;
    for (size_t i = 0; i < rows; i++)
        for (size_t c = 0; c < width; c++)
            scores[i * padded + c] = from[i * width + c] + bias[c];
}

static void from_scores_single(void *r, const double *scores, size_t padded, size_t rows, size_t width)
{
    float *to = r;
    for (size_t i = 0; i < rows; i++)
        KERNELS->round(to + i * width, scores + i * padded, width);
}

static void times_derivative_single(void *r, const void *a, size_t count, hsgd_activation activation)
{
    KERNELS->derive_single(r, a, count, is_tanh(activation));
}

static void add_rows_single(double *grad, const void *r, size_t rows, size_t width)
{
    const float *row = r;
    for (size_t i = 0; i < rows; i++)
        KERNELS->add_single(grad, row + i * width, width);
}

const hsgd_mlp_arithmetic *hsgd_mlp_arithmetic_of(hsgd_precision precision)
{
    static const hsgd_mlp_arithmetic arithmetic[] = {
        [HSGD_PRECISION_DOUBLE] = {sizeof(double), times_transposed_double, times_double, add_product_double, itself,
                                   activate_double, to_scores_double, from_scores_double, times_derivative_double,
                                   add_rows_double},
        [HSGD_PRECISION_SINGLE] = {sizeof(float), times_transposed_single, times_single, add_product_single, rounded,
                                   activate_single, to_scores_single, from_scores_single, times_derivative_single,
                                   add_rows_single}};
    return &arithmetic[precision];
}
