/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Columns are scaled to norm 1 first: latencies and inverse bandwidths differ by ten orders of magnitude. */
#include "analysis/nonnegative_fit.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <gsl/gsl_multifit.h>

typedef struct fit {
    const double *A, *b;
    size_t rows, cols;
    double *norm;       /* (cols) of the columns of A; 0: the column is 0 */
    double *x;          /* (cols) times norm */
    double *z;          /* (cols) the minimiser over the free unknowns */
    double *gradient;   /* (cols) A' (b - A x), of scaled columns */
    double *covariance; /* (cols, cols) of z */
    bool *is_free;      /* (cols) */
    double residual_sq; /* of z */
} fit;

/* An unknown enters only for a gradient above this share of ||b||. */
static const double TOLERANCE = 1e-13;

static double at(const fit *f, size_t row, size_t col)
{
    return f->norm[col] > 0 ? f->A[row * f->cols + col] / f->norm[col] : 0;
}

static size_t count_free(const fit *f)
{
    size_t count = 0;
    for (size_t j = 0; j < f->cols; j++)
        count += f->is_free[j];
    return count;
}

/* The matrix of the free columns and the right side. */
static void fill(const fit *f, gsl_matrix *matrix, gsl_vector *right)
{
    for (size_t i = 0; i < f->rows; i++) {
        gsl_vector_set(right, i, f->b[i]);
        for (size_t j = 0, k = 0; j < f->cols; j++)
            if (f->is_free[j])
                gsl_matrix_set(matrix, i, k++, at(f, i, j));
    }
}

/* Spread the solution over all unknowns. */
static void spread(fit *f, const gsl_vector *solution, const gsl_matrix *covariance)
{
    memset(f->z, 0, f->cols * sizeof *f->z);
    memset(f->covariance, 0, f->cols * f->cols * sizeof *f->covariance);
    for (size_t j = 0, k = 0; j < f->cols; j++) {
        if (!f->is_free[j])
            continue;
        f->z[j] = gsl_vector_get(solution, k);
        for (size_t i = 0, l = 0; i < f->cols; i++)
            if (f->is_free[i])
                f->covariance[j * f->cols + i] = gsl_matrix_get(covariance, k, l++);
        k++;
    }
}

/* z, covariance and residual_sq of the free unknowns. */
static hsgd_status solve_free(fit *f, hsgd_error *err)
{
    size_t count = count_free(f), rank;
    double tail = 1e-14;
    gsl_multifit_linear_workspace *work = gsl_multifit_linear_alloc(f->rows, count);
    gsl_matrix *matrix = gsl_matrix_alloc(f->rows, count), *covariance = gsl_matrix_alloc(count, count);
    gsl_vector *right = gsl_vector_alloc(f->rows), *solution = gsl_vector_alloc(count);
    hsgd_status status =
        work && matrix && covariance && right && solution ? HSGD_OK : hsgd_fail_memory(err, "a least-squares fit");
    if (!status) {
        fill(f, matrix, right);
        int failed = gsl_multifit_linear_tsvd(matrix, right, tail, solution, covariance, &f->residual_sq, &rank, work);
        if (failed)
            status = hsgd_fail(err, HSGD_ERROR_NUMERIC, "least squares: %s", gsl_strerror(failed));
        else
            spread(f, solution, covariance);
    }
    gsl_multifit_linear_free(work);
    gsl_matrix_free(matrix);
    gsl_matrix_free(covariance);
    gsl_vector_free(right);
    gsl_vector_free(solution);
    return status;
}

/* The unknown at 0 with the largest gradient; cols: none would lower the sum. */
static size_t next_free(fit *f)
{
    double b_norm_sq = 0, largest = 0;
    size_t best = f->cols;
    memset(f->gradient, 0, f->cols * sizeof *f->gradient);
    for (size_t i = 0; i < f->rows; i++) {
        double residual = f->b[i];
        b_norm_sq += f->b[i] * f->b[i];
        for (size_t j = 0; j < f->cols; j++)
            residual -= at(f, i, j) * f->x[j];
        for (size_t j = 0; j < f->cols; j++)
            f->gradient[j] += at(f, i, j) * residual;
    }
    for (size_t j = 0; j < f->cols; j++)
        if (!f->is_free[j] && f->gradient[j] > largest && f->gradient[j] > TOLERANCE * sqrt(b_norm_sq)) {
            largest = f->gradient[j];
            best = j;
        }
    return best;
}

/* Go from x towards z until a free unknown is 0, and fix it. Returns whether z was reached. */
static bool go_towards(fit *f)
{
    double share = 1;
    size_t first = f->cols; /* to become 0 */
    for (size_t j = 0; j < f->cols; j++) {
        double own = f->x[j] / (f->x[j] - f->z[j]);
        if (f->is_free[j] && f->z[j] <= 0 && own <= share) {
            share = own;
            first = j;
        }
    }
    for (size_t j = 0; j < f->cols; j++)
        f->x[j] = f->is_free[j] ? f->x[j] + share * (f->z[j] - f->x[j]) : 0;
    if (first == f->cols)
        return true;
    f->x[first] = 0; /* but for rounding, it is */
    f->is_free[first] = false;
    return false;
}

static hsgd_status iterate(fit *f, hsgd_error *err)
{
    for (size_t round = 0; round < 3 * f->cols + 3; round++) {
        size_t next = next_free(f);
        if (next == f->cols || count_free(f) == f->rows)
            break;
        f->is_free[next] = true;
        do {
            hsgd_status status = solve_free(f, err);
            if (status)
                return status;
        } while (!go_towards(f) && count_free(f) > 0);
    }
    return HSGD_OK;
}

static void find_norms(fit *f)
{
    for (size_t j = 0; j < f->cols; j++) {
        double sum = 0;
        for (size_t i = 0; i < f->rows; i++)
            sum += f->A[i * f->cols + j] * f->A[i * f->cols + j];
        f->norm[j] = sqrt(sum);
    }
}

static void give(const fit *f, double *x, double *covariance, double *residual_sq)
{
    size_t count = count_free(f);
    double b_norm_sq = 0;
    for (size_t i = 0; i < f->rows; i++)
        b_norm_sq += f->b[i] * f->b[i];
    for (size_t j = 0; j < f->cols; j++)
        x[j] = f->norm[j] > 0 ? f->x[j] / f->norm[j] : 0;
    for (size_t j = 0; covariance && j < f->cols; j++)
        for (size_t i = 0; i < f->cols; i++) {
            bool both = f->is_free[i] && f->is_free[j];
            double scaled = both ? f->covariance[j * f->cols + i] / (f->norm[i] * f->norm[j]) : 0;
            covariance[j * f->cols + i] = both && count >= f->rows ? NAN : scaled;
        }
    if (residual_sq)
        *residual_sq = count ? f->residual_sq : b_norm_sq;
}

hsgd_status hsgd_nonnegative_fit(double *x, double *covariance, double *residual_sq, const double *A, const double *b,
                                 size_t rows, size_t cols, hsgd_error *err)
{
    fit f = {.A = A, .b = b, .rows = rows, .cols = cols};
    if (rows < 1 || cols < 1)
        return hsgd_fail(err, HSGD_ERROR_INPUT, "a fit of %zu unknowns to %zu values", cols, rows);
    for (size_t i = 0; i < rows * cols; i++)
        if (!isfinite(A[i]) || !isfinite(b[i / cols]))
            return hsgd_fail(err, HSGD_ERROR_INPUT, "a fit to a value that is not finite, in row %zu", i / cols);
    double *memory = calloc((4 + cols) * cols, sizeof *memory);
    f.is_free = calloc(cols, sizeof *f.is_free);
    hsgd_status status = memory && f.is_free ? HSGD_OK : hsgd_fail_memory(err, "a least-squares fit");
    if (!status) {
        f.norm = memory;
        f.x = memory + cols;
        f.z = memory + 2 * cols;
        f.gradient = memory + 3 * cols;
        f.covariance = memory + 4 * cols;
        find_norms(&f);
        status = iterate(&f, err);
    }
    if (!status)
        give(&f, x, covariance, residual_sq);
    free(memory);
    free(f.is_free);
    return status;
}
