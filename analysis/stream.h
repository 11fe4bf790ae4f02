/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Streams that a signal does not disturb: what it interrupts goes on, whatever handlers the calling program has. Those of the C
 * library fail then, and lose what they hold. */
#ifndef HSGD_ANALYSIS_STREAM_H
#define HSGD_ANALYSIS_STREAM_H

#include <stdio.h>

#ifdef __cplusplus
extern "C" {
#endif

/* open(2), again as long as a signal interrupts it. Returns a descriptor, or -1 with errno. */
int hsgd_open_again(const char *path, int flags, unsigned mode);

/* A stream to read a file from; NULL with errno. */
FILE *hsgd_stream_open(const char *path);

/* A stream on an open descriptor, which fclose closes, too; mode: "r" or "w". After a write that failed all others fail for the
 * same reason, and so does fclose, which leaves it in errno. fileno does not know such streams. NULL with errno: memory is out;
 * the descriptor is as before. */
FILE *hsgd_stream_of(int descriptor, const char *mode);

#ifdef __cplusplus
}
#endif

#endif
