/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Does a number lie between two others, when only intervals of the two differences are known? (THEORY 6, the true sandwich:
 * some quantity of H-SGD between those of local SGD with period I, "inner", and with period G, "outer".) */
#ifndef HSGD_ANALYSIS_BETWEEN_H
#define HSGD_ANALYSIS_BETWEEN_H

#include <stdbool.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum hsgd_between {
    HSGD_BETWEEN_HOLDS,        /* inner <= middle <= outer */
    HSGD_BETWEEN_EQUAL,        /* all three agree */
    HSGD_BETWEEN_BELOW,        /* middle < inner */
    HSGD_BETWEEN_ABOVE,        /* middle > outer */
    HSGD_BETWEEN_REVERSED,     /* outer < middle < inner: both fail */
    HSGD_BETWEEN_INCONCLUSIVE, /* the intervals do not say */
    HSGD_BETWEEN_DIVERGED,     /* one of the three is not finite */
    HSGD_BETWEEN_ILLEGAL,      /* there is nothing to compare */
    HSGD_NUM_BETWEEN
} hsgd_between;

/* "holds", "equal", "fails below", "fails above", "reversed", "inconclusive", "diverged", "illegal". */
const char *hsgd_between_name(hsgd_between verdict);

/* Returns 0 on success, -1 for an unknown name. */
int hsgd_between_parse(const char *name, hsgd_between *verdict);

/* Does this verdict say that the order is broken? */
bool hsgd_between_fails(hsgd_between verdict);

/* An interval that holds a difference. */
typedef struct hsgd_difference {
    double low, high;
} hsgd_difference;

/* lower holds middle - inner, upper holds outer - middle. exact: the intervals are as wide as rounding errors, so that 0 in
 * one of them is a tie, and in both of them means equal; else they are confidence intervals, and 0 in one of them decides
 * nothing. An interval that is not there (NAN) decides nothing. */
hsgd_between hsgd_between_decide(hsgd_difference lower, hsgd_difference upper, bool exact);

#ifdef __cplusplus
}
#endif

#endif
