/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Files that may be gzip-compressed, read piece by piece, and never without end. */
#ifndef HSGD_ANALYSIS_GZIP_FILE_H
#define HSGD_ANALYSIS_GZIP_FILE_H

#include <stddef.h>

#include "analysis/error.h"

#ifdef __cplusplus
extern "C" {
#endif

/* gzip packs up to 1032 bytes into one, and a file of 10 MB could keep a reader busy with 10 GB of blanks. What a file holds may
 * be this many times its size, and HSGD_EXPANSION_FREE_BYTES in any case: numbers as text come down to a tenth. */
#define HSGD_MAX_EXPANSION 200
#define HSGD_EXPANSION_FREE_BYTES ((size_t)256 << 20)

typedef struct hsgd_gzip_file hsgd_gzip_file;

/* Open a file as hsgd_open_file does; messages begin with the path. Free with hsgd_gzip_close, which takes NULL. */
hsgd_status hsgd_gzip_open(hsgd_gzip_file **out, const char *path, hsgd_error *err);
void hsgd_gzip_close(hsgd_gzip_file *file);

/* The next bytes, expanded where they are compressed: up to `most` <= 2^30 of them, *got of them, 0 at the end of the file. Fails
 * where the compressed data are damaged, cut short, or expand too far; messages do not name the file. */
hsgd_status hsgd_gzip_read(void *out, size_t *got, hsgd_gzip_file *file, size_t most, hsgd_error *err);

#ifdef __cplusplus
}
#endif

#endif
