/* SPDX-License-Identifier: GPL-3.0-or-later */
/* LIBSVM text: one sample per line, "label index:value index:value ...". */
#include "analysis/dataset.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/dataset_private.h"

/* Column numbers are stored in 32 bits with room to spare for an intercept. */
#define MAX_INDEX ((size_t)1 << 31)

/* The text of one token; the byte at end is a separator or the zero after the last byte of the file. */
typedef struct span {
    const char *begin, *end;
} span;

typedef struct reader {
    hsgd_dataset data;
    double *raw_label; /* (sample_capacity) */
    size_t num_entries, sample_capacity, entry_capacity;
    size_t line; /* of the file, from 1 */
} reader;

static int shown(span token)
{
    return hsgd_shown(token.begin, token.end);
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\v' || c == '\f';
}

static bool parse_number(span token, double *number)
{
    return hsgd_parse_number(token.begin, token.end, number);
}

/* 0 when the text is not a whole number in 1..MAX_INDEX. */
static size_t parse_index(span token)
{
    size_t index = 0;
    for (const char *at = token.begin; at < token.end; at++) {
        if (*at < '0' || *at > '9')
            return 0;
        index = 10 * index + (size_t)(*at - '0');
        if (index > MAX_INDEX)
            return 0;
    }
    return index;
}

/* The next token of a line, or false at its end. */
static bool next_token(span *rest, span *token)
{
    while (rest->begin < rest->end && is_space(*rest->begin))
        rest->begin++;
    token->begin = rest->begin;
    while (rest->begin < rest->end && !is_space(*rest->begin))
        rest->begin++;
    token->end = rest->begin;
    return token->begin < token->end;
}

static hsgd_status reserve_sample(reader *r, hsgd_error *err)
{
    size_t needed = r->data.num_samples + 2; /* row_start has one entry more */
    if (needed <= r->sample_capacity)
        return HSGD_OK;
    size_t capacity = 2 * needed + 1024;
    size_t *row_start = realloc(r->data.row_start, capacity * sizeof *row_start);
    if (!row_start)
        return hsgd_fail_memory(err, "the samples");
    r->data.row_start = row_start;
    double *raw_label = realloc(r->raw_label, capacity * sizeof *raw_label);
    if (!raw_label)
        return hsgd_fail_memory(err, "the labels");
    r->raw_label = raw_label;
    r->sample_capacity = capacity;
    return HSGD_OK;
}

static hsgd_status reserve_entry(reader *r, hsgd_error *err)
{
    if (r->num_entries < r->entry_capacity)
        return HSGD_OK;
    size_t capacity = 2 * r->entry_capacity + 1024;
    uint32_t *column = realloc(r->data.column, capacity * sizeof *column);
    if (!column)
        return hsgd_fail_memory(err, "the feature indices");
    r->data.column = column;
    double *value = realloc(r->data.value, capacity * sizeof *value);
    if (!value)
        return hsgd_fail_memory(err, "the feature values");
    r->data.value = value;
    r->entry_capacity = capacity;
    return HSGD_OK;
}

/* One "index:value" of the sample whose last index was *last (0: none yet). */
static hsgd_status parse_feature(reader *r, span token, size_t *last, hsgd_error *err)
{
    const char *colon = memchr(token.begin, ':', (size_t)(token.end - token.begin));
    if (!colon)
        return hsgd_fail(err, HSGD_ERROR_INPUT, "line %zu: \"%.*s\" has no colon; a feature is written index:value",
                         r->line, shown(token), token.begin);
    span index_text = {token.begin, colon}, value_text = {colon + 1, token.end};
    size_t index = parse_index(index_text);
    if (index == 0)
        return hsgd_fail(err, HSGD_ERROR_INPUT, "line %zu: the index \"%.*s\" is not a whole number in 1..%zu", r->line,
                         shown(index_text), index_text.begin, MAX_INDEX);
    if (index <= *last)
        return hsgd_fail(err, HSGD_ERROR_INPUT, "line %zu: index %zu comes after index %zu; indices must increase",
                         r->line, index, *last);
    double value;
    if (!parse_number(value_text, &value))
        return hsgd_fail(err, HSGD_ERROR_INPUT,
                         "line %zu: the value \"%.*s\" of index %zu is not a finite decimal number", r->line,
                         shown(value_text), value_text.begin, index);
    hsgd_status status = reserve_entry(r, err);
    if (status)
        return status;
    r->data.column[r->num_entries] = (uint32_t)(index - 1);
    r->data.value[r->num_entries++] = value;
    *last = index;
    return HSGD_OK;
}

static hsgd_status parse_line(reader *r, span line, hsgd_error *err)
{
    const char *comment = memchr(line.begin, '#', (size_t)(line.end - line.begin));
    if (comment)
        line.end = comment;
    span token;
    if (!next_token(&line, &token))
        return HSGD_OK;
    hsgd_status status = reserve_sample(r, err);
    if (status)
        return status;
    if (!parse_number(token, &r->raw_label[r->data.num_samples]))
        return hsgd_fail(err, HSGD_ERROR_INPUT, "line %zu: the label \"%.*s\" is not a finite decimal number", r->line,
                         shown(token), token.begin);
    size_t last = 0;
    r->data.row_start[r->data.num_samples] = r->num_entries;
    while (!status && next_token(&line, &token))
        status = parse_feature(r, token, &last, err);
    r->data.row_start[++r->data.num_samples] = r->num_entries;
    if (last > r->data.num_features)
        r->data.num_features = last;
    return status;
}

static hsgd_status parse_text(reader *r, span text, hsgd_error *err)
{
    hsgd_status status = HSGD_OK;
    while (!status && text.begin < text.end) {
        const char *newline = memchr(text.begin, '\n', (size_t)(text.end - text.begin));
        span line = {text.begin, newline ? newline : text.end};
        r->line++;
        status = parse_line(r, line, err);
        text.begin = newline ? newline + 1 : text.end;
    }
    if (!status && r->data.num_samples == 0)
        status = hsgd_fail(err, HSGD_ERROR_INPUT, "no samples; each line is \"label index:value ...\"");
    if (!status && r->data.num_features == 0)
        status = hsgd_fail(err, HSGD_ERROR_INPUT, "none of the %zu samples has a feature", r->data.num_samples);
    return status;
}

/* Give back what growing by doubling left over; a refusal does no harm. */
static void trim(reader *r)
{
    hsgd_dataset *data = &r->data;
    size_t *row_start = realloc(data->row_start, (data->num_samples + 1) * sizeof *row_start);
    uint32_t *column = realloc(data->column, r->num_entries * sizeof *column);
    double *value = realloc(data->value, r->num_entries * sizeof *value);
    data->row_start = row_start ? row_start : data->row_start;
    data->column = column ? column : data->column;
    data->value = value ? value : data->value;
}

hsgd_status hsgd_dataset_read_libsvm(hsgd_dataset *out, const char *path, hsgd_error *err)
{
    memset(out, 0, sizeof *out);
    hsgd_file_bytes bytes;
    hsgd_status status = hsgd_read_file(&bytes, path, HSGD_MAX_FILE_BYTES, err);
    if (status)
        return status;
    reader r = {0};
    const char *begin = (const char *)bytes.data;
    status = parse_text(&r, (span){begin, begin + bytes.size}, err);
    free(bytes.data);
    if (!status)
        status = hsgd_dataset_set_classes(&r.data, r.raw_label, err);
    free(r.raw_label);
    if (status) {
        hsgd_error_prefix(err, "%s: ", path);
        hsgd_dataset_free(&r.data);
        return status;
    }
    trim(&r);
    *out = r.data;
    return HSGD_OK;
}
