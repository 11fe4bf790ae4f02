/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The keys of a configuration in the manual page: a walk through experiments/config.schema.json, which is compiled in.
 *
 * A key is named by its path, as in error messages: optimizer.steps; [] stands for the elements of a list. Where a value
 * has one of several forms (oneOf), the keys of all forms follow one another, each once; forms that a word tells apart, as
 * problem.type does, are headed by it. */
#include "experiments/manual_private.h"

#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "experiments/embedded_private.h"

enum { MAX_DEPTH = 16, MAX_KEYS = 512, MAX_PATH = 128 };

typedef struct walk {
    hsgd_manual *manual;
    const cJSON *schema;
    const cJSON *open[MAX_DEPTH]; /* the objects that we are in: a tree contains itself */
    size_t depth;
    char (*said)[MAX_PATH]; /* (num_said) the paths that have been printed */
    size_t num_said;
} walk;

static const cJSON *member(const cJSON *object, const char *key)
{
    return cJSON_GetObjectItemCaseSensitive(object, key);
}

/* What a reference "#/$defs/NAME" stands for; the value itself where it is none. */
static const cJSON *resolve(const walk *w, const cJSON *value)
{
    const char *target = cJSON_GetStringValue(member(value, "$ref"));
    return target ? member(member(w->schema, "$defs"), strrchr(target, '/') + 1) : value;
}

static void put_default(walk *w, const cJSON *value)
{
    const cJSON *item = member(value, "default");
    char *text = item ? cJSON_PrintUnformatted(item) : NULL;
    if (text) {
        hsgd_manual_text(w->manual, "Default:");
        hsgd_manual_text(w->manual, text);
    }
    free(text);
}

/* The words that are legal. */
static void put_words(walk *w, const cJSON *value)
{
    const cJSON *list = member(value, "enum"), *item;
    cJSON_ArrayForEach(item, list)
    {
        char word[64];
        snprintf(word, sizeof word, "\"%s\"%s", item->valuestring, item->next ? "," : ".");
        hsgd_manual_text(w->manual, word);
    }
}

/* "integer" and so on; nothing where the words say it. */
static void put_type(walk *w, const cJSON *value)
{
    const char *type = cJSON_GetStringValue(member(value, "type"));
    char text[64];
    if (!type)
        return;
    snprintf(text, sizeof text, "(%s)", type);
    hsgd_manual_text(w->manual, text);
}

static bool say(walk *w, const char *path)
{
    for (size_t i = 0; i < w->num_said; i++)
        if (strcmp(w->said[i], path) == 0)
            return false;
    if (w->num_said < MAX_KEYS)
        snprintf(w->said[w->num_said++], MAX_PATH, "%s", path);
    return true;
}

static void put_key(walk *w, const char *path, const cJSON *value)
{
    const cJSON *form, *inner = resolve(w, member(value, "items"));
    const char *text = cJSON_GetStringValue(member(value, "description"));
    hsgd_manual_tag(w->manual, path, NULL);
    put_type(w, value);
    put_words(w, value);
    if (inner)
        put_words(w, inner);
    cJSON_ArrayForEach(form, member(value, "oneOf")) put_words(w, resolve(w, form));
    if (text)
        hsgd_manual_text(w->manual, text);
    put_default(w, value);
}

static void put_value(walk *w, const char *path, const cJSON *value);

static void put_members(walk *w, const char *path, const cJSON *object)
{
    const cJSON *item;
    for (size_t i = 0; i < w->depth; i++)
        if (w->open[i] == object)
            return;
    if (w->depth == MAX_DEPTH)
        return;
    w->open[w->depth++] = object;
    cJSON_ArrayForEach(item, member(object, "properties"))
    {
        char inner[MAX_PATH];
        const cJSON *value = resolve(w, item);
        snprintf(inner, sizeof inner, "%s%s%s", path, *path ? "." : "", item->string);
        if (say(w, inner))
            put_key(w, inner, value);
        put_value(w, inner, value);
    }
    w->depth--;
}

/* The first key of a form where its words tell the form from others; else NULL. */
static const cJSON *form_key(const cJSON *form)
{
    const cJSON *first = member(form, "properties") ? member(form, "properties")->child : NULL;
    return member(first, "const") || member(first, "enum") ? first : NULL;
}

static void put_form(walk *w, const char *path, const cJSON *form)
{
    const cJSON *key = form_key(form), *word = member(key, "const"), *next;
    char title[MAX_PATH];
    if (key) {
        size_t used = (size_t)snprintf(title, sizeof title, "%s.%s", path, key->string);
        say(w, title); /* not once more among the others */
        for (next = word ? word : member(key, "enum")->child; next && used < sizeof title;
             next = word ? NULL : next->next)
            used += (size_t)snprintf(title + used, sizeof title - used, " \"%s\"", next->valuestring);
        hsgd_manual_tag(w->manual, title, NULL);
        hsgd_manual_text(w->manual, "To it belong:");
    }
    put_value(w, path, form);
}

/* The keys below a value, whatever its forms are. */
static void put_value(walk *w, const char *path, const cJSON *value)
{
    const cJSON *form, *inner = member(value, "items");
    char element[MAX_PATH + 2];
    snprintf(element, sizeof element, "%.*s[]", MAX_PATH - 3, path);
    put_members(w, path, value);
    if (inner)
        put_value(w, element, resolve(w, inner));
    cJSON_ArrayForEach(form, member(value, "oneOf")) put_form(w, path, resolve(w, form));
}

hsgd_status hsgd_manual_configuration(hsgd_manual *m, hsgd_error *err)
{
    walk w = {.manual = m};
    cJSON *schema = cJSON_Parse(hsgd_embedded_schema);
    w.said = calloc(MAX_KEYS, sizeof *w.said);
    hsgd_status status = schema && w.said ? HSGD_OK : hsgd_fail_memory(err, "the keys of a configuration");
    w.schema = schema;
    if (!status) {
        hsgd_manual_heading(m, ".SH", "CONFIGURATION");
        hsgd_manual_text(
            m,
            "One JSON file. Unknown keys are errors. A key that several forms share is listed with the first of them. "
            "The README says more about each.");
        put_value(&w, "", schema);
    }
    cJSON_Delete(schema);
    free(w.said);
    return status;
}
