/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The first byte says how the file is read: "h" with a header, "n" without one, "l" with the label's column called "label",
 * "1" with the first column as the label; anything else as it comes. */
#include "tests/fuzz/fuzz.h"

void fuzz_csv(const uint8_t *data, size_t size)
{
    hsgd_dataset out;
    hsgd_error err;
    if (size == 0)
        return;
    const hsgd_csv_options options = {.header = *data == 'h'   ? HSGD_CSV_HEADER_YES
                                                : *data == 'n' ? HSGD_CSV_HEADER_NO
                                                               : HSGD_CSV_HEADER_AUTO,
                                      .label_name = *data == 'l' ? "label" : NULL,
                                      .label_number = *data == '1'};
    if (fuzz_accepted(hsgd_dataset_read_csv(&out, fuzz_file(0, data + 1, size - 1), &options, &err), &err))
        fuzz_check_dataset(&out);
}
