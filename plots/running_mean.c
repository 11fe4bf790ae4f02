/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Figures "S-time" and "S-bytes": what the bounds speak of, S as it is when the run ends at step t, over what t steps cost.
 *
 * S of the first t steps is the mean of ||grad f(wbar^s)||^2 over the measured steps s < t (all of them for measure_every
 * 1), so it stands at the seconds and bytes that the run had used when step t began. */
#include "plots/figures_private.h"
#include "plots/progress_private.h"

static bool was_measured(const hsgd_figure_input *in, char *reason, size_t size)
{
    return hsgd_any_finite(in->progress[0].S, in->num_rows, 1) ||
           hsgd_figure_lacks(reason, size, "S up to step t needs a communication model and two measured steps");
}

static bool time_possible(const hsgd_figure_input *in, char *reason, size_t size)
{
    if (!hsgd_any_finite(in->progress[0].time_s, in->num_rows, 1))
        return hsgd_figure_lacks(reason, size, "there is no model of communication time");
    return was_measured(in, reason, size);
}

static bool bytes_possible(const hsgd_figure_input *in, char *reason, size_t size)
{
    if (!in->progress[0].bytes_all)
        return hsgd_figure_lacks(reason, size, "there is no model of communication");
    return was_measured(in, reason, size);
}

static hsgd_lines lines_of(const hsgd_figure_input *in, const char *figure)
{
    hsgd_lines lines = {.figure = figure,
                        .log_axis = true,
                        .bands_over_bytes = true,
                        .y_label = "{/:Italic S} of the first {/:Italic t} steps",
                        .y_label_tex = "$S$ of the first $t$ steps"};
    for (size_t r = 0; r < HSGD_NUM_FIGURE_RUNS; r++)
        hsgd_lines_add(
            &lines, in,
            (hsgd_line){r, in->progress[r].S, in->progress[r].S_half_width, "S", false, in->progress[r].S_above});
    return lines;
}

static hsgd_status write_time(const hsgd_figure_input *in, const char *dir, const hsgd_figure_style *style,
                              hsgd_error *err)
{
    hsgd_status status = hsgd_figure_require(&hsgd_figure_S_time, in, err);
    hsgd_lines lines = lines_of(in, "S-time");
    return status
               ? status
               : hsgd_lines_write(in, &lines, (const hsgd_abscissa[]){HSGD_OVER_TIME}, 1, dir, style,
                                  "S of the first t steps over modelled seconds of computing and communicating.", err);
}

static hsgd_status write_bytes(const hsgd_figure_input *in, const char *dir, const hsgd_figure_style *style,
                               hsgd_error *err)
{
    hsgd_status status = hsgd_figure_require(&hsgd_figure_S_bytes, in, err);
    hsgd_lines lines = lines_of(in, "S-bytes");
    return status ? status
                  : hsgd_lines_write_levels(in, &lines, dir, style,
                                            "S of the first t steps over the bytes sent at each level.", err);
}

const hsgd_figure hsgd_figure_S_time = {"S-time", time_possible, write_time};
const hsgd_figure hsgd_figure_S_bytes = {"S-bytes", bytes_possible, write_bytes};
