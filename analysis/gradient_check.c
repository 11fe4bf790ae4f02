/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Gradients against differences of losses, whatever the scale of the function.
 *
 * No single step is right for all functions, so steps h = 2^20, 2^19, ... 2^-45 are tried. The residual
 *     r(h) = (F(w + d) - F(w - d) - 2 <grad F, d>)/(2 h),   d = h v as rounded (so that w + d and w - d are exact),
 * is e + O(h^2) for a gradient that is wrong by e along v, and (4 r(h/2) - r(h))/3 is e + O(h^4) (Richardson), both beside
 * rounding of about eps |F|/h. A right gradient shows where truncation and rounding are small: there the residual is
 * small. A wrong one shows as a plateau: the same residual over many steps, down to where rounding hides it. (Large steps
 * alone prove nothing: where F is bounded, the quotient tends to 0 and the residual to minus the slope; but then smaller
 * steps disagree.) At a kink both sides have slopes of their own, and nothing is refused. */
#include <float.h>
#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "analysis/objective_check_private.h"

static const uint64_t DIRECTION_SEED = 0x646972; /* "dir" */

enum { FIRST_EXPONENT = 20, NUM_STEPS = 66, NUM_SLOPES = NUM_STEPS - 1 };

/* Steps that a plateau has at least: a factor of 32. Residuals on it differ by this share of one. */
enum { PLATEAU = 6 };
static const double PLATEAU_WIDTH = 0.1;

/* Where a plateau is judged, rounding may be this much larger than thought. */
static const double DOUBT = 10;

/* Coordinates that are looked through, at most, for the one that is wrong. */
enum { MOST_COORDINATES = 4096 };

/* Where most smooth functions show a right gradient: 2^-10. */
enum { USUAL = FIRST_EXPONENT + 10 };

static double step_of(size_t k)
{
    return ldexp(1, FIRST_EXPONENT - (int)k);
}

/* ---- the verdict on one direction ---- */

static bool is_right(const hsgd_slope *s, double tolerance)
{
    return s->size > 0 && s->noise <= tolerance * s->size && fabs(s->residual) <= tolerance * s->size + s->noise;
}

static bool is_off(const hsgd_slope *s, double tolerance)
{
    return s->size > 0 && fabs(s->residual) > tolerance * s->size + DOUBT * s->noise;
}

/* Do the slopes from k on form a plateau that no finer one contradicts? */
static bool is_plateau(const hsgd_slope *slope, size_t count, size_t k, double tolerance)
{
    double error = slope[k].residual, width = PLATEAU_WIDTH * fabs(error);
    for (size_t i = k; i < k + PLATEAU; i++)
        if (!is_off(&slope[i], tolerance) || !(fabs(slope[i].residual - error) <= width))
            return false;
    for (size_t i = k + PLATEAU; i < count; i++)
        if (slope[i].size > 0 && fabs(slope[i].residual - error) > width + DOUBT * slope[i].noise)
            return false;
    return slope[k + PLATEAU - 1].kink <= fabs(error) / 2;
}

/* The step at and below k whose residual is known best: that of its neighbour is near, and rounding is small. */
static size_t best_known(const hsgd_slope *slope, size_t count, size_t k)
{
    size_t best = k;
    double least = INFINITY;
    for (; k + 1 < count; k++) {
        double doubt = fabs(slope[k].residual - slope[k + 1].residual) + slope[k].noise;
        if (doubt < least) {
            least = doubt;
            best = k;
        }
    }
    return best;
}

hsgd_slope_verdict hsgd_slope_judge(const hsgd_slope *slope, size_t count, double tolerance, size_t *best)
{
    for (*best = 0; *best < count; ++*best)
        if (is_right(&slope[*best], tolerance))
            return HSGD_SLOPE_RIGHT;
    for (size_t k = 0; k + PLATEAU <= count; k++)
        if (is_plateau(slope, count, k, tolerance)) {
            *best = best_known(slope, count, k);
            return HSGD_SLOPE_WRONG;
        }
    return HSGD_SLOPE_UNKNOWN;
}

/* ---- slopes ---- */

static double loss_at(hsgd_checker *c, const double *point)
{
    double loss;
    const hsgd_objective *objective = c->request->objective;
    objective->type->full(objective, point, &c->worker, 1, &loss, c->spare, c->scratch);
    return loss;
}

/* shifted (dim): the point + sign * d. Returns <grad F, d> and in *terms the sum of its terms' sizes. */
static double shift(hsgd_checker *c, double h, double sign, double *terms)
{
    double product = 0;
    *terms = 0;
    for (size_t i = 0; i < c->dim; i++) {
        volatile double up = c->point[i] + h * c->direction[i]; /* rounded to a double on every machine */
        double d = up - c->point[i];
        c->shifted[i] = c->point[i] + sign * d;
        product += c->gradient[i] * d;
        *terms += fabs(c->gradient[i] * d);
    }
    return product;
}

/* At one step, nothing extrapolated yet. */
static hsgd_slope slope_at(hsgd_checker *c, double h)
{
    double terms, product = shift(c, h, 1, &terms), up = loss_at(c, c->shifted);
    shift(c, h, -1, &terms);
    double down = loss_at(c, c->shifted), quotient = (up - down) / (2 * h), claimed = product / h;
    double noise = (c->rounding * (fabs(up) + fabs(down)) / 2 + 8 * DBL_EPSILON * terms) / h;
    return (hsgd_slope){.residual = quotient - claimed,
                        .size = fmax(fabs(quotient), fabs(claimed)),
                        .noise = noise,
                        .kink = fabs(up - 2 * c->loss + down) / (2 * h)};
}

static hsgd_slope extrapolate(const hsgd_slope *coarse, const hsgd_slope *fine)
{
    return (hsgd_slope){.residual = (4 * fine->residual - coarse->residual) / 3,
                        .size = fine->size,
                        .noise = (4 * fine->noise + coarse->noise) / 3,
                        .kink = fine->kink};
}

static double tolerance_of(const hsgd_checker *c)
{
    return fmax(HSGD_CHECK_TOLERANCE, 100 * c->rounding);
}

/* The gradient along the direction. *error: how far it is off, *step: where that shows; if it is wrong. */
static hsgd_slope_verdict judge_direction(hsgd_checker *c, double *error, double *step)
{
    hsgd_slope slope[NUM_STEPS], first = slope_at(c, step_of(USUAL)), second = slope_at(c, step_of(USUAL + 1));
    size_t best;
    first = extrapolate(&first, &second);
    if (is_right(&first, tolerance_of(c)))
        return HSGD_SLOPE_RIGHT;
    for (size_t k = 0; k < NUM_STEPS; k++)
        slope[k] = slope_at(c, step_of(k));
    for (size_t k = 0; k < NUM_SLOPES; k++)
        slope[k] = extrapolate(&slope[k], &slope[k + 1]);
    hsgd_slope_verdict verdict = hsgd_slope_judge(slope, NUM_SLOPES, tolerance_of(c), &best);
    if (verdict == HSGD_SLOPE_WRONG) {
        *error = slope[best].residual;
        *step = step_of(best);
    }
    return verdict;
}

/* ---- directions ---- */

static void set_coordinate(hsgd_checker *c, size_t i)
{
    memset(c->direction, 0, c->dim * sizeof *c->direction);
    c->direction[i] = 1;
}

/* Small steps do not move a loss in single precision at all. */
static const char *hint(double claimed, double error)
{
    bool unmoved = fabs(claimed + error) <= HSGD_CHECK_TOLERANCE * fabs(claimed);
    return unmoved ? " (if losses are computed in single precision, loss_rounding must say so)" : "";
}

static hsgd_status refuse_coordinate(const hsgd_checker *c, size_t i, double error, double step, hsgd_error *err)
{
    return hsgd_fail(
        err, HSGD_ERROR_INPUT,
        "worker %zu, coordinate %zu: the gradient at %s is %.9g, but differences of the loss with the step "
        "%.2g give %.9g%s",
        c->worker, i, hsgd_checker_place(c), c->gradient[i], step, c->gradient[i] + error, hint(c->gradient[i], error));
}

/* The coordinate that is off by most at this step. */
static size_t worst_coordinate(hsgd_checker *c, double step)
{
    size_t worst = 0;
    double largest = -1;
    for (size_t i = 0; i < c->dim; i++) {
        set_coordinate(c, i);
        double residual = fabs(slope_at(c, step).residual);
        if (residual > largest) {
            largest = residual;
            worst = i;
        }
    }
    return worst;
}

/* A random direction says that something is wrong; a coordinate says what. */
static hsgd_status refuse_direction(hsgd_checker *c, size_t number, double error, double step, hsgd_error *err)
{
    double claimed = 0;
    for (size_t i = 0; i < c->dim; i++)
        claimed += c->gradient[i] * c->direction[i];
    if (c->dim <= MOST_COORDINATES) {
        size_t i = worst_coordinate(c, step);
        double error_i, step_i;
        set_coordinate(c, i);
        if (judge_direction(c, &error_i, &step_i) == HSGD_SLOPE_WRONG)
            return refuse_coordinate(c, i, error_i, step_i, err);
    }
    return hsgd_fail(
        err, HSGD_ERROR_INPUT,
        "worker %zu, random direction %zu: the slope at %s is %.9g by the gradient, but differences of the "
        "loss with the step %.2g give %.9g%s",
        c->worker, number, hsgd_checker_place(c), claimed, step, claimed + error, hint(claimed, error));
}

static hsgd_status check_random(hsgd_checker *c, size_t number, hsgd_error *err)
{
    double error, step;
    hsgd_stream stream = {DIRECTION_SEED, HSGD_PURPOSE_ESTIMATE, (uint32_t)c->worker,
                          c->point_number * HSGD_CHECK_RANDOM_DIRECTIONS + number};
    hsgd_normals(&stream, 1, c->direction, c->dim);
    if (judge_direction(c, &error, &step) != HSGD_SLOPE_WRONG)
        return HSGD_OK;
    return refuse_direction(c, number, error, step, err);
}

static hsgd_status check_coordinate(hsgd_checker *c, size_t i, hsgd_error *err)
{
    double error, step;
    set_coordinate(c, i);
    if (judge_direction(c, &error, &step) != HSGD_SLOPE_WRONG)
        return HSGD_OK;
    return refuse_coordinate(c, i, error, step, err);
}

hsgd_status hsgd_check_gradient(hsgd_checker *c, hsgd_error *err)
{
    size_t coordinate[HSGD_CHECK_COORDINATES];
    size_t count = c->dim < HSGD_CHECK_COORDINATES ? c->dim : HSGD_CHECK_COORDINATES;
    hsgd_stream stream = {DIRECTION_SEED, HSGD_PURPOSE_BATCH, (uint32_t)c->worker, c->point_number};
    hsgd_uniform_indices(&stream, 0, c->dim, coordinate, HSGD_CHECK_COORDINATES);
    hsgd_status status = HSGD_OK;
    for (size_t r = 0; r < HSGD_CHECK_RANDOM_DIRECTIONS && !status; r++)
        status = check_random(c, r, err);
    for (size_t i = 0; i < count && !status; i++)
        status = check_coordinate(c, c->dim <= HSGD_CHECK_COORDINATES ? i : coordinate[i], err);
    return status;
}
