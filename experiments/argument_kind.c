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

hsgd_argument_kind hsgd_argument_kind_of(const char *argument)
{
    static const char json[] = ".json";
    size_t length, ending = sizeof json - 1;
    if (!argument)
        return HSGD_ARGUMENT_NONE;
    const char *text = inside(argument, &length);
    if (memchr(text, '|', length))
        return HSGD_ARGUMENT_WORD;
    if (strncmp(text, "DIR", 3) == 0)
        return HSGD_ARGUMENT_FOLDER;
    if (length > ending && strncmp(text + length - ending, json, ending) == 0)
        return HSGD_ARGUMENT_JSON;
    return HSGD_ARGUMENT_TEXT;
}

void hsgd_argument_words(char *out, size_t size, const char *argument, const char *between, const char *last)
{
    size_t length, used = 0;
    const char *text = inside(argument, &length), *end = text + length;
    *out = '\0';
    while (text < end) {
        size_t word = strcspn(text, "|]");
        bool first = used == 0, final = text + word >= end;
        used += (size_t)snprintf(out + used, size - used, "%s%.*s",
                                 first   ? ""
                                 : final ? last
                                         : between,
                                 (int)word, text);
        if (used >= size)
            return;
        text += word + 1;
    }
}
