/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "bounds/expression_token_private.h"

#include <stdbool.h>
#include <string.h>

/* Of the C locale, whatever the program's is. */
static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static size_t count_digits(const char *c)
{
    size_t count = 0;
    while (is_digit(c[count]))
        count++;
    return count;
}

/* Digits with a point and an exponent, as in 12, 1.5, .5, 2., 1e-3; 0 where no number starts. */
static size_t number_length(const char *c)
{
    size_t length = count_digits(c), digits = length;
    if (c[length] == '.') {
        digits += count_digits(c + length + 1);
        length = digits + 1;
    }
    if (digits == 0)
        return 0;
    if (c[length] == 'e' || c[length] == 'E') {
        size_t sign = c[length + 1] == '+' || c[length + 1] == '-', exponent = count_digits(c + length + 1 + sign);
        length += exponent ? 1 + sign + exponent : 0;
    }
    return length;
}

static size_t name_length(const char *c)
{
    size_t length = 0;
    while (is_letter(c[length]) || (length && is_digit(c[length])))
        length++;
    return length;
}

static size_t operator_length(const char *c)
{
    static const char *const both[] = {"<=", ">=", "==", "!=", "&&", "||"};
    for (size_t i = 0; i < sizeof both / sizeof *both; i++)
        if (strncmp(c, both[i], 2) == 0)
            return 2;
    return *c && strchr("+-*/^<>?:", *c) ? 1 : 0;
}

static size_t character_length(const char *c)
{
    size_t length = 1;
    while ((c[length] & 0xc0) == 0x80)
        length++;
    return length;
}

static hsgd_token_kind punctuation(char c)
{
    return c == '(' ? HSGD_TOKEN_OPEN : c == ')' ? HSGD_TOKEN_CLOSE : c == ',' ? HSGD_TOKEN_COMMA : HSGD_TOKEN_NONE;
}

hsgd_token hsgd_token_next(const char *text, size_t at)
{
    at += strspn(text + at, " ");
    const char *c = text + at;
    hsgd_token token = {HSGD_TOKEN_END, at, 0};
    if (!*c)
        return token;
    if ((token.length = number_length(c)))
        token.kind = HSGD_TOKEN_NUMBER;
    else if ((token.length = name_length(c)))
        token.kind = HSGD_TOKEN_NAME;
    else if ((token.length = operator_length(c)))
        token.kind = HSGD_TOKEN_OPERATOR;
    else {
        token.length = character_length(c);
        token.kind = punctuation(*c);
    }
    return token;
}
