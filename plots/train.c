/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "plots/train.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/text_stream.h"
#include "plots/caption_private.h"
#include "plots/script_private.h"
#include "plots/table_private.h"

#define ROW_IN 0.135
#define ROW_GAP_IN 0.1
#define LEFT_IN 0.95 /* of the panel with rows */
#define RIGHT_IN 0.1
#define POINT_SIZE 0.5

enum { WIDEST_ENTRY = sizeof "level 1: measured, fitted" - 1, CAPTION_TEXT_WIDTH = 60 };

/* ---- data ---- */

/* The step, then waiting and average of each level. */
static size_t num_rows(const hsgd_train_figure_input *in)
{
    return 1 + 2 * in->num_levels;
}

static hsgd_train_times times_of(const hsgd_train_figure_input *in, size_t row)
{
    const hsgd_train_figure_level *level = &in->level[row ? (row - 1) / 2 : 0];
    return row == 0 ? in->step : row % 2 ? level->wait : level->average;
}

/* Columns row, median and high; then bytes, time of each level. Those that are shorter end in NAN. */
static void fill(double *memory, const hsgd_train_figure_input *in, size_t rows)
{
    for (size_t i = 0; i < (3 + 2 * in->num_levels) * rows; i++)
        memory[i] = NAN;
    for (size_t i = 0; i < num_rows(in); i++) {
        hsgd_train_times times = times_of(in, i);
        memory[i] = (double)i + 1;
        memory[rows + i] = times.median_s;
        memory[2 * rows + i] = times.high_s;
    }
    for (size_t k = 0; k < in->num_levels; k++)
        for (size_t i = 0; i < in->level[k].num_probes; i++) {
            memory[(3 + 2 * k) * rows + i] = in->level[k].bytes[i];
            memory[(4 + 2 * k) * rows + i] = in->level[k].time_s[i];
        }
}

static hsgd_status write_data(const hsgd_train_figure_input *in, const char *dir, hsgd_error *err)
{
    size_t rows = num_rows(in);
    for (size_t k = 0; k < in->num_levels; k++)
        rows = in->level[k].num_probes > rows ? in->level[k].num_probes : rows;
    double *memory = malloc((3 + 2 * in->num_levels) * rows * sizeof *memory);
    if (!memory)
        return hsgd_fail_memory(err, "the data of a figure");
    fill(memory, in, rows);
    hsgd_table table;
    hsgd_table_init(&table, rows);
    table.keep_from = 0; /* rows of different columns have nothing to do with each other: none is thinned */
    hsgd_table_add(&table, memory, 1, false, "row");
    hsgd_table_add(&table, memory + rows, 1, true, "median_s");
    hsgd_table_add(&table, memory + 2 * rows, 1, true, "high_s");
    for (size_t k = 0; k < in->num_levels; k++) {
        hsgd_table_add(&table, memory + (3 + 2 * k) * rows, 1, true, "bytes_%zu", k + 1);
        hsgd_table_add(&table, memory + (4 + 2 * k) * rows, 1, true, "time_%zu_s", k + 1);
    }
    hsgd_status status = hsgd_table_write(&table, dir, HSGD_TRAIN_FIGURE, err);
    hsgd_table_free(&table);
    free(memory);
    return status;
}

/* ---- the script ---- */

static void write_title(hsgd_script *s, const hsgd_train_figure_input *in)
{
    hsgd_quoted quoted;
    char text[128];
    if (!s->title)
        return;
    hsgd_script_name(s, in->name, (size_t)(13 * s->width_in));
    snprintf(text, sizeof text, "%zu worker%s on %zu host%s", in->num_workers, in->num_workers == 1 ? "" : "s",
             in->num_hosts, in->num_hosts == 1 ? "" : "s");
    fprintf(s->stream, "set label 2 %s%s", hsgd_script_pick(s, "", "'" HSGD_SMALL_TEX_FONT "'."),
            hsgd_text_quote(&quoted, s->format, text, (size_t)(18 * s->width_in)));
    hsgd_script_title_line(s, 2);
}

static void name_rows(hsgd_script *s, const hsgd_train_figure_input *in)
{
    fputs("unset logscale y; set format y '%g'; set ytics ('a step' 1", s->stream);
    for (size_t k = 0; k < in->num_levels; k++)
        fprintf(s->stream, ", 'level %zu: wait' %zu, 'average' %zu", k + 1, 2 * k + 2, 2 * k + 3);
    fprintf(s->stream, "); set yrange [%zu.6:0.4]\n", num_rows(in));
}

/* Medians, with a line to what 95 % are below. */
static void draw_times(hsgd_script *s, const hsgd_train_figure_input *in)
{
    hsgd_range x = hsgd_range_empty();
    for (size_t i = 0; i < num_rows(in); i++) {
        hsgd_range_add(&x, times_of(in, i).median_s);
        hsgd_range_add(&x, times_of(in, i).high_s);
    }
    hsgd_unit unit = hsgd_script_unit(s, true, x.high);
    x.low /= unit.size;
    x.high /= unit.size;
    char label[64];
    snprintf(label, sizeof label, "time (%s): median, to 95%s", unit.name, hsgd_script_pick(s, " %", "\\,\\%"));
    hsgd_script_log_x_axis(s, x);
    name_rows(s, in);
    hsgd_script_axis_labels(s, label, NULL);
    for (size_t k = 0; k <= in->num_levels; k++) {
        size_t first = k ? 2 * k : 1, last = k ? 2 * k + 1 : 1;
        hsgd_script_series(
            s,
            "'train.dat' using (column(\"median_s\")/%g):(column(\"row\") >= %zu && column(\"row\") <= %zu "
            "? column(\"row\") : NaN):(column(\"median_s\")/%g):(column(\"high_s\")/%g) "
            "with xerrorbars pt 7 ps %.3g lw 1.2 lc rgb '%s' notitle",
            unit.size, first, last, unit.size, unit.size, hsgd_point_size(s, POINT_SIZE), hsgd_colour(k));
    }
    hsgd_script_plotted(s);
}

static const int point_type[] = {7, 5, 9, 11, 13};
enum { NUM_POINT_TYPES = sizeof point_type / sizeof *point_type };

static void add_level(hsgd_script *s, const hsgd_train_figure_input *in, size_t k, hsgd_unit bytes, hsgd_unit time)
{
    const hsgd_train_figure_level *level = &in->level[k];
    const char *colour = hsgd_colour(k + 1), *dash = hsgd_long_dash(k + 1);
    int point = point_type[k % NUM_POINT_TYPES];
    hsgd_script_series(s, "2*(%.9g + %.9g*%g*x)/%g with lines lc rgb '%s' lw 1.3 dt %s notitle", level->latency_s,
                       level->inverse_s_per_b, bytes.size, time.size, colour, dash);
    hsgd_script_series(s,
                       "'train.dat' using (column(\"bytes_%zu\")/%g):(column(\"time_%zu_s\")/%g) with points pt %d ps "
                       "%.3g lc rgb '%s' notitle",
                       k + 1, bytes.size, k + 1, time.size, point, hsgd_point_size(s, POINT_SIZE), colour);
    if (level->average.median_s > 0)
        hsgd_script_series(
            s, "'+' using (%.9g):(%.9g) every ::0::0 with points pt 6 ps %.3g lw 1.2 lc rgb '%s' notitle",
            in->model_bytes / bytes.size, level->average.median_s / time.size, hsgd_point_size(s, 1.1), colour);
    hsgd_script_series(s, "keyentry with lp pt %d ps %.3g lc rgb '%s' lw 1.3 dt %s title 'level %zu: measured, fitted'",
                       point, hsgd_point_size(s, POINT_SIZE), colour, dash, k + 1);
}

/* Allreduces over the size of the message. */
static void draw_probes(hsgd_script *s, const hsgd_train_figure_input *in)
{
    hsgd_range x = hsgd_range_empty(), y = hsgd_range_empty();
    for (size_t k = 0; k < in->num_levels; k++) {
        hsgd_range_merge(&x, hsgd_range_of(in->level[k].bytes, in->level[k].num_probes, 1));
        hsgd_range_merge(&y, hsgd_range_of(in->level[k].time_s, in->level[k].num_probes, 1));
        hsgd_range_add(&y, in->level[k].average.median_s);
    }
    hsgd_unit bytes = hsgd_script_unit(s, false, x.high), time = hsgd_script_unit(s, true, y.high);
    char label[2][64];
    x.low /= bytes.size, x.high /= bytes.size;
    y.low /= time.size, y.high /= time.size;
    snprintf(label[0], sizeof label[0], "size of the model (%s)", bytes.name);
    snprintf(label[1], sizeof label[1], "Allreduce (%s)", time.name);
    hsgd_script_log_x_axis(s, x);
    hsgd_script_log_axis(s, y);
    hsgd_script_axis_labels(s, label[0], label[1]);
    for (size_t k = 0; k < in->num_levels; k++)
        add_level(s, in, k, bytes, time);
    hsgd_script_series(s, "keyentry with points pt 6 ps %.3g lw 1.2 lc rgb '%s' title 'in the training'",
                       hsgd_point_size(s, 1.1), hsgd_colour(0));
    hsgd_script_plotted(s);
}

static size_t legend_columns(const hsgd_train_figure_input *in, double width_in)
{
    return hsgd_legend_columns(width_in, in->num_levels + 1, WIDEST_ENTRY);
}

static double legend_height(const hsgd_train_figure_input *in, double width_in)
{
    return hsgd_legend_height(in->num_levels + 1, legend_columns(in, width_in));
}

static double rows_height(const hsgd_train_figure_input *in)
{
    return ROW_IN * ((double)num_rows(in) + 0.4);
}

static double page_height(const hsgd_train_figure_input *in, const hsgd_figure_style *style)
{
    return hsgd_title_lines_height(style->title, 2) + rows_height(in) + HSGD_X_AXIS_IN + ROW_GAP_IN +
           hsgd_panel_height(style) + HSGD_X_AXIS_IN + legend_height(in, style->width_in);
}

static void write_script(hsgd_script *s, const hsgd_train_figure_input *in, const hsgd_figure_style *style)
{
    double top = s->height_in - hsgd_title_lines_height(s->title, 2), height = rows_height(in);
    write_title(s, in);
    fputs("set multiplot\nunset key\n", s->stream);
    hsgd_script_margins(s, LEFT_IN, RIGHT_IN);
    hsgd_script_panel(s, top - height, top);
    draw_times(s, in);
    fputs("unset label\n", s->stream); /* it is there */
    top -= height + HSGD_X_AXIS_IN + ROW_GAP_IN;
    height = hsgd_panel_height(style);
    hsgd_script_column(s, 0, 1);
    hsgd_script_panel(s, top - height, top);
    hsgd_script_legend(s, legend_height(in, s->width_in), in->num_levels + 1, legend_columns(in, s->width_in));
    draw_probes(s, in);
    fputs("unset multiplot\n", s->stream);
}

/* ---- the caption ---- */

char *hsgd_train_figure_caption(const hsgd_train_figure_input *in, hsgd_caption_syntax syntax)
{
    hsgd_text_stream memory;
    FILE *out = hsgd_text_open(&memory);
    if (!out)
        return NULL;
    fprintf(out, "Real training on %zu worker%s (%zu host%s), ", in->num_workers, in->num_workers == 1 ? "" : "s",
            in->num_hosts, in->num_hosts == 1 ? "" : "s");
    hsgd_caption_say_text(out, syntax, in->name, CAPTION_TEXT_WIDTH);
    fprintf(
        out,
        ": what a step, the waiting for the latest worker and the average itself took, from the median to what "
        "%s of the values are below. Below: an average over the ranks of one node of each level, alone (medians) and "
        "in the training, and the fitted model, 2 (latency + bytes/bandwidth).",
        hsgd_caption_pick(syntax, "95 %", "95\\,\\%"));
    return hsgd_text_close(&memory, out);
}

static hsgd_status write_caption(const hsgd_train_figure_input *in, const char *dir, hsgd_error *err)
{
    return hsgd_caption_write(hsgd_train_figure_caption(in, HSGD_CAPTION_TEX), dir, HSGD_TRAIN_FIGURE, err);
}

hsgd_status hsgd_train_figure_write(const hsgd_train_figure_input *in, const char *dir, const hsgd_figure_style *style,
                                    hsgd_error *err)
{
    hsgd_script script;
    hsgd_status status = write_data(in, dir, err);
    if (!status)
        status = write_caption(in, dir, err);
    if (!status)
        status = hsgd_script_open(&script, dir, HSGD_TRAIN_FIGURE, style, page_height(in, style),
                                  "Training: times of steps, waiting and averages, and averages over their size.", err);
    if (status)
        return status;
    write_script(&script, in, style);
    return hsgd_script_close(&script, err);
}
