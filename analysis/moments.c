/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "analysis/moments.h"

/* Sums run in this many interleaved lanes that are added pairwise at the end: compilers turn the lanes into vector
 * registers without being allowed to reorder anything, so every build gives the same bits. */
enum { LANES = 8 };

static double add_lanes(const double lane[LANES])
{
    return ((lane[0] + lane[4]) + (lane[1] + lane[5])) + ((lane[2] + lane[6]) + (lane[3] + lane[7]));
}

void hsgd_moments_reset(hsgd_moments *moments)
{
    moments->weight = 0;
    moments->spread = 0;
}

/* The first vector becomes the mean. After that, with W the weight so far and w the new one,
 *     mean += (w/(W + w)) (x - mean),   spread += (W w/(W + w)) ||x - mean_before||^2. */
void hsgd_moments_add(hsgd_moments *moments, double weight, const double *vector, double spread, size_t dim)
{
    double *restrict mean = moments->mean;
    if (moments->weight == 0) {
        for (size_t i = 0; i < dim; i++)
            mean[i] = vector[i];
        moments->weight = weight;
        moments->spread = spread;
        return;
    }
    double total = moments->weight + weight, share = weight / total, lane[LANES] = {0}, tail = 0;
    size_t i = 0;
    for (; i + LANES <= dim; i += LANES)
        for (size_t l = 0; l < LANES; l++) {
            double step = vector[i + l] - mean[i + l];
            mean[i + l] += share * step;
            lane[l] += step * step;
        }
    for (; i < dim; i++) {
        double step = vector[i] - mean[i];
        mean[i] += share * step;
        tail += step * step;
    }
    moments->spread += spread + moments->weight * share * (add_lanes(lane) + tail);
    moments->weight = total;
}

double hsgd_moments_dispersion(const hsgd_moments *moments)
{
    return moments->weight > 0 ? moments->spread / moments->weight : 0;
}

double hsgd_norm_sq(const double *x, size_t dim)
{
    double lane[LANES] = {0}, tail = 0;
    size_t i = 0;
    for (; i + LANES <= dim; i += LANES)
        for (size_t l = 0; l < LANES; l++)
            lane[l] += x[i + l] * x[i + l];
    for (; i < dim; i++)
        tail += x[i] * x[i];
    return add_lanes(lane) + tail;
}

double hsgd_distance_sq(const double *x, const double *y, size_t dim)
{
    double lane[LANES] = {0}, tail = 0;
    size_t i = 0;
    for (; i + LANES <= dim; i += LANES)
        for (size_t l = 0; l < LANES; l++)
            lane[l] += (x[i + l] - y[i + l]) * (x[i + l] - y[i + l]);
    for (; i < dim; i++)
        tail += (x[i] - y[i]) * (x[i] - y[i]);
    return add_lanes(lane) + tail;
}
