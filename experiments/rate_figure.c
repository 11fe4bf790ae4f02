/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "experiments/rate_private.h"
bool hsgd_rate_is_folder(const char *dir)
{
    (void)dir;
    return false;
}
hsgd_status hsgd_rate_plot(const char *dir, const hsgd_style_change *change, hsgd_figure_report *report,
                           hsgd_error *err)
{
    (void)dir, (void)change, (void)report, (void)err;
    return HSGD_OK;
}
