/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "analysis/text_stream.h"

#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

/* Room for so many more bytes and the zero. */
static bool make_room(hsgd_text_stream *out, size_t more)
{
    if (out->length + more < out->room)
        return true;
    size_t room = 2 * out->room + more + 1;
    char *grown = realloc(out->text, room);
    out->failed |= !grown;
    if (!grown)
        return false;
    out->text = grown;
    out->room = room;
    return true;
}

static ssize_t take(void *context, const char *bytes, size_t size)
{
    hsgd_text_stream *out = context;
    if (out->failed || !make_room(out, size))
        return 0;
    memcpy(out->text + out->length, bytes, size);
    out->length += size;
    out->text[out->length] = '\0';
    return (ssize_t)size;
}

FILE *hsgd_text_open(hsgd_text_stream *out)
{
    *out = (hsgd_text_stream){0};
    FILE *stream = make_room(out, 255) ? fopencookie(out, "w", (cookie_io_functions_t){.write = take}) : NULL;
    if (!stream) {
        free(out->text);
        *out = (hsgd_text_stream){.failed = true};
        return NULL;
    }
    out->text[0] = '\0';
    return stream;
}

char *hsgd_text_close(hsgd_text_stream *out, FILE *stream)
{
    if (!stream || fclose(stream) != 0 || out->failed) {
        free(out->text);
        out->text = NULL;
    }
    return out->text;
}
