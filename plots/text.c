/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "plots/text_private.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Length of the valid UTF-8 sequence at s and its code point, or 0. Overlong forms and surrogates are not valid. */
static size_t decode(const unsigned char *s, uint32_t *code)
{
    static const uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
    size_t length = s[0] < 0x80 ? 1 : s[0] >> 5 == 0x06 ? 2 : s[0] >> 4 == 0x0e ? 3 : s[0] >> 3 == 0x1e ? 4 : 0;
    if (length <= 1) {
        *code = s[0];
        return length;
    }
    *code = s[0] & (0x7fu >> length);
    for (size_t i = 1; i < length; i++) {
        if ((s[i] & 0xc0) != 0x80)
            return 0;
        *code = *code << 6 | (s[i] & 0x3f);
    }
    bool valid = *code >= smallest[length] && *code <= 0x10ffff && !(*code >= 0xd800 && *code <= 0xdfff);
    return valid ? length : 0;
}

/* Controls, line and paragraph separators, marks that reorder the text around them, and what XML forbids in an svg. */
static bool printable(uint32_t code)
{
    return code >= 0x20 && !(code >= 0x7f && code <= 0x9f) && code != 0x061c && code != 0x200e && code != 0x200f &&
           !(code >= 0x2028 && code <= 0x202e) && !(code >= 0x2066 && code <= 0x2069) && (code & 0xfffe) != 0xfffe;
}

/* Wide scripts and emoji; close enough to keep a title on the page. */
static size_t width_of(uint32_t code)
{
    return (code >= 0x1100 && code <= 0x115f) || (code >= 0x2e80 && code < 0xfb00) || code >= 0x1f000 ? 2 : 1;
}

size_t hsgd_text_clean(char out[HSGD_TEXT_SIZE], const char *text, size_t max_width)
{
    const unsigned char *s = (const unsigned char *)(text ? text : "");
    if (max_width > HSGD_TEXT_MAX)
        max_width = HSGD_TEXT_MAX;
    size_t width = 0, used = 0, room_for_ellipsis = 0, ellipsis_width = 0;
    /* Characters without width do not exist here, so at most max_width characters of 4 bytes are copied. */
    while (*s) {
        uint32_t code;
        size_t length = decode(s, &code), columns = length ? width_of(code) : 1;
        if (width + columns > max_width) {
            memcpy(out + room_for_ellipsis, "…", sizeof "…");
            return ellipsis_width + 1;
        }
        if (length && printable(code))
            memcpy(out + used, s, length);
        else
            out[used] = '?';
        used += length && printable(code) ? length : 1;
        width += columns;
        s += length ? length : 1;
        if (width + 1 <= max_width) {
            room_for_ellipsis = used;
            ellipsis_width = width;
        }
    }
    out[used] = '\0';
    return width;
}

/* Write c as part of a double-quoted gnuplot string and return the end. Only the quote, the back-quote and the
 * backslash must be escaped; the others start macros, comments and shell commands where a string is not seen as one. */
static char *put_escaped(char *out, char c)
{
    if (c == '\\')
        return stpcpy(out, "\\\\");
    if (strchr("'\"`@#!$", c))
        /* Four digits: gnuplot reads a fourth one if the first is 0, so three could swallow the next character. */
        return out + sprintf(out, "\\%04o", (unsigned)c);
    *out = c;
    return out + 1;
}

/* LaTeX's spelling of the character at c, or NULL where it is spelled as it is; *length receives its bytes. */
static const char *tex_at(const char *c, size_t *length)
{
    uint32_t code;
    *length = decode((const unsigned char *)c, &code);
    return *length > 1 ? hsgd_text_tex_unicode(code) : hsgd_text_tex_ascii(*c);
}

const char *hsgd_text_quote(hsgd_quoted *quoted, hsgd_figure_format format, const char *text, size_t max_width)
{
    char clean[HSGD_TEXT_SIZE];
    hsgd_text_clean(clean, text, max_width);
    char *out = quoted->text;
    *out++ = '"';
    size_t length = 1;
    for (const char *c = clean; *c; c += length) {
        const char *spelling = hsgd_figure_format_is_tex(format) ? tex_at(c, &length) : NULL;
        if (!spelling)
            out = put_escaped(out, *c);
        for (const char *p = spelling; p && *p; p++)
            out = put_escaped(out, *p);
    }
    strcpy(out, "\" noenhanced");
    return quoted->text;
}

void hsgd_text_to_tex(char out[HSGD_QUOTED_SIZE], const char *text, size_t max_width)
{
    char clean[HSGD_TEXT_SIZE];
    size_t length;
    hsgd_text_clean(clean, text, max_width);
    for (const char *c = clean; *c; c += length) {
        const char *spelling = tex_at(c, &length);
        if (spelling)
            out = stpcpy(out, spelling);
        else
            *out++ = *c;
    }
    *out = '\0';
}

const char *hsgd_text_number(hsgd_number *number, hsgd_figure_format format, double value)
{
    bool tex = hsgd_figure_format_is_tex(format);
    char *text = number->text;
    char digits[32];
    snprintf(digits, sizeof digits, "%.2e", value);
    char *exponent = strchr(digits, 'e');
    long power = exponent ? strtol(exponent + 1, NULL, 10) : 0;
    if (!exponent || (power >= -3 && power <= 4)) {
        int precision = power > 2 ? (int)power + 1 : 3; /* 12345, not 1.23e+04 */
        snprintf(text, HSGD_NUMBER_SIZE, tex ? "$%.*g$" : "%.*g", precision, value);
        return text;
    }
    /* 1.50e-07 reads 1.5×10^-7 */
    char *end = exponent;
    while (end[-1] == '0')
        end--;
    if (end[-1] == '.')
        end--;
    *end = '\0';
    snprintf(text, HSGD_NUMBER_SIZE, tex ? "$%s{\\times}10^{%ld}$" : "%s×10^{%ld}", digits, power);
    return text;
}

const char *hsgd_text_plain_number(hsgd_number *number, double value)
{
    static const char *const digit[] = {"⁰", "¹", "²", "³", "⁴", "⁵", "⁶", "⁷", "⁸", "⁹"};
    hsgd_number markup;
    const char *brace = strchr(hsgd_text_number(&markup, HSGD_FIGURE_PDF, value), '^');
    size_t length = brace ? (size_t)(brace - markup.text) : strlen(markup.text);
    snprintf(number->text, sizeof number->text, "%.*s", (int)length, markup.text);
    for (const char *p = brace ? brace + 2 : ""; *p && *p != '}'; p++)
        length += (size_t)snprintf(number->text + length, sizeof number->text - length, "%s",
                                   *p == '-' ? "⁻" : digit[(*p - '0') % 10]);
    return number->text;
}
