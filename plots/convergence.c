/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Figure "convergence": the measured ||grad f(wbar^t)||^2 over t, its mean S, and every bound that applies to the run.
 */
#include "plots/figures_private.h"

#include <math.h>
#include <string.h>

#include "plots/script_private.h"
#include "plots/table_private.h"

enum { TITLE_MAX_WIDTH = 62, MEASURED_WIDTH = 24 }; /* in characters, the latter of "measured S (mean over t)" */

static bool possible(const hsgd_figure_input *in, char *reason, size_t size)
{
    if (!hsgd_any_finite(in->hsgd.grad_norm_sq, in->num_rows, 1))
        return hsgd_figure_lacks(reason, size, "the squared gradient norm was not measured or is not finite");
    return true;
}

/* Bounds on other runs and on distances have other figures or none. */
bool hsgd_figure_bound_in_convergence(const hsgd_figure_bound *bound)
{
    return hsgd_figure_bound_drawn(bound) && bound->judged && strncmp(bound->target, "S", 1) == 0 &&
           (strcmp(bound->algorithm, "hsgd") == 0 || strcmp(bound->algorithm, "hsgd-random") == 0);
}

/* With one level fixed and random groups are the same: of two lines in one place the first is drawn. */
static bool drawn(const hsgd_figure_input *in, size_t b)
{
    const hsgd_figure_bound *own = &in->bound[b];
    if (!hsgd_figure_bound_in_convergence(own))
        return false;
    for (const hsgd_figure_bound *other = in->bound; other < own; other++)
        if (hsgd_figure_bound_in_convergence(other) && strcmp(other->target, own->target) == 0 &&
            fabs(other->value - own->value) <= 1e-12 * fabs(own->value))
            return false;
    return true;
}

static void legend_title(char *out, size_t size, const hsgd_figure_bound *bound)
{
    /* The measured line is S; a bound on another mean says so. */
    if (strcmp(bound->target, "S") == 0)
        snprintf(out, size, "%s", bound->title);
    else
        snprintf(out, size, "%s (on %s)", bound->title, bound->target);
}

static bool has_band(const hsgd_figure_input *in)
{
    return hsgd_band_shows(in->hsgd.grad_norm_sq, in->hsgd.grad_norm_sq_half_width, in->num_rows, 1);
}

static size_t legend_columns(const hsgd_figure_input *in, double width_in, size_t *entries)
{
    size_t widest = MEASURED_WIDTH;
    *entries = 1 + isfinite(in->hsgd.S) + has_band(in);
    for (size_t b = 0; b < in->num_bounds; b++) {
        if (!drawn(in, b))
            continue;
        char title[512], clean[HSGD_TEXT_SIZE];
        legend_title(title, sizeof title, &in->bound[b]);
        size_t width = hsgd_text_clean(clean, title, TITLE_MAX_WIDTH);
        widest = width > widest ? width : widest;
        ++*entries;
    }
    return hsgd_legend_columns(width_in, *entries, widest);
}

static hsgd_range range_of_figure(const hsgd_figure_input *in)
{
    hsgd_range range = hsgd_range_of(in->hsgd.grad_norm_sq, in->num_rows, 1);
    hsgd_range_add(&range, in->hsgd.S);
    for (size_t b = 0; b < in->num_bounds; b++)
        if (drawn(in, b))
            hsgd_range_add(&range, in->bound[b].value);
    return range;
}

static void add_measured(hsgd_script *s, const hsgd_figure_input *in)
{
    const hsgd_figure_curve *run = &in->hsgd;
    hsgd_range mean = hsgd_range_of(run->grad_norm_sq, in->num_rows, 1);
    if (has_band(in)) {
        hsgd_script_define_band(s, mean.low / 10);
        hsgd_script_band(s, "convergence", "grad_norm_sq", "half_width", run->grad_norm_sq_above ? "above" : NULL,
                         "#808080");
    }
    hsgd_script_curve(s, "convergence", "grad_norm_sq",
                      in->num_rows > 2 ? "lines lt 1 lw 1" : "linespoints lt 1 pt 7 ps 0.4",
                      hsgd_script_pick(s, "measured ‖∇{/:Italic f}({/:Italic w̄}^{/:Italic t})‖^2",
                                       "measured $\\|\\nabla f(\\bar w^t)\\|^2$"),
                      &mean);
}

static void add_mean(hsgd_script *s, const hsgd_figure_input *in)
{
    if (isfinite(in->hsgd.S))
        hsgd_script_series(
            s, "%.17g with lines lt 2 lw 2 dt solid title '%s'", in->hsgd.S,
            hsgd_script_pick(s, "measured {/:Italic S} (mean over {/:Italic t})", "measured $S$ (mean over $t$)"));
}

static void add_bounds(hsgd_script *s, const hsgd_figure_input *in)
{
    size_t line_type = 3;
    if (has_band(in))
        hsgd_script_band_entry(s, in->confidence, "#808080");
    for (size_t b = 0; b < in->num_bounds; b++) {
        if (!drawn(in, b))
            continue;
        char title[512];
        hsgd_quoted quoted;
        legend_title(title, sizeof title, &in->bound[b]);
        hsgd_script_series(s, "%.17g with lines lt %zu title %s", in->bound[b].value, line_type++,
                           hsgd_text_quote(&quoted, s->format, title, TITLE_MAX_WIDTH));
    }
}

/* The interval of S as a strip behind the curves. */
static void interval_of_mean(hsgd_script *s, const hsgd_figure_input *in, double axis_low)
{
    if (s->band != HSGD_BAND_NONE && isfinite(in->hsgd.S_low) && isfinite(in->hsgd.S_high) &&
        in->hsgd.S_high > axis_low)
        fprintf(s->stream,
                "set object 1 rectangle from graph 0,first %.17g to graph 1,first %.17g behind "
                "fc rgb '%s' fs solid 0.25 noborder # interval of S\n",
                fmax(in->hsgd.S_low, axis_low), in->hsgd.S_high, hsgd_colour(1));
}

static void write_script(hsgd_script *s, const hsgd_figure_input *in)
{
    size_t entries, columns = legend_columns(in, s->width_in, &entries);
    double bottom = hsgd_legend_height(entries, columns);
    hsgd_script_title(s, in);
    hsgd_script_thinned(s, in->num_rows);
    hsgd_script_panel(s, bottom + HSGD_X_AXIS_IN, s->height_in - hsgd_title_height(in, s->title));
    hsgd_script_legend(s, bottom, entries, columns);
    hsgd_script_line_types(s, entries > 7 ? entries : 7);
    hsgd_script_step_axis(s, in->step[0], in->step[in->num_rows - 1]);
    double axis_low = hsgd_script_log_axis(s, range_of_figure(in));
    interval_of_mean(s, in, axis_low);
    hsgd_script_axis_labels(s, hsgd_script_pick(s, "step {/:Italic t}", "step $t$"), "squared gradient norm");
    add_measured(s, in);
    add_mean(s, in);
    add_bounds(s, in);
    hsgd_script_plotted(s);
}

static hsgd_status write(const hsgd_figure_input *in, const char *dir, const hsgd_figure_style *style, hsgd_error *err)
{
    hsgd_status status = hsgd_figure_require(&hsgd_figure_convergence, in, err);
    if (status != HSGD_OK)
        return status;
    hsgd_table table;
    hsgd_table_init(&table, in->num_rows);
    hsgd_table_add(&table, in->step, 1, false, "step");
    hsgd_table_add(&table, in->hsgd.grad_norm_sq, 1, true, "grad_norm_sq");
    hsgd_table_add(&table, in->hsgd.grad_norm_sq_half_width, 1, false, "half_width");
    hsgd_table_add(&table, in->hsgd.grad_norm_sq_above, 1, false, "above");
    status = hsgd_table_write(&table, dir, "convergence", err);
    hsgd_table_free(&table);
    if (status != HSGD_OK)
        return status;

    size_t entries, columns = legend_columns(in, style->width_in, &entries);
    double needed = hsgd_title_height(in, style->title) + hsgd_panel_height(style) + HSGD_X_AXIS_IN +
                    hsgd_legend_height(entries, columns);
    hsgd_script script;
    status = hsgd_script_open(&script, dir, "convergence", style, fmax(needed, HSGD_PAGE_HEIGHT_IN),
                              "Convergence: the measured squared gradient norm, its mean S, and the bounds that apply.",
                              err);
    if (status != HSGD_OK)
        return status;
    write_script(&script, in);
    return hsgd_script_close(&script, err);
}

const hsgd_figure hsgd_figure_convergence = {"convergence", possible, write};
