/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Numbers in text files. */
#include "analysis/dataset_private.h"

#include <math.h>
#include <stdlib.h>

/* Characters of an offending token that a message shows. */
enum { TOKEN_SHOWN = 40 };

int hsgd_shown(const char *begin, const char *end)
{
    return end - begin < TOKEN_SHOWN ? (int)(end - begin) : TOKEN_SHOWN;
}

static bool is_decimal(const char *begin, const char *end)
{
    for (const char *at = begin; at < end; at++)
        if (!(*at >= '0' && *at <= '9') && *at != '.' && *at != '-' && *at != '+' && *at != 'e' && *at != 'E')
            return false;
    return begin < end;
}

/* strtod alone would skip blanks and accept hexadecimal numbers, "nan" and "inf". It stops at the separator after the
 * token, so no copy is needed. The decimal point is that of the C locale, which the program never leaves. */
bool hsgd_parse_number(const char *begin, const char *end, double *number)
{
    if (!is_decimal(begin, end))
        return false;
    char *stop;
    *number = strtod(begin, &stop);
    return stop == end && isfinite(*number);
}
