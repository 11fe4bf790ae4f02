/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Samples of LEAF that are names of image files: a name is checked, its picture read into the next row. */
#include "experiments/leaf_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "analysis/image.h"

/* A name may have this many bytes; file systems allow 255. */
enum { NAME_BYTES = 256 };

static bool has_suffix(const char *name)
{
    const char *dot = strrchr(name, '.');
    return dot && dot != name && (strcasecmp(dot, ".jpg") == 0 || strcasecmp(dot, ".jpeg") == 0);
}

/* The name as a text, if it is one of a file in the folder itself: the data must not name others. */
static hsgd_status check_name(char *out, const unsigned char *name, size_t length, hsgd_error *err)
{
    const char *wrong = NULL;
    int shown = length < HSGD_LEAF_NAME_SHOWN ? (int)length : HSGD_LEAF_NAME_SHOWN;
    if (length < NAME_BYTES) {
        memcpy(out, name, length);
        out[length] = 0;
    }
    if (length == 0 || length >= NAME_BYTES || memchr(name, 0, length))
        wrong = "is empty, too long or has a zero byte";
    else if (strchr(out, '/') || strstr(out, ".."))
        wrong = "must not have \"/\" or \"..\"";
    else if (!has_suffix(out))
        wrong = "does not end in .jpg or .jpeg";
    return wrong ? hsgd_fail(err, HSGD_ERROR_INPUT,
                             "the name \"%.*s\" %s; expected a JPEG file's in the folder \"images\"", shown,
                             (const char *)name, wrong)
                 : HSGD_OK;
}

static hsgd_status read_picture(hsgd_leaf_reader *r, const char *name)
{
    hsgd_leaf_images *images = r->images;
    double bytes;
    char *path = NULL;
    uint8_t *row = hsgd_leaf_list_extend(r, &r->value, r->num_features, sizeof *row);
    if (!row)
        return r->status;
    if (asprintf(&path, "%s/%s", images->folder, name) < 0)
        return hsgd_fail_memory(r->err, name);
    hsgd_status status = hsgd_image_read_jpeg(row, path, images->rows, images->columns, &bytes, r->err);
    if (!status &&
        images->checksum) /* a second reading: the file is in memory now, and decoding takes many times as long */
        status = hsgd_checksum_add_file(images->checksum, path, NULL, r->err);
    free(path);
    images->num_images += !status;
    images->bytes += status ? 0 : bytes;
    return status;
}

hsgd_status hsgd_leaf_read_image(hsgd_leaf_reader *r, const unsigned char *name, size_t length)
{
    char text[NAME_BYTES] = "";
    r->num_features = HSGD_IMAGE_CHANNELS * r->images->rows * r->images->columns;
    hsgd_status status = check_name(text, name, length, r->err);
    return status ? status : read_picture(r, text);
}
