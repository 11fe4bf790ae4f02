/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Figure "dispersion": the measured dispersion B_k^t of each level against its recursive bound (THEORY 4.4).
 *
 * B_k drops to zero whenever its level aggregates, so over a whole run it is a comb that no column width shows. Long
 * runs therefore get two panels: above, the largest value in each global period, over the run; below, the last global
 * periods step by step. A level has its colour and its symbol, which is hollow, with short dashes, for the bound. Zeros have no
 * place on a log axis: they are left out, so curves are interrupted at aggregations.
 *
 * Columns of the data file, for level k = 1..M: B_k (step by step), B_k_half_width (B_k_above upwards, where that
 * differs), B_k_bound, and B_k_peak,
 * B_k_bound_peak: the same values in the row where they are largest within a global period, NaN in the other rows. */
#include "plots/figures_private.h"

#include <math.h>
#include <stdlib.h>

#include "plots/script_private.h"
#include "plots/table_private.h"

/* Rows that the step-by-step panel shows legibly; a run this short needs no other panel. */
enum { DETAIL_ROWS = 80 };
/* More global periods than this, and marks would touch: the upper panel has lines only. */
enum { MARKED_PERIODS = 40 };

#define PANEL_IN 1.3

static bool possible(const hsgd_figure_input *in, char *reason, size_t size)
{
    if (!hsgd_any_finite(in->dispersion, in->num_rows * in->num_levels, 1))
        return hsgd_figure_lacks(reason, size, "the dispersion was not measured or is not finite");
    return true;
}

static double global_period(const hsgd_figure_input *in)
{
    return in->global_period > 0 ? (double)in->global_period : 1;
}

/* First row of the step-by-step panel: two global periods before the end, or as many rows as are legible. */
static size_t detail_from(const hsgd_figure_input *in)
{
    size_t rows = in->num_rows;
    if (rows <= DETAIL_ROWS)
        return 0;
    size_t from = rows - DETAIL_ROWS;
    double start = (floor(in->step[rows - 1] / global_period(in)) - 2) * global_period(in);
    while (from < rows - 2 && in->step[from] < start)
        from++;
    return from;
}

/* False where the run stops inside a global period, whose largest value is then not known; the lower panel has it. A
 * run within one period counts as one. */
static bool ends_a_period(const hsgd_figure_input *in)
{
    size_t rows = in->num_rows;
    double last = floor(in->step[rows - 1] / global_period(in));
    if (rows < 2 || last <= floor(in->step[0] / global_period(in)))
        return true;
    double next_row = 2 * in->step[rows - 1] - in->step[rows - 2];
    return next_row >= (last + 1) * global_period(in);
}

/* peak (rows, levels): value where it is the largest of its level within its global period, NAN elsewhere. */
static void find_peaks(double *peak, const double *value, const hsgd_figure_input *in)
{
    size_t rows = in->num_rows, levels = in->num_levels;
    for (size_t i = 0; i < rows * levels; i++)
        peak[i] = NAN;
    for (size_t k = 0; k < levels; k++) {
        size_t best = rows;
        for (size_t r = 0; r < rows; r++) {
            double number = value[r * levels + k];
            bool first = r == 0 || floor(in->step[r] / global_period(in)) > floor(in->step[r - 1] / global_period(in));
            if (first && best < rows)
                peak[best * levels + k] = value[best * levels + k];
            if (first)
                best = rows;
            if (isfinite(number) && (best == rows || number > value[best * levels + k]))
                best = r;
        }
        if (best < rows && ends_a_period(in))
            peak[best * levels + k] = value[best * levels + k];
    }
}

/* What a panel shows: rows from..num_rows-1 of value and bound (num_rows, num_levels), bound may be NULL. */
typedef struct panel {
    const double *value, *bound;
    size_t from;
    bool peak, marks; /* the upper panel; points besides lines */
} panel;

static hsgd_range range_of_level(const hsgd_figure_input *in, const double *data, size_t from, size_t k)
{
    size_t levels = in->num_levels;
    return hsgd_range_of(data ? data + from * levels + k - 1 : NULL, in->num_rows - from, levels);
}

/* The curve of level k, measured or bound. Only the lower panel has legend entries. */
static void add_curve(hsgd_script *s, const hsgd_figure_input *in, panel p, size_t k, bool bound)
{
    char column[48], title[64], style[96];
    hsgd_range range = range_of_level(in, bound ? p.bound : p.value, p.from, k);
    static const int filled[] = {7, 5, 9, 13, 15}, hollow[] = {6, 4, 8, 12, 14}; /* circle, square, triangle, .. */
    char points[24] = "";
    if (p.marks)
        snprintf(points, sizeof points, " pt %d ps %.3g", (bound ? hollow : filled)[(k - 1) % 5],
                 hsgd_point_size(s, bound ? 0.45 : 0.35));
    snprintf(column, sizeof column, "B_%zu%s%s", k, bound ? "_bound" : "", p.peak ? "_peak" : "");
    snprintf(style, sizeof style, "%s%s dt %s lc rgb '%s'", p.marks ? "linespoints" : "lines", points,
             bound ? hsgd_short_dash(k) : hsgd_long_dash(k), hsgd_colour(k));
    snprintf(title, sizeof title, hsgd_script_pick(s, "{/:Italic B}_{%zu} %s", "$B_{%zu}$ %s"), k,
             bound ? "bound" : "measured");
    hsgd_script_curve(s, "dispersion", column, style, p.peak ? NULL : title, &range);
}

static void add_band(hsgd_script *s, const hsgd_figure_input *in, panel p, size_t k)
{
    size_t levels = in->num_levels, offset = p.from * levels + k - 1;
    const double *half_width = in->dispersion_half_width ? in->dispersion_half_width + offset : NULL;
    if (!hsgd_band_shows(p.value + offset, half_width, in->num_rows - p.from, levels))
        return;
    char mean_column[48], half_width_column[48], above_column[48];
    snprintf(mean_column, sizeof mean_column, "B_%zu%s", k, p.peak ? "_peak" : "");
    snprintf(half_width_column, sizeof half_width_column, "B_%zu_half_width", k);
    snprintf(above_column, sizeof above_column, "B_%zu_above", k);
    const char *above = in->dispersion_above ? above_column : NULL;
    if (p.peak)
        hsgd_script_band(s, "dispersion", mean_column, half_width_column, above, hsgd_colour(k));
    else
        hsgd_script_error_bars(s, "dispersion", mean_column, half_width_column, above, hsgd_colour(k));
}

static bool has_band(const hsgd_figure_input *in)
{
    for (size_t k = 0; in->dispersion_half_width && k < in->num_levels; k++)
        if (hsgd_band_shows(in->dispersion + k, in->dispersion_half_width + k, in->num_rows, in->num_levels))
            return true;
    return false;
}

/* Axis and curves; in the order of the legend, which has two columns. */
static void draw_panel(hsgd_script *s, const hsgd_figure_input *in, panel p)
{
    hsgd_range range = hsgd_range_empty();
    for (size_t k = 1; k <= in->num_levels; k++) {
        hsgd_range_merge(&range, range_of_level(in, p.value, p.from, k));
        hsgd_range_merge(&range, range_of_level(in, p.bound, p.from, k));
    }
    hsgd_script_step_axis(s, in->step[p.from], in->step[in->num_rows - 1]);
    hsgd_script_log_axis(s, range);
    for (size_t k = 1; k <= in->num_levels; k++)
        add_band(s, in, p, k);
    for (size_t k = 1; k <= in->num_levels; k++)
        add_curve(s, in, p, k, false);
    if (!p.peak && has_band(in)) /* ends the left column of the legend */
        hsgd_script_band_entry(s, in->confidence, "#808080");
    for (size_t k = 1; k <= in->num_levels; k++)
        add_curve(s, in, p, k, true);
    hsgd_script_plotted(s);
}

static void axis_labels(hsgd_script *s, const char *which_steps, bool y)
{
    char label[128];
    snprintf(label, sizeof label, "%s%s", hsgd_script_pick(s, "step {/:Italic t}", "step $t$"), which_steps);
    hsgd_script_axis_labels(s, label,
                            y ? hsgd_script_pick(s, "dispersion {/:Italic B_k^t}", "dispersion $B_k^t$") : NULL);
}

static size_t legend_entries(const hsgd_figure_input *in)
{
    return 2 * in->num_levels + has_band(in);
}

/* One row where that fits, else measured left and bounds right. */
static size_t legend_columns(const hsgd_figure_input *in, double width_in)
{
    size_t widest = has_band(in) ? HSGD_BAND_TITLE_WIDTH : sizeof "B_1 measured" - 1;
    size_t entries = legend_entries(in);
    return hsgd_legend_columns(width_in, entries, widest) == entries ? entries : 2;
}

static double legend_height(const hsgd_figure_input *in, double width_in)
{
    return hsgd_legend_height(legend_entries(in), legend_columns(in, width_in));
}

/* The peaks of the whole run, in the upper panel. */
static void draw_run(hsgd_script *s, const hsgd_figure_input *in, const double *peak, const double *bound_peak,
                     double bottom_in)
{
    double top = s->height_in - hsgd_title_height(in, s->title);
    double periods = (in->step[in->num_rows - 1] - in->step[0]) / global_period(in);
    fputs("# First panel: the largest value in each global period.\nset multiplot\nunset key\n", s->stream);
    hsgd_script_panel(s, bottom_in, top);
    axis_labels(s, " (largest value in each global period)", true);
    draw_panel(s, in, (panel){peak, bound_peak, 0, true, periods <= MARKED_PERIODS});
    fputs("# Second panel: the end of the run, step by step.\nunset label\n", s->stream);
}

static void write_script(hsgd_script *s, const hsgd_figure_input *in, const double *peak, const double *bound_peak)
{
    size_t from = detail_from(in);
    double top = s->height_in - hsgd_title_height(in, s->title), legend = legend_height(in, s->width_in);
    bool two = from > 0, abreast = two && hsgd_panels_abreast(s->width_in, 2) == 2;
    double bottom = legend + HSGD_X_AXIS_IN, first_bottom = abreast ? bottom : top - PANEL_IN;
    hsgd_range all = hsgd_range_of(in->dispersion, in->num_rows * in->num_levels, 1);
    hsgd_script_title(s, in);
    hsgd_script_thinned(s, in->num_rows);
    if (hsgd_range_positive(&all))
        hsgd_script_define_band(s, all.low / 10);
    hsgd_script_column(s, 0, abreast ? 2 : 1);
    if (two)
        draw_run(s, in, peak, bound_peak, first_bottom);
    if (abreast)
        hsgd_script_column(s, 1, 2);
    hsgd_script_panel(s, bottom, two && !abreast ? first_bottom - HSGD_X_AXIS_IN - 0.04 : top);
    hsgd_script_legend(s, legend, legend_entries(in), legend_columns(in, s->width_in));
    axis_labels(s, two ? " (end of the run)" : "", !abreast);
    draw_panel(s, in, (panel){in->dispersion, in->dispersion_bound, from, false, true});
    if (two)
        fputs("unset multiplot\n", s->stream);
}

static hsgd_status write_data(const hsgd_figure_input *in, const double *peak, const double *bound_peak,
                              const char *dir, hsgd_error *err)
{
    size_t levels = in->num_levels;
    hsgd_table table;
    hsgd_table_init(&table, in->num_rows);
    table.keep_from = detail_from(in);
    hsgd_table_add(&table, in->step, 1, false, "step");
    for (size_t k = 0; k < levels; k++) {
        hsgd_table_add(&table, in->dispersion + k, levels, true, "B_%zu", k + 1);
        if (in->dispersion_half_width)
            hsgd_table_add(&table, in->dispersion_half_width + k, levels, false, "B_%zu_half_width", k + 1);
        if (in->dispersion_above)
            hsgd_table_add(&table, in->dispersion_above + k, levels, false, "B_%zu_above", k + 1);
        if (in->dispersion_bound)
            hsgd_table_add(&table, in->dispersion_bound + k, levels, true, "B_%zu_bound", k + 1);
        hsgd_table_add(&table, peak + k, levels, true, "B_%zu_peak", k + 1);
        if (in->dispersion_bound)
            hsgd_table_add(&table, bound_peak + k, levels, true, "B_%zu_bound_peak", k + 1);
    }
    hsgd_status status = hsgd_table_write(&table, dir, "dispersion", err);
    hsgd_table_free(&table);
    return status;
}

static hsgd_status write(const hsgd_figure_input *in, const char *dir, const hsgd_figure_style *style, hsgd_error *err)
{
    hsgd_status status = hsgd_figure_require(&hsgd_figure_dispersion, in, err);
    if (status != HSGD_OK)
        return status;
    size_t cells = in->num_rows * in->num_levels;
    double *peak = malloc(2 * cells * sizeof *peak);
    if (!peak)
        return hsgd_fail_memory(err, "the peaks of the dispersion");
    double *bound_peak = in->dispersion_bound ? peak + cells : NULL;
    find_peaks(peak, in->dispersion, in);
    if (bound_peak)
        find_peaks(bound_peak, in->dispersion_bound, in);
    status = write_data(in, peak, bound_peak, dir, err);
    if (status == HSGD_OK) {
        bool stacked = detail_from(in) > 0 && hsgd_panels_abreast(style->width_in, 2) < 2;
        double panels = stacked ? 2 * (PANEL_IN + HSGD_X_AXIS_IN) + 0.04 : hsgd_panel_height(style) + HSGD_X_AXIS_IN;
        double needed = hsgd_title_height(in, style->title) + panels + legend_height(in, style->width_in);
        hsgd_script script;
        status = hsgd_script_open(&script, dir, "dispersion", style, fmax(needed, HSGD_PAGE_HEIGHT_IN),
                                  "Dispersion of the models within each level, against its recursive bound.", err);
        if (status == HSGD_OK) {
            write_script(&script, in, peak, bound_peak);
            status = hsgd_script_close(&script, err);
        }
    }
    free(peak);
    return status;
}

const hsgd_figure hsgd_figure_dispersion = {"dispersion", possible, write};
