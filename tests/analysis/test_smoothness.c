/* SPDX-License-Identifier: GPL-3.0-or-later */
/* lambda_max(X'X/m): the bound against the largest squared singular value of X (GSL's one-sided Jacobi, accurate to the
 * last digits and unlike anything in the code), against Rayleigh quotients where X is large, and against closed forms.
 * An upper bound holds for every matrix, so that no draw of one raises a false alarm; how close it comes is checked for
 * these matrices, from fixed seeds, only. */
#include "tests/test.h"

#include <time.h>

#include <gsl/gsl_errno.h>
#include <gsl/gsl_linalg.h>

#include "analysis/random.h"
#include "analysis/smoothness.h"

static hsgd_error err;

/* ---- data ---- */

static hsgd_dataset dense_data(size_t m, size_t p)
{
    hsgd_dataset d = {.num_samples = m, .num_features = p, .num_classes = 1};
    d.dense = calloc(m * p, sizeof *d.dense);
    return d;
}

static hsgd_dataset normal_data(size_t m, size_t p, double scale, bool absolute)
{
    hsgd_dataset d = dense_data(m, p);
    hsgd_normals(&(hsgd_stream){15, HSGD_PURPOSE_USER, (uint32_t)m, p}, scale, d.dense, m * p);
    for (size_t i = 0; i < m * p && absolute; i++)
        d.dense[i] = fabs(d.dense[i]);
    return d;
}

static hsgd_dataset sparse_copy(const hsgd_dataset *dense)
{
    size_t m = dense->num_samples, p = dense->num_features, used = 0;
    hsgd_dataset d = {.num_samples = m, .num_features = p, .num_classes = 1};
    d.row_start = calloc(m + 1, sizeof *d.row_start);
    d.column = calloc(m * p, sizeof *d.column);
    d.value = calloc(m * p, sizeof *d.value);
    for (size_t s = 0; s < m; s++) {
        for (size_t i = 0; i < p; i++)
            if (dense->dense[s * p + i] != 0) {
                d.column[used] = (uint32_t)i;
                d.value[used++] = dense->dense[s * p + i];
            }
        d.row_start[s + 1] = used;
    }
    return d;
}

static double bound_of(const hsgd_dataset *d, size_t first, size_t count)
{
    double bound = NAN;
    assert_ok(hsgd_gram_eigenvalue_bound(&bound, d, first, count, &err), err);
    return bound;
}

/* The squared largest singular value over m. The matrix is divided by its largest entry first: squares must fit. */
static double by_singular_values(const hsgd_dataset *d, size_t first, size_t count)
{
    size_t p = d->num_features, rows = count > p ? count : p, columns = count > p ? p : count;
    gsl_matrix *a = gsl_matrix_calloc(rows, columns), *v = gsl_matrix_alloc(columns, columns);
    gsl_vector *s = gsl_vector_alloc(columns);
    double largest = 0;
    for (size_t i = first * p; i < (first + count) * p; i++)
        largest = fmax(largest, fabs(d->dense[i]));
    for (size_t j = 0; j < count && largest > 0; j++)
        for (size_t i = 0; i < p; i++)
            gsl_matrix_set(a, count > p ? j : i, count > p ? i : j, d->dense[(first + j) * p + i] / largest);
    if (largest > 0)
        assert_int_equal(gsl_linalg_SV_decomp_jacobi(a, v, s), 0);
    double top = largest > 0 ? gsl_vector_max(s) * largest : 0;
    gsl_matrix_free(a);
    gsl_matrix_free(v);
    gsl_vector_free(s);
    return top / (double)count * top;
}

/* An upper bound, up to the error of the reference; and at most `slack` relatively above it. */
static void check_bound(const hsgd_dataset *d, size_t first, size_t count, double slack)
{
    double want = by_singular_values(d, first, count);
    hsgd_dataset sparse = sparse_copy(d);
    const hsgd_dataset *form[] = {d, &sparse};
    for (size_t i = 0; i < 2; i++) {
        double bound = bound_of(form[i], first, count);
        assert_at_most(want, bound, 2e-15);
        assert_at_most(bound, want, slack);
    }
    hsgd_dataset_free(&sparse);
}

/* ---- dense and sparse, every shape ---- */

static void random_matrices(void **state)
{
    (void)state;
    const size_t shape[][2] = {{1, 1}, {1, 9}, {9, 1}, {4, 4}, {30, 12}, {12, 30}, {70, 35}};
    for (size_t i = 0; i < sizeof shape / sizeof *shape; i++)
        for (int absolute = 0; absolute < 2; absolute++)
            for (size_t thin = 1; thin <= 4; thin += 3) {
                hsgd_dataset d = normal_data(shape[i][0], shape[i][1], 2.385, absolute);
                for (size_t k = 0; k < shape[i][0] * shape[i][1]; k++)
                    if (k * 7919 % thin)
                        d.dense[k] = 0;
                check_bound(&d, 0, d.num_samples, 1e-6);
                if (d.num_samples > 5)
                    check_bound(&d, 3, d.num_samples - 5, 1e-6); /* the rows of one worker */
                hsgd_dataset_free(&d);
            }
}

/* All that exists is one direction: X = u v', lambda_max = ||u||^2 ||v||^2 / m. */
static void rank_one_and_zero(void **state)
{
    (void)state;
    for (int sign = 0; sign < 2; sign++) {
        hsgd_dataset d = dense_data(5, 3);
        const double u[] = {0.3, 1.7, 0, 2.4, 0.9}, v[] = {1.1, sign ? -0.6 : 0.6, 2.5};
        for (size_t j = 0; j < 5; j++)
            for (size_t i = 0; i < 3; i++)
                d.dense[3 * j + i] = u[j] * v[i];
        assert_close(bound_of(&d, 0, 5), (0.09 + 2.89 + 5.76 + 0.81) * (1.21 + 0.36 + 6.25) / 5, 1e-9);
        check_bound(&d, 0, 5, 1e-9);
        hsgd_dataset_free(&d);
    }
    hsgd_dataset zero = dense_data(4, 3);
    assert_true(bound_of(&zero, 0, 4) == 0);
    check_bound(&zero, 0, 4, 0);
    hsgd_dataset_free(&zero);
}

/* Two blocks of features that never meet: the iteration has no positive limit, and which block wins is not visible from
 * the first ratios (the row sums of the losing block are larger for the first `wide`). */
static void reducible_matrices(void **state)
{
    (void)state;
    const double ratios[] = {0.1, 0.9, 0.999, 1, 1.001, 30};
    for (size_t r = 0; r < sizeof ratios / sizeof *ratios; r++)
        for (size_t wide = 1; wide <= 9; wide += 4) {
            hsgd_dataset d = normal_data(24, 8 + wide, 1.3, true);
            for (size_t j = 0; j < 24; j++)
                for (size_t i = 0; i < d.num_features; i++)
                    d.dense[j * d.num_features + i] *= (j < 12) != (i < 8) ? 0 : j < 12 ? ratios[r] : 1;
            check_bound(&d, 0, 24, 1e-6);
            hsgd_dataset_free(&d);
        }
    /* a diagonal matrix: every feature its own block */
    hsgd_dataset d = dense_data(6, 6);
    for (size_t i = 0; i < 6; i++)
        d.dense[7 * i] = 1 + 0.3 * (double)i;
    assert_close(bound_of(&d, 0, 6), 2.5 * 2.5 / 6, 1e-12);
    hsgd_dataset_free(&d);
}

/* Two blocks joined by a link so weak that the iterate spans many orders of magnitude. */
static void weakly_joined_blocks(void **state)
{
    (void)state;
    const double links[] = {1e-3, 1e-9, 1e-60, 1e-170};
    for (size_t l = 0; l < sizeof links / sizeof *links; l++) {
        hsgd_dataset d = dense_data(3, 3);
        const double x[] = {1.2, 0.4, 0, 0, links[l], 0.3, 0, 0.2, 0.7};
        memcpy(d.dense, x, sizeof x);
        check_bound(&d, 0, 3, 1e-6);
        hsgd_dataset_free(&d);
    }
}

/* A chain of features, each sharing a sample with the next: the second eigenvalue is close to the first, the iteration
 * slow, and its bound valid all the same. */
static void slow_iterations_stay_safe(void **state)
{
    (void)state;
    const size_t lengths[] = {20, 60, 300};
    const double slack[] = {1e-7, 1e-3, 1e-2};
    for (size_t l = 0; l < 3; l++) {
        size_t p = lengths[l];
        hsgd_dataset d = dense_data(p, p);
        for (size_t j = 0; j < p; j++) {
            d.dense[(p + 1) * j] = 1;
            if (j + 1 < p)
                d.dense[(p + 1) * j + 1] = 1;
        }
        check_bound(&d, 0, p, slack[l]);
        hsgd_dataset_free(&d);
    }
}

/* Squares that would overflow or vanish: the bound stays an upper bound. */
static void extreme_scales(void **state)
{
    (void)state;
    const double scales[] = {1e-150, 1e-161, 1e-170, 1e-300, 1e150};
    for (size_t s = 0; s < sizeof scales / sizeof *scales; s++)
        for (int absolute = 0; absolute < 2; absolute++) {
            hsgd_dataset d = normal_data(11, 6, scales[s], absolute);
            double bound = bound_of(&d, 0, 11), want = by_singular_values(&d, 0, 11);
            assert_at_most(want, bound, 2e-15);
            assert_at_most(bound, fmax(want, 1e-303), 1e-6);
            assert_true(bound > 0);
            hsgd_dataset_free(&d);
        }
    hsgd_dataset d = normal_data(3, 2, 1e200, false);
    assert_true(bound_of(&d, 0, 3) == INFINITY);
    hsgd_dataset_free(&d);
}

/* ---- large and sparse ---- */

/* m rows of up to `each` entries over p features, the first features more often than the last. */
static hsgd_dataset large_sparse(size_t m, size_t p, size_t each, bool absolute)
{
    hsgd_dataset d = {.num_samples = m, .num_features = p, .num_classes = 1};
    d.row_start = calloc(m + 1, sizeof *d.row_start);
    d.column = calloc(m * each, sizeof *d.column);
    d.value = calloc(m * each, sizeof *d.value);
    hsgd_normals(&(hsgd_stream){16, HSGD_PURPOSE_USER, 0, 0}, 0.7, d.value, m * each);
    size_t jump[64], used = 0;
    for (size_t s = 0; s < m; s++) {
        size_t column = 0;
        hsgd_uniform_indices(&(hsgd_stream){16, HSGD_PURPOSE_USER, 1, s}, 0, 2 * p / each, jump, each);
        for (size_t e = 0; e < each; e++) {
            column += 1 + jump[e] * e / each;
            if (column < p) {
                d.column[used] = (uint32_t)column;
                d.value[used] = absolute ? fabs(d.value[used]) : d.value[used];
                used++;
            }
        }
        d.row_start[s + 1] = used;
    }
    return d;
}

/* Largest ||Xv||^2/(m ||v||^2) of a power iteration: never above the eigenvalue, close below it. */
static double rayleigh_quotient(const hsgd_dataset *d, bool absolute)
{
    size_t p = d->num_features, m = d->num_samples;
    double *v = malloc(p * sizeof *v), *image = malloc(p * sizeof *image), quotient = 0;
    hsgd_normals(&(hsgd_stream){17, HSGD_PURPOSE_USER, 0, 0}, 1, v, p);
    for (int sweep = 0; sweep < 300; sweep++) {
        double top = 0, norm_sq = 0;
        memset(image, 0, p * sizeof *image);
        for (size_t i = 0; i < p; i++)
            norm_sq += v[i] * v[i];
        for (size_t s = 0; s < m; s++) {
            double score = 0;
            for (size_t e = d->row_start[s]; e < d->row_start[s + 1]; e++)
                score += (absolute ? fabs(d->value[e]) : d->value[e]) * v[d->column[e]];
            for (size_t e = d->row_start[s]; e < d->row_start[s + 1]; e++)
                image[d->column[e]] += (absolute ? fabs(d->value[e]) : d->value[e]) * score;
            top += score * score;
        }
        quotient = fmax(quotient, top / norm_sq / (double)m);
        for (size_t i = 0; i < p; i++)
            v[i] = image[i] / sqrt(norm_sq);
    }
    free(v);
    free(image);
    return quotient;
}

/* Of the processor, which others may use as well. */
static double seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

/* 47,000 features: never a matrix of features by features. Where both sides exceed HSGD_MAX_GRAM and signs are mixed,
 * the bound is that of |X|. */
static void many_sparse_features(void **state)
{
    (void)state;
    double begin = seconds();
    hsgd_dataset d = large_sparse(3000, 47000, 40, true);
    double bound = bound_of(&d, 0, 3000), low = rayleigh_quotient(&d, false);
    assert_at_most(low, bound, 1e-14);
    assert_at_most(bound, low, 1e-5);
    hsgd_dataset_free(&d);
    d = large_sparse(3000, 47000, 40, false);
    bound = bound_of(&d, 0, 3000);
    assert_at_most(rayleigh_quotient(&d, false), bound, 1e-14);
    assert_at_most(bound, rayleigh_quotient(&d, true), 1e-5);
    hsgd_dataset_free(&d);
    d = large_sparse(300, 47000, 40, false); /* few rows: the exact route through XX' */
    bound = bound_of(&d, 0, 300), low = rayleigh_quotient(&d, false);
    assert_at_most(low, bound, 1e-14);
    assert_at_most(bound, low, 1e-3);
    hsgd_dataset_free(&d);
    assert_true(seconds() - begin < 10);
}

int main(void)
{
    gsl_set_error_handler_off();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_matrices),           cmocka_unit_test(rank_one_and_zero),
        cmocka_unit_test(reducible_matrices),        cmocka_unit_test(weakly_joined_blocks),
        cmocka_unit_test(slow_iterations_stay_safe), cmocka_unit_test(extreme_scales),
        cmocka_unit_test(many_sparse_features),
    };
    return cmocka_run_group_tests_name("smoothness", tests, NULL, NULL);
}
