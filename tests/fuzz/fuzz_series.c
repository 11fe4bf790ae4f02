/* SPDX-License-Identifier: GPL-3.0-or-later */
/* series.csv, from which `hsgd plot` draws. */
#include "tests/fuzz/fuzz.h"

#include "experiments/series_private.h"

void fuzz_series(const uint8_t *data, size_t size)
{
    hsgd_series out;
    hsgd_error err;
    if (!fuzz_accepted(hsgd_series_read(&out, fuzz_file(0, data, size), &err), &err))
        return;
    fuzz_check(out.num_columns > 0 && out.num_rows > 0);
    for (size_t c = 0; c < out.num_columns; c++)
        fuzz_check(hsgd_series_column(&out, out.name[c]));
    hsgd_series_free(&out);
}
