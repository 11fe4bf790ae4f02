/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "experiments/manual_private.h"

#include <string.h>

enum { MAX_LINE = 78, MAX_WORD = 512 };

void hsgd_manual_end_line(hsgd_manual *m)
{
    if (m->column > 0)
        fputc('\n', m->stream);
    m->column = 0;
}

void hsgd_manual_macro(hsgd_manual *m, const char *macro)
{
    hsgd_manual_end_line(m);
    fprintf(m->stream, "%s\n", macro);
}

/* What roff would read as something else, or print as another character than the one of the keyboard. */
static const char *escape_of(char c, bool literal)
{
    switch (c) {
    case '\\':
        return "\\e";
    case '-':
        return literal ? "\\-" : "-";
    case '\'':
        return "\\(aq";
    case '"':
        return "\\(dq";
    case '`':
        return "\\(ga";
    case '^':
        return "\\(ha";
    case '~':
        return "\\(ti";
    default:
        return NULL;
    }
}

/* out (size bytes) gets word with its special characters escaped; a dot at the start of a line would be a macro. */
static void escape(char *out, size_t size, const char *word, size_t length, bool literal)
{
    size_t used = (size_t)snprintf(out, size, "%s", length > 0 && word[0] == '.' ? "\\&" : "");
    for (size_t i = 0; i < length && used < size; i++) {
        const char *escaped = escape_of(word[i], literal);
        used += escaped ? (size_t)snprintf(out + used, size - used, "%s", escaped)
                        : (size_t)snprintf(out + used, size - used, "%c", word[i]);
    }
}

/* Options, quoted words and names of files are copied to the keyboard; the dash of H-SGD is a hyphen. */
static bool is_literal(const char *word, size_t length)
{
    bool dotted = false;
    for (size_t i = 1; i + 1 < length; i++)
        dotted = dotted || word[i] == '.' || word[i] == '/' || word[i] == '_';
    return dotted || strchr("-\"[", word[0]) != NULL;
}

static void put_word(hsgd_manual *m, const char *word, size_t length, bool literal)
{
    char escaped[MAX_WORD];
    escape(escaped, sizeof escaped, word, length, literal);
    const char *whole = literal ? "\\%" : ""; /* not to be hyphenated */
    size_t width = strlen(whole) + strlen(escaped);
    if (m->column > 0 && m->column + 1 + width > MAX_LINE)
        hsgd_manual_end_line(m);
    fprintf(m->stream, "%s%s%s", m->column > 0 ? " " : "", whole, escaped);
    m->column += width + (m->column > 0);
}

void hsgd_manual_text(hsgd_manual *m, const char *text)
{
    for (text += strspn(text, " \n"); *text; text += strspn(text, " \n")) {
        size_t length = strcspn(text, " \n");
        put_word(m, text, length, is_literal(text, length));
        text += length;
    }
}

void hsgd_manual_literal(hsgd_manual *m, const char *word)
{
    put_word(m, word, strlen(word), true);
}

void hsgd_manual_heading(hsgd_manual *m, const char *macro, const char *title)
{
    char escaped[MAX_WORD];
    hsgd_manual_end_line(m);
    escape(escaped, sizeof escaped, title, strlen(title), false);
    fprintf(m->stream, "%s %s\n", macro, escaped);
}

void hsgd_manual_sentence(hsgd_manual *m, const char *text)
{
    char sentence[1024];
    snprintf(sentence, sizeof sentence, "%s%s", text, *text && text[strlen(text) - 1] == '.' ? "" : ".");
    if (sentence[0] >= 'a' && sentence[0] <= 'z')
        sentence[0] = (char)(sentence[0] - 'a' + 'A');
    hsgd_manual_text(m, sentence);
}

void hsgd_manual_usage(hsgd_manual *m, const char *literal, const char *replaced)
{
    char bold[MAX_WORD], italic[MAX_WORD];
    escape(bold, sizeof bold, literal, strlen(literal), true);
    fprintf(m->stream, "\\fB%s\\fR", bold);
    if (replaced) {
        escape(italic, sizeof italic, replaced, strlen(replaced), true);
        fprintf(m->stream, " \\fI%s\\fR", italic);
    }
    fputc('\n', m->stream);
}

void hsgd_manual_tag(hsgd_manual *m, const char *literal, const char *replaced)
{
    hsgd_manual_macro(m, ".TP");
    hsgd_manual_usage(m, literal, replaced);
}

void hsgd_manual_example(hsgd_manual *m, const char *command)
{
    char escaped[MAX_WORD];
    hsgd_manual_macro(m, ".PP\n.RS 4\n.EX");
    escape(escaped, sizeof escaped, command, strlen(command), true);
    fprintf(m->stream, "%s\n", escaped);
    hsgd_manual_macro(m, ".EE\n.RE");
}
