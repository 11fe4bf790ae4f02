/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "analysis/moments_private.h"

/* Every kernel takes eight coordinates at a time; what is missing in the last eight counts as 0. */

HSGD_INLINE void merge_one_eight(hsgd_sum8 *steps, hsgd_sum8 *norms, double *mean, const double *vector, double share,
                                 size_t count)
{
    hsgd_sum8 centre = hsgd_load8(mean, count), x = hsgd_load8(vector, count);
    HSGD_UNROLL for (size_t p = 0; p < 8 / HSGD_LANES; p++)
    {
        hsgd_vd step = x.part[p] - centre.part[p];
        centre.part[p] += share * step;
        steps->part[p] += step * step;
        norms->part[p] += x.part[p] * x.part[p];
    }
    hsgd_store8(mean, &centre, count);
}

static double merge(double *mean, const double *vector, double share, double *norm_sq, size_t dim)
{
    hsgd_sum8 steps = {0}, norms = {0};
#define BODY(at, n) merge_one_eight(&steps, &norms, mean + (at), vector + (at), share, n)
    HSGD_FOR_EIGHTS(BODY, dim);
#undef BODY
    *norm_sq = hsgd_sum8_total(&norms);
    return hsgd_sum8_total(&steps);
}

typedef struct rows_parts {
    hsgd_sum8 deviation, shift, norm;
} rows_parts;

HSGD_INLINE void merge_eight(rows_parts *sums, double *mean, const double *row, size_t stride, size_t rows,
                             double share, size_t count)
{
    hsgd_sum8 centre = hsgd_load8(mean, count), shift = {0}, deviation = {0}, norm = {0};
    for (size_t j = 0; j < rows; j++, row += stride) {
        hsgd_sum8 x = hsgd_load8(row, count);
        HSGD_UNROLL for (size_t p = 0; p < 8 / HSGD_LANES; p++)
        {
            hsgd_vd step = x.part[p] - centre.part[p], square = x.part[p] * x.part[p];
            shift.part[p] += step;
            norm.part[p] += square;
            deviation.part[p] += step * step;
        }
    }
    HSGD_UNROLL for (size_t p = 0; p < 8 / HSGD_LANES; p++)
    {
        centre.part[p] += share * shift.part[p];
        sums->shift.part[p] += shift.part[p] * shift.part[p];
        sums->deviation.part[p] += deviation.part[p];
        sums->norm.part[p] += norm.part[p];
    }
    hsgd_store8(mean, &centre, count);
}

static hsgd_rows_sums merge_rows(double *mean, const double *row, size_t stride, size_t count, double share, size_t dim)
{
    rows_parts sums = {{{{0}}}, {{{0}}}, {{{0}}}};
#define BODY(at, n) merge_eight(&sums, mean + (at), row + (at), stride, count, share, n)
    HSGD_FOR_EIGHTS(BODY, dim);
#undef BODY
    return (hsgd_rows_sums){hsgd_sum8_total(&sums.deviation), hsgd_sum8_total(&sums.shift),
                            hsgd_sum8_total(&sums.norm)};
}

HSGD_INLINE void dot_eight(hsgd_sum8 *sum, const double *x, const double *y, size_t count)
{
    hsgd_sum8 a = hsgd_load8(x, count), b = hsgd_load8(y, count);
    HSGD_UNROLL for (size_t p = 0; p < 8 / HSGD_LANES; p++) sum->part[p] += a.part[p] * b.part[p];
}

static double dot(const double *x, const double *y, size_t dim)
{
    hsgd_sum8 sum = {0};
#define BODY(at, n) dot_eight(&sum, x + (at), y + (at), n)
    HSGD_FOR_EIGHTS(BODY, dim);
#undef BODY
    return hsgd_sum8_total(&sum);
}

static double norm_sq(const double *x, size_t dim)
{
    return dot(x, x, dim);
}

HSGD_INLINE void distance_eight(hsgd_sum8 *sum, const double *x, const double *y, size_t count)
{
    hsgd_sum8 a = hsgd_load8(x, count), b = hsgd_load8(y, count);
    HSGD_UNROLL for (size_t p = 0; p < 8 / HSGD_LANES; p++)
    {
        hsgd_vd step = a.part[p] - b.part[p];
        sum->part[p] += step * step;
    }
}

static double distance_sq(const double *x, const double *y, size_t dim)
{
    hsgd_sum8 sum = {0};
#define BODY(at, n) distance_eight(&sum, x + (at), y + (at), n)
    HSGD_FOR_EIGHTS(BODY, dim);
#undef BODY
    return hsgd_sum8_total(&sum);
}

HSGD_INLINE void add_eight(double *out, const double *sum, const double *x, double weight, size_t count)
{
    hsgd_sum8 a = hsgd_load8(sum, count), b = hsgd_load8(x, count);
    HSGD_UNROLL for (size_t p = 0; p < 8 / HSGD_LANES; p++) a.part[p] += weight * b.part[p];
    hsgd_store8(out, &a, count);
}

static void add(double *sum, const double *x, double weight, size_t dim)
{
#define BODY(at, n) add_eight(sum + (at), sum + (at), x + (at), weight, n)
    HSGD_FOR_EIGHTS(BODY, dim);
#undef BODY
}

static void step(double *out, const double *w, const double *x, double scale, size_t dim)
{
#define BODY(at, n) add_eight(out + (at), w + (at), x + (at), -scale, n)
    HSGD_FOR_EIGHTS(BODY, dim);
#undef BODY
}

/* Rows whose noise is summed up in registers at the same time. */
enum { DESCENT_ROWS = 4 };

/* What descend is called with, for some of its rows. */
typedef struct descent {
    double *w;
    size_t w_stride;
    const double *g, *exact, *weight;
    size_t stride, dim;
    double step_size;
    double *gradient, *noise, *noise_sq;
} descent;

/* The cases that have code of their own. */
typedef struct descent_case {
    size_t rows;
    bool steps, weighted;
} descent_case;

HSGD_INLINE void descend_eight(hsgd_sum8 *noise_sq, const descent *d, descent_case c, size_t at, size_t count)
{
    hsgd_sum8 gradient = hsgd_load8(d->gradient + at, count), noise = hsgd_load8(d->noise + at, count), w = {0};
    HSGD_UNROLL_ROWS for (size_t j = 0; j < c.rows; j++)
    {
        hsgd_sum8 g = hsgd_load8(d->g + j * d->dim + at, count), own = hsgd_load8(d->exact + j * d->stride + at, count);
        if (c.steps)
            w = hsgd_load8(d->w + j * d->w_stride + at, count);
        HSGD_UNROLL for (size_t p = 0; p < 8 / HSGD_LANES; p++)
        {
            hsgd_vd xi = g.part[p] - own.part[p];
            gradient.part[p] += c.weighted ? d->weight[j] * own.part[p] : own.part[p];
            noise.part[p] += c.weighted ? d->weight[j] * xi : xi;
            noise_sq[j].part[p] += xi * xi;
            w.part[p] -= d->step_size * g.part[p];
        }
        if (c.steps)
            hsgd_store8(d->w + j * d->w_stride + at, &w, count);
    }
    hsgd_store8(d->gradient + at, &gradient, count);
    hsgd_store8(d->noise + at, &noise, count);
}

HSGD_INLINE void descend_rows(descent d, descent_case c)
{
    hsgd_sum8 noise_sq[DESCENT_ROWS] = {{{{0}}}};
#define BODY(at, n) descend_eight(noise_sq, &d, c, at, n)
    HSGD_FOR_EIGHTS(BODY, d.dim);
#undef BODY
    for (size_t j = 0; j < c.rows; j++)
        d.noise_sq[j] = hsgd_sum8_total(&noise_sq[j]);
}

static void descend(double *w, size_t w_stride, const double *g, const double *exact, size_t stride, size_t count,
                    const double *weight, double step_size, const hsgd_step_record *sums, size_t dim)
{
    for (size_t j = 0, rows; j < count; j += rows) {
        descent d = {w ? w + j * w_stride : NULL,
                     w_stride,
                     g + j * dim,
                     exact + j * stride,
                     weight ? weight + j : NULL,
                     stride,
                     dim,
                     step_size,
                     sums->gradient,
                     sums->noise,
                     sums->noise_sq + j};
        rows = !weight && j + DESCENT_ROWS <= count ? DESCENT_ROWS : 1;
        if (rows == 1)
            descend_rows(d, (descent_case){1, w != NULL, weight != NULL});
        else if (w)
            descend_rows(d, (descent_case){DESCENT_ROWS, true, false});
        else
            descend_rows(d, (descent_case){DESCENT_ROWS, false, false});
    }
}

typedef struct pair_parts {
    hsgd_sum8 distance, change, size, grad_size;
} pair_parts;

HSGD_INLINE void pair_eight(pair_parts *sums, const double *a, const double *grad_a, const double *b,
                            const double *grad_b, size_t count)
{
    hsgd_sum8 x = hsgd_load8(a, count), g = hsgd_load8(grad_a, count);
    hsgd_sum8 y = hsgd_load8(b, count), other = hsgd_load8(grad_b, count);
    HSGD_UNROLL for (size_t p = 0; p < 8 / HSGD_LANES; p++)
    {
        hsgd_vd step = x.part[p] - y.part[p], turn = g.part[p] - other.part[p];
        sums->distance.part[p] += step * step;
        sums->change.part[p] += turn * turn;
        sums->size.part[p] += x.part[p] * x.part[p];
        sums->grad_size.part[p] += g.part[p] * g.part[p];
    }
}

static hsgd_pair_sums pair(const double *a, const double *grad_a, const double *b, const double *grad_b, size_t dim)
{
    pair_parts sums = {{{{0}}}, {{{0}}}, {{{0}}}, {{{0}}}};
#define BODY(at, n) pair_eight(&sums, a + (at), grad_a + (at), b + (at), grad_b + (at), n)
    HSGD_FOR_EIGHTS(BODY, dim);
#undef BODY
    return (hsgd_pair_sums){hsgd_sum8_total(&sums.distance), hsgd_sum8_total(&sums.change), hsgd_sum8_total(&sums.size),
                            hsgd_sum8_total(&sums.grad_size)};
}

const hsgd_moments_kernels HSGD_ON_PATH(hsgd_moments_kernels) = {.merge = merge,
                                                                 .merge_rows = merge_rows,
                                                                 .norm_sq = norm_sq,
                                                                 .dot = dot,
                                                                 .distance_sq = distance_sq,
                                                                 .step = step,
                                                                 .add = add,
                                                                 .descend = descend,
                                                                 .pair = pair};
