/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Cells have one size whatever the numbers on the axes are. A cell that holds is light and shows the ratio where there is room
 * for it, else contours do; every other verdict has a symbol, so that nothing hangs on colour alone. */
#include "plots/phase.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "plots/caption_private.h"
#include "plots/sweep_private.h"
#include "plots/table_private.h"

enum { MAX_PANELS = 6, NUM_CONTOURS = 3, LONGEST_ROW_LABEL = 14, LONGEST_TICK = 24 };

#define LEFT_IN 0.62
#define RIGHT_IN 0.12
#define ROW_IN 0.26    /* height of a row of cells, while there are few */
#define TALLEST_IN 2.3 /* of a panel */
#define ABOVE_IN 0.18  /* a panel's heading */
#define CHARACTER_IN 0.054
#define LEGEND_ROW_IN 0.15
#define NUMBER_WIDTH_IN 0.25 /* of a ratio in a cell */
#define NUMBER_HEIGHT_IN 0.11
#define SYMBOL_ROOM_IN 0.09 /* symbols stand no closer */

/* Okabe and Ito's colours but for grey and the light blue; pt: gnuplot's symbol, 0: none. */
static const struct {
    const char *name, *colour, *ink;
    int symbol;
    const char *meaning; /* in the legend */
} look[HSGD_NUM_CELLS] = {[HSGD_CELL_HOLDS] = {"holds", "#cfe8f7", "#000000", 0, "holds"},
                          [HSGD_CELL_EQUAL] = {"equal", "#b0b0b0", "#000000", 0, "all equal"},
                          [HSGD_CELL_BELOW] = {"fails below", "#0072B2", "#ffffff", 11, "below inner"},
                          [HSGD_CELL_ABOVE] = {"fails above", "#D55E00", "#ffffff", 9, "above outer"},
                          [HSGD_CELL_REVERSED] = {"reversed", "#000000", "#ffffff", 2, "reversed"},
                          [HSGD_CELL_INCONCLUSIVE] = {"inconclusive", "#F0E442", "#000000", 6, "inconclusive"},
                          [HSGD_CELL_DIVERGED] = {"diverged", "#707070", "#ffffff", 3, "diverged"},
                          [HSGD_CELL_ILLEGAL] = {"illegal", "#ffffff", "#000000", 0, "illegal"}};

/* Verdicts that have cells; illegal points stay blank. */
enum { NUM_DRAWN = HSGD_CELL_ILLEGAL };

typedef struct figure {
    const hsgd_phase_figure_input *in;
    const hsgd_figure_style *style;
    hsgd_selection panel; /* of the third axis */
    size_t columns, rows, abreast, cells;
    double panel_width_in, panel_height_in, x_room_in, left_in;
    double *x, *y;           /* (cells) numbers of the values, from 0 */
    double *verdict, *ratio; /* (panel.count, cells) */
    double *memory;          /* owned, of the four */
    bool occurs[NUM_DRAWN], in_panel[MAX_PANELS][NUM_DRAWN];
    bool has_contour[MAX_PANELS][NUM_CONTOURS]; /* known once they are written */
} figure;

const char *hsgd_phase_cell_name(hsgd_phase_cell cell)
{
    return (size_t)cell < HSGD_NUM_CELLS ? look[cell].name : "?";
}

int hsgd_phase_cell_parse(const char *name, hsgd_phase_cell *cell)
{
    for (int c = 0; name && c < HSGD_NUM_CELLS; c++)
        if (strcmp(name, look[c].name) == 0) {
            *cell = (hsgd_phase_cell)c;
            return 0;
        }
    return -1;
}

const char *hsgd_phase_colour(hsgd_phase_cell verdict)
{
    return (size_t)verdict < HSGD_NUM_CELLS ? look[verdict].colour : "#ffffff";
}

int hsgd_phase_symbol(hsgd_phase_cell verdict)
{
    return verdict == HSGD_CELL_EQUAL ? -1 : (size_t)verdict < HSGD_NUM_CELLS ? look[verdict].symbol : 0;
}

bool hsgd_phase_figure_is_worst_case(const hsgd_phase_figure_input *in)
{
    return strncmp(in->quantity, "worst-case", strlen("worst-case")) == 0;
}

/* ---- data ---- */

static size_t count_of(const hsgd_phase_figure_input *in, size_t axis)
{
    return axis < in->num_axes ? in->axis[axis].num_values : 1;
}

static const hsgd_phase_figure_point *point_at(const hsgd_phase_figure_input *in, size_t first, size_t second,
                                               size_t third)
{
    return &in->point[(first * count_of(in, 1) + second) * count_of(in, 2) + third];
}

/* Where value i stands: numbers ascend, names keep their order. */
static size_t rank_of(const hsgd_phase_figure_input *in, size_t axis, size_t i)
{
    size_t below = 0;
    if (axis >= in->num_axes || !in->axis[axis].at)
        return i;
    for (size_t j = 0; j < in->axis[axis].num_values; j++)
        below += in->axis[axis].at[j] < in->axis[axis].at[i];
    return below;
}

static void fill(figure *f)
{
    for (size_t i = 0; i < f->cells; i++) {
        size_t first = i / f->rows, second = i % f->rows;
        f->x[i] = (double)rank_of(f->in, 0, first);
        f->y[i] = (double)rank_of(f->in, 1, second);
        for (size_t p = 0; p < f->panel.count; p++) {
            const hsgd_phase_figure_point *point = point_at(f->in, first, second, f->panel.value[p]);
            bool drawn = (int)point->verdict < NUM_DRAWN;
            f->verdict[p * f->cells + i] = drawn ? (double)point->verdict : NAN;
            f->ratio[p * f->cells + i] = point->verdict == HSGD_CELL_HOLDS ? point->ratio : NAN;
            if (drawn)
                f->occurs[point->verdict] = f->in_panel[p][point->verdict] = true;
        }
    }
}

/* ---- layout ---- */

static size_t widest_label(const hsgd_sweep_figure_axis *axis, size_t most)
{
    size_t widest = 0;
    for (size_t i = 0; i < axis->num_values; i++) {
        char clean[HSGD_TEXT_SIZE];
        size_t width = hsgd_text_clean(clean, axis->label[i], most);
        widest = width > widest ? width : widest;
    }
    return widest;
}

static void lay_out(figure *f)
{
    const hsgd_phase_figure_input *in = f->in;
    bool names = !in->axis[0].at || (in->num_axes > 1 && !in->axis[1].at);
    f->abreast = names ? 1 : hsgd_panels_abreast(f->style->width_in, f->panel.count);
    f->left_in = LEFT_IN;
    if (in->num_axes > 1 && !in->axis[1].at)
        f->left_in = fmax(LEFT_IN, 0.3 + CHARACTER_IN * (double)widest_label(&in->axis[1], LONGEST_ROW_LABEL));
    if (in->num_axes == 1)
        f->left_in = 0.3;
    double room = f->style->width_in - f->left_in - RIGHT_IN, gap = 0.45;
    f->panel_width_in = f->abreast == 1 ? room : (room + gap) / (double)f->abreast - gap;
    f->panel_height_in = fmin(TALLEST_IN, fmax(1, (double)f->rows) * ROW_IN);
    f->x_room_in = in->axis[0].at ? HSGD_X_AXIS_IN : hsgd_sweep_x_room(f->style, &in->axis[0]);
}

static hsgd_status prepare(figure *f, const hsgd_phase_figure_input *in, const hsgd_figure_style *style,
                           hsgd_error *err)
{
    *f = (figure){.in = in,
                  .style = style,
                  .panel = hsgd_select(count_of(in, 2), MAX_PANELS),
                  .columns = count_of(in, 0),
                  .rows = count_of(in, 1)};
    f->cells = f->columns * f->rows;
    f->memory = calloc((2 + 2 * f->panel.count) * f->cells, sizeof *f->memory);
    if (!f->memory)
        return hsgd_fail_memory(err, "the data of a figure");
    f->x = f->memory;
    f->y = f->x + f->cells;
    f->verdict = f->y + f->cells;
    f->ratio = f->verdict + f->panel.count * f->cells;
    fill(f);
    lay_out(f);
    return HSGD_OK;
}

static hsgd_status write_data(const figure *f, const char *dir, hsgd_error *err)
{
    hsgd_table table;
    hsgd_table_init(&table, f->cells);
    table.keep_from = 0; /* a map without some of its cells is none */
    hsgd_table_add(&table, f->x, 1, false, "x");
    hsgd_table_add(&table, f->y, 1, false, "y");
    for (size_t p = 0; p < f->panel.count; p++) {
        hsgd_table_add(&table, f->verdict + p * f->cells, 1, false, "verdict_%zu", f->panel.value[p] + 1);
        hsgd_table_add(&table, f->ratio + p * f->cells, 1, false, "ratio_%zu", f->panel.value[p] + 1);
    }
    hsgd_status status = hsgd_table_write(&table, dir, "phase", err);
    hsgd_table_free(&table);
    return status;
}

/* ---- contours of the ratio ---- */

static const double contour_level[NUM_CONTOURS] = {0.25, 0.5, 0.75};

/* Both sides of the level are there. A corner on it counts as above. */
static bool is_crossed(const double corner[4], double level)
{
    double low = fmin(fmin(corner[0], corner[1]), fmin(corner[2], corner[3]));
    double high = fmax(fmax(corner[0], corner[1]), fmax(corner[2], corner[3]));
    return isfinite(corner[0] + corner[1] + corner[2] + corner[3]) && low < level && high >= level;
}

/* One square between four neighbours: a line from edge to edge wherever the level is crossed (marching squares). */
static void write_square(FILE *out, const double corner[4], size_t x, size_t y, double level)
{
    static const int from[4] = {0, 1, 3, 2}, to[4] = {1, 3, 2, 0};
    static const double right[4] = {0, 1, 0, 1}, up[4] = {0, 0, 1, 1}; /* of the four corners */
    double px[4], py[4];
    int found = 0;
    for (int e = 0; e < 4; e++) {
        double a = corner[from[e]] - level, b = corner[to[e]] - level;
        if (!((a < 0) != (b < 0)))
            continue;
        double s = a / (a - b);
        px[found] = (double)x + right[from[e]] + s * (right[to[e]] - right[from[e]]);
        py[found++] = (double)y + up[from[e]] + s * (up[to[e]] - up[from[e]]);
    }
    for (int k = 0; k + 1 < found; k += 2)
        fprintf(out, "%.4f %.4f\n%.4f %.4f\n\n", px[k], py[k], px[k + 1], py[k + 1]);
}

/* The ratio where outer > inner, outside of 0 to 1 too, so that lines reach the border of what holds. */
static double contoured(const hsgd_phase_figure_point *p)
{
    bool inside = p->verdict == HSGD_CELL_HOLDS;
    bool beside = (p->verdict == HSGD_CELL_BELOW && p->ratio < 0) || (p->verdict == HSGD_CELL_ABOVE && p->ratio > 1);
    return inside || beside ? p->ratio : NAN;
}

/* The ratios of a panel by place, row by row; NULL when memory is out. */
static double *contour_grid(const figure *f, size_t panel)
{
    double *grid = calloc(f->cells, sizeof *grid);
    for (size_t i = 0; grid && i < f->cells; i++)
        grid[(size_t)f->y[i] * f->columns + (size_t)f->x[i]] =
            contoured(point_at(f->in, i / f->rows, i % f->rows, f->panel.value[panel]));
    return grid;
}

/* A block of line segments for each level that is crossed; gnuplot complains about empty ones. */
static void write_contours(FILE *out, figure *f, size_t panel, const double *grid)
{
    for (size_t l = 0; l < NUM_CONTOURS; l++) {
        for (size_t y = 0; y + 1 < f->rows; y++)
            for (size_t x = 0; x + 1 < f->columns; x++) {
                const double *at = grid + y * f->columns + x;
                const double corner[4] = {at[0], at[1], at[f->columns], at[f->columns + 1]};
                if (!is_crossed(corner, contour_level[l]))
                    continue;
                if (!f->has_contour[panel][l])
                    fprintf(out, "$contour_%zu_%zu << EOD\n", panel + 1, l + 1);
                f->has_contour[panel][l] = true;
                write_square(out, corner, x, y, contour_level[l]);
            }
        fputs(f->has_contour[panel][l] ? "EOD\n" : "", out);
    }
}

static hsgd_status write_all_contours(FILE *out, figure *f, hsgd_error *err)
{
    for (size_t p = 0; p < f->panel.count; p++) {
        double *grid = contour_grid(f, p);
        if (!grid)
            return hsgd_fail_memory(err, "the contours of a figure");
        write_contours(out, f, p, grid);
        free(grid);
    }
    return HSGD_OK;
}

/* ---- the script ---- */

static bool numbers_fit(const figure *f)
{
    return f->panel_width_in / (double)f->columns >= NUMBER_WIDTH_IN &&
           f->panel_height_in / (double)f->rows >= NUMBER_HEIGHT_IN && f->style->format != HSGD_FIGURE_TEX;
}

static bool has_contours(const figure *f)
{
    return !numbers_fit(f) && f->rows > 2 && f->columns > 2;
}

static size_t at_least_one(double x)
{
    return x < 1 ? 1 : (size_t)ceil(x);
}

static void write_ticks(hsgd_script *s, const figure *f, size_t axis, char letter)
{
    const hsgd_sweep_figure_axis *a = &f->in->axis[axis];
    double room = letter == 'x' ? f->panel_width_in / 0.32 : f->panel_height_in / 0.13;
    size_t every = at_least_one((double)a->num_values / room);
    const char *separator = "";
    fprintf(s->stream, "set %crange [-0.5:%.1f]; set %ctics norotate (", letter, (double)a->num_values - 0.5, letter);
    for (size_t i = 0; i < a->num_values; i++) {
        hsgd_number number;
        hsgd_quoted quoted;
        size_t place = rank_of(f->in, axis, i);
        if (place % every)
            continue;
        if (a->at)
            fprintf(s->stream, "%s'%s' %zu", separator, hsgd_text_number(&number, s->format, a->at[i]), place);
        else {
            char *keyword = strstr(hsgd_text_quote(&quoted, s->format, a->label[i], LONGEST_ROW_LABEL), " noenhanced");
            if (keyword && !keyword[strlen(" noenhanced")])
                *keyword = '\0'; /* a keyword of all ticks */
            fprintf(s->stream, "%s%s %zu", separator, quoted.text, place);
        }
        separator = ", ";
    }
    fprintf(s->stream, ")%s\n", a->at ? " enhanced" : " noenhanced");
}

static void write_axes(hsgd_script *s, const figure *f, double bottom_in, bool first_column)
{
    const hsgd_phase_figure_input *in = f->in;
    hsgd_quoted quoted;
    if (in->axis[0].at)
        write_ticks(s, f, 0, 'x');
    else
        hsgd_sweep_x_axis(s, f->style, &in->axis[0], bottom_in, false);
    fprintf(s->stream, "set label 4 %s at graph 0.5,screen %.4f center\n",
            hsgd_text_quote(&quoted, s->format, in->axis[0].name, 40), (bottom_in - f->x_room_in + 0.1) / s->height_in);
    if (in->num_axes < 2) {
        fputs("set yrange [-0.5:0.5]; unset ytics\n", s->stream);
        return;
    }
    write_ticks(s, f, 1, 'y');
    if (first_column)
        fprintf(s->stream, "set label 5 %s at screen %.4f,graph 0.5 center rotate\n",
                hsgd_text_quote(&quoted, s->format, in->axis[1].name, 24), 0.105 / s->width_in);
}

/* Is there a cell with this verdict among every so many? */
static bool any_among(const figure *f, size_t panel, int verdict, size_t every_x, size_t every_y)
{
    for (size_t i = 0; i < f->cells; i++)
        if (f->verdict[panel * f->cells + i] == (double)verdict && (size_t)f->x[i] % every_x == 0 &&
            (size_t)f->y[i] % every_y == 0)
            return true;
    return false;
}

/* Symbols stand in every cell, or in every so many where these are small, unless a region is so thin that it had none. */
static void draw_symbols(hsgd_script *s, const figure *f, size_t panel, int verdict)
{
    size_t number = f->panel.value[panel] + 1;
    double wide = f->panel_width_in / (double)f->columns, high = f->panel_height_in / (double)f->rows;
    size_t every_x = at_least_one(SYMBOL_ROOM_IN / wide), every_y = at_least_one(SYMBOL_ROOM_IN / high);
    if (!any_among(f, panel, verdict, every_x, every_y))
        every_x = every_y = 1;
    double room = fmin(fmin(wide * (double)every_x, high * (double)every_y), 0.2);
    hsgd_script_series(
        s,
        "'phase.dat' using \"x\":(column(\"verdict_%zu\") == %d && int(column(\"x\")) %% %zu == 0 && "
        "int(column(\"y\")) %% %zu == 0 ? column(\"y\") : NaN) \\\n          with points pt %d ps %.3g lw "
        "0.8 lc rgb '%s' notitle",
        number, verdict, every_x, every_y, look[verdict].symbol, hsgd_point_size(s, 5 * room), look[verdict].ink);
}

static const char *fill_style(int verdict)
{
    return verdict == HSGD_CELL_EQUAL ? "pattern 4 noborder" : "solid 1 noborder";
}

static void draw_cells(hsgd_script *s, const figure *f, size_t panel)
{
    for (int v = 0; v < NUM_DRAWN; v++)
        if (f->in_panel[panel][v])
            hsgd_script_series(
                s,
                "'phase.dat' using \"x\":(column(\"verdict_%zu\") == %d ? column(\"y\") : NaN):(half):(half)"
                " \\\n          with boxxyerror fs %s lc rgb '%s' notitle",
                f->panel.value[panel] + 1, v, fill_style(v), look[v].colour);
    for (int v = 0; v < NUM_DRAWN; v++)
        if (f->in_panel[panel][v] && look[v].symbol)
            draw_symbols(s, f, panel, v);
}

static void draw_ratios(hsgd_script *s, const figure *f, size_t panel)
{
    hsgd_font font;
    static const double width[NUM_CONTOURS] = {0.5, 1.2, 2}; /* dashes would start anew in every cell */
    if (numbers_fit(f) && f->in_panel[panel][HSGD_CELL_HOLDS])
        hsgd_script_series(s,
                           "'phase.dat' using \"x\":\"y\":(number(column(\"ratio_%zu\"))) \\\n          with labels%s "
                           "textcolor rgb '#000000' notitle",
                           f->panel.value[panel] + 1, hsgd_script_font(&font, s, 6));
    for (size_t l = 0; l < NUM_CONTOURS; l++)
        if (f->has_contour[panel][l])
            hsgd_script_series(s, "$contour_%zu_%zu using 1:2 with lines lw %g lc rgb '#000000' notitle", panel + 1,
                               l + 1, width[l]);
}

static void draw_panel(hsgd_script *s, const figure *f, size_t panel, double top_in)
{
    hsgd_quoted quoted;
    hsgd_font font;
    size_t column = panel % f->abreast;
    double bottom_in = top_in - f->panel_height_in;
    if (f->abreast > 1)
        hsgd_script_column(s, column, f->abreast);
    else
        hsgd_script_margins(s, f->left_in, RIGHT_IN);
    hsgd_script_panel(s, bottom_in, top_in);
    write_axes(s, f, bottom_in, column == 0);
    if (f->in->num_axes > 2)
        fprintf(s->stream, "set label 6 %s at graph 0.5,screen %.4f center%s\n",
                hsgd_text_quote(&quoted, s->format, f->in->axis[2].title[f->panel.value[panel]], 60),
                (top_in + 0.08) / s->height_in, hsgd_script_font(&font, s, 7));
    draw_cells(s, f, panel);
    draw_ratios(s, f, panel);
    hsgd_script_plotted(s);
}

/* ---- title and legend ---- */

static void put_range(hsgd_script *s, const char *plain, const char *tex, hsgd_phase_range x)
{
    hsgd_number number;
    fprintf(s->stream, "%s = %s", hsgd_script_pick(s, plain, tex), hsgd_text_number(&number, s->format, x.low));
    if (x.low < x.high)
        fprintf(s->stream, " to %s", hsgd_text_number(&number, s->format, x.high));
    fputs(", ", s->stream);
}

static const char *subject(const hsgd_phase_figure_input *in)
{
    return strcmp(in->quantity, "dispersion") == 0 ? "dispersion" : strcmp(in->quantity, "loss") == 0 ? "loss" : "S";
}

static void write_title(hsgd_script *s, const figure *f)
{
    const hsgd_phase_figure_input *in = f->in;
    if (!f->style->title)
        return;
    hsgd_script_name(s, in->name, (size_t)(13 * f->style->width_in));
    fprintf(s->stream, "set label 2 '%s", hsgd_script_pick(s, "", HSGD_SMALL_TEX_FONT));
    put_range(s, "{/:Italic n}", "$n$", in->workers);
    put_range(s, "{/:Italic T}", "$T$", in->steps);
    put_range(s, "{/:Italic γ}", "$\\gamma$", in->step_size);
    if (in->values.high > 0)
        fprintf(s->stream, "%s at %.4g%s confidence", subject(in), 100 * in->confidence,
                hsgd_script_pick(s, "%", "\\,\\%"));
    else
        fprintf(s->stream, "%s %s", hsgd_phase_figure_is_worst_case(in) ? "worst case of" : "exact", subject(in));
    fputs("'", s->stream);
    hsgd_script_title_line(s, 2);
}

/* Entries of the legend: the verdicts that occur, as columns of one width. */
typedef struct legend {
    int verdict[NUM_DRAWN];
    size_t count, columns;
    double column_in;
} legend;

static legend make_legend(const figure *f)
{
    legend out = {.count = 0};
    size_t widest = 0;
    for (int v = 0; v < NUM_DRAWN; v++)
        if (f->occurs[v]) {
            out.verdict[out.count++] = v;
            size_t width = strlen(look[v].meaning);
            widest = width > widest ? width : widest;
        }
    out.column_in = 0.3 + CHARACTER_IN * (double)widest;
    size_t most = at_least_one((f->style->width_in - 0.2) / out.column_in - 1);
    out.columns = out.count < most ? out.count : most;
    return out;
}

static double entries_height(const legend *l)
{
    size_t rows = (l->count + l->columns - 1) / l->columns;
    return LEGEND_ROW_IN * (double)rows;
}

static double legend_height(const figure *f)
{
    legend l = make_legend(f);
    double ratio = has_contours(f) || (numbers_fit(f) && f->occurs[HSGD_CELL_HOLDS]) ? LEGEND_ROW_IN : 0;
    return 0.06 + entries_height(&l) + ratio;
}

static void write_entry(hsgd_script *s, int verdict, double x_in, double y_in, int number)
{
    hsgd_font font;
    double w = s->width_in, h = s->height_in;
    fprintf(s->stream,
            "set object %d rectangle from screen %.4f,screen %.4f to screen %.4f,screen %.4f fc rgb '%s' fs %s%s\n",
            number, x_in / w, (y_in - 0.045) / h, (x_in + 0.16) / w, (y_in + 0.045) / h, look[verdict].colour,
            verdict == HSGD_CELL_EQUAL ? "pattern 4" : "solid 1", " border lc rgb '#808080' lw 0.5");
    if (look[verdict].symbol)
        fprintf(s->stream, "set label %d '' at screen %.4f,screen %.4f point pt %d ps %.3g lw 0.8 lc rgb '%s' front\n",
                20 + number, (x_in + 0.08) / w, y_in / h, look[verdict].symbol, hsgd_point_size(s, 0.4),
                look[verdict].ink);
    fprintf(s->stream, "set label %d '%s%s' at screen %.4f,screen %.4f left%s\n", 40 + number,
            hsgd_script_pick(s, "", HSGD_SMALL_TEX_FONT), look[verdict].meaning, (x_in + 0.21) / w, y_in / h,
            hsgd_script_font(&font, s, 7));
}

static bool any_contour(const figure *f)
{
    for (size_t p = 0; p < f->panel.count; p++)
        for (size_t l = 0; l < NUM_CONTOURS; l++)
            if (f->has_contour[p][l])
                return true;
    return false;
}

static void write_legend(hsgd_script *s, const figure *f, double top_in)
{
    legend l = make_legend(f);
    hsgd_font font;
    double left = (s->width_in - (double)l.columns * l.column_in) / 2, y = top_in - LEGEND_ROW_IN / 2;
    for (size_t i = 0; i < l.count; i++) {
        size_t row = i / l.columns, column = i % l.columns;
        write_entry(s, l.verdict[i], left + (double)column * l.column_in, y - (double)row * LEGEND_ROW_IN, (int)i + 1);
    }
    double below = y - entries_height(&l);
    const char *text = any_contour(f) ? "lines: (H-SGD - inner)/(outer - inner) = 0.25 (thin), 0.5, 0.75 (thick)"
                       : numbers_fit(f) && f->occurs[HSGD_CELL_HOLDS] ? "numbers: (H-SGD - inner)/(outer - inner)"
                                                                      : NULL;
    if (text)
        fprintf(s->stream, "set label 7 '%s%s' at screen 0.5,screen %.4f center%s\n",
                hsgd_script_pick(s, "", HSGD_SMALL_TEX_FONT), text, below / s->height_in,
                hsgd_script_font(&font, s, 7));
}

static double panel_distance(const figure *f)
{
    return f->panel_height_in + f->x_room_in + (f->in->num_axes > 2 ? ABOVE_IN : 0.04);
}

static size_t num_rows_of_panels(const figure *f)
{
    return (f->panel.count + f->abreast - 1) / f->abreast;
}

static hsgd_status write_script(hsgd_script *s, figure *f, hsgd_error *err)
{
    double top = s->height_in - hsgd_title_lines_height(f->style->title, 2) - (f->in->num_axes > 2 ? ABOVE_IN : 0.04);
    hsgd_status status = has_contours(f) ? write_all_contours(s->stream, f, err) : HSGD_OK;
    if (status)
        return status;
    write_title(s, f);
    write_legend(s, f, legend_height(f) + 0.02);
    fputs("unset key; unset grid; set tics nomirror\n"
          "half = 0.502 # of a cell, and a little more against gaps between neighbours\n"
          "number(x) = x == x ? sprintf('%.2f', x) : ''\nset multiplot\n",
          s->stream);
    for (size_t p = 0; p < f->panel.count; p++) {
        size_t row = p / f->abreast;
        draw_panel(s, f, p, top - (double)row * panel_distance(f));
        fputs(p + 1 < f->panel.count ? "unset label; unset object\n" : "", s->stream); /* title and legend are there */
    }
    fputs("unset multiplot\n", s->stream);
    return HSGD_OK;
}

static hsgd_status write_caption(const hsgd_phase_figure_input *in, const char *dir, hsgd_error *err)
{
    return hsgd_caption_write(hsgd_phase_figure_caption(in, HSGD_CAPTION_TEX), dir, "phase", err);
}

hsgd_status hsgd_phase_figure_write(const hsgd_phase_figure_input *input, const char *dir,
                                    const hsgd_figure_style *style, hsgd_error *err)
{
    figure f;
    hsgd_script script;
    hsgd_status status = prepare(&f, input, style, err);
    if (!status)
        status = write_data(&f, dir, err);
    if (!status)
        status = write_caption(input, dir, err);
    if (!status) {
        double height = hsgd_title_lines_height(style->title, 2) + (double)num_rows_of_panels(&f) * panel_distance(&f) +
                        legend_height(&f) + 0.06;
        status = hsgd_script_open(&script, dir, "phase", style, height,
                                  "Phase diagram: where H-SGD lies between its two local SGDs.", err);
    }
    if (!status) {
        status = write_script(&script, &f, err);
        if (status)
            hsgd_output_drop(&script.out);
        else
            status = hsgd_script_close(&script, err);
    }
    free(f.memory);
    return status;
}
