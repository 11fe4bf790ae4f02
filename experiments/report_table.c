/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "experiments/report_table_private.h"

#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

/* ---- texts in the syntax of a format ---- */

/* What the theory writes with plain letters, and how LaTeX sets it. Longer ones first: the first that fits is taken. */
static const struct {
    const char *plain, *latex;
} symbols[] = {
    {"grad F_j", "$\\nabla F_j$"},
    {"grad f", "$\\nabla f$"},
    {"sum p_j^2", "$\\sum_j p_j^2$"},
    {"sigma^2", "$\\sigma^2$"},
    {"gamma", "$\\gamma$"},
    {"Delta", "$\\Delta$"},
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
    {"<=", "$\\le$"},
    {">=", "$\\ge$"},
    {"<", "$<$"},
    {">", "$>$"},
};

/* Letters that LaTeX gives a meaning. */
static const char *latex_escape(char c)
{
    switch (c) {
    case '\\':
        return "\\textbackslash{}";
    case '~':
        return "\\textasciitilde{}";
    case '^':
        return "\\textasciicircum{}";
    case '&':
        return "\\&";
    case '%':
        return "\\%";
    case '$':
        return "\\$";
    case '#':
        return "\\#";
    case '_':
        return "\\_";
    case '{':
        return "\\{";
    case '}':
        return "\\}";
    default:
        return NULL;
    }
}

/* "X_12" with one capital letter and a number, e.g. a level's divergence: its length, 0 for anything else. */
static size_t subscript_length(const char *text)
{
    if (text[0] < 'A' || text[0] > 'Z' || text[1] != '_')
        return 0;
    size_t digits = strspn(text + 2, "0123456789");
    return digits ? 2 + digits : 0;
}

static void put_latex(const char *text, FILE *stream)
{
    char before = ' ';
    if (text[0] >= 'A' && text[0] <= 'Z' && !text[1]) { /* a letter alone is a quantity */
        fprintf(stream, "$%c$", *text);
        return;
    }
    while (*text) {
        size_t length = 0, subscript = before == ' ' ? subscript_length(text) : 0;
        const char *latex = NULL;
        for (size_t i = 0; !latex && i < sizeof symbols / sizeof *symbols; i++)
            if (strncmp(text, symbols[i].plain, strlen(symbols[i].plain)) == 0) {
                latex = symbols[i].latex;
                length = strlen(symbols[i].plain);
            }
        if (subscript)
            fprintf(stream, "$%c_{%.*s}$", text[0], (int)(subscript - 2), text + 2);
        else if (latex)
            fputs(latex, stream);
        else if (latex_escape(*text))
            fputs(latex_escape(*text), stream);
        else
            fputc((unsigned char)*text < 0x20 ? ' ' : *text, stream);
        length = subscript ? subscript : latex ? length : 1;
        before = text[length - 1];
        text += length;
    }
}

static void put_markdown(const char *text, FILE *stream)
{
    for (; *text; text++) {
        if (strchr("|\\`*_<>[]", *text))
            fputc('\\', stream);
        fputc((unsigned char)*text < 0x20 ? ' ' : *text, stream);
    }
}

void hsgd_report_put(hsgd_report_format format, const char *text, FILE *stream)
{
    if (format == HSGD_REPORT_LATEX)
        put_latex(text, stream);
    else if (format == HSGD_REPORT_MARKDOWN)
        put_markdown(text, stream);
    else
        for (; *text; text++) /* on a terminal control characters could do harm */
            fputc((unsigned char)*text < 0x20 || *text == 0x7f ? '?' : *text, stream);
}

/* ---- cells ---- */

void hsgd_report_table_init(hsgd_report_table *table, hsgd_report_format format, const char *title,
                            const char *const *headings)
{
    *table = (hsgd_report_table){.format = format, .title = title};
    while (headings[table->num_columns]) {
        table->heading[table->num_columns] = headings[table->num_columns];
        table->num_columns++;
    }
}

/* A cell that is in the format's syntax already; takes the text over. */
static void take_cell(hsgd_report_table *table, char *text)
{
    if (text && table->num_cells == table->capacity) {
        size_t capacity = 2 * table->capacity + 64;
        char **cell = realloc(table->cell, capacity * sizeof *cell);
        if (cell) {
            table->cell = cell;
            table->capacity = capacity;
        }
    }
    if (!text || table->num_cells == table->capacity) {
        free(text);
        table->incomplete = 1;
        return;
    }
    table->cell[table->num_cells++] = text;
}

void hsgd_report_text(hsgd_report_table *table, const char *format, ...)
{
    char plain[512], *text = NULL;
    size_t size;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(plain, sizeof plain, format, arguments);
    va_end(arguments);
    FILE *memory = open_memstream(&text, &size);
    if (memory) {
        hsgd_report_put(table->format, plain, memory);
        fclose(memory);
    }
    take_cell(table, text);
}

/* The letter of a note, the same for equal reasons; 0 where no letter or no memory is left. */
static char note_letter(hsgd_report_table *table, const char *reason)
{
    size_t i = 0;
    while (i < table->num_notes && strcmp(table->note[i], reason) != 0)
        i++;
    if (i == HSGD_REPORT_MAX_NOTES)
        return 0;
    if (i == table->num_notes && !(table->note[i] = strdup(reason)))
        return 0;
    table->num_notes += i == table->num_notes;
    return (char)('a' + i);
}

void hsgd_report_with_reason(hsgd_report_table *table, const char *text, const char *reason)
{
    char letter = 0;
    if (*reason && table->format == HSGD_REPORT_LATEX)
        letter = note_letter(table, reason);
    if (!letter) {
        hsgd_report_text(table, "%s%s%s", text, *reason ? ": " : "", reason);
        return;
    }
    char *cell;
    take_cell(table, asprintf(&cell, "%s$^{%c}$", text, letter) < 0 ? NULL : cell);
}

/* "1.23e-05" with the power of ten as LaTeX and Markdown readers expect it. */
static void put_number(hsgd_report_format format, double value, int digits, FILE *stream)
{
    char plain[48];
    snprintf(plain, sizeof plain, "%.*g", digits, value);
    char *exponent = strchr(plain, 'e');
    if (format != HSGD_REPORT_LATEX)
        fputs(plain, stream);
    else if (isinf(value))
        fputs(value > 0 ? "$\\infty$" : "$-\\infty$", stream);
    else if (exponent)
        fprintf(stream, "$%.*s\\cdot 10^{%d}$", (int)(exponent - plain), plain, atoi(exponent + 1));
    else
        fprintf(stream, "$%s$", plain);
}

void hsgd_report_interval(hsgd_report_table *table, double value, double low, double high, int digits)
{
    char *text = NULL;
    size_t size;
    FILE *memory = open_memstream(&text, &size);
    if (memory) {
        if (isnan(value))
            fputs(table->format == HSGD_REPORT_LATEX ? "--" : "-", memory);
        else
            put_number(table->format, value, digits, memory);
        if (!isnan(value) && low < high) {
            fputs(table->format == HSGD_REPORT_MARKDOWN ? " \\[" : " [", memory);
            put_number(table->format, low, digits, memory);
            fputs(", ", memory);
            put_number(table->format, high, digits, memory);
            fputs(table->format == HSGD_REPORT_MARKDOWN ? "\\]" : "]", memory);
        }
        fclose(memory);
    }
    take_cell(table, text);
}

void hsgd_report_number(hsgd_report_table *table, double value, int digits)
{
    char *text = NULL;
    size_t size;
    FILE *memory = open_memstream(&text, &size);
    if (memory) {
        if (isnan(value))
            fputs(table->format == HSGD_REPORT_LATEX ? "--" : "-", memory);
        else
            put_number(table->format, value, digits, memory);
        fclose(memory);
    }
    take_cell(table, text);
}

/* ---- printing ---- */

static int is_number(const hsgd_report_table *table, size_t column)
{
    return table->heading[column][0] == '>';
}

static const char *heading(const hsgd_report_table *table, size_t column)
{
    return table->heading[column] + is_number(table, column);
}

/* Nothing but dashes and blanks below the heading: the column says nothing here. */
static int is_empty(const hsgd_report_table *table, size_t column)
{
    for (size_t i = column; i < table->num_cells; i += table->num_columns)
        if (table->cell[i][strspn(table->cell[i], "- ")])
            return 0;
    return 1;
}

static void drop_column(hsgd_report_table *table, size_t column)
{
    size_t kept = 0;
    for (size_t i = 0; i < table->num_cells; i++)
        if (i % table->num_columns == column)
            free(table->cell[i]);
        else
            table->cell[kept++] = table->cell[i];
    table->num_cells = kept;
    table->num_columns--;
    for (size_t c = column; c < table->num_columns; c++)
        table->heading[c] = table->heading[c + 1];
}

/* Characters, not bytes, so that columns line up in UTF-8. */
static int width_of(const char *text)
{
    int width = 0;
    for (; *text; text++)
        width += ((unsigned char)*text & 0xc0) != 0x80;
    return width;
}

static void print_padded(FILE *stream, const char *text, int width, int right, int last)
{
    int pad = width - width_of(text);
    fprintf(stream, "%*s%s%*s", right ? pad : 0, "", text, right || last ? 0 : pad, "");
}

static void print_text(const hsgd_report_table *t, FILE *stream)
{
    int width[HSGD_REPORT_MAX_COLUMNS];
    for (size_t c = 0; c < t->num_columns; c++) {
        width[c] = width_of(heading(t, c));
        for (size_t i = c; i < t->num_cells; i += t->num_columns)
            width[c] = width_of(t->cell[i]) > width[c] ? width_of(t->cell[i]) : width[c];
    }
    fprintf(stream, "\n%s\n", t->title);
    for (size_t c = 0; c < t->num_columns; c++) {
        fputs("  ", stream);
        print_padded(stream, heading(t, c), width[c], is_number(t, c), c + 1 == t->num_columns);
    }
    for (size_t i = 0; i < t->num_cells; i++) {
        size_t c = i % t->num_columns;
        fputs(c ? "  " : "\n  ", stream);
        print_padded(stream, t->cell[i], width[c], is_number(t, c), c + 1 == t->num_columns);
    }
    fputc('\n', stream);
}

static void print_markdown(const hsgd_report_table *t, FILE *stream)
{
    fprintf(stream, "\n### ");
    put_markdown(t->title, stream);
    fputs("\n\n|", stream);
    for (size_t c = 0; c < t->num_columns; c++) {
        fputc(' ', stream);
        put_markdown(heading(t, c), stream);
        fputs(" |", stream);
    }
    fputs("\n|", stream);
    for (size_t c = 0; c < t->num_columns; c++)
        fputs(is_number(t, c) ? " ---: |" : " --- |", stream);
    for (size_t i = 0; i < t->num_cells; i++)
        fprintf(stream, "%s %s |", i % t->num_columns ? "" : "\n|", t->cell[i]);
    fputc('\n', stream);
}

static void print_latex(const hsgd_report_table *t, FILE *stream)
{
    fputs("\n\\begin{table}\n  \\centering\\footnotesize\\setlength{\\tabcolsep}{3pt}\n  \\caption{", stream);
    put_latex(t->title, stream);
    fputs("}\n  \\begin{tabular}{@{}", stream);
    for (size_t c = 0; c < t->num_columns; c++)
        fputc(is_number(t, c) ? 'r' : 'l', stream);
    fputs("@{}}\n    \\toprule\n    ", stream);
    for (size_t c = 0; c < t->num_columns; c++) {
        fputs(c ? " & " : "", stream);
        put_latex(heading(t, c), stream);
    }
    fputs(" \\\\\n    \\midrule\n", stream);
    for (size_t i = 0; i < t->num_cells; i++) {
        size_t c = i % t->num_columns;
        fprintf(stream, "%s%s%s", c ? " & " : "    ", t->cell[i], c + 1 == t->num_columns ? " \\\\\n" : "");
    }
    fputs("    \\bottomrule\n  \\end{tabular}\n", stream);
    for (size_t i = 0; i < t->num_notes; i++) {
        fprintf(stream, "%s$^{%c}$ ", i ? ".\n  " : "  \\par\\smallskip\n  \\parbox{\\linewidth}{\\raggedright\n  ",
                (char)('a' + i));
        put_latex(t->note[i], stream);
    }
    fputs(t->num_notes ? ".}\n\\end{table}\n" : "\\end{table}\n", stream);
}

void hsgd_report_table_print(hsgd_report_table *table, FILE *stream)
{
    for (size_t c = table->num_columns; c-- > 0 && !table->incomplete;)
        if (is_empty(table, c))
            drop_column(table, c);
    if (table->incomplete)
        fprintf(stream, "\n%s: out of memory\n", table->title);
    else if (table->format == HSGD_REPORT_LATEX)
        print_latex(table, stream);
    else if (table->format == HSGD_REPORT_MARKDOWN)
        print_markdown(table, stream);
    else
        print_text(table, stream);
    for (size_t i = 0; i < table->num_cells; i++)
        free(table->cell[i]);
    free(table->cell);
    for (size_t i = 0; i < table->num_notes; i++)
        free(table->note[i]);
    *table = (hsgd_report_table){0};
}
