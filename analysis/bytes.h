/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A row of bytes that grows as numbers are put into it, and a reader that takes them out again in the same order.
 *
 * Both remember a failure, so that a caller puts or takes many things and asks once at the end. Numbers have the byte order
 * of the machine: what carries them to another one has to say which it is. */
#ifndef HSGD_ANALYSIS_BYTES_H
#define HSGD_ANALYSIS_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* {0} is empty; free with hsgd_bytes_free. */
typedef struct hsgd_bytes {
    unsigned char *data; /* (size) owned */
    size_t size, room;
    bool failed; /* out of memory: from then on nothing is put */
} hsgd_bytes;

void hsgd_bytes_free(hsgd_bytes *bytes);

/* Make room for so many in all; without it room grows twofold. */
void hsgd_bytes_reserve(hsgd_bytes *out, size_t size);

void hsgd_bytes_put(hsgd_bytes *out, const void *data, size_t size);
void hsgd_bytes_put_number(hsgd_bytes *out, uint64_t value);
void hsgd_bytes_put_count(hsgd_bytes *out, size_t value);
void hsgd_bytes_put_counts(hsgd_bytes *out, const size_t *value, size_t count);
void hsgd_bytes_put_doubles(hsgd_bytes *out, const double *value, size_t count);

/* What is left to take of bytes that somebody else owns. */
typedef struct hsgd_bytes_reader {
    const unsigned char *next;
    size_t left;
    bool failed; /* something was asked for that is not there: from then on zeros are taken */
} hsgd_bytes_reader;

hsgd_bytes_reader hsgd_bytes_read(const void *data, size_t size);

void hsgd_bytes_take(hsgd_bytes_reader *in, void *data, size_t size);
void hsgd_bytes_skip(hsgd_bytes_reader *in, size_t size);
uint64_t hsgd_bytes_take_number(hsgd_bytes_reader *in);
size_t hsgd_bytes_take_count(hsgd_bytes_reader *in);
void hsgd_bytes_take_counts(hsgd_bytes_reader *in, size_t *value, size_t count);
void hsgd_bytes_take_doubles(hsgd_bytes_reader *in, double *value, size_t count);

#ifdef __cplusplus
}
#endif

#endif
