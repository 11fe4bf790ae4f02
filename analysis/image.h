/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Pictures as samples: JPEG files, decoded and brought to one size. */
#ifndef HSGD_ANALYSIS_IMAGE_H
#define HSGD_ANALYSIS_IMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "analysis/error.h"

#ifdef __cplusplus
extern "C" {
#endif

enum {
    HSGD_IMAGE_CHANNELS = 3,        /* red, green, blue */
    HSGD_MAX_IMAGE_SIDE = 4096,     /* rows, or columns, that a picture can be brought to */
    HSGD_MAX_IMAGE_PIXELS = 1 << 26 /* that a file may have: a small file can declare a picture that fills any memory */
};

/* Whether this build has libjpeg. Without it hsgd_image_read_jpeg fails with HSGD_ERROR_ENVIRONMENT. */
bool hsgd_image_is_there(void);

/* Read a JPEG file (baseline or progressive; RGB, YCbCr or grayscale, which becomes three equal channels) into
 * out (3, rows, columns), 1 <= rows, columns <= HSGD_MAX_IMAGE_SIDE: red, green, blue, each from 0 to 255. The picture is
 * stretched to fill the new one, whatever its proportions; an orientation noted in the file is ignored. A new pixel is the
 * mean of the picture over the rectangle that it covers: with H rows and W columns in the file,
 *     out[c][i][j] = rows columns / (H W) * sum over r, k of |[i H/rows, (i + 1) H/rows] n [r, r + 1]|
 *                                                          |[j W/columns, (j + 1) W/columns] n [k, k + 1]| v[c][r][k],
 * where n is the intersection and |.| its length, rounded to the nearest whole number, halves up. The sum is taken in whole
 * numbers, so that nothing else is rounded; a picture that has the size already keeps its bytes.
 * Whatever libjpeg objects to, even where it could guess, is an error that begins with the path: files that are truncated,
 * damaged or no JPEG, other color spaces (CMYK), more than HSGD_MAX_IMAGE_PIXELS. *bytes (NULL: not wanted): size of the
 * file. */
hsgd_status hsgd_image_read_jpeg(uint8_t *out, const char *path, size_t rows, size_t columns, double *bytes,
                                 hsgd_error *err);

#ifdef __cplusplus
}
#endif

#endif
