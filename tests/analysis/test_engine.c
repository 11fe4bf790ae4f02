/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The engine against (1) a naive H-SGD written here straight from THEORY 1 and 2, (2) the exact moments of THEORY 7,
 * (3) itself on trees that are the same algorithm, and for other thread counts. */
#include "tests/analysis/paths.h"
#include "tests/analysis/trees.h"

#include <gsl/gsl_cdf.h>
#include <gsl/gsl_errno.h>

#include "analysis/engine_private.h"
#include "analysis/ensemble.h"
#include "analysis/exact_moments.h"
#include "analysis/linear_model.h"
#include "analysis/quadratic.h"

static hsgd_error err;

/* ---- trees and problems ---- */

static hsgd_quadratic generated(const hsgd_hierarchy *h, size_t dim, double noise_sq)
{
    hsgd_quadratic q;
    const double level[] = {0.83, 0.41, 1.27, 0.66};
    hsgd_quadratic_spec spec = {dim, 0.07, 1.3, level, noise_sq, 11};
    assert_ok(hsgd_quadratic_generate(&q, h, &spec, &err), err);
    return q;
}

/* The same with Hessians of their own, so that divergences depend on the point. */
static hsgd_quadratic generated_spread(const hsgd_hierarchy *h, size_t dim, double noise_sq)
{
    hsgd_quadratic q;
    const double level[] = {0.83, 0.41, 1.27, 0.66}, spread_of[] = {0.1, 0.2, 0.1, 0.15};
    const hsgd_curvature_spread spread = {0.1, spread_of};
    const hsgd_quadratic_spec spec = {dim, 0.07, 1.3, level, noise_sq, 11};
    assert_ok(hsgd_quadratic_generate_spread(&q, h, &spec, &spread, &err), err);
    return q;
}

/* Three classes, seven features, a different number of samples per worker. */
typedef struct small_data {
    hsgd_dataset data;
    size_t start[64];
} small_data;

static void make_small_data(small_data *out, size_t num_workers, uint32_t classes)
{
    size_t p = 7, m = 0;
    for (size_t j = 0; j < num_workers; j++) {
        out->start[j] = m;
        m += 2 + j % 3;
    }
    out->start[num_workers] = m;
    out->data = (hsgd_dataset){.num_samples = m, .num_features = p, .num_classes = classes};
    out->data.dense = malloc(m * p * sizeof(double));
    out->data.label = malloc(m * sizeof(uint32_t));
    out->data.class_value = calloc(classes, sizeof(double));
    hsgd_stream stream = {5, HSGD_PURPOSE_USER, 0, 0};
    hsgd_normals(&stream, 1.1, out->data.dense, m * p);
    for (size_t s = 0; s < m; s++)
        out->data.label[s] = (uint32_t)((s * s + s / 3) % classes);
}

/* ---- a naive H-SGD ---- */

typedef struct naive {
    const hsgd_simulation *s;
    double *w; /* (n, d) */
} naive;

static double weight_of(const hsgd_hierarchy *h, size_t j)
{
    return h->worker_weight ? h->worker_weight[j] : 1.0 / (double)h->num_workers;
}

/* out = weighted mean of rows [first, first + count). */
static void naive_mean(const hsgd_hierarchy *h, const double *rows, size_t dim, size_t first, size_t count, double *out)
{
    double total = 0;
    memset(out, 0, dim * sizeof *out);
    for (size_t j = first; j < first + count; j++) {
        total += weight_of(h, j);
        for (size_t i = 0; i < dim; i++)
            out[i] += weight_of(h, j) * rows[j * dim + i];
    }
    for (size_t i = 0; i < dim; i++)
        out[i] /= total;
}

static double naive_distance_sq(const double *x, const double *y, size_t dim)
{
    double sum = 0;
    for (size_t i = 0; i < dim; i++)
        sum += (x[i] - y[i]) * (x[i] - y[i]);
    return sum;
}

/* beta_u^2 of any rows from its definition; largest receives the largest child deviation. */
static double naive_beta_sq(const hsgd_hierarchy *h, size_t u, const double *rows, size_t dim, double *largest)
{
    const hsgd_node *node = &h->node[u];
    double centre[dim], child[dim], sum = 0;
    *largest = 0;
    naive_mean(h, rows, dim, node->first_worker, node->num_workers, centre);
    if (hsgd_node_is_lowest(h, u))
        for (size_t j = node->first_worker; j < node->first_worker + node->num_workers; j++) {
            double d = naive_distance_sq(rows + j * dim, centre, dim);
            sum += weight_of(h, j) / node->weight * d;
            *largest = fmax(*largest, d);
        }
    else
        for (size_t v = u + 1; v < node->end; v++)
            if (h->node[v].parent == u) {
                naive_mean(h, rows, dim, h->node[v].first_worker, h->node[v].num_workers, child);
                double d = naive_distance_sq(child, centre, dim);
                sum += h->node[v].weight / node->weight * d;
                *largest = fmax(*largest, d);
            }
    return sum;
}

static void naive_gradients(const hsgd_simulation *s, const double *point, double *grad, double *loss)
{
    size_t n = s->hierarchy->num_workers, dim = s->objective->dim;
    double *scratch = calloc(s->objective->type->scratch_size(s->objective, s->batch_size) + 1, sizeof *scratch);
    *loss = 0;
    for (size_t j = 0; j < n; j++) {
        size_t worker = s->placement ? s->placement[j] : j;
        double own;
        s->objective->type->full(s->objective, point, &worker, 1, &own, grad + j * dim, scratch);
        *loss += weight_of(s->hierarchy, j) * own;
    }
    free(scratch);
}

/* The topmost node whose period divides t averages: recursion from the root. */
static void naive_aggregate(const naive *x, size_t u, size_t t)
{
    const hsgd_hierarchy *h = x->s->hierarchy;
    const hsgd_node *node = &h->node[u];
    size_t dim = x->s->objective->dim;
    if (t % node->period == 0) {
        double mean[dim];
        naive_mean(h, x->w, dim, node->first_worker, node->num_workers, mean);
        for (size_t j = node->first_worker; j < node->first_worker + node->num_workers; j++)
            memcpy(x->w + j * dim, mean, dim * sizeof *mean);
        return;
    }
    for (size_t v = u + 1; v < h->num_nodes; v++)
        if (h->node[v].parent == u)
            naive_aggregate(x, v, t);
}

static void naive_step(const naive *x, size_t t)
{
    const hsgd_simulation *s = x->s;
    size_t dim = s->objective->dim;
    double grad[dim], *scratch = calloc(s->objective->type->scratch_size(s->objective, s->batch_size) + 1, 8);
    for (size_t j = 0; j < s->hierarchy->num_workers; j++) {
        s->objective->type->stochastic(s->objective, x->w + j * dim, s->placement ? s->placement[j] : j, s->batch_size,
                                       s->seed, t, grad, scratch);
        for (size_t i = 0; i < dim; i++)
            x->w[j * dim + i] -= s->step_size * grad[i];
    }
    free(scratch);
    naive_aggregate(x, 0, t + 1);
}

/* What a trace keeps per node: largest values and sums over the measured steps before T, each (num_nodes). */
typedef struct naive_nodes {
    double *at_node_max, *divergence_max, *deviation_max, *divergence_sum, *dispersion_sum, worker_max;
} naive_nodes;

static void check_row(const naive *x, const hsgd_trace *trace, size_t row, naive_nodes *nodes)
{
    const hsgd_simulation *s = x->s;
    const hsgd_hierarchy *h = s->hierarchy;
    size_t dim = s->objective->dim, n = h->num_workers, levels = h->num_levels;
    double wbar[dim], gbar[dim], zero[dim], loss, unused, largest, level_d[8] = {0}, level_b[8] = {0},
                                                                   level_at[8] = {0};
    double *grad = malloc(n * dim * sizeof *grad);
    memset(zero, 0, sizeof zero);
    naive_mean(h, x->w, dim, 0, n, wbar);
    for (size_t u = 0; u < h->num_nodes; u++) {
        const hsgd_node *node = &h->node[u];
        double centre[dim];
        naive_mean(h, x->w, dim, node->first_worker, node->num_workers, centre);
        naive_gradients(s, centre, grad, &unused);
        double at_node = naive_beta_sq(h, u, grad, dim, &largest);
        if (u && node->period == h->node[node->parent].period) { /* merged: also at the average of the merged node */
            size_t top = node->parent;
            while (top && h->node[top].period == h->node[h->node[top].parent].period)
                top = h->node[top].parent;
            naive_mean(h, x->w, dim, h->node[top].first_worker, h->node[top].num_workers, centre);
            naive_gradients(s, centre, grad, &unused);
            at_node = fmax(at_node, naive_beta_sq(h, u, grad, dim, &largest));
        }
        double dispersion = naive_beta_sq(h, u, x->w, dim, &largest);
        nodes->at_node_max[u] = fmax(nodes->at_node_max[u], at_node);
        nodes->dispersion_sum[u] += dispersion;
        level_at[node->depth] += node->weight * at_node;
        level_b[node->depth] += node->weight * dispersion;
    }
    naive_gradients(s, wbar, grad, &loss);
    naive_mean(h, grad, dim, 0, n, gbar);
    for (size_t u = 0; u < h->num_nodes; u++) {
        double divergence = naive_beta_sq(h, u, grad, dim, &largest);
        level_d[h->node[u].depth] += h->node[u].weight * divergence;
        nodes->divergence_max[u] = fmax(nodes->divergence_max[u], divergence);
        nodes->divergence_sum[u] += divergence;
        nodes->deviation_max[u] = fmax(nodes->deviation_max[u], largest);
    }
    for (size_t j = 0; j < n; j++)
        nodes->worker_max = fmax(nodes->worker_max, naive_distance_sq(grad + j * dim, gbar, dim));
    assert_near(trace->loss[row], loss, 1e-12);
    assert_near(trace->grad_norm_sq[row], naive_distance_sq(gbar, zero, dim), 1e-12);
    for (size_t k = 0; k < levels; k++) {
        assert_near(trace->divergence[row * levels + k], level_d[k], 1e-12);
        assert_near(trace->dispersion[row * levels + k], level_b[k], 1e-12);
        if (trace->divergence_at_nodes)
            assert_near(trace->divergence_at_nodes[row * levels + k], level_at[k], 1e-12);
    }
    free(grad);
}

/* Run both and compare every measured number. The averages of the nodes are points of measurement, or not: then subtrees go
 * ahead of others. */
static void compare_at_nodes_or_not(hsgd_simulation *s, bool at_nodes)
{
    hsgd_trace trace;
    size_t n = s->hierarchy->num_workers, dim = s->objective->dim, nodes = s->hierarchy->num_nodes;
    double *memory = calloc(5 * nodes, sizeof *memory), rows = 0;
    naive_nodes want = {memory, memory + nodes, memory + 2 * nodes, memory + 3 * nodes, memory + 4 * nodes, 0};
    s->measure_at_nodes = at_nodes;
    s->measure_maxima = true;
    assert_ok(hsgd_simulate(&trace, s, &err), err);
    naive x = {s, malloc(n * dim * sizeof(double))};
    for (size_t j = 0; j < n; j++)
        memcpy(x.w + j * dim, s->initial, dim * sizeof(double));
    for (size_t t = 0; t < s->steps; t++) {
        if (t % s->measure_every == 0) {
            check_row(&x, &trace, t / s->measure_every, &want);
            rows++;
        }
        naive_step(&x, t);
    }
    double wbar[dim];
    naive_mean(s->hierarchy, x.w, dim, 0, n, wbar);
    for (size_t i = 0; i < dim; i++)
        assert_near(trace.final_point[i], wbar[i], 1e-12);
    for (size_t u = 0; u < nodes; u++) {
        if (at_nodes)
            assert_near(trace.node_divergence_at_node_max[u], want.at_node_max[u], 1e-12);
        assert_near(trace.node_divergence_max[u], want.divergence_max[u], 1e-12);
        assert_near(trace.node_deviation_max_sq[u], want.deviation_max[u], 1e-12);
        assert_near(trace.node_divergence_mean[u], want.divergence_sum[u] / rows, 1e-12);
        assert_near(trace.node_dispersion_mean[u], want.dispersion_sum[u] / rows, 1e-12);
    }
    assert_near(trace.worker_deviation_max_sq, want.worker_max, 1e-12);
    assert_at_most(trace.gradient_identity_error, 1e-13, 0);
    assert_at_most(trace.parameter_identity_error, 1e-13, 0);
    hsgd_trace_free(&trace);
    free(x.w);
    free(memory);
}

static void compare_with_naive(hsgd_simulation *s)
{
    compare_at_nodes_or_not(s, true);
    compare_at_nodes_or_not(s, false);
}

static void agrees_with_naive_on_noisy_quadratics(void **state)
{
    (void)state;
    const double initial[5] = {0.3, -1.7, 2.2, 0.9, -0.4};
    hsgd_hierarchy tree[] = {
        uniform((size_t[]){3, 4}, (size_t[]){6, 2}, 2),  uniform((size_t[]){2, 2, 3}, (size_t[]){8, 4, 2}, 3),
        uniform((size_t[]){9}, (size_t[]){4}, 1),        crooked(),
        uniform((size_t[]){35, 2}, (size_t[]){9, 3}, 2), uniform((size_t[]){2, 2, 9}, (size_t[]){8, 4, 2}, 3),
        uniform((size_t[]){33, 9}, (size_t[]){9, 3}, 2)};
    for (size_t i = 0; i < sizeof tree / sizeof *tree; i++) {
        hsgd_quadratic q = generated(&tree[i], 5, 0.37);
        hsgd_objective f;
        assert_ok(hsgd_quadratic_objective(&f, &q, NULL, &err), err);
        for (size_t every = 1; every <= 5; every += 2) {
            hsgd_simulation s = {.objective = &f,
                                 .hierarchy = &tree[i],
                                 .initial = initial,
                                 .step_size = 0.13,
                                 .steps = 27,
                                 .measure_every = every,
                                 .seed = 77,
                                 .threads = 1};
            compare_with_naive(&s);
        }
        hsgd_objective_free(&f);
        hsgd_quadratic_free(&q);
        hsgd_hierarchy_free(&tree[i]);
    }
}

/* Where nodes below the root are divided, with weights on every second tree. */
static void agrees_with_naive_on_divided_groups(void **state)
{
    (void)state;
    hsgd_hierarchy tree[NUM_DEEP_TREES];
    double initial[DEEP_DIM], weight[300];
    for (size_t i = 0; i < DEEP_DIM; i++)
        initial[i] = 1 - 0.03 * (double)i;
    for (size_t j = 0; j < 300; j++)
        weight[j] = 1 + (double)(j % 3);
    make_deep_trees(tree);
    for (size_t i = 0; i < NUM_DEEP_TREES; i++) {
        hsgd_quadratic q = generated_spread(&tree[i], DEEP_DIM, 0.37);
        hsgd_objective f;
        assert_ok(hsgd_quadratic_objective(&f, &q, NULL, &err), err);
        if (i % 2)
            assert_ok(hsgd_hierarchy_set_weights(&tree[i], weight, &err), err);
        for (size_t every = 1; every <= 5; every += 2) {
            hsgd_simulation s = {.objective = &f,
                                 .hierarchy = &tree[i],
                                 .initial = initial,
                                 .step_size = 0.13,
                                 .steps = 27,
                                 .measure_every = every,
                                 .seed = 77,
                                 .threads = 1};
            hsgd_cut cut = hsgd_cut_find(&s);
            assert_true(cut.num_splits > 2 && cut.num_units >= 6 && cut.leg < tree[i].node[0].period);
            assert_true(cut.whole_legs == (i != 4));
            compare_with_naive(&s);
        }
        hsgd_objective_free(&f);
        hsgd_quadratic_free(&q);
        hsgd_hierarchy_free(&tree[i]);
    }
}

/* So many nodes that their dispersions fill memory before the root averages: divided groups average where a window ends. */
static void averages_of_divided_groups_outlive_windows(void **state)
{
    (void)state;
    enum { GROUPS = 55000 };
    hsgd_hierarchy h = uniform((size_t[]){2, GROUPS, 2}, (size_t[]){40, 1, 1}, 3);
    hsgd_quadratic q = generated(&h, 1, 0.37);
    hsgd_objective f;
    const double initial[1] = {1.7};
    assert_ok(hsgd_quadratic_objective(&f, &q, NULL, &err), err);
    hsgd_simulation s = {.objective = &f,
                         .hierarchy = &h,
                         .initial = initial,
                         .step_size = 0.2,
                         .steps = 40,
                         .measure_every = 1,
                         .seed = 7,
                         .threads = 2};
    hsgd_trace whole, cut;
    hsgd_engine engine;
    assert_ok(hsgd_engine_alloc(&engine, &s, NULL, &err), err);
    assert_true(engine.num_splits == 3 && engine.max_rows < 40);
    hsgd_engine_free(&engine);
    assert_ok(hsgd_simulate(&cut, &s, &err), err);
    s.measure_every = 2;
    assert_ok(hsgd_engine_alloc(&engine, &s, NULL, &err), err);
    assert_true(engine.max_rows == 20);
    hsgd_engine_free(&engine);
    assert_ok(hsgd_simulate(&whole, &s, &err), err);
    for (size_t row = 0; row < 20; row++)
        for (size_t k = 0; k < 3; k++)
            assert_near(cut.dispersion[2 * row * 3 + k], whole.dispersion[row * 3 + k], 1e-12);
    hsgd_trace_free(&whole);
    hsgd_trace_free(&cut);
    hsgd_objective_free(&f);
    hsgd_quadratic_free(&q);
    hsgd_hierarchy_free(&h);
}

/* Windows of more measured steps than a subtree has accumulators for. */
static void agrees_with_naive_on_long_windows(void **state)
{
    (void)state;
    enum { DIM = 100 };
    double initial[DIM];
    for (size_t i = 0; i < DIM; i++)
        initial[i] = 1 - 0.03 * (double)i;
    hsgd_hierarchy h = uniform((size_t[]){2, 9}, (size_t[]){60, 20}, 2);
    hsgd_quadratic q = generated(&h, DIM, 0.37);
    hsgd_objective f;
    assert_ok(hsgd_quadratic_objective(&f, &q, NULL, &err), err);
    hsgd_simulation s = {.objective = &f,
                         .hierarchy = &h,
                         .initial = initial,
                         .step_size = 0.13,
                         .steps = 130,
                         .measure_every = 1,
                         .seed = 77,
                         .threads = 1};
    hsgd_engine engine;
    assert_ok(hsgd_engine_alloc(&engine, &s, NULL, &err), err);
    assert_true(engine.max_rows == 60 && engine.passage_rows < 60 && !engine.models_may_pass && !engine.by_steps);
    hsgd_engine_free(&engine);
    compare_with_naive(&s);
    hsgd_objective_free(&f);
    hsgd_quadratic_free(&q);
    hsgd_hierarchy_free(&h);
}

static void agrees_with_naive_on_softmax_with_weights_and_placement(void **state)
{
    (void)state;
    small_data d;
    hsgd_hierarchy h = crooked();
    make_small_data(&d, h.num_workers, 3);
    const double weight[] = {1, 2, 0.5, 3, 1, 1.5, 2, 0.7, 0.9, 1.1};
    const size_t placement[] = {4, 7, 0, 9, 2, 1, 8, 3, 6, 5};
    double initial[21];
    for (size_t i = 0; i < 21; i++)
        initial[i] = 0.1 * (double)i - 1;
    hsgd_objective f;
    assert_ok(hsgd_linear_model_objective(&f, HSGD_LINK_SOFTMAX, &d.data, d.start, h.num_workers,
                                          (hsgd_regularizer){HSGD_REGULARIZER_L2, 0.02}, &err),
              err);
    for (size_t batch = 0; batch <= 3; batch += 3)
        for (int with = 0; with < 2; with++) {
            if (with)
                assert_ok(hsgd_hierarchy_set_weights(&h, weight, &err), err);
            hsgd_simulation s = {.objective = &f,
                                 .hierarchy = &h,
                                 .initial = initial,
                                 .step_size = 0.21,
                                 .steps = 26,
                                 .batch_size = batch,
                                 .measure_every = 1,
                                 .seed = 3,
                                 .threads = 1,
                                 .placement = with ? placement : NULL};
            compare_with_naive(&s);
        }
    hsgd_objective_free(&f);
    hsgd_dataset_free(&d.data);
    hsgd_hierarchy_free(&h);
}

/* Levels that act together, at the root and below it: [2,2,2,2] at [8,8,4,4]. */
static void agrees_with_naive_where_levels_merge(void **state)
{
    (void)state;
    small_data d;
    hsgd_hierarchy h = uniform((size_t[]){2, 2, 2, 2}, (size_t[]){8, 8, 4, 4}, 4);
    make_small_data(&d, h.num_workers, 3);
    double initial[21];
    for (size_t i = 0; i < 21; i++)
        initial[i] = 0.7 - 0.05 * (double)i;
    hsgd_objective f;
    assert_ok(hsgd_linear_model_objective(&f, HSGD_LINK_SOFTMAX, &d.data, d.start, h.num_workers,
                                          (hsgd_regularizer){HSGD_REGULARIZER_NONE, 0}, &err),
              err);
    hsgd_simulation s = {.objective = &f,
                         .hierarchy = &h,
                         .initial = initial,
                         .step_size = 0.5,
                         .steps = 19,
                         .measure_every = 1,
                         .seed = 3,
                         .threads = 1};
    compare_with_naive(&s);
    hsgd_objective_free(&f);
    hsgd_dataset_free(&d.data);
    hsgd_hierarchy_free(&h);
}

/* ---- exact moments ---- */

/* A noiseless run follows the exact moments to rounding, also when the measurement window is cut by its memory (the
 * dimension makes a window shorter than the global period). */
static void noiseless_run_is_exact(void **state)
{
    (void)state;
    const size_t dims[] = {6, 300000};
    for (size_t i = 0; i < 2; i++) {
        hsgd_hierarchy h = uniform((size_t[]){2, 2}, (size_t[]){20, 4}, 2);
        hsgd_quadratic q = generated(&h, dims[i], 0);
        hsgd_objective f;
        assert_ok(hsgd_quadratic_objective(&f, &q, NULL, &err), err);
        double *initial = calloc(dims[i], sizeof *initial);
        initial[0] = 1.9;
        hsgd_simulation s = {.objective = &f,
                             .hierarchy = &h,
                             .initial = initial,
                             .step_size = 0.09,
                             .steps = 33,
                             .measure_every = 1,
                             .seed = 1,
                             .threads = 2};
        hsgd_trace trace;
        hsgd_exact exact;
        assert_ok(hsgd_simulate(&trace, &s, &err), err);
        assert_ok(hsgd_exact_moments(&exact, &q, &h, initial, s.step_size, s.steps, &err), err);
        for (size_t t = 0; t < s.steps; t++) {
            assert_near(trace.grad_norm_sq[t], exact.grad_norm_sq[t], 1e-9);
            assert_near(trace.loss[t], exact.loss[t], 1e-9);
            for (size_t k = 0; k < 2; k++)
                assert_near(trace.dispersion[t * 2 + k], exact.dispersion[t * 2 + k], 1e-9);
        }
        assert_near(trace.loss[s.steps], exact.final_loss, 1e-9);
        hsgd_exact_free(&exact);
        hsgd_trace_free(&trace);
        free(initial);
        hsgd_objective_free(&f);
        hsgd_quadratic_free(&q);
        hsgd_hierarchy_free(&h);
    }
}

/* Monte Carlo within its intervals: 600 fixed seeds; false alarm 1e-6 over all the comparisons of one tree together, 4e-6
 * for the four trees (Student t, two-sided, Bonferroni; means of 600 squared norms, so the t approximation is close). */
static void monte_carlo_agrees(const hsgd_hierarchy *h)
{
    enum { SEEDS = 600, STEPS = 25, DIM = 4 };
    const double initial[DIM] = {1.2, -0.7, 0.4, 2.1};
    hsgd_quadratic q = generated(h, DIM, 2.3);
    hsgd_objective f;
    hsgd_ensemble ensemble;
    hsgd_summary summary;
    hsgd_exact exact;
    assert_ok(hsgd_quadratic_objective(&f, &q, h->worker_weight, &err), err);
    hsgd_simulation s = {
        .objective = &f, .hierarchy = h, .initial = initial, .step_size = 0.2, .steps = STEPS, .measure_every = 1};
    assert_ok(hsgd_ensemble_run(&ensemble, &s, SEEDS, 100, NULL, 2, &err), err);
    assert_ok(hsgd_summarize(&summary, &ensemble, STEPS, h->node[0].period, false, &err), err);
    assert_ok(hsgd_exact_moments(&exact, &q, h, initial, s.step_size, STEPS, &err), err);
    double checks = STEPS * (2 + (double)h->num_levels) + 2;
    assert_at_most(fabs(summary.S.mean - exact.S), hsgd_half_width(summary.S, 1 - 1e-6, checks), 1e-12);
    assert_at_most(fabs(summary.final_loss.mean - exact.final_loss),
                   hsgd_half_width(summary.final_loss, 1 - 1e-6, checks), 1e-12);
    for (size_t t = 0; t < STEPS; t++) {
        const hsgd_estimate *g = &summary.grad_norm_sq[t], *l = &summary.loss[t];
        assert_at_most(fabs(g->mean - exact.grad_norm_sq[t]), hsgd_half_width(*g, 1 - 1e-6, checks) + 1e-12, 0);
        assert_at_most(fabs(l->mean - exact.loss[t]), hsgd_half_width(*l, 1 - 1e-6, checks) + 1e-12, 0);
        for (size_t k = 0; k < h->num_levels; k++) {
            const hsgd_estimate *b = &summary.dispersion[t * h->num_levels + k];
            assert_at_most(fabs(b->mean - exact.dispersion[t * h->num_levels + k]),
                           hsgd_half_width(*b, 1 - 1e-6, checks) + 1e-12, 0);
        }
    }
    hsgd_exact_free(&exact);
    hsgd_summary_free(&summary);
    hsgd_ensemble_free(&ensemble);
    hsgd_objective_free(&f);
    hsgd_quadratic_free(&q);
}

static void noisy_runs_agree_with_exact_moments(void **state)
{
    (void)state;
    hsgd_hierarchy tree[] = {uniform((size_t[]){3, 3}, (size_t[]){6, 3}, 2),
                             uniform((size_t[]){2, 2, 2}, (size_t[]){12, 4, 2}, 3), crooked(), crooked()};
    const double weight[] = {1, 2, 0.5, 3, 1, 1.5, 2, 0.7, 0.9, 1.1};
    assert_ok(hsgd_hierarchy_set_weights(&tree[3], weight, &err), err);
    for (size_t i = 0; i < 4; i++) {
        monte_carlo_agrees(&tree[i]);
        hsgd_hierarchy_free(&tree[i]);
    }
}

/* ---- the same algorithm as another tree ---- */

static void compare_runs(const hsgd_objective *f, const hsgd_hierarchy *a, const hsgd_hierarchy *b)
{
    const double initial[] = {0.5, 1.5, -2.5};
    hsgd_simulation s = {.objective = f,
                         .hierarchy = a,
                         .initial = initial,
                         .step_size = 0.17,
                         .steps = 23,
                         .measure_every = 1,
                         .seed = 5,
                         .threads = 1};
    hsgd_trace x, y;
    assert_ok(hsgd_simulate(&x, &s, &err), err);
    s.hierarchy = b;
    assert_ok(hsgd_simulate(&y, &s, &err), err);
    for (size_t t = 0; t < s.steps; t++) {
        double dx = 0, dy = 0;
        for (size_t k = 0; k < x.num_levels; k++)
            dx += x.dispersion[t * x.num_levels + k];
        for (size_t k = 0; k < y.num_levels; k++)
            dy += y.dispersion[t * y.num_levels + k];
        assert_near(dx, dy, 1e-12);
        assert_near(x.loss[t], y.loss[t], 1e-12);
        assert_near(x.grad_norm_sq[t], y.grad_norm_sq[t], 1e-12);
    }
    hsgd_trace_free(&x);
    hsgd_trace_free(&y);
}

static void local_sgd_is_one_level_one_group_or_singletons(void **state)
{
    (void)state;
    hsgd_hierarchy local = uniform((size_t[]){6}, (size_t[]){4}, 1);
    hsgd_hierarchy same[] = {uniform((size_t[]){1, 6}, (size_t[]){8, 4}, 2),
                             uniform((size_t[]){6, 1}, (size_t[]){4, 2}, 2),
                             uniform((size_t[]){2, 3}, (size_t[]){4, 4}, 2)};
    hsgd_quadratic q = generated(&local, 3, 0.6);
    hsgd_objective f;
    assert_ok(hsgd_quadratic_objective(&f, &q, NULL, &err), err);
    for (size_t i = 0; i < 3; i++) {
        compare_runs(&f, &local, &same[i]);
        hsgd_hierarchy_free(&same[i]);
    }
    hsgd_objective_free(&f);
    hsgd_quadratic_free(&q);
    hsgd_hierarchy_free(&local);
}

/* Period 1 everywhere: plain mini-batch SGD, w <- w - gamma mean_j g_j, written out here. */
static void period_one_is_minibatch_sgd(void **state)
{
    (void)state;
    small_data d;
    hsgd_hierarchy h = uniform((size_t[]){2, 3}, (size_t[]){1, 1}, 2);
    make_small_data(&d, 6, 2);
    hsgd_objective f;
    assert_ok(hsgd_linear_model_objective(&f, HSGD_LINK_LOGISTIC, &d.data, d.start, 6,
                                          (hsgd_regularizer){HSGD_REGULARIZER_NONCONVEX, 0.1}, &err),
              err);
    double w[7] = {0.2, -0.1, 0.5, 0, 1, -1, 0.3}, initial[7], grad[7], mean[7], scratch[1000];
    memcpy(initial, w, sizeof w);
    hsgd_simulation s = {.objective = &f,
                         .hierarchy = &h,
                         .initial = initial,
                         .step_size = 0.4,
                         .steps = 15,
                         .batch_size = 2,
                         .measure_every = 1,
                         .seed = 9,
                         .threads = 1};
    hsgd_trace trace;
    assert_ok(hsgd_simulate(&trace, &s, &err), err);
    assert_true(f.type->scratch_size(&f, 2) <= 1000);
    for (size_t t = 0; t < 15; t++) {
        memset(mean, 0, sizeof mean);
        for (size_t j = 0; j < 6; j++) {
            f.type->stochastic(&f, w, j, 2, 9, t, grad, scratch);
            for (size_t i = 0; i < 7; i++)
                mean[i] += grad[i] / 6;
        }
        for (size_t i = 0; i < 7; i++)
            w[i] -= 0.4 * mean[i];
        assert_near(trace.dispersion[2 * t], 0, 1e-14);
    }
    for (size_t i = 0; i < 7; i++)
        assert_near(trace.final_point[i], w[i], 1e-13);
    hsgd_trace_free(&trace);
    hsgd_objective_free(&f);
    hsgd_dataset_free(&d.data);
    hsgd_hierarchy_free(&h);
}

/* ---- bits ---- */

static void assert_same_trace(const hsgd_trace *a, const hsgd_trace *b)
{
    size_t rows = a->num_measured, cells = rows * a->num_levels, nodes = a->num_nodes;
    assert_memory_equal(a->loss, b->loss, (rows + 1) * 8);
    assert_memory_equal(a->grad_norm_sq, b->grad_norm_sq, (rows + 1) * 8);
    assert_memory_equal(a->divergence, b->divergence, (cells + a->num_levels) * 8);
    if (a->divergence_at_nodes)
        assert_memory_equal(a->divergence_at_nodes, b->divergence_at_nodes, cells * 8);
    assert_memory_equal(a->dispersion, b->dispersion, cells * 8);
    assert_memory_equal(a->node_divergence_mean, b->node_divergence_mean, nodes * 8);
    if (a->node_deviation_max_sq)
        assert_memory_equal(a->node_deviation_max_sq, b->node_deviation_max_sq, nodes * 8);
    assert_memory_equal(a->final_point, b->final_point, a->dim * 8);
    assert_memory_equal(&a->worker_deviation_max_sq, &b->worker_deviation_max_sq, 8);
}

static void same_bits_for_any_number_of_threads_in_any_order_on_every_path(void **state)
{
    (void)state;
    hsgd_hierarchy tree[] = {
        uniform((size_t[]){5, 4, 2}, (size_t[]){8, 4, 2}, 3), uniform((size_t[]){300}, (size_t[]){5}, 1),
        uniform((size_t[]){70, 3}, (size_t[]){6, 3}, 2), uniform((size_t[]){3, 2, 17}, (size_t[]){6, 3, 1}, 3)};
    for (size_t k = 0; k < 8; k++) {
        size_t i = k / 2;
        hsgd_quadratic q = generated(&tree[i], 13, 0.9);
        hsgd_objective f;
        assert_ok(hsgd_quadratic_objective(&f, &q, NULL, &err), err);
        double initial[13] = {1};
        hsgd_simulation s = {.objective = &f,
                             .hierarchy = &tree[i],
                             .initial = initial,
                             .step_size = 0.1,
                             .steps = 21,
                             .measure_every = 1,
                             .measure_at_nodes = k % 2 == 0,
                             .measure_maxima = k % 2 == 0,
                             .eager_threads = true};
        hsgd_ensemble one, many;
        assert_ok(hsgd_ensemble_run(&one, &s, 3, 7, NULL, 1, &err), err);
        for_each_path(path) for (int threads = 1; threads <= 7; threads++)
        {
            assert_ok(hsgd_ensemble_run(&many, &s, 3, 7, NULL, threads, &err), err);
            for (size_t r = 0; r < 3; r++)
                assert_same_trace(&one.trace[r], &many.trace[r]);
            hsgd_ensemble_free(&many);
        }
        for (s.shuffle = 1; s.shuffle < 20; s.shuffle++) {
            assert_ok(hsgd_ensemble_run(&many, &s, 3, 7, NULL, 1 + (int)s.shuffle % 3, &err), err);
            for (size_t r = 0; r < 3; r++)
                assert_same_trace(&one.trace[r], &many.trace[r]);
            hsgd_ensemble_free(&many);
        }
        hsgd_ensemble_free(&one);
        hsgd_objective_free(&f);
        hsgd_quadratic_free(&q);
    }
    for (size_t i = 0; i < 4; i++)
        hsgd_hierarchy_free(&tree[i]);
}

/* ---- outcomes and errors ---- */

typedef struct small_run {
    hsgd_hierarchy h;
    hsgd_quadratic q;
    hsgd_objective f;
    double initial[3];
    hsgd_simulation s;
} small_run;

static void small_run_init(small_run *r)
{
    r->h = uniform((size_t[]){2, 2}, (size_t[]){4, 2}, 2);
    r->q = generated(&r->h, 3, 0.1);
    assert_ok(hsgd_quadratic_objective(&r->f, &r->q, NULL, &err), err);
    for (size_t i = 0; i < 3; i++)
        r->initial[i] = 1;
    r->s = (hsgd_simulation){.objective = &r->f,
                             .hierarchy = &r->h,
                             .initial = r->initial,
                             .step_size = 0.1,
                             .steps = 3,
                             .measure_every = 1,
                             .threads = 1};
}

static void small_run_free(small_run *r)
{
    hsgd_objective_free(&r->f);
    hsgd_quadratic_free(&r->q);
    hsgd_hierarchy_free(&r->h);
}

static void divergence_of_the_run_is_an_outcome(void **state)
{
    (void)state;
    small_run r;
    hsgd_trace trace;
    small_run_init(&r);
    r.s.step_size = 1e6;
    r.s.steps = 100;
    assert_ok(hsgd_simulate(&trace, &r.s, &err), err);
    /* |1 - gamma h|^t with h = 1.3: the loss overflows when 2 t log10(1.3e6) passes 308, near t = 25 */
    assert_true(trace.diverged_at > 20 && trace.diverged_at < 30);
    assert_true(isinf(trace.loss[99]));
    assert_true(isfinite(trace.loss[15]));
    hsgd_trace_free(&trace);
    small_run_free(&r);
}

static void wrong_simulations_are_refused(void **state)
{
    (void)state;
    small_run r;
    hsgd_trace trace;
    small_run_init(&r);
    hsgd_simulation s = r.s;
    s.step_size = NAN;
    assert_fails(hsgd_simulate(&trace, &s, &err), HSGD_ERROR_INPUT, "step_size", err);
    s = r.s;
    s.steps = 0;
    assert_fails(hsgd_simulate(&trace, &s, &err), HSGD_ERROR_INPUT, "steps", err);
    const hsgd_variant variant = HSGD_PLAIN_VARIANT;
    s = r.s;
    s.variant = &variant;
    s.measure_proof = true;
    assert_fails(hsgd_simulate(&trace, &s, &err), HSGD_ERROR_INPUT, "plain H-SGD only", err);
    hsgd_hierarchy other = uniform((size_t[]){2, 3}, (size_t[]){4, 2}, 2), compact;
    s = r.s;
    s.hierarchy = &other;
    assert_fails(hsgd_simulate(&trace, &s, &err), HSGD_ERROR_INPUT, "has 6 workers, the problem 4", err);
    assert_ok(hsgd_hierarchy_uniform(&compact, (size_t[]){2, 2}, (size_t[]){4, 2}, 2, &err), err);
    s.hierarchy = &compact;
    assert_fails(hsgd_simulate(&trace, &s, &err), HSGD_ERROR_INPUT, "one entry per node", err);
    hsgd_hierarchy_free(&compact);
    hsgd_hierarchy_free(&other);
    small_run_free(&r);
}

static void add_steps(void *context, size_t steps_done)
{
    *(size_t *)context += steps_done;
}

/* However the run is cut into windows, and where T is no multiple of G. */
static void progress_adds_up_to_all_steps(void **state)
{
    (void)state;
    small_run r;
    hsgd_trace trace;
    size_t done;
    small_run_init(&r);
    r.s.measure_every = 3;
    r.s.progress = add_steps;
    r.s.progress_context = &done;
    for (r.s.steps = 1; r.s.steps <= 11; r.s.steps += 5) {
        done = 0;
        assert_ok(hsgd_simulate(&trace, &r.s, &err), err);
        assert_int_equal(done, r.s.steps);
        hsgd_trace_free(&trace);
    }
    small_run_free(&r);
}

int main(void)
{
    gsl_set_error_handler_off();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(agrees_with_naive_on_noisy_quadratics),
        cmocka_unit_test(agrees_with_naive_on_divided_groups),
        cmocka_unit_test(averages_of_divided_groups_outlive_windows),
        cmocka_unit_test(agrees_with_naive_on_long_windows),
        cmocka_unit_test(agrees_with_naive_on_softmax_with_weights_and_placement),
        cmocka_unit_test(agrees_with_naive_where_levels_merge),
        cmocka_unit_test(noiseless_run_is_exact),
        cmocka_unit_test(noisy_runs_agree_with_exact_moments),
        cmocka_unit_test(local_sgd_is_one_level_one_group_or_singletons),
        cmocka_unit_test(period_one_is_minibatch_sgd),
        cmocka_unit_test(same_bits_for_any_number_of_threads_in_any_order_on_every_path),
        cmocka_unit_test(divergence_of_the_run_is_an_outcome),
        cmocka_unit_test(wrong_simulations_are_refused),
        cmocka_unit_test(progress_adds_up_to_all_steps),
    };
    return cmocka_run_group_tests_name("engine", tests, NULL, NULL);
}
