/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Numbers in CSV files (RFC 4180, with semicolons and tabs too): one sample per line, one of its fields the label.
 *
 * Lines and columns are counted from 1. Text appears in the header only, so a quoted field may hold separators and
 * doubled quotes, but no line break. */
#include "analysis/dataset.h"

#include <stdlib.h>
#include <string.h>

#include "analysis/dataset_private.h"

typedef struct span {
    const char *begin, *end;
} span;

typedef struct reader {
    hsgd_dataset data;
    double *raw_label; /* (sample_capacity) */
    size_t sample_capacity;
    size_t num_columns, label; /* the label's column, from 0 */
    size_t line;               /* of the file, from 1 */
    char separator;
} reader;

/* One field of a line, blanks and quotes around it taken away. */
typedef struct field {
    span text;
    bool is_quoted, is_last;
} field;

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\v' || c == '\f';
}

static span trimmed(span text)
{
    while (text.begin < text.end && is_blank(*text.begin))
        text.begin++;
    while (text.begin < text.end && is_blank(text.end[-1]))
        text.end--;
    return text;
}

static bool is_number(span text)
{
    double ignored;
    return hsgd_parse_number(text.begin, text.end, &ignored);
}

/* ---- lines and fields ---- */

/* The next line that holds anything, or false at the end of the text. */
static bool next_line(reader *r, span *rest, span *line)
{
    while (rest->begin < rest->end) {
        const char *newline = memchr(rest->begin, '\n', (size_t)(rest->end - rest->begin));
        *line = (span){rest->begin, newline ? newline : rest->end};
        rest->begin = newline ? newline + 1 : rest->end;
        r->line++;
        if (line->begin < line->end && line->end[-1] == '\r')
            line->end--;
        span content = trimmed(*line);
        if (content.begin < content.end)
            return true;
    }
    return false;
}

/* The closing quote of a field whose opening one is at `at`; doubled quotes stand for one. NULL: there is none. */
static const char *closing_quote(const char *at, const char *end)
{
    for (at++; at < end; at++)
        if (*at == '"') {
            if (at + 1 == end || at[1] != '"')
                return at;
            at++;
        }
    return NULL;
}

/* Cut the next field off rest, which begins at column number `column` (from 1). */
static hsgd_status next_field(const reader *r, span *rest, size_t column, field *out, hsgd_error *err)
{
    const char *at = rest->begin, *quote = NULL;
    while (at < rest->end && is_blank(*at) && *at != r->separator)
        at++;
    out->is_quoted = at < rest->end && *at == '"';
    if (out->is_quoted && !(quote = closing_quote(at, rest->end)))
        return hsgd_fail(err, HSGD_ERROR_INPUT, "line %zu, column %zu: the quote of %.*s is not closed on its line",
                         r->line, column, hsgd_shown(at, rest->end), at);
    const char *from = quote ? quote + 1 : at;
    const char *stop = memchr(from, r->separator, (size_t)(rest->end - from));
    out->is_last = !stop;
    stop = stop ? stop : rest->end;
    span after = trimmed((span){from, stop});
    if (quote && after.begin < after.end)
        return hsgd_fail(err, HSGD_ERROR_INPUT, "line %zu, column %zu: \"%.*s\" follows the closing quote", r->line,
                         column, hsgd_shown(after.begin, after.end), after.begin);
    out->text = quote ? trimmed((span){at + 1, quote}) : after;
    rest->begin = out->is_last ? rest->end : stop + 1;
    return HSGD_OK;
}

static size_t count_outside_quotes(span line, char wanted)
{
    size_t count = 0;
    bool inside = false;
    for (const char *at = line.begin; at < line.end; at++) {
        inside ^= *at == '"';
        count += !inside && *at == wanted;
    }
    return count;
}

static char find_separator(span line)
{
    static const char candidates[] = {',', ';', '\t'};
    char best = ',';
    for (size_t i = 1; i < sizeof candidates; i++)
        if (count_outside_quotes(line, candidates[i]) > count_outside_quotes(line, best))
            best = candidates[i];
    return best;
}

/* ---- the first line ---- */

static bool same_name(field f, const char *name)
{
    const char *at = f.text.begin;
    for (; at < f.text.end && *name; at++, name++) {
        if (*at != *name)
            return false;
        at += f.is_quoted && *at == '"'; /* the second of two */
    }
    return at == f.text.end && !*name;
}

/* What the fields of the first line are. */
typedef struct first_line {
    size_t num_numbers;
    size_t text_column;      /* a column that is no number, from 1; 0: none */
    span text;               /* what stands there */
    size_t num_named, named; /* how many columns have the label's name, and the last of them, from 0 */
} first_line;

static hsgd_status look_at_first_line(reader *r, span line, const hsgd_csv_options *options, first_line *out,
                                      hsgd_error *err)
{
    *out = (first_line){0};
    field f = {.is_last = false};
    for (r->num_columns = 0; !f.is_last; r->num_columns++) {
        hsgd_status status = next_field(r, &line, r->num_columns + 1, &f, err);
        if (status)
            return status;
        if (is_number(f.text))
            out->num_numbers++;
        else if (!out->text_column) {
            out->text_column = r->num_columns + 1;
            out->text = f.text;
        }
        if (options->label_name && same_name(f, options->label_name)) {
            out->num_named++;
            out->named = r->num_columns;
        }
    }
    return HSGD_OK;
}

static hsgd_status find_label(reader *r, const hsgd_csv_options *options, const first_line *first, bool has_header,
                              hsgd_error *err)
{
    if (r->num_columns < 2)
        return hsgd_fail(err, HSGD_ERROR_INPUT, "line %zu: 1 column; a label and at least one feature are needed",
                         r->line);
    if (!options->label_name) {
        r->label = (options->label_number ? options->label_number : r->num_columns) - 1;
        if (r->label < r->num_columns)
            return HSGD_OK;
        return hsgd_fail(err, HSGD_ERROR_INPUT, "label column %zu: not one of the file's columns 1..%zu",
                         options->label_number, r->num_columns);
    }
    r->label = first->named;
    if (has_header && first->num_named == 1)
        return HSGD_OK;
    return hsgd_fail(err, HSGD_ERROR_INPUT, "label column \"%.80s\": %s; give its number from 1 to %zu",
                     options->label_name,
                     !has_header        ? "the file has no header"
                     : first->num_named ? "several columns have this name"
                                        : "not one of the names in the header",
                     r->num_columns);
}

/* The names of the columns but the label's; quotes doubled inside of quotes stay doubled. */
static hsgd_status keep_names(reader *r, span line, hsgd_error *err)
{
    char *out = r->data.feature_names = malloc((size_t)(line.end - line.begin) + r->num_columns + 1);
    if (!out)
        return hsgd_fail_memory(err, "the names of the features");
    for (size_t column = 0; column < r->num_columns; column++) {
        field f;
        hsgd_status status = next_field(r, &line, column + 1, &f, err);
        if (status)
            return status;
        if (column == r->label)
            continue;
        memcpy(out, f.text.begin, (size_t)(f.text.end - f.text.begin));
        out += f.text.end - f.text.begin;
        *out++ = '\n';
    }
    *out = 0;
    return HSGD_OK;
}

/* Whether there is a header, the separator, the number of columns, and which of them is the label. */
static hsgd_status read_first_line(reader *r, span line, const hsgd_csv_options *options, bool *has_header,
                                   hsgd_error *err)
{
    first_line first;
    r->separator = find_separator(line);
    hsgd_status status = look_at_first_line(r, line, options, &first, err);
    if (status)
        return status;
    *has_header =
        options->header == HSGD_CSV_HEADER_YES || (options->header == HSGD_CSV_HEADER_AUTO && first.num_numbers == 0);
    if (options->header == HSGD_CSV_HEADER_AUTO && first.num_numbers && first.text_column)
        return hsgd_fail(
            err, HSGD_ERROR_INPUT,
            "line %zu, column %zu: \"%.*s\" is not a finite decimal number, though others of the line are; "
            "say whether it is a \"header\"",
            r->line, first.text_column, hsgd_shown(first.text.begin, first.text.end), first.text.begin);
    r->data.num_features = r->num_columns - 1;
    status = find_label(r, options, &first, *has_header, err);
    return !status && *has_header ? keep_names(r, line, err) : status;
}

/* ---- samples ---- */

static hsgd_status reserve_sample(reader *r, hsgd_error *err)
{
    if (r->data.num_samples < r->sample_capacity)
        return HSGD_OK;
    size_t capacity = 2 * r->sample_capacity + 256;
    double *dense = realloc(r->data.dense, capacity * r->data.num_features * sizeof *dense);
    if (!dense)
        return hsgd_fail_memory(err, "the samples");
    r->data.dense = dense;
    double *raw_label = realloc(r->raw_label, capacity * sizeof *raw_label);
    if (!raw_label)
        return hsgd_fail_memory(err, "the labels");
    r->raw_label = raw_label;
    r->sample_capacity = capacity;
    return HSGD_OK;
}

static hsgd_status read_sample(reader *r, span line, hsgd_error *err)
{
    hsgd_status status = reserve_sample(r, err);
    if (status)
        return status;
    double *row = r->data.dense + r->data.num_samples * r->data.num_features, number;
    field f = {.is_last = false};
    size_t column = 0;
    for (; !f.is_last && column < r->num_columns; column++) {
        status = next_field(r, &line, column + 1, &f, err);
        if (status)
            return status;
        if (!hsgd_parse_number(f.text.begin, f.text.end, &number))
            return hsgd_fail(err, HSGD_ERROR_INPUT, "line %zu, column %zu: \"%.*s\" is not a finite decimal number",
                             r->line, column + 1, hsgd_shown(f.text.begin, f.text.end), f.text.begin);
        if (column == r->label)
            r->raw_label[r->data.num_samples] = number;
        else
            row[column - (column > r->label)] = number;
    }
    if (!f.is_last || column < r->num_columns)
        return hsgd_fail(err, HSGD_ERROR_INPUT, "line %zu: %s columns than the first line, which has %zu", r->line,
                         f.is_last ? "fewer" : "more", r->num_columns);
    r->data.num_samples++;
    return HSGD_OK;
}

static hsgd_status read_text(reader *r, span text, const hsgd_csv_options *options, hsgd_error *err)
{
    static const char mark[] = "\xef\xbb\xbf"; /* some programs begin UTF-8 files with it */
    if (text.end - text.begin >= 3 && memcmp(text.begin, mark, 3) == 0)
        text.begin += 3;
    span line;
    bool has_header;
    if (!next_line(r, &text, &line))
        return hsgd_fail(err, HSGD_ERROR_INPUT, "no samples; each line holds numbers separated by commas");
    hsgd_status status = read_first_line(r, line, options, &has_header, err);
    if (!status && !has_header)
        status = read_sample(r, line, err);
    while (!status && next_line(r, &text, &line))
        status = read_sample(r, line, err);
    if (!status && r->data.num_samples == 0)
        status = hsgd_fail(err, HSGD_ERROR_INPUT, "a header, but no samples");
    return status;
}

hsgd_status hsgd_dataset_read_csv(hsgd_dataset *out, const char *path, const hsgd_csv_options *options, hsgd_error *err)
{
    memset(out, 0, sizeof *out);
    hsgd_file_bytes bytes;
    hsgd_status status = hsgd_read_file(&bytes, path, HSGD_MAX_FILE_BYTES, err);
    if (status)
        return status;
    reader r = {.line = 0};
    const char *begin = (const char *)bytes.data;
    status = read_text(&r, (span){begin, begin + bytes.size}, options, err);
    free(bytes.data);
    if (!status)
        status = hsgd_dataset_set_classes(&r.data, r.raw_label, err);
    free(r.raw_label);
    if (status) {
        hsgd_error_prefix(err, "%s: ", path);
        hsgd_dataset_free(&r.data);
        return status;
    }
    double *dense = realloc(r.data.dense, r.data.num_samples * r.data.num_features * sizeof *dense);
    r.data.dense = dense ? dense : r.data.dense;
    *out = r.data;
    return HSGD_OK;
}
