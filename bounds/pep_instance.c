/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A worst instance, recomputed from the solver's Gram matrices (THEORY 11): a lower value that needs no trust in it.
 *
 * Negative eigenvalues are cut off. Function values are then a shortest-path problem: F_b <= F_a - Q(a,b) for all pairs
 * and F_0 = 0 has a solution exactly when no cycle gains, and the largest one makes the initial gap smallest. Where a
 * cycle gains a little, the matrices are mixed with those of an interior point, a rough solution of an earlier program
 * that satisfies every inequality with room. At last all of it is scaled down until the gap and the divergences are within their bounds. */
#include "bounds/pep_private.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <gsl/gsl_eigen.h>

/* ---- interpolation values ---- */

/* Position of point a times the block: row (K_k) = <x_a, d_j> for every row j. */
static void position_products(double *row, const hsgd_pep_model *model, const double *gram, size_t a, size_t block)
{
    size_t size = model->num_coordinates[block];
    hsgd_pep_range steps = hsgd_pep_position(model, a, block);
    memset(row, 0, size * sizeof *row);
    for (size_t tau = steps.begin; tau < steps.end; tau++) {
        size_t i = model->slot[block][hsgd_pep_point_at(model, tau, model->problem.num_levels)];
        for (size_t j = 0; i != HSGD_PEP_NONE && j < size; j++)
            row[j] -= model->problem.step_size * gram[i * size + j];
    }
}

/* <x_a, x_b> from the products of a. */
static double position_product(const double *row, const hsgd_pep_model *model, size_t b, size_t block)
{
    hsgd_pep_range steps = hsgd_pep_position(model, b, block);
    double sum = 0;
    for (size_t tau = steps.begin; tau < steps.end; tau++) {
        size_t i = model->slot[block][hsgd_pep_point_at(model, tau, model->problem.num_levels)];
        if (i != HSGD_PEP_NONE)
            sum -= model->problem.step_size * row[i];
    }
    return sum;
}

/* All products of one block: of gradients and positions, gx[a][b] = <d_a, x_b>, (K, K) each. */
typedef struct products {
    double *gg, *gx, *xx, *row;
} products;

static void fill_products(products *p, const hsgd_pep_model *model, const double *gram, size_t block)
{
    size_t points = model->num_points, size = model->num_coordinates[block];
    const size_t *slot = model->slot[block];
    for (size_t b = 0; b < points; b++) {
        position_products(p->row, model, gram, b, block);
        for (size_t a = 0; a < points; a++) {
            bool both = slot[a] != HSGD_PEP_NONE && slot[b] != HSGD_PEP_NONE;
            p->gg[a * points + b] = both ? gram[slot[a] * size + slot[b]] : 0;
            p->gx[a * points + b] = slot[a] == HSGD_PEP_NONE ? 0 : p->row[slot[a]];
            p->xx[a * points + b] = position_product(p->row, model, a, block);
        }
    }
}

static void add_block(double *value, const products *p, size_t points, double smoothness)
{
    for (size_t a = 0; a < points; a++)
        for (size_t b = 0; b < points; b++) {
            size_t aa = a * points + a, ab = a * points + b, ba = b * points + a, bb = b * points + b;
            value[ab] += (p->gx[aa] - p->gx[ab] + p->gx[ba] - p->gx[bb]) / 2 +
                         (p->gg[aa] - 2 * p->gg[ab] + p->gg[bb]) / (4 * smoothness) -
                         smoothness / 4 * (p->xx[aa] - 2 * p->xx[ab] + p->xx[bb]);
        }
}

hsgd_status hsgd_pep_interpolation_values(double *value, const hsgd_pep_model *model, double *const *gram,
                                          hsgd_error *err)
{
    size_t points = model->num_points, all = points * points;
    products p = {calloc(all, sizeof(double)), calloc(all, sizeof(double)), calloc(all, sizeof(double)),
                  calloc(points, sizeof(double))};
    bool complete = p.gg && p.gx && p.xx && p.row;
    memset(value, 0, all * sizeof *value);
    for (size_t k = 0; complete && k <= model->problem.num_levels; k++)
        if (model->num_coordinates[k]) {
            fill_products(&p, model, gram[k], k);
            add_block(value, &p, points, model->problem.smoothness);
        }
    free(p.gg);
    free(p.gx);
    free(p.xx);
    free(p.row);
    return complete ? HSGD_OK : hsgd_fail_memory(err, "the interpolation inequalities");
}

/* ---- function values ---- */

/* Longest changes that still count as rounding. */
static const double rounding = 1e-15;

/* The largest F (K) with F_0 = 0 and F_b <= F_a - q(a,b), q = (1 - mix) value + mix interior (Bellman and Ford); false if a
 * cycle gains. */
static bool find_function_values(double *f, const double *value, const double *interior, double mix, size_t points)
{
    bool changed = true;
    for (size_t a = 0; a < points; a++)
        f[a] = a ? INFINITY : 0;
    for (size_t pass = 0; changed && pass <= points; pass++) {
        changed = false;
        for (size_t a = 0; a < points; a++)
            for (size_t b = 0; b < points; b++) {
                double q = (1 - mix) * value[a * points + b] + mix * interior[a * points + b];
                if (a != b && f[a] - q < f[b] - rounding) {
                    f[b] = f[a] - q;
                    changed = true;
                }
            }
    }
    return !changed;
}

/* Least share of the interior point, by powers of two, that satisfies all inequalities; NAN: none does. */
static double find_mix(double *f, const double *value, const double *interior, size_t points)
{
    if (find_function_values(f, value, value, 0, points))
        return 0;
    for (double mix = 0x1p-36; interior && mix < 1; mix *= 2)
        if (find_function_values(f, value, interior, mix, points))
            return mix;
    return NAN;
}

/* ---- repair ---- */

static hsgd_status cut_off_negative(double *gram, size_t size, hsgd_error *err)
{
    gsl_matrix *copy = gsl_matrix_alloc(size, size), *vectors = gsl_matrix_alloc(size, size);
    gsl_vector *values = gsl_vector_alloc(size);
    gsl_eigen_symmv_workspace *space = gsl_eigen_symmv_alloc(size);
    hsgd_status status = HSGD_OK;
    if (!copy || !vectors || !values || !space)
        status = hsgd_fail_memory(err, "eigenvalues");
    if (!status) {
        memcpy(copy->data, gram, size * size * sizeof *gram);
        if (gsl_eigen_symmv(copy, values, vectors, space))
            status = hsgd_fail(err, HSGD_ERROR_NUMERIC, "the eigenvalues of a Gram matrix did not converge");
    }
    if (!status) {
        for (size_t e = 0; e < size; e++) {
            double value = gsl_vector_get(values, e);
            for (size_t i = 0; value < 0 && i < size; i++)
                for (size_t j = 0; j < size; j++)
                    gram[i * size + j] -= value * gsl_matrix_get(vectors, i, e) * gsl_matrix_get(vectors, j, e);
        }
    }
    gsl_matrix_free(copy);
    gsl_matrix_free(vectors);
    gsl_vector_free(values);
    gsl_eigen_symmv_free(space);
    return status;
}

static double diagonal(double *const *gram, const hsgd_pep_model *model, size_t block, size_t point)
{
    size_t row = model->slot[block][point];
    return row == HSGD_PEP_NONE ? 0 : gram[block][row * (model->num_coordinates[block] + 1)];
}

static double criterion_value(double *const *gram, const hsgd_pep_model *model)
{
    size_t steps = model->problem.steps;
    bool min = model->problem.criterion == HSGD_PEP_MIN;
    double result = min ? INFINITY : 0;
    for (size_t t = 0; t < steps + min; t++) {
        double square = diagonal(gram, model, 0, hsgd_pep_point_at(model, t, 0));
        result = min ? fmin(result, square) : result + square / (double)steps;
    }
    return result;
}

/* Largest of what is used over what is allowed; INFINITY where nothing is. */
static double usage(double *const *gram, const double *f, const hsgd_pep_model *model)
{
    const hsgd_pep_problem *problem = &model->problem;
    double most = 0;
    for (size_t t = 0; t <= problem->steps; t++) {
        size_t a = hsgd_pep_point_at(model, t, 0);
        double gap = -f[a];
        if (problem->gap == HSGD_PEP_LOWER_BOUND)
            gap += diagonal(gram, model, 0, a) / (2 * problem->smoothness);
        if ((problem->gap == HSGD_PEP_LOWER_BOUND || t == problem->steps) && gap > 0)
            most = fmax(most, gap / problem->delta);
        for (size_t k = 1; k <= problem->num_levels && t < problem->steps; k++) {
            double square = diagonal(gram, model, k, hsgd_pep_point_at(model, t, k - 1));
            if (square > 0)
                most = fmax(most, square / problem->level_divergence_sq[k - 1]);
        }
    }
    return most;
}

/* gram = scale ((1 - mix) gram + mix interior); interior may be NULL where mix is 0. */
static void mix_and_scale(double **gram, double *const *interior, const hsgd_pep_model *model, double mix, double scale)
{
    for (size_t k = 0; k <= model->problem.num_levels; k++)
        for (size_t i = 0; i < model->num_coordinates[k] * model->num_coordinates[k]; i++)
            gram[k][i] = scale * ((1 - mix) * gram[k][i] + (mix > 0 ? mix * interior[k][i] : 0));
}

/* Interpolation values of the interior point in other; *mix is NAN where nothing helps. */
static hsgd_status mix_in(double *mix, double **gram, double *const *interior, double *f, const hsgd_pep_model *model,
                          double *value, double *other, hsgd_error *err)
{
    hsgd_status status = hsgd_pep_interpolation_values(value, model, gram, err);
    if (!status && interior)
        status = hsgd_pep_interpolation_values(other, model, interior, err);
    if (status)
        return status;
    *mix = find_mix(f, value, interior ? other : NULL, model->num_points);
    if (*mix > 0)
        mix_and_scale(gram, interior, model, *mix, 1);
    return HSGD_OK;
}

hsgd_status hsgd_pep_repair(double *lower, double **gram, double *function_value, const hsgd_pep_model *model,
                            double *const *interior, hsgd_error *err)
{
    size_t all = model->num_points * model->num_points;
    double *value = calloc(all, sizeof *value), *other = calloc(all, sizeof *other), mix = NAN;
    hsgd_status status = value && other ? HSGD_OK : hsgd_fail_memory(err, "an instance");
    *lower = 0;
    for (size_t k = 0; !status && k <= model->problem.num_levels; k++)
        status = model->num_coordinates[k] ? cut_off_negative(gram[k], model->num_coordinates[k], err) : HSGD_OK;
    status = status ? status : mix_in(&mix, gram, interior, function_value, model, value, other, err);
    free(value);
    free(other);
    if (status || isnan(mix))
        return status;
    double scale = 1 / fmax(1, usage(gram, function_value, model));
    mix_and_scale(gram, NULL, model, 0, scale);
    for (size_t a = 0; a < model->num_points; a++)
        function_value[a] *= scale;
    *lower = criterion_value(gram, model);
    return HSGD_OK;
}
