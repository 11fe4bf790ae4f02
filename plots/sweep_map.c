/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Figure "sweep-map": S over two axes of numbers as colours, and S as a share of its bound below it. Cells have one size
 * whatever the numbers are; each value of a third axis has a pair of panels of its own. */
#include <math.h>
#include <stdlib.h>

#include "plots/figures_private.h"
#include "plots/sweep_private.h"
#include "plots/table_private.h"

enum { MAX_MAPS = 3, MAX_CELLS_WITH_NUMBERS = 64 };

#define CELL_IN 0.26
#define LEFT_IN 0.62
#define BOX_WIDTH_IN 0.09
#define BOX_ROOM_IN 0.62 /* right of the panel: the bar of colours and its numbers */
#define ABOVE_IN 0.18    /* what the panel shows */

typedef enum what { VALUE_S, SHARE_OF_BOUND, NUM_VALUES } what;

typedef struct figure {
    const hsgd_sweep_figure_input *in;
    const hsgd_figure_style *style;
    hsgd_selection map; /* of the third axis */
    size_t kind;        /* of bound; HSGD_MAX_SWEEP_BOUNDS: S has the only panel */
    size_t cells;       /* of one map */
    double *x, *y;      /* (cells) numbers of the values, from 0 */
    double *value;      /* (map.count, NUM_VALUES, cells) */
    double *memory;     /* owned, of the three */
    hsgd_sweep_remark remark;
} figure;

static bool possible(const hsgd_sweep_figure_input *in, char *reason, size_t size)
{
    if (in->num_axes < 2 || !in->axis[0].at || !in->axis[1].at)
        return hsgd_figure_lacks(reason, size, "it needs two axes of numbers");
    return hsgd_sweep_any_S(in) || hsgd_figure_lacks(reason, size, "no point is done yet, or S is not finite");
}

static double *values_of(const figure *f, size_t map, what which)
{
    return f->value + (map * NUM_VALUES + (size_t)which) * f->cells;
}

/* Axes may be given in any order; maps have their numbers ascending. */
static size_t rank(const hsgd_sweep_figure_axis *axis, size_t i)
{
    size_t below = 0;
    for (size_t j = 0; j < axis->num_values; j++)
        below += axis->at[j] < axis->at[i];
    return below;
}

static hsgd_sweep_remark remark(const hsgd_sweep_figure_input *in)
{
    hsgd_sweep_remark out = {.bars = false};
    const hsgd_selection map = hsgd_select(hsgd_sweep_count(in, 2), MAX_MAPS);
    size_t length = hsgd_sweep_note(out.note, sizeof out.note, in, hsgd_sweep_shown_bound(in) < HSGD_MAX_SWEEP_BOUNDS);
    if (map.count < map.of)
        snprintf(out.note + length, sizeof out.note - length, "%s%zu of %zu maps", length ? "; " : "", map.count,
                 map.of);
    return out;
}

static hsgd_status prepare(figure *f, const hsgd_sweep_figure_input *in, const hsgd_figure_style *style,
                           hsgd_error *err)
{
    size_t columns = in->axis[0].num_values, rows = in->axis[1].num_values;
    *f = (figure){.in = in,
                  .style = style,
                  .map = hsgd_select(hsgd_sweep_count(in, 2), MAX_MAPS),
                  .kind = hsgd_sweep_shown_bound(in),
                  .cells = rows * columns};
    f->memory = calloc((2 + f->map.count * NUM_VALUES) * f->cells, sizeof *f->memory);
    if (!f->memory)
        return hsgd_fail_memory(err, "the data of a figure");
    f->x = f->memory;
    f->y = f->x + f->cells;
    f->value = f->y + f->cells;
    for (size_t i = 0; i < f->cells; i++) {
        size_t first = i / rows, second = i % rows;
        f->x[i] = (double)rank(&in->axis[0], first);
        f->y[i] = (double)rank(&in->axis[1], second);
        for (size_t m = 0; m < f->map.count; m++) {
            const hsgd_sweep_figure_point *p = hsgd_sweep_point_at(in, first, second, f->map.value[m]);
            double bound = f->kind < HSGD_MAX_SWEEP_BOUNDS ? p->bound[f->kind] : NAN;
            values_of(f, m, VALUE_S)[i] = p->done ? p->S : NAN;
            values_of(f, m, SHARE_OF_BOUND)[i] = p->done ? p->S / bound : NAN;
        }
    }
    f->remark = remark(in);
    return HSGD_OK;
}

static hsgd_status write_data(const figure *f, const char *dir, hsgd_error *err)
{
    hsgd_table table;
    hsgd_table_init(&table, f->cells);
    hsgd_table_add(&table, f->x, 1, false, "x");
    hsgd_table_add(&table, f->y, 1, false, "y");
    for (size_t m = 0; m < f->map.count; m++) {
        hsgd_table_add(&table, values_of(f, m, VALUE_S), 1, false, "S_%zu", f->map.value[m] + 1);
        if (f->kind < HSGD_MAX_SWEEP_BOUNDS)
            hsgd_table_add(&table, values_of(f, m, SHARE_OF_BOUND), 1, false, "share_%zu", f->map.value[m] + 1);
    }
    hsgd_status status = hsgd_table_write(&table, dir, "sweep-map", err);
    hsgd_table_free(&table);
    return status;
}

/* ---- the script ---- */

/* viridis (Smith, van der Walt and Firing, CC0): perceptually uniform, and in order in black and white, too. */
const char *const hsgd_sweep_map_colour[HSGD_NUM_MAP_COLOURS] = {"#440154", "#472c7a", "#3b518b", "#2c718e", "#21908d",
                                                                 "#27ad81", "#5cc863", "#aadc32", "#fde725"};

static void write_palette(FILE *out)
{
    for (int i = 0; i < HSGD_NUM_MAP_COLOURS; i++)
        fprintf(out, "%s%d '%s'", i ? ", " : "set palette defined (", i, hsgd_sweep_map_colour[i]);
    fputs(")\n", out);
}

static double light_of(double channel)
{
    return channel <= 0.03928 ? channel / 12.92 : pow((channel + 0.055) / 1.055, 2.4);
}

/* Relative luminance (WCAG 2.1) of a colour of the palette, 0 to 1, between two entries as gnuplot has it. */
static double luminance(double share)
{
    static const double weight[] = {0.2126, 0.7152, 0.0722};
    double place = share * (HSGD_NUM_MAP_COLOURS - 1), sum = 0;
    size_t i = place < HSGD_NUM_MAP_COLOURS - 2 ? (size_t)place : HSGD_NUM_MAP_COLOURS - 2;
    unsigned long low = strtoul(hsgd_sweep_map_colour[i] + 1, NULL, 16);
    unsigned long high = strtoul(hsgd_sweep_map_colour[i + 1] + 1, NULL, 16);
    for (int c = 0; c < 3; c++) {
        double a = (double)(low >> (16 - 8 * c) & 255), b = (double)(high >> (16 - 8 * c) & 255);
        sum += weight[c] * light_of((a + (place - (double)i) * (b - a)) / 255);
    }
    return sum;
}

double hsgd_sweep_map_dark_below(void)
{
    double low = 0, high = 1;
    while (high - low > 1e-6) { /* luminance ascends; white is as far as black where (x + 0.05)^2 = 1.05 * 0.05 */
        double middle = low / 2 + high / 2, x = luminance(middle) + 0.05;
        *(x * x < 1.05 * 0.05 ? &low : &high) = middle;
    }
    return low;
}

static void write_ticks(hsgd_script *s, const hsgd_sweep_figure_axis *axis, char letter)
{
    size_t every = (axis->num_values + 11) / 12;
    const char *separator = "";
    fprintf(s->stream, "set %crange [-0.5:%.1f]; set %ctics (", letter, (double)axis->num_values - 0.5, letter);
    for (size_t i = 0; i < axis->num_values; i++) {
        hsgd_number label;
        if (rank(axis, i) % every)
            continue;
        fprintf(s->stream, "%s'%s' %zu", separator, hsgd_text_number(&label, s->format, axis->at[i]), rank(axis, i));
        separator = ", ";
    }
    fputs(")\n", s->stream);
}

/* Colours for the values of all maps of one kind. */
static void write_colours(hsgd_script *s, const figure *f, what which, double bottom_in, double top_in)
{
    double low = INFINITY, high = -INFINITY, width = s->width_in;
    for (size_t m = 0; m < f->map.count; m++)
        for (size_t i = 0; i < f->cells; i++)
            if (isfinite(values_of(f, m, which)[i])) {
                low = fmin(low, values_of(f, m, which)[i]);
                high = fmax(high, values_of(f, m, which)[i]);
            }
    bool logarithmic = low > 0 && high > 10 * low;
    if (!(low < high)) {
        low = isfinite(low) ? low - 0.05 * fmax(fabs(low), 1e-300) : 0;
        high = isfinite(high) ? high + 0.05 * fmax(fabs(high), 1e-300) : 1;
    }
    double dark = hsgd_sweep_map_dark_below();
    fprintf(s->stream, "isdark(x) = x < %.17g\n",
            logarithmic ? low * pow(high / low, dark) : low + dark * (high - low));
    fprintf(s->stream, "%sset logscale cb; set cbrange [%.17g:%.17g]; ", logarithmic ? "" : "un", low, high);
    if (logarithmic)
        fprintf(s->stream, "set format cb '%s'; set cbtics auto\n", hsgd_script_pick(s, "10^{%T}", "$10^{%T}$"));
    else
        fprintf(s->stream, "set format cb '%%g'; set cbtics %.3g\n", hsgd_tick_distance(high - low));
    fprintf(s->stream, "set colorbox vertical user origin screen %.4f,screen %.4f size screen %.4f,screen %.4f\n",
            1 - (BOX_ROOM_IN - 0.08) / width, bottom_in / s->height_in, BOX_WIDTH_IN / width,
            (top_in - bottom_in) / s->height_in);
}

static double panel_height(const figure *f)
{
    return CELL_IN * fmin(8, fmax(3, (double)f->in->axis[1].num_values));
}

static size_t num_panels(const figure *f)
{
    return f->map.count * (f->kind < HSGD_MAX_SWEEP_BOUNDS ? NUM_VALUES : 1);
}

static double panel_distance(const figure *f)
{
    return panel_height(f) + HSGD_X_AXIS_IN + ABOVE_IN;
}

static void write_heading(hsgd_script *s, const figure *f, size_t map, what which, double top_in)
{
    char text[HSGD_TEXT_SIZE];
    hsgd_quoted quoted;
    const char *third = f->in->num_axes > 2 ? f->in->axis[2].title[f->map.value[map]] : "";
    snprintf(text, sizeof text, "%s%s%s%s", which == VALUE_S ? "measured S" : "S / ",
             which == VALUE_S ? "" : hsgd_sweep_bound_name(f->in, f->kind), *third ? ", " : "", third);
    hsgd_font font;
    fprintf(s->stream, "set label 6 %s at graph 0.5,screen %.4f center%s\n",
            hsgd_text_quote(&quoted, s->format, text, 60), (top_in + 0.08) / s->height_in,
            hsgd_script_font(&font, s, 7));
}

/* Numbers in the cells where there is room for them; light on dark colours, which gnuplot's cairolatex leaves black. */
static void add_numbers(hsgd_script *s, const figure *f, const char *column)
{
    if (f->cells > MAX_CELLS_WITH_NUMBERS || f->in->axis[0].num_values > 8 || s->format == HSGD_FIGURE_TEX)
        return;
    hsgd_font font;
    for (int dark = 0; dark < 2; dark++)
        hsgd_script_series(s,
                           "'sweep-map.dat' using \"x\":(isdark(column(\"%s\")) == %d ? column(\"y\") : NaN)"
                           ":(number(column(\"%s\"))) \\\n          with labels%s textcolor rgb '%s' notitle",
                           column, dark, column, hsgd_script_font(&font, s, 6), dark ? "#ffffff" : "#000000");
}

static void draw_panel(hsgd_script *s, const figure *f, size_t map, what which, double top_in)
{
    double bottom_in = top_in - panel_height(f);
    char column[48];
    hsgd_quoted quoted;
    snprintf(column, sizeof column, "%s_%zu", which == VALUE_S ? "S" : "share", f->map.value[map] + 1);
    hsgd_script_panel(s, bottom_in, top_in);
    write_ticks(s, &f->in->axis[0], 'x');
    write_ticks(s, &f->in->axis[1], 'y');
    write_colours(s, f, which, bottom_in, top_in);
    write_heading(s, f, map, which, top_in);
    fprintf(s->stream, "set label 4 %s at graph 0.5,screen %.4f center\n",
            hsgd_text_quote(&quoted, s->format, f->in->axis[0].name, 40), (bottom_in - 0.24) / s->height_in);
    fprintf(s->stream, "set label 5 %s at screen %.4f,graph 0.5 center rotate\n",
            hsgd_text_quote(&quoted, s->format, f->in->axis[1].name, 24), 0.105 / s->width_in);
    hsgd_script_series(s, "'sweep-map.dat' using \"x\":\"y\":\"%s\" with image pixels notitle", column);
    add_numbers(s, f, column);
    hsgd_script_plotted(s);
}

static void write_script(hsgd_script *s, const figure *f)
{
    double top = s->height_in - hsgd_sweep_caption_height(f->style, f->remark.note) - ABOVE_IN;
    size_t kinds = f->kind < HSGD_MAX_SWEEP_BOUNDS ? NUM_VALUES : 1;
    hsgd_sweep_caption(s, f->in, f->style, false, f->remark.note);
    hsgd_script_margins(s, LEFT_IN, BOX_ROOM_IN);
    fputs("unset key; unset grid\n", s->stream);
    write_palette(s->stream);
    fputs("number(x) = x == x ? sprintf('%.3g', x) : ''\nset multiplot\n", s->stream);
    for (size_t i = 0; i < num_panels(f); i++) {
        draw_panel(s, f, i / kinds, (what)(i % kinds), top - (double)i * panel_distance(f));
        fputs(i + 1 < num_panels(f) ? "unset label\n" : "", s->stream); /* the caption is there */
    }
    fputs("unset multiplot\n", s->stream);
}

static hsgd_status write(const hsgd_sweep_figure_input *in, const char *dir, const hsgd_figure_style *style,
                         hsgd_error *err)
{
    figure f;
    hsgd_script script;
    hsgd_status status = prepare(&f, in, style, err);
    if (!status)
        status = write_data(&f, dir, err);
    if (!status)
        status = hsgd_sweep_write_caption(in, &hsgd_sweep_figure_map, style->band, dir, err);
    double height =
        hsgd_sweep_caption_height(style, f.remark.note) + (double)num_panels(&f) * panel_distance(&f) + 0.03;
    if (!status)
        status = hsgd_script_open(&script, dir, "sweep-map", style, height,
                                  "Map of a sweep: S, and S as a share of its bound, over two axes.", err);
    if (!status) {
        write_script(&script, &f);
        status = hsgd_script_close(&script, err);
    }
    free(f.memory);
    return status;
}

const hsgd_sweep_figure hsgd_sweep_figure_map = {"sweep-map", possible, remark, write};
