/* SPDX-License-Identifier: GPL-3.0-or-later */
/* H-SGD on a worst problem, worker by worker, and the turn into leading directions. */
#include "bounds/worst_problem_private.h"

#include <math.h>
#include <string.h>

#include <gsl/gsl_eigen.h>

void hsgd_worst_problem_average(double *vectors, const hsgd_worst_problem *problem, size_t depth)
{
    size_t below = hsgd_worst_problem_below(problem, depth), dim = problem->dim;
    for (size_t first = 0; first < problem->num_workers; first += below)
        for (size_t i = 0; i < dim; i++) {
            double sum = 0;
            for (size_t j = first; j < first + below; j++)
                sum += vectors[j * dim + i];
            for (size_t j = first; j < first + below; j++)
                vectors[j * dim + i] = sum / (double)below;
        }
}

static double distance_sq(const double *x, const double *y, size_t size)
{
    double sum = 0;
    for (size_t i = 0; i < size; i++)
        sum += (x[i] - y[i]) * (x[i] - y[i]);
    return sum;
}

/* Means of all depths: those that have a point of their own are kept there, the others must equal one that has. Returns the
 * point of the workers' own models. */
static size_t keep_means(hsgd_worst_problem *p, const double *models, double *mean, size_t first, double *error_sq)
{
    size_t size = p->num_workers * p->dim, point = first, step = p->point[first].step;
    for (size_t depth = 0; depth <= p->problem.num_levels; depth++) {
        bool has_next = point + 1 < p->num_points && p->point[point + 1].step == step;
        memcpy(mean, models, size * sizeof *mean);
        hsgd_worst_problem_average(mean, p, depth);
        if (has_next && p->point[point + 1].depth == depth)
            point++;
        double *kept = hsgd_worst_problem_at(p, p->position, point, 0);
        if (p->point[point].depth == depth)
            memcpy(kept, mean, size * sizeof *mean);
        else if (step < p->problem.steps)
            *error_sq = fmax(*error_sq, distance_sq(kept, mean, size) / (double)p->num_workers);
    }
    return point;
}

/* The topmost nodes whose period divides the number of updates average (THEORY 1). */
static void aggregate(double *models, const hsgd_worst_problem *p, size_t updates)
{
    for (size_t depth = 0; depth < p->problem.num_levels; depth++)
        if (updates % p->problem.periods[depth] == 0) {
            hsgd_worst_problem_average(models, p, depth);
            return;
        }
}

void hsgd_worst_problem_run(hsgd_worst_problem *p, double *models, double *mean)
{
    size_t size = p->num_workers * p->dim, point = 0;
    double error_sq = 0, largest_sq = 0;
    memset(models, 0, size * sizeof *models);
    for (size_t t = 0; t <= p->problem.steps; t++) {
        size_t own = keep_means(p, models, mean, point, &error_sq);
        for (size_t j = 0; j < p->num_workers; j++) {
            const double *g = hsgd_worst_problem_at(p, p->gradient, own, j);
            double zero = 0, norm_sq = 0;
            for (size_t i = 0; i < p->dim; i++) {
                norm_sq += distance_sq(&models[j * p->dim + i], &zero, 1);
                models[j * p->dim + i] -= p->problem.step_size * g[i];
            }
            largest_sq = fmax(largest_sq, norm_sq);
        }
        aggregate(models, p, t + 1);
        point = own + 1;
    }
    p->model_error = largest_sq > 0 ? sqrt(error_sq / largest_sq) : 0;
}

/* ---- leading directions ---- */

/* Sum of x x' over the workers' models, less their mean: where they spread. */
static void add_scatter(gsl_matrix *scatter, const hsgd_worst_problem *p)
{
    gsl_matrix_set_zero(scatter);
    size_t count = p->num_points * p->num_workers;
    for (size_t i = 0; i < p->dim; i++)
        for (size_t k = 0; k <= i; k++) {
            double mean_i = 0, mean_k = 0, sum = 0;
            for (size_t m = 0; m < count; m++) {
                mean_i += p->position[m * p->dim + i] / (double)count;
                mean_k += p->position[m * p->dim + k] / (double)count;
            }
            for (size_t m = 0; m < count; m++)
                sum += (p->position[m * p->dim + i] - mean_i) * (p->position[m * p->dim + k] - mean_k);
            gsl_matrix_set(scatter, i, k, sum);
            gsl_matrix_set(scatter, k, i, sum);
        }
}

static void turn(double *vectors, size_t count, const gsl_matrix *directions, double *work)
{
    size_t dim = directions->size1;
    for (size_t m = 0; m < count; m++) {
        double *x = vectors + m * dim;
        for (size_t i = 0; i < dim; i++) {
            work[i] = 0;
            for (size_t k = 0; k < dim; k++)
                work[i] += gsl_matrix_get(directions, k, i) * x[k];
        }
        memcpy(x, work, dim * sizeof *work);
    }
}

/* Directions have no sign: let the first worker go forwards where it is farthest out. */
static void orient(hsgd_worst_problem *p)
{
    for (size_t i = 0; i < p->dim; i++) {
        double farthest = 0;
        for (size_t a = 0; a < p->num_points; a++) {
            double x = hsgd_worst_problem_at(p, p->position, a, 0)[i];
            farthest = fabs(x) > fabs(farthest) ? x : farthest;
        }
        for (size_t m = 0; m < p->num_points * p->num_workers && farthest < 0; m++) {
            p->position[m * p->dim + i] *= -1;
            p->gradient[m * p->dim + i] *= -1;
        }
    }
}

hsgd_status hsgd_worst_problem_rotate(hsgd_worst_problem *p, hsgd_error *err)
{
    gsl_matrix *scatter = gsl_matrix_alloc(p->dim, p->dim), *directions = gsl_matrix_alloc(p->dim, p->dim);
    gsl_vector *values = gsl_vector_alloc(p->dim);
    gsl_eigen_symmv_workspace *work = gsl_eigen_symmv_alloc(p->dim);
    hsgd_status status = HSGD_OK;
    if (!scatter || !directions || !values || !work)
        status = hsgd_fail_memory(err, "the directions of the worst problem");
    if (!status) {
        add_scatter(scatter, p);
        if (gsl_eigen_symmv(scatter, values, directions, work))
            status = hsgd_fail(err, HSGD_ERROR_NUMERIC, "the directions of the worst problem");
    }
    if (!status) {
        gsl_eigen_symmv_sort(values, directions, GSL_EIGEN_SORT_VAL_DESC);
        turn(p->position, p->num_points * p->num_workers, directions, values->data);
        turn(p->gradient, p->num_points * p->num_workers, directions, values->data);
        orient(p);
    }
    gsl_matrix_free(scatter);
    gsl_matrix_free(directions);
    gsl_vector_free(values);
    gsl_eigen_symmv_free(work);
    return status;
}
