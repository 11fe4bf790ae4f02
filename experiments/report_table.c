/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "experiments/report_table_private.h"

#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/text_stream.h"

/* ---- cells ---- */

void hsgd_report_table_init(hsgd_report_table *table, hsgd_report_format format, const char *title,
                            const char *const *headings)
{
    *table = (hsgd_report_table){.format = format, .title = title};
    while (headings[table->num_columns] && table->num_columns < HSGD_REPORT_MAX_COLUMNS) {
        table->heading[table->num_columns] = headings[table->num_columns];
        table->num_columns++;
    }
}

/* A cell that is in the format's syntax already; takes the text over. */
static void take_cell(hsgd_report_table *table, char *text)
{
    if (table->num_cells == table->capacity) {
        table->capacity = 2 * table->capacity + 64;
        table->cell = hsgd_report_whole(realloc(table->cell, table->capacity * sizeof *table->cell));
    }
    table->cell[table->num_cells++] = hsgd_report_whole(text);
}

/* A cell is written to memory: begin, print, end. */
typedef struct pen {
    hsgd_text_stream memory;
    FILE *stream;
} pen;

static void begin(pen *p)
{
    p->stream = hsgd_report_whole(hsgd_text_open(&p->memory));
}

static void end(pen *p, hsgd_report_table *table)
{
    take_cell(table, hsgd_text_close(&p->memory, p->stream));
}

void hsgd_report_text(hsgd_report_table *table, const char *format, ...)
{
    char plain[512];
    pen p;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(plain, sizeof plain, format, arguments);
    va_end(arguments);
    begin(&p);
    hsgd_report_put(table->format, plain, p.stream);
    end(&p, table);
}

/* The letter of a note, the same for equal reasons; 0 where no letter is left. */
static char note_letter(hsgd_report_table *table, const char *reason)
{
    size_t i = 0;
    while (i < table->num_notes && strcmp(table->note[i], reason) != 0)
        i++;
    if (i == HSGD_REPORT_MAX_NOTES)
        return 0;
    if (i == table->num_notes)
        table->note[i] = hsgd_report_whole(strdup(reason));
    table->num_notes += i == table->num_notes;
    return (char)('a' + i);
}

void hsgd_report_with_reason(hsgd_report_table *table, const char *text, const char *reason)
{
    char letter = 0;
    pen p;
    if (*reason)
        letter = note_letter(table, reason);
    if (!letter) {
        hsgd_report_text(table, "%s%s%s", text, *reason ? ": " : "", reason);
        return;
    }
    begin(&p);
    hsgd_report_put(table->format, text, p.stream);
    fprintf(p.stream, table->format == HSGD_REPORT_LATEX ? "$^{%c}$" : " (%c)", letter);
    end(&p, table);
}

void hsgd_report_relation(hsgd_report_table *table, const char *relation, double value, int digits)
{
    pen p;
    begin(&p);
    if (*relation && !isnan(value)) {
        hsgd_report_put(table->format, relation, p.stream);
        fputc(' ', p.stream);
    }
    hsgd_report_put_number(table->format, value, digits, p.stream);
    end(&p, table);
}

void hsgd_report_number(hsgd_report_table *table, double value, int digits)
{
    hsgd_report_relation(table, "", value, digits);
}

void hsgd_report_interval(hsgd_report_table *table, double value, double low, double high, int digits)
{
    pen p;
    int is_interval = low < high && isfinite(value), is_symmetric = fabs(low + high - 2 * value) <= 0.01 * (high - low);
    begin(&p);
    if (is_interval && is_symmetric)
        hsgd_report_put_estimate(table->format, value, (high - low) / 2, digits, p.stream);
    else
        hsgd_report_put_number(table->format, value, digits, p.stream);
    if (is_interval && !is_symmetric) {
        hsgd_report_put(table->format, " [", p.stream);
        hsgd_report_put_number(table->format, low, digits, p.stream);
        fputs(", ", p.stream);
        hsgd_report_put_number(table->format, high, digits, p.stream);
        hsgd_report_put(table->format, "]", p.stream);
    }
    end(&p, table);
}

void hsgd_report_remark(hsgd_report_table *table, const char *text)
{
    if (table->num_remarks < HSGD_REPORT_MAX_REMARKS)
        table->remark[table->num_remarks++] = hsgd_report_whole(strdup(text));
    else
        table->incomplete = 1;
}

/* ---- columns ---- */

static int is_number(const hsgd_report_table *table, size_t column)
{
    return table->heading[column][0] == '>';
}

static const char *heading(const hsgd_report_table *table, size_t column)
{
    return table->heading[column] + (table->heading[column][0] == '>' || table->heading[column][0] == '+');
}

/* A text that LaTeX may break. */
static int is_long(const hsgd_report_table *table, size_t column)
{
    return table->heading[column][0] == '+';
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

/* Whole rows, without the columns that say nothing. */
static void tidy(hsgd_report_table *table)
{
    while (table->num_columns && table->num_cells % table->num_columns && !table->incomplete)
        hsgd_report_text(table, "%s", "");
    for (size_t c = table->num_columns; c-- > 0 && !table->incomplete;)
        if (is_empty(table, c))
            drop_column(table, c);
}

/* ---- plain text ---- */

static void print_padded(FILE *stream, const char *text, int width, int right, int last)
{
    int pad = width - hsgd_report_width(text);
    fprintf(stream, "%*s%s%*s", right ? pad : 0, "", text, right || last ? 0 : pad, "");
}

static void print_text(const hsgd_report_table *t, FILE *stream)
{
    int width[HSGD_REPORT_MAX_COLUMNS];
    for (size_t c = 0; c < t->num_columns; c++) {
        width[c] = hsgd_report_width(heading(t, c));
        for (size_t i = c; i < t->num_cells; i += t->num_columns) {
            int wide = hsgd_report_width(t->cell[i]);
            width[c] = wide > width[c] ? wide : width[c];
        }
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
    for (size_t i = 0; i < t->num_notes; i++) {
        fprintf(stream, "  (%c) ", (char)('a' + i));
        hsgd_report_put_words(t->format, t->note[i], 6, 6, stream);
    }
    for (size_t i = 0; i < t->num_remarks; i++) {
        fputs("  ", stream);
        hsgd_report_put_words(t->format, t->remark[i], 2, 2, stream);
    }
}

/* ---- Markdown ---- */

static void print_markdown(const hsgd_report_table *t, FILE *stream)
{
    fputs("\n### ", stream);
    hsgd_report_put(t->format, t->title, stream);
    fputs("\n\n|", stream);
    for (size_t c = 0; c < t->num_columns; c++) {
        fputc(' ', stream);
        hsgd_report_put(t->format, heading(t, c), stream);
        fputs(" |", stream);
    }
    fputs("\n|", stream);
    for (size_t c = 0; c < t->num_columns; c++)
        fputs(is_number(t, c) ? " ---: |" : " --- |", stream);
    for (size_t i = 0; i < t->num_cells; i++)
        fprintf(stream, "%s %s |", i % t->num_columns ? "" : "\n|", t->cell[i]);
    fputs(t->num_notes ? "\n\n" : "\n", stream);
    for (size_t i = 0; i < t->num_notes; i++) {
        fprintf(stream, "- (%c) ", (char)('a' + i));
        hsgd_report_put_words(t->format, t->note[i], 0, 0, stream);
    }
    for (size_t i = 0; i < t->num_remarks; i++) {
        fputc('\n', stream);
        hsgd_report_put_words(t->format, t->remark[i], 0, 0, stream);
    }
}

/* ---- LaTeX ---- */

static void print_latex_notes(const hsgd_report_table *t, FILE *stream)
{
    if (!t->num_notes && !t->num_remarks)
        return;
    fputs("  \\par\\smallskip\n  \\parbox{\\linewidth}{\\raggedright", stream);
    for (size_t i = 0; i < t->num_notes; i++) {
        fprintf(stream, "\n  $^{%c}$ ", (char)('a' + i));
        hsgd_report_put(t->format, t->note[i], stream);
        fputc('.', stream);
    }
    for (size_t i = 0; i < t->num_remarks; i++) {
        fputs("\n  ", stream);
        hsgd_report_put(t->format, t->remark[i], stream);
    }
    fputs("}\n", stream);
}

/* table* is a table in one column and spans both where there are two. */
static void print_latex(const hsgd_report_table *t, FILE *stream)
{
    fputs("\n\\begin{table*}[htbp]\n  \\centering\\footnotesize\\setlength{\\tabcolsep}{2.5pt}\n  \\caption{", stream);
    hsgd_report_put(t->format, t->title, stream);
    fputs("}\n  \\begin{tabular}{@{}", stream);
    for (size_t c = 0; c < t->num_columns; c++)
        fputs(is_number(t, c) ? "r" : is_long(t, c) ? "p{0.38\\linewidth}" : "l", stream);
    fputs("@{}}\n    \\toprule\n    ", stream);
    for (size_t c = 0; c < t->num_columns; c++) {
        fputs(c ? " & " : "", stream);
        hsgd_report_put(t->format, heading(t, c), stream);
    }
    fputs(" \\\\\n    \\midrule\n", stream);
    for (size_t i = 0; i < t->num_cells; i++) {
        size_t c = i % t->num_columns;
        fprintf(stream, "%s%s%s%s", c ? " & " : "    ", is_long(t, c) ? "\\raggedright " : "", t->cell[i],
                c + 1 == t->num_columns ? " \\\\\n" : "");
    }
    fputs("    \\bottomrule\n  \\end{tabular}\n", stream);
    print_latex_notes(t, stream);
    fputs("\\end{table*}\n", stream);
}

/* ---- all ---- */

static void table_free(hsgd_report_table *table)
{
    for (size_t i = 0; i < table->num_cells; i++)
        free(table->cell[i]);
    free(table->cell);
    for (size_t i = 0; i < table->num_notes; i++)
        free(table->note[i]);
    for (size_t i = 0; i < table->num_remarks; i++)
        free(table->remark[i]);
    *table = (hsgd_report_table){0};
}

void hsgd_report_table_print(hsgd_report_table *table, FILE *stream)
{
    tidy(table);
    if (table->incomplete)
        fprintf(stream, "\n%s: more remarks than fit\n", table->title ? table->title : "");
    else if (!table->num_columns || !table->num_cells)
        ;
    else if (table->format == HSGD_REPORT_LATEX)
        print_latex(table, stream);
    else if (table->format == HSGD_REPORT_MARKDOWN)
        print_markdown(table, stream);
    else
        print_text(table, stream);
    table_free(table);
}
