/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A picture of counts: columns are workers or groups, rows are classes, darker cells hold more; bars above show the
 * sums. */
#ifndef HSGD_EXPERIMENTS_PAGE_HEATMAP_PRIVATE_H
#define HSGD_EXPERIMENTS_PAGE_HEATMAP_PRIVATE_H

#include "experiments/html_private.h"

enum { HSGD_HEATMAP_MAX_COLUMNS = 400, HSGD_HEATMAP_SHADES = 6 };

typedef struct hsgd_heatmap {
    const char *label;        /* what a screen reader says */
    const char *column_title; /* "worker", "group" */
    size_t num_columns, num_rows;
    const double *count;        /* (num_columns, num_rows) */
    const double *row_value;    /* (num_rows) the classes; NULL: numbered from 0 */
    const double *column_value; /* (num_columns) their numbers; NULL: from 0 */
    const bool *first;          /* (num_columns) a line is drawn before this column; NULL: none */
} hsgd_heatmap;

/* With more than HSGD_HEATMAP_MAX_COLUMNS columns every k-th is drawn; returns k. */
size_t hsgd_heatmap_put(hsgd_html *html, const hsgd_heatmap *map);

#endif
