/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "plots/pep.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/text_stream.h"
#include "plots/caption_private.h"
#include "plots/figures_private.h"
#include "plots/script_private.h"
#include "plots/table_private.h"

enum { LONGEST_TITLE = 32, NUM_LEGEND_MARKS = HSGD_NUM_PEP_FIGURE_MARKS + 1 };

#define MARK_SIZE 0.75

/* Open symbols for what theorems allow, a full one for what is best. */
static const struct {
    const char *column, *title;
    int point_type;
} look[HSGD_NUM_PEP_FIGURE_MARKS] = {{"published_limit", "limit of published bound", 6},
                                     {"sharpened_limit", "limit of sharpened bound", 4},
                                     {"best", "best step size", 7}};

bool hsgd_pep_figure_possible(const hsgd_pep_figure_input *in, char *reason, size_t size)
{
    for (size_t c = 0; c < in->num_curves; c++)
        if (hsgd_any_finite(in->curve[c].worst, in->curve[c].num_points, 1))
            return true;
    return hsgd_figure_lacks(reason, size, "no worst case is finite");
}

/* ---- data: curves have step sizes of their own, so each has its own columns, filled up with NaN ---- */

enum { OWN_COLUMNS = 3 + HSGD_NUM_PEP_FIGURE_MARKS };

static size_t longest(const hsgd_pep_figure_input *in)
{
    size_t rows = 0;
    for (size_t c = 0; c < in->num_curves; c++)
        rows = in->curve[c].num_points > rows ? in->curve[c].num_points : rows;
    return rows;
}

static void fill(double *out, const double *data, size_t count, size_t rows)
{
    for (size_t i = 0; i < rows; i++)
        out[i] = i < count ? data[i] : NAN;
}

static void add_columns(hsgd_table *table, double *memory, const hsgd_pep_figure_curve *curve, size_t number,
                        size_t rows)
{
    const char *name[OWN_COLUMNS] = {"x", "worst", "recursive"};
    const double *data[OWN_COLUMNS] = {curve->at, curve->worst, curve->recursive};
    for (size_t m = 0; m < HSGD_NUM_PEP_FIGURE_MARKS; m++) {
        name[3 + m] = look[m].column;
        data[3 + m] = curve->mark[m];
    }
    for (size_t i = 0; i < OWN_COLUMNS; i++) {
        fill(memory + i * rows, data[i], curve->num_points, rows);
        hsgd_table_add(table, memory + i * rows, 1, false, "%s_%zu", name[i], number);
    }
}

static hsgd_status write_data(const hsgd_pep_figure_input *in, const char *dir, hsgd_error *err)
{
    size_t rows = longest(in);
    double *memory = calloc(in->num_curves * OWN_COLUMNS * rows + 1, sizeof *memory);
    hsgd_table table;
    if (!memory)
        return hsgd_fail_memory(err, "the data of a figure");
    hsgd_table_init(&table, rows);
    table.keep_from = 0; /* rows of different curves have nothing to do with each other */
    for (size_t c = 0; c < in->num_curves; c++)
        add_columns(&table, memory + c * OWN_COLUMNS * rows, &in->curve[c], c + 1, rows);
    hsgd_status status = hsgd_table_write(&table, dir, "pep", err);
    hsgd_table_free(&table);
    free(memory);
    return status;
}

/* ---- the caption ---- */

char *hsgd_pep_figure_caption(const hsgd_pep_figure_input *in, hsgd_caption_syntax syntax)
{
    hsgd_text_stream memory;
    FILE *f = hsgd_text_open(&memory);
    if (!f)
        return NULL;
    fprintf(f, "Worst case of %s over all smooth problems, by performance estimation, against the step size",
            hsgd_caption_pick(syntax, "S", "$S$"));
    for (size_t c = 0; c < in->num_curves; c++) {
        fputs(c ? ", " : ": ", f);
        hsgd_caption_say_text(f, syntax, in->curve[c].title, LONGEST_TITLE);
    }
    fprintf(f,
            ". Open circles and squares: the largest step sizes of the published and of the sharpened bound; dotted: "
            "%s; full circles: the best step size; thin: the recursive bound. Gradients are exact.",
            hsgd_caption_pick(syntax, "γL = 1", "$\\gamma L=1$"));
    return hsgd_text_close(&memory, f);
}

static hsgd_status write_caption(const hsgd_pep_figure_input *in, const char *dir, hsgd_error *err)
{
    return hsgd_caption_write(hsgd_pep_figure_caption(in, HSGD_CAPTION_TEX), dir, "pep", err);
}

/* ---- the script ---- */

static hsgd_range range_of(const hsgd_pep_figure_input *in, bool x)
{
    hsgd_range range = hsgd_range_empty();
    for (size_t c = 0; c < in->num_curves; c++) {
        const hsgd_pep_figure_curve *curve = &in->curve[c];
        hsgd_range_merge(&range, hsgd_range_of(x ? curve->at : curve->worst, curve->num_points, 1));
        if (!x)
            hsgd_range_merge(&range, hsgd_range_of(curve->recursive, curve->num_points, 1));
    }
    return range;
}

/* A log axis warns of a column with nothing to show. */
static bool shows(const double *data, size_t count)
{
    hsgd_range range = hsgd_range_of(data, count, 1);
    return hsgd_range_positive(&range);
}

static void add_curve(hsgd_script *s, const hsgd_pep_figure_curve *curve, size_t number)
{
    hsgd_quoted quoted;
    const char *colour = hsgd_colour(number);
    if (shows(curve->recursive, curve->num_points))
        hsgd_script_series(s, "'pep.dat' using \"x_%zu\":\"recursive_%zu\" with lines lw 1 dt %s lc rgb '%s' notitle",
                           number, number, hsgd_short_dash(number), colour);
    if (shows(curve->worst, curve->num_points))
        hsgd_script_series(s, "'pep.dat' using \"x_%zu\":\"worst_%zu\" with lines lw 1.6 dt %s lc rgb '%s' title %s",
                           number, number, hsgd_long_dash(number), colour,
                           hsgd_text_quote(&quoted, s->format, curve->title, LONGEST_TITLE));
}

static void add_marks(hsgd_script *s, const hsgd_pep_figure_curve *curve, size_t number)
{
    for (size_t m = 0; m < HSGD_NUM_PEP_FIGURE_MARKS; m++)
        if (shows(curve->mark[m], curve->num_points))
            hsgd_script_series(
                s, "'pep.dat' using \"x_%zu\":\"%s_%zu\" with points pt %d ps %.3g lw 1.2 lc rgb '%s' notitle", number,
                look[m].column, number, look[m].point_type, hsgd_point_size(s, MARK_SIZE), hsgd_colour(number));
}

static void add_legend_of_marks(hsgd_script *s)
{
    hsgd_script_series(s, "keyentry with lines lw 1 dt %s lc rgb '#000000' title 'recursive bound'",
                       hsgd_short_dash(1));
    for (size_t m = 0; m < HSGD_NUM_PEP_FIGURE_MARKS; m++)
        hsgd_script_series(s, "keyentry with points pt %d ps %.3g lw 1.2 lc rgb '#000000' title '%s'",
                           look[m].point_type, hsgd_point_size(s, MARK_SIZE), look[m].title);
}

static size_t legend_columns(const hsgd_pep_figure_input *in, double width_in)
{
    size_t widest = strlen(look[HSGD_PEP_FIGURE_PUBLISHED].title);
    for (size_t c = 0; c < in->num_curves; c++) {
        char clean[HSGD_TEXT_SIZE];
        size_t width = hsgd_text_clean(clean, in->curve[c].title, LONGEST_TITLE);
        widest = width > widest ? width : widest;
    }
    return hsgd_legend_columns(width_in, in->num_curves + NUM_LEGEND_MARKS, widest);
}

static double legend_height(const hsgd_pep_figure_input *in, double width_in)
{
    return hsgd_legend_height(in->num_curves + NUM_LEGEND_MARKS, legend_columns(in, width_in));
}

static void put_title(hsgd_script *s, const hsgd_pep_figure_input *in)
{
    if (s->title)
        hsgd_script_name(s, in->name, (size_t)(13 * s->width_in));
}

static void write_script(hsgd_script *s, const hsgd_pep_figure_input *in, const hsgd_figure_style *style)
{
    double top = s->height_in - hsgd_title_lines_height(style->title, 1),
           bottom = top - 1.25 * hsgd_panel_height(style);
    double legend = legend_height(in, s->width_in);
    put_title(s, in);
    hsgd_script_panel(s, bottom, top);
    hsgd_script_log_x_axis(s, range_of(in, true));
    hsgd_script_log_axis(s, range_of(in, false));
    fputs("set arrow 1 from first 1,graph 0 to first 1,graph 1 nohead lw 1 dt (1,2) lc rgb '#000000' # 1/L\n",
          s->stream);
    hsgd_script_axis_labels(s, hsgd_script_pick(s, "step size {/:Italic γL}", "step size $\\gamma L$"),
                            hsgd_script_pick(s, "worst case of {/:Italic S}", "worst case of $S$"));
    hsgd_script_legend(s, legend, in->num_curves + NUM_LEGEND_MARKS, legend_columns(in, s->width_in));
    for (size_t c = 0; c < in->num_curves; c++)
        add_curve(s, &in->curve[c], c + 1);
    for (size_t c = 0; c < in->num_curves; c++)
        add_marks(s, &in->curve[c], c + 1);
    add_legend_of_marks(s);
    hsgd_script_plotted(s);
}

hsgd_status hsgd_pep_figure_write(const hsgd_pep_figure_input *in, const char *dir, const hsgd_figure_style *style,
                                  hsgd_error *err)
{
    hsgd_script script;
    hsgd_status status = write_data(in, dir, err);
    status = status ? status : write_caption(in, dir, err);
    if (!status) {
        double height = hsgd_title_lines_height(style->title, 1) + 1.25 * hsgd_panel_height(style) + HSGD_X_AXIS_IN +
                        legend_height(in, style->width_in);
        status =
            hsgd_script_open(&script, dir, "pep", style, height,
                             "Worst case over the step size, the limits of the theorems, the best step size.", err);
    }
    if (status)
        return status;
    write_script(&script, in, style);
    return hsgd_script_close(&script, err);
}
