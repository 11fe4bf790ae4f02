/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Writing a page so that nothing is unescaped by accident: all text and all attributes go through here.
 *
 * The page is valid both as HTML and as XML (polyglot): every element is closed, attributes are quoted, and characters
 * that XML does not have, or bytes that are not UTF-8, become U+FFFD. Errors of use (an element that is closed but not
 * open) and of memory are remembered and found by hsgd_html_finish. */
#ifndef HSGD_EXPERIMENTS_HTML_PRIVATE_H
#define HSGD_EXPERIMENTS_HTML_PRIVATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "analysis/error.h"

enum { HSGD_HTML_MAX_DEPTH = 256, HSGD_HTML_NAME_SIZE = 32 };

typedef struct hsgd_html {
    FILE *stream; /* borrowed */
    char open[HSGD_HTML_MAX_DEPTH][HSGD_HTML_NAME_SIZE];
    size_t depth;
    bool in_tag;                           /* the start tag of the innermost element still takes attributes */
    const struct hsgd_html_column *column; /* of the table that is open; NULL: none. Borrowed */
    size_t num_columns, next_column;       /* of the row that is open */
    bool in_svg;                           /* elements without content close themselves */
    const char *mistake;                   /* first error of use; NULL: none. Static */
} hsgd_html;

void hsgd_html_start(hsgd_html *html, FILE *stream);

/* All elements must be closed. */
hsgd_status hsgd_html_finish(hsgd_html *html, hsgd_error *err);

/* ---- elements ---- */

/* Open an element; attributes may follow until something is put into it. */
void hsgd_html_open(hsgd_html *html, const char *name);
void hsgd_html_attribute(hsgd_html *html, const char *name, const char *value);
void hsgd_html_attributef(hsgd_html *html, const char *name, const char *format, ...) HSGD_PRINTF(3, 4);

/* Close the innermost element, which must have this name. */
void hsgd_html_close(hsgd_html *html, const char *name);

/* Open with a class; NULL: none. */
void hsgd_html_open_class(hsgd_html *html, const char *name, const char *class_name);

/* An element that holds text and nothing else; class NULL: none. */
void hsgd_html_element(hsgd_html *html, const char *name, const char *class_name, const char *text);
void hsgd_html_elementf(hsgd_html *html, const char *name, const char *class_name, const char *format, ...)
    HSGD_PRINTF(4, 5);

/* <a href="...">text</a>; the address is escaped as an attribute, not as an address (hsgd_html_escape_path). */
void hsgd_html_link(hsgd_html *html, const char *address, const char *text);

/* ---- text ---- */

void hsgd_html_text(hsgd_html *html, const char *text);
void hsgd_html_textf(hsgd_html *html, const char *format, ...) HSGD_PRINTF(2, 3);
void hsgd_html_text_bytes(hsgd_html *html, const char *text, size_t length);

/* Our own style sheet, as it is. Never for text from elsewhere. */
void hsgd_html_style_sheet(hsgd_html *html, const char *css);

/* The name of a file as a part of an address: what is not plain becomes %XX. Free it; NULL when memory is out. */
char *hsgd_html_escape_path(const char *path);

/* ---- tables ---- */

typedef struct hsgd_html_column {
    const char *heading;
    bool right; /* numbers */
} hsgd_html_column;

/* A table inside a box that scrolls, with a caption and column headings, which must live until the table is closed.
 * Each row has a header cell, then cells. Cards: on a narrow screen a row becomes a block of lines, one for each cell. */
void hsgd_html_open_table(hsgd_html *html, const char *caption, const hsgd_html_column *column, size_t num_columns);
void hsgd_html_open_cards(hsgd_html *html, const char *caption, const hsgd_html_column *column, size_t num_columns);
void hsgd_html_close_table(hsgd_html *html);
void hsgd_html_open_row(hsgd_html *html);
void hsgd_html_close_row(hsgd_html *html);
void hsgd_html_open_row_header(hsgd_html *html);
void hsgd_html_open_cell(hsgd_html *html, const char *class_name); /* NULL: "number" if the column is to the right */
void hsgd_html_row_header(hsgd_html *html, const char *text);
void hsgd_html_cell(hsgd_html *html, const char *text);
void hsgd_html_cellf(hsgd_html *html, const char *format, ...) HSGD_PRINTF(2, 3);

#endif
