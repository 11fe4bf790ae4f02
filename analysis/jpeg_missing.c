/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What stands in for analysis/read_jpeg.c in a build without libjpeg. */
#include "analysis/image.h"

#ifndef HSGD_JPEG

bool hsgd_image_is_there(void)
{
    return false;
}

hsgd_status hsgd_image_read_jpeg(uint8_t *out, const char *path, size_t rows, size_t columns, double *bytes,
                                 hsgd_error *err)
{
    (void)out, (void)path, (void)rows, (void)columns, (void)bytes;
    return hsgd_fail(err, HSGD_ERROR_ENVIRONMENT,
                     "JPEG files need libjpeg, which this build does not have; install libjpeg-dev and build again");
}

#endif
