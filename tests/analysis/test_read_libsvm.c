/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/test.h"

#include "analysis/dataset.h"
#include "analysis/dataset_private.h"
#include "tests/temp_files.h"

static hsgd_status read_text_of(hsgd_dataset *data, const char *text, size_t size, hsgd_error *err)
{
    temp_folder temp;
    temp_open(&temp);
    hsgd_status status = hsgd_dataset_read_libsvm(data, temp_write(&temp, "data", text, size), err);
    temp_close(&temp);
    return status;
}

static hsgd_status read_text(hsgd_dataset *data, const char *text, hsgd_error *err)
{
    return read_text_of(data, text, strlen(text), err);
}

/* Everything the format allows at once: comments, blank lines, tabs, a Windows line end, a sample without features, an
 * explicit zero, leading zeros, exponents, no newline at the end. */
static void reads_what_the_format_allows(void **state)
{
    (void)state;
    hsgd_error err;
    hsgd_dataset data;
    assert_ok(read_text(&data,
                        "# a comment\n"
                        "+1 1:0.5\t3:-2e-3 # the rest is a comment 9:9\n"
                        "   \n"
                        "-1\r\n"
                        " 2.5 002:1e2 7:0 8:+.25  \n"
                        "-1 1:7",
                        &err),
              err);
    assert_int_equal(data.num_samples, 4);
    assert_int_equal(data.num_features, 8);
    assert_int_equal(data.num_classes, 3);
    const size_t row_start[] = {0, 2, 2, 5, 6};
    const uint32_t column[] = {0, 2, 1, 6, 7, 0}, label[] = {1, 0, 2, 0};
    const double value[] = {0.5, -2e-3, 1e2, 0, 0.25, 7}, class_value[] = {-1, 1, 2.5};
    assert_null(data.dense);
    assert_memory_equal(data.row_start, row_start, sizeof row_start);
    assert_memory_equal(data.column, column, sizeof column);
    assert_memory_equal(data.value, value, sizeof value);
    assert_memory_equal(data.label, label, sizeof label);
    assert_memory_equal(data.class_value, class_value, sizeof class_value);
    hsgd_dataset_free(&data);
}

typedef struct bad_text {
    const char *text, *message;
} bad_text;

static const bad_text bad_texts[] = {
    {"", "no samples"},
    {"# only\n\n# comments\n", "no samples"},
    {"1\n2\n", "none of the 2 samples has a feature"},
    {"1 1:1\n\nabc 1:1\n", "line 3: the label \"abc\""},
    {"nan 1:1\n", "line 1: the label \"nan\""},
    {"inf 1:1\n", "line 1: the label \"inf\""},
    {"1e999 1:1\n", "line 1: the label \"1e999\""},
    {"1,2 1:1\n", "line 1: the label \"1,2\""},
    {"1:1 2:1\n", "line 1: the label \"1:1\""},
    {"1 5\n", "line 1: \"5\" has no colon"},
    {"1 1:1 qid:3\n", "line 1: the index \"qid\""},
    {"1 0:1\n", "line 1: the index \"0\""},
    {"1 -3:1\n", "line 1: the index \"-3\""},
    {"1 1.5:1\n", "line 1: the index \"1.5\""},
    {"1 :1\n", "line 1: the index \"\""},
    {"1 2147483649:1\n", "line 1: the index \"2147483649\" is not a whole number in 1..2147483648"},
    {"1 18446744073709551617:1\n", "line 1: the index \"18446744073709551617\""},
    {"1 1:1\n1 4:1 3:1\n", "line 2: index 3 comes after index 4"},
    {"1 4:1 4:2\n", "line 1: index 4 comes after index 4"},
    {"1 4:\n", "line 1: the value \"\" of index 4"},
    {"1 4: 5\n", "line 1: the value \"\" of index 4"},
    {"1 4:x\n", "line 1: the value \"x\" of index 4"},
    {"1 4:0x1p3\n", "line 1: the value \"0x1p3\" of index 4"},
    {"1 4:1:2\n", "line 1: the value \"1:2\" of index 4"},
    {"1 4:nan\n", "line 1: the value \"nan\" of index 4"},
    {"1 4:-inf\n", "line 1: the value \"-inf\" of index 4"},
    {"1 4:1e400\n", "line 1: the value \"1e400\" of index 4"},
    {"1 4:1e\n", "line 1: the value \"1e\" of index 4"},
    {"1 4:1-2\n", "line 1: the value \"1-2\" of index 4"},
    {"1 4:.\n", "line 1: the value \".\" of index 4"},
};

static void malformed_lines_are_named(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof bad_texts / sizeof *bad_texts; i++) {
        hsgd_error err;
        hsgd_dataset data;
        assert_fails(read_text(&data, bad_texts[i].text, &err), HSGD_ERROR_INPUT, bad_texts[i].message, err);
        assert_non_null(strstr(err.message, "hsgd-test-")); /* the file is named */
        assert_null(data.value);
        assert_null(data.label);
    }
}

static void zero_bytes_and_binary_data_are_refused(void **state)
{
    (void)state;
    hsgd_error err;
    hsgd_dataset data;
    const char in_value[] = "1 1:1\n1 1:2\0003\n", in_label[] = "1\000 1:1\n";
    assert_fails(read_text_of(&data, in_value, sizeof in_value - 1, &err), HSGD_ERROR_INPUT, "line 2: the value", err);
    assert_fails(read_text_of(&data, in_label, sizeof in_label - 1, &err), HSGD_ERROR_INPUT, "line 1: the label", err);
    char every[256];
    for (int i = 0; i < 256; i++)
        every[i] = (char)(i + 128);
    assert_fails(read_text_of(&data, every, sizeof every, &err), HSGD_ERROR_INPUT, "line 1", err);
}

static void long_tokens_are_cut_in_messages(void **state)
{
    (void)state;
    hsgd_error err;
    hsgd_dataset data;
    char text[5000];
    memset(text, 'y', sizeof text);
    assert_fails(read_text_of(&data, text, sizeof text, &err), HSGD_ERROR_INPUT, "line 1: the label \"yyy", err);
    assert_true(strlen(err.message) < 500);
}

/* A cut anywhere in a legal text is either legal or refused; the sanitizers watch. */
static void every_prefix_is_handled(void **state)
{
    (void)state;
    const char *text = "+1 1:0.5\t3:-2e-3 # comment 9:9\r\n-1 2147483648:4.25\n3";
    for (size_t size = 0; size <= strlen(text); size++) {
        hsgd_error err;
        hsgd_dataset data;
        hsgd_status status = read_text_of(&data, text, size, &err);
        assert_true(status == HSGD_OK || status == HSGD_ERROR_INPUT);
        if (!status)
            assert_true(data.row_start[data.num_samples] >= 1);
        hsgd_dataset_free(&data);
    }
}

static void the_largest_index_is_legal(void **state)
{
    (void)state;
    hsgd_error err;
    hsgd_dataset data;
    assert_ok(read_text(&data, "1 2147483648:3\n", &err), err);
    assert_int_equal(data.num_features, 2147483648u);
    assert_int_equal(data.column[0], 2147483647u);
    hsgd_dataset_free(&data);
}

static void files_that_cannot_be_read(void **state)
{
    (void)state;
    hsgd_error err;
    hsgd_dataset data;
    assert_fails(hsgd_dataset_read_libsvm(&data, "/nowhere/at/all", &err), HSGD_ERROR_INPUT,
                 "/nowhere/at/all: cannot be opened: No such file", err);
    assert_fails(hsgd_dataset_read_libsvm(&data, "/tmp", &err), HSGD_ERROR_INPUT, "/tmp: is a folder; expected a file",
                 err);
    assert_int_equal(hsgd_dataset_read_libsvm(&data, "/nowhere/at/all", NULL), HSGD_ERROR_INPUT);
}

/* Long enough for several blocks, so that cuts fall into the middle of the compressed data. */
static size_t make_long_text(char *text, size_t room)
{
    size_t size = 0;
    for (int i = 0; i < 5000; i++)
        size += (size_t)snprintf(text + size, room - size, "%d %d:%.3f %d:1\n", i % 3, i % 7 + 1,
                                 0.001 * (i * 37 % 997), i % 11 + 10);
    return size;
}

static void gzip_is_read_and_damage_is_found(void **state)
{
    (void)state;
    hsgd_error err;
    hsgd_dataset data;
    static char text[1 << 18];
    size_t size = make_long_text(text, sizeof text), gzip_size;
    unsigned char *gzip = gzip_bytes(text, size, &gzip_size);
    temp_folder temp;
    temp_open(&temp);
    assert_ok(hsgd_dataset_read_libsvm(&data, temp_write(&temp, "whole.gz", gzip, gzip_size), &err), err);
    assert_int_equal(data.num_samples, 5000);
    assert_int_equal(data.row_start[5000], 10000);
    assert_close(data.value[9998], 0.001 * (4999 * 37 % 997), 1e-15);
    hsgd_dataset_free(&data);
    const size_t cuts[] = {gzip_size - 1, gzip_size - 8, gzip_size / 2, 30};
    for (size_t i = 0; i < 4; i++)
        assert_fails(hsgd_dataset_read_libsvm(&data, temp_write(&temp, "cut.gz", gzip, cuts[i]), &err),
                     HSGD_ERROR_INPUT, "cut.gz: the gzip data end too early", err);
    gzip[gzip_size / 2] ^= 0x40;
    assert_fails(hsgd_dataset_read_libsvm(&data, temp_write(&temp, "bad.gz", gzip, gzip_size), &err), HSGD_ERROR_INPUT,
                 "bad.gz: the gzip data are damaged", err);
    temp_close(&temp);
    free(gzip);
}

/* 10 MB of zeros shrink to some 10 kB; the reader stops at its limit, compressed or not. */
static void expansion_is_limited(void **state)
{
    (void)state;
    hsgd_error err;
    hsgd_file_bytes bytes;
    size_t size = 10000000, gzip_size;
    char *zeros = calloc(size, 1);
    unsigned char *gzip = gzip_bytes(zeros, size, &gzip_size);
    assert_true(gzip_size < 20000);
    temp_folder temp;
    temp_open(&temp);
    const char *path = temp_write(&temp, "bomb.gz", gzip, gzip_size);
    assert_fails(hsgd_read_file(&bytes, path, 1000000, &err), HSGD_ERROR_INPUT, "more than 1000000 bytes", err);
    assert_null(bytes.data);
    assert_ok(hsgd_read_file(&bytes, path, size, &err), err);
    assert_int_equal(bytes.size, size);
    free(bytes.data);
    temp_close(&temp);
    free(gzip);
    free(zeros);
}

/* 47236 features are those of RCV1: scaling and the intercept must not need anything like samples x features. */
static void many_features_stay_sparse(void **state)
{
    (void)state;
    hsgd_error err;
    hsgd_dataset data;
    static char text[1 << 20];
    size_t size = 0;
    for (int i = 0; i < 20000; i++)
        size += (size_t)snprintf(text + size, sizeof text - size, "%d %d:0.5 47236:%d\n", i % 2, i % 47235 + 1, i + 1);
    assert_ok(read_text_of(&data, text, size, &err), err);
    assert_int_equal(data.num_features, 47236);
    assert_ok(hsgd_dataset_scale(&data, NULL, HSGD_SCALING_MAX_ABS, &err), err);
    assert_close(data.value[0], 1, 0);
    assert_close(data.value[2 * 9999 + 1], 0.5, 1e-15);
    assert_ok(hsgd_dataset_add_intercept(&data, &err), err);
    assert_int_equal(data.row_start[20000], 60000);
    assert_close(hsgd_dataset_row_norm_sq(&data, 9999), 2.25, 1e-15);
    hsgd_dataset_free(&data);
}

/* Counted with python3 from the raw text: lines, lines that begin with +1, the largest index, all index:value pairs,
 * and the sum of line number times index over them. All values in the file are 1. */
static void a9a_test_set(void **state)
{
    (void)state;
    char path[4096];
    hsgd_error err;
    hsgd_dataset data;
    assert_ok(hsgd_dataset_read_libsvm(&data, data_file("a9a.t", path, sizeof path), &err), err);
    assert_int_equal(data.num_samples, 16281);
    assert_int_equal(data.num_features, 122);
    assert_int_equal(data.num_classes, 2);
    assert_close(data.class_value[0], -1, 0);
    assert_close(data.class_value[1], 1, 0);
    size_t positive = 0, checksum = 0;
    double norm_sq = 0;
    for (size_t s = 0; s < data.num_samples; s++) {
        positive += data.label[s];
        norm_sq += hsgd_dataset_row_norm_sq(&data, s);
        for (size_t i = data.row_start[s]; i < data.row_start[s + 1]; i++)
            checksum += (s + 1) * (data.column[i] + 1);
    }
    assert_int_equal(positive, 3846);
    assert_int_equal(data.row_start[data.num_samples], 225731);
    assert_close(norm_sq, 225731, 0);
    assert_int_equal(checksum, 91623829900u);
    hsgd_dataset_free(&data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_what_the_format_allows),
        cmocka_unit_test(malformed_lines_are_named),
        cmocka_unit_test(zero_bytes_and_binary_data_are_refused),
        cmocka_unit_test(long_tokens_are_cut_in_messages),
        cmocka_unit_test(every_prefix_is_handled),
        cmocka_unit_test(the_largest_index_is_legal),
        cmocka_unit_test(files_that_cannot_be_read),
        cmocka_unit_test(gzip_is_read_and_damage_is_found),
        cmocka_unit_test(expansion_is_limited),
        cmocka_unit_test(many_features_stay_sparse),
        cmocka_unit_test(a9a_test_set),
    };
    return cmocka_run_group_tests_name("read_libsvm", tests, NULL, NULL);
}
