/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What all captions are written with: words, texts of the user's and numbers, plain or for LaTeX. */
#ifndef HSGD_PLOTS_CAPTION_PRIVATE_H
#define HSGD_PLOTS_CAPTION_PRIVATE_H

#include <stdio.h>

#include "plots/caption.h"
#include "plots/text_private.h"

/* The phrase of this syntax. */
const char *hsgd_caption_pick(hsgd_caption_syntax syntax, const char *plain, const char *tex);

/* A text of the user's, cleaned and at most max_width columns wide (hsgd_text_clean). */
void hsgd_caption_say_text(FILE *out, hsgd_caption_syntax syntax, const char *text, size_t max_width);

/* Write DIR/NAME.caption.tex, for \caption{\protect\input{NAME.caption}}; takes the text, NULL when memory was out. */
hsgd_status hsgd_caption_write(char *text, const char *dir, const char *name, hsgd_error *err);

/* A number with few digits; returns number->text. */
const char *hsgd_caption_number(hsgd_number *number, hsgd_caption_syntax syntax, double value);

#endif
