/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Writing a text into memory with stdio. Other than that of open_memstream, a text that memory does not suffice for is not
 * handed out: glibc leaves the rest out, and neither ferror nor fclose says so. */
#ifndef HSGD_ANALYSIS_TEXT_STREAM_H
#define HSGD_ANALYSIS_TEXT_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct hsgd_text_stream {
    char *text; /* zero-terminated; owned until hsgd_text_close */
    size_t length, room;
    bool failed; /* a part of it did not fit */
} hsgd_text_stream;

/* A stream that writes to *out, which must stay where it is until hsgd_text_close; NULL when memory is out. */
FILE *hsgd_text_open(hsgd_text_stream *out);

/* Close the stream (NULL: there is none). The whole text, "" where nothing was written, to be freed; NULL when memory was out. */
char *hsgd_text_close(hsgd_text_stream *out, FILE *stream);

#ifdef __cplusplus
}
#endif

#endif
