/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Accuracies, losses, seconds and bytes of the runs as the figures get them. */
#include <stdio.h>
#include <stdlib.h>

#include "experiments/folder_private.h"

static const char *const suffix[HSGD_NUM_FIGURE_RUNS] = {"", "_inner", "_outer"};

enum { ARRAYS_PER_RUN = 10 }; /* four bands of two, the bytes of all levels, and of those that share a panel */

static const double *find(const hsgd_series *series, const char *name, const char *run, const char *ending)
{
    char full[96];
    snprintf(full, sizeof full, "%s%s%s", name, run, ending);
    return hsgd_series_column(series, full);
}

/* The mean of a run, and its band in *next (2, num_rows), which moves on. */
static hsgd_status read_band(const double **mean, const double **below, const double **above, double **next,
                             const hsgd_bands *bands, const char *name, const char *run, hsgd_error *err)
{
    char full[48];
    snprintf(full, sizeof full, "%s%s", name, run);
    const hsgd_band_place place = {*next, *next + bands->series->num_rows, 1};
    *next += 2 * bands->series->num_rows;
    *mean = hsgd_series_column(bands->series, full);
    if (!*mean || !find(bands->series, full, "", "_se"))
        return HSGD_OK;
    *below = place.below;
    *above = bands->kind == HSGD_BAND_RANGE ? place.above : NULL;
    return hsgd_folder_band(bands, &place, full, err);
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

/* next (ARRAYS_PER_RUN, num_rows) */
static hsgd_status read_run(hsgd_figure_progress *p, double *next, size_t levels, const hsgd_bands *bands,
                            const char *run, hsgd_error *err)
{
    const hsgd_series *series = bands->series;
    *p = (hsgd_figure_progress){.time_s = find(series, "time_s", run, ""),
                                .bytes_top = find(series, "bytes_level_1", run, "")};
    hsgd_status status = read_band(&p->loss, &p->loss_half_width, &p->loss_above, &next, bands, "loss", run, err);
    if (!status)
        status = read_band(&p->train_accuracy, &p->train_accuracy_half_width, &p->train_accuracy_above, &next, bands,
                           "train_accuracy", run, err);
    if (!status)
        status = read_band(&p->test_accuracy, &p->test_accuracy_half_width, &p->test_accuracy_above, &next, bands,
                           "test_accuracy", run, err);
    if (!status)
        status = read_band(&p->S, &p->S_half_width, &p->S_above, &next, bands, "S", run, err);
    p->bytes_all = sum_bytes(next, series, 0, levels, run);
    read_levels(p, next + series->num_rows, series, levels, run);
    return status;
}

hsgd_status hsgd_folder_metrics(hsgd_figure_input *in, double **memory, const hsgd_bands *bands, hsgd_error *err)
{
    size_t rows = bands->series->num_rows;
    hsgd_status status = HSGD_OK;
    double *next = *memory = calloc(rows * HSGD_NUM_FIGURE_RUNS * ARRAYS_PER_RUN, sizeof *next);
    if (!next)
        return hsgd_fail_memory(err, "the series");
    for (size_t r = 0; r < HSGD_NUM_FIGURE_RUNS && !status; r++, next += ARRAYS_PER_RUN * rows)
        status = read_run(&in->progress[r], next, in->num_levels, bands, suffix[r], err);
    return status;
}
