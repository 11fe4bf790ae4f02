/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "bounds/worst_problem_private.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <gsl/gsl_eigen.h>

/* Eigenvalues below this share of the largest one are dropped: far more than the solver's error would clutter the
 * coordinates, far less stands below the tolerance of the check. */
static const double SMALLEST_EIGENVALUE = 1e-9;

size_t hsgd_worst_problem_below(const hsgd_worst_problem *problem, size_t depth)
{
    size_t below = 1;
    for (size_t k = depth; k < problem->problem.num_levels; k++)
        below *= problem->fanout[k];
    return below;
}

double *hsgd_worst_problem_at(const hsgd_worst_problem *problem, double *vectors, size_t point, size_t worker)
{
    return vectors + (point * problem->num_workers + worker) * problem->dim;
}

/* ---- factors of the blocks ---- */

/* U_k (K, K_k): row by point, columns by falling eigenvalue, of which the first rank matter. */
typedef struct factors {
    double *u[HSGD_MAX_LEVELS + 1];
    double *eigenvalue[HSGD_MAX_LEVELS + 1];
} factors;

static void factors_free(factors *f)
{
    for (size_t k = 0; k <= HSGD_MAX_LEVELS; k++) {
        free(f->u[k]);
        free(f->eigenvalue[k]);
    }
}

/* The columns sqrt(eigenvalue) times eigenvector, spread over the points. */
static void set_factor(double *u, double *eigenvalue, const gsl_vector *values, const gsl_matrix *vectors,
                       const size_t *coordinate)
{
    size_t size = values->size;
    for (size_t i = 0; i < size; i++) {
        eigenvalue[i] = fmax(gsl_vector_get(values, i), 0);
        for (size_t a = 0; a < size; a++)
            u[coordinate[a] * size + i] = sqrt(eigenvalue[i]) * gsl_matrix_get(vectors, a, i);
    }
}

static hsgd_status factorise(factors *f, const hsgd_pep_result *result, size_t k, hsgd_error *err)
{
    const hsgd_pep_model *model = &result->model;
    size_t size = model->num_coordinates[k];
    f->u[k] = calloc(model->num_points * (size ? size : 1), sizeof *f->u[k]);
    f->eigenvalue[k] = calloc(size ? size : 1, sizeof *f->eigenvalue[k]);
    if (!f->u[k] || !f->eigenvalue[k])
        return hsgd_fail_memory(err, "the worst problem");
    if (!size)
        return HSGD_OK;
    gsl_matrix *gram = gsl_matrix_alloc(size, size), *vectors = gsl_matrix_alloc(size, size);
    gsl_vector *values = gsl_vector_alloc(size);
    gsl_eigen_symmv_workspace *work = gsl_eigen_symmv_alloc(size);
    hsgd_status status = HSGD_OK;
    if (!gram || !vectors || !values || !work)
        status = hsgd_fail_memory(err, "the worst problem");
    for (size_t i = 0; i < size * size && !status; i++)
        gsl_matrix_set(gram, i / size, i % size, result->gram[k][i]);
    if (!status && gsl_eigen_symmv(gram, values, vectors, work))
        status = hsgd_fail(err, HSGD_ERROR_NUMERIC, "the eigenvalues of block %zu of the worst problem", k);
    if (!status) {
        gsl_eigen_symmv_sort(values, vectors, GSL_EIGEN_SORT_VAL_DESC);
        set_factor(f->u[k], f->eigenvalue[k], values, vectors, model->coordinate[k]);
    }
    gsl_matrix_free(gram);
    gsl_matrix_free(vectors);
    gsl_vector_free(values);
    gsl_eigen_symmv_free(work);
    return status;
}

static hsgd_status factorise_all(factors *f, const hsgd_pep_result *result, hsgd_error *err)
{
    hsgd_status status = HSGD_OK;
    for (size_t k = 0; k <= result->model.problem.num_levels && !status; k++)
        status = factorise(f, result, k, err);
    return status;
}

/* ---- from factors to vectors ---- */

/* How many coordinates one column of U_k takes: 1 where +1 and -1 balance, else the plane of a polygon. */
static size_t width(const hsgd_worst_problem *problem, size_t k)
{
    return k == 0 || problem->fanout[k - 1] % 2 == 0 ? 1 : 2;
}

static void choose_ranks(hsgd_worst_problem *out, const factors *f, const hsgd_pep_model *model)
{
    double largest = 0;
    for (size_t k = 0; k <= out->problem.num_levels; k++)
        largest = fmax(largest, f->eigenvalue[k][0]);
    for (size_t k = 0; k <= out->problem.num_levels; k++) {
        size_t size = model->num_coordinates[k];
        for (out->rank[k] = 0; out->rank[k] < size; out->rank[k]++)
            if (f->eigenvalue[k][out->rank[k]] <= SMALLEST_EIGENVALUE * largest)
                break;
        out->dim += out->rank[k] * width(out, k);
    }
    out->dim += out->dim == 0; /* all gradients are 0: a coordinate in which nothing happens */
}

/* phi_k of the worker: unit vectors that add up to 0 over the children of a node. */
static void find_phase(double phase[2], const hsgd_worst_problem *problem, size_t k, size_t worker)
{
    size_t fanout = k ? problem->fanout[k - 1] : 1;
    size_t child = worker / hsgd_worst_problem_below(problem, k) % fanout;
    double angle = 2 * M_PI * (double)child / (double)fanout;
    bool on_a_line = width(problem, k) == 1;
    phase[0] = on_a_line ? (child % 2 ? -1 : 1) : cos(angle);
    phase[1] = on_a_line ? 0 : sin(angle);
}

static void set_gradients(hsgd_worst_problem *out, const factors *f, const hsgd_pep_model *model)
{
    double phase[2];
    for (size_t a = 0; a < out->num_points; a++)
        for (size_t j = 0; j < out->num_workers; j++) {
            double *g = hsgd_worst_problem_at(out, out->gradient, a, j);
            for (size_t k = 0; k <= out->problem.num_levels; k++) {
                const double *u = f->u[k] + a * model->num_coordinates[k];
                find_phase(phase, out, k, j);
                for (size_t i = 0; i < out->rank[k]; i++)
                    for (size_t side = 0; side < width(out, k); side++)
                        *g++ = phase[side] * u[i];
            }
        }
}

/* ---- the whole ---- */

static hsgd_status set_tree(hsgd_worst_problem *out, const hsgd_pep_result *result, const size_t *fanout,
                            hsgd_error *err)
{
    out->problem = result->model.problem;
    out->num_points = result->model.num_points;
    out->num_workers = 1;
    for (size_t k = 0; k < out->problem.num_levels; k++) {
        if (fanout[k] < 2)
            return hsgd_fail(err, HSGD_ERROR_INPUT, "fanout[%zu]: %zu; expected at least 2", k, fanout[k]);
        if (fanout[k] > HSGD_WORST_PROBLEM_MAX_NUMBERS / out->num_workers)
            return hsgd_fail(err, HSGD_ERROR_INPUT, "fanout[%zu]: %zu; too many workers for a worst problem", k,
                             fanout[k]);
        out->fanout[k] = fanout[k];
        out->num_workers *= fanout[k];
    }
    return HSGD_OK;
}

static hsgd_status allocate(hsgd_worst_problem *out, const hsgd_pep_result *result, hsgd_error *err)
{
    size_t numbers = out->num_points * out->dim;
    if (out->num_workers > HSGD_WORST_PROBLEM_MAX_NUMBERS / numbers)
        return hsgd_fail(err, HSGD_ERROR_INPUT,
                         "fanout: %zu workers with %zu points of dimension %zu; expected at most %zu workers",
                         out->num_workers, out->num_points, out->dim, HSGD_WORST_PROBLEM_MAX_NUMBERS / numbers);
    numbers *= out->num_workers;
    out->point = malloc(out->num_points * sizeof *out->point);
    out->function_value = malloc(out->num_points * sizeof *out->function_value);
    out->position = calloc(numbers, sizeof *out->position);
    out->gradient = calloc(numbers, sizeof *out->gradient);
    if (!out->point || !out->function_value || !out->position || !out->gradient)
        return hsgd_fail_memory(err, "the worst problem");
    memcpy(out->point, result->model.point, out->num_points * sizeof *out->point);
    memcpy(out->function_value, result->function_value, out->num_points * sizeof *out->function_value);
    return HSGD_OK;
}

static hsgd_status finish(hsgd_worst_problem *out, const hsgd_pep_result *result, hsgd_error *err)
{
    double *work = calloc(2 * out->num_workers * out->dim, sizeof *work);
    if (!work)
        return hsgd_fail_memory(err, "the worst problem");
    hsgd_worst_problem_run(out, work, work + out->num_workers * out->dim);
    hsgd_status status = hsgd_worst_problem_rotate(out, err);
    if (!status)
        hsgd_worst_problem_check(out, result->lower, work);
    free(work);
    return status;
}

hsgd_status hsgd_worst_problem_build(hsgd_worst_problem *out, const hsgd_pep_result *result, const size_t *fanout,
                                     hsgd_error *err)
{
    factors f = {0};
    memset(out, 0, sizeof *out);
    if (result->unbounded)
        return hsgd_fail(err, HSGD_ERROR_NUMERIC, "there is no finite worst case, and no worst problem");
    hsgd_status status = set_tree(out, result, fanout, err);
    if (!status)
        status = factorise_all(&f, result, err);
    if (!status)
        choose_ranks(out, &f, &result->model);
    if (!status)
        status = allocate(out, result, err);
    if (!status) {
        set_gradients(out, &f, &result->model);
        status = finish(out, result, err);
    }
    factors_free(&f);
    if (status)
        hsgd_worst_problem_free(out);
    return status;
}

void hsgd_worst_problem_free(hsgd_worst_problem *problem)
{
    if (!problem)
        return;
    free(problem->point);
    free(problem->position);
    free(problem->gradient);
    free(problem->function_value);
    memset(problem, 0, sizeof *problem);
}
