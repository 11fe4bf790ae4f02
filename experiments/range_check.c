/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "experiments/range_check.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>

#include "analysis/moments.h"

/* What is too small; NULL: nothing. */
static const char *find_lost_square(double size_sq, double step_size)
{
    double size = sqrt(size_sq);
    if (size_sq < DBL_MIN)
        return "squared gradients at the initial point";
    if (step_size * size < sqrt(DBL_MIN))
        return "squared distances between models";
    return step_size * size * size < DBL_MIN ? "differences of f" : NULL;
}

/* Products with the curvature, which may be lost like squares, leave no gradient. */
static bool loses_products(const hsgd_problem *problem, const hsgd_constants *constants)
{
    double largest = 0, smoothness = constants->smoothness.value;
    for (size_t i = 0; i < problem->objective.dim; i++)
        largest = fmax(largest, fabs(problem->initial[i]));
    return largest > 0 && smoothness > 0 && smoothness * largest < DBL_MIN;
}

static bool has_entry(const double *vector, size_t dim)
{
    for (size_t i = 0; i < dim; i++)
        if (vector[i] != 0)
            return true;
    return false;
}

/* At w^0: *mean_sq of ||grad F_j||^2 over the workers, and whether any of them has an entry that is not 0. */
static hsgd_status find_gradients(double *mean_sq, bool *any, const hsgd_problem *problem, size_t batch_size,
                                  hsgd_error *err)
{
    const hsgd_objective *objective = &problem->objective;
    double *grad = malloc((objective->dim + 1) * sizeof *grad), loss;
    double *scratch = malloc((objective->type->scratch_size(objective, batch_size) + 1) * sizeof *scratch);
    hsgd_status status = grad && scratch ? HSGD_OK : hsgd_fail_memory(err, "a gradient");
    *mean_sq = *any = 0;
    for (size_t j = 0; !status && j < objective->num_workers; j++) {
        objective->type->full(objective, problem->initial, &j, 1, &loss, grad, scratch);
        *mean_sq += (hsgd_norm_sq(grad, objective->dim) - *mean_sq) / (double)(j + 1);
        *any = *any || has_entry(grad, objective->dim);
    }
    free(grad);
    free(scratch);
    return status;
}

hsgd_status hsgd_range_check(const hsgd_problem *problem, const hsgd_constants *constants, size_t batch_size,
                             double step_size, double gradients_sq, hsgd_error *err)
{
    const char *lost = find_lost_square(gradients_sq + constants->noise_sq.value, step_size);
    bool moves = constants->noise_sq.value > 0 || loses_products(problem, constants);
    hsgd_status status = lost && !moves ? find_gradients(&gradients_sq, &moves, problem, batch_size, err) : HSGD_OK;
    if (status || !lost || !moves)
        return status;
    return hsgd_fail(err, HSGD_ERROR_INPUT,
                     "problem: %s are below %.2g, where floating-point numbers lose their digits; use other units",
                     lost, DBL_MIN);
}

hsgd_status hsgd_range_check_start(const hsgd_problem *problem, const hsgd_constants *constants, size_t batch_size,
                                   double step_size, hsgd_error *err)
{
    double gradients_sq;
    bool any;
    hsgd_status status = find_gradients(&gradients_sq, &any, problem, batch_size, err);
    return status ? status : hsgd_range_check(problem, constants, batch_size, step_size, gradients_sq, err);
}
