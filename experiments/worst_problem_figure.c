/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A worst problem as a figure. */
#include "plots/worst_problem.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "experiments/folder.h"
#include "experiments/pep_written.h"

static const double *row_of(const hsgd_worst_problem *p, const double *vectors, size_t point, size_t worker)
{
    return vectors + (point * p->num_workers + worker) * p->dim;
}

/* The first and the last point of a step: wbar^t, and the workers' own models. After the last step only the average is
 * known, which all models are if the root has just averaged. */
static size_t points_of(const hsgd_worst_problem *p, size_t step, size_t *own)
{
    size_t first = 0;
    while (p->point[first].step < step)
        first++;
    for (*own = first; *own + 1 < p->num_points && p->point[*own + 1].step == step;)
        ++*own;
    return first;
}

static double mean_gradient_sq(const hsgd_worst_problem *p, size_t point)
{
    double sum_sq = 0;
    for (size_t i = 0; i < p->dim; i++) {
        double mean = 0;
        for (size_t j = 0; j < p->num_workers; j++)
            mean += row_of(p, p->gradient, point, j)[i] / (double)p->num_workers;
        sum_sq += mean * mean;
    }
    return sum_sq;
}

static void set_two(double *out, const hsgd_worst_problem *p, const double *x)
{
    out[0] = x[0];
    out[1] = p->dim > 1 ? x[1] : 0;
}

/* model (T + 1, n, 2), mean (T + 1, 2), grad_norm_sq (T + 1). */
static void fill(double *model, double *mean, double *grad_norm_sq, const hsgd_worst_problem *p)
{
    size_t steps = p->problem.steps, own;
    bool together = p->problem.num_levels == 0 || steps % p->problem.periods[0] == 0;
    for (size_t t = 0; t <= steps; t++) {
        size_t first = points_of(p, t, &own);
        set_two(mean + 2 * t, p, row_of(p, p->position, first, 0));
        grad_norm_sq[t] = mean_gradient_sq(p, first);
        for (size_t j = 0; j < p->num_workers; j++) {
            double *out = model + 2 * (t * p->num_workers + j);
            set_two(out, p, row_of(p, p->position, own, j));
            if (t == steps && !together)
                out[0] = out[1] = NAN;
        }
    }
}

static hsgd_status write_figure(const hsgd_worst_problem *p, double *numbers, const char *dir, hsgd_error *err)
{
    size_t rows = p->problem.steps + 1;
    double *mean = numbers + 2 * rows * p->num_workers, *grad_norm_sq = mean + 2 * rows;
    fill(numbers, mean, grad_norm_sq, p);
    const hsgd_worst_problem_figure_input input = {.num_workers = p->num_workers,
                                                   .num_groups = p->problem.num_levels ? p->fanout[0] : 1,
                                                   .num_levels = p->problem.num_levels,
                                                   .periods = p->problem.periods,
                                                   .steps = p->problem.steps,
                                                   .step_size = p->problem.step_size,
                                                   .smoothness = p->problem.smoothness,
                                                   .minimum = p->problem.criterion == HSGD_PEP_MIN,
                                                   .lower_bound = p->problem.gap == HSGD_PEP_LOWER_BOUND,
                                                   .value = p->criterion,
                                                   .model = numbers,
                                                   .mean = mean,
                                                   .grad_norm_sq = grad_norm_sq};
    const hsgd_figure_style style = hsgd_figure_default_style();
    hsgd_status status = hsgd_worst_problem_figure_write(&input, dir, &style, err);
    return status ? status : hsgd_figure_render(dir, hsgd_worst_problem_figure_name, err);
}

hsgd_status hsgd_worst_problem_draw(const hsgd_worst_problem *problem, const char *dir, hsgd_error *err)
{
    int lock;
    hsgd_status status = hsgd_folder_make(dir, err);
    if (!status)
        status = hsgd_folder_lock(&lock, dir, err);
    if (status)
        return status;
    hsgd_folder_sweep(dir);
    double *numbers = malloc((problem->problem.steps + 1) * (2 * problem->num_workers + 3) * sizeof *numbers);
    status = numbers ? write_figure(problem, numbers, dir, err) : hsgd_fail_memory(err, "the data of a figure");
    free(numbers);
    hsgd_folder_unlock(lock);
    return status;
}
