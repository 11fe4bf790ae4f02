/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a JSON text must not be, although its grammar allows it. */
#ifndef HSGD_EXPERIMENTS_JSON_LIMITS_PRIVATE_H
#define HSGD_EXPERIMENTS_JSON_LIMITS_PRIVATE_H

#include <stddef.h>

/* Objects and arrays that are open at once: trees of results need some twenty, and readers call themselves at each. */
enum { HSGD_JSON_MAX_DEPTH = 200 };

/* Each takes some 80 bytes: these 1.6 GB, whatever the length of the text. A grid of results has some thousands. */
enum { HSGD_JSON_MAX_VALUES = 20000000 };

/* The first thing in a text that is not taken: *place is where it stands. */
typedef enum hsgd_json_limit {
    HSGD_JSON_FINE,
    HSGD_JSON_TOO_DEEP,
    HSGD_JSON_TOO_MANY,
    HSGD_JSON_ZERO /* \u0000 in a string: it would end there for everything behind the parser */
} hsgd_json_limit;

/* Works on any bytes; values are counted by what stands between them. */
hsgd_json_limit hsgd_json_look(const char *text, size_t length, const char **place);

#endif
