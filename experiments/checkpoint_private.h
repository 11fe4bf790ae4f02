/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The files of a checkpoint.
 *
 * In the byte order of the machine: 16 bytes "hsgd checkpoint\n", a number that says that order, the version of the format, the
 * length of the whole file, the identity, the number of entries, the entries; then the SHA-256 of all that as 64 digits. An
 * entry is the run, the seed, the steps made, the length of the state, and the state (analysis/engine_state.h). */
#ifndef HSGD_EXPERIMENTS_CHECKPOINT_PRIVATE_H
#define HSGD_EXPERIMENTS_CHECKPOINT_PRIVATE_H

#include <cjson/cJSON.h>

#include "analysis/bytes.h"
#include "experiments/checkpoint.h"

/* hsgd_checkpoint_identity of the run that made a result.json, from its document. */
char *hsgd_checkpoint_identity_of_result(const cJSON *document);

typedef struct hsgd_checkpoint_seed {
    hsgd_run_index run;
    uint64_t seed;
} hsgd_checkpoint_seed;

/* Where the state of a seed lies. */
typedef struct hsgd_checkpoint_entry {
    hsgd_checkpoint_seed of;
    size_t step; /* SIZE_MAX: done */
    char *file;  /* its name; owned */
    size_t offset, length;
    bool taken; /* somebody went on from it */
} hsgd_checkpoint_entry;

enum { HSGD_CHECKPOINT_NAME_SIZE = 64 };

/* DIR/checkpoint; to be freed. */
char *hsgd_checkpoint_folder(const char *dir);

/* Names without the ending. */
void hsgd_checkpoint_state_name(char name[HSGD_CHECKPOINT_NAME_SIZE], hsgd_checkpoint_seed seed);
void hsgd_checkpoint_done_name(char name[HSGD_CHECKPOINT_NAME_SIZE], size_t number);

/* What stands before a state of so many bytes. */
void hsgd_checkpoint_put_head(hsgd_bytes *out, hsgd_checkpoint_seed seed, size_t step, size_t length);

/* A file with count entries, whose bytes are those of entries and then those of more (may be NULL). dir is DIR/checkpoint. */
hsgd_status hsgd_checkpoint_write(const char *dir, const char *name, const char *identity, size_t count,
                                  const hsgd_bytes *entries, const hsgd_bytes *more, hsgd_error *err);

/* The latest entry of every seed in all files, in the order of hsgd_checkpoint_compare; none where there is no folder. *num_done_files: the largest number in their names. The
 * entries and their files are to be freed, also on failure. */
hsgd_status hsgd_checkpoint_find(hsgd_checkpoint_entry **entry, size_t *count, size_t *num_done_files, const char *dir,
                                 const char *identity, hsgd_error *err);

/* By run and seed, for qsort and bsearch. */
int hsgd_checkpoint_compare(const void *a, const void *b);

hsgd_status hsgd_checkpoint_read_entry(hsgd_bytes *out, const char *dir, const hsgd_checkpoint_entry *entry,
                                       hsgd_error *err);

/* What cannot be removed stays. */
void hsgd_checkpoint_remove_files(const char *dir);
void hsgd_checkpoint_remove_state(const char *dir, hsgd_checkpoint_seed seed);

#endif
