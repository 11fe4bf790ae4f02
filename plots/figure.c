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
