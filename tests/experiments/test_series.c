/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The CSV reader behind `hsgd plot`: people edit these files. */
#include "tests/temp_files.h"

#include <errno.h>

#include "analysis/open_file.h"
#include "experiments/series_private.h"

static hsgd_error err;

static const char *write_text(const char *text)
{
    return temp_write(temp_shared(), "s.csv", text, strlen(text));
}

static void columns_by_name(void **state)
{
    (void)state;
    hsgd_series s;
    assert_ok(hsgd_series_read(&s, write_text("step,loss,x\n0,1.5,nan\n7,-2e-310,inf\n9,0x10,-inf"), &err), err);
    assert_int_equal(s.num_columns, 3);
    assert_int_equal(s.num_rows, 3);
    const double *step = hsgd_series_column(&s, "step"), *loss = hsgd_series_column(&s, "loss");
    assert_true(step[0] == 0 && step[1] == 7 && step[2] == 9);
    assert_true(loss[0] == 1.5 && loss[1] == -2e-310 && loss[2] == 16);
    assert_true(isnan(hsgd_series_column(&s, "x")[0]) && hsgd_series_column(&s, "x")[2] == -INFINITY);
    assert_null(hsgd_series_column(&s, "los"));
    assert_null(hsgd_series_column(&s, ""));
    hsgd_series_free(&s);
}

static void line_ends_of_other_systems(void **state)
{
    (void)state;
    hsgd_series s;
    assert_ok(hsgd_series_read(&s, write_text("a,b\r\n1,2\r\n3,4\r\n"), &err), err);
    assert_non_null(hsgd_series_column(&s, "b"));
    assert_true(s.num_rows == 2 && hsgd_series_column(&s, "b")[1] == 4);
    hsgd_series_free(&s);
}

/* More rows than the reader's first allocation. */
static void many_rows(void **state)
{
    (void)state;
    enum { ROWS = 3000 };
    char *text = malloc(ROWS * 24 + 8), *end = text + sprintf(text, "i,j\n");
    for (int i = 0; i < ROWS; i++)
        end += sprintf(end, "%d,%d\n", i, -3 * i);
    hsgd_series s;
    assert_ok(hsgd_series_read(&s, write_text(text), &err), err);
    assert_int_equal(s.num_rows, ROWS);
    for (int i = 0; i < ROWS; i++)
        assert_true(hsgd_series_column(&s, "j")[i] == -3 * i);
    hsgd_series_free(&s);
    free(text);
}

/* ---- a disk that fails ---- */

/* Stands between the reader and the file: a text of which so many bytes can be read; NULL: the file itself. */
static const char *broken_text;
static size_t readable;

static ssize_t read_some(void *at, char *out, size_t size)
{
    size_t *done = at, left = readable - *done;
    if (left == 0) {
        errno = EIO;
        return -1;
    }
    size = size < left ? size : left;
    memcpy(out, broken_text + *done, size);
    *done += size;
    return (ssize_t)size;
}

hsgd_status __real_hsgd_open_stream(FILE **stream, const char *path, hsgd_error *error);
hsgd_status __wrap_hsgd_open_stream(FILE **stream, const char *path, hsgd_error *error);

hsgd_status __wrap_hsgd_open_stream(FILE **stream, const char *path, hsgd_error *error)
{
    static size_t done;
    done = 0;
    if (!broken_text)
        return __real_hsgd_open_stream(stream, path, error);
    *stream = fopencookie(&done, "r", (cookie_io_functions_t){.read = read_some});
    assert_non_null(*stream);
    return HSGD_OK;
}

/* Wherever it fails, in a name, in a number whose beginning is one, or between lines: what was read is not all. */
static void a_file_that_breaks_off_is_no_series(void **state)
{
    (void)state;
    hsgd_series s;
    broken_text = "step,loss\n0,1.25\n7,2.125\n";
    for (readable = 0; readable <= strlen(broken_text); readable++)
        assert_fails(hsgd_series_read(&s, "there.csv", &err), HSGD_ERROR_ENVIRONMENT,
                     "there.csv: cannot be read: Input/output error", err);
    broken_text = NULL;
}

static void mistakes_have_a_place(void **state)
{
    (void)state;
    static const struct {
        const char *text, *message;
    } bad[] = {{"", "line 1: expected the names"},
               {"\n1\n", "line 1: expected the names"},
               {"a,b\n", "no row"},
               {"a,b\n1\n", "line 2, column 2: expected 2 numbers"},
               {"a,b\n1,2\n1,2,3\n", "line 3, column 3"},
               {"a,b\n1,x\n", "line 2, column 2"},
               {"a,b\n1,\n", "line 2, column 2"},
               {"a,b\n,1\n", "line 2, column 1"},
               {"a,b\n1,2\n\n", "line 3, column 1"},
               {"a,b\n1,2 3\n", "line 2, column 2"},
               {"a\n1;2\n", "line 2, column 1"}};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        hsgd_series s;
        const char *path = write_text(bad[i].text);
        assert_fails(hsgd_series_read(&s, path, &err), HSGD_ERROR_INPUT, bad[i].message, err);
        assert_int_equal(strncmp(err.message, path, strlen(path)), 0);
        assert_null(s.name);
        assert_null(s.value);
    }
}

static void files_that_cannot_be_read(void **state)
{
    (void)state;
    hsgd_series s;
    assert_fails(hsgd_series_read(&s, "/no/such.csv", &err), HSGD_ERROR_INPUT, "/no/such.csv: cannot be opened", err);
    assert_fails(hsgd_series_read(&s, "/tmp", &err), HSGD_ERROR_INPUT, "/tmp: is a folder; expected a file", err);
    hsgd_series_free(NULL);
}

/* A zero byte ends a C string, not a line: what follows it must not be dropped in silence. */
static void zero_bytes(void **state)
{
    (void)state;
    hsgd_series s;
    const char text[] = "a,b\n1,2\0003\n";
    const char *path = temp_write(temp_shared(), "s.csv", text, sizeof text - 1);
    assert_fails(hsgd_series_read(&s, path, &err), HSGD_ERROR_INPUT, "line 2, column 2", err);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(columns_by_name),
        cmocka_unit_test(line_ends_of_other_systems),
        cmocka_unit_test(many_rows),
        cmocka_unit_test(a_file_that_breaks_off_is_no_series),
        cmocka_unit_test(mistakes_have_a_place),
        cmocka_unit_test(files_that_cannot_be_read),
        cmocka_unit_test(zero_bytes),
    };
    return cmocka_run_group_tests_name("series", tests, temp_open_shared, temp_close_shared);
}
