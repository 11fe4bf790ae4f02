/* SPDX-License-Identifier: GPL-3.0-or-later */
/* JPEG files through libjpeg(-turbo)'s own interface. libjpeg reports errors by calling back and must not be returned to: the
 * callback keeps the message and jumps. What has to outlive the jump is in a structure, not in local variables, and memory
 * comes from libjpeg's pool, which goes with the decoder. */
#include "analysis/image.h"

#ifdef HSGD_JPEG

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jpeglib.h>

#include <jerror.h> /* needs the above */

#include "analysis/dataset_private.h"
#include "analysis/resize_private.h"

enum { MAX_FILE_BYTES = 1 << 28 };

typedef struct decoder {
    struct jpeg_decompress_struct jpeg;
    struct jpeg_error_mgr errors;
    jmp_buf failed;
    hsgd_status status;
    hsgd_error *err;
    const hsgd_file_bytes *file;
    hsgd_resize size;
    uint8_t *out; /* (3, to_rows, to_columns) */
    uint64_t *sum, *line;
    unsigned char *row; /* (from_columns, 3) */
} decoder;

/* ---- errors ---- */

static void stop(j_common_ptr jpeg)
{
    decoder *d = jpeg->client_data;
    char text[JMSG_LENGTH_MAX];
    jpeg->err->format_message(jpeg, text);
    d->status = jpeg->err->msg_code == JERR_OUT_OF_MEMORY ? hsgd_fail_memory(d->err, "a picture")
                                                          : hsgd_fail(d->err, HSGD_ERROR_INPUT, "%s", text);
    longjmp(d->failed, 1);
}

/* Level -1 is a warning: libjpeg would go on with pixels that it made up. Other levels are news. */
static void on_message(j_common_ptr jpeg, int level)
{
    if (level < 0)
        stop(jpeg);
}

static void print_nothing(j_common_ptr jpeg)
{
    (void)jpeg;
}

/* What libjpeg would read, but hsgd does not. */
static hsgd_status check_picture(const struct jpeg_decompress_struct *jpeg, hsgd_error *err)
{
    if (jpeg->jpeg_color_space != JCS_GRAYSCALE && jpeg->jpeg_color_space != JCS_YCbCr &&
        jpeg->jpeg_color_space != JCS_RGB)
        return hsgd_fail(err, HSGD_ERROR_INPUT, "the picture has %d channels%s; expected grayscale, RGB or YCbCr",
                         jpeg->num_components,
                         jpeg->jpeg_color_space == JCS_CMYK || jpeg->jpeg_color_space == JCS_YCCK ? " (CMYK)" : "");
    if ((double)jpeg->image_width * (double)jpeg->image_height > HSGD_MAX_IMAGE_PIXELS)
        return hsgd_fail(err, HSGD_ERROR_INPUT, "%u rows and %u columns; at most %d pixels are read",
                         jpeg->image_height, jpeg->image_width, HSGD_MAX_IMAGE_PIXELS);
    return HSGD_OK;
}

/* ---- decoding; these may jump ---- */

/* Of the pool that lasts as long as the decoder; the other one goes with jpeg_finish_decompress. */
static void *take(decoder *d, size_t bytes)
{
    return d->jpeg.mem->alloc_large((j_common_ptr)&d->jpeg, JPOOL_PERMANENT, bytes);
}

/* The integer transform and the smooth upsampling, which are the same to the bit with and without vector instructions. */
static void choose_output(decoder *d)
{
    d->jpeg.out_color_space = JCS_RGB;
    d->jpeg.dct_method = JDCT_ISLOW;
    d->jpeg.do_fancy_upsampling = TRUE;
    d->size.from_rows = d->jpeg.image_height;
    d->size.from_columns = d->jpeg.image_width;
}

static void make_room(decoder *d)
{
    size_t line = HSGD_IMAGE_CHANNELS * d->size.to_columns, all = line * d->size.to_rows;
    d->sum = take(d, all * sizeof *d->sum);
    d->line = take(d, line * sizeof *d->line);
    d->row = take(d, HSGD_IMAGE_CHANNELS * d->size.from_columns);
    memset(d->sum, 0, all * sizeof *d->sum);
}

static void decode(decoder *d)
{
    struct jpeg_decompress_struct *jpeg = &d->jpeg;
    jpeg_mem_src(jpeg, d->file->data, (unsigned long)d->file->size);
    jpeg_read_header(jpeg, TRUE);
    d->status = check_picture(jpeg, d->err);
    if (d->status)
        return;
    choose_output(d);
    make_room(d);
    jpeg_start_decompress(jpeg);
    for (size_t r = 0; r < d->size.from_rows; r++) {
        JSAMPROW row = d->row;
        jpeg_read_scanlines(jpeg, &row, 1);
        hsgd_resize_add_row(d->sum, d->line, d->row, r, &d->size);
    }
    jpeg_finish_decompress(jpeg); /* sees whether the data end here */
    hsgd_resize_finish(d->out, d->sum, &d->size);
}

static hsgd_status run_decoder(decoder *d)
{
    d->jpeg.err = jpeg_std_error(&d->errors);
    d->jpeg.client_data = d;
    d->errors.error_exit = stop;
    d->errors.emit_message = on_message;
    d->errors.output_message = print_nothing;
    if (setjmp(d->failed) == 0) {
        jpeg_create_decompress(&d->jpeg);
        decode(d);
    }
    jpeg_destroy_decompress(&d->jpeg);
    return d->status;
}

/* ---- */

bool hsgd_image_is_there(void)
{
    return true;
}

hsgd_status hsgd_image_read_jpeg(uint8_t *out, const char *path, size_t rows, size_t columns, double *bytes,
                                 hsgd_error *err)
{
    hsgd_file_bytes file;
    if (rows < 1 || columns < 1 || rows > HSGD_MAX_IMAGE_SIDE || columns > HSGD_MAX_IMAGE_SIDE)
        return hsgd_fail(err, HSGD_ERROR_INPUT, "a size of %zu rows and %zu columns; 1 to %d of each are legal", rows,
                         columns, HSGD_MAX_IMAGE_SIDE);
    hsgd_status status = hsgd_read_file(&file, path, MAX_FILE_BYTES, err);
    if (status)
        return status;
    decoder *d = calloc(1, sizeof *d);
    if (d) {
        d->err = err;
        d->file = &file;
        d->size = (hsgd_resize){.to_rows = rows, .to_columns = columns};
        d->out = out;
    }
    status = d ? run_decoder(d) : hsgd_fail_memory(err, path);
    if (bytes)
        *bytes = (double)file.size;
    free(d);
    free(file.data);
    if (status == HSGD_ERROR_INPUT)
        hsgd_error_prefix(err, "%s: ", path);
    return status;
}

#endif
