/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "analysis/moments_private.h"

/* Sums over what is left after the last eight numbers go on in order. */

static double merge(double *mean, const double *vector, double share, double *norm_sq, size_t dim)
{
    hsgd_sum8 steps = {0}, norms = {0};
    double step_tail = 0, norm_tail = 0;
    size_t i = 0;
    for (; i + 8 <= dim; i += 8)
        HSGD_UNROLL for (size_t p = 0; p < 8 / HSGD_LANES; p++)
        {
            size_t at = i + p * HSGD_LANES;
            hsgd_vd x = hsgd_load(vector + at), centre = hsgd_load(mean + at), step = x - centre;
            hsgd_store(mean + at, centre + share * step);
            steps.part[p] += step * step;
            norms.part[p] += x * x;
        }
    for (; i < dim; i++) {
        double step = vector[i] - mean[i];
        mean[i] += share * step;
        step_tail += step * step;
        norm_tail += vector[i] * vector[i];
    }
    *norm_sq = hsgd_sum8_total(&norms) + norm_tail;
    return hsgd_sum8_total(&steps) + step_tail;
}

static double dot(const double *x, const double *y, size_t dim)
{
    hsgd_sum8 sum = {0};
    double tail = 0;
    size_t i = 0;
    for (; i + 8 <= dim; i += 8)
        hsgd_sum8_dot(&sum, x + i, y + i);
    for (; i < dim; i++)
        tail += x[i] * y[i];
    return hsgd_sum8_total(&sum) + tail;
}

static double norm_sq(const double *x, size_t dim)
{
    return dot(x, x, dim);
}

static double distance_sq(const double *x, const double *y, size_t dim)
{
    hsgd_sum8 sum = {0};
    double tail = 0;
    size_t i = 0;
    for (; i + 8 <= dim; i += 8)
        HSGD_UNROLL for (size_t p = 0; p < 8 / HSGD_LANES; p++)
        {
            hsgd_vd step = hsgd_load(x + i + p * HSGD_LANES) - hsgd_load(y + i + p * HSGD_LANES);
            sum.part[p] += step * step;
        }
    for (; i < dim; i++)
        tail += (x[i] - y[i]) * (x[i] - y[i]);
    return hsgd_sum8_total(&sum) + tail;
}

static void subtract(double *w, const double *x, double scale, size_t dim)
{
    size_t i = 0;
    for (; i + HSGD_LANES <= dim; i += HSGD_LANES)
        hsgd_store(w + i, hsgd_load(w + i) - scale * hsgd_load(x + i));
    for (; i < dim; i++)
        w[i] -= scale * x[i];
}

static void difference(double *out, const double *x, const double *y, size_t dim)
{
    size_t i = 0;
    for (; i + HSGD_LANES <= dim; i += HSGD_LANES)
        hsgd_store(out + i, hsgd_load(x + i) - hsgd_load(y + i));
    for (; i < dim; i++)
        out[i] = x[i] - y[i];
}

static void add(double *sum, const double *x, double weight, size_t dim)
{
    size_t i = 0;
    for (; i + HSGD_LANES <= dim; i += HSGD_LANES)
        hsgd_store(sum + i, hsgd_load(sum + i) + weight * hsgd_load(x + i));
    for (; i < dim; i++)
        sum[i] += weight * x[i];
}

static hsgd_pair_sums pair(const double *a, const double *grad_a, const double *b, const double *grad_b, size_t dim)
{
    hsgd_sum8 distance = {0}, change = {0}, size = {0}, grad_size = {0};
    hsgd_pair_sums tail = {0, 0, 0, 0};
    size_t i = 0;
    for (; i + 8 <= dim; i += 8)
        HSGD_UNROLL for (size_t p = 0; p < 8 / HSGD_LANES; p++)
        {
            size_t at = i + p * HSGD_LANES;
            hsgd_vd x = hsgd_load(a + at), g = hsgd_load(grad_a + at);
            hsgd_vd step = x - hsgd_load(b + at), turn = g - hsgd_load(grad_b + at);
            distance.part[p] += step * step;
            change.part[p] += turn * turn;
            size.part[p] += x * x;
            grad_size.part[p] += g * g;
        }
    for (; i < dim; i++) {
        double step = a[i] - b[i], turn = grad_a[i] - grad_b[i];
        tail.distance_sq += step * step;
        tail.change_sq += turn * turn;
        tail.size_sq += a[i] * a[i];
        tail.grad_size_sq += grad_a[i] * grad_a[i];
    }
    return (hsgd_pair_sums){hsgd_sum8_total(&distance) + tail.distance_sq, hsgd_sum8_total(&change) + tail.change_sq,
                            hsgd_sum8_total(&size) + tail.size_sq, hsgd_sum8_total(&grad_size) + tail.grad_size_sq};
}

const hsgd_moments_kernels HSGD_ON_PATH(hsgd_moments_kernels) = {.merge = merge,
                                                                 .norm_sq = norm_sq,
                                                                 .dot = dot,
                                                                 .distance_sq = distance_sq,
                                                                 .subtract = subtract,
                                                                 .difference = difference,
                                                                 .add = add,
                                                                 .pair = pair};
