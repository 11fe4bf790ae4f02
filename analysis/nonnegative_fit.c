/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Columns are scaled to norm 1 first: latencies and inverse bandwidths differ by ten orders of magnitude. */
#include "analysis/nonnegative_fit.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <gsl/gsl_blas.h>
#include <gsl/gsl_errno.h>
#include <gsl/gsl_linalg.h>

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

/* Singular values below this share of the largest are rounding. */
static const double TAIL = 1e-14;

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

/* The matrix of the free columns as U diag(s) V', U in its place. */
typedef struct decomposition {
    gsl_matrix *u, *v, *covariance;
    gsl_vector *s, *right, *share, *solution; /* share: U'b */
} decomposition;

/* share_e / s_e in the directions V_e that the data determine, and how much the residual, put in the place of b, scatters. */
static void solve_decomposed(fit *f, const decomposition *d)
{
    size_t rank = 0;
    double largest = gsl_vector_get(d->s, 0);
    gsl_blas_dgemv(CblasTrans, 1, d->u, d->right, 0, d->share);
    gsl_vector_set_zero(d->solution);
    gsl_matrix_set_zero(d->covariance);
    for (size_t e = 0; e < d->s->size; e++) {
        double s = gsl_vector_get(d->s, e);
        gsl_vector_const_view direction = gsl_matrix_const_column(d->v, e), column = gsl_matrix_const_column(d->u, e);
        if (s <= TAIL * largest)
            break;
        gsl_blas_daxpy(gsl_vector_get(d->share, e) / s, &direction.vector, d->solution);
        gsl_blas_dger(1 / (s * s), &direction.vector, &direction.vector, d->covariance);
        gsl_blas_daxpy(-gsl_vector_get(d->share, e), &column.vector, d->right);
        rank++;
    }
    gsl_blas_ddot(d->right, d->right, &f->residual_sq);
    gsl_matrix_scale(d->covariance, f->residual_sq / (double)(f->rows - rank));
}

/* z, covariance and residual_sq of the free unknowns. Not gsl_multifit_linear_tsvd: its decomposition allocates, and goes on with
 * what it did not get. */
static hsgd_status solve_free(fit *f, hsgd_error *err)
{
    size_t count = count_free(f);
    decomposition d = {.u = gsl_matrix_alloc(f->rows, count),
                       .v = gsl_matrix_alloc(count, count),
                       .covariance = gsl_matrix_alloc(count, count),
                       .s = gsl_vector_alloc(count),
                       .right = gsl_vector_alloc(f->rows),
                       .share = gsl_vector_alloc(count),
                       .solution = gsl_vector_alloc(count)};
    bool complete = d.u && d.v && d.covariance && d.s && d.right && d.share && d.solution;
    hsgd_status status = complete ? HSGD_OK : hsgd_fail_memory(err, "a least-squares fit");
    if (!status) {
        fill(f, d.u, d.right);
        int failed = gsl_linalg_SV_decomp_jacobi(d.u, d.v, d.s);
        if (failed)
            status = hsgd_fail(err, HSGD_ERROR_NUMERIC, "least squares: %s", gsl_strerror(failed));
    }
    if (!status) {
        solve_decomposed(f, &d);
        spread(f, d.solution, d.covariance);
    }
    gsl_matrix_free(d.u);
    gsl_matrix_free(d.v);
    gsl_matrix_free(d.covariance);
    gsl_vector_free(d.s);
    gsl_vector_free(d.right);
    gsl_vector_free(d.share);
    gsl_vector_free(d.solution);
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
