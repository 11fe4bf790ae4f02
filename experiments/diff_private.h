/* SPDX-License-Identifier: GPL-3.0-or-later */
/* hsgd diff: two result folders number by number. */
#ifndef HSGD_EXPERIMENTS_DIFF_PRIVATE_H
#define HSGD_EXPERIMENTS_DIFF_PRIVATE_H

#include "experiments/findings_private.h"
#include "experiments/folder.h"
#include "experiments/json_private.h"

typedef enum hsgd_diff_outcome {
    HSGD_DIFF_AGREES,
    HSGD_DIFF_DIFFERS,
    HSGD_DIFF_NOTE /* said, and of no account: another date, another seed */
} hsgd_diff_outcome;

/* Two folders and what was found. */
typedef struct hsgd_diff {
    const char *dir[2];
    double tolerance; /* of numbers: |a - b| <= tolerance times the larger one; 0: to the bit */
    hsgd_folder_kind kind;
    cJSON *document[2];     /* owned */
    bool by_chance;         /* the seeds differ, so that numbers do, and only intervals can be compared */
    bool undecided;         /* an interval is missing for that */
    hsgd_findings findings; /* owned */
} hsgd_diff;

/* Numbers beside each other: how many, and where they are furthest apart. Relative differences are those that the tolerance is
 * for. */
typedef struct hsgd_gap {
    size_t count, same; /* all pairs; those that are the same to the bit */
    double relative, absolute;
    char relative_at[HSGD_JSON_PATH_SIZE], absolute_at[HSGD_JSON_PATH_SIZE];
    bool agrees; /* all are within the tolerance */
} hsgd_gap;

/* Compare two folders. Free out with hsgd_diff_free, also on failure. HSGD_ERROR_INPUT: one is no result folder, or they are of two
 * kinds. */
hsgd_status hsgd_diff_folders(hsgd_diff *out, const char *dir1, const char *dir2, double tolerance, hsgd_error *err);
void hsgd_diff_free(hsgd_diff *diff);

void hsgd_diff_say(hsgd_diff *diff, hsgd_diff_outcome outcome, const char *name, const char *format, ...)
    HSGD_PRINTF(4, 5);

/* Start with hsgd_gap_begin; numbers that are both unknown are the same. scale: the tolerance is relative to this, too, where it is
 * larger than both. Returns whether the pair agrees. */
hsgd_gap hsgd_gap_begin(void);
bool hsgd_gap_add(hsgd_gap *gap, double a, double b, double tolerance, double scale, const char *at);

/* "10 of 1000 numbers differ, most by 3e-12 relative (S.mean), 2e-15 absolute (S.se)"; relative: to what, in words. */
void hsgd_gap_describe(char *out, size_t size, const hsgd_gap *gap, const char *relative);

/* ---- the parts ---- */

/* diff_document.c: configuration and provenance key by key; the numbers, and the other values, of the rest. */
void hsgd_diff_documents(hsgd_diff *diff);

/* diff_tables.c: the columns of the CSV files that both folders have. */
hsgd_status hsgd_diff_tables(hsgd_diff *diff, hsgd_error *err);

/* diff_chance.c: with other seeds, do the means agree: of S in a run, and at every point of a sweep, a rate, a phase diagram? */
bool hsgd_diff_seeds_differ(const hsgd_diff *diff);
void hsgd_diff_chance(hsgd_diff *diff);

#endif
