/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "plots/sweep_private.h"

#include <math.h>
#include <string.h>

const hsgd_sweep_figure *const hsgd_sweep_figures[] = {
    &hsgd_sweep_figure_S,
    &hsgd_sweep_figure_map,
    &hsgd_sweep_figure_convergence,
    &hsgd_sweep_figure_loss,
    &hsgd_sweep_figure_accuracy,
    &hsgd_sweep_figure_accuracy_time,
    &hsgd_sweep_figure_accuracy_bytes,
};
const size_t hsgd_num_sweep_figures = sizeof hsgd_sweep_figures / sizeof hsgd_sweep_figures[0];

#define CHARACTER_IN 0.052 /* width of a character of a label or a legend at 7 points, about */
#define PANEL_WIDTH_IN(style) ((style)->width_in - 0.74)

enum { LONGEST_LABEL = 24 };

/* ---- values and points ---- */

hsgd_selection hsgd_select(size_t of, size_t most)
{
    hsgd_selection out = {.count = of < most ? of : most, .of = of};
    for (size_t i = 0; i < out.count; i++)
        out.value[i] = out.count > 1 ? (i * (of - 1) + (out.count - 1) / 2) / (out.count - 1) : 0;
    return out;
}

size_t hsgd_sweep_count(const hsgd_sweep_figure_input *in, size_t axis)
{
    return axis < in->num_axes ? in->axis[axis].num_values : 1;
}

const hsgd_sweep_figure_point *hsgd_sweep_point_at(const hsgd_sweep_figure_input *in, size_t first, size_t second,
                                                   size_t third)
{
    const size_t value[HSGD_SWEEP_FIGURE_AXES] = {first, second, third};
    size_t index = 0;
    for (size_t a = 0; a < in->num_axes; a++)
        index = index * in->axis[a].num_values + value[a];
    return &in->point[index];
}

/* ---- S and its bounds ---- */

bool hsgd_sweep_any_S(const hsgd_sweep_figure_input *in)
{
    for (size_t i = 0; i < in->num_points; i++)
        if (in->point[i].done && isfinite(in->point[i].S))
            return true;
    return false;
}

size_t hsgd_sweep_shown_bound(const hsgd_sweep_figure_input *in)
{
    size_t best = HSGD_MAX_SWEEP_BOUNDS, most = 0;
    for (size_t k = 0; k < HSGD_NUM_SWEEP_BOUNDS + in->num_own_bounds; k++) {
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

const char *hsgd_sweep_bound_name(const hsgd_sweep_figure_input *in, size_t kind)
{
    static const char *const name[HSGD_NUM_SWEEP_BOUNDS] = {"published bound", "sharpened bound", "recursive bound"};
    return kind < HSGD_NUM_SWEEP_BOUNDS ? name[kind] : in->own_bound[kind - HSGD_NUM_SWEEP_BOUNDS];
}

/* ---- caption ---- */

size_t hsgd_sweep_note(char *out, size_t size, const hsgd_sweep_figure_input *in, bool with_bounds)
{
    size_t done = 0, length = 0;
    bool proved = true, estimated = false;
    *out = '\0';
    for (size_t i = 0; i < in->num_points; i++)
        if (in->point[i].done) {
            done++;
            proved = proved && in->point[i].constants_proved;
            estimated = estimated || in->point[i].constants_estimated;
        }
    if (done < in->num_points)
        length = (size_t)snprintf(out, size, "%zu of %zu points", done, in->num_points);
    if (with_bounds && !proved)
        length += (size_t)snprintf(out + length, size - length, "%sbounds use %s constants", length ? "; " : "",
                                   estimated ? "estimated" : "trajectory");
    return length;
}

static double number_of(const hsgd_sweep_figure_point *p, hsgd_span_of what)
{
    return what == HSGD_SPAN_WORKERS ? (double)p->num_workers
           : what == HSGD_SPAN_STEPS ? (double)p->steps
           : what == HSGD_SPAN_SEEDS ? (double)p->seeds
                                     : p->step_size;
}

hsgd_span hsgd_sweep_span(const hsgd_sweep_figure_input *in, hsgd_span_of what)
{
    hsgd_span out = {INFINITY, -INFINITY};
    for (size_t i = 0; i < in->num_points; i++)
        if (in->point[i].done) {
            out.low = fmin(out.low, number_of(&in->point[i], what));
            out.high = fmax(out.high, number_of(&in->point[i], what));
        }
    return out;
}

static void put_span(hsgd_script *s, hsgd_span x)
{
    hsgd_number number;
    fputs(hsgd_text_number(&number, s->format, x.low), s->stream);
    if (x.low < x.high)
        fprintf(s->stream, " to %s", hsgd_text_number(&number, s->format, x.high));
}

static void put_symbol(hsgd_script *s, const char *plain, const char *tex, hsgd_span x)
{
    fprintf(s->stream, "%s%s", hsgd_script_pick(s, plain, tex), " = ");
    put_span(s, x);
    fputs(", ", s->stream);
}

double hsgd_sweep_caption_height(const hsgd_figure_style *style, const char *note)
{
    return hsgd_title_lines_height(style->title, *note ? 3 : 2);
}

/* What the error bars or bands are. */
static void put_band(hsgd_script *s, double confidence)
{
    if (s->band == HSGD_BAND_SE || s->band == HSGD_BAND_SD)
        fprintf(s->stream, ", %s standard %s", hsgd_script_pick(s, "±", "$\\pm$"),
                s->band == HSGD_BAND_SE ? "error" : "deviation");
    else if (s->band == HSGD_BAND_RANGE)
        fputs(", ranges of runs", s->stream);
    else if (s->band != HSGD_BAND_NONE && isfinite(confidence))
        fprintf(s->stream, ", %.4g%s intervals", 100 * confidence, hsgd_script_pick(s, "%", "\\,\\%"));
}

void hsgd_sweep_caption(hsgd_script *s, const hsgd_sweep_figure_input *in, const hsgd_figure_style *style,
                        bool with_intervals, const char *note)
{
    hsgd_quoted quoted;
    size_t width = (size_t)(20 * style->width_in);
    hsgd_span seeds = hsgd_sweep_span(in, HSGD_SPAN_SEEDS);
    if (!style->title)
        return;
    hsgd_script_name(s, in->name, width * 2 / 3);
    fprintf(s->stream, "set label 2 '%s", hsgd_script_pick(s, "", HSGD_SMALL_TEX_FONT));
    put_symbol(s, "{/:Italic n}", "$n$", hsgd_sweep_span(in, HSGD_SPAN_WORKERS));
    put_symbol(s, "{/:Italic T}", "$T$", hsgd_sweep_span(in, HSGD_SPAN_STEPS));
    put_symbol(s, "{/:Italic γ}", "$\\gamma$", hsgd_sweep_span(in, HSGD_SPAN_STEP_SIZE));
    put_span(s, seeds);
    fprintf(s->stream, " seed%s", seeds.high > 1 ? "s" : "");
    if (with_intervals && seeds.high > 1)
        put_band(s, in->confidence);
    fputs("'", s->stream);
    hsgd_script_title_line(s, 2);
    if (!*note)
        return;
    fprintf(s->stream, "set label 3 '%s'.%s", hsgd_script_pick(s, "", HSGD_SMALL_TEX_FONT),
            hsgd_text_quote(&quoted, s->format, note, width));
    hsgd_script_title_line(s, 3);
}

/* ---- the axis of values ---- */

double hsgd_sweep_place(const hsgd_sweep_figure_axis *axis, size_t i)
{
    return axis->at ? axis->at[i] : (double)i;
}

static size_t label_width(const hsgd_sweep_figure_axis *axis, size_t i)
{
    char clean[HSGD_TEXT_SIZE];
    return hsgd_text_clean(clean, axis->label[i], LONGEST_LABEL);
}

static size_t widest_label(const hsgd_sweep_figure_axis *axis)
{
    size_t widest = 0;
    for (size_t i = 0; i < axis->num_values; i++)
        widest = label_width(axis, i) > widest ? label_width(axis, i) : widest;
    return widest;
}

/* Names of categories are written aslant where they would touch. */
static bool is_slanted(const hsgd_figure_style *style, const hsgd_sweep_figure_axis *axis)
{
    return !axis->at &&
           CHARACTER_IN * (double)widest_label(axis) + 0.06 > PANEL_WIDTH_IN(style) / (double)axis->num_values;
}

#define SLANT_DEGREES 35
#define SLANT_SINE 0.574

double hsgd_sweep_x_room(const hsgd_figure_style *style, const hsgd_sweep_figure_axis *axis)
{
    double labels = is_slanted(style, axis) ? SLANT_SINE * CHARACTER_IN * (double)widest_label(axis) : 0;
    return HSGD_X_AXIS_IN + labels;
}

/* The smallest and largest place, and the largest gap between neighbours, in the numbers that a function makes of them. */
typedef struct spread {
    double low, high, gap;
} spread;

static double same(double x)
{
    return x;
}

static spread spread_of(const hsgd_sweep_figure_axis *axis, double (*of)(double))
{
    spread out = {INFINITY, -INFINITY, 0};
    for (size_t i = 0; i < axis->num_values; i++) {
        double here = of(hsgd_sweep_place(axis, i)), next = INFINITY;
        out.low = fmin(out.low, here);
        out.high = fmax(out.high, here);
        for (size_t j = 0; j < axis->num_values; j++) {
            double there = of(hsgd_sweep_place(axis, j));
            next = there > here && there < next ? there : next;
        }
        out.gap = isfinite(next) ? fmax(out.gap, next - here) : out.gap;
    }
    return out;
}

/* Logarithmic where the values then lie more evenly. */
static bool is_log(const hsgd_sweep_figure_axis *axis)
{
    spread linear = spread_of(axis, same);
    if (!axis->at || axis->num_values < 3 || !(linear.low > 0))
        return false;
    spread power = spread_of(axis, log10);
    return power.gap / (power.high - power.low) < linear.gap / (linear.high - linear.low);
}

/* Do labels at the values themselves fit beside each other? */
static bool ticks_fit(const hsgd_figure_style *style, const hsgd_sweep_figure_axis *axis, bool logarithmic)
{
    double (*of)(double) = logarithmic ? log10 : same;
    spread all = spread_of(axis, of);
    if (axis->num_values > 12)
        return false;
    for (size_t i = 0; i < axis->num_values; i++)
        for (size_t j = 0; j < i; j++) {
            double distance =
                fabs(of(axis->at[i]) - of(axis->at[j])) / (all.high - all.low) * PANEL_WIDTH_IN(style) * 0.9;
            if (distance < 0.3)
                return false;
        }
    return true;
}

static void write_number_ticks(hsgd_script *s, const hsgd_sweep_figure_axis *axis)
{
    fputs("set xtics norotate (", s->stream);
    for (size_t i = 0; i < axis->num_values; i++) {
        hsgd_number label;
        fprintf(s->stream, "%s'%s' %.17g", i ? ", " : "", hsgd_text_number(&label, s->format, axis->at[i]),
                axis->at[i]);
    }
    fputs(")\n", s->stream);
}

static void write_numbers(hsgd_script *s, const hsgd_figure_style *style, const hsgd_sweep_figure_axis *axis)
{
    bool logarithmic = is_log(axis), fit = ticks_fit(style, axis, logarithmic);
    spread all = spread_of(axis, logarithmic ? log10 : same);
    double margin = all.high > all.low ? 0.06 * (all.high - all.low) : fmax(fabs(all.low), 1) / 2;
    if (logarithmic && !fit) {
        hsgd_script_log_x_axis(s, hsgd_range_of(axis->at, axis->num_values, 1));
        return;
    }
    double low = all.low - margin, high = all.high + margin;
    fprintf(s->stream, "%sset logscale x; set format x '%%g'; set xrange [%.17g:%.17g]\n", logarithmic ? "" : "un",
            logarithmic ? pow(10, low) : low, logarithmic ? pow(10, high) : high);
    if (fit)
        write_number_ticks(s, axis);
    else
        fprintf(s->stream, "set xtics %.3g\n", hsgd_tick_distance(high - low));
}

static void write_categories(hsgd_script *s, const hsgd_figure_style *style, const hsgd_sweep_figure_axis *axis)
{
    char rotation[48] = "norotate";
    if (is_slanted(style, axis))
        snprintf(rotation, sizeof rotation, "rotate by %d right", SLANT_DEGREES);
    fprintf(s->stream, "unset logscale x; set format x '%%g'; set xrange [-0.5:%.1f]\nset xtics %s (",
            (double)axis->num_values - 0.5, rotation);
    for (size_t i = 0; i < axis->num_values; i++) {
        hsgd_quoted quoted;
        char *keyword = strstr(hsgd_text_quote(&quoted, s->format, axis->label[i], LONGEST_LABEL), " noenhanced");
        if (keyword && !keyword[strlen(" noenhanced")])
            *keyword = '\0'; /* a keyword of all ticks */
        fprintf(s->stream, "%s%s %zu", i ? ", " : "", quoted.text, i);
    }
    fputs(") noenhanced\n", s->stream);
}

void hsgd_sweep_x_axis(hsgd_script *s, const hsgd_figure_style *style, const hsgd_sweep_figure_axis *axis,
                       double panel_bottom_in, bool with_name)
{
    hsgd_quoted name;
    if (axis->at)
        write_numbers(s, style, axis);
    else
        write_categories(s, style, axis);
    if (with_name)
        fprintf(s->stream, "set label 4 %s at graph 0.5,screen %.4f center\n",
                hsgd_text_quote(&name, s->format, axis->name, 40),
                (panel_bottom_in - hsgd_sweep_x_room(style, axis) + 0.1) / s->height_in);
}

void hsgd_sweep_linear_y_axis(hsgd_script *s, double low, double high)
{
    double room = 0.05 * fmax(fabs(high), 1e-300);
    if (!(low <= high))
        low = 0, high = 1;
    if (!(high - low > 1e-12 * fmax(fabs(low), fabs(high)))) { /* a constant needs room, too */
        low -= room;
        high += room;
    }
    double span_y = high - low;
    fprintf(s->stream, "unset logscale y; set format y '%%g'; set ytics %.3g; set yrange [%.17g:%.17g]\n",
            hsgd_tick_distance(span_y), low - 0.05 * span_y, high + 0.05 * span_y);
}
