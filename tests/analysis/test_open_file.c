/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What is opened is a file, standard input or the pipe of a shell; what would block for ever or never end is refused at once. */
#include "tests/temp_files.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "analysis/gzip_file.h"
#include "analysis/open_file.h"

static hsgd_error err;

/* Its first byte; blocks for what blocks. */
static char first_byte(const char *path)
{
    char byte = 0;
    int file = -1;
    assert_ok(hsgd_open_file(&file, path, &err), err);
    assert_int_equal(fcntl(file, F_GETFL) & O_NONBLOCK, 0);
    assert_int_equal(read(file, &byte, 1), 1);
    close(file);
    return byte;
}

static void refused(const char *path, const char *message)
{
    char expected[TEMP_PATH + 100];
    int file = -7;
    alarm(10); /* the default action ends a test that blocks */
    snprintf(expected, sizeof expected, "%s: %s", path, message);
    assert_fails(hsgd_open_file(&file, path, &err), HSGD_ERROR_INPUT, expected, err);
    assert_int_equal(file, -7);
    alarm(0);
}

static void files_and_pipes(void **state)
{
    (void)state;
    temp_folder temp;
    char path[64];
    int ends[2], input = dup(0);
    temp_open(&temp);
    assert_int_equal(first_byte(temp_write(&temp, "a b", "x", 1)), 'x');
    assert_true(pipe(ends) == 0 && write(ends[1], "yz", 2) == 2);
    snprintf(path, sizeof path, "/dev/fd/%d", ends[0]);
    assert_int_equal(first_byte(path), 'y');
    dup2(ends[0], 0);
    assert_int_equal(first_byte("/dev/stdin"), 'z');
    close(0);
    assert_int_equal(open("/dev/zero", O_RDONLY), 0);
    assert_int_equal(first_byte("/dev/stdin"), 0); /* a device, as a terminal is */
    dup2(input, 0);
    close(ends[0]), close(ends[1]), close(input);
    temp_close(&temp);
}

static void anything_else(void **state)
{
    (void)state;
    temp_folder temp;
    char path[TEMP_PATH];
    temp_open(&temp);
    refused(temp.folder, "is a folder; expected a file");
    snprintf(path, sizeof path, "%s/pipe", temp.folder);
    assert_int_equal(mkfifo(path, 0600), 0);
    refused(path, "is a named pipe; expected a file");
    unlink(path);
    snprintf(path, sizeof path, "%s/link", temp.folder);
    assert_int_equal(symlink("/dev/zero", path), 0);
    refused(path, "is a device; expected a file");
    unlink(path);
    refused(path, "cannot be opened: No such file or directory");
    temp_close(&temp);
}

/* Bytes that expand from a file of so many members, each of 1 MiB zeros, until it ends or is refused. */
static double expand(const unsigned char *member, size_t size, size_t members, hsgd_status *status)
{
    temp_folder temp;
    hsgd_gzip_file *file;
    static unsigned char piece[1 << 20];
    double bytes = 0;
    size_t got = 1;
    unsigned char *all = malloc(members * size);
    assert_non_null(all);
    for (size_t i = 0; i < members; i++)
        memcpy(all + i * size, member, size);
    temp_open(&temp);
    assert_ok(hsgd_gzip_open(&file, temp_write(&temp, "zeros.gz", all, members * size), &err), err);
    for (*status = HSGD_OK; !*status && got; bytes += (double)got)
        *status = hsgd_gzip_read(piece, &got, file, sizeof piece, &err);
    hsgd_gzip_close(file);
    temp_close(&temp);
    free(all);
    return bytes;
}

/* 1 KB for each MB: everything up to 256 MB, then an end, whoever asks for how much at once. */
static void bombs(void **state)
{
    (void)state;
    size_t size, megabyte = 1 << 20;
    hsgd_status status;
    unsigned char *zeros = calloc(megabyte, 1), *member = gzip_bytes(zeros, megabyte, &size);
    assert_true(size < megabyte / HSGD_MAX_EXPANSION);
    assert_true(expand(member, size, 256, &status) == 256.0 * (double)megabyte && status == HSGD_OK);
    assert_true(expand(member, size, 300, &status) <= 258.0 * (double)megabyte);
    assert_int_equal(status, HSGD_ERROR_INPUT);
    assert_non_null(strstr(err.message, "at most 200 times their size"));
    free(zeros);
    free(member);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(files_and_pipes),
        cmocka_unit_test(anything_else),
        cmocka_unit_test(bombs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
