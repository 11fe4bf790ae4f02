/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "analysis/objective_check.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/memory.h"
#include "analysis/objective_check_private.h"

/* The seed of all that is drawn here. */
static const uint64_t SEED = 0x636865636b; /* "check" */

/* Points around the start are this far from it, in units of its root mean square or of 1, whichever is larger. */
static const double distance[HSGD_CHECK_POINTS] = {0, 0.01, 1};

/* What no gradient is likely to hold: numbers that are still there were not written, or not overwritten. */
static const double GUARD = -1.2345678901234567e-300;

const char *hsgd_checker_place(const hsgd_checker *c)
{
    return c->point_number == 0 ? "the starting point" : "a random point near the start";
}

/* ---- the same call, the same bits; and nothing beyond its memory ---- */

/* Gradients are all NAN before a call, so that numbers that are not written show; the guard lies behind them. */
static void clear(hsgd_checker *c)
{
    for (size_t i = 0; i < c->dim; i++)
        c->spare[i] = NAN;
    for (size_t i = 0; i < HSGD_CHECK_GUARD; i++)
        c->spare[c->dim + i] = GUARD;
}

static hsgd_status check_guard(const hsgd_checker *c, const char *what, hsgd_error *err)
{
    for (size_t i = 0; i < HSGD_CHECK_GUARD; i++)
        if (c->spare[c->dim + i] != GUARD)
            return hsgd_fail(err, HSGD_ERROR_INPUT, "worker %zu: %s at %s writes beyond the %zu numbers of a gradient",
                             c->worker, what, hsgd_checker_place(c), c->dim);
    return HSGD_OK;
}

static hsgd_status check_same(const hsgd_checker *c, const char *what, const double *before, hsgd_error *err)
{
    for (size_t i = 0; i < c->dim; i++)
        /* to the bit, also the sign of a zero; NOLINTNEXTLINE(bugprone-suspicious-memory-comparison,cert-*) */
        if (memcmp(&before[i], &c->spare[i], sizeof *before) != 0 && !(isnan(before[i]) && isnan(c->spare[i])))
            return hsgd_fail(
                err, HSGD_ERROR_INPUT,
                "worker %zu, coordinate %zu: %s at %s is first %.17g, then %.17g; it must be a function of "
                "its arguments",
                c->worker, i, what, hsgd_checker_place(c), before[i], c->spare[i]);
    return HSGD_OK;
}

static double call_full(hsgd_checker *c)
{
    double loss;
    const hsgd_objective *objective = c->request->objective;
    clear(c);
    objective->type->full(objective, c->point, &c->worker, 1, &loss, c->spare, c->scratch);
    return loss;
}

/* Loss and gradient at the point, twice. */
static hsgd_status check_full(hsgd_checker *c, hsgd_error *err)
{
    c->loss = call_full(c);
    memcpy(c->gradient, c->spare, c->dim * sizeof *c->gradient);
    double again = call_full(c);
    hsgd_status status = check_guard(c, "the gradient", err);
    if (!status && again != c->loss && !(isnan(again) && isnan(c->loss)))
        status =
            hsgd_fail(err, HSGD_ERROR_INPUT,
                      "worker %zu: the loss at %s is first %.17g, then %.17g; it must be a function of its arguments",
                      c->worker, hsgd_checker_place(c), c->loss, again);
    return status ? status : check_same(c, "the gradient", c->gradient, err);
}

static hsgd_status check_stochastic(hsgd_checker *c, hsgd_error *err)
{
    const hsgd_objective *objective = c->request->objective;
    for (uint64_t step = 2; step-- > 0;) { /* another step in between, and the first again */
        clear(c);
        objective->type->stochastic(objective, c->point, c->worker, c->request->batch_size, SEED, step, c->spare,
                                    c->scratch);
        if (step == 0)
            memcpy(c->mean, c->spare, c->dim * sizeof *c->mean);
    }
    for (uint64_t step = 2; step-- > 0;) {
        clear(c);
        objective->type->stochastic(objective, c->point, c->worker, c->request->batch_size, SEED, step, c->spare,
                                    c->scratch);
    }
    hsgd_status status = check_guard(c, "the stochastic gradient", err);
    return status ? status : check_same(c, "the stochastic gradient", c->mean, err);
}

/* All workers in one call, as the engine makes it, against the one: its loss and gradient, and its stochastic gradient. */
static hsgd_status check_together(hsgd_checker *c, const size_t *worker, size_t count, size_t own, hsgd_error *err)
{
    const hsgd_objective *objective = c->request->objective;
    const double *point[HSGD_CHECK_WORKERS];
    double loss[HSGD_CHECK_WORKERS];
    for (size_t k = 0; k < count; k++)
        point[k] = c->point;
    hsgd_objective_full_at(objective, point, 1, worker, count, loss, c->together, c->scratch);
    memcpy(c->spare, c->together + own * c->dim, c->dim * sizeof *c->spare);
    if (loss[own] != c->loss && !(isnan(loss[own]) && isnan(c->loss)))
        return hsgd_fail(err, HSGD_ERROR_INPUT,
                         "worker %zu: the loss at %s is %.17g alone, and %.17g together with other workers", c->worker,
                         hsgd_checker_place(c), c->loss, loss[own]);
    hsgd_status status = check_same(c, "the gradient (alone, and together with other workers)", c->gradient, err);
    if (status || c->request->batch_size == 0)
        return status;
    hsgd_objective_stochastic_rows(objective, c->point, 0, worker, count, c->request->batch_size, SEED, 0, c->together,
                                   c->scratch);
    memcpy(c->spare, c->together + own * c->dim, c->dim * sizeof *c->spare);
    return check_same(c, "the stochastic gradient (alone, and together with other workers)", c->mean, err);
}

/* A finite loss has a finite gradient. */
static hsgd_status check_finite(const hsgd_checker *c, hsgd_error *err)
{
    for (size_t i = 0; i < c->dim; i++)
        if (!isfinite(c->gradient[i]))
            return hsgd_fail(err, HSGD_ERROR_INPUT,
                             "worker %zu, coordinate %zu: the gradient at %s is %g, but the loss %.6g is finite",
                             c->worker, i, hsgd_checker_place(c), c->gradient[i], c->loss);
    return HSGD_OK;
}

/* ---- all together ---- */

static hsgd_status check_here(hsgd_checker *c, const size_t *worker, size_t count, size_t own, hsgd_error *err)
{
    c->worker = worker[own];
    hsgd_status status = check_full(c, err);
    if (!status && c->request->batch_size > 0)
        status = check_stochastic(c, err);
    if (!status && isfinite(c->loss))
        status = check_finite(c, err);
    if (!status)
        status = check_together(c, worker, count, own, err);
    if (status || !isfinite(c->loss))
        return status;
    status = hsgd_check_gradient(c, err);
    bool between = c->point_number > 0 && c->point_number + 1 < HSGD_CHECK_POINTS; /* many draws: two points will do */
    if (!status && c->request->batch_size > 0 && !between)
        status = hsgd_check_noise(c, err);
    return status;
}

/* The point number p; the same for all workers. */
static void set_point(hsgd_checker *c, size_t p)
{
    double sum_sq = 0;
    hsgd_stream stream = {SEED, HSGD_PURPOSE_INITIAL, 0, p};
    c->point_number = p;
    for (size_t i = 0; i < c->dim; i++)
        sum_sq += c->request->start[i] * c->request->start[i];
    hsgd_normals(&stream, distance[p] * fmax(1, sqrt(sum_sq / (double)c->dim)), c->point, c->dim);
    for (size_t i = 0; i < c->dim; i++)
        c->point[i] += c->request->start[i];
}

static hsgd_status check_all(hsgd_checker *c, hsgd_error *err)
{
    size_t n = c->request->objective->num_workers, looked = n < HSGD_CHECK_WORKERS ? n : HSGD_CHECK_WORKERS;
    size_t worker[HSGD_CHECK_WORKERS] = {0};
    hsgd_status status = HSGD_OK;
    for (size_t k = 1; k < looked; k++)
        worker[k] = k * (n - 1) / (looked - 1);
    for (size_t p = 0; p < HSGD_CHECK_POINTS && !status; p++) {
        set_point(c, p);
        for (size_t k = 0; k < looked && !status; k++)
            status = check_here(c, worker, looked, k, err);
    }
    return status;
}

hsgd_status hsgd_objective_check(const hsgd_check_request *request, hsgd_error *err)
{
    enum { VECTORS = 6 + HSGD_CHECK_WORKERS };
    const hsgd_objective *objective = request->objective;
    size_t dim = objective->dim, scratch = objective->type->scratch_size(objective, request->batch_size);
    size_t numbers = VECTORS * dim + HSGD_CHECK_GUARD + scratch + 1;
    hsgd_status status =
        hsgd_memory_check(8.0 * (double)numbers, "the check of the gradient", "a smaller dimension", err);
    if (status)
        return status;
    double *memory = calloc(numbers, sizeof *memory);
    if (!memory)
        return hsgd_fail_memory(err, "the check of the gradient");
    double rounding = request->loss_rounding > 0 ? request->loss_rounding : HSGD_CHECK_LOSS_ROUNDING;
    hsgd_checker c = {.request = request,
                      .dim = dim,
                      .rounding = rounding,
                      .point = memory,
                      .gradient = memory + dim,
                      .direction = memory + 2 * dim,
                      .mean = memory + 3 * dim,
                      .shifted = memory + 4 * dim,
                      .together = memory + 5 * dim,
                      .spare = memory + (5 + HSGD_CHECK_WORKERS) * dim,
                      .scratch = memory + VECTORS * dim + HSGD_CHECK_GUARD};
    status = check_all(&c, err);
    free(memory);
    return status;
}
