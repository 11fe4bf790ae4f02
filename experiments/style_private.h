/* SPDX-License-Identifier: GPL-3.0-or-later */
/* "figure_style" of a configuration. */
#ifndef HSGD_EXPERIMENTS_STYLE_PRIVATE_H
#define HSGD_EXPERIMENTS_STYLE_PRIVATE_H

#include "experiments/folder.h"
#include "experiments/json_private.h"
#include "plots/figure.h"

/* Change *style to what the object says; nothing where it is not there. */
hsgd_status hsgd_style_read(hsgd_figure_style *style, const hsgd_json *at, hsgd_error *err);

/* Change *style to what the command line says; messages name the option. */
hsgd_status hsgd_style_apply(hsgd_figure_style *style, const hsgd_style_change *change, hsgd_error *err);

/* Add "figure_style" to a configuration, unless it is the default style. */
void hsgd_style_to_json(cJSON *root, const hsgd_figure_style *style);

#endif
