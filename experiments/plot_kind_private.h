/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef HSGD_EXPERIMENTS_PLOT_KIND_PRIVATE_H
#define HSGD_EXPERIMENTS_PLOT_KIND_PRIVATE_H

#include "experiments/folder.h"

/* hsgd_folder_plot for a folder of any kind; one that holds nothing gets its message. */
hsgd_status hsgd_plot_kind(const char *dir, hsgd_folder_kind kind, const hsgd_style_change *change,
                           hsgd_figure_report *report, hsgd_error *err);

#endif
