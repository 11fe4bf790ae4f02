/* SPDX-License-Identifier: GPL-3.0-or-later */
/* CIFAR's binary files: every byte of a record lands where the format's description (Krizhevsky's page) says, and files
 * that are not made of whole records, or hold labels that do not exist, are refused with the place. */
#include "tests/temp_files.h"

#include "analysis/dataset.h"

enum { PIXELS = 3072, MOST = 2 * 3 * (2 + PIXELS) };

static hsgd_error err;

/* `records` records with the given label bytes; pixel i of record r is (7 r + 31 i) mod 256, which no shift keeps. */
static size_t make_records(unsigned char *out, const unsigned char *labels, size_t label_bytes, size_t records)
{
    for (size_t r = 0; r < records; r++) {
        memcpy(out, labels + r * label_bytes, label_bytes);
        out += label_bytes;
        for (size_t i = 0; i < PIXELS; i++)
            *out++ = (unsigned char)(7 * r + 31 * i);
    }
    return records * (label_bytes + PIXELS);
}

static hsgd_status read_bytes(hsgd_dataset *data, const void *bytes, size_t size, hsgd_cifar_labels labels)
{
    temp_folder temp;
    temp_open(&temp);
    const char *path = temp_write(&temp, "batch.bin", bytes, size);
    hsgd_status status = hsgd_dataset_read_cifar(data, &path, 1, labels, &err);
    temp_close(&temp);
    return status;
}

static void check_pixels(const hsgd_dataset *data, size_t record, size_t sample)
{
    for (size_t i = 0; i < PIXELS; i++)
        assert_int_equal(data->byte[sample * PIXELS + i], (unsigned char)(7 * record + 31 * i));
    for (size_t b = 0; b < HSGD_BYTE_VALUES; b++)
        assert_true(data->byte_value[b] == (double)b / 255.0);
}

static void cifar_10(void **state)
{
    (void)state;
    static unsigned char bytes[MOST];
    hsgd_dataset data;
    size_t size = make_records(bytes, (const unsigned char[]){9, 0, 4}, 1, 3);
    assert_ok(read_bytes(&data, bytes, size, HSGD_CIFAR_10), err);
    assert_true(data.num_samples == 3 && data.num_features == PIXELS && data.num_classes == 3 && !data.value);
    const double values[] = {0, 4, 9};
    const uint32_t labels[] = {2, 0, 1};
    assert_memory_equal(data.class_value, values, sizeof values);
    assert_memory_equal(data.label, labels, sizeof labels);
    for (size_t r = 0; r < 3; r++)
        check_pixels(&data, r, r);
    hsgd_dataset_free(&data);
}

/* The coarse label comes first in a record, the fine one second. */
static void cifar_100_has_two_labels(void **state)
{
    (void)state;
    static unsigned char bytes[MOST];
    hsgd_dataset data;
    size_t size = make_records(bytes, (const unsigned char[]){19, 99, 3, 57}, 2, 2);
    assert_ok(read_bytes(&data, bytes, size, HSGD_CIFAR_100_FINE), err);
    assert_true(data.num_classes == 2 && data.class_value[0] == 57 && data.class_value[1] == 99);
    check_pixels(&data, 1, 1);
    hsgd_dataset_free(&data);
    assert_ok(read_bytes(&data, bytes, size, HSGD_CIFAR_100_COARSE), err);
    assert_true(data.class_value[0] == 3 && data.class_value[1] == 19 && data.label[0] == 1);
    check_pixels(&data, 0, 0);
    hsgd_dataset_free(&data);
}

static void several_files_plain_and_gzip(void **state)
{
    (void)state;
    static unsigned char first[MOST], second[MOST];
    temp_folder temp;
    hsgd_dataset data;
    size_t gzip_size, first_size = make_records(first, (const unsigned char[]){1, 2}, 1, 2);
    size_t second_size = make_records(second, (const unsigned char[]){7}, 1, 1);
    unsigned char *gzip = gzip_bytes(second, second_size, &gzip_size);
    temp_open(&temp);
    const char *path[] = {temp_write(&temp, "data_batch_1.bin", first, first_size),
                          temp_write(&temp, "data_batch_2.bin.gz", gzip, gzip_size)};
    assert_ok(hsgd_dataset_read_cifar(&data, path, 2, HSGD_CIFAR_10, &err), err);
    assert_true(data.num_samples == 3 && data.class_value[data.label[2]] == 7 && data.class_value[data.label[1]] == 2);
    check_pixels(&data, 0, 2);
    hsgd_dataset_free(&data);
    assert_fails(hsgd_dataset_read_cifar(&data, path, 0, HSGD_CIFAR_10, &err), HSGD_ERROR_INPUT, "at least one file",
                 err);
    path[1] = "/nowhere/batch";
    assert_fails(hsgd_dataset_read_cifar(&data, path, 2, HSGD_CIFAR_10, &err), HSGD_ERROR_INPUT,
                 "/nowhere/batch: cannot be opened", err);
    assert_null(data.byte);
    free(gzip);
    temp_close(&temp);
}

static void lengths_are_whole_records(void **state)
{
    (void)state;
    static unsigned char bytes[MOST];
    hsgd_dataset data;
    size_t size = make_records(bytes, (const unsigned char[]){1, 2, 3}, 1, 3);
    for (int change = -1; change <= 1; change += 2)
        assert_fails(read_bytes(&data, bytes, size + (size_t)change, HSGD_CIFAR_10), HSGD_ERROR_INPUT,
                     "not a positive multiple of the 3073 of a CIFAR-10 record", err);
    assert_fails(read_bytes(&data, bytes, 0, HSGD_CIFAR_10), HSGD_ERROR_INPUT, "batch.bin: 0 bytes", err);
    assert_null(strstr(err.message, "(CIFAR"));
    assert_fails(read_bytes(&data, bytes, size, HSGD_CIFAR_100_FINE), HSGD_ERROR_INPUT, "it has no \"labels\"", err);
    assert_fails(read_bytes(&data, bytes, 2 * 3074, HSGD_CIFAR_10), HSGD_ERROR_INPUT, "it needs \"labels\"", err);
}

/* The largest label of each kind is legal, the next one is not; the message counts bytes of the file, from 1. */
static void labels_are_in_range(void **state)
{
    (void)state;
    static unsigned char bytes[MOST];
    hsgd_dataset data;
    size_t size = make_records(bytes, (const unsigned char[]){9, 10}, 1, 2);
    assert_fails(read_bytes(&data, bytes, size, HSGD_CIFAR_10), HSGD_ERROR_INPUT,
                 "byte 3074: the label 10 is not in 0..9 of CIFAR-10", err);
    size = make_records(bytes, (const unsigned char[]){19, 99, 20, 99, 19, 100}, 2, 3);
    assert_fails(read_bytes(&data, bytes, size, HSGD_CIFAR_100_COARSE), HSGD_ERROR_INPUT, "byte 3075: the label 20",
                 err);
    assert_fails(read_bytes(&data, bytes, size, HSGD_CIFAR_100_FINE), HSGD_ERROR_INPUT, "byte 6150: the label 100",
                 err);
    assert_ok(read_bytes(&data, bytes, 3074, HSGD_CIFAR_100_FINE), err);
    hsgd_dataset_free(&data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cifar_10),
        cmocka_unit_test(cifar_100_has_two_labels),
        cmocka_unit_test(several_files_plain_and_gzip),
        cmocka_unit_test(lengths_are_whole_records),
        cmocka_unit_test(labels_are_in_range),
    };
    return cmocka_run_group_tests_name("read_cifar", tests, NULL, NULL);
}
