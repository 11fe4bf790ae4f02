/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/fuzz/fuzz.h"

#include "experiments/leaf.h"

void fuzz_leaf(const uint8_t *data, size_t size)
{
    hsgd_dataset out;
    hsgd_error err;
    const char *path[] = {fuzz_file(0, data, size)};
    if (fuzz_accepted(hsgd_leaf_read(&out, path, 1, &err), &err)) {
        fuzz_check(out.num_users > 0);
        fuzz_check_dataset(&out);
    }
}
