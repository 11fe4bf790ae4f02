/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "analysis/estimate_smoothness.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/memory.h"
#include "analysis/moments.h"
#include "analysis/threads.h"

/* ||v|| over the size of the point (1 if that is 0). Much smaller, and single precision shows in the difference; much larger,
 * and it is no longer the Hessian's. */
static const double REACH = 1e-3;

/* What one thread needs. */
typedef struct space {
    double *here, *there; /* (dim) gradients at the point and next to it */
    double *moved;        /* (dim) the point next to it */
    double *scratch;
} space;

/* What one worker shows. */
typedef struct sight {
    double smoothness, noise_sq;
} sight;

/* From the gradient, or the last difference, to a point at that distance in its direction. */
static void move(double *moved, const double *point, const double *direction, double distance, size_t dim)
{
    double norm = sqrt(hsgd_norm_sq(direction, dim));
    for (size_t i = 0; i < dim; i++)
        moved[i] = point[i] + (norm > 0 ? direction[i] / norm : i == 0) * distance;
}

static double see_smoothness(const hsgd_objective *objective, const double *point, size_t worker, const space *s)
{
    size_t dim = objective->dim;
    double size = sqrt(hsgd_norm_sq(point, dim)), distance = REACH * (size > 0 ? size : 1), largest = 0, loss;
    memcpy(s->there, s->here, dim * sizeof *s->there);
    for (int k = 0; k < HSGD_ESTIMATE_DIFFERENCES; k++) {
        move(s->moved, point, s->there, distance, dim);
        objective->type->full(objective, s->moved, &worker, 1, &loss, s->there, s->scratch);
        for (size_t i = 0; i < dim; i++)
            s->there[i] -= s->here[i];
        double ratio = sqrt(hsgd_norm_sq(s->there, dim) / hsgd_distance_sq(s->moved, point, dim));
        if (!(ratio <= largest)) /* also if it is not a number */
            largest = ratio;
    }
    return largest;
}

static double see_noise(const hsgd_objective *objective, const double *point, size_t worker, size_t batch_size,
                        const space *s)
{
    double mean = 0;
    for (uint64_t k = 0; k < HSGD_ESTIMATE_DRAWS; k++) {
        objective->type->stochastic(objective, point, worker, batch_size, 0, k, s->there, s->scratch);
        mean += (hsgd_distance_sq(s->there, s->here, objective->dim) - mean) / (double)(k + 1);
    }
    return mean;
}

static sight look(const hsgd_objective *objective, const double *point, size_t worker, size_t batch_size,
                  const space *s)
{
    double loss;
    objective->type->full(objective, point, &worker, 1, &loss, s->here, s->scratch);
    return (sight){see_smoothness(objective, point, worker, s),
                   batch_size > 0 ? see_noise(objective, point, worker, batch_size, s) : 0};
}

/* The memory of all threads; *block is to be freed, and NULL if there is none. */
static double *take_spaces(space *s, size_t threads, const hsgd_objective *objective, size_t batch_size)
{
    const size_t line = HSGD_LINE_BYTES / sizeof(double);
    size_t dim = (objective->dim + line - 1) / line * line;
    size_t each = 3 * dim + (objective->type->scratch_size(objective, batch_size) + line - 1) / line * line;
    double *block = hsgd_alloc_array(threads * each, sizeof *block);
    for (size_t t = 0; block && t < threads; t++) {
        double *at = block + t * each;
        s[t] = (space){at, at + dim, at + 2 * dim, at + 3 * dim};
    }
    return block;
}

hsgd_status hsgd_estimate_constants(hsgd_constants *out, const hsgd_objective *objective, const double *point,
                                    size_t batch_size, hsgd_error *err)
{
    size_t n = objective->num_workers, looks = n < HSGD_ESTIMATE_WORKERS ? n : HSGD_ESTIMATE_WORKERS;
    size_t wanted = (size_t)hsgd_default_threads(), threads = wanted < looks ? wanted : looks;
    space s[HSGD_ESTIMATE_WORKERS];
    sight seen[HSGD_ESTIMATE_WORKERS], most = {0, 0};
    double *block = take_spaces(s, threads, objective, batch_size);
    if (!block)
        return hsgd_fail_memory(err, "the estimates of L and sigma^2");
    hsgd_threads_setup();
#pragma omp parallel for schedule(dynamic) num_threads((int)threads)
    for (size_t i = 0; i < looks; i++)
        seen[i] = look(objective, point, i * n / looks, batch_size, &s[hsgd_thread_number()]);
    free(block);
    for (size_t i = 0; i < looks; i++) {
        if (!isfinite(seen[i].smoothness) || !isfinite(seen[i].noise_sq))
            return hsgd_fail(err, HSGD_ERROR_NUMERIC, "the gradient of worker %zu at the initial point is not finite",
                             i * n / looks);
        most.smoothness = fmax(most.smoothness, seen[i].smoothness);
        most.noise_sq = fmax(most.noise_sq, seen[i].noise_sq);
    }
    *out = (hsgd_constants){.smoothness = {most.smoothness, HSGD_ESTIMATE},
                            .noise_sq = {most.noise_sq, batch_size > 0 ? HSGD_ESTIMATE : HSGD_EXACT},
                            .minimum = {0, HSGD_CERTIFIED},
                            .convexity = -INFINITY};
    return HSGD_OK;
}
