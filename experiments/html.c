/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "experiments/html_private.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* ---- characters ---- */

static const char replacement[] = "\xEF\xBF\xBD"; /* U+FFFD */

/* Bytes of the character at s, of which left are there; 0 if it is not UTF-8: too long, a surrogate, above U+10FFFF. */
static size_t utf8_length(const unsigned char *s, size_t left)
{
    static const uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
    size_t length = *s < 0x80 ? 1 : *s >= 0xF0 && *s < 0xF8 ? 4 : *s >= 0xE0 ? 3 : *s >= 0xC0 ? 2 : 0;
    if (length == 0 || length > left || *s >= 0xF8)
        return 0;
    uint32_t code = length == 1 ? *s : *s & (0x7Fu >> length);
    for (size_t i = 1; i < length; i++) {
        if ((s[i] & 0xC0) != 0x80)
            return 0;
        code = code << 6 | (s[i] & 0x3Fu);
    }
    bool legal = code >= smallest[length] && code <= 0x10FFFF && (code < 0xD800 || code > 0xDFFF);
    return legal && code != 0xFFFE && code != 0xFFFF ? length : 0;
}

/* One character of text, or the replacement of one byte; returns how many bytes it was. */
static size_t put_character(FILE *out, const char *text, size_t left)
{
    size_t length = utf8_length((const unsigned char *)text, left);
    unsigned char c = (unsigned char)*text;
    if (length == 0 || (c < 0x20 && c != '\t' && c != '\n') || c == 0x7F)
        fputs(replacement, out);
    else if (c == '<')
        fputs("&lt;", out);
    else if (c == '>')
        fputs("&gt;", out);
    else if (c == '&')
        fputs("&amp;", out);
    else if (c == '"')
        fputs("&quot;", out);
    else if (c == '\'')
        fputs("&#39;", out);
    else
        fwrite(text, 1, length, out);
    return length ? length : 1;
}

static void put_escaped(FILE *out, const char *text, size_t length)
{
    for (size_t i = 0; i < length;)
        i += put_character(out, text + i, length - i);
}

/* ---- state ---- */

static void note(hsgd_html *html, const char *mistake)
{
    if (!html->mistake)
        html->mistake = mistake;
}

/* A formatted text, to be freed; NULL, and a mistake of the page, when memory is out. */
static char *formatted(hsgd_html *html, const char *format, va_list arguments)
{
    char *text;
    if (vasprintf(&text, format, arguments) >= 0)
        return text;
    note(html, "out of memory");
    return NULL;
}

static void end_tag(hsgd_html *html)
{
    if (html->in_tag)
        fputc('>', html->stream);
    html->in_tag = false;
}

void hsgd_html_start(hsgd_html *html, FILE *stream)
{
    *html = (hsgd_html){.stream = stream};
}

hsgd_status hsgd_html_finish(hsgd_html *html, hsgd_error *err)
{
    if (html->depth)
        note(html, "an element is left open");
    return html->mistake ? hsgd_fail(err, HSGD_ERROR_ENVIRONMENT, "the page could not be made: %s", html->mistake)
                         : HSGD_OK;
}

/* ---- elements ---- */

void hsgd_html_open(hsgd_html *html, const char *name)
{
    end_tag(html);
    if (html->depth == HSGD_HTML_MAX_DEPTH || strlen(name) >= HSGD_HTML_NAME_SIZE) {
        note(html, "elements are nested too deep");
        return;
    }
    snprintf(html->open[html->depth++], HSGD_HTML_NAME_SIZE, "%s", name);
    fprintf(html->stream, "<%s", name);
    html->in_tag = true;
}

void hsgd_html_attribute(hsgd_html *html, const char *name, const char *value)
{
    if (!html->in_tag) {
        note(html, "an attribute outside a tag");
        return;
    }
    fprintf(html->stream, " %s=\"", name);
    put_escaped(html->stream, value, strlen(value));
    fputc('"', html->stream);
}

void hsgd_html_attributef(hsgd_html *html, const char *name, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    char *text = formatted(html, format, arguments);
    va_end(arguments);
    if (text)
        hsgd_html_attribute(html, name, text);
    free(text);
}

static bool is_one_of(const char *name, const char *const *names)
{
    for (; *names; names++)
        if (strcmp(name, *names) == 0)
            return true;
    return false;
}

/* Elements without content, by HTML; all others need an end tag there, if XML would not. */
static bool is_void(const char *name)
{
    static const char *const names[] = {"meta", "br", "hr", "col", "wbr", "link", "img", NULL};
    return is_one_of(name, names);
}

/* Elements after which a line may end without becoming a blank in the text. */
static bool is_block(const char *name)
{
    static const char *const names[] = {"html",   "head", "meta",    "title",   "style",      "body", "header",
                                        "main",   "nav",  "section", "footer",  "div",        "p",    "h1",
                                        "h2",     "h3",   "h4",      "ul",      "ol",         "li",   "dl",
                                        "dt",     "dd",   "table",   "thead",   "tbody",      "tr",   "caption",
                                        "figure", "pre",  "details", "summary", "figcaption", "svg",  NULL};
    return is_one_of(name, names);
}

void hsgd_html_close(hsgd_html *html, const char *name)
{
    if (html->depth == 0 || strcmp(html->open[html->depth - 1], name) != 0) {
        note(html, "an element is closed that is not the innermost");
        return;
    }
    html->depth--;
    if (html->in_tag && (html->in_svg || is_void(name))) {
        fputs("/>", html->stream);
        html->in_tag = false;
    } else {
        end_tag(html);
        fprintf(html->stream, "</%s>", name);
    }
    if (is_block(name) && !html->in_svg)
        fputc('\n', html->stream);
}

void hsgd_html_open_class(hsgd_html *html, const char *name, const char *class_name)
{
    hsgd_html_open(html, name);
    if (class_name)
        hsgd_html_attribute(html, "class", class_name);
}

void hsgd_html_element(hsgd_html *html, const char *name, const char *class_name, const char *text)
{
    hsgd_html_open_class(html, name, class_name);
    hsgd_html_text(html, text);
    hsgd_html_close(html, name);
}

void hsgd_html_elementf(hsgd_html *html, const char *name, const char *class_name, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    char *text = formatted(html, format, arguments);
    va_end(arguments);
    hsgd_html_element(html, name, class_name, text ? text : "");
    free(text);
}

void hsgd_html_link(hsgd_html *html, const char *address, const char *text)
{
    hsgd_html_open(html, "a");
    hsgd_html_attribute(html, "href", address);
    hsgd_html_text(html, text);
    hsgd_html_close(html, "a");
}

/* ---- text ---- */

void hsgd_html_text_bytes(hsgd_html *html, const char *text, size_t length)
{
    end_tag(html);
    put_escaped(html->stream, text, length);
}

void hsgd_html_text(hsgd_html *html, const char *text)
{
    hsgd_html_text_bytes(html, text, strlen(text));
}

void hsgd_html_textf(hsgd_html *html, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    char *text = formatted(html, format, arguments);
    va_end(arguments);
    hsgd_html_text(html, text ? text : "");
    free(text);
}

void hsgd_html_style_sheet(hsgd_html *html, const char *css)
{
    if (strpbrk(css, "<&")) /* HTML would take them as they are, XML would not */
        note(html, "the style sheet has characters that differ in HTML and XML");
    hsgd_html_open(html, "style");
    end_tag(html);
    fputs(css, html->stream);
    hsgd_html_close(html, "style");
}

char *hsgd_html_escape_path(const char *path)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.~/";
    char *out = malloc(3 * strlen(path) + 3), *end = out;
    if (!out)
        return NULL;
    for (; *path; path++)
        if (strchr(plain, *path))
            *end++ = *path;
        else
            end += sprintf(end, "%%%02X", (unsigned)(unsigned char)*path);
    *end = '\0';
    return out;
}
