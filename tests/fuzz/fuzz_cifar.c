/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The first byte says which labels the file has: "f" and "c" the fine and the coarse ones of CIFAR-100, others CIFAR-10's. */
#include "tests/fuzz/fuzz.h"

void fuzz_cifar(const uint8_t *data, size_t size)
{
    hsgd_dataset out;
    hsgd_error err;
    if (size == 0)
        return;
    hsgd_cifar_labels labels = *data == 'f'   ? HSGD_CIFAR_100_FINE
                               : *data == 'c' ? HSGD_CIFAR_100_COARSE
                                              : HSGD_CIFAR_10;
    const char *path[] = {fuzz_file(0, data + 1, size - 1)};
    if (fuzz_accepted(hsgd_dataset_read_cifar(&out, path, 1, labels, &err), &err))
        fuzz_check_dataset(&out);
}
