/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The reduction by symmetry (THEORY 11): the program over M + 1 small blocks has the optimum of the program that knows
 * every single worker. That one is built here without any of the reduction's code: models of n workers are vectors of
 * coefficients, averages are taken by averaging them, and its one block is the Gram matrix of all gradients of all
 * workers. Every pair of points of every worker has its inequality. */
#include "tests/test.h"

#include "bounds/pep.h"
#include "bounds/sdp_private.h"

enum { MAX_WORKERS = 8, MAX_POINTS = 12, MAX_ROWS = MAX_WORKERS * MAX_POINTS };

/* The tree by hand: worker j belongs to node j / size[m] of depth m. */
typedef struct naive {
    size_t workers, levels, size[4], period[4], steps, points;
    double gamma;
    double place[MAX_WORKERS][MAX_POINTS][MAX_ROWS]; /* coefficients of the gradients in worker j's point a */
    double model[MAX_WORKERS][MAX_ROWS];
    size_t at[MAX_POINTS][4]; /* point of wbar at (t, depth) */
    hsgd_sdp sdp;
    size_t num_y;
    double dense[MAX_ROWS][MAX_ROWS];
} naive;

static size_t row_of(const naive *x, size_t j, size_t a)
{
    return j * x->points + a;
}

static void average(naive *x, double out[MAX_WORKERS][MAX_ROWS], size_t size)
{
    memset(out, 0, sizeof x->model);
    for (size_t j = 0; j < x->workers; j++)
        for (size_t i = j / size * size; i < (j / size + 1) * size; i++)
            for (size_t r = 0; r < MAX_ROWS; r++)
                out[j][r] += x->model[i][r] / (double)size;
}

/* Points of one time: averages of every depth, new where the vectors differ from those of the depth above. */
static void place_points(naive *x, size_t t, size_t deepest)
{
    static double mean[MAX_WORKERS][MAX_ROWS];
    for (size_t m = 0; m <= deepest; m++) {
        average(x, mean, x->size[m]);
        size_t a = x->points;
        bool same = m > 0;
        for (size_t j = 0; m > 0 && j < x->workers; j++)
            for (size_t r = 0; r < MAX_ROWS; r++)
                same = same && fabs(mean[j][r] - x->place[j][x->at[t][m - 1]][r]) < 1e-14;
        if (same) {
            x->at[t][m] = x->at[t][m - 1];
            continue;
        }
        assert_true(a < MAX_POINTS);
        memcpy(x->place[0][a], mean[0], sizeof mean[0]);
        for (size_t j = 0; j < x->workers; j++)
            memcpy(x->place[j][a], mean[j], sizeof mean[j]);
        x->at[t][m] = x->points++;
    }
}

/* Rows of gradients are MAX_POINTS apart here, and are squeezed together when their number is known. */
static void run_algorithm(naive *x)
{
    for (size_t t = 0; t < x->steps; t++) {
        place_points(x, t, x->levels);
        for (size_t j = 0; j < x->workers; j++)
            x->model[j][j * MAX_POINTS + x->at[t][x->levels]] -= x->gamma;
        for (size_t k = 0; k < x->levels; k++)
            if ((t + 1) % x->period[k] == 0) {
                static double mean[MAX_WORKERS][MAX_ROWS];
                average(x, mean, x->size[k]);
                memcpy(x->model, mean, sizeof mean);
                break;
            }
    }
    place_points(x, x->steps, 0);
    for (size_t j = 0; j < x->workers; j++)
        for (size_t a = 0; a < x->points; a++) {
            double squeezed[MAX_ROWS] = {0};
            for (size_t i = 0; i < x->workers; i++)
                for (size_t b = 0; b < x->points; b++)
                    squeezed[row_of(x, i, b)] = x->place[j][a][i * MAX_POINTS + b];
            memcpy(x->place[j][a], squeezed, sizeof squeezed);
        }
}

static void add_product(naive *x, const double *u, const double *v, double factor)
{
    for (size_t r = 0; r < x->workers * x->points; r++)
        for (size_t s = 0; s < x->workers * x->points; s++)
            x->dense[r][s] += factor / 2 * (u[r] * v[s] + v[r] * u[s]);
}

/* dense += factor times the interpolation form of worker j, points a and b, in its textbook form with mu = -L = -1:
 * F_a >= F_b + <g_b, x_a - x_b> + (1/4)(||g_a - g_b||^2 - ||x_a - x_b||^2 - 2 <g_b - g_a, x_a - x_b>). */
static void add_pair(naive *x, size_t j, size_t a, size_t b, double factor)
{
    double way[MAX_ROWS], rise[MAX_ROWS] = {0}, at_b[MAX_ROWS] = {0};
    for (size_t r = 0; r < MAX_ROWS; r++)
        way[r] = x->place[j][a][r] - x->place[j][b][r];
    rise[row_of(x, j, a)] = 1;
    rise[row_of(x, j, b)] = -1;
    at_b[row_of(x, j, b)] = 1;
    add_product(x, at_b, way, factor);
    add_product(x, rise, rise, factor / 4);
    add_product(x, way, way, -factor / 4);
    add_product(x, rise, way, factor / 2);
}

static void end_column(naive *x, size_t column)
{
    hsgd_error err;
    for (size_t r = 0; r < x->workers * x->points; r++)
        for (size_t s = 0; s <= r; s++)
            if (x->dense[r][s] != 0)
                assert_ok(hsgd_sdp_add(&x->sdp.block[0], r * (r + 1) / 2 + s, x->dense[r][s], &err), err);
    hsgd_sdp_end_column(&x->sdp.block[0], column);
    hsgd_sdp_end_column(&x->sdp.row, column);
    memset(x->dense, 0, sizeof x->dense);
}

static void add_row(naive *x, size_t row, double value)
{
    hsgd_error err;
    assert_ok(hsgd_sdp_add(&x->sdp.row, row, value, &err), err);
}

/* Function values of worker j are free, so multipliers flow along the chain of its points 0 -> 1 -> ... : a variable that
 * sends `amount` from a to c has it sent back over the chain's edges. */
static void flow_back(naive *x, size_t j, size_t a, size_t c, double amount)
{
    size_t low = a < c ? a : c, high = a < c ? c : a;
    for (size_t b = low + 1; b <= high; b++) {
        double change = a > c ? amount : -amount;
        add_pair(x, j, b - 1, b, change);
        add_row(x, x->num_y + j * (x->points - 1) + b - 1, change);
    }
}

/* H(row) += factor ||mean of g_j over v - mean over u||^2, v and u given by their first worker and size. */
static void add_deviation(naive *x, size_t a, size_t v, size_t v_size, size_t u, size_t u_size, double factor)
{
    double mean[MAX_ROWS] = {0};
    for (size_t j = v; j < v + v_size; j++)
        mean[row_of(x, j, a)] += 1 / (double)v_size;
    for (size_t j = u; j < u + u_size; j++)
        mean[row_of(x, j, a)] -= 1 / (double)u_size;
    add_product(x, mean, mean, factor);
}

static void add_global(naive *x, size_t a, double factor)
{
    double mean[MAX_ROWS] = {0};
    for (size_t j = 0; j < x->workers; j++)
        mean[row_of(x, j, a)] = 1 / (double)x->workers;
    add_product(x, mean, mean, factor);
}

static size_t count_variables(const naive *x)
{
    size_t pairs = x->points * (x->points - 1) - (x->points - 1), nodes = 0;
    for (size_t k = 0; k < x->levels; k++)
        nodes += x->workers / x->size[k];
    return x->workers * pairs + x->steps * nodes + 1;
}

static void fill_pairs(naive *x, size_t *i)
{
    for (size_t j = 0; j < x->workers; j++)
        for (size_t a = 0; a < x->points; a++)
            for (size_t b = 0; b < x->points; b++) {
                if (a == b || b == a + 1)
                    continue;
                add_pair(x, j, a, b, 1);
                add_row(x, *i, 1);
                flow_back(x, j, a, b, 1);
                end_column(x, ++*i);
            }
}

static void fill_divergences(naive *x, size_t *i, const double *d)
{
    for (size_t k = 0; k < x->levels; k++)
        for (size_t u = 0; u < x->workers; u += x->size[k])
            for (size_t t = 0; t < x->steps; t++) {
                double share = (double)x->size[k + 1] / (double)x->size[k];
                for (size_t v = u; v < u + x->size[k]; v += x->size[k + 1])
                    add_deviation(x, x->at[t][k], v, x->size[k + 1], u, x->size[k], share);
                add_row(x, *i, 1);
                x->sdp.cost[*i] = d[k];
                end_column(x, ++*i);
            }
}

/* The optimum of the program of all workers; the gap is "descent" or, with one more variable per step, not needed here. */
static double naive_value(const size_t *fanout, const size_t *period, size_t levels, size_t steps, double gamma,
                          const double *d)
{
    hsgd_error err;
    naive *x = calloc(1, sizeof *x);
    x->levels = levels;
    x->steps = steps;
    x->gamma = gamma;
    x->workers = 1;
    for (size_t k = 0; k < levels; k++)
        x->workers *= fanout[k];
    x->size[0] = x->workers;
    for (size_t k = 0; k < levels; k++) {
        x->size[k + 1] = x->size[k] / fanout[k];
        x->period[k] = period[k];
    }
    run_algorithm(x);
    x->num_y = count_variables(x);
    size_t rows = x->workers * x->points, i = 0;
    assert_ok(hsgd_sdp_init(&x->sdp, x->num_y, &rows, 1, x->num_y + x->workers * (x->points - 1), &err), err);
    for (size_t t = 0; t < steps; t++)
        add_global(x, x->at[t][0], -1 / (double)steps);
    end_column(x, 0);
    fill_pairs(x, &i);
    fill_divergences(x, &i, d);
    add_row(x, i, 1);
    for (size_t j = 0; j < x->workers; j++)
        flow_back(x, j, x->at[steps][0], 0, 1 / (double)x->workers);
    x->sdp.cost[i] = 1;
    end_column(x, ++i);
    assert_int_equal(i, x->num_y);
    hsgd_sdp_solution solution;
    assert_ok(hsgd_sdp_solve(&solution, &x->sdp, 1e-8, &err), err);
    double value = 0;
    for (i = 0; i < x->num_y; i++)
        value += x->sdp.cost[i] * solution.y[i];
    hsgd_sdp_solution_free(&solution, &x->sdp);
    hsgd_sdp_free(&x->sdp);
    free(x);
    return value;
}

static double reduced_value(const size_t *period, size_t levels, size_t steps, double gamma, const double *d)
{
    hsgd_error err;
    hsgd_pep_result result;
    hsgd_pep_problem problem = {.num_levels = levels, .steps = steps, .step_size = gamma, .smoothness = 1, .delta = 1};
    memcpy(problem.periods, period, levels * sizeof *period);
    memcpy(problem.level_divergence_sq, d, levels * sizeof *d);
    assert_ok(hsgd_pep_solve(&result, &problem, &err), err);
    double value = result.value;
    hsgd_pep_result_free(&result);
    return value;
}

/* n = 4, 6, 8 by all ways to make two levels, and n = 2, 3 of one level. */
static void two_levels_do_not_depend_on_n(void **state)
{
    (void)state;
    const size_t period[] = {2, 1}, fanout[][2] = {{2, 2}, {2, 3}, {3, 2}, {2, 4}, {4, 2}};
    const double d[] = {0.7, 1.3};
    double want = reduced_value(period, 2, 2, 0.31, d);
    for (size_t i = 0; i < sizeof fanout / sizeof *fanout; i++)
        assert_close(naive_value(fanout[i], period, 2, 2, 0.31, d), want, 1e-6);
}

static void periods_above_one(void **state)
{
    (void)state;
    const size_t period[] = {4, 2}, fanout[] = {2, 2};
    const double d[] = {1.2, 0.6};
    assert_close(naive_value(fanout, period, 2, 3, 0.23, d), reduced_value(period, 2, 3, 0.23, d), 1e-6);
}

static void local_sgd(void **state)
{
    (void)state;
    const size_t period[] = {3};
    const double d[] = {0.8};
    double want = reduced_value(period, 1, 4, 0.27, d);
    for (size_t n = 2; n <= 4; n++)
        assert_close(naive_value(&n, period, 1, 4, 0.27, d), want, 1e-6);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_levels_do_not_depend_on_n),
        cmocka_unit_test(periods_above_one),
        cmocka_unit_test(local_sgd),
    };
    return cmocka_run_group_tests_name("pep, every worker", tests, NULL, NULL);
}
