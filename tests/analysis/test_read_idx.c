/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/test.h"

#include "analysis/dataset.h"
#include "tests/temp_files.h"

/* Three images of 2 x 2 pixels and their labels, written by hand. */
enum { IMAGE_BYTES = 16 + 12, LABEL_BYTES = 8 + 3 };
static const unsigned char good_images[IMAGE_BYTES] = {0, 0, 8, 3,  0,   0,   0, 3, 0, 0, 0,   2,   0,   0,
                                                       0, 2, 0, 51, 102, 255, 1, 2, 3, 4, 255, 254, 253, 252};
static const unsigned char good_labels[LABEL_BYTES] = {0, 0, 8, 1, 0, 0, 0, 3, 9, 0, 255};

static hsgd_status read_pair(hsgd_dataset *data, const void *images, size_t image_bytes, const void *labels,
                             size_t label_bytes, hsgd_error *err)
{
    temp_folder temp;
    temp_open(&temp);
    const char *image_path = temp_write(&temp, "images", images, image_bytes);
    hsgd_status status = hsgd_dataset_read_idx(data, image_path, temp_write(&temp, "labels", labels, label_bytes), err);
    temp_close(&temp);
    return status;
}

static void check_good(const hsgd_dataset *data)
{
    assert_int_equal(data->num_samples, 3);
    assert_int_equal(data->num_features, 4);
    assert_int_equal(data->num_classes, 3);
    assert_true(!data->value && !data->dense);
    for (size_t i = 0; i < 12; i++)
        assert_true(data->byte[i] == good_images[16 + i] && data->byte_value[data->byte[i]] == data->byte[i] / 255.0);
    assert_close(data->byte_value[data->byte[1]], 0.2, 1e-15);
    const double class_value[] = {0, 9, 255};
    const uint32_t label[] = {1, 0, 2};
    assert_memory_equal(data->class_value, class_value, sizeof class_value);
    assert_memory_equal(data->label, label, sizeof label);
}

static void reads_a_pair_of_files(void **state)
{
    (void)state;
    hsgd_error err;
    hsgd_dataset data;
    assert_ok(read_pair(&data, good_images, IMAGE_BYTES, good_labels, LABEL_BYTES, &err), err);
    check_good(&data);
    hsgd_dataset_free(&data);
}

static void reads_gzip(void **state)
{
    (void)state;
    hsgd_error err;
    hsgd_dataset data;
    size_t size;
    unsigned char *gzip = gzip_bytes(good_images, IMAGE_BYTES, &size);
    assert_ok(read_pair(&data, gzip, size, good_labels, LABEL_BYTES, &err), err);
    check_good(&data);
    hsgd_dataset_free(&data);
    assert_fails(read_pair(&data, gzip, size - 3, good_labels, LABEL_BYTES, &err), HSGD_ERROR_INPUT, "end too early",
                 err);
    gzip[size - 6] ^= 1; /* the checksum */
    assert_fails(read_pair(&data, gzip, size, good_labels, LABEL_BYTES, &err), HSGD_ERROR_INPUT, "damaged", err);
    free(gzip);
}

/* Every cut of either file is refused with the file and a reason; nothing is left behind. */
static void truncation_is_found_everywhere(void **state)
{
    (void)state;
    hsgd_error err;
    hsgd_dataset data;
    for (size_t size = 0; size < IMAGE_BYTES; size++) {
        assert_fails(read_pair(&data, good_images, size, good_labels, LABEL_BYTES, &err), HSGD_ERROR_INPUT,
                     size < 16 ? "the header alone has 16" : "the file is truncated", err);
        assert_non_null(strstr(err.message, "/images: "));
        assert_null(data.byte);
    }
    for (size_t size = 0; size < LABEL_BYTES; size++) {
        assert_fails(read_pair(&data, good_images, IMAGE_BYTES, good_labels, size, &err), HSGD_ERROR_INPUT,
                     size < 8 ? "the header alone has 8" : "the file is truncated", err);
        assert_non_null(strstr(err.message, "/labels: "));
    }
}

/* The good image file with one byte of its header replaced, and perhaps one byte appended. */
static hsgd_status read_changed(hsgd_dataset *data, size_t at, unsigned char byte, bool append, hsgd_error *err)
{
    unsigned char changed[IMAGE_BYTES + 1] = {0};
    memcpy(changed, good_images, IMAGE_BYTES);
    changed[at] = byte;
    return read_pair(data, changed, IMAGE_BYTES + append, good_labels, LABEL_BYTES, err);
}

static void headers_that_lie(void **state)
{
    (void)state;
    hsgd_error err;
    hsgd_dataset data;
    assert_fails(read_changed(&data, 3, 1, false, &err), HSGD_ERROR_INPUT,
                 "magic number 0x00000801 (IDX labels); expected 0x00000803 (IDX images)", err);
    assert_fails(read_changed(&data, 2, 13, false, &err), HSGD_ERROR_INPUT, "0x00000d03 (IDX of another kind)", err);
    assert_fails(read_changed(&data, 0, 0x89, false, &err), HSGD_ERROR_INPUT, "0x89000803 (not IDX)", err);
    assert_fails(read_changed(&data, 0, 0, true, &err), HSGD_ERROR_INPUT,
                 "declares 3 items of 2 x 2 bytes, 12 in all, but 13 follow (there are trailing bytes)", err);
    assert_fails(read_changed(&data, 7, 2, false, &err), HSGD_ERROR_INPUT, "trailing bytes", err);
    assert_fails(read_changed(&data, 7, 4, false, &err), HSGD_ERROR_INPUT, "16 in all, but 12 follow", err);
    for (size_t at = 7; at <= 15; at += 4)
        assert_fails(read_changed(&data, at, 0, false, &err), HSGD_ERROR_INPUT, "none may be 0", err);
    for (size_t at = 4; at <= 12; at += 4) /* 2^31 of something: must not be allocated */
        assert_fails(read_changed(&data, at, 128, false, &err), HSGD_ERROR_INPUT, "the file is truncated", err);
}

/* 2^32 - 1 in every dimension: the product has 96 bits. 65536^3 x 65536 wraps to 0 in 64 bits. */
static void sizes_that_overflow(void **state)
{
    (void)state;
    hsgd_error err;
    hsgd_dataset data;
    unsigned char images[16] = {0, 0, 8, 3};
    memset(images + 4, 255, 12);
    assert_fails(read_pair(&data, images, 16, good_labels, LABEL_BYTES, &err), HSGD_ERROR_INPUT,
                 "4294967295 x 4294967295", err);
    const unsigned char wraps[16] = {0, 0, 8, 3, 1, 0, 0, 0, 0, 1, 0, 0, 1, 0, 0, 0}; /* 2^24, 2^16, 2^24 */
    assert_fails(read_pair(&data, wraps, 16, good_labels, LABEL_BYTES, &err), HSGD_ERROR_INPUT, "truncated", err);
}

static void counts_must_match(void **state)
{
    (void)state;
    hsgd_error err;
    hsgd_dataset data;
    const unsigned char two[] = {0, 0, 8, 1, 0, 0, 0, 2, 9, 0};
    assert_fails(read_pair(&data, good_images, IMAGE_BYTES, two, sizeof two, &err), HSGD_ERROR_INPUT, "has 3 images",
                 err);
    assert_non_null(strstr(err.message, "labels has 2 labels"));
    const unsigned char none[] = {0, 0, 8, 1, 0, 0, 0, 0};
    assert_fails(read_pair(&data, good_images, IMAGE_BYTES, none, sizeof none, &err), HSGD_ERROR_INPUT, "0 items", err);
    assert_fails(read_pair(&data, good_labels, LABEL_BYTES, good_images, IMAGE_BYTES, &err), HSGD_ERROR_INPUT,
                 "(IDX labels); expected 0x00000803", err);
}

static void missing_files_are_named(void **state)
{
    (void)state;
    hsgd_error err;
    hsgd_dataset data;
    assert_fails(hsgd_dataset_read_idx(&data, "/nowhere/images", "/nowhere/labels", &err), HSGD_ERROR_INPUT,
                 "/nowhere/images: cannot be opened: No such file", err);
}

/* Computed with python3 (gzip, struct) from the raw files: sizes, label counts, first labels, the sum of all pixels,
 * the sums of squares of the first and the last image. */
static void mnist_test_set(void **state)
{
    (void)state;
    char images[4096], labels[4096];
    hsgd_error err;
    hsgd_dataset data;
    data_file("t10k-images-idx3-ubyte.gz", images, sizeof images);
    data_file("t10k-labels-idx1-ubyte.gz", labels, sizeof labels);
    assert_ok(hsgd_dataset_read_idx(&data, images, labels, &err), err);
    assert_int_equal(data.num_samples, 10000);
    assert_int_equal(data.num_features, 784);
    assert_int_equal(data.num_classes, 10);
    const size_t counts[] = {980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009};
    const uint32_t first[] = {7, 2, 1, 0, 4, 1, 4, 9, 5, 9};
    size_t seen[10] = {0};
    for (size_t s = 0; s < 10000; s++)
        seen[data.label[s]]++;
    assert_memory_equal(seen, counts, sizeof counts);
    assert_memory_equal(data.label, first, sizeof first);
    double sum = 0;
    for (size_t i = 0; i < 7840000; i++)
        sum += data.byte_value[data.byte[i]];
    assert_close(sum, 264923200 / 255.0, 1e-10);
    assert_close(hsgd_dataset_row_norm_sq(&data, 0), 3847448 / 65025.0, 1e-12);
    assert_close(hsgd_dataset_row_norm_sq(&data, 9999), 9416409 / 65025.0, 1e-12);
    hsgd_dataset_free(&data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_a_pair_of_files),
        cmocka_unit_test(reads_gzip),
        cmocka_unit_test(truncation_is_found_everywhere),
        cmocka_unit_test(headers_that_lie),
        cmocka_unit_test(sizes_that_overflow),
        cmocka_unit_test(counts_must_match),
        cmocka_unit_test(missing_files_are_named),
        cmocka_unit_test(mnist_test_set),
    };
    return cmocka_run_group_tests_name("read_idx", tests, NULL, NULL);
}
