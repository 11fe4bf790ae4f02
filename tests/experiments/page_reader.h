/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A page of hsgd report as a test sees it, read by an XML parser: its text, ids, references, and the numbers of each
 * row. */
#ifndef HSGD_TESTS_EXPERIMENTS_PAGE_READER_H
#define HSGD_TESTS_EXPERIMENTS_PAGE_READER_H

#include "tests/experiments/program.h"

#include <expat.h>

enum { PAGE_NAMES = 4096, PAGE_NAME = 200, PAGE_ROWS = 2048, PAGE_ROW_NUMBERS = 64 };

typedef struct page_row {
    char head[256]; /* text of its header cell */
    double number[PAGE_ROW_NUMBERS];
    size_t count;
} page_row;

typedef struct page_reader {
    char *text; /* of the body, without the style sheet */
    size_t length;
    char id[PAGE_NAMES][PAGE_NAME], href[PAGE_NAMES][PAGE_NAME];
    size_t num_ids, num_hrefs;
    char outside[PAGE_NAME]; /* an address that would be loaded; "": none */
    size_t num_scripts, num_svgs, num_headings;
    int last_heading; /* level */
    bool headings_in_order;
    page_row row[PAGE_ROWS];
    size_t num_rows;
    bool in_style, in_head_cell, in_row;
} page_reader;

static void page_note(char list[][PAGE_NAME], size_t *count, const char *text)
{
    assert_true(*count < PAGE_NAMES);
    snprintf(list[(*count)++], PAGE_NAME, "%s", text);
}

static void page_attribute(page_reader *p, const char *element, const char *name, const char *value)
{
    static const char *const loading[] = {"src", "srcset", "data", "poster", "action", "background"};
    bool loads = strncmp(name, "on", 2) == 0; /* nor does anything run */
    for (size_t i = 0; i < sizeof loading / sizeof *loading; i++)
        loads |= strcmp(name, loading[i]) == 0;
    loads |= strcmp(element, "a") != 0 && strstr(name, "href") && value[0] != '#' && strncmp(value, "data:", 5) != 0;
    loads |= strncmp(name, "xmlns", 5) != 0 && strcmp(element, "a") != 0 && strstr(value, "//") &&
             strcmp(name, "aria-label") != 0;
    if (loads)
        snprintf(p->outside, PAGE_NAME, "%s %s=%s", element, name, value);
    if (strcmp(name, "id") == 0)
        page_note(p->id, &p->num_ids, value);
    if (strstr(name, "href"))
        page_note(p->href, &p->num_hrefs, value);
    const char *url = strstr(value, "url(");
    if (url) {
        char part[PAGE_NAME];
        snprintf(part, sizeof part, "%.*s", (int)strcspn(url + 4, ")"), url + 4);
        page_note(p->href, &p->num_hrefs, part);
    }
    if (strcmp(element, "data") == 0 && strcmp(name, "value") == 0 && p->in_row) {
        page_row *row = &p->row[p->num_rows - 1];
        assert_true(row->count < PAGE_ROW_NUMBERS);
        row->number[row->count++] = strtod(value, NULL);
    }
}

static void page_start(void *context, const char *name, const char **attribute)
{
    page_reader *p = context;
    if (strcmp(name, "tr") == 0) {
        assert_true(p->num_rows < PAGE_ROWS);
        p->num_rows++;
        p->in_row = true;
    }
    p->in_head_cell |= p->in_row && strcmp(name, "th") == 0;
    p->in_style |= strcmp(name, "style") == 0;
    p->num_scripts += strcmp(name, "script") == 0;
    p->num_svgs += strcmp(name, "svg") == 0;
    if (name[0] == 'h' && name[1] >= '1' && name[1] <= '6' && !name[2]) {
        int level = name[1] - '0';
        p->headings_in_order &= level <= p->last_heading + 1 && (level == 1) == (p->num_headings == 0);
        p->last_heading = level;
        p->num_headings++;
    }
    for (; attribute[0]; attribute += 2)
        page_attribute(p, name, attribute[0], attribute[1]);
}

static void page_end(void *context, const char *name)
{
    page_reader *p = context;
    if (strcmp(name, "tr") == 0)
        p->in_row = false;
    if (strcmp(name, "th") == 0)
        p->in_head_cell = false;
    if (strcmp(name, "style") == 0)
        p->in_style = false;
}

static void page_characters(void *context, const char *text, int length)
{
    page_reader *p = context;
    if (p->in_style)
        return;
    memcpy(p->text + p->length, text, (size_t)length);
    p->length += (size_t)length;
    p->text[p->length] = '\0';
    if (p->in_head_cell && text[0] != '\n') /* between the elements of the cell */
        strncat(p->row[p->num_rows - 1].head, text,
                (size_t)length < sizeof p->row->head - 1 - strlen(p->row[p->num_rows - 1].head)
                    ? (size_t)length
                    : sizeof p->row->head - 1 - strlen(p->row[p->num_rows - 1].head));
}

/* Fails where the file is not well-formed; free with page_free. */
static page_reader *page_read(const char *path)
{
    char *file = read_text(path);
    if (!file)
        fail_msg("%s is not there", path);
    page_reader *p = calloc(1, sizeof *p);
    assert_non_null(p);
    p->text = calloc(strlen(file) + 1, 1);
    p->headings_in_order = true;
    XML_Parser parser = XML_ParserCreate("UTF-8");
    XML_SetUserData(parser, p);
    XML_SetElementHandler(parser, page_start, page_end);
    XML_SetCharacterDataHandler(parser, page_characters);
    if (XML_Parse(parser, file, (int)strlen(file), 1) != XML_STATUS_OK)
        fail_msg("%s: line %lu: %s", path, (unsigned long)XML_GetCurrentLineNumber(parser),
                 XML_ErrorString(XML_GetErrorCode(parser)));
    XML_ParserFree(parser);
    free(file);
    return p;
}

static inline void page_free(page_reader *p)
{
    free(p->text);
    free(p);
}

static inline bool page_has_id(const page_reader *p, const char *id)
{
    for (size_t i = 0; i < p->num_ids; i++)
        if (strcmp(p->id[i], id) == 0)
            return true;
    return false;
}

/* The last row whose header cell has just this text. */
static inline const page_row *page_row_of(const page_reader *p, const char *head)
{
    for (size_t i = p->num_rows; i-- > 0;)
        if (strcmp(p->row[i].head, head) == 0)
            return &p->row[i];
    fail_msg("no row %s", head);
    return NULL;
}

#endif
