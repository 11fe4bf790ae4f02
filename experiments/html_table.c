/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tables that a screen reader can follow: headings with a scope, in a box that scrolls by itself and takes the focus. */
#include "experiments/html_private.h"

#include <stdarg.h>
#include <stdlib.h>

static void put_headings(hsgd_html *html, const hsgd_html_column *column, size_t num_columns)
{
    hsgd_html_open(html, "thead");
    hsgd_html_open(html, "tr");
    for (size_t i = 0; i < num_columns; i++) {
        hsgd_html_open_class(html, "th", column[i].right ? "number" : NULL);
        hsgd_html_attribute(html, "scope", "col");
        hsgd_html_text(html, column[i].heading);
        hsgd_html_close(html, "th");
    }
    hsgd_html_close(html, "tr");
    hsgd_html_close(html, "thead");
}

void hsgd_html_open_table(hsgd_html *html, const char *caption, const hsgd_html_column *column, size_t num_columns)
{
    hsgd_html_open_class(html, "div", "scroll");
    hsgd_html_attribute(html, "tabindex", "0"); /* so that the keyboard can scroll it */
    hsgd_html_attribute(html, "role", "region");
    hsgd_html_attribute(html, "aria-label", caption ? caption : "table");
    hsgd_html_open(html, "table");
    if (caption)
        hsgd_html_element(html, "caption", NULL, caption);
    put_headings(html, column, num_columns);
    hsgd_html_open(html, "tbody");
}

void hsgd_html_close_table(hsgd_html *html)
{
    hsgd_html_close(html, "tbody");
    hsgd_html_close(html, "table");
    hsgd_html_close(html, "div");
}

void hsgd_html_open_row(hsgd_html *html)
{
    hsgd_html_open(html, "tr");
}

void hsgd_html_close_row(hsgd_html *html)
{
    hsgd_html_close(html, "tr");
}

void hsgd_html_open_row_header(hsgd_html *html)
{
    hsgd_html_open(html, "th");
    hsgd_html_attribute(html, "scope", "row");
}

void hsgd_html_open_cell(hsgd_html *html, bool right)
{
    hsgd_html_open_class(html, "td", right ? "number" : NULL);
}

void hsgd_html_row_header(hsgd_html *html, const char *text)
{
    hsgd_html_open_row_header(html);
    hsgd_html_text(html, text);
    hsgd_html_close(html, "th");
}

void hsgd_html_cell(hsgd_html *html, const char *text)
{
    hsgd_html_element(html, "td", NULL, text);
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
