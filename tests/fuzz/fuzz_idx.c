/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Two bytes, the lower first, say how many of those that follow are the file of images; the others are that of labels. */
#include "tests/fuzz/fuzz.h"

void fuzz_idx(const uint8_t *data, size_t size)
{
    hsgd_dataset out;
    hsgd_error err;
    if (size < 2)
        return;
    size_t wanted = data[0] | (size_t)data[1] << 8, images = wanted < size - 2 ? wanted : size - 2;
    const char *images_path = fuzz_file(0, data + 2, images);
    const char *labels_path = fuzz_file(1, data + 2 + images, size - 2 - images);
    if (fuzz_accepted(hsgd_dataset_read_idx(&out, images_path, labels_path, &err), &err))
        fuzz_check_dataset(&out);
}
