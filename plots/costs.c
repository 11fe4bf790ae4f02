/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Figures "loss-time" and "gradient-bytes": what H-SGD and local SGD reach for their seconds and their bytes. */
#include "plots/figures_private.h"
#include "plots/progress_private.h"

static bool possible(const hsgd_figure_input *in, char *reason, size_t size)
{
    if (!hsgd_any_finite(in->progress[0].time_s, in->num_rows, 1) || !in->progress[0].bytes_all)
        return hsgd_figure_lacks(reason, size, "there is no model of communication time");
    if (!hsgd_any_finite(in->hsgd.grad_norm_sq, in->num_rows, 1) ||
        !hsgd_any_finite(in->progress[0].loss, in->num_rows, 1))
        return hsgd_figure_lacks(reason, size, "loss or gradient were not measured or are not finite");
    return true;
}

static hsgd_status write_loss(const hsgd_figure_input *in, const char *dir, const hsgd_figure_style *style,
                              hsgd_error *err)
{
    hsgd_lines lines = {.figure = "loss-time",
                        .log_axis = true,
                        .y_label = "loss {/:Italic f}({/:Italic w̄}^{/:Italic t})",
                        .y_label_tex = "loss $f(\\bar w^t)$"};
    hsgd_status status = hsgd_figure_require(&hsgd_figure_loss_time, in, err);
    for (size_t r = 0; r < HSGD_NUM_FIGURE_RUNS; r++)
        hsgd_lines_add(&lines, in,
                       (hsgd_line){r, in->progress[r].loss, in->progress[r].loss_half_width, "loss", false,
                                   in->progress[r].loss_above});
    return status ? status
                  : hsgd_lines_write(in, &lines, (const hsgd_abscissa[]){HSGD_OVER_TIME}, 1, dir, style,
                                     "Loss over modelled seconds of computing and communicating.", err);
}

/* With one level the top level is all of them. */
static hsgd_status write_gradient(const hsgd_figure_input *in, const char *dir, const hsgd_figure_style *style,
                                  hsgd_error *err)
{
    const hsgd_abscissa x[] = {HSGD_OVER_TIME, HSGD_OVER_BYTES_TOP, HSGD_OVER_BYTES_ALL};
    const hsgd_figure_curve *curve[HSGD_NUM_FIGURE_RUNS] = {&in->hsgd, &in->local_inner, &in->local_outer};
    hsgd_lines lines = {.figure = "gradient-bytes",
                        .log_axis = true,
                        .y_label = "‖∇{/:Italic f}({/:Italic w̄}^{/:Italic t})‖^2",
                        .y_label_tex = "$\\|\\nabla f(\\bar w^t)\\|^2$"};
    hsgd_status status = hsgd_figure_require(&hsgd_figure_gradient_bytes, in, err);
    for (size_t r = 0; r < HSGD_NUM_FIGURE_RUNS; r++)
        hsgd_lines_add(&lines, in,
                       (hsgd_line){r, curve[r]->grad_norm_sq, curve[r]->grad_norm_sq_half_width, "grad_norm_sq", false,
                                   curve[r]->grad_norm_sq_above});
    return status ? status
                  : hsgd_lines_write(in, &lines, x, in->num_levels > 1 ? 3 : 2, dir, style,
                                     "Squared gradient norm over modelled seconds and over bytes sent.", err);
}

const hsgd_figure hsgd_figure_loss_time = {"loss-time", possible, write_loss};
const hsgd_figure hsgd_figure_gradient_bytes = {"gradient-bytes", possible, write_gradient};
