/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The vector functions on every path that this machine has: the same bits, and errors against the long double functions
 * of the C library (64-bit mantissa: their own errors are below 0.001 units in the last place of a double). The largest
 * errors of a longer search are in the comments; the limits are what analysis/vector_math_private.h promises. */
#include "tests/test.h"
#include "tests/analysis/paths.h"

#include <float.h>

#include "analysis/moments.h"
#include "analysis/random.h"
#include "analysis/vector_math_private.h"

enum { BATCH = 4096, BATCHES = 25 };

static const hsgd_vector_math_kernels *kernels(void)
{
    return HSGD_PICK_PATH(hsgd_vector_math_kernels);
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

/* x (BATCH): batch b of numbers between low and high; even spacing, or even in the exponent (then of one sign). */
static void arguments(double *x, double low, double high, bool by_exponent, uint64_t b)
{
    const hsgd_stream stream = {11, HSGD_PURPOSE_USER, 5, b};
    for (size_t i = 0; i < BATCH; i++) {
        double u = (double)hsgd_uniform_53_bits(&stream, i) * 0x1p-53;
        x[i] = by_exponent ? copysign(exp2((1 - u) * log2(fabs(low)) + u * log2(fabs(high))), low)
                           : low + (high - low) * u;
    }
}

typedef void array_function(const double *x, double *out, size_t count);

static void check_worst(array_function *f, long double (*exact)(long double), double low, double high, bool by_exponent,
                        double limit, int line)
{
    static double x[BATCH], out[BATCH];
    double largest = 0, at = 0;
    for (uint64_t b = 0; b < BATCHES; b++) {
        arguments(x, low, high, by_exponent, b);
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
        print_message("line %d, %s: %.3f ulp at %a\n", line, path_name[hsgd_vector_path()], largest, at);
    if (largest <= limit)
        return;
    print_error("%s: %.3f ulp at %a, expected at most %g\n", path_name[hsgd_vector_path()], largest, at, limit);
    _fail(__FILE__, line);
}
#define assert_accurate(f, exact, low, high, by_exponent, limit)                                                       \
    check_worst((f), (exact), (low), (high), (by_exponent), (limit), __LINE__)

static void exp_is_accurate(void **state)
{
    (void)state;
    for_each_path(path)
    {
        array_function *f = kernels()->exp;
        assert_accurate(f, expl, -1, 1, false, 1);
        assert_accurate(f, expl, -708, 709.78, false, 1);
        assert_accurate(f, expl, -750, -708, false, 1);
        assert_accurate(f, expl, 1e-20, 1, true, 1);
        assert_accurate(f, expl, -1e-20, -1, true, 1);
        assert_accurate(f, expl, 0x1p-1074, 0x1p1023, true, 1);
        assert_accurate(f, expl, -0x1p-1074, -0x1p1023, true, 1);
    }
}

static void log_is_accurate(void **state)
{
    (void)state;
    for_each_path(path)
    {
        array_function *f = kernels()->log;
        assert_accurate(f, logl, 0x1p-1022, 0x1p1023, true, 1);
        assert_accurate(f, logl, 0x1p-1074, 0x1p-1022, true, 1);
        assert_accurate(f, logl, 0, 1, false, 1);
        assert_accurate(f, logl, 0.5, 2, false, 1);
        assert_accurate(f, logl, 1 - 0x1p-20, 1 + 0x1p-20, false, 1);
        assert_accurate(f, logl, -1e-20, -1e20, true, 0); /* NaN */
    }
}

static void log1p_is_accurate(void **state)
{
    (void)state;
    for_each_path(path)
    {
        array_function *f = kernels()->log1p;
        assert_accurate(f, log1pl, 0x1p-1074, 0x1p1023, true, 1);
        assert_accurate(f, log1pl, 0, 1, false, 1);
        assert_accurate(f, log1pl, 1e-20, 10, true, 1);
        assert_accurate(f, log1pl, -0x1p-1074, -1, true, 1);
        assert_accurate(f, log1pl, -1, 3, false, 1);
        assert_accurate(f, log1pl, -1.0 - 0x1p-52, -1e300, true, 0); /* NaN */
        f = kernels()->log1p_unit;
        assert_accurate(f, log1pl, 0, 1, false, 1);
        assert_accurate(f, log1pl, 0.4, 0.51, false, 1);
        assert_accurate(f, log1pl, 0x1p-1074, 1, true, 1);
        double ends[5] = {0, 0.5, 1, NAN, 0.5 + 0x1p-53}, y[5];
        f(ends, y, 5);
        assert_true(y[0] == 0 && !signbit(y[0]) && isnan(y[3]));
        for (size_t i = 0; i < 5; i++)
            assert_at_most(ulps(y[i], log1pl(ends[i])), 1, 0);
    }
}

/* ---- arguments at which something special happens ---- */

static void special_arguments(void **state)
{
    (void)state;
    const double x[] = {0.0,
                        -0.0,
                        1,
                        -1,
                        INFINITY,
                        -INFINITY,
                        NAN,
                        0x1p-1074,
                        -0x1p-1074,
                        0x1p-1022,
                        -0x1p-1022,
                        DBL_MAX,
                        -DBL_MAX,
                        1 + 0x1p-52,
                        1 - 0x1p-53,
                        0x1p-54,
                        -0x1p-54,
                        0x1p-53,
                        710,
                        709.78271289338397,
                        709.78271289338409,
                        -745.13321910194111,
                        -745.13321910194122,
                        -746,
                        -1 + 0x1p-53,
                        -1 - 0x1p-52,
                        M_SQRT2,
                        M_SQRT1_2};
    enum { COUNT = sizeof x / sizeof *x };
    double y[COUNT];
    for_each_path(path)
    {
        kernels()->exp(x, y, COUNT);
        for (size_t i = 0; i < COUNT; i++)
            assert_at_most(ulps(y[i], expl(x[i])), 1, 0);
        kernels()->log(x, y, COUNT);
        for (size_t i = 0; i < COUNT; i++)
            assert_at_most(ulps(y[i], logl(x[i])), 1, 0);
        kernels()->log1p(x, y, COUNT);
        for (size_t i = 0; i < COUNT; i++) {
            assert_at_most(ulps(y[i], log1pl(x[i])), 1, 0);
            assert_true(isnan(y[i]) || !signbit(y[i]) == !signbit(x[i])); /* zeros too */
        }
    }
}

/* ---- the same bits on every path, for all counts and places ---- */

static void same_bits_on_every_path(void **state)
{
    (void)state;
    enum { MOST = 41, FUNCTIONS = 4, GUARD = 20 };
    static double x[BATCH], portable[FUNCTIONS][BATCH], all[BATCH], out[MOST + GUARD];
    arguments(x, -30, 40, false, 99);
    for_each_path(path)
    {
        array_function *const f[FUNCTIONS] = {kernels()->exp, kernels()->log, kernels()->log1p, kernels()->log1p_unit};
        for (size_t i = 0; i < FUNCTIONS; i++) {
            f[i](x, path == HSGD_PATH_PORTABLE ? portable[i] : all, BATCH);
            if (path != HSGD_PATH_PORTABLE)
                assert_memory_equal(all, portable[i], sizeof all); /* NaN too */
            for (size_t first = 0; first < 9; first++)
                for (size_t count = 0; count <= MOST; count++) {
                    for (size_t j = 0; j < MOST + GUARD; j++)
                        out[j] = -99.5;
                    f[i](x + first, out + first % 5, count);
                    assert_memory_equal(out + first % 5, portable[i] + first, count * sizeof *out);
                    for (size_t j = first % 5 + count; j < MOST + GUARD; j++)
                        assert_true(out[j] == -99.5); /* nothing past the end */
                }
        }
    }
}

static void paths_are_what_they_claim(void **state)
{
    (void)state;
    const int lanes[] = {2, 4, 8};
    for_each_path(path)
    {
        assert_true(kernels()->lanes >= lanes[path]); /* more, if CFLAGS allow it */
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(exp_is_accurate),         cmocka_unit_test(log_is_accurate),
        cmocka_unit_test(log1p_is_accurate),       cmocka_unit_test(special_arguments),
        cmocka_unit_test(same_bits_on_every_path), cmocka_unit_test(paths_are_what_they_claim),
    };
    return cmocka_run_group_tests_name("vector", tests, NULL, NULL);
}
