/* SPDX-License-Identifier: GPL-3.0-or-later */
/* SHA-256 (nettle's) of files and texts, piece by piece. */
#ifndef HSGD_EXPERIMENTS_CHECKSUM_H
#define HSGD_EXPERIMENTS_CHECKSUM_H

#include <stddef.h>

#include "analysis/error.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { HSGD_CHECKSUM_SIZE = 65 }; /* 64 hexadecimal digits and the end of the text */

typedef struct hsgd_checksum hsgd_checksum;

/* NULL when memory is out; free takes NULL. */
hsgd_checksum *hsgd_checksum_alloc(void);
void hsgd_checksum_free(hsgd_checksum *checksum);

/* Go on with these bytes, or with those of a file; *bytes (may be NULL) receives how many these are. */
void hsgd_checksum_add(hsgd_checksum *checksum, const void *data, size_t size);
hsgd_status hsgd_checksum_add_file(hsgd_checksum *checksum, const char *path, double *bytes, hsgd_error *err);

/* The digits for all that was added, which is forgotten: the next bytes are the first. */
void hsgd_checksum_finish(hsgd_checksum *checksum, char out[HSGD_CHECKSUM_SIZE]);

#ifdef __cplusplus
}
#endif

#endif
