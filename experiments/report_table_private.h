/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A table of short texts and numbers that can be printed in each of the report's formats. */
#ifndef HSGD_EXPERIMENTS_REPORT_TABLE_PRIVATE_H
#define HSGD_EXPERIMENTS_REPORT_TABLE_PRIVATE_H

#include <stddef.h>
#include <stdio.h>

#include "analysis/error.h"
#include "experiments/report.h"

enum { HSGD_REPORT_MAX_COLUMNS = 10, HSGD_REPORT_MAX_NOTES = 26 };

typedef struct hsgd_report_table {
    hsgd_report_format format;
    const char *title;
    size_t num_columns, num_cells, capacity;
    const char *heading[HSGD_REPORT_MAX_COLUMNS]; /* those that start with '>' head columns of numbers */
    char **cell;                                  /* (num_cells) row by row, in the format's own syntax; owned */
    char *note[HSGD_REPORT_MAX_NOTES];            /* (num_notes) owned */
    size_t num_notes;
    int incomplete; /* memory ran out */
} hsgd_report_table;

/* headings end with NULL; title and headings are borrowed. */
void hsgd_report_table_init(hsgd_report_table *table, hsgd_report_format format, const char *title,
                            const char *const *headings);

/* The next cell: any text; symbols as the theory writes them ("sigma^2", "D_1", "f*") become mathematics in LaTeX. */
void hsgd_report_text(hsgd_report_table *table, const char *format, ...) HSGD_PRINTF(2, 3);

/* The next cell: a short text and why it is so ("": nothing to add). In LaTeX the reasons become notes below the table. */
void hsgd_report_with_reason(hsgd_report_table *table, const char *text, const char *reason);

/* The next cell: a number with so many digits, "-" for NAN; or a number with its interval where there is one. */
void hsgd_report_number(hsgd_report_table *table, double value, int digits);
void hsgd_report_interval(hsgd_report_table *table, double value, double low, double high, int digits);

/* Print it and free it. */
void hsgd_report_table_print(hsgd_report_table *table, FILE *stream);

/* A text outside of tables, in the format's syntax. */
void hsgd_report_put(hsgd_report_format format, const char *text, FILE *stream);

#endif
