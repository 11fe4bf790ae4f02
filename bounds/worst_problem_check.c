/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Is it a worst problem? Every inequality at every worker and node, from the vectors (THEORY 11.5). */
#include "bounds/worst_problem_private.h"

#include <math.h>
#include <string.h>

static double product(const double *x, const double *y, size_t dim)
{
    double sum = 0;
    for (size_t i = 0; i < dim; i++)
        sum += x[i] * y[i];
    return sum;
}

/* Largest of L Delta and D_k: the unit of squared gradients. Over L, that of function values. */
static double unit_sq(const hsgd_pep_problem *problem)
{
    double unit = problem->smoothness * problem->delta;
    for (size_t k = 0; k < problem->num_levels; k++)
        unit = fmax(unit, problem->level_divergence_sq[k]);
    return unit;
}

/* What is missing in F_j(a) >= F_j(b) + <g_a + g_b, x_a - x_b>/2 + |g_a - g_b|^2/(4L) - (L/4) |x_a - x_b|^2. */
static double interpolation_excess(const hsgd_worst_problem *p, size_t a, size_t b, size_t worker)
{
    const double *xa = hsgd_worst_problem_at(p, p->position, a, worker);
    const double *xb = hsgd_worst_problem_at(p, p->position, b, worker);
    const double *ga = hsgd_worst_problem_at(p, p->gradient, a, worker);
    const double *gb = hsgd_worst_problem_at(p, p->gradient, b, worker);
    double along = 0, apart_sq = 0, bent_sq = 0, L = p->problem.smoothness;
    for (size_t i = 0; i < p->dim; i++) {
        double dx = xa[i] - xb[i], dg = ga[i] - gb[i];
        along += (ga[i] + gb[i]) * dx / 2;
        apart_sq += dx * dx;
        bent_sq += dg * dg;
    }
    return p->function_value[b] - p->function_value[a] + along + bent_sq / (4 * L) - L / 4 * apart_sq;
}

static double worst_interpolation(const hsgd_worst_problem *p)
{
    double worst = 0;
    for (size_t j = 0; j < p->num_workers; j++)
        for (size_t a = 0; a < p->num_points; a++)
            for (size_t b = 0; b < p->num_points; b++)
                if (a != b)
                    worst = fmax(worst, interpolation_excess(p, a, b, j));
    return worst;
}

/* The point of wbar_u^t, u of this depth: the last of the step that is not deeper. */
static size_t find_point(const hsgd_worst_problem *p, size_t step, size_t depth)
{
    size_t found = 0;
    for (size_t a = 0; a < p->num_points; a++)
        if (p->point[a].step == step && p->point[a].depth <= depth)
            found = a;
    return found;
}

/* beta_u^2 of the node that starts at this worker: its children's mean gradients about its own. child, node: the means of
 * depth k and k - 1, as every worker has them. */
static double node_divergence(const double *child, const double *node, size_t first, size_t below, size_t dim)
{
    double sum = 0;
    for (size_t j = first; j < first + below; j++)
        for (size_t i = 0; i < dim; i++) {
            double d = child[j * dim + i] - node[j * dim + i];
            sum += d * d;
        }
    return sum / (double)below;
}

/* Excess over D_k at the nodes of depth k - 1 and one step. The means of the nodes are formed in place of work. */
static double worst_divergence(const hsgd_worst_problem *p, size_t level, size_t step, double *child, double *node)
{
    size_t size = p->num_workers * p->dim, below = hsgd_worst_problem_below(p, level - 1);
    const double *g = hsgd_worst_problem_at(p, p->gradient, find_point(p, step, level - 1), 0);
    double worst = 0;
    memcpy(child, g, size * sizeof *child);
    memcpy(node, g, size * sizeof *node);
    hsgd_worst_problem_average(child, p, level);
    hsgd_worst_problem_average(node, p, level - 1);
    for (size_t first = 0; first < p->num_workers; first += below)
        worst =
            fmax(worst, node_divergence(child, node, first, below, p->dim) - p->problem.level_divergence_sq[level - 1]);
    return worst;
}

/* ||grad f(wbar^t)||^2 */
static double global_gradient_sq(const hsgd_worst_problem *p, size_t step, double *mean)
{
    memcpy(mean, hsgd_worst_problem_at(p, p->gradient, find_point(p, step, 0), 0),
           p->num_workers * p->dim * sizeof *mean);
    hsgd_worst_problem_average(mean, p, 0);
    return product(mean, mean, p->dim);
}

static double find_criterion(const hsgd_worst_problem *p, double *mean)
{
    size_t steps = p->problem.steps;
    double sum = 0, smallest = INFINITY;
    for (size_t t = 0; t <= steps; t++) {
        double square = global_gradient_sq(p, t, mean);
        sum += t < steps ? square / (double)steps : 0;
        smallest = fmin(smallest, square);
    }
    return p->problem.criterion == HSGD_PEP_MIN ? smallest : sum;
}

static double worst_gap(const hsgd_worst_problem *p, double *mean)
{
    size_t steps = p->problem.steps;
    double worst = 0;
    for (size_t t = p->problem.gap == HSGD_PEP_DESCENT ? steps : 0; t <= steps; t++) {
        double gap = p->function_value[0] - p->function_value[find_point(p, t, 0)];
        if (p->problem.gap == HSGD_PEP_LOWER_BOUND)
            gap += global_gradient_sq(p, t, mean) / (2 * p->problem.smoothness);
        worst = fmax(worst, gap - p->problem.delta);
    }
    return worst;
}

void hsgd_worst_problem_check(hsgd_worst_problem *p, double attained, double *work)
{
    double unit = unit_sq(&p->problem), value_unit = unit / p->problem.smoothness;
    double *mean = work, *other = work + p->num_workers * p->dim;
    p->criterion = find_criterion(p, mean);
    p->criterion_error = fabs(p->criterion - attained) / attained;
    p->interpolation_violation = worst_interpolation(p) / value_unit;
    p->gap_violation = worst_gap(p, mean) / value_unit;
    p->divergence_violation = 0;
    for (size_t k = 1; k <= p->problem.num_levels; k++)
        for (size_t t = 0; t < p->problem.steps; t++)
            p->divergence_violation = fmax(p->divergence_violation, worst_divergence(p, k, t, mean, other) / unit);
    const double limit = HSGD_WORST_PROBLEM_TOLERANCE;
    p->holds = p->criterion_error <= limit && p->interpolation_violation <= limit && p->gap_violation <= limit &&
               p->divergence_violation <= limit && p->model_error <= limit;
}
