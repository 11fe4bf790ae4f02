/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Is a piece of LaTeX well formed? No LaTeX is needed for it: braces, mathematics and environments are closed, rows have
 * the cells that the table's columns say, and no character with a meaning stands where it has none. */
#ifndef HSGD_TESTS_EXPERIMENTS_LATEX_H
#define HSGD_TESTS_EXPERIMENTS_LATEX_H

#include "tests/test.h"

#include <ctype.h>

enum { LATEX_MAX_DEPTH = 8 };

typedef struct latex_state {
    const char *text, *at;
    int braces;
    bool math;
    int depth; /* of environments */
    char environment[LATEX_MAX_DEPTH][16];
    size_t columns, separators; /* of the tabular, and of its row so far */
    bool in_row;                /* something was met since the last row's end */
    size_t tables, rows;        /* what was met */
} latex_state;

static inline void latex_fail(const latex_state *s, const char *why)
{
    const char *from = s->at - s->text > 120 ? s->at - 120 : s->text;
    print_error("LaTeX: %s, after\n%.*s\n", why, (int)(s->at - from) + 1, from);
    fail();
}

static inline bool latex_in(const latex_state *s, const char *environment)
{
    return s->depth && strcmp(s->environment[s->depth - 1], environment) == 0;
}

/* "{name}" at *at: copies the name and moves behind it. */
static inline void latex_argument(latex_state *s, char *name, size_t size)
{
    if (*s->at != '{')
        latex_fail(s, "an argument is missing");
    size_t length = strcspn(++s->at, "}");
    snprintf(name, size, "%.*s", (int)length, s->at);
    s->at += length + 1;
}

/* The columns of a tabular: letters outside of braces. */
static inline void latex_specification(latex_state *s)
{
    int braces = 0;
    s->columns = s->separators = 0;
    s->in_row = false;
    do {
        braces += (*s->at == '{') - (*s->at == '}');
        if (braces == 1 && strchr("lrcp", *s->at))
            s->columns++;
        if (!*s->at)
            latex_fail(s, "no end of the columns");
        s->at++;
    } while (braces);
}

static inline void latex_begin_or_end(latex_state *s, bool begin)
{
    char name[16];
    latex_argument(s, name, sizeof name);
    if (begin && s->depth == LATEX_MAX_DEPTH)
        latex_fail(s, "too deep");
    if (begin) {
        snprintf(s->environment[s->depth++], sizeof name, "%s", name);
        if (strcmp(name, "tabular") == 0)
            latex_specification(s);
        s->tables += strcmp(name, "tabular") == 0;
        if (strcmp(name, "table*") == 0)
            s->at += strcspn(s->at, "\n"); /* [htbp] */
        return;
    }
    if (!latex_in(s, name))
        latex_fail(s, "another environment is open");
    if (latex_in(s, "tabular") && s->in_row)
        latex_fail(s, "the last row has no end");
    s->depth--;
}

static inline void latex_row(latex_state *s)
{
    if (!latex_in(s, "tabular") || s->math)
        latex_fail(s, "a row ends outside of a table, or inside mathematics");
    if (s->separators + 1 != s->columns)
        latex_fail(s, "a row has another number of cells than the table has columns");
    s->separators = 0;
    s->in_row = false;
    s->rows++;
    s->at += 2 + strspn(s->at + 2, " \n");
    if (*s->at == '[' || *s->at == '*')
        latex_fail(s, "the row's end takes what follows for an argument");
}

/* *at is a backslash. */
static inline void latex_command(latex_state *s)
{
    if (s->at[1] == '\\') {
        latex_row(s);
        return;
    }
    if (!isalpha((unsigned char)s->at[1])) {
        if (!strchr("&%$#_{}|,", s->at[1]))
            latex_fail(s, "an unknown escape");
        s->at += 2;
        return;
    }
    const char *name = s->at + 1;
    size_t length = 0;
    while (isalpha((unsigned char)name[length]))
        length++;
    s->at = name + length;
    if ((length == 5 && strncmp(name, "begin", 5) == 0) || (length == 3 && strncmp(name, "end", 3) == 0))
        latex_begin_or_end(s, length == 5);
}

static inline void latex_character(latex_state *s)
{
    char c = *s->at;
    s->braces += (c == '{') - (c == '}');
    if (s->braces < 0)
        latex_fail(s, "a brace is closed that is not open");
    if (c == '$')
        s->math = !s->math;
    s->in_row |= latex_in(s, "tabular") && c != ' ' && c != '\n';
    if (strchr("_^<>|", c) && !s->math)
        latex_fail(s, "a character of mathematics in the text");
    if (strchr("#~%\"", c))
        latex_fail(s, "a special character that is not escaped");
    if ((unsigned char)c < 0x20 && c != '\n')
        latex_fail(s, "a control character");
    if (c == '\n' && s->at[1] == '\n' && s->math)
        latex_fail(s, "mathematics across paragraphs");
    if (c == '&' && (!latex_in(s, "tabular") || s->math || ++s->separators >= s->columns))
        latex_fail(s, "a cell too many");
    s->at++;
}

/* Fails if the text is not well formed; returns how many tables it has. */
static inline size_t check_latex(const char *text)
{
    latex_state s = {.text = text, .at = text};
    if (*s.at == '%') /* a comment is allowed at the start */
        s.at += strcspn(s.at, "\n");
    while (*s.at)
        if (*s.at == '\\')
            latex_command(&s);
        else
            latex_character(&s);
    if (s.braces || s.math || s.depth)
        latex_fail(&s, "something is open at the end");
    return s.tables;
}

#endif
