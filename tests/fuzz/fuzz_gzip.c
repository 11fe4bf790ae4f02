/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What expands from a compressed file is what zlib's own expansion of the bytes in memory gives, and never more than asked for. */
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>

#include <zlib.h>

#include "analysis/dataset_private.h"

enum { LIMIT = 1 << 16 };

/* The bytes of a file of one gzip member; false where it is something else. */
static bool expand(uint8_t *out, size_t *length, const uint8_t *data, size_t size)
{
    z_stream stream = {.next_in = (z_const Bytef *)data, .avail_in = (uInt)size, .next_out = out, .avail_out = LIMIT};
    fuzz_check(inflateInit2(&stream, 15 + 16) == Z_OK);
    int code = inflate(&stream, Z_FINISH);
    *length = stream.total_out;
    bool whole = code == Z_STREAM_END && stream.avail_in == 0;
    inflateEnd(&stream);
    return whole;
}

void fuzz_gzip(const uint8_t *data, size_t size)
{
    static uint8_t expected[LIMIT];
    hsgd_file_bytes out;
    hsgd_error err;
    size_t length;
    bool whole = expand(expected, &length, data, size);
    bool accepted = fuzz_accepted(hsgd_read_file(&out, fuzz_file(0, data, size), LIMIT, &err), &err);
    fuzz_check(accepted || !whole);
    if (accepted) {
        fuzz_check(out.size <= LIMIT && out.data[out.size] == 0);
        fuzz_check(!whole || (out.size == length && memcmp(out.data, expected, length) == 0));
    }
    free(out.data);
}
