/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Files without a disk. */
#include "tests/fuzz/fuzz.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
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

static char folder[] = "/dev/shm/hsgd-fuzz-XXXXXX";

static void remove_folder(void)
{
    DIR *entries = opendir(folder);
    for (const struct dirent *entry; entries && (entry = readdir(entries));)
        unlinkat(dirfd(entries), entry->d_name, 0);
    if (entries)
        closedir(entries);
    rmdir(folder);
}

const char *fuzz_folder(void)
{
    static bool made;
    if (!made) {
        fuzz_check(mkdtemp(folder));
        fuzz_check(atexit(remove_folder) == 0);
        made = true;
    }
    return folder;
}

void fuzz_write(const char *name, const uint8_t *data, size_t size)
{
    char path[128];
    snprintf(path, sizeof path, "%s/%s", fuzz_folder(), name);
    FILE *stream = fopen(path, "wb");
    fuzz_check(stream);
    fuzz_check(fwrite(data, 1, size, stream) == size);
    fclose(stream);
}
