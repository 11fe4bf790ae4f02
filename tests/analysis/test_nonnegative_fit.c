/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Least squares over x >= 0: against a search over all sets of free unknowns, each solved by the normal equations; with the
 * standard errors of the textbook's formula for a line; and what is not legal is refused. */
#include "tests/test.h"

#include <gsl/gsl_linalg.h>

#include "analysis/nonnegative_fit.h"
#include "analysis/random.h"

static hsgd_error err;

enum { ROWS = 9, COLS = 4 };

static double residual_sq(const double *A, const double *b, const double *x)
{
    double sum = 0;
    for (size_t i = 0; i < ROWS; i++) {
        double residual = b[i];
        for (size_t j = 0; j < COLS; j++)
            residual -= A[i * COLS + j] * x[j];
        sum += residual * residual;
    }
    return sum;
}

/* x of the columns in the set, by A'A x = A'b. */
static void solve_set(double *x, const double *A, const double *b, unsigned set)
{
    size_t col[COLS], count = 0;
    for (size_t j = 0; j < COLS; j++) {
        x[j] = 0;
        if (set >> j & 1)
            col[count++] = j;
    }
    if (!count)
        return;
    gsl_matrix *normal = gsl_matrix_calloc(count, count);
    gsl_vector *right = gsl_vector_calloc(count), *solution = gsl_vector_calloc(count);
    for (size_t k = 0; k < count; k++)
        for (size_t i = 0; i < ROWS; i++) {
            *gsl_vector_ptr(right, k) += A[i * COLS + col[k]] * b[i];
            for (size_t l = 0; l < count; l++)
                *gsl_matrix_ptr(normal, k, l) += A[i * COLS + col[k]] * A[i * COLS + col[l]];
        }
    gsl_linalg_HH_solve(normal, right, solution);
    for (size_t k = 0; k < count; k++)
        x[col[k]] = gsl_vector_get(solution, k);
    gsl_matrix_free(normal);
    gsl_vector_free(right);
    gsl_vector_free(solution);
}

/* The best of the 2^COLS solutions that have no negative unknown. */
static double best_of_all_sets(double *best, const double *A, const double *b)
{
    double least = INFINITY;
    for (unsigned set = 0; set < 1u << COLS; set++) {
        double x[COLS], value;
        bool legal = true;
        solve_set(x, A, b, set);
        for (size_t j = 0; j < COLS; j++)
            legal = legal && x[j] >= 0;
        if (legal && (value = residual_sq(A, b, x)) < least) {
            least = value;
            memcpy(best, x, sizeof x);
        }
    }
    return least;
}

static void the_minimum_is_that_of_a_search_over_all_sets(void **state)
{
    (void)state;
    size_t at_bound = 0;
    for (uint32_t trial = 0; trial < 200; trial++) {
        double A[ROWS * COLS], b[ROWS], x[COLS], want[COLS], value;
        hsgd_normals(&(hsgd_stream){trial, HSGD_PURPOSE_USER, 0, 0}, 1, A, ROWS * COLS);
        hsgd_normals(&(hsgd_stream){trial, HSGD_PURPOSE_USER, 1, 0}, 1, b, ROWS);
        for (size_t i = 0; i < ROWS; i++) {
            for (size_t k = 0; k < COLS; k++)
                A[i * COLS + k] += b[i]; /* columns that are alike: one that came in early has to leave again */
            A[i * COLS + 1] *= 1e-3;     /* unlike units */
        }
        assert_ok(hsgd_nonnegative_fit(x, NULL, &value, A, b, ROWS, COLS, &err), err);
        double least = best_of_all_sets(want, A, b);
        assert_close(value, least, 1e-10);
        for (size_t j = 0; j < COLS; j++) {
            check_close(x[j], want[j], 1e-7, 1e-3, "x", __FILE__, __LINE__);
            at_bound += x[j] == 0;
        }
    }
    assert_true(at_bound > 80 && at_bound < 720); /* of 800: both kinds were met */
}

/* y = 2 + 3 x with known residuals: slope and intercept have var s^2/Sxx and s^2 (1/n + mean^2/Sxx). */
static void errors_of_a_line_are_the_textbooks(void **state)
{
    (void)state;
    const double at[] = {1, 2, 4, 5, 8}, off[] = {0.1, -0.2, 0.15, 0.05, -0.1};
    double A[10], b[5], x[2], covariance[4], mean = 4, Sxx = 0, slope = 0, sum_sq = 0;
    for (size_t i = 0; i < 5; i++) {
        A[2 * i] = 1;
        A[2 * i + 1] = at[i];
        b[i] = 2 + 3 * at[i] + off[i];
        Sxx += (at[i] - mean) * (at[i] - mean);
        slope += (at[i] - mean) * b[i];
    }
    slope /= Sxx;
    double intercept = 2 + 3 * mean - slope * mean; /* the residuals have mean 0 */
    for (size_t i = 0; i < 5; i++)
        sum_sq += pow(b[i] - intercept - slope * at[i], 2);
    assert_ok(hsgd_nonnegative_fit(x, covariance, NULL, A, b, 5, 2, &err), err);
    assert_close(x[0], intercept, 1e-12);
    assert_close(x[1], slope, 1e-12);
    assert_close(covariance[3], sum_sq / 3 / Sxx, 1e-10);
    assert_close(covariance[0], sum_sq / 3 * (0.2 + mean * mean / Sxx), 1e-10);
    assert_close(covariance[1], -mean * sum_sq / 3 / Sxx, 1e-10);
}

static void what_is_at_zero_has_no_error_and_empty_columns_stay_there(void **state)
{
    (void)state;
    const double A[] = {1, 1, 0, 1, 2, 0, 1, 3, 0}, b[] = {3, 2.1, 1}; /* falls: the slope wants to be negative */
    double x[3], covariance[9], value;
    assert_ok(hsgd_nonnegative_fit(x, covariance, &value, A, b, 3, 3, &err), err);
    assert_close(x[0], 6.1 / 3, 1e-13);
    assert_true(x[1] == 0 && x[2] == 0 && covariance[4] == 0 && covariance[8] == 0);
    assert_close(covariance[0], value / 2 / 3, 1e-12);
    const double down[] = {-1, -2, -3};
    assert_ok(hsgd_nonnegative_fit(x, covariance, &value, A, down, 3, 3, &err), err);
    assert_true(x[0] == 0 && x[1] == 0);
    assert_close(value, 14, 1e-14);
    const double one[] = {2, 0, 0};
    assert_ok(hsgd_nonnegative_fit(x, covariance, &value, one, b, 1, 3, &err), err);
    assert_close(x[0], 1.5, 1e-14);
    assert_true(isnan(covariance[0])); /* one value says nothing about scatter */
}

static void other_numbers_are_refused(void **state)
{
    (void)state;
    double x[2];
    assert_fails(hsgd_nonnegative_fit(x, NULL, NULL, (double[]){1, 1}, (double[]){NAN}, 1, 2, &err), HSGD_ERROR_INPUT,
                 "not finite, in row 0", err);
    assert_fails(hsgd_nonnegative_fit(x, NULL, NULL, (double[]){1, 1}, (double[]){1}, 0, 2, &err), HSGD_ERROR_INPUT,
                 "2 unknowns to 0 values", err);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_minimum_is_that_of_a_search_over_all_sets),
        cmocka_unit_test(errors_of_a_line_are_the_textbooks),
        cmocka_unit_test(what_is_at_zero_has_no_error_and_empty_columns_stay_there),
        cmocka_unit_test(other_numbers_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
