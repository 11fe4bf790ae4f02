/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "analysis/error.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A message stays one line whatever a file name or a configuration held. UTF-8 passes unchanged. */
static void keep_one_line(char *text)
{
    for (; *text; text++)
        if ((unsigned char)*text < 0x20 || *text == 0x7f)
            *text = '?';
}

static bool is_inside_character(char byte)
{
    return (byte & 0xc0) == 0x80;
}

/* A text with its middle left out where it does not fit: paths may be long, and the reason stands at the end. */
static void fit(char out[HSGD_MESSAGE_SIZE], const char *text, size_t length)
{
    static const char gap[] = "...";
    enum { FIRST = HSGD_MESSAGE_SIZE / 3, LAST = HSGD_MESSAGE_SIZE - FIRST - sizeof gap };
    if (length < HSGD_MESSAGE_SIZE) {
        memcpy(out, text, length + 1);
        return;
    }
    size_t first = FIRST, last = LAST;
    while (first > 0 && is_inside_character(text[first]))
        first--;
    while (last > 0 && is_inside_character(text[length - last]))
        last--;
    memcpy(out, text, first);
    memcpy(out + first, gap, sizeof gap - 1);
    memcpy(out + first + sizeof gap - 1, text + length - last, last + 1);
}

static void set_message(hsgd_error *err, const char *text)
{
    fit(err->message, text, strlen(text));
    keep_one_line(err->message);
}

hsgd_status hsgd_fail(hsgd_error *err, hsgd_status status, const char *format, ...)
{
    if (err) {
        char *text;
        va_list arguments;
        va_start(arguments, format);
        int length = vasprintf(&text, format, arguments);
        va_end(arguments);
        set_message(err, length < 0 ? "out of memory" : text);
        err->status = status;
        if (length >= 0)
            free(text);
    }
    return status;
}

hsgd_status hsgd_fail_memory(hsgd_error *err, const char *what)
{
    return hsgd_fail(err, HSGD_ERROR_MEMORY, "out of memory for %s", what);
}

void hsgd_error_prefix(hsgd_error *err, const char *format, ...)
{
    if (!err)
        return;
    char *prefix, *joined;
    va_list arguments;
    va_start(arguments, format);
    int length = vasprintf(&prefix, format, arguments);
    va_end(arguments);
    if (length < 0)
        return;
    if (asprintf(&joined, "%s%s", prefix, err->message) >= 0) {
        set_message(err, joined);
        free(joined);
    }
    free(prefix);
}
