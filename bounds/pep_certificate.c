/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What multipliers prove, recomputed from the model alone (THEORY 11). */
#include "bounds/pep_private.h"

#include <math.h>
#include <stdlib.h>

/* Positive definite? Cholesky in place of the lower triangle; NaN counts as no. */
static bool has_cholesky(double *a, size_t size)
{
    for (size_t i = 0; i < size; i++)
        for (size_t j = 0; j <= i; j++) {
            double sum = a[i * size + j];
            for (size_t k = 0; k < j; k++)
                sum -= a[i * size + k] * a[j * size + k];
            if (i == j && !(sum > 0))
                return false;
            a[i * size + j] = i == j ? sqrt(sum) : sum / a[j * size + j];
        }
    return true;
}

static hsgd_status check_definite(bool *positive, const double *slack, size_t size, hsgd_error *err)
{
    double *work = malloc(size * size * sizeof *work);
    if (!work)
        return hsgd_fail_memory(err, "a slack matrix");
    for (size_t i = 0; i < size * size; i++)
        work[i] = slack[i] - (i % (size + 1) == 0 ? HSGD_PEP_MARGIN : 0);
    *positive = *positive && has_cholesky(work, size);
    free(work);
    return HSGD_OK;
}

static void add_pair(double *slack, const hsgd_pep_model *model, const hsgd_pep_multiplier *c, size_t block)
{
    hsgd_pep_support support[HSGD_PEP_MAX_SUPPORT];
    size_t size = model->num_coordinates[block];
    size_t count = hsgd_pep_support_of(support, model, c->first, c->second, block);
    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j < count; j++)
            slack[support[i].row * size + support[j].row] +=
                c->value * hsgd_pep_support_product(&support[i], &support[j], model->problem.smoothness);
}

/* How often H_block(a,a), a = first, stands in the constraint. */
static double diagonal_share(const hsgd_pep_multiplier *c, const hsgd_pep_problem *problem, size_t block)
{
    switch (c->kind) {
    case HSGD_PEP_DIVERGENCE:
        return c->level == block;
    case HSGD_PEP_INITIAL_GAP:
        return block == 0 && problem->gap == HSGD_PEP_LOWER_BOUND ? 1 / (2 * problem->smoothness) : 0;
    case HSGD_PEP_CRITERION:
        return block == 0 ? -1 : 0;
    default:
        return 0;
    }
}

static void add_constraint(double *slack, const hsgd_pep_model *model, const hsgd_pep_multiplier *c, size_t block)
{
    size_t row = model->slot[block][c->first];
    if (c->value == 0)
        return;
    if (c->kind == HSGD_PEP_INTERPOLATION)
        add_pair(slack, model, c, block);
    else if (row != HSGD_PEP_NONE)
        slack[row * (model->num_coordinates[block] + 1)] += c->value * diagonal_share(c, &model->problem, block);
}

hsgd_status hsgd_pep_slack(double **slack, bool *positive, const hsgd_pep_program *program, hsgd_error *err)
{
    const hsgd_pep_model *model = program->model;
    hsgd_status status = HSGD_OK;
    *positive = true;
    for (size_t k = 0; !status && k <= model->problem.num_levels; k++) {
        size_t size = model->num_coordinates[k];
        if (!size)
            continue;
        slack[k] = calloc(size * size, sizeof *slack[k]);
        if (!slack[k])
            return hsgd_fail_memory(err, "a slack matrix");
        for (size_t c = 0; c < program->num_constraints; c++)
            add_constraint(slack[k], model, &program->constraint[c], k);
        for (size_t t = 0; k == 0 && model->problem.criterion == HSGD_PEP_MEAN && t < model->problem.steps; t++)
            slack[0][hsgd_pep_point_at(model, t, 0) * (size + 1)] -= 1 / (double)model->problem.steps;
        status = check_definite(positive, slack[k], size, err);
    }
    return status;
}

double hsgd_pep_upper_value(const hsgd_pep_program *program)
{
    const hsgd_pep_problem *problem = &program->model->problem;
    double sum = 0;
    for (size_t c = 0; c < program->num_constraints; c++) {
        const hsgd_pep_multiplier *m = &program->constraint[c];
        if (m->kind == HSGD_PEP_INITIAL_GAP)
            sum += m->value * problem->delta;
        if (m->kind == HSGD_PEP_DIVERGENCE)
            sum += m->value * problem->level_divergence_sq[m->level - 1];
    }
    return sum;
}
