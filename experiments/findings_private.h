/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A table of what was found: of each thing a name, an outcome and a sentence. */
#ifndef HSGD_EXPERIMENTS_FINDINGS_PRIVATE_H
#define HSGD_EXPERIMENTS_FINDINGS_PRIVATE_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

enum { HSGD_FINDING_NAME_SIZE = 96, HSGD_FINDING_DETAIL_SIZE = 224, HSGD_NUM_OUTCOMES = 3 };

typedef struct hsgd_finding {
    int outcome;                           /* below HSGD_NUM_OUTCOMES; the command says what each means */
    char name[HSGD_FINDING_NAME_SIZE];     /* what was looked at: a file, a quantity */
    char detail[HSGD_FINDING_DETAIL_SIZE]; /* what was seen of it */
} hsgd_finding;

typedef struct hsgd_findings {
    hsgd_finding *item; /* (num_items) owned */
    size_t num_items, capacity;
    size_t count[HSGD_NUM_OUTCOMES]; /* with each outcome */
    bool incomplete;                 /* memory was out: some are counted and not in the list */
} hsgd_findings;

void hsgd_findings_add(hsgd_findings *findings, int outcome, const char *name, const char *format, va_list arguments);
void hsgd_findings_free(hsgd_findings *findings);

/* A line for each with this outcome, or for all (-1). word (HSGD_NUM_OUTCOMES) is what stands for an outcome. Control characters,
 * which could do harm on a terminal, become "?". */
void hsgd_findings_print(const hsgd_findings *findings, const char *const *word, int outcome, FILE *stream);

#endif
