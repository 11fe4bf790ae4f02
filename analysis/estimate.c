/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Workers are shared out among threads. What each finds is kept apart and merged in their order, so that the results have the
 * same bits for any number of threads. */
#include "analysis/estimate.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/memory.h"
#include "analysis/threads.h"

/* Power iterations for every worker, and at most for the one with the largest result, whose search ends when an iteration
 * gains less than the tolerance. Too few find too small a value, by less than the factor of the estimate. */
enum { FEW_ITERATIONS = 4, MOST_ITERATIONS = 40 };
static const double TOLERANCE = 0.01;

/* h ||v|| over max(1, ||w||): above the third root of the rounding, where central differences are best, because the
 * gradients of ReLU networks are better compared across some kinks than across none. */
static const double DIFFERENCE = 1e-4;

/* Mean gradients are sums over so many chunks of workers, each of which needs a gradient's memory. */
enum { CHUNKS = 8 };

typedef struct search {
    const hsgd_estimate_request *request;
    size_t dim, scratch, num_looked; /* doubles of scratch memory; workers that are looked at */
    int threads;
    double *point; /* (dim) */
    double *chunk; /* (CHUNKS, dim) */
    double *space; /* (threads, space_size): four vectors and scratch memory */
    size_t space_size;
    double *curvature; /* (num_looked) at the point */
    double *noise_sq;  /* (num_looked) */
} search;

/* Vectors of one thread. */
typedef struct space {
    double *direction, *above, *below, *shifted; /* (dim) */
    double *scratch;
} space;

static space space_of(const search *s)
{
    double *begin = s->space + (size_t)hsgd_thread_number() * s->space_size;
    size_t dim = s->dim;
    return (space){begin, begin + dim, begin + 2 * dim, begin + 3 * dim, begin + 4 * dim};
}

/* The i-th worker that is looked at. */
static size_t worker_at(const search *s, size_t i)
{
    size_t n = s->request->objective->num_workers;
    return (size_t)((double)i * (double)n / (double)s->num_looked);
}

static void gradient(const search *s, const double *point, size_t worker, double *grad, double *scratch)
{
    double loss;
    s->request->objective->type->full(s->request->objective, point, &worker, 1, &loss, grad, scratch);
}

/* The gradient at the point + step * direction. */
static void shifted_gradient(const search *s, size_t worker, double step, double *grad, const space *m)
{
    for (size_t i = 0; i < s->dim; i++)
        m->shifted[i] = s->point[i] + step * m->direction[i];
    gradient(s, m->shifted, worker, grad, m->scratch);
}

/* direction (dim) to length 1; returned: its length before. A vector without a direction stays. */
static double normalise(double *direction, size_t dim)
{
    double length = sqrt(hsgd_norm_sq(direction, dim));
    for (size_t i = 0; i < dim && length > 0; i++)
        direction[i] /= length;
    return length;
}

/* The largest ||H v|| / ||v|| met by a power iteration on worker j's Hessian H: at most its largest |eigenvalue|. */
static double curvature_of(const search *s, size_t worker, size_t iterations, const space *m)
{
    double step = DIFFERENCE * fmax(1, sqrt(hsgd_norm_sq(s->point, s->dim))), largest = 0;
    hsgd_stream stream = {0, HSGD_PURPOSE_ESTIMATE, (uint32_t)worker, 0};
    hsgd_normals(&stream, 1, m->direction, s->dim);
    normalise(m->direction, s->dim);
    for (size_t k = 0; k < iterations; k++) {
        shifted_gradient(s, worker, step, m->above, m);
        shifted_gradient(s, worker, -step, m->below, m);
        for (size_t i = 0; i < s->dim; i++)
            m->direction[i] = (m->above[i] - m->below[i]) / (2 * step);
        double now = normalise(m->direction, s->dim);
        if (!(now > 0) || !isfinite(now))
            return isnan(now) || now > 0 ? NAN : largest;
        bool settled = k >= FEW_ITERATIONS && now < largest * (1 + TOLERANCE);
        largest = fmax(largest, now);
        if (settled)
            break;
    }
    return largest;
}

/* Fills curvature and noise_sq of all workers that are looked at. */
static void look(search *s)
{
    const hsgd_estimate_request *q = s->request;
#pragma omp parallel for schedule(dynamic, 1) num_threads(s->threads)
    for (size_t i = 0; i < s->num_looked; i++) {
        space m = space_of(s);
        s->curvature[i] = curvature_of(s, worker_at(s, i), FEW_ITERATIONS, &m);
        s->noise_sq[i] = q->noise_sq ? q->noise_sq(q->objective, s->point, worker_at(s, i), m.above, m.scratch) : 0;
    }
}

/* The larger of both; NaN wins. */
static double raise(double a, double b)
{
    return b > a || isnan(b) ? b : a;
}

/* What this point adds to the estimates. */
static void include_point(search *s, hsgd_constant_estimates *out)
{
    size_t best = 0;
    space m = space_of(s);
    look(s);
    for (size_t i = 0; i < s->num_looked; i++) {
        out->smoothness = raise(out->smoothness, s->curvature[i]);
        out->noise_sq = raise(out->noise_sq, s->noise_sq[i]);
        best = s->curvature[i] > s->curvature[best] ? i : best;
    }
    out->smoothness = raise(out->smoothness, curvature_of(s, worker_at(s, best), MOST_ITERATIONS, &m));
}

/* One step of gradient descent on the mean of the workers that are looked at. */
static void descend(search *s, double step_size)
{
    size_t dim = s->dim;
#pragma omp parallel for schedule(dynamic, 1) num_threads(s->threads)
    for (size_t c = 0; c < CHUNKS; c++) {
        space m = space_of(s);
        double *sum = s->chunk + c * dim;
        memset(sum, 0, dim * sizeof *sum);
        for (size_t i = s->num_looked * c / CHUNKS; i < s->num_looked * (c + 1) / CHUNKS; i++) {
            gradient(s, s->point, worker_at(s, i), m.above, m.scratch);
            for (size_t k = 0; k < dim; k++)
                sum[k] += m.above[k];
        }
    }
    for (size_t c = 0; c < CHUNKS; c++)
        for (size_t k = 0; k < dim; k++)
            s->point[k] -= step_size / (double)s->num_looked * s->chunk[c * dim + k];
}

static void search_along(search *s, hsgd_constant_estimates *out)
{
    size_t points = s->request->num_points > 0 ? s->request->num_points : HSGD_ESTIMATE_POINTS;
    for (size_t p = 0; p < points; p++) {
        include_point(s, out);
        if (!(out->smoothness > 0) || !isfinite(out->smoothness)) /* nowhere to go, or too far already */
            return;
        for (size_t k = 0; k < HSGD_ESTIMATE_STEPS_BETWEEN && p + 1 < points; k++)
            descend(s, 1 / out->smoothness);
    }
}

static hsgd_status allocate(search *s, hsgd_error *err)
{
    double threads = (double)s->threads, dim = (double)s->dim;
    double bytes = 8 * (threads * (4 * dim + (double)s->scratch) + (CHUNKS + 1) * dim);
    hsgd_status status = hsgd_memory_check(bytes, "the search for L", "fewer parameters or threads", err);
    if (status)
        return status;
    s->space_size = 4 * s->dim + s->scratch;
    s->point = malloc(s->dim * sizeof *s->point);
    s->chunk = malloc(CHUNKS * s->dim * sizeof *s->chunk);
    s->space = calloc((size_t)s->threads * s->space_size, sizeof *s->space);
    s->curvature = malloc(2 * s->num_looked * sizeof *s->curvature);
    s->noise_sq = s->curvature ? s->curvature + s->num_looked : NULL;
    return s->point && s->chunk && s->space && s->curvature ? HSGD_OK : hsgd_fail_memory(err, "the search for L");
}

hsgd_status hsgd_estimate_constants(hsgd_constant_estimates *out, const hsgd_estimate_request *request, hsgd_error *err)
{
    const hsgd_objective *objective = request->objective;
    size_t n = objective->num_workers, most = request->max_workers > 0 ? request->max_workers : HSGD_ESTIMATE_WORKERS;
    search s = {.request = request,
                .dim = objective->dim,
                .scratch = objective->type->scratch_size(objective, 1),
                .num_looked = n < most ? n : most,
                .threads = hsgd_default_threads()};
    *out = (hsgd_constant_estimates){0, 0};
    hsgd_threads_setup();
    hsgd_status status = allocate(&s, err);
    if (!status) {
        memcpy(s.point, request->start, s.dim * sizeof *s.point);
        search_along(&s, out);
        out->smoothness *= HSGD_ESTIMATE_FACTOR;
        out->noise_sq *= HSGD_ESTIMATE_FACTOR;
        if (!isfinite(out->smoothness) || !isfinite(out->noise_sq))
            status =
                hsgd_fail(err, HSGD_ERROR_INPUT,
                          "initial: gradients near the starting point are not finite (L = %g, sigma^2 = %g found); "
                          "use a smaller scale",
                          out->smoothness, out->noise_sq);
    }
    free(s.point);
    free(s.chunk);
    free(s.space);
    free(s.curvature);
    return status;
}

hsgd_status hsgd_estimate_all(hsgd_constants *out, const hsgd_estimate_request *request, size_t batch_size,
                              hsgd_error *err)
{
    hsgd_constant_estimates found;
    hsgd_status status = hsgd_estimate_constants(&found, request, err);
    if (status)
        return status;
    out->smoothness = (hsgd_constant){found.smoothness, HSGD_ESTIMATE};
    out->noise_sq = (hsgd_constant){0, HSGD_EXACT};
    if (batch_size > 0)
        out->noise_sq = (hsgd_constant){found.noise_sq / (double)batch_size, HSGD_ESTIMATE};
    out->minimum = (hsgd_constant){0, HSGD_CERTIFIED};
    out->convexity = -INFINITY;
    return HSGD_OK;
}
