/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The measurements inside of a checkpoint; bytes that are accepted to the last one pack to bytes that are accepted
 * again. (The sizes of what a trace leaves out are only compared with the bytes that there are.) */
#include "tests/fuzz/fuzz.h"

#include "analysis/trace_bytes.h"

static void pack_again(const hsgd_trace *trace)
{
    hsgd_trace again;
    hsgd_error err;
    hsgd_bytes packed = {0};
    hsgd_trace_pack(&packed, trace);
    fuzz_check(!packed.failed);
    hsgd_bytes_reader in = hsgd_bytes_read(packed.data, packed.size);
    fuzz_check(fuzz_accepted(hsgd_trace_unpack(&again, &in, &err), &err));
    fuzz_check(in.left == 0);
    hsgd_bytes_free(&packed);
    hsgd_trace_free(&again);
}

void fuzz_trace(const uint8_t *data, size_t size)
{
    hsgd_trace trace;
    hsgd_error err;
    hsgd_bytes_reader in = hsgd_bytes_read(data, size);
    if (!fuzz_accepted(hsgd_trace_unpack(&trace, &in, &err), &err))
        return;
    if (in.left == 0)
        pack_again(&trace);
    hsgd_trace_free(&trace);
}
