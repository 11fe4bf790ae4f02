/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "analysis/quadratic_private.h"

/* Linear terms come from far memory, those of one call's workers after those of the call before. Each kernel asks for the
 * numbers that lie `ahead` of its own, all rows of a call further; to ask for memory that is not there does no harm. */

/* Eight coordinates; noise and loss may be NULL. */
HSGD_INLINE void eight(double *grad, const double *h, const double *b, const double *w, const double *noise,
                       hsgd_sum8 *loss, size_t at, size_t count)
{
    hsgd_sum8 curvature = hsgd_load8(h + at, count), linear = hsgd_load8(b + at, count), x = hsgd_load8(w + at, count);
    hsgd_sum8 xi = {0}, out;
    if (noise)
        xi = hsgd_load8(noise + at, count);
    HSGD_UNROLL for (size_t p = 0; p < 8 / HSGD_LANES; p++)
    {
        hsgd_vd curved = curvature.part[p] * x.part[p];
        out.part[p] = curved - linear.part[p];
        if (noise)
            out.part[p] += xi.part[p];
        if (loss)
            loss->part[p] += (0.5 * curved - linear.part[p]) * x.part[p];
    }
    hsgd_store8(grad + at, &out, count);
}

static void gradient(double *grad, const double *h, const double *b, const double *w, size_t dim)
{
#define BODY(at, n) eight(grad, h, b, w, NULL, NULL, at, n)
    HSGD_FOR_EIGHTS(BODY, dim);
#undef BODY
}

static double full(double *grad, const double *h, const double *b, const double *w, size_t dim)
{
    hsgd_sum8 loss = {0};
#define BODY(at, n) eight(grad, h, b, w, NULL, &loss, at, n)
    HSGD_FOR_EIGHTS(BODY, dim);
#undef BODY
    return hsgd_sum8_total(&loss);
}

static void noisy(double *grad, const double *h, const double *b, const double *w, const double *noise, size_t dim)
{
#define BODY(at, n) eight(grad, h, b, w, noise, NULL, at, n)
    HSGD_FOR_EIGHTS(BODY, dim);
#undef BODY
}

HSGD_INLINE void step_eight(double *w, const double *h, const double *b, const double *noise, double step_size,
                            size_t ahead, size_t at, size_t count)
{
    hsgd_sum8 curvature = hsgd_load8(h + at, count), linear = hsgd_load8(b + at, count), x = hsgd_load8(w + at, count);
    hsgd_sum8 xi = {0};
    __builtin_prefetch(b + ahead + at, 0, 2);
    if (noise)
        xi = hsgd_load8(noise + at, count);
    HSGD_UNROLL for (size_t p = 0; p < 8 / HSGD_LANES; p++)
    {
        hsgd_vd g = curvature.part[p] * x.part[p] - linear.part[p];
        x.part[p] -= step_size * (noise ? g + xi.part[p] : g);
    }
    hsgd_store8(w + at, &x, count);
}

static void step(double *w, const double *h, const double *b, const double *noise, double step_size, size_t ahead,
                 size_t dim)
{
#define NOISY(at, n) step_eight(w, h, b, noise, step_size, ahead, at, n)
#define PLAIN(at, n) step_eight(w, h, b, NULL, step_size, ahead, at, n)
    if (noise)
        HSGD_FOR_EIGHTS(NOISY, dim);
    else
        HSGD_FOR_EIGHTS(PLAIN, dim);
#undef NOISY
#undef PLAIN
}

/* Rows whose noise is summed up in registers at the same time: with more of them there are more addresses than registers. */
enum { RECORDED_ROWS = 2 };

typedef struct recorded {
    double *w;
    size_t stride;
    const double *h, *const *b, *noise;
    double step_size;
    hsgd_step_record to;
    size_t ahead, dim;
} recorded;

HSGD_INLINE void recorded_eight(hsgd_sum8 *noise_sq, const recorded *r, size_t rows, size_t at, size_t count)
{
    const hsgd_sum8 h = hsgd_load8(r->h + at, count);
    hsgd_sum8 gradients = hsgd_load8(r->to.gradient + at, count), noises = hsgd_load8(r->to.noise + at, count);
    HSGD_UNROLL_ROWS for (size_t j = 0; j < rows; j++)
    {
        hsgd_sum8 w = hsgd_load8(r->w + j * r->stride + at, count), b = hsgd_load8(r->b[j] + at, count);
        hsgd_sum8 noise = hsgd_load8(r->noise + j * r->dim + at, count);
        __builtin_prefetch(r->b[j] + r->ahead + at, 0, 2);
        HSGD_UNROLL for (size_t p = 0; p < 8 / HSGD_LANES; p++)
        {
            hsgd_vd own = h.part[p] * w.part[p] - b.part[p], g = own + noise.part[p], xi = g - own;
            gradients.part[p] += own;
            noises.part[p] += xi;
            noise_sq[j].part[p] += xi * xi;
            w.part[p] -= r->step_size * g;
        }
        hsgd_store8(r->w + j * r->stride + at, &w, count);
    }
    hsgd_store8(r->to.gradient + at, &gradients, count);
    hsgd_store8(r->to.noise + at, &noises, count);
}

HSGD_INLINE void recorded_rows(recorded r, size_t rows)
{
    hsgd_sum8 noise_sq[RECORDED_ROWS] = {{{{0}}}};
    const double *b[RECORDED_ROWS]; /* nothing that is stored can be one of these */
    HSGD_UNROLL_ROWS for (size_t j = 0; j < rows; j++) b[j] = r.b[j];
    r.b = b;
#define BODY(at, n) recorded_eight(noise_sq, &r, rows, at, n)
    HSGD_FOR_EIGHTS(BODY, r.dim);
#undef BODY
    for (size_t j = 0; j < rows; j++)
        r.to.noise_sq[j] = hsgd_sum8_total(&noise_sq[j]);
}

static void recorded_steps(double *w, size_t stride, const double *h, const double *const *b, const double *noise,
                           size_t count, double step_size, const hsgd_step_record *record, size_t ahead, size_t dim)
{
    for (size_t j = 0, rows; j < count; j += rows) {
        const hsgd_step_record to = {record->gradient, record->noise, record->noise_sq + j};
        const recorded r = {w + j * stride, stride, h, b + j, noise + j * dim, step_size, to, ahead, dim};
        rows = j + RECORDED_ROWS <= count ? RECORDED_ROWS : 1;
        if (rows == RECORDED_ROWS)
            recorded_rows(r, RECORDED_ROWS);
        else
            recorded_rows(r, 1);
    }
}

typedef struct merge_parts {
    hsgd_sum8 deviation, shift, norm, loss;
} merge_parts;

/* Over the rows: sum b = count h w - sum x, so sum (h w/2 - b) = sum x - count h w/2. */
HSGD_INLINE void merge_eight(merge_parts *sums, double *mean, const double *h, const double *const *b, size_t rows,
                             size_t ahead, const double *w, double share, size_t at, size_t count)
{
    hsgd_sum8 curved = hsgd_load8(h + at, count), point = hsgd_load8(w + at, count),
              centre = hsgd_load8(mean + at, count);
    hsgd_sum8 shift = {0}, deviation = {0}, norm = {0};
    HSGD_UNROLL for (size_t p = 0; p < 8 / HSGD_LANES; p++) curved.part[p] *= point.part[p];
    for (size_t j = 0; j < rows; j++) {
        hsgd_sum8 linear = hsgd_load8(b[j] + at, count);
        __builtin_prefetch(b[j] + ahead + at, 0, 2);
        HSGD_UNROLL for (size_t p = 0; p < 8 / HSGD_LANES; p++)
        {
            hsgd_vd x = curved.part[p] - linear.part[p], step = x - centre.part[p];
            shift.part[p] += step;
            norm.part[p] += x * x;
            deviation.part[p] += step * step;
        }
    }
    HSGD_UNROLL for (size_t p = 0; p < 8 / HSGD_LANES; p++)
    {
        hsgd_vd sum = shift.part[p] + (double)rows * centre.part[p];
        sums->loss.part[p] += (sum - 0.5 * (double)rows * curved.part[p]) * point.part[p];
        sums->shift.part[p] += shift.part[p] * shift.part[p];
        sums->deviation.part[p] += deviation.part[p];
        sums->norm.part[p] += norm.part[p];
        centre.part[p] += share * shift.part[p];
    }
    hsgd_store8(mean + at, &centre, count);
}

static hsgd_rows_sums merge(double *mean, const double *h, const double *const *b, size_t count, const double *w,
                            double share, double *loss, size_t ahead, size_t dim)
{
    merge_parts sums = {{{{0}}}, {{{0}}}, {{{0}}}, {{{0}}}};
#define BODY(at, n) merge_eight(&sums, mean, h, b, count, ahead, w, share, at, n)
    HSGD_FOR_EIGHTS(BODY, dim);
#undef BODY
    *loss = hsgd_sum8_total(&sums.loss);
    return (hsgd_rows_sums){hsgd_sum8_total(&sums.deviation), hsgd_sum8_total(&sums.shift),
                            hsgd_sum8_total(&sums.norm)};
}

const hsgd_quadratic_kernels HSGD_ON_PATH(hsgd_quadratic_kernels) = {gradient, full,           noisy,
                                                                     step,     recorded_steps, merge};
