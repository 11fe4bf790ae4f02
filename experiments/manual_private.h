/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Writing a manual page: the macros of man(7), with every text escaped and no line longer than 80 bytes. */
#ifndef HSGD_EXPERIMENTS_MANUAL_PRIVATE_H
#define HSGD_EXPERIMENTS_MANUAL_PRIVATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "analysis/error.h"

typedef struct hsgd_manual {
    FILE *stream;
    size_t column; /* bytes on the line so far; lines are ended before the next one begins */
} hsgd_manual;

/* End the line, if one has begun. */
void hsgd_manual_end_line(hsgd_manual *m);

/* A line of its own, as it stands: a macro. */
void hsgd_manual_macro(hsgd_manual *m, const char *macro);

/* A heading: macro is .SH or .SS. */
void hsgd_manual_heading(hsgd_manual *m, const char *macro, const char *title);

/* Words of running text, filled. Words that start with a dash, a quotation mark or a bracket, and names of files, are meant
 * to the letter: their dashes are those of the keyboard. */
void hsgd_manual_text(hsgd_manual *m, const char *text);

/* A word of running text that is meant to the letter. */
void hsgd_manual_literal(hsgd_manual *m, const char *word);

/* Running text as a sentence: with a capital and a full stop. */
void hsgd_manual_sentence(hsgd_manual *m, const char *text);

/* What is typed: a part as it stands, in bold, and one that is to be replaced, in italics (NULL: nothing). */
void hsgd_manual_usage(hsgd_manual *m, const char *literal, const char *replaced);

/* A paragraph begins that has this as its tag. */
void hsgd_manual_tag(hsgd_manual *m, const char *literal, const char *replaced);

/* A line to be typed, which is not filled. */
void hsgd_manual_example(hsgd_manual *m, const char *command);

/* Every key of a configuration, from the JSON Schema. */
hsgd_status hsgd_manual_configuration(hsgd_manual *m, hsgd_error *err);

#endif
