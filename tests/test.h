/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What every test program shares: cmocka, and numeric assertions that fail on NaN and print all digits. */
#ifndef HSGD_TESTS_TEST_H
#define HSGD_TESTS_TEST_H

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "analysis/error.h"

/* A new folder for what a test writes, below TMPDIR; path has room for size bytes. */
static inline void make_folder(char *path, size_t size)
{
    const char *parent = getenv("TMPDIR");
    int length = snprintf(path, size, "%s/hsgd-test-XXXXXX", parent && *parent ? parent : "/tmp");
    assert_true(length > 0 && (size_t)length < size);
    assert_non_null(mkdtemp(path));
}

/* |got - want| <= tolerance * max(|want|, scale); written so that NaN fails. */
static inline void check_close(double got, double want, double tolerance, double scale, const char *what,
                               const char *file, int line)
{
    double allowed = tolerance * fmax(fabs(want), scale);
    if (got == want || fabs(got - want) <= allowed)
        return;
    print_error("%s = %.17g, expected %.17g (allowed difference %.3g)\n", what, got, want, allowed);
    _fail(file, line);
}

/* Relative error, and absolute error. */
#define assert_close(got, want, tolerance) check_close((got), (want), (tolerance), 0, #got, __FILE__, __LINE__)
#define assert_near(got, want, tolerance) check_close((got), (want), (tolerance), 1, #got, __FILE__, __LINE__)

/* got <= limit up to a relative tolerance; NaN fails. */
static inline void check_at_most(double got, double limit, double tolerance, const char *what, const char *file,
                                 int line)
{
    if (got <= limit + tolerance * fabs(limit))
        return;
    print_error("%s = %.17g, expected at most %.17g\n", what, got, limit);
    _fail(file, line);
}
#define assert_at_most(got, limit, tolerance) check_at_most((got), (limit), (tolerance), #got, __FILE__, __LINE__)

/* The call succeeded; its message is shown if not. */
#define assert_ok(call, err)                                                                                           \
    do {                                                                                                               \
        if ((call) != HSGD_OK) {                                                                                       \
            print_error("%s: %s\n", #call, (err).message);                                                             \
            _fail(__FILE__, __LINE__);                                                                                 \
        }                                                                                                              \
    } while (0)

/* The call failed with this status and a message that contains the text. */
#define assert_fails(call, status_wanted, text, err)                                                                   \
    do {                                                                                                               \
        assert_int_equal((call), (status_wanted));                                                                     \
        if (!strstr((err).message, (text))) {                                                                          \
            print_error("message \"%s\" lacks \"%s\"\n", (err).message, (text));                                       \
            _fail(__FILE__, __LINE__);                                                                                 \
        }                                                                                                              \
    } while (0)

/* Path of a data file in HSGD_DATA_DIR, or skip the test with a message. buffer (size). */
static inline const char *data_file(const char *name, char *buffer, size_t size)
{
    const char *dir = getenv("HSGD_DATA_DIR");
    snprintf(buffer, size, "%s/%s", dir ? dir : "../shared/data", name);
    FILE *file = fopen(buffer, "rb");
    if (!file) {
        print_message("skipped: %s is not there; set HSGD_DATA_DIR to the folder that has it\n", buffer);
        skip();
    }
    fclose(file);
    return buffer;
}

#endif
