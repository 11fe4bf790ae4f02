/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Figure "terms": what each bound is made of.
 *
 * The terms of a bound add up, so stacking them is right, but only on a linear axis: on a log axis the length of a
 * stacked piece depends on where it stands. Bounds that differ by decades do not share a linear axis. So every bar
 * shows shares, which sum to 1, and the value of the bound is printed above it. The question that the figure answers is
 * which term dominates; terms below a percent or so are in the data file only.
 *
 * Columns of the data file, one row per bound in the order of the bars: row, value, sum (of the terms), term_1, term_2,
 * ...: the terms in the order of the legend, 0 where a bound has no such term. */
#include "plots/figures_private.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "plots/script_private.h"
#include "plots/table_private.h"

#define ROW_IN 0.25
#define LEFT_IN 0.14 /* margin: row labels stand inside the panel */
#define RIGHT_IN 0.12
enum { TITLE_MAX_WIDTH = 50, TERM_MAX_WIDTH = 30 };

/* The terms of all bounds that are drawn, as a matrix. */
typedef struct terms {
    const hsgd_figure_bound **bound; /* (num_bounds) owned array */
    const char **name;               /* (num_names) distinct term names in order of appearance; owned array */
    double *cell;                    /* (num_bounds, 3 + num_names) row, value, sum, terms; owned */
    size_t num_bounds, num_names;
} terms;

/* Shares make sense where the terms are finite, not negative, and not all zero. */
static bool drawn(const hsgd_figure_bound *bound)
{
    double largest = 0;
    for (size_t i = 0; i < bound->num_terms; i++) {
        if (!isfinite(bound->term_value[i]) || bound->term_value[i] < 0)
            return false;
        largest = fmax(largest, bound->term_value[i]);
    }
    return isfinite(bound->value) && largest > 0;
}

static bool possible(const hsgd_figure_input *in, char *reason, size_t size)
{
    for (size_t b = 0; b < in->num_bounds; b++)
        if (drawn(&in->bound[b]))
            return true;
    return hsgd_figure_lacks(reason, size, "no bound was evaluated");
}

static size_t index_of(const char **name, size_t count, const char *wanted)
{
    size_t i = 0;
    while (i < count && strcmp(name[i], wanted) != 0)
        i++;
    return i;
}

static void terms_free(terms *t)
{
    free(t->bound);
    free(t->name);
    free(t->cell);
}

static void fill_cells(terms *t)
{
    size_t columns = 3 + t->num_names;
    for (size_t b = 0; b < t->num_bounds; b++) {
        double *row = t->cell + b * columns;
        row[0] = (double)(b + 1);
        row[1] = t->bound[b]->value;
        for (size_t i = 0; i < t->bound[b]->num_terms; i++) {
            row[2] += t->bound[b]->term_value[i];
            row[3 + index_of(t->name, t->num_names, t->bound[b]->term_name[i])] += t->bound[b]->term_value[i];
        }
    }
}

static hsgd_status terms_collect(terms *t, const hsgd_figure_input *in, hsgd_error *err)
{
    *t = (terms){0};
    size_t most = 0;
    for (size_t b = 0; b < in->num_bounds; b++)
        most += in->bound[b].num_terms;
    t->bound = calloc(in->num_bounds, sizeof *t->bound);
    t->name = calloc(most, sizeof *t->name);
    if (!t->bound || !t->name)
        goto failed;
    for (size_t b = 0; b < in->num_bounds; b++) {
        const hsgd_figure_bound *bound = &in->bound[b];
        if (!drawn(bound))
            continue;
        t->bound[t->num_bounds++] = bound;
        for (size_t i = 0; i < bound->num_terms; i++)
            if (index_of(t->name, t->num_names, bound->term_name[i]) == t->num_names)
                t->name[t->num_names++] = bound->term_name[i];
    }
    t->cell = calloc(t->num_bounds * (3 + t->num_names), sizeof *t->cell);
    if (!t->cell)
        goto failed;
    fill_cells(t);
    return HSGD_OK;
failed:
    terms_free(t);
    return hsgd_fail_memory(err, "the terms of the bounds");
}

static bool any_not_applicable(const terms *t)
{
    for (size_t b = 0; b < t->num_bounds; b++)
        if (!t->bound[b]->applicable)
            return true;
    return false;
}

/* The line above a bar: title on the left, value on the right. A dagger marks a bound outside its conditions. */
static void label_bar(hsgd_script *s, const terms *t, size_t b)
{
    const hsgd_figure_bound *bound = t->bound[b];
    hsgd_quoted title;
    hsgd_number value;
    hsgd_font seven;
    const char *font = hsgd_script_font(&seven, s, 7);
    double y = (double)(b + 1) - 0.26;
    fprintf(s->stream, "set label %zu %s at graph 0.006,first %.2f left%s\n", 10 + 2 * b,
            hsgd_text_quote(&title, s->format, bound->title, TITLE_MAX_WIDTH), y, font);
    fprintf(s->stream, "set label %zu '%s%s' at graph 0.994,first %.2f right%s\n", 11 + 2 * b,
            hsgd_text_number(&value, s->format, bound->value),
            bound->applicable ? "" : hsgd_script_pick(s, " †", " $\\dagger$"), y, font);
}

typedef unsigned char rgb[3];

/* A hue for each kind of term, lighter from level to level: kinds are told apart by colour, levels by shade. */
static const struct {
    const char *kind; /* how the name of the term starts */
    rgb colour;
} hue[] = {{"initial gap", {0x00, 0x72, 0xb2}},
           {"gradient noise", {0xd5, 0x5e, 0x00}},
           {"noise drift", {0x00, 0x9e, 0x73}},
           {"divergence", {0xb8, 0x4f, 0x8f}},
           {"dispersion", {0xe6, 0x9f, 0x00}}};
enum { NUM_HUES = sizeof hue / sizeof *hue };

/* Names that only one paper or one user has take these in turn, lighter from one round to the next. */
static const rgb other[] = {{0x70, 0x70, 0x70}, {0x56, 0xb4, 0xe9}, {0xf0, 0xe4, 0x42}, {0x33, 0x22, 0x88},
                            {0xc8, 0xc8, 0xc8}, {0x88, 0x22, 0x55}, {0x99, 0x99, 0x33}};
enum { NUM_OTHERS = sizeof other / sizeof *other };

/* The index of a hue; NUM_HUES: none of these. */
static size_t kind_of(const char *name)
{
    size_t kind = 0;
    while (kind < NUM_HUES && strncmp(name, hue[kind].kind, strlen(hue[kind].kind)) != 0)
        kind++;
    return kind;
}

/* "#rrggbb" for a term; earlier terms of its kind make it lighter. */
static void term_colour(char colour[8], const terms *t, size_t i)
{
    size_t kind = kind_of(t->name[i]), earlier = 0;
    for (size_t j = 0; j < i; j++)
        earlier += kind_of(t->name[j]) == kind;
    const unsigned char *base = kind < NUM_HUES ? hue[kind].colour : other[earlier % NUM_OTHERS];
    double keep = pow(0.55, (double)(kind < NUM_HUES ? earlier : earlier / NUM_OTHERS));
    unsigned shown[3];
    for (size_t c = 0; c < 3; c++)
        shown[c] = (unsigned)lround(255 - keep * (255 - base[c]));
    snprintf(colour, 8, "#%02x%02x%02x", shown[0] & 0xff, shown[1] & 0xff, shown[2] & 0xff);
}

/* Term i of every bound. */
static void add_term(hsgd_script *s, const terms *t, size_t i)
{
    hsgd_quoted name;
    char colour[8];
    term_colour(colour, t, i);
    hsgd_script_series(
        s,
        "'terms.dat' using (0):1:(share(%zu)):(share(%zu)):($1-0.02):($1+0.40) with boxxyerror lw 0.4 lc rgb '%s' "
        "fs solid border lc rgb '#000000' title %s",
        i, i + 1, colour, hsgd_text_quote(&name, s->format, t->name[i], TERM_MAX_WIDTH));
}

static size_t legend_columns(const terms *t, double width_in)
{
    size_t widest = 1;
    for (size_t i = 0; i < t->num_names; i++)
        widest = strlen(t->name[i]) > widest ? strlen(t->name[i]) : widest;
    return hsgd_legend_columns(width_in, t->num_names, widest < TERM_MAX_WIDTH ? widest : TERM_MAX_WIDTH);
}

static double legend_height(const terms *t, double width_in)
{
    return hsgd_legend_height(t->num_names, legend_columns(t, width_in));
}

static void write_script(hsgd_script *s, const hsgd_figure_input *in, const terms *t)
{
    hsgd_script_title(s, in);
    double legend = legend_height(t, s->width_in);
    hsgd_script_panel(s, legend + HSGD_X_AXIS_IN, s->height_in - hsgd_title_height(in, s->title));
    hsgd_script_legend(s, legend, t->num_names, legend_columns(t, s->width_in));
    if (s->format == HSGD_FIGURE_SVG) /* as hsgd_script_legend, for longer texts */
        fputs("set key width -4\n", s->stream);
    hsgd_script_margins(s, LEFT_IN, RIGHT_IN);
    fprintf(s->stream,
            "unset ytics; unset grid\n"
            "set xrange [0:1]; set yrange [%zu.55:0.45]\nset format x '%s'; set xtics 0.2\n",
            t->num_bounds, hsgd_script_pick(s, "%g", "$%g$"));
    const char *note = hsgd_script_pick(s, "share of the bound; at the right, its value († conditions fail)",
                                        "share of the bound; at the right, its value ($\\dagger$ conditions fail)");
    hsgd_script_axis_labels(s, any_not_applicable(t) ? note : "share of the bound; at the right, its value", NULL);
    for (size_t b = 0; b < t->num_bounds; b++)
        label_bar(s, t, b);
    fputs("# Where term i ends, as a share: terms start in column 4, their sum is column 3.\n"
          "share(i) = i < 1 ? 0 : (sum [j=1:i] column(3 + j) / $3)\n",
          s->stream);
    for (size_t i = 0; i < t->num_names; i++)
        add_term(s, t, i);
    hsgd_script_plotted(s);
}

static hsgd_status write_data(const terms *t, const char *dir, hsgd_error *err)
{
    size_t columns = 3 + t->num_names;
    hsgd_table table;
    hsgd_table_init(&table, t->num_bounds);
    hsgd_table_add(&table, t->cell, columns, false, "row");
    hsgd_table_add(&table, t->cell + 1, columns, false, "value");
    hsgd_table_add(&table, t->cell + 2, columns, false, "sum");
    for (size_t i = 0; i < t->num_names; i++)
        hsgd_table_add(&table, t->cell + 3 + i, columns, false, "term_%zu", i + 1);
    hsgd_status status = hsgd_table_write(&table, dir, "terms", err);
    hsgd_table_free(&table);
    return status;
}

static hsgd_status write(const hsgd_figure_input *in, const char *dir, const hsgd_figure_style *style, hsgd_error *err)
{
    terms t;
    hsgd_status status = hsgd_figure_require(&hsgd_figure_terms, in, err);
    if (status == HSGD_OK)
        status = terms_collect(&t, in, err);
    if (status != HSGD_OK)
        return status;
    status = write_data(&t, dir, err);
    if (status == HSGD_OK) {
        double height = hsgd_title_height(in, style->title) + ROW_IN * (double)t.num_bounds + HSGD_X_AXIS_IN +
                        legend_height(&t, style->width_in);
        hsgd_script script;
        status = hsgd_script_open(&script, dir, "terms", style, fmax(height, 1.4),
                                  "Terms: the share of each additive term in each bound.", err);
        if (status == HSGD_OK) {
            script.band = HSGD_BAND_NONE;
            write_script(&script, in, &t);
            status = hsgd_script_close(&script, err);
        }
    }
    terms_free(&t);
    return status;
}

const hsgd_figure hsgd_figure_terms = {"terms", possible, write};
