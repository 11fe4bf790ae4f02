/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Exact numbers from texts: "3", "-0.05", "5e-2", "1/20". */
#include "bounds/certificate_private.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* Longer numbers are a mistake, or an attempt to keep the checker busy. */
enum { LONGEST = 512, LARGEST_EXPONENT = 512 };

static size_t count_digits(const char *text)
{
    size_t count = 0;
    while (isdigit((unsigned char)text[count]))
        count++;
    return count;
}

/* Append the digits at text to all, at length; returns their number. */
static size_t take_digits(char *all, size_t *length, const char *text)
{
    size_t count = count_digits(text);
    memcpy(all + *length, text, count);
    *length += count;
    all[*length] = '\0';
    return count;
}

/* "e-12" or nothing, up to the end of the text. */
static bool read_exponent(long *out, const char *text)
{
    *out = 0;
    if (!*text)
        return true;
    if (*text != 'e' && *text != 'E')
        return false;
    const char *digits = text + 1 + (text[1] == '-' || text[1] == '+');
    size_t count = count_digits(digits);
    if (!count || count > 4 || digits[count])
        return false;
    *out = strtol(text + 1, NULL, 10);
    return labs(*out) <= LARGEST_EXPONENT;
}

static void scale_by_ten(mpq_t out, long exponent)
{
    mpz_t power;
    mpz_init(power);
    mpz_ui_pow_ui(power, 10, (unsigned long)labs(exponent));
    if (exponent < 0)
        mpz_mul(mpq_denref(out), mpq_denref(out), power);
    else
        mpz_mul(mpq_numref(out), mpq_numref(out), power);
    mpq_canonicalize(out);
    mpz_clear(power);
}

/* Whole digits, then a point and digits, and an exponent. */
static bool read_decimal(mpq_t out, const char *text)
{
    char all[LONGEST + 1];
    size_t length = 0, fraction = 0;
    long exponent;
    text += take_digits(all, &length, text);
    if (!length)
        return false;
    if (*text == '.') {
        fraction = take_digits(all, &length, text + 1);
        if (!fraction)
            return false;
        text += 1 + fraction;
    }
    if (!read_exponent(&exponent, text))
        return false;
    mpz_set_str(mpq_numref(out), all, 10);
    mpz_set_ui(mpq_denref(out), 1);
    scale_by_ten(out, exponent - (long)fraction);
    return true;
}

static bool read_fraction(mpq_t out, const char *text, const char *slash)
{
    size_t numerator = count_digits(text), denominator = count_digits(slash + 1);
    if (!numerator || text + numerator != slash || !denominator || slash[1 + denominator])
        return false;
    if (mpq_set_str(out, text, 10) != 0 || mpz_sgn(mpq_denref(out)) == 0)
        return false;
    mpq_canonicalize(out);
    return true;
}

bool hsgd_exact_number(mpq_t out, const char *text)
{
    if (!text || strlen(text) > LONGEST)
        return false;
    bool negative = *text == '-';
    text += negative;
    const char *slash = strchr(text, '/');
    bool legal = slash ? read_fraction(out, text, slash) : read_decimal(out, text);
    if (legal && negative)
        mpq_neg(out, out);
    return legal;
}
