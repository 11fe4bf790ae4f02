/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Figure "hunt". Above: the best ratio of measured value and bound against evaluations, of every start and of all so far.
 * Below: that ratio for every bound that applies to the worst problem. */
#include "plots/hunt.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "plots/script_private.h"
#include "plots/table_private.h"

const char hsgd_hunt_figure_name[] = "hunt";

/* Of more starts only the ends are drawn: their lines would be a grey area. */
enum { MOST_LINES = 200 };

enum { TITLE_MAX_WIDTH = 44, NAME_WIDTH = 44 };

#define ROW_IN 0.25      /* one bar with the line above it */
#define BETWEEN_IN 0.08  /* the two panels, beyond the axis of the upper */
#define RIGHT_IN 0.22    /* the last tick label is that of a large number */
#define LABEL_SHARE 0.14 /* of the panel's width, a ratio beside its bar */

/* The columns of the data file. */
typedef struct table_data {
    double *cell; /* (num_rows, NUM_COLUMNS) owned */
    size_t num_rows, num_bars;
    double last, largest; /* evaluation; ratio of all curves and bars */
} table_data;

enum { COLUMN_EVALUATION, COLUMN_START, COLUMN_BEST, COLUMN_ROW, COLUMN_BAR, NUM_COLUMNS };
static const char *const column_name[NUM_COLUMNS] = {"evaluation", "start", "best", "row", "ratio"};

/* ---- data ---- */

static size_t count_points(const hsgd_hunt_figure_input *in)
{
    size_t count = 0;
    for (size_t i = 0; i < in->num_starts; i++)
        count += in->start[i].num_points + 1; /* a row between two starts interrupts the lines */
    return count;
}

static size_t count_bars(const hsgd_hunt_figure_input *in)
{
    size_t count = 0;
    for (size_t i = 0; i < in->num_bounds; i++)
        count += isfinite(in->bound[i].ratio);
    return count;
}

/* One row; ratio 0 interrupts the line. */
static void put_row(table_data *t, size_t row, const hsgd_hunt_figure_start *s, double evaluation, double ratio,
                    double *best)
{
    double *cell = t->cell + row * NUM_COLUMNS;
    *best = ratio > *best ? ratio : *best;
    cell[COLUMN_EVALUATION] = s->first_evaluation + evaluation;
    cell[COLUMN_START] = ratio;
    cell[COLUMN_BEST] = *best > 0 ? *best : NAN;
    t->last = fmax(t->last, cell[COLUMN_EVALUATION]);
    t->largest = fmax(t->largest, *best);
}

static void fill_curves(table_data *t, const hsgd_hunt_figure_input *in)
{
    size_t row = 0;
    double best = 0;
    for (size_t i = 0; i < in->num_starts; i++) {
        const hsgd_hunt_figure_start *s = &in->start[i];
        double evaluation = 0;
        for (size_t p = 0; p < s->num_points; p++) {
            evaluation = s->evaluation[p];
            put_row(t, row++, s, evaluation, isfinite(s->best_ratio[p]) ? s->best_ratio[p] : 0, &best);
        }
        put_row(t, row++, s, evaluation, 0, &best);
    }
}

static void fill_bars(table_data *t, const hsgd_hunt_figure_input *in)
{
    size_t row = 0;
    for (size_t i = 0; i < in->num_bounds; i++)
        if (isfinite(in->bound[i].ratio)) {
            t->cell[row * NUM_COLUMNS + COLUMN_ROW] = (double)row + 1;
            t->cell[row * NUM_COLUMNS + COLUMN_BAR] = in->bound[i].ratio;
            t->largest = fmax(t->largest, in->bound[i].ratio);
            row++;
        }
}

static hsgd_status collect(table_data *t, const hsgd_hunt_figure_input *in, hsgd_error *err)
{
    size_t points = count_points(in), bars = count_bars(in);
    *t = (table_data){.num_rows = points > bars ? points : bars, .num_bars = bars};
    t->cell = malloc((t->num_rows + 1) * NUM_COLUMNS * sizeof *t->cell);
    if (!t->cell)
        return hsgd_fail_memory(err, "the data of a figure");
    for (size_t i = 0; i < t->num_rows * NUM_COLUMNS; i++)
        t->cell[i] = NAN;
    fill_curves(t, in);
    fill_bars(t, in);
    if (t->largest > 0)
        return HSGD_OK;
    free(t->cell);
    return hsgd_fail(err, HSGD_ERROR_INPUT, "figure hunt: no start has found a problem that the bound applies to");
}

static hsgd_status write_data(const table_data *t, const char *dir, hsgd_error *err)
{
    hsgd_table table;
    hsgd_table_init(&table, t->num_rows);
    table.keep_from = 0; /* rows of a start belong together */
    for (size_t c = 0; c < NUM_COLUMNS; c++)
        hsgd_table_add(&table, t->cell + c, NUM_COLUMNS, false, "%s", column_name[c]);
    hsgd_status status = hsgd_table_write(&table, dir, hsgd_hunt_figure_name, err);
    hsgd_table_free(&table);
    return status;
}

/* ---- the script ---- */

static double title_height(const hsgd_hunt_figure_input *in, const hsgd_figure_style *style)
{
    return hsgd_title_lines_height(style->title, in->weakened ? 3 : 2);
}

static void write_title(hsgd_script *s, const hsgd_hunt_figure_input *in)
{
    hsgd_quoted quoted;
    if (!s->title)
        return;
    hsgd_script_name(s, in->name, NAME_WIDTH);
    fprintf(s->stream, "set label 2 %s", hsgd_text_quote(&quoted, s->format, in->title, NAME_WIDTH));
    hsgd_script_title_line(s, 2);
    if (!in->weakened)
        return;
    fputs("set label 3 'weakened on purpose: above 1 is expected'", s->stream);
    hsgd_script_title_line(s, 3);
}

enum { LEGEND_ENTRIES = 3, WIDEST_ENTRY = 18 };

static size_t legend_columns(double width_in)
{
    return hsgd_legend_columns(width_in, LEGEND_ENTRIES, WIDEST_ENTRY);
}

static void draw_search(hsgd_script *s, const hsgd_hunt_figure_input *in, const table_data *t, double legend_top_in)
{
    hsgd_script_legend(s, legend_top_in, LEGEND_ENTRIES, legend_columns(s->width_in));
    double top = 1.06 * fmax(1, t->largest);
    hsgd_script_margins(s, s->panel_left_in, RIGHT_IN);
    hsgd_script_step_axis(s, 0, t->last);
    fprintf(s->stream,
            "set yrange [0:%.17g]; set ytics %.17g; set format y '%s'\n"
            "# A start that has found nothing yet, and the rows between two starts, have 0: there lines end.\n"
            "set datafile missing\nseen(y) = y > 0 ? y : NaN\n",
            top, hsgd_tick_distance(top), hsgd_script_pick(s, "%g", "$%g$"));
    hsgd_script_axis_labels(s, "evaluations", "measured / bound");
    hsgd_script_series(s,
                       "'hunt.dat' using \"evaluation\":(seen(column(\"start\"))) with %s lc rgb '#999999' title "
                       "'one start, its best'",
                       in->num_starts <= MOST_LINES ? "lines lw 0.8 dt solid" : "dots");
    hsgd_script_series(s, "'hunt.dat' using \"evaluation\":\"best\" with steps lc rgb '%s' lw 2 title 'best so far'",
                       hsgd_colour(1));
    hsgd_script_series(s, "1 with lines lc rgb '#000000' lw 1 dt (8,3) title 'the bound'");
    hsgd_script_plotted(s);
}

/* The line above a bar has its title, and beside the bar stands its ratio, or inside where there is no room. */
static void label_bar(hsgd_script *s, const hsgd_hunt_figure_bound *bound, size_t row, double width)
{
    hsgd_quoted title;
    hsgd_number value;
    hsgd_font seven;
    const char *font = hsgd_script_font(&seven, s, 7);
    double end = bound->ratio + LABEL_SHARE * width; /* of a label beside the bar; it must not meet the line at 1 */
    bool inside = end > width || (bound->ratio < 1 && end > 1);
    fprintf(s->stream, "set label %zu %s at graph 0.006,first %.2f left%s\n", 10 + 2 * row,
            hsgd_text_quote(&title, s->format, bound->title, TITLE_MAX_WIDTH), (double)row - 0.26, font);
    fprintf(s->stream, "set label %zu '%s' at first %.17g,%.2f %s%s front\n", 11 + 2 * row,
            hsgd_text_number(&value, s->format, bound->ratio), bound->ratio + (inside ? -0.01 : 0.01) * width,
            (double)row + 0.19, inside ? "right" : "left", font);
}

static void draw_bars(hsgd_script *s, const hsgd_hunt_figure_input *in, const table_data *t, double bottom_in)
{
    size_t row = 0;
    double width = 1.06 * fmax(1, t->largest);
    hsgd_script_panel(s, bottom_in, bottom_in + ROW_IN * (double)t->num_bars + 0.04);
    fprintf(s->stream,
            "unset key; unset label; unset ytics; set datafile missing NaN\n"
            "set xrange [0:%.17g]; set xtics %.17g; set format x '%s'; set yrange [%zu.55:0.45]\n",
            width, hsgd_tick_distance(width), hsgd_script_pick(s, "%g", "$%g$"), t->num_bars);
    hsgd_script_axis_labels(s, "measured / bound on the worst problem", NULL);
    for (size_t i = 0; i < in->num_bounds; i++)
        if (isfinite(in->bound[i].ratio))
            label_bar(s, &in->bound[i], ++row, width);
    fputs("set arrow 1 from first 1,graph 0 to first 1,graph 1 nohead front lc rgb '#000000' lw 1 dt (8,3)\n",
          s->stream);
    hsgd_script_series(s,
                       "'hunt.dat' using (0):\"row\":(0):\"ratio\":(column(\"row\")-0.02):(column(\"row\")+0.40) \\\n"
                       "          with boxxyerror lw 0.4 lc rgb '%s' fs solid border lc rgb '#000000' notitle",
                       hsgd_colour(6));
    hsgd_script_plotted(s);
}

static double bars_height(const table_data *t)
{
    return t->num_bars ? ROW_IN * (double)t->num_bars + 0.04 + HSGD_X_AXIS_IN + BETWEEN_IN : 0;
}

static double legend_height(const hsgd_figure_style *style)
{
    return hsgd_legend_height(LEGEND_ENTRIES, legend_columns(style->width_in));
}

static hsgd_status write_script(const hsgd_hunt_figure_input *in, const table_data *t, const char *dir,
                                const hsgd_figure_style *style, hsgd_error *err)
{
    hsgd_script s;
    double below = bars_height(t), legend = below + legend_height(style);
    double bottom = legend + HSGD_X_AXIS_IN, top = bottom + hsgd_panel_height(style);
    hsgd_status status = hsgd_script_open(&s, dir, hsgd_hunt_figure_name, style, top + title_height(in, style),
                                          "Hunt: the search for a counterexample, and the worst problem.", err);
    if (status != HSGD_OK)
        return status;
    write_title(&s, in);
    fputs(t->num_bars ? "set multiplot\n" : "", s.stream);
    hsgd_script_panel(&s, bottom, top);
    draw_search(&s, in, t, legend);
    if (t->num_bars) {
        draw_bars(&s, in, t, HSGD_X_AXIS_IN);
        fputs("unset multiplot\n", s.stream);
    }
    return hsgd_script_close(&s, err);
}

/* ---- caption ---- */

static hsgd_status write_caption(const hsgd_hunt_figure_input *in, const table_data *t, const char *dir,
                                 hsgd_error *err)
{
    char title[HSGD_QUOTED_SIZE];
    hsgd_output out;
    hsgd_status status = hsgd_output_open(&out, dir, hsgd_hunt_figure_name, "caption.tex", err);
    if (status != HSGD_OK)
        return status;
    hsgd_text_to_tex(title, in->title, TITLE_MAX_WIDTH);
    fprintf(
        out.stream,
        "Search for a counterexample to the bound ``%s''%s: the largest ratio of the exact value and the bound over "
        "quadratics of dimension %zu (%zu parameters, %.0f evaluations in %zu starts)",
        title, in->weakened ? ", which was weakened on purpose" : "", in->dimension, in->num_parameters, t->last,
        in->num_starts);
    fputs(t->num_bars ? "; below, all bounds that apply to the worst problem" : "", out.stream);
    fprintf(out.stream, ". $n = %zu$, $M = %zu$, $T = %zu$.%%\n", in->num_workers, in->num_levels, in->steps);
    return hsgd_output_close(&out, err);
}

hsgd_status hsgd_hunt_figure_write(const hsgd_hunt_figure_input *in, const char *dir, const hsgd_figure_style *style,
                                   hsgd_error *err)
{
    table_data t;
    hsgd_status status = collect(&t, in, err);
    if (status != HSGD_OK)
        return status;
    status = write_data(&t, dir, err);
    if (status == HSGD_OK)
        status = write_caption(in, &t, dir, err);
    if (status == HSGD_OK)
        status = write_script(in, &t, dir, style, err);
    free(t.cell);
    return status;
}
