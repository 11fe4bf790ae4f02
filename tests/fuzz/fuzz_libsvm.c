/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/fuzz/fuzz.h"

void fuzz_libsvm(const uint8_t *data, size_t size)
{
    hsgd_dataset out;
    hsgd_error err;
    if (fuzz_accepted(hsgd_dataset_read_libsvm(&out, fuzz_file(0, data, size), &err), &err))
        fuzz_check_dataset(&out);
}
