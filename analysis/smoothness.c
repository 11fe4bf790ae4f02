/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "analysis/smoothness.h"

#include <float.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

#include <gsl/gsl_cblas.h>
#include <gsl/gsl_eigen.h>

/* The power iteration stops when the bound has come this close to its limit, or after so many sweeps: a smaller
 * tolerance gives a slightly smaller L, never a wrong one. */
static const double RELATIVE_TOLERANCE = 1e-9;
enum { MAX_SWEEPS = 2000 };

typedef struct rows {
    const hsgd_dataset *data;
    size_t first, count;
} rows;

static bool has_negative(const rows *x)
{
    const hsgd_dataset *data = x->data;
    size_t p = data->num_features;
    const double *from = data->dense ? data->dense + x->first * p : data->value + data->row_start[x->first];
    size_t entries = data->dense ? x->count * p : data->row_start[x->first + x->count] - data->row_start[x->first];
    for (size_t i = 0; i < entries; i++)
        if (from[i] < 0)
            return true;
    return false;
}

/* out (p) = |X|'|X| v / m. Every term is nonnegative, so rounding is relative to each entry. */
static void apply_absolute_gram(const rows *x, const double *v, double *out)
{
    const hsgd_dataset *data = x->data;
    size_t p = data->num_features;
    for (size_t i = 0; i < p; i++)
        out[i] = 0;
    for (size_t s = x->first; s < x->first + x->count; s++) {
        double score = 0;
        if (data->dense) {
            const double *row = data->dense + s * p;
            for (size_t i = 0; i < p; i++)
                score += fabs(row[i]) * v[i];
            score /= (double)x->count;
            for (size_t i = 0; i < p; i++)
                out[i] += fabs(row[i]) * score;
        } else {
            for (size_t e = data->row_start[s]; e < data->row_start[s + 1]; e++)
                score += fabs(data->value[e]) * v[data->column[e]];
            score /= (double)x->count;
            for (size_t e = data->row_start[s]; e < data->row_start[s + 1]; e++)
                out[data->column[e]] += fabs(data->value[e]) * score;
        }
    }
}

/* One sweep: from image = A v, the largest and smallest ratio over the features that occur; v becomes the image, scaled
 * to maximum 1 and kept positive (an entry that underflows would make the ratio meaningless). */
static double sweep(double *v, const double *image, size_t p, double *smallest)
{
    double largest = 0, top = 0;
    *smallest = INFINITY;
    for (size_t i = 0; i < p; i++) {
        if (image[i] == 0)
            continue;
        largest = fmax(largest, image[i] / v[i]);
        *smallest = fmin(*smallest, image[i] / v[i]);
        top = fmax(top, image[i]);
    }
    for (size_t i = 0; i < p; i++)
        v[i] = image[i] > 0 ? fmax(image[i] / top, DBL_MIN) : v[i];
    return largest;
}

static double collatz_wielandt(const rows *x, double *v, double *image)
{
    size_t p = x->data->num_features;
    for (size_t i = 0; i < p; i++)
        v[i] = 1;
    double best = INFINITY;
    for (int i = 0; i < MAX_SWEEPS; i++) {
        double smallest, before = best;
        apply_absolute_gram(x, v, image);
        best = fmin(best, sweep(v, image, p, &smallest));
        bool stalled = i % 32 == 31 && best > before * (1 - RELATIVE_TOLERANCE);
        if (best <= smallest * (1 + RELATIVE_TOLERANCE) || best == 0 || stalled)
            break;
    }
    return best * (1 + 4 * DBL_EPSILON * (double)(x->count + p)); /* rounding of sums of that many positive terms */
}

/* gram (size, size) = X'X/m or XX'/m, whichever is smaller. */
static void form_gram(const rows *x, double *dense, gsl_matrix *gram)
{
    const hsgd_dataset *data = x->data;
    size_t p = data->num_features, m = x->count, size = gram->size1;
    const double *from = dense;
    if (data->dense)
        from = data->dense + x->first * p;
    else
        for (size_t s = 0; s < m; s++)
            for (size_t e = data->row_start[x->first + s]; e < data->row_start[x->first + s + 1]; e++)
                dense[s * p + data->column[e]] = data->value[e];
    cblas_dsyrk(CblasRowMajor, CblasLower, size == p ? CblasTrans : CblasNoTrans, (int)size, (int)(size == p ? m : p),
                1 / (double)m, from, (int)p, 0, gram->data, (int)gram->tda);
}

static hsgd_status decompose(const rows *x, double *bound, hsgd_error *err)
{
    size_t p = x->data->num_features, size = p < x->count ? p : x->count;
    gsl_matrix *gram = gsl_matrix_calloc(size, size);
    gsl_vector *value = gsl_vector_alloc(size);
    gsl_eigen_symm_workspace *work = gsl_eigen_symm_alloc(size);
    double *dense = x->data->dense ? NULL : calloc(x->count * p, sizeof *dense);
    hsgd_status status = HSGD_OK;
    if (!gram || !value || !work || (!x->data->dense && !dense))
        status = hsgd_fail_memory(err, "the smoothness constant");
    else {
        form_gram(x, dense, gram);
        double trace = 0;
        for (size_t i = 0; i < size; i++)
            trace += gsl_matrix_get(gram, i, i);
        if (gsl_eigen_symm(gram, value, work))
            status = hsgd_fail(err, HSGD_ERROR_NUMERIC, "the eigenvalues of a worker's data did not converge");
        else /* forming and decomposing perturb A by a small multiple of its norm, at most its trace */
            *bound = gsl_vector_max(value) + 16 * DBL_EPSILON * (double)(x->count + p) * trace;
    }
    free(dense);
    gsl_eigen_symm_free(work);
    gsl_vector_free(value);
    gsl_matrix_free(gram);
    return status;
}

hsgd_status hsgd_gram_eigenvalue_bound(double *bound, const hsgd_dataset *data, size_t first, size_t count,
                                       hsgd_error *err)
{
    rows x = {data, first, count};
    size_t p = data->num_features;
    if ((p <= HSGD_MAX_GRAM || count <= HSGD_MAX_GRAM) && has_negative(&x))
        return decompose(&x, bound, err);
    double *v = malloc(2 * p * sizeof *v);
    if (!v)
        return hsgd_fail_memory(err, "the smoothness constant");
    *bound = collatz_wielandt(&x, v, v + p);
    free(v);
    return HSGD_OK;
}
