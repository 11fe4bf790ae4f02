/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Exact decisions about integer matrices (THEORY 11.4). Floating point only proposes: a factor R, or a direction in which
 * the form is negative. Both are rounded to integers, and integers decide. What neither settles, such as a singular
 * matrix, goes to elimination without fractions (Bareiss 1968), which always answers and takes longest. */
#include "bounds/semidefinite_private.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Bits kept of R and of a direction. Fewer lose the digits of the doubles, more only cost time. */
enum { FACTOR_BITS = 56, DIRECTION_BITS = 40 };

mpz_t *hsgd_integers_alloc(size_t count)
{
    mpz_t *integers = malloc((count ? count : 1) * sizeof *integers);
    for (size_t i = 0; integers && i < count; i++)
        mpz_init(integers[i]);
    return integers;
}

void hsgd_integers_free(mpz_t *integers, size_t count)
{
    for (size_t i = 0; integers && i < count; i++)
        mpz_clear(integers[i]);
    free(integers);
}

/* ---- scaling ---- */

/* Multiply rows and columns by powers of two (a congruence) until all diagonal entries have about the same number of
 * bits, which is returned; 0 when an entry of the diagonal is not positive. */
static size_t scale(mpz_t *matrix, size_t size)
{
    size_t bits = 0;
    for (size_t i = 0; i < size; i++) {
        if (mpz_sgn(matrix[i * size + i]) <= 0)
            return 0;
        size_t own = mpz_sizeinbase(matrix[i * size + i], 2);
        bits = own > bits ? own : bits;
    }
    for (size_t i = 0; i < size; i++) {
        size_t shift = (bits - mpz_sizeinbase(matrix[i * size + i], 2)) / 2;
        for (size_t j = 0; j < size && shift; j++) {
            mpz_mul_2exp(matrix[i * size + j], matrix[i * size + j], shift);
            mpz_mul_2exp(matrix[j * size + i], matrix[j * size + i], shift);
        }
    }
    return bits;
}

/* The matrix divided by 2^bits. */
static double *to_doubles(const mpz_t *matrix, size_t size, size_t bits)
{
    double *out = malloc(size * size * sizeof *out);
    for (size_t i = 0; out && i < size * size; i++) {
        long exponent;
        double mantissa = mpz_get_d_2exp(&exponent, matrix[i]);
        out[i] = ldexp(mantissa, (int)fmin(fmax((double)exponent - (double)bits, -2000), 2000));
    }
    return out;
}

/* The lower factor of a - shift I in place; the number of rows done before a pivot was not positive. */
static size_t factorise(double *a, size_t size, double shift)
{
    for (size_t i = 0; i < size; i++)
        for (size_t j = 0; j <= i; j++) {
            double sum = a[i * size + j] - (i == j ? shift : 0);
            for (size_t m = 0; m < j; m++)
                sum -= a[i * size + m] * a[j * size + m];
            if (i != j)
                a[i * size + j] = sum / a[j * size + j];
            else if (sum > 0 && isfinite(sum))
                a[i * size + i] = sqrt(sum);
            else
                return i;
        }
    return size;
}

/* ---- matrix = R R' + something diagonally dominant ---- */

static mpz_t *round_factor(const double *factor, size_t size)
{
    mpz_t *out = hsgd_integers_alloc(size * size);
    for (size_t i = 0; out && i < size; i++)
        for (size_t j = 0; j <= i; j++)
            mpz_set_d(out[i * size + j], rint(ldexp(factor[i * size + j], FACTOR_BITS)));
    return out;
}

/* rest = (matrix / 2^bits - R R' / 4^FACTOR_BITS)_ij times a power of two. */
static void subtract_product(mpz_t rest, const mpz_t *matrix, const mpz_t *factor, size_t size, size_t bits, size_t i,
                             size_t j, mpz_t product)
{
    const size_t factor_bits = (size_t)2 * FACTOR_BITS;
    mpz_set_ui(product, 0);
    for (size_t m = 0; m <= j; m++)
        mpz_addmul(product, factor[i * size + m], factor[j * size + m]);
    mpz_mul_2exp(product, product, bits > factor_bits ? bits - factor_bits : 0);
    mpz_mul_2exp(rest, matrix[i * size + j], bits > factor_bits ? 0 : factor_bits - bits);
    mpz_sub(rest, rest, product);
}

/* Is each diagonal entry of matrix - R R' at least the sum of the absolute values of its row? */
static bool rest_is_dominant(const mpz_t *matrix, const mpz_t *factor, size_t size, size_t bits)
{
    mpz_t *margin = hsgd_integers_alloc(size);
    mpz_t rest, product;
    mpz_inits(rest, product, NULL);
    bool dominant = margin != NULL;
    for (size_t i = 0; i < size && margin; i++)
        for (size_t j = 0; j <= i; j++) {
            subtract_product(rest, matrix, factor, size, bits, i, j, product);
            if (i == j) {
                mpz_add(margin[i], margin[i], rest);
                continue;
            }
            mpz_abs(rest, rest);
            mpz_sub(margin[i], margin[i], rest);
            mpz_sub(margin[j], margin[j], rest);
        }
    for (size_t i = 0; i < size && dominant; i++)
        dominant = mpz_sgn(margin[i]) >= 0;
    mpz_clears(rest, product, NULL);
    hsgd_integers_free(margin, size);
    return dominant;
}

bool hsgd_semidefinite_dominant(mpz_t *matrix, size_t size)
{
    size_t bits = scale(matrix, size);
    double *factor = bits ? to_doubles((const mpz_t *)matrix, size, bits) : NULL;
    if (!factor)
        return false;
    /* The shift leaves room for what rounding does to R R': about size * 2^-53 in each of size entries at worst. */
    bool proved = false;
    if (factorise(factor, size, ldexp((double)size, -50)) == size) {
        mpz_t *rounded = round_factor(factor, size);
        proved = rounded && rest_is_dominant((const mpz_t *)matrix, (const mpz_t *)rounded, size, bits);
        hsgd_integers_free(rounded, size * size);
    }
    free(factor);
    return proved;
}

/* ---- a direction in which the form is negative ---- */

/* The exact sign of v' matrix v over the first size_v rows. */
static int sign_along(const mpz_t *matrix, size_t size, const mpz_t *v, size_t size_v)
{
    mpz_t sum, row;
    mpz_inits(sum, row, NULL);
    for (size_t i = 0; i < size_v; i++) {
        mpz_set_ui(row, 0);
        for (size_t j = 0; j < size_v; j++)
            mpz_addmul(row, matrix[i * size + j], v[j]);
        mpz_addmul(sum, row, v[i]);
    }
    int sign = mpz_sgn(sum);
    mpz_clears(sum, row, NULL);
    return sign;
}

/* After factorise stopped at row i: v = (-L^-T l_i, 1) has v'Av = the pivot that failed. */
static bool direction_from(mpz_t *out, const double *factor, size_t size, size_t row)
{
    double *v = calloc(row + 1, sizeof *v), largest = 1;
    if (!v)
        return false;
    v[row] = 1;
    for (size_t i = row; i-- > 0;) {
        double sum = -factor[row * size + i];
        for (size_t j = i + 1; j < row; j++)
            sum -= factor[j * size + i] * v[j];
        v[i] = sum / factor[i * size + i];
        largest = fmax(largest, fabs(v[i]));
    }
    bool finite = isfinite(largest);
    for (size_t i = 0; i <= row && finite; i++) {
        double rounded = rint(ldexp(v[i] / largest, DIRECTION_BITS));
        finite = isfinite(rounded);
        if (finite)
            mpz_set_d(out[i], rounded);
    }
    free(v);
    return finite;
}

bool hsgd_semidefinite_refuted(const mpz_t *matrix, size_t size, size_t *row)
{
    size_t bits = 1;
    for (size_t i = 0; i < size; i++) {
        *row = i;
        if (mpz_sgn(matrix[i * size + i]) < 0)
            return true;
        size_t own = mpz_sizeinbase(matrix[i * size + i], 2);
        bits = own > bits ? own : bits;
    }
    double *factor = to_doubles(matrix, size, bits);
    mpz_t *v = hsgd_integers_alloc(size);
    bool refuted = false;
    if (factor && v) {
        *row = factorise(factor, size, 0);
        refuted = *row < size && direction_from(v, factor, size, *row) &&
                  sign_along(matrix, size, (const mpz_t *)v, *row + 1) < 0;
    }
    free(factor);
    hsgd_integers_free(v, size);
    return refuted;
}

/* ---- elimination without fractions ---- */

static void swap_rows(mpz_t *matrix, size_t size, size_t *order, size_t a, size_t b)
{
    if (a == b)
        return;
    for (size_t i = 0; i < size; i++)
        mpz_swap(matrix[a * size + i], matrix[b * size + i]);
    for (size_t i = 0; i < size; i++)
        mpz_swap(matrix[i * size + a], matrix[i * size + b]);
    size_t row = order[a];
    order[a] = order[b];
    order[b] = row;
}

/* Where the remaining diagonal is positive first; size when it is 0 throughout. False when an entry is negative. */
static bool find_pivot(size_t *pivot, const mpz_t *matrix, size_t size, size_t done, size_t *bad)
{
    *pivot = size;
    for (size_t i = done; i < size; i++) {
        int sign = mpz_sgn(matrix[i * size + i]);
        if (sign < 0) {
            *bad = i;
            return false;
        }
        if (sign > 0 && *pivot == size)
            *pivot = i;
    }
    return true;
}

/* The rest of a matrix with a zero diagonal must be 0. */
static bool rest_is_zero(const mpz_t *matrix, size_t size, size_t done, size_t *bad)
{
    for (size_t i = done; i < size; i++)
        for (size_t j = done; j < i; j++)
            if (mpz_sgn(matrix[i * size + j])) {
                *bad = i;
                return false;
            }
    return true;
}

/* matrix_ij <- (pivot matrix_ij - matrix_ik matrix_kj) / previous pivot, which divides without rest. */
static void eliminate_row(mpz_t *matrix, size_t size, size_t k, const mpz_t previous, mpz_t product)
{
    for (size_t i = k + 1; i < size; i++)
        for (size_t j = k + 1; j <= i; j++) {
            mpz_ptr entry = matrix[i * size + j];
            mpz_mul(entry, entry, matrix[k * size + k]);
            mpz_mul(product, matrix[i * size + k], matrix[j * size + k]);
            mpz_sub(entry, entry, product);
            mpz_divexact(entry, entry, previous);
            mpz_set(matrix[j * size + i], entry);
        }
}

bool hsgd_semidefinite_eliminate(mpz_t *matrix, size_t size, size_t *order, size_t *row)
{
    size_t pivot, bad = 0;
    mpz_t previous, product;
    mpz_inits(previous, product, NULL);
    mpz_set_ui(previous, 1);
    bool semidefinite = true;
    for (size_t i = 0; i < size; i++)
        order[i] = i;
    for (size_t k = 0; k < size && semidefinite; k++) {
        semidefinite = find_pivot(&pivot, (const mpz_t *)matrix, size, k, &bad);
        if (semidefinite && pivot == size) {
            semidefinite = rest_is_zero((const mpz_t *)matrix, size, k, &bad);
            break;
        }
        if (!semidefinite)
            break;
        swap_rows(matrix, size, order, k, pivot);
        eliminate_row(matrix, size, k, previous, product);
        mpz_set(previous, matrix[k * size + k]);
    }
    *row = size ? order[bad] : 0;
    mpz_clears(previous, product, NULL);
    return semidefinite;
}

/* ---- all of it ---- */

/* Move the rows that are not all 0 to the front; kept[i] is where row i came from. */
static size_t compress(mpz_t *matrix, size_t size, size_t *kept)
{
    size_t count = 0;
    for (size_t i = 0; i < size; i++) {
        bool zero = true;
        for (size_t j = 0; j < size && zero; j++)
            zero = mpz_sgn(matrix[i * size + j]) == 0;
        if (!zero)
            kept[count++] = i;
    }
    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j < count; j++)
            mpz_swap(matrix[i * count + j], matrix[kept[i] * size + kept[j]]);
    return count;
}

static hsgd_semidefinite decide(mpz_t *matrix, size_t size, size_t *order, size_t *row)
{
    if (size == 0 || hsgd_semidefinite_dominant(matrix, size))
        return HSGD_SEMIDEFINITE_DOMINANT;
    if (hsgd_semidefinite_refuted((const mpz_t *)matrix, size, row))
        return HSGD_SEMIDEFINITE_NO;
    return hsgd_semidefinite_eliminate(matrix, size, order, row) ? HSGD_SEMIDEFINITE_ELIMINATED : HSGD_SEMIDEFINITE_NO;
}

hsgd_semidefinite hsgd_semidefinite_decide(mpz_t *matrix, size_t size, size_t *row)
{
    size_t *kept = malloc((2 * size + 1) * sizeof *kept), found = 0;
    if (!kept)
        return HSGD_SEMIDEFINITE_NO_MEMORY;
    size_t count = compress(matrix, size, kept);
    hsgd_semidefinite answer = decide(matrix, count, kept + size, &found);
    *row = count ? kept[found] : 0;
    free(kept);
    return answer;
}
