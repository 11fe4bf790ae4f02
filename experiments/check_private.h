/* SPDX-License-Identifier: GPL-3.0-or-later */
/* hsgd check: what a result folder says of itself, found once more. Every part adds lines to a table; only a failure of the machine
 * is an error. */
#ifndef HSGD_EXPERIMENTS_CHECK_PRIVATE_H
#define HSGD_EXPERIMENTS_CHECK_PRIVATE_H

#include <stdbool.h>
#include <stdio.h>

#include "experiments/config.h"
#include "experiments/findings_private.h"
#include "experiments/folder.h"
#include "experiments/json_private.h"
#include "experiments/series_private.h"

typedef enum hsgd_check_outcome { HSGD_CHECK_HOLDS, HSGD_CHECK_FAILS, HSGD_CHECK_NOT_CHECKED } hsgd_check_outcome;

/* One folder and what was found. */
typedef struct hsgd_check {
    const char *dir;
    hsgd_folder_kind kind;
    bool require_data;               /* a data file that is not there is a failure */
    const hsgd_style_change *change; /* of the figures, as hsgd plot was told */
    char *path;                      /* of the document; owned */
    char *text;                      /* of the document; owned */
    cJSON *document;                 /* owned */
    bool has_config;
    hsgd_config config;     /* of the document, if has_config; owned */
    hsgd_findings findings; /* owned */
} hsgd_check;

/* Check a folder; free out with hsgd_check_free, also on failure. HSGD_ERROR_INPUT: it is no result folder, or its document is not
 * JSON. */
hsgd_status hsgd_check_folder(hsgd_check *out, const char *dir, bool require_data, const hsgd_style_change *change,
                              hsgd_error *err);
void hsgd_check_free(hsgd_check *check);

/* Add to what was found. Memory that is out is told by hsgd_check_folder. */
void hsgd_check_say(hsgd_check *check, hsgd_check_outcome outcome, const char *name, const char *format, ...)
    HSGD_PRINTF(4, 5);

/* "what we found" == "what is written", up to this relative error of the larger one or of `scale`: one line with the largest
 * difference of several pairs. Start with a hsgd_check_pairs of zeros. */
typedef struct hsgd_check_pairs {
    size_t count;
    double worst, found,
        written; /* the relative difference, and of which pair; infinite where one of them is not finite */
    char where[64];
} hsgd_check_pairs;
void hsgd_check_pair(hsgd_check_pairs *pairs, double found, double written, double scale, const char *where, size_t at);
void hsgd_check_say_pairs(hsgd_check *check, const hsgd_check_pairs *pairs, const char *name, double tolerance);

/* Sums that were formed in another order agree to this. */
#define HSGD_CHECK_ROUNDING 1e-9

/* ---- the parts ---- */

/* check_files.c: the document's own checksum, those of the files beside it, of the data and of the plug-in. */
hsgd_status hsgd_check_files(hsgd_check *check, hsgd_error *err);

/* check_config.c: the hash of the configuration, and that it is one: then it goes to check->config. */
hsgd_status hsgd_check_config(hsgd_check *check, hsgd_error *err);

/* check_schema.c: experiments/results.schema.json. */
hsgd_status hsgd_check_schema(hsgd_check *check, hsgd_error *err);

/* check_series.c, check_nodes.c, check_verdicts.c: the identities of a run. series: NULL where it cannot be read. */
void hsgd_check_series(hsgd_check *check, const hsgd_series *series);
hsgd_status hsgd_check_nodes(hsgd_check *check, const hsgd_series *series, hsgd_error *err);
void hsgd_check_verdicts(hsgd_check *check);

/* check_bounds.c: every bound once more, from the constants that the document states; it, the ladder's rungs and the audit's limits
 * are what comes out. Needs check->config. */
hsgd_status hsgd_check_bounds(hsgd_check *check, const hsgd_series *series, hsgd_error *err);

/* check_ladder.c: rungs and steps, and rows of the audit, from each other, from series.csv and from the constants. */
void hsgd_check_ladder(hsgd_check *check, const hsgd_series *series);

/* check_counts.c: counts of samples and labels, places of workers. Needs check->config. */
hsgd_status hsgd_check_counts(hsgd_check *check, hsgd_error *err);

/* check_points.c: a sweep against the results of its points, each of which is checked, too. */
hsgd_status hsgd_check_points(hsgd_check *check, hsgd_error *err);

/* check_tables.c: the table beside a document on points repeats its numbers. */
hsgd_status hsgd_check_table(hsgd_check *check, hsgd_error *err);

/* check_rate.c, check_phase.c, check_hunt.c, check_plan.c, check_pep.c: what follows from other numbers in these documents. */
hsgd_status hsgd_check_rate(hsgd_check *check, hsgd_error *err);
void hsgd_check_phase(hsgd_check *check);
hsgd_status hsgd_check_hunt(hsgd_check *check, hsgd_error *err);
void hsgd_check_plan(hsgd_check *check);
void hsgd_check_pep(hsgd_check *check);

/* check_certificates.c: certificates in the folder, in exact arithmetic. */
hsgd_status hsgd_check_certificates(hsgd_check *check, hsgd_error *err);

/* check_figures.c: scripts, data and captions made again in another folder are the same to the byte. */
hsgd_status hsgd_check_figures(hsgd_check *check, hsgd_error *err);

/* ---- helpers ---- */

/* A member of an object; NULL where there is none, or no object. Its number, NAN where it is none; its text, "" where it is none. */
const cJSON *hsgd_check_get(const cJSON *object, const char *key);
double hsgd_check_number(const cJSON *object, const char *key);
const char *hsgd_check_text(const cJSON *object, const char *key);

/* As a count: 0 where it is none, and no more than a document could mean. */
size_t hsgd_check_count(double value);

/* A number of an array; NAN where there is none. */
double hsgd_check_item(const cJSON *array, int index);

/* How many verdicts are given together: each applicable bound is one. */
double hsgd_check_bound_count(const cJSON *document);

/* The ends of an interval "ci" and, unless joint is NULL, "ci_joint" of a quantity with "mean" (or "value") and "se", at the
 * configuration's confidence; checks: how many hold together in "ci_joint". Nothing where there is no interval. */
void hsgd_check_interval(hsgd_check_pairs *pairs, const hsgd_check *check, const cJSON *quantity, double seeds,
                         double checks, const char *where, size_t at);

#endif
