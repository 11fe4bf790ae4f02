/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A result folder from which `hsgd plot` writes its scripts: result.json up to the first form feed, series.csv after it. gnuplot
 * is left out (the link replaces hsgd_figure_render). */
#include "tests/fuzz/fuzz.h"

#include <string.h>

#include "experiments/folder.h"

hsgd_status __wrap_hsgd_figure_render(const char *dir, const char *name, hsgd_error *err);

hsgd_status __wrap_hsgd_figure_render(const char *dir, const char *name, hsgd_error *err)
{
    (void)dir, (void)name, (void)err;
    return HSGD_OK;
}

void fuzz_plot(const uint8_t *data, size_t size)
{
    hsgd_error err;
    hsgd_figure_report report;
    const uint8_t *end = size ? memchr(data, '\f', size) : NULL;
    size_t result = end ? (size_t)(end - data) : size, rest = end ? size - result - 1 : 0;
    fuzz_write("result.json", data, result);
    fuzz_write("series.csv", data + size - rest, rest);
    if (!fuzz_accepted(hsgd_folder_plot(fuzz_folder(), NULL, &report, &err), &err))
        return;
    fuzz_check(report.num_files <= HSGD_MAX_FIGURE_FILES && report.num_notes <= HSGD_MAX_FIGURE_FILES);
    fuzz_check(report.num_files + report.num_notes > 0);
}
