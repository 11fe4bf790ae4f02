/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Against the definitions in two passes and long double; points are normal around a mean that is not 0. */
#include "tests/test.h"

#include "analysis/moments.h"
#include "analysis/moments_private.h"
#include "analysis/random.h"
#include "tests/analysis/paths.h"

enum { POINTS = 23, MAX_DIM = 40 };

typedef struct cloud {
    size_t dim;
    double x[POINTS * MAX_DIM], weight[POINTS];
} cloud;

static cloud make_cloud(size_t dim, double scale, double centre)
{
    cloud c = {.dim = dim};
    hsgd_stream stream = {20, HSGD_PURPOSE_USER, (uint32_t)dim, 0};
    hsgd_normals(&stream, scale, c.x, POINTS * dim);
    for (size_t i = 0; i < POINTS * dim; i++)
        c.x[i] += centre * scale;
    for (size_t j = 0; j < POINTS; j++)
        c.weight[j] = 0.1 + 0.37 * (double)(j * j % 11);
    return c;
}

/* Mean and spread of the points [first, end) by definition. */
static double naive(const cloud *c, size_t first, size_t end, double *mean, double *weight)
{
    long double total = 0, spread = 0, centre[MAX_DIM] = {0};
    for (size_t j = first; j < end; j++) {
        total += c->weight[j];
        for (size_t i = 0; i < c->dim; i++)
            centre[i] += (long double)c->weight[j] * c->x[j * c->dim + i];
    }
    for (size_t i = 0; i < c->dim; i++)
        mean[i] = (double)(centre[i] /= total);
    for (size_t j = first; j < end; j++)
        for (size_t i = 0; i < c->dim; i++) {
            long double step = c->x[j * c->dim + i] - centre[i];
            spread += c->weight[j] * step * step;
        }
    *weight = (double)total;
    return (double)spread;
}

static void assert_moments(const hsgd_moments *m, const cloud *c, double tolerance)
{
    double mean[MAX_DIM], weight, spread = naive(c, 0, POINTS, mean, &weight);
    assert_close(m->weight, weight, 1e-14);
    assert_close(m->spread, spread, tolerance);
    assert_close(hsgd_moments_dispersion(m), spread / weight, tolerance);
    double scale = sqrt(spread / weight);
    for (size_t i = 0; i < c->dim; i++)
        check_close(m->mean[i], mean[i], tolerance, scale, "mean", __FILE__, __LINE__);
}

static void one_by_one(hsgd_moments *m, const cloud *c, size_t first, size_t end)
{
    hsgd_moments_reset(m);
    for (size_t j = first; j < end; j++)
        hsgd_moments_add(m, c->weight[j], c->x + j * c->dim, 0, c->dim);
}

static void every_dimension_and_scale(void **state)
{
    (void)state;
    const double scales[] = {1.7, 1e-150, 1e150, 3e-20};
    for (size_t s = 0; s < 4; s++)
        for (size_t dim = 1; dim <= MAX_DIM; dim++) {
            cloud c = make_cloud(dim, scales[s], 0.83);
            double mean[MAX_DIM];
            hsgd_moments m = {0, 0, mean};
            one_by_one(&m, &c, 0, POINTS);
            assert_moments(&m, &c, 1e-13);
        }
}

/* Cut the points into parts [0, a), [a, b), [b, POINTS), and merge these in all six orders. */
static void parts_merge_in_any_order(void **state)
{
    (void)state;
    const size_t order[6][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
    for (size_t dim = 1; dim <= MAX_DIM; dim += 6) {
        cloud c = make_cloud(dim, 2.3, -4.1);
        for (size_t a = 1; a < 9; a += 3)
            for (size_t b = a + 1; b < POINTS; b += 5)
                for (size_t o = 0; o < 6; o++) {
                    const size_t cut[] = {0, a, b, POINTS};
                    double part_mean[MAX_DIM], mean[MAX_DIM];
                    hsgd_moments part = {0, 0, part_mean}, all = {5, 5, mean};
                    hsgd_moments_reset(&all);
                    for (size_t i = 0; i < 3; i++) {
                        one_by_one(&part, &c, cut[order[o][i]], cut[order[o][i] + 1]);
                        hsgd_moments_add(&all, part.weight, part.mean, part.spread, dim);
                    }
                    assert_moments(&all, &c, 1e-13);
                }
    }
}

/* A mean 10^8 deviations away: the difference of second moments would have no correct digit (its error is about
 * 1e-16 (1e8)^2); merging loses what the representation of the points does, about 1e-16 1e8. */
static void far_from_the_origin(void **state)
{
    (void)state;
    cloud c = make_cloud(13, 0.7, 1e8);
    double mean[MAX_DIM];
    hsgd_moments m = {0, 0, mean};
    one_by_one(&m, &c, 0, POINTS);
    assert_moments(&m, &c, 1e-7);
    c = make_cloud(13, 0.7, 1e4);
    one_by_one(&m, &c, 0, POINTS);
    assert_moments(&m, &c, 1e-11);
}

static void weights_that_differ_by_many_orders(void **state)
{
    (void)state;
    cloud c = make_cloud(9, 1.1, 0.4);
    for (size_t j = 0; j < POINTS; j++)
        c.weight[j] = pow(10, (double)(j * 7 % 31) - 15);
    double mean[MAX_DIM];
    hsgd_moments m = {0, 0, mean};
    one_by_one(&m, &c, 0, POINTS);
    assert_moments(&m, &c, 1e-12);
    for (size_t j = 0; j < POINTS; j++) /* a common factor does not matter */
        c.weight[j] *= 1e-200;
    one_by_one(&m, &c, 0, POINTS);
    assert_moments(&m, &c, 1e-12);
}

/* Equal points have spread exactly 0: a run in which all workers agree shows no dispersion. */
static void equal_points_have_no_spread(void **state)
{
    (void)state;
    double x[11], mean[11];
    hsgd_normals(&(hsgd_stream){1, HSGD_PURPOSE_USER, 0, 0}, 3.3, x, 11);
    hsgd_moments m = {0, 0, mean};
    hsgd_moments_reset(&m);
    assert_true(hsgd_moments_dispersion(&m) == 0);
    for (size_t j = 0; j < 100; j++)
        hsgd_moments_add(&m, 0.1 + (double)j, x, 0, 11);
    assert_true(m.spread == 0);
    assert_memory_equal(mean, x, sizeof x);
}

static void norms_and_distances(void **state)
{
    (void)state;
    const double scales[] = {2.385, 1e-150, 1e150};
    for (size_t s = 0; s < 3; s++)
        for (size_t dim = 0; dim <= MAX_DIM; dim++) {
            double x[MAX_DIM], y[MAX_DIM];
            hsgd_normals(&(hsgd_stream){2, HSGD_PURPOSE_USER, 0, dim}, scales[s], x, dim);
            hsgd_normals(&(hsgd_stream){2, HSGD_PURPOSE_USER, 1, dim}, scales[s], y, dim);
            long double norm = 0, distance = 0;
            for (size_t i = 0; i < dim; i++) {
                norm += (long double)x[i] * x[i];
                distance += ((long double)x[i] - y[i]) * ((long double)x[i] - y[i]);
            }
            assert_close(hsgd_norm_sq(x, dim), (double)norm, 1e-14);
            assert_close(hsgd_distance_sq(x, y, dim), (double)distance, 1e-14);
            /* 2 <x, y> = ||x||^2 + ||y||^2 - ||x - y||^2 */
            double sizes = hsgd_norm_sq(x, dim) + hsgd_norm_sq(y, dim);
            check_close(2 * hsgd_dot(x, y, dim), sizes - (double)distance, 1e-14, sizes, "dot", __FILE__, __LINE__);
        }
}

/* What all kernels make of four vectors (dim); everything that comes out, one number after the other. */
static size_t run_kernels(double *out, const double *a, const double *b, const double *c, const double *d, size_t dim)
{
    const hsgd_moments_kernels *k = HSGD_PICK_PATH(hsgd_moments_kernels);
    double *mean = out, *below = out + dim, *sum = out + 2 * dim, *scalar = out + 3 * dim;
    memcpy(mean, a, dim * sizeof *mean);
    memcpy(below, a, dim * sizeof *below);
    memcpy(sum, a, dim * sizeof *sum);
    scalar[0] = k->merge(mean, b, 0.3, &scalar[1], dim);
    k->step(below, a, b, 0.7, dim);
    k->add(sum, b, 1.9, dim);
    scalar[2] = k->norm_sq(a, dim);
    scalar[3] = k->distance_sq(a, b, dim);
    hsgd_pair_sums pair = k->pair(a, b, c, d, dim);
    memcpy(scalar + 4, &pair, sizeof pair);
    return 3 * dim + 8;
}

static double squares(const double *x, const double *y, size_t dim)
{
    long double sum = 0;
    for (size_t i = 0; i < dim; i++)
        sum += ((long double)x[i] - (y ? y[i] : 0)) * ((long double)x[i] - (y ? y[i] : 0));
    return (double)sum;
}

/* The order of sums that results depend on: eight lanes, added pairwise. */
static double squares_in_lanes(const double *x, size_t dim)
{
    double lane[8] = {0};
    for (size_t i = 0; i < dim; i++)
        lane[i % 8] += x[i] * x[i];
    return ((lane[0] + lane[4]) + (lane[1] + lane[5])) + ((lane[2] + lane[6]) + (lane[3] + lane[7]));
}

/* Every kernel by its definition, and with the same bits on every path. */
static void kernels_have_the_same_bits_on_every_path(void **state)
{
    (void)state;
    for (size_t dim = 1; dim <= MAX_DIM; dim++) {
        double x[4 * MAX_DIM], want[3 * MAX_DIM + 8], got[3 * MAX_DIM + 8];
        const double *a = x, *b = x + dim, *c = x + 2 * dim, *d = x + 3 * dim;
        hsgd_normals(&(hsgd_stream){7, HSGD_PURPOSE_USER, 0, dim}, 1.3, x, 4 * dim);
        size_t count = run_kernels(want, a, b, c, d, dim);
        const double *scalar = want + 3 * dim;
        for (size_t i = 0; i < dim; i++) {
            assert_near(want[i], a[i] + 0.3 * (b[i] - a[i]), 1e-15);
            assert_near(want[dim + i], a[i] - 0.7 * b[i], 1e-15);
            assert_near(want[2 * dim + i], a[i] + 1.9 * b[i], 1e-15);
        }
        const double sums[] = {squares(a, b, dim), squares(b, NULL, dim), squares(a, NULL, dim), squares(a, b, dim),
                               squares(a, c, dim), squares(b, d, dim),    squares(a, NULL, dim), squares(b, NULL, dim)};
        for (size_t i = 0; i < 8; i++)
            assert_close(scalar[i], sums[i], 1e-14);
        assert_true(scalar[2] == squares_in_lanes(a, dim));
        for_each_path(path)
        {
            run_kernels(got, a, b, c, d, dim);
            assert_memory_equal(got, want, count * sizeof *got);
        }
    }
}

/* Rows of weight 1 added in chunks of any size, against one by one and by definition. */
static void rows_together_are_rows_one_by_one(void **state)
{
    (void)state;
    const double centres[] = {0, 0.83, 1e4};
    for (size_t k = 0; k < 3; k++)
        for (size_t dim = 1; dim <= MAX_DIM; dim += 3)
            for (size_t chunk = 1; chunk <= POINTS; chunk += 2) {
                cloud c = make_cloud(dim, 1.7, centres[k]);
                double mean[MAX_DIM], first[MAX_DIM], norm_sq = 0, first_spread = -1;
                for (size_t j = 0; j < POINTS; j++)
                    c.weight[j] = 1;
                for_each_path(path)
                {
                    hsgd_moments m = {7, 7, mean};
                    hsgd_moments_reset(&m);
                    norm_sq = 0;
                    for (size_t j = 0; j < POINTS; j += chunk)
                        norm_sq +=
                            hsgd_moments_add_rows(&m, c.x + j * dim, dim, POINTS - j < chunk ? POINTS - j : chunk, dim);
                    assert_moments(&m, &c, k == 2 ? 1e-11 : 1e-13);
                    if (path == HSGD_PATH_PORTABLE) {
                        first_spread = m.spread;
                        memcpy(first, mean, dim * sizeof *mean);
                    }
                    assert_true(m.spread == first_spread);
                    assert_memory_equal(mean, first, dim * sizeof *mean);
                }
                assert_close(norm_sq, squares(c.x, NULL, POINTS * dim), 1e-13);
            }
}

/* Rows that are equal have no spread, whatever comes together; and rows may lie apart in memory. */
static void equal_rows_have_no_spread(void **state)
{
    (void)state;
    double x[13 * 11], mean[11];
    hsgd_normals(&(hsgd_stream){1, HSGD_PURPOSE_USER, 0, 0}, 3.3, x, 11);
    for (size_t j = 1; j < 13; j++)
        memcpy(x + j * 11, x, 11 * sizeof *x);
    hsgd_moments m = {0, 0, mean};
    hsgd_moments_reset(&m);
    hsgd_moments_add_rows(&m, x, 11, 5, 11);
    hsgd_moments_add_rows(&m, x + 55, 22, 4, 11);
    assert_true(m.spread == 0 && m.weight == 9);
    assert_memory_equal(mean, x, sizeof mean);
    assert_true(hsgd_moments_add_rows(&m, x, 11, 0, 11) == 0 && m.weight == 9);
}

/* What descend does, by its definition and on every path: steps, and the sums of gradients and noise. */
static void descent_records_its_noise(void **state)
{
    (void)state;
    enum { MOST = 9, WIDE = 2 * MAX_DIM, STEP = MAX_DIM + 2 };
    for (size_t dim = 1; dim <= MAX_DIM; dim += 3)
        for (size_t count = 1; count <= MOST; count++)
            for (int kind = 0; kind < 4; kind++) {
                bool weighted = kind % 2, steps = kind / 2;
                double g[MOST * MAX_DIM], exact[MOST * WIDE], start[MOST * STEP], weight[MOST], first[MOST * STEP];
                hsgd_normals(&(hsgd_stream){3, HSGD_PURPOSE_USER, 0, dim}, 1.1, g, count * dim);
                hsgd_normals(&(hsgd_stream){3, HSGD_PURPOSE_USER, 1, dim}, 0.9, exact, count * WIDE);
                hsgd_normals(&(hsgd_stream){3, HSGD_PURPOSE_USER, 2, dim}, 2.3, start, count * STEP);
                for (size_t j = 0; j < count; j++)
                    weight[j] = weighted ? 0.5 + (double)j : 1;
                for_each_path(path)
                {
                    double w[MOST * STEP], gradient[MAX_DIM] = {0}, noise[MAX_DIM] = {0}, noise_sq[MOST];
                    hsgd_step_record sums = {gradient, noise, noise_sq};
                    memcpy(w, start, count * STEP * sizeof *w);
                    HSGD_PICK_PATH(hsgd_moments_kernels)
                        ->descend(steps ? w : NULL, STEP, g, exact, WIDE, count, weighted ? weight : NULL, 0.3, &sums,
                                  dim);
                    for (size_t i = 0; i < dim; i++) {
                        long double want = 0, want_noise = 0;
                        for (size_t j = 0; j < count; j++) {
                            want += (long double)weight[j] * exact[j * WIDE + i];
                            want_noise += (long double)weight[j] * (g[j * dim + i] - exact[j * WIDE + i]);
                        }
                        assert_near(gradient[i], (double)want, 1e-13);
                        assert_near(noise[i], (double)want_noise, 1e-13);
                    }
                    for (size_t j = 0; j < count; j++)
                        assert_close(noise_sq[j], squares(g + j * dim, exact + j * WIDE, dim), 1e-14);
                    for (size_t i = 0; i < count * STEP; i++) {
                        bool moves = steps && i % STEP < dim;
                        assert_near(w[i], start[i] - (moves ? 0.3 * g[i / STEP * dim + i % STEP] : 0), 1e-14);
                    }
                    if (path == HSGD_PATH_PORTABLE)
                        memcpy(first, w, count * STEP * sizeof *w);
                    assert_memory_equal(w, first, count * STEP * sizeof *w);
                }
            }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_dimension_and_scale),
        cmocka_unit_test(parts_merge_in_any_order),
        cmocka_unit_test(far_from_the_origin),
        cmocka_unit_test(weights_that_differ_by_many_orders),
        cmocka_unit_test(equal_points_have_no_spread),
        cmocka_unit_test(norms_and_distances),
        cmocka_unit_test(kernels_have_the_same_bits_on_every_path),
        cmocka_unit_test(rows_together_are_rows_one_by_one),
        cmocka_unit_test(equal_rows_have_no_spread),
        cmocka_unit_test(descent_records_its_noise),
    };
    return cmocka_run_group_tests_name("moments", tests, NULL, NULL);
}
