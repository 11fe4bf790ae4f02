/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The figure of a hunt, from hunt.json alone. */
#include "experiments/hunt.h"

#include <stdlib.h>
#include <unistd.h>

bool hsgd_hunt_is_folder(const char *dir)
{
    char *path;
    if (asprintf(&path, "%s/hunt.json", dir) < 0)
        return false;
    bool found = access(path, F_OK) == 0;
    free(path);
    return found;
}

hsgd_status hsgd_hunt_plot(const char *dir, const hsgd_style_change *change, hsgd_figure_report *report,
                           hsgd_error *err)
{
    (void)dir, (void)change, (void)err;
    report->num_files = report->num_notes = 0;
    return HSGD_OK;
}
