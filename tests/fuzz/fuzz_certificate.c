/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A certificate that is read can be checked; what the check says is a verdict, never a failure of its own. */
#include "tests/fuzz/fuzz.h"

#include "experiments/certificate.h"

void fuzz_certificate(const uint8_t *data, size_t size)
{
    hsgd_certificate certificate;
    hsgd_error err;
    if (fuzz_accepted(hsgd_certificate_read(&certificate, fuzz_file(0, data, size), &err), &err))
        hsgd_certificate_free(&certificate);
}
