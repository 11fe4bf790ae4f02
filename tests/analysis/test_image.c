/* SPDX-License-Identifier: GPL-3.0-or-later */
/* JPEG files: resized pictures are the means that the header defines, computed here part by part; decoded ones are close to
 * the pictures they were made from, and equal to what libjpeg gives when asked in the plainest way; everything else is refused
 * in one line. */
#include "tests/temp_files.h"

#include "analysis/image.h"

#ifdef HSGD_JPEG

#include "analysis/resize_private.h"
#include "tests/jpeg_files.h"

static hsgd_error err;

/* ---- resizing ---- */

/* Each source pixel is cut into to_rows x to_columns parts, each new one covers from_rows x from_columns of them. */
static void resize_by_parts(uint8_t *out, const unsigned char *rgb, const hsgd_resize *s)
{
    for (size_t c = 0; c < 3; c++)
        for (size_t i = 0; i < s->to_rows; i++)
            for (size_t j = 0; j < s->to_columns; j++) {
                double sum = 0;
                for (size_t y = i * s->from_rows; y < (i + 1) * s->from_rows; y++)
                    for (size_t x = j * s->from_columns; x < (j + 1) * s->from_columns; x++)
                        sum += rgb[3 * (y / s->to_rows * s->from_columns + x / s->to_columns) + c];
                *out++ = (uint8_t)floor(sum / (double)(s->from_rows * s->from_columns) + 0.5);
            }
}

static void resize(uint8_t *out, const unsigned char *rgb, const hsgd_resize *s)
{
    uint64_t *sum = calloc(3 * s->to_rows * s->to_columns, sizeof *sum), line[3 * 64];
    assert_true(sum && s->to_columns <= 64);
    for (size_t r = 0; r < s->from_rows; r++)
        hsgd_resize_add_row(sum, line, rgb + 3 * r * s->from_columns, r, s);
    hsgd_resize_finish(out, sum, s);
    free(sum);
}

/* To the bit: smaller, larger, the same, in one direction or in both. */
static void resizing_takes_means_over_areas(void **state)
{
    (void)state;
    static unsigned char rgb[3 * 40 * 40];
    static uint8_t got[3 * 40 * 40], expected[3 * 40 * 40];
    static const size_t side[] = {1, 2, 3, 5, 8, 13, 21, 40};
    enum { SIDES = sizeof side / sizeof *side };
    for (size_t i = 0; i < sizeof rgb; i++)
        rgb[i] = (unsigned char)(i * i % 251 + i % 5);
    for (size_t n = 0; n < SIDES * SIDES * SIDES * SIDES; n++) {
        const hsgd_resize s = {side[n % SIDES], side[n / SIDES % SIDES], side[n / SIDES / SIDES % SIDES],
                               side[n / SIDES / SIDES / SIDES]};
        if (s.from_rows * s.from_columns * s.to_rows * s.to_columns > 50000 && n % 7)
            continue; /* enough is enough */
        size_t bytes = 3 * s.to_rows * s.to_columns * sizeof *got;
        resize(got, rgb, &s);
        resize_by_parts(expected, rgb, &s);
        assert_memory_equal(got, expected, bytes);
    }
}

/* By hand: three columns to two, (2 a + b)/3 and (b + 2 c)/3, and to one; the same size keeps the bytes. */
static void means_by_hand(void **state)
{
    (void)state;
    const unsigned char rgb[] = {30, 0, 255, 60, 0, 255, 240, 0, 255};
    uint8_t out[9];
    resize(out, rgb, &(hsgd_resize){1, 3, 1, 2});
    assert_true(out[0] == 40 && out[1] == 180 && out[2] == 0 && out[3] == 0);
    assert_true(out[4] == 255 && out[5] == 255);
    resize(out, rgb, &(hsgd_resize){1, 3, 1, 1});
    assert_true(out[0] == 110 && out[1] == 0 && out[2] == 255);
    resize(out, rgb, &(hsgd_resize){1, 3, 1, 3});
    assert_true(out[0] == 30 && out[1] == 60 && out[2] == 240 && out[8] == 255);
    const unsigned char halves[] = {1, 7, 2, 2, 8, 2, 3, 9, 4};
    resize(out, halves, &(hsgd_resize){1, 2, 1, 1}); /* 1.5, 7.5, 2 */
    assert_true(out[0] == 2 && out[1] == 8 && out[2] == 2);
    resize(out, halves, &(hsgd_resize){1, 3, 1, 1}); /* 2, 8, 8/3 */
    assert_true(out[0] == 2 && out[1] == 8 && out[2] == 3);
}

/* 65500 x 1025 white pixels, near the most that is read, are exactly 255. */
static void large_sums_are_exact(void **state)
{
    (void)state;
    static unsigned char white[3 * 65500];
    const hsgd_resize s = {1025, 65500, 3, 7};
    uint64_t sum[3 * 3 * 7] = {0}, line[3 * 7];
    uint8_t out[3 * 3 * 7];
    memset(white, 255, sizeof white);
    for (size_t r = 0; r < s.from_rows; r++)
        hsgd_resize_add_row(sum, line, white, r, &s);
    hsgd_resize_finish(out, sum, &s);
    for (size_t i = 0; i < 3 * 3 * 7; i++)
        assert_true(out[i] == 255);
}

/* ---- decoding ---- */

static const char *write_picture(temp_folder *temp, const char *name, const jpeg_picture *p)
{
    size_t size;
    unsigned char *bytes = jpeg_bytes(p, &size);
    const char *path = temp_write(temp, name, bytes, size);
    free(bytes);
    return path;
}

/* Quality 100, every pixel's color: each number is within 5/255 of the picture's (blue takes 1.8 times the rounding of its
 * color difference), at its channel, row and column. The slopes differ, so that exchanged channels or directions are far
 * away. */
static void decoded_pictures_are_the_ones_compressed(void **state)
{
    (void)state;
    static const size_t sizes[][2] = {{16, 16}, {17, 33}, {33, 18}, {1, 40}, {41, 1}, {218, 178}};
    temp_folder temp;
    temp_open(&temp);
    for (size_t n = 0; n < 2 * sizeof sizes / sizeof *sizes; n++) {
        jpeg_picture p = {
            .rows = sizes[n / 2][0], .columns = sizes[n / 2][1], .channels = 3, .quality = 100, .sampling = 1};
        p.progressive = n % 2;
        uint8_t *out = malloc(3 * p.rows * p.columns * sizeof *out);
        double bytes;
        const char *path = write_picture(&temp, "p.jpg", &p);
        assert_ok(hsgd_image_read_jpeg(out, path, p.rows, p.columns, &bytes, &err), err);
        assert_true(bytes > 100);
        for (size_t i = 0; i < 3 * p.rows * p.columns; i++) {
            size_t c = i / p.columns / p.rows, r = i / p.columns % p.rows, k = i % p.columns;
            assert_true(fabs(out[i] - (double)jpeg_pixel(&p, (int)c, r, k)) <= 5);
        }
        free(out);
    }
    temp_close(&temp);
}

/* The whole picture by libjpeg, with its defaults but for RGB. */
static void decode_plainly(unsigned char *rgb, const unsigned char *bytes, size_t size)
{
    struct jpeg_decompress_struct jpeg;
    struct jpeg_error_mgr errors;
    jpeg.err = jpeg_std_error(&errors);
    jpeg_create_decompress(&jpeg);
    jpeg_mem_src(&jpeg, bytes, (unsigned long)size);
    assert_int_equal(jpeg_read_header(&jpeg, TRUE), JPEG_HEADER_OK);
    jpeg.out_color_space = JCS_RGB;
    assert_true(jpeg_start_decompress(&jpeg));
    while (jpeg.output_scanline < jpeg.output_height) {
        JSAMPROW row = rgb + 3 * jpeg.output_scanline * jpeg.output_width;
        assert_int_equal(jpeg_read_scanlines(&jpeg, &row, 1), 1);
    }
    jpeg_destroy_decompress(&jpeg);
}

/* Usual files (subsampled colors, quality 75, gray), usual sizes: to the bit what a plain decoder and the definition give. */
static void read_files_are_decoded_and_resized(void **state)
{
    (void)state;
    static unsigned char rgb[3 * 109 * 89];
    static uint8_t got[3 * 64 * 64], expected[3 * 64 * 64];
    temp_folder temp;
    temp_open(&temp);
    for (int n = 0; n < 8; n++) {
        const jpeg_picture p = {.rows = 109,
                                .columns = n % 2 ? 88 : 89,
                                .channels = n / 4 ? 1 : 3,
                                .quality = 75,
                                .sampling = 2,
                                .progressive = n / 2 % 2,
                                .kind = n};
        const hsgd_resize s = {p.rows, p.columns, 42, n % 2 ? 42 : 31};
        size_t size;
        unsigned char *bytes = jpeg_bytes(&p, &size);
        double file_bytes;
        const char *path = temp_write(&temp, "p.jpeg", bytes, size);
        assert_ok(hsgd_image_read_jpeg(got, path, s.to_rows, s.to_columns, &file_bytes, &err), err);
        assert_true(file_bytes == (double)size);
        decode_plainly(rgb, bytes, size);
        resize_by_parts(expected, rgb, &s);
        assert_memory_equal(got, expected, 3 * s.to_rows * s.to_columns * sizeof *got);
        free(bytes);
    }
    temp_close(&temp);
}

static void gray_pictures_have_three_equal_channels(void **state)
{
    (void)state;
    const jpeg_picture p = {.rows = 15, .columns = 20, .channels = 1, .quality = 100};
    uint8_t out[3 * 15 * 20];
    temp_folder temp;
    temp_open(&temp);
    assert_ok(hsgd_image_read_jpeg(out, write_picture(&temp, "g.jpg", &p), 15, 20, NULL, &err), err);
    assert_memory_equal(out, out + 300, 300 * sizeof *out);
    assert_memory_equal(out, out + 600, 300 * sizeof *out);
    for (size_t i = 0; i < 300; i++)
        assert_true(fabs(out[i] - (double)jpeg_pixel(&p, 0, i / 20, i % 20)) <= 2);
    temp_close(&temp);
}

/* ---- what is refused ---- */

static void refused(const char *path, const char *message)
{
    char expected[TEMP_PATH + 200];
    uint8_t out[3 * 4];
    snprintf(expected, sizeof expected, "%s: %s", path, message);
    assert_fails(hsgd_image_read_jpeg(out, path, 2, 2, NULL, &err), HSGD_ERROR_INPUT, expected, err);
}

static void other_files_are_refused(void **state)
{
    (void)state;
    temp_folder temp;
    temp_open(&temp);
    const jpeg_picture cmyk = {.rows = 9, .columns = 9, .channels = 4, .quality = 90};
    refused(write_picture(&temp, "c.jpg", &cmyk),
            "the picture has 4 channels (CMYK); expected grayscale, RGB or YCbCr");
    refused(temp_write(&temp, "h.jpg", "<html>not found</html>", 22), "Not a JPEG file: starts with 0x3c 0x68");
    refused(temp_write(&temp, "e.jpg", "", 0), "Empty input file");
    refused("/nowhere/x.jpg", "cannot be opened: No such file or directory");
    refused(temp.folder, "is a folder; expected a file");
    temp_close(&temp);
}

/* A file that ends anywhere, baseline or progressive, is refused in a line that begins with its path. */
static void truncation_is_found_everywhere(void **state)
{
    (void)state;
    temp_folder temp;
    temp_open(&temp);
    for (int n = 0; n < 4; n++) {
        const jpeg_picture p = {
            .rows = 17, .columns = 23, .channels = n % 2 ? 1 : 3, .quality = 60, .sampling = 2, .progressive = n / 2};
        size_t size;
        unsigned char *bytes = jpeg_bytes(&p, &size);
        for (size_t length = 0; length < size; length++)
            refused(temp_write(&temp, "t.jpg", bytes, length), "");
        free(bytes);
    }
    temp_close(&temp);
}

/* Only the mark of the end is missing: for some of the pictures no row needs what comes after its last byte. */
static void the_end_is_looked_for(void **state)
{
    (void)state;
    temp_folder temp;
    temp_open(&temp);
    for (int quality = 40; quality < 100; quality++) {
        const jpeg_picture p = {.rows = 24, .columns = 24, .channels = 1, .quality = quality};
        size_t size;
        unsigned char *bytes = jpeg_bytes(&p, &size);
        refused(temp_write(&temp, "t.jpg", bytes, size - 2), "Premature end of JPEG file");
        free(bytes);
    }
    temp_close(&temp);
}

/* Find the start of frame of a baseline file: behind it length (2), precision (1), rows (2), columns (2). */
static unsigned char *find_frame(unsigned char *bytes, size_t size)
{
    for (size_t i = 0; i + 9 < size; i++)
        if (bytes[i] == 0xff && bytes[i + 1] == 0xc0)
            return bytes + i;
    fail_msg("no frame");
    return NULL;
}

/* Sizes that a small file declares, but cannot hold; bytes of the picture that are no code. */
static void damaged_files_are_refused(void **state)
{
    (void)state;
    const jpeg_picture p = {.rows = 40, .columns = 40, .channels = 3, .quality = 90, .sampling = 1};
    temp_folder temp;
    size_t size;
    unsigned char *bytes = jpeg_bytes(&p, &size), *frame = find_frame(bytes, size);
    temp_open(&temp);
    frame[5] = 0x20, frame[6] = 0x01, frame[7] = 0x20, frame[8] = 0;
    refused(temp_write(&temp, "d.jpg", bytes, size), "8193 rows and 8192 columns; at most 67108864 pixels are read");
    frame[5] = frame[6] = 0;
    refused(temp_write(&temp, "d.jpg", bytes, size), "Empty JPEG image");
    frame[4] = 12, frame[6] = 40;
    refused(temp_write(&temp, "d.jpg", bytes, size), "Unsupported JPEG data precision 12");
    frame[4] = 8, frame[5] = frame[7] = 0, frame[6] = frame[8] = 40;
    memset(bytes + size - 60, 0xff, 40);
    refused(temp_write(&temp, "d.jpg", bytes, size), "");
    free(bytes);
    temp_close(&temp);
}

/* Each byte of a file replaced by two of a few others, in turn: a picture or one line, and never more. */
static void no_damage_does_harm(void **state)
{
    (void)state;
    static const unsigned char other[] = {0, 1, 0x7f, 0xc2, 0xd9, 0xff};
    uint8_t out[3 * 4];
    size_t refusals = 0, size;
    temp_folder temp;
    temp_open(&temp);
    const jpeg_picture p = {.rows = 19, .columns = 21, .channels = 3, .quality = 30, .sampling = 2};
    unsigned char *bytes = jpeg_bytes(&p, &size);
    for (size_t i = 0; i < size; i++)
        for (size_t k = i % 3; k < sizeof other; k += 3) {
            unsigned char kept = bytes[i];
            bytes[i] = other[k];
            const char *path = temp_write(&temp, "h.jpg", bytes, size);
            hsgd_status status = hsgd_image_read_jpeg(out, path, 2, 2, NULL, &err);
            bytes[i] = kept;
            assert_true(status == HSGD_OK || status == HSGD_ERROR_INPUT);
            assert_true(!status || strncmp(err.message, path, strlen(path)) == 0);
            refusals += status != HSGD_OK;
        }
    assert_true(refusals > size / 3);
    free(bytes);
    temp_close(&temp);
}

static void sizes_out_of_range(void **state)
{
    (void)state;
    static const size_t wrong[][2] = {{0, 1}, {1, 0}, {4097, 1}, {1, 4097}};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        assert_fails(hsgd_image_read_jpeg(NULL, "x.jpg", wrong[i][0], wrong[i][1], NULL, &err), HSGD_ERROR_INPUT,
                     "1 to 4096 of each are legal", err);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(resizing_takes_means_over_areas),
        cmocka_unit_test(means_by_hand),
        cmocka_unit_test(large_sums_are_exact),
        cmocka_unit_test(decoded_pictures_are_the_ones_compressed),
        cmocka_unit_test(read_files_are_decoded_and_resized),
        cmocka_unit_test(gray_pictures_have_three_equal_channels),
        cmocka_unit_test(other_files_are_refused),
        cmocka_unit_test(truncation_is_found_everywhere),
        cmocka_unit_test(the_end_is_looked_for),
        cmocka_unit_test(damaged_files_are_refused),
        cmocka_unit_test(no_damage_does_harm),
        cmocka_unit_test(sizes_out_of_range),
    };
    return cmocka_run_group_tests_name("image", tests, NULL, NULL);
}

#else

/* A build without libjpeg: that is all that can be said. */
static void jpeg_is_missing(void **state)
{
    (void)state;
    hsgd_error err;
    assert_false(hsgd_image_is_there());
    assert_fails(hsgd_image_read_jpeg(NULL, "x.jpg", 1, 1, NULL, &err), HSGD_ERROR_ENVIRONMENT, "need libjpeg", err);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(jpeg_is_missing)};
    return cmocka_run_group_tests_name("image", tests, NULL, NULL);
}

#endif
