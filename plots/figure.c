/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "plots/figures_private.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

const hsgd_figure *const hsgd_figures[] = {
    &hsgd_figure_convergence,    &hsgd_figure_divergence,     &hsgd_figure_dispersion, &hsgd_figure_sandwich,
    &hsgd_figure_terms,          &hsgd_figure_ladder,         &hsgd_figure_accuracy,   &hsgd_figure_loss_time,
    &hsgd_figure_accuracy_time,  &hsgd_figure_gradient_bytes, &hsgd_figure_S_time,     &hsgd_figure_S_bytes,
    &hsgd_figure_accuracy_bytes,
};
const size_t hsgd_num_figures = sizeof hsgd_figures / sizeof hsgd_figures[0];

static const char *const format_name[] = {
    [HSGD_FIGURE_PDF] = "pdf", [HSGD_FIGURE_SVG] = "svg", [HSGD_FIGURE_PNG] = "png", [HSGD_FIGURE_TEX] = "tex"};
enum { NUM_FORMATS = sizeof format_name / sizeof format_name[0] };

const char *hsgd_figure_format_name(hsgd_figure_format format)
{
    return (size_t)format < NUM_FORMATS ? format_name[format] : "?";
}

int hsgd_figure_format_parse(const char *name, hsgd_figure_format *format)
{
    for (size_t i = 0; name && i < NUM_FORMATS; i++)
        if (strcmp(name, format_name[i]) == 0) {
            *format = (hsgd_figure_format)i;
            return 0;
        }
    return -1;
}

hsgd_figure_style hsgd_figure_default_style(void)
{
    return (hsgd_figure_style){
        .format = HSGD_FIGURE_PDF, .width_in = HSGD_WIDTH_IEEE_COLUMN_IN, .band = HSGD_BAND_CI, .title = true};
}

const hsgd_figure *hsgd_figure_find(const char *name)
{
    for (size_t i = 0; name && i < hsgd_num_figures; i++)
        if (strcmp(name, hsgd_figures[i]->name) == 0)
            return hsgd_figures[i];
    return NULL;
}

size_t hsgd_figure_num_byte_panels(size_t num_levels)
{
    return num_levels < HSGD_MAX_BYTE_PANELS ? num_levels : HSGD_MAX_BYTE_PANELS;
}

bool hsgd_figure_lacks(char *reason, size_t size, const char *what)
{
    if (reason && size > 0)
        snprintf(reason, size, "%s", what);
    return false;
}

hsgd_status hsgd_figure_require(const hsgd_figure *figure, const hsgd_figure_input *input, hsgd_error *err)
{
    char reason[256];
    if (figure->possible(input, reason, sizeof reason))
        return HSGD_OK;
    return hsgd_fail(err, HSGD_ERROR_INPUT, "figure \"%s\" is not possible: %s", figure->name, reason);
}

bool hsgd_any_finite(const double *data, size_t count, size_t stride)
{
    for (size_t i = 0; data && i < count; i++)
        if (isfinite(data[i * stride]))
            return true;
    return false;
}

bool hsgd_figure_bound_drawn(const hsgd_figure_bound *bound)
{
    return bound->applicable && isfinite(bound->value);
}
