/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "plots/script_private.h"

#include <math.h>
#include <stdarg.h>
#include <string.h>

#include "plots/table_private.h"

/* Margins of every panel: room for tick labels and the axis label on the left. */
#define LEFT_IN 0.62
#define RIGHT_IN 0.12
#define Y_LABEL_IN 0.515 /* middle of the axis label, left of its panel */
#define X_LABEL_IN 0.24  /* middle of the axis label, below its panel */
#define GAP_IN 0.45      /* between panels side by side: tick labels */
#define NARROWEST_IN 1.8 /* of panels side by side */
#define TEX_FONT "\\fontsize{8}{9.6}\\selectfont"
#define NAME_MAX_WIDTH 44 /* columns of the experiment's name, which fit at 8 points */

/* The scales make 8 points the same share of the page in every format: the cairo terminals take a point for 1/72 of 96
 * units, of which pdfcairo has 72 in an inch and the png here 400. Those of svg are CSS pixels, 96 in an inch; it
 * places text by the unscaled font, so there the sizes themselves are scaled. */
static void write_terminal(hsgd_script *s)
{
    double w = s->width_in, h = s->height_in;
    FILE *f = s->stream;
    switch (s->format) {
    case HSGD_FIGURE_PDF:
        fprintf(f, "set terminal pdfcairo size %.2fin,%.2fin font 'Helvetica,8' fontscale 0.75\n", w, h);
        break;
    case HSGD_FIGURE_SVG:
        fprintf(f, "set terminal svg size %.0f,%.0f font 'Helvetica,%.4g' linewidth 0.75\n", 96 * w, 96 * h,
                8.0 * 96 / 72);
        fputs("set xtics offset 0,0.4\n", f);
        break;
    case HSGD_FIGURE_PNG:
        fprintf(f, "set terminal pngcairo size %.0f,%.0f font 'Helvetica,8' ", 400 * w, 400 * h);
        fputs("fontscale 4.17 linewidth 3 pointscale 3 dashlength 1.3\n", f);
        break;
    case HSGD_FIGURE_TEX:
        fprintf(f, "set terminal cairolatex pdf size %.2fin,%.2fin font ',8' header '" TEX_FONT "'\n", w, h);
        break;
    case HSGD_FIGURE_TIKZ:
        fprintf(f, "set terminal tikz size %.2fin,%.2fin charsize 4.5pt,7.9pt font '" TEX_FONT "'\n", w, h);
        break;
    }
}

const char *hsgd_script_font(hsgd_font *font, const hsgd_script *s, double points)
{
    font->option[0] = '\0';
    if (!hsgd_figure_format_is_tex(s->format))
        snprintf(font->option, sizeof font->option, " font ',%.4g'",
                 s->format == HSGD_FIGURE_SVG ? points * 96 / 72 : points);
    return font->option;
}

double hsgd_point_size(const hsgd_script *s, double size)
{
    return s->format == HSGD_FIGURE_TIKZ ? 1.8 * size : size;
}

double hsgd_panel_height(const hsgd_figure_style *style)
{
    return fmin(1.45 + 0.23 * (style->width_in - HSGD_WIDTH_IEEE_COLUMN_IN), 3);
}

size_t hsgd_panels_abreast(double width_in, size_t panels)
{
    size_t most = (size_t)((width_in - LEFT_IN - RIGHT_IN + GAP_IN) / (NARROWEST_IN + GAP_IN));
    most = most < 1 ? 1 : most > panels ? panels : most;
    size_t rows = (panels + most - 1) / most;
    return (panels + rows - 1) / rows;
}

void hsgd_script_margins(hsgd_script *s, double left_in, double right_in)
{
    if (left_in == s->panel_left_in && right_in == s->panel_right_in)
        return;
    s->panel_left_in = left_in;
    s->panel_right_in = right_in;
    fprintf(s->stream, "set lmargin at screen %.4f; set rmargin at screen %.4f\n", left_in / s->width_in,
            1 - right_in / s->width_in);
}

void hsgd_script_column(hsgd_script *s, size_t column, size_t columns)
{
    double room = s->width_in - LEFT_IN - RIGHT_IN, width = (room + GAP_IN) / (double)columns;
    double left = LEFT_IN + width * (double)column;
    hsgd_script_margins(s, left, s->width_in - (left + width - GAP_IN));
}

void hsgd_script_axis_labels(hsgd_script *s, const char *x_label, const char *y_label)
{
    fprintf(s->stream, "set label 4 '%s' at graph 0.5,screen %.4f center\n", x_label,
            (s->panel_bottom_in - X_LABEL_IN) / s->height_in);
    if (y_label)
        fprintf(s->stream, "set label 5 '%s' at screen %.4f,graph 0.5 center rotate\n", y_label,
                (s->panel_left_in - Y_LABEL_IN) / s->width_in);
}

hsgd_status hsgd_script_open(hsgd_script *s, const char *dir, const char *name, const hsgd_figure_style *style,
                             double height_in, const char *about, hsgd_error *err)
{
    *s = (hsgd_script){.format = style->format,
                       .band = style->band,
                       .title = style->title,
                       .width_in = style->width_in,
                       .height_in = height_in};
    hsgd_status status = hsgd_output_open(&s->out, dir, name, "gp", err);
    if (status != HSGD_OK)
        return status;
    s->stream = s->out.stream;
    fprintf(
        s->stream,
        "# %s\n"
        "# Draw it with: gnuplot %s.gp\n"
        "# Another width or format: hsgd plot . --width neurips --format tikz (see hsgd plot --help), or change the\n"
        "# terminal and the output here. Positions are shares of the page.\n",
        about, name);
    write_terminal(s);
    fprintf(s->stream,
            "set output '%s.%s'\n"
            "set encoding utf8; set datafile missing NaN%s\n"
            "set border lw 0.6; set tics scale 0.6,0.3; set grid lc rgb '#d8d8d8' lw 0.4 dt solid\n",
            name, hsgd_figure_format_extension(s->format), hsgd_script_pick(s, "; set minussign", ""));
    hsgd_script_column(s, 0, 1);
    return HSGD_OK;
}

hsgd_status hsgd_script_close(hsgd_script *s, hsgd_error *err)
{
    fputs("unset output\n", s->stream);
    return hsgd_output_close(&s->out, err);
}

const char *hsgd_script_pick(const hsgd_script *s, const char *plain, const char *tex)
{
    return hsgd_figure_format_is_tex(s->format) ? tex : plain;
}

double hsgd_title_height(const hsgd_figure_input *input, bool title)
{
    return hsgd_title_lines_height(title, input->constants_proved ? 2 : 3);
}

static const double middle_of_line_in[] = {0.11, 0.25, 0.37}; /* from the upper edge */

double hsgd_title_lines_height(bool title, size_t lines)
{
    return title ? middle_of_line_in[lines - 1] + 0.13 : 0.07;
}

void hsgd_script_title_line(hsgd_script *s, size_t line)
{
    hsgd_font font;
    fprintf(s->stream, " at screen 0.5,%.4f center%s\n", 1 - middle_of_line_in[line - 1] / s->height_in,
            hsgd_script_font(&font, s, line == 1 ? 8 : 7));
}

void hsgd_script_name(hsgd_script *s, const char *name, size_t max_width)
{
    hsgd_quoted quoted;
    fprintf(s->stream, "set label 1 %s", hsgd_text_quote(&quoted, s->format, name, max_width));
    hsgd_script_title_line(s, 1);
}

static void band_title(char *out, size_t size, const hsgd_script *s, double confidence)
{
    switch (s->band) {
    case HSGD_BAND_CI:
        snprintf(out, size, "%.4g%s confidence", 100 * confidence, hsgd_script_pick(s, "%", "\\,\\%"));
        break;
    case HSGD_BAND_SE:
        snprintf(out, size, "%s std. error", hsgd_script_pick(s, "±", "$\\pm$"));
        break;
    case HSGD_BAND_SD:
        snprintf(out, size, "%s std. deviation", hsgd_script_pick(s, "±", "$\\pm$"));
        break;
    default:
        snprintf(out, size, "range of runs");
    }
}

void hsgd_script_band_entry(hsgd_script *s, double confidence, const char *colour)
{
    char title[64];
    band_title(title, sizeof title, s, confidence);
    hsgd_script_series(s, "keyentry with boxes lc rgb '%s' fs solid 0.3 noborder title '%s'", colour, title);
}

void hsgd_script_title(hsgd_script *s, const hsgd_figure_input *input)
{
    if (!s->title)
        return;
    hsgd_script_name(s, input->name, NAME_MAX_WIDTH);

    hsgd_number gamma;
    hsgd_text_number(&gamma, s->format, input->step_size);
    const char *symbols =
        hsgd_script_pick(s,
                         "{/:Italic n} = %zu, {/:Italic M} = %zu, {/:Italic I} = %zu, {/:Italic G} = %zu, "
                         "{/:Italic γ} = %s",
                         "$n = %zu$, $M = %zu$, $I = %zu$, $G = %zu$, $\\gamma = {}$%s");
    fprintf(s->stream, "set label 2 '%s", hsgd_script_pick(s, "", HSGD_SMALL_TEX_FONT));
    fprintf(s->stream, symbols, input->num_workers, input->num_levels, input->local_period, input->global_period,
            gamma.text);
    fprintf(s->stream, ", %zu seed%s", input->seeds, input->seeds == 1 ? "" : "s");
    if (s->band == HSGD_BAND_CI && input->seeds > 1 && isfinite(input->confidence))
        fprintf(s->stream, ", %.4g%s intervals", 100 * input->confidence, hsgd_script_pick(s, "%", "\\,\\%"));
    fputs("'", s->stream);
    hsgd_script_title_line(s, 2);
    if (input->constants_proved)
        return;
    fprintf(s->stream, "set label 3 'bounds use %s constants'",
            input->constants_estimated ? "estimated" : "trajectory");
    hsgd_script_title_line(s, 3);
}

void hsgd_script_thinned(hsgd_script *s, size_t num_rows)
{
    if (num_rows > HSGD_TABLE_MAX_ROWS)
        fprintf(s->stream,
                "# The data file is thinned for drawing: of %zu steps it has at most about %d,\n"
                "# among them the smallest and the largest value of each curve in every bin of steps.\n",
                num_rows, HSGD_TABLE_MAX_ROWS);
}

void hsgd_script_panel(hsgd_script *s, double bottom_in, double top_in)
{
    s->panel_bottom_in = bottom_in;
    fprintf(s->stream, "set bmargin at screen %.4f; set tmargin at screen %.4f\n", bottom_in / s->height_in,
            top_in / s->height_in);
}

size_t hsgd_legend_rows(size_t entries, size_t columns)
{
    return (entries + columns - 1) / columns;
}

size_t hsgd_legend_columns(double width_in, size_t entries, size_t widest)
{
    /* the sample of a line, and characters at 7 points */
    size_t most = (size_t)(width_in / (0.4 + 0.054 * (double)widest));
    most = most < 1 ? 1 : most > entries && entries ? entries : most;
    size_t rows = hsgd_legend_rows(entries, most);
    return rows ? (entries + rows - 1) / rows : 1;
}

double hsgd_legend_height(size_t entries, size_t columns)
{
    return 0.06 + HSGD_LEGEND_ROW_IN * (double)hsgd_legend_rows(entries, columns);
}

void hsgd_script_legend(hsgd_script *s, double top_in, size_t entries, size_t columns)
{
    hsgd_font font;
    fprintf(s->stream,
            "set key at screen 0.5,screen %.4f center top vertical maxrows %zu Left reverse "
            "samplen %s spacing %s%s\n",
            top_in / s->height_in, hsgd_legend_rows(entries, columns), s->format == HSGD_FIGURE_TIKZ ? "2.2" : "2.6",
            s->format == HSGD_FIGURE_SVG ? "0.85" : "1.15", hsgd_script_font(&font, s, 7));
    if (s->format == HSGD_FIGURE_SVG && columns > 1) /* gnuplot takes its characters for wider than they are */
        fputs("set key width -2\n", s->stream);
}

void hsgd_script_series(hsgd_script *s, const char *format, ...)
{
    fputs(s->in_plot ? ", \\\n     " : "plot ", s->stream);
    s->in_plot = true;
    s->drawn = s->drawn || strncmp(format, "keyentry", 8) != 0;
    va_list arguments;
    va_start(arguments, format);
    vfprintf(s->stream, format, arguments);
    va_end(arguments);
}

void hsgd_script_curve(hsgd_script *s, const char *name, const char *column, const char *style, const char *title,
                       const hsgd_range *range)
{
    if (hsgd_range_positive(range) || (range->any && !s->log_axis))
        hsgd_script_series(s, "'%s.dat' using \"step\":\"%s\" with %s title '%s'", name, column, style,
                           title ? title : "");
    else if (title)
        hsgd_script_series(s, "keyentry with %s title '%s (%s)'", style, title, range->any ? "zero" : "none");
}

void hsgd_script_plotted(hsgd_script *s)
{
    /* Gnuplot refuses a plot of legend entries alone; this line is below the axis, which then starts near 0. */
    if (!s->drawn)
        hsgd_script_series(s, "-1 notitle");
    fputc('\n', s->stream);
    s->in_plot = s->drawn = false;
}

void hsgd_script_define_edges(hsgd_script *s, const char *edge)
{
    fprintf(s->stream,
            "%s\nlower(m, w) = edge(column(m), column(m) - column(w))\n"
            "upper(m, w) = edge(column(m), column(m) + column(w))\n",
            edge);
}

void hsgd_script_define_band(hsgd_script *s, double low)
{
    char edge[160];
    snprintf(edge, sizeof edge,
             "# Bands end a tenth below the smallest positive mean, to stay on the log axis.\n"
             "edge(mean, y) = mean > 0 ? (y > %.4g ? y : %.4g) : NaN",
             fmax(low, 1e-307), fmax(low, 1e-307));
    hsgd_script_define_edges(s, edge);
}

void hsgd_script_edges(hsgd_script *s, const char *mean, const char *half_width, const char *above)
{
    fprintf(s->stream, ":(lower(\"%s\", \"%s\")):(upper(\"%s\", \"%s\")) \\\n          ", mean, half_width, mean,
            above ? above : half_width);
}

void hsgd_script_error_bars(hsgd_script *s, const char *name, const char *mean, const char *half_width,
                            const char *above, const char *colour)
{
    hsgd_script_series(s, "'%s.dat' using \"step\":\"%s\"", name, mean);
    hsgd_script_edges(s, mean, half_width, above);
    fprintf(s->stream, "with yerrorbars pt 7 ps %.3g lw 0.8 lc rgb '%s' notitle", hsgd_point_size(s, 0.35), colour);
}

void hsgd_script_band(hsgd_script *s, const char *name, const char *mean, const char *half_width, const char *above,
                      const char *colour)
{
    hsgd_script_series(s, "'%s.dat' using \"step\"", name);
    hsgd_script_edges(s, mean, half_width, above);
    fprintf(s->stream, "with filledcurves fs solid 0.3 noborder lc rgb '%s' notitle", colour);
}

/* Yellow, the eighth colour of the palette, is too light for lines. */
const char *hsgd_colour(size_t index)
{
    static const char *const colour[] = {"#000000", "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9"};
    return colour[index % (sizeof colour / sizeof colour[0])];
}

const char *hsgd_long_dash(size_t k)
{
    static const char *const dash[] = {"solid", "(10,3)", "(10,2,2,2)", "(10,2,2,2,2,2)", "(18,4)"};
    return dash[(k - 1) % (sizeof dash / sizeof dash[0])];
}

const char *hsgd_short_dash(size_t k)
{
    static const char *const dash[] = {"(4,2)", "(1.5,2)", "(4,2,1.5,2)", "(1.5,4)", "(4,2,1.5,2,1.5,2)"};
    return dash[(k - 1) % (sizeof dash / sizeof dash[0])];
}

void hsgd_script_line_types(hsgd_script *s, size_t count)
{
    /* 7 colours and 5 dashes: 35 lines before a pair repeats. */
    static const char *const dash[] = {"solid", "(8,3)", "(3,2)", "(8,2,2,2)", "(12,2,2,2,2,2)"};
    for (size_t i = 0; i < count; i++)
        fprintf(s->stream, "set linetype %zu lc rgb '%s' lw 1.3 dt %s\n", i + 1, hsgd_colour(i),
                dash[i % (sizeof dash / sizeof dash[0])]);
}
