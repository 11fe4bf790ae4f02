/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A table of short texts and numbers that can be printed in each of the report's formats. */
#ifndef HSGD_EXPERIMENTS_REPORT_TABLE_PRIVATE_H
#define HSGD_EXPERIMENTS_REPORT_TABLE_PRIVATE_H

#include <stddef.h>
#include <stdio.h>

#include "analysis/error.h"
#include "experiments/out_of_memory_private.h"
#include "experiments/report.h"

enum { HSGD_REPORT_MAX_COLUMNS = 10, HSGD_REPORT_MAX_NOTES = 26, HSGD_REPORT_MAX_REMARKS = 4 };

typedef struct hsgd_report_table {
    hsgd_report_format format;
    const char *title;
    size_t num_columns, num_cells, capacity;
    const char *heading[HSGD_REPORT_MAX_COLUMNS]; /* '>' first: of numbers; '+' first: of texts that LaTeX may break */
    char **cell;                                  /* (num_cells) row by row, in the format's own syntax; owned */
    char *note[HSGD_REPORT_MAX_NOTES];            /* (num_notes) owned */
    size_t num_notes;
    char *remark[HSGD_REPORT_MAX_REMARKS]; /* (num_remarks) owned */
    size_t num_remarks;
    int incomplete; /* there were more remarks */
} hsgd_report_table;

/* Memory for a part of a report. NULL, there was none: the program ends, because half a report is none. */
static inline void *hsgd_report_whole(void *memory)
{
    if (!memory)
        hsgd_out_of_memory("the report");
    return memory;
}

/* headings end with NULL; title and headings are borrowed. */
void hsgd_report_table_init(hsgd_report_table *table, hsgd_report_format format, const char *title,
                            const char *const *headings);

/* The next cell: any text; symbols as the theory writes them ("sigma^2", "D_1", "f*") become mathematics in LaTeX. */
void hsgd_report_text(hsgd_report_table *table, const char *format, ...) HSGD_PRINTF(2, 3);

/* The next cell: a short text and why it is so ("": nothing to add). The reasons become notes below the table, equal ones
 * the same; only when no letter is left they stay in the cell. */
void hsgd_report_with_reason(hsgd_report_table *table, const char *text, const char *reason);

/* The next cell: a number with so many digits, "-" for NAN; `relation` ("", "<=", ...) goes before it. */
void hsgd_report_number(hsgd_report_table *table, double value, int digits);
void hsgd_report_relation(hsgd_report_table *table, const char *relation, double value, int digits);

/* The next cell: a number with its interval, as half a width where it is symmetric; without one where the interval is
 * narrower than the digits, or there is none (low < high fails). */
void hsgd_report_interval(hsgd_report_table *table, double value, double low, double high, int digits);

/* A sentence below the table. */
void hsgd_report_remark(hsgd_report_table *table, const char *text);

/* Print it and free it. A table without a row, or with nothing in it, prints nothing. */
void hsgd_report_table_print(hsgd_report_table *table, FILE *stream);

/* ---- outside of tables ---- */

/* A text in the format's syntax. */
void hsgd_report_put(hsgd_report_format format, const char *text, FILE *stream);

/* The same letter by letter: what people call their experiment is no mathematics. */
void hsgd_report_put_name(hsgd_report_format format, const char *text, FILE *stream);

void hsgd_report_put_number(hsgd_report_format format, double value, int digits, FILE *stream);

/* A value with half the width of its interval, both to the digit that the width supports. */
void hsgd_report_put_estimate(hsgd_report_format format, double value, double half, int digits, FILE *stream);

/* Words until the end of a paragraph, and a newline. Plain text is broken into lines, those after the first indented; the
 * caller has written `column` characters of the first. */
void hsgd_report_put_words(hsgd_report_format format, const char *text, int column, int indent, FILE *stream);

/* Characters, not bytes, so that columns line up in UTF-8. */
int hsgd_report_width(const char *text);

#endif
