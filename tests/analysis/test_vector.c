/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The vector functions on every path that this machine has: the same bits, and errors against the long double functions
 * of the C library (64-bit mantissa: their own errors are below 0.001 units in the last place of a double). */
#include "tests/test.h"

#include "analysis/random.h"
#include "analysis/vector_math_private.h"

static const char *const path_name[] = {"portable", "avx2", "avx512"};

/* Calls check(kernels) on every path there is. */
static void on_every_path(void (*check)(const hsgd_vector_math_kernels *kernels))
{
    for (int path = HSGD_PATH_PORTABLE; path <= HSGD_PATH_AVX512; path++) {
        hsgd_vector_limit((hsgd_path)path);
        if ((int)hsgd_vector_path() == path)
            check(HSGD_PICK_PATH(hsgd_vector_math_kernels));
        else
            print_message("path %s is not available here\n", path_name[path]);
    }
    hsgd_vector_limit(HSGD_PATH_AVX512);
}

/* Distance in units in the last place of a double near `want`; denormals count the smallest one. */
static double ulps(double got, long double want)
{
    double rounded = (double)want;
    if (got == rounded || (isnan(got) && isnan(rounded)))
        return 0;
    if (!isfinite(rounded) || !isfinite(got))
        return INFINITY;
    int exponent;
    frexpl(want, &exponent);
    return (double)(fabsl(got - want) / ldexpl(1, exponent - 53 > -1074 ? exponent - 53 : -1074));
}

typedef void array_function(const double *x, double *out, size_t count);

/* The largest error over `count` random arguments low..high, their spacing even or (log) even in the exponent. */
static double worst(array_function *f, long double (*exact)(long double), double low, double high, bool log_spaced)
{
    enum { BATCH = 4096, BATCHES = 50 };
    static double x[BATCH], out[BATCH];
    static size_t word[BATCH];
    double largest = 0, at = 0;
    for (size_t b = 0; b < BATCHES; b++) {
        hsgd_uniform_indices(&(hsgd_stream){11, HSGD_PURPOSE_USER, 5, b}, 0, (size_t)1 << 53, word, BATCH);
        for (size_t i = 0; i < BATCH; i++) {
            double u = (double)word[i] * 0x1p-53;
            x[i] = log_spaced ? copysign(exp2((1 - u) * log2(fabs(low)) + u * log2(fabs(high))) * (1 + u / 1e6), low)
                              : low + (high - low) * u;
        }
        f(x, out, BATCH);
        for (size_t i = 0; i < BATCH; i++) {
            double error = ulps(out[i], exact(x[i]));
            if (!(error <= largest)) {
                largest = error;
                at = x[i];
            }
        }
    }
    if (getenv("HSGD_TEST_VERBOSE"))
        print_message("worst of [%g, %g]: %.3f ulp at %a\n", low, high, largest, at);
    return largest;
}

static void exp_is_accurate(const hsgd_vector_math_kernels *k)
{
    assert_at_most(worst(k->exp, expl, -1, 1, false), 1, 0);
    assert_at_most(worst(k->exp, expl, -708, 709.7, false), 1, 0);
    assert_at_most(worst(k->exp, expl, -746, -708, false), 1.5, 0);
    assert_at_most(worst(k->exp, expl, 1e-20, 1, true), 1, 0);
    assert_at_most(worst(k->exp, expl, -1e-20, -1, true), 1, 0);
}

static void log_is_accurate(const hsgd_vector_math_kernels *k)
{
    assert_at_most(worst(k->log, logl, 0x1p-1022, 0x1p1023, true), 1, 0);
    assert_at_most(worst(k->log, logl, 0x1p-1074, 0x1p-1022, true), 1, 0);
    assert_at_most(worst(k->log, logl, 0, 1, false), 1, 0);
    assert_at_most(worst(k->log, logl, 0.5, 2, false), 1, 0);
    assert_at_most(worst(k->log, logl, 1 - 0x1p-20, 1 + 0x1p-20, false), 1, 0);
}

static void log1p_is_accurate(const hsgd_vector_math_kernels *k)
{
    assert_at_most(worst(k->log1p, log1pl, 0x1p-1074, 0x1p1023, true), 1, 0);
    assert_at_most(worst(k->log1p, log1pl, 0, 1, false), 1, 0);
    assert_at_most(worst(k->log1p, log1pl, 1e-20, 10, true), 1, 0);
    assert_at_most(worst(k->log1p, log1pl, -1e-20, -1, true), 1, 0);
    assert_at_most(worst(k->log1p, log1pl, -1, 3, false), 1, 0);
}

static void exp_log_and_log1p_are_accurate(void **state)
{
    (void)state;
    on_every_path(exp_is_accurate);
    on_every_path(log_is_accurate);
    on_every_path(log1p_is_accurate);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(exp_log_and_log1p_are_accurate),
    };
    return cmocka_run_group_tests_name("vector", tests, NULL, NULL);
}
