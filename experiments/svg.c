/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "experiments/svg_private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <expat.h>

#include "analysis/stream.h"
#include "analysis/text_stream.h"

typedef struct embedding {
    hsgd_html *html;
    const char *prefix, *label;
    size_t depth;   /* of the element that is being read, the root's is 1 */
    size_t skipped; /* depth of the element that is left out with all it holds; 0: none */
    size_t in_text; /* <text> elements open: there blanks count */
    bool has_root;
} embedding;

static bool is_one_of(const char *name, const char *const *names)
{
    for (; *names; names++)
        if (strcmp(name, *names) == 0)
            return true;
    return false;
}

/* What draws. Scripts, style sheets, links and foreign content are not among it. */
static bool draws(const char *name)
{
    static const char *const names[] = {"svg",     "g",       "defs",           "path",    "rect",        "circle",
                                        "ellipse", "line",    "polyline",       "polygon", "text",        "tspan",
                                        "use",     "image",   "filter",         "feFlood", "feComposite", "clipPath",
                                        "mask",    "pattern", "linearGradient", "stop",    NULL};
    return is_one_of(name, names);
}

/* ---- attributes ---- */

/* Copy value with the prefix after every "#" that names a part of this picture. */
static char *with_prefix(const char *value, const char *prefix)
{
    hsgd_text_stream memory;
    FILE *out = hsgd_text_open(&memory);
    if (!out)
        return NULL;
    for (; *value; value++) {
        fputc(*value, out);
        if (*value == '#')
            fprintf(out, "%s-", prefix);
    }
    return hsgd_text_close(&memory, out);
}

/* Does the value name anything outside the picture? */
static bool is_foreign(const char *value)
{
    for (const char *url = value; (url = strstr(url, "url(")); url++)
        if (url[4] != '#')
            return true;
    return false;
}

static void put_reference(embedding *e, const char *name, const char *value)
{
    char *own = with_prefix(value, e->prefix);
    if (own)
        hsgd_html_attribute(e->html, name, own);
    else if (!e->html->mistake)
        e->html->mistake = "out of memory";
    free(own);
}

static void put_attribute(embedding *e, const char *name, const char *value)
{
    static const char *const left_out[] = {"class", "xmlns", "xmlns:xlink", "version", "style", NULL};
    if (is_one_of(name, left_out) || strncmp(name, "on", 2) == 0 || is_foreign(value))
        return;
    if (strcmp(name, "id") == 0)
        hsgd_html_attributef(e->html, "id", "%s-%s", e->prefix, value);
    else if (strcmp(name, "href") == 0 || strcmp(name, "xlink:href") == 0) {
        if (*value == '#')
            put_reference(e, "href", value);
        else if (strncmp(value, "data:image/png;", 15) == 0) /* an image inside the picture, as of a map of colours */
            hsgd_html_attribute(e->html, "href", value);
    } else if (strstr(value, "url(#"))
        put_reference(e, name, value);
    else
        hsgd_html_attribute(e->html, name, value);
}

/* ---- events of the parser ---- */

static void put_root(embedding *e)
{
    e->has_root = true;
    hsgd_html_attribute(e->html, "xmlns", "http://www.w3.org/2000/svg");
    hsgd_html_attribute(e->html, "role", "img");
    hsgd_html_attribute(e->html, "aria-label", e->label);
}

static void start(void *context, const char *name, const char **attribute)
{
    embedding *e = context;
    e->depth++;
    if (!e->skipped && (!draws(name) || (e->depth == 1) != (strcmp(name, "svg") == 0)))
        e->skipped = e->depth;
    if (e->skipped)
        return;
    hsgd_html_open(e->html, name);
    if (e->depth == 1)
        put_root(e);
    for (; attribute[0]; attribute += 2)
        put_attribute(e, attribute[0], attribute[1]);
    e->in_text += strcmp(name, "text") == 0;
}

static void end(void *context, const char *name)
{
    embedding *e = context;
    if (!e->skipped) {
        hsgd_html_close(e->html, name);
        e->in_text -= strcmp(name, "text") == 0;
    } else if (e->skipped == e->depth)
        e->skipped = 0;
    e->depth--;
}

static void characters(void *context, const char *text, int length)
{
    embedding *e = context;
    if (!e->skipped && e->in_text)
        hsgd_html_text_bytes(e->html, text, (size_t)length);
}

/* ---- the file ---- */

static hsgd_status parse(XML_Parser parser, FILE *file, const char *path, hsgd_error *err)
{
    enum { PIECE = 1 << 16 };
    size_t got;
    do {
        void *piece = XML_GetBuffer(parser, PIECE);
        if (!piece)
            return hsgd_fail_memory(err, path);
        got = fread(piece, 1, PIECE, file);
        if (ferror(file))
            return hsgd_fail(err, HSGD_ERROR_ENVIRONMENT, "cannot read %s: %s", path, strerror(errno));
        if (XML_ParseBuffer(parser, (int)got, got < PIECE) == XML_STATUS_ERROR)
            return hsgd_fail(err, HSGD_ERROR_ENVIRONMENT, "%s: line %lu: %s", path,
                             (unsigned long)XML_GetCurrentLineNumber(parser),
                             XML_ErrorString(XML_GetErrorCode(parser)));
    } while (got == PIECE);
    return HSGD_OK;
}

hsgd_status hsgd_svg_embed(hsgd_html *html, const char *path, const char *prefix, const char *label, hsgd_error *err)
{
    embedding e = {.html = html, .prefix = prefix, .label = label};
    FILE *file = hsgd_stream_open(path);
    if (!file)
        return hsgd_fail(err, HSGD_ERROR_ENVIRONMENT, "cannot read %s: %s", path, strerror(errno));
    XML_Parser parser = XML_ParserCreate(NULL);
    hsgd_status status = parser ? HSGD_OK : hsgd_fail_memory(err, path);
    if (parser) {
        XML_SetUserData(parser, &e);
        XML_SetElementHandler(parser, start, end);
        XML_SetCharacterDataHandler(parser, characters);
        html->in_svg = true;
        status = parse(parser, file, path, err);
        html->in_svg = false;
        XML_ParserFree(parser);
    }
    fclose(file);
    if (!status && !e.has_root)
        status = hsgd_fail(err, HSGD_ERROR_ENVIRONMENT, "%s: no SVG in it", path);
    return status;
}
