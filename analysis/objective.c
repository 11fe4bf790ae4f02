/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "analysis/objective.h"

#include <string.h>

void hsgd_objective_free(hsgd_objective *objective)
{
    if (!objective)
        return;
    if (objective->type && objective->type->free)
        objective->type->free(objective->state);
    memset(objective, 0, sizeof *objective);
}

void hsgd_objective_begin_rows(const hsgd_objective *objective, const double *from, double *w, size_t stride,
                               size_t count)
{
    for (size_t j = 0; from && j < count; j++)
        memcpy(w + j * stride, from, objective->dim * sizeof *w);
}

void hsgd_objective_full_at(const hsgd_objective *objective, const double *const *point, size_t num_points,
                            const size_t *worker, size_t count, double *loss, double *grad, double *scratch)
{
    if (objective->type->full_at) {
        objective->type->full_at(objective, point, num_points, worker, count, loss, grad, scratch);
        return;
    }
    for (size_t i = 0; i < count * num_points; i++) {
        double unwanted;
        objective->type->full(objective, point[i], worker + i / num_points, 1, loss ? loss + i : &unwanted,
                              grad + i * objective->dim, scratch);
    }
}

void hsgd_objective_stochastic_rows(const hsgd_objective *objective, const double *point, size_t stride,
                                    const size_t *worker, size_t count, size_t batch_size, uint64_t seed, uint64_t step,
                                    double *grad, double *scratch)
{
    size_t dim = objective->dim;
    if (objective->type->stochastic_rows) {
        objective->type->stochastic_rows(objective, point, stride, worker, count, batch_size, seed, step, grad,
                                         scratch);
        return;
    }
    for (size_t j = 0; j < count; j++)
        objective->type->stochastic(objective, point + j * stride, worker[j], batch_size, seed, step, grad + j * dim,
                                    scratch);
}
