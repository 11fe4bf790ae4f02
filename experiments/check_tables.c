/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The table beside a document on many points (rate.csv, phase.csv, pep.csv, plan.csv, hunt.csv, sweep.csv) repeats its numbers: each
 * cell whose column names a member is that member. */
#include "experiments/check_private.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_COLUMNS = 256 };

/* The cells of a line, cut in place; quotes are those of CSV. */
static size_t split(char *line, char *cell[MAX_COLUMNS])
{
    size_t count = 0;
    for (char *at = line; at && count < MAX_COLUMNS;) {
        char *to = at, *from = at;
        bool quoted = false;
        cell[count++] = at;
        for (; *from && *from != '\n' && (quoted || *from != ','); from++)
            if (*from != '"')
                *to++ = *from;
            else if (quoted && from[1] == '"')
                *to++ = *from++;
            else
                quoted = !quoted;
        at = *from == ',' ? from + 1 : NULL;
        *to = '\0';
    }
    return count;
}

/* "NAME_low" is the lower end of NAME; the name without the ending goes to out. */
static bool cut_ending(char out[96], const char *name, const char *ending)
{
    size_t length = strlen(name), end = strlen(ending);
    if (length <= end || length - end >= 96 || strcmp(name + length - end, ending) != 0)
        return false;
    memcpy(out, name, length - end);
    out[length - end] = '\0';
    return true;
}

static const cJSON *bound_of(const cJSON *row, const char *id)
{
    const cJSON *bound;
    cJSON_ArrayForEach(bound,
                       hsgd_check_get(row, "bounds")) if (strcmp(hsgd_check_text(bound, "id"), id) == 0) return bound;
    return NULL;
}

/* A member of a row, or of what was measured there; objects stand for their "value" or "mean". */
static const cJSON *member_of(const cJSON *row, const char *name)
{
    static const char *const inside[] = {"measured", "hierarchy"};
    const cJSON *member = hsgd_check_get(row, name);
    for (size_t i = 0; i < 2 && !member; i++)
        member = hsgd_check_get(hsgd_check_get(row, inside[i]), name);
    return member ? member : bound_of(row, name);
}

/* The number of the document that a column speaks of; NULL: none, as far as its name says. */
static const cJSON *find(const cJSON *row, const char *column)
{
    static const char *const own[] = {"_ratio", "_se"};
    char name[96];
    const cJSON *member = member_of(row, column);
    if (cJSON_IsObject(member))
        return hsgd_check_get(member, hsgd_check_get(member, "mean") ? "mean" : "value");
    if (member)
        return cJSON_IsNumber(member) || cJSON_IsNull(member) ? member : NULL;
    for (size_t i = 0; i < 2; i++)
        if (cut_ending(name, column, own[i]))
            return hsgd_check_get(member_of(row, name), own[i] + 1);
    int high = cut_ending(name, column, "_high") || strcmp(column, "high") == 0;
    if (!high && !cut_ending(name, column, "_low") && strcmp(column, "low") != 0)
        return NULL;
    bool plain = strcmp(column, "low") == 0 || strcmp(column, "high") == 0;
    const cJSON *ends = hsgd_check_get(plain ? row : member_of(row, name), "ci");
    return cJSON_IsArray(ends) ? cJSON_GetArrayItem(ends, high) : NULL;
}

/* "nan", "inf" and the empty cell are null in the document. */
static double number_of(const char *cell, bool *is_number)
{
    char *end;
    double value = strtod(cell, &end);
    *is_number = *end == '\0';
    return *cell && isfinite(value) ? value : NAN;
}

static void compare_row(hsgd_check_pairs *pairs, const cJSON *row, char *const *column, char *const *cell, size_t count,
                        size_t at)
{
    for (size_t k = 0; k < count; k++) {
        bool is_number;
        double value = number_of(cell[k], &is_number);
        const cJSON *number = is_number ? find(row, column[k]) : NULL;
        if (number)
            hsgd_check_pair(pairs, value, cJSON_IsNumber(number) ? number->valuedouble : NAN, 0, column[k], at);
    }
}

/* ---- which part of the document a row is about ---- */

static const cJSON *nth_of_curves(const cJSON *curves, size_t at)
{
    const cJSON *curve;
    cJSON_ArrayForEach(curve, curves)
    {
        const cJSON *points = hsgd_check_get(curve, "points");
        size_t count = (size_t)cJSON_GetArraySize(points);
        if (at < count)
            return cJSON_GetArrayItem(points, (int)at);
        at -= count;
    }
    return NULL;
}

/* Plans are found by their budget and what they are; the front's stand in its order behind each other. */
static const cJSON *plan_of(const cJSON *budgets, const char *what, double budget, size_t front)
{
    const cJSON *item;
    cJSON_ArrayForEach(item, budgets) if (hsgd_check_number(item, "budget_s") == budget)
    {
        const cJSON *plan = hsgd_check_get(item, what);
        return cJSON_IsArray(plan) ? cJSON_GetArrayItem(plan, (int)front) : plan;
    }
    return NULL;
}

static const cJSON *row_of(const hsgd_check *c, char *const *cell, size_t count, size_t at, size_t front)
{
    switch (c->kind) {
    case HSGD_FOLDER_PEP:
        return nth_of_curves(hsgd_check_get(c->document, "curves"), at);
    case HSGD_FOLDER_PLAN:
        return count < 2 ? NULL
                         : plan_of(hsgd_check_get(c->document, "budgets"), cell[0], strtod(cell[1], NULL), front);
    default:
        return cJSON_GetArrayItem(hsgd_check_get(c->document, "points"), (int)at);
    }
}

/* ---- hunts: the best ratio so far of each start ---- */

static void compare_progress(hsgd_check_pairs *pairs, const hsgd_check *c, char *const *cell, size_t count, size_t row,
                             size_t *within)
{
    const cJSON *start;
    if (count < 6)
        return;
    start = cJSON_GetArrayItem(hsgd_check_get(c->document, "starts"),
                               (int)hsgd_check_count(fmin(strtod(cell[0], NULL), 1e6)));
    const cJSON *best = hsgd_check_get(start, "best_ratio"), *evaluation = hsgd_check_get(start, "evaluation");
    hsgd_check_pair(pairs, strtod(cell[4], NULL), hsgd_check_item(best, (int)*within), 0, "best_ratio, row", row);
    hsgd_check_pair(pairs, strtod(cell[3], NULL) - hsgd_check_number(start, "first_evaluation"),
                    hsgd_check_item(evaluation, (int)*within), 1, "evaluation, row", row);
    ++*within;
}

/* ---- */

typedef struct reader {
    FILE *file;
    char *line, *titles;
    size_t size, titles_size;
} reader;

/* Is there another line, and all of it? */
static bool next_line(char **line, size_t *size, FILE *file)
{
    return getline(line, size, file) > 0 && !ferror(file);
}

static void compare_rows(hsgd_check_pairs *pairs, const hsgd_check *c, reader *r)
{
    char *column[MAX_COLUMNS], *cell[MAX_COLUMNS], last[32] = "";
    size_t titles = split(r->titles, column), front = 0;
    for (size_t at = 0; next_line(&r->line, &r->size, r->file); at++) {
        size_t count = split(r->line, cell);
        front = count && strcmp(cell[0], last) == 0 ? front + 1 : 0;
        snprintf(last, sizeof last, "%s", count ? cell[0] : "");
        if (c->kind == HSGD_FOLDER_HUNT)
            compare_progress(pairs, c, cell, count, at + 1, &front);
        else
            compare_row(pairs, row_of(c, cell, count, at, front), column, cell, count < titles ? count : titles,
                        at + 1);
        if (c->kind == HSGD_FOLDER_HUNT)
            front--;
    }
}

/* A table that ends before it was read whole is no reason to be content with its beginning. */
static hsgd_status compare_table(hsgd_check *check, FILE *file, const char *name, hsgd_error *err)
{
    char what[96];
    hsgd_check_pairs pairs = {0};
    reader r = {.file = file};
    bool titled = next_line(&r.titles, &r.titles_size, file);
    if (titled)
        compare_rows(&pairs, check, &r);
    free(r.line);
    free(r.titles);
    if (ferror(file))
        return hsgd_fail(err, HSGD_ERROR_ENVIRONMENT, "%s/%s: cannot be read: %s", check->dir, name, strerror(errno));
    if (!feof(file))
        return hsgd_fail_memory(err, name);
    snprintf(what, sizeof what, "%s, cells", name);
    if (!titled)
        hsgd_check_say(check, HSGD_CHECK_FAILS, name, "is empty");
    else
        hsgd_check_say_pairs(check, &pairs, what, HSGD_CHECK_ROUNDING);
    return HSGD_OK;
}

hsgd_status hsgd_check_table(hsgd_check *check, hsgd_error *err)
{
    char name[64], *path;
    const char *document = hsgd_folder_file(check->kind);
    hsgd_status status = HSGD_OK;
    snprintf(name, sizeof name, "%.*s.csv", (int)strcspn(document, "."), document);
    if (asprintf(&path, "%s/%s", check->dir, name) < 0)
        return hsgd_fail_memory(err, "a path");
    FILE *file = fopen(path, "r");
    free(path);
    if (file) {
        status = compare_table(check, file, name, err);
        fclose(file);
    } else
        hsgd_check_say(check, HSGD_CHECK_FAILS, name, "cannot be read: %s", strerror(errno));
    return status;
}
