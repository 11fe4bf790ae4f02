/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Evaluation points, coordinates and positions of performance estimation (THEORY 11).
 *
 * Glossary    t  step    m  depth    M  num_levels    K  num_points    K_k  num_coordinates[k]
 *
 * The level-k deviation of the models restarts from 0 when P_k divides t, so at time t it is the sum of the level-k
 * deviations of the gradients at w^tau, t - t mod P_k <= tau < t. Averages of depth m - 1 and m are the same vectors
 * where this sum is empty, or where all its terms are forced to be 0. */
#include "bounds/pep_private.h"

#include <stdlib.h>
#include <string.h>

static size_t *at_entry(const hsgd_pep_model *model, size_t t, size_t depth)
{
    return &model->at[t * (model->problem.num_levels + 1) + depth];
}

size_t hsgd_pep_point_at(const hsgd_pep_model *model, size_t step, size_t depth)
{
    return *at_entry(model, step, depth);
}

/* The steps whose gradients make up the level-k deviation (k = 0: the whole way) of the models at time t. */
static hsgd_pep_range deviation_steps(const hsgd_pep_problem *problem, size_t t, size_t k)
{
    return (hsgd_pep_range){k == 0 ? 0 : t - t % problem->periods[k - 1], t};
}

hsgd_pep_range hsgd_pep_position(const hsgd_pep_model *model, size_t point, size_t block)
{
    const hsgd_pep_point *p = &model->point[point];
    if (block > p->depth)
        return (hsgd_pep_range){0, 0};
    return deviation_steps(&model->problem, p->step, block);
}

/* ---- building ---- */

static hsgd_status allocate(hsgd_pep_model *model, hsgd_error *err)
{
    size_t levels = model->problem.num_levels, most = model->problem.steps * (levels + 1) + 1;
    model->point = calloc(most, sizeof *model->point);
    model->at = calloc(most + levels, sizeof *model->at);
    bool complete = model->point && model->at;
    for (size_t k = 0; k <= levels; k++) {
        model->coordinate[k] = calloc(most, sizeof *model->coordinate[k]);
        model->slot[k] = calloc(most, sizeof *model->slot[k]);
        complete = complete && model->coordinate[k] && model->slot[k];
    }
    return complete ? HSGD_OK : hsgd_fail_memory(err, "the evaluation points");
}

/* Do all averages of depth m coincide with those of depth m - 1 at time t? Earlier steps have their slots already. */
static bool has_no_deviation(const hsgd_pep_model *model, size_t t, size_t m)
{
    hsgd_pep_range steps = deviation_steps(&model->problem, t, m);
    for (size_t tau = steps.begin; tau < steps.end; tau++)
        if (model->slot[m][hsgd_pep_point_at(model, tau, model->problem.num_levels)] != HSGD_PEP_NONE)
            return false;
    return true;
}

static size_t add_point(hsgd_pep_model *model, size_t t, size_t depth)
{
    size_t a = model->num_points++;
    model->point[a] = (hsgd_pep_point){t, depth};
    for (size_t k = 0; k <= model->problem.num_levels; k++)
        model->slot[k][a] = 0; /* numbered in the end */
    return a;
}

/* D_k = 0 forces the level-k deviation of the gradients to be 0 at the averages of depth k - 1. */
static void drop_forced_zeros(hsgd_pep_model *model, size_t t)
{
    for (size_t k = 1; k <= model->problem.num_levels; k++)
        if (model->problem.level_divergence_sq[k - 1] == 0)
            model->slot[k][hsgd_pep_point_at(model, t, k - 1)] = HSGD_PEP_NONE;
}

static void add_step(hsgd_pep_model *model, size_t t)
{
    size_t levels = model->problem.num_levels;
    *at_entry(model, t, 0) = add_point(model, t, 0);
    for (size_t m = 1; m <= levels; m++)
        *at_entry(model, t, m) = has_no_deviation(model, t, m) ? *at_entry(model, t, m - 1) : add_point(model, t, m);
    drop_forced_zeros(model, t);
}

/* f at wbar^T matters, and with it a gradient there. Deviations of that gradient only help where some models deviate. */
static void add_last_point(hsgd_pep_model *model)
{
    size_t last = add_point(model, model->problem.steps, 0);
    for (size_t m = 1; m <= model->problem.num_levels; m++) {
        bool deviates = false;
        for (size_t a = 0; a < last; a++)
            deviates = deviates || model->slot[m][a] != HSGD_PEP_NONE;
        if (!deviates)
            model->slot[m][last] = HSGD_PEP_NONE;
        *at_entry(model, model->problem.steps, m) = HSGD_PEP_NONE;
    }
    *at_entry(model, model->problem.steps, 0) = last;
}

static void number_coordinates(hsgd_pep_model *model)
{
    for (size_t k = 0; k <= model->problem.num_levels; k++)
        for (size_t a = 0; a < model->num_points; a++)
            if (model->slot[k][a] != HSGD_PEP_NONE) {
                model->slot[k][a] = model->num_coordinates[k];
                model->coordinate[k][model->num_coordinates[k]++] = a;
            }
}

hsgd_status hsgd_pep_model_build(hsgd_pep_model *out, const hsgd_pep_problem *problem, hsgd_error *err)
{
    *out = (hsgd_pep_model){.problem = *problem};
    hsgd_status status = allocate(out, err);
    if (status) {
        hsgd_pep_model_free(out);
        return status;
    }
    for (size_t t = 0; t < problem->steps; t++)
        add_step(out, t);
    add_last_point(out);
    number_coordinates(out);
    return HSGD_OK;
}

void hsgd_pep_model_free(hsgd_pep_model *model)
{
    if (!model)
        return;
    free(model->point);
    free(model->at);
    for (size_t k = 0; k <= HSGD_MAX_LEVELS; k++) {
        free(model->coordinate[k]);
        free(model->slot[k]);
    }
    memset(model, 0, sizeof *model);
}

/* ---- interpolation ---- */

/* The entry of this row, made if it is not there. */
static hsgd_pep_support *find_row(hsgd_pep_support *support, size_t *count, size_t row)
{
    for (size_t i = 0; i < *count; i++)
        if (support[i].row == row)
            return &support[i];
    support[*count] = (hsgd_pep_support){.row = row};
    return &support[(*count)++];
}

static void add_gradient(hsgd_pep_support *support, size_t *count, size_t row, double sign)
{
    if (row == HSGD_PEP_NONE)
        return;
    hsgd_pep_support *entry = find_row(support, count, row);
    entry->sum += 1;
    entry->difference += sign;
}

/* Steps that two positions share cancel, so only those outside `other` are added. */
static void add_steps(hsgd_pep_support *support, size_t *count, const hsgd_pep_model *model, size_t block,
                      hsgd_pep_range steps, hsgd_pep_range other, double sign)
{
    for (size_t tau = steps.begin; tau < steps.end; tau++) {
        size_t row = model->slot[block][hsgd_pep_point_at(model, tau, model->problem.num_levels)];
        if (row != HSGD_PEP_NONE && (tau < other.begin || tau >= other.end))
            find_row(support, count, row)->way -= sign * model->problem.step_size;
    }
}

size_t hsgd_pep_support_of(hsgd_pep_support *support, const hsgd_pep_model *model, size_t a, size_t b, size_t block)
{
    size_t count = 0;
    hsgd_pep_range way_a = hsgd_pep_position(model, a, block), way_b = hsgd_pep_position(model, b, block);
    add_gradient(support, &count, model->slot[block][a], 1);
    add_gradient(support, &count, model->slot[block][b], -1);
    add_steps(support, &count, model, block, way_a, way_b, 1);
    add_steps(support, &count, model, block, way_b, way_a, -1);
    return count;
}

double hsgd_pep_support_product(const hsgd_pep_support *i, const hsgd_pep_support *j, double smoothness)
{
    return (i->sum * j->way + i->way * j->sum) / 4 + i->difference * j->difference / (4 * smoothness) -
           smoothness / 4 * i->way * j->way;
}

void hsgd_pep_interpolation_form(double *form, const hsgd_pep_model *model, size_t a, size_t b, size_t block)
{
    size_t size = model->num_coordinates[block];
    hsgd_pep_support support[HSGD_PEP_MAX_SUPPORT];
    size_t count = hsgd_pep_support_of(support, model, a, b, block);
    memset(form, 0, size * size * sizeof *form);
    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j < count; j++)
            form[support[i].row * size + support[j].row] =
                hsgd_pep_support_product(&support[i], &support[j], model->problem.smoothness);
}
