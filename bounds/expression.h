/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Formulas that people write: arithmetic over named numbers, evaluated by the muParser library.
 *
 * A formula has numbers, names, the operators + - * / ^ (power, to the right first), comparisons, && || and c ? a : b, and
 * the functions of hsgd_expression_functions. It stands on one line, cannot assign, and knows no other names
 * than those it is given. Nothing
 * is kept between two calls and no state of the library that threads share is used, so that threads may evaluate one
 * formula at once; an evaluation compiles it again, which takes some ten microseconds. */
#ifndef HSGD_BOUNDS_EXPRESSION_H
#define HSGD_BOUNDS_EXPRESSION_H

#include <stdbool.h>
#include <stddef.h>

#include "analysis/error.h"

#ifdef __cplusplus
extern "C" {
#endif

enum {
    HSGD_EXPRESSION_MAX_LENGTH = 4000, /* bytes */
    HSGD_EXPRESSION_MAX_DEPTH = 64,    /* parentheses that are open at once */
    HSGD_VARIABLE_NAME_SIZE = 24
};

/* A name that formulas may use, and what it stands for. */
typedef struct hsgd_variable {
    char name[HSGD_VARIABLE_NAME_SIZE]; /* a letter, then letters, digits and _ */
    double value;
} hsgd_variable;

/* "sqrt, exp, ...": for messages and documentation. */
extern const char hsgd_expression_functions[];

/* Is this a formula over the variables (count)? known lists their names for the message about one that is not among them.
 * used (count, may be NULL) receives which variables it names. Messages start with "column K: ", bytes counted from 1. The
 * variables are only read, here and below, but the library wants them writable. */
hsgd_status hsgd_expression_check(const char *text, hsgd_variable *variable, size_t count, const char *known,
                                  bool *used, hsgd_error *err);

/* The value of a formula that has passed the check; it may be infinite or not a number. Fails when memory is out. */
hsgd_status hsgd_expression_eval(double *out, const char *text, hsgd_variable *variable, size_t count, hsgd_error *err);

#ifdef __cplusplus
}
#endif

#endif
