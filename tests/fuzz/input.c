/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Files without a disk. */
#include "tests/fuzz/fuzz.h"

#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

const char *fuzz_file(size_t slot, const uint8_t *data, size_t size)
{
    static int file[FUZZ_SLOTS] = {-1, -1};
    static char path[FUZZ_SLOTS][32];
    fuzz_check(slot < FUZZ_SLOTS);
    if (file[slot] < 0)
        file[slot] = memfd_create("fuzz", 0);
    fuzz_check(file[slot] >= 0 && ftruncate(file[slot], 0) == 0);
    fuzz_check(pwrite(file[slot], data, size, 0) == (ssize_t)size);
    snprintf(path[slot], sizeof path[slot], "/proc/self/fd/%d", file[slot]);
    return path[slot];
}
