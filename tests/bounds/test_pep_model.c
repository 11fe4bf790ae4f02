/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The model of THEORY 11 against runs: H-SGD is simulated on eight workers with smooth functions that are neither convex nor
 * quadratic, straight from the algorithm's definition. Points, positions, blocks and interpolation forms must say about the
 * run what its vectors say, and the run itself must not exceed the worst case for its own constants. */
#include "tests/bounds/cases.h"

#include "bounds/pep.h"

enum { WORKERS = 8, LEVELS = 3, DIM = 4, WAVES = 3, STEPS = 7 };

/* F_j(w) = sum_i c_ji sin(<b_ji, w> + p_ji), |c| |b|^2 summing to at most 1: 1-smooth. */
typedef struct wavy {
    double c[WAVES], b[WAVES][DIM], p[WAVES];
} wavy;

typedef struct run_of {
    hsgd_pep_problem problem;
    wavy f[WORKERS];
    double w[WORKERS][DIM];
    double point[STEPS + 1][LEVELS + 1][WORKERS][DIM]; /* wbar of the node of this depth above the worker */
} run_of;

static void draw(run_of *r, gsl_rng *rng)
{
    for (size_t j = 0; j < WORKERS; j++)
        for (size_t i = 0; i < WAVES; i++) {
            double square = 0;
            for (size_t x = 0; x < DIM; x++) {
                r->f[j].b[i][x] = uniform_between(rng, -1.5, 1.5);
                square += r->f[j].b[i][x] * r->f[j].b[i][x];
            }
            r->f[j].c[i] = uniform_between(rng, -1, 1) / (WAVES * square);
            r->f[j].p[i] = uniform_between(rng, 0, 6);
        }
}

static double eval(double *grad, const wavy *f, const double *w)
{
    double value = 0;
    memset(grad, 0, DIM * sizeof *grad);
    for (size_t i = 0; i < WAVES; i++) {
        double angle = f->p[i];
        for (size_t x = 0; x < DIM; x++)
            angle += f->b[i][x] * w[x];
        value += f->c[i] * sin(angle);
        for (size_t x = 0; x < DIM; x++)
            grad[x] += f->c[i] * f->b[i][x] * cos(angle);
    }
    return value;
}

/* Mean over the workers of the node of this depth above each worker; two children everywhere. */
static void average(double out[WORKERS][DIM], double in[WORKERS][DIM], size_t depth)
{
    size_t size = WORKERS >> depth;
    double mean[WORKERS][DIM] = {{0}};
    for (size_t j = 0; j < WORKERS; j++)
        for (size_t i = j / size * size; i < (j / size + 1) * size; i++)
            for (size_t x = 0; x < DIM; x++)
                mean[j][x] += in[i][x] / (double)size;
    memcpy(out, mean, sizeof mean);
}

static void simulate(run_of *r)
{
    double grad[DIM];
    for (size_t t = 0; t <= STEPS; t++) {
        for (size_t m = 0; m <= LEVELS; m++)
            average(r->point[t][m], r->w, m);
        for (size_t j = 0; j < WORKERS; j++) {
            eval(grad, &r->f[j], r->w[j]);
            for (size_t x = 0; x < DIM; x++)
                r->w[j][x] -= r->problem.step_size * grad[x];
        }
        for (size_t k = 0; k < LEVELS; k++)
            if ((t + 1) % r->problem.periods[k] == 0) {
                average(r->w, r->w, k);
                break;
            }
    }
}

/* Level-k deviations of the gradients at one point (k = 0: their mean), for every worker. */
static void deviations(double out[WORKERS][DIM], const run_of *r, const hsgd_pep_point *a, size_t k)
{
    double grad[WORKERS][DIM], above[WORKERS][DIM];
    for (size_t j = 0; j < WORKERS; j++)
        eval(grad[j], &r->f[j], r->point[a->step][a->depth][j]);
    average(out, grad, k);
    if (k == 0)
        return;
    average(above, grad, k - 1);
    for (size_t j = 0; j < WORKERS; j++)
        for (size_t x = 0; x < DIM; x++)
            out[j][x] -= above[j][x];
}

/* H_k of the run. */
static double *block_of(const run_of *r, const hsgd_pep_model *m, size_t k)
{
    size_t size = m->num_coordinates[k];
    double(*d)[WORKERS][DIM] = calloc(size, sizeof *d), *gram = calloc(size * size, sizeof *gram);
    for (size_t i = 0; i < size; i++)
        deviations(d[i], r, &m->point[m->coordinate[k][i]], k);
    for (size_t i = 0; i < size; i++)
        for (size_t l = 0; l < size; l++)
            for (size_t j = 0; j < WORKERS; j++)
                for (size_t x = 0; x < DIM; x++)
                    gram[i * size + l] += d[i][j][x] * d[l][j][x] / WORKERS;
    free(d);
    return gram;
}

/* F_a - F_b and the right side of the interpolation inequality, means over the workers, from vectors, in the form of Taylor,
 * Hendrickx and Glineur with mu = -L:
 * F_b + <g_b, x> + (|g_a - g_b|^2/L - L |x|^2 - 2 <g_b - g_a, x>)/4, x = x_a - x_b. */
static void direct_pair(double *rise, double *right, const run_of *r, const hsgd_pep_point *a, const hsgd_pep_point *b)
{
    *rise = *right = 0;
    for (size_t j = 0; j < WORKERS; j++) {
        double ga[DIM], gb[DIM];
        const double *xa = r->point[a->step][a->depth][j], *xb = r->point[b->step][b->depth][j];
        *rise += (eval(ga, &r->f[j], xa) - eval(gb, &r->f[j], xb)) / WORKERS;
        for (size_t x = 0; x < DIM; x++) {
            double way = xa[x] - xb[x], dg = ga[x] - gb[x];
            *right += (gb[x] * way + (dg * dg - way * way + 2 * dg * way) / 4) / WORKERS;
        }
    }
}

static void begin(run_of *r, hsgd_pep_model *m, gsl_rng *rng, const size_t *periods)
{
    hsgd_error err;
    *r = (run_of){.problem = {.num_levels = LEVELS,
                              .periods = {periods[0], periods[1], periods[2]},
                              .steps = STEPS,
                              .step_size = 0.7,
                              .smoothness = 1,
                              .delta = 1,
                              .level_divergence_sq = {1, 1, 1}}};
    draw(r, rng);
    simulate(r);
    assert_ok(hsgd_pep_model_build(m, &r->problem, &err), err);
}

static const size_t schedules[][LEVELS] = {{6, 2, 1}, {4, 2, 1}, {8, 4, 2}, {6, 3, 1}};
enum { SCHEDULES = sizeof schedules / sizeof *schedules, SOLVED = 2 };

/* Every average at every time is a point, and averages that are one point are one vector; different points differ. */
static void points_are_the_averages(void **state)
{
    (void)state;
    gsl_rng *rng = test_rng(5);
    for (size_t s = 0; s < SCHEDULES; s++) {
        run_of r;
        hsgd_pep_model m;
        begin(&r, &m, rng, schedules[s]);
        for (size_t t = 0; t < STEPS; t++)
            for (size_t k = 0; k <= LEVELS; k++) {
                const hsgd_pep_point *p = &m.point[hsgd_pep_point_at(&m, t, k)];
                assert_int_equal(p->step, t);
                for (size_t j = 0; j < WORKERS; j++)
                    for (size_t x = 0; x < DIM; x++)
                        assert_near(r.point[t][p->depth][j][x], r.point[t][k][j][x], 1e-14);
                if (k > 0 && p->depth == k)
                    assert_true(fabs(r.point[t][k][0][0] - r.point[t][k - 1][0][0]) > 1e-6);
            }
        assert_int_equal(m.point[m.num_points - 1].step, STEPS);
        assert_int_equal(hsgd_pep_point_at(&m, STEPS, 1), HSGD_PEP_NONE);
        hsgd_pep_model_free(&m);
    }
    gsl_rng_free(rng);
}

static void forms_are_those_of_the_vectors(void **state)
{
    (void)state;
    gsl_rng *rng = test_rng(6);
    for (size_t s = 0; s < SCHEDULES; s++) {
        run_of r;
        hsgd_pep_model m;
        double *gram[LEVELS + 1], *form, rise, right;
        begin(&r, &m, rng, schedules[s]);
        form = calloc(m.num_points * m.num_points, sizeof *form);
        for (size_t k = 0; k <= LEVELS; k++)
            gram[k] = block_of(&r, &m, k);
        for (size_t a = 0; a < m.num_points; a++)
            for (size_t b = 0; b < m.num_points; b++) {
                double q = 0;
                for (size_t k = 0; a != b && k <= LEVELS; k++) {
                    size_t size = m.num_coordinates[k];
                    hsgd_pep_interpolation_form(form, &m, a, b, k);
                    for (size_t i = 0; i < size * size; i++)
                        q += form[i] * gram[k][i];
                }
                direct_pair(&rise, &right, &r, &m.point[a], &m.point[b]);
                assert_near(q, right, 1e-13);
                assert_true(rise >= right - 1e-14); /* the functions are 1-smooth */
            }
        for (size_t k = 0; k <= LEVELS; k++)
            free(gram[k]);
        free(form);
        hsgd_pep_model_free(&m);
    }
    gsl_rng_free(rng);
}

/* D_k, Delta and S as the run has them; the worst case for them, in either variant, is not exceeded. */
static void runs_stay_below_the_worst_case(void **state)
{
    (void)state;
    gsl_rng *rng = test_rng(7);
    for (size_t s = 0; s < SOLVED; s++) {
        run_of r;
        hsgd_pep_model m;
        hsgd_error err;
        hsgd_pep_result result;
        double d[WORKERS][DIM], grad[DIM], S = 0, first = 0, last = 0, lowest = INFINITY;
        begin(&r, &m, rng, schedules[s]);
        for (size_t k = 0; k <= LEVELS; k++) {
            r.problem.level_divergence_sq[k ? k - 1 : 0] = 0;
            for (size_t t = 0; t < STEPS; t++) {
                double square = 0;
                deviations(d, &r, &(hsgd_pep_point){t, k ? k - 1 : 0}, k);
                for (size_t j = 0; j < WORKERS; j++)
                    for (size_t x = 0; x < DIM; x++)
                        square += d[j][x] * d[j][x] / WORKERS;
                if (k == 0)
                    S += square / STEPS;
                else
                    r.problem.level_divergence_sq[k - 1] = fmax(r.problem.level_divergence_sq[k - 1], square);
            }
        }
        for (size_t j = 0; j < WORKERS; j++) {
            first += eval(grad, &r.f[j], r.point[0][0][j]) / WORKERS;
            last += eval(grad, &r.f[j], r.point[STEPS][0][j]) / WORKERS;
        }
        assert_true(first > last);
        r.problem.delta = first - last;
        assert_ok(hsgd_pep_solve(&result, &r.problem, &err), err);
        assert_at_most(S, result.upper, 0);
        assert_true(S > 0.001 * result.upper); /* of the same kind at all */
        hsgd_pep_result_free(&result);
        for (size_t t = 0; t <= STEPS; t++) { /* the lowest value that 1-smoothness allows */
            double f = 0, square = 0;
            for (size_t j = 0; j < WORKERS; j++)
                f += eval(grad, &r.f[j], r.point[t][0][j]) / WORKERS;
            deviations(d, &r, &(hsgd_pep_point){t, 0}, 0);
            for (size_t x = 0; x < DIM; x++)
                square += d[0][x] * d[0][x];
            lowest = fmin(lowest, f - square / 2);
        }
        r.problem.delta = first - lowest;
        r.problem.gap = HSGD_PEP_LOWER_BOUND;
        assert_ok(hsgd_pep_solve(&result, &r.problem, &err), err);
        assert_at_most(S, result.upper, 0);
        hsgd_pep_result_free(&result);
        hsgd_pep_model_free(&m);
    }
    gsl_rng_free(rng);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(points_are_the_averages),
        cmocka_unit_test(forms_are_those_of_the_vectors),
        cmocka_unit_test(runs_stay_below_the_worst_case),
    };
    return cmocka_run_group_tests_name("pep, model", tests, NULL, NULL);
}
