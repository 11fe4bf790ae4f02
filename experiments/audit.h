/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The audit of the assumptions (THEORY 3): how each is satisfied, and what the run showed of it. */
#ifndef HSGD_EXPERIMENTS_AUDIT_H
#define HSGD_EXPERIMENTS_AUDIT_H

#include <stddef.h>

#include "analysis/constants.h"
#include "analysis/hierarchy.h"
#include "bounds/bound.h"
#include "bounds/verdict.h"
#include "experiments/interval.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What the run must show next to the constant. */
typedef enum hsgd_audit_relation {
    HSGD_AUDIT_AT_MOST,  /* seen <= limit */
    HSGD_AUDIT_ATTAINED, /* seen <= limit, and in expectation equal to it: holds unless the whole interval is above */
    HSGD_AUDIT_AT_LEAST, /* seen >= limit */
    HSGD_AUDIT_EQUAL,    /* both; refuted where the whole interval lies beside the limit */
    HSGD_AUDIT_CONDITION /* seen <= limit, or the bounds that need it are not applicable */
} hsgd_audit_relation;

/* "<=", ">=", "=", "<=". */
const char *hsgd_audit_relation_symbol(hsgd_audit_relation relation);

enum { HSGD_AUDIT_NAME_SIZE = 64, HSGD_AUDIT_WHERE_SIZE = 96, HSGD_MAX_AUDIT = 16 + HSGD_MAX_LEVELS };

typedef struct hsgd_audit_item {
    const char *assumption;          /* "A1" .. "A4", "A3'", "step size" */
    char name[HSGD_AUDIT_NAME_SIZE]; /* the constant or quantity, e.g. "L", "D_1" */
    const char *statement;           /* what is assumed, in words */
    const char *how;                 /* how the run looked at it, in words */
    hsgd_constant limit; /* what the run must keep to: the constant of the bounds, 0 for means that vanish */
    double proved;       /* a proved bound where `limit` is none; NAN: the limit itself is proved, or nothing is */
    hsgd_audit_relation relation;
    hsgd_interval seen; /* low = high where nothing is random; count 0: not measured */
    double margin; /* seen / limit, or seen / proved where the limit is what was seen; NAN where that says nothing */
    char where[HSGD_AUDIT_WHERE_SIZE]; /* where it was attained, e.g. "t = 20, seed 3"; "" where that says nothing */
    hsgd_verdict verdict;
    char reason[HSGD_REASON_SIZE]; /* why the verdict is not "holds"; "" otherwise */
} hsgd_audit_item;

typedef struct hsgd_audit {
    hsgd_audit_item item[HSGD_MAX_AUDIT];
    size_t num_items;
} hsgd_audit;

#ifdef __cplusplus
}
#endif

#endif
