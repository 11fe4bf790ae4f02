/* SPDX-License-Identifier: GPL-3.0-or-later */
/* JPEG files made by libjpeg from pictures that are known, as bytes in memory. */
#ifndef HSGD_TESTS_JPEG_FILES_H
#define HSGD_TESTS_JPEG_FILES_H

#include "tests/test.h"

#include <stdio.h>

#include <jpeglib.h>

typedef struct jpeg_picture {
    size_t rows, columns;
    int channels; /* 1, 3 or 4 (CMYK) */
    int quality;  /* 1 to 100 */
    int sampling; /* of the colors: 1: every pixel, 2: every second row and column */
    int progressive;
    int kind; /* of picture */
} jpeg_picture;

/* The picture before it was compressed, from 0 to 255: smooth, with another slope in every channel. Kind k moves it. */
static inline unsigned char jpeg_pixel(const jpeg_picture *p, int channel, size_t row, size_t column)
{
    double y = (double)row / (double)p->rows, x = (double)column / (double)p->columns;
    double t = channel == 0 ? y : channel == 1 ? x : 1 - 0.5 * (x + y);
    return (unsigned char)(20 + 140 * t + 12 * (p->kind % 8));
}

/* The file's bytes; free them. libjpeg's own error handler ends the test where it objects. */
static inline unsigned char *jpeg_bytes(const jpeg_picture *p, size_t *size)
{
    struct jpeg_compress_struct jpeg;
    struct jpeg_error_mgr errors;
    unsigned char *bytes = NULL, line[3 * 4096];
    unsigned long length = 0;
    jpeg.err = jpeg_std_error(&errors);
    jpeg_create_compress(&jpeg);
    jpeg_mem_dest(&jpeg, &bytes, &length);
    jpeg.image_width = (JDIMENSION)p->columns;
    jpeg.image_height = (JDIMENSION)p->rows;
    jpeg.input_components = p->channels;
    jpeg.in_color_space = p->channels == 1 ? JCS_GRAYSCALE : p->channels == 3 ? JCS_RGB : JCS_CMYK;
    jpeg_set_defaults(&jpeg);
    jpeg_set_quality(&jpeg, p->quality, TRUE);
    jpeg.dct_method = JDCT_ISLOW;
    if (p->channels == 3)
        jpeg.comp_info[0].h_samp_factor = jpeg.comp_info[0].v_samp_factor = p->sampling;
    if (p->progressive)
        jpeg_simple_progression(&jpeg);
    jpeg_start_compress(&jpeg, TRUE);
    for (size_t r = 0; r < p->rows; r++) {
        JSAMPROW row = line;
        for (size_t k = 0; k < p->columns; k++)
            for (int c = 0; c < p->channels; c++)
                line[k * (size_t)p->channels + (size_t)c] = jpeg_pixel(p, c, r, k);
        jpeg_write_scanlines(&jpeg, &row, 1);
    }
    jpeg_finish_compress(&jpeg);
    jpeg_destroy_compress(&jpeg);
    *size = length;
    return bytes;
}

#endif
