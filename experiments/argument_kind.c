/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "experiments/cli_private.h"

#include <string.h>

/* argument without the brackets of what is optional: where it starts, and its length. */
static const char *inside(const char *argument, size_t *length)
{
    argument += *argument == '[';
    *length = strlen(argument);
    if (*length > 0 && argument[*length - 1] == ']')
        --*length;
    return argument;
}

/* Is one of the alternatives a name for any text? */
static bool has_capitals(const char *alternatives)
{
    for (const char *at = alternatives; at; at = strchr(at, '|')) {
        at += *at == '|';
        if (*at >= 'A' && *at <= 'Z')
            return true;
    }
    return false;
}

hsgd_argument_kind hsgd_argument_kind_of(const char *argument)
{
    static const char json[] = ".json";
    size_t length, ending = sizeof json - 1;
    if (!argument)
        return HSGD_ARGUMENT_NONE;
    const char *text = inside(argument, &length);
    if (memchr(text, '|', length))
        return has_capitals(text) ? HSGD_ARGUMENT_NAMED : HSGD_ARGUMENT_WORD;
    if (strncmp(text, "DIR", 3) == 0)
        return HSGD_ARGUMENT_FOLDER;
    if (length > ending && strncmp(text + length - ending, json, ending) == 0)
        return HSGD_ARGUMENT_JSON;
    return HSGD_ARGUMENT_TEXT;
}

/* The next alternative that is a word, from text on; NULL: there is none before end. */
static const char *next_word(const char *text, const char *end)
{
    while (text < end && *text >= 'A' && *text <= 'Z')
        text += strcspn(text, "|]") + 1;
    return text < end ? text : NULL;
}

void hsgd_argument_words(char *out, size_t size, const char *argument, const char *between, const char *last)
{
    size_t length, used = 0;
    const char *text = inside(argument, &length), *end = text + length;
    *out = '\0';
    for (text = next_word(text, end); text && used < size;) {
        size_t word = strcspn(text, "|]");
        const char *next = next_word(text + word + 1, end), *before = used == 0 ? "" : next ? between : last;
        used += (size_t)snprintf(out + used, size - used, "%s%.*s", before, (int)word, text);
        text = next;
    }
}
