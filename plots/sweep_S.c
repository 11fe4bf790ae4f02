/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Figure "sweep": the measured S over the first axis, a line for each value of the second, a panel for each of the third, and
 * the bound on S beside every line. */
#include "plots/sweep_private.h"

#include <math.h>
#include <stdlib.h>

#include "plots/figures_private.h"
#include "plots/table_private.h"

enum { MAX_LINES = 7, MAX_PANELS = 4 };

#define PANEL_IN 1.45      /* height of the only panel */
#define PANEL_SMALL_IN 1.1 /* of one of several */
#define PANEL_NAME_IN 0.16 /* above each of several */

/* What is drawn, from which all of it follows. */
typedef struct figure {
    const hsgd_sweep_figure_input *in;
    const hsgd_figure_style *style;
    hsgd_selection line, panel; /* of the second and third axis */
    size_t kind;                /* of bound; HSGD_NUM_SWEEP_BOUNDS: none is drawn */
    double *column;             /* (panel.count, line.count, NUM_COLUMNS, first axis) owned */
    double *place;              /* (first axis) owned */
    hsgd_range range;
    double low, high; /* of everything drawn */
    char note[160];
} figure;

enum { COLUMN_S, COLUMN_LOW, COLUMN_HIGH, COLUMN_BOUND, NUM_COLUMNS };
static const char *const column_name[NUM_COLUMNS] = {"S", "S_low", "S_high", "bound"};
static const char *const bound_name[HSGD_NUM_SWEEP_BOUNDS] = {"published", "sharpened", "recursive"};

static bool possible(const hsgd_sweep_figure_input *in, char *reason, size_t size)
{
    for (size_t i = 0; i < in->num_points; i++)
        if (in->point[i].done && isfinite(in->point[i].S))
            return true;
    return hsgd_figure_lacks(reason, size, "no point is done yet, or S is not finite");
}

/* The tightest kind that was evaluated for most of the points. */
static size_t choose_kind(const hsgd_sweep_figure_input *in)
{
    size_t best = HSGD_NUM_SWEEP_BOUNDS, most = 0;
    for (size_t k = 0; k < HSGD_NUM_SWEEP_BOUNDS; k++) {
        size_t count = 0;
        for (size_t i = 0; i < in->num_points; i++)
            count += in->point[i].done && isfinite(in->point[i].bound[k]);
        if (count > 0 && count >= most) {
            best = k;
            most = count;
        }
    }
    return best;
}

static double *column_of(const figure *f, size_t panel, size_t line, size_t which)
{
    return f->column + ((panel * f->line.count + line) * NUM_COLUMNS + which) * f->in->axis[0].num_values;
}

static void note_value(figure *f, double value)
{
    hsgd_range_add(&f->range, value);
    if (isfinite(value)) {
        f->low = fmin(f->low, value);
        f->high = fmax(f->high, value);
    }
}

static void fill_cell(figure *f, size_t i, size_t line, size_t panel)
{
    const hsgd_sweep_figure_point *p = hsgd_sweep_point_at(f->in, i, f->line.value[line], f->panel.value[panel]);
    bool interval = isfinite(p->S_low) && isfinite(p->S_high);
    double value[NUM_COLUMNS] = {p->done ? p->S : NAN, interval ? p->S_low : p->S, interval ? p->S_high : p->S,
                                 p->done && f->kind < HSGD_NUM_SWEEP_BOUNDS ? p->bound[f->kind] : NAN};
    for (size_t c = 0; c < NUM_COLUMNS; c++) {
        column_of(f, panel, line, c)[i] = value[c];
        note_value(f, value[c]);
    }
}

static void write_note(figure *f)
{
    const hsgd_sweep_figure_input *in = f->in;
    size_t length = 0, done = 0;
    bool proved = true;
    for (size_t i = 0; i < in->num_points; i++) {
        done += in->point[i].done;
        proved = proved && (!in->point[i].done || in->point[i].constants_proved);
    }
    if (done < in->num_points)
        length += (size_t)snprintf(f->note, sizeof f->note, "%zu of %zu points", done, in->num_points);
    if (f->line.count < f->line.of)
        length += (size_t)snprintf(f->note + length, sizeof f->note - length, "%s%zu of %zu lines", length ? "; " : "",
                                   f->line.count, f->line.of);
    if (f->panel.count < f->panel.of)
        length += (size_t)snprintf(f->note + length, sizeof f->note - length, "%s%zu of %zu panels", length ? "; " : "",
                                   f->panel.count, f->panel.of);
    if (!proved && f->kind < HSGD_NUM_SWEEP_BOUNDS)
        snprintf(f->note + length, sizeof f->note - length, "%sbounds rest on constants that are not proved",
                 length ? "; " : "");
}

static hsgd_status prepare(figure *f, const hsgd_sweep_figure_input *in, const hsgd_figure_style *style,
                           hsgd_error *err)
{
    size_t values = in->axis[0].num_values;
    *f = (figure){.in = in, .style = style, .line = hsgd_select(hsgd_sweep_count(in, 1), MAX_LINES),
                  .panel = hsgd_select(hsgd_sweep_count(in, 2), MAX_PANELS), .kind = choose_kind(in),
                  .range = hsgd_range_empty(), .low = INFINITY, .high = -INFINITY};
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
    write_note(f);
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
                if (c != COLUMN_BOUND || f->kind < HSGD_NUM_SWEEP_BOUNDS)
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
    if (f->kind == HSGD_NUM_SWEEP_BOUNDS)
        return;
    x_of(x, sizeof x, f, line);
    if (has_categories(f))
        hsgd_script_series(s, "'sweep.dat' using %s:\"bound_%zu_%zu\" with points pt 2 ps 0.5 lc rgb '%s' notitle", x, l,
                           p, hsgd_colour(line + 1));
    else
        hsgd_script_series(s, "'sweep.dat' using %s:\"bound_%zu_%zu\" with lines lw 1 dt (5,3) lc rgb '%s' notitle", x,
                           l, p, hsgd_colour(line + 1));
}

/* One line of measured values with error bars that stay above low. */
static void add_measured(hsgd_script *s, const figure *f, size_t line, size_t panel, double low)
{
    static const int point_type[MAX_LINES] = {7, 5, 9, 13, 11, 6, 4};
    char x[64], range[160];
    hsgd_quoted quoted;
    size_t l = f->line.value[line] + 1, p = f->panel.value[panel] + 1;
    x_of(x, sizeof x, f, line);
    snprintf(range, sizeof range, "(above(column(\"S_low_%zu_%zu\"))):\"S_high_%zu_%zu\"", l, p, l, p);
    (void)low;
    const char *title = f->in->num_axes > 1 ? f->in->axis[1].title[f->line.value[line]] : "measured S";
    hsgd_script_series(s, "'sweep.dat' using %s:\"S_%zu_%zu\":%s \\\n          with %s lw 1.2 pt %d ps 0.45 lc rgb '%s' ",
                       x, l, p, range, has_categories(f) ? "yerrorbars" : "yerrorlines", point_type[line],
                       hsgd_colour(line + 1));
    if (panel + 1 < f->panel.count)
        fputs("notitle", s->stream);
    else
        fprintf(s->stream, "title %s", hsgd_text_quote(&quoted, s->format, title, 40));
}

static void add_legend_of_bound(hsgd_script *s, const figure *f)
{
    if (f->kind == HSGD_NUM_SWEEP_BOUNDS)
        return;
    hsgd_script_series(s, "keyentry with %s lc rgb '#000000' title '%s bound'",
                       has_categories(f) ? "points pt 2 ps 0.5" : "lines lw 1 dt (5,3)", bound_name[f->kind]);
}

static size_t legend_entries(const figure *f)
{
    return f->line.count + (f->kind < HSGD_NUM_SWEEP_BOUNDS);
}

static size_t legend_columns(const figure *f)
{
    size_t widest = 15; /* recursive bound */
    for (size_t line = 0; f->in->num_axes > 1 && line < f->line.count; line++) {
        char clean[HSGD_TEXT_SIZE];
        size_t width = hsgd_text_clean(clean, f->in->axis[1].title[f->line.value[line]], 40);
        widest = width > widest ? width : widest;
    }
    return hsgd_sweep_legend_columns(f->style, legend_entries(f), widest);
}

static double legend_height(const figure *f)
{
    return 0.06 + HSGD_LEGEND_ROW_IN * (double)hsgd_legend_rows(legend_entries(f), legend_columns(f));
}

static double panel_height(const figure *f)
{
    return f->panel.count > 1 ? PANEL_SMALL_IN : PANEL_IN;
}

/* From the top of a panel to the top of the next one. */
static double panel_distance(const figure *f)
{
    return panel_height(f) + hsgd_sweep_x_room(f->style, &f->in->axis[0]) + (f->panel.count > 1 ? PANEL_NAME_IN : 0);
}

/* Logarithmic where the values differ much. */
static double y_axis(hsgd_script *s, const figure *f)
{
    if (f->low > 0 && f->high > 6 * f->low)
        return hsgd_script_log_axis(s, f->range);
    hsgd_sweep_linear_y_axis(s, f->low, f->high);
    return f->low;
}

static void draw_panel(hsgd_script *s, const figure *f, size_t panel, double top_in)
{
    double bottom_in = top_in - panel_height(f);
    bool last = panel + 1 == f->panel.count;
    hsgd_quoted quoted;
    hsgd_script_panel(s, bottom_in, top_in);
    hsgd_sweep_x_axis(s, f->style, &f->in->axis[0], bottom_in, true);
    double low = y_axis(s, f);
    fprintf(s->stream, "above(x) = x > %.17g ? x : %.17g # the lower end of the axis\n", low, low);
    fprintf(s->stream, "set label 5 '%s' at screen 0.03,graph 0.5 center rotate\n",
            hsgd_script_pick(s, "{/:Italic S}", "$S$"));
    if (f->panel.count > 1)
        fprintf(s->stream, "set label 6 %s at graph 0.5,screen %.4f center font ',%.4g'\n",
                hsgd_text_quote(&quoted, s->format, f->in->axis[2].title[f->panel.value[panel]], 40),
                (top_in + 0.07) / s->height_in, hsgd_font_size(s, 7));
    if (last)
        hsgd_script_legend(s, legend_height(f), legend_entries(f), legend_columns(f));
    for (size_t line = 0; line < f->line.count; line++)
        add_bound(s, f, line, panel);
    for (size_t line = 0; line < f->line.count; line++)
        add_measured(s, f, line, panel, low);
    if (last)
        add_legend_of_bound(s, f);
    hsgd_script_plotted(s);
}

static void write_script(hsgd_script *s, const figure *f)
{
    double top = s->height_in - hsgd_sweep_caption_height(f->style, f->note) -
                 (f->panel.count > 1 ? PANEL_NAME_IN : 0);
    hsgd_sweep_caption(s, f->in, f->style, f->note);
    if (f->panel.count > 1)
        fputs("set multiplot\nunset key\n", s->stream);
    for (size_t panel = 0; panel < f->panel.count; panel++) {
        draw_panel(s, f, panel, top - (double)panel * panel_distance(f));
        fputs(panel + 1 < f->panel.count ? "unset label\n" : "", s->stream); /* the caption is there */
    }
    if (f->panel.count > 1)
        fputs("unset multiplot\n", s->stream);
}

static hsgd_status write(const hsgd_sweep_figure_input *in, const char *dir, const hsgd_figure_style *style,
                         hsgd_error *err)
{
    figure f;
    hsgd_script script;
    hsgd_status status = prepare(&f, in, style, err);
    if (!status)
        status = write_data(&f, dir, err);
    double height = hsgd_sweep_caption_height(style, f.note) + (double)f.panel.count * panel_distance(&f) + legend_height(&f);
    if (!status)
        status = hsgd_script_open(&script, dir, "sweep", style, height,
                                  "Sweep: the measured S of every point, and the bound on it.", err);
    if (!status) {
        write_script(&script, &f);
        status = hsgd_script_close(&script, err);
    }
    release(&f);
    return status;
}

const hsgd_sweep_figure hsgd_sweep_figure_S = {"sweep", possible, write};
