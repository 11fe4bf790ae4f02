/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A worst problem is a problem: the data of bounds/worst_problem.h are turned into functions on all of R^d, and the engine
 * runs H-SGD on them. It measures the worst case that performance estimation found, with the divergences and the gap that
 * were allowed. The functions are L-smooth (sampled), and their gradients are those of their values (differences).
 *
 * For data (x_i, f_i, g_i) with the interpolation inequalities, F = conv(min_i q_i) - (L/2)|x|^2, with
 * q_i(x) = f_i + <g_i, x - x_i> + (L/2)|x - x_i|^2 + (L/2)|x|^2, is L-smooth and has these values and gradients (Azagra,
 * Le Gruyer and Mudarra 2018). All q_i are L|x|^2 + <b_i, x> + c_i, so that with weights a on the simplex, b = sum a_i b_i,
 *     F(x) = (L/2)|x|^2 + min_a [ sum a_i (<b_i, x> + c_i - |b_i|^2/(4L)) + |b|^2/(4L) ],     grad F(x) = L x + b. */
#include "tests/test.h"

#include "analysis/engine.h"
#include "analysis/ensemble.h"
#include "analysis/objective.h"
#include "analysis/objective_check.h"
#include "bounds/worst_problem.h"

/* The state of the objective: b_i and c_i - |b_i|^2/(4L) of every worker. */
typedef struct pieces {
    double L;
    size_t num_points, dim;
    double *slope;  /* (n, K, dim) b_i */
    double *offset; /* (n, K) */
} pieces;

enum { MOST_POINTS = 64 };

static double product(const double *x, const double *y, size_t dim)
{
    double sum = 0;
    for (size_t i = 0; i < dim; i++)
        sum += x[i] * y[i];
    return sum;
}

/* Weights on the simplex: move from the point in use that gains least to the one that gains most until none gains. */
static void find_weights(double *weight, double *b, const pieces *p, const double *slope, const double *linear)
{
    size_t K = p->num_points, dim = p->dim, best = 0;
    for (size_t i = 1; i < K; i++)
        if (linear[i] + product(slope + i * dim, slope + i * dim, dim) / (4 * p->L) <
            linear[best] + product(slope + best * dim, slope + best * dim, dim) / (4 * p->L))
            best = i;
    for (size_t i = 0; i < K; i++)
        weight[i] = i == best;
    memcpy(b, slope + best * dim, dim * sizeof *b);
    for (int round = 0; round < 20000; round++) {
        double low = INFINITY, high = -INFINITY, distance_sq = 0;
        size_t to = 0, from = 0;
        for (size_t i = 0; i < K; i++) {
            double gain = linear[i] + product(slope + i * dim, b, dim) / (2 * p->L);
            to = gain < low ? i : to;
            low = fmin(low, gain);
            from = weight[i] > 0 && gain > high ? i : from;
            high = weight[i] > 0 ? fmax(high, gain) : high;
        }
        for (size_t i = 0; i < dim; i++)
            distance_sq += pow(slope[to * dim + i] - slope[from * dim + i], 2);
        if (high - low <= 1e-15 || distance_sq == 0)
            return;
        double step = fmin(weight[from], (high - low) * 2 * p->L / distance_sq);
        weight[from] = step == weight[from] ? 0 : weight[from] - step;
        weight[to] += step;
        for (size_t i = 0; i < dim; i++)
            b[i] += step * (slope[to * dim + i] - slope[from * dim + i]);
    }
}

static double value_and_gradient(double *grad, const pieces *p, const double *x, size_t worker)
{
    double linear[MOST_POINTS], weight[MOST_POINTS];
    const double *slope = p->slope + worker * p->num_points * p->dim;
    for (size_t i = 0; i < p->num_points; i++)
        linear[i] = product(slope + i * p->dim, x, p->dim) + p->offset[worker * p->num_points + i];
    find_weights(weight, grad, p, slope, linear);
    double value = product(grad, grad, p->dim) / (4 * p->L) + p->L / 2 * product(x, x, p->dim);
    for (size_t i = 0; i < p->num_points; i++)
        value += weight[i] * linear[i];
    for (size_t i = 0; i < p->dim; i++)
        grad[i] += p->L * x[i];
    return value;
}

static size_t scratch_size(const hsgd_objective *objective, size_t batch_size)
{
    (void)batch_size;
    return objective->dim;
}

static void full(const hsgd_objective *objective, const double *point, const size_t *worker, size_t count, double *loss,
                 double *grad, double *scratch)
{
    (void)scratch;
    for (size_t j = 0; j < count; j++)
        loss[j] = value_and_gradient(grad + j * objective->dim, objective->state, point, worker[j]);
}

static void stochastic(const hsgd_objective *objective, const double *point, size_t worker, size_t batch_size,
                       uint64_t seed, uint64_t step, double *grad, double *scratch)
{
    (void)batch_size;
    (void)seed;
    (void)step;
    (void)scratch;
    value_and_gradient(grad, objective->state, point, worker);
}

static hsgd_status constants(const hsgd_objective *objective, size_t batch_size, hsgd_constants *out, hsgd_error *err)
{
    (void)batch_size;
    (void)err;
    out->smoothness = (hsgd_constant){((const pieces *)objective->state)->L, HSGD_CERTIFIED};
    out->noise_sq = (hsgd_constant){0, HSGD_EXACT};
    out->minimum = (hsgd_constant){-INFINITY, HSGD_CERTIFIED};
    out->convexity = -out->smoothness.value;
    return HSGD_OK;
}

static void free_pieces(void *state)
{
    pieces *p = state;
    free(p->slope);
    free(p->offset);
    free(p);
}

static const hsgd_objective_type worst_function = {.name = "worst-function",
                                                   .scratch_size = scratch_size,
                                                   .full = full,
                                                   .stochastic = stochastic,
                                                   .constants = constants,
                                                   .free = free_pieces};

static hsgd_objective interpolate(const hsgd_worst_problem *w)
{
    size_t K = w->num_points, dim = w->dim;
    pieces *p = malloc(sizeof *p);
    assert_non_null(p);
    *p = (pieces){.L = w->problem.smoothness, .num_points = K, .dim = dim};
    p->slope = malloc(w->num_workers * K * dim * sizeof *p->slope);
    p->offset = malloc(w->num_workers * K * sizeof *p->offset);
    assert_true(K <= MOST_POINTS && p->slope && p->offset);
    for (size_t j = 0; j < w->num_workers; j++)
        for (size_t i = 0; i < K; i++) {
            const double *x = w->position + (i * w->num_workers + j) * dim,
                         *g = w->gradient + (i * w->num_workers + j) * dim;
            double *b = p->slope + (j * K + i) * dim;
            for (size_t m = 0; m < dim; m++)
                b[m] = g[m] - p->L * x[m];
            p->offset[j * K + i] = w->function_value[i] - product(g, x, dim) + p->L / 2 * product(x, x, dim) -
                                   product(b, b, dim) / (4 * p->L);
        }
    return (hsgd_objective){&worst_function, p, dim, w->num_workers};
}

/* Gradients at random pairs of points, near and far, change by at most L times the distance. */
static void assert_smooth(const hsgd_objective *objective)
{
    const pieces *p = objective->state;
    double *x = calloc(4 * p->dim, sizeof *x), *y = x + p->dim, *g = y + p->dim, *h = g + p->dim;
    assert_non_null(x);
    for (uint32_t i = 0; i < 200; i++) {
        const hsgd_stream stream = {7, HSGD_PURPOSE_USER, i, 0};
        hsgd_normals(&stream, 1, x, p->dim);
        hsgd_normals(&(hsgd_stream){8, HSGD_PURPOSE_USER, i, 0}, i % 2 ? 0.01 : 1, y, p->dim);
        double apart_sq = 0, change_sq = 0;
        for (size_t m = 0; m < p->dim; m++)
            y[m] += x[m];
        value_and_gradient(g, p, x, i % objective->num_workers);
        value_and_gradient(h, p, y, i % objective->num_workers);
        for (size_t m = 0; m < p->dim; m++) {
            apart_sq += (x[m] - y[m]) * (x[m] - y[m]);
            change_sq += (g[m] - h[m]) * (g[m] - h[m]);
        }
        assert_true(sqrt(change_sq) <= p->L * sqrt(apart_sq) * (1 + 1e-6) + 1e-7);
    }
    free(x);
}

/* What the engine sees is what performance estimation promised. */
static void assert_run(const hsgd_objective *objective, const hsgd_worst_problem *w)
{
    hsgd_error err;
    hsgd_hierarchy compact, tree;
    hsgd_ensemble ensemble;
    hsgd_summary summary;
    const hsgd_pep_problem *p = &w->problem;
    double *start = calloc(w->dim, sizeof *start);
    assert_non_null(start);
    assert_ok(hsgd_hierarchy_uniform(&compact, w->fanout, p->periods, p->num_levels, &err), err);
    assert_ok(hsgd_hierarchy_expand(&tree, &compact, &err), err);
    const hsgd_simulation simulation = {.objective = objective,
                                        .hierarchy = &tree,
                                        .initial = start,
                                        .step_size = p->step_size,
                                        .steps = p->steps,
                                        .measure_every = 1,
                                        .measure_at_nodes = true,
                                        .measure_proof = true,
                                        .measure_smoothness = true,
                                        .exact_gradients = true,
                                        .threads = 1};
    assert_ok(hsgd_ensemble_run(&ensemble, &simulation, 1, 1, NULL, 1, &err), err);
    assert_ok(hsgd_summarize(&summary, &ensemble, p->steps, p->periods[0], false, &err), err);
    assert_close(summary.S.mean, w->criterion, 1e-6);
    assert_at_most(summary.loss[0].mean - summary.final_loss.mean, p->delta, 1e-6);
    for (size_t k = 0; k < p->num_levels; k++)
        assert_at_most(summary.level_divergence_sup_sq[k], p->level_divergence_sq[k], 1e-6);
    assert_true(summary.path_smoothness.ratio > 0);
    assert_at_most(summary.path_smoothness.ratio, p->smoothness, 1e-5);
    hsgd_summary_free(&summary);
    hsgd_ensemble_free(&ensemble);
    hsgd_hierarchy_free(&tree);
    hsgd_hierarchy_free(&compact);
    free(start);
}

static void attain(const size_t *periods, const size_t *fanout, size_t levels, size_t steps,
                   const double *divergence_sq)
{
    hsgd_error err;
    hsgd_pep_result result;
    hsgd_worst_problem w;
    hsgd_pep_problem p = {.num_levels = levels, .steps = steps, .smoothness = 1.5, .delta = 0.9};
    p.step_size = 0.99 / (2 * sqrt(6) * 1.5 * (double)periods[0]);
    for (size_t k = 0; k < levels; k++) {
        p.periods[k] = periods[k];
        p.level_divergence_sq[k] = divergence_sq[k];
    }
    assert_ok(hsgd_pep_solve(&result, &p, &err), err);
    assert_ok(hsgd_worst_problem_build(&w, &result, fanout, &err), err);
    assert_close(w.criterion, result.upper, 1e-4);
    hsgd_objective objective = interpolate(&w);
    double *start = calloc(w.dim, sizeof *start);
    assert_non_null(start);
    for (size_t i = 0; i < w.dim; i++)
        start[i] = 0.05 * (double)(i + 1) / (double)w.dim;
    assert_ok(hsgd_objective_check(&(hsgd_check_request){.objective = &objective, .start = start}, &err), err);
    free(start);
    assert_smooth(&objective);
    assert_run(&objective, &w);
    hsgd_objective_free(&objective);
    hsgd_worst_problem_free(&w);
    hsgd_pep_result_free(&result);
}

static void local_sgd(void **state)
{
    (void)state;
    attain((size_t[]){3}, (size_t[]){2}, 1, 6, (double[]){1});
}

static void two_levels(void **state)
{
    (void)state;
    attain((size_t[]){4, 2}, (size_t[]){3, 2}, 2, 8, (double[]){1, 0.7});
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(local_sgd), cmocka_unit_test(two_levels)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
