/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Accuracies, losses, seconds and bytes of the runs as the figures get them. */
#include <stdio.h>
#include <stdlib.h>

#include "analysis/statistics.h"
#include "experiments/folder_private.h"

static const char *const suffix[HSGD_NUM_FIGURE_RUNS] = {"", "_inner", "_outer"};

enum { ARRAYS_PER_RUN = 6 }; /* four half widths, the bytes of all levels, and of those that share a panel */

static const double *find(const hsgd_series *series, const char *name, const char *run, const char *ending)
{
    char full[96];
    snprintf(full, sizeof full, "%s%s%s", name, run, ending);
    return hsgd_series_column(series, full);
}

/* out (num_rows) from the standard errors; NULL where there are none. */
static const double *half_widths(double *out, const hsgd_series *series, const char *name, const char *run,
                                 const hsgd_figure_input *in)
{
    const double *se = find(series, name, run, "_se");
    for (size_t row = 0; se && row < series->num_rows; row++)
        out[row] = hsgd_half_width((hsgd_estimate){0, se[row], in->seeds}, in->confidence, 1);
    return se ? out : NULL;
}

/* out (num_rows): the sum over the levels from `first` on, 0 for the root's; NULL where one of them is missing. */
static const double *sum_bytes(double *out, const hsgd_series *series, size_t first, size_t levels, const char *run)
{
    for (size_t k = first; k < levels; k++) {
        char name[48];
        snprintf(name, sizeof name, "bytes_level_%zu", k + 1);
        const double *bytes = find(series, name, run, "");
        if (!bytes)
            return NULL;
        for (size_t row = 0; row < series->num_rows; row++)
            out[row] += bytes[row];
    }
    return out;
}

/* The last panel may stand for several levels. */
static void read_levels(hsgd_figure_progress *out, double *memory, const hsgd_series *series, size_t levels,
                        const char *run)
{
    size_t panels = hsgd_figure_num_byte_panels(levels);
    for (size_t k = 0; k < panels; k++) {
        char name[48];
        snprintf(name, sizeof name, "bytes_level_%zu", k + 1);
        out->bytes_level[k] = find(series, name, run, "");
    }
    if (panels < levels)
        out->bytes_level[panels - 1] = sum_bytes(memory, series, panels - 1, levels, run);
}

hsgd_status hsgd_folder_metrics(hsgd_figure_input *in, double **memory, const hsgd_series *series, hsgd_error *err)
{
    size_t rows = series->num_rows;
    double *next = *memory = calloc(HSGD_NUM_FIGURE_RUNS * ARRAYS_PER_RUN * rows, sizeof *next);
    if (!next)
        return hsgd_fail_memory(err, "the series");
    for (size_t r = 0; r < HSGD_NUM_FIGURE_RUNS; r++, next += ARRAYS_PER_RUN * rows) {
        in->progress[r] = (hsgd_figure_progress){
            .loss = find(series, "loss", suffix[r], ""),
            .loss_half_width = half_widths(next, series, "loss", suffix[r], in),
            .train_accuracy = find(series, "train_accuracy", suffix[r], ""),
            .train_accuracy_half_width = half_widths(next + rows, series, "train_accuracy", suffix[r], in),
            .test_accuracy = find(series, "test_accuracy", suffix[r], ""),
            .test_accuracy_half_width = half_widths(next + 2 * rows, series, "test_accuracy", suffix[r], in),
            .time_s = find(series, "time_s", suffix[r], ""),
            .bytes_top = find(series, "bytes_level_1", suffix[r], ""),
            .bytes_all = sum_bytes(next + 3 * rows, series, 0, in->num_levels, suffix[r]),
            .S = find(series, "S", suffix[r], ""),
            .S_half_width = half_widths(next + 4 * rows, series, "S", suffix[r], in)};
        read_levels(&in->progress[r], next + 5 * rows, series, in->num_levels, suffix[r]);
    }
    return HSGD_OK;
}
