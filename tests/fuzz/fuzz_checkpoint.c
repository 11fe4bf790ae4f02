/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The bytes are a file of a checkpoint up to its checksum. The length and the checksum are put right where the fuzzer has
 * not, or nothing behind them would ever be read; with "!" before them they stay as they are. */
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "experiments/checkpoint_private.h"
#include "experiments/checksum.h"

enum { LENGTH_AT = 32, SUM_SIZE = HSGD_CHECKSUM_SIZE - 1 };
static const char identity[] = "version 1\n";

static void put_right(uint8_t *file, size_t size)
{
    char sum[HSGD_CHECKSUM_SIZE];
    uint64_t length = size + SUM_SIZE;
    hsgd_checksum *checksum = hsgd_checksum_alloc();
    fuzz_check(checksum);
    if (size >= LENGTH_AT + sizeof length)
        memcpy(file + LENGTH_AT, &length, sizeof length);
    hsgd_checksum_add(checksum, file, size);
    hsgd_checksum_finish(checksum, sum);
    memcpy(file + size, sum, SUM_SIZE);
    hsgd_checksum_free(checksum);
}

static void write_state(const uint8_t *data, size_t size)
{
    bool as_is = size > 0 && *data == '!';
    uint8_t *file = calloc(size + SUM_SIZE, 1);
    fuzz_check(file);
    if (size)
        memcpy(file, data + as_is, size - as_is);
    if (!as_is)
        put_right(file, size);
    fuzz_write("main-seed-1.state", file, as_is ? size - 1 : size + SUM_SIZE);
    free(file);
}

static void read_entries(const hsgd_checkpoint_entry *entry, size_t count)
{
    hsgd_error err;
    for (size_t i = 0; i < count; i++) {
        hsgd_bytes state = {0};
        fuzz_check(fuzz_accepted(hsgd_checkpoint_read_entry(&state, fuzz_folder(), &entry[i], &err), &err));
        fuzz_check(state.size == entry[i].length);
        hsgd_bytes_free(&state);
    }
}

void fuzz_checkpoint(const uint8_t *data, size_t size)
{
    hsgd_checkpoint_entry *entry = NULL;
    hsgd_error err;
    size_t count = 0, num_done = 0;
    write_state(data, size);
    if (fuzz_accepted(hsgd_checkpoint_find(&entry, &count, &num_done, fuzz_folder(), identity, &err), &err))
        read_entries(entry, count);
    for (size_t i = 0; i < count; i++)
        free(entry[i].file);
    free(entry);
    hsgd_checkpoint_remove_files(fuzz_folder());
}
