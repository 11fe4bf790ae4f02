/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tables that a screen reader can follow: headings with a scope, in a box that scrolls by itself and takes the focus. */
#include "experiments/html_private.h"

#include <stdarg.h>
#include <stdlib.h>

/* Roles are told as well as elements: a style that shows rows as blocks would make browsers forget that it is a table. */
static void open_part(hsgd_html *html, const char *name, const char *role)
{
    hsgd_html_open(html, name);
    hsgd_html_attribute(html, "role", role);
}

static void put_headings(hsgd_html *html)
{
    open_part(html, "thead", "rowgroup");
    open_part(html, "tr", "row");
    for (size_t i = 0; i < html->num_columns; i++) {
        open_part(html, "th", "columnheader");
        hsgd_html_attribute(html, "scope", "col");
        if (html->column[i].right)
            hsgd_html_attribute(html, "class", "number");
        hsgd_html_text(html, html->column[i].heading);
        hsgd_html_close(html, "th");
    }
    hsgd_html_close(html, "tr");
    hsgd_html_close(html, "thead");
}

static void open_table(hsgd_html *html, const char *class_name, const char *caption, const hsgd_html_column *column,
                       size_t num_columns)
{
    html->column = column;
    html->num_columns = num_columns;
    hsgd_html_open_class(html, "div", "scroll");
    hsgd_html_attribute(html, "tabindex", "0"); /* so that the keyboard can scroll it */
    hsgd_html_attribute(html, "role", "region");
    hsgd_html_attribute(html, "aria-label", caption);
    open_part(html, "table", "table");
    if (class_name)
        hsgd_html_attribute(html, "class", class_name);
    hsgd_html_element(html, "caption", NULL, caption);
    put_headings(html);
    open_part(html, "tbody", "rowgroup");
}

void hsgd_html_open_table(hsgd_html *html, const char *caption, const hsgd_html_column *column, size_t num_columns)
{
    open_table(html, NULL, caption, column, num_columns);
}

void hsgd_html_open_cards(hsgd_html *html, const char *caption, const hsgd_html_column *column, size_t num_columns)
{
    open_table(html, "cards", caption, column, num_columns);
}

void hsgd_html_close_table(hsgd_html *html)
{
    hsgd_html_close(html, "tbody");
    hsgd_html_close(html, "table");
    hsgd_html_close(html, "div");
    html->column = NULL;
}

void hsgd_html_open_row(hsgd_html *html)
{
    open_part(html, "tr", "row");
    html->next_column = 0;
}

void hsgd_html_close_row(hsgd_html *html)
{
    if (html->next_column != html->num_columns && !html->mistake)
        html->mistake = "a row has not as many cells as its table has columns";
    hsgd_html_close(html, "tr");
}

void hsgd_html_open_row_header(hsgd_html *html)
{
    open_part(html, "th", "rowheader");
    hsgd_html_attribute(html, "scope", "row");
    html->next_column++;
}

/* A cell knows its column's heading, which stands before it where rows are cards. */
void hsgd_html_open_cell(hsgd_html *html, const char *class_name)
{
    const hsgd_html_column *column = html->next_column < html->num_columns ? &html->column[html->next_column] : NULL;
    open_part(html, "td", "cell");
    if (class_name || (column && column->right))
        hsgd_html_attribute(html, "class", class_name ? class_name : "number");
    if (column)
        hsgd_html_attribute(html, "data-label", column->heading);
    html->next_column++;
}

void hsgd_html_row_header(hsgd_html *html, const char *text)
{
    hsgd_html_open_row_header(html);
    hsgd_html_text(html, text);
    hsgd_html_close(html, "th");
}

void hsgd_html_cell(hsgd_html *html, const char *text)
{
    hsgd_html_open_cell(html, NULL);
    hsgd_html_text(html, text);
    hsgd_html_close(html, "td");
}

void hsgd_html_cellf(hsgd_html *html, const char *format, ...)
{
    char *text = NULL;
    va_list arguments;
    va_start(arguments, format);
    int length = vasprintf(&text, format, arguments);
    va_end(arguments);
    if (length >= 0) {
        hsgd_html_cell(html, text);
        free(text);
    } else if (!html->mistake)
        html->mistake = "out of memory";
}
