/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Writing a gnuplot script: open, panels, axes, series, close.
 *
 * What the figures share lives here: terminal, size, fonts, palette, caption, legend, axes. All positions are inches on
 * a page whose width is the style's. Strings passed to these functions are the figures' own; text from a
 * user goes through plots/text_private.h first. */
#ifndef HSGD_PLOTS_SCRIPT_PRIVATE_H
#define HSGD_PLOTS_SCRIPT_PRIVATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "plots/figure.h"
#include "plots/output.h"
#include "plots/text_private.h"

#define HSGD_PAGE_HEIGHT_IN 2.6 /* figures with long legends or several panels are taller */
#define HSGD_LEGEND_ROW_IN 0.125
#define HSGD_SMALL_TEX_FONT "\\fontsize{7}{8.4}\\selectfont " /* of the lines below the first */
#define HSGD_X_AXIS_IN 0.34 /* from the lower edge of a panel to below its axis label */

typedef struct hsgd_script {
    hsgd_output out;
    FILE *stream; /* of out */
    hsgd_figure_format format;
    hsgd_figure_band band;
    bool title;
    double width_in, height_in, gap_in, panel_left_in, panel_right_in, panel_bottom_in;
    bool in_plot, drawn; /* inside a plot command, which has something to draw */
    bool log_axis;
} hsgd_script;

/* Inches that a title of 1 to 3 lines takes at the top, or the margin where the style has none. */
double hsgd_title_lines_height(bool title, size_t lines);

/* The same for the title that hsgd_script_title writes. */
double hsgd_title_height(const hsgd_figure_input *input, bool title);

/* Start DIR/NAME.gp for output NAME.<format>; about is the script's first comment line. */
hsgd_status hsgd_script_open(hsgd_script *s, const char *dir, const char *name, const hsgd_figure_style *style,
                             double height_in, const char *about, hsgd_error *err);

/* The first line of a title: label 1 with the name, cut to max_width columns. */
void hsgd_script_name(hsgd_script *s, const char *name, size_t max_width);

/* The end of the command for label `line` that makes it a line of the title, 1 to 3. */
void hsgd_script_title_line(hsgd_script *s, size_t line);

/* The experiment's name and setting above the panels, if the style has a title. */
void hsgd_script_title(hsgd_script *s, const hsgd_figure_input *input);

/* Say in a comment how the data file was thinned, if it was. */
void hsgd_script_thinned(hsgd_script *s, size_t num_rows);

hsgd_status hsgd_script_close(hsgd_script *s, hsgd_error *err);

/* plain, or tex in the TeX format. */
const char *hsgd_script_pick(const hsgd_script *s, const char *plain, const char *tex);

/* An option that gives a label or the legend a font of this size; "" for LaTeX, where all text has the size of the
 * terminal: its fonts are narrower than Helvetica. */
typedef struct hsgd_font {
    char option[32];
} hsgd_font;
const char *hsgd_script_font(hsgd_font *font, const hsgd_script *s, double points);

/* Size of points that looks the same in all formats. */
double hsgd_point_size(const hsgd_script *s, double size);

/* Height of a panel that stands alone, in a figure of this width. */
double hsgd_panel_height(const hsgd_figure_style *style);

/* How many of these panels stand side by side at this width. */
size_t hsgd_panels_abreast(double width_in, size_t panels);

/* The panels that follow stand in this column of as many: margins are set. Labels of the y axis fit beside
 * the first only, so the others must share it. */
void hsgd_script_column(hsgd_script *s, size_t column, size_t columns);

/* Margins in inches from the left and from the right edge, for panels outside such columns. */
void hsgd_script_margins(hsgd_script *s, double left_in, double right_in);

/* Labels of the axes of the last panel; y_label NULL: none. They are put at fixed places: gnuplot would put them beside
 * the tick labels, whose width it can only guess in svg and TeX. */
void hsgd_script_axis_labels(hsgd_script *s, const char *x_label, const char *y_label);

/* Lower and upper edge of the next panel, measured from the bottom of the page. */
void hsgd_script_panel(hsgd_script *s, double bottom_in, double top_in);

/* Legend below the panels, its top edge at top_in, entries filling columns from top to bottom. */
void hsgd_script_legend(hsgd_script *s, double top_in, size_t entries, size_t columns);
size_t hsgd_legend_rows(size_t entries, size_t columns);

/* Columns of a legend whose longest entry has `widest` characters, as equally long as can be. */
size_t hsgd_legend_columns(double width_in, size_t entries, size_t widest);
double hsgd_legend_height(size_t entries, size_t columns);

/* One element of the plot command: separates it from the one before. hsgd_script_plotted ends the command. */
void hsgd_script_series(hsgd_script *s, const char *format, ...) HSGD_PRINTF(2, 3);
void hsgd_script_plotted(hsgd_script *s);

typedef struct hsgd_range hsgd_range;

/* A column of DIR/NAME.dat over steps, with the range of its values; only a legend entry that says so where the axis
 * can show none of them. title NULL: no entry. */
void hsgd_script_curve(hsgd_script *s, const char *name, const char *column, const char *style, const char *title,
                       const hsgd_range *range);

/* A band: columns mean and half_width of DIR/NAME.dat; above is the column of distances to its upper edge, NULL where
 * they are the same. It ends at low, for a log axis shows no negative
 * edge. Define it once before the plot command. */
void hsgd_script_define_band(hsgd_script *s, double low);
void hsgd_script_band(hsgd_script *s, const char *name, const char *mean, const char *half_width, const char *above,
                      const char *colour);

/* The functions behind it: edge(mean, y) is a line of gnuplot that defines what is drawn for an edge at y; the second adds
 * both edges to a plot command. */
void hsgd_script_define_edges(hsgd_script *s, const char *edge);
void hsgd_script_edges(hsgd_script *s, const char *mean, const char *half_width, const char *above);

/* An entry of the legend that says what the style's bands are, e.g. "99% confidence", and its width in characters. */
enum { HSGD_BAND_TITLE_WIDTH = 16 };
void hsgd_script_band_entry(hsgd_script *s, double confidence, const char *colour);
/* The same as error bars, for curves that zeros interrupt: a filled band would be drawn across the gaps. */
void hsgd_script_error_bars(hsgd_script *s, const char *name, const char *mean, const char *half_width,
                            const char *above, const char *colour);

/* Line types 1..count: colour-blind-safe colours (Okabe and Ito) and dash patterns that differ in black and white. */
void hsgd_script_line_types(hsgd_script *s, size_t count);
const char *hsgd_colour(size_t index);

/* Dash patterns for two kinds of curves that every level has, k = 1, 2, ...: long and short ones that all differ up to five
 * levels, for the colours of levels are alike in black and white. */
const char *hsgd_long_dash(size_t k);
const char *hsgd_short_dash(size_t k);

/* ---- ranges and axes ---- */

/* The positive finite values seen, for a log axis; any: some finite value was seen, maybe zero. */
struct hsgd_range {
    double low, high; /* low > high: none */
    bool any;
};

hsgd_range hsgd_range_empty(void);
bool hsgd_range_positive(const hsgd_range *range);
void hsgd_range_add(hsgd_range *range, double value);
hsgd_range hsgd_range_of(const double *data, size_t count, size_t stride); /* data may be NULL */
void hsgd_range_merge(hsgd_range *range, hsgd_range other);

/* True where some row of a curve has a band that a log axis can show. half_width may be NULL. */
bool hsgd_band_shows(const double *mean, const double *half_width, size_t count, size_t stride);

/* Log y axis around the range, never narrower than its labels need; linear where nothing is positive. Returns the
 * lower end of the axis. */
double hsgd_script_log_axis(hsgd_script *s, hsgd_range range);

/* The same for the x axis. */
double hsgd_script_log_x_axis(hsgd_script *s, hsgd_range range);

/* A tick distance of 1, 2 or 5 times a power of ten that gives two to six ticks in a span > 0: labels do not touch. */
double hsgd_tick_distance(double span);

/* A unit of time (seconds) or of data (bytes) that leaves numbers of a few digits on an axis up to `largest`. */
typedef struct hsgd_unit {
    double size;      /* in seconds or bytes */
    const char *name; /* static, as the script's format spells it */
} hsgd_unit;
hsgd_unit hsgd_script_unit(const hsgd_script *s, bool time, double largest);

/* Step axis from first to last. */
void hsgd_script_step_axis(hsgd_script *s, double first, double last);

#endif
