/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "bounds/ladder.h"

const hsgd_rung hsgd_rungs[HSGD_NUM_RUNGS] = {
    {"R0", "measured S", "", NULL},
    {"R1", "descent inequality", "A1 for f", NULL},
    {"R2", "negative term dropped", "gamma <= 1/L", NULL},
    {"R3", "drift error by dispersion", "A1, Jensen", NULL},
    {"R4", "f* and sigma^2", "A4, A2", NULL},
    {"R5", "dispersion by recursive bound", "A3', Minkowski", "hsgd-fixed-recursive"},
    {"R6", "sharpened closed form", "q < 1", "hsgd-fixed-sharp"},
    {"R7", "published closed form", "step-size limit", "hsgd-fixed"},
};

/* With the noise kept, the descent inequality along one path reads (THEORY 4.2a before taking expectations)
 *     S <= 2 (f(w^0) - f(wbar^T))/(gamma T) + gamma L ||xibar||^2 + ||grad f - Gbar||^2 - (1 - gamma L) ||Gbar||^2
 *          - 2 <grad f - gamma L Gbar, xibar>,   means over t. */
void hsgd_ladder_measured(double rung[HSGD_NUM_MEASURED_RUNGS], double step[HSGD_NUM_MEASURED_RUNGS],
                          const hsgd_ladder_terms *t)
{
    double gamma_l = t->step_size * t->smoothness, per_step = 2 / (t->step_size * t->steps);
    double products = -2 * (t->gradient_dot_noise - gamma_l * t->mean_gradient_dot_noise);
    double negative = (1 - gamma_l) * t->mean_gradient_sq;
    double dispersion = t->smoothness * (t->smoothness * t->dispersion); /* the square of L alone may overflow */
    rung[0] = t->S;
    double drop = per_step * t->loss_drop + gamma_l * t->mean_noise_sq + products;
    rung[1] = drop + t->drift_error_sq - negative;
    rung[2] = drop + t->drift_error_sq;
    rung[3] = drop + dispersion;
    rung[4] = per_step * (t->loss_drop + t->loss_left) + gamma_l * t->noise_sq * t->noise_share + dispersion;
    step[0] = 0;
    step[1] = rung[1] - rung[0];
    step[2] = negative;
    step[3] = dispersion - t->drift_error_sq;
    step[4] = per_step * t->loss_left + gamma_l * (t->noise_sq * t->noise_share - t->mean_noise_sq);
}
