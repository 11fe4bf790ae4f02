/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "plots/plan.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/text_stream.h"
#include "plots/caption_private.h"
#include "plots/script_private.h"
#include "plots/table_private.h"

#define ROW_GAP_IN 0.12
#define PANEL_IN 1.35
#define MARK_SIZE 0.6

enum {
    WIDEST_ENTRY = sizeof "synchronous SGD" - 1,
    NUM_ENTRIES = HSGD_NUM_PLAN_CURVES,
    CAPTION_TEXT_WIDTH = 60,
    NUM_COLUMNS = 4 * HSGD_NUM_PLAN_CURVES + 4
};

static const char *const curve_name[HSGD_NUM_PLAN_CURVES] = {"hsgd", "local_sgd", "synchronous"};
static const char *const curve_title[HSGD_NUM_PLAN_CURVES] = {"H-SGD", "local SGD", "synchronous SGD"};
static const char *const curve_dash[HSGD_NUM_PLAN_CURVES] = {"solid", "(8,3)", "(2,2)"};
static const int point_type[HSGD_NUM_PLAN_CURVES] = {7, 5, 9};

/* ---- data ---- */

/* Columns are as long as the longest; what is missing is NAN. */
typedef struct columns {
    size_t num_rows, count;
    double *memory; /* (NUM_COLUMNS, num_rows), owned */
    hsgd_table table;
} columns;

static void add_column(columns *c, const char *name, const double *data, size_t count)
{
    double *column = c->memory + c->count++ * c->num_rows;
    for (size_t i = 0; i < c->num_rows; i++)
        column[i] = i < count ? data[i] : NAN;
    hsgd_table_add(&c->table, column, 1, true, "%s", name);
}

static void add_columns(columns *c, const hsgd_plan_figure_input *in)
{
    char name[48];
    add_column(c, "budget_s", in->budget_s, in->num_budgets);
    for (size_t i = 0; i < HSGD_NUM_PLAN_CURVES; i++)
        add_column(c, curve_name[i], in->value[i], in->num_budgets);
    add_column(c, "best_s", in->best_s, in->num_best);
    add_column(c, "front_bytes", in->front_bytes, in->num_front);
    add_column(c, "front", in->front_value, in->num_front);
    for (size_t i = 0; i < HSGD_NUM_PLAN_CURVES; i++) {
        snprintf(name, sizeof name, "%s_best", curve_name[i]);
        add_column(c, name, in->best_value[i], in->num_best);
        snprintf(name, sizeof name, "%s_bytes", curve_name[i]);
        add_column(c, name, &in->bytes[i], 1);
        snprintf(name, sizeof name, "%s_at_budget", curve_name[i]);
        add_column(c, name, &in->bytes_value[i], 1);
    }
}

static hsgd_status write_data(const hsgd_plan_figure_input *in, const char *dir, hsgd_error *err)
{
    columns c = {.num_rows = in->num_budgets};
    c.num_rows = in->num_front > c.num_rows ? in->num_front : c.num_rows;
    c.num_rows = in->num_best > c.num_rows ? in->num_best : c.num_rows;
    c.memory = malloc(NUM_COLUMNS * (c.num_rows + 1) * sizeof *c.memory);
    if (!c.memory)
        return hsgd_fail_memory(err, "the data of a figure");
    hsgd_table_init(&c.table, c.num_rows);
    c.table.keep_from = 0; /* rows of different columns have nothing to do with each other: none is thinned */
    add_columns(&c, in);
    hsgd_status status = hsgd_table_write(&c.table, dir, HSGD_PLAN_FIGURE, err);
    hsgd_table_free(&c.table);
    free(c.memory);
    return status;
}

/* ---- the script ---- */

static bool has_front(const hsgd_plan_figure_input *in)
{
    return in->num_front > 1;
}

static void write_title(hsgd_script *s, const hsgd_plan_figure_input *in)
{
    hsgd_quoted quoted;
    char text[128];
    if (!s->title)
        return;
    hsgd_script_name(s, in->name, (size_t)(13 * s->width_in));
    snprintf(text, sizeof text, "%zu workers, bound %.60s", in->num_workers, in->bound);
    fprintf(s->stream, "set label 2 %s%s", hsgd_script_pick(s, "", "'" HSGD_SMALL_TEX_FONT "'."),
            hsgd_text_quote(&quoted, s->format, text, (size_t)(18 * s->width_in)));
    hsgd_script_title_line(s, 2);
}

static bool is_drawn(const hsgd_plan_figure_input *in, size_t i)
{
    const hsgd_range range = hsgd_range_of(in->value[i], in->num_budgets, 1);
    return hsgd_range_positive(&range);
}

/* A line, and a mark where a budget was asked for. */
static void add_curve(hsgd_script *s, const hsgd_plan_figure_input *in, size_t i, hsgd_unit unit)
{
    const hsgd_range marks = hsgd_range_of(in->best_value[i], in->num_best, 1);
    if (is_drawn(in, i))
        hsgd_script_series(
            s, "'plan.dat' using (column(\"budget_s\")/%g):\"%s\" with lines lc rgb '%s' lw 1.5 dt %s notitle",
            unit.size, curve_name[i], hsgd_colour(i + 1), curve_dash[i]);
    if (hsgd_range_positive(&marks))
        hsgd_script_series(
            s, "'plan.dat' using (column(\"best_s\")/%g):\"%s_best\" with points pt %d ps %.3g lc rgb '%s' notitle",
            unit.size, curve_name[i], point_type[i], hsgd_point_size(s, MARK_SIZE), hsgd_colour(i + 1));
}

static void add_legend(hsgd_script *s, const hsgd_plan_figure_input *in)
{
    for (size_t i = 0; i < HSGD_NUM_PLAN_CURVES; i++)
        hsgd_script_series(s, "keyentry with lp lc rgb '%s' lw 1.5 dt %s pt %d ps %.3g title '%s%s'",
                           hsgd_colour(i + 1), curve_dash[i], point_type[i], hsgd_point_size(s, MARK_SIZE),
                           curve_title[i], is_drawn(in, i) ? "" : " (none)");
}

static hsgd_range scaled(hsgd_range range, double unit)
{
    range.low /= unit;
    range.high /= unit;
    return range;
}

static void draw_curves(hsgd_script *s, const hsgd_plan_figure_input *in)
{
    hsgd_range x = hsgd_range_of(in->budget_s, in->num_budgets, 1), y = hsgd_range_empty();
    hsgd_unit unit = hsgd_script_unit(s, true, x.high);
    char label[64];
    for (size_t i = 0; i < HSGD_NUM_PLAN_CURVES; i++)
        hsgd_range_merge(&y, hsgd_range_of(in->value[i], in->num_budgets, 1));
    hsgd_script_log_x_axis(s, scaled(x, unit.size));
    hsgd_script_log_axis(s, y);
    snprintf(label, sizeof label, "time budget (%s)", unit.name);
    hsgd_script_axis_labels(s, label, "smallest bound");
    for (size_t i = HSGD_NUM_PLAN_CURVES; i-- > 0;)
        add_curve(s, in, i, unit);
    add_legend(s, in);
    hsgd_script_plotted(s);
}

/* Plans of the front, joined by lines: what lies above and to the right of them is no better. */
static void draw_front(hsgd_script *s, const hsgd_plan_figure_input *in)
{
    hsgd_range x = hsgd_range_of(in->front_bytes, in->num_front, 1),
               y = hsgd_range_of(in->front_value, in->num_front, 1);
    char label[96];
    for (size_t i = 0; i < HSGD_NUM_PLAN_CURVES; i++) {
        hsgd_range_add(&x, in->bytes[i]);
        hsgd_range_add(&y, in->bytes_value[i]);
    }
    hsgd_unit unit = hsgd_script_unit(s, false, x.high);
    hsgd_script_log_x_axis(s, scaled(x, unit.size));
    hsgd_script_log_axis(s, y);
    snprintf(label, sizeof label, "bytes over the outermost links (%s)", unit.name);
    hsgd_script_axis_labels(s, label, "bound");
    hsgd_script_series(
        s, "'plan.dat' using (column(\"front_bytes\")/%g):\"front\" with lines lw 1 dt solid lc rgb '%s' notitle",
        unit.size, hsgd_colour(1));
    hsgd_script_series(
        s, "'plan.dat' using (column(\"front_bytes\")/%g):\"front\" with points pt 7 ps %.3g lc rgb '%s' notitle",
        unit.size, hsgd_point_size(s, 0.25), hsgd_colour(1));
    for (size_t i = HSGD_NUM_PLAN_CURVES; i-- > 0;)
        if (isfinite(in->bytes[i]) && isfinite(in->bytes_value[i]))
            hsgd_script_series(s,
                               "'plan.dat' using (column(\"%s_bytes\")/%g):\"%s_at_budget\" with points pt %d ps %.3g "
                               "lc rgb '%s' notitle",
                               curve_name[i], unit.size, curve_name[i], point_type[i], hsgd_point_size(s, MARK_SIZE),
                               hsgd_colour(i + 1));
    hsgd_script_plotted(s);
}

static size_t legend_columns(double width_in)
{
    return hsgd_legend_columns(width_in, NUM_ENTRIES, WIDEST_ENTRY);
}

static double legend_height(double width_in)
{
    return hsgd_legend_height(NUM_ENTRIES, legend_columns(width_in));
}

static double panel_height(const hsgd_figure_style *style, bool several)
{
    return several ? PANEL_IN + 0.05 * (style->width_in - HSGD_WIDTH_IEEE_COLUMN_IN) : hsgd_panel_height(style);
}

static double page_height(const hsgd_plan_figure_input *in, const hsgd_figure_style *style)
{
    double panels = has_front(in) ? 2 : 1;
    return hsgd_title_lines_height(style->title, 2) + panels * (panel_height(style, has_front(in)) + HSGD_X_AXIS_IN) +
           (panels - 1) * ROW_GAP_IN + legend_height(style->width_in);
}

static void write_script(hsgd_script *s, const hsgd_plan_figure_input *in, const hsgd_figure_style *style)
{
    bool several = has_front(in);
    double top = s->height_in - hsgd_title_lines_height(s->title, 2), height = panel_height(style, several);
    write_title(s, in);
    fputs(several ? "set multiplot\n" : "", s->stream);
    hsgd_script_panel(s, top - height, top);
    hsgd_script_legend(s, legend_height(s->width_in), NUM_ENTRIES, legend_columns(s->width_in));
    draw_curves(s, in);
    if (!several)
        return;
    fputs("unset label; unset key\n", s->stream); /* both are there */
    top -= height + HSGD_X_AXIS_IN + ROW_GAP_IN;
    hsgd_script_panel(s, top - height, top);
    draw_front(s, in);
    fputs("unset multiplot\n", s->stream);
}

/* ---- the caption ---- */

typedef struct caption {
    const hsgd_plan_figure_input *in;
    hsgd_caption_syntax syntax;
    FILE *out;
} caption;

static const char *pick(const caption *c, const char *plain, const char *tex)
{
    return hsgd_caption_pick(c->syntax, plain, tex);
}

static void say_text(const caption *c, const char *text)
{
    hsgd_caption_say_text(c->out, c->syntax, text, CAPTION_TEXT_WIDTH);
}

static void say_seconds(const caption *c, double seconds)
{
    hsgd_number number;
    fprintf(c->out, pick(c, "%s s", "%s\\,s"),
            c->syntax == HSGD_CAPTION_TEX ? hsgd_text_number(&number, HSGD_FIGURE_TEX, seconds)
                                          : hsgd_text_plain_number(&number, seconds));
}

static void say_all(const caption *c)
{
    const hsgd_plan_figure_input *in = c->in;
    fputs("Smallest value of the bound ", c->out);
    say_text(c, in->bound);
    fprintf(
        c->out,
        pick(c, " that a time budget allows for n = %zu workers", " that a time budget allows for $n = %zu$ workers"),
        in->num_workers);
    if (in->num_plans)
        fprintf(c->out, ", over %zu plans of tree and periods, each with its best step size", in->num_plans);
    fputs(", over those that are local SGD and those that are synchronous SGD; marks: at the budgets that were asked "
          "for.",
          c->out);
    if (has_front(in)) {
        fputs(" Below: bound against bytes over the outermost links for the plans that no other beats in both, within ",
              c->out);
        say_seconds(c, in->front_budget_s);
        fputs(", and the best plan of each kind.", c->out);
    }
}

char *hsgd_plan_figure_caption(const hsgd_plan_figure_input *input, hsgd_caption_syntax syntax)
{
    hsgd_text_stream memory;
    const caption c = {input, syntax, hsgd_text_open(&memory)};
    if (!c.out)
        return NULL;
    say_all(&c);
    return hsgd_text_close(&memory, c.out);
}

static hsgd_status write_caption(const hsgd_plan_figure_input *in, const char *dir, hsgd_error *err)
{
    return hsgd_caption_write(hsgd_plan_figure_caption(in, HSGD_CAPTION_TEX), dir, HSGD_PLAN_FIGURE, err);
}

hsgd_status hsgd_plan_figure_write(const hsgd_plan_figure_input *in, const char *dir, const hsgd_figure_style *style,
                                   hsgd_error *err)
{
    hsgd_script script;
    hsgd_status status = write_data(in, dir, err);
    if (!status)
        status = write_caption(in, dir, err);
    if (!status)
        status = hsgd_script_open(&script, dir, HSGD_PLAN_FIGURE, style, page_height(in, style),
                                  "Plans: the smallest bound over the time budget, and bound against bytes.", err);
    if (status)
        return status;
    write_script(&script, in, style);
    return hsgd_script_close(&script, err);
}
