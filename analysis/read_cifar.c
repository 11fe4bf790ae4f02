/* SPDX-License-Identifier: GPL-3.0-or-later */
/* CIFAR-10 and CIFAR-100 as binary files: records of one or two label bytes and 3072 bytes of pixels. */
#include "analysis/dataset.h"

#include <stdlib.h>
#include <string.h>

#include "analysis/dataset_private.h"
#include "analysis/memory.h"

enum { PIXEL_BYTES = 3 * 32 * 32 };

/* How the records of one kind of labels look. */
typedef struct layout {
    const char *name;
    size_t label_bytes, label_at; /* of them, the one that is read */
    unsigned num_labels;
} layout;

static const layout layouts[] = {
    [HSGD_CIFAR_10] = {"CIFAR-10", 1, 0, 10},
    [HSGD_CIFAR_100_FINE] = {"CIFAR-100 fine", 2, 1, 100},
    [HSGD_CIFAR_100_COARSE] = {"CIFAR-100 coarse", 2, 0, 20},
};

typedef struct reader {
    hsgd_dataset data;
    double *raw_label; /* (data.num_samples) */
    const layout *layout;
} reader;

/* Whole records, or what else the file could be. */
static hsgd_status check_size(const layout *l, size_t bytes, hsgd_error *err)
{
    size_t record = l->label_bytes + PIXEL_BYTES, other = 3 - l->label_bytes + PIXEL_BYTES;
    if (bytes > 0 && bytes % record == 0)
        return HSGD_OK;
    const char *hint = bytes > 0 && bytes % other == 0 ? l->label_bytes == 1 ? " (CIFAR-100? it needs \"labels\")"
                                                                             : " (CIFAR-10? it has no \"labels\")"
                                                       : "";
    return hsgd_fail(err, HSGD_ERROR_INPUT, "%zu bytes are not a positive multiple of the %zu of a %s record%s", bytes,
                     record, l->name, hint);
}

static hsgd_status make_room(reader *r, size_t more, hsgd_error *err)
{
    size_t samples = r->data.num_samples + more;
    hsgd_status fits = hsgd_memory_check((double)samples * PIXEL_BYTES, "the images", "fewer files", err);
    if (fits)
        return fits;
    uint8_t *byte = realloc(r->data.byte, samples * PIXEL_BYTES);
    if (!byte)
        return hsgd_fail_memory(err, "the images");
    r->data.byte = byte;
    double *raw_label = realloc(r->raw_label, samples * sizeof *raw_label);
    if (!raw_label)
        return hsgd_fail_memory(err, "the labels");
    r->raw_label = raw_label;
    return HSGD_OK;
}

static hsgd_status take_record(reader *r, const unsigned char *record, size_t offset, hsgd_error *err)
{
    const layout *l = r->layout;
    if (record[l->label_at] >= l->num_labels)
        return hsgd_fail(err, HSGD_ERROR_INPUT, "byte %zu: the label %u is not in 0..%u of %s",
                         offset + l->label_at + 1, record[l->label_at], l->num_labels - 1, l->name);
    size_t sample = r->data.num_samples++;
    r->raw_label[sample] = record[l->label_at];
    memcpy(r->data.byte + sample * PIXEL_BYTES, record + l->label_bytes, PIXEL_BYTES);
    return HSGD_OK;
}

static hsgd_status read_one(reader *r, const char *path, hsgd_error *err)
{
    hsgd_file_bytes bytes;
    hsgd_status status = hsgd_read_file(&bytes, path, HSGD_MAX_FILE_BYTES, err);
    if (status)
        return status;
    size_t record = r->layout->label_bytes + PIXEL_BYTES;
    status = check_size(r->layout, bytes.size, err);
    if (!status)
        status = make_room(r, bytes.size / record, err);
    for (size_t at = 0; at < bytes.size && !status; at += record)
        status = take_record(r, bytes.data + at, at, err);
    free(bytes.data);
    if (status == HSGD_ERROR_INPUT)
        hsgd_error_prefix(err, "%s: ", path);
    return status;
}

hsgd_status hsgd_dataset_read_cifar(hsgd_dataset *out, const char *const *path, size_t num_paths,
                                    hsgd_cifar_labels labels, hsgd_error *err)
{
    memset(out, 0, sizeof *out);
    if (num_paths == 0 || (size_t)labels >= sizeof layouts / sizeof *layouts)
        return hsgd_fail(err, HSGD_ERROR_INPUT, "%zu CIFAR files with labels of kind %d; at least one file is needed",
                         num_paths, (int)labels);
    reader r = {.data.num_features = PIXEL_BYTES, .layout = &layouts[labels]};
    hsgd_dataset_set_pixels(&r.data);
    hsgd_status status = HSGD_OK;
    for (size_t i = 0; i < num_paths && !status; i++)
        status = read_one(&r, path[i], err);
    if (!status)
        status = hsgd_dataset_set_classes(&r.data, r.raw_label, err);
    free(r.raw_label);
    if (status)
        hsgd_dataset_free(&r.data);
    else
        *out = r.data;
    return status;
}
