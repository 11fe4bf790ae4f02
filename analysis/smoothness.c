/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "analysis/smoothness.h"

#include <float.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <gsl/gsl_cblas.h>
#include <gsl/gsl_eigen.h>

/* The power iteration stops when the bound has come this close to its limit, or gained less than this over as many
 * sweeps as a check takes, or after so many sweeps in all: a smaller tolerance gives a slightly smaller L, never a
 * wrong one. */
static const double RELATIVE_TOLERANCE = 1e-9;
enum { SWEEPS_PER_CHECK = 32, MAX_SWEEPS = 2048 };

/* Entries of the iterate are kept above this, so that with X scaled to about 1 nothing that matters can underflow. */
static const double SMALLEST_ENTRY = 1e-100;

typedef struct rows {
    const hsgd_dataset *data;
    size_t first, count;
    double *room; /* (p) a sample as doubles, of data kept as bytes */
    int exponent; /* |entries| of X are below 2^exponent */
    double scale; /* 2^-exponent: multiplying by it is exact */
    bool negative;
} rows;

/* The stored numbers of row s, how many, and their columns; NULL: 0, 1, ... */
static const double *stored_row(const rows *x, size_t s, size_t *count, const uint32_t **column)
{
    const hsgd_dataset *data = x->data;
    size_t row = x->first + s, from = data->row_start ? data->row_start[row] : 0;
    *count = data->row_start ? data->row_start[row + 1] - from : data->num_features;
    *column = data->row_start ? data->column + from : NULL;
    return data->row_start ? data->value + from : hsgd_dataset_rows(data, row, 1, x->room);
}

static rows look_at(const hsgd_dataset *data, size_t first, size_t count, double *room)
{
    rows x = {.data = data, .first = first, .count = count, .room = room};
    const uint32_t *column;
    size_t stored;
    double largest = 0;
    for (size_t s = 0; s < count; s++) {
        const double *row = stored_row(&x, s, &stored, &column);
        for (size_t i = 0; i < stored; i++) {
            largest = fmax(largest, fabs(row[i]));
            x.negative = x.negative || row[i] < 0;
        }
    }
    frexp(largest, &x.exponent);
    x.exponent = x.exponent > -1000 ? x.exponent : -1000; /* the scale stays finite */
    x.scale = ldexp(1, -x.exponent);
    return x;
}

/* The entries of the scaled |X| that are not 0, row after row; owned. */
typedef struct absolute_rows {
    size_t *start;    /* (count + 1) */
    double *value;    /* (start[count]) NULL for data kept as bytes */
    uint8_t *byte;    /* the same for these: the entry is byte_value[byte] */
    uint32_t *column; /* same shape */
    double byte_value[HSGD_BYTE_VALUES];
} absolute_rows;

static void free_absolute(absolute_rows *a)
{
    free(a->start);
    free(a->value);
    free(a->byte);
    free(a->column);
}

/* Room for the entries, their start, and what the bytes stand for; one more than there are, so that none is not NULL. */
static bool allocate_absolute(absolute_rows *a, const rows *x)
{
    const uint32_t *column;
    size_t stored;
    *a = (absolute_rows){.start = calloc(x->count + 1, sizeof *a->start)};
    for (size_t s = 0; s < x->count && a->start; s++) {
        const double *row = stored_row(x, s, &stored, &column);
        a->start[s + 1] = a->start[s];
        for (size_t i = 0; i < stored; i++)
            a->start[s + 1] += row[i] != 0;
    }
    size_t entries = 1 + (a->start ? a->start[x->count] : 0);
    if (x->data->byte)
        a->byte = malloc(entries);
    else
        a->value = malloc(entries * sizeof *a->value);
    a->column = malloc(entries * sizeof *a->column);
    for (size_t b = 0; b < HSGD_BYTE_VALUES && a->byte; b++)
        a->byte_value[b] = fabs(x->data->byte_value[b]) * x->scale;
    return a->start && (a->byte || a->value) && a->column;
}

static bool make_absolute(absolute_rows *a, const rows *x)
{
    const uint32_t *column;
    size_t stored, at = 0;
    if (!allocate_absolute(a, x))
        return false;
    for (size_t s = 0; s < x->count; s++) {
        const double *row = stored_row(x, s, &stored, &column);
        for (size_t i = 0; i < stored; i++) {
            if (row[i] == 0)
                continue;
            if (a->byte)
                a->byte[at] = x->data->byte[(x->first + s) * stored + i];
            else
                a->value[at] = fabs(row[i]) * x->scale;
            a->column[at++] = column ? column[i] : (uint32_t)i;
        }
    }
    return true;
}

static inline double entry(const absolute_rows *a, size_t e)
{
    return a->byte ? a->byte_value[a->byte[e]] : a->value[e];
}

/* out (p) = |X|'|X| v / m for the scaled X. Every term is nonnegative, so rounding is relative to each entry. */
static void apply_absolute_gram(const rows *x, const absolute_rows *a, const double *v, double *out)
{
    memset(out, 0, x->data->num_features * sizeof *out);
    for (size_t s = 0; s < x->count; s++) {
        double score = 0;
        for (size_t e = a->start[s]; e < a->start[s + 1]; e++)
            score += entry(a, e) * v[a->column[e]];
        score /= (double)x->count;
        for (size_t e = a->start[s]; e < a->start[s + 1]; e++)
            out[a->column[e]] += entry(a, e) * score;
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
        v[i] = image[i] > 0 ? fmax(image[i] / top, SMALLEST_ENTRY) : v[i];
    return largest;
}

static double collatz_wielandt(const rows *x, const absolute_rows *a, double *v, double *image)
{
    size_t p = x->data->num_features;
    for (size_t i = 0; i < p; i++)
        v[i] = 1;
    double best = INFINITY, checked = INFINITY;
    for (int i = 1; i <= MAX_SWEEPS; i++) {
        double smallest;
        apply_absolute_gram(x, a, v, image);
        best = fmin(best, sweep(v, image, p, &smallest));
        if (best <= smallest * (1 + RELATIVE_TOLERANCE) || best == 0)
            break;
        if (i % SWEEPS_PER_CHECK == 0) {
            if (best > checked * (1 - RELATIVE_TOLERANCE))
                break;
            checked = best;
        }
    }
    best *= 1 + 4 * DBL_EPSILON * (double)(x->count + p); /* rounding of sums of that many positive terms */
    return best > 0 ? fmax(ldexp(best, 2 * x->exponent), DBL_MIN) : 0;
}

/* The lower half of X'X or XX', whichever has the size of gram, entry by entry; row (p) starts and ends as zeros. */
static void form_sparse_gram(const rows *x, double *row, gsl_matrix *gram)
{
    const hsgd_dataset *data = x->data;
    const size_t *start = data->row_start + x->first;
    for (size_t s = 0; s < x->count; s++) {
        if (gram->size1 == data->num_features) {
            for (size_t e = start[s]; e < start[s + 1]; e++)
                for (size_t f = start[s]; f <= e; f++)
                    *gsl_matrix_ptr(gram, data->column[e], data->column[f]) += data->value[e] * data->value[f];
            continue;
        }
        for (size_t e = start[s]; e < start[s + 1]; e++)
            row[data->column[e]] = data->value[e];
        for (size_t t = 0; t <= s; t++)
            for (size_t e = start[t]; e < start[t + 1]; e++)
                *gsl_matrix_ptr(gram, s, t) += data->value[e] * row[data->column[e]];
        for (size_t e = start[s]; e < start[s + 1]; e++)
            row[data->column[e]] = 0;
    }
}

/* gram (size, size): the lower half of X'X/m or XX'/m, whichever is smaller. room: (p) zeros for sparse data, (m, p) for
 * bytes. */
static void form_gram(const rows *x, double *room, gsl_matrix *gram)
{
    size_t p = x->data->num_features, m = x->count, size = gram->size1;
    if (!x->data->row_start)
        cblas_dsyrk(CblasRowMajor, CblasLower, size == p ? CblasTrans : CblasNoTrans, (int)size,
                    (int)(size == p ? m : p), 1, hsgd_dataset_rows(x->data, x->first, m, room), (int)p, 0, gram->data,
                    (int)gram->tda);
    else
        form_sparse_gram(x, room, gram);
    gsl_matrix_scale(gram, 1 / (double)m);
}

/* Forming and decomposing perturb the matrix by a small multiple of its norm, which is at most its trace, and by what
 * underflows. */
static hsgd_status largest_eigenvalue(const rows *x, gsl_matrix *gram, gsl_vector *value,
                                      gsl_eigen_symm_workspace *work, double *bound, hsgd_error *err)
{
    double trace = 0, terms = (double)x->count + (double)x->data->num_features;
    for (size_t i = 0; i < gram->size1; i++)
        trace += gsl_matrix_get(gram, i, i);
    *bound = INFINITY;
    if (!isfinite(trace)) /* the squares overflow */
        return HSGD_OK;
    if (gsl_eigen_symm(gram, value, work))
        return hsgd_fail(err, HSGD_ERROR_NUMERIC, "the eigenvalues of a worker's data did not converge");
    *bound = gsl_vector_max(value) + terms * (16 * DBL_EPSILON * trace + DBL_MIN);
    return HSGD_OK;
}

static hsgd_status decompose(const rows *x, double *bound, hsgd_error *err)
{
    size_t p = x->data->num_features, size = p < x->count ? p : x->count;
    gsl_matrix *gram = gsl_matrix_calloc(size, size);
    gsl_vector *value = gsl_vector_alloc(size);
    gsl_eigen_symm_workspace *work = gsl_eigen_symm_alloc(size);
    double *room = calloc(x->data->byte ? x->count * p : p, sizeof *room);
    hsgd_status status = HSGD_OK;
    if (!gram || !value || !work || !room)
        status = hsgd_fail_memory(err, "the smoothness constant");
    else {
        form_gram(x, room, gram);
        status = largest_eigenvalue(x, gram, value, work, bound, err);
    }
    free(room);
    gsl_eigen_symm_free(work);
    gsl_vector_free(value);
    gsl_matrix_free(gram);
    return status;
}

/* v (2, p): scratch memory. */
static hsgd_status bound_absolute(const rows *x, double *bound, double *v, hsgd_error *err)
{
    absolute_rows a;
    bool made = make_absolute(&a, x);
    if (made)
        *bound = collatz_wielandt(x, &a, v, v + x->data->num_features);
    free_absolute(&a);
    return made ? HSGD_OK : hsgd_fail_memory(err, "the smoothness constant");
}

hsgd_status hsgd_gram_eigenvalue_bound(double *bound, const hsgd_dataset *data, size_t first, size_t count,
                                       hsgd_error *err)
{
    size_t p = data->num_features;
    double *v = malloc(3 * p * sizeof *v);
    if (!v)
        return hsgd_fail_memory(err, "the smoothness constant");
    rows x = look_at(data, first, count, v + 2 * p);
    hsgd_status status = HSGD_OK;
    if ((p <= HSGD_MAX_GRAM || count <= HSGD_MAX_GRAM) && x.negative)
        status = decompose(&x, bound, err);
    else
        status = bound_absolute(&x, bound, v, err);
    free(v);
    return status;
}
