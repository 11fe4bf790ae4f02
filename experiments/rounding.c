/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "experiments/rounding_private.h"

#include <math.h>

#include "analysis/moments.h"

/* What is 0 in exact arithmetic comes out as about this share of the numbers it was computed from. */
static const double ROUNDING = 1e-14;

/* The same for a difference of two losses. */
static const double LOSS_ROUNDING = 1e-15;

void hsgd_magnitude_extend(hsgd_magnitude *magnitude, const hsgd_experiment *e, const hsgd_summary *s, size_t row)
{
    double gradient = sqrt(s->grad_norm_sq[row].mean), dispersion = 0;
    for (size_t k = 0; k < s->num_levels; k++)
        dispersion += s->dispersion[row * s->num_levels + k].mean;
    magnitude->travelled +=
        e->step_size * (double)e->config->measure_every * (gradient + e->constants.smoothness.value * sqrt(dispersion));
    magnitude->gradient = fmax(magnitude->gradient, gradient);
    magnitude->loss = fmax(magnitude->loss, fabs(s->loss[row].mean));
}

static double initial_norm(const hsgd_experiment *e)
{
    return sqrt(hsgd_norm_sq(e->problem->initial, e->problem->objective.dim));
}

/* 0 in place of what a diverged run makes of it. */
static double finite_or_0(double value)
{
    return isfinite(value) ? value : 0;
}

double hsgd_rounding_of_models_sq(const hsgd_experiment *e, const hsgd_magnitude *magnitude)
{
    double error = finite_or_0(ROUNDING * (initial_norm(e) + magnitude->travelled));
    return error * error;
}

double hsgd_rounding_of_gradients_sq(const hsgd_experiment *e, const hsgd_run *run)
{
    hsgd_magnitude m = {0, 0, fabs(finite_or_0(e->constants.minimum.value))};
    for (size_t row = 0; row < run->summary.num_rows; row++)
        hsgd_magnitude_extend(&m, e, &run->summary, row);
    double error = ROUNDING * (e->constants.smoothness.value * (initial_norm(e) + m.travelled) + m.gradient);
    return finite_or_0(error * error + 2 * LOSS_ROUNDING * m.loss / (e->step_size * (double)e->config->steps));
}

/* Its terms are as large as the gradient, as L times the models, and as the gradients of single samples, of which the noise
 * bound knows the size. */
double hsgd_rounding_of_worker_gradients(const hsgd_experiment *e)
{
    const hsgd_summary *s = &e->run[HSGD_RUN_MAIN].summary;
    hsgd_magnitude m = {0, 0, 0};
    double worker_sq = 0;
    for (size_t row = 0; row < s->num_rows; row++) {
        double divergence = 0;
        for (size_t k = 0; k < s->num_levels; k++)
            divergence += s->divergence[row * s->num_levels + k].mean;
        worker_sq = fmax(worker_sq, (double)s->num_workers * divergence); /* one worker may have it all */
        hsgd_magnitude_extend(&m, e, s, row);
    }
    double size = e->constants.smoothness.value * (initial_norm(e) + m.travelled) + m.gradient + sqrt(worker_sq) +
                  sqrt(e->constants.noise_sq.value);
    return finite_or_0(10 * ROUNDING * size);
}
