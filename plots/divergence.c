/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Figure "divergence": global, upward and downward gradient divergence at the virtual average over t (THEORY 2).
 *
 * Up_k and Down_k of one depth k share a colour and add up to the global one; upward has long dashes (none for k = 1), downward short
 * ones. */
#include "plots/figures_private.h"

#include <math.h>

#include "plots/script_private.h"
#include "plots/table_private.h"

static bool possible(const hsgd_figure_input *in, char *reason, size_t size)
{
    if (!hsgd_any_finite(in->divergence_global, in->num_rows, 1))
        return hsgd_figure_lacks(reason, size, "the divergence was not measured or is not finite");
    return true;
}

/* Depths of groups: the root and the single workers have no upward and downward divergence of their own. */
static size_t depths(const hsgd_figure_input *in)
{
    return in->num_levels > 1 && in->divergence_up && in->divergence_down ? in->num_levels - 1 : 0;
}

static void add_depth(hsgd_script *s, const hsgd_figure_input *in, size_t k, bool up)
{
    char column[48], style[96], title[96];
    const char *marks = in->num_rows > 2 ? "lines" : "linespoints pt 6 ps 0.5";
    const double *data = up ? in->divergence_up : in->divergence_down;
    snprintf(column, sizeof column, "%s_%zu", up ? "up" : "down", k);
    snprintf(style, sizeof style, "%s lc rgb '%s' lw 1.6 dt %s", marks, hsgd_colour(k),
             up ? hsgd_long_dash(k) : hsgd_short_dash(k));
    snprintf(title, sizeof title, hsgd_script_pick(s, "%s, {/:Italic k} = %zu", "%s, $k = %zu$"),
             up ? "upward" : "downward", k);
    hsgd_range range = hsgd_range_of(data + k - 1, in->num_rows, in->num_levels - 1);
    hsgd_script_curve(s, "divergence", column, style, title, &range);
}

/* The order of the legend, two columns: upward and global left, downward right. */
static void add_curves(hsgd_script *s, const hsgd_figure_input *in)
{
    for (size_t k = 1; k <= depths(in); k++)
        add_depth(s, in, k, true);
    hsgd_range range = hsgd_range_of(in->divergence_global, in->num_rows, 1);
    hsgd_script_curve(s, "divergence", "global",
                      in->num_rows > 2 ? "lines lc rgb '#000000' lw 1 dt solid"
                                       : "linespoints pt 7 ps 0.4 lc rgb '#000000'",
                      "global", &range);
    for (size_t k = 1; k <= depths(in); k++)
        add_depth(s, in, k, false);
    hsgd_script_plotted(s);
}

/* One row where that fits, else upward left and downward right. */
static size_t legend_columns(const hsgd_figure_input *in, double width_in)
{
    size_t entries = 1 + 2 * depths(in);
    return hsgd_legend_columns(width_in, entries, sizeof "downward, k = 1" - 1) == entries ? entries : 2;
}

static double legend_height(const hsgd_figure_input *in, double width_in)
{
    return hsgd_legend_height(1 + 2 * depths(in), legend_columns(in, width_in));
}

static void write_script(hsgd_script *s, const hsgd_figure_input *in)
{
    size_t cells = in->num_rows * depths(in);
    hsgd_range range = hsgd_range_of(in->divergence_global, in->num_rows, 1);
    if (cells > 0) {
        hsgd_range_merge(&range, hsgd_range_of(in->divergence_up, cells, 1));
        hsgd_range_merge(&range, hsgd_range_of(in->divergence_down, cells, 1));
    }
    hsgd_script_title(s, in);
    hsgd_script_thinned(s, in->num_rows);
    double legend = legend_height(in, s->width_in);
    hsgd_script_panel(s, legend + HSGD_X_AXIS_IN, s->height_in - hsgd_title_height(in, s->title));
    hsgd_script_legend(s, legend, 1 + 2 * depths(in), legend_columns(in, s->width_in));
    hsgd_script_step_axis(s, in->step[0], in->step[in->num_rows - 1]);
    hsgd_script_log_axis(s, range);
    hsgd_script_axis_labels(
        s, hsgd_script_pick(s, "step {/:Italic t}", "step $t$"),
        hsgd_script_pick(s, "divergence at {/:Italic w̄}^{/:Italic t}", "divergence at $\\bar w^t$"));
    add_curves(s, in);
}

static hsgd_status write(const hsgd_figure_input *in, const char *dir, const hsgd_figure_style *style, hsgd_error *err)
{
    hsgd_status status = hsgd_figure_require(&hsgd_figure_divergence, in, err);
    if (status != HSGD_OK)
        return status;
    hsgd_table table;
    hsgd_table_init(&table, in->num_rows);
    hsgd_table_add(&table, in->step, 1, false, "step");
    hsgd_table_add(&table, in->divergence_global, 1, true, "global");
    for (size_t k = 1; k <= depths(in); k++) {
        hsgd_table_add(&table, in->divergence_up + k - 1, in->num_levels - 1, true, "up_%zu", k);
        hsgd_table_add(&table, in->divergence_down + k - 1, in->num_levels - 1, true, "down_%zu", k);
    }
    status = hsgd_table_write(&table, dir, "divergence", err);
    hsgd_table_free(&table);
    if (status != HSGD_OK)
        return status;

    double needed = hsgd_title_height(in, style->title) + hsgd_panel_height(style) + HSGD_X_AXIS_IN +
                    legend_height(in, style->width_in);
    hsgd_script script;
    status =
        hsgd_script_open(&script, dir, "divergence", style, fmax(needed, HSGD_PAGE_HEIGHT_IN),
                         "Divergence: of the local gradients, globally, upward and downward at each depth k.", err);
    if (status != HSGD_OK)
        return status;
    script.band = HSGD_BAND_NONE; /* single values or means, without intervals */
    write_script(&script, in);
    return hsgd_script_close(&script, err);
}

const hsgd_figure hsgd_figure_divergence = {"divergence", possible, write};
