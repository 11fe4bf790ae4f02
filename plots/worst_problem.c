/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Figure "worst-problem". Above: the paths of the models in their two leading directions, coloured by group, and of their
 * average. Below: the squared gradient at the average, step by step. */
#include "plots/worst_problem.h"

#include <math.h>
#include <stdlib.h>

#include "plots/script_private.h"
#include "plots/table_private.h"

const char hsgd_worst_problem_figure_name[] = "worst-problem";

/* Colours tell so many groups apart; the legend names no more. */
enum { NAMED_GROUPS = 6, WIDEST_ENTRY = 12 };

#define BETWEEN_IN 0.12 /* the two panels, beyond the axis of the upper */
#define TITLE_IN 0.24
#define RIGHT_IN 0.12

static size_t drawn_workers(const hsgd_worst_problem_figure_input *in)
{
    return in->num_workers < HSGD_WORST_PROBLEM_FIGURE_WORKERS ? in->num_workers : HSGD_WORST_PROBLEM_FIGURE_WORKERS;
}

static size_t group_of(const hsgd_worst_problem_figure_input *in, size_t worker)
{
    return worker / (in->num_workers / in->num_groups);
}

static size_t legend_entries(const hsgd_worst_problem_figure_input *in)
{
    return (in->num_groups < NAMED_GROUPS ? in->num_groups : NAMED_GROUPS) + 1;
}

static size_t legend_columns(const hsgd_worst_problem_figure_input *in, double width_in)
{
    return hsgd_legend_columns(width_in, legend_entries(in), WIDEST_ENTRY);
}

/* ---- data ---- */

static hsgd_status write_data(const hsgd_worst_problem_figure_input *in, const char *dir, hsgd_error *err)
{
    size_t rows = in->steps + 1, stride = 2 * in->num_workers;
    double *step = malloc(rows * sizeof *step);
    if (!step)
        return hsgd_fail_memory(err, "the data of a figure");
    for (size_t t = 0; t < rows; t++)
        step[t] = (double)t;
    hsgd_table table;
    hsgd_table_init(&table, rows);
    hsgd_table_add(&table, step, 1, false, "step");
    hsgd_table_add(&table, in->grad_norm_sq, 1, true, "grad_norm_sq");
    hsgd_table_add(&table, in->mean, 2, false, "mean_1");
    hsgd_table_add(&table, in->mean + 1, 2, false, "mean_2");
    for (size_t j = 0; j < drawn_workers(in); j++) {
        hsgd_table_add(&table, in->model + 2 * j, stride, false, "worker_%zu_1", j + 1);
        hsgd_table_add(&table, in->model + 2 * j + 1, stride, false, "worker_%zu_2", j + 1);
    }
    hsgd_status status = hsgd_table_write(&table, dir, hsgd_worst_problem_figure_name, err);
    hsgd_table_free(&table);
    free(step);
    return status;
}

/* ---- the script ---- */

static double title_height(const hsgd_figure_style *style)
{
    return style->title ? TITLE_IN : 0.07;
}

static void write_title(hsgd_script *s, const hsgd_worst_problem_figure_input *in)
{
    hsgd_font font;
    hsgd_number value;
    if (!s->title)
        return;
    fprintf(s->stream, "set label 1 'A problem that attains the worst case, %s' at screen 0.5,%.4f center%s\n",
            hsgd_text_number(&value, s->format, in->value), 1 - 0.12 / s->height_in, hsgd_script_font(&font, s, 8));
}

/* An axis around [low, high] with some room, or around one value. */
static void write_range(hsgd_script *s, const char *axis, double low, double high)
{
    double room = high > low ? 0.06 * (high - low) : fmax(0.1, 0.1 * fabs(high));
    fprintf(s->stream, "set %srange [%.9g:%.9g]; set %stics %.3g; set format %s '%s'\n", axis, low - room, high + room,
            axis, hsgd_tick_distance(high - low + 2 * room), axis, hsgd_script_pick(s, "%g", "$%g$"));
}

/* The range of one direction over all models. */
static void write_direction(hsgd_script *s, const hsgd_worst_problem_figure_input *in, size_t direction)
{
    double low = INFINITY, high = -INFINITY;
    size_t count = (in->steps + 1) * in->num_workers;
    for (size_t i = 0; i < count; i++) {
        double x = in->model[2 * i + direction];
        low = isfinite(x) ? fmin(low, x) : low;
        high = isfinite(x) ? fmax(high, x) : high;
    }
    write_range(s, direction ? "y" : "x", low <= high ? low : 0, low <= high ? high : 0);
}

/* One entry of the legend per group, however many workers it has. */
static void add_group_entries(hsgd_script *s, const hsgd_worst_problem_figure_input *in)
{
    for (size_t g = 0; g + 1 < legend_entries(in) && in->num_groups > 1; g++)
        hsgd_script_series(s, "keyentry with linespoints lc rgb '%s' lw 1 pt 7 ps %.3g title 'group %zu'",
                           hsgd_colour(g + 1), hsgd_point_size(s, 0.3), g + 1);
}

static void draw_paths(hsgd_script *s, const hsgd_worst_problem_figure_input *in, double legend_top_in)
{
    hsgd_script_legend(s, legend_top_in, legend_entries(in), legend_columns(in, s->width_in));
    hsgd_script_margins(s, s->panel_left_in, RIGHT_IN);
    write_direction(s, in, 0);
    write_direction(s, in, 1);
    hsgd_script_axis_labels(s, "models, leading direction", "second direction");
    for (size_t j = 0; j < drawn_workers(in) && in->num_workers > 1; j++)
        hsgd_script_series(s,
                           "'worst-problem.dat' using \"worker_%zu_1\":\"worker_%zu_2\" with linespoints lc rgb '%s' "
                           "lw 1 pt 7 ps %.3g notitle",
                           j + 1, j + 1, hsgd_colour(group_of(in, j) % NAMED_GROUPS + 1), hsgd_point_size(s, 0.3));
    add_group_entries(s, in);
    hsgd_script_series(s,
                       "'worst-problem.dat' using \"mean_1\":\"mean_2\" with linespoints lc rgb '#000000' lw 1.6 pt 6 "
                       "ps %.3g title 'average'",
                       hsgd_point_size(s, 0.4));
    hsgd_script_plotted(s);
}

static void draw_gradients(hsgd_script *s, const hsgd_worst_problem_figure_input *in)
{
    double high = in->value;
    for (size_t t = 0; t <= in->steps; t++)
        high = fmax(high, in->grad_norm_sq[t]);
    fputs("unset label; unset key\n", s->stream);
    hsgd_script_step_axis(s, 0, (double)in->steps);
    fputs("set format x '%g'\n", s->stream);
    fprintf(s->stream, "set yrange [0:%.9g]; set ytics %.3g; set format y '%s'\n", 1.08 * high,
            hsgd_tick_distance(1.08 * high), hsgd_script_pick(s, "%g", "$%g$"));
    hsgd_script_axis_labels(s, hsgd_script_pick(s, "step {/:Italic t}", "step $t$"),
                            hsgd_script_pick(s, "‖∇{/:Italic f}(w̄^{/:Italic t})‖^2", "$\\|\\nabla f(\\bar w^t)\\|^2$"));
    hsgd_script_series(s, "%.9g with lines lc rgb '#666666' lw 1 dt (8,3) notitle", in->value);
    hsgd_script_series(
        s,
        "'worst-problem.dat' using \"step\":\"grad_norm_sq\" with linespoints lc rgb '#000000' lw 1 pt 7 "
        "ps %.3g notitle",
        hsgd_point_size(s, 0.3));
    hsgd_script_plotted(s);
}

static hsgd_status write_script(const hsgd_worst_problem_figure_input *in, const char *dir,
                                const hsgd_figure_style *style, hsgd_error *err)
{
    hsgd_script s;
    double panel = hsgd_panel_height(style);
    double legend = hsgd_legend_height(legend_entries(in), legend_columns(in, style->width_in));
    double low_top = HSGD_X_AXIS_IN + 0.6 * panel, legend_top = low_top + BETWEEN_IN + legend;
    double bottom = legend_top + HSGD_X_AXIS_IN, top = bottom + panel;
    hsgd_status status =
        hsgd_script_open(&s, dir, hsgd_worst_problem_figure_name, style, top + title_height(style),
                         "Worst problem: paths of the models in two directions, and squared gradients.", err);
    if (status != HSGD_OK)
        return status;
    write_title(&s, in);
    fputs("set multiplot\n", s.stream);
    hsgd_script_panel(&s, bottom, top);
    draw_paths(&s, in, legend_top);
    hsgd_script_panel(&s, HSGD_X_AXIS_IN, low_top);
    draw_gradients(&s, in);
    fputs("unset multiplot\n", s.stream);
    return hsgd_script_close(&s, err);
}

/* ---- caption ---- */

static hsgd_status write_caption(const hsgd_worst_problem_figure_input *in, const char *dir, hsgd_error *err)
{
    hsgd_output out;
    hsgd_number value;
    hsgd_status status = hsgd_output_open(&out, dir, hsgd_worst_problem_figure_name, "caption.tex", err);
    if (status != HSGD_OK)
        return status;
    fprintf(
        out.stream,
        "A problem that attains the worst case of H-SGD with exact gradients. Above, the paths of the models of $n = "
        "%zu$ workers in their two leading directions, and of their average; below, the squared gradient at the "
        "average, whose %s (dashed) is %s. ",
        in->num_workers, in->minimum ? "minimum over $t \\le T$" : "mean over $t < T$",
        hsgd_text_number(&value, HSGD_FIGURE_TEX, in->value));
    for (size_t k = 0; k < in->num_levels; k++)
        fprintf(out.stream, "%s%zu", k ? ", " : "Periods ", in->periods[k]);
    fprintf(out.stream, "%s$T = %zu$, $\\gamma L = %.4g$; the initial gap bounds %s.%%\n", in->num_levels ? ", " : "",
            in->steps, in->step_size * in->smoothness,
            in->lower_bound ? "$f(w^0) - f(\\bar w^t) + \\|\\nabla f(\\bar w^t)\\|^2/(2L)$, $t \\le T$"
                            : "$f(w^0) - f(\\bar w^T)$");
    return hsgd_output_close(&out, err);
}

hsgd_status hsgd_worst_problem_figure_write(const hsgd_worst_problem_figure_input *in, const char *dir,
                                            const hsgd_figure_style *style, hsgd_error *err)
{
    hsgd_status status = write_data(in, dir, err);
    if (!status)
        status = write_caption(in, dir, err);
    return status ? status : write_script(in, dir, style, err);
}
