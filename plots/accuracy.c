/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Figures "accuracy", "accuracy-time", "accuracy-bytes": the share of labels that wbar predicts, over steps, modelled seconds
 * and the bytes of every level. */
#include "plots/figures_private.h"
#include "plots/progress_private.h"

static bool was_evaluated(const hsgd_figure_input *in)
{
    return hsgd_any_finite(in->progress[0].train_accuracy, in->num_rows, 1);
}

static bool accuracy_possible(const hsgd_figure_input *in, char *reason, size_t size)
{
    return was_evaluated(in) || hsgd_figure_lacks(reason, size, "accuracies were not evaluated, or are not finite");
}

static bool time_possible(const hsgd_figure_input *in, char *reason, size_t size)
{
    if (!hsgd_any_finite(in->progress[0].time_s, in->num_rows, 1))
        return hsgd_figure_lacks(reason, size, "there is no model of communication time");
    return accuracy_possible(in, reason, size);
}

static bool bytes_possible(const hsgd_figure_input *in, char *reason, size_t size)
{
    if (!in->progress[0].bytes_all)
        return hsgd_figure_lacks(reason, size, "there is no model of communication");
    return accuracy_possible(in, reason, size);
}

/* Test data count most where there are any. */
static hsgd_lines lines_of(const hsgd_figure_input *in, const char *figure)
{
    bool has_test = hsgd_any_finite(in->progress[0].test_accuracy, in->num_rows, 1);
    const char *label = has_test ? "test accuracy" : "training accuracy";
    hsgd_lines lines = {.figure = figure,
                        .late_axis = true,
                        .only_where = in->progress[0].train_accuracy,
                        .second = has_test ? "on training data" : NULL,
                        .y_label = label,
                        .y_label_tex = label};
    for (size_t r = 0; has_test && r < HSGD_NUM_FIGURE_RUNS; r++)
        hsgd_lines_add(&lines, in,
                       (hsgd_line){r, in->progress[r].test_accuracy, in->progress[r].test_accuracy_half_width,
                                   "test_accuracy", false, in->progress[r].test_accuracy_above});
    for (size_t r = 0; r < HSGD_NUM_FIGURE_RUNS; r++)
        hsgd_lines_add(&lines, in,
                       (hsgd_line){r, in->progress[r].train_accuracy, in->progress[r].train_accuracy_half_width,
                                   "train_accuracy", has_test, in->progress[r].train_accuracy_above});
    return lines;
}

static hsgd_status write_accuracy(const hsgd_figure_input *in, const char *dir, const hsgd_figure_style *style,
                                  hsgd_error *err)
{
    hsgd_status status = hsgd_figure_require(&hsgd_figure_accuracy, in, err);
    hsgd_lines lines = lines_of(in, "accuracy");
    return status ? status
                  : hsgd_lines_write(in, &lines, (const hsgd_abscissa[]){HSGD_OVER_STEPS}, 1, dir, style,
                                     "Accuracy: share of the labels that the average of all models predicts.", err);
}

static hsgd_status write_time(const hsgd_figure_input *in, const char *dir, const hsgd_figure_style *style,
                              hsgd_error *err)
{
    hsgd_status status = hsgd_figure_require(&hsgd_figure_accuracy_time, in, err);
    hsgd_lines lines = lines_of(in, "accuracy-time");
    return status ? status
                  : hsgd_lines_write(in, &lines, (const hsgd_abscissa[]){HSGD_OVER_TIME}, 1, dir, style,
                                     "Accuracy over modelled seconds of computing and communicating.", err);
}

static hsgd_status write_bytes(const hsgd_figure_input *in, const char *dir, const hsgd_figure_style *style,
                               hsgd_error *err)
{
    hsgd_status status = hsgd_figure_require(&hsgd_figure_accuracy_bytes, in, err);
    hsgd_lines lines = lines_of(in, "accuracy-bytes");
    return status ? status
                  : hsgd_lines_write_levels(in, &lines, dir, style, "Accuracy over the bytes sent at each level.", err);
}

const hsgd_figure hsgd_figure_accuracy = {"accuracy", accuracy_possible, write_accuracy};
const hsgd_figure hsgd_figure_accuracy_time = {"accuracy-time", time_possible, write_time};
const hsgd_figure hsgd_figure_accuracy_bytes = {"accuracy-bytes", bytes_possible, write_bytes};
