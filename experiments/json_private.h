/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Reading JSON written by people: every failure names the file, the place in it, the value, and what would be legal. */
#ifndef HSGD_EXPERIMENTS_JSON_PRIVATE_H
#define HSGD_EXPERIMENTS_JSON_PRIVATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cjson/cJSON.h>

#include "analysis/error.h"

enum { HSGD_JSON_PATH_SIZE = 256 };

/* A value and where it stands. Borrows the document. */
typedef struct hsgd_json {
    const char *file;
    const cJSON *value;             /* NULL: the member is not there */
    char path[HSGD_JSON_PATH_SIZE]; /* e.g. "hierarchy.periods[1]"; "" for the document */
} hsgd_json;

/* Parse a file ("-": standard input) or a text; free *document with cJSON_Delete. Syntax errors carry line and column.
 */
hsgd_status hsgd_json_read_file(cJSON **document, const char *path, hsgd_error *err);
hsgd_status hsgd_json_parse(cJSON **document, const char *text, size_t length, const char *file, hsgd_error *err);

hsgd_json hsgd_json_root(const char *file, const cJSON *document);
hsgd_json hsgd_json_member(const hsgd_json *object, const char *key);
hsgd_json hsgd_json_item(const hsgd_json *array, size_t index);

/* Walk over an array in time linear in its length: start with *item = array->value->child and index 0, 1, ... */
hsgd_json hsgd_json_next(const hsgd_json *array, const cJSON **item, size_t index);

/* "FILE: PATH: VALUE: <text>" with status HSGD_ERROR_INPUT. */
hsgd_status hsgd_json_fail(const hsgd_json *at, hsgd_error *err, const char *format, ...) HSGD_PRINTF(3, 4);

/* An object whose members all have one of the given names (NULL-terminated list), each once. */
hsgd_status hsgd_json_object(const hsgd_json *at, const char *const *keys, hsgd_error *err);

/* Values of one kind; a member that is not there fails as missing. Ranges are closed. */
hsgd_status hsgd_json_number(const hsgd_json *at, double low, double high, double *out, hsgd_error *err);
hsgd_status hsgd_json_positive(const hsgd_json *at, double *out, hsgd_error *err);
hsgd_status hsgd_json_count(const hsgd_json *at, size_t low, size_t high, size_t *out, hsgd_error *err);
hsgd_status hsgd_json_bool(const hsgd_json *at, bool *out, hsgd_error *err);
hsgd_status hsgd_json_text(const hsgd_json *at, const char **out, hsgd_error *err); /* borrows the document */

/* A seed: every whole number that a double holds exactly, also where size_t has 32 bits. A member that is not there leaves *out
 * as it is. */
hsgd_status hsgd_json_seed(const hsgd_json *at, uint64_t *out, hsgd_error *err);

/* An array; *length receives its length, which must be at least min_length. */
hsgd_status hsgd_json_array(const hsgd_json *at, size_t min_length, size_t *length, hsgd_error *err);

/* A new array of the numbers (counts) of a JSON array; free it. */
hsgd_status hsgd_json_numbers(const hsgd_json *at, double low, double high, double **out, size_t *length,
                              hsgd_error *err);
hsgd_status hsgd_json_counts(const hsgd_json *at, size_t low, size_t high, size_t **out, size_t *length,
                             hsgd_error *err);

/* The index of a text in a list of names (NULL-terminated); fails with the list. */
hsgd_status hsgd_json_choice(const hsgd_json *at, const char *const *names, size_t *out, hsgd_error *err);

/* The same for count (at most 64) names that a function gives. */
typedef const char *(*hsgd_name)(size_t index);
hsgd_status hsgd_json_choice_of(const hsgd_json *at, hsgd_name name, size_t count, size_t *out, hsgd_error *err);

/* A copy of a text of its own, never NULL on success. */
hsgd_status hsgd_json_copy_text(const hsgd_json *at, char **out, hsgd_error *err);

/* ---- writing ---- */

/* Make a text from elsewhere, such as one with the name of a file, a legal one of JSON: a byte that is not UTF-8 becomes
 * "?". */
void hsgd_json_make_text(char *text);

/* The document as text; free it with cJSON_free. Numbers read back to the same bits (cJSON_Print gives up the last of
 * them), those that are not finite become null. The document must not be read any more. NULL when memory is out. */
char *hsgd_json_print(cJSON *document);

/* Print the document on standard output and delete it. */
hsgd_status hsgd_json_put(cJSON *document, hsgd_error *err);

#endif
