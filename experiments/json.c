/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "experiments/json_private.h"

#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <math.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "analysis/open_file.h"
#include "analysis/stream.h"
#include "experiments/json_limits_private.h"

/* A configuration of this size holds some ten million numbers; anything larger is a mistake or an attack. */
static const size_t MAX_FILE_BYTES = (size_t)256 << 20;

/* Integers above this are not exact in a double, which is what JSON numbers become. */
static const double MAX_EXACT_INTEGER = 9007199254740992.0;

/* ---- whole documents ---- */

static hsgd_status read_stream(FILE *stream, const char *path, char **text, size_t *length, hsgd_error *err)
{
    size_t capacity = 1 << 16;
    *length = 0;
    *text = NULL;
    for (;;) {
        char *grown = realloc(*text, capacity);
        if (!grown)
            return hsgd_fail_memory(err, path);
        *text = grown;
        *length += fread(*text + *length, 1, capacity - *length, stream);
        if (*length < capacity)
            break;
        if (capacity >= MAX_FILE_BYTES)
            return hsgd_fail(err, HSGD_ERROR_INPUT, "%s: longer than %zu bytes", path, MAX_FILE_BYTES);
        capacity *= 2;
    }
    if (ferror(stream))
        return hsgd_fail(err, HSGD_ERROR_ENVIRONMENT, "%s: cannot be read: %s", path, strerror(errno));
    return HSGD_OK;
}

/* As others, so that no signal disturbs it. */
static hsgd_status open_standard_input(FILE **stream, hsgd_error *err)
{
    int copy = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
    *stream = copy < 0 ? NULL : hsgd_stream_of(copy, "r");
    if (*stream)
        return HSGD_OK;
    hsgd_status status = hsgd_fail(err, errno == ENOMEM ? HSGD_ERROR_MEMORY : HSGD_ERROR_INPUT, "-: cannot be read: %s",
                                   strerror(errno));
    if (copy >= 0)
        close(copy);
    return status;
}

hsgd_status hsgd_json_read_file(cJSON **document, const char *path, hsgd_error *err)
{
    *document = NULL;
    bool standard_input = strcmp(path, "-") == 0;
    FILE *stream;
    hsgd_status status = standard_input ? open_standard_input(&stream, err) : hsgd_open_stream(&stream, path, err);
    if (status)
        return status;
    char *text;
    size_t length;
    status = read_stream(stream, path, &text, &length, err);
    fclose(stream);
    if (!status)
        status = hsgd_json_parse(document, text, length, path, err);
    free(text);
    return status;
}

/* Line and column, from 1, of a place in a text. */
static void locate(const char *text, const char *place, size_t *line, size_t *column)
{
    *line = *column = 1;
    for (; text < place; text++) {
        ++*column;
        if (*text == '\n') {
            ++*line;
            *column = 1;
        }
    }
}

/* The first byte that does not belong to well-formed UTF-8 (RFC 3629), or the end. cJSON would hand such bytes on, into
 * result files that other readers of JSON refuse. */
static const char *find_non_utf8(const char *text, const char *stop)
{
    for (const unsigned char *c = (const unsigned char *)text; (const char *)c < stop; c++) {
        const unsigned char *first = c;
        int more = *c < 0x80 ? 0 : *c < 0xc2 ? -1 : *c < 0xe0 ? 1 : *c < 0xf0 ? 2 : *c < 0xf5 ? 3 : -1;
        if (more < 0 || stop - (const char *)c <= more)
            return (const char *)first;
        uint32_t code = more ? *c & (0x3fu >> more) : *c;
        for (int i = 0; i < more; i++) {
            if ((*++c & 0xc0) != 0x80)
                return (const char *)first;
            code = code << 6 | (*c & 0x3f);
        }
        bool overlong = (more == 2 && code < 0x800) || (more == 3 && code < 0x10000);
        if (overlong || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff))
            return (const char *)first;
    }
    return stop;
}

void hsgd_json_make_text(char *text)
{
    char *stop = text + strlen(text);
    for (size_t at = 0; (at += (size_t)(find_non_utf8(text + at, stop) - (text + at))) < (size_t)(stop - text);)
        text[at] = '?';
}

/* What the grammar allows, but we do not take. */
static hsgd_status check_limits(const char *text, size_t length, const char *file, hsgd_error *err)
{
    const char *place = text;
    size_t line, column;
    hsgd_json_limit limit = hsgd_json_look(text, length, &place);
    locate(text, place, &line, &column);
    switch (limit) {
    case HSGD_JSON_TOO_DEEP:
        return hsgd_fail(err, HSGD_ERROR_INPUT,
                         "%s: line %zu, column %zu: more than %d objects and arrays inside each other", file, line,
                         column, HSGD_JSON_MAX_DEPTH);
    case HSGD_JSON_TOO_MANY:
        return hsgd_fail(err, HSGD_ERROR_INPUT, "%s: line %zu, column %zu: more than %d values", file, line, column,
                         HSGD_JSON_MAX_VALUES);
    case HSGD_JSON_ZERO:
        return hsgd_fail(err, HSGD_ERROR_INPUT, "%s: line %zu, column %zu: a text must not have the character \\u0000",
                         file, line, column);
    default:
        return HSGD_OK;
    }
}

hsgd_status hsgd_json_parse(cJSON **document, const char *text, size_t length, const char *file, hsgd_error *err)
{
    const char *end = text, *stop = text + length, *bad = find_non_utf8(text, stop);
    size_t line, column;
    *document = NULL;
    if (bad < stop) {
        locate(text, bad, &line, &column);
        return hsgd_fail(err, HSGD_ERROR_INPUT, "%s: line %zu, column %zu: the byte 0x%02x is not UTF-8", file, line,
                         column, (unsigned char)*bad);
    }
    hsgd_status status = check_limits(text, length, file, err);
    if (status)
        return status;
    *document = cJSON_ParseWithLengthOpts(text, length, &end, false);
    if (!*document) {
        locate(text, end < stop ? end : stop, &line, &column);
        return hsgd_fail(err, HSGD_ERROR_INPUT, "%s: line %zu, column %zu: not valid JSON", file, line, column);
    }
    while (end < stop && (*end == ' ' || *end == '\t' || *end == '\n' || *end == '\r'))
        end++;
    if (end == stop)
        return HSGD_OK;
    cJSON_Delete(*document);
    *document = NULL;
    locate(text, end, &line, &column);
    return hsgd_fail(err, HSGD_ERROR_INPUT, "%s: line %zu, column %zu: text after the end of the JSON value", file,
                     line, column);
}

/* ---- places ---- */

hsgd_json hsgd_json_root(const char *file, const cJSON *document)
{
    return (hsgd_json){.file = file, .value = document, .path = ""};
}

hsgd_json hsgd_json_member(const hsgd_json *object, const char *key)
{
    hsgd_json out = {.file = object->file, .value = cJSON_GetObjectItemCaseSensitive(object->value, key)};
    int length = snprintf(out.path, sizeof out.path, "%s%s", object->path, *object->path ? "." : "");
    if (length >= 0 && (size_t)length < sizeof out.path)
        snprintf(out.path + length, sizeof out.path - (size_t)length, "%s", key);
    return out;
}

static hsgd_json element(const hsgd_json *array, const cJSON *value, size_t index)
{
    hsgd_json out = {.file = array->file, .value = value};
    char number[32];
    snprintf(number, sizeof number, "[%zu]", index);
    snprintf(out.path, sizeof out.path, "%.*s%s", (int)(sizeof out.path - sizeof number), array->path, number);
    return out;
}

hsgd_json hsgd_json_item(const hsgd_json *array, size_t index)
{
    return element(array, cJSON_GetArrayItem(array->value, (int)index), index);
}

hsgd_json hsgd_json_next(const hsgd_json *array, const cJSON **item, size_t index)
{
    hsgd_json out = element(array, *item, index);
    *item = (*item)->next;
    return out;
}

hsgd_status hsgd_json_fail(const hsgd_json *at, hsgd_error *err, const char *format, ...)
{
    enum { LONGEST = 48 };
    char reason[HSGD_MESSAGE_SIZE / 2], shown[64] = "";
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(reason, sizeof reason, format, arguments);
    va_end(arguments);
    if (!at->value)
        return hsgd_fail(err, HSGD_ERROR_INPUT, "%s: %s: missing; %s", at->file, at->path, reason);
    char *text = cJSON_PrintUnformatted(at->value);
    if (cJSON_IsNumber(at->value) && !isfinite(at->value->valuedouble))
        snprintf(shown, sizeof shown, "a number beyond the range of a double");
    else if (text) {
        size_t length = strlen(text), kept = length < LONGEST ? length : LONGEST;
        while (kept < length && kept > 0 && (text[kept] & 0xc0) == 0x80) /* no half characters */
            kept--;
        snprintf(shown, sizeof shown, "%.*s%s", (int)kept, text, kept < length ? "..." : "");
    }
    cJSON_free(text);
    return hsgd_fail(err, HSGD_ERROR_INPUT, "%s: %s%s%s: %s", at->file, at->path, *at->path ? ": " : "", shown, reason);
}

/* ---- values ---- */

static bool is_listed(const char *const *names, const char *name)
{
    for (; *names; names++)
        if (strcmp(*names, name) == 0)
            return true;
    return false;
}

/* "a, b, c" */
static void join(char *out, size_t size, const char *const *names)
{
    size_t length = 0;
    *out = '\0';
    for (size_t i = 0; names[i] && length < size; i++)
        length += (size_t)snprintf(out + length, size - length, "%s%s", i ? ", " : "", names[i]);
}

hsgd_status hsgd_json_object(const hsgd_json *at, const char *const *keys, hsgd_error *err)
{
    char list[512];
    join(list, sizeof list, keys);
    if (!cJSON_IsObject(at->value))
        return hsgd_json_fail(at, err, "expected an object with the keys %s", list);
    for (const cJSON *member = at->value->child; member; member = member->next) {
        hsgd_json place = hsgd_json_member(at, member->string);
        if (!is_listed(keys, member->string))
            return hsgd_json_fail(&place, err, "unknown key; legal here: %s", list);
        for (const cJSON *other = member->next; other; other = other->next)
            if (strcmp(member->string, other->string) == 0)
                return hsgd_json_fail(&place, err, "the key stands twice");
    }
    return HSGD_OK;
}

hsgd_status hsgd_json_number(const hsgd_json *at, double low, double high, double *out, hsgd_error *err)
{
    if (!cJSON_IsNumber(at->value) || !isfinite(at->value->valuedouble) || at->value->valuedouble < low ||
        at->value->valuedouble > high)
        return isfinite(high)  ? hsgd_json_fail(at, err, "expected a number from %g to %.10g", low, high)
               : isfinite(low) ? hsgd_json_fail(at, err, "expected a finite number of at least %g", low)
                               : hsgd_json_fail(at, err, "expected a finite number");
    *out = at->value->valuedouble;
    return HSGD_OK;
}

hsgd_status hsgd_json_positive(const hsgd_json *at, double *out, hsgd_error *err)
{
    if (!cJSON_IsNumber(at->value) || !isfinite(at->value->valuedouble) || !(at->value->valuedouble > 0))
        return hsgd_json_fail(at, err, "expected a finite number above 0");
    *out = at->value->valuedouble;
    return HSGD_OK;
}

static hsgd_status read_whole(double *out, const hsgd_json *at, double low, double high, hsgd_error *err)
{
    *out = cJSON_IsNumber(at->value) ? at->value->valuedouble : NAN;
    if (!(*out >= low) || !(*out <= high) || *out != floor(*out))
        return hsgd_json_fail(at, err, "expected a whole number from %.0f to %.0f", low, high);
    return HSGD_OK;
}

hsgd_status hsgd_json_count(const hsgd_json *at, size_t low, size_t high, size_t *out, hsgd_error *err)
{
    double value;
    hsgd_status status = read_whole(&value, at, (double)low, fmin((double)high, MAX_EXACT_INTEGER), err);
    if (!status)
        *out = (size_t)value;
    return status;
}

hsgd_status hsgd_json_seed(const hsgd_json *at, uint64_t *out, hsgd_error *err)
{
    double value;
    if (!at->value)
        return HSGD_OK;
    hsgd_status status = read_whole(&value, at, 0, MAX_EXACT_INTEGER, err);
    if (!status)
        *out = (uint64_t)value;
    return status;
}

hsgd_status hsgd_json_bool(const hsgd_json *at, bool *out, hsgd_error *err)
{
    if (!cJSON_IsBool(at->value))
        return hsgd_json_fail(at, err, "expected true or false");
    *out = cJSON_IsTrue(at->value);
    return HSGD_OK;
}

hsgd_status hsgd_json_text(const hsgd_json *at, const char **out, hsgd_error *err)
{
    if (!cJSON_IsString(at->value))
        return hsgd_json_fail(at, err, "expected a text");
    *out = at->value->valuestring;
    return HSGD_OK;
}

hsgd_status hsgd_json_copy_text(const hsgd_json *at, char **out, hsgd_error *err)
{
    const char *text = NULL;
    hsgd_status status = hsgd_json_text(at, &text, err);
    if (status)
        return status;
    *out = strdup(text);
    return *out ? HSGD_OK : hsgd_fail_memory(err, at->path);
}

hsgd_status hsgd_json_array(const hsgd_json *at, size_t min_length, size_t *length, hsgd_error *err)
{
    if (!cJSON_IsArray(at->value) || (size_t)cJSON_GetArraySize(at->value) < min_length)
        return hsgd_json_fail(at, err, "expected an array of at least %zu", min_length);
    *length = (size_t)cJSON_GetArraySize(at->value);
    return HSGD_OK;
}

hsgd_status hsgd_json_numbers(const hsgd_json *at, double low, double high, double **out, size_t *length,
                              hsgd_error *err)
{
    *out = NULL;
    hsgd_status status = hsgd_json_array(at, 1, length, err);
    if (status)
        return status;
    double *values = malloc(*length * sizeof *values);
    if (!values)
        return hsgd_fail_memory(err, at->path);
    const cJSON *item = at->value->child;
    for (size_t i = 0; i < *length && !status; i++) {
        hsgd_json place = hsgd_json_next(at, &item, i);
        status = hsgd_json_number(&place, low, high, &values[i], err);
    }
    if (status)
        free(values);
    else
        *out = values;
    return status;
}

hsgd_status hsgd_json_counts(const hsgd_json *at, size_t low, size_t high, size_t **out, size_t *length,
                             hsgd_error *err)
{
    *out = NULL;
    hsgd_status status = hsgd_json_array(at, 1, length, err);
    if (status)
        return status;
    size_t *values = malloc(*length * sizeof *values);
    if (!values)
        return hsgd_fail_memory(err, at->path);
    const cJSON *item = at->value->child;
    for (size_t i = 0; i < *length && !status; i++) {
        hsgd_json place = hsgd_json_next(at, &item, i);
        status = hsgd_json_count(&place, low, high, &values[i], err);
    }
    if (status)
        free(values);
    else
        *out = values;
    return status;
}

hsgd_status hsgd_json_choice(const hsgd_json *at, const char *const *names, size_t *out, hsgd_error *err)
{
    char list[512];
    join(list, sizeof list, names);
    for (size_t i = 0; cJSON_IsString(at->value) && names[i]; i++)
        if (strcmp(names[i], at->value->valuestring) == 0) {
            *out = i;
            return HSGD_OK;
        }
    return hsgd_json_fail(at, err, "expected one of %s", list);
}

hsgd_status hsgd_json_choice_of(const hsgd_json *at, hsgd_name name, size_t count, size_t *out, hsgd_error *err)
{
    const char *names[65] = {NULL};
    for (size_t i = 0; i < count && i < 64; i++)
        names[i] = name(i);
    return hsgd_json_choice(at, names, out, err);
}

/* ---- writing ---- */

/* The shortest text that reads back to the same number. */
static void format_number(char *out, size_t size, double value)
{
    for (int digits = 15; digits <= 17; digits++) {
        snprintf(out, size, "%.*g", digits, value);
        if (strtod(out, NULL) == value)
            return;
    }
}

/* Give every finite number below the item its text. */
static bool write_numbers(cJSON *item)
{
    for (cJSON *child = item->child; child; child = child->next)
        if (!write_numbers(child))
            return false;
    if (!cJSON_IsNumber(item) || !isfinite(item->valuedouble))
        return true;
    item->valuestring = cJSON_malloc(32);
    if (!item->valuestring)
        return false;
    format_number(item->valuestring, 32, item->valuedouble);
    item->type = cJSON_Raw;
    return true;
}

char *hsgd_json_print(cJSON *document)
{
    locale_t numbers = newlocale(LC_NUMERIC_MASK, "C", (locale_t)0), previous = (locale_t)0;
    if (numbers)
        previous = uselocale(numbers);
    char *text = document && write_numbers(document) ? cJSON_Print(document) : NULL;
    if (numbers) {
        uselocale(previous);
        freelocale(numbers);
    }
    return text;
}

hsgd_status hsgd_json_put(cJSON *document, hsgd_error *err)
{
    char *text = hsgd_json_print(document);
    hsgd_status status = text ? HSGD_OK : hsgd_fail_memory(err, "the JSON output");
    if (text)
        puts(text);
    cJSON_free(text);
    cJSON_Delete(document);
    return status;
}
