/* SPDX-License-Identifier: GPL-3.0-or-later */
/* After "!" samples are names of pictures: the JSON goes up to the first form feed, the picture "a.jpg" is behind it. */
#include "tests/fuzz/fuzz.h"

#include <string.h>

#include "analysis/image.h"
#include "experiments/leaf.h"

static void check(hsgd_dataset *data)
{
    fuzz_check(data->num_users > 0);
    fuzz_check_dataset(data);
}

static void read_pictures(const uint8_t *data, size_t size)
{
    hsgd_leaf_images images = {.folder = fuzz_folder(), .rows = 3, .columns = 2};
    hsgd_dataset out;
    hsgd_error err;
    const uint8_t *end = size ? memchr(data, '\f', size) : NULL;
    size_t json = end ? (size_t)(end - data) : size, rest = end ? size - json - 1 : 0;
    const char *path[] = {fuzz_file(0, data, json)};
    fuzz_write("a.jpg", data + size - rest, rest);
    if (!fuzz_accepted(hsgd_leaf_read_images(&out, &images, path, 1, &err), &err))
        return;
    fuzz_check(images.num_images >= out.num_samples && images.bytes > 0);
    fuzz_check(out.num_features == HSGD_IMAGE_CHANNELS * images.rows * images.columns);
    check(&out);
}

void fuzz_leaf(const uint8_t *data, size_t size)
{
    hsgd_dataset out;
    hsgd_error err;
    const char *path[] = {fuzz_file(0, data, size)};
    if (size && *data == '!' && hsgd_image_is_there())
        read_pictures(data + 1, size - 1);
    else if (fuzz_accepted(hsgd_leaf_read(&out, path, 1, &err), &err))
        check(&out);
}
