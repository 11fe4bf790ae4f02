/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Gradients against finite differences, divergences by brute force over the tree, f* against a minimiser of GSL. */
#include "tests/analysis/paths.h"
#include "tests/analysis/trees.h"

#include <gsl/gsl_cdf.h>
#include <gsl/gsl_deriv.h>
#include <gsl/gsl_errno.h>
#include <gsl/gsl_multimin.h>

#include "analysis/quadratic.h"
#include "analysis/quadratic_private.h"

static hsgd_error err;

enum { DIM = 4, WORKERS = 3 };
static const double curvature[DIM] = {2.385, 0.71, -1.3, 0};
static const double linear[WORKERS * DIM] = {0.4, -1.1, 0.9, 0.23, 1.7, 0.2, -0.35, 1.19, -2.6, 0.8, 0.05, -0.77};

static hsgd_quadratic small(double noise_sq)
{
    hsgd_quadratic q;
    assert_ok(hsgd_quadratic_init(&q, curvature, linear, DIM, WORKERS, noise_sq, &err), err);
    return q;
}

/* The same linear terms, and for every worker curvatures of its own. */
static hsgd_quadratic small_own(double noise_sq)
{
    hsgd_quadratic q;
    double own[WORKERS * DIM];
    for (size_t i = 0; i < WORKERS * DIM; i++)
        own[i] = curvature[i % DIM] + 0.37 * (double)i;
    assert_ok(hsgd_quadratic_init_own(&q, own, linear, DIM, WORKERS, noise_sq, &err), err);
    return q;
}

/* ---- values and gradients ---- */

typedef struct along {
    const hsgd_objective *f;
    size_t worker, coordinate;
    double point[DIM];
} along;

static double loss_along(double x, void *context)
{
    along a = *(along *)context;
    double loss, grad[DIM], scratch[HSGD_ROWS_AT_ONCE * DIM];
    a.point[a.coordinate] = x;
    a.f->type->full(a.f, a.point, &a.worker, 1, &loss, grad, scratch);
    return loss;
}

static void loss_by_hand(void **state)
{
    (void)state;
    hsgd_quadratic q = small(0);
    hsgd_objective f;
    assert_ok(hsgd_quadratic_objective(&f, &q, NULL, &err), err);
    const double w[DIM] = {1.2, -0.7, 2.1, -3.3};
    double loss[2], grad[2 * DIM], scratch[HSGD_ROWS_AT_ONCE * DIM];
    f.type->full(&f, w, (size_t[]){2, 1}, 2, loss, grad, scratch);
    assert_near(loss[0],
                0.5 * (2.385 * 1.44 + 0.71 * 0.49 - 1.3 * 4.41) - (-2.6 * 1.2 - 0.8 * 0.7 + 0.05 * 2.1 + 0.77 * 3.3),
                4e-15);
    assert_near(loss[1],
                0.5 * (2.385 * 1.44 + 0.71 * 0.49 - 1.3 * 4.41) - (1.7 * 1.2 - 0.2 * 0.7 - 0.35 * 2.1 - 1.19 * 3.3),
                4e-15);
    assert_close(grad[0], 2.385 * 1.2 + 2.6, 1e-15);
    assert_close(grad[DIM + 3], -1.19, 1e-15);
    hsgd_objective_free(&f);
    hsgd_quadratic_free(&q);
}

static void gradients_are_derivatives(void **state)
{
    (void)state;
    hsgd_quadratic q = small(0.7);
    hsgd_objective f;
    assert_ok(hsgd_quadratic_objective(&f, &q, NULL, &err), err);
    for (size_t trial = 0; trial < 20; trial++) {
        along a = {.f = &f, .worker = trial % WORKERS};
        double loss, grad[DIM], scratch[HSGD_ROWS_AT_ONCE * DIM], derivative, error;
        hsgd_normals(&(hsgd_stream){3, HSGD_PURPOSE_USER, 0, trial}, 1.9, a.point, DIM);
        f.type->full(&f, a.point, &a.worker, 1, &loss, grad, scratch);
        for (a.coordinate = 0; a.coordinate < DIM; a.coordinate++) {
            gsl_function g = {loss_along, &a};
            assert_int_equal(gsl_deriv_central(&g, a.point[a.coordinate], 1e-2, &derivative, &error), 0);
            assert_near(grad[a.coordinate], derivative, 1e-9);
        }
    }
    hsgd_objective_free(&f);
    hsgd_quadratic_free(&q);
}

/* ---- noise ---- */

/* Noise of 40000 (worker, step): mean 0 and second moments (sigma^2/d) delta_ij. A sum of N products has variance N s^4
 * (i != j) or 2 N s^4 (i = j). 14 two-sided normal checks at 1e-9: false alarm 1.4e-8; the seed is fixed. */
static void noise_has_the_covariance_asked_for(void **state)
{
    (void)state;
    enum { DRAWS = 40000 };
    const double noise_sq = 3.7, w[DIM] = {0.3, 0.4, -1.5, 0.6}, s_sq = noise_sq / DIM;
    hsgd_quadratic q = small(noise_sq);
    hsgd_objective f;
    assert_ok(hsgd_quadratic_objective(&f, &q, NULL, &err), err);
    double sum[DIM] = {0}, product[DIM][DIM] = {{0}}, full[DIM], g[DIM], scratch[HSGD_ROWS_AT_ONCE * DIM], loss;
    double limit = gsl_cdf_ugaussian_Qinv(5e-10);
    assert_true(f.type->scratch_size(&f, 5) <= HSGD_ROWS_AT_ONCE * DIM);
    for (size_t r = 0; r < DRAWS; r++) {
        size_t worker = r % WORKERS;
        f.type->full(&f, w, &worker, 1, &loss, full, scratch);
        f.type->stochastic(&f, w, worker, 5, 21, r / WORKERS, g, scratch);
        for (size_t i = 0; i < DIM; i++) {
            sum[i] += g[i] - full[i];
            for (size_t k = 0; k <= i; k++)
                product[i][k] += (g[i] - full[i]) * (g[k] - full[k]);
        }
    }
    for (size_t i = 0; i < DIM; i++) {
        assert_at_most(fabs(sum[i]) / sqrt(DRAWS * s_sq), limit, 0);
        for (size_t k = 0; k < i; k++)
            assert_at_most(fabs(product[i][k]) / (s_sq * sqrt(DRAWS)), limit, 0);
        assert_at_most(fabs(product[i][i] - DRAWS * s_sq) / (s_sq * sqrt(2.0 * DRAWS)), limit, 0);
    }
    hsgd_constants c;
    assert_ok(f.type->constants(&f, 0, &c, &err), err);
    assert_close(c.noise_sq.value, noise_sq, 0);
    assert_int_equal(c.noise_sq.kind, HSGD_EXACT);
    hsgd_objective_free(&f);
    hsgd_quadratic_free(&q);
}

static void without_noise_the_gradient_is_full_and_with_it_reproducible(void **state)
{
    (void)state;
    const double w[DIM] = {0.3, 0.4, -1.5, 0.6};
    double full[DIM], a[DIM], b[DIM], scratch[HSGD_ROWS_AT_ONCE * DIM], loss;
    size_t worker = 1;
    for (int noisy = 0; noisy < 2; noisy++) {
        hsgd_quadratic q = small(noisy);
        hsgd_objective f;
        assert_ok(hsgd_quadratic_objective(&f, &q, NULL, &err), err);
        f.type->full(&f, w, &worker, 1, &loss, full, scratch);
        f.type->stochastic(&f, w, worker, 0, 21, 8, a, scratch);
        f.type->stochastic(&f, w, worker, 0, 21, 8, b, scratch);
        assert_memory_equal(a, b, sizeof a);
        assert_int_equal(memcmp(a, full, sizeof a) == 0, !noisy);
        f.type->stochastic(&f, w, worker, 0, 22, 8, b, scratch);
        assert_int_equal(memcmp(a, b, sizeof a) == 0, !noisy);
        hsgd_objective_free(&f);
        hsgd_quadratic_free(&q);
    }
}

/* ---- generated problems ---- */

/* Unequal sizes and depths, a group of one worker, and a node with a single child. */
static hsgd_hierarchy crooked_tree(bool weighted)
{
    hsgd_hierarchy h = more_crooked();
    const double weight[] = {1, 2, 0.5, 3, 1, 1.5, 2, 0.7, 0.9, 1.1, 0.3, 4};
    if (weighted)
        assert_ok(hsgd_hierarchy_set_weights(&h, weight, &err), err);
    return h;
}

static double weight_of(const hsgd_hierarchy *h, size_t j)
{
    return h->worker_weight ? h->worker_weight[j] : 1.0 / (double)h->num_workers;
}

/* Weighted mean of the gradients of workers [first, first + count) and their weight. */
static double mean_gradient(const hsgd_objective *f, const hsgd_hierarchy *h, const double *point, size_t first,
                            size_t count, double *mean)
{
    double weight = 0, loss, grad[64], scratch[HSGD_ROWS_AT_ONCE * 64];
    memset(mean, 0, f->dim * sizeof *mean);
    for (size_t j = first; j < first + count; j++) {
        f->type->full(f, point, &j, 1, &loss, grad, scratch);
        weight += weight_of(h, j);
        for (size_t i = 0; i < f->dim; i++)
            mean[i] += weight_of(h, j) * grad[i];
    }
    for (size_t i = 0; i < f->dim; i++)
        mean[i] /= weight;
    return weight;
}

/* Weight of one child of u, whose workers are [first, first + count), times its squared distance to u (THEORY 2). */
static double child_term(const hsgd_objective *f, const hsgd_hierarchy *h, const double *point, const hsgd_node *u,
                         size_t first, size_t count)
{
    double centre[64], child[64], sum = 0;
    mean_gradient(f, h, point, u->first_worker, u->num_workers, centre);
    double weight = mean_gradient(f, h, point, first, count, child);
    for (size_t i = 0; i < f->dim; i++)
        sum += (child[i] - centre[i]) * (child[i] - centre[i]);
    return weight * sum;
}

static void check_divergences(const hsgd_hierarchy *h, const hsgd_quadratic_spec *spec)
{
    hsgd_quadratic q;
    hsgd_objective f;
    double point[64], level[8] = {0}, node[16] = {0};
    assert_ok(hsgd_quadratic_generate(&q, h, spec, &err), err);
    assert_ok(hsgd_quadratic_objective(&f, &q, h->worker_weight, &err), err);
    hsgd_normals(&(hsgd_stream){6, HSGD_PURPOSE_USER, 0, 0}, 1.4, point, spec->dim);
    for (size_t u = 0; u < h->num_nodes; u++) {
        const hsgd_node *n = &h->node[u];
        for (size_t v = u + 1; v < h->num_nodes; v++)
            if (h->node[v].parent == u)
                node[u] += child_term(&f, h, point, n, h->node[v].first_worker, h->node[v].num_workers);
        if (hsgd_node_is_lowest(h, u))
            for (size_t j = n->first_worker; j < n->first_worker + n->num_workers; j++)
                node[u] += child_term(&f, h, point, n, j, 1);
        level[n->depth] += node[u];
    }
    for (size_t k = 0; k < h->num_levels; k++)
        assert_near(level[k], spec->level_divergence_sq[k], 1e-13);
    /* the nodes of a level that can differ share it alike */
    for (size_t u = 1; u < h->num_nodes; u++)
        for (size_t v = 1; v < u; v++)
            if (h->node[u].depth == h->node[v].depth && h->node[u].num_children > 1 && h->node[v].num_children > 1)
                assert_near(node[u] / h->node[u].weight, node[v] / h->node[v].weight, 1e-13);
    hsgd_objective_free(&f);
    hsgd_quadratic_free(&q);
}

static void level_divergences_are_hit(void **state)
{
    (void)state;
    hsgd_hierarchy tree[] = {uniform((size_t[]){7}, (size_t[]){3}, 1),
                             uniform((size_t[]){3, 4}, (size_t[]){6, 2}, 2),
                             uniform((size_t[]){2, 1, 3}, (size_t[]){8, 4, 2}, 3),
                             uniform((size_t[]){2, 2, 2, 2}, (size_t[]){16, 8, 4, 2}, 4),
                             crooked_tree(false),
                             crooked_tree(true)};
    for (size_t i = 0; i < sizeof tree / sizeof *tree; i++) {
        for (size_t dim = 1; dim <= 11; dim += 5) {
            double level[] = {1.83, 0.41, 2.7, 0.05};
            if (i == 2)
                level[1] = 0; /* nothing differs between single children */
            check_divergences(&tree[i], &(hsgd_quadratic_spec){dim, 0.07, 1.3, level, 0.4, 11});
            level[0] = 0;
            check_divergences(&tree[i], &(hsgd_quadratic_spec){dim, 0.07, 1.3, level, 0, 12});
        }
        hsgd_hierarchy_free(&tree[i]);
    }
}

static void curvature_is_geometric(void **state)
{
    (void)state;
    hsgd_hierarchy h = uniform((size_t[]){3}, (size_t[]){2}, 1);
    hsgd_quadratic q;
    hsgd_constants c;
    hsgd_objective f;
    assert_ok(hsgd_quadratic_generate(&q, &h, &(hsgd_quadratic_spec){5, 0.03, 4.8, (double[]){0.6}, 1.7, 4}, &err),
              err);
    assert_close(q.curvature[0], 0.03, 1e-15);
    assert_close(q.curvature[4], 4.8, 0);
    for (size_t i = 1; i < 5; i++) /* 160^(1/4) */
        assert_close(q.curvature[i] / q.curvature[i - 1], 3.5565588200778455, 1e-14);
    assert_ok(hsgd_quadratic_objective(&f, &q, NULL, &err), err);
    assert_ok(f.type->constants(&f, 0, &c, &err), err);
    assert_close(c.smoothness.value, 4.8, 0);
    assert_close(c.convexity, 0.03, 1e-15);
    assert_int_equal(c.smoothness.kind, HSGD_EXACT);
    hsgd_objective_free(&f);
    hsgd_quadratic_free(&q);
    hsgd_hierarchy_free(&h);
}

static void impossible_problems_are_refused(void **state)
{
    (void)state;
    hsgd_hierarchy chain = uniform((size_t[]){1, 3}, (size_t[]){6, 2}, 2), h = uniform((size_t[]){3}, (size_t[]){2}, 1);
    hsgd_quadratic q;
    double level[] = {0.5, 0.25};
    hsgd_quadratic_spec spec = {3, 0.1, 1.2, level, 0.3, 9};
    assert_fails(hsgd_quadratic_generate(&q, &chain, &spec, &err), HSGD_ERROR_INPUT, "level_divergence[0]: 0.5 cannot",
                 err);
    level[0] = -0.5;
    assert_fails(hsgd_quadratic_generate(&q, &h, &spec, &err), HSGD_ERROR_INPUT, "level_divergence[0]: -0.5", err);
    level[0] = NAN;
    assert_fails(hsgd_quadratic_generate(&q, &h, &spec, &err), HSGD_ERROR_INPUT, "level_divergence[0]", err);
    level[0] = 0.5;
    const double ranges[][2] = {{0, 1}, {-1, 1}, {2, 1}, {NAN, 1}, {1, NAN}, {1, INFINITY}, {1e-300, 1e300}};
    for (size_t i = 0; i < sizeof ranges / sizeof *ranges; i++) {
        spec.curvature_min = ranges[i][0];
        spec.curvature_max = ranges[i][1];
        assert_fails(hsgd_quadratic_generate(&q, &h, &spec, &err), HSGD_ERROR_INPUT, "curvature_range", err);
    }
    double bad[DIM] = {1, 2, INFINITY, 4}, many[WORKERS * DIM];
    memcpy(many, linear, sizeof many);
    assert_fails(hsgd_quadratic_init(&q, bad, linear, DIM, WORKERS, 0, &err), HSGD_ERROR_INPUT, "curvature: entry 2",
                 err);
    many[7] = NAN;
    assert_fails(hsgd_quadratic_init(&q, curvature, many, DIM, WORKERS, 0, &err), HSGD_ERROR_INPUT, "linear: entry 7",
                 err);
    assert_fails(hsgd_quadratic_init(&q, curvature, linear, DIM, WORKERS, -0.1, &err), HSGD_ERROR_INPUT, "-0.1", err);
    assert_fails(hsgd_quadratic_init(&q, curvature, linear, 0, WORKERS, 0, &err), HSGD_ERROR_INPUT, "dimension", err);
    assert_fails(hsgd_quadratic_init(&q, curvature, linear, DIM, SIZE_MAX / 16, 0, &err), HSGD_ERROR_MEMORY, "memory",
                 err);
    hsgd_hierarchy_free(&chain);
    hsgd_hierarchy_free(&h);
}

/* ---- f* ---- */

typedef struct whole {
    const hsgd_objective *f;
    const double *weight;
} whole;

static void value_and_gradient(const gsl_vector *x, void *context, double *value, gsl_vector *gradient)
{
    const whole *w = context;
    *value = 0;
    gsl_vector_set_zero(gradient);
    for (size_t j = 0; j < w->f->num_workers; j++) {
        double loss, grad[DIM], scratch[HSGD_ROWS_AT_ONCE * DIM],
            p = w->weight ? w->weight[j] : 1.0 / (double)w->f->num_workers;
        w->f->type->full(w->f, x->data, &j, 1, &loss, grad, scratch);
        *value += p * loss;
        for (size_t i = 0; i < w->f->dim; i++)
            *gsl_vector_ptr(gradient, i) += p * grad[i];
    }
}

static double value_of(const gsl_vector *x, void *context)
{
    double value, memory[DIM];
    gsl_vector_view unused = gsl_vector_view_array(memory, x->size);
    value_and_gradient(x, context, &value, &unused.vector);
    return value;
}

static void gradient_of(const gsl_vector *x, void *context, gsl_vector *gradient)
{
    double unused;
    value_and_gradient(x, context, &unused, gradient);
}

/* The smallest value that GSL's BFGS finds from a point that is not special. */
static double found_minimum(const hsgd_objective *f, const double *weight)
{
    whole context = {f, weight};
    gsl_multimin_function_fdf g = {value_of, gradient_of, value_and_gradient, f->dim, &context};
    gsl_multimin_fdfminimizer *m = gsl_multimin_fdfminimizer_alloc(gsl_multimin_fdfminimizer_vector_bfgs2, f->dim);
    gsl_vector *x = gsl_vector_alloc(f->dim);
    gsl_vector_set_all(x, 0.7);
    gsl_multimin_fdfminimizer_set(m, &g, x, 0.1, 0.1);
    for (int i = 0; i < 200 && !gsl_multimin_fdfminimizer_iterate(m); i++)
        ;
    double value = m->f;
    gsl_vector_free(x);
    gsl_multimin_fdfminimizer_free(m);
    return value;
}

static void minimum_is_what_a_minimiser_finds(void **state)
{
    (void)state;
    const double positive[DIM] = {2.385, 0.71, 0.13, 1.9}, weight[WORKERS] = {0.2, 0.7, 0.1};
    hsgd_quadratic q;
    hsgd_constants c;
    hsgd_objective f;
    assert_ok(hsgd_quadratic_init(&q, positive, linear, DIM, WORKERS, 0.5, &err), err);
    for (int weighted = 0; weighted < 2; weighted++) {
        const double *p = weighted ? weight : NULL;
        assert_ok(hsgd_quadratic_objective(&f, &q, p, &err), err);
        assert_ok(f.type->constants(&f, 0, &c, &err), err);
        assert_near(c.minimum.value, found_minimum(&f, p), 1e-10);
        assert_int_equal(c.minimum.kind, HSGD_EXACT);
        hsgd_objective_free(&f);
    }
    hsgd_quadratic_free(&q);
}

static double minimum_of(const double *h, const double *b, size_t dim, double *smoothness, double *convexity)
{
    hsgd_quadratic q;
    hsgd_constants c;
    hsgd_objective f;
    assert_ok(hsgd_quadratic_init(&q, h, b, dim, 2, 0, &err), err);
    assert_ok(hsgd_quadratic_objective(&f, &q, NULL, &err), err);
    assert_ok(f.type->constants(&f, 0, &c, &err), err);
    hsgd_objective_free(&f);
    hsgd_quadratic_free(&q);
    *smoothness = c.smoothness.value;
    *convexity = c.convexity;
    return c.minimum.value;
}

static void minimum_without_positive_curvature(void **state)
{
    (void)state;
    double l, mu;
    const double b[] = {0.4, 1.5, 0.8, -1.5};                                   /* means 0.6 and 0 */
    assert_true(minimum_of((double[]){1.7, -2.2}, b, 2, &l, &mu) == -INFINITY); /* down a coordinate without slope */
    assert_true(l == 2.2 && mu == -2.2);
    assert_true(minimum_of((double[]){0, 1}, b, 2, &l, &mu) == -INFINITY);                 /* down a line */
    assert_close(minimum_of((double[]){1.7, 0}, b, 2, &l, &mu), -0.5 * 0.36 / 1.7, 1e-15); /* flat: harmless */
    assert_true(l == 1.7 && mu == 0);
}

/* <grad F_j(x) - grad F_j(y), x - y> >= mu ||x - y||^2, with equality along the coordinate of the smallest curvature. */
static void convexity_is_the_smallest_curvature(void **state)
{
    (void)state;
    hsgd_quadratic q = small(0);
    hsgd_objective f;
    hsgd_constants c;
    assert_ok(hsgd_quadratic_objective(&f, &q, NULL, &err), err);
    assert_ok(f.type->constants(&f, 0, &c, &err), err);
    assert_close(c.convexity, -1.3, 0);
    for (size_t trial = 0; trial < 60; trial++) {
        double x[DIM], y[DIM], at_x[DIM], at_y[DIM], scratch[HSGD_ROWS_AT_ONCE * DIM], loss, inner = 0, distance_sq = 0;
        size_t worker = trial % WORKERS;
        hsgd_normals(&(hsgd_stream){4, HSGD_PURPOSE_USER, 0, trial}, 1.9, x, DIM);
        hsgd_normals(&(hsgd_stream){4, HSGD_PURPOSE_USER, 1, trial}, 1.9, y, DIM);
        for (size_t i = 0; i < DIM && trial % 2; i++)
            y[i] = i == 2 ? y[i] : x[i];
        f.type->full(&f, x, &worker, 1, &loss, at_x, scratch);
        f.type->full(&f, y, &worker, 1, &loss, at_y, scratch);
        for (size_t i = 0; i < DIM; i++) {
            inner += (at_x[i] - at_y[i]) * (x[i] - y[i]);
            distance_sq += (x[i] - y[i]) * (x[i] - y[i]);
        }
        assert_true(inner >= c.convexity * distance_sq * (1 + 1e-12));
        if (trial % 2)
            assert_close(inner, c.convexity * distance_sq, 1e-12);
    }
    hsgd_objective_free(&f);
    hsgd_quadratic_free(&q);
    assert_ok(hsgd_quadratic_init(&q, (double[]){2.4, 0.3, 0.7, 5.1}, linear, DIM, WORKERS, 0, &err), err);
    assert_ok(hsgd_quadratic_objective(&f, &q, NULL, &err), err);
    assert_ok(f.type->constants(&f, 0, &c, &err), err);
    assert_close(c.convexity, 0.3, 0);
    assert_close(c.smoothness.value, 5.1, 0);
    hsgd_objective_free(&f);
    hsgd_quadratic_free(&q);
}

/* ---- permutation ---- */

static void permuted_workers_keep_their_functions(void **state)
{
    (void)state;
    const size_t place[WORKERS] = {2, 0, 1};
    hsgd_quadratic q = small(0);
    assert_ok(hsgd_quadratic_permute(&q, place, &err), err);
    for (size_t j = 0; j < WORKERS; j++)
        assert_memory_equal(q.linear + j * DIM, linear + place[j] * DIM, DIM * sizeof *linear);
    double mean[DIM];
    hsgd_quadratic_mean_linear(&q, (double[]){0.5, 0.3, 0.2}, mean);
    for (size_t i = 0; i < DIM; i++)
        assert_near(mean[i], 0.5 * linear[2 * DIM + i] + 0.3 * linear[i] + 0.2 * linear[DIM + i], 1e-15);
    hsgd_quadratic_free(&q);
}

/* Rows of several cache lines lie further apart than they are long. */
static void long_rows_are_the_workers_own(void **state)
{
    (void)state;
    enum { LONG = 37 };
    const size_t place[WORKERS] = {2, 0, 1}, worker[WORKERS] = {0, 1, 2};
    double h[LONG], b[WORKERS * LONG], w[LONG], loss[WORKERS], grad[WORKERS * LONG], scratch[WORKERS * LONG];
    hsgd_normals(&(hsgd_stream){6, HSGD_PURPOSE_USER, 0, 0}, 1, b, WORKERS * LONG);
    for (size_t i = 0; i < LONG; i++) {
        h[i] = 0.5 + (double)i;
        w[i] = 1 / (double)(i + 1);
    }
    hsgd_quadratic q;
    hsgd_objective f;
    assert_ok(hsgd_quadratic_init(&q, h, b, LONG, WORKERS, 0, &err), err);
    assert_true(q.stride == 40);
    assert_ok(hsgd_quadratic_permute(&q, place, &err), err);
    assert_ok(hsgd_quadratic_objective(&f, &q, NULL, &err), err);
    f.type->full(&f, w, worker, WORKERS, loss, grad, scratch);
    double mean[LONG];
    hsgd_quadratic_mean_linear(&q, (double[]){0.5, 0.3, 0.2}, mean);
    for (size_t i = 0; i < LONG; i++) {
        for (size_t j = 0; j < WORKERS; j++)
            assert_true(grad[j * LONG + i] == h[i] * w[i] - b[place[j] * LONG + i]);
        assert_near(mean[i], 0.5 * b[2 * LONG + i] + 0.3 * b[i] + 0.2 * b[LONG + i], 1e-15);
    }
    hsgd_objective_free(&f);
    hsgd_quadratic_free(&q);
}

/* Several workers and points in one call, in any order, next to each other or not: the bits of one by one. */
enum { MOST = 4, POINTS = 3, STRIDE = DIM + 3 };

/* Rows further apart than they are long, with numbers between them that nothing may touch. */
static void spread(double *out, const double *row)
{
    for (size_t i = 0; i < MOST * STRIDE; i++)
        out[i] = i % STRIDE < DIM ? row[i / STRIDE * DIM + i % STRIDE] : 17;
}

static void assert_many_are_one_by_one(hsgd_quadratic q)
{
    const size_t order[][MOST] = {{0, 1, 2, 0}, {2, 0, 1, 1}, {0, 2, 1, 2}, {2, 1, 0, 0}};
    hsgd_objective f;
    assert_ok(hsgd_quadratic_objective(&f, &q, NULL, &err), err);
    double w[MOST * POINTS * DIM], scratch[HSGD_ROWS_AT_ONCE * DIM], grad[MOST * POINTS * DIM], loss[MOST * POINTS];
    hsgd_normals(&(hsgd_stream){4, HSGD_PURPOSE_USER, 0, 0}, 1.5, w, MOST * POINTS * DIM);
    for (size_t o = 0; o < 4; o++) {
        const double *point[MOST * POINTS];
        for (size_t i = 0; i < MOST * POINTS; i++)
            point[i] = w + (i % POINTS == 1 ? 0 : i) * DIM; /* the second one is shared */
        double one[DIM], own_loss;
        for (int wanted = 0; wanted < 2; wanted++) {
            hsgd_objective_full_at(&f, point, POINTS, order[o], MOST, wanted ? loss : NULL, grad, scratch);
            for (size_t i = 0; i < MOST * POINTS; i++) {
                f.type->full(&f, point[i], &order[o][i / POINTS], 1, &own_loss, one, scratch);
                assert_memory_equal(grad + i * DIM, one, sizeof one);
                assert_true(!wanted || loss[i] == own_loss);
            }
        }
        hsgd_objective_stochastic_rows(&f, w, DIM, order[o], MOST, 0, 3, o, grad, scratch);
        double stepped[MOST * STRIDE];
        spread(stepped, w);
        f.type->step_rows(&f, NULL, stepped, STRIDE, order[o], MOST, &(hsgd_steps){3, o, 1, 0, 0.3}, scratch);
        for (size_t i = 0; i < MOST * DIM; i++)
            assert_true(stepped[i / DIM * STRIDE + i % DIM] == w[i] - 0.3 * grad[i]);
        double recorded[MOST * STRIDE], gradients[DIM] = {0}, noises[DIM] = {0}, noise_sq[MOST], sums[2][DIM] = {{0}};
        hsgd_step_record record = {gradients, noises, noise_sq};
        spread(recorded, w);
        f.type->recorded_step_rows(&f, recorded, STRIDE, order[o], MOST, 0, 3, o, 0.3, &record, scratch);
        assert_memory_equal(recorded, stepped, sizeof stepped);
        for (size_t i = 0; i < MOST * STRIDE; i++)
            assert_true(i % STRIDE < DIM || stepped[i] == 17);
        for (size_t j = 0; j < MOST; j++) {
            double drawn[DIM];
            f.type->stochastic(&f, w + j * DIM, order[o][j], 0, 3, o, drawn, scratch);
            assert_memory_equal(grad + j * DIM, drawn, sizeof drawn);
            f.type->full(&f, w + j * DIM, &order[o][j], 1, &own_loss, one, scratch);
            double norm_sq = 0;
            for (size_t i = 0; i < DIM; i++) {
                sums[0][i] += one[i];
                sums[1][i] += drawn[i] - one[i];
                norm_sq += (drawn[i] - one[i]) * (drawn[i] - one[i]);
            }
            assert_close(noise_sq[j], norm_sq, 1e-14);
        }
        for (size_t i = 0; i < DIM; i++) {
            assert_near(gradients[i], sums[0][i], 1e-14);
            assert_near(noises[i], sums[1][i], 1e-14);
        }
    }
    hsgd_objective_free(&f);
    hsgd_quadratic_free(&q);
}

static void many_at_once_are_one_by_one(void **state)
{
    (void)state;
    for (int noisy = 0; noisy < 2; noisy++) {
        assert_many_are_one_by_one(small(1.7 * noisy));
        assert_many_are_one_by_one(small_own(1.7 * noisy));
    }
}

/* Three steps in one call, each worker from where it is and all from one point. */
static void several_steps_are_one_after_the_other(void **state)
{
    (void)state;
    const size_t worker[MOST] = {0, 1, 2, 0};
    hsgd_quadratic q = small(1.7);
    hsgd_objective f;
    assert_ok(hsgd_quadratic_objective(&f, &q, NULL, &err), err);
    double w[MOST * DIM], scratch[HSGD_ROWS_AT_ONCE * DIM], together[MOST * STRIDE], one_by_one[MOST * STRIDE];
    hsgd_normals(&(hsgd_stream){4, HSGD_PURPOSE_USER, 0, 0}, 1.5, w, MOST * DIM);
    for (int shared = 0; shared < 2; shared++) {
        spread(together, w);
        spread(one_by_one, w);
        for (size_t j = 1; shared && j < MOST; j++)
            memcpy(one_by_one + j * STRIDE, w, DIM * sizeof *w);
        for (size_t t = 5; t < 8; t++)
            f.type->step_rows(&f, NULL, one_by_one, STRIDE, worker, MOST, &(hsgd_steps){3, t, 1, 0, 0.3}, scratch);
        f.type->step_rows(&f, shared ? w : NULL, together, STRIDE, worker, MOST, &(hsgd_steps){3, 5, 3, 0, 0.3},
                          scratch);
        assert_memory_equal(together, one_by_one, sizeof together);
    }
    hsgd_objective_free(&f);
    hsgd_quadratic_free(&q);
}

/* Values, gradients and noise by their definitions, in every dimension that fills vectors in another way. */
static void kernels_agree_with_the_definition(void **state)
{
    (void)state;
    enum { MANY = 40 };
    for (size_t dim = 1; dim <= MANY; dim++) {
        double x[4 * MANY], grad[MANY], first[MANY], first_loss = 0;
        const double *h = x, *b = x + dim, *w = x + 2 * dim, *noise = x + 3 * dim;
        hsgd_normals(&(hsgd_stream){9, HSGD_PURPOSE_USER, 0, dim}, 1.3, x, 4 * dim);
        long double want = 0;
        for (size_t i = 0; i < dim; i++)
            want += (0.5L * h[i] * w[i] - b[i]) * w[i];
        for_each_path(path)
        {
            const hsgd_quadratic_kernels *kernels = HSGD_PICK_PATH(hsgd_quadratic_kernels);
            double loss = kernels->full(grad, h, b, w, dim);
            assert_near(loss, (double)want, 1e-13);
            for (size_t i = 0; i < dim; i++)
                assert_near(grad[i], h[i] * w[i] - b[i], 1e-15);
            if (path == HSGD_PATH_PORTABLE) {
                first_loss = loss;
                memcpy(first, grad, dim * sizeof *first);
            }
            assert_true(loss == first_loss);
            assert_memory_equal(grad, first, dim * sizeof *first);
            kernels->gradient(grad, h, b, w, dim);
            assert_memory_equal(grad, first, dim * sizeof *first);
            kernels->noisy(grad, h, b, w, noise, dim);
            for (size_t i = 0; i < dim; i++)
                assert_true(grad[i] == first[i] + noise[i]);
        }
    }
}

int main(void)
{
    gsl_set_error_handler_off();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(loss_by_hand),
        cmocka_unit_test(gradients_are_derivatives),
        cmocka_unit_test(noise_has_the_covariance_asked_for),
        cmocka_unit_test(without_noise_the_gradient_is_full_and_with_it_reproducible),
        cmocka_unit_test(level_divergences_are_hit),
        cmocka_unit_test(curvature_is_geometric),
        cmocka_unit_test(impossible_problems_are_refused),
        cmocka_unit_test(minimum_is_what_a_minimiser_finds),
        cmocka_unit_test(minimum_without_positive_curvature),
        cmocka_unit_test(convexity_is_the_smallest_curvature),
        cmocka_unit_test(permuted_workers_keep_their_functions),
        cmocka_unit_test(long_rows_are_the_workers_own),
        cmocka_unit_test(many_at_once_are_one_by_one),
        cmocka_unit_test(several_steps_are_one_after_the_other),
        cmocka_unit_test(kernels_agree_with_the_definition),
    };
    return cmocka_run_group_tests_name("quadratic", tests, NULL, NULL);
}
