/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "analysis/moments.h"

#include <string.h>

#include "analysis/moments_private.h"

void hsgd_moments_reset(hsgd_moments *moments)
{
    moments->weight = 0;
    moments->spread = 0;
}

/* The first vector becomes the mean. After that, with W the weight so far and w the new one,
 *     mean += (w/(W + w)) (x - mean),   spread += (W w/(W + w)) ||x - mean_before||^2. */
double hsgd_moments_add_row(hsgd_moments *moments, double weight, const double *vector, double spread, size_t dim)
{
    const hsgd_moments_kernels *kernels = HSGD_PICK_PATH(hsgd_moments_kernels);
    if (moments->weight == 0) {
        memcpy(moments->mean, vector, dim * sizeof *vector);
        moments->weight = weight;
        moments->spread = spread;
        return kernels->norm_sq(vector, dim);
    }
    double total = moments->weight + weight, share = weight / total, norm_sq;
    double step_sq = kernels->merge(moments->mean, vector, share, &norm_sq, dim);
    moments->spread += spread + moments->weight * share * step_sq;
    moments->weight = total;
    return norm_sq;
}

/* With c the mean so far (at first the first vector), d = x - c, and W the weight afterwards: the mean moves by the sum of d
 * over W, and the spread grows by sum ||d||^2 - ||sum d||^2/W. The second term is at most (W - 1)/W of the first at the
 * beginning and less later, so at most log2 W bits are lost, 3 for eight vectors. */
double hsgd_moments_share(const hsgd_moments *moments, size_t count)
{
    return 1 / (moments->weight + (double)count);
}

void hsgd_moments_add_sums(hsgd_moments *moments, const hsgd_rows_sums *sums, size_t count)
{
    moments->spread += sums->deviation_sq - hsgd_moments_share(moments, count) * sums->shift_sq;
    moments->weight += (double)count;
}

double hsgd_moments_add_rows(hsgd_moments *moments, const double *row, size_t stride, size_t count, size_t dim)
{
    if (count == 0)
        return 0;
    if (moments->weight == 0)
        memcpy(moments->mean, row, dim * sizeof *row);
    double share = hsgd_moments_share(moments, count);
    hsgd_rows_sums sums =
        HSGD_PICK_PATH(hsgd_moments_kernels)->merge_rows(moments->mean, row, stride, count, share, dim);
    hsgd_moments_add_sums(moments, &sums, count);
    return sums.norm_sq;
}

void hsgd_moments_add(hsgd_moments *moments, double weight, const double *vector, double spread, size_t dim)
{
    hsgd_moments_add_row(moments, weight, vector, spread, dim);
}

double hsgd_moments_dispersion(const hsgd_moments *moments)
{
    return moments->weight > 0 ? moments->spread / moments->weight : 0;
}

double hsgd_norm_sq(const double *x, size_t dim)
{
    return HSGD_PICK_PATH(hsgd_moments_kernels)->norm_sq(x, dim);
}

double hsgd_dot(const double *x, const double *y, size_t dim)
{
    return HSGD_PICK_PATH(hsgd_moments_kernels)->dot(x, y, dim);
}

double hsgd_distance_sq(const double *x, const double *y, size_t dim)
{
    return HSGD_PICK_PATH(hsgd_moments_kernels)->distance_sq(x, y, dim);
}
