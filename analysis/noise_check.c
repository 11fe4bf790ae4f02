/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Do stochastic gradients average to the gradient (A2)?
 *
 * For a direction u the numbers z_k = <u, g_k - grad F> of draws k have mean 0. Their means over blocks are taken for
 * normal, and the mean of these is compared with Student's t, with the blocks' own spread. Two directions are tested: the
 * gradient, along which factors show (a sum in the place of a mean), and the mean of other draws minus the gradient, along
 * which any bias shows that is not small beside the noise of that mean.
 *
 * Samples that matter and are rarely drawn make blocks that look alike and are all wrong; therefore the blocks of the second
 * round, which alone refuses, are long. */
#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "analysis/objective_check_private.h"
#include "analysis/statistics.h"

static const uint64_t NOISE_SEED = 0x6e6f; /* "no" */

enum { PILOT = 64, DRAWS = HSGD_CHECK_BLOCKS * HSGD_CHECK_BLOCK, NUM_DIRECTIONS = 2 };

/* Rounding of a mean gradient, relative to the sizes of what is summed, for a loss with the usual rounding; that of
 * single precision is larger in proportion. */
static const double GRADIENT_ROUNDING = 1e-9;

/* The first round only decides whether there is a second, which has the stated false-alarm probability by itself. */
static const double SUSPICION = 1e-3;

/* The draws of the second round are numbered from here on, the pilot's first. */
enum { SECOND_ROUND = 1 << 20 };

static void draw(hsgd_checker *c, uint64_t number)
{
    const hsgd_objective *objective = c->request->objective;
    uint64_t step = (uint64_t)c->point_number << 32 | number;
    objective->type->stochastic(objective, c->point, c->worker, c->request->batch_size, NOISE_SEED, step, c->spare,
                                c->scratch);
}

/* direction (dim): the mean of PILOT times `times` draws from `first` on, minus the gradient. */
static void find_bias(hsgd_checker *c, uint64_t first, size_t times)
{
    memset(c->direction, 0, c->dim * sizeof *c->direction);
    for (size_t k = 0; k < PILOT * times; k++) {
        draw(c, first + k);
        for (size_t i = 0; i < c->dim; i++)
            c->direction[i] += (c->spare[i] - c->gradient[i]) / (double)(PILOT * times);
    }
}

/* What the draws show along one direction u. */
typedef struct projection {
    const char *along;
    const double *direction;         /* (dim) u */
    double block[HSGD_CHECK_BLOCKS]; /* means of z */
    double claimed, length;          /* <u, grad F> and ||u|| */
    double bias, half;               /* the mean of z, and half its interval */
} projection;

static double product(const double *a, const double *b, size_t dim)
{
    double sum = 0;
    for (size_t i = 0; i < dim; i++)
        sum += a[i] * b[i];
    return sum;
}

/* Adds the draws from number `first` on to the projections. Returns the mean of ||g||. */
static double project(hsgd_checker *c, projection *p, uint64_t first, size_t times)
{
    size_t block = HSGD_CHECK_BLOCK * times;
    double size = 0;
    for (size_t k = 0; k < HSGD_CHECK_BLOCKS * block; k++) {
        draw(c, first + k);
        size += sqrt(product(c->spare, c->spare, c->dim)) / (double)(HSGD_CHECK_BLOCKS * block);
        for (size_t i = 0; i < c->dim; i++)
            c->spare[i] -= c->gradient[i];
        for (size_t d = 0; d < NUM_DIRECTIONS; d++)
            p[d].block[k / block] += product(p[d].direction, c->spare, c->dim) / (double)block;
    }
    return size;
}

/* Beyond chance and rounding? Gradients that are not finite decide nothing. */
static bool is_biased(const hsgd_checker *c, projection *p, double size, bool last)
{
    double checks = (double)HSGD_CHECK_WORKERS * HSGD_CHECK_POINTS * NUM_DIRECTIONS;
    hsgd_estimate estimate = hsgd_estimate_mean(p->block, 1, HSGD_CHECK_BLOCKS);
    p->bias = estimate.mean;
    p->half = last ? hsgd_half_width(estimate, 1 - HSGD_CHECK_FALSE_ALARM, checks)
                   : hsgd_half_width(estimate, 1 - SUSPICION, 1);
    p->claimed = product(p->direction, c->gradient, c->dim);
    p->length = sqrt(product(p->direction, p->direction, c->dim));
    double rounding = fmin(0.01, GRADIENT_ROUNDING * c->rounding / HSGD_CHECK_LOSS_ROUNDING);
    size += sqrt(product(c->gradient, c->gradient, c->dim));
    return isfinite(p->half) && fabs(p->bias) > p->half + rounding * size * p->length;
}

/* One round; the direction that is biased by most standard errors, or -1. */
static int find_biased(hsgd_checker *c, projection *p, size_t times)
{
    uint64_t first = times > 1 ? SECOND_ROUND : 0;
    int worst = -1;
    p[0] = (projection){.along = "the gradient", .direction = c->gradient};
    p[1] = (projection){.along = "the bias of other draws", .direction = c->direction};
    find_bias(c, first, times);
    double size = project(c, p, first + (uint64_t)PILOT * times, times);
    for (int d = 0; d < NUM_DIRECTIONS; d++)
        if (is_biased(c, &p[d], size, times > 1) &&
            (worst < 0 || fabs(p[d].bias) * p[worst].half > fabs(p[worst].bias) * p[d].half))
            worst = d;
    return worst;
}

hsgd_status hsgd_check_noise(hsgd_checker *c, hsgd_error *err)
{
    projection p[NUM_DIRECTIONS];
    if (find_biased(c, p, 1) < 0)
        return HSGD_OK;
    int worst = find_biased(c, p, HSGD_CHECK_AGAIN);
    if (worst < 0)
        return HSGD_OK;
    const projection *w = &p[worst];
    return hsgd_fail(err, HSGD_ERROR_INPUT,
                     "worker %zu: %d stochastic gradients of batch size %zu at %s have the mean %.6g +- %.2g along %s, "
                     "where the gradient has %.6g; they must average to it (A2)",
                     c->worker, DRAWS * HSGD_CHECK_AGAIN, c->request->batch_size, hsgd_checker_place(c),
                     (w->claimed + w->bias) / w->length, w->half / w->length, w->along, w->claimed / w->length);
}
