/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "plots/progress_private.h"

#include <math.h>

/* As in the other figures that compare the runs. */
static const char *const run_name[HSGD_NUM_FIGURE_RUNS] = {"hsgd", "local_inner", "local_outer"};
static const char *const run_dash[HSGD_NUM_FIGURE_RUNS] = {"solid", "(8,3)", "(3,2)"};

/* What is beyond is off the axes, lest ticks overflow. */
#define LARGEST 1e100
#define SMALLEST 1e-12

/* Of the second curves. */
#define SECOND_WIDTH "0.9"
static const char *const second_dash[HSGD_NUM_FIGURE_RUNS] = {"(1.5,2)", "(1.5,4)", "(1.5,1.5,1.5,4)"};

#define PANEL_IN 1.2    /* height of a panel where there are several below each other */
#define ROW_GAP_IN 0.05 /* between an axis label and the panel below */

/* ---- x axes ---- */

static const double *abscissa_of(const hsgd_figure_input *in, hsgd_abscissa x, size_t run)
{
    const hsgd_figure_progress *p = &in->progress[run];
    switch (x) {
    case HSGD_OVER_STEPS:
        return in->step;
    case HSGD_OVER_TIME:
        return p->time_s;
    case HSGD_OVER_BYTES_TOP:
        return p->bytes_top;
    case HSGD_OVER_BYTES_ALL:
        return p->bytes_all;
    default:
        return p->bytes_level[x - HSGD_OVER_BYTES_LEVEL];
    }
}

static const char *const abscissa_name[] = {"step", "time_s", "bytes_top", "bytes_all"};

static void abscissa_column(char *out, size_t size, hsgd_abscissa x, size_t run)
{
    if (x == HSGD_OVER_STEPS)
        snprintf(out, size, "step");
    else if (x >= HSGD_OVER_BYTES_LEVEL)
        snprintf(out, size, "bytes_level_%d_%s", x - HSGD_OVER_BYTES_LEVEL + 1, run_name[run]);
    else
        snprintf(out, size, "%s_%s", abscissa_name[x], run_name[run]);
}

static hsgd_unit unit_of(const hsgd_script *s, hsgd_abscissa x, double largest)
{
    return x == HSGD_OVER_STEPS ? (hsgd_unit){1, ""} : hsgd_script_unit(s, x == HSGD_OVER_TIME, largest);
}

static double largest_abscissa(const hsgd_figure_input *in, const hsgd_lines *lines, hsgd_abscissa x)
{
    hsgd_range range = hsgd_range_empty();
    for (size_t i = 0; i < lines->num_lines; i++)
        hsgd_range_merge(&range, hsgd_range_of(abscissa_of(in, x, lines->line[i].run), in->num_rows, 1));
    return hsgd_range_positive(&range) && range.high >= SMALLEST ? fmin(range.high, LARGEST) : 0;
}

/* Levels are counted from the root's; the last panel may stand for several. */
static void level_label(char *out, size_t size, size_t level, size_t num_levels, hsgd_unit u)
{
    if (level == HSGD_MAX_BYTE_PANELS && level < num_levels)
        snprintf(out, size, "sent at levels %zu to %zu in %s", level, num_levels, u.name);
    else if (num_levels == 1)
        snprintf(out, size, "sent in %s", u.name);
    else
        snprintf(out, size, "sent at level %zu%s in %s", level,
                 level == 1            ? " (root)"
                 : level == num_levels ? " (workers)"
                                       : "",
                 u.name);
}

static void x_label(char *out, size_t size, const hsgd_script *s, const hsgd_figure_input *in, hsgd_abscissa x,
                    hsgd_unit u)
{
    static const char *const form[] = {"", "modelled time in %s", "sent at the top level in %s",
                                       "sent at all levels in %s"};
    if (x == HSGD_OVER_STEPS)
        snprintf(out, size, "%s", hsgd_script_pick(s, "step {/:Italic t}", "step $t$"));
    else if (x >= HSGD_OVER_BYTES_LEVEL)
        level_label(out, size, (size_t)(x - HSGD_OVER_BYTES_LEVEL) + 1, in->num_levels, u);
    else
        snprintf(out, size, form[x], u.name);
}

/* ---- the data file ---- */

void hsgd_lines_add(hsgd_lines *lines, const hsgd_figure_input *in, hsgd_line line)
{
    if (lines->num_lines < HSGD_MAX_LINES && hsgd_range_of(line.y, in->num_rows, 1).any)
        lines->line[lines->num_lines++] = line;
}

static void add_line_columns(hsgd_table *table, const hsgd_lines *lines)
{
    for (size_t i = 0; i < lines->num_lines; i++) {
        const hsgd_line *line = &lines->line[i];
        hsgd_table_add(table, line->y, 1, true, "%s_%s", line->column, run_name[line->run]);
        hsgd_table_add(table, line->half_width, 1, false, "%s_%s_half_width", line->column, run_name[line->run]);
        hsgd_table_add(table, line->above, 1, false, "%s_%s_above", line->column, run_name[line->run]);
    }
}

static void add_abscissa_columns(hsgd_table *table, const hsgd_figure_input *in, hsgd_abscissa x)
{
    for (size_t run = 0; run < (x == HSGD_OVER_STEPS ? 1 : HSGD_NUM_FIGURE_RUNS); run++) {
        char name[48];
        abscissa_column(name, sizeof name, x, run);
        hsgd_table_add(table, abscissa_of(in, x, run), 1, false, "%s", name);
    }
}

/* ---- curves ---- */

/* What curves of one panel need to know. */
typedef struct panel {
    const hsgd_figure_input *in;
    const hsgd_lines *lines;
    hsgd_abscissa x;
    hsgd_unit u;
    bool log_x;
    bool *shown; /* (num_lines) is the line there in this panel, or in one before? */
} panel;

static void line_title(char *out, size_t size, const hsgd_script *s, const hsgd_figure_input *in, const hsgd_line *line)
{
    const char *form = hsgd_script_pick(s, "local SGD, {/:Italic %c} = %zu", "local SGD, $%c = %zu$");
    if (line->run == 0)
        snprintf(out, size, "H-SGD");
    else
        snprintf(out, size, form, line->run == 1 ? 'I' : 'G', line->run == 1 ? in->local_period : in->global_period);
}

/* True where some row has numbers for the point, and for `also`: gnuplot warns of curves without one. */
static bool shows(const hsgd_script *s, const panel *p, const hsgd_line *line, const double *also)
{
    const double *at = abscissa_of(p->in, p->x, line->run);
    for (size_t row = 0; at && also && row < p->in->num_rows; row++) {
        bool left_out = p->lines->only_where && !isfinite(p->lines->only_where[row]);
        bool drawable = isfinite(line->y[row]) && (line->y[row] > 0 || !s->log_axis);
        if (!left_out && drawable && isfinite(at[row]) && (at[row] > 0 || !p->log_x) && isfinite(also[row]))
            return true;
    }
    return false;
}

static bool over_bytes(hsgd_abscissa x)
{
    return x >= HSGD_OVER_BYTES_TOP;
}

/* Bytes stand still between averages, so there the band of what changes from step to step would be a row of walls. */
static bool has_band(const hsgd_script *s, const panel *p, const hsgd_line *line)
{
    bool walls = over_bytes(p->x) && !p->lines->bands_over_bytes;
    return !walls && !line->second && shows(s, p, line, line->half_width);
}

static void add_band(hsgd_script *s, const panel *p, const hsgd_line *line)
{
    char column[48], mean[48], below[64], above[64];
    if (!has_band(s, p, line))
        return;
    abscissa_column(column, sizeof column, p->x, line->run);
    snprintf(mean, sizeof mean, "%s_%s", line->column, run_name[line->run]);
    snprintf(below, sizeof below, "%s_half_width", mean);
    snprintf(above, sizeof above, "%s_above", mean);
    hsgd_script_series(s, "'%s.dat' using (place(column(\"%s\")/%g))", p->lines->figure, column, p->u.size);
    hsgd_script_edges(s, mean, below, line->above ? above : NULL);
    fprintf(s->stream, "with filledcurves fs transparent solid 0.2 noborder lc rgb '%s' notitle",
            hsgd_colour(line->run));
}

/* low: the lower end of a log axis, on which bands must stay. */
static void define_bands(hsgd_script *s, const panel *p, double low)
{
    char edge[96] = "edge(mean, y) = y";
    bool any = false;
    for (size_t i = 0; i < p->lines->num_lines; i++)
        any = any || has_band(s, p, &p->lines->line[i]);
    if (!any)
        return;
    if (isfinite(low))
        snprintf(edge, sizeof edge, "edge(mean, y) = y > %.4g ? y : %.4g # on the axis", low, low);
    hsgd_script_define_edges(s, edge);
    fputs(p->log_x ? "place(x) = x > 0 ? x : NaN\n" : "place(x) = x\n", s->stream); /* else a band fills the panel */
}

/* What is nowhere to be seen in the panels so far has an entry that says so. */
static void add_to_legend(hsgd_script *s, const hsgd_line *line, const char *title, bool shown)
{
    hsgd_script_series(s, "keyentry with lines lc rgb '%s' lw 1.5 dt %s title '%s%s'", hsgd_colour(line->run),
                       run_dash[line->run], title, shown ? "" : " (none)");
}

static void add_curve(hsgd_script *s, const panel *p, size_t index, bool legend)
{
    const hsgd_line *line = &p->lines->line[index];
    char column[48], title[96] = "";
    if (legend && !line->second)
        line_title(title, sizeof title, s, p->in, line);
    if (!shows(s, p, line, line->y)) {
        if (*title)
            add_to_legend(s, line, title, p->shown[index]);
        return;
    }
    p->shown[index] = true;
    abscissa_column(column, sizeof column, p->x, line->run);
    hsgd_script_series(s, "'%s.dat' using (column(\"%s\")/%g):\"%s_%s\" with %s lc rgb '%s' lw %s dt %s title '%s'",
                       p->lines->figure, column, p->u.size, line->column, run_name[line->run],
                       p->in->num_rows > 2 ? "lines" : "linespoints pt 7 ps 0.4", hsgd_colour(line->run),
                       line->second ? SECOND_WIDTH : "1.5", line->second ? second_dash[line->run] : run_dash[line->run],
                       title);
}

static void add_second_to_legend(hsgd_script *s, const hsgd_lines *lines)
{
    hsgd_script_series(s, "keyentry with lines lc rgb '#606060' lw %s dt %s title '%s'", SECOND_WIDTH, second_dash[0],
                       lines->second);
}

/* ---- y axis ---- */

static void linear_axis(hsgd_script *s, double low, double high)
{
    s->log_axis = false;
    low = fmax(-LARGEST, fmin(low, LARGEST));
    high = fmax(-LARGEST, fmin(high, LARGEST));
    double room = 0.05 * fmax(fabs(high), 1);
    if (!(high - low > 1e-12 * fmax(fabs(low), fabs(high)))) { /* a constant needs room, too */
        low -= room;
        high += room;
    }
    double span = high - low;
    fprintf(s->stream, "unset logscale y; set format y '%s'; set ytics %.3g; set yrange [%.17g:%.17g]\n",
            hsgd_script_pick(s, "%g", "$%g$"), hsgd_tick_distance(span), low - 0.04 * span, high + 0.04 * span);
}

/* The lower end of the axis; -INFINITY for a linear one. */
static double y_axis(hsgd_script *s, const hsgd_figure_input *in, const hsgd_lines *lines)
{
    hsgd_range range = hsgd_range_empty();
    double low = INFINITY, high = -INFINITY;
    bool late = lines->late_axis && in->num_rows > 20;
    if (late)
        fputs("# The axis is made for what comes after the first tenth of the run.\n", s->stream);
    for (size_t i = 0; i < lines->num_lines; i++)
        for (size_t row = late ? in->num_rows / 10 : 0; row < in->num_rows; row++)
            if (isfinite(lines->line[i].y[row])) {
                hsgd_range_add(&range, lines->line[i].y[row]);
                low = fmin(low, lines->line[i].y[row]);
                high = fmax(high, lines->line[i].y[row]);
            }
    if (lines->log_axis && low > 0)
        return hsgd_script_log_axis(s, range);
    if (low > high)
        low = high = 0;
    linear_axis(s, low, high);
    return -INFINITY;
}

/* ---- x axis ---- */

/* Runs that send many times as much as others would push these against the left edge. */
static bool differs_much(const hsgd_figure_input *in, const hsgd_lines *lines, hsgd_abscissa x)
{
    hsgd_range last = hsgd_range_empty();
    for (size_t i = 0; i < lines->num_lines; i++) {
        const double *at = abscissa_of(in, x, lines->line[i].run);
        if (at)
            hsgd_range_add(&last, at[in->num_rows - 1]);
    }
    return hsgd_range_positive(&last) && last.high <= LARGEST && last.high > 8 * last.low;
}

static hsgd_range range_of_x(const hsgd_figure_input *in, const hsgd_lines *lines, hsgd_abscissa x, hsgd_unit u)
{
    hsgd_range range = hsgd_range_empty();
    for (size_t i = 0; i < lines->num_lines; i++)
        hsgd_range_merge(&range, hsgd_range_of(abscissa_of(in, x, lines->line[i].run), in->num_rows, 1));
    range.low /= u.size;
    range.high /= u.size;
    return range;
}

static panel open_panel(hsgd_script *s, const hsgd_figure_input *in, const hsgd_lines *lines, hsgd_abscissa x,
                        bool *shown)
{
    double largest = largest_abscissa(in, lines, x);
    panel p = {in, lines, x, unit_of(s, x, largest), over_bytes(x) && differs_much(in, lines, x), shown};
    if (p.log_x)
        hsgd_script_log_x_axis(s, range_of_x(in, lines, x, p.u));
    else {
        fprintf(s->stream, "unset logscale x; set format x '%s'\n", hsgd_script_pick(s, "%g", "$%g$"));
        hsgd_script_step_axis(s, 0, largest / p.u.size);
    }
    return p;
}

/* ---- the panel ---- */

/* Axes, labels, bands and curves of one panel, whose place and legend are set; legend: the curves have titles. */
static void draw_panel(hsgd_script *s, const hsgd_figure_input *in, const hsgd_lines *lines, hsgd_abscissa x,
                       bool *shown, bool legend, bool y_label)
{
    char label[96];
    panel p = open_panel(s, in, lines, x, shown);
    double low = y_axis(s, in, lines);
    x_label(label, sizeof label, s, in, x, p.u);
    hsgd_script_axis_labels(s, label, y_label ? hsgd_script_pick(s, lines->y_label, lines->y_label_tex) : NULL);
    define_bands(s, &p, low);
    for (size_t i = 0; i < lines->num_lines; i++)
        add_band(s, &p, &lines->line[i]);
    for (size_t i = 0; i < lines->num_lines; i++)
        add_curve(s, &p, i, legend);
    if (legend && lines->second)
        add_second_to_legend(s, lines);
    if (legend && lines->has_band)
        hsgd_script_band_entry(s, in->confidence, "#808080");
    hsgd_script_plotted(s);
}

/* ---- the page ---- */

static size_t legend_entries(const hsgd_lines *lines)
{
    size_t entries = (lines->second ? 1 : 0) + lines->has_band;
    for (size_t i = 0; i < lines->num_lines; i++)
        entries += !lines->line[i].second;
    return entries;
}

static size_t legend_columns(const hsgd_lines *lines, double width_in)
{
    return hsgd_legend_columns(width_in, legend_entries(lines), sizeof "local SGD, G = 200" - 1);
}

static double legend_height(const hsgd_lines *lines, double width_in)
{
    return hsgd_legend_height(legend_entries(lines), legend_columns(lines, width_in));
}

static void write_panels(hsgd_script *s, const hsgd_figure_input *in, const hsgd_lines *lines, const hsgd_abscissa *x,
                         size_t num_panels)
{
    double top = s->height_in - hsgd_title_height(in, s->title), legend = legend_height(lines, s->width_in);
    size_t columns = hsgd_panels_abreast(s->width_in, num_panels), rows = (num_panels + columns - 1) / columns;
    double bottom = legend + HSGD_X_AXIS_IN, pitch = (top - bottom + HSGD_X_AXIS_IN + ROW_GAP_IN) / (double)rows;
    bool shown[HSGD_MAX_LINES] = {false};
    hsgd_script_title(s, in);
    hsgd_script_thinned(s, in->num_rows);
    if (num_panels > 1)
        fputs("set multiplot\nunset key\n", s->stream);
    for (size_t i = 0; i < num_panels; i++) {
        bool last = i + 1 == num_panels;
        size_t row = i / columns, column = i % columns;
        double panel_top = top - (double)row * pitch;
        hsgd_script_column(s, column, columns);
        hsgd_script_panel(s, panel_top - pitch + HSGD_X_AXIS_IN + ROW_GAP_IN, panel_top);
        if (last)
            hsgd_script_legend(s, legend, legend_entries(lines), legend_columns(lines, s->width_in));
        draw_panel(s, in, lines, x[i], shown, last, i % columns == 0);
        fputs(last ? "" : "unset label\n", s->stream); /* the caption is there */
    }
    if (num_panels > 1)
        fputs("unset multiplot\n", s->stream);
}

/* Is there a band in some panel? */
static bool any_band(const hsgd_figure_input *in, const hsgd_lines *lines, const hsgd_abscissa *x, size_t num_panels)
{
    for (size_t i = 0; i < lines->num_lines; i++)
        for (size_t k = 0; k < num_panels; k++) {
            const hsgd_line *line = &lines->line[i];
            if ((!over_bytes(x[k]) || lines->bands_over_bytes) && !line->second && abscissa_of(in, x[k], line->run) &&
                hsgd_band_shows(line->y, line->half_width, in->num_rows, 1))
                return true;
        }
    return false;
}

static hsgd_status write_data(const hsgd_figure_input *in, const hsgd_lines *lines, const hsgd_abscissa *x,
                              size_t num_panels, const char *dir, hsgd_error *err)
{
    hsgd_table table;
    hsgd_table_init(&table, in->num_rows);
    table.only_where = lines->only_where;
    for (size_t i = 0; i < num_panels; i++)
        add_abscissa_columns(&table, in, x[i]);
    add_line_columns(&table, lines);
    hsgd_status status = hsgd_table_write(&table, dir, lines->figure, err);
    hsgd_table_free(&table);
    return status;
}

hsgd_status hsgd_lines_write(const hsgd_figure_input *in, const hsgd_lines *lines, const hsgd_abscissa *x,
                             size_t num_panels, const char *dir, const hsgd_figure_style *style, const char *about,
                             hsgd_error *err)
{
    hsgd_figure_input own = *in;
    own.constants_proved = true; /* no bound is shown, so the title need not warn of their constants */
    in = &own;
    hsgd_lines drawn = *lines;
    drawn.has_band = any_band(in, lines, x, num_panels);
    lines = &drawn;
    hsgd_status status = write_data(in, lines, x, num_panels, dir, err);
    if (status != HSGD_OK)
        return status;
    size_t columns = hsgd_panels_abreast(style->width_in, num_panels), rows = (num_panels + columns - 1) / columns;
    double panel_in = rows > 1      ? PANEL_IN + 0.05 * (style->width_in - HSGD_WIDTH_IEEE_COLUMN_IN)
                      : columns > 1 ? 1.6
                                    : hsgd_panel_height(style);
    double needed = hsgd_title_height(in, style->title) + (double)rows * (panel_in + HSGD_X_AXIS_IN) +
                    (double)(rows - 1) * ROW_GAP_IN + legend_height(lines, style->width_in);
    hsgd_script script;
    status = hsgd_script_open(&script, dir, lines->figure, style, fmax(needed, HSGD_PAGE_HEIGHT_IN), about, err);
    if (status != HSGD_OK)
        return status;
    write_panels(&script, in, lines, x, num_panels);
    return hsgd_script_close(&script, err);
}

hsgd_status hsgd_lines_write_levels(const hsgd_figure_input *in, const hsgd_lines *lines, const char *dir,
                                    const hsgd_figure_style *style, const char *about, hsgd_error *err)
{
    hsgd_abscissa x[HSGD_MAX_BYTE_PANELS];
    size_t panels = hsgd_figure_num_byte_panels(in->num_levels);
    for (size_t k = 0; k < panels; k++)
        x[k] = (hsgd_abscissa)(HSGD_OVER_BYTES_LEVEL + k);
    return hsgd_lines_write(in, lines, x, panels, dir, style, about, err);
}
