/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Moments of tiny quadratics by brute force in long double: the mean of all models as one vector, their covariance as one
 * dense matrix, a step and an average as matrices. Two levels of equal groups, equal weights. Shares nothing with
 * analysis/exact_moments.c. */
#ifndef HSGD_TESTS_ANALYSIS_DENSE_MOMENTS_H
#define HSGD_TESTS_ANALYSIS_DENSE_MOMENTS_H

#include "tests/test.h"

enum { DENSE_MAX = 36 }; /* workers times dimension */

typedef long double dense_matrix[DENSE_MAX][DENSE_MAX];

typedef struct dense_problem {
    size_t workers, groups, dim;
    const double *curvature, *linear; /* (workers, dim) */
    const double *initial;            /* (dim) */
    double noise_sq, step_size;
    size_t steps, every;
} dense_problem;

typedef struct dense_means {
    long double S, dispersion, loss;
} dense_means;

static inline void dense_multiply(dense_matrix out, dense_matrix a, dense_matrix b, size_t size, bool transpose_b)
{
    static dense_matrix result;
    for (size_t i = 0; i < size; i++)
        for (size_t j = 0; j < size; j++) {
            result[i][j] = 0;
            for (size_t k = 0; k < size; k++)
                result[i][j] += a[i][k] * (transpose_b ? b[j][k] : b[k][j]);
        }
    memcpy(out, result, sizeof result);
}

/* mean <- A mean, covariance <- A covariance A'. */
static inline void dense_apply(dense_matrix a, long double *mean, dense_matrix covariance, size_t size)
{
    long double moved[DENSE_MAX];
    static dense_matrix half;
    for (size_t i = 0; i < size; i++) {
        moved[i] = 0;
        for (size_t k = 0; k < size; k++)
            moved[i] += a[i][k] * mean[k];
    }
    memcpy(mean, moved, size * sizeof *mean);
    dense_multiply(half, a, covariance, size, false);
    dense_multiply(covariance, half, a, size, true);
}

/* The average within blocks of so many workers. */
static inline void dense_average(dense_matrix out, const dense_problem *p, size_t block)
{
    size_t size = p->workers * p->dim;
    memset(out, 0, sizeof(dense_matrix));
    for (size_t i = 0; i < size; i++)
        for (size_t k = 0; k < size; k++)
            if (i % p->dim == k % p->dim && i / p->dim / block == k / p->dim / block)
                out[i][k] = 1 / (long double)block;
}

/* The quantities at one step: sums over coordinates of squares and products of means, and of covariances. */
static inline dense_means dense_measure(const dense_problem *p, const long double *mean, dense_matrix covariance)
{
    dense_means out = {0, 0, 0};
    size_t n = p->workers, d = p->dim;
    for (size_t i = 0; i < d; i++) {
        long double hbar = 0, bbar = 0, wbar = 0, variance = 0, total = 0;
        for (size_t j = 0; j < n; j++) {
            hbar += p->curvature[j * d + i] / (long double)n;
            bbar += p->linear[j * d + i] / (long double)n;
            wbar += mean[j * d + i] / (long double)n;
            total += (mean[j * d + i] * mean[j * d + i] + covariance[j * d + i][j * d + i]) / (long double)n;
            for (size_t k = 0; k < n; k++)
                variance += covariance[j * d + i][k * d + i] / (long double)(n * n);
        }
        out.S += (hbar * wbar - bbar) * (hbar * wbar - bbar) + hbar * hbar * variance;
        out.loss += hbar * (wbar * wbar + variance) / 2 - bbar * wbar;
        out.dispersion += total - wbar * wbar - variance;
    }
    return out;
}

/* Means over the steps 0, every, ... of H-SGD with these periods; local SGD has one for both. */
static inline dense_means dense_moments(const dense_problem *p, size_t global_period, size_t local_period)
{
    static dense_matrix step, group, all, covariance;
    long double mean[DENSE_MAX], fresh = (long double)p->step_size * p->step_size * p->noise_sq / (long double)p->dim;
    dense_means sum = {0, 0, 0};
    size_t size = p->workers * p->dim, count = 0;
    assert_true(size <= DENSE_MAX);
    memset(step, 0, sizeof step);
    memset(covariance, 0, sizeof covariance);
    dense_average(group, p, p->workers / p->groups);
    dense_average(all, p, p->workers);
    for (size_t i = 0; i < size; i++) {
        step[i][i] = 1 - (long double)p->step_size * p->curvature[i];
        mean[i] = p->initial[i % p->dim];
    }
    for (size_t t = 0; t < p->steps; t++) {
        if (t % p->every == 0) {
            dense_means now = dense_measure(p, mean, covariance);
            sum = (dense_means){sum.S + now.S, sum.dispersion + now.dispersion, sum.loss + now.loss};
            count++;
        }
        dense_apply(step, mean, covariance, size);
        for (size_t i = 0; i < size; i++) {
            mean[i] += (long double)p->step_size * p->linear[i];
            covariance[i][i] += fresh;
        }
        if ((t + 1) % global_period == 0)
            dense_apply(all, mean, covariance, size);
        else if ((t + 1) % local_period == 0)
            dense_apply(group, mean, covariance, size);
    }
    return (dense_means){sum.S / (long double)count, sum.dispersion / (long double)count,
                         sum.loss / (long double)count};
}

#endif
