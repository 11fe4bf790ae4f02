/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "experiments/interval.h"

hsgd_interval hsgd_interval_of(hsgd_estimate estimate, double confidence, double checks)
{
    double alone = hsgd_half_width(estimate, confidence, 1), joint = hsgd_half_width(estimate, confidence, checks);
    return (hsgd_interval){estimate, estimate.mean - alone, estimate.mean + alone, estimate.mean - joint,
                           estimate.mean + joint};
}
