/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Figure "sandwich": H-SGD between local SGD with period I and local SGD with period G (THEORY 6).
 *
 * The first panel has the running means S_t of ||grad f||^2, which are smooth, and the three closed-form bounds in matching
 * colours. A bound on S after T steps is one on S_t with t + 1 steps in its initial gap, 2 Delta/(gamma (t + 1)), so each is
 * drawn as that function of t. Where the measured runs are close, a log axis that also holds the
 * bounds cannot tell them apart; so the second panel, below or beside the first, shows the three measured S with their intervals on a linear axis.
 */
#include "plots/figures_private.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "plots/script_private.h"
#include "plots/table_private.h"

enum { NUM_RUNS = 3, NUM_ENTRIES = 2 * NUM_RUNS };
static const char PUBLISHED[] = "published", SHARPENED[] = "sharpened";
#define LEFT_IN 0.62
#define RIGHT_IN 0.12
#define MEANS_RIGHT_IN 0.17 /* a tick may stand at the edge */
#define MEANS_PANEL_IN 0.5
#define NAMES_IN 1.16 /* from the left edge, or that of the other panel, to a panel whose ticks are names of runs */
#define MEANS_WIDTH_IN 1.3 /* of the panel beside the other one */
#define NARROW_IN 3.4      /* two columns of the legend need more */

/* From below to above, if the sandwich holds. */
static const struct {
    const char *column;
    const char *bound_id[2]; /* the second is taken where the first is not there */
    size_t line_type;
    int symbol;
    const char *dash, *bound_dash;
} run[NUM_RUNS] = {
    {"local_inner", {"local-sgd-inner", "local-sgd-inner"}, 2, 9, "(8,3)", "(1.5,2)"},
    {"hsgd", {"hsgd-random", "hsgd-fixed"}, 1, 7, "solid", "(8,2,2,2)"},
    {"local_outer", {"local-sgd-outer", "local-sgd-outer"}, 3, 5, "(3,2)", "(12,2,2,2,2,2)"},
};

static const hsgd_figure_curve *curve_of(const hsgd_figure_input *in, size_t i)
{
    const hsgd_figure_curve *curve[NUM_RUNS] = {&in->local_inner, &in->hsgd, &in->local_outer};
    return curve[i];
}

static void run_title(char *title, size_t size, const hsgd_script *s, const hsgd_figure_input *in, size_t i)
{
    const char *form = hsgd_script_pick(s, "local SGD, {/:Italic %c} = %zu", "local SGD, $%c = %zu$");
    if (i == 1)
        snprintf(title, size, "H-SGD");
    else
        snprintf(title, size, form, i == 0 ? 'I' : 'G', i == 0 ? in->local_period : in->global_period);
}

static bool possible(const hsgd_figure_input *in, char *reason, size_t size)
{
    if (in->num_levels < 2)
        return hsgd_figure_lacks(reason, size, "the hierarchy has one level, so H-SGD is local SGD");
    if (!in->local_inner.grad_norm_sq || !in->local_outer.grad_norm_sq)
        return hsgd_figure_lacks(reason, size, "the local SGD runs with periods I and G were not made");
    for (size_t i = 0; i < NUM_RUNS; i++)
        if (!hsgd_any_finite(curve_of(in, i)->grad_norm_sq, in->num_rows, 1))
            return hsgd_figure_lacks(reason, size, "the squared gradient norm of a run is not finite");
    return true;
}

static const hsgd_figure_bound *find_bound(const hsgd_figure_input *in, const char *id, const char *suffix)
{
    size_t stem = strlen(id);
    for (size_t b = 0; b < in->num_bounds; b++)
        if (strncmp(in->bound[b].id, id, stem) == 0 && strcmp(in->bound[b].id + stem, suffix) == 0 &&
            hsgd_figure_bound_drawn(&in->bound[b]))
            return &in->bound[b];
    return NULL;
}

/* A bound on S that is about one of the local SGDs. */
static bool is_about(const hsgd_figure_bound *bound, const char *algorithm)
{
    return bound && strcmp(bound->target, "S") == 0 && strcmp(bound->algorithm, algorithm) == 0;
}

/* Three bounds on S of the user's own, by their ids: X on H-SGD, X-inner and X-outer on the local SGDs. Built-in bounds have no
 * such ids. Returns X, or NULL where there are none. */
static const char *find_own_bounds(const hsgd_figure_bound *bound[NUM_RUNS], const hsgd_figure_input *in)
{
    for (size_t b = 0; b < in->num_bounds; b++) {
        const hsgd_figure_bound *own = &in->bound[b];
        bound[0] = find_bound(in, own->id, "-inner");
        bound[1] = own;
        bound[2] = find_bound(in, own->id, "-outer");
        if (hsgd_figure_bound_drawn(own) && strcmp(own->target, "S") == 0 && strncmp(own->algorithm, "hsgd", 4) == 0 &&
            is_about(bound[0], "local-sgd-inner") && is_about(bound[2], "local-sgd-outer"))
            return own->id;
    }
    return NULL;
}

/* The three bounds of one family, the user's own, or else the published ones, or else the sharpened ones; a mixture would
 * compare proofs, not algorithms. Returns the family's name, or NULL where none is complete. */
static const char *find_bounds(const hsgd_figure_bound *bound[NUM_RUNS], const hsgd_figure_input *in)
{
    static const char *const family[][2] = {{"", PUBLISHED}, {"-sharp", SHARPENED}};
    const char *own = find_own_bounds(bound, in);
    if (own)
        return own;
    for (size_t f = 0; f < 2; f++) {
        bool complete = true;
        for (size_t i = 0; i < NUM_RUNS; i++) {
            bound[i] = find_bound(in, run[i].bound_id[0], family[f][0]);
            if (!bound[i])
                bound[i] = find_bound(in, run[i].bound_id[1], family[f][0]);
            complete = complete && bound[i];
        }
        if (complete)
            return family[f][1];
    }
    return NULL;
}

bool hsgd_figure_sandwich_bounds(const hsgd_figure_input *input)
{
    const hsgd_figure_bound *bound[NUM_RUNS];
    return find_bounds(bound, input) != NULL;
}

/* mean[r] = the mean of value[0..r], by running updates; not a number from the first missing value on. */
static void running_mean(double *mean, const double *value, size_t count)
{
    double current = 0;
    for (size_t r = 0; r < count; r++) {
        current += (value[r] - current) / (double)(r + 1);
        mean[r] = current;
    }
}

/* 2 Delta/(gamma T), the only part of a bound that depends on the number of steps; 0 where it is not known. */
static double initial_gap(const hsgd_figure_bound *bound)
{
    for (size_t i = 0; i < bound->num_terms; i++)
        if (strcmp(bound->term_name[i], "initial gap") == 0)
            return bound->term_value[i];
    return 0;
}

/* Is it none of those below, whose bounds share a title? */
static bool is_own_family(const char *family)
{
    return strcmp(family, PUBLISHED) != 0 && strcmp(family, SHARPENED) != 0;
}

/* The bound on S_t as a function of x = t. */
static void draw_bound(hsgd_script *s, const hsgd_figure_input *in, size_t i, const hsgd_figure_bound *bound,
                       const char *family)
{
    double gap = in->steps ? initial_gap(bound) : 0;
    bool own = is_own_family(family);
    const char *groups = own ? "" : strncmp(bound->id, "hsgd-random", 11) == 0 ? ", random groups" : " bound";
    hsgd_script_series(s, "%.17g/(x + 1) + %.17g with lines lc rgb '%s' lw 1.6 dt %s title '%s%s'",
                       gap * (double)in->steps, bound->value - gap, hsgd_colour(run[i].line_type - 1),
                       run[i].bound_dash, own ? bound->id : family, groups);
}

static void draw_curves(hsgd_script *s, const hsgd_figure_input *in, const double *mean)
{
    const hsgd_figure_bound *bound[NUM_RUNS];
    const char *family = find_bounds(bound, in);
    hsgd_range range = hsgd_range_of(mean, NUM_RUNS * in->num_rows, 1);
    for (size_t i = 0; i < NUM_RUNS && family; i++)
        hsgd_range_add(&range,
                       bound[i]->value + 4 * initial_gap(bound[i])); /* from t = T/5 on; before, it leaves the panel */
    hsgd_script_step_axis(s, in->step[0], in->step[in->num_rows - 1]);
    fputs("set samples 1000\n", s->stream);
    hsgd_script_log_axis(s, range);
    hsgd_script_axis_labels(s, hsgd_script_pick(s, "step {/:Italic t}", "step $t$"),
                            hsgd_script_pick(s, "running mean {/:Italic S_t}", "running mean $S_t$"));
    char column[48], style[96], title[96];
    for (size_t i = 0; i < NUM_RUNS; i++) {
        range = hsgd_range_of(mean + i * in->num_rows, in->num_rows, 1);
        snprintf(column, sizeof column, "S_t_%s", run[i].column);
        snprintf(style, sizeof style, "%s lc rgb '%s' lw 1.6 dt %s",
                 in->num_rows > 2 ? "lines" : "linespoints pt 7 ps 0.4", hsgd_colour(run[i].line_type - 1),
                 run[i].dash);
        run_title(title, sizeof title, s, in, i);
        hsgd_script_curve(s, "sandwich", column, style, title, &range);
    }
    for (size_t i = 0; i < NUM_RUNS && family; i++)
        draw_bound(s, in, i, bound[i], family);
    hsgd_script_plotted(s);
}

/* Is there room for the means beside the running means? */
static bool beside(double width_in)
{
    return hsgd_panels_abreast(width_in, 2) == 2;
}

static bool any_mean(const hsgd_figure_input *in)
{
    return isfinite(in->hsgd.S) || isfinite(in->local_inner.S) || isfinite(in->local_outer.S);
}

/* Limits are written out because gnuplot warns of empty ranges. */
static void means_axis(hsgd_script *s, const hsgd_figure_input *in)
{
    double low = INFINITY, high = -INFINITY;
    for (size_t i = 0; i < NUM_RUNS; i++) {
        const hsgd_figure_curve *c = curve_of(in, i);
        const double value[] = {c->S, c->S_low, c->S_high};
        for (size_t j = 0; j < 3; j++)
            if (isfinite(value[j])) {
                low = fmin(low, value[j]);
                high = fmax(high, value[j]);
            }
    }
    double margin = fmax(0.08 * (high - low), 0.02 * fmax(fabs(low), fabs(high)));
    if (!(margin > 0))
        margin = 1;
    fprintf(s->stream, "set xrange [%.10g:%.10g]; set xtics %.3g; set format x\n", low - margin, high + margin,
            hsgd_tick_distance(high - low + 2 * margin));
}

/* Where each run's mean and interval stand, as data inside the script: three rows are easier to edit there. */
static void means_data(hsgd_script *s, const hsgd_figure_input *in)
{
    fputs("$S << EOD\n", s->stream);
    for (size_t i = 0; i < NUM_RUNS; i++) {
        const hsgd_figure_curve *c = curve_of(in, i);
        bool interval = isfinite(c->S_low) && isfinite(c->S_high);
        if (isfinite(c->S))
            fprintf(s->stream, "%zu %.17g %.17g %.17g\n", i + 1, c->S, interval ? c->S_low : c->S,
                    interval ? c->S_high : c->S);
    }
    fputs("EOD\n", s->stream);
}

static void draw_means(hsgd_script *s, const hsgd_figure_input *in, double bottom_in, double top_in)
{
    char title[96];
    fputs("# Second panel: the mean over each run with its interval, on a linear axis.\n", s->stream);
    means_data(s, in);
    fputs("unset label; unset key; unset ylabel; unset logscale y; set format y; set yrange [0.4:3.6]\n", s->stream);
    hsgd_script_margins(s, beside(s->width_in) ? s->width_in - MEANS_RIGHT_IN - MEANS_WIDTH_IN : NAMES_IN,
                        MEANS_RIGHT_IN);
    hsgd_script_panel(s, bottom_in, top_in);
    means_axis(s, in);
    hsgd_script_axis_labels(s, hsgd_script_pick(s, "measured {/:Italic S}", "measured $S$"), NULL);
    fputs("set ytics (", s->stream);
    for (size_t i = 0; i < NUM_RUNS; i++) {
        run_title(title, sizeof title, s, in, i);
        fprintf(s->stream, "%s'%s' %zu", i ? ", " : "", title, i + 1);
    }
    fputs(")\n", s->stream);
    for (size_t i = 0, row = 0; i < NUM_RUNS; i++)
        if (isfinite(curve_of(in, i)->S)) {
            hsgd_script_series(s, "$S using 2:1:3:4 every ::%zu::%zu with xerrorbars pt %d ps %.3g lw 1.4 lc rgb '%s'",
                               row, row, run[i].symbol, hsgd_point_size(s, 0.5), hsgd_colour(run[i].line_type - 1));
            row++;
        }
    hsgd_script_plotted(s);
}

/* Below the other panel, where there is no room beside it. */
static double means_height(const hsgd_figure_input *in, double width_in)
{
    return any_mean(in) && !beside(width_in) ? MEANS_PANEL_IN + HSGD_X_AXIS_IN : 0;
}

/* Measured values in the first column, bounds in the second; below each other where two do not fit. */
static size_t legend_columns(double width_in)
{
    return width_in < NARROW_IN ? 1 : 2;
}

static double legend_height(double width_in)
{
    return 0.1 + HSGD_LEGEND_ROW_IN * (double)hsgd_legend_rows(NUM_ENTRIES, legend_columns(width_in));
}

static void write_script(hsgd_script *s, const hsgd_figure_input *in, const double *mean)
{
    double legend_top = means_height(in, s->width_in) + legend_height(s->width_in),
           top = s->height_in - hsgd_title_height(in, s->title);
    bool side = any_mean(in) && beside(s->width_in);
    hsgd_script_title(s, in);
    hsgd_script_thinned(s, in->num_rows);
    fputs("set multiplot\n", s->stream);
    if (side)
        hsgd_script_margins(s, LEFT_IN, MEANS_RIGHT_IN + MEANS_WIDTH_IN + NAMES_IN + 0.05);
    hsgd_script_panel(s, legend_top + HSGD_X_AXIS_IN, top);
    hsgd_script_legend(s, legend_top, NUM_ENTRIES, legend_columns(s->width_in));
    if (s->format == HSGD_FIGURE_SVG) /* as hsgd_script_legend, for longer texts */
        fputs("set key width -5\n", s->stream);
    draw_curves(s, in, mean);
    if (any_mean(in))
        draw_means(s, in, side ? legend_top + HSGD_X_AXIS_IN : HSGD_X_AXIS_IN,
                   side ? top : HSGD_X_AXIS_IN + MEANS_PANEL_IN);
    fputs("unset multiplot\n", s->stream);
}

static hsgd_status write_data(const hsgd_figure_input *in, const double *mean, const char *dir, hsgd_error *err)
{
    hsgd_table table;
    hsgd_table_init(&table, in->num_rows);
    hsgd_table_add(&table, in->step, 1, false, "step");
    for (size_t i = 0; i < NUM_RUNS; i++)
        hsgd_table_add(&table, mean + i * in->num_rows, 1, true, "S_t_%s", run[i].column);
    for (size_t i = 0; i < NUM_RUNS; i++)
        hsgd_table_add(&table, curve_of(in, i)->grad_norm_sq, 1, false, "grad_norm_sq_%s", run[i].column);
    hsgd_status status = hsgd_table_write(&table, dir, "sandwich", err);
    hsgd_table_free(&table);
    return status;
}

static hsgd_status write(const hsgd_figure_input *in, const char *dir, const hsgd_figure_style *style, hsgd_error *err)
{
    hsgd_status status = hsgd_figure_require(&hsgd_figure_sandwich, in, err);
    if (status != HSGD_OK)
        return status;
    double *mean = malloc(NUM_RUNS * in->num_rows * sizeof *mean);
    if (!mean)
        return hsgd_fail_memory(err, "the running means");
    for (size_t i = 0; i < NUM_RUNS; i++)
        running_mean(mean + i * in->num_rows, curve_of(in, i)->grad_norm_sq, in->num_rows);
    status = write_data(in, mean, dir, err);
    if (status == HSGD_OK) {
        double needed = hsgd_title_height(in, style->title) + hsgd_panel_height(style) + HSGD_X_AXIS_IN +
                        legend_height(style->width_in) + means_height(in, style->width_in);
        hsgd_script script;
        status = hsgd_script_open(&script, dir, "sandwich", style, fmax(needed, HSGD_PAGE_HEIGHT_IN),
                                  "Sandwich: H-SGD between local SGD with the inner and with the outer period.", err);
        if (status == HSGD_OK) {
            script.band = HSGD_BAND_CI; /* of means over whole runs, whatever bands the style has */
            write_script(&script, in, mean);
            status = hsgd_script_close(&script, err);
        }
    }
    free(mean);
    return status;
}

const hsgd_figure hsgd_figure_sandwich = {"sandwich", possible, write};
