/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Texts and numbers in the syntax of plain text, Markdown and LaTeX. */
#include "experiments/report_table_private.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* Lines of plain text. */
enum { LINE_WIDTH = 118 };

/* ---- characters ---- */

/* Bytes of the control character that text starts with, 0 for anything else. On a terminal they could do harm, those
 * beyond ASCII (U+0080 to U+009F) too. */
static size_t control_length(const char *text)
{
    unsigned char c = (unsigned char)text[0], next = c ? (unsigned char)text[1] : 0;
    if (c < 0x20 || c == 0x7f)
        return 1;
    return c == 0xc2 && next >= 0x80 && next < 0xa0 ? 2 : 0;
}

static int width_between(const char *text, const char *end)
{
    int width = 0;
    for (; text < end; text++)
        width += ((unsigned char)*text & 0xc0) != 0x80;
    return width;
}

int hsgd_report_width(const char *text)
{
    return width_between(text, text + strlen(text));
}

/* ---- LaTeX ---- */

/* What the theory writes with plain letters, and how LaTeX sets it. Longer ones first: the first that fits is taken. */
static const struct {
    const char *plain, *latex;
} symbols[] = {
    {"||grad F_j(a) - grad F_j(b)|| / ||a - b||", "$\\|\\nabla F_j(a) - \\nabla F_j(b)\\|/\\|a - b\\|$"},
    {"<grad f - gamma L Gbar, xibar>", "$\\langle\\nabla f - \\gamma L\\bar G, \\bar\\xi\\rangle$"},
    {"||xibar||^2 - sum p_j^2 ||xi_j||^2", "$\\|\\bar\\xi\\|^2 - \\sum_j p_j^2\\|\\xi_j\\|^2$"},
    {"||grad f||", "$\\|\\nabla f\\|$"},
    {"f(wbar)", "$f(\\bar w)$"},
    {"L of f", "$L$ of $f$"},
    {" for f ", " for $f$ "},
    {"A1 for f", "A1 for $f$"},
    {"q < 1", "$q < 1$"},
    {"t = ", "$t$ = "},
    {"grad F_j", "$\\nabla F_j$"},
    {"grad f", "$\\nabla f$"},
    {"sum p_j^2", "$\\sum_j p_j^2$"},
    {"sigma^2", "$\\sigma^2$"},
    {"sigma_sq", "$\\sigma^2$"},
    {"gamma", "$\\gamma$"},
    {"Delta", "$\\Delta$"},
    {"sqrt(6)", "$\\sqrt6$"},
    {"wbar^T", "$\\bar w^T$"},
    {"wbar", "$\\bar w$"},
    {"Gbar", "$\\bar G$"},
    {"xibar", "$\\bar\\xi$"},
    {"xi_j", "$\\xi_j$"},
    {"F_j", "$F_j$"},
    {"g_j", "$g_j$"},
    {"w^0", "$w^0$"},
    {"S_round", "$S_{\\mathrm{round}}$"},
    {"S_min", "$S_{\\min}$"},
    {"L^2", "$L^2$"},
    {"f*", "$f^*$"},
    {"||^2", "$\\|^2$"},
    {"||", "$\\|$"},
    {" x ", "$\\times$"},
    {"+-", "$\\pm$"},
    {"<=", "$\\le$"},
    {">=", "$\\ge$"},
    {"<", "$<$"},
    {">", "$>$"},
};

/* Characters that LaTeX gives a meaning; "[" and "*" have one after the end of a row. */
static const char *latex_escape(char c)
{
    static const char special[] = "\\~^&%$#_{}[*<>|`";
    static const char *const escaped[] = {"\\textbackslash{}",
                                          "\\textasciitilde{}",
                                          "\\textasciicircum{}",
                                          "\\&",
                                          "\\%",
                                          "\\$",
                                          "\\#",
                                          "\\_",
                                          "\\{",
                                          "\\}",
                                          "{[}",
                                          "{*}",
                                          "$<$",
                                          "$>$",
                                          "$|$",
                                          "\\textasciigrave{}"};
    const char *at = strchr(special, c);
    return c && at ? escaped[at - special] : NULL;
}

/* A character beyond ASCII: pdfLaTeX knows the Latin letters of U+00C0 to U+017F only. Returns its bytes. */
static size_t put_beyond_ascii(const char *text, FILE *stream)
{
    size_t length = 1;
    while (((unsigned char)text[length] & 0xc0) == 0x80)
        length++;
    unsigned char lead = (unsigned char)text[0];
    if (lead >= 0xc3 && lead <= 0xc5 && length == 2)
        fwrite(text, 1, length, stream);
    else
        fputc('?', stream);
    return length;
}

/* One character as it is; returns its bytes. before: the one before it. */
static size_t put_latex_character(const char *text, char before, FILE *stream)
{
    size_t control = control_length(text);
    if (control)
        fputc(' ', stream);
    else if ((unsigned char)*text >= 0x80)
        return put_beyond_ascii(text, stream);
    else if (*text == '"')
        fputs(before == ' ' || before == '(' ? "``" : "''", stream);
    else if (latex_escape(*text))
        fputs(latex_escape(*text), stream);
    else
        fputc(*text, stream);
    return control ? control : 1;
}

static void put_latex_name(const char *text, FILE *stream)
{
    char before = ' ';
    while (*text) {
        size_t length = put_latex_character(text, before, stream);
        before = text[length - 1];
        text += length;
    }
}

static bool is_one_of(char c, const char *set)
{
    return !c || strchr(set, c);
}

/* A quantity with a name of one letter, perhaps with a number below, e.g. "L", "D_1": its length, 0 for anything else. */
static size_t quantity_length(const char *text, char before)
{
    if (!is_one_of(before, " (/<") || *text < 'A' || *text > 'Z')
        return 0;
    size_t digits = text[1] == '_' ? strspn(text + 2, "0123456789") : 0;
    if (digits)
        return 2 + digits;
    return strchr("DEGILSTV", *text) && is_one_of(text[1], " ),.;:") ? 1 : 0;
}

/* A number with an exponent, e.g. "4.8e-16": its length, 0 for anything else. */
static size_t power_length(const char *text, char before)
{
    size_t digits = is_one_of(before, " (=[/") ? strspn(text, "0123456789.") : 0;
    if (!digits || text[digits] != 'e' || (text[digits + 1] != '+' && text[digits + 1] != '-'))
        return 0;
    size_t exponent = strspn(text + digits + 2, "0123456789");
    return exponent ? digits + 2 + exponent : 0;
}

/* "4.8" and "-05": 4.8 times 10 to the power of -5. */
static void put_power_of_ten(const char *mantissa, int length, const char *exponent, FILE *stream)
{
    const char *digits = exponent + 1 + strspn(exponent + 1, "0");
    int num_digits = (int)strspn(digits, "0123456789");
    fprintf(stream, "$%.*s\\cdot 10^{%s%.*s}$", length, mantissa, *exponent == '-' && num_digits ? "-" : "",
            num_digits ? num_digits : 1, num_digits ? digits : "0");
}

/* Mathematics, or nothing: returns the bytes that it stands for. */
static size_t put_latex_symbol(const char *text, char before, FILE *stream)
{
    for (size_t i = 0; i < sizeof symbols / sizeof *symbols; i++)
        if (strncmp(text, symbols[i].plain, strlen(symbols[i].plain)) == 0) {
            fputs(symbols[i].latex, stream);
            return strlen(symbols[i].plain);
        }
    size_t quantity = quantity_length(text, before), power = power_length(text, before);
    if (power)
        put_power_of_ten(text, (int)strcspn(text, "e"), strchr(text, 'e') + 1, stream);
    else if (quantity == 1)
        fprintf(stream, "$%c$", *text);
    else if (quantity)
        fprintf(stream, "$%c_{%.*s}$", *text, (int)(quantity - 2), text + 2);
    return power ? power : quantity;
}

static void put_latex(const char *text, FILE *stream)
{
    char before = ' ';
    while (*text) {
        size_t length = put_latex_symbol(text, before, stream);
        if (!length)
            length = put_latex_character(text, before, stream);
        before = text[length - 1];
        text += length;
    }
}

/* ---- the others ---- */

static void put_markdown(const char *text, FILE *stream)
{
    while (*text) {
        size_t control = control_length(text);
        if (!control && strchr("\\|`*_<>[]~&$#", *text))
            fputc('\\', stream);
        fputc(control ? ' ' : *text, stream);
        text += control ? control : 1;
    }
}

static void put_text(const char *text, const char *end, FILE *stream)
{
    while (text < end) {
        size_t control = control_length(text);
        fputc(control ? '?' : *text, stream);
        text += control ? control : 1;
    }
}

void hsgd_report_put(hsgd_report_format format, const char *text, FILE *stream)
{
    if (format == HSGD_REPORT_LATEX)
        put_latex(text, stream);
    else if (format == HSGD_REPORT_MARKDOWN)
        put_markdown(text, stream);
    else
        put_text(text, text + strlen(text), stream);
}

void hsgd_report_put_name(hsgd_report_format format, const char *text, FILE *stream)
{
    if (format == HSGD_REPORT_LATEX)
        put_latex_name(text, stream);
    else
        hsgd_report_put(format, text, stream);
}

/* Equations stay in one line. */
static const char *word_end(const char *text)
{
    const char *end = text + strcspn(text, " ");
    return strncmp(end, " = ", 3) == 0 ? word_end(end + 3) : end;
}

void hsgd_report_put_words(hsgd_report_format format, const char *text, int column, int indent, FILE *stream)
{
    if (format != HSGD_REPORT_TEXT) {
        hsgd_report_put(format, text, stream);
        fputc('\n', stream);
        return;
    }
    for (const char *start = text; *text; text += *text == ' ') {
        const char *end = word_end(text);
        int width = width_between(text, end);
        if (text > start && column + 1 + width > LINE_WIDTH) {
            fprintf(stream, "\n%*s", indent, "");
            column = indent;
        } else if (text > start) {
            fputc(' ', stream);
            column++;
        }
        put_text(text, end, stream);
        column += width;
        text = end;
    }
    fputc('\n', stream);
}

/* ---- numbers ---- */

/* "1.23e-05" gets a power of ten in LaTeX. */
void hsgd_report_put_number(hsgd_report_format format, double value, int digits, FILE *stream)
{
    char plain[48];
    snprintf(plain, sizeof plain, "%.*g", digits, value);
    char *exponent = strchr(plain, 'e');
    if (isnan(value))
        fputs(format == HSGD_REPORT_LATEX ? "--" : "-", stream);
    else if (format != HSGD_REPORT_LATEX)
        fputs(plain, stream);
    else if (isinf(value))
        fputs(value > 0 ? "$\\infty$" : "$-\\infty$", stream);
    else if (exponent)
        put_power_of_ten(plain, (int)(exponent - plain), exponent + 1, stream);
    else
        fprintf(stream, "$%s$", plain);
}

void hsgd_report_put_estimate(hsgd_report_format format, double value, double half, int digits, FILE *stream)
{
    static const char *const plus_minus[] = {
        [HSGD_REPORT_TEXT] = " +- ", [HSGD_REPORT_MARKDOWN] = " ± ", [HSGD_REPORT_LATEX] = " \\pm "};
    enum { MAX_PLACES = 7 };
    const char *dollar = format == HSGD_REPORT_LATEX ? "$" : "";
    double last = value != 0 ? pow(10, floor(log10(fabs(value))) - digits + 1) : 0;
    int places = half > 0 ? (int)fmax(0, 1 - floor(log10(half))) : 0;
    if (!(half > 0) || !isfinite(value) || !isfinite(half) || half < last / 2)
        hsgd_report_put_number(format, value, digits, stream);
    else if (places <= MAX_PLACES && fabs(value) < 1e7 && half < 1e7) {
        int most = places ? places : 2, own = value != 0 ? (int)(1 - floor(log10(fabs(value)))) : 0;
        int shown_places = own > places && own <= most ? own : places;         /* 0.42 +- 55, not 0 +- 55 */
        double shown = fabs(value) < 0.5 * pow(10, -shown_places) ? 0 : value; /* never -0.00 */
        fprintf(stream, "%s%.*f%s%.*f%s", dollar, shown_places, shown, plus_minus[format], places, half, dollar);
    } else {
        hsgd_report_put_number(format, value, digits, stream);
        fprintf(stream, "%s%s%s", dollar, plus_minus[format], dollar);
        hsgd_report_put_number(format, half, 2, stream);
    }
}
