/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "experiments/json_limits_private.h"

#include <stdbool.h>
#include <string.h>

/* Behind the closing quote of the string whose first character is at `at`, or the end. *zero: a \u0000 in it. */
static const char *skip_string(const char *at, const char *end, const char **zero)
{
    for (; at < end && *at != '"'; at++) {
        if (*at != '\\')
            continue;
        if (end - at >= 6 && memcmp(at, "\\u0000", 6) == 0 && !*zero)
            *zero = at;
        at++;
    }
    return at < end ? at + 1 : end;
}

hsgd_json_limit hsgd_json_look(const char *text, size_t length, const char **place)
{
    const char *end = text + length, *zero = NULL;
    size_t depth = 0, values = 1;
    for (const char *at = text; at < end && !zero;) {
        char c = *at++;
        *place = at - 1;
        depth += c == '[' || c == '{';
        depth -= depth > 0 && (c == ']' || c == '}');
        if (depth > HSGD_JSON_MAX_DEPTH)
            return HSGD_JSON_TOO_DEEP;
        values += c == ',' || c == '[' || c == '{';
        if (values > HSGD_JSON_MAX_VALUES)
            return HSGD_JSON_TOO_MANY;
        if (c == '"')
            at = skip_string(at, end, &zero);
    }
    if (zero)
        *place = zero;
    return zero ? HSGD_JSON_ZERO : HSGD_JSON_FINE;
}
