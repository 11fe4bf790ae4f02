/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A grid that is accepted has as many points as its axes say, with folders of different names, none outside of the sweep's. */
#include "tests/fuzz/fuzz.h"

#include <string.h>

#include "experiments/sweep.h"

static void check_folders(const hsgd_sweep *sweep)
{
    for (size_t i = 0; i < sweep->num_points; i++) {
        const char *name = sweep->point[i].folder;
        fuzz_check(*name && *name != '.' && !strchr(name, '/'));
        for (size_t j = 0; j < i; j++)
            fuzz_check(strcmp(name, sweep->point[j].folder) != 0);
    }
}

void fuzz_sweep(const uint8_t *data, size_t size)
{
    hsgd_sweep sweep;
    hsgd_error err;
    if (!fuzz_accepted(hsgd_sweep_parse(&sweep, (const char *)data, size, "fuzz.json", 0, &err), &err))
        return;
    size_t points = 1;
    for (size_t a = 0; a < sweep.num_axes; a++)
        points *= sweep.axis[a].num_values;
    fuzz_check(points == sweep.num_points && points > 0);
    check_folders(&sweep);
    hsgd_sweep_free(&sweep);
}
