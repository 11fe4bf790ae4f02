/* SPDX-License-Identifier: GPL-3.0-or-later */
/* IDX, the format of MNIST: a magic number (two zero bytes, the element type, the number of dimensions), each
 * dimension as a big-endian 32-bit number, then the elements. */
#include "analysis/dataset.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/dataset_private.h"

/* Type 8 is the unsigned byte. */
enum { MAGIC_LABELS = 0x0801, MAGIC_IMAGES = 0x0803 };

typedef struct idx_file {
    const char *path;
    hsgd_file_bytes bytes;
    size_t dimension[3];        /* images: count, rows, columns; labels: count, 1, 1 */
    const unsigned char *items; /* inside bytes */
} idx_file;

static size_t big_endian(const unsigned char *byte)
{
    return (size_t)byte[0] << 24 | (size_t)byte[1] << 16 | (size_t)byte[2] << 8 | byte[3];
}

static const char *magic_name(size_t magic)
{
    switch (magic) {
    case MAGIC_IMAGES:
        return "IDX images";
    case MAGIC_LABELS:
        return "IDX labels";
    default:
        return magic >> 16 == 0 && magic >> 8 >= 8 && magic >> 8 <= 14 ? "IDX of another kind" : "not IDX";
    }
}

static hsgd_status read_header(idx_file *file, size_t magic, hsgd_error *err)
{
    size_t num_dimensions = magic & 0xff, header = 4 + 4 * num_dimensions;
    const hsgd_file_bytes *bytes = &file->bytes;
    size_t found = bytes->size < 4 ? magic : big_endian(bytes->data);
    if (found != magic)
        return hsgd_fail(err, HSGD_ERROR_INPUT, "%s: magic number 0x%08zx (%s); expected 0x%08zx (%s)", file->path,
                         found, magic_name(found), magic, magic_name(magic));
    if (bytes->size < header)
        return hsgd_fail(err, HSGD_ERROR_INPUT, "%s: only %zu bytes; the header alone has %zu", file->path, bytes->size,
                         header);
    for (size_t i = 0; i < 3; i++)
        file->dimension[i] = i < num_dimensions ? big_endian(bytes->data + 4 + 4 * i) : 1;
    file->items = bytes->data + header;
    return HSGD_OK;
}

/* The declared sizes against the bytes that are there; their product might not fit in 64 bits, nor that of two in a size_t. */
static hsgd_status check_size(const idx_file *file, hsgd_error *err)
{
    size_t there = file->bytes.size - (size_t)(file->items - file->bytes.data), count = file->dimension[0];
    uint64_t item = (uint64_t)file->dimension[1] * file->dimension[2];
    if (count == 0 || item == 0)
        return hsgd_fail(err, HSGD_ERROR_INPUT, "%s: the header declares %zu items of %zu x %zu bytes; none may be 0",
                         file->path, count, file->dimension[1], file->dimension[2]);
    if (count > there / item || count * item != there)
        return hsgd_fail(err, HSGD_ERROR_INPUT,
                         "%s: the header declares %zu items of %zu x %zu bytes, %.0f in all, but %zu follow (%s)",
                         file->path, count, file->dimension[1], file->dimension[2], (double)count * (double)item, there,
                         count > there / item ? "the file is truncated" : "there are trailing bytes");
    return HSGD_OK;
}

static hsgd_status read_idx_file(idx_file *file, const char *path, size_t magic, hsgd_error *err)
{
    *file = (idx_file){.path = path};
    hsgd_status status = hsgd_read_file(&file->bytes, path, HSGD_MAX_FILE_BYTES, err);
    if (!status)
        status = read_header(file, magic, err);
    if (!status)
        status = check_size(file, err);
    return status;
}

/* The file's memory becomes the data set's: the pixels move over the header, and what they do not need is given back. */
static void take_pixels(hsgd_dataset *out, idx_file *images)
{
    out->num_samples = images->dimension[0];
    out->num_features = images->dimension[1] * images->dimension[2];
    size_t count = out->num_samples * out->num_features;
    memmove(images->bytes.data, images->items, count);
    uint8_t *trimmed = realloc(images->bytes.data, count);
    out->byte = trimmed ? trimmed : images->bytes.data;
    images->bytes.data = NULL;
    hsgd_dataset_set_pixels(out);
}

static hsgd_status read_labels(hsgd_dataset *out, const idx_file *labels, hsgd_error *err)
{
    double *raw = malloc(out->num_samples * sizeof *raw);
    if (!raw)
        return hsgd_fail_memory(err, labels->path);
    for (size_t i = 0; i < out->num_samples; i++)
        raw[i] = labels->items[i];
    hsgd_status status = hsgd_dataset_set_classes(out, raw, err);
    free(raw);
    return status;
}

hsgd_status hsgd_dataset_read_idx(hsgd_dataset *out, const char *images_path, const char *labels_path, hsgd_error *err)
{
    memset(out, 0, sizeof *out);
    idx_file images, labels = {0};
    hsgd_status status = read_idx_file(&images, images_path, MAGIC_IMAGES, err);
    if (!status)
        status = read_idx_file(&labels, labels_path, MAGIC_LABELS, err);
    if (!status && images.dimension[0] != labels.dimension[0])
        status = hsgd_fail(err, HSGD_ERROR_INPUT, "%s has %zu images, but %s has %zu labels", images_path,
                           images.dimension[0], labels_path, labels.dimension[0]);
    if (!status) {
        take_pixels(out, &images);
        status = read_labels(out, &labels, err);
    }
    free(images.bytes.data);
    free(labels.bytes.data);
    if (status)
        hsgd_dataset_free(out);
    return status;
}
