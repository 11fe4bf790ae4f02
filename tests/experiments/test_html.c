/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Nothing gets into a page unescaped: text and attributes with every character that means something in HTML or XML,
 * bytes that are no UTF-8, characters that XML does not have; elements that are not nested are refused, so are rows
 * that do not fit their table. Pictures: only what draws is taken over, ids and what refers to them are renamed. A
 * parser of another library (expat) reads everything back. */
#include "tests/test.h"

#include <unistd.h>

#include <expat.h>

#include "experiments/html_private.h"
#include "experiments/svg_private.h"
#include "tests/temp_files.h"

/* ---- writing into memory ---- */

typedef struct page {
    hsgd_html html;
    FILE *stream;
    char *text;
    size_t size;
} page;

static void open_page(page *p)
{
    p->stream = open_memstream(&p->text, &p->size);
    assert_non_null(p->stream);
    hsgd_html_start(&p->html, p->stream);
}

/* What was written; free it. The status of the end must be this. */
static char *close_page(page *p, hsgd_status wanted)
{
    hsgd_error err;
    assert_int_equal(hsgd_html_finish(&p->html, &err), wanted);
    assert_int_equal(fclose(p->stream), 0);
    return p->text;
}

/* ---- reading back ---- */

typedef struct seen {
    char text[4096];      /* of all elements, one after the other */
    char attribute[4096]; /* all values, each followed by "|" */
    char names[1024];     /* of all elements, each followed by " " */
} seen;

static void on_start(void *context, const char *name, const char **attribute)
{
    seen *s = context;
    strcat(strcat(s->names, name), " ");
    for (; attribute[0]; attribute += 2)
        strcat(strcat(s->attribute, attribute[1]), "|");
}

static void on_text(void *context, const char *text, int length)
{
    strncat(((seen *)context)->text, text, (size_t)length);
}

static seen parse(const char *text)
{
    seen s = {"", "", ""};
    XML_Parser parser = XML_ParserCreate("UTF-8");
    XML_SetUserData(parser, &s);
    XML_SetStartElementHandler(parser, on_start);
    XML_SetCharacterDataHandler(parser, on_text);
    if (XML_Parse(parser, text, (int)strlen(text), 1) != XML_STATUS_OK)
        fail_msg("%s in %s", XML_ErrorString(XML_GetErrorCode(parser)), text);
    XML_ParserFree(parser);
    return s;
}

/* ---- escaping ---- */

/* The text as element and as attribute, read back, is `back`. */
static void check_round_trip(const char *text, const char *back)
{
    page p;
    open_page(&p);
    hsgd_html_open(&p.html, "p");
    hsgd_html_attribute(&p.html, "title", text);
    hsgd_html_text(&p.html, text);
    hsgd_html_close(&p.html, "p");
    char *written = close_page(&p, HSGD_OK), wanted[512];
    seen s = parse(written);
    assert_string_equal(s.text, back);
    snprintf(wanted, sizeof wanted, "%s|", back);
    for (char *c = wanted; *c; c++) /* XML makes blanks of lines and tabs in attributes */
        *c = *c == '\n' || *c == '\t' ? ' ' : *c;
    assert_string_equal(s.attribute, wanted);
    assert_string_equal(s.names, "p ");
    free(written);
}

static void text_comes_back_as_it_was(void **state)
{
    (void)state;
    static const char *const texts[] = {"plain",
                                        "<script>alert(1)</script>",
                                        "\" onmouseover=\"alert(1)",
                                        "' onmouseover='alert(1)",
                                        "&lt; &amp; &#60; &quot;",
                                        "]]> <!-- --> <![CDATA[",
                                        "two\nlines\tand a tab",
                                        "\xC3\xA9 \xE2\x82\xAC \xF0\x9F\x90\x8D \xE4\xB8\xAD\xE6\x96\x87",
                                        ""};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        check_round_trip(texts[i], texts[i]);
}

/* U+FFFD in the place of every byte that is not part of a legal character. */
static void what_xml_does_not_have_is_replaced(void **state)
{
    (void)state;
    static const char *const texts[][2] = {
        {"a\x01"
         "b\x1F\x7F",
         "a\xEF\xBF\xBD"
         "b\xEF\xBF\xBD\xEF\xBF\xBD"},
        {"\xFF", "\xEF\xBF\xBD"},
        {"\x80x", "\xEF\xBF\xBDx"},
        {"\xC0\xAF", "\xEF\xBF\xBD\xEF\xBF\xBD"},                                 /* overlong / */
        {"\xE0\x80\xBC", "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD"},                 /* overlong < */
        {"\xED\xA0\x80", "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD"},                 /* surrogate */
        {"\xF4\x90\x80\x80", "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD"}, /* too large */
        {"\xEF\xBF\xBE", "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD"},                 /* U+FFFE */
        {"\xE2\x82", "\xEF\xBF\xBD\xEF\xBF\xBD"}};                                /* cut */
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        check_round_trip(texts[i][0], texts[i][1]);
}

static void names_of_files_become_addresses(void **state)
{
    (void)state;
    char *address = hsgd_html_escape_path("../a b/\"<x>\"?#%\xC3\xA9:1.gp");
    assert_string_equal(address, "../a%20b/%22%3Cx%3E%22%3F%23%25%C3%A9%3A1.gp");
    free(address);
}

/* ---- structure ---- */

static void void_elements_close_themselves_and_others_do_not(void **state)
{
    (void)state;
    page p;
    open_page(&p);
    hsgd_html_open(&p.html, "div");
    hsgd_html_open(&p.html, "br");
    hsgd_html_close(&p.html, "br");
    hsgd_html_open(&p.html, "span");
    hsgd_html_close(&p.html, "span");
    hsgd_html_close(&p.html, "div");
    char *text = close_page(&p, HSGD_OK);
    assert_string_equal(text, "<div><br/><span></span></div>\n");
    free(text);
}

static void wrong_nesting_is_found(void **state)
{
    (void)state;
    static const hsgd_html_column columns[] = {{"a", false}, {"b", true}};
    for (int wrong = 0; wrong < 5; wrong++) {
        page p;
        open_page(&p);
        hsgd_html_open(&p.html, "div");
        if (wrong == 0)
            hsgd_html_close(&p.html, "p"); /* another one */
        if (wrong == 1)
            hsgd_html_open(&p.html, "p"); /* stays open */
        if (wrong == 2) {
            hsgd_html_text(&p.html, "x");
            hsgd_html_attribute(&p.html, "id", "late");
        }
        if (wrong == 3)
            hsgd_html_style_sheet(&p.html, "a > b { content: '<' }");
        if (wrong == 4) {
            hsgd_html_open_table(&p.html, "t", columns, 2);
            hsgd_html_open_row(&p.html);
            hsgd_html_row_header(&p.html, "one cell where two belong");
            hsgd_html_close_row(&p.html);
            hsgd_html_close_table(&p.html);
        }
        if (wrong != 1)
            hsgd_html_close(&p.html, "div");
        free(close_page(&p, HSGD_ERROR_ENVIRONMENT));
    }
}

static void tables_say_what_their_cells_are(void **state)
{
    (void)state;
    static const hsgd_html_column columns[] = {{"name", false}, {"n < 2", true}};
    page p;
    open_page(&p);
    hsgd_html_open_cards(&p.html, "caption & more", columns, 2);
    hsgd_html_open_row(&p.html);
    hsgd_html_row_header(&p.html, "<first>");
    hsgd_html_cellf(&p.html, "%d", 7);
    hsgd_html_close_row(&p.html);
    hsgd_html_close_table(&p.html);
    char *text = close_page(&p, HSGD_OK);
    parse(text);
    assert_non_null(strstr(text, "<th role=\"columnheader\" scope=\"col\" class=\"number\">n &lt; 2</th>"));
    assert_non_null(strstr(text, "<th role=\"rowheader\" scope=\"row\">&lt;first&gt;</th>"));
    assert_non_null(strstr(text, "<td role=\"cell\" class=\"number\" data-label=\"n &lt; 2\">7</td>"));
    assert_non_null(strstr(text, "<caption>caption &amp; more</caption>"));
    free(text);
}

/* ---- pictures ---- */

/* The picture in a page; free it. */
static char *embed(const char *svg, hsgd_status wanted)
{
    hsgd_error err;
    page p;
    const char *path = temp_write(temp_shared(), "picture.svg", svg, strlen(svg));
    open_page(&p);
    assert_int_equal(hsgd_svg_embed(&p.html, path, "one", "what it <shows>", &err), wanted);
    if (wanted != HSGD_OK) {
        p.html.depth = 0; /* the page is not finished then */
        assert_non_null(strstr(err.message, "picture.svg"));
    }
    return close_page(&p, HSGD_OK);
}

static void pictures_draw_and_do_nothing_else(void **state)
{
    (void)state;
    char *text =
        embed("<?xml version=\"1.0\"?><!DOCTYPE svg><svg xmlns=\"http://www.w3.org/2000/svg\" onload=\"alert(1)\" "
              "style=\"background:url(http://e.org/)\" viewBox=\"0 0 9 9\"><title>x</title>"
              "<script>alert(1)</script><style>@import 'http://e.org/'</style><foreignObject><p>no</p></foreignObject>"
              "<image href=\"http://e.org/a.png\"/><use href=\"javascript:alert(1)\"/><a href=\"http://e.org\"><g/></a>"
              "<rect fill=\"url(http://e.org/#x)\" width=\"3\" class=\"wide\"/>"
              "<text onclick=\"alert(1)\" x=\"1\">a &lt;b&gt; <tspan dy=\"2\">c &amp; d</tspan></text></svg>",
              HSGD_OK);
    seen s = parse(text);
    assert_string_equal(s.names, "svg image use rect text tspan ");
    assert_string_equal(s.text, "a <b> c & d");
    assert_string_equal(s.attribute, "http://www.w3.org/2000/svg|img|what it <shows>|0 0 9 9|3|1|2|");
    assert_null(strstr(text, "alert"));
    assert_null(strstr(text, "e.org"));
    free(text);
}

static void ids_and_what_refers_to_them_are_renamed(void **state)
{
    (void)state;
    char *text = embed("<svg xmlns=\"http://www.w3.org/2000/svg\" xmlns:xlink=\"http://www.w3.org/1999/xlink\">"
                       "<defs><g id='p'/></defs><use xlink:href='#p'/><g filter='url(#f)' fill='#123456'/>"
                       "<image href='data:image/png;base64,AAAA'/></svg>",
                       HSGD_OK);
    seen s = parse(text);
    assert_string_equal(s.attribute, "http://www.w3.org/2000/svg|img|what it <shows>|one-p|#one-p|url(#one-f)|#123456|"
                                     "data:image/png;base64,AAAA|");
    free(text);
}

static void what_is_no_picture_is_refused(void **state)
{
    (void)state;
    free(embed("", HSGD_ERROR_ENVIRONMENT));
    free(embed("<svg><g></svg>", HSGD_ERROR_ENVIRONMENT));
    free(embed("<p>text</p>", HSGD_ERROR_ENVIRONMENT));
    hsgd_error err;
    page p;
    open_page(&p);
    assert_int_equal(hsgd_svg_embed(&p.html, "/no/such.svg", "a", "b", &err), HSGD_ERROR_ENVIRONMENT);
    free(close_page(&p, HSGD_OK));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(text_comes_back_as_it_was),
                                       cmocka_unit_test(what_xml_does_not_have_is_replaced),
                                       cmocka_unit_test(names_of_files_become_addresses),
                                       cmocka_unit_test(void_elements_close_themselves_and_others_do_not),
                                       cmocka_unit_test(wrong_nesting_is_found),
                                       cmocka_unit_test(tables_say_what_their_cells_are),
                                       cmocka_unit_test(pictures_draw_and_do_nothing_else),
                                       cmocka_unit_test(ids_and_what_refers_to_them_are_renamed),
                                       cmocka_unit_test(what_is_no_picture_is_refused)};
    return cmocka_run_group_tests(tests, temp_open_shared, temp_close_shared);
}
