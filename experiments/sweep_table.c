/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What `hsgd sweep` prints: one row for each point. */
#include <math.h>
#include <string.h>

#include "experiments/folder_private.h"
#include "experiments/sweep_private.h"

static const char *const kind_name[HSGD_NUM_SWEEP_KINDS] = {"published", "sharpened", "recursive"};

enum { WIDEST_LABEL = 40, WIDTH_OF_VERDICT = 14 };

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

static void print_number(FILE *out, double value)
{
    if (isfinite(value))
        fprintf(out, " %10.4g", value);
    else
        fprintf(out, " %10s", isnan(value) ? "-" : "inf");
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
static void print_bound(FILE *out, const cJSON *bound, bool last)
{
    char verdict[64];
    const char *said = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(bound, "verdict"));
    snprintf(verdict, sizeof verdict, "%s%s", said ? said : "-", said ? basis(bound) : "");
    print_number(out, number_of(bound, "value"));
    print_number(out, number_of(bound, "ratio"));
    fprintf(out, "  %-*s", last ? 0 : WIDTH_OF_VERDICT, verdict);
}

/* The last kind that has columns; HSGD_NUM_SWEEP_KINDS where none has. */
static size_t last_kind(const bool *shown)
{
    size_t last = HSGD_NUM_SWEEP_KINDS;
    for (size_t k = 0; k < HSGD_NUM_SWEEP_KINDS; k++)
        last = shown[k] ? k : last;
    return last;
}

static void print_done(FILE *out, const hsgd_sweep_row *row, const bool *shown)
{
    char interval[64];
    interval_text(interval, sizeof interval, measured_S(row));
    print_number(out, number_of(measured_S(row), "mean"));
    fprintf(out, " %-20s", interval);
    for (size_t k = 0; k < HSGD_NUM_SWEEP_KINDS; k++)
        if (shown[k])
            print_bound(out, hsgd_sweep_find_bound(cJSON_GetObjectItemCaseSensitive(row->summary, "bounds"), k),
                        k == last_kind(shown));
    double diverged = number_of(cJSON_GetObjectItemCaseSensitive(row->summary, "measured"), "diverged_seeds");
    if (diverged > 0)
        fprintf(out, "  DIVERGED: %.0f", diverged);
}

static void print_row(FILE *out, const hsgd_sweep *sweep, size_t i, const hsgd_sweep_row *row, const size_t *width,
                      const bool *shown)
{
    fputs(" ", out);
    for (size_t a = 0; a < sweep->num_axes; a++) {
        fputs(" ", out);
        print_text(out, sweep->axis[a].label[sweep->point[i].value[a]], width[a]);
    }
    if (row->state == HSGD_SWEEP_DONE)
        print_done(out, row, shown);
    else
        fputs(row->state == HSGD_SWEEP_FAILED ? "     failed" : "    waiting", out);
    fputc('\n', out);
}

static void print_header(FILE *out, const hsgd_sweep *sweep, const size_t *width, const bool *shown)
{
    fputs("\n ", out);
    for (size_t a = 0; a < sweep->num_axes; a++) {
        fputs(" ", out);
        print_text(out, sweep->axis[a].name, width[a]);
    }
    fprintf(out, " %10s %-20s", "S", "interval");
    for (size_t k = 0; k < HSGD_NUM_SWEEP_KINDS; k++)
        if (shown[k])
            fprintf(out, " %10s %10s  %-*s", kind_name[k], "S/bound", k == last_kind(shown) ? 0 : WIDTH_OF_VERDICT,
                    "verdict");
    fputc('\n', out);
}

/* A kind of bound has columns if a verdict was given on it anywhere. */
static void choose_kinds(bool *shown, const hsgd_sweep *sweep, const hsgd_sweep_row *row)
{
    for (size_t k = 0; k < HSGD_NUM_SWEEP_KINDS; k++) {
        shown[k] = false;
        for (size_t i = 0; i < sweep->num_points; i++)
            if (row[i].state == HSGD_SWEEP_DONE &&
                hsgd_sweep_find_bound(cJSON_GetObjectItemCaseSensitive(row[i].summary, "bounds"), k))
                shown[k] = true;
    }
}

static void print_notes(FILE *out, const hsgd_sweep *sweep, const hsgd_sweep_row *row)
{
    bool trajectory = false, estimate = false;
    for (size_t i = 0; i < sweep->num_points; i++)
        for (size_t k = 0; k < HSGD_NUM_SWEEP_KINDS && row[i].state == HSGD_SWEEP_DONE; k++) {
            const cJSON *bounds = cJSON_GetObjectItemCaseSensitive(row[i].summary, "bounds");
            const char *said = basis(hsgd_sweep_find_bound(bounds, k));
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
    bool shown[HSGD_NUM_SWEEP_KINDS];
    print_text(stream, sweep->name, text_width(sweep->name));
    fprintf(stream, ": %zu point%s over ", sweep->num_points, sweep->num_points == 1 ? "" : "s");
    for (size_t a = 0; a < sweep->num_axes; a++) {
        fputs(a ? " x " : "", stream);
        print_text(stream, sweep->axis[a].name, text_width(sweep->axis[a].name));
        fprintf(stream, " (%zu)", sweep->axis[a].num_values);
        width[a] = column_width(&sweep->axis[a]);
    }
    fputc('\n', stream);
    choose_kinds(shown, sweep, row);
    print_header(stream, sweep, width, shown);
    for (size_t i = 0; i < sweep->num_points; i++)
        print_row(stream, sweep, i, &row[i], width, shown);
    print_notes(stream, sweep, row);
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
