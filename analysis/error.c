/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "analysis/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* A message stays one line whatever a file name or a configuration held. UTF-8 passes unchanged. */
static void keep_one_line(char *text)
{
    for (; *text; text++)
        if ((unsigned char)*text < 0x20 || *text == 0x7f)
            *text = '?';
}

hsgd_status hsgd_fail(hsgd_error *err, hsgd_status status, const char *format, ...)
{
    if (err) {
        va_list arguments;
        va_start(arguments, format);
        vsnprintf(err->message, sizeof err->message, format, arguments);
        va_end(arguments);
        keep_one_line(err->message);
        err->status = status;
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
    char joined[HSGD_MESSAGE_SIZE];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(joined, sizeof joined, format, arguments);
    va_end(arguments);
    size_t length = strlen(joined);
    snprintf(joined + length, sizeof joined - length, "%s", err->message);
    memcpy(err->message, joined, sizeof joined);
    keep_one_line(err->message);
}
