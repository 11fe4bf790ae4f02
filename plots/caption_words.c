/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "plots/caption_private.h"

const char *hsgd_caption_pick(hsgd_caption_syntax syntax, const char *plain, const char *tex)
{
    return syntax == HSGD_CAPTION_TEX ? tex : plain;
}

void hsgd_caption_say_text(FILE *out, hsgd_caption_syntax syntax, const char *text, size_t max_width)
{
    char tex[HSGD_QUOTED_SIZE], plain[HSGD_TEXT_SIZE];
    hsgd_text_clean(plain, text, max_width);
    hsgd_text_to_tex(tex, text, max_width);
    fputs(hsgd_caption_pick(syntax, plain, tex), out);
}

const char *hsgd_caption_number(hsgd_number *number, hsgd_caption_syntax syntax, double value)
{
    return syntax == HSGD_CAPTION_TEX ? hsgd_text_number(number, HSGD_FIGURE_TEX, value)
                                      : hsgd_text_plain_number(number, value);
}
