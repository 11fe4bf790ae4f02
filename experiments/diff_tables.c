/* SPDX-License-Identifier: GPL-3.0-or-later */
/* CSV files column by column. */
#include "experiments/diff_private.h"

#include <dirent.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "experiments/text_file_private.h"

/* ---- reading ---- */

/* Cells as texts, in one array. */
typedef struct table {
    char *text;  /* the file, cut into cells; owned */
    char **cell; /* (num_rows, num_columns), the names first; owned */
    size_t num_rows, num_columns;
} table;

static void table_free(table *t)
{
    free(t->text);
    free(t->cell);
    *t = (table){0};
}

/* The end of a cell that starts here; commas between quotes belong to it. */
static char *end_of_cell(char *at)
{
    bool quoted = false;
    for (; *at && (quoted || (*at != ',' && *at != '\n')); at++)
        quoted = quoted != (*at == '"');
    return at;
}

/* Count the cells of all rows, which must have as many as the first. */
static hsgd_status count_cells(table *t, const char *path, hsgd_error *err)
{
    size_t columns = 0;
    for (char *at = t->text; *at;) {
        char *end = end_of_cell(at);
        columns++;
        if (*end != ',') {
            if (t->num_rows++ == 0)
                t->num_columns = columns;
            if (columns != t->num_columns)
                return hsgd_fail(err, HSGD_ERROR_INPUT, "%s: line %zu: expected %zu cells separated by commas", path,
                                 t->num_rows, t->num_columns);
            columns = 0;
        }
        at = *end ? end + 1 : end;
    }
    return HSGD_OK;
}

static void cut_cells(table *t)
{
    char *at = t->text;
    for (size_t i = 0; i < t->num_rows * t->num_columns; i++) {
        char *end = end_of_cell(at);
        t->cell[i] = at;
        at = *end ? end + 1 : end;
        *end = '\0';
    }
}

static hsgd_status table_read(table *out, const char *dir, const char *name, hsgd_error *err)
{
    char *path;
    *out = (table){0};
    if (asprintf(&path, "%s/%s", dir, name) < 0)
        return hsgd_fail_memory(err, "a path");
    hsgd_status status = hsgd_text_file_read(&out->text, path, err);
    if (!status)
        status = count_cells(out, path, err);
    if (!status) {
        out->cell = malloc((out->num_rows * out->num_columns + 1) * sizeof *out->cell);
        status = out->cell ? HSGD_OK : hsgd_fail_memory(err, path);
    }
    if (!status)
        cut_cells(out);
    free(path);
    if (status)
        table_free(out);
    return status;
}

/* ---- columns ---- */

static bool as_number(double *out, const char *text)
{
    char *end;
    *out = *text ? strtod(text, &end) : NAN; /* what is not known is empty */
    return !*text || !*end;
}

/* The column with this name; num_columns: none. */
static size_t find_column(const table *t, const char *name)
{
    size_t c = 0;
    while (c < t->num_columns && strcmp(t->cell[c], name) != 0)
        c++;
    return c;
}

static double largest_of(const table *t, size_t column)
{
    double largest = 0, value;
    for (size_t r = 1; r < t->num_rows && column < t->num_columns; r++)
        if (as_number(&value, t->cell[r * t->num_columns + column]) && isfinite(value))
            largest = fmax(largest, fabs(value));
    return largest;
}

/* Columns that hold what is left of other numbers, which may be rounding only: differences of means, and squared lengths of
 * differences of gradients, whose own differences are squares of what the tolerance is for. */
static const struct {
    const char *part, *of;
    bool squared;
} differences[] = {{"_minus_", "inner", false},
                   {"_minus_", "outer", false},
                   {"drift_error_sq", "mean_gradient_norm_sq", true},
                   {"divergence_", "grad_norm_sq", true}};

/* The tolerance is relative to the largest number of a column: next to it small ones are rounding. */
static double scale_of(const table *t, size_t column, double tolerance)
{
    double scale = largest_of(t, column);
    for (size_t i = 0; i < sizeof differences / sizeof *differences; i++)
        if (strstr(t->cell[column], differences[i].part))
            scale = fmax(scale,
                         (differences[i].squared ? tolerance : 1) * largest_of(t, find_column(t, differences[i].of)));
    return scale;
}

/* One column of both. *texts: cells that are no numbers and differ. */
static hsgd_gap compare_column(const table *a, size_t i, const table *b, size_t j, double tolerance, size_t *texts)
{
    hsgd_gap gap = hsgd_gap_begin();
    double scale = fmax(scale_of(a, i, tolerance), scale_of(b, j, tolerance)), left, right;
    *texts = 0;
    for (size_t r = 1; r < a->num_rows && r < b->num_rows; r++) {
        const char *x = a->cell[r * a->num_columns + i], *y = b->cell[r * b->num_columns + j];
        char at[100];
        snprintf(at, sizeof at, "row %zu, %.30s %.30s", r, a->cell[0], a->cell[r * a->num_columns]);
        if (as_number(&left, x) && as_number(&right, y))
            hsgd_gap_add(&gap, left, right, tolerance, scale, at);
        else
            *texts += strcmp(x, y) != 0;
    }
    return gap;
}

/* Columns that differ have a line each; the file has one for all. */
static void compare_columns(hsgd_diff *d, const char *file, const table *a, const table *b)
{
    hsgd_diff_outcome differs = d->by_chance ? HSGD_DIFF_NOTE : HSGD_DIFF_DIFFERS;
    size_t same = 0;
    for (size_t i = 0; i < a->num_columns; i++) {
        char name[HSGD_FINDING_NAME_SIZE], text[HSGD_FINDING_DETAIL_SIZE];
        size_t j = find_column(b, a->cell[i]), texts;
        snprintf(name, sizeof name, "%.40s: %.50s", file, a->cell[i]);
        if (j == b->num_columns) {
            hsgd_diff_say(d, differs, name, "only %s has this column", d->dir[0]);
            continue;
        }
        hsgd_gap gap = compare_column(a, i, b, j, d->tolerance, &texts);
        hsgd_gap_describe(text, sizeof text, &gap, "of the largest");
        if (texts)
            hsgd_diff_say(d, differs, name, "%zu texts differ", texts);
        if (gap.same < gap.count)
            hsgd_diff_say(d, gap.agrees ? HSGD_DIFF_AGREES : differs, name, "%s", text);
        same += !texts && gap.same == gap.count;
    }
    for (size_t j = 0; j < b->num_columns; j++)
        if (find_column(a, b->cell[j]) == a->num_columns)
            hsgd_diff_say(d, differs, file, "only %s has the column %.50s", d->dir[1], b->cell[j]);
    if (a->num_rows != b->num_rows)
        hsgd_diff_say(d, HSGD_DIFF_DIFFERS, file, "%zu rows | %zu rows", a->num_rows - 1, b->num_rows - 1);
    hsgd_diff_say(d, same == a->num_columns || same == b->num_columns ? HSGD_DIFF_AGREES : HSGD_DIFF_NOTE, file,
                  "%zu of %zu columns are the same to the bit", same, a->num_columns);
}

/* ---- files ---- */

/* Times of a training are never the same. */
static bool is_table(const hsgd_diff *d, const char *name)
{
    size_t length = strlen(name);
    return length > 4 && strcmp(name + length - 4, ".csv") == 0 &&
           !(d->kind == HSGD_FOLDER_TRAIN && strcmp(name, "times.csv") == 0);
}

static hsgd_status compare_file(hsgd_diff *d, const char *name, hsgd_error *err)
{
    table a, b;
    hsgd_status status = table_read(&a, d->dir[0], name, err);
    if (status)
        return status;
    status = table_read(&b, d->dir[1], name, err);
    if (!status)
        compare_columns(d, name, &a, &b);
    table_free(&a);
    if (!status)
        table_free(&b);
    return status;
}

hsgd_status hsgd_diff_tables(hsgd_diff *diff, hsgd_error *err)
{
    struct dirent **entry;
    int count = scandir(diff->dir[0], &entry, NULL, alphasort);
    if (count < 0)
        return hsgd_fail(err, errno == ENOMEM ? HSGD_ERROR_MEMORY : HSGD_ERROR_INPUT, "%s: cannot be read: %s",
                         diff->dir[0], strerror(errno));
    hsgd_status status = HSGD_OK;
    for (int i = 0; i < count; i++) {
        if (!status && is_table(diff, entry[i]->d_name))
            status = compare_file(diff, entry[i]->d_name, err);
        free(entry[i]);
    }
    free(entry);
    return status;
}
