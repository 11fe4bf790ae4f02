/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Characters that LaTeX's default fonts and encodings do not have, as commands: so that a text compiles with pdflatex and
 * no package at all. */
#include <stddef.h>

#include "plots/text_private.h"

/* What LaTeX would not print as itself. Brackets are spelled out because gnuplot's cairolatex reads a leading one as an
 * alignment, hyphens and quotes because two of them become another character. */
static const struct {
    char character;
    const char *spelling;
} ascii[] = {
    {'\\', "\\textbackslash{}"},
    {'{', "\\{"},
    {'}', "\\}"},
    {'$', "\\$"},
    {'&', "\\&"},
    {'#', "\\#"},
    {'_', "\\_"},
    {'%', "\\%"},
    {'~', "\\textasciitilde{}"},
    {'^', "\\textasciicircum{}"},
    {'<', "\\textless{}"},
    {'>', "\\textgreater{}"},
    {'|', "\\textbar{}"},
    {'"', "\\texttt{\\char34}"},
    {'`', "\\`{}"},
    {'\'', "'{}"},
    {'-', "-{}"},
    {'[', "\\lbrack{}"},
    {']', "\\rbrack{}"},
};

/* U+00C0 to U+00FF; NULL: not in the default encoding. */
static const char *const latin[] = {
    "\\`A",     "\\'A",      "\\^A",     "\\~A",      "\\\"A",  "\\AA{}", "\\AE{}", "\\c{C}", "\\`E", "\\'E",   "\\^E",
    "\\\"E",    "\\`I",      "\\'I",     "\\^I",      "\\\"I",  NULL,     "\\~N",   "\\`O",   "\\'O", "\\^O",   "\\~O",
    "\\\"O",    "$\\times$", "\\O{}",    "\\`U",      "\\'U",   "\\^U",   "\\\"U",  "\\'Y",   NULL,   "\\ss{}", "\\`a",
    "\\'a",     "\\^a",      "\\~a",     "\\\"a",     "\\aa{}", "\\ae{}", "\\c{c}", "\\`e",   "\\'e", "\\^e",   "\\\"e",
    "\\`{\\i}", "\\'{\\i}",  "\\^{\\i}", "\\\"{\\i}", NULL,     "\\~n",   "\\`o",   "\\'o",   "\\^o", "\\~o",   "\\\"o",
    "$\\div$",  "\\o{}",     "\\`u",     "\\'u",      "\\^u",   "\\\"u",  "\\'y",   NULL,     "\\\"y"};

/* U+03B1 to U+03C9. */
static const char *const greek[] = {"$\\alpha$",   "$\\beta$", "$\\gamma$",    "$\\delta$", "$\\varepsilon$",
                                    "$\\zeta$",    "$\\eta$",  "$\\theta$",    "$\\iota$",  "$\\kappa$",
                                    "$\\lambda$",  "$\\mu$",   "$\\nu$",       "$\\xi$",    "o",
                                    "$\\pi$",      "$\\rho$",  "$\\varsigma$", "$\\sigma$", "$\\tau$",
                                    "$\\upsilon$", "$\\phi$",  "$\\chi$",      "$\\psi$",   "$\\omega$"};

static const struct {
    uint32_t code;
    const char *spelling;
} other[] = {
    {0x00a0, "~"},
    {0x00a7, "\\S{}"},
    {0x00a9, "\\copyright{}"},
    {0x00b0, "$^\\circ$"},
    {0x00b1, "$\\pm$"},
    {0x00b2, "$^2$"},
    {0x00b3, "$^3$"},
    {0x00b5, "$\\mu$"},
    {0x00b7, "$\\cdot$"},
    {0x0101, "\\=a"},
    {0x0105, "a"},
    {0x0106, "\\'C"},
    {0x0107, "\\'c"},
    {0x010c, "\\v{C}"},
    {0x010d, "\\v{c}"},
    {0x010f, "\\v{d}"},
    {0x0119, "e"},
    {0x011b, "\\v{e}"},
    {0x011f, "\\u{g}"},
    {0x0131, "\\i{}"},
    {0x0130, "\\.I"},
    {0x0141, "\\L{}"},
    {0x0142, "\\l{}"},
    {0x0144, "\\'n"},
    {0x0148, "\\v{n}"},
    {0x0150, "\\H{O}"},
    {0x0151, "\\H{o}"},
    {0x0153, "\\oe{}"},
    {0x0158, "\\v{R}"},
    {0x0159, "\\v{r}"},
    {0x015a, "\\'S"},
    {0x015b, "\\'s"},
    {0x015e, "\\c{S}"},
    {0x015f, "\\c{s}"},
    {0x0160, "\\v{S}"},
    {0x0161, "\\v{s}"},
    {0x0165, "\\v{t}"},
    {0x016f, "\\r{u}"},
    {0x0171, "\\H{u}"},
    {0x017a, "\\'z"},
    {0x017b, "\\.Z"},
    {0x017c, "\\.z"},
    {0x017d, "\\v{Z}"},
    {0x017e, "\\v{z}"},
    {0x0393, "$\\Gamma$"},
    {0x0394, "$\\Delta$"},
    {0x0398, "$\\Theta$"},
    {0x039b, "$\\Lambda$"},
    {0x03a0, "$\\Pi$"},
    {0x03a3, "$\\Sigma$"},
    {0x03a6, "$\\Phi$"},
    {0x03a8, "$\\Psi$"},
    {0x03a9, "$\\Omega$"},
    {0x2013, "--"},
    {0x2014, "---"},
    {0x2018, "`"},
    {0x2019, "'"},
    {0x201c, "``"},
    {0x201d, "''"},
    {0x2020, "$\\dagger$"},
    {0x2022, "$\\bullet$"},
    {0x2026, "\\dots{}"},
    {0x2032, "$'$"},
    {0x2113, "$\\ell$"},
    {0x2190, "$\\leftarrow$"},
    {0x2192, "$\\rightarrow$"},
    {0x2202, "$\\partial$"},
    {0x2207, "$\\nabla$"},
    {0x2208, "$\\in$"},
    {0x2211, "$\\sum$"},
    {0x2212, "$-$"},
    {0x221a, "$\\surd$"},
    {0x221e, "$\\infty$"},
    {0x2016, "$\\|$"},
    {0x2225, "$\\|$"},
    {0x2248, "$\\approx$"},
    {0x2260, "$\\ne$"},
    {0x2264, "$\\le$"},
    {0x2265, "$\\ge$"},
};

const char *hsgd_text_tex_ascii(char c)
{
    for (size_t i = 0; i < sizeof ascii / sizeof *ascii; i++)
        if (ascii[i].character == c)
            return ascii[i].spelling;
    return NULL;
}

const char *hsgd_text_tex_unicode(uint32_t code)
{
    const char *spelling = NULL;
    if (code >= 0xc0 && code < 0xc0 + sizeof latin / sizeof *latin)
        spelling = latin[code - 0xc0];
    else if (code >= 0x3b1 && code < 0x3b1 + sizeof greek / sizeof *greek)
        spelling = greek[code - 0x3b1];
    for (size_t i = 0; !spelling && i < sizeof other / sizeof *other; i++)
        if (other[i].code == code)
            spelling = other[i].spelling;
    return spelling ? spelling : "?";
}
