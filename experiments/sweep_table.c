/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What `hsgd sweep` prints: one row for each point. */
#include <math.h>
#include <string.h>

#include "experiments/folder_private.h"
#include "experiments/sweep_private.h"

enum { WIDEST_LABEL = 40, WIDTH_OF_NUMBER = 10, WIDTH_OF_VERDICT = 14 };

/* The columns of bounds. */
typedef struct columns {
    hsgd_sweep_kinds kinds;
    bool shown[HSGD_MAX_SWEEP_KINDS]; /* a verdict was given on this kind anywhere */
} columns;

/* Number of characters, which are fewer than bytes: those that continue a character of UTF-8 take no column. */
static size_t text_width(const char *text)
{
    size_t width = 0;
    for (; *text; text++)
        width += (*text & 0xc0) != 0x80;
    return width;
}

/* Left-aligned, cut if it must be; on a terminal control characters could do harm. */
static void print_text(FILE *out, const char *text, size_t width)
{
    size_t written = 0;
    for (; *text; text++) {
        bool starts = (*text & 0xc0) != 0x80;
        if (starts && written == width)
            break;
        written += starts;
        fputc((unsigned char)*text < 0x20 || *text == 0x7f ? '?' : *text, out);
    }
    fprintf(out, "%*s", (int)(width - written), "");
}

static size_t column_width(const hsgd_sweep_axis *axis)
{
    size_t width = text_width(axis->name);
    for (size_t i = 0; i < axis->num_values; i++)
        if (text_width(axis->label[i]) > width)
            width = text_width(axis->label[i]);
    return width < WIDEST_LABEL ? width : WIDEST_LABEL;
}

static double number_of(const cJSON *object, const char *key)
{
    return number_or_nan(cJSON_GetObjectItemCaseSensitive(object, key));
}

static void print_number(FILE *out, double value, int width)
{
    if (isfinite(value))
        fprintf(out, " %*.4g", width, value);
    else
        fprintf(out, " %*s", width, isnan(value) ? "-" : "inf");
}

/* Of the column with the values of a bound: its heading must fit. */
static int value_width(const columns *c, size_t kind)
{
    int length = (int)strlen(hsgd_sweep_kind_name(&c->kinds, kind));
    return length > WIDTH_OF_NUMBER ? length : WIDTH_OF_NUMBER;
}

/* "[low, high]", or nothing where nothing is random. */
static void interval_text(char *out, size_t size, const cJSON *quantity)
{
    const cJSON *ci = cJSON_GetObjectItemCaseSensitive(quantity, "ci");
    double low = number_or_nan(cJSON_GetArrayItem(ci, 0)), high = number_or_nan(cJSON_GetArrayItem(ci, 1));
    *out = '\0';
    if (low < high)
        snprintf(out, size, "[%.4g, %.4g]", low, high);
}

static const cJSON *measured_S(const hsgd_sweep_row *row)
{
    return cJSON_GetObjectItemCaseSensitive(cJSON_GetObjectItemCaseSensitive(row->summary, "measured"), "S");
}

/* Verdicts on what proves nothing say so, as in the table of one run. */
static const char *basis(const cJSON *bound)
{
    const char *kind = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(bound, "constants"));
    return !hsgd_folder_is_unproved(cJSON_GetObjectItemCaseSensitive(bound, "constants")) ? ""
           : strcmp(kind, "estimate") == 0                                                ? " (e)"
                                                                                          : " (t)";
}

/* The verdict that ends a line has no blanks after it. */
static void print_bound(FILE *out, const cJSON *bound, int width, bool last)
{
    char verdict[64];
    const char *said = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(bound, "verdict"));
    snprintf(verdict, sizeof verdict, "%s%s", said ? said : "-", said ? basis(bound) : "");
    print_number(out, number_of(bound, "value"), width);
    print_number(out, number_of(bound, "ratio"), WIDTH_OF_NUMBER);
    fprintf(out, "  %-*s", last ? 0 : WIDTH_OF_VERDICT, verdict);
}

/* The last kind that has columns; HSGD_MAX_SWEEP_KINDS where none has. */
static size_t last_kind(const columns *c)
{
    size_t last = HSGD_MAX_SWEEP_KINDS;
    for (size_t k = 0; k < hsgd_sweep_num_kinds(&c->kinds); k++)
        last = c->shown[k] ? k : last;
    return last;
}

static const cJSON *bounds_of(const hsgd_sweep_row *row)
{
    return row->state == HSGD_SWEEP_DONE ? cJSON_GetObjectItemCaseSensitive(row->summary, "bounds") : NULL;
}

static void print_done(FILE *out, const hsgd_sweep_row *row, const columns *c)
{
    char interval[64];
    interval_text(interval, sizeof interval, measured_S(row));
    print_number(out, number_of(measured_S(row), "mean"), WIDTH_OF_NUMBER);
    fprintf(out, " %-20s", interval);
    for (size_t k = 0; k < hsgd_sweep_num_kinds(&c->kinds); k++)
        if (c->shown[k])
            print_bound(out, hsgd_sweep_find_bound(&c->kinds, bounds_of(row), k), value_width(c, k), k == last_kind(c));
    double diverged = number_of(cJSON_GetObjectItemCaseSensitive(row->summary, "measured"), "diverged_seeds");
    if (diverged > 0)
        fprintf(out, "  DIVERGED: %.0f", diverged);
}

static void print_row(FILE *out, const hsgd_sweep *sweep, size_t i, const hsgd_sweep_row *row, const size_t *width,
                      const columns *c)
{
    fputs(" ", out);
    for (size_t a = 0; a < sweep->num_axes; a++) {
        fputs(" ", out);
        print_text(out, sweep->axis[a].label[sweep->point[i].value[a]], width[a]);
    }
    if (row->state == HSGD_SWEEP_DONE)
        print_done(out, row, c);
    else
        fputs(row->state == HSGD_SWEEP_FAILED ? "     failed" : "    waiting", out);
    fputc('\n', out);
}

static void print_header(FILE *out, const hsgd_sweep *sweep, const size_t *width, const columns *c)
{
    fputs("\n ", out);
    for (size_t a = 0; a < sweep->num_axes; a++) {
        fputs(" ", out);
        print_text(out, sweep->axis[a].name, width[a]);
    }
    fprintf(out, " %10s %-20s", "S", "interval");
    for (size_t k = 0; k < hsgd_sweep_num_kinds(&c->kinds); k++)
        if (c->shown[k])
            fprintf(out, " %*s %10s  %-*s", value_width(c, k), hsgd_sweep_kind_name(&c->kinds, k), "S/bound",
                    k == last_kind(c) ? 0 : WIDTH_OF_VERDICT, "verdict");
    fputc('\n', out);
}

/* A kind of bound has columns if a verdict was given on it anywhere. */
static void choose_columns(columns *c, const hsgd_sweep *sweep, const hsgd_sweep_row *row)
{
    *c = (columns){.kinds = {.num_own = 0}};
    for (size_t i = 0; i < sweep->num_points; i++)
        hsgd_sweep_add_kinds(&c->kinds, bounds_of(&row[i]));
    for (size_t k = 0; k < hsgd_sweep_num_kinds(&c->kinds); k++)
        for (size_t i = 0; i < sweep->num_points; i++)
            c->shown[k] |= hsgd_sweep_find_bound(&c->kinds, bounds_of(&row[i]), k) != NULL;
}

static void print_notes(FILE *out, const hsgd_sweep *sweep, const hsgd_sweep_row *row, const columns *c)
{
    bool trajectory = false, estimate = false;
    for (size_t i = 0; i < sweep->num_points; i++)
        for (size_t k = 0; k < hsgd_sweep_num_kinds(&c->kinds); k++) {
            const char *said = basis(hsgd_sweep_find_bound(&c->kinds, bounds_of(&row[i]), k));
            trajectory |= strcmp(said, " (t)") == 0;
            estimate |= strcmp(said, " (e)") == 0;
        }
    if (isfinite(sweep->confidence))
        fprintf(out, "  intervals of %g %%; the verdicts on the bounds of a point hold together at this level\n",
                100 * sweep->confidence);
    if (trajectory)
        fputs("  (t): with the largest divergences at the measured steps, which prove nothing elsewhere\n", out);
    if (estimate)
        fputs("  (e): with L or sigma^2 from a search around the start; evidence, never a proof\n", out);
}

void hsgd_sweep_print(const hsgd_sweep *sweep, const hsgd_sweep_row *row, FILE *stream)
{
    size_t width[HSGD_MAX_SWEEP_AXES];
    columns c;
    print_text(stream, sweep->name, text_width(sweep->name));
    fprintf(stream, ": %zu point%s over ", sweep->num_points, sweep->num_points == 1 ? "" : "s");
    for (size_t a = 0; a < sweep->num_axes; a++) {
        fputs(a ? " x " : "", stream);
        print_text(stream, sweep->axis[a].name, text_width(sweep->axis[a].name));
        fprintf(stream, " (%zu)", sweep->axis[a].num_values);
        width[a] = column_width(&sweep->axis[a]);
    }
    fputc('\n', stream);
    choose_columns(&c, sweep, row);
    print_header(stream, sweep, width, &c);
    for (size_t i = 0; i < sweep->num_points; i++)
        print_row(stream, sweep, i, &row[i], width, &c);
    print_notes(stream, sweep, row, &c);
}

void hsgd_sweep_print_point(const hsgd_sweep_point *point, const hsgd_sweep_row *row, FILE *stream)
{
    char interval[64];
    print_text(stream, point->title, text_width(point->title));
    if (row->state == HSGD_SWEEP_FAILED) {
        fprintf(stream, ": failed: %s\n", row->reason ? row->reason : "no reason is known");
        return;
    }
    const char *verdict = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(row->summary, "verdict"));
    interval_text(interval, sizeof interval, measured_S(row));
    fprintf(stream, ": S = %.5g %s%s%s (%.3g s)\n", number_of(measured_S(row), "mean"), interval, *interval ? ", " : "",
            verdict ? verdict : "", row->time_s);
}
