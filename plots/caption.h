/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Captions that say what a figure shows, of which run, and with which statistics. */
#ifndef HSGD_PLOTS_CAPTION_H
#define HSGD_PLOTS_CAPTION_H

#include "plots/figure.h"

#ifdef __cplusplus
extern "C" {
#endif

/* UTF-8 without markup, or LaTeX that needs no package. */
typedef enum hsgd_caption_syntax { HSGD_CAPTION_PLAIN, HSGD_CAPTION_TEX } hsgd_caption_syntax;

/* One to three sentences about a figure that is possible for this input; free it. NULL when memory is out. Bands are called
 * what input->band says. */
char *hsgd_figure_caption(const hsgd_figure_input *input, const hsgd_figure *figure, hsgd_caption_syntax syntax);

/* Write DIR/NAME.caption.tex, for \caption{\protect\input{NAME.caption}}. */
hsgd_status hsgd_figure_write_caption(const hsgd_figure_input *input, const hsgd_figure *figure, const char *dir,
                                      hsgd_error *err);

#ifdef __cplusplus
}
#endif

#endif
