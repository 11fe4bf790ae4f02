/* SPDX-License-Identifier: GPL-3.0-or-later */
/* LEAF's JSON as a stream of events: yajl says what comes, `place` where in the document we are. Rows go straight into one
 * array; what is kept beside them is the names and counts, to compare what a file declares with what it holds. */
#include "experiments/leaf_private.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/memory.h"

enum {
    NUMBER_BYTES = 128, /* no program writes longer ones */
    MAX_SKIPPED = 100,  /* containers inside each other in what is not of interest; each takes memory of the parser */
    PLACE_BYTES = 256
};

/* ---- lists ---- */

void *hsgd_leaf_list_extend(hsgd_leaf_reader *r, hsgd_leaf_list *l, size_t count, size_t size)
{
    if (l->capacity - l->count < count) {
        size_t capacity = l->capacity + l->capacity / 2 + count + 64; /* large data may not fit twice */
        const char *advice = r->images ? "fewer users or a smaller \"image_size\"" : "fewer files";
        r->status = hsgd_memory_check((double)capacity * (double)size, "the data", advice, r->err);
        void *grown = r->status ? NULL : realloc(l->item, capacity * size);
        if (!grown) {
            r->status = r->status ? r->status : hsgd_fail_memory(r->err, "the data");
            return NULL;
        }
        l->item = grown;
        l->capacity = capacity;
    }
    l->count += count;
    return (char *)l->item + size * (l->count - count);
}

void *hsgd_leaf_list_add(hsgd_leaf_reader *r, hsgd_leaf_list *l, size_t size)
{
    return hsgd_leaf_list_extend(r, l, 1, size);
}

static int add_number(hsgd_leaf_reader *r, hsgd_leaf_list *l, double number)
{
    double *added = hsgd_leaf_list_add(r, l, sizeof *added);
    if (added)
        *added = number;
    return added != NULL;
}

void hsgd_leaf_free_users(hsgd_leaf_list *l)
{
    for (size_t i = 0; i < l->count; i++)
        free(((hsgd_leaf_user *)l->item)[i].name);
    free(l->item);
    *l = (hsgd_leaf_list){0};
}

static hsgd_leaf_user *this_user(const hsgd_leaf_reader *r)
{
    return (hsgd_leaf_user *)r->held.item + r->held.count - 1;
}

/* ---- failures ---- */

/* The place in the document, in words of JSON. */
static void say_place(char *out, const hsgd_leaf_reader *r)
{
    const char *name = r->held.count && r->place >= HSGD_LEAF_USER ? this_user(r)->name : "";
    switch (r->place) {
    case HSGD_LEAF_OUTSIDE:
    case HSGD_LEAF_TOP:
        snprintf(out, PLACE_BYTES, "the document");
        return;
    case HSGD_LEAF_USERS:
        snprintf(out, PLACE_BYTES, "users[%zu]", r->declared.count);
        return;
    case HSGD_LEAF_COUNTS:
        snprintf(out, PLACE_BYTES, "num_samples[%zu]", r->declared_count.count);
        return;
    case HSGD_LEAF_USER_DATA:
        snprintf(out, PLACE_BYTES, "user_data");
        return;
    case HSGD_LEAF_USER:
        snprintf(out, PLACE_BYTES, "user_data.%.*s", HSGD_LEAF_NAME_SHOWN, name);
        return;
    case HSGD_LEAF_ROWS:
    case HSGD_LEAF_ROW:
        snprintf(out, PLACE_BYTES, "user_data.%.*s.x[%zu]", HSGD_LEAF_NAME_SHOWN, name, r->num_rows - r->first_row);
        return;
    case HSGD_LEAF_LABELS:
        snprintf(out, PLACE_BYTES, "user_data.%.*s.y", HSGD_LEAF_NAME_SHOWN, name);
        return;
    }
}

static int fail(hsgd_leaf_reader *r, const char *format, ...) HSGD_PRINTF(2, 3);

/* Stops the parser: callbacks return 0. */
static int fail(hsgd_leaf_reader *r, const char *format, ...)
{
    char where[PLACE_BYTES], what[HSGD_MESSAGE_SIZE];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(what, sizeof what, format, arguments);
    va_end(arguments);
    say_place(where, r);
    r->status = hsgd_fail(r->err, HSGD_ERROR_INPUT, "%s: %s", where, what);
    return 0;
}

static int fail_unexpected(hsgd_leaf_reader *r, const char *what)
{
    static const char *const expected[] = {
        [HSGD_LEAF_OUTSIDE] = "an object",
        [HSGD_LEAF_TOP] = "arrays \"users\" and \"num_samples\" and an object \"user_data\"",
        [HSGD_LEAF_USERS] = "names",
        [HSGD_LEAF_COUNTS] = "whole numbers",
        [HSGD_LEAF_USER_DATA] = "an object for each user",
        [HSGD_LEAF_USER] = "arrays \"x\" and \"y\"",
        [HSGD_LEAF_ROWS] = "an array of numbers for each sample",
        [HSGD_LEAF_ROW] = "numbers",
        [HSGD_LEAF_LABELS] = "numbers",
    };
    return fail(r, "%s; expected %s", what,
                r->place == HSGD_LEAF_ROWS && r->images ? "the name of an image file for each sample"
                                                        : expected[r->place]);
}

/* ---- users and rows ---- */

static int add_user(hsgd_leaf_reader *r, hsgd_leaf_list *l, const unsigned char *name, size_t length)
{
    if (memchr(name, 0, length)) /* names would end there, and different ones be the same */
        return fail(r, "a user's name must not have the character \\u0000");
    char *copy = strndup((const char *)name, length);
    hsgd_leaf_user *added = copy ? hsgd_leaf_list_add(r, l, sizeof *added) : NULL;
    if (added)
        *added = (hsgd_leaf_user){copy, 0};
    else {
        free(copy);
        r->status = r->status ? r->status : hsgd_fail_memory(r->err, "the users");
    }
    return added != NULL;
}

static int begin_user(hsgd_leaf_reader *r)
{
    r->seen[HSGD_LEAF_KEY_X] = r->seen[HSGD_LEAF_KEY_Y] = false;
    r->first_row = r->num_rows;
    return 1;
}

static int end_user(hsgd_leaf_reader *r)
{
    size_t rows = r->num_rows - r->first_row, labels = r->label.count - r->first_row;
    if (!r->seen[HSGD_LEAF_KEY_X] || !r->seen[HSGD_LEAF_KEY_Y])
        return fail(r, "no \"%s\"", r->seen[HSGD_LEAF_KEY_X] ? "y" : "x");
    if (labels != rows)
        return fail(r, "%zu samples in \"x\", but %zu labels in \"y\"", rows, labels);
    this_user(r)->number = rows;
    if (rows == 0)
        return 1;
    size_t *start = hsgd_leaf_list_add(r, &r->start, sizeof *start);
    if (start)
        *start = r->first_row;
    return start != NULL;
}

static int end_row(hsgd_leaf_reader *r)
{
    size_t length = r->value.count - r->num_rows * r->num_features;
    if (r->num_rows == 0)
        r->num_features = length;
    if (length == 0)
        return fail(r, "a sample without numbers");
    if (length != r->num_features)
        return fail(r, "%zu numbers, but the first sample has %zu", length, r->num_features);
    r->num_rows++;
    return 1;
}

/* ---- events ---- */

/* Where an object or array leads from a place, after a key. */
static const struct step {
    hsgd_leaf_place from;
    hsgd_leaf_key key;
    bool is_map;
    hsgd_leaf_place to;
} steps[] = {
    {HSGD_LEAF_OUTSIDE, HSGD_LEAF_NO_KEY, true, HSGD_LEAF_TOP},
    {HSGD_LEAF_TOP, HSGD_LEAF_KEY_USERS, false, HSGD_LEAF_USERS},
    {HSGD_LEAF_TOP, HSGD_LEAF_KEY_COUNTS, false, HSGD_LEAF_COUNTS},
    {HSGD_LEAF_TOP, HSGD_LEAF_KEY_USER_DATA, true, HSGD_LEAF_USER_DATA},
    {HSGD_LEAF_USER_DATA, HSGD_LEAF_KEY_NAME, true, HSGD_LEAF_USER},
    {HSGD_LEAF_USER, HSGD_LEAF_KEY_X, false, HSGD_LEAF_ROWS},
    {HSGD_LEAF_USER, HSGD_LEAF_KEY_Y, false, HSGD_LEAF_LABELS},
    {HSGD_LEAF_ROWS, HSGD_LEAF_NO_KEY, false, HSGD_LEAF_ROW},
};
enum { NUM_STEPS = sizeof steps / sizeof *steps };

static int begin(hsgd_leaf_reader *r, bool is_map)
{
    bool is_name = r->place == HSGD_LEAF_ROWS && r->images; /* samples are then no arrays */
    if (r->skipped > 0 || r->key == HSGD_LEAF_KEY_OTHER) {
        r->key = HSGD_LEAF_NO_KEY;
        return r->skipped++ < MAX_SKIPPED ? 1
                                          : fail(r, "more than %d objects and arrays inside each other", MAX_SKIPPED);
    }
    for (size_t i = 0; i < NUM_STEPS && !is_name; i++)
        if (steps[i].from == r->place && steps[i].key == r->key && steps[i].is_map == is_map) {
            r->key = HSGD_LEAF_NO_KEY;
            r->place = steps[i].to;
            return r->place == HSGD_LEAF_USER ? begin_user(r) : 1;
        }
    return fail_unexpected(r, is_map ? "an object" : "an array");
}

static int end(hsgd_leaf_reader *r)
{
    if (r->skipped > 0) {
        r->skipped--;
        return 1;
    }
    int good = r->place == HSGD_LEAF_ROW ? end_row(r) : r->place == HSGD_LEAF_USER ? end_user(r) : 1;
    for (size_t i = 0; i < NUM_STEPS && good; i++)
        if (steps[i].to == r->place) {
            r->place = steps[i].from;
            break;
        }
    return good;
}

static int on_start_map(void *context)
{
    return begin(context, true);
}

static int on_start_array(void *context)
{
    return begin(context, false);
}

static int on_end(void *context)
{
    return end(context);
}

static hsgd_leaf_key find_key(hsgd_leaf_place at, const unsigned char *name, size_t length)
{
    static const struct {
        hsgd_leaf_place place;
        const char *name;
        hsgd_leaf_key key;
    } known[] = {{HSGD_LEAF_TOP, "users", HSGD_LEAF_KEY_USERS},
                 {HSGD_LEAF_TOP, "num_samples", HSGD_LEAF_KEY_COUNTS},
                 {HSGD_LEAF_TOP, "user_data", HSGD_LEAF_KEY_USER_DATA},
                 {HSGD_LEAF_USER, "x", HSGD_LEAF_KEY_X},
                 {HSGD_LEAF_USER, "y", HSGD_LEAF_KEY_Y}};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (known[i].place == at && strlen(known[i].name) == length && memcmp(known[i].name, name, length) == 0)
            return known[i].key;
    return HSGD_LEAF_KEY_OTHER;
}

static int on_map_key(void *context, const unsigned char *name, size_t length)
{
    hsgd_leaf_reader *r = context;
    if (r->skipped > 0)
        return 1;
    if (r->place == HSGD_LEAF_USER_DATA) {
        r->key = HSGD_LEAF_KEY_NAME;
        return add_user(r, &r->held, name, length);
    }
    r->key = find_key(r->place, name, length);
    if (r->key != HSGD_LEAF_KEY_OTHER && r->seen[r->key])
        return fail(r, "a second \"%.*s\"", (int)length, name);
    if (r->key != HSGD_LEAF_KEY_OTHER)
        r->seen[r->key] = true;
    return 1;
}

/* A value that is neither an object nor an array; returns whether it may be here. */
static bool take_scalar(hsgd_leaf_reader *r, bool fits)
{
    bool skipped = r->skipped > 0 || r->key == HSGD_LEAF_KEY_OTHER;
    if (r->skipped == 0)
        r->key = HSGD_LEAF_NO_KEY;
    return skipped || fits;
}

/* yajl checks the form, but does not end the text. */
static bool parse_number(const char *text, size_t length, double *number)
{
    char copy[NUMBER_BYTES];
    if (length >= sizeof copy)
        return false;
    memcpy(copy, text, length);
    copy[length] = 0;
    *number = strtod(copy, NULL);
    return isfinite(*number);
}

static int on_number(void *context, const char *text, size_t length)
{
    hsgd_leaf_reader *r = context;
    bool skipped = r->skipped > 0 || r->key == HSGD_LEAF_KEY_OTHER;
    hsgd_leaf_list *wanted = r->place == HSGD_LEAF_ROW      ? &r->value
                             : r->place == HSGD_LEAF_LABELS ? &r->label
                             : r->place == HSGD_LEAF_COUNTS ? &r->declared_count
                                                            : NULL;
    double number = 0;
    if (!take_scalar(r, wanted != NULL))
        return fail_unexpected(r, "a number");
    if (skipped)
        return 1;
    if (!parse_number(text, length, &number))
        return fail(r, "%.*s is not a finite number of less than %d characters", length < 40 ? (int)length : 40, text,
                    NUMBER_BYTES);
    return add_number(r, wanted, number);
}

/* A sample that is an image file. */
static int take_image(hsgd_leaf_reader *r, const unsigned char *name, size_t length)
{
    char where[PLACE_BYTES];
    r->status = hsgd_leaf_read_image(r, name, length);
    if (!r->status)
        return end_row(r);
    say_place(where, r);
    if (r->status == HSGD_ERROR_INPUT)
        hsgd_error_prefix(r->err, "%s: ", where);
    return 0;
}

static int on_string(void *context, const unsigned char *text, size_t length)
{
    hsgd_leaf_reader *r = context;
    bool skipped = r->skipped > 0 || r->key == HSGD_LEAF_KEY_OTHER;
    bool is_image = r->place == HSGD_LEAF_ROWS && r->images;
    if (!take_scalar(r, r->place == HSGD_LEAF_USERS || is_image))
        return fail_unexpected(r, r->place == HSGD_LEAF_ROWS ? "a text (of an image file? they need \"images\")"
                                                             : "a text");
    if (skipped)
        return 1;
    return is_image ? take_image(r, text, length) : add_user(r, &r->declared, text, length);
}

static int on_boolean(void *context, int value)
{
    return take_scalar(context, false) ? 1 : fail_unexpected(context, value ? "true" : "false");
}

static int on_null(void *context)
{
    return take_scalar(context, false) ? 1 : fail_unexpected(context, "null");
}

const yajl_callbacks hsgd_leaf_callbacks = {
    .yajl_null = on_null,
    .yajl_boolean = on_boolean,
    .yajl_number = on_number,
    .yajl_string = on_string,
    .yajl_start_map = on_start_map,
    .yajl_map_key = on_map_key,
    .yajl_end_map = on_end,
    .yajl_start_array = on_start_array,
    .yajl_end_array = on_end,
};
