/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "experiments/hunt_spec.h"

#include <string.h>

/* Only exact moments of one run with fixed places are computed, so a bound must speak about these. */
static bool can_be_hunted(const hsgd_bound *bound)
{
    return bound->algorithm != HSGD_ALGORITHM_HSGD_RANDOM && bound->target != HSGD_TARGET_DISTANCE;
}

static const hsgd_quarry dispersion[] = {{"dispersion", "dispersion, step by step", NULL, false},
                                         {"mean-dispersion", "dispersion, mean over steps", NULL, true}};
enum { NUM_DISPERSION = sizeof dispersion / sizeof *dispersion };

size_t hsgd_num_quarries(const hsgd_bound_list *bounds)
{
    size_t count = NUM_DISPERSION;
    for (size_t i = 0; i < bounds->count; i++)
        count += can_be_hunted(bounds->bound[i]);
    return count;
}

hsgd_quarry hsgd_quarry_at(const hsgd_bound_list *bounds, size_t index)
{
    for (size_t i = 0; i < bounds->count; i++)
        if (can_be_hunted(bounds->bound[i]) && index-- == 0)
            return (hsgd_quarry){bounds->bound[i]->id, bounds->bound[i]->title, bounds->bound[i], false};
    return dispersion[index];
}

bool hsgd_quarry_find(hsgd_quarry *out, const hsgd_bound_list *bounds, const char *id)
{
    for (size_t i = 0; i < hsgd_num_quarries(bounds); i++) {
        *out = hsgd_quarry_at(bounds, i);
        if (strcmp(out->id, id) == 0)
            return true;
    }
    return false;
}

static const char *const part_name[HSGD_NUM_HUNT_PARTS] = {
    [HSGD_HUNT_CURVATURE] = "curvature", [HSGD_HUNT_WORKER_CURVATURE] = "worker_curvature",
    [HSGD_HUNT_LINEAR] = "linear",       [HSGD_HUNT_INITIAL] = "initial",
    [HSGD_HUNT_STEP_SIZE] = "step_size", [HSGD_HUNT_NOISE] = "noise"};

const char *hsgd_hunt_part_name(size_t part)
{
    return part_name[part];
}

bool hsgd_hunt_is_weakened(const hsgd_hunt_spec *spec)
{
    return spec->weaken_divergence != 1 || spec->weaken_initial_gap != 1 || spec->weaken_noise != 1;
}
