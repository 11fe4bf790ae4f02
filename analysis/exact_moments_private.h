/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the two kinds of exact moments share. */
#ifndef HSGD_ANALYSIS_EXACT_MOMENTS_PRIVATE_H
#define HSGD_ANALYSIS_EXACT_MOMENTS_PRIVATE_H

#include "analysis/exact_moments.h"

/* Zeroed arrays for so many steps and levels; hsgd_exact_free also where it fails. */
hsgd_status hsgd_exact_allocate(hsgd_exact *out, size_t steps, size_t num_levels, hsgd_error *err);

/* hsgd_exact_moments of a quadratic whose workers have curvatures of their own. */
hsgd_status hsgd_exact_moments_own(hsgd_exact *out, const hsgd_quadratic *quadratic, const hsgd_hierarchy *h,
                                   const double *initial, double step_size, size_t steps, hsgd_error *err);

#endif
