/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the readers and the partition share; not installed. */
#ifndef HSGD_ANALYSIS_DATASET_PRIVATE_H
#define HSGD_ANALYSIS_DATASET_PRIVATE_H

#include <stdbool.h>
#include <stddef.h>

#include "analysis/dataset.h"
#include "analysis/error.h"

typedef struct hsgd_file_bytes {
    unsigned char *data; /* (size), followed by a zero byte, owned; free with free() */
    size_t size;
} hsgd_file_bytes;

/* The whole file, expanded if it is gzip-compressed. The buffer grows with the bytes that arrive, and more than limit
 * of them are an error: a small compressed file can expand to anything. Messages start with the path. */
hsgd_status hsgd_read_file(hsgd_file_bytes *out, const char *path, size_t limit, hsgd_error *err);

/* Is the text from begin up to end a finite decimal number? What stands at end is a separator or a zero byte. */
bool hsgd_parse_number(const char *begin, const char *end, double *number);

/* How many characters of the text from begin up to end a message shows. */
int hsgd_shown(const char *begin, const char *end);

/* hsgd_dataset_add_intercept and hsgd_dataset_reorder for the rows of one storage only. room (row_bytes): one row; new
 * row s is old row order[s]; done (count), zeros: scratch memory. */
hsgd_status hsgd_dataset_widen_bytes(hsgd_dataset *data, uint8_t one, hsgd_error *err);
void hsgd_permute_rows(void *rows, size_t row_bytes, const size_t *order, size_t count, void *room, bool *done);

/* Can worker j have the samples start[j] .. start[j + 1] - 1 of data? Each needs one at least. */
hsgd_status hsgd_dataset_check_workers(const hsgd_dataset *data, const size_t *start, size_t num_workers,
                                       hsgd_error *err);

/* Is order (count) a permutation of 0 .. count - 1? The message names the array and the entry that is not legal. */
hsgd_status hsgd_check_permutation(const size_t *order, size_t count, const char *name, hsgd_error *err);

#endif
