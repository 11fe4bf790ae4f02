/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Exact decisions about integer matrices: against all principal minors for small ones, on Gram matrices of any rank, and
 * where one unit in the last place decides. The fast proof never says yes where elimination says no. */
#include "tests/test.h"

#include "bounds/semidefinite_private.h"

enum { LARGEST = 24 };

static uint64_t random_bits(void)
{
    static uint64_t state = 0x9e3779b97f4a7c15u;
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state;
}

static long random_long(long range)
{
    return (long)(random_bits() % (uint64_t)(2 * range + 1)) - range;
}

static mpz_t *new_matrix(void)
{
    static mpz_t matrix[4][LARGEST * LARGEST];
    static size_t next;
    static bool ready;
    for (size_t m = 0; m < 4 && !ready; m++)
        for (size_t i = 0; i < LARGEST * LARGEST; i++)
            mpz_init(matrix[m][i]);
    ready = true;
    return matrix[next++ % 4];
}

static void copy(mpz_t *out, const mpz_t *matrix, size_t size)
{
    for (size_t i = 0; i < size * size; i++)
        mpz_set(out[i], matrix[i]);
}

static hsgd_semidefinite decide(const mpz_t *matrix, size_t size, size_t *row)
{
    mpz_t *work = new_matrix();
    copy(work, matrix, size);
    return hsgd_semidefinite_decide(work, size, row);
}

static bool eliminate(const mpz_t *matrix, size_t size, size_t *row)
{
    size_t order[LARGEST];
    mpz_t *work = new_matrix();
    copy(work, matrix, size);
    return hsgd_semidefinite_eliminate(work, size, order, row);
}

static bool dominant(const mpz_t *matrix, size_t size)
{
    mpz_t *work = new_matrix();
    copy(work, matrix, size);
    return hsgd_semidefinite_dominant(work, size);
}

/* The determinant of the rows and columns in the set, by expansion along the first of them. */
static long long minor(const mpz_t *matrix, size_t size, unsigned rows, unsigned columns)
{
    if (!rows)
        return 1;
    size_t i = (size_t)__builtin_ctz(rows);
    long long sum = 0, sign = 1;
    for (size_t j = 0; j < size; j++)
        if (columns >> j & 1) {
            sum +=
                sign * mpz_get_si(matrix[i * size + j]) * minor(matrix, size, rows & (rows - 1), columns & ~(1u << j));
            sign = -sign;
        }
    return sum;
}

static bool all_minors_nonnegative(const mpz_t *matrix, size_t size)
{
    for (unsigned set = 1; set < 1u << size; set++)
        if (minor(matrix, size, set, set) < 0)
            return false;
    return true;
}

/* Symmetric matrices of small numbers, about half of them semidefinite thanks to their diagonals, many singular. */
static void small_matrices_by_all_minors(void **state)
{
    (void)state;
    size_t yes = 0, no = 0, row;
    static mpz_t matrix[25];
    for (size_t i = 0; i < 25; i++)
        mpz_init(matrix[i]);
    for (int repeat = 0; repeat < 4000; repeat++) {
        size_t size = 1 + random_bits() % 5;
        for (size_t i = 0; i < size; i++)
            for (size_t j = 0; j <= i; j++) {
                mpz_set_si(matrix[i * size + j], i == j ? random_long(3) + 2 : random_long(2) * random_long(1));
                mpz_set(matrix[j * size + i], matrix[i * size + j]);
            }
        bool want = all_minors_nonnegative((const mpz_t *)matrix, size);
        hsgd_semidefinite got = decide((const mpz_t *)matrix, size, &row);
        assert_int_equal(got == HSGD_SEMIDEFINITE_DOMINANT || got == HSGD_SEMIDEFINITE_ELIMINATED, want);
        assert_int_equal(eliminate((const mpz_t *)matrix, size, &row), want);
        if (dominant((const mpz_t *)matrix, size))
            assert_true(want);
        yes += want;
        no += !want;
    }
    assert_true(yes > 400 && no > 400);
    for (size_t i = 0; i < 25; i++)
        mpz_clear(matrix[i]);
}

/* A A' for A (size, rank) with entries of `bits` bits, in any order of size. */
static void gram(mpz_t *out, size_t size, size_t rank, unsigned bits)
{
    static mpz_t a[LARGEST * LARGEST];
    for (size_t i = 0; i < size * rank; i++) {
        mpz_init_set_si(a[i], random_long(1000));
        mpz_mul_2exp(a[i], a[i], bits * (i / rank) / size);
        mpz_add_ui(a[i], a[i], (unsigned long)(random_bits() % 1000));
    }
    for (size_t i = 0; i < size; i++)
        for (size_t j = 0; j < size; j++) {
            mpz_set_ui(out[i * size + j], 0);
            for (size_t m = 0; m < rank; m++)
                mpz_addmul(out[i * size + j], a[i * rank + m], a[j * rank + m]);
        }
    for (size_t i = 0; i < size * rank; i++)
        mpz_clear(a[i]);
}

/* Full rank: the fast proof does it, however unlike the rows are in size. Low rank: elimination does; one unit less on the
 * diagonal and the answer is no. */
static void gram_matrices_of_any_rank(void **state)
{
    (void)state;
    size_t row;
    static mpz_t matrix[LARGEST * LARGEST];
    for (size_t i = 0; i < LARGEST * LARGEST; i++)
        mpz_init(matrix[i]);
    for (size_t size = 2; size <= LARGEST; size += 11)
        for (unsigned bits = 0; bits <= 300; bits += 150) {
            gram(matrix, size, size, bits);
            for (size_t i = 0; i < size; i++) /* away from singular */
                mpz_mul_2exp(matrix[i * size + i], matrix[i * size + i], 1);
            assert_int_equal(decide((const mpz_t *)matrix, size, &row), HSGD_SEMIDEFINITE_DOMINANT);
            assert_true(eliminate((const mpz_t *)matrix, size, &row));
            gram(matrix, size, size / 2, bits);
            assert_int_equal(decide((const mpz_t *)matrix, size, &row), HSGD_SEMIDEFINITE_ELIMINATED);
            mpz_sub_ui(matrix[size * size - 1], matrix[size * size - 1], 1);
            assert_int_equal(decide((const mpz_t *)matrix, size, &row), HSGD_SEMIDEFINITE_NO);
        }
    for (size_t i = 0; i < LARGEST * LARGEST; i++)
        mpz_clear(matrix[i]);
}

/* [x, x + 1; x + 1, x + 2] has the determinant -1, [x, x + 1; x + 1, x + 3] has x - 1: no double can tell them apart. */
static void the_last_unit_decides(void **state)
{
    (void)state;
    size_t row = 7;
    mpz_t m[4];
    for (int i = 0; i < 4; i++) {
        mpz_init_set_ui(m[i], 1);
        mpz_mul_2exp(m[i], m[i], 200);
    }
    for (int i = 1; i < 3; i++)
        mpz_add_ui(m[i], m[i], 1);
    mpz_add_ui(m[3], m[3], 2);
    assert_int_equal(decide((const mpz_t *)m, 2, &row), HSGD_SEMIDEFINITE_NO);
    assert_false(dominant((const mpz_t *)m, 2));
    mpz_add_ui(m[3], m[3], 1);
    assert_int_equal(decide((const mpz_t *)m, 2, &row), HSGD_SEMIDEFINITE_ELIMINATED);
    for (int i = 0; i < 4; i++)
        mpz_clear(m[i]);
}

/* Rows of zeros do not count, and a row is named as the caller numbers it; a zero on the diagonal alone is no. */
static void empty_rows(void **state)
{
    (void)state;
    static const long entries[2][16] = {{0, 0, 0, 0, 0, 4, 0, 2, 0, 0, 0, 0, 0, 2, 0, 1},
                                        {0, 0, 0, 0, 0, 4, 0, 2, 0, 0, 0, 0, 0, 2, 0, 0}};
    size_t row = 9;
    mpz_t m[16];
    for (int i = 0; i < 16; i++)
        mpz_init_set_si(m[i], entries[0][i]);
    assert_int_equal(decide((const mpz_t *)m, 4, &row), HSGD_SEMIDEFINITE_ELIMINATED);
    for (int i = 0; i < 16; i++)
        mpz_set_si(m[i], entries[1][i]);
    assert_int_equal(decide((const mpz_t *)m, 4, &row), HSGD_SEMIDEFINITE_NO);
    assert_true(row == 1 || row == 3);
    for (int i = 0; i < 16; i++)
        mpz_set_si(m[i], 0);
    assert_int_equal(decide((const mpz_t *)m, 4, &row), HSGD_SEMIDEFINITE_DOMINANT);
    mpz_set_si(m[10], -1);
    assert_int_equal(decide((const mpz_t *)m, 4, &row), HSGD_SEMIDEFINITE_NO);
    assert_int_equal(row, 2);
    for (int i = 0; i < 16; i++)
        mpz_clear(m[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(small_matrices_by_all_minors),
        cmocka_unit_test(gram_matrices_of_any_rank),
        cmocka_unit_test(the_last_unit_decides),
        cmocka_unit_test(empty_rows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
