/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The points at which the workers' objectives are looked at, from the periods alone (THEORY 11.4). */
#include "bounds/certificate_private.h"

#include <stdlib.h>
#include <string.h>

/* Is grad F_j at this point without a level-k part for every problem? Only at the wbar_u^t whose divergence is 0. */
static bool gradient_vanishes(const hsgd_certificate_points *points, size_t level, size_t step, size_t depth)
{
    return points->zero_level[level - 1] &&
           hsgd_certificate_index(points, step, depth) == hsgd_certificate_index(points, step, level - 1);
}

/* Is wbar_v^t = wbar_u^t for every problem, v a child of u at this level? The difference is a sum of gradients since u
 * averaged last: of none right after it did. */
static bool means_agree(const hsgd_certificate_points *points, size_t level, size_t step)
{
    for (size_t t = step - hsgd_certificate_memory(points, level, step); t < step; t++)
        if (!gradient_vanishes(points, level, t, points->num_levels))
            return false;
    return true;
}

static hsgd_status add_point(hsgd_certificate_points *points, size_t step, size_t depth, hsgd_error *err)
{
    if (points->num_points == HSGD_CERTIFICATE_MAX_POINTS)
        return hsgd_fail(err, HSGD_ERROR_INPUT, "steps: %zu steps have more than %d points, which are the most",
                         points->steps, HSGD_CERTIFICATE_MAX_POINTS);
    points->place[points->num_points++] = (hsgd_certificate_point){step, depth};
    return HSGD_OK;
}

/* All depths of one step; after the last step only f(wbar^T) is asked for. */
static hsgd_status add_step(hsgd_certificate_points *points, size_t step, hsgd_error *err)
{
    hsgd_status status = HSGD_OK;
    for (size_t depth = 0; depth <= points->num_levels && !status; depth++) {
        if (depth == 0 || (step < points->steps && !means_agree(points, depth, step)))
            status = add_point(points, step, depth, err);
        points->index[step * (points->num_levels + 1) + depth] = points->num_points - 1;
    }
    return status;
}

static hsgd_status check_tree(const hsgd_certificate *certificate, hsgd_error *err)
{
    if (certificate->num_levels > HSGD_MAX_LEVELS)
        return hsgd_fail(err, HSGD_ERROR_INPUT, "periods: %zu levels; at most %d are legal", certificate->num_levels,
                         HSGD_MAX_LEVELS);
    if (certificate->steps < 1 || certificate->steps >= HSGD_CERTIFICATE_MAX_POINTS)
        return hsgd_fail(err, HSGD_ERROR_INPUT, "steps: %zu; expected 1 to %d", certificate->steps,
                         HSGD_CERTIFICATE_MAX_POINTS - 1);
    for (size_t k = 0; k < certificate->num_levels; k++) {
        size_t period = certificate->periods[k];
        if (period < 1 || period > HSGD_MAX_PERIOD || (k > 0 && certificate->periods[k - 1] % period != 0))
            return hsgd_fail(err, HSGD_ERROR_INPUT, "periods[%zu]: %zu; expected a period of 1 to %zu steps%s", k,
                             period, HSGD_MAX_PERIOD, k ? " that divides the one before" : "");
    }
    return HSGD_OK;
}

hsgd_status hsgd_certificate_points_init(hsgd_certificate_points *out, const hsgd_certificate *certificate,
                                         hsgd_error *err)
{
    memset(out, 0, sizeof *out);
    hsgd_status status = check_tree(certificate, err);
    if (status)
        return status;
    out->num_levels = certificate->num_levels;
    out->steps = certificate->steps;
    out->periods = certificate->periods;
    out->zero_level = certificate->zero_level;
    out->index = malloc((out->steps + 1) * (out->num_levels + 1) * sizeof *out->index);
    out->place = malloc(HSGD_CERTIFICATE_MAX_POINTS * sizeof *out->place);
    if (!out->index || !out->place)
        status = hsgd_fail_memory(err, "the points of the certificate");
    for (size_t t = 0; t <= out->steps && !status; t++)
        status = add_step(out, t, err);
    if (status)
        hsgd_certificate_points_free(out);
    return status;
}

void hsgd_certificate_points_free(hsgd_certificate_points *points)
{
    free(points->index);
    free(points->place);
    memset(points, 0, sizeof *points);
}

size_t hsgd_certificate_index(const hsgd_certificate_points *points, size_t step, size_t depth)
{
    return points->index[step * (points->num_levels + 1) + depth];
}

bool hsgd_certificate_is_point(const hsgd_certificate_points *points, size_t step, size_t depth)
{
    return step <= points->steps && depth <= points->num_levels &&
           points->place[hsgd_certificate_index(points, step, depth)].depth == depth;
}

size_t hsgd_certificate_memory(const hsgd_certificate_points *points, size_t level, size_t step)
{
    return level == 0 ? step : step % points->periods[level - 1];
}
