/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The only place where text from a user becomes part of a gnuplot script or of TeX.
 *
 * A name is data: it may hold quotes, back-quotes, macros, markup, TeX commands or rubbish. It is first made harmless
 * as text (valid UTF-8, printable, short); for TeX every special character is spelled out; then it is written as a
 * gnuplot string in which quotes, back-quotes and all else that gnuplot might read are octal codes, with `noenhanced`
 * against markup.
 *
 * The string is double-quoted although only single-quoted ones are free of escapes: gnuplot 5.4 does not read a doubled
 * quote, the only way to put a quote into the latter, at the start of the string or after another one. */
#ifndef HSGD_PLOTS_TEXT_PRIVATE_H
#define HSGD_PLOTS_TEXT_PRIVATE_H

#include <stddef.h>
#include <stdint.h>

#include "plots/figure.h"

/* The longest text in characters, and room for it where every character needs the longest TeX spelling. */
enum { HSGD_TEXT_MAX = 100, HSGD_TEXT_SIZE = 4 * HSGD_TEXT_MAX + 8, HSGD_QUOTED_SIZE = 32 * HSGD_TEXT_MAX + 32 };

typedef struct hsgd_quoted {
    char text[HSGD_QUOTED_SIZE];
} hsgd_quoted;

/* Copy text with '?' for control characters, for others that change the direction or the line, and for bytes that are
 * not UTF-8. Texts wider than max_width columns end in an ellipsis (East Asian characters take two columns). Returns
 * the width. NULL counts as "". */
size_t hsgd_text_clean(char out[HSGD_TEXT_SIZE], const char *text, size_t max_width);

/* The text as a gnuplot string for this format, with quotes and the keyword noenhanced. Returns quoted->text. */
const char *hsgd_text_quote(hsgd_quoted *quoted, hsgd_figure_format format, const char *text, size_t max_width);

/* The text for a LaTeX document. */
void hsgd_text_to_tex(char out[HSGD_QUOTED_SIZE], const char *text, size_t max_width);

/* LaTeX's spelling of a character that it would not print as itself; NULL: it would. The second is for what lies beyond
 * ASCII: "?" where no default font has it. Both are static. */
const char *hsgd_text_tex_ascii(char c);
const char *hsgd_text_tex_unicode(uint32_t code);

/* A number with few digits in gnuplot's markup or in TeX, e.g. 0.01, 1.5×10^{-7}, $1.5{\times}10^{-7}$. */
enum { HSGD_NUMBER_SIZE = 48 };
typedef struct hsgd_number {
    char text[HSGD_NUMBER_SIZE];
} hsgd_number;
const char *hsgd_text_number(hsgd_number *number, hsgd_figure_format format, double value);

/* The same without markup: 1.5×10⁻⁷. */
const char *hsgd_text_plain_number(hsgd_number *number, double value);

#endif
