/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The measurements inside of a checkpoint; what is accepted packs to bytes that are accepted again. */
#include "tests/fuzz/fuzz.h"

#include "analysis/trace_bytes.h"

void fuzz_trace(const uint8_t *data, size_t size)
{
    hsgd_trace trace, again;
    hsgd_error err;
    hsgd_bytes packed = {0};
    hsgd_bytes_reader in = hsgd_bytes_read(data, size);
    if (!fuzz_accepted(hsgd_trace_unpack(&trace, &in, &err), &err))
        return;
    hsgd_trace_pack(&packed, &trace);
    fuzz_check(!packed.failed);
    in = hsgd_bytes_read(packed.data, packed.size);
    fuzz_check(fuzz_accepted(hsgd_trace_unpack(&again, &in, &err), &err));
    fuzz_check(in.left == 0);
    hsgd_bytes_free(&packed);
    hsgd_trace_free(&trace);
    hsgd_trace_free(&again);
}
