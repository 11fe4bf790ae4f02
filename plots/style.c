/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The names of formats, widths and bands. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "plots/figure.h"

static const char *const format_name[] = {[HSGD_FIGURE_PDF] = "pdf",
                                          [HSGD_FIGURE_SVG] = "svg",
                                          [HSGD_FIGURE_PNG] = "png",
                                          [HSGD_FIGURE_TEX] = "tex",
                                          [HSGD_FIGURE_TIKZ] = "tikz"};
static const char *const band_name[] = {[HSGD_BAND_CI] = "ci",
                                        [HSGD_BAND_SE] = "se",
                                        [HSGD_BAND_SD] = "sd",
                                        [HSGD_BAND_RANGE] = "range",
                                        [HSGD_BAND_NONE] = "none"};
static const struct {
    const char *name;
    double width_in;
} width[] = {{"ieee-column", HSGD_WIDTH_IEEE_COLUMN_IN},
             {"ieee-page", HSGD_WIDTH_IEEE_PAGE_IN},
             {"neurips", HSGD_WIDTH_NEURIPS_IN}};

enum {
    NUM_FORMATS = sizeof format_name / sizeof *format_name,
    NUM_BANDS = sizeof band_name / sizeof *band_name,
    NUM_WIDTHS = sizeof width / sizeof *width
};

/* The index of name in a list, or count. */
static size_t find(const char *name, const char *const *list, size_t count)
{
    size_t i = 0;
    while (i < count && !(name && strcmp(name, list[i]) == 0))
        i++;
    return i;
}

const char *hsgd_figure_format_name(hsgd_figure_format format)
{
    return (size_t)format < NUM_FORMATS ? format_name[format] : "?";
}

int hsgd_figure_format_parse(const char *name, hsgd_figure_format *format)
{
    size_t i = find(name, format_name, NUM_FORMATS);
    if (i == NUM_FORMATS)
        return -1;
    *format = (hsgd_figure_format)i;
    return 0;
}

bool hsgd_figure_format_is_tex(hsgd_figure_format format)
{
    return format == HSGD_FIGURE_TEX || format == HSGD_FIGURE_TIKZ;
}

const char *hsgd_figure_format_extension(hsgd_figure_format format)
{
    return format == HSGD_FIGURE_TIKZ ? "tex" : hsgd_figure_format_name(format);
}

const char *hsgd_figure_band_name(hsgd_figure_band band)
{
    return (size_t)band < NUM_BANDS ? band_name[band] : "?";
}

int hsgd_figure_band_parse(const char *name, hsgd_figure_band *band)
{
    size_t i = find(name, band_name, NUM_BANDS);
    if (i == NUM_BANDS)
        return -1;
    *band = (hsgd_figure_band)i;
    return 0;
}

const char *hsgd_figure_width_name(double width_in)
{
    for (size_t i = 0; i < NUM_WIDTHS; i++)
        if (width_in == width[i].width_in)
            return width[i].name;
    return NULL;
}

static bool is_legal_width(double width_in)
{
    return width_in >= HSGD_MIN_WIDTH_IN && width_in <= HSGD_MAX_WIDTH_IN;
}

int hsgd_figure_width_parse(const char *text, double *width_in)
{
    for (size_t i = 0; text && i < NUM_WIDTHS; i++)
        if (strcmp(text, width[i].name) == 0) {
            *width_in = width[i].width_in;
            return 0;
        }
    /* strtod takes more than numbers: spaces, hexadecimal, "nan" */
    if (!text || !*text || strspn(text, "0123456789.") != strlen(text))
        return -1;
    char *end;
    double value = strtod(text, &end);
    if (*end || !is_legal_width(value))
        return -1;
    *width_in = value;
    return 0;
}

hsgd_figure_style hsgd_figure_default_style(void)
{
    return (hsgd_figure_style){
        .format = HSGD_FIGURE_PDF, .width_in = HSGD_WIDTH_IEEE_COLUMN_IN, .band = HSGD_BAND_CI, .title = true};
}
