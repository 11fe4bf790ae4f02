/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Figure "sweep": the measured S over the first axis, a line for each value of the second, a panel for each of the third, and
 * the bound on S beside every line. */
#include "plots/sweep_private.h"

#include <math.h>
#include <stdlib.h>

#include "plots/figures_private.h"
#include "plots/table_private.h"

enum { MAX_LINES = 7, MAX_PANELS = 4, TITLE_MAX_WIDTH = 40 };

#define PANEL_SMALL_IN 1.1 /* of one of several */
#define PANEL_NAME_IN 0.16 /* above each of several */

#define BOUNDS_IN 0.8 /* of one that has bounds only */
#define POINT_SIZE 0.45
#define BOUND_SIZE 0.5
#define FAR 8 /* bounds so many times above S go there */

/* Of what is drawn. */
typedef struct span {
    hsgd_range range; /* the positive numbers */
    double low, high;
} span;

/* What is drawn, from which all of it follows. */
typedef struct figure {
    const hsgd_sweep_figure_input *in;
    const hsgd_figure_style *style;
    hsgd_selection line, panel; /* of the second and third axis */
    size_t kind;                /* of bound; HSGD_MAX_SWEEP_BOUNDS: none is drawn */
    double *column;             /* (panel.count, line.count, NUM_COLUMNS, first axis) owned */
    double *place;              /* (first axis) owned */
    span measured, bounds;
    bool split; /* the bounds have panels of their own, above those of S */
    hsgd_sweep_remark remark;
} figure;

enum { COLUMN_S, COLUMN_LOW, COLUMN_HIGH, COLUMN_BOUND, NUM_COLUMNS };
static const char *const column_name[NUM_COLUMNS] = {"S", "S_low", "S_high", "bound"};

static bool possible(const hsgd_sweep_figure_input *in, char *reason, size_t size)
{
    return hsgd_sweep_any_S(in) || hsgd_figure_lacks(reason, size, "no point is done yet, or S is not finite");
}

static double *column_of(const figure *f, size_t panel, size_t line, size_t which)
{
    return f->column + ((panel * f->line.count + line) * NUM_COLUMNS + which) * f->in->axis[0].num_values;
}

static void add_to_span(span *out, double value)
{
    hsgd_range_add(&out->range, value);
    if (isfinite(value)) {
        out->low = fmin(out->low, value);
        out->high = fmax(out->high, value);
    }
}

static void fill_cell(figure *f, size_t i, size_t line, size_t panel)
{
    const hsgd_sweep_figure_point *p = hsgd_sweep_point_at(f->in, i, f->line.value[line], f->panel.value[panel]);
    bool interval = isfinite(p->S_low) && isfinite(p->S_high);
    double value[NUM_COLUMNS] = {p->done ? p->S : NAN, interval ? p->S_low : p->S, interval ? p->S_high : p->S,
                                 p->done && f->kind < HSGD_MAX_SWEEP_BOUNDS ? p->bound[f->kind] : NAN};
    for (size_t c = 0; c < NUM_COLUMNS; c++) {
        column_of(f, panel, line, c)[i] = value[c];
        add_to_span(c == COLUMN_BOUND ? &f->bounds : &f->measured, value[c]);
    }
}

static hsgd_sweep_remark remark(const hsgd_sweep_figure_input *in)
{
    hsgd_sweep_remark out = {.bars = true};
    const hsgd_selection line = hsgd_select(hsgd_sweep_count(in, 1), MAX_LINES),
                         panel = hsgd_select(hsgd_sweep_count(in, 2), MAX_PANELS);
    size_t length = hsgd_sweep_note(out.note, sizeof out.note, in, hsgd_sweep_shown_bound(in) < HSGD_MAX_SWEEP_BOUNDS);
    if (line.count < line.of)
        length += (size_t)snprintf(out.note + length, sizeof out.note - length, "%s%zu of %zu lines",
                                   length ? "; " : "", line.count, line.of);
    if (panel.count < panel.of)
        snprintf(out.note + length, sizeof out.note - length, "%s%zu of %zu panels", length ? "; " : "", panel.count,
                 panel.of);
    return out;
}

/* Bounds that are far above would press all that was measured into one line. */
static bool must_split(const figure *f)
{
    double span_of_S = f->measured.low > 0 ? f->measured.high / f->measured.low : 1;
    return f->bounds.high > FAR * fmax(span_of_S, 1) * f->measured.high;
}

/* All that is drawn in one panel, if bounds and measured values share it. */
static span both(const figure *f)
{
    span out = f->measured;
    hsgd_range_merge(&out.range, f->bounds.range);
    out.low = fmin(out.low, f->bounds.low);
    out.high = fmax(out.high, f->bounds.high);
    return out;
}

static hsgd_status prepare(figure *f, const hsgd_sweep_figure_input *in, const hsgd_figure_style *style,
                           hsgd_error *err)
{
    size_t values = in->axis[0].num_values;
    *f = (figure){.in = in,
                  .style = style,
                  .line = hsgd_select(hsgd_sweep_count(in, 1), MAX_LINES),
                  .panel = hsgd_select(hsgd_sweep_count(in, 2), MAX_PANELS),
                  .kind = hsgd_sweep_shown_bound(in),
                  .remark = remark(in),
                  .measured = {hsgd_range_empty(), INFINITY, -INFINITY},
                  .bounds = {hsgd_range_empty(), INFINITY, -INFINITY}};
    f->column = calloc(f->panel.count * f->line.count * NUM_COLUMNS * values, sizeof *f->column);
    f->place = calloc(values, sizeof *f->place);
    if (!f->column || !f->place)
        return hsgd_fail_memory(err, "the data of a figure");
    for (size_t i = 0; i < values; i++) {
        f->place[i] = hsgd_sweep_place(&in->axis[0], i);
        for (size_t line = 0; line < f->line.count; line++)
            for (size_t panel = 0; panel < f->panel.count; panel++)
                fill_cell(f, i, line, panel);
    }
    f->split = must_split(f);
    return HSGD_OK;
}

static void release(figure *f)
{
    free(f->column);
    free(f->place);
}

/* Columns are counted as the values of the axes, from 1. */
static hsgd_status write_data(const figure *f, const char *dir, hsgd_error *err)
{
    hsgd_table table;
    hsgd_table_init(&table, f->in->axis[0].num_values);
    hsgd_table_add(&table, f->place, 1, false, "x");
    for (size_t panel = 0; panel < f->panel.count; panel++)
        for (size_t line = 0; line < f->line.count; line++)
            for (size_t c = 0; c < NUM_COLUMNS; c++)
                if (c != COLUMN_BOUND || f->kind < HSGD_MAX_SWEEP_BOUNDS)
                    hsgd_table_add(&table, column_of(f, panel, line, c), 1, false, "%s_%zu_%zu", column_name[c],
                                   f->line.value[line] + 1, f->panel.value[panel] + 1);
    hsgd_status status = hsgd_table_write(&table, dir, "sweep", err);
    hsgd_table_free(&table);
    return status;
}

/* ---- the script ---- */

/* Categories are not joined by lines, and their values stand beside each other. */
static bool has_categories(const figure *f)
{
    return !f->in->axis[0].at;
}

static void x_of(char *out, size_t size, const figure *f, size_t line)
{
    double shift = has_categories(f) ? 0.12 * ((double)line - (double)(f->line.count - 1) / 2) : 0;
    snprintf(out, size, "(column(\"x\") + %.4g)", shift);
}

static void add_bound(hsgd_script *s, const figure *f, size_t line, size_t panel)
{
    char x[64];
    size_t l = f->line.value[line] + 1, p = f->panel.value[panel] + 1;
    if (f->kind == HSGD_MAX_SWEEP_BOUNDS)
        return;
    x_of(x, sizeof x, f, line);
    if (has_categories(f))
        hsgd_script_series(s, "'sweep.dat' using %s:\"bound_%zu_%zu\" with points pt 2 ps %.4g lc rgb '%s' notitle", x,
                           l, p, hsgd_point_size(s, BOUND_SIZE), hsgd_colour(line + 1));
    else
        hsgd_script_series(s, "'sweep.dat' using %s:\"bound_%zu_%zu\" with lines lw 1 dt (5,3) lc rgb '%s' notitle", x,
                           l, p, hsgd_colour(line + 1));
}

/* One line of measured values with error bars that stay on the axis. */
static void add_measured(hsgd_script *s, const figure *f, size_t line, size_t panel)
{
    static const int point_type[MAX_LINES] = {7, 5, 9, 13, 11, 6, 4};
    char x[64], range[160];
    hsgd_quoted quoted;
    size_t l = f->line.value[line] + 1, p = f->panel.value[panel] + 1;
    x_of(x, sizeof x, f, line);
    snprintf(range, sizeof range, "(above(column(\"S_low_%zu_%zu\"))):\"S_high_%zu_%zu\"", l, p, l, p);
    const char *title = f->in->num_axes > 1 ? f->in->axis[1].title[f->line.value[line]] : "measured S";
    hsgd_script_series(s,
                       "'sweep.dat' using %s:\"S_%zu_%zu\":%s \\\n          with %s lw 1.2 pt %d ps %.4g lc rgb '%s' ",
                       x, l, p, range, has_categories(f) ? "yerrorbars" : "yerrorlines", point_type[line],
                       hsgd_point_size(s, POINT_SIZE), hsgd_colour(line + 1));
    if (panel + 1 < f->panel.count)
        fputs("notitle", s->stream);
    else
        fprintf(s->stream, "title %s", hsgd_text_quote(&quoted, s->format, title, 40));
}

static void add_legend_of_bound(hsgd_script *s, const figure *f)
{
    if (f->kind == HSGD_MAX_SWEEP_BOUNDS)
        return;
    char look[48] = "lines lw 1 dt (5,3)";
    hsgd_quoted quoted;
    if (has_categories(f))
        snprintf(look, sizeof look, "points pt 2 ps %.4g", hsgd_point_size(s, BOUND_SIZE));
    hsgd_script_series(s, "keyentry with %s lc rgb '#000000' title %s", look,
                       hsgd_text_quote(&quoted, s->format, hsgd_sweep_bound_name(f->in, f->kind), TITLE_MAX_WIDTH));
}

static size_t legend_entries(const figure *f)
{
    return f->line.count + (f->kind < HSGD_MAX_SWEEP_BOUNDS);
}

static size_t legend_columns(const figure *f)
{
    char clean[HSGD_TEXT_SIZE];
    size_t widest = 15; /* recursive bound */
    if (f->kind < HSGD_MAX_SWEEP_BOUNDS) {
        size_t width = hsgd_text_clean(clean, hsgd_sweep_bound_name(f->in, f->kind), TITLE_MAX_WIDTH);
        widest = width > widest ? width : widest;
    }
    for (size_t line = 0; f->in->num_axes > 1 && line < f->line.count; line++) {
        size_t width = hsgd_text_clean(clean, f->in->axis[1].title[f->line.value[line]], 40);
        widest = width > widest ? width : widest;
    }
    return hsgd_legend_columns(f->style->width_in, legend_entries(f), widest);
}

static double legend_height(const figure *f)
{
    return hsgd_legend_height(legend_entries(f), legend_columns(f));
}

static double panel_height(const figure *f)
{
    return f->panel.count > 1 ? PANEL_SMALL_IN : hsgd_panel_height(f->style);
}

/* What a panel has above it: its name, and the panel of its bounds. */
static double room_above(const figure *f)
{
    return (f->panel.count > 1 ? PANEL_NAME_IN : 0) + (f->split ? BOUNDS_IN + 0.06 : 0);
}

/* From the top of a panel to the top of the next one. All share the x axis, which only the last has labels for. */
static double panel_distance(const figure *f)
{
    return panel_height(f) + 0.1 + room_above(f);
}

static double page_height(const figure *f)
{
    return hsgd_sweep_caption_height(f->style, f->remark.note) + room_above(f) + panel_height(f) +
           (double)(f->panel.count - 1) * panel_distance(f) + hsgd_sweep_x_room(f->style, &f->in->axis[0]) +
           legend_height(f);
}

/* Logarithmic where the values differ much. */
static void y_axis(hsgd_script *s, span all, const char *label)
{
    double low = all.low;
    if (all.low > 0 && all.high > 6 * all.low)
        low = hsgd_script_log_axis(s, all.range);
    else
        hsgd_sweep_linear_y_axis(s, all.low, all.high);
    fprintf(s->stream, "above(x) = x > %.17g ? x : %.17g # the lower end of the axis\n", low, low);
    fprintf(s->stream, "set label 5 '%s' at screen %.4f,graph 0.5 center rotate\n", label, 0.105 / s->width_in);
}

static void write_panel_name(hsgd_script *s, const figure *f, size_t panel, double top_in)
{
    hsgd_quoted quoted;
    hsgd_font font;
    if (f->panel.count > 1)
        fprintf(s->stream, "set label 6 %s at graph 0.5,screen %.4f center%s\n",
                hsgd_text_quote(&quoted, s->format, f->in->axis[2].title[f->panel.value[panel]], 40),
                (top_in + 0.07) / s->height_in, hsgd_script_font(&font, s, 7));
}

static void draw_bounds(hsgd_script *s, const figure *f, size_t panel, double bottom_in)
{
    hsgd_script_panel(s, bottom_in, bottom_in + BOUNDS_IN);
    hsgd_sweep_x_axis(s, f->style, &f->in->axis[0], bottom_in, false);
    fputs("unset xtics\n", s->stream);
    y_axis(s, f->bounds, hsgd_script_pick(s, "bound on {/:Italic S}", "bound on $S$"));
    write_panel_name(s, f, panel, bottom_in + BOUNDS_IN);
    for (size_t line = 0; line < f->line.count; line++)
        add_bound(s, f, line, panel);
    hsgd_script_plotted(s);
    fputs("unset label\n", s->stream); /* the caption is there */
}

static void draw_measured(hsgd_script *s, const figure *f, size_t panel, double top_in)
{
    double bottom_in = top_in - panel_height(f);
    bool last = panel + 1 == f->panel.count;
    hsgd_script_panel(s, bottom_in, top_in);
    hsgd_sweep_x_axis(s, f->style, &f->in->axis[0], bottom_in, last);
    fputs(last ? "" : "unset xtics\n", s->stream);
    y_axis(s, f->split ? f->measured : both(f), hsgd_script_pick(s, "{/:Italic S}", "$S$"));
    if (!f->split)
        write_panel_name(s, f, panel, top_in);
    if (last)
        hsgd_script_legend(s, legend_height(f), legend_entries(f), legend_columns(f));
    for (size_t line = 0; line < f->line.count && !f->split; line++)
        add_bound(s, f, line, panel);
    for (size_t line = 0; line < f->line.count; line++)
        add_measured(s, f, line, panel);
    if (last)
        add_legend_of_bound(s, f);
    hsgd_script_plotted(s);
    fputs(last ? "" : "unset label\n", s->stream);
}

static void write_script(hsgd_script *s, const figure *f)
{
    bool several = f->panel.count > 1 || f->split;
    double top = s->height_in - hsgd_sweep_caption_height(f->style, f->remark.note) - room_above(f);
    hsgd_sweep_caption(s, f->in, f->style, true, f->remark.note);
    fputs(several ? "set multiplot\nunset key\n" : "", s->stream);
    for (size_t panel = 0; panel < f->panel.count; panel++) {
        double panel_top = top - (double)panel * panel_distance(f);
        if (f->split)
            draw_bounds(s, f, panel, panel_top + 0.06);
        draw_measured(s, f, panel, panel_top);
    }
    fputs(several ? "unset multiplot\n" : "", s->stream);
}

static hsgd_status write(const hsgd_sweep_figure_input *in, const char *dir, const hsgd_figure_style *style,
                         hsgd_error *err)
{
    figure f;
    hsgd_script script;
    hsgd_status status = prepare(&f, in, style, err);
    if (!status)
        status = write_data(&f, dir, err);
    if (!status)
        status = hsgd_sweep_write_caption(in, &hsgd_sweep_figure_S, style->band, dir, err);
    if (!status)
        status = hsgd_script_open(&script, dir, "sweep", style, page_height(&f),
                                  "Sweep: the measured S of every point, and the bound on it.", err);
    if (!status) {
        write_script(&script, &f);
        status = hsgd_script_close(&script, err);
    }
    release(&f);
    return status;
}

const hsgd_sweep_figure hsgd_sweep_figure_S = {"sweep", possible, remark, write};
