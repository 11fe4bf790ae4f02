/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Figure "ladder": the waterfall of the proof ladder, from the measured S to the published bound.
 *
 * Every rung is an upper bound on the one before, so its bar, from the value before to its own, is the slack of one
 * step of the proof. On a linear axis lengths compare; where the values span decades the axis is logarithmic, lengths
 * are factors, and only the printed shares compare the steps. A tick marks every value, for the bar of a step that
 * loses nothing has no length.
 *
 * Columns of the data file, one row per rung: row, row_before (of the rung that the bar starts at, 0: none), from (its
 * value, 0 where there is none), value, low, high (the interval), share (of the whole slack), measured (1: the rung
 * contains measured means, 0: constants only), applies (0: a condition of the step fails). */
#include "plots/figures_private.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "plots/script_private.h"
#include "plots/table_private.h"

#define ROW_IN 0.25
#define RIGHT_IN 0.12
#define LEFT_IN 0.14      /* margin: row labels stand inside the panel */
#define HEADER_IN 0.11    /* the line above the panel */
#define LINEAR_FACTOR 30  /* a linear axis shows values up to this many times the smallest one */
#define VALUE_RIGHT 0.845 /* right edges of the two columns of numbers, as shares of the panel's width */
#define SHARE_RIGHT 0.994
#define WHISKER_ROOM 0.25   /* an interval may widen the axis by this share; what is beyond is cut off */
#define CHARACTER_IN 0.0505 /* of a title; TeX's are a fifth wider */
enum { TITLE_SIZE = 512, FIRST_CONSTANT_RUNG = 5 };

enum column { ROW, ROW_BEFORE, FROM, VALUE, LOW, HIGH, SHARE, MEASURED, APPLIES, NUM_COLUMNS };
static const char *const column_name[NUM_COLUMNS] = {"row",  "row_before", "from",     "value",  "low",
                                                     "high", "share",      "measured", "applies"};

typedef struct ladder {
    const hsgd_figure_rung *rung; /* (num_rows) borrowed */
    double *cell;                 /* (num_rows, NUM_COLUMNS) owned */
    size_t num_rows;
    double low, high; /* of the values */
    double axis_low, axis_high;
    bool log_axis;
} ladder;

static bool possible(const hsgd_figure_input *in, char *reason, size_t size)
{
    size_t finite = 0;
    for (size_t r = 0; r < in->num_rungs; r++)
        finite += isfinite(in->rung[r].value) ? 1 : 0;
    return finite >= 2 || hsgd_figure_lacks(reason, size, "fewer than two rungs of the proof ladder were evaluated");
}

/* R0 to R4 contain measured means (THEORY 4.5). */
static bool contains_measured(const hsgd_figure_rung *rung)
{
    return rung->rung[0] == 'R' && strtol(rung->rung + 1, NULL, 10) < FIRST_CONSTANT_RUNG;
}

static bool has_whisker(const double *row)
{
    return isfinite(row[VALUE]) && isfinite(row[LOW]) && isfinite(row[HIGH]) && row[LOW] < row[HIGH];
}

static void fill_cells(ladder *l)
{
    const double *before = NULL; /* the last rung with a value */
    for (size_t r = 0; r < l->num_rows; r++) {
        const hsgd_figure_rung *rung = &l->rung[r];
        double *row = l->cell + r * NUM_COLUMNS;
        row[ROW] = (double)(r + 1);
        row[ROW_BEFORE] = before ? before[ROW] : 0;
        row[FROM] = before ? before[VALUE] : 0;
        row[VALUE] = rung->value;
        row[LOW] = rung->low;
        row[HIGH] = rung->high;
        row[SHARE] = rung->share;
        row[MEASURED] = contains_measured(rung);
        row[APPLIES] = !before || rung->step_applies; /* without a rung before there is no step */
        if (isfinite(rung->value))
            before = row;
    }
}

/* Log axis: around what is positive. Otherwise from zero, or from a negative value. */
static void choose_axis(ladder *l)
{
    double smallest = INFINITY, whisker_low = INFINITY, whisker_high = -INFINITY;
    l->low = INFINITY, l->high = -INFINITY;
    for (size_t r = 0; r < l->num_rows; r++) {
        const double *row = l->cell + r * NUM_COLUMNS;
        if (!isfinite(row[VALUE]))
            continue;
        l->low = fmin(l->low, row[VALUE]);
        l->high = fmax(l->high, row[VALUE]);
        if (row[VALUE] > 0)
            smallest = fmin(smallest, row[VALUE]);
        if (has_whisker(row)) {
            whisker_low = fmin(whisker_low, row[LOW]);
            whisker_high = fmax(whisker_high, row[HIGH]);
        }
    }
    l->log_axis = l->low >= 0 && l->high / LINEAR_FACTOR > smallest;
    if (l->log_axis) {
        l->axis_low = fmax(fmin(smallest, whisker_low), smallest / 2);
        l->axis_high = fmin(fmax(l->high, whisker_high), 2 * l->high);
        return;
    }
    /* The limits keep tick marks from over- and underflowing. */
    l->axis_low = fmax(fmin(0, l->low), -1e300);
    l->axis_high = fmin(fmax(0, l->high), 1e300);
    if (l->axis_high - l->axis_low < 1e-290)
        l->axis_high = l->axis_low + 1;
    double span = l->axis_high - l->axis_low;
    l->axis_high = fmin(fmax(l->axis_high, whisker_high), l->axis_high + WHISKER_ROOM * span);
    if (l->low < 0)
        l->axis_low = fmax(fmin(l->axis_low, whisker_low), l->axis_low - WHISKER_ROOM * span) - 0.04 * span;
    l->axis_high += 0.04 * span;
}

static hsgd_status ladder_collect(ladder *l, const hsgd_figure_input *in, hsgd_error *err)
{
    *l = (ladder){.rung = in->rung, .num_rows = in->num_rungs};
    l->cell = calloc(in->num_rungs * NUM_COLUMNS, sizeof *l->cell);
    if (!l->cell)
        return hsgd_fail_memory(err, "the rungs of the ladder");
    fill_cells(l);
    choose_axis(l);
    return HSGD_OK;
}

/* ---- what is printed ---- */

/* The symbols that a table in plain text spells out. */
static void with_symbols(char out[TITLE_SIZE / 2], const char *text)
{
    static const char *const spelled[][2] = {
        {"gamma", "γ"}, {"sigma^2", "σ²"}, {"sigma", "σ"}, {"<=", "≤"}, {">=", "≥"}};
    size_t used = 0;
    while (*text && used + 8 < TITLE_SIZE / 2) {
        size_t i = 0;
        while (i < sizeof spelled / sizeof *spelled && strncmp(text, spelled[i][0], strlen(spelled[i][0])) != 0)
            i++;
        bool found = i < sizeof spelled / sizeof *spelled;
        if (found)
            used = (size_t)(stpcpy(out + used, spelled[i][1]) - out);
        else
            out[used++] = *text;
        text += found ? strlen(spelled[i][0]) : 1;
    }
    out[used] = '\0';
}

/* "R1 + descent inequality (L-smoothness of f)"; the parenthesis only where it fits, the plus only for known steps. */
static void title_of(char title[TITLE_SIZE], const hsgd_figure_rung *rung, size_t max_width)
{
    char clean[HSGD_TEXT_SIZE], name[TITLE_SIZE / 2], step[TITLE_SIZE / 2];
    with_symbols(name, rung->name);
    with_symbols(step, rung->step);
    const char *plus = rung->step[0] ? "+ " : "";
    if (rung->step[0] && strcmp(rung->step, rung->name) != 0) {
        int length = snprintf(title, TITLE_SIZE, "%s %s%s (%s)", rung->rung, plus, name, step);
        if (length < TITLE_SIZE && hsgd_text_clean(clean, title, HSGD_TEXT_MAX) <= max_width)
            return;
    }
    snprintf(title, TITLE_SIZE, "%s %s%s", rung->rung, plus, name);
}

/* "37 %", "0.4 %", "<0.1 %"; a dash where the share is not known. */
static void share_text(char text[HSGD_NUMBER_SIZE + 8], const hsgd_script *s, double share)
{
    double percent = 100 * share;
    hsgd_number number;
    if (!isfinite(percent)) {
        snprintf(text, HSGD_NUMBER_SIZE + 8, "%s", hsgd_script_pick(s, "–", "--"));
        return;
    }
    if (fabs(percent) >= 1e5)
        hsgd_text_number(&number, s->format, percent);
    else if (fabs(percent) >= 9.95)
        snprintf(number.text, sizeof number.text, hsgd_script_pick(s, "%.0f", "$%.0f$"), percent);
    else if (fabs(percent) >= 0.05)
        snprintf(number.text, sizeof number.text, hsgd_script_pick(s, "%.1f", "$%.1f$"), percent);
    else if (percent < -1e-9)
        snprintf(number.text, sizeof number.text, hsgd_script_pick(s, "%.1g", "$%.1g$"), percent);
    else
        snprintf(number.text, sizeof number.text, "%s", percent > 0 ? hsgd_script_pick(s, "<0.1", "$<0.1$") : "0");
    snprintf(text, HSGD_NUMBER_SIZE + 8, "%s%s", number.text, hsgd_script_pick(s, " %", "\\,\\%"));
}

/* Characters of a title that fit before its value. */
static size_t title_width(const hsgd_script *s)
{
    double room = VALUE_RIGHT * (s->width_in - LEFT_IN - RIGHT_IN) - 0.42;
    size_t width = (size_t)(room / (hsgd_figure_format_is_tex(s->format) ? 1.2 * CHARACTER_IN : CHARACTER_IN));
    return width < HSGD_TEXT_MAX ? width : HSGD_TEXT_MAX;
}

/* The line above a bar: title, value, share. */
static void label_row(hsgd_script *s, const ladder *l, size_t r)
{
    const hsgd_figure_rung *rung = &l->rung[r];
    const double *row = l->cell + r * NUM_COLUMNS;
    double y = (double)(r + 1) - 0.26;
    hsgd_font seven;
    const char *font = hsgd_script_font(&seven, s, 7);
    char title[TITLE_SIZE], share[HSGD_NUMBER_SIZE + 8];
    hsgd_quoted quoted;
    hsgd_number value;
    size_t tag = 20 + 4 * r;
    size_t max_width = title_width(s);
    title_of(title, rung, max_width);
    fprintf(s->stream, "set label %zu %s at graph 0.006,first %.2f left front%s\n", tag,
            hsgd_text_quote(&quoted, s->format, title, max_width), y, font);
    if (!isfinite(rung->value)) {
        fprintf(s->stream, "set label %zu '%s' at graph %g,first %.2f right front%s tc rgb '#606060'\n", tag + 1,
                isnan(rung->value) ? "not evaluated" : "infinite", SHARE_RIGHT, y, font);
        return;
    }
    fprintf(s->stream, "set label %zu '%s' at graph %g,first %.2f right front%s", tag + 1,
            hsgd_text_number(&value, s->format, rung->value), VALUE_RIGHT, y, font);
    if (row[APPLIES] == 0)
        fprintf(s->stream, "; set label %zu '%s' at graph %g,first %.2f left front%s", tag + 2,
                hsgd_script_pick(s, "†", "$\\dagger$"), VALUE_RIGHT + 0.006, y, font);
    if (row[ROW_BEFORE] > 0) {
        share_text(share, s, rung->share);
        fprintf(s->stream, "; set label %zu '%s' at graph %g,first %.2f right front%s", tag + 3, share, SHARE_RIGHT, y,
                font);
    }
    fputc('\n', s->stream);
}

static void label_header(hsgd_script *s, double panel_top_in)
{
    static const struct {
        const char *text, *side;
        double at;
    } head[] = {{"each rung bounds the one before", "left", 0.006},
                {"value", "right", VALUE_RIGHT},
                {"of slack", "right", SHARE_RIGHT}};
    hsgd_font font;
    for (size_t i = 0; i < sizeof head / sizeof *head; i++)
        fprintf(s->stream, "%sset label %zu '%s' at graph %g,screen %.4f %s%s tc rgb '#606060'", i ? "; " : "", 10 + i,
                head[i].text, head[i].at, (panel_top_in + 0.06) / s->height_in, head[i].side,
                hsgd_script_font(&font, s, 7));
    fputc('\n', s->stream);
}

static const char *axis_label(const hsgd_script *s, const ladder *l)
{
    bool all_apply = true;
    for (size_t r = 0; r < l->num_rows; r++)
        all_apply = all_apply && (l->cell[r * NUM_COLUMNS + APPLIES] != 0 || !isfinite(l->rung[r].value));
    if (all_apply)
        return l->log_axis ? "value of the rung (log axis: lengths are factors)" : "value of the rung";
    return l->log_axis ? hsgd_script_pick(s, "value (log axis: lengths are factors; † a condition fails)",
                                          "value (log axis: lengths are factors; $\\dagger$ a condition fails)")
                       : hsgd_script_pick(s, "value of the rung († a condition of the step fails)",
                                          "value of the rung ($\\dagger$ a condition of the step fails)");
}

/* ---- what is drawn ---- */

static void linear_axis(hsgd_script *s, const ladder *l)
{
    double span = l->axis_high - l->axis_low, distance = hsgd_tick_distance(span / 1.5), last = l->axis_high;
    if (distance < 0.01 || distance > 1000) { /* long labels: fewer, and none that sticks out on the right */
        distance = hsgd_tick_distance(span);
        last -= 0.05 * span;
    }
    fprintf(s->stream, "set xrange [%.6g:%.6g]\nset xtics (", l->axis_low, l->axis_high);
    const char *separator = "";
    for (double i = ceil(l->axis_low / distance); i * distance <= last; i++) {
        hsgd_number label;
        fprintf(s->stream, "%s'%s' %.6g", separator, hsgd_text_number(&label, s->format, i * distance), i * distance);
        separator = ", ";
    }
    fputs(")\n", s->stream);
}

static double draw_axis(hsgd_script *s, const ladder *l)
{
    if (!l->log_axis) {
        linear_axis(s, l);
        return l->axis_low;
    }
    hsgd_range range = hsgd_range_empty();
    hsgd_range_add(&range, l->axis_low);
    hsgd_range_add(&range, l->axis_high);
    return hsgd_script_log_x_axis(s, range);
}

/* A bar is drawn from the rung before; that of the first rung starts at zero, which a log axis does not have. */
static bool has_bar(const ladder *l, const double *row)
{
    return isfinite(row[VALUE]) && (row[ROW_BEFORE] > 0 || !l->log_axis);
}

/* Bars of one kind. gnuplot complains about a plot without points, so only where there are some. */
static void add_bars(hsgd_script *s, const ladder *l, bool measured, bool applies)
{
    static const struct {
        const char *colour, *title;
    } kind[] = {{"#e69f00", "constants only"}, {"#0072b2", "with measured means"}};
    bool any = false;
    for (size_t r = 0; r < l->num_rows; r++) {
        const double *row = l->cell + r * NUM_COLUMNS;
        any = any || (has_bar(l, row) && row[MEASURED] == measured && row[APPLIES] == applies);
    }
    if (any)
        hsgd_script_series(s,
                           "'ladder.dat' using (bar(%d, %d)):\"row\":(edge(column(\"from\"))):(edge(column(\"value\")))"
                           ":(column(\"row\") - 0.02):(column(\"row\") + 0.40) \\\n"
                           "          with boxxyerror lw %s lc rgb '%s' fs %s notitle",
                           measured, applies, applies ? "0.4" : "1", kind[measured].colour,
                           applies ? "solid border lc rgb '#000000'" : "pattern 4 border");
    if (applies)
        hsgd_script_series(s, "keyentry with boxes lw 0.4 lc rgb '%s' fs solid border lc rgb '#000000' title '%s'",
                           kind[measured].colour, kind[measured].title);
}

static void add_whiskers(hsgd_script *s, const ladder *l)
{
    bool any = false;
    for (size_t r = 0; r < l->num_rows; r++)
        any = any || has_whisker(l->cell + r * NUM_COLUMNS);
    for (int halo = 1; any && halo >= 0; halo--)
        hsgd_script_series(s,
                           "'ladder.dat' using (whisker(column(\"value\"))):(column(\"row\") + 0.19)"
                           ":(edge(column(\"low\"))):\"high\" \\\n"
                           "          with xerrorbars pt 0 lw %s lc rgb '%s' notitle",
                           halo ? "2.4" : "0.8", halo ? "#ffffff" : "#000000");
}

static void add_series(hsgd_script *s, const ladder *l, double low)
{
    fprintf(s->stream,
            "low = %.6g # left end of the axis\n"
            "edge(x) = x < low ? low : x\n"
            "bar(m, a) = column(\"measured\") == m && column(\"applies\") == a && column(\"row_before\") >= %d ? "
            "edge(column(\"value\")) : NaN\n"
            "whisker(x) = column(\"low\") < column(\"high\") ? edge(x) : NaN\n",
            low, l->log_axis ? 1 : 0);
    /* From the bar before to this one. */
    hsgd_script_series(s, "'ladder.dat' using (column(\"row_before\") > 0 ? edge(column(\"from\")) : NaN)"
                          ":(column(\"row_before\") + 0.40):(0):(column(\"value\") == column(\"value\") ? "
                          "column(\"row\") - column(\"row_before\") - 0.42 : NaN) \\\n"
                          "          with vectors nohead lw 0.5 lc rgb '#a0a0a0' notitle");
    add_bars(s, l, true, true);
    add_bars(s, l, false, true);
    add_bars(s, l, true, false);
    add_bars(s, l, false, false);
    add_whiskers(s, l);
    hsgd_script_series(s,
                       "'ladder.dat' using (column(\"value\") < low ? NaN : column(\"value\")):(column(\"row\") - 0.03)"
                       ":(0):(0.48) \\\n"
                       "          with vectors nohead lw 1.6 lc rgb '#000000' notitle");
}

static double legend_height(void)
{
    return 0.06 + HSGD_LEGEND_ROW_IN;
}

static void write_script(hsgd_script *s, const hsgd_figure_input *in, const ladder *l)
{
    double top = s->height_in - hsgd_title_height(in, s->title) - HEADER_IN;
    hsgd_script_title(s, in);
    hsgd_script_panel(s, legend_height() + HSGD_X_AXIS_IN, top);
    hsgd_script_legend(s, legend_height(), 2, 2);
    hsgd_script_margins(s, LEFT_IN, RIGHT_IN);
    fprintf(s->stream, "unset ytics; unset grid; set yrange [%zu.55:0.45]\n", l->num_rows);
    double low = draw_axis(s, l);
    fputs("set xtics nomirror\n", s->stream);
    hsgd_script_axis_labels(s, axis_label(s, l), NULL);
    label_header(s, top);
    for (size_t r = 0; r < l->num_rows; r++)
        label_row(s, l, r);
    add_series(s, l, low);
    hsgd_script_plotted(s);
}

static hsgd_status write_data(const ladder *l, const char *dir, hsgd_error *err)
{
    hsgd_table table;
    hsgd_table_init(&table, l->num_rows);
    for (size_t i = 0; i < NUM_COLUMNS; i++)
        hsgd_table_add(&table, l->cell + i, NUM_COLUMNS, false, "%s", column_name[i]);
    hsgd_status status = hsgd_table_write(&table, dir, "ladder", err);
    hsgd_table_free(&table);
    return status;
}

static hsgd_status write(const hsgd_figure_input *in, const char *dir, const hsgd_figure_style *style, hsgd_error *err)
{
    ladder l;
    hsgd_status status = hsgd_figure_require(&hsgd_figure_ladder, in, err);
    if (status == HSGD_OK)
        status = ladder_collect(&l, in, err);
    if (status != HSGD_OK)
        return status;
    status = write_data(&l, dir, err);
    if (status == HSGD_OK) {
        double height = hsgd_title_height(in, style->title) + HEADER_IN + ROW_IN * (double)l.num_rows + HSGD_X_AXIS_IN +
                        legend_height();
        hsgd_script script;
        status =
            hsgd_script_open(&script, dir, "ladder", style, fmax(height, 1.4),
                             "Ladder: the slack of each step of the proof, from the measured S to the bound.", err);
        if (status == HSGD_OK) {
            script.band = HSGD_BAND_CI; /* of means over whole runs, whatever bands the style has */
            write_script(&script, in, &l);
            status = hsgd_script_close(&script, err);
        }
    }
    free(l.cell);
    return status;
}

const hsgd_figure hsgd_figure_ladder = {"ladder", possible, write};
